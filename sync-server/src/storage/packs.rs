//! Snapshot packs: a village's households whole, compressed once as well as can be, read many times by
//! new phones. A pack is immutable and named by its content; rebuilding makes a new one.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use wanhu_core::store::{StoreError, records};
use wanhu_core::sync::responder::{LogReader, pack_frames};

use super::{SqliteReader, Writer};

/// A pack is made anew once its tail holds this part of it.
const TAIL_PERCENT_MAX: u64 = 20;
/// A superseded pack stays readable this long, for phones in the middle of it.
const KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// Scopes with fewer entries are served from the log.
const ENTRIES_MIN: u64 = 32;

/// Makes the packs that are due. Reads on the caller's connection, writes through the writer. Returns
/// how many were made.
///
/// # Errors
/// Where the file fails.
pub fn build_packs(
    connection: &Connection,
    writer: &Writer,
    now_ms: i64,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare(
        "SELECT s.scope, s.seq, coalesce((SELECT max(p.seq) FROM pack p WHERE p.scope = s.scope), 0)
         FROM scope s WHERE s.seq >= ?1",
    )?;
    let scopes: Vec<(i64, i64, i64)> = statement
        .query_map([ENTRIES_MIN.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut made = 0;
    for (scope, seq, packed) in scopes {
        let tail = (seq - packed).cast_unsigned();
        if tail * 100 > packed.cast_unsigned() * TAIL_PERCENT_MAX {
            made += usize::from(build(connection, writer, scope.cast_unsigned(), now_ms)?);
        }
    }
    Ok(made)
}

fn build(
    connection: &Connection,
    writer: &Writer,
    scope: u64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    // One read transaction: households and log position belong together.
    let view = connection.unchecked_transaction()?;
    let point = super::log::read_point(&view, scope)?;
    let reader = SqliteReader(&view);
    let mut households = Vec::new();
    for (id, _) in records::digests(&view, scope)? {
        households.push((id, reader.changes(id, None)?));
    }
    drop(view);
    let frames = pack_frames(scope, households);
    let mut hash = Sha256::new();
    frames.iter().for_each(|frame| hash.update(frame));
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    writer.write(move |transaction| {
        transaction.execute(
            "DELETE FROM pack WHERE scope = ?1 AND made_ms < ?2",
            [scope.cast_signed(), now_ms - KEPT_MS],
        )?;
        let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        let new = transaction.execute(
            "INSERT OR IGNORE INTO pack (id, scope, seq, frames, made_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, scope.cast_signed(), point.seq.cast_signed(), count, now_ms],
        )?;
        if new == 1 {
            for (frame, bytes) in (0u32..).zip(&frames) {
                transaction
                    .prepare_cached(
                        "INSERT INTO pack_frame (pack, frame, bytes) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![id, frame, bytes])?;
            }
        }
        Ok(new == 1)
    })
}
