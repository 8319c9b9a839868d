//! Warnings (预警): which rules fire for a household on a day, and with which figures. The same module answers
//! on phone and server. Must not know where bills came from or what is done about a warning.

use std::collections::BTreeSet;

use super::day::Day;
use super::facts::{Facts, IncomePart, Row};
use super::policy::{Bound, Policy, Quantity, Rule, Signal};
use super::value::Value;

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Warning {
    /// Its row among a household's warnings: the rule and the month, so that whoever finds it finds one.
    pub row: String,
    /// The rule.
    pub rule: String,
    /// Name and version of the policy the rule is from.
    pub rule_version: String,
    /// Code of `risk_level`.
    pub level: String,
    /// Code of `risk`.
    pub risk: String,
    /// What the signal came to.
    pub input: i64,
    /// The rows that were added up or counted; empty where the signal reads single fields.
    pub rows: Vec<String>,
    /// The line it was held against.
    pub threshold: i64,
    /// Whether both are amounts in fen. Else they count people, or say yes (1).
    pub is_in_fen: bool,
    /// Where the line is written.
    pub source: String,
    /// The day it was asked on: with it, the policy and the facts of that day the rule fires again.
    pub fired_on: Day,
    /// The last day for an answer.
    pub due_on: Day,
}

/// The warnings of a household on a day, by rule. What was warned of before is not left out: see
/// [`unheard`].
pub fn evaluate(facts: &Facts, policy: &Policy, today: Day) -> Vec<Warning> {
    if !facts.is_active() {
        return Vec::new();
    }
    let rules = policy.rules_for(facts, today).into_iter();
    let warnings = rules.filter_map(|rule| {
        let (reading, line) = fired(facts, policy, rule, today)?;
        Some(warning(rule, &policy.version, reading, line, today))
    });
    warnings.collect()
}

/// Whether what a household earned a person reaches every line that holds for it on a day. `None` where nothing is on record of the
/// months that a line looks back on: an income that does not say until when it was earned can be below the line, and reach none.
pub(crate) fn reaches_income_lines(facts: &Facts, policy: &Policy, today: Day) -> Option<bool> {
    let rules = policy.rules_for(facts, today).into_iter();
    let until = facts.day("income", "window_end");
    let mut reached = Some(true);
    for rule in rules.filter(|rule| rule.signal == Signal::IncomeBelow) {
        match (read(facts, policy, rule, today), fired(facts, policy, rule, today)) {
            (_, Some(_)) => return Some(false),
            (Some(_), None) if until.is_some_and(|until| until <= today) => {}
            (None | Some(_), None) => reached = None,
        }
    }
    reached
}

/// What a rule's signal comes to and the line it is held against with its source, where it fires.
fn fired(
    facts: &Facts,
    policy: &Policy,
    rule: &Rule,
    today: Day,
) -> Option<(Reading, (i64, String))> {
    let reading = read(facts, policy, rule, today)?;
    let line = policy.line(rule, facts.village, today)?;
    fires(rule.signal, line.0, reading.input).then_some((reading, line))
}

/// Whether any household, anywhere, might be warned for these bills alone. Far cheaper to ask than whether this one is.
pub fn may_follow(bills: &Facts, policy: &Policy, today: Day) -> bool {
    let mut rules = policy.rules.iter().filter(|rule| rule.signal.is_of_bills());
    rules.any(|rule| {
        let reading = read(bills, policy, rule, today).zip(policy.least_line(rule));
        reading.is_some_and(|(reading, least)| fires(rule.signal, least, reading.input))
    })
}

/// Whether a warning on record waits for an answer.
pub fn is_open(warning: &Row) -> bool {
    warning.text("answer").is_empty() && !warning.tick("withdrawn")
}

/// Whether a warning on record says what this one says.
pub fn is_alike(known: &Row, warning: &Warning) -> bool {
    // The order of rows is that in which they came to the record.
    let rows: BTreeSet<&str> = known.text("rows").split_whitespace().collect();
    rows == warning.rows.iter().map(String::as_str).collect()
        && known.text("rule") == warning.rule
        && known.int("input") == Some(warning.input)
        && known.int("threshold") == Some(warning.threshold)
        && known.text("source") == warning.source
        && known.day("due_on") == Some(warning.due_on)
}

