//! Opening a SQLite file for good: pragmas, versioned migrations in one transaction, refusal of files of
//! a newer release, setting a damaged file aside. Shared by phone and server; must not know any table.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, ffi};

use super::{StoreError, seal};

/// The steps that lead from an empty file to the newest schema, oldest first. A released step is never
/// edited. `PRAGMA user_version` counts the steps taken.
#[derive(Clone, Copy, Debug)]
pub struct Migrations(pub &'static [&'static str]);

/// Who else may have the file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: a phone's file has one owner, and a second one is told `InUse`.
    Alone,
    /// Other connections: a server reads while it writes, and the office's commands run beside it.
    Shared,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<'k> {
    /// Who else may have it open.
    pub sharing: Sharing,
    /// The raw key of an encrypted file.
    pub key: Option<&'k [u8; 32]>,
}

impl Access<'_> {
    /// Access to a file that is not encrypted.
    pub fn plain(sharing: Sharing) -> Self {
        Self { sharing, key: None }
    }

    /// Opens a connection that has its key, before anything else is asked of it.
    ///
    /// # Errors
    /// As SQLite reports.
    pub fn connect(self, path: &Path) -> Result<Connection, StoreError> {
        if self.key.is_some() && seal::is_plain(path) {
            return Err(StoreError::NotSealed);
        }
        let connection = Connection::open(path)?;
        if let Some(key) = self.key {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            // Temporary tables and sorts would not be encrypted on disk.
            connection.execute_batch(&format!(
                "PRAGMA cipher_log_level = NONE;
                 PRAGMA key = \"x'{hex}'\";
                 PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
                 PRAGMA temp_store = MEMORY;"
            ))?;
        }
        connection.busy_timeout(match self.sharing {
            Sharing::Alone => Duration::from_millis(500),
            Sharing::Shared => Duration::from_secs(5),
        })?;
        Ok(connection)
    }
}

/// Opens or creates a file, durable at every commit, and brings it to the newest schema.
///
/// # Errors
/// `Newer` for a file of a newer release, `Damaged` for one that SQLite cannot read, `InUse` for one
/// that another owner has open.
pub fn open(
    path: &Path,
    access: Access<'_>,
    migrations: Migrations,
) -> Result<Connection, StoreError> {
    let mut connection = access.connect(path)?;
    if access.sharing == Sharing::Alone {
        // Before anything reads: then the WAL's index stays in memory and the lock is never given up.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    prepare(&connection)?;
    migrate(&mut connection, migrations)?;
    // A process whose last sync failed may have written the log; see `commit`.
    match fold_log_in(&connection) {
        Ok(()) | Err(StoreError::InUse) => Ok(connection),
        Err(error) => Err(error),
    }
}

/// Opens a database in memory, for tests and simulations.
///
/// # Errors
/// As [`open`].
pub fn open_in_memory(migrations: Migrations) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

/// Opens a second connection for reading only.
///
/// # Errors
/// As SQLite reports.
pub fn open_reader(path: &Path, access: Access<'_>) -> Result<Connection, StoreError> {
    let connection = access.connect(path)?;
    prepare(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Runs work whose commits need not be safe at once, only in order: a power cut takes the last of them,
/// never one before. For what a server can give again; whatever is saved next makes all of it safe.
///
/// # Errors
/// As `work` reports.
pub fn unhurried<T, E: From<rusqlite::Error>>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let done = work(connection);
    connection.pragma_update(None, "synchronous", "FULL")?;
    done
}

/// Begins to write; whoever else writes is waited for.
///
/// # Errors
/// As SQLite reports.
pub fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Ends a transaction. Once a sync has failed, the system has forgotten what it could not write, though the
/// next sync succeeds; what is written behind such a gap in the log is lost in a power cut. So after a failed
/// sync the log is folded into the file and begun anew, or nothing more is written until the file is
/// opened again. After other failures it is folded where it can be; after a full disk the next transaction
/// takes the place of this one.
///
/// # Errors
/// As SQLite reports; then nothing of the transaction counts.
pub fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    let Err(error) = transaction.execute_batch("COMMIT") else { return Ok(()) };
    if !transaction.is_autocommit() {
        transaction.execute_batch("ROLLBACK")?;
    }
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let is_failed_sync =
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].map(Some).contains(&extended);
    let error = StoreError::from(error);
    if !matches!(error, StoreError::Full | StoreError::InUse)
        && fold_log_in(&transaction).is_err()
        && is_failed_sync
    {
        transaction.pragma_update(None, "query_only", true)?;
    }
    Err(error)
}

/// Writes the file's log into the file and empties it.
///
/// # Errors
/// `InUse` where somebody still reads from the log; else as SQLite reports.
pub fn fold_log_in(connection: &Connection) -> Result<(), StoreError> {
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy { Err(StoreError::InUse) } else { Ok(()) }
}

/// Renames a damaged file, its WAL and its index aside, so that unsent work in it can still be rescued.
/// Returns the new name.
///
/// # Errors
/// Where the file system refuses.
pub fn set_aside(path: &Path, now_ms: i64) -> std::io::Result<PathBuf> {
    let suffixed = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let kept = suffixed(&format!(".damaged-{now_ms}"));
    std::fs::rename(path, &kept)?;
    for suffix in ["-wal", "-shm"] {
        let side = suffixed(suffix);
        if side.exists() {
            let mut name = kept.as_os_str().to_owned();
            name.push(suffix);
            std::fs::rename(side, PathBuf::from(name))?;
        }
    }
    Ok(kept)
}

/// Removes a file that is closed, with what SQLite lays beside it.
///
/// # Errors
/// As the file system reports.
pub fn remove(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    // A power cut may take nothing that was acknowledged, hence FULL; mmap would turn I/O errors into
    // crashes. EXTRA while a new file changes to WAL: the old journal's removal must be safe as well, or
    // the journal may come back and undo the file's first page, and with it all that the WAL holds.
    connection.execute_batch(
        "PRAGMA synchronous = EXTRA;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA mmap_size = 0;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;",
    )?;
    // Plans that do not depend on values: otherwise SQLite makes a new one whenever a statement is used again, which took
    // longer than many a statement.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection, migrations: Migrations) -> Result<(), StoreError> {
    let known = u32::try_from(migrations.0.len()).unwrap_or(u32::MAX);
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let transaction = begin(connection)?;
    // Read again under the lock: another process may have migrated in between.
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for step in migrations.0.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known.max(found))?;
    commit(transaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_authenticated_with_the_hash_that_processors_have_built_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sealed.sqlite");
        let access = Access { sharing: Sharing::Alone, key: Some(&[7; 32]) };
        let made = access.connect(&path).unwrap();
        made.execute_batch("CREATE TABLE kept (n INTEGER)").unwrap();
        drop(made);
        let tables = |connection: &Connection| {
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0))
        };
        assert_eq!(tables(&access.connect(&path).unwrap()), Ok(1));
        let as_it_comes = Connection::open(&path).unwrap();
        let key = "07".repeat(32);
        as_it_comes.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
        assert!(tables(&as_it_comes).is_err(), "another hash, another file");
    }
}
