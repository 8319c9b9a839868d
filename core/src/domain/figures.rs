//! Statistics (统计) of any area on any day: households are added one by one, parts counted apart are merged,
//! and every figure says of which day it is and, where asked before, which households are behind it. Must not
//! know where households come from or who may see a figure.

use std::collections::{BTreeMap, BTreeSet};

use super::day::Day;
use super::facts::Facts;
use super::grid;
use super::ids::HouseholdId;
use super::policy::Policy;
use super::region::RegionList;
use super::schema::Schema;
use super::workflow::{self, Case};

mod definitions;

pub use definitions::Statistic;

/// What a figure's value is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum FigureUnit {
    /// Households, the numerator itself.
    Households,
    /// Ten thousandths of the denominator, to the nearest: 28 is 0.28 %.
    PerTenThousand,
    /// Fen for each of the denominator, rounded down as on the record.
    FenEach,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Figure {
    /// Which.
    pub code: Statistic,
    /// Of what: a code, a tag's field, a year, a village's code. Empty for the whole.
    pub of: String,
    /// The day it is of.
    pub as_of: Day,
    /// What was counted.
    pub numerator: i64,
    /// What it was counted of.
    pub denominator: i64,
    /// The two in `unit`; none where there is nothing to count it of.
    pub value: Option<i64>,
    /// What the value is in.
    pub unit: FigureUnit,
    /// Present members of the households counted.
    pub people: i64,
    /// The households counted, ascending, as far as whoever asks may look at them; empty unless asked for.
    pub households: Vec<HouseholdId>,
    /// The households to count which were not, where that leaves something to do (see
    /// [`Statistic::leaves_a_rest`]), ascending; empty unless asked for.
    pub rest: Vec<HouseholdId>,
}

impl Figure {
    /// What it is of, as people read it in Chinese: a code's label, a tag's, township and village. What has no name, as a year,
    /// stays as it is.
    pub fn of_label(&self, regions: &RegionList) -> String {
        let schema = Schema::base();
        let coded = |list| schema.code(list, &self.of).map(|known| known.zh.clone());
        let label = match self.code {
            Statistic::Risk => coded("risk"),
            Statistic::MonitoredKind => coded("monitored_kind"),
            Statistic::Stage => coded("case_state"),
            Statistic::Tag => schema.field("class", &self.of).map(|field| field.zh.clone()),
            Statistic::Coverage => self.of.parse().ok().and_then(|code| {
                let path = regions.path(code);
                path.get(path.len().saturating_sub(2)..).map(|names| names.join(" "))
            }),
            Statistic::Monitored
            | Statistic::Open
            | Statistic::Visited
            | Statistic::Helped
            | Statistic::Guaranteed
            | Statistic::OnTime
            | Statistic::NotIncluded
            | Statistic::Incidence
            | Statistic::Closure
            | Statistic::Income => None,
        };
        label.filter(|label| !label.is_empty()).unwrap_or_else(|| self.of.clone())
    }
}

/// Figures that are of another day, period, policy or grid, or were asked for other households.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("figures answer different questions")]
pub struct FiguresDiffer;

/// What was counted so far. The order of adding and merging does not matter; each household is to be added
/// once. Without ids its size does not grow with the households.
#[derive(Clone, Debug)]
pub struct Figures<'p> {
    asked: Asked<'p>,
    with_ids: BTreeSet<Statistic>,
    tallies: BTreeMap<Statistic, BTreeMap<String, Tally>>,
    expected: BTreeMap<u64, u64>,
}

/// What the figures are to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked<'p> {
    as_of: Day,
    period: (Day, Day),
    policy: &'p Policy,
    /// None for whole villages.
    grid: Option<&'p str>,
}

impl Asked<'_> {
    /// Whether something happened in the period and is not still to come.
    fn holds(&self, day: Day) -> bool {
        self.period.0 <= day && day <= self.period.1.min(self.as_of)
    }
}

#[derive(Clone, Debug, Default)]
struct Tally {
    numerator: i128,
    denominator: i128,
    people: i128,
    households: Vec<HouseholdId>,
    rest: Vec<HouseholdId>,
}

