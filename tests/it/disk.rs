//! The disk refuses: one call fails, or there is no room. The user is told by a typed error, what was saved
//! stays, trying again works, and nothing is there twice.

use std::sync::Arc;

use rusqlite::Connection;
use wanhu_core::client::{Ledger, RecordEdit};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::store::open::{self, Access, Migrations, Sharing};
use wanhu_core::store::{REPLICA_MIGRATIONS, StoreError};
use wanhu_disk::{Call, Disk};
use wanhu_server::storage::{self, Storage};
use wanhu_tests::population::FULING;
use wanhu_tests::seeded::{Seeded, TestClock};
use wanhu_tests::tally::{Tally, times};
use wanhu_tests::township::{START_MS, Township};

/// Tries of one step before the disk is taken for broken.
const TRIES_MAX: usize = 3;

fn open_phone(disk: &Disk) -> Result<Ledger, LedgerError> {
    let clock = Arc::new(TestClock::at(START_MS));
    Ledger::open(&disk.path("phone.sqlite"), clock, Box::new(Seeded(41)))
}

/// Errors that tell the user something true about a disk that refuses.
fn is_about_the_disk(error: &LedgerError) -> bool {
    match error {
        LedgerError::StorageFull { .. } => true,
        LedgerError::Internal { report_id } => report_id.starts_with("store."),
        LedgerError::InvalidInput { .. }
        | LedgerError::NotPermitted { .. }
        | LedgerError::AlreadyOnRecord { .. }
        | LedgerError::NotFound { .. }
        | LedgerError::IllegalStep { .. }
        | LedgerError::Offline { .. }
        | LedgerError::SessionExpired { .. }
        | LedgerError::UpgradeRequired { .. }
        | LedgerError::StorageDamaged { .. } => false,
    }
}

/// A phone's life on a disk that fails once: opening, saving, syncing.
struct Life<'d> {
    disk: &'d Disk,
    failures: usize,
}

impl Life<'_> {
    /// Does a step until it works.
    fn insist<T>(&mut self, mut step: impl FnMut() -> Result<T, LedgerError>) -> T {
        for _ in 0..TRIES_MAX {
            match step() {
                Ok(done) => return done,
                Err(error) => {
                    assert!(is_about_the_disk(&error), "{error:?}");
                    self.failures += 1;
                }
            }
        }
        panic!("a disk that failed once never worked again");
    }

    /// Returns what the phone and the server hold in the end.
    fn live(&mut self) -> (Ledger, Township, HouseholdId) {
        let mut rng = Seeded(42);
        let mut township = Township::new(&mut rng);
        let other = township.enrol(&mut rng, "wang", &[FULING], 0);
        for number in 0..40 {
            let edit = RecordEdit::default().set("basic", "head_name", format!("户{number}"));
            other.ledger.create_household(FULING, edit).unwrap();
        }
        other.sync(&mut township).unwrap();
        let disk = self.disk;
        let phone = self.insist(|| {
            let ledger = open_phone(disk)?;
            township.enrol_ledger(&mut rng, ledger, "li", Role::VillageCadre, &[FULING])
        });
        let record = || RecordEdit::default().set("basic", "head_name", "陈永昌");
        let id = self.insist(|| phone.ledger.create_household(FULING, record()));
        for number in 0..3 {
            let note = format!("第{number}次");
            self.insist(|| {
                phone.ledger.record_visit(id, vec![("note".into(), note.as_str().into())])
            });
            self.insist(|| phone.sync(&mut township));
        }
        (phone.ledger, township, id)
    }
}

fn notes(ledger: &Ledger, id: HouseholdId) -> Vec<String> {
    let record = ledger.show(id).unwrap();
    let notes = record.fields.into_iter().filter(|field| field.key.ends_with(".note"));
    let mut notes: Vec<_> = notes.map(|field| field.value.as_text().unwrap().to_owned()).collect();
    notes.sort();
    notes
}