/// Those of `fired` that nobody was warned of yet: no warning of the rule waits for an answer or was answered within its
/// window, or things have got worse since, or what fires is none of what was answered. `facts` are those that fired.
pub fn unheard(facts: &Facts, policy: &Policy, fired: Vec<Warning>) -> Vec<Warning> {
    unheard_beyond(facts, policy, fired, |answered| {
        let rested = rested(facts, answered);
        (!rested.is_empty()).then(|| without(facts.clone(), &rested))
    })
}

/// The same where the caller knows more of what answered warnings rest on than their rows: `beyond` are the facts without it, none
/// where that cannot be told.
pub fn unheard_beyond(
    facts: &Facts,
    policy: &Policy,
    fired: Vec<Warning>,
    beyond: impl Fn(&[&Row]) -> Option<Facts>,
) -> Vec<Warning> {
    let is_known = |warning: &Warning| {
        let rule = policy.rules.iter().find(|rule| rule.id == warning.rule);
        let months = rule.map_or(12, |rule| rule.window_months);
        let since = warning.fired_on.plus_months(-months_back(months));
        let is_recent = |known: &Row| known.day("fired_on").is_some_and(|day| day > since);
        let said = |known: &&Row| {
            known.text("rule") == warning.rule
                && !known.tick("withdrawn")
                && (is_open(known) || is_recent(known))
        };
        let known: Vec<&Row> = facts.rows("warnings").iter().filter(said).collect();
        let is_worse = |known: &Row| rule.is_some_and(|rule| is_worse(rule.signal, known, warning));
        let is_waiting = known.iter().any(|known| is_open(known));
        let fires = |facts: &Facts| {
            let again = evaluate(facts, policy, warning.fired_on);
            again.iter().any(|again| again.rule == warning.rule)
        };
        known.iter().any(|known| !is_worse(known))
            && (is_waiting || !beyond(&known).is_some_and(|facts| fires(&facts)))
    };
    let mut unheard: Vec<Warning> =
        fired.into_iter().filter(|warning| !is_known(warning)).collect();
    for warning in &mut unheard {
        let taken = |row: &str| facts.row("warnings", row).is_some();
        // A warning that was withdrawn keeps its row.
        let rows = (2..).map(|number| format!("{}-{number}", warning.row));
        let free = std::iter::once(warning.row.clone()).chain(rows).find(|row| !taken(row));
        warning.row = free.unwrap_or_default();
    }
    unheard
}