impl<'p> Figures<'p> {
    /// Nothing counted yet. `as_of` is the day the households are given as they were on; `period`, first and
    /// last day, is when visits, clues and decisions count; `policy` says until when they were due.
    pub fn new(as_of: Day, period: (Day, Day), policy: &'p Policy) -> Self {
        let asked = Asked { as_of, period, policy, grid: None };
        let (with_ids, tallies, expected) = Default::default();
        Self { asked, with_ids, tallies, expected }
    }

    /// Counts, from now on, only households that are in a grid of this name on the day; of an empty one, those that name none.
    #[must_use]
    pub fn of_grid(mut self, name: &'p str) -> Self {
        self.asked.grid = Some(grid::spelt(name));
        self
    }

    /// Keeps the households behind a figure, for those added from now on.
    #[must_use]
    pub fn with_ids(mut self, code: Statistic) -> Self {
        self.with_ids.insert(code);
        self
    }

    /// Says how many households a village is expected to have on record; of several sayings the largest. Nobody
    /// says it of a grid: there nothing is expected.
    pub fn expect(&mut self, village: u64, households: u64) {
        if self.asked.grid.is_some() {
            return;
        }
        let expected = self.expected.entry(village).or_default();
        *expected = households.max(*expected);
    }

    /// Counts a household. A record out of use counts nowhere.
    pub fn add(&mut self, id: HouseholdId, facts: &Facts) {
        self.count(Some(id), facts, &Case::of(facts));
    }

    /// Counts a household by a case of which somebody knows when each step was taken; none for an id that whoever asks may not
    /// look at, and it is named nowhere.
    pub fn add_case(&mut self, id: Option<HouseholdId>, facts: &Facts, case: &Case) {
        self.count(id, facts, case);
    }

    fn count(&mut self, id: Option<HouseholdId>, facts: &Facts, case: &Case) {
        if self.asked.grid.is_some_and(|name| grid::of(facts) != name) {
            return;
        }
        let people = i128::from(facts.people_count());
        let Self { asked, with_ids, tallies, .. } = self;
        definitions::count((facts, case), asked, &mut |code, of, numerator, denominator| {
            let tallies = tallies.entry(code).or_default();
            if !tallies.contains_key(of) {
                tallies.insert(of.to_owned(), Tally::default());
            }
            let Some(tally) = tallies.get_mut(of) else { return };
            let is_counted = numerator != 0 || code.unit() == FigureUnit::FenEach;
            tally.numerator += i128::from(numerator);
            tally.denominator += i128::from(denominator);
            tally.people += if is_counted { people } else { 0 };
            match (id.filter(|_| with_ids.contains(&code)), is_counted) {
                (Some(id), true) => tally.households.push(id),
                (Some(id), false) if code.leaves_a_rest() => tally.rest.push(id),
                (Some(_) | None, _) => {}
            }
        });
    }

    /// Adds what was counted elsewhere.
    ///
    /// # Errors
    /// Where it answers another question; nothing is added then.
    pub fn merge(&mut self, other: Self) -> Result<(), FiguresDiffer> {
        if self.asked != other.asked || self.with_ids != other.with_ids {
            return Err(FiguresDiffer);
        }
        for (village, households) in other.expected {
            self.expect(village, households);
        }
        for (code, tallies) in other.tallies {
            for (of, tally) in tallies {
                let sum = self.tallies.entry(code).or_default().entry(of).or_default();
                sum.numerator += tally.numerator;
                sum.denominator += tally.denominator;
                sum.people += tally.people;
                sum.households.extend(tally.households);
                sum.rest.extend(tally.rest);
            }
        }
        Ok(())
    }

    /// All figures: every code of a list, every village expected or met, every year met.
    pub fn all(&self) -> Vec<Figure> {
        let of = |code| self.groups(code).into_iter().map(move |of| self.figure(code, &of));
        Statistic::ALL.into_iter().flat_map(of).collect()
    }

    /// One figure; of nothing counted, it is nothing.
    pub fn figure(&self, code: Statistic, of: &str) -> Figure {
        let mut tally = self.tally(code, of);
        if let Some(denominator) = self.denominator(code, of) {
            tally.denominator = denominator;
        }
        tally.households.sort_unstable();
        tally.rest.sort_unstable();
        Figure {
            code,
            of: of.to_owned(),
            as_of: self.asked.as_of,
            numerator: saturated(tally.numerator),
            denominator: saturated(tally.denominator),
            value: value(code.unit(), tally.numerator, tally.denominator),
            unit: code.unit(),
            people: saturated(tally.people),
            households: tally.households,
            rest: tally.rest,
        }
    }

