//! Households and their changes in tables, on phone and server alike. Functions that write take the
//! caller's transaction, so that nobody can save half a change. Must not know devices or scopes' logs.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::StoreError;
use super::listing;
use crate::document::DocumentError;
use crate::document::change::Change;
use crate::document::compress::{self, Effort};
use crate::document::fold::Fold;
use crate::document::raw::{CHANGE_BYTES_MAX, RawChange};
use crate::domain::ids::{ActorId, ChangeHash, HouseholdId, OpId};
use crate::domain::region;

/// A household as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// Local number.
    pub n: i64,
    /// Its id.
    pub id: HouseholdId,
    /// The village it is in.
    pub scope: u64,
    /// Its folded state.
    pub fold: Fold,
    /// Sum over its acknowledged changes, see `sync::chain::Digest`.
    pub digest: u128,
}

impl Household {
    /// The local number of a household that no table holds yet.
    pub const UNSAVED: i64 = 0;

    /// A household before its first change was taken.
    pub fn unsaved(id: HouseholdId, scope: u64) -> Self {
        Self { n: Self::UNSAVED, id, scope, fold: Fold::default(), digest: 0 }
    }
}

/// A change as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChange {
    /// Local number, in order of arrival.
    pub n: i64,
    /// Its name.
    pub hash: ChangeHash,
    /// Its bytes.
    pub raw: RawChange,
    /// Whether the server's log holds it.
    pub acknowledged: bool,
    /// Its number among this installation's changes, where it is one.
    pub outbox: Option<u64>,
}

/// How a change comes into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// From the server, or taken by the server.
    Acknowledged,
    /// Made on this phone, with its outbox number; not yet sent.
    Pending(u64),
}

/// Looks a household up by id.
pub fn find(connection: &Connection, id: HouseholdId) -> Result<Option<Household>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT n, id, scope, state, digest FROM household WHERE id = ?1")?;
    let row = statement.query_row([&id.0[..]], raw_household).optional()?;
    row.map(|row| row.read(connection)).transpose()
}

/// Goes through the households of an area, village by village. `area` is a region code of any level.
pub fn for_each(
    connection: &Connection,
    area: u64,
    mut work: impl FnMut(Household) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (first, last) = region::villages_of(area);
    let mut statement = connection.prepare_cached(
        "SELECT n, id, scope, state, digest FROM household WHERE scope BETWEEN ?1 AND ?2
         ORDER BY scope, id",
    )?;
    let mut rows = statement.query([first.cast_signed(), last.cast_signed()])?;
    while let Some(row) = rows.next()? {
        work(raw_household(row)?.read(connection)?)?;
    }
    Ok(())
}

/// Looks a household up by local number.
pub fn get(connection: &Connection, n: i64) -> Result<Household, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT n, id, scope, state, digest FROM household WHERE n = ?1")?;
    let row = statement.query_row([n], raw_household).optional()?.ok_or(StoreError::NotFound)?;
    row.read(connection)
}

/// Whether a household is where it was read, with the acknowledged changes that it had then.
///
/// # Errors
/// Where the file fails.
pub fn is_as_read(connection: &Connection, household: &Household) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT scope, digest FROM household WHERE n = ?1")?;
    let now = statement.query_row([household.n], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let is_it = |(scope, digest): (i64, [u8; 16])| {
        (scope.cast_unsigned(), u128::from_be_bytes(digest)) == (household.scope, household.digest)
    };
    Ok(now.optional()?.is_some_and(is_it))
}

/// Largest folded state read back; a larger one is folded anew.
const STATE_BYTES_MAX: usize = 16 * 1024 * 1024;

fn state_of(fold: &Fold) -> Result<Vec<u8>, StoreError> {
    let packed = compress::compress(&fold.encode(), Effort::Stored);
    Ok(packed.map_err(|_| DocumentError::TooLarge)?)
}

struct RawHousehold {
    n: i64,
    id: Vec<u8>,
    scope: i64,
    state: Vec<u8>,
    digest: Vec<u8>,
}

fn raw_household(row: &rusqlite::Row<'_>) -> rusqlite::Result<RawHousehold> {
    Ok(RawHousehold {
        n: row.get(0)?,
        id: row.get(1)?,
        scope: row.get(2)?,
        state: row.get(3)?,
        digest: row.get(4)?,
    })
}