/// The rows that answered warnings rest on; for a bill that its source has taken back since, also what it has put in its place.
pub fn rested<'f>(facts: &'f Facts, answered: &[&'f Row]) -> Vec<&'f str> {
    let rows = answered.iter().flat_map(|warning| warning.text("rows").split_whitespace());
    let mut rested: Vec<&str> = rows.collect();
    let (mut taken_back, standing): (Vec<&Row>, Vec<&Row>) =
        facts.rows("spending").iter().partition(|bill| bill.tick("withdrawn"));
    taken_back.retain(|bill| rested.contains(&bill.id.as_str()));
    let is_instead = |bill: &Row, known: &Row| {
        known.text("member") == bill.text("member")
            && is_same_stay(|field| known.get(field), |field| bill.get(field))
    };
    let instead = |bill: &&Row| taken_back.iter().any(|known| is_instead(bill, known));
    rested.extend(standing.into_iter().filter(instead).map(|bill| bill.id.as_str()));
    rested
}

/// Whether two bills of one person, each by its fields, tell of one stay or visit. One that has no day or no total nobody can
/// recognise.
pub fn is_same_stay<'o, 't>(
    one: impl Fn(&str) -> Option<&'o Value>,
    other: impl Fn(&str) -> Option<&'t Value>,
) -> bool {
    ["from", "total_fen"].into_iter().all(|field| one(field).is_some())
        && ["kind", "from", "to", "total_fen"].into_iter().all(|field| one(field) == other(field))
}

/// The facts without bills and people of these rows.
pub fn without(facts: Facts, rows: &[&str]) -> Facts {
    ["spending", "members"].into_iter().fold(facts, |facts, of| facts.without_rows(of, rows))
}

/// Whether a figure is so much worse than it was that somebody has to hear of it once more: by a whole line where it counts
/// what was lost; at all where it counts what is earned, once the warning of before was answered.
fn is_worse(signal: Signal, known: &Row, warning: &Warning) -> bool {
    let before = known.int("input").unwrap_or(0);
    match signal {
        Signal::IncomeBelow => !is_open(known) && warning.input < before,
        Signal::MedicalSelfPay
        | Signal::InpatientSelfPay
        | Signal::SingleStaySelfPay
        | Signal::SchoolingSelfPay
        | Signal::DisasterLoss
        | Signal::AccidentLoss
        | Signal::ChildrenNotAtSchool
        | Signal::WithoutWork
        | Signal::BusinessLoss
        | Signal::UnsafeHouse
        | Signal::UnsafeWater
        | Signal::Uninsured => warning.input.saturating_sub(before) >= warning.threshold,
    }
}

fn months_back(months: u32) -> i32 {
    i32::try_from(months).unwrap_or(i32::MAX)
}

struct Reading {
    input: i64,
    rows: Vec<String>,
}

fn fires(signal: Signal, threshold: i64, input: i64) -> bool {
    match signal {
        Signal::IncomeBelow => input < threshold,
        Signal::MedicalSelfPay
        | Signal::InpatientSelfPay
        | Signal::SingleStaySelfPay
        | Signal::SchoolingSelfPay
        | Signal::DisasterLoss
        | Signal::AccidentLoss
        | Signal::ChildrenNotAtSchool
        | Signal::WithoutWork
        | Signal::BusinessLoss
        | Signal::UnsafeHouse
        | Signal::UnsafeWater
        | Signal::Uninsured => input >= threshold,
    }
}

fn warning(
    rule: &Rule,
    version: &str,
    reading: Reading,
    (threshold, source): (i64, String),
    today: Day,
) -> Warning {
    let (year, month, _) = today.civil();
    Warning {
        row: format!("{}-{year:04}{month:02}", rule.id.replace('.', "-")),
        rule: rule.id.clone(),
        rule_version: version.to_owned(),
        level: rule.level.clone(),
        risk: rule.risk.clone(),
        input: reading.input,
        rows: reading.rows,
        threshold,
        is_in_fen: rule.signal.is_in_fen(),
        source,
        fired_on: today,
        due_on: today.plus_days(rule.answer_days),
    }
}

/// What the signal comes to; `None` where nothing on record speaks to it.
fn read(facts: &Facts, policy: &Policy, rule: &Rule, today: Day) -> Option<Reading> {
    let (from, until) = rule.until.window(today, months_back(rule.window_months));
    let window = Window { from, until };
    let bills = |kind: &'static str| {
        let rows = facts.rows("spending").iter();
        rows.filter(move |row| {
            row.text("kind") == kind && !row.tick("withdrawn") && window.holds(row)
        })
    };
    // What was earned before the months looked back on says nothing of them.
    let is_recent = || facts.day("income", "window_end").is_none_or(|end| end > window.from);
    match rule.signal {
        Signal::MedicalSelfPay => sum(bills("medical"), self_pay),
        Signal::InpatientSelfPay => sum(bills("medical").filter(|b| b.tick("inpatient")), self_pay),
        Signal::SingleStaySelfPay => {
            let stays = bills("medical").filter(|bill| bill.tick("inpatient"));
            let largest = stays.max_by_key(|bill| (self_pay(bill), std::cmp::Reverse(&bill.id)))?;
            Some(Reading { input: self_pay(largest), rows: vec![largest.id.clone()] })
        }
        Signal::SchoolingSelfPay => sum(bills("schooling"), self_pay),
        Signal::DisasterLoss => sum(bills("disaster"), loss),
        Signal::AccidentLoss => sum(bills("accident"), loss),
        Signal::IncomeBelow => {
            let input = facts.net_income_per_person_fen()?;
            is_recent().then(|| Reading { input, rows: Vec::new() })
        }
        Signal::BusinessLoss => {
            let of = |field| facts.int("income", field);
            let input = of("business_cost_fen")?
                .saturating_sub(facts.income_part_fen(IncomePart::Business)?);
            (input > 0 && is_recent()).then(|| Reading { input, rows: Vec::new() })
        }
        Signal::ChildrenNotAtSchool => {
            let ages = policy.bound(Quantity::SchoolAge, facts.village, today);
            count(facts, |person| is_truant(person, ages, today))
        }
        Signal::WithoutWork => without_work(facts, policy, today),
        Signal::UnsafeHouse => single(matches!(facts.text("living", "house_danger"), "c" | "d")),
        Signal::UnsafeWater => {
            let is_known_unsafe = facts.get("living", "water_safe") == Some(&Value::Bool(false));
            single(is_known_unsafe || facts.text("guarantees", "water_state") == "not_met")
        }
        Signal::Uninsured => count(facts, |person| {
            // An unticked box that nobody touched says nothing.
            person.get("insured_resident").is_some()
                && !person.tick("insured_resident")
                && !person.tick("insured_employee")
        }),
    }
}

