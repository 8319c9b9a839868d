"""What is nobody's fault: a full disk, a damaged file, a panic in the library. Each ends a call, says so in a code, and the book goes
on with everything that was saved."""

import contextlib
import ctypes
import gc
import os
import pathlib
import unittest
import unittest.mock

import wanhu
from shared import VILLAGE, TownshipCase, family, text
from wanhu import LedgerError

NATIVE = wanhu.native.wanhu
PAGE_BYTES = 4096


@contextlib.contextmanager
def full_disk():
    """Nothing can be written meanwhile: `bindings/tests/full_disk.c`, which has to be loaded before Python."""
    is_full = ctypes.CDLL(None).wanhu_disk_full
    is_full(1)
    try:
        yield
    finally:
        is_full(0)


def resident_bytes():
    """What the process holds now."""
    _, pages, *_ = pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Faults(TownshipCase):
    @contextlib.contextmanager
    def panic(self, converter):
        """What this converter hands over lies nowhere: nothing here makes such bytes, and the library gives up by panicking."""
        nowhere, said = NATIVE._UniffiRustBuffer(8, 8, None), []
        check = NATIVE._uniffi_check_call_status

        def overheard(error_class, status):
            said.append(status.code)
            check(error_class, status)

        with (
            unittest.mock.patch.object(converter, "lower", return_value=nowhere),
            unittest.mock.patch.object(NATIVE, "_uniffi_check_call_status", overheard),
            self.assertRaises(LedgerError.Internal) as raised,
        ):
            yield
        self.assertIn(NATIVE._UniffiRustCallStatus.CALL_UNEXPECTED_ERROR, said)
        self.assertEqual((raised.exception.report_id, raised.exception.__context__), ("panic", None))

    async def test_a_full_disk_changes_nothing_and_with_room_the_book_goes_on(self):
        a, b = await self.phone("a", "li.ming"), await self.phone("b", "wang.fang")
        chen = a.create_household(VILLAGE, family("陈永昌"))
        await a.sync()
        with full_disk():
            with self.assertRaises(LedgerError.StorageFull) as saving:
                a.record_visit(chen, [text("met", "head")])
            with self.assertRaises(LedgerError.StorageFull) as syncing:
                await b.sync()
            with self.assertRaises(LedgerError.StorageFull) as opening:
                wanhu.Ledger.open(str(self.directory / "c"))
            self.assertEqual([row.head_name for row in a.list()], ["陈永昌"], "reading needs no room")
        for raised in (saving, syncing, opening):
            self.assertEqual(raised.exception.needed_bytes, 0, "unknown")
            self.assertEqual(wanhu.error_words(raised.exception).code, "storage_full")
        self.assertEqual((a.unsent(), b.list()), ([], []))
        a.record_visit(chen, [text("met", "head")])
        self.assertEqual(((await a.sync()).receipts, (await b.sync()).refused), (1, 0))
        self.assertEqual([row.head_name for row in b.list()], ["陈永昌"])
        wanhu.Ledger.open(str(self.directory / "c")).close()

    def test_a_damaged_file_is_set_aside_whole(self):
        path = self.directory / "a"
        with wanhu.Ledger.open(str(path)) as ledger:
            ledger.create_household(VILLAGE, family("陈永昌"))
        damaged = b"\xa5" * PAGE_BYTES + path.read_bytes()[PAGE_BYTES:]
        path.write_bytes(damaged)
        with self.assertRaises(LedgerError.StorageDamaged) as raised:
            wanhu.Ledger.open(str(path))
        kept = pathlib.Path(raised.exception.kept_as)
        self.assertEqual((kept.parent, kept.read_bytes() == damaged), (self.directory, True))
        self.assertFalse(path.exists())
        with wanhu.Ledger.open(str(path)) as ledger:
            self.assertEqual(ledger.list(), [], "begun afresh")

    def test_damage_is_told_by_whoever_comes_upon_it(self):
        path = self.directory / "a"
        with wanhu.Ledger.open(str(path)) as ledger:
            chen = ledger.create_household(VILLAGE, family("陈永昌"))
        whole = path.read_bytes()
        opening, calling = [], []
        for start in range(0, len(whole), PAGE_BYTES):
            path.write_bytes(whole[:start] + b"\xa5" * PAGE_BYTES + whole[start + PAGE_BYTES:])
            try:
                ledger = wanhu.Ledger.open(str(path))
            except LedgerError.StorageDamaged as damaged:
                opening.append(damaged.kept_as)
                self.assertFalse(path.exists())
                continue
            for call in (ledger.list, lambda: ledger.show(chen), lambda: ledger.record_visit(chen, [text("met", "head")])):
                try:
                    call()
                except LedgerError.StorageDamaged as damaged:
                    calling.append(damaged.kept_as)
            ledger.close()
            self.assertTrue(path.exists(), "nobody moves an open book")
        self.assertTrue(len(opening) > 1 and all(opening), opening)
        self.assertEqual(set(calling), {""})

    async def test_what_goes_wrong_in_the_library_is_a_code_without_its_words(self):
        ledger = await self.phone("a", "li.ming")
        panic = NATIVE.InternalError("陈永昌's data in a message")
        with unittest.mock.patch.object(NATIVE, "_uniffi_rust_call_with_error", side_effect=panic):
            with self.assertRaises(LedgerError.Internal) as local:
                ledger.status()
            with self.assertRaises(LedgerError.Internal) as remote:
                await ledger.changed(0)
        for raised in (local, remote):
            self.assertEqual((raised.exception.report_id, raised.exception.__context__), ("panic", None))
        self.assertEqual(ledger.status().households, 0)

    async def test_a_panic_in_the_library_ends_a_call_and_nothing_else(self):
        ledger = await self.phone("a", "li.ming")
        with self.panic(NATIVE._UniffiFfiConverterSequenceTypeFieldValue):
            ledger.record_visit("00000000-0000-0000-0000-000000000000", [])
        chen = ledger.create_household(VILLAGE, family("陈永昌"))
        ledger.record_visit(chen, [text("met", "head")])
        self.assertEqual((await ledger.sync()).receipts, 2, "the book goes on")

    async def test_a_panic_in_a_sync_ends_it_and_nothing_else(self):
        class Observer(wanhu.SyncObserver):
            heard = 0

            def on_progress(self, phase, done, total):
                self.heard += 1
                raise wanhu.ObserverError.Failed()

        ledger, observer = await self.phone("a", "li.ming"), Observer()
        ledger.create_household(VILLAGE, family("陈永昌"))
        with self.panic(NATIVE._UniffiFfiConverterTypeObserverError):
            await ledger.sync(observer)
        self.assertEqual(observer.heard, 1, "it ended there")
        self.assertEqual(len(NATIVE._UniffiFfiConverterTypeSyncObserver._handle_map), 0, "the observer was given back")
        self.assertEqual(ledger.status().pending, 1)
        self.assertEqual((await ledger.sync(observer)).receipts, 1, "the book goes on")
        self.assertGreater(observer.heard, 1)

    async def test_memory_does_not_grow_with_calls(self):
        ledger = await self.phone("a", "li.ming")
        chen = ledger.create_household(VILLAGE, family("陈永昌"))

        def call(times):
            for _ in range(times):
                ledger.show(chen)
                with contextlib.suppress(LedgerError):
                    ledger.show("nonsense")
            gc.collect()
            return resident_bytes()

        warm = call(2_000)
        self.assertLess(call(50_000) - warm, 2 * 2**20)


if __name__ == "__main__":
    unittest.main()
