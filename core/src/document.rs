//! A household as a CRDT document: how a command becomes one change, how changes fold into a state,
//! how a state reads back as a record. Shape of every document:
//!
//! ```text
//! root ── basic, class, income, living, guarantees, case, local          field       -> scalar
//!      └─ members, spending, cadres, plan, measures, visits, clues,
//!         warnings, evidence, steps, local_rows                          row.field   -> scalar
//! ```
//!
//! All containers come from one hard-coded genesis change, so two people who open the same household
//! offline edit the same maps. Flat maps of scalars make every conflict a conflict of one field and let
//! a change be checked from its own bytes. Must not know SQLite, scopes or the network.

pub mod change;
mod columns;
pub mod compress;
pub mod declare;
pub mod draft;
pub mod duplicate;
pub mod edit;
pub mod facts;
pub mod fold;
pub mod form;
pub mod genesis;
pub mod history;
pub mod judge;
pub mod past;
pub mod raw;
pub mod record;
mod varint;

#[cfg(test)]
mod tests;

/// What is wrong with a change or with bytes that claim to be one. Values, never text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes do not parse as one uncompressed change.
    #[error("bytes are not a change")]
    Malformed,
    /// An operation other than set or delete of a scalar in a genesis container.
    #[error("operation outside the household shape")]
    ForeignOperation,
    /// More bytes, operations or dependencies than one change may carry.
    #[error("change over its bounds")]
    TooLarge,
    /// A folded state that was written by another release or is damaged; rebuild it from the changes.
    #[error("folded state unreadable")]
    StateUnreadable,
    /// A new change without any operation.
    #[error("nothing to change")]
    Empty,
}
