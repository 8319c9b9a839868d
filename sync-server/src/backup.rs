//! Backups while the server runs, and going back to one: copies made by SQLite itself, checked, with a
//! manifest of digests. They are as encrypted as the files are; the key is kept apart. After a restore the log has a new epoch and phones give back what it lacks.
//! Must not know what is inside the files.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use sha2::{Digest, Sha256};
use wanhu_core::domain::environment::Entropy;
use wanhu_core::store::StoreError;
use wanhu_core::store::open::{self, Access, Sharing};

use crate::storage;

/// The databases and the key that make a server.
const DATABASES: [&str; 2] = ["records.sqlite", "accounts.sqlite"];
const KEY: &str = "server.key";
const MANIFEST: &str = "manifest.txt";
/// Pages copied at a time; writers go on in between.
const PAGES_PER_STEP: i32 = 1_024;

/// Why a backup or a restore was not made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or directory.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
    /// A database.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// There is something at the place where the copy should go.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// A file is not what the manifest says, or fails SQLite's own check.
    #[error("{0} is damaged")]
    Damaged(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies a data directory, whether its server runs or not, into an empty or new directory.
///
/// # Errors
/// `NotEmpty`; `Damaged` where the copy fails SQLite's check. Nothing is left at `to` then.
pub fn backup(data_dir: &Path, key: &[u8; 32], to: &Path) -> Result<(), BackupError> {
    must_be_empty(to)?;
    // Under another name until it is whole, so that a half-made backup is never taken for one.
    let half_made = to.with_extension("half-made");
    if half_made.exists() {
        std::fs::remove_dir_all(&half_made)?;
    }
    std::fs::create_dir_all(&half_made)?;
    copy_all(data_dir, key, &half_made)?;
    if to.exists() {
        std::fs::remove_dir(to)?;
    }
    std::fs::rename(&half_made, to)?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))?;
    Ok(())
}

/// Puts a backup into an empty or new data directory. The log gets a new epoch; until `takes_back_until_ms`
/// phones give back what the backup lacks.
///
/// # Errors
/// `NotEmpty`; `Damaged`, before anything is written.
pub fn restore(
    from: &Path,
    data_dir: &Path,
    key: &[u8; 32],
    entropy: &mut dyn Entropy,
    takes_back_until_ms: i64,
) -> Result<(), BackupError> {
    must_be_empty(data_dir)?;
    check(from)?;
    std::fs::create_dir_all(data_dir)?;
    copy_all(from, key, data_dir)?;
    std::fs::remove_file(data_dir.join(MANIFEST))?;
    let records = data_dir.join(DATABASES[0]);
    let access = Access { sharing: Sharing::Shared, key: Some(key) };
    let connection = open::open(&records, access, storage::MIGRATIONS)?;
    storage::begin_new_epoch(&connection, entropy, takes_back_until_ms)?;
    sync_dir(data_dir)?;
    Ok(())
}

/// Whether a backup is what it was when it was made.
///
/// # Errors
/// `Damaged` names the first file that is not.
pub fn check(dir: &Path) -> Result<(), BackupError> {
    let manifest = std::fs::read_to_string(dir.join(MANIFEST))?;
    for name in DATABASES.iter().chain([&KEY]) {
        let digest = digest_of(&dir.join(name))?;
        if !manifest.lines().any(|line| line == format!("{digest}  {name}")) {
            return Err(BackupError::Damaged((*name).to_owned()));
        }
    }
    Ok(())
}

fn copy_all(from: &Path, key: &[u8; 32], to: &Path) -> Result<(), BackupError> {
    for name in DATABASES {
        copy_database(&from.join(name), key, &to.join(name))?;
    }
    std::fs::copy(from.join(KEY), to.join(KEY))?;
    let mut manifest = String::new();
    for name in DATABASES.iter().chain([&KEY]) {
        let file = to.join(name);
        std::fs::File::open(&file)?.sync_all()?;
        let _ = writeln!(manifest, "{}  {name}", digest_of(&file)?);
    }
    std::fs::write(to.join(MANIFEST), manifest)?;
    std::fs::File::open(to.join(MANIFEST))?.sync_all()?;
    Ok(sync_dir(to)?)
}

fn copy_database(from: &Path, key: &[u8; 32], to: &Path) -> Result<(), BackupError> {
    let access = Access { sharing: Sharing::Shared, key: Some(key) };
    let (source, mut copy) = (access.connect(from)?, access.connect(to)?);
    Backup::new(&source, &mut copy)?.run_to_completion(PAGES_PER_STEP, Duration::ZERO, None)?;
    // A file of its own, with no log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(BackupError::Damaged(to.display().to_string())) }
}

/// The key may be there before the databases are.
fn must_be_empty(dir: &Path) -> Result<(), BackupError> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        if entry?.file_name() != "storage.key" {
            return Err(BackupError::NotEmpty(dir.to_owned()));
        }
    }
    Ok(())
}

fn digest_of(path: &Path) -> std::io::Result<String> {
    let (mut hash, mut file) = (Sha256::new(), std::fs::File::open(path)?);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
    }
    let digest = hash.finalize();
    Ok(digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    std::fs::File::open(dir)?.sync_all()
}
