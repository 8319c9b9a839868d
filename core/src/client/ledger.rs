//! The ledger (台账): a phone's record book and the entry point of the API. Holds the file, the keys and what the
//! server last said; must not know what a screen shows (`read`) or what a save is (`write`).

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::watch;

use super::enrolment::Enrolment;
use super::lease::Lease;
use super::vault::KeyVault;
use super::write::Writer;
use crate::domain::day::Day;
use crate::domain::environment::{Clock, Entropy, random};
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::policy::Policy;
use crate::domain::schema::Schema;
use crate::error::LedgerError;
use crate::store::grids;
use crate::store::listing;
use crate::store::open;
use crate::store::replica::{self, Setting};
use crate::store::{REPLICA_MIGRATIONS, StoreError};
use crate::sync::initiator::{self, Outgoing, Purpose};
use crate::sync::receiver::{Receipt, Receiver};
use crate::sync::wire;

/// What the first screen shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The enrolment, where there is one.
    pub enrolment: Option<Enrolment>,
    /// The grids of its village that the account works in, as of the last contact; none: all of it.
    pub grids: Vec<String>,
    /// Households on this phone.
    pub households: u64,
    /// Changes waiting to be sent.
    pub pending: u64,
    /// Changes the server did not take.
    pub refused: u64,
    /// The last signed receipt.
    pub last_receipt: Option<Receipt>,
    /// Whether the server's policy can only be read by a newer release: until there is one on this phone it warns of nothing and
    /// knows no day by which anything is due.
    pub needs_newer_release: bool,
}

/// A phone's record book.
pub struct Ledger {
    inner: Mutex<Inner>,
    version: watch::Sender<u64>,
    clock: Arc<dyn Clock>,
    pub(super) sealed: Option<Sealed>,
}

/// The book while one act has it to itself.
pub(super) struct Opened<'l> {
    inner: MutexGuard<'l, Inner>,
    rows_changed: u64,
    // Behind `inner`, so that whoever is woken finds the book free.
    told: Told<'l>,
}

/// Tells those who wait for a new version, once it is let go of.
struct Told<'l> {
    version: &'l watch::Sender<u64>,
    has_changed: bool,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if self.has_changed {
            self.version.send_modify(|version| *version += 1);
        }
    }
}

impl Deref for Opened<'_> {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl DerefMut for Opened<'_> {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        self.told.has_changed |= self.inner.connection.total_changes() != self.rows_changed;
    }
}

/// Where a sealed book lies, and who has its key.
pub(super) struct Sealed {
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) path: PathBuf,
}

