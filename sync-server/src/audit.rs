//! What an auditor asks on the server's machine: the newest head, a check of everything, proofs as JSON
//! that another program can check. Must not change a record.

use std::path::PathBuf;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use wanhu_core::store::StoreError;
use wanhu_core::sync::merkle::{self, Node};

use crate::app::App;
use crate::storage::audit::{self, Fault, TreeHead, Whole};

/// Questions of an auditor.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// 签署并导出最新树头 · sign and export the newest head
    Head,
    /// 全面核验,可附留存的树头 · check everything, with heads that somebody else kept
    Verify {
        /// 树头文件 · files of heads
        heads: Vec<PathBuf>,
    },
    /// 证明某条日志在册 · prove that an entry is in the log
    Prove {
        /// 村代码 · code of the village
        village: u64,
        /// 该村第几条 · its number in the village's log
        seq: u64,
    },
    /// 证明旧树头是新树头的开头 · prove that an older head is the beginning of the newest
    Consistency {
        /// 旧树头的条数 · entries of the older head
        size: u64,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// A file that holds no head.
    #[error("not a head: {0}")]
    NotAHead(PathBuf),
    /// No such entry or head.
    #[error("no such entry")]
    Unknown,
    /// Something does not fit.
    #[error("{0}")]
    Fault(#[from] Fault),
}

/// A head as it is handed over: hashes in hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
struct HeadFile {
    size: u64,
    root: String,
    made_ms: i64,
    signature: String,
    server_key: String,
}

/// Answers a question.
///
/// # Errors
/// `Fault` names the first place where what is stored does not fit.
pub fn run(command: AuditCommand, app: &App) -> Result<Json, AuditError> {
    match command {
        AuditCommand::Head => {
            let head = newest(app)?;
            Ok(json!(head_file(app, &head)))
        }
        AuditCommand::Verify { heads } => {
            let witnessed = heads.into_iter().map(read_head).collect::<Result<Vec<_>, _>>()?;
            let key = app.key.verifying_key();
            let Whole { entries, households, heads } =
                app.storage.read(|connection| audit::verify(connection, &key, &witnessed))??;
            Ok(json!({ "entries": entries, "households": households, "heads": heads }))
        }
        AuditCommand::Prove { village, seq } => {
            let head = newest(app)?;
            let (leaves, index) = app.storage.read(|connection| {
                Ok((audit::leaves(connection)?, audit::index_of(connection, village, seq)?))
            })?;
            let leaves = first(&leaves, head.size)?;
            let leaf = leaves.get(index).ok_or(AuditError::Unknown)?;
            let path = merkle::inclusion(leaves, index);
            Ok(json!({
                "leaf": hex(leaf), "index": index, "path": hexes(&path),
                "head": head_file(app, &head)
            }))
        }
        AuditCommand::Consistency { size } => {
            let head = newest(app)?;
            let leaves = app.storage.read(audit::leaves)?;
            let leaves = first(&leaves, head.size)?;
            let old = first(leaves, size)?;
            let proof = merkle::consistency(leaves, old.len());
            Ok(json!({
                "old_size": size, "old_root": hex(&merkle::root(old)), "proof": hexes(&proof),
                "head": head_file(app, &head)
            }))
        }
    }
}

fn first(leaves: &[Node], size: u64) -> Result<&[Node], AuditError> {
    let size = usize::try_from(size).map_err(|_| AuditError::Unknown)?;
    leaves.get(..size).ok_or(AuditError::Unknown)
}

fn newest(app: &App) -> Result<TreeHead, AuditError> {
    let (key, now_ms) = (app.key.clone(), app.clock.now_ms());
    app.storage.writer().write(move |transaction| audit::sign_head(transaction, &key, now_ms))?;
    app.storage.read(audit::heads)?.pop().ok_or(AuditError::Unknown)
}

fn head_file(app: &App, head: &TreeHead) -> HeadFile {
    HeadFile {
        size: head.size,
        root: hex(&head.root),
        made_ms: head.made_ms,
        signature: hex(&head.signature),
        server_key: hex(app.key.verifying_key().as_bytes()),
    }
}

fn read_head(path: PathBuf) -> Result<TreeHead, AuditError> {
    let parse = || {
        let text = std::fs::read_to_string(&path).ok()?;
        let file: HeadFile = serde_json::from_str(&text).ok()?;
        Some(TreeHead {
            size: file.size,
            root: unhex(&file.root)?,
            made_ms: file.made_ms,
            signature: unhex(&file.signature)?,
        })
    };
    parse().ok_or(AuditError::NotAHead(path))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hexes(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| hex(node)).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let byte = |place: usize| u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..N).map(byte).collect();
    bytes.filter(|_| text.len() == 2 * N)?.try_into().ok()
}
