//! The command line's key store: the file's key in a file beside it, sealed with a passphrase (Argon2id,
//! XChaCha20-Poly1305). On a phone the platform's own store takes this place.

use std::io::Write;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use wanhu_core::client::{KeyVault, VaultError};
use wanhu_core::domain::environment::Entropy;
use wanhu_core::system::SystemEntropy;

const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
/// 19 MiB and two passes: OWASP's floor for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// A key sealed with a passphrase.
pub(crate) struct PassphraseVault {
    path: PathBuf,
    passphrase: String,
}

impl PassphraseVault {
    /// The vault that belongs to a ledger's file.
    pub(crate) fn beside(db: &Path, passphrase: String) -> Self {
        Self { path: Self::path_of(db), passphrase }
    }

    /// Where the vault of a ledger's file is.
    pub(crate) fn path_of(db: &Path) -> PathBuf {
        let mut name = db.as_os_str().to_owned();
        name.push(".vault");
        PathBuf::from(name)
    }

    fn cipher(&self, salt: &[u8]) -> Result<XChaCha20Poly1305, VaultError> {
        let params =
            Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| VaultError::Unavailable)?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.passphrase.as_bytes(), salt, &mut key)
            .map_err(|_| VaultError::Unavailable)?;
        XChaCha20Poly1305::new_from_slice(&key).map_err(|_| VaultError::Unavailable)
    }
}

impl KeyVault for PassphraseVault {
    fn load(&self) -> Result<Option<[u8; 32]>, VaultError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let sealed = std::fs::read(&self.path).map_err(|_| VaultError::Unavailable)?;
        let (salt, rest) = sealed.split_at_checked(SALT_BYTES).ok_or(VaultError::Unavailable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES).ok_or(VaultError::Unavailable)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Unavailable)?;
        let key = self.cipher(salt)?.decrypt(&nonce, sealed).map_err(|_| VaultError::Locked)?;
        key.try_into().map(Some).map_err(|_| VaultError::Unavailable)
    }

    fn keep(&self, key: &[u8; 32]) -> Result<(), VaultError> {
        let mut head = [0; SALT_BYTES + NONCE_BYTES];
        SystemEntropy.fill(&mut head);
        let (salt, nonce) = head.split_at(SALT_BYTES);
        let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Unavailable)?;
        let sealed = self.cipher(salt)?.encrypt(&nonce, &key[..]);
        let sealed = sealed.map_err(|_| VaultError::Unavailable)?;
        // Whole or not at all: half a key after a power cut would shut the book for ever.
        let beside = self.path.with_extension("vault-new");
        let write = || {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(&head)?;
            file.write_all(&sealed)?;
            file.sync_all()?;
            std::fs::rename(&beside, &self.path)?;
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|_| VaultError::Unavailable)
    }

    fn destroy(&self) -> Result<(), VaultError> {
        if self.path.exists() {
            std::fs::remove_file(&self.path).map_err(|_| VaultError::Unavailable)?;
        }
        Ok(())
    }
}
