//! Where a phone keeps the key of its file: the platform's key store, reached through this trait. The
//! core makes the key and never writes it anywhere itself. Must not know any platform.

use crate::error::LedgerError;

/// Why a key could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The person has to unlock it first, or unlocked it wrongly.
    #[error("vault locked")]
    Locked,
    /// The platform does not answer.
    #[error("vault unavailable")]
    Unavailable,
}

impl From<VaultError> for LedgerError {
    fn from(error: VaultError) -> Self {
        let reason = match error {
            VaultError::Locked => "locked",
            VaultError::Unavailable => "unavailable",
        };
        Self::invalid("vault", reason)
    }
}

/// Keeps one 32-byte key per ledger.
pub trait KeyVault: Send + Sync {
    /// The key; `None` where none was kept yet.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`.
    fn load(&self) -> Result<Option<[u8; 32]>, VaultError>;

    /// Keeps a key made just now. It must be safe when this returns: without it the file is lost.
    ///
    /// # Errors
    /// `Locked`, `Unavailable`.
    fn keep(&self, key: &[u8; 32]) -> Result<(), VaultError>;

    /// Forgets the key for ever: the phone was shut out, and its file is to stay unreadable.
    ///
    /// # Errors
    /// `Unavailable`.
    fn destroy(&self) -> Result<(), VaultError>;
}
