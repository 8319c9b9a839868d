"""万户 Wanhu: household records offline, for offices and data people.

Everything a program needs is here; `wanhu.native` is what the library itself brings. Local calls block and are
safe on disk when they return; `enrol`, `sync` and `changed` are coroutines. Errors are `LedgerError` and its kinds, with codes
and values and no prose.
"""

from .native import wanhu as _ledger
from .native import wanhu_core as _core
from .native.wanhu import *  # noqa: F401,F403
from .native.wanhu import (  # noqa: F401
    Cancel,
    Enrolled,
    HelpView,
    KeyVault,
    KeyVaultError,
    Ledger,
    LedgerStatus,
    SyncObserver,
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
    NewRow,
    RecordEdit,
    Stage,
    StepForm,
    SyncPhase,
    Value,
)

# A library of another build is refused here and not believed.
_ledger._uniffi_check_api_checksums(_ledger._UniffiLib)
_core._uniffi_check_api_checksums(_core._UniffiLib)
