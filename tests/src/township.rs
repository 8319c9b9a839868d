//! A township's server without network and accounts: the real responder over the real storage in
//! memory, and phones that reach it through byte slices that a test may cut, lose or repeat.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use rusqlite::Connection;
use wanhu_core::client::{Enrolment, Ledger, Step, SyncSession};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::environment::{Clock, random};
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::Published;
use wanhu_core::error::LedgerError;
use wanhu_core::store::{StoreError, open};
use wanhu_core::sync::admission::{Admission, Sender, Standing};
use wanhu_core::sync::initiator::Outgoing;
use wanhu_core::sync::receiver::SyncReport;
use wanhu_core::sync::responder::{RequestError, Responder};
use wanhu_core::sync::wire::{EnrolResponse, PushFrame, Refusal, SyncRequest};
use wanhu_core::sync::{seal, wire};
use wanhu_server::storage::quarantine::{self, QuarantineRow};
use wanhu_server::storage::{self, SqliteLog, SqliteReader};

use crate::seeded::{Seeded, TestClock};

/// 2024-03-01 00:00 UTC, when all test worlds begin.
pub const START_MS: i64 = 1_709_251_200_000;

/// The server.
#[derive(Debug)]
pub struct Township {
    /// Its records file, in memory.
    pub connection: Connection,
    key: SigningKey,
    now_ms: i64,
    devices: Vec<Sender>,
    policy: Arc<Published>,
}

/// A phone.
#[derive(Debug)]
pub struct Phone {
    /// Its ledger, in memory.
    pub ledger: Ledger,
    /// Its number at the server.
    pub device: u32,
}

/// What the line does to one exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fault {
    /// Only so many bytes of the request arrive.
    pub request_bytes: Option<usize>,
    /// Only so many bytes of the answer arrive.
    pub answer_bytes: Option<usize>,
}

impl Township {
    /// A server with no household.
    pub fn new(rng: &mut Seeded) -> Self {
        Self::over(open::open_in_memory(storage::MIGRATIONS).expect("opens"), rng)
    }

    /// A server over a records file opened elsewhere.
    pub fn over(connection: Connection, rng: &mut Seeded) -> Self {
        storage::ensure_epoch(&connection, rng).expect("writes");
        let key = SigningKey::from_bytes(&random(rng));
        Self { connection, key, now_ms: START_MS, devices: Vec::new(), policy: Arc::default() }
    }

    /// Judges by this policy from now on, and gives it to the phones. Before, nothing has a line or a period.
    pub fn publish(&mut self, policy: Published) {
        self.policy = Arc::new(policy);
    }

    /// The same server, with the same devices, over another records file.
    #[must_use]
    pub fn again_over(&self, connection: Connection) -> Self {
        let (key, devices) = (self.key.clone(), self.devices.clone());
        let policy = self.policy.clone();
        Self { connection, key, now_ms: self.now_ms, devices, policy }
    }