/// The days looked back on.
#[derive(Clone, Copy)]
struct Window {
    from: Day,
    until: Day,
}

impl Window {
    /// Whether a bill's last day lies in it; one without a day does not.
    fn holds(self, bill: &Row) -> bool {
        let day = bill.day("to").or_else(|| bill.day("from"));
        day.is_some_and(|day| self.from < day && day <= self.until)
    }
}

fn sum<'a>(bills: impl Iterator<Item = &'a Row>, of: fn(&Row) -> i64) -> Option<Reading> {
    let mut reading = Reading { input: 0, rows: Vec::new() };
    for bill in bills {
        reading.input = reading.input.saturating_add(of(bill));
        reading.rows.push(bill.id.clone());
    }
    (!reading.rows.is_empty()).then_some(reading)
}

/// What was paid out of the own pocket: as stated, else what no insurance and no aid paid.
pub fn self_pay(bill: &Row) -> i64 {
    bill.int("self_pay_fen").unwrap_or_else(|| {
        let paid = ["basic_insurance_fen", "serious_insurance_fen", "assistance_fen"];
        let paid = paid.map(|field| bill.int(field).unwrap_or(0));
        let total = bill.int("total_fen").unwrap_or(0);
        paid.iter().fold(total, |left, paid| left.saturating_sub(*paid)).max(0)
    })
}

fn loss(bill: &Row) -> i64 {
    self_pay(bill).max(1)
}

fn count(facts: &Facts, holds: impl Fn(&Row) -> bool) -> Option<Reading> {
    let rows: Vec<String> =
        facts.people().filter(|person| holds(person)).map(|person| person.id.clone()).collect();
    let input = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    (input > 0).then_some(Reading { input, rows })
}

/// Those able to work, and of an age for it, who are on record as having worked fewer months than is expected of them.
fn without_work(facts: &Facts, policy: &Policy, today: Day) -> Option<Reading> {
    let bound = |name| policy.bound(name, facts.village, today);
    let ages = bound(Quantity::WorkingAge)?;
    let expected = bound(Quantity::WorkMonths)?.min?;
    count(facts, |person| {
        matches!(person.text("labour"), "ordinary" | "skilled")
            && age(person, today).is_some_and(|age| ages.contains(age.into()))
            && !is_at_school(person)
            && person.int("work_months").is_some_and(|months| months < expected)
    })
}

fn single(holds: bool) -> Option<Reading> {
    holds.then(|| Reading { input: 1, rows: Vec::new() })
}

/// The age of a person, from the birth date on record or the one the identity number states.
pub fn age(person: &Row, today: Day) -> Option<i32> {
    let stated = || person.identity_number().map(|number| number.birth_on());
    let born = person.day("birth_on").or_else(stated)?;
    Some(born.years_until(today)).filter(|age| (0..150).contains(age))
}

/// Whether a school stage is on record.
pub fn is_at_school(person: &Row) -> bool {
    !matches!(person.text("school_stage"), "" | "not_student")
}

/// Of an age for school, which is not done. Nobody is where no policy says at which age school is compulsory.
pub fn belongs_at_school(person: &Row, ages: Option<&Bound>, today: Day) -> bool {
    is_of_school_age(person, ages, today)
        && !matches!(person.text("education"), "junior" | "senior" | "vocational")
}

/// Of school age, and on record as having dropped out, or as not at school and not because school is done: what somebody
/// learned is often written down as what they began.
pub fn is_truant(person: &Row, ages: Option<&Bound>, today: Day) -> bool {
    let has_dropped_out = person.tick("dropped_out") && is_of_school_age(person, ages, today);
    let is_at_none = person.text("school_stage") == "not_student";
    has_dropped_out || (is_at_none && belongs_at_school(person, ages, today))
}

fn is_of_school_age(person: &Row, ages: Option<&Bound>, today: Day) -> bool {
    let is_aged = |ages: &Bound| age(person, today).is_some_and(|age| ages.contains(age.into()));
    ages.is_some_and(is_aged)
}

#[cfg(test)]
mod tests;
