//! A policy file's text as the parameters it sets, each line checked for what nobody can mean. Must not know
//! what a parameter does.

use serde::Deserialize;

use super::{
    Amount, AmountName, Bound, Clock, Group, Period, Policy, PolicyError, Quantity, Rule, Signal,
    Threshold, Until, Validity, joined,
};
use crate::domain::day::Day;
use crate::domain::schema::Schema;

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
    #[serde(default)]
    amount: Vec<AmountLine>,
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
    #[serde(default)]
    until: Until,
    threshold: Threshold,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountLine {
    name: AmountName,
    value_fen: i64,
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
        let rules = file.rule.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        let periods = file.period.into_iter().map(period).collect::<Result<_, _>>()?;
        let bounds = file.bound.into_iter().map(bound).collect::<Result<_, _>>()?;
        let amounts = file.amount.into_iter().map(amount).collect::<Result<Vec<_>, _>>()?;
        let holidays = file.holidays.iter().map(|text| day(text)).collect::<Result<_, _>>()?;
        let version = format!("{}/{}", file.name, file.version);
        Ok(Self { version, rules, periods, bounds, amounts, holidays })
    }

    /// Whether every warning that it brings about can stand on a record: asked where it is published. A phone takes what
    /// holds.
    ///
    /// # Errors
    /// `OutOfBounds`: names what no warning can carry.
    pub fn can_be_recorded(&self) -> Result<(), PolicyError> {
        fits("rule_version", &self.version)?;
        self.rules.iter().try_for_each(|rule| can_be_recorded(rule, &self.amounts))
    }
}

fn rule(line: RuleLine) -> Result<Rule, PolicyError> {
    let RuleLine { id, signal, group, window_months, until, threshold, .. } = line;
    let RuleLine { level, risk, answer_days, .. } = line;
    let (Threshold::Fixed(number) | Threshold::Share { percent: number, .. }) = threshold;
    if number < 1 || !(1..=120).contains(&window_months) || !(0..=DAYS_MAX).contains(&answer_days) {
        return Err(PolicyError::OutOfBounds(id));
    }
    let validity = validity(line.area, &line.from, line.to.as_deref(), line.source)?;
    let rule = Rule {
        id,
        signal,
        group,
        window_months,
        until,
        threshold,
        level,
        risk,
        answer_days,
        validity,
    };
    Ok(rule)
}

/// Longest name of a rule: a warning's row is named after it and the month.
const RULE_CHARS_MAX: usize = 48;

/// A warning that no record takes would be one that nobody hears.
fn can_be_recorded(rule: &Rule, amounts: &[Amount]) -> Result<(), PolicyError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=RULE_CHARS_MAX).contains(&rule.id.len()) || !rule.id.chars().all(is_plain) {
        return Err(PolicyError::OutOfBounds(rule.id.clone()));
    }
    fits("level", &rule.level)?;
    fits("risk", &rule.risk)?;
    fits("source", &rule.validity.source)?;
    if let Threshold::Share { of, .. } = rule.threshold {
        let mut sources = amounts.iter().filter(|amount| amount.name == of);
        sources.try_for_each(|amount| fits("source", &joined(rule, amount)))?;
    }
    Ok(())
}

/// Whether a warning's field takes this.
fn fits(field: &str, text: &str) -> Result<(), PolicyError> {
    let checked = Schema::base().check("warnings", field, &text.into());
    checked.map_err(|_| PolicyError::OutOfBounds(text.to_owned()))
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

fn amount(line: AmountLine) -> Result<Amount, PolicyError> {
    let AmountLine { name, value_fen, .. } = line;
    if value_fen < 1 {
        return Err(PolicyError::OutOfBounds(format!("{name:?}")));
    }
    let validity = validity(line.area, &line.from, line.to.as_deref(), line.source)?;
    Ok(Amount { name, value_fen, validity })
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
