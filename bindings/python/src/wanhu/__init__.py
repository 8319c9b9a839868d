"""万户 Wanhu: household records offline, for offices and data people.

Everything a program needs is here; `wanhu.native` is what the library itself brings. Local calls block and are
safe on disk when they return; `enrol`, `sync` and `changed` are coroutines. Errors are `LedgerError` and its kinds, with codes
and values and no prose.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import traceback
from typing import Any, Callable, List, Type, TypeVar, cast

from .native import wanhu as _ledger
from .native import wanhu_core as _core
from .native.wanhu import *  # noqa: F401,F403
from .native.wanhu import (  # noqa: F401
    Cancel,
    Enrolled,
    HelpView,
    KeyVault,
    KeyVaultError,
    LedgerStatus,
    SyncObserver,
    error_words,
    finding_words,
    record_schema,
    word_list,
    words,
)
from .native.wanhu_core import *  # noqa: F401,F403
from .native.wanhu_core import (  # noqa: F401
    FieldChange,
    FieldValue,
    LedgerError,
    ListFilter,
    ListRow,
    NewRow,
    PageStart,
    RecordEdit,
    Stage,
    StepForm,
    SyncPhase,
    SyncReport,
    Value,
)

__all__ = sorted({*_ledger.__all__, *_core.__all__})

# In a list or a notebook a record says what it holds, as it does when it is printed alone.
for _record in filter(dataclasses.is_dataclass, map(globals().get, __all__)):
    if "__str__" in vars(_record):
        _record.__repr__ = _record.__str__

# A library of another build is refused here and not believed.
_ledger._uniffi_check_api_checksums(_ledger._UniffiLib)
_core._uniffi_check_api_checksums(_core._UniffiLib)


_Book = TypeVar("_Book", bound="Ledger")
_Call = TypeVar("_Call", bound=Callable[..., Any])
# What the generated half raises by itself: for a value that does not fit, for one of another type that has no such fields, and
# where something went wrong in the library.
_UNTYPED = (ValueError, AttributeError, _ledger.InternalError, _core.InternalError)


def _is_of_the_generated_half(error: Exception) -> bool:
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__") in (_ledger.__name__, _core.__name__)


def _as_told(error: Exception) -> Exception:
    if isinstance(error, AttributeError):
        # One that comes from a property of the caller's own is the caller's to see.
        return TypeError(f"a type of wanhu's own is wanted: {error}") if _is_of_the_generated_half(error) else error
    if isinstance(error, UnicodeError):
        return LedgerError.InvalidInput(field="argument", reason="not_unicode")
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
        try:
            return await call(*values, **named)
        except _UNTYPED as error:
            fault = _as_told(error)
        raise fault

    return cast(_Call, typed_later if inspect.iscoroutinefunction(call) else typed)


class Ledger(_ledger.Ledger):
    """A record book. Closed at the end of a `with`, or by `close`: then the file is free for others at once."""

    @classmethod
    @_typed
    def open(cls: Type[_Book], path: str) -> _Book:
        """Opens or creates the ledger at `path`, without encryption: for tests and for files on encrypted disks."""
        return cast(_Book, super().open(path))

    @classmethod
    @_typed
    def open_sealed(cls: Type[_Book], path: str, vault: KeyVault) -> _Book:
        """Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps."""
        return cast(_Book, super().open_sealed(path, vault))

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def enrol(self, url: str, code: str, device_name: str, authority_pem: str | None = None) -> Enrolled:
        """Enrols with a one-time code. `authority_pem` is the server's own certificate authority, where it has one."""
        # To its end, also where the task is cancelled: a code that is spent must not be lost.
        return await asyncio.shield(super().enrol(url, authority_pem, code, device_name))

    async def sync(self, observer: SyncObserver | None = None, cancel: Cancel | None = None) -> SyncReport:
        """Exchanges with the server until both hold the same. Cancelling the task stops it at once, as `cancel` does."""
        cancel = cancel or Cancel()
        running = self._running
        running.add(cancel)
        try:
            return await super().sync(observer, cancel)
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

    def list(self, filter: ListFilter | None = None, after: PageStart | None = None, rows_max: int = 50) -> List[ListRow]:
        """One page of the list, by village and head's name."""
        return super().list(ListFilter() if filter is None else filter, after, rows_max)


# Also what is inherited: every call fails in codes.
for _name, _method in inspect.getmembers(Ledger, inspect.isfunction):
    if not _name.startswith("_"):
        setattr(Ledger, _name, _typed(_method))
for _name in ("error_words", "finding_words", "word_list", "words"):
    globals()[_name] = _typed(globals()[_name])
