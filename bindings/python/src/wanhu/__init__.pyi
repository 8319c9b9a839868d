"""What a type checker sees of the package. Written by `cargo xtask bindings --bless` from the generated half and the facade."""

import abc
import builtins
import dataclasses
import enum
import os
import typing
from typing_extensions import Self

__version__: str

Day: typing.TypeAlias = str
HouseholdId: typing.TypeAlias = str
ActorId: typing.TypeAlias = str

class Stage(enum.Enum):
    """What a step enters, or says. Codes: list `case_state`."""
    CLUE = 0
    """线索"""
    TO_VERIFY = 1
    """待核实"""
    VERIFIED = 2
    """入户核查"""
    APPRAISED = 3
    """民主评议"""
    ON_NOTICE = 4
    """村内公示"""
    TOWNSHIP_CHECK = 5
    """乡镇审核: checked and agreed by the township."""
    COUNTY_DECISION = 6
    """县级审定: decided by the county."""
    MONITORED = 7
    """监测"""
    HELPED = 8
    """帮扶中"""
    TO_CLOSE = 9
    """拟消除"""
    CLOSED = 10
    """风险消除"""
    REOPENED = 11
    """回退"""
    NOT_INCLUDED = 12
    """不纳入"""
    DUPLICATE = 13
    """重复"""
    RETURNED = 14
    """退回: to be verified again."""
    OBJECTION = 15
    """提出异议: about a notice. Does not move the case."""
    OBJECTION_SETTLED = 16
    """异议已处理. Does not move the case."""

class TaskKind(enum.Enum):
    """What is to be done."""
    ANSWER_WARNING = 0
    """Look into a warning and answer it."""
    ANSWER_CLUE = 1
    """Look into what was said after the visit that verifies."""
    VERIFY = 2
    """Visit the household and verify."""
    APPRAISE = 3
    """Appraise in a meeting."""
    PUT_ON_NOTICE = 4
    """Put the result on notice."""
    SETTLE_OBJECTION = 5
    """Settle an objection."""
    TOWNSHIP_CHECK = 6
    """Check as the township, once the notice is over."""
    COUNTY_DECIDE = 7
    """Decide as the county."""
    ENTER_DECISION = 8
    """Enter the decision."""
    BEGIN_CASE = 9
    """Begin a case: what came upon a household of which none runs has been confirmed, and none is to be opened again."""
    REOPEN = 10
    """Open a closed case again: what came upon the household since has been confirmed."""
    LOOK_AGAIN = 11
    """See what the village found before it knew that the case was turned down."""
    NAME_CADRE = 12
    """Name the responsible cadre."""
    MAKE_PLAN = 13
    """Make a plan."""
    RECORD_MEASURE = 14
    """Record the first measure."""
    VISIT = 15
    """Visit a monitored household again."""
    MEET_GUARANTEE = 16
    """See to a guarantee that is not met."""

class Value:
    """
    A field's value. Amounts are integers in the unit of the field (fen, 0.01 mu, days), dates are ISO
    text, codes are stable ASCII text. There are no floats in a record.
    """
    @dataclasses.dataclass
    class NULL(Value):
        """Explicitly empty."""
    @dataclasses.dataclass
    class BOOL(Value):
        """A tick."""
        value: bool
    @dataclasses.dataclass
    class INT(Value):
        """A number, an amount of money in fen, an area in 0.01 mu."""
        value: int
    @dataclasses.dataclass
    class TEXT(Value):
        """Text, a code, an ISO date, an id."""
        value: str
    @dataclasses.dataclass
    class OPAQUE(Value):
        """A scalar of a kind this release does not know; kept byte for byte."""
        type_code: int
        bytes: builtins.bytes

class FieldClass(enum.Enum):
    """What kind of fact a field is, as far as rights go. Named in `core/schema/household.toml`."""
    FACTS = 0
    """What is so: members, income, living conditions, guarantees."""
    DECLARATION = 1
    """What somebody declares or pushes: clues, consent, objections."""
    VERIFICATION = 2
    """What was seen on the spot: visits, answers to warnings."""
    HELP = 3
    """Plans and measures."""
    ASSIGNMENT = 4
    """Who is responsible for the household."""
    PROPOSAL = 5
    """Steps a cadre takes or proposes."""
    APPRAISAL = 6
    """Appraisal by the village and its public notice."""
    REVIEW = 7
    """The township's check."""
    DECISION = 8
    """The county's decision and what follows from it."""
    WARNING = 9
    """A warning that a rule fired."""
    WITHDRAWAL = 10
    """What a department delivered and takes back."""

