// A township's server as a process of its own, with an office that types commands. Knows nothing of the ledger.
package cn.wanhu

import java.io.File
import java.nio.file.Files

internal class Township : AutoCloseable {
    private val programs = File(System.getenv("WANHU_PROGRAMS") ?: error("WANHU_PROGRAMS: where the programs are"))
    private val server = programs.resolve("wanhu-server").path
    private val directory = Files.createTempDirectory("township").toFile()
    val process: Process = ProcessBuilder(server, "serve", "--data-dir", directory.path, "--listen", "127.0.0.1:0")
        .redirectError(ProcessBuilder.Redirect.DISCARD).start()

    /** The first line says where it listens. */
    val url: String = "http://" + process.inputReader().readLine().trim().substringAfterLast("http://")

    /** What an office's command answers, as JSON. */
    fun office(vararg words: String): String = command("admin", *words)

    /** Delivers a table of hospital bills as this account. */
    fun bills(account: String, table: String): String {
        val file = File.createTempFile("bills", ".csv", directory).apply { writeText(table) }
        return command("import", "--by", account, "department", file.path, "--kind", "medical")
    }

    private fun command(vararg words: String): String {
        val command = listOf(server) + words + listOf("--data-dir", directory.path, "--json")
        val done = ProcessBuilder(command).redirectErrorStream(true).start()
        val answer = done.inputReader().readText()
        check(done.waitFor() == 0) { "${words.toList()}: $answer" }
        return answer
    }

    /** A one-time code for a phone of this account. */
    fun code(account: String): String =
        checkNotNull(Regex("\"code\":\"([^\"]+)\"").find(office("code", account))).groupValues[1]

    /** Stopped, not ended: the line stands, and nobody answers. */
    fun <T> silent(work: () -> T): T {
        signal("STOP")
        try {
            return work()
        } finally {
            signal("CONT")
        }
    }

    private fun signal(name: String) =
        check(ProcessBuilder("kill", "-$name", process.pid().toString()).start().waitFor() == 0)

    override fun close() {
        process.destroyForcibly().waitFor()
        directory.deleteRecursively()
    }
}
