"""A township's server as a process of its own, with an office that types commands. Knows nothing of the ledger."""

import json
import os
import pathlib
import subprocess
import tempfile

PROGRAMS = pathlib.Path(os.environ["WANHU_PROGRAMS"])


class Township:
    """A server on a free port of loopback, with its files in a directory that goes with it."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        serve = [PROGRAMS / "wanhu-server", "serve", "--data-dir", self.path / "server", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        # The first line says where it listens.
        self.url = "http://" + self.process.stdout.readline().strip().rsplit("http://", 1)[1]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()

    def office(self, *words):
        """What an office's command answers."""
        return self._command("admin", *words)

    def bills(self, account, table):
        """Delivers a table of hospital bills as this account."""
        file = self.path / "bills.csv"
        file.write_text(table, encoding="utf-8")
        return self._command("import", "--by", account, "department", file, "--kind", "medical")

    def _command(self, *words):
        command = [PROGRAMS / "wanhu-server", *map(str, words), "--data-dir", self.path / "server", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def code(self, account):
        """A one-time code for a phone of this account."""
        return self.office("code", account)["code"]
