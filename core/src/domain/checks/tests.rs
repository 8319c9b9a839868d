//! Each check fires on a household made for it and not after one value is changed; no finding tells a number
//! that is nobody else's business.

use std::convert::Infallible;

use super::*;
use crate::domain::policy::EXAMPLES_TOML;
use crate::domain::schema::{FieldKind, Sensitivity};
use crate::domain::value::Value;
use crate::domain::workflow::{Case, Stage};
use proptest::prelude::*;

use lines::{lines, lines_of_others};

mod lines;

const VILLAGE: u64 = 431_022_208_217;
/// The example of GB 11643-1999: a woman born on 1949-12-31.
const NUMBER: &str = "11010519491231002X";
/// Of somebody who lives in another household as well.
const NUMBER_ELSEWHERE: &str = "110105194912310038";
/// That household.
const ELSEWHERE: HouseholdId = HouseholdId([7; 16]);

fn today() -> Day {
    "2024-10-01".parse().unwrap()
}

fn policy() -> Policy {
    Policy::parse(EXAMPLES_TOML).unwrap()
}

fn found(facts: &Facts) -> Vec<Finding> {
    let lives_elsewhere = |number: &IdentityNumber| number.as_str() == NUMBER_ELSEWHERE;
    let other = |number: &IdentityNumber| {
        Ok::<_, Infallible>(lives_elsewhere(number).then_some(Elsewhere::In(ELSEWHERE)))
    };
    let mut findings = checks(facts, &policy(), today());
    findings.extend(elsewhere(facts, other).unwrap());
    let reaches = |account: &str| Ok::<_, Infallible>(account == "li");
    findings.extend(out_of_reach(facts, today(), reaches).unwrap());
    findings
}

fn household() -> Facts {
    Facts::of(VILLAGE)
}

fn member(fields: &[(&str, Value)]) -> Facts {
    household().with_row("members", "m", fields)
}

fn risk(code: &str, fields: &[(&str, Value)]) -> Facts {
    member(fields).with("class", "risk_2", code)
}

fn open(fields: &[(&str, Value)]) -> Facts {
    member(fields).with("class", "monitored_kind", "marginal").with(
        "case",
        "identified_on",
        "2024-03-01",
    )
}

