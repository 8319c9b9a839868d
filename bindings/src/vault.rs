//! The app's key store, as the core asks for it. Must not keep a key itself.

use std::sync::Arc;

use wanhu_core::client::{self, VaultError};

/// Why the app's key store gave or took no key. The core's [`VaultError`] again: Kotlin's generator cannot take an error of
/// another crate from a trait of this one (uniffi 0.32.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyVaultError {
    /// The person has to unlock it first, or unlocked it wrongly.
    #[error("vault locked")]
    Locked,
    /// The platform does not answer.
    #[error("vault unavailable")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyVaultError {
    // The reason holds the app's stack: it goes no further.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

impl From<KeyVaultError> for VaultError {
    fn from(error: KeyVaultError) -> Self {
        match error {
            KeyVaultError::Locked => Self::Locked,
            KeyVaultError::Unavailable => Self::Unavailable,
        }
    }
}

/// Keeps one key of 32 bytes for a ledger: on Android wrapped by the platform's key store.
#[uniffi::export(foreign)]
pub trait KeyVault: Send + Sync {
    /// The key; nothing where none was kept yet.
    fn load(&self) -> Result<Option<Vec<u8>>, KeyVaultError>;

    /// Keeps a key made just now. It must be safe when this returns: without it the file is lost.
    fn keep(&self, key: Vec<u8>) -> Result<(), KeyVaultError>;

    /// Forgets the key for ever: the phone was shut out.
    fn forget(&self) -> Result<(), KeyVaultError>;
}

/// The app's vault as the core knows vaults.
pub(crate) struct Foreign(pub(crate) Arc<dyn KeyVault>);

impl client::KeyVault for Foreign {
    fn load(&self) -> Result<Option<[u8; 32]>, VaultError> {
        let Some(key) = self.0.load()? else { return Ok(None) };
        // A key of another length is none: a new one would lock the file for ever.
        key.try_into().map(Some).map_err(|_| VaultError::Unavailable)
    }

    fn keep(&self, key: &[u8; 32]) -> Result<(), VaultError> {
        Ok(self.0.keep(key.to_vec())?)
    }

    fn destroy(&self) -> Result<(), VaultError> {
        Ok(self.0.forget()?)
    }
}