pub(super) struct Inner {
    pub(super) connection: Connection,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) actor: ActorId,
    pub(super) lease: Lease,
    pub(super) writer: Writer,
    pub(super) policy: Arc<Policy>,
    /// The grids of its village that the account works in; none: all of it.
    pub(super) grids: Vec<String>,
    /// The server's clock less this phone's, as of the last contact, in milliseconds.
    pub(super) clock_offset_ms: i64,
    /// What the server's clock showed then, milliseconds since 1970 UTC.
    heard_ms: i64,
    needs_newer_release: bool,
    is_closed: bool,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// A ledger in memory, for tests and simulations.
    ///
    /// # Errors
    /// As SQLite reports.
    pub fn open_in_memory(
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        Self::start(open::open_in_memory(REPLICA_MIGRATIONS)?, clock, entropy)
    }

    /// A ledger over a file opened elsewhere, for tests that copy one.
    ///
    /// # Errors
    /// As the store reports.
    pub fn start(
        mut connection: Connection,
        clock: Arc<dyn Clock>,
        mut entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        grids::note(&mut connection)?;
        let stored = replica::setting(&connection, Setting::Actor)?;
        let actor = match stored.and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => ActorId(bytes),
            None => {
                let actor = ActorId(random(entropy.as_mut()));
                replica::set(&connection, Setting::Actor, &actor.0)?;
                actor
            }
        };
        let writer = enrolment(&connection)?.map(|enrolment| Writer::new(&enrolment));
        let lease = Lease::load(&connection)?;
        let writer = writer.unwrap_or_default();
        let mut inner = Inner {
            connection,
            entropy,
            actor,
            lease,
            writer,
            policy: Arc::default(),
            grids: Vec::new(),
            clock_offset_ms: 0,
            heard_ms: i64::MIN,
            needs_newer_release: false,
            is_closed: false,
        };
        inner.load_what_the_server_says()?;
        let version = watch::Sender::new(0);
        Ok(Self { inner: Mutex::new(inner), version, clock, sealed: None })
    }

    /// The book, open or closed.
    fn inner(&self) -> Opened<'_> {
        // A panic elsewhere leaves at most a transaction that was rolled back.
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let rows_changed = inner.connection.total_changes();
        let told = Told { version: &self.version, has_changed: false };
        Opened { inner, rows_changed, told }
    }

    /// The book, where it is open.
    pub(super) fn lock(&self) -> Result<Opened<'_>, LedgerError> {
        let inner = self.inner();
        if inner.is_closed { Err(LedgerError::invalid("ledger", "closed")) } else { Ok(inner) }
    }

    /// Closes the book: its file is free for others at once, whoever waits in [`Self::changed`] comes back, and whatever needs
    /// the file is refused from now on. A sync that is under way ends where it next needs the book; stop it first. Nothing on
    /// record is lost, but an enrolment under way is: it needs another code. Closing again is no fault.
    ///
    /// # Errors
    /// As SQLite reports.
    pub fn close(&self) -> Result<(), LedgerError> {
        let mut inner = self.inner();
        let nothing = Connection::open_in_memory().map_err(StoreError::from)?;
        inner.is_closed = true;
        inner.told.has_changed = true;
        let connection = std::mem::replace(&mut inner.connection, nothing);
        Ok(connection.close().map_err(|(_, error)| StoreError::from(error))?)
    }

    /// Grows whenever something in the book may have changed: by a save, by a sync.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Comes back with the version once it is no longer `seen`, so that a screen can show what is there now.
    /// Changes in quick succession are one. Closing is one as well.
    ///
    /// # Errors
    /// `InvalidInput` about `ledger` for a book that is closed already: nothing will change in it.
    pub async fn changed(&self, seen: u64) -> Result<u64, LedgerError> {
        drop(self.lock()?);
        let mut versions = self.version.subscribe();
        // The sender lives as long as `self`.
        Ok(versions.wait_for(|version| *version != seen).await.map_or(seen, |version| *version))
    }

    pub(super) fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        work(&mut self.lock()?.connection)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The book, where the lease allows to open it.
    pub(super) fn opened(&self) -> Result<Opened<'_>, LedgerError> {
        let now_ms = self.clock.now_ms();
        let mut inner = self.lock()?;
        let Inner { connection, lease, .. } = &mut *inner;
        lease.check(connection, now_ms)?;
        Ok(inner)
    }

    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        work(&self.opened()?.connection)
    }

    /// Reads the store behind the ledger; for tools that look underneath, not for apps.
    ///
    /// # Errors
    /// As `work` reports.
    pub fn with_store<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, LedgerError> {
        Ok(work(&self.lock()?.connection)?)
    }

    /// Reads what an answer may have brought: lease, policy, grids, the server's clock.
    pub(super) fn heed_answer(&self) -> Result<(), LedgerError> {
        let mut opened = self.lock()?;
        let inner = &mut *opened;
        let (policy, lease) = (inner.policy.clone(), inner.lease);
        inner.lease = Lease::load(&inner.connection)?;
        inner.load_what_the_server_says()?;
        // No row need have changed for other tasks to be due, or for a closed book to open.
        opened.told.has_changed = *opened.policy != *policy || opened.lease != lease;
        Ok(())
    }

    /// Goes on counting requests behind the server's last: a copy of this phone was at work, or this is
    /// one.
    pub(super) fn catch_up(&self, counter: u64) -> Result<(), LedgerError> {
        let inner = &mut *self.lock()?;
        let leap = inner.leap();
        let transaction = open::begin(&mut inner.connection)?;
        replica::raise_number(&transaction, Setting::RequestCounter, counter)?;
        replica::leap_outbox(&transaction, leap)?;
        Ok(open::commit(transaction)?)
    }

    /// Random bytes from the ledger's source.
    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        random(self.inner().entropy.as_mut())
    }

    /// This installation, the author of its changes.
    pub fn actor(&self) -> ActorId {
        self.inner().actor
    }

    /// The enrolment, where there is one.
    ///
    /// # Errors
    /// As the store reports.
    pub fn enrolment(&self) -> Result<Option<Enrolment>, LedgerError> {
        self.with_connection(|connection| enrolment(connection))
    }

    /// Keeps an enrolment. The records stay; a phone enrolled anew sends what waits.
    ///
    /// # Errors
    /// As the store reports.
    pub fn set_enrolment(&self, enrolment: &Enrolment) -> Result<(), LedgerError> {
        let mut inner = self.lock()?;
        let transaction = open::begin(&mut inner.connection)?;
        replica::set(&transaction, Setting::Enrolment, &wire::encode(enrolment))?;
        // It may be for other villages than before.
        replica::unset(&transaction, Setting::WholeAsOf)?;
        // And for another account; the next answer names its grids.
        replica::unset(&transaction, Setting::Grids)?;
        open::commit(transaction)?;
        inner.writer = Writer::new(enrolment);
        Ok(inner.load_what_the_server_says()?)
    }

    /// Nobody's phone any more: what was wiped must not stay in the file's log either. A sealed book ends, key, file and all, and
    /// is closed: what was written on in it nobody could ever read. Opened again it is new.
    pub(super) fn forget_writer(&self) -> Result<(), LedgerError> {
        // Also where the book was closed in between: the key must go.
        let Some(Sealed { vault, path }) = &self.sealed else {
            let mut inner = self.inner();
            inner.writer = Writer::default();
            open::fold_log_in(&inner.connection)?;
            drop(inner);
            return self.heed_answer();
        };
        vault.destroy()?;
        self.close()?;
        open::remove(path).map_err(|_| LedgerError::Internal { report_id: "store.remove".into() })
    }

    /// The day it is in China, by the server's clock where this phone has heard it.
    pub fn today(&self) -> Day {
        self.inner().today(self.clock.now_ms())
    }

    /// What the first screen shows.
    ///
    /// # Errors
    /// As the store reports.
    pub fn status(&self) -> Result<Status, LedgerError> {
        let inner = self.lock()?;
        let connection = &inner.connection;
        let receipt = replica::setting(connection, Setting::LastReceipt)?;
        Ok(Status {
            enrolment: enrolment(connection)?,
            grids: grids(connection)?,
            households: listing::count(connection, None)?,
            pending: replica::pending_count(connection)?,
            refused: replica::refused(connection)?.len() as u64,
            last_receipt: receipt.and_then(|bytes| wire::decode(&bytes).ok()),
            needs_newer_release: inner.needs_newer_release,
        })
    }

    pub(super) fn compose(&self, purpose: Purpose) -> Result<(Outgoing, Receiver), LedgerError> {
        let inner = &mut *self.lock()?;
        let enrolment = enrolment(&inner.connection)?;
        let reason = || LedgerError::SessionExpired { reason: "not_enrolled".into() };
        let identity = enrolment.ok_or_else(reason)?.identity();
        let schema = Schema::base().version;
        let outgoing = initiator::compose(&mut inner.connection, &identity, schema, purpose)?;
        Ok((outgoing, Receiver::new(identity, self.clock.now_ms())))
    }
}

