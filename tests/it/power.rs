//! The power goes at any moment: what phone and server had promised is there when it comes back, once, and
//! the next sync makes them equal. The disk is our own and forgets whatever it was not told to keep.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Connection;
use wanhu_core::client::{Ledger, RecordEdit, Step, SyncSession};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::open::{self, Access, Sharing};
use wanhu_core::store::{REPLICA_MIGRATIONS, StoreError, records};
use wanhu_disk::Disk;
use wanhu_server::storage::MIGRATIONS;
use wanhu_tests::population::FULING;
use wanhu_tests::seeded::{Seeded, TestClock};
use wanhu_tests::tally::{Tally, times};
use wanhu_tests::township::{Phone, START_MS, Township, bytes_of, copy_of};
use wanhu_tests::vault::MemoryVault;

/// Moments of every run; `WANHU_CUTS` asks for more.
const CUTS: u64 = 2_000;
const KEY: [u8; 32] = [9; 32];

fn open_phone(disk: &Disk, is_sealed: bool, seed: u64) -> Result<Ledger, String> {
    let key = is_sealed.then_some(&KEY);
    let access = Access { sharing: Sharing::Alone, key };
    let connection = open::open(&disk.path("phone.sqlite"), access, REPLICA_MIGRATIONS);
    let connection = connection.map_err(|error| format!("does not open: {error}"))?;
    let clock = Arc::new(TestClock::at(START_MS));
    Ledger::start(connection, clock, Box::new(Seeded(seed))).map_err(|error| error.to_string())
}

fn open_server(disk: &Disk) -> Result<Connection, StoreError> {
    open::open(&disk.path("records.sqlite"), Access::plain(Sharing::Shared), MIGRATIONS)
}

/// Something that had been safe after so many operations of the disk.
struct Promise {
    after: usize,
    household: HouseholdId,
    text: String,
}

/// One day of a phone: creates, edits, visits, syncs.
struct Day {
    rng: Seeded,
    households: Vec<HouseholdId>,
    saves: u64,
}

impl Day {
    fn new(seed: u64) -> Self {
        Self { rng: Seeded(seed), households: Vec::new(), saves: 0 }
    }

    fn save(&mut self, ledger: &Ledger) -> (HouseholdId, String) {
        self.saves += 1;
        let text = format!("第{}次", self.saves);
        if self.households.len() < 2 || self.rng.chance(15) {
            let edit = RecordEdit::default().set("basic", "head_name", text.as_str());
            let id = ledger.create_household(FULING, edit).unwrap();
            self.households.push(id);
            return (id, text);
        }
        let id = *self.rng.pick(&self.households);
        ledger.record_visit(id, vec![("note".into(), text.as_str().into())]).unwrap();
        (id, text)
    }
}

fn times_shown(ledger: &Ledger, promise: &Promise) -> usize {
    let Ok(record) = ledger.show(promise.household) else { return 0 };
    let is_it = |value: &&wanhu_core::client::FieldView| {
        value.value.as_text() == Some(promise.text.as_str())
    };
    record.fields.iter().filter(is_it).count()
}

/// A phone's day on a disk, with the server beside it after every message that left the phone.
struct PhonesDay {
    disk: Disk,
    is_sealed: bool,
    device: u32,
    enrolled_after: usize,
    promises: Vec<Promise>,
    servers: Vec<(usize, Township)>,
}

impl PhonesDay {
    fn live(disk: Disk, is_sealed: bool, saves: u64) -> Self {
        let mut rng = Seeded(21);
        let mut township = Township::new(&mut rng);
        let other = township.enrol(&mut rng, "wang", &[FULING], 0);
        let ledger = open_phone(&disk, is_sealed, 22).unwrap();
        let phone =
            township.enrol_ledger(&mut rng, ledger, "li", Role::VillageCadre, &[FULING]).unwrap();
        let enrolled_after = disk.operations();
        let mut servers = vec![(0, township.again_over(township.backup()))];
        let (mut day, mut others) = (Day::new(23), Day::new(24));
        let mut promises = Vec::new();
        for _ in 0..saves {
            let (household, text) = day.save(&phone.ledger);
            promises.push(Promise { after: disk.operations(), household, text });
            if day.rng.chance(20) {
                others.save(&other.ledger);
                other.sync(&mut township).unwrap();
                sync_and_note(&phone, &mut township, &disk, &mut servers);
            }
        }
        let device = phone.device;
        drop(phone);
        Self { disk, is_sealed, device, enrolled_after, promises, servers }
    }

