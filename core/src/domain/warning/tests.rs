//! Which rules fire, and what a warning says of itself.

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
fn an_answer_about_some_bills_says_nothing_of_others() {
    let policy = policy(5_000);
    let warned = |answer: &str, fen: i64| {
        let known = [
            ("rule", "m".into()),
            ("input", 3_230_000.into()),
            ("rows", "gone s".into()),
            ("fired_on", "2019-08-01".into()),
            ("answer", answer.into()),
        ];
        let stay = [
            ("kind", "medical".into()),
            ("inpatient", true.into()),
            ("to", "2020-02-10".into()),
            ("self_pay_fen", fen.into()),
        ];
        let facts =
            chen("lifted").with_row("warnings", "w", &known).with_row("spending", "t", &stay);
        !unheard(&facts, &policy, evaluate(&facts, &policy, today())).is_empty()
    };
    assert!(
        warned("no_risk", 500_000),
        "a stay that nobody was asked about crosses the line by itself"
    );
    assert!(!warned("no_risk", 499_999), "only with what was answered");
    assert!(!warned("", 500_000), "somebody is on the way");
}

#[test]
fn what_nobody_can_recognise_takes_no_other_bills_place() {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let warned = |from: &str, total: Option<i64>| {
        let total = total.map_or(Value::Null, Value::Int);
        let bill = |self_pay_fen: i64, withdrawn: bool| {
            [
                ("kind", "accident".into()),
                ("from", if from.is_empty() { Value::Null } else { from.into() }),
                ("to", "2020-02-01".into()),
                ("total_fen", total.clone()),
                ("self_pay_fen", self_pay_fen.into()),
                ("withdrawn", withdrawn.into()),
            ]
        };
        let known = [
            ("rule", "accident".into()),
            ("input", 1_500_000.into()),
            ("rows", "a".into()),
            ("fired_on", "2020-02-05".into()),
            ("answer", "no_risk".into()),
        ];
        let facts = Facts::of(VILLAGE)
            .with_row("spending", "a", &bill(1_500_000, true))
            .with_row("spending", "b", &bill(1_400_000, false))
            .with_row("warnings", "w", &known);
        let fired = evaluate(&facts, &policy, today());
        assert!(fired.iter().any(|warning| warning.rule == "accident"), "{fired:?}");
        unheard(&facts, &policy, fired).iter().any(|warning| warning.rule == "accident")
    };
    assert!(!warned("2020-01-20", Some(3_000_000)), "settled anew, and answered");
    assert!(
        warned("", Some(3_000_000)),
        "of no day it began: another accident, as far as anybody knows"
    );
    assert!(warned("2020-01-20", None), "of no total");
}

#[test]
fn an_answer_about_one_child_says_nothing_of_another() {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let child = [("birth_on", "2008-01-01".into()), ("dropped_out", true.into())];
    let known = |rows: &str| {
        let known = [
            ("rule", "not-at-school".into()),
            ("input", 1.into()),
            ("rows", rows.into()),
            ("fired_on", "2019-12-01".into()),
            ("answer", "confirmed".into()),
        ];
        let facts = Facts::of(VILLAGE).with_row("members", "b", &child);
        let facts = facts.with_row("warnings", "w", &known);
        unheard(&facts, &policy, evaluate(&facts, &policy, today())).len()
    };
    assert_eq!(
        (known("a"), known("b"), known("")),
        (1, 0, 0),
        "a sister, herself, nobody knows whom"
    );
}

#[test]
fn an_answer_about_one_income_says_nothing_of_a_lower_one() {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let warned = |known: &[(i64, &str, &str)], wage: i64| {
        let facts = Facts::of(VILLAGE).with_row("members", "a", &[("name", "某".into())]);
        let facts = known.iter().zip(1..).fold(facts, |facts, ((input, answer, on), n)| {
            let row = [
                ("rule", "income-line".into()),
                ("input", (*input).into()),
                ("fired_on", (*on).into()),
                ("answer", (*answer).into()),
            ];
            facts.with_row("warnings", &format!("w{n}"), &row)
        });
        let facts = facts.with("income", "wage_fen", wage);
        !unheard(&facts, &policy, evaluate(&facts, &policy, today())).is_empty()
    };
    let mistyped = (480_000, "no_risk", "2020-02-01");
    assert!(!warned(&[mistyped], 480_000), "of that somebody has said what it is");
    assert!(warned(&[mistyped], 30_000), "things have got worse");
    assert!(!warned(&[(480_000, "", "2020-02-01")], 30_000), "somebody is on the way");
    assert!(!warned(&[mistyped, (30_000, "", "2020-02-10")], 20_000));
    assert!(!warned(&[mistyped, (30_000, "no_risk", "2020-02-10")], 30_000));
    // A year later an answer says nothing any more; what nobody has answered still waits.
    assert!(warned(&[(480_000, "no_risk", "2019-02-01")], 480_000));
    assert!(!warned(&[(480_000, "", "2019-02-01")], 480_000));
}

