//! What only a phone keeps: its settings, where it stands in each scope's log, its outbox, and the changes
//! the server refused. Must not know how any of it travels.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;
use super::records::{self, Household, StoredChange};
use crate::document::change::Change;
use crate::document::fold::Fold;
use crate::document::raw::RawChange;
use crate::domain::ids::{ActorId, ChangeHash, HouseholdId};

/// A named value of the replica. Each name has one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// This installation's actor id, 16 bytes.
    Actor,
    /// The enrolment: server address, device number, keys, account; see `client`.
    Enrolment,
    /// The log epoch the cursors belong to, 8 bytes.
    Epoch,
    /// Last request counter used, 8 bytes big-endian.
    RequestCounter,
    /// Last outbox number given, 8 bytes big-endian.
    Outbox,
    /// The last receipt, as shown to the cadre.
    LastReceipt,
    /// The next request must ask for this device's own changes too.
    Echo,
    /// Household ids must be sent in full.
    FullIds,
    /// When the records close by themselves, milliseconds since 1970 UTC by this phone's clock.
    LeaseUntil,
    /// The latest time this phone's clock has shown since the last contact.
    LatestSeen,
    /// The server does not know this installation's id yet.
    ActorIsNew,
    /// The log epoch for which this phone, shut out, has queued everything it holds.
    GaveBack,
    /// The policy that the server's answer brought, as text.
    Policy,
    /// The server's clock less this phone's, milliseconds.
    ClockOffset,
    /// What the server's clock showed at the last contact, milliseconds since 1970 UTC.
    ServerTime,
    /// The grids of its village that the account works in, as the server's last answer names them.
    Grids,
    /// A time on the last day on which a sync brought all there was, by the server's clock, milliseconds since 1970 UTC.
    WholeAsOf,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Enrolment => "enrolment",
            Self::Epoch => "epoch",
            Self::RequestCounter => "request_counter",
            Self::Outbox => "outbox",
            Self::LastReceipt => "last_receipt",
            Self::Echo => "echo",
            Self::FullIds => "full_ids",
            Self::LeaseUntil => "lease_until",
            Self::LatestSeen => "latest_seen",
            Self::ActorIsNew => "actor_is_new",
            Self::GaveBack => "gave_back",
            Self::Policy => "policy",
            Self::ClockOffset => "clock_offset",
            Self::ServerTime => "server_time",
            Self::Grids => "grids",
            Self::WholeAsOf => "whole_as_of",
        }
    }
}

/// Reads a setting.
pub fn setting(connection: &Connection, setting: Setting) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(statement.query_row([setting.name()], |row| row.get(0)).optional()?)
}

/// Writes a setting.
pub fn set(connection: &Connection, setting: Setting, value: &[u8]) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
        .execute(params![setting.name(), value])?;
    Ok(())
}

/// Removes a setting.
pub fn unset(connection: &Connection, setting: Setting) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([setting.name()])?;
    Ok(())
}

/// Counts a setting up by one and returns the new number.
pub fn next_number(transaction: &Transaction<'_>, name: Setting) -> Result<u64, StoreError> {
    let last = setting(transaction, name)?.and_then(|bytes| bytes.try_into().ok());
    let next = last.map_or(0, u64::from_be_bytes) + 1;
    set(transaction, name, &next.to_be_bytes())?;
    Ok(next)
}

/// Reads a setting that is a time, milliseconds since 1970 UTC.
pub fn time(connection: &Connection, name: Setting) -> Result<Option<i64>, StoreError> {
    let bytes = setting(connection, name)?.and_then(|bytes| bytes.try_into().ok());
    Ok(bytes.map(i64::from_be_bytes))
}

/// Writes a setting that is a time.
pub fn set_time(connection: &Connection, name: Setting, time_ms: i64) -> Result<(), StoreError> {
    set(connection, name, &time_ms.to_be_bytes())
}

/// Raises a counting setting to at least this number.
pub fn raise_number(connection: &Connection, name: Setting, number: u64) -> Result<(), StoreError> {
    let last = setting(connection, name)?.and_then(|bytes| bytes.try_into().ok());
    let raised = last.map_or(0, u64::from_be_bytes).max(number);
    set(connection, name, &raised.to_be_bytes())
}

