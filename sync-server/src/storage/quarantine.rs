//! Changes that were not taken but are kept: an office lists them, looks into them, and releases those
//! that should count. Must not decide which; a person does.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use wanhu_core::document::change::{Change, FieldOp};
use wanhu_core::document::raw::{RawChange, TailHead};
use wanhu_core::document::record::Stamp;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::policy::Policy;
use wanhu_core::store::StoreError;
use wanhu_core::sync::admission::{Admission, Provenance, Quarantined};
use wanhu_core::sync::wire::{MERGED_AWAY, PushedChange, RefusalCode, decode};

use super::SqliteLog;

/// A change in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Its number.
    pub n: i64,
    /// Its household.
    pub household: HouseholdId,
    /// The village its household is in now; for one that is not on record, where the phone had it. The
    /// office there decides.
    pub scope: u64,
    /// Why it was refused: the protocol's number.
    pub code: u8,
    /// The device it came from.
    pub device: u32,
    /// That device's number for it.
    pub outbox: u64,
    /// The server's clock when it came, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// When an office released it.
    pub released_ms: Option<i64>,
    /// The change as it was sent.
    pub change: PushedChange,
}

impl QuarantineRow {
    /// Who says to have made it, and the fields it would set. `None` for bytes that do not decode.
    pub fn content(&self) -> Option<(Stamp, Vec<FieldOp>)> {
        let raw = RawChange::join(&[], &self.change.tail).ok()?;
        let change = Change::decode(&raw).ok()?;
        Some((Stamp::parse(&change.message), change.ops))
    }

    /// The code under which people are told why it was refused, as on the phone that made it.
    pub fn told(&self) -> &'static str {
        let ops = self.content().map(|(_, ops)| ops).unwrap_or_default();
        let fields = ops.iter().map(|op| format!("{}.{}", op.container.name(), op.key));
        let merging = fields.into_iter().find(|field| field == MERGED_AWAY);
        RefusalCode::told(self.code, merging.as_deref().unwrap_or_default())
    }
}

const COLUMNS: &str =
    "n, household,
     coalesce((SELECT h.scope FROM household h WHERE h.id = quarantine.household), scope), code, device, outbox, received_ms, released_ms, content FROM quarantine";

/// What waits behind this number for an office in the villages that it sees, oldest first.
///
/// # Errors
/// Where the file fails.
pub fn waiting(
    connection: &Connection,
    after: i64,
    rows_max: usize,
    sees: impl Fn(u64) -> bool,
) -> Result<Vec<QuarantineRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE released_ms IS NULL AND n > ?1 ORDER BY n");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([after], read)?;
    let rows = rows.map(|row| row?.ok_or(StoreError::Damaged));
    let is_seen = |row: &Result<QuarantineRow, _>| row.as_ref().map_or(true, |row| sees(row.scope));
    rows.filter(is_seen).take(rows_max).collect()
}

/// The number of the first change of the same author and household that waits as well and was made before this one.
///
/// # Errors
/// Where the file fails.
pub fn made_before(
    connection: &Connection,
    row: &QuarantineRow,
) -> Result<Option<i64>, StoreError> {
    let head = |row: &QuarantineRow| TailHead::parse(&row.change.tail).ok();
    let Some(own) = head(row) else { return Ok(None) };
    let sql = format!("SELECT {COLUMNS} WHERE released_ms IS NULL AND household = ?1 ORDER BY n");
    let mut statement = connection.prepare(&sql)?;
    let mut first = None;
    for other in statement.query_map([row.household.0], read)? {
        let other = other?.ok_or(StoreError::Damaged)?;
        let made = head(&other).filter(|made| made.actor == own.actor && made.seq < own.seq);
        let made = made.map(|made| (made.seq, other.n));
        first = first.into_iter().chain(made).min();
    }
    Ok(first.map(|(_, n)| n))
}

/// How many have come for households of these villages since then, and when the oldest of them did, milliseconds since 1970
/// UTC.
///
/// # Errors
/// Where the file fails.
pub fn count(
    connection: &Connection,
    (first, last): (u64, u64),
    since_ms: i64,
) -> Result<(u64, Option<i64>), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*), min(received_ms) FROM quarantine q
         WHERE released_ms IS NULL AND received_ms >= ?3
         AND coalesce((SELECT h.scope FROM household h WHERE h.id = q.household), q.scope)
             BETWEEN ?1 AND ?2",
    )?;
    let asked = [first.cast_signed(), last.cast_signed(), since_ms];
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
    Ok(statement.query_row(asked, read)?)
}

/// All of them, released ones too, oldest first.
///
/// # Errors
/// Where the file fails.
pub fn all(connection: &Connection) -> Result<Vec<QuarantineRow>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} ORDER BY n"))?;
    let rows = statement.query_map([], read)?;
    rows.map(|row| row?.ok_or(StoreError::Damaged)).collect()
}

/// One of them by number.
///
/// # Errors
/// `NotFound`.
pub fn one(connection: &Connection, n: i64) -> Result<QuarantineRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} WHERE n = ?1");
    let row = connection.prepare(&sql)?.query_row([n], read).optional()?;
    row.ok_or(StoreError::NotFound)?.ok_or(StoreError::Damaged)
}

/// Takes one into the log on the word of an account of this role; none for the operator. The inner error says why it cannot be taken even so; it stays then.
///
/// # Errors
/// `NotFound`, or where the file fails.
pub fn release(
    transaction: &Transaction<'_>,
    n: i64,
    by: &str,
    office: Role,
    policy: &Policy,
    now_ms: i64,
) -> Result<Result<(), RefusalCode>, StoreError> {
    let row = one(transaction, n)?;
    if row.released_ms.is_some() {
        return Ok(Ok(()));
    }
    let provenance =
        Provenance { device: row.device, outbox: row.outbox, received_ms: now_ms, rule_set: 0 };
    let refused = Quarantined {
        household: row.household,
        scope: row.scope,
        change: &row.change,
        // The reason does not matter any more.
        code: RefusalCode::NotPermitted,
        provenance,
    };
    let mut log = SqliteLog::new(transaction, now_ms).under(policy);
    let outcome = Admission::release(&mut log, &refused, office)?;
    if outcome.is_ok() {
        transaction.execute(
            "UPDATE quarantine SET released_ms = ?2, released_by = ?3 WHERE n = ?1",
            params![n, now_ms, by],
        )?;
    }
    Ok(outcome)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<QuarantineRow>> {
    let content: Vec<u8> = row.get(8)?;
    let Ok(change) = decode::<PushedChange>(&content) else { return Ok(None) };
    Ok(Some(QuarantineRow {
        n: row.get(0)?,
        household: HouseholdId(row.get(1)?),
        scope: row.get::<_, i64>(2)?.cast_unsigned(),
        code: row.get(3)?,
        device: row.get(4)?,
        outbox: row.get::<_, i64>(5)?.cast_unsigned(),
        received_ms: row.get(6)?,
        released_ms: row.get(7)?,
        change,
    }))
}