class FieldKind:
    """What a field holds and how it is filled in."""
    @dataclasses.dataclass
    class TICK(FieldKind):
        """Yes or no."""
    @dataclasses.dataclass
    class CHOICE(FieldKind):
        """One code of a list."""
        list: str
    @dataclasses.dataclass
    class NUMBER(FieldKind):
        """An integer in a unit."""
        unit: str
        min: typing.Optional[int]
        max: typing.Optional[int]
    @dataclasses.dataclass
    class TEXT(FieldKind):
        """Free text."""
        max: int
    @dataclasses.dataclass
    class DATE(FieldKind):
        """An ISO day."""
    @dataclasses.dataclass
    class PHOTO(FieldKind):
        """Content hash of a photo or signature."""
    @dataclasses.dataclass
    class ID(FieldKind):
        """Refers to a row, an account or a rule."""

class Sensitivity(enum.Enum):
    """Who may come to see a field at all; the finer rules build on it."""
    PUBLIC = 0
    """May stand on a public notice."""
    INTERNAL = 1
    """For officials in charge."""
    PERSONAL = 2
    """Names a person."""
    SENSITIVE = 3
    """Identity number, phone, bank, location, health, minors: sensitive in the sense of the Personal
    Information Protection Law, article 28."""

class Likeness(enum.Enum):
    """Why two records may be of one family."""
    SAME_PERSON = 0
    """A person with the same identity number lives in both."""
    WRITTEN_SINCE = 1
    """One was merged into the other, and somebody who did not know has written in it since."""
    SAME_FAMILY = 2
    """The same head's name in one village, something else that agrees, and nothing that contradicts."""

class Statistic(enum.Enum):
    """
    Which figure. Definitions in words: list `figure`; names: list `figure_name`. "On record" means records in
    use; people are the members present.
    """
    MONITORED = 0
    """Households with a monitored kind, closed ones included; of those on record."""
    OPEN = 1
    """Monitored and not closed; of those on record."""
    VISITED = 2
    """Households with a visit in the period at which somebody was met; of those due: monitored and open at
    some time in the period, verified in it, or with a visit or verification to do."""
    HELPED = 3
    """Open with at least one measure under way or done; of the open ones."""
    GUARANTEED = 4
    """Open with every guarantee met, compulsory education met or not applicable; of the open ones."""
    ON_TIME = 5
    """Cases decided by the county in the period within the published time from their clue; of those decided
    whose clue has a day for which a time is published."""
    NOT_INCLUDED = 6
    """Clues of the period that led to not including the household; of the clues of the period. A clue is one
    way into the case: reports about a household that are taken together are one, an appeal is another."""
    INCIDENCE = 7
    """People of households not yet lifted out of poverty, by kind or tag; of all people on record."""
    CLOSURE = 8
    """Households whose case is closed; of those ever monitored."""
    INCOME = 9
    """Net income of 12 months, in fen; for each person of the households whose income is on record. By the
    year in which the 12 months end; `of` is empty where the record does not say."""
    COVERAGE = 10
    """Households on record; of those expected. By village; the whole is of the villages with an expectation."""
    RISK = 11
    """Open households by each of their risks; of the open ones."""
    MONITORED_KIND = 12
    """Monitored households by kind; of the monitored ones."""
    TAG = 13
    """Households by priority tag; of those on record."""
    STAGE = 14
    """Households by the stage their case is in; of those with a case."""

class FigureUnit(enum.Enum):
    """What a figure's value is in."""
    HOUSEHOLDS = 0
    """Households, the numerator itself."""
    PER_TEN_THOUSAND = 1
    """Ten thousandths of the denominator, to the nearest: 28 is 0.28 %."""
    FEN_EACH = 2
    """Fen for each of the denominator, rounded down as on the record."""

