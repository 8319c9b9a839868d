//! A key store in memory, as a platform's would be reached. It keeps what it is given at once, as it promises.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wanhu_core::client::{KeyVault, VaultError};

/// Holds a key, or none.
#[derive(Debug, Default)]
pub struct MemoryVault(pub Mutex<Option<[u8; 32]>>);

impl MemoryVault {
    fn key(&self) -> MutexGuard<'_, Option<[u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyVault for MemoryVault {
    fn load(&self) -> Result<Option<[u8; 32]>, VaultError> {
        Ok(*self.key())
    }

    fn keep(&self, key: &[u8; 32]) -> Result<(), VaultError> {
        *self.key() = Some(*key);
        Ok(())
    }

    fn destroy(&self) -> Result<(), VaultError> {
        *self.key() = None;
        Ok(())
    }
}
