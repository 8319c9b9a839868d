//! What becomes of a row: taken, a fault with its reason, or skipped; and how many became what. Must not know
//! how a row is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use wanhu_core::domain::day::Day;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::value::Value;

/// A row that was taken.
#[derive(Clone, PartialEq, Eq)]
pub struct DepartmentRow {
    /// Its number in the file.
    pub row: u32,
    /// The person's name.
    pub name: String,
    /// The person's identity number, where the table has one.
    pub identity: Option<IdentityNumber>,
    /// The village's name, where the table has one.
    pub village: Option<String>,
    /// Fields of the profile and their values, in the order of the fields' names; empty cells are left out.
    pub values: Vec<(Arc<str>, Value)>,
    /// What the sender is told of it although it is taken.
    pub remarks: Vec<Fault>,
    /// The first 16 bytes of a SHA-256 of what the row means: the same row in another file, in another order of
    /// columns or another spelling of the same values, has the same. It is made from an identity number
    /// without a key: whoever keeps it keeps it as carefully as the number.
    pub key: [u8; 16],
}

impl DepartmentRow {
    /// Whether what it says was over before the month of this day.
    pub(super) fn has_ended(&self, today: Day) -> bool {
        day_in(&self.values, "to").is_some_and(|last| last.plus_months(1) <= today)
    }
}

/// What a row says in a field.
pub(super) fn value_in<'v>(values: &'v [(Arc<str>, Value)], field: &str) -> Option<&'v Value> {
    values.iter().find(|(known, _)| &**known == field).map(|(_, value)| value)
}

/// The day that a row says in a field.
pub(super) fn day_in(values: &[(Arc<str>, Value)], field: &str) -> Option<Day> {
    value_in(values, field)?.as_text()?.parse().ok()
}

impl fmt::Debug for DepartmentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DepartmentRow({}, {} values)", self.row, self.values.len())
    }
}

/// Why a row was not taken, or what is said of one that was. Stable codes; the words stand in `core/schema/words.toml` under `import_fault`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultCode {
    /// No name.
    NameMissing,
    /// No identity number, where the profile requires one.
    IdentityMissing,
    /// Not an identity number.
    IdentityMalformed,
    /// Its check character is wrong.
    IdentityCheck,
    /// A spreadsheet took it for a number and lost its last digits.
    IdentityScientific,
    /// The file has the number with two different names; rows with it are faults, but for those with the name that the
    /// register of people knows.
    IdentityTwoNames,
    /// Not a day, or not a month.
    DayMalformed,
    /// A day that is still to come, of what is over.
    DayInFuture,
    /// A day so long ago that somebody mistyped the year, of what was delivered lately.
    DayLongPast,
    /// An amount that is merged with that of the row above, which has it.
    AmountMerged,
    /// It ended before it began.
    EndsBeforeBegin,
    /// Not an amount.
    AmountMalformed,
    /// Below zero.
    AmountNegative,
    /// More was paid by the patient than the whole bill.
    SelfPayAboveTotal,
    /// Not a whole number.
    NumberMalformed,
    /// A word that stands for no code.
    CodeUnknown,
    /// A value that the profile requires is not there.
    ValueMissing,
    /// Longer than the field.
    TextTooLong,
    /// Bytes that are no text.
    TextDamaged,
    /// A row above means the same.
    DuplicateRow,
    /// A cell too long, or too many.
    RowTooLong,
    /// A quote that is never closed.
    QuoteOpen,
    /// Nobody on record has this number.
    PersonUnknown,
    /// Whoever has this number is on record as having left their household, dead or alive, and in no other.
    PersonLeft,
    /// The person is on record in two households.
    PersonTwice,
    /// Whoever has this number on record has another name.
    NameDiffers,
    /// The person lives outside the account's area.
    OutsideArea,
    /// The record of the person's household is out of use. Such a row is taken and kept; nobody is warned.
    RecordOutOfUse,
    /// A bill that leaves open whether it is of a stay in hospital. Such a row is taken; rules for stays pass it over.
    StayUnclear,
    /// A cell that cannot be read and was left out: the row is taken without it.
    CellLeftOut,
    /// A column of the table that means nothing here. Said of the header.
    ColumnUnused,
}

