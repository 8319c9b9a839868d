"""What a type checker takes, and what it does not: the lines of the README, and what a program of an office is made of. Checked by
mypy, run by nobody."""

import asyncio
import pathlib

import wanhu


async def the_lines_of_the_readme(url: str, code: str) -> int:
    with wanhu.Ledger.open("office.sqlite") as ledger:
        enrolled = await ledger.enrol(url, code, "office")
        name = wanhu.FieldChange(container="basic", key="head_name", value=wanhu.Value.TEXT("陈永昌"))
        household: wanhu.HouseholdId = ledger.create_household(431022208217, wanhu.RecordEdit(fields=[name]))
        rows = ledger.list(wanhu.ListFilter(search="cyc"))
        report = await ledger.sync()
        print(enrolled.device, household, rows[0].head_name)
        return report.receipts


class Screen(wanhu.SyncObserver):
    def on_progress(self, phase: wanhu.SyncPhase, done: int, total: int) -> None:
        print(phase is wanhu.SyncPhase.SENDING, done / max(total, 1))


class Drawer(wanhu.KeyVault):
    key: bytes | None = None

    def load(self) -> bytes | None:
        if self.key == b"":
            raise wanhu.KeyVaultError.Locked()
        return self.key

    def keep(self, key: bytes) -> None:
        self.key = key

    def forget(self) -> None:
        self.key = None


async def until_it_is_there(ledger: wanhu.Ledger, cancel: wanhu.Cancel) -> wanhu.SyncReport | None:
    try:
        return await ledger.sync(Screen(), cancel)
    except wanhu.LedgerError.Offline as offline:
        await asyncio.sleep(offline.retry_after_ms / 1000)
    except wanhu.LedgerError.InvalidInput as wrong:
        print(wrong.field.upper(), wrong.reason.upper())
    except wanhu.LedgerError as error:
        words = wanhu.error_words(error)
        print(words.zh if words else error)
    return None


def cell(view: wanhu.FieldView) -> str:
    match view.value:
        case wanhu.Value.TEXT(text):
            return text.strip()
        case wanhu.Value.INT(number):
            return str(number + 1)
        case wanhu.Value.OPAQUE(type_code=code, bytes=data):
            return f"{code} {data.hex()}"
    return "是" if isinstance(view.value, wanhu.Value.BOOL) and view.value.value else ""


def a_day_of_work(ledger: wanhu.Ledger, chen: wanhu.HouseholdId) -> list[wanhu.Figure]:
    met = wanhu.FieldValue(field="met", value=wanhu.Value.TEXT("head"))
    visit = wanhu.NewRow(container="visits", fields=[met])
    ledger.take_step(chen, wanhu.StepForm(stage=wanhu.Stage.VERIFIED), wanhu.RecordEdit(new_rows=[visit]))
    ledger.take_step(chen, wanhu.StepForm(stage=wanhu.Stage.TO_CLOSE))
    today: wanhu.Day = ledger.today()
    for conflict in ledger.conflicts(chen):
        texts: list[wanhu.Value] = [each.value for each in conflict.values]
        ledger.settle(conflict, len(texts) - 1)
    return ledger.figures(431022208217, today, today, with_ids=[wanhu.Statistic.TAG])


def where_files_lie(folder: pathlib.Path) -> None:
    wanhu.Ledger.open_sealed(folder / "book.sqlite", Drawer()).close()


class HalfADrawer(wanhu.KeyVault):
    def load(self) -> bytes | None:
        return None


async def what_is_wrong_is_seen(ledger: wanhu.Ledger, view: wanhu.FieldView) -> None:
    # A checker that no longer minds says so here: these remarks would be of no use.
    ledger.list(rows_max="fifty")  # type: ignore[arg-type]
    wanhu.Value.TEXT(1)  # type: ignore[arg-type]
    wanhu.StepForm(stage="verified")  # type: ignore[arg-type]
    wanhu.ListFilter(serach="cyc")  # type: ignore[call-arg]
    view.value.text  # type: ignore[attr-defined]
    wanhu.Ledger.open_sealed("book.sqlite", HalfADrawer())  # type: ignore[abstract]
    wanhu.Cancel("now")  # type: ignore[call-arg]
    await ledger.enrol("https://sync.example.cn")  # type: ignore[call-arg]
