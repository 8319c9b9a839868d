//! How a phone's book is opened: whether a file can be one, whose key it wants, and what is set aside as damaged. A healthy book
//! must not be renamed, nor its key lost, whatever an app asks for by mistake. Must not know what is in it.

use std::path::Path;
use std::sync::Arc;

use super::ledger::{Ledger, Sealed};
use super::vault::KeyVault;
use crate::domain::environment::{Clock, Entropy, random};
use crate::error::LedgerError;
use crate::store::open::{self, Access, Sharing};
use crate::store::{REPLICA_MIGRATIONS, StoreError, seal};

impl Ledger {
    /// Opens or creates the ledger at `path`.
    ///
    /// # Errors
    /// `UpgradeRequired` for a file of a newer release; `StorageDamaged` for a damaged one, which is
    /// then set aside and never deleted: opening again starts afresh; `InvalidInput` about `path` for what is no
    /// file (`not_a_file`) or is open elsewhere (`in_use`), about `vault` for a file in which nothing reads as a book's
    /// without a key (`file_sealed`): it stays as it is.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        must_be_a_file(path)?;
        Self::open_with(path, None, clock, entropy)
    }

    /// Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps: nobody reads a
    /// lost phone's file without it.
    ///
    /// # Errors
    /// As [`Self::open`]; `InvalidInput` about `vault` where the key cannot be had (`locked`, `unavailable`) or is none for
    /// the book that is there (`key_missing`), where nothing in the file shows it to be the right one (`key_wrong`), or where
    /// the file was made without a key (`file_not_sealed`). Then file and vault stay as they are.
    pub fn open_sealed(
        path: &Path,
        vault: Arc<dyn KeyVault>,
        clock: Arc<dyn Clock>,
        mut entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        must_be_a_file(path)?;
        let key = match vault.load()? {
            Some(key) => key,
            None if seal::is_plain(path) => return Err(StoreError::NotSealed.into()),
            // A new key would take the place of the one that is only mislaid.
            None if !seal::holds_no_record(path) => {
                return Err(LedgerError::invalid("vault", "key_missing"));
            }
            None => {
                let key = random(entropy.as_mut());
                vault.keep(&key)?;
                key
            }
        };
        let mut ledger = Self::open_with(path, Some(&key), clock, entropy)?;
        ledger.sealed = Some(Sealed { vault, path: path.to_owned() });
        Ok(ledger)
    }

    fn open_with(
        path: &Path,
        key: Option<&[u8; 32]>,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        let access = Access { sharing: Sharing::Alone, key };
        let opened = open::open(path, access, REPLICA_MIGRATIONS);
        let opened = opened.map_err(LedgerError::from);
        // Damage behind the first pages is met only by what is read there.
        match opened.and_then(|connection| Self::start(connection, Arc::clone(&clock), entropy)) {
            Err(LedgerError::StorageDamaged { .. }) if !is_ours(path, key) => {
                let reason = if key.is_some() { "key_wrong" } else { "file_sealed" };
                Err(LedgerError::invalid("vault", reason))
            }
            Err(LedgerError::StorageDamaged { .. }) => {
                let kept = open::set_aside(path, clock.now_ms()).unwrap_or_default();
                Err(LedgerError::StorageDamaged { kept_as: kept.display().to_string() })
            }
            opened => opened,
        }
    }
}

/// Whether a file that does not open is damaged and not another's: to the wrong key, as to none, a whole one looks the same.
fn is_ours(path: &Path, key: Option<&[u8; 32]>) -> bool {
    seal::fits(path, key) || key.is_some() && seal::holds_no_record(path)
}

fn must_be_a_file(path: &Path) -> Result<(), LedgerError> {
    if may_be_a_file(path) { Ok(()) } else { Err(LedgerError::invalid("path", "not_a_file")) }
}

/// Whether records written at a path are there tomorrow. SQLite takes some names for a database in memory, and `file:` for an
/// address, which may name another disk than this one's (a test's own).
fn may_be_a_file(path: &Path) -> bool {
    let name = path.to_string_lossy();
    if name.is_empty() || name.starts_with(':') || name.contains('\0') {
        return false;
    }
    if name.starts_with("file:") {
        return !["mode=memory", "vfs=memdb", ":memory:"].iter().any(|word| name.contains(word));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    !path.is_dir() && folder.is_none_or(Path::is_dir)
}
