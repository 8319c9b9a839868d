"""The lines of bindings/README.md for Python, run as they stand."""

import ast
import contextlib
import inspect
import pathlib
import tempfile
import types
import unittest

from township import Township

README = pathlib.Path(__file__).parents[2] / "README.md"


def lines():
    """The indented lines below the heading."""
    below = README.read_text(encoding="utf-8").split("## Python\n", 1)[1].split("\n## ", 1)[0]
    return "\n".join(line[4:] for line in below.splitlines() if line.startswith("    "))


class QuickStart(unittest.IsolatedAsyncioTestCase):
    async def test_the_lines_work(self):
        township = self.enterContext(Township())
        township.office("account-add", "office", "--name", "office", "--area", 431022208217)
        self.enterContext(contextlib.chdir(self.enterContext(tempfile.TemporaryDirectory())))
        names = {"url": township.url, "code": township.code("office")}
        program = compile(lines(), README.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = types.FunctionType(program, names)()
        self.assertTrue(inspect.iscoroutine(running))
        await running
        self.assertEqual([row.head_name for row in names["rows"]], ["陈永昌"])
        self.assertEqual(names["report"].receipts, 1)


if __name__ == "__main__":
    unittest.main()
