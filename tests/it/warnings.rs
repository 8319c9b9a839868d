//! Phone and server give the same answer: the same warnings, contradictions and figures for the same household on the
//! same day, the phone by the policy that the server gave it.

use std::collections::BTreeSet;
use std::sync::Arc;

use wanhu_core::client::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::checks::{Check, checks};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::figures::Figures;
use wanhu_core::domain::policy::{EXAMPLES_TOML, Published};
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning;
use wanhu_core::store::records;
use wanhu_tests::population::{self, FULING};
use wanhu_tests::seeded::{Seeded, SetClock};
use wanhu_tests::township::{START_MS, Township};

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

/// The published examples under another name: a warning tells by whose lines it was judged.
fn own_policy() -> Published {
    Published::parse(&EXAMPLES_TOML.replace("published-examples", "yizhang")).unwrap()
}

const DAY_MS: i64 = 86_400_000;

#[test]
fn phone_and_server_judge_every_household_alike() {
    let mut rng = Seeded(5);
    let mut township = Township::new(&mut rng);
    let Published { policy, text } = own_policy();
    township.publish(Published { policy: policy.clone(), text });
    // A phone knows no day before that of its last contact.
    let begun_ms = START_MS - 400 * DAY_MS;
    let clock = Arc::new(SetClock::default());
    clock.set(begun_ms);
    township.set_clock(begun_ms);
    let phone = township.enrol_with(&mut rng, clock.clone(), FULING);
    for (village, edit) in population::village(3, FULING, size()) {
        phone.ledger.create_household(village, with_cares(&mut rng, edit)).unwrap();
    }
    phone.sync(&mut township).unwrap();
    let (ledger, theirs) = (&phone.ledger, all(&township.connection));
    assert_eq!(theirs.len(), size());
    let (mut warned, mut contradicted, mut rules) = (0, 0, BTreeSet::new());
    for (id, there) in &theirs {
        // The phone is asked on that day, and judges by the policy that came with its sync.
        let now_ms = begun_ms + i64::try_from(rng.below(400)).unwrap() * DAY_MS;
        clock.set(now_ms);
        let today = Day::in_china(now_ms);
        let fired = warning::evaluate(there, &policy, today);
        assert_eq!(ledger.warnings(*id).unwrap(), fired, "{today}");
        let (mut here, findings) = (ledger.checks(*id).unwrap(), checks(there, &policy, today));
        here.retain(|finding| finding.check != Check::PersonElsewhere);
        assert_eq!(here, findings, "{today}");
        for warning in &fired {
            assert_eq!((warning.fired_on, &warning.rule_version), (today, &policy.version));
            rules.insert(warning.rule.clone());
        }
        warned += fired.len();
        contradicted += findings.len();
    }
    assert!(warned > size() / 20 && contradicted > size() / 20, "{warned} {contradicted}");
    assert!(rules.len() >= 6, "of every kind: {rules:?}");
    clock.set(START_MS);
    let last = Day::in_china(START_MS);
    let period = (last.plus_months(-1), last);
    let mut figures = Figures::new(last, period, &policy);
    theirs.iter().for_each(|(id, there)| figures.add(*id, there));
    assert_eq!(ledger.figures(FULING, None, period, None, &[]).unwrap(), figures.all());
}

#[test]
fn a_phone_too_old_for_the_policy_says_so() {
    let mut rng = Seeded(6);
    let mut township = Township::new(&mut rng);
    township.publish(own_policy());
    let clock = Arc::new(SetClock::default());
    clock.set(START_MS);
    let phone = township.enrol_with(&mut rng, clock, FULING);
    phone.sync(&mut township).unwrap();
    let is_too_old = || phone.ledger.status().unwrap().needs_newer_release;
    assert!(!is_too_old());
    // A signal that this release has never heard of, as a server of a later one may send it.
    let Published { policy, text } = own_policy();
    let text = text.replace("signal = \"accident_loss\"", "signal = \"flood_gauge\"");
    assert!(Published::parse(&text).is_err());
    township.publish(Published { policy, text });
    phone.sync(&mut township).unwrap();
    assert!(is_too_old());
    township.publish(own_policy());
    phone.sync(&mut township).unwrap();
    assert!(!is_too_old());
}