impl FaultCode {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::NameMissing,
        Self::IdentityMissing,
        Self::IdentityMalformed,
        Self::IdentityCheck,
        Self::IdentityScientific,
        Self::IdentityTwoNames,
        Self::DayMalformed,
        Self::DayInFuture,
        Self::DayLongPast,
        Self::AmountMerged,
        Self::EndsBeforeBegin,
        Self::AmountMalformed,
        Self::AmountNegative,
        Self::SelfPayAboveTotal,
        Self::NumberMalformed,
        Self::CodeUnknown,
        Self::ValueMissing,
        Self::TextTooLong,
        Self::TextDamaged,
        Self::DuplicateRow,
        Self::RowTooLong,
        Self::QuoteOpen,
        Self::PersonUnknown,
        Self::PersonLeft,
        Self::PersonTwice,
        Self::NameDiffers,
        Self::OutsideArea,
        Self::RecordOutOfUse,
        Self::StayUnclear,
        Self::CellLeftOut,
        Self::ColumnUnused,
    ];

    /// Whether it is said of rows that are taken all the same.
    pub fn is_of_taken(self) -> bool {
        matches!(
            self,
            Self::RecordOutOfUse | Self::StayUnclear | Self::CellLeftOut | Self::ColumnUnused
        )
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NameMissing => "name_missing",
            Self::IdentityMissing => "identity_missing",
            Self::IdentityMalformed => "identity_malformed",
            Self::IdentityCheck => "identity_check",
            Self::IdentityScientific => "identity_scientific",
            Self::IdentityTwoNames => "identity_two_names",
            Self::DayMalformed => "day_malformed",
            Self::DayInFuture => "day_in_future",
            Self::DayLongPast => "day_long_past",
            Self::AmountMerged => "amount_merged",
            Self::EndsBeforeBegin => "ends_before_begin",
            Self::AmountMalformed => "amount_malformed",
            Self::AmountNegative => "amount_negative",
            Self::SelfPayAboveTotal => "self_pay_above_total",
            Self::NumberMalformed => "number_malformed",
            Self::CodeUnknown => "code_unknown",
            Self::ValueMissing => "value_missing",
            Self::TextTooLong => "text_too_long",
            Self::TextDamaged => "text_damaged",
            Self::DuplicateRow => "duplicate_row",
            Self::RowTooLong => "row_too_long",
            Self::QuoteOpen => "quote_open",
            Self::PersonUnknown => "person_unknown",
            Self::PersonLeft => "person_left",
            Self::PersonTwice => "person_twice",
            Self::NameDiffers => "name_differs",
            Self::OutsideArea => "outside_area",
            Self::RecordOutOfUse => "record_out_of_use",
            Self::StayUnclear => "stay_unclear",
            Self::CellLeftOut => "cell_left_out",
            Self::ColumnUnused => "column_unused",
        }
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its number in the file.
    pub row: u32,
    /// The header of the column, as in the file; empty where the row as a whole is meant.
    pub column: Arc<str>,
    /// The first thing that is wrong.
    pub code: FaultCode,
}

/// Why a row was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The header, or a title above it.
    Heading,
    /// The header once more, as at the head of a printed page.
    RepeatedHeader,
    /// A line of totals.
    TotalLine,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken(DepartmentRow),
    /// It was not.
    Fault(Fault),
    /// It holds nobody.
    Skipped(Skip),
}

/// How many rows became what. `rows` is the sum of all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All rows that have any text.
    pub rows: u32,
    /// Rows taken.
    pub taken: u32,
    /// Rows not taken, by reason.
    pub faults: BTreeMap<FaultCode, u32>,
    /// Headers and titles above them.
    pub headings: u32,
    /// Headers repeated.
    pub repeated_headers: u32,
    /// Lines of totals.
    pub total_lines: u32,
}

impl Summary {
    /// Counts a row.
    pub fn count(&mut self, outcome: &Outcome) {
        self.rows += 1;
        let counter = match outcome {
            Outcome::Taken(_) => &mut self.taken,
            Outcome::Fault(fault) => self.faults.entry(fault.code).or_default(),
            Outcome::Skipped(Skip::Heading) => &mut self.headings,
            Outcome::Skipped(Skip::RepeatedHeader) => &mut self.repeated_headers,
            Outcome::Skipped(Skip::TotalLine) => &mut self.total_lines,
        };
        *counter += 1;
    }

    /// Rows not taken.
    pub fn faulty(&self) -> u32 {
        self.faults.values().sum()
    }

    /// Rows skipped.
    pub fn skipped(&self) -> u32 {
        self.headings + self.repeated_headers + self.total_lines
    }
}