    /// Sets the server's clock.
    pub fn set_clock(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// A phone of a cadre with these areas, its clock off by `skew_ms`.
    pub fn enrol(&mut self, rng: &mut Seeded, name: &str, areas: &[u64], skew_ms: i64) -> Phone {
        self.enrol_as(rng, name, Role::VillageCadre, areas, skew_ms)
    }

    /// A phone of somebody else.
    pub fn enrol_as(
        &mut self,
        rng: &mut Seeded,
        name: &str,
        role: Role,
        areas: &[u64],
        skew_ms: i64,
    ) -> Phone {
        let clock = Arc::new(TestClock::at(START_MS + skew_ms));
        self.enrol_clocked(rng, clock, name, role, areas)
    }

    /// A cadre's phone with a clock of the test's own.
    pub fn enrol_with(&mut self, rng: &mut Seeded, clock: Arc<dyn Clock>, area: u64) -> Phone {
        self.enrol_clocked(rng, clock, "li", Role::VillageCadre, &[area])
    }

    fn enrol_clocked(
        &mut self,
        rng: &mut Seeded,
        clock: Arc<dyn Clock>,
        name: &str,
        role: Role,
        areas: &[u64],
    ) -> Phone {
        let ledger = Ledger::open_in_memory(clock, Box::new(Seeded(rng.draw()))).expect("opens");
        self.enrol_ledger(rng, ledger, name, role, areas).expect("writes")
    }

    /// A phone whose ledger was opened elsewhere.
    ///
    /// # Errors
    /// Where the ledger cannot keep its enrolment; then the server does not know it either.
    pub fn enrol_ledger(
        &mut self,
        rng: &mut Seeded,
        ledger: Ledger,
        name: &str,
        role: Role,
        areas: &[u64],
    ) -> Result<Phone, LedgerError> {
        let device = u32::try_from(self.devices.len()).expect("few") + 1;
        let key = SigningKey::from_bytes(&random(rng));
        let response = EnrolResponse {
            device,
            server_key: self.key.verifying_key().to_bytes().into(),
            account: name.to_owned(),
            name: name.to_owned(),
            areas: areas.to_vec(),
            role: role.code().to_owned(),
            person_key: Some(PersonKey::derive(&self.key.to_bytes()).to_bytes().into()),
            regions: None,
        };
        let enrolment = Enrolment::new("http://127.0.0.1", None, &key, response);
        ledger.set_enrolment(&enrolment)?;
        let actors = vec![ledger.actor()];
        self.devices.push(Sender {
            device,
            actors,
            account: name.to_owned(),
            role,
            areas: areas.to_vec(),
            grids: Vec::new(),
            standing: Standing::Active,
            quota: u64::MAX,
            lease_days: None,
        });
        Ok(Phone { ledger, device })
    }

    /// Whether every hash, chain, digest, state and head of its log fits.
    pub fn is_whole(&self) -> bool {
        let key = self.key.verifying_key();
        storage::audit::verify(&self.connection, &key, &[]).expect("reads").is_ok()
    }

    /// What the server knows of a device, to be changed by a test.
    pub fn sender(&mut self, device: u32) -> &mut Sender {
        self.devices.iter_mut().find(|sender| sender.device == device).expect("enrolled")
    }

    /// Moves a household to another village.
    pub fn move_household(&mut self, id: HouseholdId, to: u64) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        storage::move_household(&transaction, id, to, self.now_ms)?;
        Ok(transaction.commit()?)
    }

    /// Puts a frame of any content before admission, as a device that is no phone of ours would.
    pub fn push(&mut self, device: u32, frame: &PushFrame) -> Vec<Refusal> {
        let sender = self.sender(device).clone();
        let transaction = self.connection.transaction().expect("begins");
        let mut log = SqliteLog::new(&transaction, self.now_ms).under(&self.policy.policy);
        let refusals = Admission::default().admit(&mut log, &sender, frame, self.now_ms);
        transaction.commit().expect("commits");
        refusals.expect("storage works")
    }

    /// What waits in quarantine, oldest first.
    ///
    /// # Errors
    /// Where the file fails.
    pub fn waiting(&self) -> Result<Vec<QuarantineRow>, StoreError> {
        quarantine::waiting(&self.connection, 0, 100, |_| true)
    }

    /// Releases one of the changes in quarantine. Returns whether it was taken.
    pub fn release_one(&mut self, rng: &mut Seeded) -> Result<bool, StoreError> {
        let waiting = self.waiting()?;
        if waiting.is_empty() {
            return Ok(false);
        }
        let n = rng.pick(&waiting).n;
        let transaction = self.connection.transaction()?;
        let policy = &self.policy.policy;
        let released =
            quarantine::release(&transaction, n, "", Role::CountyOffice, policy, self.now_ms)?;
        transaction.commit()?;
        Ok(released.is_ok())
    }

    /// A copy of the records file, as a backup takes it.
    pub fn backup(&self) -> Connection {
        copy_of(&self.connection)
    }

    /// Goes back to a backup, as `restore` does: with a new epoch and asking phones to give back.
    pub fn restore(&mut self, backup: Connection, rng: &mut Seeded) {
        self.connection = backup;
        storage::begin_new_epoch(&self.connection, rng, i64::MAX).expect("writes");
    }

    /// Makes the packs that are due.
    pub fn build_packs(&mut self) {
        storage::build_packs_here(&mut self.connection, self.now_ms).expect("builds");
    }

