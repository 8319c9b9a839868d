// What goes wrong beside the book: a full disk, a damaged file, a panic in the library, the app's own code where the library calls it.
// It ends a call at most, is said in a code or in the app's log, and the book goes on with everything that was saved.
package cn.wanhu

import cn.wanhu.core.LedgerException
import cn.wanhu.ffi.KeyVault
import com.sun.jna.NativeLibrary
import com.sun.jna.Pointer
import java.io.File
import java.util.logging.Handler
import java.util.logging.LogRecord
import java.util.logging.Logger
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private const val PAGE_BYTES = 4096

internal class FaultTest : TownshipCase() {
    /** Nothing can be written meanwhile: `bindings/tests/full_disk.c`, which has to be loaded before the JVM. */
    private fun fullDisk(work: () -> Unit) {
        val full = NativeLibrary.getProcess().getFunction("wanhu_disk_full")
        full.invoke(arrayOf(1))
        try {
            work()
        } finally {
            full.invoke(arrayOf(0))
        }
    }

    /** Bytes that are nowhere: no facade makes them, and the library gives up by panicking. */
    private fun nowhere() = cn.wanhu.ffi.RustBuffer.ByValue().apply {
        capacity = 8
        len = 8
    }

    @Test
    fun `a full disk changes nothing, and with room the book goes on`() = runBlocking {
        val (a, b) = phone("a", "li.ming") to phone("b", "wang.fang")
        val chen = a.createHousehold(village, family("陈永昌"))
        a.sync()
        fullDisk {
            val told = listOf(
                fails<LedgerException.StorageFull> { a.recordVisit(chen, listOf(text("met", "head"))) },
                fails<LedgerException.StorageFull> { b.sync() },
                fails<LedgerException.StorageFull> { Ledger.open(directory.resolve("c").toString()) },
            )
            assertEquals(List(3) { 0UL to "storage_full" }, told.map { it.neededBytes to words(it)?.code })
            assertEquals(listOf("陈永昌"), runBlocking { a.list() }.map { it.headName }, "reading needs no room")
        }
        assertTrue(a.unsent().isEmpty() && b.list().isEmpty())
        a.recordVisit(chen, listOf(text("met", "head")))
        assertEquals(1UL to 0UL, a.sync().receipts to b.sync().refused)
        assertEquals(listOf("陈永昌"), b.list().map { it.headName })
        listOf(a, b, Ledger.open(directory.resolve("c").toString())).forEach { it.close() }
    }

    @Test
    fun `damage is told by whoever comes upon it, and what cannot be opened is set aside whole`() = runBlocking {
        val file = directory.resolve("a").toFile()
        val chen = Ledger.open(file.path).use { it.createHousehold(village, family("陈永昌")) }
        val whole = file.readBytes()
        val (opening, calling) = mutableListOf<String>() to mutableListOf<String>()
        for (start in whole.indices step PAGE_BYTES) {
            val damaged = whole.copyOf().apply { fill(0x5a, start, start + PAGE_BYTES) }
            file.writeBytes(damaged)
            val ledger = try {
                Ledger.open(file.path)
            } catch (told: LedgerException.StorageDamaged) {
                // Whoever got as far as opening it may have counted that on the first page.
                val (kept, given) = listOf(File(told.keptAs).readBytes(), damaged).map { it.copyOfRange(PAGE_BYTES, it.size) }
                assertArrayEquals(given, kept)
                assertFalse(file.exists())
                opening += told.keptAs
                continue
            }
            try {
                ledger.show(chen)
            } catch (told: LedgerException.StorageDamaged) {
                calling += told.keptAs
            }
            ledger.close()
            assertTrue(file.exists(), "nobody moves an open book")
        }
        assertTrue(opening.size > 1 && opening.none(String::isEmpty), opening.toString())
        assertEquals(setOf(""), calling.toSet())
        file.delete()
        Ledger.open(file.path).use { assertEquals(0UL, it.status().households, "begun afresh") }
    }