class Check(enum.Enum):
    """What contradicts. Codes: list `check` of words."""
    LACK_OF_LABOUR_THOUGH_ABLE = 0
    """Risk: lack of labour; yet half of the people, or more, are able to work."""
    UNSTABLE_WORK_NOBODY_ABLE = 1
    """Risk: unstable work; yet nobody is able to work."""
    UNSTABLE_WORK_NO_WORK = 2
    """Risk: unstable work; yet no work is recorded."""
    ILLNESS_NOBODY_ILL = 3
    """Risk: illness; yet nobody is ill."""
    ILLNESS_NOTHING_PAID = 4
    """Risk: illness; yet nothing was paid for it."""
    NO_DEVELOPMENT = 5
    """Labour, and long after identification no developmental measure."""
    ONLY_GUARANTEES = 6
    """Nothing but comprehensive guarantees, though somebody is able to work."""
    INDUSTRY_NO_INCOME = 7
    """An industry measure without business income."""
    JOB_NO_WAGE = 8
    """A job or public post without wage."""
    WAGE_IMPLAUSIBLE = 9
    """A wage that is too small to be one."""
    LAND_IMPLAUSIBLE = 10
    """An area of land that is too large."""
    HARDSHIP_THOUGH_ABLE = 11
    """Extreme-hardship support for somebody of working age who is healthy and no student."""
    VOCATIONAL_AID_ELSEWHERE = 12
    """Aid for vocational school for somebody who is at none."""
    NOT_AT_SCHOOL_NO_REASON = 13
    """A child of compulsory school age not at school, and no reason."""
    CLOSED_WITH_DROPOUT = 14
    """Closed, with a child not at school."""
    CLOSED_WITH_UNSAFE_HOUSE = 15
    """Closed, with an unsafe house."""
    CLOSED_WITHOUT_CONTACT = 16
    """Closed, and nobody keeps contact."""
    CLOSED_EARLY = 17
    """Closed too early after it was identified or opened again."""
    IDENTITY_WRONG = 18
    """Not an identity number, or its check character is wrong (GB 11643-1999)."""
    IDENTITY_BIRTH_DATE = 19
    """The identity number states another birth date."""
    IDENTITY_SEX = 20
    """The identity number states another sex."""
    IDENTITY_TWICE = 21
    """Two people of the household with one identity number."""
    CLUE_KNOWN = 22
    """A clue about a person and a risk of whom an earlier one is being looked into."""
    PERSON_ELSEWHERE = 23
    """A member is on record in another household as well. See [`elsewhere`]."""
    CADRE_OUT_OF_REACH = 24
    """The account of a responsible cadre is no cadre's of the village: nobody would see to the household. See [`out_of_reach`]."""
    OUT_OF_USE_WITH_CASE = 25
    """The record is said to be out of use, yet its case has not come to an end, so that it stays in use."""
    VISIT_WITHOUT_MET = 26
    """The last visit does not say who was met: it counts as none."""
    VISIT_TO_COME = 27
    """A visit of a day to come."""
    BILL_WITHOUT_DAY = 28
    """A bill without a day: no rule looks at it."""
    INCOME_BELOW_LINES = 29
    """A part of the income is stated as less than its lines come to."""

class LedgerError(Exception):
    """What a call of the ledger can fail with."""
    class InvalidInput(LedgerError):
        """Correct the input."""
        field: str
        reason: str
        def __init__(self, field: str, reason: str) -> None: ...
    class NotPermitted(LedgerError):
        """Ask the level above."""
        action: str
        level_needed: str
        def __init__(self, action: str, level_needed: str) -> None: ...
    class AlreadyOnRecord(LedgerError):
        """Open the record that is there; nothing was saved."""
        household: str
        def __init__(self, household: str) -> None: ...
    class NotFound(LedgerError):
        """Look for something else."""
        kind: str
        id: str
        def __init__(self, kind: str, id: str) -> None: ...
    class IllegalStep(LedgerError):
        """See what the step needs, or reload the case: it has moved on."""
        state: str
        step: str
        reason: str
        until: str
        def __init__(self, state: str, step: str, reason: str, until: str) -> None: ...
    class Offline(LedgerError):
        """Go on working; nothing is lost. Try again after the time given."""
        retry_after_ms: int
        def __init__(self, retry_after_ms: int) -> None: ...
    class SessionExpired(LedgerError):
        """Enrol this phone (again)."""
        reason: str
        def __init__(self, reason: str) -> None: ...
    class UpgradeRequired(LedgerError):
        """Install a newer version; what is saved stays and can be sent by it."""
        minimum: str
        def __init__(self, minimum: str) -> None: ...
    class StorageFull(LedgerError):
        """Free some space; nothing was changed."""
        needed_bytes: int
        def __init__(self, needed_bytes: int) -> None: ...
    class StorageDamaged(LedgerError):
        """
        The file is damaged. One that could not be opened was set aside: start afresh, hand the kept file to support. In an
        open book a call came upon damage: nothing was moved, and what can still be read can be.
        """
        kept_as: str
        def __init__(self, kept_as: str) -> None: ...
    class Internal(LedgerError):
        """Report this; the code says where it came from."""
        report_id: str
        def __init__(self, report_id: str) -> None: ...

