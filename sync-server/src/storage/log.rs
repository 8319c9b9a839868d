//! Appending to the log: a change, a move. Each call works inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wanhu_core::document::change::Change;
use wanhu_core::document::form::LogPlace;
use wanhu_core::document::judge::steps_of;
use wanhu_core::document::raw::RawChange;
use wanhu_core::domain::authority::RULE_SET;
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::domain::policy::Policy;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Arrival, Held, Household};
use wanhu_core::sync::admission::{Provenance, Quarantined, RecordLog};
use wanhu_core::sync::chain::{Chain, Digest, EntryKind, move_payload};
use wanhu_core::sync::responder::{LogPoint, LogReader};
use wanhu_core::sync::wire::{Scope, encode};

use super::following::log_end;
use super::reader::SqliteReader;

/// The log of all scopes inside one transaction.
#[derive(Debug)]
pub struct SqliteLog<'t> {
    transaction: &'t Transaction<'t>,
    now_ms: i64,
    policy: &'t Policy,
}

/// A log that nobody gave a policy: nothing has a period.
static NO_POLICY: Policy = Policy::none();

impl<'t> SqliteLog<'t> {
    /// The log as this transaction sees it; `now_ms` is the server's clock.
    pub fn new(transaction: &'t Transaction<'t>, now_ms: i64) -> Self {
        Self { transaction, now_ms, policy: &NO_POLICY }
    }

    /// The same, judged by these lines and periods.
    #[must_use]
    pub fn under(self, policy: &'t Policy) -> Self {
        Self { policy, ..self }
    }

    fn append_entry(&self, scope: Scope, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let mut point = read_point(self.transaction, scope)?;
        point.seq += 1;
        point.chain = point.chain.extend(entry.kind, entry.household.id, &entry.payload);
        point.digest = match entry.kind {
            EntryKind::Change | EntryKind::Enter => point.digest.plus(entry.digest),
            EntryKind::Leave => point.digest.minus(entry.digest),
        };
        let (chain, digest) = (point.chain.0, point.digest.to_bytes());
        self.transaction
            .prepare_cached(
                // Not REPLACE: deleting the row would look through the whole log for references.
                "INSERT INTO scope (scope, seq, chain, digest) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET seq = ?2, chain = ?3, digest = ?4",
            )?
            .execute(params![scope.cast_signed(), point.seq.cast_signed(), chain, digest])?;
        self.transaction
            .prepare_cached(
                "INSERT INTO log (scope, seq, kind, household, change, other_scope, device, outbox,
                 received_ms, rule_set, chain, digest, n)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                         (SELECT coalesce(max(n), 0) + 1 FROM log))",
            )?
            .execute(params![
                scope.cast_signed(),
                point.seq.cast_signed(),
                entry.kind as u8,
                entry.household.n,
                entry.change_n,
                entry.other_scope.cast_signed(),
                entry.provenance.device,
                entry.provenance.outbox.cast_signed(),
                entry.provenance.received_ms,
                entry.provenance.rule_set,
                chain,
                digest
            ])?;
        Ok(())
    }
}

struct NewEntry<'a> {
    kind: EntryKind,
    household: &'a Household,
    payload: [u8; 32],
    digest: Digest,
    change_n: i64,
    other_scope: Scope,
    provenance: Provenance,
}

/// How far a scope's log reaches; its start where it has no entry.
pub(super) fn read_point(connection: &Connection, scope: Scope) -> Result<LogPoint, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT seq, chain, digest FROM scope WHERE scope = ?1")?;
    let point = statement
        .query_row([scope.cast_signed()], |row| {
            Ok(LogPoint {
                seq: row.get::<_, i64>(0)?.cast_unsigned(),
                chain: Chain(row.get(1)?),
                digest: Digest::from_bytes(row.get(2)?),
            })
        })
        .optional()?;
    let start = LogPoint { seq: 0, chain: Chain::start(scope), digest: Digest::default() };
    Ok(point.unwrap_or(start))
}