fn measure(kind: &str, status: &str) -> [(&'static str, Value); 2] {
    [("kind", kind.into()), ("status", status.into())]
}

/// Carried over as monitored on 2024-03-01 and closed on the day given.
fn closed(on: &str) -> Facts {
    let mut facts = household().with("class", "monitored_kind", "marginal").with_row(
        "cadres",
        "c",
        &[("name", "李明".into()), ("from", "2024-03-01".into())],
    );
    facts = step(facts, Stage::Monitored, "2024-03-01");
    facts = WAY_OUT.into_iter().fold(facts, |facts, stage| step(facts, stage, on));
    assert_eq!(Case::of(&facts).stage(), Some(Stage::Closed));
    facts
}

const WAY_OUT: [Stage; 7] = [
    Stage::ToClose,
    Stage::Verified,
    Stage::Appraised,
    Stage::OnNotice,
    Stage::TownshipCheck,
    Stage::CountyDecision,
    Stage::Closed,
];

/// The next step of a case.
fn step(facts: Facts, stage: Stage, on: &str) -> Facts {
    let after = Case::of(&facts).last_step().to_owned();
    let id = format!("{:02}", facts.rows("steps").len());
    let fields = [("state", stage.code().into()), ("after", after.into()), ("on", on.into())];
    facts.with_row("steps", &id, &fields)
}

#[test]
fn every_check_fires_and_one_value_sets_it_right() {
    for (check, facts, subject, (container, row, field, value)) in lines() {
        let of = |facts: &Facts| {
            found(facts).into_iter().filter(|f| f.check == check).collect::<Vec<_>>()
        };
        let fired = of(&facts);
        assert_eq!(fired.len(), 1, "{check:?}: {:?}", found(&facts));
        assert_eq!(fired[0].subject, subject, "{check:?}");
        let mut right = facts.clone();
        right.set(container, row, field, value);
        assert_eq!(of(&right), [], "{check:?} after {container}.{field}");
        assert_eq!(found(&facts.with("basic", "status", "merged")), [], "a record out of use");
    }
    for check in Check::ALL {
        assert!(lines().iter().any(|line| line.0 == check), "{check:?} is never tried");
    }
}

#[test]
fn every_finding_is_explained_in_both_languages() {
    for (check, facts, ..) in lines() {
        for finding in found(&facts).iter().filter(|finding| finding.check == check) {
            let (zh, en) = explain(finding);
            let template = words("check", check.code()).unwrap();
            for (text, template) in [(&zh, &template.zh), (&en, &template.en)] {
                assert!(!text.is_empty() && !text.contains(['{', '}']), "{check:?}: {text}");
                let shown = |input: &&CheckInput| template.contains(&format!("{{{}}}", input.name));
                let unshown = finding.inputs.iter().find(|input| !shown(input));
                assert!(
                    unshown.is_none_or(|input| input.name == "other"),
                    "{check:?}: {unshown:?}"
                );
            }
        }
    }
    let land = household().with("living", "forest_centimu", 34_567);
    let (zh, en) = explain(&found(&land)[0]);
    assert_eq!(zh, "林地面积为345.67亩,请核对面积和单位");
    assert_eq!(en, "forest: 345.67 mu; check area and unit");
}

#[test]
fn a_clue_that_is_known_names_the_earlier_one_and_stands_alone_where_that_is_answered() {
    let (_, waiting, ..) = lines_of_others().swap_remove(0);
    let (zh, en) = explain(&found(&waiting)[0]);
    assert_eq!(zh, "同一对象、同一风险已有线索正在核查:部门筛查 2024-09-02");
    assert!(en.ends_with("is being looked into already: department 2024-09-02"), "{en}");
    for (field, value) in [("risk", "schooling"), ("member", "n"), ("withdrawn", "")] {
        let value = if value.is_empty() { Value::Bool(true) } else { value.into() };
        let others = waiting.clone().with_row("clues", "s", &[(field, value)]);
        assert_eq!(found(&others), [], "{field}");
    }
    let unsaid = waiting.with_row("clues", "n", &[("risk", Value::Null)]);
    assert_eq!(found(&unsaid.with_row("clues", "s", &[("risk", Value::Null)])), []);
}

#[test]
fn where_else_somebody_lives_is_named_only_to_those_who_may_know() {
    let facts = member(&[("identity_number", NUMBER.into())]);
    let told = |home: Option<Elsewhere>| {
        let findings = elsewhere(&facts, |_| Ok::<_, Infallible>(home)).unwrap();
        findings.iter().map(explain).next()
    };
    assert_eq!(told(None), None);
    let id = ELSEWHERE.to_string();
    let (zh, en) = told(Some(Elsewhere::In(ELSEWHERE))).unwrap();
    assert_eq!(zh, format!("该成员同时登记在另一户:{id}"));
    assert!(en.ends_with(&id), "{en}");
    let (zh, en) = told(Some(Elsewhere::OutOfSight)).unwrap();
    assert_eq!(zh, "该成员同时登记在另一户");
    assert_eq!(en, "this member is on record in another household as well");
    assert_eq!(elsewhere(&facts, |_| Err(7)), Err(7), "a lookup that fails is not a no");
}

#[test]
fn codes_are_unique_and_have_words() {
    let mut codes: Vec<&str> = Check::ALL.iter().map(|check| check.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Check::ALL.len());
    assert!(codes.iter().all(|code| words("check", code).is_some()));
}

#[test]
fn without_a_published_line_nothing_is_held_against_it() {
    let published =
        [Check::WageImplausible, Check::LandImplausible, Check::NoDevelopment, Check::ClosedEarly];
    for (check, facts, ..) in lines().into_iter().filter(|line| published.contains(&line.0)) {
        let fired = checks(&facts, &Policy::default(), today());
        assert!(fired.iter().all(|finding| finding.check != check), "{check:?}");
    }
}

#[test]
fn closing_ends_the_questions_about_risks_and_help() {
    let at_rest = closed("2024-09-20")
        .with("class", "risk_1", "illness")
        .with_row("members", "m", &[("labour", "ordinary".into())])
        .with_row("measures", "x", &measure("comprehensive", "done"));
    assert_eq!(found(&at_rest), []);
    let opened = step(at_rest, Stage::Reopened, "2024-09-25");
    let codes: Vec<Check> = found(&opened).iter().map(|finding| finding.check).collect();
    let all = [
        Check::IllnessNobodyIll,
        Check::IllnessNothingPaid,
        Check::NoDevelopment,
        Check::OnlyGuarantees,
    ];
    assert_eq!(codes, all);
}

#[test]
fn a_case_opened_again_is_closed_early_as_counted_from_that_day() {
    let opened = step(closed("2024-09-01"), Stage::Reopened, "2024-09-02");
    let early = WAY_OUT.into_iter().fold(opened, |facts, stage| step(facts, stage, "2024-09-20"));
    let findings = found(&early);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let inputs: Vec<_> = findings[0].inputs.iter().map(|input| input.value.as_str()).collect();
    assert_eq!((findings[0].check, inputs), (Check::ClosedEarly, vec!["2024-09-02", "2024-09-20"]));
}

#[test]
fn a_withdrawn_bill_supports_nothing_and_contradicts_nothing() {
    let bill = [
        ("kind", Value::from("medical")),
        ("from", "2024-09-02".into()),
        ("self_pay_fen", 500_000.into()),
    ];
    let ill = risk("illness", &[("health", "serious".into())]).with_row("spending", "s", &bill);
    assert_eq!(found(&ill), []);
    let withdrawn = ill.with_row("spending", "s", &[("withdrawn", true.into())]);
    assert_eq!(found(&withdrawn)[0].check, Check::IllnessNothingPaid);
    let (_, aid, ..) =
        lines().into_iter().find(|line| line.0 == Check::VocationalAidElsewhere).unwrap();
    assert_eq!(found(&aid.with_row("spending", "s", &[("withdrawn", true.into())])), []);
}

#[test]
fn a_family_with_nothing_but_names_is_left_alone() {
    let facts = member(&[("name", "陈永昌".into()), ("relation", "head".into())]);
    assert_eq!(found(&facts), []);
    assert_eq!(found(&household()), []);
}

/// Numbers that must not get out, whatever field somebody typed them into.
const SECRETS: [&str; 7] = [
    NUMBER,
    NUMBER_ELSEWHERE,
    "110105491231002",
    "13907350001",
    "6217001234567890123",
    "110105194912310021",
    "43102219800101001x",
];

/// A household of the tables above on which anything may be written over: a likely value or, where a field
/// takes text, a secret.
fn any_household() -> impl Strategy<Value = Facts> {
    let fields: Vec<_> = Schema::base().fields().filter(|(c, _)| c.name != "steps").collect();
    let picks = proptest::collection::vec((0..fields.len(), 0..5usize, 0..24usize), 0..80);
    (proptest::sample::select(lines()), picks).prop_map(move |(line, picks)| {
        picks.into_iter().fold(line.1, |mut facts, (at, row, choice)| {
            let (container, field) = fields[at];
            let row = if container.rows { ["m", "n", "s", "x", "c"][row] } else { "" };
            facts.set(&container.name, row, &field.name, likely(field, choice));
            facts
        })
    })
}

fn likely(field: &crate::domain::schema::Field, choice: usize) -> Value {
    let secret = SECRETS[choice % SECRETS.len()];
    let is_private = field.sensitivity == Sensitivity::Sensitive;
    match &field.kind {
        FieldKind::Tick => choice.is_multiple_of(2).into(),
        FieldKind::Number { .. } => {
            [0, 1, 50, 5_000, 20_001, 13_907_350_001, i64::MAX, -1][choice % 8].into()
        }
        FieldKind::Date => ["2012-05-01", "1990-01-01", "2024-09-01", secret][choice % 4].into(),
        FieldKind::Choice { list } if !is_private || choice.is_multiple_of(2) => {
            let codes = &Schema::base().code_list(list).unwrap().codes;
            codes[choice % codes.len()].code.as_str().into()
        }
        FieldKind::Choice { .. } | FieldKind::Text { .. } | FieldKind::Photo => secret.into(),
        FieldKind::Id => ["m", "n", secret][choice % 3].into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_finding_tells_a_number(facts in any_household()) {
        for finding in found(&facts) {
            let (zh, en) = explain(&finding);
            let inputs = finding.inputs.iter().map(|input| input.value.as_str());
            for text in inputs.chain([zh.as_str(), en.as_str(), finding.subject.as_str()]) {
                let upper = text.to_ascii_uppercase();
                for secret in SECRETS {
                    prop_assert!(!upper.contains(&secret.to_ascii_uppercase()), "{text}");
                }
            }
        }
    }
}