    /// Answers the bytes of a request that may end anywhere. Frames that arrived whole are taken even
    /// where the request was cut; then there is nobody to answer.
    pub fn answer(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        self.now_ms += 1_000;
        let (header, mut rest) = split_header(request)?;
        let header: SyncRequest = wire::decode(header).expect("the signed header is whole");
        let sender = self.devices.iter_mut().find(|sender| sender.device == header.device)?;
        if let Some(actor) = &header.actor {
            sender.actors.push(ActorId(**actor));
        }
        let sender = sender.clone();
        let digests = header.frames.clone();
        let mut responder = match Responder::begin(header, sender) {
            Ok(responder) => responder.publishing(self.policy.clone()),
            Err(
                RequestError::ProtocolTooOld | RequestError::Malformed | RequestError::TooLarge,
            ) => {
                return None;
            }
        };
        for digest in digests {
            let (length, taken) = seal::take_length(rest).expect("bounded")?;
            let frame = rest.get(taken..taken + length)?;
            assert_eq!(seal::frame_digest(frame), *digest);
            self.take(&mut responder, frame);
            rest = &rest[taken + length..];
        }
        let reader = SqliteReader(&self.connection);
        let mut answer = Vec::new();
        while let Some(part) = responder.next_part(&reader, &self.key, self.now_ms).expect("reads")
        {
            answer.extend(part);
        }
        Some(answer)
    }

    fn take(&mut self, responder: &mut Responder, frame: &[u8]) {
        let frame = Responder::read_frame(frame).expect("a phone's own frame");
        let transaction = self.connection.transaction().expect("begins");
        let mut log = SqliteLog::new(&transaction, self.now_ms).under(&self.policy.policy);
        responder.take(&mut log, &frame, self.now_ms).expect("takes");
        transaction.commit().expect("commits");
    }
}

/// A copy in memory of a whole file.
pub fn copy_of(connection: &Connection) -> Connection {
    let mut copy = Connection::open_in_memory().expect("opens");
    {
        let backup = rusqlite::backup::Backup::new(connection, &mut copy).expect("starts");
        backup.run_to_completion(1_000, std::time::Duration::ZERO, None).expect("copies");
    }
    copy
}

fn split_header(request: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, taken) = seal::take_length(request).expect("bounded")?;
    let header = request.get(taken..taken + length)?;
    let rest = request.get(taken + length + seal::SIGNATURE_BYTES..)?;
    Some((header, rest))
}

/// A request's bytes in one piece.
pub fn bytes_of(outgoing: &Outgoing) -> Vec<u8> {
    outgoing.frames.iter().fold(outgoing.head.clone(), |mut bytes, frame| {
        bytes.extend_from_slice(frame);
        bytes
    })
}

/// What one exchange cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests.
    pub requests: u64,
    /// Bytes of their bodies.
    pub up_bytes: u64,
    /// Bytes of the answers' bodies.
    pub down_bytes: u64,
}

impl Phone {
    /// A copy of this phone as it is now: the same keys, the same installation.
    pub fn copy(&self, rng: &mut Seeded) -> Self {
        let copied = self.ledger.with_store(|connection| Ok(copy_of(connection)));
        let clock = Arc::new(TestClock::at(START_MS));
        let entropy = Box::new(Seeded(rng.draw()));
        let ledger = Ledger::start(copied.expect("copies"), clock, entropy).expect("opens");
        Self { ledger, device: self.device }
    }

    /// One exchange under a fault. `Ok(Some)` once the sync is done.
    ///
    /// # Errors
    /// `Offline` where the fault cut it.
    pub fn exchange(
        &self,
        township: &mut Township,
        session: &mut SyncSession,
        fault: Fault,
        cost: &mut Cost,
    ) -> Result<Option<SyncReport>, LedgerError> {
        let request = bytes_of(&session.request(&self.ledger)?);
        let arrived = fault.request_bytes.unwrap_or(usize::MAX).min(request.len());
        cost.requests += 1;
        cost.up_bytes += arrived as u64;
        let Some(answer) = township.answer(&request[..arrived]) else {
            session.cut();
            return Err(LedgerError::Offline { retry_after_ms: 0 });
        };
        let arrived = fault.answer_bytes.unwrap_or(usize::MAX).min(answer.len());
        cost.down_bytes += arrived as u64;
        session.feed(&self.ledger, &answer[..arrived])?;
        Ok(match session.end(&self.ledger)? {
            Step::Done(report) => Some(report),
            Step::Again => None,
        })
    }

    /// A sync over a clean line.
    ///
    /// # Errors
    /// As the ledger reports.
    pub fn sync(&self, township: &mut Township) -> Result<(SyncReport, Cost), LedgerError> {
        let (mut session, mut cost) = (SyncSession::default(), Cost::default());
        loop {
            let done = self.exchange(township, &mut session, Fault::default(), &mut cost)?;
            if let Some(report) = done {
                return Ok((report, cost));
            }
        }
    }
}
