//! A bureau's file is cut off while it is delivered: what is done stays, and the same file goes on with the rest.

use wanhu_core::document::facts::facts;
use wanhu_core::domain::environment::random;
use wanhu_core::domain::identity::check_character;
use wanhu_core::store::records::{self, Household};
use wanhu_server::import::delivery::{self, Asked, DeliveryError};
use wanhu_server::import::profile::Profile;
use wanhu_server::storage::author::{self, Author};
use wanhu_server::watch::Phase;
use wanhu_tests::seeded::Seeded;

use super::bad_week::bill;
use super::*;

/// More families than are told in one turn.
const FAMILIES: usize = 1_500;
/// Families that are told in one turn.
const A_TURN: usize = 1_000;

/// The identity number of the head of a family.
fn number(family: usize) -> String {
    let digits = format!("431022{}0101{:03}", 1950 + family / 1_000, family % 1_000);
    format!("{digits}{}", check_character(&digits).unwrap())
}

/// Families of 福岭村 that the township enters at its desk.
fn settle(county: &County) {
    let app = &county.server.app;
    let account = app.accounts.account("乡政府").unwrap().unwrap();
    let author = Author::office(account, app.clock.now_ms(), app.person_key);
    let policy = app.policy.clone();
    let entered = app.storage.writer().write(move |transaction| {
        let mut rng = Seeded(4);
        for family in 0..FAMILIES {
            let number = format!("members.identity_number={}", number(family));
            let edit = typed(&[
                "basic.head_name=周长根",
                "class.household_kind=脱贫户",
                "members.name=周长根",
                "members.relation=户主",
                &number,
            ]);
            let household = Household::unsaved(HouseholdId::from_random(random(&mut rng)), FULING);
            author::write(transaction, &author, &policy.policy, household, &edit)?.unwrap();
        }
        Ok(())
    });
    entered.unwrap();
}

/// A costly stay in hospital of every one of them.
fn bills(dir: &Path) -> PathBuf {
    let numbers: Vec<String> = (0..FAMILIES).map(number).collect();
    let bill = |number| {
        let stay =
            ["住院", "骨折", "2024-02-01", "2024-02-09", "90000", "10000", "0", "0", "60000"];
        [&["1", "周长根", number][..], &stay].concat()
    };
    let bills: Vec<Vec<&str>> = numbers.iter().map(|number| bill(number.as_str())).collect();
    let lines = std::iter::once(BILLS_HEADER).chain(bills.iter().map(Vec::as_slice));
    spreadsheet(&dir.join("bills.xlsx"), "住院明细", &lines.collect::<Vec<_>>())
}

/// What was written about each family: warnings, bills, clues, steps.
fn written(county: &County) -> Vec<[usize; 4]> {
    let mut written = Vec::new();
    let read = county.server.app.storage.read(|connection| {
        records::for_each(connection, FULING, |household| {
            let facts = facts(&household.fold, household.scope);
            let containers = ["warnings", "spending", "clues", "steps"];
            written.push(containers.map(|container| facts.rows(container).len()));
            Ok(())
        })
    });
    read.unwrap();
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_cut_off_between_turns_each_family_is_warned_wholly_or_not_at_all() {
    let county = people("2024-03-04", FULING, None).await;
    settle(&county);
    let dir = tempfile::tempdir().unwrap();
    let file = bills(dir.path());
    let app = &county.server.app;
    let bureau = app.accounts.account("医保局").unwrap().unwrap();
    let profile = Profile::of(Kind::Medical).unwrap();
    let asked = Asked { profile, file: &file, report_to: None, is_of_kind: false };
    let cut_after = |judged: usize| {
        let watch = |phase: Phase, done: usize, _: usize| phase != Phase::Judging || done < judged;
        let cut = delivery::deliver(app, &bureau, asked, &watch);
        assert!(matches!(cut, Err(DeliveryError::Cancelled)), "{cut:?}");
    };
    // Families that were told everything, and those that were told nothing.
    let told = || {
        let written = written(&county);
        let count = |all: [usize; 4]| written.iter().filter(|family| **family == all).count();
        (count([1; 4]), count([0; 4]))
    };
    cut_after(A_TURN);
    assert_eq!(told(), (0, FAMILIES), "found, and nobody was told yet");
    cut_after(FAMILIES);
    assert_eq!(told(), (A_TURN, FAMILIES - A_TURN), "the first turn stands, nobody in part");
    let listed = county.import("医保局", ImportCommand::List).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["finished_ms"]), (1, &Json::Null));

    let whole = deliver(&county, &file);
    assert_eq!((&whole["number"], &whole["new"]), (&1.into(), &0.into()));
    assert_eq!(whole["warned"], FAMILIES - A_TURN, "the rest");
    assert_eq!(told(), (FAMILIES, 0), "and nobody twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_cut_off_goes_on_with_the_same_file() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = bill(dir.path(), "周长根", NUMBER, "60000");
    let app = &county.server.app;
    let bureau = app.accounts.account("医保局").unwrap().unwrap();
    let profile = Profile::of(Kind::Medical).unwrap();
    let asked = Asked { profile, file: &file, report_to: None, is_of_kind: false };
    for until in [Phase::Reading, Phase::Keeping, Phase::Judging] {
        let cut = delivery::deliver(app, &bureau, asked, &|phase, _, _| phase != until);
        assert!(matches!(cut, Err(DeliveryError::Cancelled)), "{cut:?}");
        sync(&li).await;
        assert_eq!(
            stages(&li, id),
            [],
            "{until:?}: nobody is warned before the first turn is over"
        );
    }
    let listed = county.import("医保局", ImportCommand::List).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["finished_ms"]), (1, &Json::Null));
    assert_eq!(Some(listed[0]["file"].as_str().unwrap()), file.file_name().unwrap().to_str());
    let whole = deliver(&county, &file);
    assert_eq!(
        (&whole["number"], &whole["new"], &whole["warned"]),
        (&1.into(), &0.into(), &1.into())
    );
    sync(&li).await;
    assert_eq!(stages(&li, id), [Stage::Clue]);
}
