//! Lines, periods and rules of a county as data: each with its value, the area and the time it holds for, and
//! where it is written. None is a constant in code. Must not know a household.

use serde::Deserialize;

use super::day::Day;
use super::facts::Facts;
use super::region;

/// A set of parameters as an office publishes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its name and version, for example `published-examples/1`: kept with everything judged by it.
    pub version: String,
    /// When a warning fires.
    pub rules: Vec<Rule>,
    /// How long things may take.
    pub periods: Vec<Period>,
    /// What is plausible on a record.
    pub bounds: Vec<Bound>,
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
    /// As [`Policy::parse`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Ok(Self { policy: Policy::parse(text)?, text: text.to_owned() })
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
    /// Children of compulsory school age who are not at school.
    ChildrenNotAtSchool,
    /// Net income a person, in fen; fires below the threshold.
    IncomeBelow,
    /// Members who work less than half of the year though able to.
    WithoutWork,
    /// 1 where the house is of danger grade C or D.
    UnsafeHouse,
    /// 1 where water is known not to be safe.
    UnsafeWater,
    /// Members without basic medical insurance.
    Uninsured,
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
}

impl Group {
    /// Whether a household belongs to it.
    pub fn holds(self, facts: &Facts) -> bool {
        let known = facts.is_lifted() || facts.is_monitored();
        match self {
            Self::All => true,
            Self::LiftedOrMonitored => known,
            Self::Other => !known,
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
    /// Months looked back, from the day on which it is asked; for signals that sum.
    pub window_months: u32,
    /// In the signal's unit.
    pub threshold: i64,
    /// Code of `risk_level`.
    pub level: String,
    /// Code of `risk`.
    pub risk: String,
    /// Days within which somebody has to answer.
    pub answer_days: i32,
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
    /// From identification to a proposal to close.
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

/// What a bound is about. Each is computed by `domain::checks`.
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
}

impl Quantity {
    /// The unit that a line of it has to name.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Wage => "fen",
            Self::Land | Self::ForestLand => "centimu",
            Self::AbleShare => "percent",
            Self::WorkingAge => "years",
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
    /// A threshold or month count below 1, an unlikely period, a bound without ends or in another unit.
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

    /// The period that holds in a village on a day.
    pub fn period(&self, clock: Clock, village: u64, day: Day) -> Option<&Period> {
        let holds = |period: &&Period| period.clock == clock && period.validity.holds(village, day);
        self.periods.iter().filter(holds).max_by_key(|period| precedence(&period.validity))
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

/// Codes grow with the smallness of the area.
fn precedence(validity: &Validity) -> (u64, Day) {
    (validity.area, validity.from)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    name: String,
    version: u32,
    #[serde(default)]
    holidays: Vec<String>,
    #[serde(default)]
    rule: Vec<RuleLine>,
    #[serde(default)]
    period: Vec<PeriodLine>,
    #[serde(default)]
    bound: Vec<BoundLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleLine {
    id: String,
    signal: Signal,
    #[serde(default)]
    group: Group,
    #[serde(default = "a_year")]
    window_months: u32,
    threshold: i64,
    level: String,
    risk: String,
    answer_days: i32,
    #[serde(default)]
    area: u64,
    from: String,
    to: Option<String>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodLine {
    clock: Clock,
    days: i32,
    #[serde(default)]
    working: bool,
    #[serde(default)]
    area: u64,
    from: String,
    to: Option<String>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundLine {
    name: Quantity,
    min: Option<i64>,
    max: Option<i64>,
    unit: String,
    #[serde(default)]
    area: u64,
    from: String,
    to: Option<String>,
    source: String,
}

fn a_year() -> u32 {
    12
}

/// Longest period that is ever due: somebody meant another unit.
const DAYS_MAX: i32 = 3_650;

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// `Malformed`, `OutOfBounds`: names what is wrong.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: PolicyFile = toml::from_str(text)
            .map_err(|error| PolicyError::Malformed(error.message().to_owned()))?;
        let rules = file.rule.into_iter().map(rule).collect::<Result<_, _>>()?;
        let periods = file.period.into_iter().map(period).collect::<Result<_, _>>()?;
        let bounds = file.bound.into_iter().map(bound).collect::<Result<_, _>>()?;
        let holidays = file.holidays.iter().map(|text| day(text)).collect::<Result<_, _>>()?;
        let version = format!("{}/{}", file.name, file.version);
        Ok(Self { version, rules, periods, bounds, holidays })
    }
}

fn rule(line: RuleLine) -> Result<Rule, PolicyError> {
    let RuleLine { id, signal, group, window_months, threshold, level, risk, answer_days, .. } =
        line;
    if threshold < 1
        || !(1..=120).contains(&window_months)
        || !(0..=DAYS_MAX).contains(&answer_days)
    {
        return Err(PolicyError::OutOfBounds(id));
    }
    let validity = validity(line.area, &line.from, line.to.as_deref(), line.source)?;
    Ok(Rule { id, signal, group, window_months, threshold, level, risk, answer_days, validity })
}

fn period(line: PeriodLine) -> Result<Period, PolicyError> {
    let PeriodLine { clock, days, working, .. } = line;
    if !(0..=DAYS_MAX).contains(&days) {
        return Err(PolicyError::OutOfBounds(format!("{clock:?}")));
    }
    let validity = validity(line.area, &line.from, line.to.as_deref(), line.source)?;
    Ok(Period { clock, days, working, validity })
}

fn bound(line: BoundLine) -> Result<Bound, PolicyError> {
    let BoundLine { name, min, max, .. } = line;
    let is_empty = match (min, max) {
        (Some(min), Some(max)) => min > max,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    if is_empty || line.unit != name.unit() {
        return Err(PolicyError::OutOfBounds(format!("{name:?}")));
    }
    let validity = validity(line.area, &line.from, line.to.as_deref(), line.source)?;
    Ok(Bound { name, min, max, validity })
}

fn validity(
    area: u64,
    from: &str,
    to: Option<&str>,
    source: String,
) -> Result<Validity, PolicyError> {
    Ok(Validity { area, from: day(from)?, to: to.map(day).transpose()?, source })
}

fn day(text: &str) -> Result<Day, PolicyError> {
    text.parse().map_err(|_| PolicyError::Malformed(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VILLAGE: u64 = 431_022_208_217;

    fn examples() -> Policy {
        Policy::parse(EXAMPLES_TOML).unwrap()
    }

    fn at(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_examples_read_and_name_their_sources() {
        let policy = examples();
        assert_eq!(policy.version, "published-examples/1");
        assert!(policy.rules.iter().all(|rule| !rule.validity.source.is_empty()));
        assert!(policy.periods.iter().all(|period| !period.validity.source.is_empty()));
        assert!(policy.bounds.iter().all(|bound| !bound.validity.source.is_empty()));
    }

    #[test]
    fn a_countys_own_line_counts_before_the_general_one_and_only_in_its_time() {
        let general = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\n\
                       threshold=5\nlevel='high'\nrisk='illness'\nanswer_days=10\n\
                       from='2020-01-01'\nsource='a'\n";
        let own =
            general.replace("name='t'\nversion=1\n", "").replace("threshold=5", "threshold=7");
        let own =
            own.replace("from='2020-01-01'", "area=431022\nfrom='2021-01-01'\nto='2021-12-31'");
        let policy = Policy::parse(&format!("{general}{own}")).unwrap();
        let threshold = |village, day| {
            let rules = policy.rules_for(&Facts::of(village), at(day));
            rules.iter().map(|rule| rule.threshold).collect::<Vec<_>>()
        };
        assert_eq!(threshold(VILLAGE, "2020-06-01"), [5]);
        assert_eq!(threshold(VILLAGE, "2021-06-01"), [7]);
        assert_eq!(threshold(VILLAGE, "2022-01-01"), [5]);
        assert_eq!(threshold(431_025_100_216, "2021-06-01"), [5]);
        assert!(threshold(VILLAGE, "2019-12-31").is_empty());
    }

    #[test]
    fn working_days_leave_out_weekends_and_holidays() {
        let mut policy = examples();
        // 2024-09-27 is a Friday.
        assert_eq!(policy.after_working_days(at("2024-09-27"), 2), at("2024-10-01"));
        policy.holidays = (1..=7).filter_map(|day| Day::new(2024, 10, day)).collect();
        assert_eq!(policy.after_working_days(at("2024-09-27"), 2), at("2024-10-08"));
    }

    #[test]
    fn a_bound_holds_in_its_area_and_unit() {
        let line = |min: i64, area: u64| {
            format!(
                "[[bound]]\nname='wage'\nmin={min}\nunit='fen'\narea={area}\n\
                 from='2020-01-01'\nsource='a'\n"
            )
        };
        let general = format!("name='t'\nversion=1\n{}", line(100, 0));
        let text = format!("{general}{}", line(300, 431_022));
        let policy = Policy::parse(&text).unwrap();
        let plausible = |value, village, day| {
            policy.bound(Quantity::Wage, village, at(day)).map(|bound| bound.contains(value))
        };
        assert_eq!(plausible(200, VILLAGE, "2020-06-01"), Some(false));
        assert_eq!(plausible(300, VILLAGE, "2020-06-01"), Some(true));
        assert_eq!(plausible(200, 431_025_100_216, "2020-06-01"), Some(true));
        assert_eq!(plausible(200, VILLAGE, "2019-12-31"), None);
        for (good, bad) in [("unit='fen'", "unit='yuan'"), ("min=100", "min=100\nmax=99")] {
            let said = Policy::parse(&general.replace(good, bad)).unwrap_err();
            assert_eq!(said, PolicyError::OutOfBounds("Wage".into()), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let said = |text: &str| Policy::parse(text).unwrap_err().to_string();
        assert!(said("name='t'\nversion=1\nrul=1").contains("rul"));
        assert!(said("name='t'\nversion=1\nholidays=['2024-02-30']").contains("2024-02-30"));
        let rule = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\nthreshold=0\n\
                    level='high'\nrisk='illness'\nanswer_days=1\nfrom='2020-01-01'\nsource='a'";
        assert!(said(rule).contains('m'));
    }
}
