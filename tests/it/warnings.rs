//! Phone and server give the same answer: the same warnings, contradictions and figures for the same household, and
//! every warning can be replayed.

use std::collections::BTreeSet;

use wanhu_core::client::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::checks::checks;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::figures::Figures;
use wanhu_core::domain::policy::{EXAMPLES_TOML, Policy};
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning;
use wanhu_core::store::records;
use wanhu_tests::population::{self, FULING};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::township::Township;

/// Households tried; `WANHU_JUDGED` says how many, for a longer run.
#[allow(clippy::disallowed_methods, reason = "a test's own switch")]
fn size() -> usize {
    let said = std::env::var("WANHU_JUDGED").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

fn all(connection: &rusqlite::Connection) -> Vec<(wanhu_core::domain::ids::HouseholdId, Facts)> {
    let mut found = Vec::new();
    records::for_each(connection, FULING, |household| {
        found.push((household.id, facts(&household.fold, household.scope)));
        Ok(())
    })
    .unwrap();
    found
}

/// Most families have no care; some have bills or a house that some published line is about.
fn with_cares(rng: &mut Seeded, mut edit: RecordEdit) -> RecordEdit {
    if rng.chance(20) {
        let kind = ["lifted", "general", "not_lifted"][rng.below(3)];
        edit = edit.set("class", "household_kind", kind);
    }
    if rng.chance(10) {
        edit = edit.set("living", "house_danger", ["a", "b", "c", "d"][rng.below(4)]);
    }
    for _ in 0..rng.below(3) {
        let kind = ["medical", "schooling", "disaster", "accident", "other"][rng.below(5)];
        let day = Day::new(2023, 2, 1).unwrap().plus_days(i32::try_from(rng.below(394)).unwrap());
        let cost = i64::try_from(rng.below(4_000_000)).unwrap();
        let bill = [
            ("kind", Value::from(kind)),
            ("inpatient", rng.chance(80).into()),
            ("to", day.to_string().into()),
            ("self_pay_fen", cost.into()),
        ];
        edit = edit.row("spending", bill.map(|(field, value)| (field.to_owned(), value)).into());
    }
    edit
}

#[test]
fn phone_and_server_judge_every_household_alike() {
    let mut rng = Seeded(5);
    let mut township = Township::new(&mut rng);
    let phone = township.enrol(&mut rng, "li", &[FULING], 0);
    for (village, edit) in population::village(3, FULING, size()) {
        phone.ledger.create_household(village, with_cares(&mut rng, edit)).unwrap();
    }
    phone.sync(&mut township).unwrap();
    let ours = phone.ledger.with_store(|connection| Ok(all(connection))).unwrap();
    let theirs = all(&township.connection);
    assert_eq!(ours.len(), size());
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let last: Day = "2024-03-01".parse().unwrap();
    let (mut warned, mut contradicted, mut rules) = (0, 0, BTreeSet::new());
    for ((id, here), (other, there)) in ours.iter().zip(&theirs) {
        assert_eq!(id, other);
        let today = last.plus_days(-i32::try_from(rng.below(400)).unwrap());
        let fired = warning::evaluate(here, &policy, today);
        assert_eq!(fired, warning::evaluate(there, &policy, today));
        assert_eq!(checks(here, &policy, today), checks(there, &policy, today));
        for warning in &fired {
            let replayed = warning::evaluate(here, &policy, warning.fired_on);
            assert!(replayed.contains(warning), "{}", warning.rule);
            rules.insert(warning.rule.clone());
        }
        warned += fired.len();
        contradicted += checks(here, &policy, today).len();
    }
    assert!(warned > size() / 20 && contradicted > size() / 20, "{warned} {contradicted}");
    assert!(rules.len() >= 6, "of every kind: {rules:?}");
    let figures = |households: &[(_, Facts)]| {
        let mut figures = Figures::new(last, (last.plus_months(-1), last), &policy);
        households.iter().for_each(|(id, facts)| figures.add(*id, facts));
        figures.all()
    };
    assert_eq!(figures(&ours), figures(&theirs));
}