    /// Coverage of the whole adds the villages of which somebody said what to expect.
    fn tally(&self, code: Statistic, of: &str) -> Tally {
        let Some(tallies) = self.tallies.get(&code) else { return Tally::default() };
        if code != Statistic::Coverage || !of.is_empty() {
            return tallies.get(of).cloned().unwrap_or_default();
        }
        let expected = self.expected.keys().filter_map(|village| tallies.get(&village.to_string()));
        expected.fold(Tally::default(), |mut sum, tally| {
            sum.numerator += tally.numerator;
            sum.people += tally.people;
            sum.households.extend(&tally.households);
            sum
        })
    }

    /// The denominator that is itself a figure; none where each household brought its own part.
    fn denominator(&self, code: Statistic, of: &str) -> Option<i128> {
        let all = |code| {
            let tallies = self.tallies.get(&code).into_iter().flat_map(BTreeMap::values);
            tallies.map(|tally| tally.numerator).sum::<i128>()
        };
        match code {
            Statistic::Monitored | Statistic::Open | Statistic::Tag => {
                Some(all(Statistic::Coverage))
            }
            Statistic::Risk => Some(all(Statistic::Open)),
            Statistic::MonitoredKind => Some(all(Statistic::Monitored)),
            Statistic::Stage => Some(all(Statistic::Stage)),
            Statistic::Coverage => {
                let is_asked = |village: &u64| of.is_empty() || village.to_string() == of;
                let expected = self.expected.iter().filter(|(village, _)| is_asked(village));
                Some(expected.map(|(_, households)| i128::from(*households)).sum())
            }
            Statistic::Visited
            | Statistic::Helped
            | Statistic::Guaranteed
            | Statistic::OnTime
            | Statistic::NotIncluded
            | Statistic::Incidence
            | Statistic::Closure
            | Statistic::Income => None,
        }
    }

    /// Of what there is a figure: what is known beforehand, in its order, then what else was met.
    fn groups(&self, code: Statistic) -> Vec<String> {
        let list = |list| {
            let list = Schema::base().code_list(list).into_iter().flat_map(|list| &list.codes);
            list.map(|code| code.code.clone()).collect::<Vec<_>>()
        };
        let mut groups = match code {
            Statistic::Risk => list("risk"),
            Statistic::MonitoredKind => list("monitored_kind"),
            Statistic::Tag => definitions::tags().map(str::to_owned).collect(),
            Statistic::Stage => {
                let stages = workflow::Stage::ALL.into_iter().filter(|stage| stage.moves());
                stages.map(|stage| stage.code().to_owned()).collect()
            }
            Statistic::Coverage => {
                let villages = self.expected.keys().map(u64::to_string);
                std::iter::once(String::new()).chain(villages).collect()
            }
            Statistic::Income => Vec::new(),
            Statistic::Monitored
            | Statistic::Open
            | Statistic::Visited
            | Statistic::Helped
            | Statistic::Guaranteed
            | Statistic::OnTime
            | Statistic::NotIncluded
            | Statistic::Incidence
            | Statistic::Closure => vec![String::new()],
        };
        let met = self.tallies.get(&code).into_iter().flat_map(BTreeMap::keys);
        let more: Vec<String> = met.filter(|of| !groups.contains(of)).cloned().collect();
        groups.extend(more);
        groups
    }
}

/// A rate in ten thousandths, to the nearest, halves up; none of nothing.
pub fn per_ten_thousand(numerator: i64, denominator: i64) -> Option<i64> {
    value(FigureUnit::PerTenThousand, numerator.into(), denominator.into())
}

fn value(unit: FigureUnit, numerator: i128, denominator: i128) -> Option<i64> {
    let value = match unit {
        FigureUnit::Households => numerator,
        FigureUnit::PerTenThousand | FigureUnit::FenEach if denominator <= 0 => return None,
        FigureUnit::PerTenThousand => {
            (numerator * 20_000 + denominator).div_euclid(denominator * 2)
        }
        FigureUnit::FenEach => numerator.div_euclid(denominator),
    };
    Some(saturated(value))
}

fn saturated(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests;
