//! Random worlds: phones, a server, and a line that cuts, repeats and delays, all decided by one seed. A
//! model keeps every change ever saved; at the end all of it must be somewhere a person can find it, and
//! all replicas of a village must show the same.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use wanhu_core::client::{RecordEdit, SyncSession};
use wanhu_core::document::change::Change;
use wanhu_core::document::judge::field_of;
use wanhu_core::document::raw::RawChange;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::value::Value;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::store::{StoreError, records, replica};
use wanhu_core::sync::admission::Standing;
use wanhu_server::storage::quarantine;

use crate::population::{FULING, JINPEN};
use crate::seeded::Seeded;
use crate::township::{Cost, Fault, Phone, Township, bytes_of};

const YEAR_MS: i64 = 365 * 86_400_000;
const VILLAGES: [u64; 2] = [FULING, JINPEN];
const FIELDS: [&str; 3] = ["address", "natural_village", "grid"];
/// Heads of families that several cadres visit.
const HEADS: [&str; 3] = ["11010519491231002X", "110105194912310038", "110105194912310046"];
/// Syncs after the faults stop within which everything must have settled.
const ROUNDS_MAX: usize = 8;

/// What a run did, for the curious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Changes saved on phones.
    pub saved: usize,
    /// Exchanges that were cut.
    pub cuts: usize,
    /// Households moved.
    pub moves: usize,
    /// Restores of the server from a backup.
    pub restores: usize,
    /// Phones shut out.
    pub revocations: usize,
    /// Phones copied.
    pub copies: usize,
    /// Families that were on record when a cadre wanted to open a record for them.
    pub met: usize,
    /// Records merged into another.
    pub merges: usize,
    /// Refused changes made anew, and quarantined ones released.
    pub second_chances: usize,
}

impl Summary {
    /// Adds what another run did.
    pub fn add(&mut self, other: Self) {
        self.saved += other.saved;
        self.cuts += other.cuts;
        self.moves += other.moves;
        self.restores += other.restores;
        self.revocations += other.revocations;
        self.copies += other.copies;
        self.met += other.met;
        self.merges += other.merges;
        self.second_chances += other.second_chances;
    }
}

struct World {
    rng: Seeded,
    township: Township,
    phones: Vec<Phone>,
    sessions: Vec<SyncSession>,
    /// Requests that a slow gateway may deliver once more, late.
    late: Vec<Vec<u8>>,
    backup: Option<Connection>,
    copies: Vec<(usize, Phone)>,
    summary: Summary,
    counter: usize,
}

