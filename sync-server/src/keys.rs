//! Key files: 32 random bytes, readable by their owner alone, made at the first start. They live outside
//! the databases they open. Must not know what a key is for.

use std::io::Write;
use std::path::Path;

use wanhu_core::domain::environment::{Entropy, random};

use crate::app::OpenError;

/// The key in a file; a new one where there is no file.
///
/// # Errors
/// `KeyMalformed` for a file of another length, or where the file system refuses.
pub fn read_or_make(path: &Path, entropy: &mut dyn Entropy) -> Result<[u8; 32], OpenError> {
    if !path.exists() {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&random::<32>(entropy))?;
        file.sync_all()?;
    }
    read(path)
}

/// The key in a file.
///
/// # Errors
/// As [`read_or_make`], and where there is no file.
pub fn read(path: &Path) -> Result<[u8; 32], OpenError> {
    std::fs::read(path)?.try_into().map_err(|_| OpenError::KeyMalformed(path.to_owned()))
}