impl RawHousehold {
    fn read(self, connection: &Connection) -> Result<Household, StoreError> {
        let state = compress::decompress(&self.state, STATE_BYTES_MAX).ok();
        let fold = match state.map(|state| Fold::decode(&state)) {
            Some(Ok(fold)) => fold,
            // Written by another release: the changes are the truth.
            None | Some(Err(_)) => refold(connection, self.n)?,
        };
        Ok(Household {
            n: self.n,
            id: HouseholdId::from_slice(&self.id).ok_or(StoreError::Damaged)?,
            scope: self.scope.cast_unsigned(),
            fold,
            digest: self
                .digest
                .try_into()
                .map(u128::from_be_bytes)
                .map_err(|_| StoreError::Damaged)?,
        })
    }
}

/// Folds a household's changes from the first.
pub fn refold(connection: &Connection, n: i64) -> Result<Fold, StoreError> {
    Ok(refold_those(connection, n, |_, _| true)?.unwrap_or_default())
}

/// Folds those of a household's changes that are wanted; whatever one of them builds on has to be. `None` where none is.
pub fn refold_those(
    connection: &Connection,
    n: i64,
    mut wants: impl FnMut(&StoredChange, &Change) -> bool,
) -> Result<Option<Fold>, StoreError> {
    let mut fold = None;
    for stored in changes(connection, n)? {
        let change = Change::decode_named(&stored.raw, stored.hash)?;
        if wants(&stored, &change) {
            fold.get_or_insert_with(Fold::default).apply(&change);
        }
    }
    Ok(fold)
}

/// Adds an empty household in a village, without state and list row: the caller saves it with its first
/// change, in the same transaction.
pub fn create(
    transaction: &Transaction<'_>,
    id: HouseholdId,
    scope: u64,
) -> Result<Household, StoreError> {
    let mut household = Household::unsaved(id, scope);
    transaction
        .prepare_cached("INSERT INTO household (id, scope, state, digest) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![&id.0[..], scope.cast_signed(), &[0u8; 0][..], &[0u8; 16][..]])?;
    household.n = transaction.last_insert_rowid();
    Ok(household)
}

/// Writes a household's state, scope, digest and list row.
pub fn save(transaction: &Transaction<'_>, household: &Household) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE household SET scope = ?2, state = ?3, digest = ?4 WHERE n = ?1")?
        .execute(params![
            household.n,
            household.scope.cast_signed(),
            state_of(&household.fold)?,
            &household.digest.to_be_bytes()[..]
        ])?;
    listing::save(transaction, household)
}

/// Removes a household with its changes.
pub fn remove(transaction: &Transaction<'_>, n: i64) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM household WHERE n = ?1")?.execute([n])?;
    Ok(())
}

/// Folds a change into the household and appends it. The caller saves the household afterwards, once
/// for all changes of the transaction.
pub fn append(
    transaction: &Transaction<'_>,
    household: &mut Household,
    raw: &RawChange,
    change: &Change,
    arrival: Arrival,
) -> Result<(), StoreError> {
    let body = stored_body(raw)?;
    let (acknowledged, outbox) = match arrival {
        Arrival::Acknowledged => (true, None),
        Arrival::Pending(outbox) => (false, Some(outbox.cast_signed())),
    };
    transaction
        .prepare_cached(
            "INSERT INTO change
             (household, actor, seq, start_op, max_op, hash, body, acknowledged, outbox)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            household.n,
            &change.actor.0[..],
            change.seq.cast_signed(),
            change.start_op.cast_signed(),
            change.max_op().cast_signed(),
            &change.hash.0[..],
            body,
            acknowledged,
            outbox
        ])?;
    household.fold.apply(change);
    Ok(())
}

/// All changes of a household, dependencies first.
pub fn changes(connection: &Connection, n: i64) -> Result<Vec<StoredChange>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, hash, body, acknowledged, outbox FROM change WHERE household = ?1 ORDER BY n",
    )?;
    let rows = statement.query_map([n], raw_stored)?;
    rows.map(|row| row?.read()).collect()
}

/// One change by its local number.
pub fn change(connection: &Connection, n: i64) -> Result<StoredChange, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT n, hash, body, acknowledged, outbox FROM change WHERE n = ?1")?;
    statement.query_row([n], raw_stored).optional()?.ok_or(StoreError::NotFound)?.read()
}

/// A change's row before its body is decompressed.
#[derive(Debug)]
pub struct RawStored {
    n: i64,
    hash: Vec<u8>,
    body: Vec<u8>,
    acknowledged: bool,
    outbox: Option<i64>,
}

/// Reads the columns `n, hash, body, acknowledged, outbox`.
pub fn raw_stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<RawStored> {
    Ok(RawStored {
        n: row.get(0)?,
        hash: row.get(1)?,
        body: row.get(2)?,
        acknowledged: row.get(3)?,
        outbox: row.get(4)?,
    })
}

