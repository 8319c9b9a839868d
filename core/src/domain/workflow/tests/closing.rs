//! The way out: what a family has to earn, and from when the months under monitoring count.

use super::*;

/// Opened again by the township.
const REOPENED: Line = ("p", "o", Stage::Reopened, "2025-01-08", "township");

/// The proposal to close on 2024-10-01: the line of Chenzhou looks back on the months from October 2023 to September 2024.
fn proposed(facts: Facts) -> Result<(), Lack> {
    asked(facts, &whole_way()[..9])
}

/// Two people who earn so much in the 12 months up to a day; on no day where it is empty.
fn earning(wage_fen: i64, until: &str) -> Facts {
    let two = ready().with_row("members", "b", &[("name", "某".into())]);
    two.with("income", "wage_fen", wage_fen).with("income", "window_end", until)
}

#[test]
fn who_is_known_to_earn_less_than_the_line_stays_monitored() {
    let unknown = Err(Lack::IncomeUnknown);
    for until in ["2024-09-30", "2023-10-01", "", "2024-10-02"] {
        let below = proposed(earning(999_999, until));
        assert_eq!(below, Err(Lack::IncomeBelowLine), "{until}: 4,999.99 yuan a person");
        let is_dated = !matches!(until, "" | "2024-10-02");
        let above = proposed(earning(1_000_000, until));
        assert_eq!(above, if is_dated { Ok(()) } else { unknown.clone() }, "{until}: 5,000 yuan");
    }
    let costly = earning(1_000_000, "2024-09-30").with("income", "business_cost_fen", 1);
    assert_eq!(proposed(costly), Err(Lack::IncomeBelowLine), "net income counts");
    assert_eq!(proposed(earning(999_999, "2023-09-30")), unknown, "says nothing of these months");
    assert_eq!(proposed(ready().with("income", "wage_fen", Value::Null)), unknown);
    assert_eq!(proposed(ready().without_rows("members", &["a"])), unknown, "of nobody");
    let mut elsewhere = earning(999_999, "2024-09-30");
    elsewhere.village = 341_822_001_001;
    assert_eq!(proposed(elsewhere), Ok(()), "no line is published there");
}

#[test]
fn what_has_changed_since_it_was_proposed_the_county_hears_of() {
    let at_the_county = |facts: Facts| asked(facts, &whole_way()[..14]);
    assert_eq!(at_the_county(ready()), Ok(()));
    let unsafe_now = ready().with("guarantees", "water_state", "not_met");
    assert_eq!(at_the_county(unsafe_now), Err(Lack::GuaranteeNotMet));
    assert_eq!(at_the_county(earning(999_999, "2024-09-30")), Err(Lack::IncomeBelowLine));
}

#[test]
fn a_case_opened_again_stays_open_as_long_as_a_new_one() {
    let again = |facts: Facts, on: &'static str| {
        let to_close = ("q", "p", Stage::ToClose, on, "village");
        asked(facts, &[&whole_way()[..], &[REOPENED, to_close]].concat())
    };
    let too_early = |until: &str| Err(Lack::TooEarly(day(until)));
    assert_eq!(again(ready(), "2025-01-09"), too_early("2025-07-10"), "identified long before");
    assert_eq!(again(ready(), "2025-07-09"), too_early("2025-07-10"));
    assert_eq!(again(ready(), "2025-07-10"), Ok(()));
    let anew = ready().with("case", "identified_on", "2025-02-01");
    assert_eq!(again(anew, "2025-07-10"), too_early("2025-08-03"), "whichever is later");
}

#[test]
fn what_has_to_be_done_in_a_case_opened_again_is_due_as_counted_from_that_day() {
    let opened = with_steps(ready(), &[&whole_way()[..], &[REOPENED]].concat());
    let asked = |facts: &Facts, today: &str| {
        let tasks = tasks(facts, &Case::of(facts), &policy(), day(today));
        tasks.iter().map(|task| (task.kind, task.due_on)).collect::<Vec<_>>()
    };
    let (plan, visit) = (Some(day("2025-01-18")), Some(day("2025-02-07")));
    let plans = [TaskKind::NameCadre, TaskKind::MakePlan, TaskKind::RecordMeasure];
    let plans: Vec<_> = plans.into_iter().map(|kind| (kind, plan)).collect();
    let all = [&plans[..], &[(TaskKind::Visit, visit)]].concat();
    assert_eq!(asked(&opened, "2025-01-08"), all, "nobody has been there since October");
    let seen = [("date", "2025-01-10".into()), ("met", "head".into())];
    assert_eq!(asked(&opened.with_row("visits", "x", &seen), "2025-01-11"), plans);
}

/// A household that nobody could close: without labour and a safe house, identified a day before, and nobody at home.
fn hopeless(status: &str) -> Facts {
    ready()
        .with("basic", "status", status)
        .with("basic", "no_labour_guarantee", true)
        .with("guarantees", "housing_state", "not_met")
        .with("case", "identified_on", "2024-09-30")
        .with("case", "closing_kind", "natural")
        .with_row("visits", "w", &[("met", "nobody".into())])
}

#[test]
fn who_is_gone_is_closed_by_the_way_of_all_others_and_nobody_is_gone_without_a_reason() {
    for status in ["moved_away", "died_out"] {
        assert_eq!(proposed(hopeless(status)), Err(Lack::NoLabour), "{status}: why is not said");
        let gone = hopeless(status).with("basic", "status_reason", "全家迁往省外");
        for upto in 9..=whole_way().len() {
            assert_eq!(asked(gone.clone(), &whole_way()[..upto]), Ok(()), "{status} {upto}");
        }
    }
    for status in ["active", "erroneous", ""] {
        let here = hopeless(status).with("basic", "status_reason", "不知去向");
        assert_eq!(proposed(here.clone()), Err(Lack::NoLabour), "{status}");
        assert_eq!(asked(here, &whole_way()[..10]), Err(Lack::Visit), "{status}");
    }
    let new = hopeless("moved_away").with("basic", "status_reason", "全家迁往省外");
    let unmet = new.with_row("visits", "v", &[("met", "nobody".into())]);
    assert_eq!(asked(unmet, &whole_way()[..2]), Err(Lack::Visit), "nobody gone comes in");
}

#[test]
fn a_case_outlasts_what_is_said_of_the_record_and_ends_by_its_own_way() {
    let all = whole_way();
    for status in ["moved_away", "died_out", "erroneous"] {
        let at = |upto: usize| with_steps(hopeless(status), &all[..upto]);
        assert!(!at(0).is_active(), "{status}: no case");
        for upto in 1..all.len() {
            assert!(at(upto).is_active(), "{status} {upto}");
        }
        assert!(!at(all.len()).is_active(), "{status}: closed");
        let facts = at(8);
        let tasks = tasks(&facts, &Case::of(&facts), &policy(), day("2024-11-30"));
        assert!(tasks.iter().any(|task| task.kind == TaskKind::Visit), "{status}: {tasks:?}");
        let merged = facts.with("basic", "status", "merged");
        assert!(!merged.is_active(), "the family has another record");
    }
}