class SyncPhase(enum.Enum):
    """What a sync is doing."""
    SENDING = 0
    """Sending; counts bytes."""
    RECEIVING = 1
    """Receiving; counts log entries."""
    WAITING = 2
    """Waiting before another attempt; counts milliseconds."""

@dataclasses.dataclass(kw_only=True)
class Stamp:
    """
    Who made a change, for whom, and from which form: the change's message. Stored in every change for
    ever: parts are only ever added at the end.
    """
    account: str
    name: str
    on_behalf_of: str
    form: str

@dataclasses.dataclass(kw_only=True)
class StepView:
    """A step as it stands on record."""
    row: str
    stage: typing.Optional[Stage]
    on: typing.Optional[Day]
    reason: str
    stamp: Stamp
    accepted: bool

@dataclasses.dataclass(kw_only=True)
class PassedView:
    """A place the case has passed."""
    stage: Stage
    steps: typing.List[StepView]

@dataclasses.dataclass(kw_only=True)
class Task:
    """Something to be done."""
    due_on: typing.Optional[Day]
    kind: TaskKind
    subject: str

@dataclasses.dataclass(kw_only=True)
class CaseView:
    """A household's case."""
    path: typing.List[PassedView]
    set_aside: typing.List[StepView]
    objections: typing.List[StepView]
    may_enter: typing.List[Stage]
    tasks: typing.List[Task]

@dataclasses.dataclass(kw_only=True)
class CheckInput:
    """One of the values that made a check fire."""
    name: str
    value: str

@dataclasses.dataclass(kw_only=True)
class Code:
    """One code of a list."""
    code: str
    zh: str
    en: str

@dataclasses.dataclass(kw_only=True)
class CodeList:
    """A list of codes, in the order of a form."""
    name: str
    codes: typing.List[Code]

@dataclasses.dataclass(kw_only=True)
class ConflictValue:
    """One of several values of a field."""
    value: Value
    stamp: Stamp
    time_ms: int

@dataclasses.dataclass(kw_only=True)
class Conflict:
    """A field that two people set without seeing each other's value."""
    household: HouseholdId
    container: str
    key: str
    values: typing.List[ConflictValue]

@dataclasses.dataclass(kw_only=True)
class Field:
    """One field."""
    name: str
    zh: str
    en: str
    kind: FieldKind
    sensitivity: Sensitivity
    since: int
    right: typing.Optional[FieldClass]

@dataclasses.dataclass(kw_only=True)
class Container:
    """One container."""
    name: str
    zh: str
    en: str
    rows: bool
    right: FieldClass
    append_only: bool
    fields: typing.List[Field]

@dataclasses.dataclass(kw_only=True)
class Duplicate:
    """Two records that may be of one family."""
    likeness: Likeness
    first: HouseholdId
    second: HouseholdId

@dataclasses.dataclass(kw_only=True)
class FieldChange:
    """One field to set; `None` empties it."""
    container: str
    key: str
    value: typing.Optional[Value]

@dataclasses.dataclass(kw_only=True)
class FieldValue:
    """A field of a row to add."""
    field: str
    value: Value

@dataclasses.dataclass(kw_only=True)
class FieldView:
    """One field of a record."""
    container: str
    key: str
    value: Value
    in_conflict: bool

@dataclasses.dataclass(kw_only=True)
class Figure:
    """One figure."""
    code: Statistic
    of: str
    as_of: Day
    numerator: int
    denominator: int
    value: typing.Optional[int]
    unit: FigureUnit
    people: int
    households: typing.List[HouseholdId]
    rest: typing.List[HouseholdId]