impl RawStored {
    /// The change.
    pub fn read(self) -> Result<StoredChange, StoreError> {
        Ok(StoredChange {
            n: self.n,
            hash: ChangeHash::from_slice(&self.hash).ok_or(StoreError::Damaged)?,
            raw: read_body(&self.body)?,
            acknowledged: self.acknowledged,
            outbox: self.outbox.map(i64::cast_unsigned),
        })
    }
}

/// A body as it is stored.
pub fn stored_body(raw: &RawChange) -> Result<Vec<u8>, StoreError> {
    let packed = compress::compress(raw.body(), Effort::Stored);
    Ok(packed.map_err(|_| DocumentError::TooLarge)?)
}

/// Decompresses a stored body.
pub fn read_body(body: &[u8]) -> Result<RawChange, StoreError> {
    let body = compress::decompress(body, CHANGE_BYTES_MAX).map_err(|_| StoreError::Damaged)?;
    RawChange::from_body(body).map_err(|_| StoreError::Damaged)
}

/// What a dependency needs to be known by: its full hash and its last operation's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Local number of the change.
    pub n: i64,
    /// The hash.
    pub hash: ChangeHash,
    /// Counter of its last operation.
    pub max_op: u64,
}

/// The changes of a household whose hash begins with these bytes.
pub fn with_prefix(
    connection: &Connection,
    n: i64,
    prefix: &[u8],
) -> Result<Vec<Held>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT n, hash, max_op FROM change WHERE household = ?1")?;
    let rows = statement.query_map([n], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut held = Vec::new();
    for row in rows {
        let (n, hash, max_op) = row?;
        if hash.starts_with(prefix) {
            let hash = ChangeHash::from_slice(&hash).ok_or(StoreError::Damaged)?;
            held.push(Held { n, hash, max_op: max_op.cast_unsigned() });
        }
    }
    Ok(held)
}

/// The change an actor made with this number in this household.
pub fn by_author(
    connection: &Connection,
    n: i64,
    actor: &ActorId,
    seq: u64,
) -> Result<Option<Held>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, hash, max_op FROM change WHERE household = ?1 AND actor = ?2 AND seq = ?3",
    )?;
    let row = statement
        .query_row(params![n, &actor.0[..], seq.cast_signed()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    row.map(|(n, hash, max_op)| {
        let hash = ChangeHash::from_slice(&hash).ok_or(StoreError::Damaged)?;
        Ok(Held { n, hash, max_op: max_op.cast_unsigned() })
    })
    .transpose()
}

/// The change that holds an operation.
pub fn by_operation(
    connection: &Connection,
    n: i64,
    operation: &OpId,
) -> Result<Option<StoredChange>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT n, hash, body, acknowledged, outbox FROM change
         WHERE household = ?1 AND actor = ?2 AND start_op <= ?3 AND max_op >= ?3",
    )?;
    let actor = &operation.actor.0[..];
    statement
        .query_row(params![n, actor, operation.counter.cast_signed()], raw_stored)
        .optional()?
        .map(RawStored::read)
        .transpose()
}

/// The households of a scope and the sums over their acknowledged changes, ascending by id.
pub fn digests(
    connection: &Connection,
    scope: u64,
) -> Result<Vec<(HouseholdId, u128)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, digest FROM household WHERE scope = ?1 ORDER BY id")?;
    let rows = statement.query_map([scope.cast_signed()], |row| {
        Ok((HouseholdId(row.get(0)?), u128::from_be_bytes(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Up to two households whose id begins with these bytes, in a scope or anywhere.
pub fn with_id_prefix(
    connection: &Connection,
    scope: Option<u64>,
    prefix: &[u8],
) -> Result<Vec<HouseholdId>, StoreError> {
    let mut last = prefix.to_vec();
    last.resize(16, 0xff);
    let sql = match scope {
        Some(_) => "SELECT id FROM household WHERE scope = ?3 AND id BETWEEN ?1 AND ?2 LIMIT 2",
        None => "SELECT id FROM household WHERE id BETWEEN ?1 AND ?2 AND ?3 IS NULL LIMIT 2",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let scope = scope.map(u64::cast_signed);
    let ids =
        statement.query_map(params![prefix, last, scope], |row| Ok(HouseholdId(row.get(0)?)))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Sum over the acknowledged changes of a scope's households.
pub fn scope_digest(connection: &Connection, scope: u64) -> Result<u128, StoreError> {
    let digests = digests(connection, scope)?;
    Ok(digests.iter().fold(0, |sum: u128, (_, digest)| sum.wrapping_add(*digest)))
}

/// Marks a change as held by the server's log.
pub fn acknowledge(transaction: &Transaction<'_>, change_n: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE change SET acknowledged = 1 WHERE n = ?1")?
        .execute([change_n])?;
    Ok(())
}
