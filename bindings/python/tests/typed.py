"""What a type checker takes, and what it does not: the lines of the README in a function. Checked by mypy, run by nobody."""

import wanhu


async def the_lines_of_the_readme(url: str, code: str) -> int:
    with wanhu.Ledger.open("office.sqlite") as ledger:
        enrolled = await ledger.enrol(url, code, "office")
        name = wanhu.FieldChange(container="basic", key="head_name", value=wanhu.Value.TEXT("陈永昌"))
        household: str = ledger.create_household(431022208217, wanhu.RecordEdit(fields=[name]))
        rows = ledger.list(wanhu.ListFilter(search="cyc"))
        report = await ledger.sync()
        print(enrolled.device, household, rows[0].head_name)
        return report.receipts


async def what_is_wrong_is_seen(ledger: wanhu.Ledger) -> None:
    # A checker that no longer minds says so here: these remarks would be of no use.
    ledger.list(rows_max="fifty")  # type: ignore[arg-type]
    wanhu.Value.TEXT(1)  # type: ignore[arg-type]
    await ledger.enrol("https://sync.example.cn")  # type: ignore[call-arg]