@dataclasses.dataclass(kw_only=True)
class Finding:
    """A contradiction found."""
    check: Check
    subject: str
    inputs: typing.List[CheckInput]

@dataclasses.dataclass(kw_only=True)
class FormView:
    """A form there is."""
    id: str
    version: int
    zh: str
    en: str
    public: bool

@dataclasses.dataclass(kw_only=True)
class HistoryLine:
    """One field set by one change."""
    stamp: Stamp
    actor: ActorId
    time_ms: int
    acknowledged: bool
    container: str
    key: str
    old: typing.Optional[Value]
    new: typing.Optional[Value]

@dataclasses.dataclass(kw_only=True)
class ListFilter:
    """Which households a page shows. Empty means all."""
    area: typing.Optional[int] = None
    grid: typing.Optional[str] = None
    tag: typing.Optional[str] = None
    kind: typing.Optional[str] = None
    monitored: typing.Optional[str] = None
    risk_level: typing.Optional[str] = None
    case_state: typing.Optional[str] = None
    in_conflict: bool = False
    with_tasks: bool = False
    search: typing.Optional[str] = None

@dataclasses.dataclass(kw_only=True)
class ListRow:
    """One line of a list."""
    id: HouseholdId
    scope: int
    grid: str
    head_name: str
    kind: str
    monitored: str
    tags: typing.List[str]
    risk_level: str
    case_state: str
    members: int
    last_visit: str
    conflicts: int
    pending: int

@dataclasses.dataclass(kw_only=True)
class MeasureHelp:
    """What one measure brings."""
    row: str
    kind: str
    payments: int
    fen: int

@dataclasses.dataclass(kw_only=True)
class NewRow:
    """One row to add."""
    container: str
    fields: typing.List[FieldValue]
    id: typing.Optional[str] = None

@dataclasses.dataclass(kw_only=True)
class PageStart:
    """Where a page begins: behind this row."""
    scope: int
    head_name: str
    id: HouseholdId

@dataclasses.dataclass(kw_only=True)
class RecordEdit:
    """One form save."""
    fields: typing.List[FieldChange] = ...
    new_rows: typing.List[NewRow] = ...
    form: str = ''
    on_behalf_of: str = ''

@dataclasses.dataclass(kw_only=True)
class RecordView:
    """One household whole."""
    row: ListRow
    fields: typing.List[FieldView]

@dataclasses.dataclass(kw_only=True)
class RefusedView:
    """A change the server did not take."""
    n: int
    household: HouseholdId
    code: str
    subject: str
    fields: typing.List[FieldChange]

@dataclasses.dataclass(kw_only=True)
class Schema:
    """All containers, fields and code lists of one version."""
    version: int
    containers: typing.List[Container]
    code_lists: typing.List[CodeList]

@dataclasses.dataclass(kw_only=True)
class SheetLine:
    """One line of a table."""
    household: HouseholdId
    check_code: str
    cells: typing.List[str]

@dataclasses.dataclass(kw_only=True)
class SheetTable:
    """One table of a sheet. Lines of one household stand together."""
    title: str
    header: typing.List[str]
    lines: typing.List[SheetLine]

@dataclasses.dataclass(kw_only=True)
class SheetView:
    """A form filled in, as text."""
    form: str
    title: str
    public: bool
    as_of: Day
    stamp: typing.List[str]
    tables: typing.List[SheetTable]
    sign: typing.List[str]
    footer: typing.List[str]

@dataclasses.dataclass(kw_only=True)
class Votes:
    """How a meeting voted."""
    in_favour: int
    against: int

@dataclasses.dataclass(kw_only=True)
class StepForm:
    """A step as a form hands it over."""
    stage: Stage
    reason: str = ''
    decision: str = ''
    votes: typing.Optional[Votes] = None
    about: typing.Optional[str] = None

@dataclasses.dataclass(kw_only=True)
class SyncReport:
    """What one sync did."""
    receipts: int
    refused: int
    received: int
    entries_announced: int
    entries: int
    left: int
    requests: int
    server_time_ms: int
    wiped: bool

@dataclasses.dataclass(kw_only=True)
class TaskView:
    """Something to be done, with the household it is about."""
    household: HouseholdId
    village: int
    head_name: str
    task: Task
    overdue: bool