#[test]
fn the_examples_see_what_they_are_for() {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let facts = Facts::of(VILLAGE)
        .with("living", "house_danger", "d")
        .with("guarantees", "water_state", "not_met")
        .with("income", "wage_fen", 900_000)
        .with_row("spending", "f", &[("kind", "disaster".into()), ("from", "2020-02-10".into())])
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
    let all =
        ["disaster", "income-line", "not-at-school", "uninsured", "unsafe-house", "unsafe-water"];
    assert_eq!(rules, all);
    let lifted = facts
        .clone()
        .with("class", "household_kind", "lifted")
        .with("income", "business_cost_fen", 1)
        .with("income", "business_fen", 0)
        .with_row("members", "a", &[("labour", "ordinary".into()), ("work_months", 5.into())]);
    let more: Vec<_> = evaluate(&lifted, &policy, today()).into_iter().map(|w| w.rule).collect();
    assert!(["without-work", "business-loss"].iter().all(|rule| more.iter().any(|r| r == rule)));
    let old = facts.clone().with("income", "window_end", "2018-12-31");
    let old = evaluate(&old, &policy, today());
    assert!(old.iter().all(|warning| warning.rule != "income-line"), "earned before the window");
    let merged = facts.with("basic", "status", "merged");
    assert!(evaluate(&merged, &policy, today()).is_empty());
}

#[test]
fn at_which_age_children_belong_at_school_is_said_by_the_policy() {
    let fires = |policy: &Policy, born: &str| {
        let child = [("birth_on", born.into()), ("school_stage", "not_student".into())];
        let facts = Facts::of(VILLAGE).with_row("members", "a", &child);
        let fired = evaluate(&facts, policy, today());
        fired.iter().any(|warning| warning.rule == "not-at-school")
    };
    let examples = Policy::parse(EXAMPLES_TOML).unwrap();
    let taught = |fields: &[(&str, Value)]| {
        let child = [&[("birth_on", "2006-02-20".into()), ("education", "junior".into())], fields];
        let facts = Facts::of(VILLAGE).with_row("members", "a", &child.concat());
        evaluate(&facts, &examples, today()).iter().any(|warning| warning.rule == "not-at-school")
    };
    assert!(!taught(&[("school_stage", "not_student".into())]), "14, and done with school");
    assert!(taught(&[("dropped_out", true.into())]), "junior school begun is no school done");
    assert!(fires(&examples, "2014-02-20") && !fires(&examples, "2014-02-21"), "6 and 5");
    let (aged_16, aged_17) = ("2003-02-21", "2003-02-20");
    assert!(fires(&examples, aged_16) && !fires(&examples, aged_17));
    let own = "[[bound]]\nname='school_age'\nmin=6\nmax=15\nunit='years'\n\
               area=431022\nfrom='2020-01-01'\nsource='宜章县'\n";
    let own = Policy::parse(&format!("{EXAMPLES_TOML}\n{own}")).unwrap();
    assert!(fires(&own, "2004-02-21") && !fires(&own, aged_16), "15 and 16");
    let mut without = examples;
    without.bounds.retain(|bound| bound.name != Quantity::SchoolAge);
    assert!(!fires(&without, "2010-01-01"), "nobody has said");
}

#[test]
fn who_counts_as_without_work_is_said_by_the_policy() {
    let fires = |policy: &Policy, born: &str, months: i64| {
        let person = [
            ("labour", "ordinary".into()),
            ("birth_on", born.into()),
            ("work_months", months.into()),
        ];
        let lifted = Facts::of(VILLAGE).with("class", "household_kind", "lifted");
        let fired = evaluate(&lifted.with_row("members", "a", &person), policy, today());
        fired.iter().any(|warning| warning.rule == "without-work")
    };
    let examples = Policy::parse(EXAMPLES_TOML).unwrap();
    assert!(fires(&examples, "1980-01-01", 5) && !fires(&examples, "1980-01-01", 6));
    let (aged_59, aged_60) = ("1960-02-21", "1960-02-20");
    assert!(fires(&examples, aged_59, 5) && !fires(&examples, aged_60, 5));
    assert!(fires(&examples, "2002-02-20", 5) && !fires(&examples, "2002-02-21", 5), "18 and 17");
    // A county's own lines.
    let own = |line: &str| {
        let place = "area=431022\nfrom='2020-01-01'\nsource='宜章县'\n";
        Policy::parse(&format!("{EXAMPLES_TOML}\n[[bound]]\n{line}\n{place}")).unwrap()
    };
    let four_months = own("name='work_months'\nmin=4\nunit='months'");
    assert!(fires(&four_months, aged_59, 3) && !fires(&four_months, aged_59, 5));
    let up_to_64 = own("name='working_age'\nmin=16\nmax=64\nunit='years'");
    assert!(fires(&up_to_64, aged_60, 5));
    // Where nobody has published who is expected to work, and how long, nobody is without work.
    for name in [Quantity::WorkingAge, Quantity::WorkMonths] {
        let mut without = examples.clone();
        without.bounds.retain(|bound| bound.name != name);
        assert!(!fires(&without, "1980-01-01", 0), "{name:?}");
    }
}