#[test]
fn every_call_to_the_disk_may_fail_once() {
    let tally = Tally::begin(
        "R3",
        "one call to a phone's disk fails: open, read, write, truncate, sync, delete",
    );
    let calm = Disk::default();
    drop(Life { disk: &calm, failures: 0 }.live());
    let (mut cases, mut felt) = (0, 0);
    for call in Call::ALL {
        for n in 1..=calm.calls(call) {
            let disk = Disk::default();
            disk.fail(call, n);
            let mut life = Life { disk: &disk, failures: 0 };
            let (ledger, township, id) = life.live();
            assert_eq!(notes(&ledger, id), ["第0次", "第1次", "第2次"], "{call:?} {n}");
            let all = ListFilter::default();
            assert_eq!(ledger.list(&all, None, 100).unwrap().len(), 41, "{call:?} {n}");
            assert_eq!(ledger.status().unwrap().pending, 0, "{call:?} {n}");
            assert!(township.is_whole());
            // Neither a power cut now nor another start takes any of it.
            let left = disk.as_of(disk.operations(), n);
            let found = open_phone(&left).unwrap();
            assert_eq!(notes(&found, id), ["第0次", "第1次", "第2次"], "{call:?} {n}, after a cut");
            drop(ledger);
            let again = open_phone(&disk).unwrap();
            assert_eq!(
                notes(&again, id),
                ["第0次", "第1次", "第2次"],
                "{call:?} {n}, opened again"
            );
            cases += 1;
            felt += usize::from(life.failures > 0);
        }
    }
    assert!(felt * 3 > cases, "most failures must reach the user: {felt} of {cases}");
    tally.passed(&format!("{cases} calls, {felt} told to the user"));
}

#[test]
fn no_receipt_is_given_for_what_the_servers_disk_refused() {
    let tally =
        Tally::begin("R3", "one write or sync of the server's disk fails while a phone syncs");
    let open_server = |disk: &Disk| {
        Storage::open(&disk.path("records.sqlite"), &[7; 32], &mut Seeded(1)).unwrap()
    };
    let mut cases = 0;
    for call in [Call::Write, Call::Sync] {
        for nth in 0.. {
            let disk = Disk::default();
            let storage = open_server(&disk);
            let before = disk.calls(call);
            disk.fail(call, before + nth + 1);
            let save = |number: u8| {
                storage.writer().write(move |transaction| {
                    transaction.execute(
                        "INSERT INTO server (name, value) VALUES (?1, x'00')",
                        [format!("change {number}")],
                    )?;
                    Ok(())
                })
            };
            let answers: Vec<_> = (0..4).map(save).collect();
            let refused = answers.iter().filter(|answer| answer.is_err()).count();
            if disk.calls(call) < before + nth + 1 {
                break;
            }
            assert!(refused <= 1, "one failure costs one answer");
            let (operations, seed) = (disk.operations(), nth);
            drop(storage);
            // Even if the power goes now, what was answered with yes is there.
            let left = disk.as_of(operations, seed);
            let found = open_server(&left);
            for (number, answer) in answers.iter().enumerate() {
                let held: i64 = found
                    .read(|connection| {
                        Ok(connection.query_row(
                            "SELECT count(*) FROM server WHERE name = ?1",
                            [format!("change {number}")],
                            |row| row.get(0),
                        )?)
                    })
                    .unwrap();
                assert!(answer.is_err() || held == 1, "{call:?} {nth}: a yes for what is lost");
            }
            cases += 1;
        }
    }
    assert!(cases > 10, "{cases}");
    tally.passed(&format!("{cases} calls"));
}

#[test]
fn a_servers_full_disk_costs_one_answer_though_somebody_reads_for_long() {
    let disk = Disk::default();
    let path = disk.path("records.sqlite");
    let storage = Storage::open(&path, &[7; 32], &mut Seeded(1)).unwrap();
    let save = |number: u8| {
        storage.writer().write(move |transaction| {
            transaction.execute(
                "INSERT INTO server (name, value) VALUES (?1, zeroblob(100000))",
                [format!("change {number}")],
            )?;
            Ok(())
        })
    };
    let held = |connection: &Connection| -> Result<i64, StoreError> {
        let count = "SELECT count(*) FROM server WHERE name LIKE 'change %'";
        Ok(connection.query_row(count, [], |row| row.get(0))?)
    };
    save(0).unwrap();
    let seen = storage.read(|connection| {
        assert_eq!(held(connection)?, 1);
        disk.limit(Some(disk.used_bytes()));
        assert!(matches!(save(1), Err(StoreError::Full)));
        disk.limit(None);
        save(2)?;
        held(connection)
    });
    assert_eq!(seen.unwrap(), 1, "as it was when the reader began");
    save(3).unwrap();
    drop(storage);
    let left = disk.as_of(disk.operations(), 1);
    let found = Storage::open(&left.path("records.sqlite"), &[7; 32], &mut Seeded(1)).unwrap();
    assert_eq!(found.read(held).unwrap(), 3, "after a power cut");
}

