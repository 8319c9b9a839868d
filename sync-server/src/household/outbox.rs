//! How a code reaches a telephone. Whoever runs the server has a gateway for short messages of their own; the outbox
//! hands it one file a message, whole from the moment it has its name. Must not know what the code is for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wanhu_core::domain::environment::random;
use wanhu_core::system::SystemEntropy;

use super::visitors::{CODE_MINUTES, CODE_MS};

/// A code on its way.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeMessage {
    /// Eleven digits.
    pub telephone: String,
    /// Six digits.
    pub code: String,
}

impl std::fmt::Debug for CodeMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeMessage")
    }
}

impl CodeMessage {
    /// What the person reads.
    pub fn text(&self) -> String {
        format!(
            "【防贫监测】验证码 {},{CODE_MINUTES} 分钟内有效,请勿告诉他人。 Code {}, good for {CODE_MINUTES} minutes.",
            self.code, self.code
        )
    }
}

/// Sends codes.
pub trait CodeSender: Send + Sync {
    /// Hands a code over to whatever carries it. `now_ms` is the server's clock, milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// Where it could not be handed over.
    fn send(&self, message: &CodeMessage, now_ms: i64) -> io::Result<()>;
}

/// A directory with one JSON file a message: `telephone`, `code`, `text`. The gateway sends and deletes them; what it has
/// left for longer than a code is good for is removed.
#[derive(Debug)]
pub struct FileOutbox(PathBuf);

impl FileOutbox {
    /// An outbox in this directory, which is made when the first message comes.
    pub fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    /// Removes what nobody fetched in time.
    fn sweep(&self, now_ms: i64) -> io::Result<()> {
        let mut unfetched = 0;
        for entry in fs::read_dir(&self.0)?.flatten() {
            let name = entry.file_name();
            let sent_ms =
                name.to_str().and_then(|name| name.split('-').next()?.parse::<i64>().ok());
            if sent_ms.is_some_and(|sent_ms| now_ms - sent_ms > CODE_MS) {
                // The gateway may have been faster.
                unfetched += u32::from(fs::remove_file(entry.path()).is_ok());
            }
        }
        if unfetched > 0 {
            tracing::warn!(unfetched, "codes that nobody fetched from the outbox");
        }
        Ok(())
    }
}

impl CodeSender for FileOutbox {
    fn send(&self, message: &CodeMessage, now_ms: i64) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        self.sweep(now_ms)?;
        let value = serde_json::json!({
            "telephone": message.telephone, "code": message.code, "text": message.text()
        });
        let name = random::<8>(&mut SystemEntropy);
        let name = name.iter().fold(format!("{now_ms}-"), |name, byte| format!("{name}{byte:02x}"));
        let (part, whole) =
            (self.0.join(format!("{name}.part")), self.0.join(format!("{name}.json")));
        write_private(&part, format!("{value}\n").as_bytes())?;
        fs::rename(part, whole)
    }
}

/// Writes a file that only this user may read.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    #[test]
    fn a_message_is_a_file_for_the_gateway_and_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = FileOutbox::new(dir.path().join("outbox"));
        let message = CodeMessage { telephone: "13807351234".into(), code: "042042".into() };
        outbox.send(&message, NOW_MS).unwrap();
        let files =
            || fs::read_dir(dir.path().join("outbox")).unwrap().flatten().collect::<Vec<_>>();
        let [file] = &files()[..] else { panic!("one file") };
        let value: serde_json::Value =
            serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        assert_eq!(
            (&value["telephone"], &value["code"]),
            (&"13807351234".into(), &"042042".into())
        );
        assert!(value["text"].as_str().unwrap().contains("042042"));

        outbox.send(&message, NOW_MS + CODE_MS).unwrap();
        assert_eq!(files().len(), 2, "both are good");
        outbox.send(&message, NOW_MS + CODE_MS + 1).unwrap();
        assert_eq!(files().len(), 2, "what nobody fetched is gone");
    }
}
