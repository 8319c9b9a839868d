// An app of somebody else's, whose jar is shrunk and renamed under the rules that the library brings along: it crosses the boundary in
// every way there is, and ends with an error where something comes back otherwise. Knows no server.
package app

import cn.wanhu.Ledger
import cn.wanhu.core.FieldChange
import cn.wanhu.core.FieldValue
import cn.wanhu.core.LedgerException
import cn.wanhu.core.ListFilter
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.Value
import cn.wanhu.ffi.KeyVault
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking

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

public fun main(arguments: Array<String>): Unit = runBlocking {
    // The vault is called back; records, enums and lists go both ways; errors have their fields; a flow ends; a call waits in Rust.
    Ledger.openSealed(arguments.single(), InMemory).use { ledger ->
        val name = FieldChange("basic", "head_name", Value.Text("陈永昌"))
        val id = ledger.createHousehold(431022208217UL, RecordEdit(fields = listOf(name)))
        ledger.recordVisit(id, listOf(FieldValue("met", Value.Text("head"))))
        val rows = ledger.rows(ListFilter(search = "cyc")).first()
        check(rows.single().headName == "陈永昌") { rows }
        check(ledger.show(id).fields.any { it.value == Value.Text("head") })
        val unknown = RecordEdit(fields = listOf(FieldChange("basic", "nothing", null)))
        val refused = runCatching { ledger.edit(id, unknown) }.exceptionOrNull()
        check((refused as LedgerException.InvalidInput).field == "basic.nothing") { refused }
        val asked = runCatching { ledger.enrol("http://127.0.0.1:1", "code", "phone") }.exceptionOrNull()
        check(asked is LedgerException.Offline) { asked.toString() }
    }
    println("shrunk and whole")
}
