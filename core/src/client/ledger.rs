//! The ledger (台账): a phone's record book and the entry point of the API. Every save is one change in
//! one transaction; when it returns, it is safe on disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};

use super::enrolment::Enrolment;
use super::lease::Lease;
use super::vault::KeyVault;
use crate::document::DocumentError;
use crate::document::change::Change;
use crate::document::draft::{FieldEdit, Origin, draft};
use crate::document::duplicate::merged_into;
use crate::document::edit::RecordEdit;
use crate::document::genesis::ContainerIndex;
use crate::document::judge::{judge_edits, judge_steps};
use crate::document::raw::RawChange;
use crate::document::record::Stamp;
use crate::domain::authority::{self, Role};
use crate::domain::day::Day;
use crate::domain::environment::{Clock, Entropy, random};
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::person::PersonKey;
use crate::domain::policy::Policy;
use crate::domain::region;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::error::LedgerError;
use crate::store::listing;
use crate::store::open::{self, Access, Sharing};
use crate::store::records::{self, Arrival, Household};
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
    /// Households on this phone.
    pub households: u64,
    /// Changes waiting to be sent.
    pub pending: u64,
    /// Changes the server did not take.
    pub refused: u64,
    /// The last signed receipt.
    pub last_receipt: Option<Receipt>,
}

/// A phone's record book.
pub struct Ledger {
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
    vault: Option<Arc<dyn KeyVault>>,
}

pub(super) struct Inner {
    pub(super) connection: Connection,
    pub(super) entropy: Box<dyn Entropy>,
    pub(super) actor: ActorId,
    pub(super) lease: Lease,
    pub(super) writer: Writer,
    pub(super) policy: Arc<Policy>,
    /// The server's clock less this phone's, as of the last contact, in milliseconds.
    pub(super) clock_offset_ms: i64,
}

/// Whose saves these are; nobody's before enrolment, when the server will judge.
#[derive(Clone, Default)]
pub(super) struct Writer {
    pub(super) stamp: Stamp,
    pub(super) role: Option<Role>,
    pub(super) areas: Vec<u64>,
    person_key: Option<PersonKey>,
}

impl Writer {
    fn new(enrolment: &Enrolment) -> Self {
        let (account, name) = (enrolment.account.clone(), enrolment.name.clone());
        let stamp = Stamp { account, name, ..Stamp::default() };
        let (role, areas) = (enrolment.role(), enrolment.areas.clone());
        Self { stamp, role, areas, person_key: enrolment.person_key() }
    }

    /// The rule the server will apply, so that nobody finds out days later.
    pub(super) fn check(
        &self,
        household: &Household,
        edits: &[FieldEdit],
    ) -> Result<(), LedgerError> {
        let Some(role) = self.role else { return Ok(()) };
        let place = authority::place(role, &self.areas, household.scope);
        judge_edits(role, place, &household.fold, edits).map_err(|denial| {
            let action = format!("{} {}", denial.action.code(), denial.field);
            let level_needed = denial.needed.map(Role::code).unwrap_or_default().to_owned();
            LedgerError::NotPermitted { action, level_needed }
        })
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    /// Opens or creates the ledger at `path`.
    ///
    /// # Errors
    /// `UpgradeRequired` for a file of a newer release; `StorageDamaged` for a damaged one, which is
    /// then set aside and never deleted: opening again starts afresh; `Internal` with `store.in_use`
    /// where another program has it open.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        Self::open_with(path, None, clock, entropy)
    }

    /// Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps: nobody reads a
    /// lost phone's file without it.
    ///
    /// # Errors
    /// As [`Self::open`]; `InvalidInput` about `vault` where the key cannot be had, or where the file
    /// was made without one.
    pub fn open_sealed(
        path: &Path,
        vault: Arc<dyn KeyVault>,
        clock: Arc<dyn Clock>,
        mut entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        let key = match vault.load()? {
            Some(key) => key,
            None => {
                let key = random(entropy.as_mut());
                vault.keep(&key)?;
                key
            }
        };
        let mut ledger = Self::open_with(path, Some(&key), clock, entropy)?;
        ledger.vault = Some(vault);
        Ok(ledger)
    }

