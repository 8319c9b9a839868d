// Whether the rules that the jar brings along leave an app whole that is shrunk, with the jar that apps add.
package cn.wanhu

import java.io.File
import java.nio.file.Path
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

internal class ShrunkTest {
    @TempDir
    lateinit var directory: Path

    /** The jar or folder that a class was loaded from. */
    private fun origin(type: Class<*>): String = File(type.protectionDomain.codeSource.location.toURI()).path

    private fun java(classPath: String, vararg arguments: String): Pair<Int, String> {
        val program = File(System.getProperty("java.home"), "bin/java").path
        val process = ProcessBuilder(program, "-cp", classPath, *arguments).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        return process.waitFor() to said
    }

    /** Shrinks the app with what it needs, under the jar's rules or, to see that they count, under others. */
    private fun shrunk(rules: File): Pair<Int, String> {
        val app = directory.resolve("${rules.name}.jar").toString()
        val needs = listOf(Ledger::class.java, Unit::class.java, kotlinx.coroutines.Job::class.java, com.sun.jna.Native::class.java)
        val parts = needs.map { origin(it) + "(!META-INF/versions/**)" } + (origin(ShrunkTest::class.java) + "(app/**)")
        val system = File(System.getProperty("java.home"), "jmods").listFiles().orEmpty().map { "$it(!**.jar;!module-info.class)" }
        val files = parts.flatMap { listOf("-injars", it) } + listOf("-outjars", app) + system.flatMap { listOf("-libraryjars", it) }
        val fixed = arrayOf("@src/test/proguard/app.pro", "-include", rules.path)
        val (code, said) = java(System.getProperty("java.class.path"), "proguard.ProGuard", *files.toTypedArray(), *fixed)
        assertEquals(0, code, said)
        return java(app, "app.ShrunkKt", directory.resolve("book-${rules.name}").toString())
    }

    @Test
    fun `an app that is shrunk under the rules of the jar is whole`() {
        val carried = Ledger::class.java.getResource("/META-INF/proguard/wanhu.pro")!!.readText()
        val rules = directory.resolve("wanhu.pro").toFile().apply { writeText(carried) }
        assertTrue(origin(Ledger::class.java).endsWith(".jar"))
        assertEquals(0 to "shrunk and whole\n", shrunk(rules))
    }

    @Test
    fun `without them it is not`() {
        val none = directory.resolve("none.pro").toFile().apply { writeText("-dontwarn java.awt.**\n") }
        assertTrue(shrunk(none).first != 0)
    }
}
