//! The log as evidence: leaves and signed heads of its tree, and a check that recomputes everything that
//! can be recomputed and names the first place where it does not fit. Must not repair anything.

use std::collections::HashMap;

use ed25519_dalek::{SigningKey, VerifyingKey};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::{StoreError, records};
use wanhu_core::sync::chain::{Chain, Digest, EntryKind, move_payload};
use wanhu_core::sync::merkle::{self, Frontier, Node};

/// A signed head of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Entries it covers.
    pub size: u64,
    /// The root over them.
    pub root: Node,
    /// The server's clock, milliseconds since 1970 UTC.
    pub made_ms: i64,
    /// The server's signature.
    pub signature: [u8; 64],
}

/// What was found whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Log entries.
    pub entries: u64,
    /// Households.
    pub households: u64,
    /// Signed heads.
    pub heads: u64,
}

/// The first place where what is stored does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {place}")]
pub struct Fault {
    /// What does not fit: a stable code.
    pub what: &'static str,
    /// Where: an entry's number, a household's id, a head's size.
    pub place: String,
}

fn fault(what: &'static str, place: impl std::fmt::Display) -> Fault {
    Fault { what, place: place.to_string() }
}

/// One log row with all its columns.
struct Entry {
    scope: u64,
    seq: u64,
    kind: u8,
    household: HouseholdId,
    household_n: i64,
    change: i64,
    other_scope: u64,
    device: i64,
    outbox: i64,
    received_ms: i64,
    rule_set: i64,
    chain: [u8; 32],
    digest: [u8; 16],
}

const COLUMNS: &str = "l.scope, l.seq, l.kind, h.id, l.household, l.change, l.other_scope,
    l.device, l.outbox, l.received_ms, l.rule_set, l.chain, l.digest
    FROM log l JOIN household h ON h.n = l.household";

impl Entry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            scope: row.get::<_, i64>(0)?.cast_unsigned(),
            seq: row.get::<_, i64>(1)?.cast_unsigned(),
            kind: row.get(2)?,
            household: HouseholdId(row.get(3)?),
            household_n: row.get(4)?,
            change: row.get(5)?,
            other_scope: row.get::<_, i64>(6)?.cast_unsigned(),
            device: row.get(7)?,
            outbox: row.get(8)?,
            received_ms: row.get(9)?,
            rule_set: row.get(10)?,
            chain: row.get(11)?,
            digest: row.get(12)?,
        })
    }

    /// The leaf: every column, and through the chain every change before it.
    fn leaf(&self) -> Node {
        let numbers = [self.device, self.outbox, self.received_ms, self.rule_set];
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&self.scope.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.push(self.kind);
        bytes.extend_from_slice(&self.household.0);
        bytes.extend_from_slice(&self.other_scope.to_be_bytes());
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_be_bytes()));
        bytes.extend_from_slice(&self.chain);
        bytes.extend_from_slice(&self.digest);
        merkle::leaf(&bytes)
    }

    fn kind(&self) -> Option<EntryKind> {
        match self.kind {
            1 => Some(EntryKind::Change),
            2 => Some(EntryKind::Leave),
            3 => Some(EntryKind::Enter),
            _ => None,
        }
    }
}

