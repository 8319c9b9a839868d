//! What is said of a row of a past campaign's register: what became of it, and what somebody has to look at. Must not
//! know how that was found out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::import::outcome::{Fault, FaultCode};

/// Stable codes; the words stand in `core/schema/words.toml` under `campaign`, those of faults under `import_fault`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// Something of it was written.
    Taken,
    /// The record has known all of it.
    Known,
    /// The record says otherwise, and still does.
    Differs,
    /// Rows of one household say different things.
    RowsContradict,
    /// A case without a kind of monitoring is not carried over.
    KindMissing,
    /// Nor is one without a day of identification, or with one to come, or one of decades ago.
    DateMissing,
    /// A word for a risk that is not known here.
    RiskUnknown,
    /// More risks than a record holds.
    RisksLeft,
    /// The household has a case that has not come to monitoring.
    CaseUnderWay,
    /// The case is for the county to carry over.
    CaseForCounty,
    /// The campaign found the risk gone; the case is closed by the long way.
    ToClose,
    /// It cannot be read, or not matched.
    Fault(FaultCode),
    /// A name without identity number.
    Proposal,
    /// It does not say which household the person belongs to.
    HouseholdUnclear,
    /// Two heads.
    TwoHeads,
    /// Not on record, and without a head to open it under.
    HeadMissing,
    /// The file lists the person in two households.
    ListedTwice,
    /// Its people are on record in different households.
    HouseholdSplit,
    /// Not a village of the region list.
    VillageUnknown,
    /// More than one village could be meant.
    VillageUnclear,
    /// The household has a member of this name with another number, or none.
    SameName,
    /// Another row of the household has to be cleared up first.
    Held,
    /// Its record is no longer in use.
    RecordRetired,
    /// Facts are for the township to enter.
    FactsForTownship,
    /// The record refused it.
    Refused,
}

impl Said {
    /// All of them that are no faults of reading.
    pub const ALL: [Self; 24] = [
        Self::Taken,
        Self::Known,
        Self::Differs,
        Self::RowsContradict,
        Self::KindMissing,
        Self::DateMissing,
        Self::RiskUnknown,
        Self::RisksLeft,
        Self::CaseUnderWay,
        Self::CaseForCounty,
        Self::ToClose,
        Self::Proposal,
        Self::HouseholdUnclear,
        Self::TwoHeads,
        Self::HeadMissing,
        Self::ListedTwice,
        Self::HouseholdSplit,
        Self::VillageUnknown,
        Self::VillageUnclear,
        Self::SameName,
        Self::Held,
        Self::RecordRetired,
        Self::FactsForTownship,
        Self::Refused,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Known => "known",
            Self::Differs => "differs",
            Self::RowsContradict => "rows_contradict",
            Self::KindMissing => "kind_missing",
            Self::DateMissing => "date_missing",
            Self::RiskUnknown => "risk_unknown",
            Self::RisksLeft => "risks_left",
            Self::CaseUnderWay => "case_under_way",
            Self::CaseForCounty => "case_for_county",
            Self::ToClose => "to_close",
            Self::Fault(fault) => fault.code(),
            Self::Proposal => "proposal",
            Self::HouseholdUnclear => "household_unclear",
            Self::TwoHeads => "two_heads",
            Self::HeadMissing => "head_missing",
            Self::ListedTwice => "listed_twice",
            Self::HouseholdSplit => "household_split",
            Self::VillageUnknown => "village_unknown",
            Self::VillageUnclear => "village_unclear",
            Self::SameName => "same_name",
            Self::Held => "held",
            Self::RecordRetired => "record_retired",
            Self::FactsForTownship => "facts_for_township",
            Self::Refused => "refused",
        }
    }

    /// The list that has its words.
    pub fn list(self) -> &'static str {
        if matches!(self, Self::Fault(_)) { "import_fault" } else { "campaign" }
    }

    /// Whether it says that a row was not taken.
    pub fn is_not_taken(self) -> bool {
        let is_of_taken = matches!(self, Self::Fault(code) if code.is_of_taken());
        self >= Self::Fault(FaultCode::NameMissing) && !is_of_taken
    }
}

/// Said of one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Its number in the file.
    pub row: u32,
    /// What is said.
    pub said: Said,
    /// The header of the column, as in the file; empty where the row as a whole is meant.
    pub column: Arc<str>,
}

impl Remark {
    pub(super) fn on(row: u32, said: Said) -> Self {
        Self { row, said, column: "".into() }
    }
}

impl From<Fault> for Remark {
    fn from(Fault { row, column, code }: Fault) -> Self {
        Self { row, said: Said::Fault(code), column }
    }
}

/// What became of every row: one end each, and as many notes as there are things to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    ends: BTreeMap<u32, Remark>,
    notes: Vec<Remark>,
}

impl Tally {
    /// Adds what is said. Of a row's ends the first one stands.
    pub(super) fn add(&mut self, remark: Remark) {
        if matches!(remark.said, Said::Taken | Said::Known) || remark.said.is_not_taken() {
            self.ends.entry(remark.row).or_insert(remark);
        } else {
            self.notes.push(remark);
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        other.ends.into_values().chain(other.notes).for_each(|remark| self.add(remark));
    }

    /// How many rows ended in one of these.
    pub(super) fn ended(&self, is: impl Fn(Said) -> bool) -> u64 {
        self.ends.values().filter(|end| is(end.said)).count() as u64
    }

    /// All that is said, row by row.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let mut all: Vec<_> = self.ends.values().chain(&self.notes).cloned().collect();
        all.sort();
        all
    }
}
