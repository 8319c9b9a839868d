// Whether the rules that the jar brings along leave an app whole that is shrunk, with the jar that apps add.
package cn.wanhu

import java.io.File
import java.io.FileOutputStream
import java.nio.file.Path
import java.util.jar.JarOutputStream
import java.util.zip.ZipEntry
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
        // It runs for seconds: what the second compiler would make faster is not worth its time.
        val process = ProcessBuilder(program, "-XX:TieredStopAtLevel=1", "-cp", classPath, *arguments).redirectErrorStream(true).start()
        val said = process.inputStream.bufferedReader().readText()
        return process.waitFor() to said
    }

    /** The app in a jar of its own. */
    private fun own(): String = directory.resolve("own.jar").toString().also { jar ->
        JarOutputStream(FileOutputStream(jar)).use { packed ->
            for (file in File(origin(ShrunkTest::class.java), "app").listFiles().orEmpty()) {
                packed.putNextEntry(ZipEntry("app/${file.name}"))
                packed.write(file.readBytes())
            }
        }
    }

    /** What the app is made of. */
    private fun parts(): List<String> =
        listOf(Ledger::class.java, Unit::class.java, kotlinx.coroutines.Job::class.java, com.sun.jna.Native::class.java)
            .map(::origin) + own()

    /** What becomes of the app when such a program has shrunk it into a jar. */
    private fun shrunk(program: String, how: (jar: String) -> List<String>): Pair<Int, String> {
        val jar = directory.resolve("shrunk.jar").toString()
        val (code, said) = java(System.getProperty("java.class.path"), program, *how(jar).toTypedArray())
        assertEquals(0, code, said)
        return java(jar, "app.ShrunkKt", directory.resolve("book").toString())
    }

    /** By ProGuard, under the jar's rules or, to see that they count, under others. What is tried is which names and members are kept. */
    private fun byProGuard(rules: File) = shrunk("proguard.ProGuard") { jar ->
        val system = File(System.getProperty("java.home"), "jmods").listFiles().orEmpty().map { "$it(!**.jar;!module-info.class)" }
        parts().flatMap { listOf("-injars", "$it(!META-INF/versions/**)") } + listOf("-outjars", jar) +
            system.flatMap { listOf("-libraryjars", it) } + listOf("@$APP_RULES", "-dontoptimize", "-include", rules.path)
    }

    private fun carried(): File = directory.resolve("wanhu.pro").toFile().apply {
        writeText(Ledger::class.java.getResource("/META-INF/proguard/wanhu.pro")!!.readText())
    }

    private fun none(): File = directory.resolve("none.pro").toFile().apply { writeText("-dontwarn java.awt.**\n") }

    @Test
    fun `an app that is shrunk under the rules of the jar is whole`() {
        assertTrue(origin(Ledger::class.java).endsWith(".jar"))
        assertEquals(0 to "shrunk and whole\n", byProGuard(carried()))
    }

    @Test
    fun `without them it is not`() = assertTrue(byProGuard(none()).first != 0)

    /** With all that it does for a release: it shrinks, renames and rewrites. It finds the jar's rules by itself. */
    @Test
    fun `an app is whole that the shrinker of Android's build made smaller`() {
        val told = shrunk("com.android.tools.r8.R8") { jar ->
            listOf("--classfile", "--release", "--output", jar, "--lib", System.getProperty("java.home")) +
                listOf("--pg-conf", APP_RULES) + parts()
        }
        assertEquals(0 to "shrunk and whole\n", told)
    }

    private companion object {
        const val APP_RULES = "src/test/proguard/app.pro"
    }
}
