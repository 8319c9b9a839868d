//! Where the server keeps records and logs: one SQLite file, one writer that commits for many requests
//! at once, readers apart. Must not decide what may be taken; `wanhu_core::sync` does.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use wanhu_core::domain::environment::{Entropy, random};
use wanhu_core::store::open::{self, Access, Migrations, Sharing};
use wanhu_core::store::{
    BILLS_SQL, CLOSED_SQL, GRID_SQL, OVERTAKEN_SQL, RECORDS_SQL, StoreError, grids,
};

pub mod audit;
pub mod author;
pub mod declarations;
pub mod department;
pub mod dues;
mod following;
pub mod judged;
mod log;
mod packs;
mod past;
pub mod persons;
pub mod policies;
pub mod quarantine;
mod reader;
pub mod responsible;
pub mod search;
pub mod sheets;
mod strays;
pub mod taken;
mod writer;

pub use log::{SqliteLog, StatisticsRow, inhabited, log_place, move_household, statistics};
pub use packs::{build_packs, build_packs_here};
pub use past::{for_each_on, once_written};
pub use reader::SqliteReader;
pub use writer::Writer;

/// The file's schema: the records shared with phones, then the server's own tables.
pub const MIGRATIONS: Migrations = Migrations(&[
    RECORDS_SQL,
    include_str!("../migrations/0002_log.sql"),
    include_str!("../migrations/0003_person.sql"),
    include_str!("../migrations/0004_step_time.sql"),
    include_str!("../migrations/0005_department.sql"),
    include_str!("../migrations/0006_form_output.sql"),
    include_str!("../migrations/0007_declaration.sql"),
    include_str!("../migrations/0008_search.sql"),
    include_str!("../migrations/0009_department_order.sql"),
    BILLS_SQL,
    include_str!("../migrations/0010_due.sql"),
    include_str!("../migrations/0011_policy.sql"),
    include_str!("../migrations/0012_form_made.sql"),
    include_str!("../migrations/0013_due_tasks.sql"),
    GRID_SQL,
    include_str!("../migrations/0014_form_owner.sql"),
    CLOSED_SQL,
    include_str!("../migrations/0015_moved_row.sql"),
    OVERTAKEN_SQL,
    include_str!("../migrations/0016_responsible.sql"),
    include_str!("../migrations/0017_import_file.sql"),
]);

/// What the writer keeps of the file in memory. Every page that it does not find there is read, checked and decrypted, and
/// SQLite's own 2 MB hold little of a city.
const WRITER_CACHE_KIBIBYTES: i64 = 32 * 1_024;

/// Pages in the log before they are folded into the file, four times SQLite's own: what one turn of a delivery writes and the
/// next writes again goes into the file once.
const LOG_PAGES: i64 = 4_000;

/// The records file, encrypted, open for one writer and many readers.
pub struct Storage {
    path: PathBuf,
    key: [u8; 32],
    writer: Writer,
    idle_readers: Mutex<Vec<Connection>>,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Storage")
    }
}

impl Storage {
    /// Opens or creates the file and starts its writer.
    ///
    /// # Errors
    /// As [`open::open`].
    pub fn open(
        path: &Path,
        key: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, StoreError> {
        let access = Access { sharing: Sharing::Shared, key: Some(key) };
        let mut connection = open::open(path, access, MIGRATIONS)?;
        ensure_epoch(&connection, entropy)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIBIBYTES)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        grids::note(&mut connection)?;
        Ok(Self {
            path: path.to_owned(),
            key: *key,
            writer: Writer::start(connection),
            idle_readers: Mutex::default(),
        })
    }

    /// The writer.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Runs `work` on a reader's connection, on the state as it was when `work` first read.
    ///
    /// # Errors
    /// Where the file cannot be opened, or as `work` reports.
    pub fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let access = Access { sharing: Sharing::Shared, key: Some(&self.key) };
                open::open_reader(&self.path, access)?
            }
        };
        // One lock on the file for all that `work` asks, and one state.
        connection.execute_batch("BEGIN")?;
        let outcome = work(&connection);
        // After some errors SQLite has ended the transaction by itself; the error is what to tell.
        if !connection.is_autocommit() {
            connection.execute_batch("COMMIT")?;
        }
        self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        outcome
    }

    /// Runs `work` on shares of `items`, one share a core, each on a reader's connection of its own; what each came to, in order.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_in_parts<I: Sync, T: Send>(
        &self,
        items: &[I],
        work: impl Fn(&Connection, &[I]) -> Result<T, StoreError> + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = items.len().div_ceil(cores).max(1);
        let read = |some: &[I]| self.read(|connection| work(connection, some));
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                items.chunks(share).map(|some| scope.spawn(|| read(some))).collect();
            // A panic in a part is ours as well.
            let ended = parts
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            ended.collect()
        })
    }
}

/// Gives a new file its log epoch, and the name under which offices write.
///
/// # Errors
/// Where the file fails.
pub fn ensure_epoch(connection: &Connection, entropy: &mut dyn Entropy) -> Result<(), StoreError> {
    let keep = "INSERT OR IGNORE INTO server (name, value) VALUES (?1, ?2)";
    connection.execute(keep, ("epoch", random::<8>(entropy)))?;
    connection.execute(keep, ("actor", random::<16>(entropy)))?;
    Ok(())
}

/// After a restore from a backup: a new epoch, and phones may give back what the backup lacks until
/// the time given.
///
/// # Errors
/// Where the file fails.
pub fn begin_new_epoch(
    connection: &Connection,
    entropy: &mut dyn Entropy,
    takes_back_until_ms: i64,
) -> Result<(), StoreError> {
    let set = "INSERT OR REPLACE INTO server (name, value) VALUES (?1, ?2)";
    connection.execute(set, ("epoch", random::<8>(entropy)))?;
    // What the lost log held under the old name may still come back from a phone.
    connection.execute(set, ("actor", random::<16>(entropy)))?;
    connection.execute(set, ("takes_back_until_ms", takes_back_until_ms.to_be_bytes()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use wanhu_core::system::SystemEntropy;

    use super::*;

    #[test]
    fn whoever_drops_the_storage_has_closed_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        for _ in 0..40 {
            let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
            storage
                .writer()
                .write(|transaction| {
                    Ok(transaction.execute_batch("UPDATE server SET value = value")?)
                })
                .unwrap();
            drop(storage);
            // The last connection that closes takes its log with it.
            assert!(!dir.path().join("records.sqlite-wal").exists());
        }
    }
}
