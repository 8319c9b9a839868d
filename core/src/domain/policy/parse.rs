//! A policy file's text as the parameters it sets, each line checked for what nobody can mean. Must not know
//! what a parameter does.

use serde::Deserialize;

use super::{Bound, Clock, Group, Period, Policy, PolicyError, Quantity, Rule, Signal, Validity};
use crate::domain::day::Day;

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