/// The leaves of the tree in order of entry.
///
/// # Errors
/// Where the file fails.
pub fn leaves(connection: &Connection) -> Result<Vec<Node>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} ORDER BY l.n"))?;
    let rows = statement.query_map([], |row| Ok(Entry::read(row)?.leaf()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The place of an entry in the tree, from 0.
///
/// # Errors
/// `NotFound`.
pub fn index_of(connection: &Connection, scope: u64, seq: u64) -> Result<usize, StoreError> {
    let n: Option<i64> = connection
        .query_row(
            "SELECT n FROM log WHERE scope = ?1 AND seq = ?2",
            [scope.cast_signed(), seq.cast_signed()],
            |row| row.get(0),
        )
        .optional()?;
    let index = n.and_then(|n| usize::try_from(n - 1).ok());
    index.ok_or(StoreError::NotFound)
}

/// All signed heads, oldest first.
///
/// # Errors
/// Where the file fails.
pub fn heads(connection: &Connection) -> Result<Vec<TreeHead>, StoreError> {
    let mut statement =
        connection.prepare("SELECT size, root, made_ms, signature FROM tree_head ORDER BY size")?;
    let rows = statement.query_map([], |row| {
        Ok(TreeHead {
            size: row.get::<_, i64>(0)?.cast_unsigned(),
            root: row.get(1)?,
            made_ms: row.get(2)?,
            signature: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Signs a head over everything taken so far, unless the last one covers it already. Costs what came
/// since the last one.
///
/// # Errors
/// Where the file fails.
pub fn sign_head(
    transaction: &Transaction<'_>,
    key: &SigningKey,
    now_ms: i64,
) -> Result<(), StoreError> {
    let mut frontier = last_frontier(transaction)?;
    let before = frontier.size();
    {
        let sql = format!("SELECT {COLUMNS} WHERE l.n > ?1 ORDER BY l.n");
        let mut statement = transaction.prepare_cached(&sql)?;
        let mut rows = statement.query([before.cast_signed()])?;
        while let Some(row) = rows.next()? {
            frontier.add(Entry::read(row)?.leaf());
        }
    }
    if frontier.size() == before {
        return Ok(());
    }
    let (size, root) = (frontier.size(), frontier.root());
    let signature = merkle::sign_head(key, size, &root, now_ms);
    transaction.execute(
        "INSERT INTO tree_head (size, root, made_ms, signature, frontier)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![size.cast_signed(), root, now_ms, signature, frontier.nodes().concat()],
    )?;
    Ok(())
}

fn last_frontier(connection: &Connection) -> Result<Frontier, StoreError> {
    let last: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT size, frontier FROM tree_head ORDER BY size DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((size, bytes)) = last else { return Ok(Frontier::default()) };
    let nodes = bytes.chunks_exact(32).filter_map(|node| node.try_into().ok()).collect();
    Frontier::new(size.cast_unsigned(), nodes).ok_or(StoreError::Damaged)
}

/// Recomputes every hash, chain, digest, state and head. `witnessed` are heads that somebody else kept. `view` is one state of
/// the file: [`Storage::read`](super::Storage::read), or a copy that nobody writes.
///
/// # Errors
/// Outer: where the file fails. Inner: the first place that does not fit.
pub fn verify(
    view: &Connection,
    key: &VerifyingKey,
    witnessed: &[TreeHead],
) -> Result<Result<Whole, Fault>, StoreError> {
    let checked = match check_log(view)? {
        Err(fault) => return Ok(Err(fault)),
        Ok(entries) => entries,
    };
    let households = match check_households(view)? {
        Err(fault) => return Ok(Err(fault)),
        Ok(households) => households,
    };
    let kept = heads(view)?;
    let leaves = leaves(view)?;
    for head in kept.iter().chain(witnessed) {
        let TreeHead { size, root, made_ms, signature } = head;
        if !merkle::head_is_signed(key, *size, root, *made_ms, signature) {
            return Ok(Err(fault("head_not_signed", size)));
        }
        let covered = usize::try_from(*size).ok().and_then(|size| leaves.get(..size));
        if covered.map(merkle::root) != Some(*root) {
            return Ok(Err(fault("head_does_not_fit", size)));
        }
    }
    let heads = (kept.len() + witnessed.len()) as u64;
    Ok(Ok(Whole { entries: checked, households, heads }))
}

/// Every village's log from its first entry.
fn check_log(connection: &Connection) -> Result<Result<u64, Fault>, StoreError> {
    let sql = format!("SELECT {COLUMNS} ORDER BY l.scope, l.seq");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let (mut scope, mut seq, mut chain, mut digest) = (0, 0, Chain::start(0), Digest::default());
    let mut entries = 0;
    while let Some(row) = rows.next()? {
        let entry = Entry::read(row)?;
        let place = format!("{}:{}", entry.scope, entry.seq);
        if entry.scope != scope {
            (scope, seq, chain, digest) =
                (entry.scope, 0, Chain::start(entry.scope), Digest::default());
        }
        seq += 1;
        entries += 1;
        let Some(kind) = entry.kind().filter(|_| entry.seq == seq) else {
            return Ok(Err(fault("entry_out_of_order", place)));
        };
        let Some((payload, change)) = payload_of(connection, &entry, kind)? else {
            return Ok(Err(fault("change_altered", place)));
        };
        chain = chain.extend(kind, entry.household, &payload);
        digest = if kind == EntryKind::Leave { digest.minus(change) } else { digest.plus(change) };
        if chain.0 != entry.chain {
            return Ok(Err(fault("chain_broken", place)));
        }
        if digest.to_bytes() != entry.digest {
            return Ok(Err(fault("digest_broken", place)));
        }
        let last = super::log::read_point(connection, scope)?;
        if last.seq < seq || (last.seq == seq && (last.chain != chain || last.digest != digest)) {
            return Ok(Err(fault("village_altered", place)));
        }
    }
    let (total, numbered): (i64, i64) = connection.query_row(
        "SELECT (SELECT coalesce(sum(seq), 0) FROM scope), (SELECT coalesce(max(n), 0) FROM log)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if total.cast_unsigned() != entries || numbered.cast_unsigned() != entries {
        return Ok(Err(fault("entries_missing", entries)));
    }
    Ok(Ok(entries))
}

/// What an entry adds to the chain, and to the digest; `None` where its change is not what it was.
fn payload_of(
    connection: &Connection,
    entry: &Entry,
    kind: EntryKind,
) -> Result<Option<([u8; 32], Digest)>, StoreError> {
    if kind != EntryKind::Change {
        let mut moved = Digest::default();
        for change in records::changes(connection, entry.household_n)? {
            if change.n <= entry.change {
                moved = moved.plus(Digest::of(entry.household, &change.hash));
            }
        }
        return Ok(Some((move_payload(entry.other_scope), moved)));
    }
    match records::change(connection, entry.change) {
        Ok(stored) if stored.raw.hash() == stored.hash => {
            Ok(Some((stored.hash.0, Digest::of(entry.household, &stored.hash))))
        }
        Ok(_) | Err(StoreError::NotFound | StoreError::Damaged) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every household: its changes are in the log once, and its state, digest and village follow from them.
fn check_households(connection: &Connection) -> Result<Result<u64, Fault>, StoreError> {
    let unlogged: Option<HouseholdId> = connection
        .query_row(
            "SELECT h.id FROM change c JOIN household h ON h.n = c.household
             LEFT JOIN (SELECT change, count(*) AS times FROM log WHERE kind = 1 GROUP BY change) l
               ON l.change = c.n
             WHERE coalesce(l.times, 0) != 1 LIMIT 1",
            [],
            |row| Ok(HouseholdId(row.get(0)?)),
        )
        .optional()?;
    if let Some(household) = unlogged {
        return Ok(Err(fault("change_not_logged", household)));
    }
    let villages = last_villages(connection)?;
    let mut statement = connection.prepare("SELECT n FROM household ORDER BY n")?;
    let numbers: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for n in &numbers {
        let household = records::get(connection, *n)?;
        let digests = records::changes(connection, *n)?;
        let digests = digests.iter().map(|change| Digest::of(household.id, &change.hash));
        if digests.fold(Digest::default(), Digest::plus).0 != household.digest {
            return Ok(Err(fault("household_digest", household.id)));
        }
        if records::refold(connection, *n)? != household.fold {
            return Ok(Err(fault("household_state", household.id)));
        }
        if villages.get(n) != Some(&household.scope) {
            return Ok(Err(fault("household_elsewhere", household.id)));
        }
    }
    Ok(Ok(numbers.len() as u64))
}

/// The village each household is in by the log, by its local number.
fn last_villages(connection: &Connection) -> Result<HashMap<i64, u64>, StoreError> {
    let mut statement =
        connection.prepare("SELECT household, scope FROM log WHERE kind != 2 ORDER BY n")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
