// The lines of bindings/README.md for Kotlin, as they stand there.
package cn.wanhu

import cn.wanhu.core.FieldChange
import cn.wanhu.core.FieldValue
import cn.wanhu.core.ListFilter
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.Value
import cn.wanhu.ffi.KeyVault
import java.io.File
import java.nio.file.Path
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

internal class QuickStartTest {
    @TempDir
    lateinit var directory: Path

    private object InMemory : KeyVault {
        private var key: ByteArray? = null

        override fun load() = key

        override fun keep(key: ByteArray) {
            this.key = key
        }

        override fun forget() {
            key = null
        }
    }

    @Test
    fun `the lines work`() = Township().use { township ->
        township.office("account-add", "li.ming", "--name", "李明", "--area", "431022208217")
        val (path, vault) = directory.resolve("ledger").toString() to InMemory
        val (url, code) = township.url to township.code("li.ming")
        val shown = mutableListOf<Any>()
        fun show(something: Any) = synchronized(shown) { shown.add(something) }
        runBlocking {
            // From here on as in the README.
            val ledger = Ledger.openSealed(path, vault)
            ledger.enrol(url, code, "李明的手机")
            val name = FieldChange("basic", "head_name", Value.Text("陈永昌"))
            val id = ledger.createHousehold(431022208217UL, RecordEdit(fields = listOf(name)))
            ledger.recordVisit(id, listOf(FieldValue("met", Value.Text("head"))))
            val screen = launch { ledger.rows(ListFilter(search = "cyc")).collect { show(it) } }
            val report = ledger.sync { progress -> show(progress) }
            screen.cancel()
            ledger.close()
            // As far as here.
            assertEquals(2UL, report.receipts)
        }
        assertTrue(shown.any { it is SyncProgress })
    }

    @Test
    fun `it is the jar that is tried`() {
        val from = Ledger::class.java.protectionDomain.codeSource.location.path
        assertTrue(from.endsWith(".jar"), from)
    }

    @Test
    fun `they are the lines of the README`() {
        val readme = File("../README.md").readText().substringAfter("## Kotlin\n").substringBefore("\n## ")
        val theirs = readme.lines().filter { it.startsWith("    ") }.map { it.substringBefore("   //").trim() }
        val source = File("src/test/kotlin/cn/wanhu/QuickStartTest.kt").readText()
        val ours = source.substringAfter("as in the README.\n").substringBefore("// As far as here.").lines()
        assertEquals(theirs.joinToString("\n"), ours.map { it.trim() }.filter { it.isNotEmpty() }.joinToString("\n"))
    }
}