impl Inner {
    fn load_what_the_server_says(&mut self) -> Result<(), StoreError> {
        let connection = &self.connection;
        let offset = replica::time(connection, Setting::ClockOffset)?;
        self.clock_offset_ms = offset.unwrap_or_default();
        self.heard_ms = replica::time(connection, Setting::ServerTime)?.unwrap_or(i64::MIN);
        self.grids = grids(connection)?;
        let policy = replica::setting(connection, Setting::Policy)?;
        let read = |bytes: Vec<u8>| Policy::parse(&String::from_utf8(bytes).ok()?).ok();
        let is_there = policy.is_some();
        let policy = policy.and_then(read);
        // One that only a newer release can read stays on the phone until there is one.
        self.needs_newer_release = is_there && policy.is_none();
        self.policy = Arc::new(policy.unwrap_or_default());
        Ok(())
    }

    /// The day it is in China, by the server's clock where this phone has heard it; never one before that, as a phone may
    /// forget the time when its battery runs flat.
    pub(super) fn today(&self, now_ms: i64) -> Day {
        Day::in_china(now_ms.saturating_add(self.clock_offset_ms).max(self.heard_ms))
    }
}

pub(super) fn enrolment(connection: &Connection) -> Result<Option<Enrolment>, LedgerError> {
    let bytes = replica::setting(connection, Setting::Enrolment)?;
    Ok(bytes.and_then(|bytes| wire::decode(&bytes).ok()))
}

fn grids(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let bytes = replica::setting(connection, Setting::Grids)?;
    Ok(bytes.and_then(|bytes| wire::decode(&bytes).ok()).unwrap_or_default())
}

pub(super) fn not_found(id: HouseholdId) -> LedgerError {
    LedgerError::NotFound { kind: "household".into(), id: id.to_string() }
}
