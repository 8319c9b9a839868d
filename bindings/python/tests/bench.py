"""What calls from Python cost, on a book that `cargo xtask bench ffi` has filled. Prints a line a figure: name, value, unit, aim.
Decides nothing."""

import asyncio
import contextlib
import sys
import time

import wanhu
from wanhu import FieldValue, LedgerError, ListFilter, Value

CALLS = 5_000
FEW_CALLS = 300
# A version that no book has: what waits for another comes back at once.
NEVER = 2**64 - 1


def tell(what, us):
    print(what, us, "us", "", sep="\t", flush=True)


def middle(times):
    return sorted(times)[len(times) // 2] / 1e3


def median(call, calls=CALLS):
    """The middle of many calls in microseconds, after as many to warm up."""
    for n in range(calls):
        call(n)
    times = []
    for n in range(calls):
        begin = time.perf_counter_ns()
        call(n)
        times.append(time.perf_counter_ns() - begin)
    return middle(times)


class Vault(wanhu.KeyVault):
    """A key store whose key is none: whoever asks for it gets no further."""

    def load(self):
        return b"short"

    def keep(self, key):
        raise AssertionError("there is a key")

    def forget(self):
        raise AssertionError("nobody was shut out")


def failing(call):
    def attempt(_):
        with contextlib.suppress(LedgerError.InvalidInput):
            call()
            raise AssertionError("it worked")

    return attempt


async def asynchronous(ledger):
    times = []
    for n in range(2 * CALLS):
        begin = time.perf_counter_ns()
        await ledger.changed(NEVER)
        times.append(time.perf_counter_ns() - begin)
    return middle(times[CALLS:])


def main(path):
    vault = Vault()
    with wanhu.Ledger.open(path) as ledger:
        households = [row.id for row in ledger.list(rows_max=500)]
        visit = [FieldValue(field="met", value=Value.TEXT("head"))]

        def someone(n):
            return households[n % len(households)]

        tell("call that does nothing", median(lambda n: ledger.version()))
        tell("call that fails with a typed error", median(failing(lambda: ledger.show("nonsense"))))
        asking = failing(lambda: wanhu.Ledger.open_sealed("/nowhere", vault))
        tell("call back into the app, and a typed error for what it says", median(asking))
        tell("one household whole", median(lambda n: ledger.show(someone(n))))
        tell("page of 50", median(lambda n: ledger.list()))
        tell("page of 500", median(lambda n: ledger.list(rows_max=500), FEW_CALLS))
        tell("search by initials, 50 rows", median(lambda n: ledger.list(ListFilter(search="cy")), FEW_CALLS))
        tell("asynchronous call that does nothing", asyncio.run(asynchronous(ledger)))
        tell("a visit, safe on disk", median(lambda n: ledger.record_visit(someone(n), visit), FEW_CALLS))


if __name__ == "__main__":
    main(sys.argv[1])