/// Numbers what waits anew, far behind every number used: a copy of this phone was at work, and receipts
/// for its changes must not be taken for ours.
pub fn leap_outbox(transaction: &Transaction<'_>, leap: u32) -> Result<(), StoreError> {
    transaction.execute(
        "UPDATE change SET outbox = outbox + ?1 WHERE acknowledged = 0 AND outbox IS NOT NULL",
        [leap],
    )?;
    let last = next_number(transaction, Setting::Outbox)?;
    raise_number(transaction, Setting::Outbox, last + u64::from(leap))
}

/// Takes a new installation id: a copy of this phone has written under the old one.
pub fn renew_actor(
    transaction: &Transaction<'_>,
    actor: &ActorId,
    leap: u32,
) -> Result<(), StoreError> {
    set(transaction, Setting::Actor, &actor.0)?;
    set(transaction, Setting::ActorIsNew, &[1])?;
    leap_outbox(transaction, leap)
}

/// Where this phone stands in one scope's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeCursor {
    /// The scope.
    pub scope: u64,
    /// Log entries held.
    pub seq: u64,
    /// The chain after them.
    pub chain: [u8; 32],
    /// The pack being read and its next frame, before `seq` counts.
    pub pack: Option<PackCursor>,
}

/// A snapshot pack being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackCursor {
    /// First 16 bytes of the pack's hash.
    pub id: [u8; 16],
    /// The next frame wanted.
    pub frame: u32,
}

/// All scopes held, ascending.
pub fn cursors(connection: &Connection) -> Result<Vec<ScopeCursor>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT scope, seq, chain, pack, pack_frame FROM cursor ORDER BY scope")?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, [u8; 32]>(2)?,
            row.get::<_, Option<[u8; 16]>>(3)?,
            row.get::<_, u32>(4)?,
        ))
    })?;
    rows.map(|row| {
        let (scope, seq, chain, pack, frame) = row?;
        Ok(ScopeCursor {
            scope: scope.cast_unsigned(),
            seq: seq.cast_unsigned(),
            chain,
            pack: pack.map(|id| PackCursor { id, frame }),
        })
    })
    .collect()
}

/// The villages of all households on this phone.
pub fn scopes(connection: &Connection) -> Result<Vec<u64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT scope FROM household")?;
    let rows = statement.query_map([], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One scope's cursor, where the scope is held.
pub fn cursor(connection: &Connection, scope: u64) -> Result<Option<ScopeCursor>, StoreError> {
    Ok(cursors(connection)?.into_iter().find(|cursor| cursor.scope == scope))
}

/// Writes a scope's cursor.
pub fn save_cursor(transaction: &Transaction<'_>, cursor: &ScopeCursor) -> Result<(), StoreError> {
    let pack = cursor.pack.as_ref();
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO cursor (scope, seq, chain, pack, pack_frame)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            cursor.scope.cast_signed(),
            cursor.seq.cast_signed(),
            cursor.chain,
            pack.map(|pack| pack.id),
            pack.map_or(0, |pack| pack.frame)
        ])?;
    Ok(())
}

/// Forgets a scope and everything in it, unless something in it still waits to be sent. Returns the
/// number of households forgotten.
pub fn drop_scope_if_sent(transaction: &Transaction<'_>, scope: u64) -> Result<u64, StoreError> {
    let waiting: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM change c JOIN household h ON h.n = c.household
                        WHERE h.scope = ?1 AND c.acknowledged = 0)",
        [scope.cast_signed()],
        |row| row.get(0),
    )?;
    if waiting {
        return Ok(0);
    }
    transaction.execute("DELETE FROM cursor WHERE scope = ?1", [scope.cast_signed()])?;
    let left =
        transaction.execute("DELETE FROM household WHERE scope = ?1", [scope.cast_signed()])?;
    Ok(left as u64)
}

/// Forgets households that moved to a scope this phone does not hold, once nothing of them waits to be
/// sent. Returns their number.
pub fn drop_strays(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let left = transaction.execute(
        "DELETE FROM household WHERE scope NOT IN (SELECT scope FROM cursor)
         AND NOT EXISTS (SELECT 1 FROM change WHERE household = household.n AND acknowledged = 0)",
        [],
    )?;
    Ok(left as u64)
}

