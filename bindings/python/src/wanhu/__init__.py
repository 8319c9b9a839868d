"""万户 Wanhu: household records offline, for offices and data people.

Everything a program needs is here; `wanhu.native` is what the library itself brings. Local calls block and are
safe on disk when they return; `enrol`, `sync` and `changed` are coroutines. Errors are `LedgerError` and its kinds, with codes
and values and no prose.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import importlib.metadata
import inspect
import logging
import os
import struct
import traceback
import typing
import weakref
from typing import Any, Callable, TypeVar, cast

from . import _records
from .native import wanhu as _ledger
from .native import wanhu_core as _core
from .native.wanhu import *  # noqa: F401,F403
from .native.wanhu import Cancel, Enrolled, KeyVault, KeyVaultError, ObserverError, SyncObserver
from .native.wanhu_core import *  # noqa: F401,F403
from .native.wanhu_core import (
    ActorId,
    Code,
    Day,
    Figure,
    HouseholdId,
    LedgerError,
    ListFilter,
    ListRow,
    PageStart,
    RecordEdit,
    Statistic,
    StepForm,
    SyncPhase,
    SyncReport,
)

# What only the generated half needs stays there; names for text it does not offer by itself.
_OWN = ("InternalError", "Impl", "Protocol")
_TEXTS = ("ActorId", "Day", "HouseholdId")
__all__ = sorted({*_TEXTS, *(name for name in _ledger.__all__ + _core.__all__ if not name.endswith(_OWN))})

# A library of another build is refused here and not believed.
_ledger._uniffi_check_api_checksums(_ledger._UniffiLib)
_core._uniffi_check_api_checksums(_core._UniffiLib)
_records.complete(_ledger)
_records.complete(_core)

__version__ = importlib.metadata.version("wanhu")
_log = logging.getLogger(__name__)

# Calls of the library that nobody has awaited to their end. They are given up before the interpreter goes: after that the library
# would call back into nothing.
_pending: weakref.WeakSet[Any] = weakref.WeakSet()


@atexit.register
def _give_up() -> None:
    for call in tuple(_pending):
        try:
            call.close()
        except (RuntimeError, ValueError):
            # It runs on another thread, or will not end; nothing more can be done for it.
            pass


_Call = TypeVar("_Call", bound=Callable[..., Any])
# What the generated half raises by itself: for a value that does not fit, for one of another type, and where something went wrong
# in the library.
_UNTYPED = (ValueError, AttributeError, struct.error, _ledger.InternalError, _core.InternalError)


def _of_another_type(error: Exception) -> bool:
    """Whether the generated half was given something it has no form for; what the caller's own properties raise is not that."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    if frame.f_globals.get("__name__") not in (_ledger.__name__, _core.__name__):
        return False
    # Of a number out of its range it says so in words; what is of no known variant it hands back.
    given = frame.f_locals.get("value")
    return isinstance(error, (AttributeError, struct.error)) or (isinstance(error, ValueError) and given in error.args)


def _as_told(error: Exception) -> Exception:
    if isinstance(error, UnicodeError):
        return LedgerError.InvalidInput(field="argument", reason="not_unicode")
    if _of_another_type(error):
        # Of an attribute that is missing Python says the name; the others say what was given, which may be on record.
        return TypeError(f"a type of wanhu's own is wanted: {error if isinstance(error, AttributeError) else 'not this one'}")
    if isinstance(error, AttributeError):
        return error
    if isinstance(error, ValueError):
        return LedgerError.InvalidInput(field="argument", reason="out_of_range")
    return LedgerError.Internal(report_id="panic")


def _typed(call: _Call) -> _Call:
    """The call, with nothing but `LedgerError` and, for a value of another type, `TypeError` to fail with."""

    @functools.wraps(call)
    def typed(*values: Any, **named: Any) -> Any:
        try:
            return call(*values, **named)
        except _UNTYPED as error:
            fault = _as_told(error)
        # Here and not above: the text of what went wrong may hold what was on record, and does not go with it.
        raise fault

    @functools.wraps(call)
    async def typed_later(*values: Any, **named: Any) -> Any:
        running = call(*values, **named)
        _pending.add(running)
        try:
            return await running
        except _UNTYPED as error:
            fault = _as_told(error)
        raise fault

    return cast(_Call, typed_later if inspect.iscoroutinefunction(call) else typed)


class _Guarded(KeyVault):
    """A vault of which only what a vault may fail with reaches the library; anything else is kept, to be the cause of what is told."""

    def __init__(self, vault: KeyVault) -> None:
        if not isinstance(vault, KeyVault):
            raise TypeError("a KeyVault is wanted")
        self._vault = vault
        self.failure: Exception | None = None

    def load(self) -> bytes | None:
        key = self._asked(self._vault.load)
        if key is not None and not isinstance(key, (bytes, bytearray)):
            self._fail(TypeError("a key of bytes is wanted"))
        return key

    def keep(self, key: bytes) -> None:
        self._asked(self._vault.keep, key)

    def forget(self) -> None:
        self._asked(self._vault.forget)

    def _asked(self, call: Callable[..., Any], *values: Any) -> Any:
        try:
            return call(*values)
        except KeyVaultError:
            raise
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failure = error
        _log.error("exception in a KeyVault", exc_info=error)
        raise KeyVaultError.Unavailable() from None


