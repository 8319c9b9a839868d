//! Snapshot packs: a village's households whole, compressed once as well as can be, read many times by
//! new phones. A pack is immutable and named by its content; rebuilding makes a new one.

use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use wanhu_core::store::{StoreError, open, records};
use wanhu_core::sync::responder::{LogReader, pack_frames};

use super::{SqliteReader, Storage};

/// A pack is made anew once its tail holds this part of it.
const TAIL_PERCENT_MAX: u64 = 20;
/// A superseded pack stays readable this long, for phones in the middle of it.
const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// Scopes with fewer entries are served from the log.
const ENTRIES_MIN: u64 = 32;

/// Makes the packs that are due, each from one state of the file. Returns how many were made.
///
/// # Errors
/// Where the file fails.
pub fn build_packs(storage: &Storage, now_ms: i64) -> Result<usize, StoreError> {
    let mut made = 0;
    for scope in storage.read(due)? {
        let pack = storage.read(|view| NewPack::snapshot(view, scope))?;
        let saved = storage.writer().write(move |transaction| pack.save(transaction, now_ms))?;
        made += usize::from(saved);
    }
    Ok(made)
}

/// As [`build_packs`], on the only connection there is.
///
/// # Errors
/// Where the file fails.
pub fn build_packs_here(connection: &mut Connection, now_ms: i64) -> Result<usize, StoreError> {
    let mut made = 0;
    for scope in due(connection)? {
        let pack = NewPack::snapshot(connection, scope)?;
        let transaction = open::begin(connection)?;
        made += usize::from(pack.save(&transaction, now_ms)?);
        open::commit(transaction)?;
    }
    Ok(made)
}

fn due(connection: &Connection) -> Result<Vec<u64>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT s.scope, s.seq, coalesce((SELECT max(p.seq) FROM pack p WHERE p.scope = s.scope), 0)
         FROM scope s WHERE s.seq >= ?1",
    )?;
    let rows = statement.query_map([ENTRIES_MIN.cast_signed()], |row| {
        let (seq, packed) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        Ok((
            row.get::<_, i64>(0)?.cast_unsigned(),
            (seq - packed).cast_unsigned(),
            packed.cast_unsigned(),
        ))
    })?;
    let scopes: Vec<(u64, u64, u64)> = rows.collect::<Result<_, _>>()?;
    let due = scopes.into_iter().filter(|(_, tail, packed)| tail * 100 > packed * TAIL_PERCENT_MAX);
    Ok(due.map(|(scope, _, _)| scope).collect())
}

struct NewPack {
    id: [u8; 16],
    scope: u64,
    seq: u64,
    frames: Vec<Vec<u8>>,
}

impl NewPack {
    /// `view` is one state of the file: households and log position belong together.
    fn snapshot(view: &Connection, scope: u64) -> Result<Self, StoreError> {
        let seq = super::log::read_point(view, scope)?.seq;
        let reader = SqliteReader(view);
        let mut households = Vec::new();
        for (id, _) in records::digests(view, scope)? {
            households.push((id, reader.changes(id, None)?));
        }
        let frames = pack_frames(scope, households);
        let mut hash = Sha256::new();
        frames.iter().for_each(|frame| hash.update(frame));
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Ok(Self { id, scope, seq, frames })
    }

    /// Returns whether the pack is new.
    fn save(&self, transaction: &Transaction<'_>, now_ms: i64) -> Result<bool, StoreError> {
        let scope = self.scope.cast_signed();
        transaction.execute(
            "DELETE FROM pack WHERE scope = ?1 AND made_ms < ?2",
            [scope, now_ms - KEPT_MS],
        )?;
        let frames = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        let new = transaction.execute(
            "INSERT OR IGNORE INTO pack (id, scope, seq, frames, made_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.id, scope, self.seq.cast_signed(), frames, now_ms],
        )?;
        if new == 0 {
            return Ok(false);
        }
        for (frame, bytes) in (0u32..).zip(&self.frames) {
            transaction
                .prepare_cached("INSERT INTO pack_frame (pack, frame, bytes) VALUES (?1, ?2, ?3)")?
                .execute(params![self.id, frame, bytes])?;
        }
        Ok(true)
    }
}
