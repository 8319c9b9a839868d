//! One stretch of a scope's log applied to the replica: receipts, changes of others, moves. The chain is
//! recomputed from what was applied and must meet the server's; only then does anything count.

use minicbor::bytes::ByteArray;
use rusqlite::Transaction;

use super::{SyncReport, cursor_or_start};
use crate::domain::ids::HouseholdId;
use crate::store::replica;
use crate::sync::batch::{self, Batch};
use crate::sync::chain::{Chain, EntryKind, move_payload};
use crate::sync::initiator::Identity;
use crate::sync::wire::{Entry, LogFrame, Places, Scope};
use crate::sync::{SyncError, deps, seal};

/// What became of a frame.
pub(super) enum Outcome {
    /// Applied; with receipts in it, the log position and the signature that covers them.
    Applied { receipt: Option<(u64, Chain, ByteArray<64>)>, has_copy: bool },
    /// It holds a receipt for a change this phone no longer has: ask for the bytes instead.
    OwnChangeMissing,
    /// It names a household by a shortened id this phone cannot resolve: ask for full ids.
    HouseholdUnclear,
    /// What this phone holds does not add up to the server's log: the scope needs a repair.
    ChainBroken,
    /// It lies before the cursor.
    AlreadyHeld,
}

/// Applies a frame inside the caller's transaction, cursor included.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    frame: &LogFrame,
    identity: &Identity,
    epoch: &[u8; 8],
    report: &mut SyncReport,
) -> Result<Outcome, SyncError> {
    let mut cursor = cursor_or_start(transaction, frame.scope)?;
    if frame.from_seq < cursor.seq {
        return Ok(Outcome::AlreadyHeld);
    }
    if frame.from_seq > cursor.seq || cursor.pack.is_some() {
        return Err(SyncError::Malformed);
    }
    let mut log = LogWalk {
        scope: frame.scope,
        chain: Chain(cursor.chain),
        seq: cursor.seq,
        batch: Batch::new(transaction),
        transaction,
        report: report.clone(),
    };
    let Some(households) = batch::short_ids(transaction, frame.scope, &frame.households)? else {
        return Ok(Outcome::HouseholdUnclear);
    };
    let mut places = Places::default();
    let mut has_receipt = false;
    for entry in &frame.entries {
        match entry {
            Entry::Receipt { first_outbox, count } => {
                has_receipt = true;
                for outbox in (0..*count).map(|place| first_outbox.saturating_add(place)) {
                    if !log.receipt(outbox)? {
                        return Ok(Outcome::OwnChangeMissing);
                    }
                }
            }
            Entry::Change { household, deps, tail } => {
                let id = batch::at(&households, &mut places, *household)?;
                match log.change(id, deps, tail) {
                    // A receipt before it was for a copy of this phone, which numbers as this one does:
                    // what the log builds on is not here.
                    Err(SyncError::NotAuthentic) => return Ok(Outcome::ChainBroken),
                    done => done?,
                }
            }
            Entry::Leave { household, to } => {
                let id = batch::at(&households, &mut places, *household)?;
                log.leave(id, *to)?;
            }
            Entry::Enter { household, from, changes } => {
                let id = batch::at(&households, &mut places, *household)?;
                log.enter(id, *from, changes)?;
            }
        }
    }
    if log.chain.short() != *frame.chain {
        return Ok(Outcome::ChainBroken);
    }
    let receipt = match (&frame.signature, has_receipt) {
        (Some(signature), true) => {
            let key = &identity.server_key;
            if !seal::receipt_is_signed(key, epoch, frame.scope, log.seq, log.chain, signature) {
                return Err(SyncError::NotAuthentic);
            }
            Some((log.seq, log.chain, *signature))
        }
        // A receipt without a signature is worth nothing.
        (None, true) => return Err(SyncError::NotAuthentic),
        (Some(_) | None, false) => None,
    };
    (cursor.seq, cursor.chain) = (log.seq, log.chain.0);
    let walked = log.report;
    let has_copy = log.batch.has_copy;
    log.batch.save()?;
    replica::save_cursor(transaction, &cursor)?;
    *report = walked;
    report.entries += cursor.seq - frame.from_seq;
    Ok(Outcome::Applied { receipt, has_copy })
}

struct LogWalk<'t> {
    scope: Scope,
    chain: Chain,
    seq: u64,
    batch: Batch<'t>,
    transaction: &'t Transaction<'t>,
    report: SyncReport,
}

impl LogWalk<'_> {
    fn step(&mut self, kind: EntryKind, id: HouseholdId, payload: &[u8; 32]) {
        self.chain = self.chain.extend(kind, id, payload);
        self.seq += 1;
    }

    /// Returns false where this phone does not hold the change.
    fn receipt(&mut self, outbox: u64) -> Result<bool, SyncError> {
        let Some(own) = replica::own_change(self.transaction, outbox)? else { return Ok(false) };
        self.batch.acknowledge(&own)?;
        self.step(EntryKind::Change, own.household, &own.hash.0);
        self.report.receipts += 1;
        Ok(true)
    }

    fn change(
        &mut self,
        id: HouseholdId,
        deps: &[minicbor::bytes::ByteVec],
        tail: &[u8],
    ) -> Result<(), SyncError> {
        let taken = self.batch.take(id, self.scope, deps, tail)?;
        self.step(EntryKind::Change, id, &taken.hash.0);
        self.report.received += u64::from(taken.is_new);
        Ok(())
    }

    fn leave(&mut self, id: HouseholdId, to: Scope) -> Result<(), SyncError> {
        let here = self.scope;
        if let Some(household) = self.batch.find(id)?
            && household.scope == here
        {
            // Whether it stays on this phone is decided once the whole answer is in.
            household.scope = to;
        }
        self.step(EntryKind::Leave, id, &move_payload(to));
        Ok(())
    }

    fn enter(
        &mut self,
        id: HouseholdId,
        from: Scope,
        changes: &[(Vec<minicbor::bytes::ByteVec>, minicbor::bytes::ByteVec)],
    ) -> Result<(), SyncError> {
        let mut previous = None;
        for (deps, tail) in changes {
            let deps = deps::named_after(deps, previous);
            let taken = self.batch.take(id, self.scope, &deps, tail)?;
            previous = Some(taken.hash);
            self.report.received += u64::from(taken.is_new);
        }
        if let Some(household) = self.batch.find(id)? {
            household.scope = self.scope;
        }
        self.step(EntryKind::Enter, id, &move_payload(from));
        Ok(())
    }
}
