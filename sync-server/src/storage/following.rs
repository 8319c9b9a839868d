//! What is folded from the log at its own pace, so that no phone waits for it: up to which entry it reaches is kept beside
//! it. Must not know what is folded.

use rusqlite::{Connection, OptionalExtension, Transaction};
use wanhu_core::store::StoreError;

use super::Storage;

/// Log entries looked at in one transaction; phones that push get their turn in between.
const ENTRIES_A_TURN: i64 = 2_000;

/// Something that follows the log.
#[derive(Clone)]
pub(super) struct Follower<F> {
    /// Under which name of `server` its place in the log is kept.
    pub(super) name: &'static str,
    /// Whatever else it follows from. Made from something else, it is made anew.
    pub(super) made_from: Vec<u8>,
    /// Folds a household, by its local number.
    pub(super) fold: F,
}

impl<F> Follower<F>
where
    F: Fn(&Transaction<'_>, i64) -> Result<(), StoreError> + Clone + Send + 'static,
{
    /// Folds whatever changed since the last time. Where nothing did, the writer is left alone.
    pub(super) fn catch_up(&self, storage: &Storage) -> Result<(), StoreError> {
        let is_there =
            |connection: &Connection| Ok(self.reach(connection)? >= log_end(connection)?);
        if storage.read(is_there)? {
            return Ok(());
        }
        loop {
            let follower = self.clone();
            if !storage.writer().write(move |transaction| follower.take_a_turn(transaction))? {
                return Ok(());
            }
        }
    }

    fn reach(&self, connection: &Connection) -> Result<i64, StoreError> {
        reach(connection, self.name, &self.made_from)
    }

    /// Whether there is more to do.
    fn take_a_turn(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let (from, end) = (self.reach(transaction)?, log_end(transaction)?);
        let through = end.min(from + ENTRIES_A_TURN);
        if through <= from {
            return Ok(false);
        }
        let mut statement = transaction
            .prepare_cached("SELECT DISTINCT household FROM log WHERE n > ?1 AND n <= ?2")?;
        let changed = statement.query_map([from, through], |row| row.get(0))?;
        for n in changed.collect::<Result<Vec<i64>, _>>()? {
            (self.fold)(transaction, n)?;
        }
        reached(transaction, self.name, through, &self.made_from)?;
        Ok(through < end)
    }
}

/// Keeps how far a follower has seen the log.
pub(super) fn reached(
    transaction: &Transaction<'_>,
    name: &str,
    through: i64,
    made_from: &[u8],
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT OR REPLACE INTO server (name, value) VALUES (?1, ?2)",
        (name, [&through.to_be_bytes()[..], made_from].concat()),
    )?;
    Ok(())
}

/// The last log entry that a follower has seen; 0 where what is there was made from something else.
pub(super) fn reach(
    connection: &Connection,
    name: &str,
    made_from: &[u8],
) -> Result<i64, StoreError> {
    let stored: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM server WHERE name = ?1", [name], |row| row.get(0))
        .optional()?;
    let through = stored.as_deref().and_then(|stored| {
        let (through, known) = stored.split_first_chunk::<8>()?;
        (known == made_from).then(|| i64::from_be_bytes(*through))
    });
    Ok(through.unwrap_or(0))
}

/// The number of the last log entry; 0 where there is none.
pub(super) fn log_end(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("SELECT coalesce(max(n), 0) FROM log", [], |row| row.get(0))?)
}
