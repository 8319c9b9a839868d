//! Warnings (预警): which rules fire for a household on a day, and with which figures. The same module answers
//! on phone and server. Must not know where bills came from or what is done about a warning.

use super::day::Day;
use super::facts::{Facts, Row};
use super::policy::{Policy, Rule, Signal};

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
    /// What the signal came to, in its unit.
    pub input: i64,
    /// The rows that were added up or counted; empty where the signal reads single fields.
    pub rows: Vec<String>,
    /// The line it was held against.
    pub threshold: i64,
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
    let fired = policy.rules_for(facts, today).into_iter().filter_map(|rule| {
        let reading = read(facts, rule, today)?;
        fires(rule, reading.input).then(|| warning(rule, &policy.version, reading, today))
    });
    fired.collect()
}

/// Whether any household, anywhere, might be warned for these bills alone. Far cheaper to ask than whether this one is.
pub fn may_follow(bills: &Facts, policy: &Policy, today: Day) -> bool {
    let mut rules = policy.rules.iter().filter(|rule| rule.signal.is_of_bills());
    rules.any(|rule| read(bills, rule, today).is_some_and(|reading| fires(rule, reading.input)))
}

/// Whether a warning on record waits for an answer.
pub fn is_open(warning: &Row) -> bool {
    warning.text("answer").is_empty() && !warning.tick("withdrawn")
}

/// Those of `fired` that nobody was warned of yet: no warning of the rule in its window, or one of which the
/// figure has grown by a whole threshold since.
pub fn unheard(facts: &Facts, policy: &Policy, fired: Vec<Warning>) -> Vec<Warning> {
    let is_known = |warning: &Warning| {
        let window = policy.rules.iter().find(|rule| rule.id == warning.rule);
        let months = window.map_or(12, |rule| rule.window_months);
        let since = warning.fired_on.plus_months(-months_back(months));
        facts.rows("warnings").iter().any(|known| {
            let grown = warning.input.saturating_sub(known.int("input").unwrap_or(0));
            known.text("rule") == warning.rule
                && known.day("fired_on").is_some_and(|day| day > since)
                && !known.tick("withdrawn")
                && grown < warning.threshold
        })
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

fn months_back(months: u32) -> i32 {
    i32::try_from(months).unwrap_or(i32::MAX)
}

struct Reading {
    input: i64,
    rows: Vec<String>,
}

fn fires(rule: &Rule, input: i64) -> bool {
    match rule.signal {
        Signal::IncomeBelow => input < rule.threshold,
        Signal::MedicalSelfPay
        | Signal::InpatientSelfPay
        | Signal::SingleStaySelfPay
        | Signal::SchoolingSelfPay
        | Signal::DisasterLoss
        | Signal::AccidentLoss
        | Signal::ChildrenNotAtSchool
        | Signal::WithoutWork
        | Signal::UnsafeHouse
        | Signal::UnsafeWater
        | Signal::Uninsured => input >= rule.threshold,
    }
}

fn warning(rule: &Rule, version: &str, reading: Reading, today: Day) -> Warning {
    let (year, month, _) = today.civil();
    Warning {
        row: format!("{}-{year:04}{month:02}", rule.id.replace('.', "-")),
        rule: rule.id.clone(),
        rule_version: version.to_owned(),
        level: rule.level.clone(),
        risk: rule.risk.clone(),
        input: reading.input,
        rows: reading.rows,
        threshold: rule.threshold,
        source: rule.validity.source.clone(),
        fired_on: today,
        due_on: today.plus_days(rule.answer_days),
    }
}

/// What the signal comes to; `None` where nothing on record speaks to it.
fn read(facts: &Facts, rule: &Rule, today: Day) -> Option<Reading> {
    let window = Window { from: today.plus_months(-months_back(rule.window_months)), today };
    let bills = |kind: &'static str| {
        let rows = facts.rows("spending").iter();
        rows.filter(move |row| {
            row.text("kind") == kind && !row.tick("withdrawn") && window.holds(row)
        })
    };
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
            Some(Reading { input, rows: Vec::new() })
        }
        Signal::ChildrenNotAtSchool => count(facts, |person| is_truant(person, today)),
        Signal::WithoutWork => count(facts, |person| {
            matches!(person.text("labour"), "ordinary" | "skilled")
                && is_aged(person, 18..=59, today)
                && !is_at_school(person)
                && person.int("work_months").is_some_and(|months| months < 6)
        }),
        Signal::UnsafeHouse => single(matches!(facts.text("living", "house_danger"), "c" | "d")),
        Signal::UnsafeWater => single(facts.text("guarantees", "water_state") == "not_met"),
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
    today: Day,
}