    /// What is found after the power went at this moment; what was promised and is gone, if anything.
    fn cut(&self, at: usize, seed: u64) -> Result<(), String> {
        let disk = self.disk.as_of(at, seed);
        let ledger = open_phone(&disk, self.is_sealed, seed)?;
        assert_sound(&ledger);
        for promise in &self.promises {
            let shown = times_shown(&ledger, promise);
            if shown > 1 || (shown == 0 && promise.after <= at) {
                return Err(format!("{} is there {shown} times", promise.text));
            }
        }
        if at < self.enrolled_after {
            return Ok(());
        }
        let heard = self.servers.iter().rfind(|(sent, _)| *sent <= at);
        let server = &heard.ok_or("no server")?.1;
        let mut server = server.again_over(copy_of(&server.connection));
        let phone = Phone { ledger, device: self.device };
        phone.sync(&mut server).map_err(|error| error.to_string())?;
        let status = phone.ledger.status().unwrap();
        if (status.pending, status.refused) != (0, 0) {
            return Err(format!("{} wait, {} refused", status.pending, status.refused));
        }
        let here = phone.ledger.with_store(states).unwrap();
        if here != states(&server.connection).unwrap() {
            return Err("phone and server differ".into());
        }
        Ok(())
    }
}

fn sync_and_note(
    phone: &Phone,
    township: &mut Township,
    disk: &Disk,
    servers: &mut Vec<(usize, Township)>,
) {
    let mut session = SyncSession::default();
    loop {
        let request = bytes_of(&session.request(&phone.ledger).unwrap());
        let answer = township.answer(&request).unwrap();
        servers.push((disk.operations(), township.again_over(township.backup())));
        session.feed(&phone.ledger, &answer).unwrap();
        if matches!(session.end(&phone.ledger).unwrap(), Step::Done(_)) {
            return;
        }
    }
}

/// The file is whole, and every state is what its changes make.
fn assert_sound(ledger: &Ledger) {
    ledger
        .with_store(|connection| {
            let verdict: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
            assert_eq!(verdict, "ok");
            for (id, state) in states(connection)? {
                let household = records::find(connection, id)?.ok_or(StoreError::NotFound)?;
                let refolded = records::refold(connection, household.n)?;
                assert!(refolded.encode() == state, "a state without its changes");
            }
            Ok(())
        })
        .unwrap();
}

type States = Vec<(HouseholdId, Vec<u8>)>;

fn states(connection: &Connection) -> Result<States, StoreError> {
    let mut states = States::new();
    for (id, _) in records::digests(connection, FULING)? {
        let household = records::find(connection, id)?.ok_or(StoreError::NotFound)?;
        states.push((id, household.fold.encode()));
    }
    Ok(states)
}

/// Moments spread over the whole day, each with a seed of its own.
fn moments(operations: usize, count: u64) -> impl Iterator<Item = (usize, u64)> {
    let mut rng = Seeded(operations as u64);
    (0..count).map(move |seed| (rng.below(operations + 1), seed))
}

fn cut_phones_day(is_sealed: bool, cuts: u64) {
    let day = PhonesDay::live(Disk::default(), is_sealed, 30);
    for (at, seed) in moments(day.disk.operations(), cuts) {
        if let Err(what) = day.cut(at, seed) {
            panic!("power gone after operation {at}, seed {seed}: {what}");
        }
    }
}

#[test]
fn a_phone_whose_power_goes_keeps_what_it_promised() {
    let tally = Tally::begin("R2", "power cut under a phone that saves and syncs");
    let cuts = times("WANHU_CUTS", CUTS) * 2 / 5;
    cut_phones_day(false, cuts);
    tally.passed(&format!("{cuts} moments"));
}

#[test]
fn an_encrypted_phone_whose_power_goes_keeps_what_it_promised() {
    let tally = Tally::begin("R2", "power cut under an encrypted phone");
    let cuts = times("WANHU_CUTS", CUTS) / 5;
    cut_phones_day(true, cuts);
    tally.passed(&format!("{cuts} moments"));
}