class _Watched(SyncObserver):
    """An observer whose failure stops nothing and is told by the loop, as that of any callback is."""

    def __init__(self, observer: SyncObserver) -> None:
        if not isinstance(observer, SyncObserver):
            raise TypeError("a SyncObserver is wanted")
        self._observer, self._loop = observer, asyncio.get_running_loop()

    def on_progress(self, phase: SyncPhase, done: int, total: int) -> None:
        try:
            self._observer.on_progress(phase, done, total)
        except Exception as error:
            said = {"message": "exception in a SyncObserver", "exception": error}
            self._loop.call_soon_threadsafe(self._loop.call_exception_handler, said)
            raise ObserverError.Failed() from None


class Ledger(_ledger.Ledger):
    """A record book. Closed at the end of a `with`, or by `close`: then the file is free for others at once."""

    @classmethod
    @_typed
    def open(cls, path: str | os.PathLike[str]) -> Ledger:
        """Opens or creates the ledger at `path`, without encryption: for tests and for files on encrypted disks."""
        return cast("Ledger", super().open(os.fspath(path)))

    @classmethod
    @_typed
    def open_sealed(cls, path: str | os.PathLike[str], vault: KeyVault) -> Ledger:
        """Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps."""
        guarded = _Guarded(vault)
        try:
            return cast("Ledger", super().open_sealed(os.fspath(path), guarded))
        except LedgerError as error:
            fault = error
        raise fault from guarded.failure

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def enrol(self, url: str, code: str, device_name: str, authority_pem: str | None = None) -> Enrolled:
        """Enrols with a one-time code. `authority_pem` is the server's own certificate authority, where it has one."""
        # To its end, also where the task is cancelled: a code that is spent must not be lost.
        enrolling = super().enrol(url, authority_pem, code, device_name)
        _pending.add(enrolling)
        return await asyncio.shield(enrolling)

    async def sync(self, observer: SyncObserver | None = None, cancel: Cancel | None = None) -> SyncReport:
        """Exchanges with the server until both hold the same. Cancelling the task stops it at once, as `cancel` does."""
        watched = None if observer is None else _Watched(observer)
        cancel = cancel or Cancel()
        running = self._running
        running.add(cancel)
        try:
            return await super().sync(watched, cancel)
        except asyncio.CancelledError:
            cancel.cancel()
            raise
        finally:
            running.discard(cancel)

    def close(self) -> None:
        """Stops running syncs and closes the file; whatever needs it is refused from now on. Closing again is no fault."""
        for cancel in tuple(self._running):
            cancel.cancel()
        super().close()

    @property
    def _running(self) -> set[Cancel]:
        # Books are made by the generated half, which calls no initialiser.
        return self.__dict__.setdefault("_syncs", set())

    def list(
        self, filter: ListFilter | None = None, after: PageStart | None = None, rows_max: int = 50
    ) -> typing.List[ListRow]:
        """One page of the list, by village and head's name."""
        return super().list(ListFilter() if filter is None else filter, after, rows_max)

    def take_step(self, household: HouseholdId, step: StepForm, edit: RecordEdit | None = None) -> None:
        """Takes a step of the case, with whatever is saved together with it."""
        super().take_step(household, step, RecordEdit() if edit is None else edit)

    def figures(
        self,
        area: int,
        first_day: Day,
        last_day: Day,
        with_ids: typing.Sequence[Statistic] = (),
        as_of: Day | None = None,
        grid: str | None = None,
    ) -> typing.List[Figure]:
        """Figures of an area that is all on this phone; `with_ids` names those whose households are wanted. `as_of` is a past day,
        by the clocks of those who wrote; else it is today. With `grid`, of the grids of that name alone."""
        return super().figures(area, first_day, last_day, [*with_ids], as_of, grid)


def error_words(error: LedgerError) -> Code | None:
    """What people are told about an error, with its code: its line of the list `error`."""
    if not isinstance(error, LedgerError) or type(error) is LedgerError:
        raise TypeError("a LedgerError is wanted")
    return _ledger.error_words(error)


# Also what is inherited: every call fails in codes.
for _name, _method in inspect.getmembers(Ledger, inspect.isfunction):
    if not _name.startswith("_"):
        setattr(Ledger, _name, _typed(_method))
for _name in ("error_words", "finding_words", "word_list", "words"):
    globals()[_name] = _typed(globals()[_name])