/// A change waiting to be sent.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its household.
    pub household: HouseholdId,
    /// The village the household is in.
    pub scope: u64,
    /// Whether the server holds changes of the household.
    pub is_known: bool,
    /// The change.
    pub change: StoredChange,
}

/// Up to `count` changes waiting to be sent after outbox number `after`, oldest first.
pub fn pending(
    connection: &Connection,
    after: u64,
    count: u32,
) -> Result<Vec<Pending>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.n, c.hash, c.body, c.acknowledged, c.outbox AS number, h.id, h.scope,
                h.digest != zeroblob(16)
         FROM change c JOIN household h ON h.n = c.household
         WHERE c.outbox > ?1 AND c.acknowledged = 0
         UNION ALL
         SELECT n, hash, body, 0, outbox AS number, household, scope, 0
         FROM refused WHERE outbox > ?1
         ORDER BY number LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after.cast_signed(), count], |row| {
        let stored = records::raw_stored(row)?;
        Ok((stored, row.get::<_, [u8; 16]>(5)?, row.get::<_, i64>(6)?, row.get::<_, bool>(7)?))
    })?;
    rows.map(|row| {
        let (stored, id, scope, is_known) = row?;
        Ok(Pending {
            household: HouseholdId(id),
            scope: scope.cast_unsigned(),
            is_known,
            change: stored.read()?,
        })
    })
    .collect()
}

/// Number of changes waiting to be sent.
pub fn pending_count(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM change WHERE acknowledged = 0)
              + (SELECT count(*) FROM refused WHERE outbox IS NOT NULL)",
    )?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// What a receipt needs of one of this installation's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnChange {
    /// Local number.
    pub n: i64,
    /// Local number of its household.
    pub household_n: i64,
    /// Its household.
    pub household: HouseholdId,
    /// Its name.
    pub hash: ChangeHash,
    /// Whether the server's log held it before.
    pub acknowledged: bool,
}

/// This installation's change with this outbox number.
pub fn own_change(connection: &Connection, outbox: u64) -> Result<Option<OwnChange>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT c.n, c.household, h.id, c.hash, c.acknowledged
         FROM change c JOIN household h ON h.n = c.household WHERE c.outbox = ?1",
    )?;
    Ok(statement
        .query_row([outbox.cast_signed()], |row| {
            Ok(OwnChange {
                n: row.get(0)?,
                household_n: row.get(1)?,
                household: HouseholdId(row.get(2)?),
                hash: ChangeHash(row.get(3)?),
                acknowledged: row.get(4)?,
            })
        })
        .optional()?)
}

/// Marks changes of a household that the server does not hold (any more) as waiting to be sent again,
/// in order of arrival and with new outbox numbers. `held` says whether the server holds a change.
pub fn resend(
    transaction: &Transaction<'_>,
    household: &Household,
    held: impl Fn(&ChangeHash) -> bool,
) -> Result<Vec<ChangeHash>, StoreError> {
    let mut resent = Vec::new();
    for change in records::changes(transaction, household.n)? {
        if held(&change.hash) {
            continue;
        }
        let outbox = next_number(transaction, Setting::Outbox)?;
        transaction
            .prepare_cached("UPDATE change SET acknowledged = 0, outbox = ?2 WHERE n = ?1")?
            .execute(params![change.n, outbox.cast_signed()])?;
        if change.acknowledged {
            resent.push(change.hash);
        }
    }
    Ok(resent)
}

/// A change the server refused: kept with the reason until the cadre has dealt with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Local number.
    pub n: i64,
    /// Its household; the household itself may have left this phone.
    pub household: HouseholdId,
    /// The change's name.
    pub hash: ChangeHash,
    /// Its bytes.
    pub raw: RawChange,
    /// The protocol's number of the reason.
    pub code: u8,
    /// What the reason is about, for example `container.field`.
    pub subject: String,
    /// When this phone was told, milliseconds since 1970 UTC.
    pub refused_ms: i64,
}

/// Why changes are taken out of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The protocol's number for the change itself.
    pub code: u8,
    /// The protocol's number for what builds on it.
    pub code_of_descendants: u8,
    /// What it is about.
    pub subject: &'a str,
    /// When this phone was told.
    pub now_ms: i64,
}

