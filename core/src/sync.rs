//! How records travel between a phone and its server: one request, one streamed answer. Must not do
//! I/O, read a clock or draw randomness; storage is reached through traits, bytes come and go as slices.
//!
//! `wire` holds the messages, `seal` their signatures, `chain` what makes history tamper-evident,
//! `initiator` the phone's side, `responder` the server's side, `repair` what happens when they disagree.

pub mod admission;
mod batch;
pub mod chain;
pub mod deps;
pub mod initiator;
pub mod merkle;
pub mod receiver;
pub mod repair;
pub mod responder;
pub mod seal;
pub mod wire;

/// Why a sync did not get through, as far as bytes and tables are concerned.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The replica's file failed.
    #[error("store: {0}")]
    Store(#[from] crate::store::StoreError),
    /// The answer is not what the protocol says.
    #[error("answer malformed")]
    Malformed,
    /// The answer ended before it was complete; what came before is kept.
    #[error("answer cut")]
    Cut,
    /// The server refused the request as a whole, with its stable code.
    #[error("refused: {code}")]
    Refused {
        /// The code.
        code: String,
        /// What belongs to it.
        details: Vec<String>,
    },
    /// A receipt does not carry the server's signature, or the log does not add up to its chain.
    #[error("answer not authentic")]
    NotAuthentic,
    /// A stored change cannot be read.
    #[error("stored change unreadable")]
    Corrupt,
}

impl From<rusqlite::Error> for SyncError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