/// Runs one world to its end.
///
/// # Panics
/// Where a promise is broken; the message names it.
pub fn run(seed: u64) -> Summary {
    let mut world = World::new(seed);
    for _ in 0..(20 + world.rng.below(60)) {
        world.act();
    }
    let saved = world.everything_saved();
    world.settle();
    world.check(&saved);
    world.summary
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Seeded(seed);
        let mut township = Township::new(&mut rng);
        let phones: Vec<Phone> = (0..2 + rng.below(3))
            .map(|number| {
                let areas = match number {
                    0 => VILLAGES.to_vec(),
                    _ => vec![*rng.pick(&VILLAGES)],
                };
                let skew_ms = i64::try_from(rng.below(7)).unwrap_or(0) - 3;
                township.enrol(&mut rng, &format!("cadre{number}"), &areas, skew_ms * YEAR_MS)
            })
            .collect();
        let sessions = phones.iter().map(|_| SyncSession::default()).collect();
        Self {
            rng,
            township,
            phones,
            sessions,
            late: Vec::new(),
            backup: None,
            copies: Vec::new(),
            summary: Summary::default(),
            counter: 0,
        }
    }

    fn act(&mut self) {
        let phone = self.rng.below(self.phones.len());
        match self.rng.below(100) {
            0..=11 => self.create(phone),
            12..=54 => self.edit(phone),
            55..=84 => self.exchange(phone),
            85..=88 => self.deliver_late(),
            89..=92 => self.move_one(),
            93..=94 => self.township.build_packs(),
            95..=96 => self.backup = Some(self.township.backup()),
            97 => self.restore(),
            98 if self.rng.chance(30) => self.revoke(phone),
            98 if self.rng.chance(40) => self.copy(phone),
            98 => self.second_chance(phone),
            _ if self.rng.chance(30) => self.merge(phone),
            _ => self.settle_one(phone),
        }
    }

    /// The areas of a phone; none once it was wiped.
    fn areas(&self, phone: usize) -> Vec<u64> {
        let enrolment = self.phones[phone].ledger.enrolment().expect("reads");
        enrolment.map(|enrolment| enrolment.areas).unwrap_or_default()
    }

    fn count_saved(&mut self, saved: Result<(), LedgerError>) {
        match saved {
            Ok(()) => self.summary.saved += 1,
            // The household is leaving this phone.
            Err(LedgerError::NotPermitted { .. }) => {}
            Err(error) => panic!("a save became {error:?}"),
        }
    }

    fn revoke(&mut self, phone: usize) {
        let device = self.phones[phone].device;
        self.township.sender(device).standing = Standing::Revoked;
        self.summary.revocations += 1;
    }

    /// Somebody copies a phone, or keeps a backup and goes back to it.
    fn copy(&mut self, phone: usize) {
        let copy = self.phones[phone].copy(&mut self.rng);
        self.summary.copies += 1;
        match self.copies.pop() {
            Some((number, older)) if self.rng.chance(50) => {
                self.phones[number] = older;
                self.sessions[number] = SyncSession::default();
            }
            Some((_, older)) => {
                self.phones.push(older);
                self.sessions.push(SyncSession::default());
            }
            None => {}
        }
        self.copies.push((phone, copy));
    }

    /// The cadre makes a refused change anew, or the office releases one.
    fn second_chance(&mut self, phone: usize) {
        let ledger = &self.phones[phone].ledger;
        if let Some(refused) = ledger.refused().expect("reads").first() {
            match ledger.reauthor(refused.n) {
                Ok(()) => self.summary.second_chances += 1,
                Err(LedgerError::NotFound { .. } | LedgerError::NotPermitted { .. }) => {}
                Err(error) => panic!("a second chance became {error:?}"),
            }
        }
        let released = self.township.release_one(&mut self.rng).expect("writes");
        self.summary.second_chances += usize::from(released);
    }

    fn next_text(&mut self) -> String {
        self.counter += 1;
        format!("值{}", self.counter)
    }

    fn create(&mut self, phone: usize) {
        let areas = self.areas(phone);
        if areas.is_empty() {
            return;
        }
        let village = *self.rng.pick(&areas);
        let mut edit = RecordEdit::default().set("basic", "head_name", self.next_text());
        if self.rng.chance(30) {
            // A family that another cadre may be writing down at this moment.
            let number = (*self.rng.pick(&HEADS)).into();
            let fields = [("relation", "head".into()), ("identity_number", number)];
            edit = edit.row("members", fields.map(|(field, v)| (field.to_owned(), v)).to_vec());
        }
        match self.phones[phone].ledger.create_household(village, edit) {
            Err(LedgerError::AlreadyOnRecord { .. }) => self.summary.met += 1,
            saved => self.count_saved(saved.map(|_| ())),
        }
    }

    fn households(&self, phone: usize) -> Vec<HouseholdId> {
        let rows = self.phones[phone].ledger.list(&ListFilter::default(), None, 1_000);
        rows.expect("reads").into_iter().map(|row| row.id).collect()
    }

    fn edit(&mut self, phone: usize) {
        let households = self.households(phone);
        if households.is_empty() {
            return;
        }
        let id = *self.rng.pick(&households);
        let text = self.next_text();
        let edit = if self.rng.chance(70) {
            let field = *self.rng.pick(&FIELDS);
            RecordEdit::default().set("basic", field, text)
        } else {
            RecordEdit::default().row("visits", vec![("note".to_owned(), text.into())])
        };
        let saved = self.phones[phone].ledger.edit(id, &edit);
        self.count_saved(saved);
    }

    /// A cadre takes two records for one family, rightly or not.
    fn merge(&mut self, phone: usize) {
        let households = self.households(phone);
        if households.len() < 2 {
            return;
        }
        let (kept, duplicate) = (*self.rng.pick(&households), *self.rng.pick(&households));
        match self.phones[phone].ledger.merge(kept, duplicate) {
            Ok(()) => self.summary.merges += 1,
            Err(LedgerError::InvalidInput { .. } | LedgerError::NotPermitted { .. }) => {}
            Err(error) => panic!("a merge became {error:?}"),
        }
    }

    fn settle_one(&mut self, phone: usize) {
        for id in self.households(phone) {
            let ledger = &self.phones[phone].ledger;
            if let Some(conflict) = ledger.conflicts(id).expect("reads").first() {
                let saved = ledger.settle(conflict, 0);
                self.count_saved(saved);
                return;
            }
        }
    }

    fn exchange(&mut self, phone: usize) {
        if self.areas(phone).is_empty() {
            return;
        }
        let fault = match self.rng.below(4) {
            0 => Fault { request_bytes: Some(self.rng.below(2_000)), answer_bytes: None },
            1 => Fault { request_bytes: None, answer_bytes: Some(self.rng.below(3_000)) },
            _ => Fault::default(),
        };
        if self.rng.chance(10) {
            // The request reaches the server, nobody hears the answer, and it may come once more.
            let request =
                self.sessions[phone].request(&self.phones[phone].ledger).expect("composes");
            let bytes = bytes_of(&request);
            self.township.answer(&bytes);
            self.late.push(bytes);
            self.sessions[phone].cut();
            return;
        }
        let (township, session) = (&mut self.township, &mut self.sessions[phone]);
        let outcome = self.phones[phone].exchange(township, session, fault, &mut Cost::default());
        match outcome {
            Ok(Some(_)) => self.sessions[phone] = SyncSession::default(),
            Ok(None) => {}
            Err(LedgerError::Offline { .. }) => self.summary.cuts += 1,
            Err(error) => panic!("a fault of the line became {error:?}"),
        }
    }

    fn deliver_late(&mut self) {
        if !self.late.is_empty() {
            let at = self.rng.below(self.late.len());
            let request = self.late.swap_remove(at);
            self.township.answer(&request);
        }
    }

    fn move_one(&mut self) {
        let ids = server_households(&self.township.connection).expect("reads");
        if ids.is_empty() {
            return;
        }
        let (id, to) = (*self.rng.pick(&ids), *self.rng.pick(&VILLAGES));
        self.township.move_household(id, to).expect("moves");
        self.summary.moves += 1;
    }

    fn restore(&mut self) {
        if let Some(backup) = self.backup.take() {
            self.township.restore(backup, &mut self.rng);
            self.summary.restores += 1;
        }
    }

    /// Every change that any phone or the server holds when the faults stop.
    fn everything_saved(&self) -> Work {
        let mut all = changes(&self.township.connection).expect("reads");
        all.extend(quarantined(&self.township.connection).expect("reads"));
        for phone in &self.phones {
            all.extend(phone.ledger.with_store(changes).expect("reads"));
            all.extend(phone.ledger.with_store(refused).expect("reads"));
        }
        all
    }

    fn settle(&mut self) {
        for round in 0.. {
            for number in 0..self.phones.len() {
                if !self.areas(number).is_empty() {
                    let synced = self.phones[number].sync(&mut self.township);
                    synced.expect("a clean line carries a sync");
                }
            }
            let waiting: u64 =
                self.phones.iter().map(|p| p.ledger.status().expect("reads").pending).sum();
            // What one phone gives back, another fetches in the round after.
            if waiting == 0 && round > 2 {
                return;
            }
            assert!(round < ROUNDS_MAX, "{waiting} changes still wait after {round} rounds");
        }
    }

    fn check(&mut self, saved: &Work) {
        let mut findable = changes(&self.township.connection).expect("reads");
        findable.extend(quarantined(&self.township.connection).expect("reads"));
        for phone in &self.phones {
            findable.extend(phone.ledger.with_store(refused).expect("reads"));
        }
        let lost = saved.difference(&findable).count();
        assert_eq!(lost, 0, "changes nobody can find any more");
        for number in 0..self.phones.len() {
            let device = self.phones[number].device;
            let areas = match self.township.sender(device).standing {
                Standing::Active => self.areas(number),
                Standing::Revoked => Vec::new(),
            };
            let phone = &self.phones[number];
            let here = states(&self.township.connection, &areas).expect("reads");
            let there = phone.ledger.with_store(|c| states(c, &VILLAGES)).expect("reads");
            assert!(here == there, "phone {number} shows something else than the server");
            if areas.is_empty() {
                let kept = phone.ledger.refused().expect("reads").len();
                assert_eq!(kept, 0, "a phone that was shut out remembers");
            }
        }
        assert_eq!(chain_breaks(&self.township.connection).expect("reads"), 0, "the log has gaps");
    }
}

