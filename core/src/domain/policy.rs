//! Lines, periods and rules of a county as data: each with its value, the area and the time it holds for, and
//! where it is written. None is a constant in code. Must not know a household.

use std::cmp::Reverse;

use serde::Deserialize;

use super::day::Day;
use super::facts::Facts;
use super::region;

mod parse;
mod rule;
#[cfg(test)]
mod tests;

pub use rule::{Group, Rule, Signal, Threshold, Until};

/// A set of parameters as an office publishes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its name and version, for example `published-examples/4`: kept with everything judged by it.
    pub version: String,
    /// When a warning fires.
    pub rules: Vec<Rule>,
    /// How long things may take.
    pub periods: Vec<Period>,
    /// What is plausible on a record.
    pub bounds: Vec<Bound>,
    /// What a place publishes about itself each year.
    pub amounts: Vec<Amount>,
    /// Days on which offices are closed, besides Saturdays and Sundays.
    pub holidays: Vec<Day>,
}

/// A policy with the text it was read from, which goes to the phones as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// What it says.
    pub policy: Policy,
    /// Its TOML.
    pub text: String,
}

impl Published {
    /// Reads a policy file.
    ///
    /// # Errors
    /// As [`Policy::parse`] and [`Policy::can_be_recorded`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy = Policy::parse(text)?;
        policy.can_be_recorded()?;
        Ok(Self { policy, text: text.to_owned() })
    }
}

/// Where and when a parameter holds, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Region code of any level; 0 for everywhere.
    pub area: u64,
    /// First day.
    pub from: Day,
    /// Last day; none while it holds.
    pub to: Option<Day>,
    /// The document it is written in.
    pub source: String,
}

impl Validity {
    fn holds(&self, village: u64, day: Day) -> bool {
        (self.area == 0 || region::code_contains(self.area, village))
            && self.from <= day
            && self.to.is_none_or(|to| day <= to)
    }
}

/// What a place publishes about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountName {
    /// Disposable income a rural person of the year before.
    RuralIncomeLastYear,
}

/// An amount of a place and a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Which.
    pub name: AmountName,
    /// How much, in fen.
    pub value_fen: i64,
    /// Where and when it holds.
    pub validity: Validity,
}

/// A period of the workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// From a clue to the visit at home.
    Verify,
    /// Full days a notice hangs.
    Notice,
    /// From a clue to the county's decision.
    Decide,
    /// From the decision to a plan.
    Plan,
    /// From one visit of a monitored household to the next.
    Visit,
    /// From identification, or from when it was opened again, to a proposal to close.
    Close,
    /// From identification to developmental help for a household that has labour.
    Develop,
}

/// How long something may, or must, take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// What.
    pub clock: Clock,
    /// How long.
    pub days: i32,
    /// Whether only working days count.
    pub working: bool,
    /// Where and when it holds.
    pub validity: Validity,
}

/// What a bound is about. Each is computed by `domain::checks`, how long somebody works or goes to school by
/// `domain::warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Wages of 12 months, where there are any, in fen.
    Wage,
    /// Arable land, orchard or water surface, in 0.01 mu.
    Land,
    /// Forest, or land returned to it, in 0.01 mu.
    ForestLand,
    /// Members able to work in a household said to lack labour, in per cent of its people, rounded down.
    AbleShare,
    /// Age at which a healthy person is taken to live by work, in years.
    WorkingAge,
    /// Months that a person able to work is expected to work in a year, at least.
    WorkMonths,
    /// Age at which school is compulsory, in years.
    SchoolAge,
}

impl Quantity {
    /// The unit that a line of it has to name.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Wage => "fen",
            Self::Land | Self::ForestLand => "centimu",
            Self::AbleShare => "percent",
            Self::WorkingAge | Self::SchoolAge => "years",
            Self::WorkMonths => "months",
        }
    }
}

/// Between what a quantity is plausible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What is bounded.
    pub name: Quantity,
    /// Smallest plausible value, in the quantity's unit.
    pub min: Option<i64>,
    /// Largest plausible value, in the quantity's unit.
    pub max: Option<i64>,
    /// Where and when it holds.
    pub validity: Validity,
}

impl Bound {
    /// Whether a value lies within it, the ends included.
    pub fn contains(&self, value: i64) -> bool {
        self.min.is_none_or(|min| min <= value) && self.max.is_none_or(|max| value <= max)
    }
}

/// A policy file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not the TOML expected; where.
    #[error("policy file malformed: {0}")]
    Malformed(String),
    /// A threshold, amount or month count below 1, an unlikely period, a bound without ends or in another unit, a name, code
    /// or source that no warning can carry.
    #[error("{0} out of bounds")]
    OutOfBounds(String),
}

