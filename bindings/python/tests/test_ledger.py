"""The scenario every language tells: two phones of one village, a township's server, the line lost and found."""

import asyncio
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import wanhu
from shared import VILLAGE, TownshipCase, family, number, setting, text
from wanhu import FieldChange, LedgerError, ListFilter, NewRow, RecordEdit, Value

WIFE = "431022197003080028"
BILLS = """姓名,身份证号码,医疗类别,病种,入院日期,总费用,基本医保报销,个人自付
文秀芬,431022197003080028,住院,乳腺恶性肿瘤,{day},90000,60000,30000
"""


class Stories(TownshipCase):
    async def test_two_phones_meet_after_working_apart(self):
        a, b = await self.phone("a", "li.ming"), await self.phone("b", "wang.fang")
        chen = a.create_household(VILLAGE, family("陈永昌"))
        self.assertEqual((await a.sync()).receipts, 1)
        self.assertEqual((await b.sync()).received, 1)
        self.assertEqual([row.head_name for row in b.list(ListFilter(search="cyc"))], ["陈永昌"])

        # Both without a line: one field differs, the visits stand side by side.
        for ledger, grade in ((a, "b"), (b, "c")):
            ledger.edit(chen, setting("living", "house_danger", Value.TEXT(grade)))
            ledger.record_visit(chen, [text("met", "head"), text("finding", "stable")])
        self.assertEqual(len(a.unsent()), 2)
        self.assertEqual(a.unsent()[0].fields[0].value, Value.TEXT("b"))
        for ledger in (a, b, a):
            await ledger.sync()
        conflict, = a.conflicts(chen)
        self.assertEqual({value.value[0] for value in conflict.values}, {"b", "c"})
        a.settle(conflict, 0)
        with self.assertRaises(LedgerError.NotFound, msg="not as it was seen") as raised:
            a.settle(conflict, 1)
        self.assertEqual((raised.exception.kind, raised.exception.id), ("conflict", "living.house_danger"))
        await a.sync()
        await b.sync()
        self.assertEqual(b.conflicts(chen), [])
        visits = [field for field in b.show(chen).fields if field.container == "visits" and field.key.endswith(".met")]
        self.assertEqual(len(visits), 2)
        self.assertTrue(all(line.acknowledged for line in b.history(chen)))
        self.assertEqual(b.status().pending, 0)

    async def test_a_departments_table_becomes_a_task_and_a_visit_settles_it(self):
        self.township.office("account-add", "yibao", "--name", "医保局", "--role", "department", "--area", 431022)
        ledger = await self.phone("a", "li.ming")
        record = family("陈永昌")
        record.new_rows.append(NewRow(container="members", fields=[text("name", "文秀芬"), text("identity_number", WIFE)]))
        chen = ledger.create_household(VILLAGE, record)
        await ledger.sync()
        self.assertEqual(ledger.tasks(), [])
        self.township.bills("yibao", BILLS.format(day=ledger.today()))
        await ledger.sync()
        kinds = {wanhu.TaskKind.VERIFY, wanhu.TaskKind.ANSWER_WARNING}
        self.assertEqual({(task.household, task.task.kind) for task in ledger.tasks()}, {(chen, kind) for kind in kinds})
        visit = NewRow(container="visits", fields=[text("date", ledger.today()), text("met", "head"), text("finding", "difficult")])
        verified = wanhu.StepForm(stage=wanhu.Stage.VERIFIED)
        with self.assertRaises(LedgerError.IllegalStep) as raised:
            ledger.take_step(chen, verified, RecordEdit(new_rows=[visit]))
        self.assertEqual(raised.exception.reason, "consent_missing")
        consent = [
            FieldChange(container="case", key="consent", value=Value.BOOL(True)),
            FieldChange(container="case", key="consent_on", value=Value.TEXT(ledger.today())),
        ]
        ledger.take_step(chen, verified, RecordEdit(fields=consent, new_rows=[visit]))
        self.assertEqual(ledger.case(chen).path[-1].stage, wanhu.Stage.VERIFIED)
        self.assertNotIn(wanhu.TaskKind.VERIFY, [task.task.kind for task in ledger.tasks()])
        self.assertEqual((await ledger.sync()).refused, 0)

    async def test_what_the_server_does_not_take_can_be_read_with_its_reason(self):
        ledger = await self.phone("a", "li.ming")
        chen = ledger.create_household(VILLAGE, family("陈永昌"))
        await ledger.sync()
        self.township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", 431022)
        self.township.office("--by", "county", "move", chen, 431022208218)
        ledger.edit(chen, setting("basic", "head_name", Value.TEXT("陈永盛")))
        self.assertEqual((await ledger.sync()).refused, 1)
        refused, = ledger.refused()
        self.assertEqual((refused.household, refused.code), (chen, "outside_area"))
        self.assertEqual(refused.fields[0].value, Value.TEXT("陈永盛"))
        self.assertTrue(wanhu.words("refusal", refused.code).zh)
        self.assertEqual(ledger.list(), [], "it is another village's now")
        # Its office takes it back, and what was refused is made anew.
        self.township.office("--by", "county", "move", chen, VILLAGE)
        await ledger.sync()
        ledger.reauthor(refused.n)
        self.assertEqual(((await ledger.sync()).refused, ledger.refused()), (0, []))
        self.assertEqual([row.head_name for row in ledger.list()], ["陈永盛"])

    async def test_a_household_with_help_is_warned_of_checked_counted_and_made_one_with_its_second_record(self):
        ledger = await self.phone("a", "li.ming")
        # The township's rules come with it.
        await ledger.sync()
        record = family("陈永昌")
        record.fields.append(FieldChange(container="class", key="tag_serious_illness", value=Value.BOOL(True)))
        bill = [text("kind", "medical"), text("to", ledger.today()), number("self_pay_fen", 3_000_000)]
        measure = [text("kind", "industry"), text("status", "under_way"), text("period", "month"), number("amount_fen", 10_000)]
        measure += [text("from", "2024-03-01"), text("to", "2024-08-31")]
        record.new_rows += [NewRow(container="spending", fields=bill), NewRow(container="measures", fields=measure)]
        chen = ledger.create_household(VILLAGE, record)
        warning, = ledger.warnings(chen)
        self.assertEqual((warning.rule, warning.input, warning.threshold), ("medical-self-pay-other", 3_000_000, 2_000_000))
        self.assertEqual((warning.risk, warning.fired_on, len(warning.rows)), ("illness", ledger.today(), 1))
        finding, = ledger.checks(chen)
        self.assertEqual(finding.check, wanhu.Check.INDUSTRY_NO_INCOME)
        told = wanhu.finding_words(finding)
        self.assertEqual((told.code, told.zh), ("industry_no_income", "已落实产业帮扶,但生产经营性收入为0.00元"))
        help = ledger.help(chen, 2024)
        self.assertEqual((help.year, help.total_fen, help.measures[0].payments), (2024, 60_000, 6))
        industry = help.families["industry"]
        self.assertEqual((industry.measures, industry.in_effect, industry.fen), (1, 1, 60_000))
        self.assertEqual(ledger.help(chen, 2023).total_fen, 0)
        figures = ledger.figures(VILLAGE, "2024-01-01", ledger.today(), [wanhu.Statistic.TAG])
        tagged = next(figure for figure in figures if (figure.code, figure.of) == (wanhu.Statistic.TAG, "tag_serious_illness"))
        self.assertEqual((tagged.numerator, tagged.value, tagged.people), (1, 1, 1))
        self.assertEqual((tagged.unit, tagged.households), (wanhu.FigureUnit.HOUSEHOLDS, [chen]))
        covered = next(figure for figure in figures if (figure.code, figure.of) == (wanhu.Statistic.COVERAGE, str(VILLAGE)))
        self.assertEqual((covered.numerator, covered.households), (1, []), "no ids but those asked for")
        before = ledger.figures(VILLAGE, "2023-12-01", "2023-12-31", as_of="2023-12-31")
        self.assertEqual({(figure.as_of, figure.numerator) for figure in before}, {("2023-12-31", 0)}, "nothing was on record yet")
        elsewhere = ledger.figures(VILLAGE, "2024-01-01", ledger.today(), [], grid="第三网格")
        self.assertEqual({figure.numerator for figure in elsewhere}, {0}, "nobody is in that grid")
        self.assertEqual(ledger.list(ListFilter(grid="第三网格")), [])
        self.assertEqual([row.grid for row in ledger.list(ListFilter(grid=""))], [""])

        # Somebody opened a record that was there.
        second = family("陈永昌")
        second.fields.append(FieldChange(container="basic", key="address", value=Value.TEXT("上洞 3 组")))
        second = ledger.create_household(VILLAGE, second)
        pair, = ledger.duplicates()
        self.assertEqual((pair.likeness, {pair.first, pair.second}), (wanhu.Likeness.SAME_FAMILY, {chen, second}))
        ledger.merge(chen, second)
        self.assertEqual((ledger.duplicates(), [row.id for row in ledger.list()]), ([], [chen]))
        address, = (field.value for field in ledger.show(chen).fields if field.key == "address")
        self.assertEqual(address, Value.TEXT("上洞 3 组"))
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            ledger.merge(chen, second)
        self.assertEqual((raised.exception.field, raised.exception.reason), ("duplicate", "merged_before"))
        self.assertEqual((await ledger.sync()).refused, 0)

    async def test_a_list_goes_on_behind_the_last_row_of_a_page(self):
        ledger = await self.phone("a", "li.ming")
        heads = {ledger.create_household(VILLAGE, family(head)): head for head in ("陈永昌", "胡甫武", "李桂英")}
        seen, after = {}, None
        while page := ledger.list(after=after, rows_max=1):
            row, = page
            self.assertNotIn(row.id, seen)
            seen[row.id] = row.head_name
            after = wanhu.PageStart(scope=row.scope, head_name=row.head_name, id=row.id)
        self.assertEqual(seen, heads)
        self.assertEqual([*seen.values()], [row.head_name for row in ledger.list()], "in the order of the whole list")

    async def test_a_phone_fills_in_a_form_from_its_own_records(self):
        cadre = await self.phone("a", "li.ming")
        chen = cadre.create_household(VILLAGE, family("陈永昌"))
        await cadre.sync()
        self.township.office("account-add", "county", "--name", "县办", "--role", "county_office", "--area", 431022)
        ledger = await self.phone("b", "county")
        await ledger.sync()
        carried_over = wanhu.StepForm(stage=wanhu.Stage.MONITORED, reason="两摸底结果转入")
        ledger.take_step(chen, carried_over, setting("class", "monitored_kind", Value.TEXT("sudden")))
        form, = (form for form in ledger.forms() if form.id == "members")
        sheet = ledger.sheet(form.id, VILLAGE)
        self.assertEqual((sheet.form, sheet.title, sheet.as_of), (f"{form.id}/{form.version}", form.zh, ledger.today()))
        table, = sheet.tables
        line, = table.lines
        self.assertEqual((line.household, len(line.cells), len(line.check_code)), (chen, len(table.header), 16))
        self.assertIn("陈永昌", line.cells)
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            ledger.sheet(form.id, 431025)
        self.assertEqual((raised.exception.field, raised.exception.reason), ("area", "outside_area"))
        with self.assertRaises(LedgerError.NotFound) as raised:
            ledger.sheet("no_such", VILLAGE)
        self.assertEqual((raised.exception.kind, raised.exception.id), ("form", "no_such"))

    def test_a_library_of_another_build_is_refused(self):
        package = pathlib.Path(wanhu.__file__).parent
        for library, expected in ((None, (0, "")), (os.environ["WANHU_OTHER_LIBRARY"], (1, "checksum"))):
            with tempfile.TemporaryDirectory() as directory:
                copy = shutil.copytree(package, pathlib.Path(directory) / "wanhu")
                if library:
                    shutil.copy(library, copy / "native" / "libwanhu.so")
                done = subprocess.run(
                    [sys.executable, "-c", "import wanhu"],
                    cwd=directory, capture_output=True, text=True, check=False,
                )
                code, word = expected
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(word, done.stderr)

    async def test_what_may_not_be_is_said_in_codes_with_fields(self):
        ledger = wanhu.Ledger.open(str(self.directory / "a"))
        with self.assertRaises(LedgerError.SessionExpired) as raised:
            await ledger.sync()
        self.assertEqual(raised.exception.reason, "not_enrolled")
        for authority, field, reason in ((None, "code", "code_unknown"), ("no certificate", "authority", "not_a_certificate")):
            with self.assertRaises(LedgerError.InvalidInput) as raised:
                await ledger.enrol(self.township.url, "WRONG-CODE1", "a", authority)
            self.assertEqual((raised.exception.field, raised.exception.reason), (field, reason))
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            await ledger.enrol(self.township.url, "\ud800", "a")
        self.assertEqual((raised.exception.field, raised.exception.reason), ("argument", "not_unicode"))
        ledger = await self.phone("b", "li.ming")
        chen = ledger.create_household(VILLAGE, family("陈永昌"))
        named = NewRow(container="members", fields=[text("name", "文秀芬")], id="wife.1")
        settled = wanhu.Conflict(household=chen, container="basic", key="head_name", values=[])
        nobody = "00000000-0000-0000-0000-000000000000"
        wrong = [
            (lambda: ledger.show("nonsense"), ("household", "not_an_id")),
            (lambda: ledger.show("\ud800"), ("argument", "not_unicode")),
            (lambda: ledger.edit(chen, setting("basic", "head_name", Value.TEXT("陈\ud800"))), ("argument", "not_unicode")),
            (lambda: ledger.edit(chen, setting("income", "wage_fen", Value.INT(2**63))), ("argument", "out_of_range")),
            (lambda: ledger.list(rows_max=-1), ("argument", "out_of_range")),
            (lambda: ledger.list(ListFilter(tag="tag_monitord")), ("tag", "not_in_list")),
            (lambda: ledger.list(ListFilter(case_state="clu")), ("case_state", "not_in_list")),
            (lambda: ledger.list(ListFilter(area=7)), ("area", "not_an_area")),
            (lambda: ledger.help(chen, 2**31), ("argument", "out_of_range")),
            (lambda: ledger.settle(settled, -1), ("argument", "out_of_range")),
            (lambda: ledger.create_household(-1, family("陈")), ("argument", "out_of_range")),
            (lambda: ledger.create_household(1, family("陈")), ("village", "not_a_village")),
            (lambda: ledger.edit(chen, setting("living", "house_danger", Value.TEXT("z"))), ("living.house_danger", "not_in_list")),
            (lambda: ledger.edit(chen, setting("nowhere", "x", Value.BOOL(True))), ("nowhere", "unknown_container")),
            (lambda: ledger.edit(chen, RecordEdit()), ("change", "nothing_to_change")),
            (lambda: ledger.edit(chen, RecordEdit(new_rows=[named])), ("members", "row_id_unfit")),
            (lambda: ledger.figures(VILLAGE, "yesterday", "2024-01-01", []), ("day", "not_a_day")),
            (lambda: ledger.figures(VILLAGE, "2024-01-02", "2024-01-01", []), ("period", "ends_before_it_begins")),
            (lambda: ledger.figures(VILLAGE, "2024-01-01", "2024-01-02", [], as_of="9999-12-31"), ("as_of", "not_yet")),
            (lambda: ledger.figures(7, "2024-01-01", "2024-01-02", []), ("area", "not_an_area")),
            (lambda: ledger.figures(431022, "2024-01-01", "2024-01-02", []), ("area", "outside_area")),
            (lambda: ledger.region_path(-1), ("argument", "out_of_range")),
            (lambda: wanhu.words("refusal", "\ud800"), ("argument", "not_unicode")),
            (lambda: wanhu.Ledger.open(str(self.directory / "b")), ("path", "in_use")),
            (lambda: wanhu.Ledger.open(str(self.directory / "\ud800")), ("argument", "not_unicode")),
        ]
        for path in ("", ":memory:", self.directory, self.directory / "a\0b", self.directory / "no" / "such" / "folder"):
            wrong.append((lambda path=str(path): wanhu.Ledger.open(path), ("path", "not_a_file")))
        for place, (attempt, expected) in enumerate(wrong):
            with self.subTest(place), self.assertRaises(LedgerError.InvalidInput) as raised:
                attempt()
            self.assertEqual((raised.exception.field, raised.exception.reason), expected, place)
        unknown = [
            (lambda: ledger.show(nobody), ("household", nobody)),
            (lambda: ledger.settle(settled, 7), ("conflict", "basic.head_name")),
            (lambda: ledger.reauthor(7), ("refused", "7")),
        ]
        for attempt, expected in unknown:
            with self.assertRaises(LedgerError.NotFound) as raised:
                attempt()
            self.assertEqual((raised.exception.kind, raised.exception.id), expected)
        forbidden = [
            (lambda: ledger.edit(chen, setting("class", "monitored_kind", Value.TEXT("sudden"))), ("add class.monitored_kind", "county_office")),
            (lambda: ledger.take_step(chen, wanhu.StepForm(stage=wanhu.Stage.APPRAISED)), ("add steps.state", "village_committee")),
        ]
        for attempt, expected in forbidden:
            with self.assertRaises(LedgerError.NotPermitted) as raised:
                attempt()
            self.assertEqual((raised.exception.action, raised.exception.level_needed), expected)
        with self.assertRaises(LedgerError.IllegalStep) as raised:
            ledger.take_step(chen, wanhu.StepForm(stage=wanhu.Stage.TO_CLOSE))
        early = raised.exception
        self.assertEqual((early.state, early.step, early.reason, early.until), ("", "to_close", "not_from_here", ""))
        self.assertEqual(len(ledger.unsent()), 1, "nothing of it was saved")

    async def test_a_head_on_record_is_not_opened_twice(self):
        ledger = await self.phone("a", "li.ming")
        wife = NewRow(container="members", fields=[text("name", "文秀芬"), text("relation", "head"), text("identity_number", WIFE)])
        record = RecordEdit(fields=setting("basic", "head_name", Value.TEXT("文秀芬")).fields, new_rows=[wife])
        household = ledger.create_household(VILLAGE, record)
        with self.assertRaises(LedgerError.AlreadyOnRecord) as raised:
            ledger.create_household(VILLAGE, record)
        self.assertEqual(raised.exception.household, household)
        self.assertEqual([row.id for row in ledger.list()], [household])

    async def test_an_observer_that_throws_stops_no_sync(self):
        class Observer(wanhu.SyncObserver):
            heard = 0

            def on_progress(self, phase, done, total):
                self.heard += 1
                raise RuntimeError("陈永昌's data in a stack trace")

        ledger, observer, told = await self.phone("a", "li.ming"), Observer(), []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        ledger.create_household(VILLAGE, family("陈永昌"))
        report = await ledger.sync(observer)
        self.assertEqual(report.receipts, 1)
        self.assertGreater(observer.heard, 0)
        await asyncio.sleep(0)
        self.assertEqual([type(error) for error in told], [RuntimeError] * observer.heard, "nothing fails in silence")

    async def test_a_sync_is_cancelled_while_the_server_is_silent(self):
        ledger = await self.phone("a", "li.ming")
        ledger.create_household(VILLAGE, family("陈永昌"))
        sending, loop = asyncio.Event(), asyncio.get_running_loop()

        class Observer(wanhu.SyncObserver):
            def on_progress(self, phase, done, total):
                loop.call_soon_threadsafe(sending.set)

        # Stopped, not ended: the line stands, and nobody answers.
        self.township.process.send_signal(signal.SIGSTOP)
        cancel = wanhu.Cancel()
        running = asyncio.ensure_future(ledger.sync(Observer(), cancel))
        await asyncio.wait_for(sending.wait(), 10)
        cancel.cancel()
        with self.assertRaises(LedgerError.Offline):
            await asyncio.wait_for(running, 10)
        self.township.process.send_signal(signal.SIGCONT)
        # Closed right after, it opens again with everything that waits.
        ledger.close()
        with wanhu.Ledger.open(str(self.directory / "a")) as again:
            self.assertEqual(again.status().pending, 1)
            self.assertEqual((await again.sync()).receipts, 1)
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            again.status()
        self.assertEqual((raised.exception.field, raised.exception.reason), ("ledger", "closed"))

    async def test_a_sync_stops_with_its_task_or_with_the_ledger(self):
        ledger = await self.phone("a", "li.ming")
        ledger.create_household(VILLAGE, family("陈永昌"))
        for ends, error in ((lambda running: running.cancel(), asyncio.CancelledError), (lambda _: ledger.close(), LedgerError.Offline)):
            # Stopped, not ended: the line stands, and nobody answers.
            self.township.process.send_signal(signal.SIGSTOP)
            sending, loop = asyncio.Event(), asyncio.get_running_loop()

            class Observer(wanhu.SyncObserver):
                def on_progress(self, phase, done, total):
                    loop.call_soon_threadsafe(sending.set)

            running = asyncio.ensure_future(ledger.sync(Observer()))
            await asyncio.wait_for(sending.wait(), 10)
            ends(running)
            with self.assertRaises(error):
                await asyncio.wait_for(running, 10)
            self.township.process.send_signal(signal.SIGCONT)
        with wanhu.Ledger.open(str(self.directory / "a")) as ledger:
            self.assertEqual((ledger.status().pending, (await ledger.sync()).refused), (1, 0))

    async def test_a_screen_hears_of_every_change(self):
        ledger = await self.phone("a", "li.ming")
        seen = ledger.version()
        waiting = asyncio.ensure_future(ledger.changed(seen))
        await asyncio.to_thread(ledger.create_household, VILLAGE, family("陈永昌"))
        seen = await asyncio.wait_for(waiting, 10)
        waiting = asyncio.ensure_future(ledger.changed(seen))
        ledger.list()
        self.assertEqual(ledger.version(), seen, "reading changes nothing")
        self.assertEqual((await asyncio.wait({waiting}, timeout=0.2))[0], set(), "it waits")
        ledger.close()
        self.assertGreater(await asyncio.wait_for(waiting, 10), seen)
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            await ledger.changed(seen)
        self.assertEqual((raised.exception.field, raised.exception.reason), ("ledger", "closed"))

    async def test_two_thousand_calls_at_once(self):
        ledger = await self.phone("a", "li.ming")
        chen = ledger.create_household(VILLAGE, family("陈永昌"))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            rows = list(pool.map(lambda n: ledger.list() if n % 2 else ledger.show(chen), range(2_000)))
        self.assertEqual(len(rows), 2_000)
        self.assertTrue(all(len(page) == 1 for page in rows[1::2]))

    async def test_the_vault_keeps_the_key_and_may_be_locked(self):
        class Vault(wanhu.KeyVault):
            key, locked = None, False

            def load(self):
                if self.locked:
                    raise wanhu.KeyVaultError.Locked()
                return self.key

            def keep(self, key):
                self.key = key

            def forget(self):
                self.key = None

        vault, path = Vault(), str(self.directory / "sealed")
        with wanhu.Ledger.open_sealed(path, vault) as ledger:
            ledger.create_household(VILLAGE, family("陈永昌"))
        self.assertEqual(len(vault.key), 32)
        self.assertNotIn("陈永昌".encode(), pathlib.Path(path).read_bytes())
        vault.locked = True
        with self.assertRaises(LedgerError.InvalidInput) as raised:
            wanhu.Ledger.open_sealed(path, vault)
        self.assertEqual((raised.exception.field, raised.exception.reason), ("vault", "locked"))
        vault.locked = False
        self.assertEqual(wanhu.Ledger.open_sealed(path, vault).status().households, 1)

    def test_a_place_is_told_by_its_names(self):
        with wanhu.Ledger.open(str(self.directory / "a")) as ledger:
            self.assertEqual(ledger.region_path(VILLAGE), ["湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"])
            self.assertEqual(ledger.region_path(7), [])


if __name__ == "__main__":
    unittest.main()
