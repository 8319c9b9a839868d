//! The few answers of the core that other languages need in another form: maps they know, and enrolments without keys.

use std::collections::HashMap;

use wanhu_core::client::{Enrolment, Status};
use wanhu_core::domain::help::{Family, Help, MeasureHelp};

/// Whose phone it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Enrolled {
    /// Address of the server.
    pub url: String,
    /// This device's number there.
    pub device: u32,
    /// Account of the person.
    pub account: String,
    /// That person's name.
    pub name: String,
    /// Code of the person's role.
    pub role: String,
    /// Codes of the areas the account may see.
    pub areas: Vec<u64>,
}

impl From<Enrolment> for Enrolled {
    fn from(enrolment: Enrolment) -> Self {
        let Enrolment { url, device, account, name, role, areas, .. } = enrolment;
        Self { url, device, account, name, role, areas }
    }
}

/// What the first screen shows.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LedgerStatus {
    /// Whose phone it is; nothing before enrolment.
    pub enrolled: Option<Enrolled>,
    /// The grids of its village that the account works in, as of the last contact; none: all of it.
    pub grids: Vec<String>,
    /// Households on this phone.
    pub households: u64,
    /// Changes waiting to be sent.
    pub pending: u64,
    /// Changes the server did not take.
    pub refused: u64,
    /// The server's clock at its last signed receipt, milliseconds since 1970 UTC; nothing where it has given none.
    pub last_receipt_ms: Option<i64>,
    /// Whether the server's policy can only be read by a newer release of the app: until then nothing is warned of, and no day is
    /// known by which anything is due.
    pub needs_newer_release: bool,
}

impl From<Status> for LedgerStatus {
    fn from(status: Status) -> Self {
        Self {
            enrolled: status.enrolment.map(Enrolled::from),
            grids: status.grids,
            households: status.households,
            pending: status.pending,
            refused: status.refused,
            last_receipt_ms: status.last_receipt.map(|receipt| receipt.server_time_ms),
            needs_newer_release: status.needs_newer_release,
        }
    }
}

/// The measures of one family of measures.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HelpOfFamily {
    /// Measures on record.
    pub measures: u64,
    /// Of them under way or done.
    pub in_effect: u64,
    /// What they bring in the year, in fen.
    pub fen: i64,
}

impl From<Family> for HelpOfFamily {
    fn from(Family { measures, in_effect, fen }: Family) -> Self {
        Self { measures: measures as u64, in_effect: in_effect as u64, fen }
    }
}

/// What help comes to in a calendar year.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HelpView {
    /// The year.
    pub year: i32,
    /// What all measures bring in that year, in fen.
    pub total_fen: i64,
    /// Every measure on record.
    pub measures: Vec<MeasureHelp>,
    /// Families of measures by code of `measure_kind`.
    pub families: HashMap<String, HelpOfFamily>,
    /// Rows of the plan by code of `progress`.
    pub plan: HashMap<String, u64>,
    /// Land of measures in effect by code of `asset`, in 0.01 mu.
    pub areas_centimu: HashMap<String, i64>,
}

impl From<Help> for HelpView {
    fn from(help: Help) -> Self {
        let families = help.families.into_iter().map(|(kind, family)| (kind, family.into()));
        let plan = help.plan.into_iter().map(|(progress, rows)| (progress, rows as u64));
        Self {
            year: help.year,
            total_fen: help.total_fen,
            measures: help.measures,
            families: families.collect(),
            plan: plan.collect(),
            areas_centimu: help.areas_centimu.into_iter().collect(),
        }
    }
}
