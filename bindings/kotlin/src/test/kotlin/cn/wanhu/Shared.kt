// What the tests share: a township with two cadres of one village, forms as people fill them in, what a call fails with.
package cn.wanhu

import cn.wanhu.core.FieldChange
import cn.wanhu.core.FieldValue
import cn.wanhu.core.LedgerException
import cn.wanhu.core.NewRow
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.Value
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.io.TempDir

internal abstract class TownshipCase {
    protected val village = 431022208217UL
    protected val township = Township()

    @TempDir
    lateinit var directory: Path

    @BeforeEach
    fun accounts() = listOf("li.ming", "wang.fang").forEach {
        township.office("account-add", it, "--name", it, "--area", village.toString())
    }

    @AfterEach
    fun ended() = township.close()

    protected suspend fun phone(name: String, account: String): Ledger {
        val ledger = Ledger.open(directory.resolve(name).toString())
        ledger.enrol(township.url, township.code(account), name)
        return ledger
    }
}

internal fun text(field: String, value: String) = FieldValue(field, Value.Text(value))

internal fun number(field: String, value: Long) = FieldValue(field, Value.Int(value))

internal fun setting(container: String, key: String, value: String) =
    RecordEdit(fields = listOf(FieldChange(container, key, Value.Text(value))))

internal fun family(head: String) = setting("basic", "head_name", head)
    .copy(newRows = listOf(NewRow("members", listOf(text("name", head), text("relation", "head")))))

internal inline fun <reified E : Throwable> fails(crossinline work: suspend () -> Unit): E =
    assertThrows(E::class.java) { runBlocking { work() } }

internal fun invalid(field: String, reason: String, work: suspend () -> Unit) {
    val refused = fails<LedgerException.InvalidInput> { work() }
    assertEquals(field to reason, refused.field to refused.reason)
}
