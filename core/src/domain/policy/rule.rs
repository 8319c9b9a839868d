//! When a warning fires, as a policy says it: what a rule looks at, how far back, for whom, from where on. Must not
//! compute a signal.

use serde::Deserialize;

use super::{AmountName, Validity};
use crate::domain::day::Day;
use crate::domain::facts::Facts;

/// What a rule looks at. Each is computed by `domain::warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Self-paid medical cost of the window, in fen.
    MedicalSelfPay,
    /// Self-paid cost of hospital stays of the window, in fen.
    InpatientSelfPay,
    /// The largest self-paid cost of one hospital stay of the window, in fen.
    SingleStaySelfPay,
    /// Cost of schooling after aid of the window, in fen.
    SchoolingSelfPay,
    /// Loss by disaster of the window, in fen; a disaster without a figure counts as 1.
    DisasterLoss,
    /// Loss by accident of the window, in fen; an accident without a figure counts as 1.
    AccidentLoss,
    /// Children of compulsory school age who are not at school: bound `school_age`. Where it is not published, nobody.
    ChildrenNotAtSchool,
    /// Net income a person, in fen; fires below the threshold.
    IncomeBelow,
    /// Members of working age, able to work, who work fewer months a year than expected: bounds `working_age` and
    /// `work_months`. Where either is not published, nobody.
    WithoutWork,
    /// What the household's business cost beyond what it brought, in fen.
    BusinessLoss,
    /// 1 where the house is of danger grade C or D.
    UnsafeHouse,
    /// 1 where water is known not to be safe.
    UnsafeWater,
    /// Members without basic medical insurance.
    Uninsured,
}

impl Signal {
    /// Whether it follows from what a household has spent, and from nothing else.
    pub fn is_of_bills(self) -> bool {
        match self {
            Self::MedicalSelfPay
            | Self::InpatientSelfPay
            | Self::SingleStaySelfPay
            | Self::SchoolingSelfPay
            | Self::DisasterLoss
            | Self::AccidentLoss => true,
            Self::ChildrenNotAtSchool
            | Self::IncomeBelow
            | Self::WithoutWork
            | Self::BusinessLoss
            | Self::UnsafeHouse
            | Self::UnsafeWater
            | Self::Uninsured => false,
        }
    }

    /// Whether its unit is fen; else it counts.
    pub fn is_in_fen(self) -> bool {
        self.is_of_bills() || matches!(self, Self::IncomeBelow | Self::BusinessLoss)
    }
}

/// Which households a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// All.
    #[default]
    All,
    /// Those lifted out of poverty, and those monitored.
    LiftedOrMonitored,
    /// All others.
    Other,
    /// Those monitored, and those of whom somebody lives on allowances (农村低收入人口).
    LowIncome,
    /// All but those.
    NotLowIncome,
}

impl Group {
    /// Whether a household belongs to it.
    pub fn holds(self, facts: &Facts) -> bool {
        let known = facts.is_lifted() || facts.is_monitored();
        match self {
            Self::All => true,
            Self::LiftedOrMonitored => known,
            Self::Other => !known,
            Self::LowIncome => facts.is_low_income(),
            Self::NotLowIncome => !facts.is_low_income(),
        }
    }
}

/// From where on a rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// In the signal's unit.
    Fixed(i64),
    /// More than a part of an amount that is published for the place and the year.
    Share {
        /// Per cent.
        percent: i64,
        /// Of what.
        of: AmountName,
    },
}

/// The last day of what a rule looks back on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// The day on which it is asked.
    #[default]
    Today,
    /// The last day of the month before.
    LastMonth,
}

impl Until {
    /// What lies so many months back: after the first day, up to and with the second.
    pub fn window(self, today: Day, months: i32) -> (Day, Day) {
        match self {
            Self::Today => (today.plus_months(-months), today),
            Self::LastMonth => {
                let begun = today.month_begin();
                (begun.plus_months(-months).plus_days(-1), begun.plus_days(-1))
            }
        }
    }
}

/// A rule: a warning fires where the signal reaches the threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name; the same for its lines in other areas and years.
    pub id: String,
    /// What it looks at.
    pub signal: Signal,
    /// Which households it is about.
    pub group: Group,
    /// Months looked back, for signals that sum; for income, how old what is on record may be.
    pub window_months: u32,
    /// From when they are looked back.
    pub until: Until,
    /// Where it fires.
    pub threshold: Threshold,
    /// Code of `risk_level`.
    pub level: String,
    /// Code of `risk`.
    pub risk: String,
    /// Days within which somebody has to answer.
    pub answer_days: i32,
    /// Where and when it holds.
    pub validity: Validity,
}