/// Published lines of real places, as examples: no county's own.
pub const EXAMPLES_TOML: &str = include_str!("../../policy/examples.toml");

impl Policy {
    /// Nobody's: nothing is warned of, nothing has a period or a bound.
    pub const fn none() -> Self {
        Self {
            version: String::new(),
            rules: Vec::new(),
            periods: Vec::new(),
            bounds: Vec::new(),
            amounts: Vec::new(),
            holidays: Vec::new(),
        }
    }

    /// The rules that hold for a household on a day: of several lines of one rule for one group, the one of
    /// the smallest area, and there the newest.
    pub fn rules_for<'a>(&'a self, facts: &Facts, day: Day) -> Vec<&'a Rule> {
        let mut chosen: Vec<&Rule> = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.group.holds(facts)) {
            if !rule.validity.holds(facts.village, day) {
                continue;
            }
            let closer = |other: &Rule| precedence(&rule.validity) > precedence(&other.validity);
            match chosen.iter_mut().find(|known| known.id == rule.id && known.group == rule.group) {
                None => chosen.push(rule),
                Some(known) if closer(known) => *known = rule,
                Some(_) => {}
            }
        }
        chosen
    }

    /// From where on a rule fires in a village on a day, in the signal's unit, and where that is written. `None` where it
    /// is a share of what nobody has published there.
    pub fn line(&self, rule: &Rule, village: u64, day: Day) -> Option<(i64, String)> {
        match rule.threshold {
            Threshold::Fixed(threshold) => Some((threshold, rule.validity.source.clone())),
            Threshold::Share { percent, of } => {
                let holds = |a: &&Amount| a.name == of && a.validity.holds(village, day);
                let amounts = self.amounts.iter().filter(holds);
                let amount = amounts.max_by_key(|amount| precedence(&amount.validity))?;
                Some((share(amount.value_fen, percent), joined(rule, amount)))
            }
        }
    }

    /// From where on a rule fires somewhere.
    pub fn least_line(&self, rule: &Rule) -> Option<i64> {
        match rule.threshold {
            Threshold::Fixed(threshold) => Some(threshold),
            Threshold::Share { percent, of } => {
                let amounts = self.amounts.iter().filter(|amount| amount.name == of);
                amounts.map(|amount| share(amount.value_fen, percent)).min()
            }
        }
    }

    /// The period that holds in a village on a day. What began on a day for which nothing is published has the period that
    /// was published first after it: a notice or a case is not free of its days because a county wrote new ones down.
    pub fn period(&self, clock: Clock, village: u64, day: Day) -> Option<&Period> {
        let of_clock = || self.periods.iter().filter(move |period| period.clock == clock);
        let holds = |period: &&Period| period.validity.holds(village, day);
        let later = |period: &&Period| {
            period.validity.from > day && period.validity.holds(village, period.validity.from)
        };
        let held = of_clock().filter(holds).max_by_key(|period| precedence(&period.validity));
        held.or_else(|| {
            let first = |period: &&Period| (period.validity.from, Reverse(period.validity.area));
            of_clock().filter(later).min_by_key(first)
        })
    }

    /// The bound that holds in a village on a day.
    pub fn bound(&self, name: Quantity, village: u64, day: Day) -> Option<&Bound> {
        let holds = |bound: &&Bound| bound.name == name && bound.validity.holds(village, day);
        self.bounds.iter().filter(holds).max_by_key(|bound| precedence(&bound.validity))
    }

    /// The last day by which something begun on `from` is due; `None` where no period is set.
    pub fn due(&self, clock: Clock, village: u64, from: Day) -> Option<Day> {
        let period = self.period(clock, village, from)?;
        Some(if period.working {
            self.after_working_days(from, period.days)
        } else {
            from.plus_days(period.days)
        })
    }

    fn after_working_days(&self, from: Day, days: i32) -> Day {
        let mut day = from;
        let mut left = days;
        while left > 0 {
            day = day.plus_days(1);
            if !day.is_weekend() && !self.holidays.contains(&day) {
                left -= 1;
            }
        }
        day
    }
}

/// Where a rule and the amount of which it is a share are written.
fn joined(rule: &Rule, amount: &Amount) -> String {
    format!("{};{}", rule.validity.source, amount.validity.source)
}

/// The first fen above so many per cent of an amount.
fn share(value_fen: i64, percent: i64) -> i64 {
    value_fen.saturating_mul(percent).div_euclid(100).saturating_add(1)
}

/// Codes grow with the smallness of the area.
fn precedence(validity: &Validity) -> (u64, Day) {
    (validity.area, validity.from)
}
