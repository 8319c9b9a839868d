//! What every storage of the server must do, told to the one we have. Another database passes the same
//! functions or is not one.

use std::sync::{Arc, Barrier};

use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{FieldEdit, Origin, draft};
use wanhu_core::document::fold::Fold;
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::store::StoreError;
use wanhu_core::store::open::{self, Access, Sharing};
use wanhu_core::sync::admission::{Provenance, RecordLog};
use wanhu_core::sync::chain::{Chain, EntryKind};
use wanhu_core::sync::responder::LogReader;
use wanhu_server::storage::{self, MIGRATIONS, SqliteLog, SqliteReader, Storage, statistics};
use wanhu_tests::population::{FULING, JINPEN};
use wanhu_tests::seeded::Seeded;

const KEY: [u8; 32] = [7; 32];

fn open_in(dir: &tempfile::TempDir) -> Storage {
    Storage::open(&dir.path().join("records.sqlite"), &KEY, &mut Seeded(1)).unwrap()
}

/// Adds a household of one change to a village, as admission does.
fn add(storage: &Storage, number: u8, scope: u64) -> Result<HouseholdId, StoreError> {
    storage.writer().write(move |transaction| {
        let id = HouseholdId([number; 16]);
        let origin = Origin { actor: ActorId([7; 16]), time_ms: 0, message: String::new() };
        let edit = FieldEdit {
            container: ContainerIndex::of("basic").ok_or(StoreError::NotFound)?,
            key: "head_name".into(),
            value: Some(format!("户{number}").into()),
        };
        let raw = draft(&Fold::default(), &[edit], &origin)?;
        let change = Change::decode(&raw)?;
        let mut log = SqliteLog::new(transaction, 0);
        let mut household = log.create(id, scope)?;
        let provenance =
            Provenance { device: 1, outbox: number.into(), received_ms: 0, rule_set: 1 };
        log.append(&mut household, &raw, &change, &provenance)?;
        log.save(&household)?;
        Ok(id)
    })
}

/// Recomputes the chain of a village from its rows.
fn chain_holds(storage: &Storage, scope: u64) -> u64 {
    storage
        .read(|connection| {
            let reader = SqliteReader(connection);
            let mut chain = Chain::start(scope);
            let rows = reader.rows(scope, 0, 1_000)?;
            for (place, row) in (1u64..).zip(&rows) {
                assert_eq!(row.seq, place, "a gap in the log");
                let payload = match row.kind {
                    EntryKind::Change => row.change.as_ref().ok_or(StoreError::Damaged)?.hash().0,
                    EntryKind::Leave | EntryKind::Enter => {
                        wanhu_core::sync::chain::move_payload(row.other_scope)
                    }
                };
                chain = chain.extend(row.kind, row.household, &payload);
                assert_eq!(row.chain, chain, "entry {place}");
            }
            Ok(rows.len() as u64)
        })
        .unwrap()
}

#[test]
fn writers_at_once_give_one_log_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(open_in(&dir));
    let barrier = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4u8)
        .map(|thread| {
            let (storage, barrier) = (storage.clone(), barrier.clone());
            std::thread::spawn(move || {
                barrier.wait();
                for number in 0..30 {
                    let scope = if number % 2 == 0 { FULING } else { JINPEN };
                    add(&storage, thread * 50 + number, scope).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(chain_holds(&storage, FULING), 60);
    assert_eq!(chain_holds(&storage, JINPEN), 60);
}

#[test]
fn one_failing_job_undoes_itself_alone() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(open_in(&dir));
    let barrier = Arc::new(Barrier::new(3));
    let threads: Vec<_> = (0..3u8)
        .map(|thread| {
            let (storage, barrier) = (storage.clone(), barrier.clone());
            std::thread::spawn(move || {
                barrier.wait();
                let outcomes = (0..20).map(|number| {
                    if thread > 0 {
                        return add(&storage, thread * 50 + number, FULING).is_ok();
                    }
                    let failed = storage.writer().write(|transaction| {
                        transaction.execute("DELETE FROM log", [])?;
                        Err::<(), _>(StoreError::NotFound)
                    });
                    matches!(failed, Err(StoreError::NotFound))
                });
                outcomes.filter(|done| *done).count()
            })
        })
        .collect();
    let done: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(done, 60);
    assert_eq!(chain_holds(&storage, FULING), 40);
}

#[test]
fn what_was_answered_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open_in(&dir);
    let epoch = storage.read(|connection| SqliteReader(connection).epoch()).unwrap();
    for number in 0..5 {
        add(&storage, number, FULING).unwrap();
    }
    drop(storage);
    let storage = open_in(&dir);
    assert_eq!(chain_holds(&storage, FULING), 5);
    assert_eq!(storage.read(|connection| SqliteReader(connection).epoch()).unwrap(), epoch);
}

#[test]
fn a_move_is_in_both_logs_and_the_household_in_one_village() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open_in(&dir);
    let id = add(&storage, 1, FULING).unwrap();
    add(&storage, 2, FULING).unwrap();
    let to = |scope| {
        storage.writer().write(move |t| storage::move_household(t, id, scope, 0)).unwrap();
    };
    to(JINPEN);
    to(JINPEN);
    assert_eq!(chain_holds(&storage, FULING), 3);
    assert_eq!(chain_holds(&storage, JINPEN), 1);
    let rows = storage.read(statistics).unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.scope, row.households)).collect();
    assert_eq!(counts, [(FULING, 1), (JINPEN, 1)]);
    let nobody = HouseholdId([99; 16]);
    let refused =
        storage.writer().write(move |t| storage::move_household(t, nobody, JINPEN, 0)).unwrap_err();
    assert!(matches!(refused, StoreError::NotFound));
}

#[test]
fn a_pack_holds_the_village_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let storage = open_in(&dir);
    for number in 0..40 {
        add(&storage, number, FULING).unwrap();
    }
    let build = || storage::build_packs(&storage, 1_000).unwrap();
    assert_eq!(build(), 1);
    assert_eq!(build(), 0, "nothing new, no new pack");
    let pack = storage.read(|c| SqliteReader(c).pack(FULING)).unwrap().unwrap();
    assert_eq!((pack.point.seq, pack.frames), (40, 1));
    add(&storage, 41, FULING).unwrap();
    assert_eq!(build(), 0, "a short tail does not pay for a new pack");
    let again = storage.read(|c| SqliteReader(c).pack_by_id(FULING, pack.id)).unwrap();
    assert_eq!(again.map(|pack| pack.point), Some(pack.point));
}

#[test]
fn a_newer_releases_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("records.sqlite");
    let newer = i64::try_from(MIGRATIONS.0.len() + 1).unwrap();
    let file = open::open(&path, Access { sharing: Sharing::Shared, key: Some(&KEY) }, MIGRATIONS)
        .unwrap();
    file.pragma_update(None, "user_version", newer).unwrap();
    drop(file);
    let refused = Storage::open(&path, &KEY, &mut Seeded(1)).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }));
}