@dataclasses.dataclass(kw_only=True)
class UnsentView:
    """A change that waits to be sent. One that cannot be read has no fields."""
    household: HouseholdId
    village: int
    stamp: Stamp
    time_ms: int
    fields: typing.List[FieldChange]

@dataclasses.dataclass(kw_only=True)
class Warning:
    """A rule that fired."""
    row: str
    rule: str
    rule_version: str
    level: str
    risk: str
    input: int
    rows: typing.List[str]
    threshold: int
    is_in_fen: bool
    source: str
    fired_on: Day
    due_on: Day

class KeyVaultError(Exception):
    """
    Why the app's key store gave or took no key. The core's [`VaultError`] again: Kotlin's generator cannot take an error of
    another crate from a trait of this one (uniffi 0.32.2).
    """
    class Locked(KeyVaultError):
        """The person has to unlock it first, or unlocked it wrongly."""
        def __init__(self) -> None: ...
    class Unavailable(KeyVaultError):
        """The platform does not answer."""
        def __init__(self) -> None: ...

class ObserverError(Exception):
    """What an observer failed with; the sync goes on."""
    class Failed(ObserverError):
        """It threw."""
        def __init__(self) -> None: ...

@dataclasses.dataclass(kw_only=True)
class Enrolled:
    """Whose phone it is."""
    url: str
    device: int
    account: str
    name: str
    role: str
    areas: typing.List[int]

@dataclasses.dataclass(kw_only=True)
class HelpOfFamily:
    """The measures of one family of measures."""
    measures: int
    in_effect: int
    fen: int

@dataclasses.dataclass(kw_only=True)
class HelpView:
    """What help comes to in a calendar year."""
    year: int
    total_fen: int
    measures: typing.List[MeasureHelp]
    families: dict[str, HelpOfFamily]
    plan: dict[str, int]
    areas_centimu: dict[str, int]

@dataclasses.dataclass(kw_only=True)
class LedgerStatus:
    """What the first screen shows."""
    enrolled: typing.Optional[Enrolled]
    grids: typing.List[str]
    households: int
    pending: int
    refused: int
    last_receipt_ms: typing.Optional[int]
    needs_newer_release: bool

def error_words(error: LedgerError) -> Code | None:
    """What people are told about an error, with its code: its line of the list `error`."""

def finding_words(finding: Finding) -> Code:
    """What people are told about a finding, with its code: its line of the list `check`, with what it rests on filled in."""

def record_schema() -> Schema:
    """Containers, fields and code lists of the record, with Chinese and English labels."""

def word_list(name: str) -> typing.Optional[CodeList]:
    """
    The words for codes: lists `error`, `task_kind`, `lack`, `check`, `figure_name` and others that stand in no record, and those of
    the record, as `case_state`.
    """

def words(list: str, code: str) -> typing.Optional[Code]:
    """The words for one of them."""

class Cancel:
    """Stops a running sync at once. What was applied stays; nothing is lost."""
    def __init__(self) -> None:
        """One for a sync to come."""
    def cancel(self) -> None:
        """Asks the sync to stop."""

class KeyVault(abc.ABC):
    """Keeps one key of 32 bytes for a ledger: on Android wrapped by the platform's key store."""
    @abc.abstractmethod
    def load(self) -> typing.Optional[bytes]:
        """The key; nothing where none was kept yet."""
    @abc.abstractmethod
    def keep(self, key: bytes) -> None:
        """Keeps a key made just now. It must be safe when this returns: without it the file is lost."""
    @abc.abstractmethod
    def forget(self) -> None:
        """Forgets the key for ever: the phone was shut out."""

class SyncObserver(abc.ABC):
    """Told how a sync gets on, by the thread that runs it: hand over to your own and come back quickly."""
    @abc.abstractmethod
    def on_progress(self, phase: SyncPhase, done: int, total: int) -> None:
        """`done` of `total`: bytes while sending, log entries while receiving, milliseconds while waiting."""

