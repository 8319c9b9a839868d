"""What a type checker sees. The generated half says the rest; here stands what it says less well: its own `Ledger` is the base
of ours, and the kinds of a `Value` are made by calls, though it writes them as classes."""

from typing import List, Type, TypeVar

from .native import wanhu as _ledger
from .native import wanhu_core as _core

_Book = TypeVar("_Book", bound="Ledger")

class Value(_core.Value):
    @staticmethod
    def NULL() -> _core.Value: ...
    @staticmethod
    def BOOL(value: bool, /) -> _core.Value: ...
    @staticmethod
    def INT(value: int, /) -> _core.Value: ...
    @staticmethod
    def TEXT(value: str, /) -> _core.Value: ...

class Ledger(_ledger.Ledger):
    """A record book. Closed at the end of a `with`, or by `close`: then the file is free for others at once."""

    @classmethod
    def open(cls: Type[_Book], path: str) -> _Book: ...
    @classmethod
    def open_sealed(cls: Type[_Book], path: str, vault: _ledger.KeyVault) -> _Book: ...
    def __enter__(self: _Book) -> _Book: ...
    def __exit__(self, *_: object) -> None: ...
    async def enrol(
        self, url: str, code: str, device_name: str, authority_pem: str | None = None
    ) -> _ledger.Enrolled: ...
    async def sync(
        self, observer: _ledger.SyncObserver | None = None, cancel: _ledger.Cancel | None = None
    ) -> _core.SyncReport: ...
    def close(self) -> None: ...
    def list(
        self,
        filter: _core.ListFilter | None = None,
        after: _core.PageStart | None = None,
        rows_max: int = 50,
    ) -> List[_core.ListRow]: ...

from .native.wanhu import *  # noqa: E402,F401,F403
from .native.wanhu_core import *  # noqa: E402,F401,F403