impl Window {
    /// Whether a bill's last day lies in it; one without a day does not.
    fn holds(self, bill: &Row) -> bool {
        let day = bill.day("to").or_else(|| bill.day("from"));
        day.is_some_and(|day| self.from < day && day <= self.today)
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

fn single(holds: bool) -> Option<Reading> {
    holds.then(|| Reading { input: 1, rows: Vec::new() })
}

/// The age of a person, from the birth date on record or the one the identity number states.
pub fn age(person: &Row, today: Day) -> Option<i32> {
    let stated = || person.identity_number().map(|number| number.birth_on());
    let born = person.day("birth_on").or_else(stated)?;
    Some(born.years_until(today)).filter(|age| (0..150).contains(age))
}

/// Whether somebody's age lies in a range; unknown ages lie in none.
pub fn is_aged(person: &Row, ages: std::ops::RangeInclusive<i32>, today: Day) -> bool {
    age(person, today).is_some_and(|age| ages.contains(&age))
}

/// Whether a school stage is on record.
pub fn is_at_school(person: &Row) -> bool {
    !matches!(person.text("school_stage"), "" | "not_student")
}

/// Years of age in which school is compulsory.
pub const COMPULSORY_AGES: std::ops::RangeInclusive<i32> = 6..=16;

/// Of school age, on record as not at school, and not because school is done.
fn is_truant(person: &Row, today: Day) -> bool {
    is_aged(person, COMPULSORY_AGES, today)
        && person.text("school_stage") == "not_student"
        && !matches!(person.text("education"), "junior" | "senior" | "vocational")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::EXAMPLES_TOML;

    const VILLAGE: u64 = 431_022_208_217;

    /// A1: self-paid about 12,000 yuan by February 2020, lifted household.
    fn chen(kind: &str) -> Facts {
        Facts::of(VILLAGE).with("class", "household_kind", kind).with_row(
            "spending",
            "s",
            &[
                ("kind", "medical".into()),
                ("inpatient", true.into()),
                ("from", "2019-07-01".into()),
                ("to", "2020-02-01".into()),
                ("total_fen", 9_000_000.into()),
                ("basic_insurance_fen", 7_800_000.into()),
            ],
        )
    }

    fn policy(threshold_yuan: i64) -> Policy {
        Policy::parse(&format!(
            "name='t'\nversion=3\n[[rule]]\nid='m'\nsignal='inpatient_self_pay'\n\
             group='lifted_or_monitored'\nthreshold={}\nlevel='high'\nrisk='illness'\n\
             answer_days=10\nfrom='2020-01-01'\nsource='文件'",
            threshold_yuan * 100
        ))
        .unwrap()
    }

    fn today() -> Day {
        "2020-02-20".parse().unwrap()
    }

    #[test]
    fn one_bill_four_published_lines() {
        let fires = |yuan| !evaluate(&chen("lifted"), &policy(yuan), today()).is_empty();
        assert_eq!([5_000, 10_000, 20_000, 26_000].map(fires), [true, true, false, false]);
        assert!(evaluate(&chen("general"), &policy(5_000), today()).is_empty(), "another group");
        let late = "2021-02-02".parse().unwrap();
        assert!(evaluate(&chen("lifted"), &policy(5_000), late).is_empty(), "a year later");
    }

    #[test]
    fn a_warning_says_why_and_can_be_replayed() {
        let fired = evaluate(&chen("lifted"), &policy(5_000), today());
        let warning = &fired[0];
        assert_eq!((warning.input, warning.threshold), (1_200_000, 500_000));
        assert_eq!((warning.rule_version.as_str(), warning.source.as_str()), ("t/3", "文件"));
        assert_eq!(warning.rows, ["s"]);
        assert_eq!(warning.due_on.to_string(), "2020-03-01");
        assert_eq!(evaluate(&chen("lifted"), &policy(5_000), warning.fired_on), fired);
    }

    #[test]
    fn nobody_is_warned_twice_of_the_same() {
        let warned = |input: i64, answer: &str, withdrawn: bool| {
            let facts = chen("lifted").with_row(
                "warnings",
                "w",
                &[
                    ("rule", "m".into()),
                    ("input", input.into()),
                    ("fired_on", "2020-02-01".into()),
                    ("answer", answer.into()),
                    ("withdrawn", withdrawn.into()),
                ],
            );
            let policy = policy(5_000);
            !unheard(&facts, &policy, evaluate(&facts, &policy, today())).is_empty()
        };
        assert!(!warned(1_200_000, "", false));
        assert!(!warned(1_200_000, "no_risk", false));
        assert!(warned(600_000, "confirmed", false), "it has grown by more than the line since");
        assert!(warned(1_200_000, "", true), "the file behind it was wrong");
    }

    #[test]
    fn the_examples_see_what_they_are_for() {
        let policy = Policy::parse(EXAMPLES_TOML).unwrap();
        let facts = Facts::of(VILLAGE)
            .with("living", "house_danger", "d")
            .with("guarantees", "water_state", "not_met")
            .with("income", "wage_fen", 900_000)
            .with_row(
                "spending",
                "f",
                &[("kind", "disaster".into()), ("from", "2020-02-10".into())],
            )
            .with_row(
                "members",
                "a",
                &[("insured_resident", false.into()), ("birth_on", "1980-01-01".into())],
            )
            .with_row(
                "members",
                "b",
                &[("birth_on", "2010-01-01".into()), ("school_stage", "not_student".into())],
            );
        let mut rules: Vec<String> =
            evaluate(&facts, &policy, today()).into_iter().map(|warning| warning.rule).collect();
        rules.sort();
        let all = [
            "disaster",
            "income-line",
            "not-at-school",
            "uninsured",
            "unsafe-house",
            "unsafe-water",
        ];
        assert_eq!(rules, all);
        let merged = facts.with("basic", "status", "merged");
        assert!(evaluate(&merged, &policy, today()).is_empty());
    }
}