class Ledger:
    """A record book. Closed at the end of a `with`, or by `close`: then the file is free for others at once."""
    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Opens or creates the ledger at `path`, without encryption: for tests and for files on encrypted disks."""
    @classmethod
    def open_sealed(cls, path: str | os.PathLike[str], vault: KeyVault) -> Self:
        """Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps."""
    def case(self, household: HouseholdId) -> CaseView:
        """Where a household's monitoring case is."""
    async def changed(self, seen: int) -> int:
        """
        Comes back with the version once it is no longer `seen`, also when the book is closed: then show again what is on the
        screen. A book that is closed already is refused.
        """
    def checks(self, household: HouseholdId) -> typing.List[Finding]:
        """What contradicts on a household's record. Nothing of it blocks anything."""
    def close(self) -> None:
        """Stops running syncs and closes the file; whatever needs it is refused from now on. Closing again is no fault."""
    def conflicts(self, household: HouseholdId) -> typing.List[Conflict]:
        """The fields of a household that hold several values, with who set each and when."""
    def create_household(self, village: int, edit: RecordEdit) -> HouseholdId:
        """Opens a record for a new household in a village."""
    def duplicates(self) -> typing.List[Duplicate]:
        """Records on this phone that may be of one family, the surest first."""
    def edit(self, household: HouseholdId, edit: RecordEdit) -> None:
        """Saves a form: one change, safe on disk when this returns."""
    async def enrol(self, url: str, code: str, device_name: str, authority_pem: str | None = None) -> Enrolled:
        """Enrols with a one-time code. `authority_pem` is the server's own certificate authority, where it has one."""
    def figures(self, area: int, first_day: Day, last_day: Day, with_ids: typing.Sequence[Statistic] = ..., as_of: Day | None = None, grid: str | None = None) -> typing.List[Figure]:
        """
        Figures of an area that is all on this phone; `with_ids` names those whose households are wanted. `as_of` is a past day,
        by the clocks of those who wrote; else it is today. With `grid`, of the grids of that name alone.
        """
    def forms(self) -> typing.List[FormView]:
        """The department forms of this release."""
    def help(self, household: HouseholdId, year: int) -> HelpView:
        """What help brings a household in a calendar year."""
    def history(self, household: HouseholdId) -> typing.List[HistoryLine]:
        """Every field every change set, oldest first."""
    def list(self, filter: ListFilter | None = None, after: PageStart | None = None, rows_max: int = 50) -> typing.List[ListRow]:
        """One page of the list, by village and head's name."""
    def merge(self, kept: HouseholdId, duplicate: HouseholdId) -> None:
        """Makes two records one; the duplicate stays readable."""
    def reauthor(self, n: int) -> None:
        """Makes a refused change anew on what is on record now."""
    def record_visit(self, household: HouseholdId, fields: typing.List[FieldValue]) -> None:
        """Records a visit, stamped with the person who is enrolled."""
    def refused(self) -> typing.List[RefusedView]:
        """The changes the server did not take."""
    def region_path(self, code: int) -> typing.List[str]:
        """
        The names of a division and of those it lies in, the province's first, as far as this phone has them: of a village
        five, of a code that is nowhere none.
        """
    def settle(self, seen: Conflict, choice: int) -> None:
        """
        Settles a conflict as a person has seen it, by the place of one of its values. `NotFound` where the field does not
        hold these values any more: then show it again.
        """
    def sheet(self, form: str, area: int) -> SheetView:
        """A form filled in from the records of an area that is all on this phone, as they are now."""
    def show(self, household: HouseholdId) -> RecordView:
        """One household whole."""
    def status(self) -> LedgerStatus:
        """What the first screen shows."""
    async def sync(self, observer: SyncObserver | None = None, cancel: Cancel | None = None) -> SyncReport:
        """Exchanges with the server until both hold the same. Cancelling the task stops it at once, as `cancel` does."""
    def take_step(self, household: HouseholdId, step: StepForm, edit: RecordEdit | None = None) -> None:
        """Takes a step of the case, with whatever is saved together with it."""
    def tasks(self) -> typing.List[TaskView]:
        """What this person has to do, the most urgent first."""
    def today(self) -> Day:
        """The ISO day it is in China, by the server's clock where this phone has heard it."""
    def unsent(self) -> typing.List[UnsentView]:
        """Every change that waits to be sent, to be kept elsewhere."""
    def version(self) -> int:
        """Grows whenever something in the book may have changed. A sync that brings nothing counts as well."""
    def warnings(self, household: HouseholdId) -> typing.List[Warning]:
        """The warnings that fire for a household today and that nobody was warned of yet."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
