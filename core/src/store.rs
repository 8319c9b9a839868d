//! How changes survive: one SQLite file, one writer, every save one transaction that holds the change,
//! the folded state and the list row together. The log of changes is the truth, everything else can be
//! rebuilt from it. The only module of the core that knows SQL; must not know the network.

pub mod cases;
pub mod grids;
pub mod listing;
pub mod open;
pub mod records;
pub mod replica;
pub mod residents;
pub mod seal;

/// First migration of every records file, on phone and server alike.
pub const RECORDS_SQL: &str = include_str!("store/migrations/0001_records.sql");

/// A later step of every records file.
pub const BILLS_SQL: &str = include_str!("store/migrations/0003_bills.sql");

/// A later step of every records file.
pub const GRID_SQL: &str = include_str!("store/migrations/0005_grid.sql");

/// A later step of every records file.
pub const CLOSED_SQL: &str = include_str!("store/migrations/0006_closed.sql");

/// A later step of every records file.
pub const OVERTAKEN_SQL: &str = include_str!("store/migrations/0007_overtaken.sql");

/// A phone's schema.
pub const REPLICA_MIGRATIONS: open::Migrations = open::Migrations(&[
    RECORDS_SQL,
    include_str!("store/migrations/0002_replica.sql"),
    BILLS_SQL,
    include_str!("store/migrations/0004_residents.sql"),
    GRID_SQL,
    CLOSED_SQL,
    OVERTAKEN_SQL,
]);

/// What went wrong with the file. Values only; no record's content ever enters an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused; the code says what.
    #[error("sqlite: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The disk is full. Nothing was changed.
    #[error("disk full")]
    Full,
    /// The file was written by a newer release.
    #[error("file of schema {found}, this release knows {known}")]
    Newer {
        /// Schema number in the file.
        found: u32,
        /// Highest schema number this release knows.
        known: u32,
    },
    /// The file is damaged.
    #[error("file damaged")]
    Damaged,
    /// A key was given, but the file is one that anybody can read.
    #[error("file not encrypted")]
    NotSealed,
    /// Another process has the file open.
    #[error("file in use by another process")]
    InUse,
    /// A change in the store does not read as one.
    #[error("document: {0}")]
    Document(#[from] crate::document::DocumentError),
    /// No such household.
    #[error("household not found")]
    NotFound,
}

impl StoreError {
    /// The same failure for another caller that hit it in the same transaction.
    #[must_use]
    pub fn echo(&self) -> Self {
        match self {
            Self::Sqlite(error) => Self::Sqlite(rusqlite::Error::SqliteFailure(
                error
                    .sqlite_error()
                    .copied()
                    .unwrap_or_else(|| rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR)),
                None,
            )),
            Self::Full => Self::Full,
            Self::Newer { found, known } => Self::Newer { found: *found, known: *known },
            Self::Damaged => Self::Damaged,
            Self::InUse => Self::InUse,
            Self::NotSealed => Self::NotSealed,
            Self::Document(error) => Self::Document(error.clone()),
            Self::NotFound => Self::NotFound,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let extended = error.sqlite_error().map(|error| error.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // The index of the log finds no room.
            _ if extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            // The library's list of codes is open; all others mean the same to a caller.
            _ => Self::Sqlite(error),
        }
    }
}