impl RecordLog for SqliteLog<'_> {
    type Error = StoreError;

    fn with_id_prefix(
        &mut self,
        scope: Option<u64>,
        prefix: &[u8],
    ) -> Result<Vec<HouseholdId>, StoreError> {
        records::with_id_prefix(self.transaction, scope, prefix)
    }

    fn find(&mut self, id: HouseholdId) -> Result<Option<Household>, StoreError> {
        records::find(self.transaction, id)
    }

    fn create(&mut self, id: HouseholdId, scope: u64) -> Result<Household, StoreError> {
        records::create(self.transaction, id, scope)
    }

    fn with_prefix(
        &mut self,
        household: &Household,
        prefix: &[u8],
    ) -> Result<Vec<Held>, StoreError> {
        if household.n == Household::UNSAVED {
            return Ok(Vec::new());
        }
        records::with_prefix(self.transaction, household.n, prefix)
    }

    fn by_author(
        &mut self,
        household: &Household,
        actor: &ActorId,
        seq: u64,
    ) -> Result<Option<Held>, StoreError> {
        if seq > household.fold.last_seq(actor) {
            return Ok(None);
        }
        records::by_author(self.transaction, household.n, actor, seq)
    }

    fn append(
        &mut self,
        household: &mut Household,
        raw: &RawChange,
        change: &Change,
        provenance: &Provenance,
    ) -> Result<(), StoreError> {
        records::append(self.transaction, household, raw, change, Arrival::Acknowledged)?;
        let change_n = self.transaction.last_insert_rowid();
        for step in steps_of(change) {
            self.transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO step_time (household, step, received_ms)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute(params![household.n, step, provenance.received_ms])?;
        }
        let digest = Digest::of(household.id, &change.hash);
        household.digest = Digest(household.digest).plus(digest).0;
        self.append_entry(
            household.scope,
            &NewEntry {
                kind: EntryKind::Change,
                household,
                payload: change.hash.0,
                digest,
                change_n,
                other_scope: 0,
                provenance: *provenance,
            },
        )
    }

    fn save(&mut self, household: &Household) -> Result<(), StoreError> {
        records::save(self.transaction, household)
    }

    fn quarantine(&mut self, refused: &Quarantined<'_>) -> Result<(), StoreError> {
        // The same change refused again is the same piece of evidence.
        self.transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO quarantine
                 (content, household, scope, code, device, outbox, received_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                encode(refused.change),
                refused.household.0,
                refused.scope.cast_signed(),
                refused.code as u8,
                refused.provenance.device,
                refused.provenance.outbox.cast_signed(),
                refused.provenance.received_ms
            ])?;
        Ok(())
    }

    fn takes_back(&mut self) -> Result<bool, StoreError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT value FROM server WHERE name = 'takes_back_until_ms'")?;
        let until: Option<[u8; 8]> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(until.is_some_and(|until| self.now_ms < i64::from_be_bytes(until)))
    }

    fn step_taken_ms(
        &mut self,
        household: &Household,
        step: &str,
    ) -> Result<Option<i64>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT received_ms FROM step_time WHERE household = ?1 AND step = ?2",
        )?;
        Ok(statement.query_row(params![household.n, step], |row| row.get(0)).optional()?)
    }

    fn policy(&self) -> &Policy {
        self.policy
    }
}

/// Moves a household to another village: it leaves one log and enters the other in one transaction.
/// Moving it where it is changes nothing.
///
/// # Errors
/// `NotFound` where the household is not on record.
pub fn move_household(
    transaction: &Transaction<'_>,
    id: HouseholdId,
    to: Scope,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut household = records::find(transaction, id)?.ok_or(StoreError::NotFound)?;
    let from = household.scope;
    if from == to {
        return Ok(());
    }
    let change_n: i64 = transaction.query_row(
        "SELECT coalesce(max(n), 0) FROM change WHERE household = ?1",
        [household.n],
        |row| row.get(0),
    )?;
    let log = SqliteLog::new(transaction, now_ms);
    let entry = |kind, other_scope| NewEntry {
        kind,
        household: &household,
        payload: move_payload(other_scope),
        digest: Digest(household.digest),
        change_n,
        other_scope,
        provenance: Provenance { device: 0, outbox: 0, received_ms: now_ms, rule_set: RULE_SET },
    };
    log.append_entry(from, &entry(EntryKind::Leave, to))?;
    log.append_entry(to, &entry(EntryKind::Enter, from))?;
    household.scope = to;
    records::save(transaction, &household)
}

/// How far the log reaches, as the connection's transaction sees it.
///
/// # Errors
/// Where the file fails.
pub fn log_place(connection: &Connection) -> Result<LogPlace, StoreError> {
    let n = log_end(connection)?.cast_unsigned();
    Ok(LogPlace { n, epoch: SqliteReader(connection).epoch()? })
}

/// One line of the operator's statistics: a scope and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticsRow {
    /// The village.
    pub scope: Scope,
    /// Entries in its log.
    pub entries: u64,
    /// Households in it.
    pub households: u64,
}

/// Those of some villages that have households.
///
/// # Errors
/// Where the file fails.
pub fn inhabited(connection: &Connection, villages: &[Scope]) -> Result<Vec<Scope>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM household WHERE scope = ?1)")?;
    let mut inhabited = Vec::new();
    for village in villages {
        if statement.query_row([village.cast_signed()], |row| row.get(0))? {
            inhabited.push(*village);
        }
    }
    Ok(inhabited)
}

/// Households and log entries by village.
///
/// # Errors
/// Where the file fails.
pub fn statistics(connection: &Connection) -> Result<Vec<StatisticsRow>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT s.scope, s.seq, (SELECT count(*) FROM household h WHERE h.scope = s.scope)
         FROM scope s ORDER BY s.scope",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(StatisticsRow {
            scope: row.get::<_, i64>(0)?.cast_unsigned(),
            entries: row.get::<_, i64>(1)?.cast_unsigned(),
            households: row.get::<_, i64>(2)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