    @Test
    fun `a panic in the library ends a call and nothing else`() {
        val book = cn.wanhu.ffi.Ledger.open(directory.resolve("a").toString())
        val status = cn.wanhu.ffi.UniffiRustCallStatus()
        val household = cn.wanhu.core.FfiConverterTypeHouseholdId.lower("00000000-0000-0000-0000-000000000000")
        cn.wanhu.ffi.UniffiLib.uniffi_wanhu_fn_method_ledger_record_visit(book.uniffiCloneHandle(), household, nowhere(), status)
        assertTrue(status.isPanic())
        assertTrue("RustBuffer" in cn.wanhu.ffi.FfiConverterString.lift(status.error_buf), "the panic's own text")
        // That text is for nobody.
        val told = fails<LedgerException.Internal> { typed<Unit> { throw cn.wanhu.ffi.InternalException("陈永昌's data in a message") } }
        assertEquals("panic" to null, told.reportId to told.cause)
        assertFalse("陈永昌" in told.stackTraceToString())
        assertEquals(0UL, book.status().households)
        book.createHousehold(village, family("陈永昌"))
        assertEquals(1UL, book.status().households, "the book goes on")
        book.closeBook()
    }

    @Test
    fun `a panic in a sync ends it and nothing else`() = runBlocking {
        val ledger = phone("a", "li.ming")
        ledger.createHousehold(village, family("陈永昌"))
        val crossing = cn.wanhu.ffi.uniffiCallbackInterfaceSyncObserver
        val whole = crossing.vtable.onProgress
        var heard = 0
        crossing.vtable.onProgress = object : cn.wanhu.ffi.UniffiCallbackInterfaceSyncObserverMethod0 {
            override fun callback(
                uniffiHandle: Long,
                phase: cn.wanhu.core.RustBuffer.ByValue,
                done: Long,
                total: Long,
                uniffiOutReturn: Pointer,
                uniffiCallStatus: cn.wanhu.ffi.UniffiRustCallStatus,
            ) {
                heard += 1
                // What it failed with is nowhere, and the library panics while the sync is under way.
                uniffiCallStatus.code = 1
                uniffiCallStatus.error_buf = nowhere()
            }
        }
        crossing.register(cn.wanhu.ffi.UniffiLib)
        try {
            val told = fails<LedgerException.Internal> { ledger.sync() }
            assertEquals("panic" to null, told.reportId to told.cause)
        } finally {
            crossing.vtable.onProgress = whole
            crossing.register(cn.wanhu.ffi.UniffiLib)
        }
        assertEquals(1, heard, "it ended there")
        assertEquals(0, cn.wanhu.ffi.FfiConverterTypeSyncObserver.handleMap.size, "the observer was given back")
        assertEquals("panic", ((ledger.syncState.value as SyncState.Failed).error as LedgerException.Internal).reportId)
        assertEquals(1UL, ledger.status().pending)
        var last = 0
        assertEquals(1UL, ledger.sync { last += 1 }.receipts, "the book goes on")
        assertTrue(last > 0)
        assertEquals(SyncState.Idle, ledger.syncState.value)
        ledger.close()
    }

    @Test
    fun `what fails in the app is in its log`() = runBlocking {
        val heard = mutableListOf<Throwable?>()
        val handler = object : Handler() {
            override fun publish(record: LogRecord) { heard += record.thrown }
            override fun flush() = Unit
            override fun close() = Unit
        }
        val log = Logger.getLogger("cn.wanhu")
        log.addHandler(handler)
        log.useParentHandlers = false
        try {
            val ledger = phone("a", "li.ming")
            ledger.sync { throw IllegalStateException("a fault of the screen") }
            ledger.close()
            assertTrue(heard.isNotEmpty() && heard.all { it?.message == "a fault of the screen" }, "$heard")
            heard.clear()
            val broken = object : KeyVault {
                override fun load(): ByteArray? = throw IllegalStateException("a fault of the vault")
                override fun keep(key: ByteArray) = Unit
                override fun forget() = Unit
            }
            val told = fails<LedgerException.InvalidInput> { Ledger.openSealed(directory.resolve("b").toString(), broken) }
            assertEquals("vault" to "unavailable", told.field to told.reason)
            assertEquals(listOf("a fault of the vault"), heard.map { it?.message })
        } finally {
            log.removeHandler(handler)
            log.useParentHandlers = true
        }
    }
}
