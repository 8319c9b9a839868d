//! One bit is not what it was, in a log or a pack on their way, in the server's file, in a backup: it is
//! noticed or does not matter, and never shown to anybody as a family's record.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wanhu_core::client::SyncSession;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::listing::{self, ListFilter, ListRow};
use wanhu_core::store::open::{self, Access, Sharing};
use wanhu_core::store::{StoreError, records};
use wanhu_server::backup;
use wanhu_server::keys;
use wanhu_server::settings::Settings;
use wanhu_server::storage::{MIGRATIONS, audit};
use wanhu_tests::population::{FULING, household};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::tally::{Tally, times};
use wanhu_tests::township::{Phone, Township, bytes_of};

/// Bits of every run and kind; `WANHU_FLIPS` asks for more.
const FLIPS: u64 = 500;

fn flip(bytes: &[u8], rng: &mut Seeded) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    let place = rng.below(flipped.len());
    flipped[place] ^= 1 << rng.below(8);
    flipped
}

type States = BTreeMap<HouseholdId, Vec<u8>>;

fn states(connection: &rusqlite::Connection) -> Result<States, StoreError> {
    let mut states = States::new();
    for (id, _) in records::digests(connection, FULING)? {
        let household = records::find(connection, id)?.ok_or(StoreError::NotFound)?;
        states.insert(id, household.fold.encode());
    }
    Ok(states)
}

/// A server with a pack of 60 households and 20 more in the log behind it.
fn township(rng: &mut Seeded) -> (Township, Phone) {
    let mut township = Township::new(rng);
    let phone = township.enrol(rng, "li", &[FULING], 0);
    for number in 0..80 {
        phone.ledger.create_household(FULING, household(rng, FULING)).unwrap();
        if number == 59 {
            phone.sync(&mut township).unwrap();
            township.build_packs();
        }
    }
    phone.sync(&mut township).unwrap();
    (township, phone)
}

#[test]
fn a_bit_flipped_in_an_answer_never_becomes_a_record() {
    let tally = Tally::begin("R8", "one bit flipped in an answer that carries log and pack");
    let mut rng = Seeded(61);
    let (mut township, _) = township(&mut rng);
    let truth = states(&township.connection).unwrap();
    let flips = times("WANHU_FLIPS", FLIPS);
    let mut noticed = 0;
    for _ in 0..flips {
        let phone = township.enrol(&mut rng, "wang", &[FULING], 0);
        let mut session = SyncSession::default();
        let request = bytes_of(&session.request(&phone.ledger).unwrap());
        let answer = flip(&township.answer(&request).unwrap(), &mut rng);
        let fed = session.feed(&phone.ledger, &answer);
        noticed += u64::from(fed.is_err() || session.end(&phone.ledger).is_err());
        for (id, state) in phone.ledger.with_store(states).unwrap() {
            assert!(truth.get(&id) == Some(&state), "something else than was sent is shown");
        }
        phone.sync(&mut township).unwrap();
        assert!(phone.ledger.with_store(states).unwrap() == truth, "a later sync makes it good");
    }
    assert!(noticed * 10 > flips * 8, "nearly every bit counts: {noticed} of {flips}");
    tally.passed(&format!("{flips} bits, {noticed} noticed at once"));
}

#[test]
fn a_bit_flipped_in_a_request_never_becomes_a_record() {
    let tally = Tally::begin("R8", "one bit flipped in a frame that a phone pushes");
    let mut rng = Seeded(62);
    let (mut township, phone) = township(&mut rng);
    for _ in 0..4 {
        phone.ledger.create_household(FULING, household(&mut rng, FULING)).unwrap();
    }
    let before = states(&township.connection).unwrap();
    let outgoing = SyncSession::default().request(&phone.ledger).unwrap();
    let flips = times("WANHU_FLIPS", FLIPS);
    for _ in 0..flips {
        let mut flipped = outgoing.head.clone();
        let frames = outgoing.frames.concat();
        flipped.extend(flip(&frames, &mut rng));
        // The header's signature covers each frame's digest: the server stops at the first that differs.
        let answered = catch_unwind(AssertUnwindSafe(|| township.answer(&flipped)));
        assert!(!matches!(answered, Ok(Some(_))), "an altered frame was taken");
        assert!(states(&township.connection).unwrap() == before);
    }
    phone.sync(&mut township).unwrap();
    assert_eq!(states(&township.connection).unwrap().len(), before.len() + 4);
    tally.passed(&format!("{flips} bits"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_flipped_in_the_servers_file_or_in_a_backup_is_noticed_or_does_not_matter() {
    let tally = Tally::begin("R8", "one bit flipped in the server's records file and in a backup");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let settings = Settings { data_dir: path("data"), ..Settings::default() };
    let key_file = settings.storage_key_file();
    let server = TestServer::start_with(settings, None).await;
    let phone = server.phone(&path("a"), "li", &[FULING], &server.url()).await.unwrap().0;
    let mut rng = Seeded(63);
    for _ in 0..400 {
        phone.create_household(FULING, household(&mut rng, FULING)).unwrap();
    }
    phone.sync(&(), &wanhu_core::client::Cancel::default()).await.unwrap();
    server.build_packs();
    let verifying_key = server.app.key.verifying_key();
    server.stop().await;
    let key = keys::read(&key_file).unwrap();
    backup::backup(&path("data"), &key, &path("backup")).unwrap();

    let file = path("data").join("records.sqlite");
    let (bytes, copy) = (std::fs::read(&file).unwrap(), path("copy.sqlite"));
    let access = Access { sharing: Sharing::Alone, key: Some(&key) };
    // What phones and offices are told from it: the log, the records, the list.
    let look = |file: &std::path::Path| -> Result<(States, Vec<ListRow>), StoreError> {
        let connection = open::open(file, access, MIGRATIONS)?;
        if audit::verify(&connection, &verifying_key, &[])?.is_err() {
            return Err(StoreError::Damaged);
        }
        let list = listing::page(&connection, &ListFilter::default(), None, 1_000)?;
        Ok((states(&connection)?, list))
    };
    let truth = look(&file).unwrap();
    let flips = times("WANHU_FLIPS", FLIPS) / 2;
    let mut noticed = 0;
    for _ in 0..flips {
        std::fs::write(&copy, flip(&bytes, &mut rng)).unwrap();
        match look(&copy) {
            Ok(found) => assert!(found == truth, "a flipped bit changed a record"),
            Err(StoreError::Damaged) => noticed += 1,
            Err(error) => panic!("a flipped bit became {error:?}"),
        }
        let _ = std::fs::remove_file(path("copy.sqlite-wal"));
    }
    assert!(noticed * 2 > flips, "most pages hold something: {noticed} of {flips}");

    backup::check(&path("backup")).unwrap();
    let files: Vec<_> =
        std::fs::read_dir(path("backup")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for _ in 0..flips {
        let file = rng.pick(&files);
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, flip(&bytes, &mut rng)).unwrap();
        assert!(backup::check(&path("backup")).is_err(), "{} altered unseen", file.display());
        std::fs::write(file, bytes).unwrap();
    }
    tally.passed(&format!("{} bits, {noticed} of {flips} noticed in the file", 2 * flips));
}
