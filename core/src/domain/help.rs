//! Help (帮扶) of one household in figures: what each measure brings in a calendar year, how far the plan has
//! come, what has been handed over. Must not know who asks or what a household's income is.

use std::collections::BTreeMap;

use super::day::Day;
use super::facts::{Facts, Row};

/// What help comes to in a calendar year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help {
    /// The year.
    pub year: i32,
    /// What all measures bring in that year, in fen.
    pub total_fen: i64,
    /// Every measure on record, in its order there.
    pub measures: Vec<MeasureHelp>,
    /// Families of measures (code of `measure_kind`) on record.
    pub families: BTreeMap<String, Family>,
    /// Rows of the plan by progress (code of `progress`); a row without counts as not begun.
    pub plan: BTreeMap<String, usize>,
    /// Land and plantations of measures in effect by asset (code of `asset`), in 0.01 mu.
    pub areas_centimu: BTreeMap<String, i64>,
}

/// What one measure brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct MeasureHelp {
    /// Its row.
    pub row: String,
    /// Code of `measure_kind`.
    pub kind: String,
    /// How often it is paid in the year.
    pub payments: i64,
    /// What it brings in the year, in fen.
    pub fen: i64,
}

/// The measures of one family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Measures on record.
    pub measures: usize,
    /// Of them under way or done.
    pub in_effect: usize,
    /// What they bring in the year, in fen.
    pub fen: i64,
}

impl Help {
    /// The figures of a household for a calendar year.
    pub fn of(facts: &Facts, year: i32) -> Self {
        let mut help = Self { year, ..Self::default() };
        for measure in facts.rows("measures") {
            help.add(measure);
        }
        for item in facts.rows("plan") {
            let progress = Some(item.text("progress")).filter(|code| !code.is_empty());
            *help.plan.entry(progress.unwrap_or("not_begun").to_owned()).or_default() += 1;
        }
        help
    }

    fn add(&mut self, measure: &Row) {
        let kind = measure.text("kind").to_owned();
        let payments = payments(measure, self.year);
        let fen = measure.int("amount_fen").unwrap_or(0).saturating_mul(payments);
        self.total_fen = self.total_fen.saturating_add(fen);
        let family = self.families.entry(kind.clone()).or_default();
        family.measures += 1;
        family.fen = family.fen.saturating_add(fen);
        if is_in_effect(measure) {
            family.in_effect += 1;
            if let Some(area) = measure.int("area_centimu") {
                let sum = self.areas_centimu.entry(measure.text("asset").to_owned()).or_default();
                *sum = sum.saturating_add(area);
            }
        }
        self.measures.push(MeasureHelp { row: measure.id.clone(), kind, payments, fen });
    }

    /// Developmental measures (开发式) together.
    pub fn developmental(&self) -> Family {
        self.sum(true)
    }

    /// All other measures together.
    pub fn supporting(&self) -> Family {
        self.sum(false)
    }

    fn sum(&self, developmental: bool) -> Family {
        let of_it =
            self.families.iter().filter(|(kind, _)| is_developmental(kind) == developmental);
        of_it.fold(Family::default(), |sum, (_, family)| Family {
            measures: sum.measures + family.measures,
            in_effect: sum.in_effect + family.in_effect,
            fen: sum.fen.saturating_add(family.fen),
        })
    }
}

/// Families of measures by which a household earns a living of its own (开发式帮扶): industry, jobs, small
/// loan, public post. All others guarantee or support. Source: the national sheet of measures.
pub fn is_developmental(kind: &str) -> bool {
    matches!(kind, "industry" | "jobs" | "finance" | "public_post")
}

/// Whether a measure is under way or done: neither only planned nor stopped.
pub fn is_in_effect(measure: &Row) -> bool {
    matches!(measure.text("status"), "under_way" | "done")
}

/// How often a measure is paid in a calendar year. Every month, quarter or school term that it touches counts
/// whole; a year counts once, and what is paid once counts in the year of `from`. Without `from` it runs since
/// ever, without `to` it goes on. Planned ones are not paid; stopped ones only up to the `to` they state.
fn payments(measure: &Row, year: i32) -> i64 {
    let (from, to) = (measure.day("from"), measure.day("to"));
    let is_paid = is_in_effect(measure) || (measure.text("status") == "stopped" && to.is_some());
    let (Some(first), Some(last)) = (Day::new(year, 1, 1), Day::new(year, 12, 31)) else {
        return 0;
    };
    let (begins, ends) = (from.unwrap_or(first).max(first), to.unwrap_or(last).min(last));
    if !is_paid || begins > ends {
        return 0;
    }
    let (begins, ends) = (begins.civil().1, ends.civil().1);
    let touched = |spans: &[(u32, u32)]| {
        let touched = spans.iter().filter(|(first, last)| begins <= *last && *first <= ends);
        i64::try_from(touched.count()).unwrap_or_default()
    };
    match measure.text("period") {
        "month" => i64::from(ends - begins) + 1,
        "quarter" => touched(&QUARTERS),
        "term" => touched(&TERMS),
        "year" => 1,
        "" | "once" => i64::from(from.is_some_and(|from| from.civil().0 == year)),
        _ => 0,
    }
}

/// First and last month of each quarter.
const QUARTERS: [(u32, u32); 4] = [(1, 3), (4, 6), (7, 9), (10, 12)];
/// First and last month of the school terms that begin in a year: spring and autumn. January ends the autumn
/// term of the year before, which was paid then; August is holiday.
const TERMS: [(u32, u32); 2] = [(2, 7), (9, 12)];

#[cfg(test)]
mod tests;
