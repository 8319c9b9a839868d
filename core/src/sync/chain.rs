//! What makes a scope's log tamper-evident and comparable: a hash chain over its entries and an
//! order-independent digest over its changes. Must not know where they are kept.

use sha2::{Digest as _, Sha256};

use super::wire::Scope;
use crate::domain::ids::{ChangeHash, HouseholdId};

/// What a log entry records; its number enters the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryKind {
    /// A change was taken.
    Change = 1,
    /// The household left the scope.
    Leave = 2,
    /// The household entered the scope.
    Enter = 3,
}

/// State of a scope's hash chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chain(pub [u8; 32]);

impl Chain {
    /// The chain before the first entry of a scope.
    pub fn start(scope: Scope) -> Self {
        let hash = Sha256::new().chain_update(b"wanhu-chain-1").chain_update(scope.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// The chain after one more entry. `payload` is the change's hash; for a move, [`move_payload`].
    pub fn extend(self, kind: EntryKind, household: HouseholdId, payload: &[u8; 32]) -> Self {
        let hash = Sha256::new()
            .chain_update(self.0)
            .chain_update([kind as u8])
            .chain_update(household.0)
            .chain_update(payload);
        Self(hash.finalize().into())
    }

    /// The 8 bytes a cursor carries.
    pub fn short(self) -> [u8; 8] {
        let mut short = [0; 8];
        short.copy_from_slice(&self.0[..8]);
        short
    }
}

/// What a move contributes to the chain: the other scope.
pub fn move_payload(other: Scope) -> [u8; 32] {
    let mut payload = [0; 32];
    payload[24..].copy_from_slice(&other.to_be_bytes());
    payload
}

/// Sum (modulo 2^128) of one number a change, so that equal sets have equal digests whatever their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Digest(pub u128);

impl Digest {
    /// The digest of one change of one household.
    pub fn of(household: HouseholdId, hash: &ChangeHash) -> Self {
        let sum = Sha256::new()
            .chain_update(b"wanhu-digest-1")
            .chain_update(household.0)
            .chain_update(hash.0)
            .finalize();
        let mut low = [0; 16];
        low.copy_from_slice(&sum[..16]);
        Self(u128::from_be_bytes(low))
    }

    /// Both sets together; they must not overlap.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// This set without the other, which it contains.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// The digest as 16 bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The digest from 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}
