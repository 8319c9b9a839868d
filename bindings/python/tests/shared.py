"""What the tests share: a township with two cadres of one village, and forms as people fill them in."""

import pathlib
import tempfile
import unittest

import wanhu
from township import Township
from wanhu import FieldChange, FieldValue, NewRow, RecordEdit, Value

VILLAGE = 431022208217


def text(field, value):
    return FieldValue(field=field, value=Value.TEXT(value))


def number(field, value):
    return FieldValue(field=field, value=Value.INT(value))


def family(head):
    """A form save that opens a household's record."""
    name = FieldChange(container="basic", key="head_name", value=Value.TEXT(head))
    member = NewRow(container="members", fields=[text("name", head), text("relation", "head")])
    return RecordEdit(fields=[name], new_rows=[member], form="household/1")


def setting(container, key, value):
    return RecordEdit(fields=[FieldChange(container=container, key=key, value=value)])


class TownshipCase(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.township = self.enterContext(Township())
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for account in ("li.ming", "wang.fang"):
            self.township.office("account-add", account, "--name", account, "--area", VILLAGE)

    async def phone(self, name, account):
        ledger = wanhu.Ledger.open(str(self.directory / name))
        await ledger.enrol(self.township.url, self.township.code(account), name)
        return ledger