    fn open_with(
        path: &Path,
        key: Option<&[u8; 32]>,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        let access = Access { sharing: Sharing::Alone, key };
        match open::open(path, access, REPLICA_MIGRATIONS) {
            Ok(connection) => Self::start(connection, clock, entropy),
            Err(StoreError::Damaged) => {
                let kept = open::set_aside(path, clock.now_ms()).unwrap_or_default();
                Err(LedgerError::StorageDamaged { kept_as: kept.display().to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

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
        connection: Connection,
        clock: Arc<dyn Clock>,
        mut entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
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
            clock_offset_ms: 0,
        };
        inner.load_what_the_server_says()?;
        Ok(Self { inner: Mutex::new(inner), clock, vault: None })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves at most a transaction that was rolled back.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with_connection<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        work(&mut self.lock().connection)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The book, where the lease allows to open it.
    pub(super) fn opened(&self) -> Result<MutexGuard<'_, Inner>, LedgerError> {
        let now_ms = self.clock.now_ms();
        let mut inner = self.lock();
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
        Ok(work(&self.lock().connection)?)
    }

    /// Reads what an answer may have brought: lease, policy, the server's clock.
    pub(super) fn heed_answer(&self) -> Result<(), LedgerError> {
        let inner = &mut *self.lock();
        inner.lease = Lease::load(&inner.connection)?;
        Ok(inner.load_what_the_server_says()?)
    }

    /// Goes on counting requests behind the server's last: a copy of this phone was at work, or this is
    /// one.
    pub(super) fn catch_up(&self, counter: u64) -> Result<(), LedgerError> {
        let inner = &mut *self.lock();
        let leap = inner.leap();
        let transaction = open::begin(&mut inner.connection)?;
        replica::raise_number(&transaction, Setting::RequestCounter, counter)?;
        replica::leap_outbox(&transaction, leap)?;
        Ok(open::commit(transaction)?)
    }

    /// Random bytes from the ledger's source.
    pub(super) fn random<const N: usize>(&self) -> [u8; N] {
        random(self.lock().entropy.as_mut())
    }

    /// This installation, the author of its changes.
    pub fn actor(&self) -> ActorId {
        self.lock().actor
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
        let mut inner = self.lock();
        let transaction = open::begin(&mut inner.connection)?;
        replica::set(&transaction, Setting::Enrolment, &wire::encode(enrolment))?;
        open::commit(transaction)?;
        inner.writer = Writer::new(enrolment);
        Ok(())
    }

    /// Nobody's phone any more: what was wiped must not stay in the file's log either.
    pub(super) fn forget_writer(&self) -> Result<(), LedgerError> {
        let inner = &mut *self.lock();
        inner.writer = Writer::default();
        open::fold_log_in(&inner.connection)?;
        if let Some(vault) = &self.vault {
            vault.destroy()?;
        }
        Ok(())
    }

    /// The day it is in China, by the server's clock where this phone has heard it.
    pub fn today(&self) -> Day {
        self.lock().today(self.clock.now_ms())
    }

    /// What the first screen shows.
    ///
    /// # Errors
    /// As the store reports.
    pub fn status(&self) -> Result<Status, LedgerError> {
        self.with_connection(|connection| {
            let receipt = replica::setting(connection, Setting::LastReceipt)?;
            Ok(Status {
                enrolment: enrolment(connection)?,
                households: listing::count(connection, None)?,
                pending: replica::pending_count(connection)?,
                refused: replica::refused(connection)?.len() as u64,
                last_receipt: receipt.and_then(|bytes| wire::decode(&bytes).ok()),
            })
        })
    }

    /// Opens a record for a new household in a village. Where the head's identity number is given, every
    /// phone of the county gives the household the same id.
    ///
    /// # Errors
    /// `InvalidInput` for a code that is not a village or a value the schema refuses; `AlreadyOnRecord`
    /// where this head's household is on this phone.
    pub fn create_household(
        &self,
        village: u64,
        edit: RecordEdit,
    ) -> Result<HouseholdId, LedgerError> {
        if !region::is_village(village) {
            return Err(LedgerError::invalid("village", "not_a_village"));
        }
        let edit = edit.set("basic", "area_code", village.to_string());
        let now_ms = self.clock.now_ms();
        let inner = &mut *self.opened()?;
        let id = match (inner.writer.person_key, edit.head_number()) {
            (Some(key), Some(head)) => key.household(&head),
            _ => HouseholdId::from_random(random(inner.entropy.as_mut())),
        };
        if let Some(known) = records::find(&inner.connection, id)? {
            let household = merged_into(&known.fold).unwrap_or(id).to_string();
            return Err(LedgerError::AlreadyOnRecord { household });
        }
        inner.save(Household::unsaved(id, village), &edit, now_ms)?;
        Ok(id)
    }

    /// Saves a form: one change, safe on disk when this returns.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` where the schema refuses a value or nothing would change.
    pub fn edit(&self, id: HouseholdId, edit: &RecordEdit) -> Result<(), LedgerError> {
        let now_ms = self.clock.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        inner.save(household, edit, now_ms)
    }

    /// Records a visit: a row of `visits`, stamped with the person who is enrolled.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn record_visit(
        &self,
        id: HouseholdId,
        fields: Vec<(String, Value)>,
    ) -> Result<(), LedgerError> {
        let edit = RecordEdit { form: "visit/1".into(), ..RecordEdit::default() };
        self.edit(id, &edit.row("visits", fields))
    }

    /// Settles a conflict by choosing one of its values (its place in `Conflict::values`). The others
    /// stay in the history.
    ///
    /// # Errors
    /// `NotFound` where there is no such conflict or value.
    pub fn settle(
        &self,
        id: HouseholdId,
        container: &str,
        key: &str,
        choice: usize,
    ) -> Result<(), LedgerError> {
        let missing = |kind: &str, id: String| LedgerError::NotFound { kind: kind.into(), id };
        let now_ms = self.clock.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let index = ContainerIndex::of(container)
            .ok_or_else(|| missing("container", container.to_owned()))?;
        let entries: Vec<_> = household.fold.entries(index, key).collect();
        if entries.len() < 2 {
            return Err(missing("conflict", format!("{container}.{key}")));
        }
        let chosen = entries.get(choice).ok_or_else(|| missing("value", choice.to_string()))?;
        let edit =
            FieldEdit { container: index, key: key.to_owned(), value: Some(chosen.value.clone()) };
        let stamp = Stamp { form: "settle/1".into(), ..inner.writer.stamp.clone() };
        inner.save_operations(household, vec![edit], &stamp, now_ms)
    }

    /// Makes a refused change anew on what is on record now, after the cadre has read why. What the
    /// record shows already is left out.
    ///
    /// # Errors
    /// `NotFound` where no such change was refused or its household is not on this phone any more;
    /// `NotPermitted` where it would be refused again.
    pub fn reauthor(&self, n: i64) -> Result<(), LedgerError> {
        let missing = || LedgerError::NotFound { kind: "refused".into(), id: n.to_string() };
        let now_ms = self.clock.now_ms();
        let inner = &mut *self.opened()?;
        let refused = replica::one_refused(&inner.connection, n)?.ok_or_else(missing)?;
        let change = Change::decode(&refused.raw)?;
        let household = match records::find(&inner.connection, refused.household)? {
            Some(household) => household,
            None => return Err(not_found(refused.household)),
        };
        let edits = change.ops.into_iter().map(|op| {
            let (container, key, value) = (op.container, op.key, op.value);
            FieldEdit { container, key, value }
        });
        let stamp =
            Stamp { form: Stamp::parse(&change.message).form, ..inner.writer.stamp.clone() };
        let saved = inner.save_operations(household, edits.collect(), &stamp, now_ms);
        if saved != Err(LedgerError::from(DocumentError::Empty)) {
            saved?;
        }
        Ok(replica::forget_refused(&inner.connection, n)?)
    }

    pub(super) fn compose(&self, purpose: Purpose) -> Result<(Outgoing, Receiver), LedgerError> {
        let inner = &mut *self.lock();
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
        let policy = replica::setting(connection, Setting::Policy)?;
        let text = policy.and_then(|bytes| String::from_utf8(bytes).ok());
        // One that only a newer release can read stays on the phone until there is one.
        self.policy = Arc::new(text.and_then(|text| Policy::parse(&text).ok()).unwrap_or_default());
        Ok(())
    }

    /// The day it is in China, by the server's clock where this phone has heard it.
    pub(super) fn today(&self, now_ms: i64) -> Day {
        Day::in_china(now_ms.saturating_add(self.clock_offset_ms))
    }

    pub(super) fn save(
        &mut self,
        household: Household,
        edit: &RecordEdit,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let operations = edit.operations(
            Schema::base(),
            &household.fold,
            &self.actor,
            self.writer.person_key.as_ref(),
        )?;
        let stamp = Stamp {
            form: edit.form.clone(),
            on_behalf_of: edit.on_behalf_of.clone(),
            ..self.writer.stamp.clone()
        };
        self.save_operations(household, operations, &stamp, now_ms)
    }

    fn save_operations(
        &mut self,
        household: Household,
        operations: Vec<FieldEdit>,
        stamp: &Stamp,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.save_together(vec![(household, operations)], stamp, now_ms)
    }

    /// Saves one change a household, all of them or none.
    pub(super) fn save_together(
        &mut self,
        saves: Vec<(Household, Vec<FieldEdit>)>,
        stamp: &Stamp,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let origin = Origin { actor: self.actor, time_ms: now_ms, message: stamp.encode() };
        let today = self.today(now_ms);
        let mut drafted = Vec::with_capacity(saves.len());
        for (household, operations) in saves {
            self.writer.check(&household, &operations)?;
            let raw = draft(&household.fold, &operations, &origin)?;
            let change = Change::decode(&raw)?;
            // The rule that the server will apply; of times it knows better than this phone.
            let (fold, village) = (&household.fold, household.scope);
            judge_steps(fold, village, &change, &self.policy, today, &BTreeMap::new())?;
            drafted.push((household, raw, change));
        }
        let transaction = open::begin(&mut self.connection)?;
        for (household, raw, change) in drafted {
            save_change(&transaction, household, &raw, &change)?;
        }
        Ok(open::commit(transaction)?)
    }
}

/// Appends a change of this phone to its household and to the outbox.
pub(super) fn save_change(
    transaction: &Transaction<'_>,
    household: Household,
    raw: &RawChange,
    change: &Change,
) -> Result<(), StoreError> {
    let mut household = if household.n == Household::UNSAVED {
        records::create(transaction, household.id, household.scope)?
    } else {
        household
    };
    let outbox = replica::next_number(transaction, Setting::Outbox)?;
    records::append(transaction, &mut household, raw, change, Arrival::Pending(outbox))?;
    records::save(transaction, &household)
}

fn enrolment(connection: &Connection) -> Result<Option<Enrolment>, LedgerError> {
    let bytes = replica::setting(connection, Setting::Enrolment)?;
    Ok(bytes.and_then(|bytes| wire::decode(&bytes).ok()))
}

pub(super) fn not_found(id: HouseholdId) -> LedgerError {
    LedgerError::NotFound { kind: "household".into(), id: id.to_string() }
}
