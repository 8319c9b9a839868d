//! What a measure brings, case by case, and acceptance story A2.

use super::*;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use proptest::prelude::*;

fn day(text: &'static str) -> Value {
    text.into()
}

fn measure(facts: Facts, id: &str, kind: &str, fen: i64, period: &str) -> Facts {
    let fields: [(&str, Value); 4] = [
        ("kind", kind.into()),
        ("status", "under_way".into()),
        ("amount_fen", fen.into()),
        ("period", period.into()),
    ];
    facts.with_row("measures", id, &fields)
}

/// What 1 fen a period brings, given from, to and status.
fn brings(period: &str, fields: &[(&str, Value)]) -> [i64; 3] {
    let facts = measure(Facts::of(1), "m", "health", 1, period).with_row("measures", "m", fields);
    [2020, 2021, 2022].map(|year| Help::of(&facts, year).total_fen)
}

/// 陈国建, 金盆村: allowance of 1,280 yuan and subsidy of 110 yuan a month, school aid of 4,000 yuan.
#[test]
fn transfers_of_acceptance_story_a2() {
    let facts = measure(Facts::of(1), "a", "comprehensive", 128_000, "month");
    let facts = measure(facts, "b", "comprehensive", 11_000, "month");
    let facts = measure(facts, "c", "other_education", 400_000, "year");
    let help = Help::of(&facts, 2021);
    assert_eq!(help.total_fen, 2_068_000, "20,680 yuan");
    let fen: Vec<i64> = help.measures.iter().map(|measure| measure.fen).collect();
    assert_eq!(fen, [1_536_000, 132_000, 400_000]);
    let guaranteed = Family { measures: 2, in_effect: 2, fen: 1_668_000 };
    assert_eq!(help.families["comprehensive"], guaranteed);
    assert_eq!(help.supporting().fen, help.total_fen);
    assert_eq!(help.developmental(), Family::default());
}

#[test]
fn a_period_counts_where_the_measure_touches_it() {
    let span = [("from", day("2020-11-30")), ("to", day("2021-09-01"))];
    assert_eq!(brings("month", &span), [2, 9, 0]);
    assert_eq!(brings("quarter", &span), [1, 3, 0]);
    assert_eq!(brings("term", &span), [1, 2, 0]);
    assert_eq!(brings("year", &span), [1, 1, 0]);
    assert_eq!(brings("once", &span), [1, 0, 0]);
    assert_eq!(brings("term", &[("to", day("2021-08-31"))]), [2, 1, 0]);
    assert_eq!(brings("term", &[("from", day("2021-07-31"))]), [0, 2, 2]);
}

#[test]
fn without_ends_it_runs_for_whole_years() {
    for (period, payments) in [("month", 12), ("quarter", 4), ("term", 2), ("year", 1)] {
        assert_eq!(brings(period, &[]), [payments; 3], "{period}");
    }
    assert_eq!(brings("once", &[]), [0; 3], "nobody knows in which year");
    assert_eq!(brings("fortnight", &[]), [0; 3], "a code of a later release");
}

#[test]
fn what_is_planned_or_was_stopped_brings_nothing() {
    let with = |status: &str, to: Option<&'static str>| {
        let to = to.map(|to| ("to", day(to)));
        let status = ("status", Value::from(status));
        brings("month", &[Some(status), to].into_iter().flatten().collect::<Vec<_>>())
    };
    assert_eq!(with("planned", None), [0; 3]);
    assert_eq!(with("", None), [0; 3], "nobody says that it runs");
    assert_eq!(with("stopped", None), [0; 3]);
    assert_eq!(with("stopped", Some("2021-02-10")), [12, 2, 0]);
    assert_eq!(with("done", None), [12; 3]);
    let never = [("from", day("2021-05-01")), ("to", day("2021-04-01"))];
    assert_eq!(brings("month", &never), [0; 3]);
}

#[test]
fn plan_families_and_areas_are_counted() {
    let facts = measure(Facts::of(1), "a", "industry", 0, "once").with_row(
        "measures",
        "a",
        &[("asset", "orchard".into()), ("area_centimu", 350.into())],
    );
    let facts = measure(facts, "b", "industry", 0, "once").with_row(
        "measures",
        "b",
        &[("asset", "orchard".into()), ("area_centimu", 150.into())],
    );
    let facts = measure(facts, "c", "public_post", 50_000, "month");
    let facts = facts
        .with_row("measures", "b", &[("status", "planned".into())])
        .with_row("plan", "p", &[("progress", "done".into())])
        .with_row("plan", "q", &[("text", "发展果园".into())])
        .with_row("plan", "r", &[("progress", "not_begun".into())]);
    let help = Help::of(&facts, 2024);
    assert_eq!(help.areas_centimu, BTreeMap::from([("orchard".into(), 350)]));
    assert_eq!(help.plan, BTreeMap::from([("done".into(), 1), ("not_begun".into(), 2)]));
    assert_eq!(help.families["industry"], Family { measures: 2, in_effect: 1, fen: 0 });
    assert_eq!(help.developmental(), Family { measures: 3, in_effect: 2, fen: 600_000 });
}

#[test]
fn the_codes_are_those_of_the_lists() {
    let codes = |list| Schema::base().code_list(list).unwrap().codes.iter();
    let developmental = codes("measure_kind").filter(|code| is_developmental(&code.code));
    assert_eq!(developmental.count(), 4);
    for period in codes("period") {
        assert!(brings(&period.code, &[("from", day("2020-01-01"))])[0] > 0, "{}", period.code);
    }
}

proptest! {
    /// Whatever is on record, a year's parts come to its total and no year has more than 12 payments.
    #[test]
    fn parts_come_to_the_total(
        rows in proptest::collection::vec(
            (0..15usize, 0..4usize, 0..5usize, 0..1_000_000i64, 18_000..20_000i32, -50..900i32),
            0..12,
        ),
        year in 2018..2026i32,
    ) {
        let code = |list: &str, at: usize| {
            Value::from(Schema::base().code_list(list).unwrap().codes[at].code.as_str())
        };
        let facts = rows.into_iter().enumerate().fold(
            Facts::of(1),
            |facts, (at, (kind, status, period, fen, from, days))| {
                facts.with_row("measures", &format!("m{at}"), &[
                    ("kind", code("measure_kind", kind)),
                    ("status", code("measure_status", status)),
                    ("period", code("period", period)),
                    ("amount_fen", fen.into()),
                    ("from", Day(from).to_string().into()),
                    ("to", Day(from + days).to_string().into()),
                ])
            },
        );
        let help = Help::of(&facts, year);
        prop_assert_eq!(help.measures.iter().map(|m| m.fen).sum::<i64>(), help.total_fen);
        prop_assert_eq!(help.developmental().fen + help.supporting().fen, help.total_fen);
        prop_assert!(help.measures.iter().all(|m| (0..=12).contains(&m.payments)));
    }
}
