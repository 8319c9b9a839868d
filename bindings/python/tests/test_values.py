"""What a Python program expects of values, errors and calls, whatever is on record: types, copies, processes, the end of a program."""

import asyncio
import contextlib
import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import unittest

import wanhu
from shared import VILLAGE, TownshipCase, family, setting
from wanhu import FieldChange, FieldValue, LedgerError, ListFilter, RecordEdit, Value


class Values(TownshipCase):
    async def test_a_value_of_another_type_is_a_type_error(self):
        ledger = await self.phone("a", "li.ming")
        chen = ledger.create_household(VILLAGE, family("陈永昌"))
        plain = FieldChange(container="basic", key="head_name", value="陈永盛")
        wrong = [
            lambda: ledger.show(7),
            lambda: ledger.edit(chen, RecordEdit(fields=[plain])),
            lambda: ledger.record_visit(chen, [FieldValue(field="met", value="head")]),
            lambda: ledger.record_visit(chen, None),
            lambda: ledger.list("陈"),
            lambda: ledger.list(""),
            lambda: ledger.list(after="陈永昌"),
            lambda: ledger.take_step(chen, "verified", RecordEdit()),
            lambda: ledger.create_household(VILLAGE, None),
            lambda: ledger.settle("basic.head_name", 0),
            lambda: ledger.take_step(chen, wanhu.StepForm(stage="陈永昌")),
            lambda: ledger.edit(chen, setting("basic", "relocated", Value.BOOL("陈永昌"))),
            lambda: ledger.list(ListFilter(in_conflict="陈永昌")),
            lambda: wanhu.finding_words("industry_no_income"),
            lambda: wanhu.error_words("陈永昌"),
            lambda: wanhu.Ledger.open_sealed(str(self.directory / "b"), None),
        ]
        for place, attempt in enumerate(wrong):
            with self.subTest(place), self.assertRaises(TypeError) as raised:
                attempt()
            self.assertNotIn("陈", str(raised.exception))
            self.assertIsNone(raised.exception.__context__)
        for observer, cancel in (("observer", None), (None, "cancel")):
            with self.assertRaises(TypeError):
                await ledger.sync(observer, cancel)
        self.assertEqual((len(ledger.unsent()), ledger.list()[0].head_name), (1, "陈永昌"), "nothing of it was saved")

    async def test_what_is_missing_in_the_callers_own_types_is_the_callers_to_see(self):
        class Form:
            @property
            def fields(self):
                return self.nowhere

        class Observer(wanhu.SyncObserver):
            heard = 0

            def on_progress(self, phase, done, total):
                self.heard += 1
                self.nowhere()

        ledger, observer = await self.phone("a", "li.ming"), Observer()
        with self.assertRaisesRegex(AttributeError, "nowhere"):
            ledger.create_household(VILLAGE, Form())
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        await ledger.sync(observer)
        await asyncio.sleep(0)
        self.assertEqual([type(error) for error in told], [AttributeError] * observer.heard)
        self.assertGreater(observer.heard, 0)

    def test_calls_say_what_they_take(self):
        self.assertEqual(list(inspect.signature(wanhu.Ledger.show).parameters), ["self", "household"])
        self.assertEqual(list(inspect.signature(wanhu.Ledger.open).parameters), ["path"])
        self.assertTrue(inspect.iscoroutinefunction(wanhu.Ledger.sync))
        with wanhu.Ledger.open(str(self.directory / "a")) as ledger:
            self.assertIs(type(ledger), wanhu.Ledger)

    def test_records_are_data_classes_whole(self):
        edit = setting("basic", "head_name", Value.TEXT("陈永昌"))
        name = edit.fields[0]
        shown = "FieldChange(container='basic', key='head_name', value=Value.TEXT(value='陈永昌'))"
        self.assertEqual((repr(name), str(name)), (shown, shown))
        self.assertEqual(dataclasses.asdict(edit)["fields"], [{"container": "basic", "key": "head_name", "value": {"value": "陈永昌"}}])
        self.assertEqual(dataclasses.replace(name, value=Value.INT(5)).value, Value.INT(5))

    def test_a_value_is_matched_by_its_kind(self):
        def told(value):
            match value:
                case Value.TEXT(text):
                    return text
                case Value.OPAQUE(code, data):
                    return code, data
                case Value.NULL():
                    return None
            return value.value

        with wanhu.Ledger.open(self.directory / "a") as ledger:
            chen = ledger.create_household(VILLAGE, family("陈永昌"))
            heads = [view.value for view in ledger.show(chen).fields if view.key == "head_name"]
        self.assertEqual([told(value) for value in heads], ["陈永昌"])
        self.assertEqual([told(value) for value in (Value.INT(value=7), Value.OPAQUE(9, b"x"), Value.NULL())], [7, (9, b"x"), None])
        heads[0].value = "陈永盛"
        self.assertEqual(heads, [Value.TEXT("陈永盛")])

    def test_an_error_crosses_processes_and_an_object_of_the_library_does_not(self):
        for error in (
            LedgerError.InvalidInput("vault", "locked"),
            LedgerError.IllegalStep("clue", "verified", "visit_missing", ""),
            LedgerError.Offline(5),
            wanhu.KeyVaultError.Locked(),
        ):
            for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
                self.assertEqual((type(again), vars(again), repr(again)), (type(error), vars(error), repr(error)))
        with wanhu.Ledger.open(self.directory / "a") as ledger:
            for one in (ledger, wanhu.Cancel()):
                for second in (copy.copy, copy.deepcopy, pickle.dumps):
                    with self.assertRaises(TypeError):
                        second(one)
            self.assertEqual(ledger.list(), [], "the book is as it was")

    def test_a_program_ends_with_calls_that_nobody_waits_for(self):
        lines = f"""
            import asyncio, wanhu
            ledger = wanhu.Ledger.open({str(self.directory / "a")!r})
            loop = asyncio.new_event_loop()
            loop.create_task(ledger.changed(ledger.version()))
            loop.create_task(ledger.enrol("http://127.0.0.1:9", "AAAA-BBBB", "a"))
            loop.run_until_complete(asyncio.sleep(0.05))
        """
        done = subprocess.run([sys.executable, "-c", inspect.cleandoc(lines)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_a_vault_fails_with_is_the_cause_of_what_is_told(self):
        class Vault(wanhu.KeyVault):
            key: object = OSError("disk full")

            def load(self):
                if isinstance(self.key, Exception):
                    raise self.key
                return self.key

        vault, path = Vault(), self.directory / "a"
        for key, cause in ((vault.key, OSError), ("0" * 32, TypeError), (b"short", None), (None, NotImplementedError)):
            vault.key = key
            with self.subTest(key), contextlib.ExitStack() as stack:
                if cause:
                    stack.enter_context(self.assertLogs("wanhu", "ERROR"))
                raised = stack.enter_context(self.assertRaises(LedgerError.InvalidInput))
                wanhu.Ledger.open_sealed(path, vault)
            self.assertEqual((raised.exception.field, raised.exception.reason), ("vault", "unavailable"))
            self.assertIs(type(raised.exception.__cause__), cause or type(None))

    def test_schema_and_words_are_there(self):
        schema = wanhu.record_schema()
        members = next(container for container in schema.containers if container.name == "members")
        self.assertEqual(members.zh, "家庭成员")
        self.assertEqual(wanhu.words("task_kind", "verify").zh, "入户核实")
        self.assertEqual(wanhu.words("case_state", "clue").zh, "线索")
        self.assertEqual(wanhu.error_words(LedgerError.NotFound(kind="household", id="x")).zh, "没有找到")
        self.assertEqual(len(wanhu.word_list("error").codes), 11)
        self.assertIsNone(wanhu.word_list("nothing"))


if __name__ == "__main__":
    unittest.main()