#[test]
fn a_full_disk_says_so_and_works_again_with_room() {
    let tally = Tally::begin("R3", "disk full while a phone opens, saves and syncs");
    let calm = Disk::default();
    drop(Life { disk: &calm, failures: 0 }.live());
    let whole_bytes = calm.used_bytes();
    let sizes = 20;
    let mut felt = 0;
    for size in 1..=sizes {
        let disk = Disk::default();
        disk.limit(Some(whole_bytes * size / (sizes + 1)));
        felt += usize::from(fill(&disk));
    }
    assert!(felt >= sizes - 1, "{felt} of {sizes} sizes were too small");
    tally.passed(&format!("{sizes} sizes"));
}

/// Works until the disk is full, then on after it was given room. Whether it was ever full.
fn fill(disk: &Disk) -> bool {
    let mut was_full = false;
    let mut full = |error: LedgerError| {
        assert_eq!(error, LedgerError::StorageFull { needed_bytes: 0 });
        was_full = true;
        disk.limit(None);
    };
    let mut rng = Seeded(43);
    let mut township = Township::new(&mut rng);
    let mut enrol = || {
        let ledger = open_phone(disk)?;
        township.enrol_ledger(&mut rng, ledger, "li", Role::VillageCadre, &[FULING])
    };
    let phone = enrol().or_else(|error| {
        full(error);
        enrol()
    });
    let phone = phone.unwrap();
    let mut saved = Vec::new();
    for number in 0..60 {
        let name = format!("户{number}");
        let create = || {
            let edit = RecordEdit::default().set("basic", "head_name", name.as_str());
            phone.ledger.create_household(FULING, edit)
        };
        let id = create().or_else(|error| {
            full(error);
            for (id, name) in &saved {
                let shown = phone.ledger.show(*id).unwrap().row.head_name;
                assert_eq!(shown, *name, "what was saved is there to be read");
            }
            create()
        });
        saved.push((id.unwrap(), name));
        if number % 20 == 19 {
            phone
                .sync(&mut township)
                .or_else(|error| {
                    full(error);
                    phone.sync(&mut township)
                })
                .unwrap();
        }
    }
    let listed = phone.ledger.list(&ListFilter::default(), None, 100).unwrap();
    assert_eq!(listed.len(), saved.len());
    was_full
}

/// A file as a release left it that knew only the first `steps` steps.
fn old_file(disk: &Disk, steps: &'static [&'static str]) {
    let access = Access::plain(Sharing::Alone);
    let connection = open::open(&disk.path("old.sqlite"), access, Migrations(steps)).unwrap();
    if !steps.is_empty() {
        connection
            .execute_batch(
                "INSERT INTO household (id, scope, state, digest)
                 VALUES (randomblob(16), 431022208217, x'', zeroblob(16))",
            )
            .unwrap();
    }
}

/// Cuts the power at every operation of a migration and opens the file again.
fn cut_migration(steps: &'static [&'static str], seeds: u64) -> u64 {
    let mut cases = 0;
    for from in 0..steps.len() {
        let old = Disk::default();
        old_file(&old, &steps[..from]);
        let begun = old.operations();
        let open_new = |disk: &Disk| -> Result<Connection, StoreError> {
            open::open(&disk.path("old.sqlite"), Access::plain(Sharing::Alone), Migrations(steps))
        };
        drop(open_new(&old).unwrap());
        for at in begun..=old.operations() {
            for seed in 0..seeds {
                let left = old.as_of(at, seed);
                let connection = open_new(&left).unwrap();
                let verdict: String =
                    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                assert_eq!(verdict, "ok");
                let households: i64 = connection
                    .query_row("SELECT count(*) FROM household", [], |row| row.get(0))
                    .unwrap();
                assert_eq!(households, i64::from(from > 0), "from step {from}, cut at {at}");
                cases += 1;
            }
        }
    }
    cases
}

#[test]
fn a_migration_cut_anywhere_leaves_a_file_that_opens() {
    let tally =
        Tally::begin("R10", "power cut in a migration from every older schema, phone and server");
    let seeds = times("WANHU_MIGRATION_SEEDS", 20);
    let cases =
        cut_migration(REPLICA_MIGRATIONS.0, seeds) + cut_migration(storage::MIGRATIONS.0, seeds);
    assert!(cases > 100, "{cases}");
    tally.passed(&format!("{cases} cuts"));
}

#[test]
fn a_phones_file_of_a_newer_release_is_left_alone() {
    let disk = Disk::default();
    let access = Access::plain(Sharing::Alone);
    let connection = open::open(&disk.path("phone.sqlite"), access, REPLICA_MIGRATIONS).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = disk.content("phone.sqlite");
    let refused = open_phone(&disk).unwrap_err();
    assert_eq!(refused.code(), "upgrade_required");
    assert!(disk.content("phone.sqlite") == before, "a byte was written");
}
