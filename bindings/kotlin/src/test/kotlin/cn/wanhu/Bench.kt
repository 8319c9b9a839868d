// What calls from the JVM cost, on a book of as many households as asked for: a program of its own, run by `cargo xtask bench ffi`.
// Prints a line a figure: name, value, unit, aim. Decides nothing.
package cn.wanhu

import cn.wanhu.core.FieldChange
import cn.wanhu.core.LedgerException
import cn.wanhu.core.ListFilter
import cn.wanhu.core.NewRow
import cn.wanhu.core.RecordEdit
import cn.wanhu.core.Value
import cn.wanhu.ffi.KeyVault
import java.io.File
import kotlinx.coroutines.runBlocking

private const val VILLAGE = 431022208217UL
private const val CALLS = 5_000
private const val FEW_CALLS = 300
private const val PAGE = "page of 50"
private const val CALLS_FOR_MEMORY = 100_000

internal fun main(arguments: Array<String>) {
    val begin = System.nanoTime()
    val (task, path) = arguments
    when (task) {
        "fill" -> fill(path, arguments[2].toInt())
        "start" -> start(path, begin)
        "calls" -> calls(path)
    }
}

/** A key store whose key is none: whoever asks for it gets no further. */
private object NoKey : KeyVault {
    override fun load() = "short".encodeToByteArray()

    override fun keep(key: ByteArray) = error("there is a key")

    override fun forget() = error("nobody was shut out")
}

private fun fill(path: String, households: Int) = cn.wanhu.ffi.Ledger.open(path).use { book ->
    val surnames = "陈李黄刘王张欧胡邓周".toList()
    repeat(households) { number ->
        // No two of one name, as in most villages.
        val head = "${surnames[number % surnames.size]}永${'一' + number / surnames.size}"
        val members = (1..3).map { NewRow("members", listOf(text("name", head), text("relation", "other"))) }
        val name = FieldChange("basic", "head_name", Value.Text(head))
        book.createHousehold(VILLAGE, RecordEdit(fields = listOf(name), newRows = members))
    }
    book.closeBook()
}

/** From the first line of the program to the first page, with the library that has to be loaded and checked, and what of it is whose. */
private fun start(path: String, begin: Long) {
    var last = begin
    val part = { what: String ->
        val now = System.nanoTime()
        tell("of a start: $what", (now - last) / 1e6, "ms")
        last = now
    }
    runBlocking {
        part("Kotlin's coroutines")
        check(com.sun.jna.Native.POINTER_SIZE > 0)
        part("JNA")
        cn.wanhu.core.uniffiEnsureInitialized()
        cn.wanhu.ffi.uniffiEnsureInitialized()
        part("the library loaded, its calls bound and checked")
        Ledger.open(path).use {
            part("the book opened")
            check(it.list().size == 50)
            part("the first page")
            tell("start to first page", (System.nanoTime() - begin) / 1e6, "ms", 300.0)
        }
    }
}

private fun tell(what: String, value: Double, unit: String, aim: Double? = null) = println("$what\t$value\t$unit\t${aim ?: ""}")

/** The middle of many calls, after as many to warm up. */
private inline fun median(calls: Int = CALLS, call: (Int) -> Unit): Double {
    repeat(calls) { call(it) }
    val times = LongArray(calls) {
        val begin = System.nanoTime()
        call(it)
        System.nanoTime() - begin
    }
    return times.sorted()[calls / 2] / 1e3
}

private fun calls(path: String) {
    cn.wanhu.ffi.Ledger.open(path).use { book ->
        val households = book.list(ListFilter(), null, 500U).map { it.id }
        val someone = { number: Int -> households[number % households.size] }
        // What the JVM compiles while it measures would be measured with it: the first round says nothing.
        table(book, someone)
        table(book, someone).forEach { (what, us) -> tell(what, us, "us", if (what == PAGE) 150.0 else null) }
        memory(book, someone)
        book.closeBook()
    }
    runBlocking {
        Ledger.open(path).use { book -> tell("$PAGE by the facade", median { book.list() }, "us") }
    }
}

/** What calls cost, in microseconds. */
private fun table(book: cn.wanhu.ffi.Ledger, someone: (Int) -> String): Map<String, Double> {
    val visit = listOf(text("met", "head"))
    return mapOf(
        "call that does nothing" to median { book.version() },
        "call that fails with a typed error" to median { runCatching { book.show("nonsense") } },
        "call back into the app, and a typed error for what it says" to median { runCatching { cn.wanhu.ffi.Ledger.openSealed("/nowhere", NoKey) } },
        "one household whole" to median { book.show(someone(it)) },
        PAGE to median { book.list(ListFilter(), null, 50U) },
        "page of 500" to median(FEW_CALLS) { book.list(ListFilter(), null, 500U) },
        "search by initials, 50 rows" to median(FEW_CALLS) { book.list(ListFilter(search = "cy"), null, 50U) },
        "asynchronous call that does nothing" to runBlocking { median { book.changed(ULong.MAX_VALUE) } },
        "a visit, safe on disk" to median(FEW_CALLS) { book.recordVisit(someone(it), visit) },
    )
}

/** What the process holds more of after many calls, half of them failing. */
private fun memory(book: cn.wanhu.ffi.Ledger, someone: (Int) -> String) {
    val round = { calls: Int ->
        repeat(calls) {
            book.show(someone(it))
            try {
                book.show("nonsense")
            } catch (_: LedgerException.InvalidInput) {
            }
        }
        System.gc()
        resident()
    }
    val before = round(CALLS_FOR_MEMORY / 2)
    tell("memory grown over $CALLS_FOR_MEMORY calls", (round(CALLS_FOR_MEMORY / 2) - before) / 1024.0, "MiB", 8.0)
}

private fun resident(): Long {
    val line = File("/proc/self/status").readLines().first { it.startsWith("VmRSS") }
    return line.filter(Char::isDigit).toLong()
}