/// Every value ever set, by household and field. Not by change: what gave way to a copy's change is
/// written anew, in a row with another name.
type Work = BTreeSet<(HouseholdId, &'static str, String, Option<Value>)>;

fn work_in(household: HouseholdId, change: &Change) -> Work {
    let set = change.ops.iter().map(|op| {
        let field = field_of(op.container, &op.key).to_owned();
        (household, op.container.name(), field, op.value.clone())
    });
    set.collect()
}

type States = BTreeMap<HouseholdId, (u64, Vec<u8>)>;

/// Village and folded state of every household in the areas.
fn states(connection: &Connection, areas: &[u64]) -> Result<States, StoreError> {
    let mut states = States::new();
    for area in areas {
        for (id, _) in records::digests(connection, *area)? {
            let household = records::find(connection, id)?.ok_or(StoreError::NotFound)?;
            states.insert(id, (household.scope, household.fold.encode()));
        }
    }
    Ok(states)
}

fn server_households(connection: &Connection) -> Result<Vec<HouseholdId>, StoreError> {
    let mut statement = connection.prepare("SELECT id FROM household ORDER BY id")?;
    let ids = statement.query_map([], |row| Ok(HouseholdId(row.get(0)?)))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn changes(connection: &Connection) -> Result<Work, StoreError> {
    let mut work = Work::new();
    for id in server_households(connection)? {
        let household = records::find(connection, id)?.ok_or(StoreError::NotFound)?;
        for change in records::changes(connection, household.n)? {
            work.extend(work_in(id, &Change::decode_named(&change.raw, change.hash)?));
        }
    }
    Ok(work)
}

fn refused(connection: &Connection) -> Result<Work, StoreError> {
    let mut work = Work::new();
    for refused in replica::refused(connection)? {
        work.extend(work_in(refused.household, &Change::decode(&refused.raw)?));
    }
    Ok(work)
}

fn quarantined(connection: &Connection) -> Result<Work, StoreError> {
    let mut work = Work::new();
    for row in quarantine::all(connection)? {
        let raw = RawChange::join(&[], &row.change.tail)?;
        work.extend(work_in(row.household, &Change::decode(&raw)?));
    }
    Ok(work)
}

/// Entries of any scope's log that do not follow the one before without a gap.
fn chain_breaks(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row(
        "SELECT count(*) FROM log l WHERE l.seq > 1 AND NOT EXISTS
         (SELECT 1 FROM log b WHERE b.scope = l.scope AND b.seq = l.seq - 1)",
        [],
        |row| row.get(0),
    )?)
}