#[test]
fn a_new_encrypted_book_opens_after_a_power_cut_anywhere_in_its_first_save() {
    let disk = Disk::default();
    let vault = Arc::new(MemoryVault::default());
    let open = |disk: &Disk, seed: u64| {
        let clock = Arc::new(TestClock::at(START_MS));
        Ledger::open_sealed(&disk.path("a"), vault.clone(), clock, Box::new(Seeded(seed)))
    };
    let ledger = open(&disk, 1).unwrap();
    ledger.create_household(FULING, RecordEdit::default()).unwrap();
    let cuts = disk.operations();
    for at in 0..=cuts {
        for seed in 0..8 {
            let disk = disk.as_of(at, seed);
            let found = open(&disk, seed + 2);
            let found =
                found.unwrap_or_else(|error| panic!("after operation {at}, {seed}: {error}"));
            found.create_household(FULING, RecordEdit::default()).unwrap();
            let saved = found.status().unwrap().households;
            assert!(saved == 2 || at < cuts && saved == 1, "after operation {at}, {seed}: {saved}");
        }
    }
}

#[test]
fn a_disk_that_lies_is_found_out() {
    let day = PhonesDay::live(Disk::that_lies(), false, 30);
    let broken = moments(day.disk.operations(), 40)
        .filter(|(at, seed)| {
            let cut =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| day.cut(*at, *seed)));
            !matches!(cut, Ok(Ok(())))
        })
        .count();
    assert!(broken > 20, "a test that misses lost saves proves nothing: {broken} of 40");
}

/// The server's day on a disk, with copies of the phones before and after each of their syncs.
struct ServersDay {
    disk: Disk,
    server: Township,
    phones: Vec<(usize, [Phone; 2])>,
}

impl ServersDay {
    fn live(syncs: u64) -> Self {
        let disk = Disk::default();
        let mut rng = Seeded(31);
        let mut server = Township::over(open_server(&disk).unwrap(), &mut rng);
        let phones = ["li", "wang"].map(|name| server.enrol(&mut rng, name, &[FULING], 0));
        let mut days = [Day::new(32), Day::new(33)];
        let mut noted = Vec::new();
        let note = |noted: &mut Vec<_>, rng: &mut Seeded, phones: &[Phone; 2]| {
            noted.push((disk.operations(), [phones[0].copy(rng), phones[1].copy(rng)]));
        };
        for number in 0..syncs {
            let turn = usize::try_from(number % 2).unwrap();
            for _ in 0..3 {
                days[turn].save(&phones[turn].ledger);
            }
            note(&mut noted, &mut rng, &phones);
            phones[turn].sync(&mut server).unwrap();
            note(&mut noted, &mut rng, &phones);
        }
        let kept = server.backup();
        let server = server.again_over(kept);
        Self { disk, server, phones: noted }
    }

    fn cut(&self, at: usize, seed: u64) {
        let disk = self.disk.as_of(at, seed);
        let connection = open_server(&disk).unwrap();
        let mut server = self.server.again_over(connection);
        assert!(server.is_whole(), "the log does not fit together");
        let held = hashes(&server.connection, "TRUE").unwrap();
        let mut rng = Seeded(seed);
        let phones = self.phones.iter().rfind(|(after, _)| *after <= at);
        let phones = phones.map(|(_, phones)| [phones[0].copy(&mut rng), phones[1].copy(&mut rng)]);
        for phone in phones.iter().flatten() {
            let receipts = phone.ledger.with_store(|c| hashes(c, "acknowledged = 1")).unwrap();
            assert!(receipts.is_subset(&held), "a receipt for what is lost");
        }
        // Twice round, so that both have what the other brought.
        for phone in phones.iter().chain(&phones).flatten() {
            phone.sync(&mut server).unwrap();
        }
        for phone in phones.iter().flatten() {
            let status = phone.ledger.status().unwrap();
            assert_eq!((status.pending, status.refused), (0, 0));
            let here = phone.ledger.with_store(states).unwrap();
            assert!(here == states(&server.connection).unwrap(), "phone and server differ");
        }
    }
}

fn hashes(connection: &Connection, which: &str) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT hash FROM change WHERE {which}"))?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[test]
fn a_server_whose_power_goes_has_everything_it_gave_a_receipt_for() {
    let tally = Tally::begin("R2", "power cut under the server while phones sync");
    let cuts = times("WANHU_CUTS", CUTS) * 2 / 5;
    let day = ServersDay::live(16);
    for (at, seed) in moments(day.disk.operations(), cuts) {
        let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| day.cut(at, seed)));
        assert!(cut.is_ok(), "power gone after operation {at}, seed {seed}");
    }
    tally.passed(&format!("{cuts} moments"));
}