/// A change that was taken out of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenOut {
    /// Its name.
    pub hash: ChangeHash,
    /// Whether the server's log had held it.
    pub acknowledged: bool,
}

/// Takes a change, and all local changes built on it, out of the record and keeps them aside. One that
/// the server's log holds stays, unless it is the change itself: then the log holds another in its place
/// and what builds on it goes too.
pub fn refuse(
    transaction: &Transaction<'_>,
    household: &mut Household,
    hash: ChangeHash,
    reason: Reason<'_>,
) -> Result<Vec<TakenOut>, StoreError> {
    let all = records::changes(transaction, household.n)?;
    let displaced = all.iter().any(|stored| stored.hash == hash && stored.acknowledged);
    let mut out: Vec<TakenOut> = Vec::new();
    let mut fold = Fold::default();
    for stored in all {
        let change = Change::decode_named(&stored.raw, stored.hash)?;
        let is_it = stored.hash == hash;
        let descends = change.deps.iter().any(|dep| out.iter().any(|taken| taken.hash == *dep));
        if !(is_it || descends) || (stored.acknowledged && !displaced) {
            fold.apply(&change);
            continue;
        }
        out.push(TakenOut { hash: stored.hash, acknowledged: stored.acknowledged });
        let code = if is_it { reason.code } else { reason.code_of_descendants };
        transaction
            .prepare_cached(
                "INSERT INTO refused (household, hash, scope, body, code, subject, refused_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                household.id.0,
                stored.hash.0,
                household.scope.cast_signed(),
                records::stored_body(&stored.raw)?,
                code,
                reason.subject,
                reason.now_ms
            ])?;
        transaction.execute("DELETE FROM change WHERE n = ?1", [stored.n])?;
    }
    household.fold = fold;
    Ok(out)
}

/// The changes the server refused, oldest first.
pub fn refused(connection: &Connection) -> Result<Vec<Refused>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, household, hash, code, subject, refused_ms, body FROM refused ORDER BY n",
    )?;
    let rows = statement.query_map([], |row| {
        let body: Vec<u8> = row.get(6)?;
        let refused = Refused {
            n: row.get(0)?,
            household: HouseholdId(row.get(1)?),
            hash: ChangeHash(row.get(2)?),
            raw: RawChange::default(),
            code: row.get(3)?,
            subject: row.get(4)?,
            refused_ms: row.get(5)?,
        };
        Ok((refused, body))
    })?;
    rows.map(|row| {
        let (refused, body) = row?;
        Ok(Refused { raw: records::read_body(&body)?, ..refused })
    })
    .collect()
}

/// Queues every refused change to be handed in once more: the server was restored and may have lost
/// what it kept of them.
pub fn hand_in_refused(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    for refused in refused(transaction)? {
        let outbox = next_number(transaction, Setting::Outbox)?;
        transaction.execute(
            "UPDATE refused SET outbox = ?2 WHERE n = ?1",
            params![refused.n, outbox.cast_signed()],
        )?;
    }
    Ok(())
}

/// A refused change arrived once more.
pub fn refused_is_handed_in(transaction: &Transaction<'_>, outbox: u64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE refused SET outbox = NULL WHERE outbox = ?1")?
        .execute([outbox.cast_signed()])?;
    Ok(())
}

/// Forgets a refused change once the cadre has dealt with it.
pub fn forget_refused(connection: &Connection, n: i64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM refused WHERE n = ?1", [n])?;
    Ok(())
}

/// Forgets everything this phone holds of anybody: it was shut out, and nothing waits on it.
pub fn wipe(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    // Deleted content is overwritten (`secure_delete`); the log is folded in by the caller.
    transaction.execute_batch(
        "DELETE FROM household; DELETE FROM refused; DELETE FROM cursor; DELETE FROM setting;",
    )?;
    Ok(())
}

/// One refused change by local number.
pub fn one_refused(connection: &Connection, n: i64) -> Result<Option<Refused>, StoreError> {
    Ok(refused(connection)?.into_iter().find(|refused| refused.n == n))
}

/// Forgets that a change was refused: it came back from the server's log.
pub fn forget_refusal_of(
    transaction: &Transaction<'_>,
    hash: &ChangeHash,
) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM refused WHERE hash = ?1")?.execute([&hash.0[..]])?;
    Ok(())
}
