//! A phone that was restored from a backup, or copied, heals by itself: it takes a new installation id and
//! writes what gave way to the copy's changes anew, as its author had seen the record then, so that
//! both values stay. Must not touch what was refused for any other reason.

use std::collections::{HashMap, HashSet};

use super::ledger::{Inner, Ledger};
use super::write::save_change;
use crate::document::DocumentError;
use crate::document::change::{Change, FieldOp};
use crate::document::draft::{FieldEdit, Origin, draft, row_id};
use crate::document::fold::Fold;
use crate::document::genesis::genesis;
use crate::document::raw::RawChange;
use crate::document::record::{Stamp, row_key, split_key};
use crate::domain::environment::random;
use crate::domain::ids::{ActorId, ChangeHash};
use crate::error::LedgerError;
use crate::store::records::{self, Household};
use crate::store::{open, replica};
use crate::sync::wire::RefusalCode;

impl Ledger {
    /// Returns whether something waits to be sent now.
    pub(super) fn heal(&self, renew: bool) -> Result<bool, LedgerError> {
        let inner = &mut *self.lock()?;
        if renew {
            inner.renew_actor()?;
        }
        let mut renamed = Renamed::default();
        let mut healed = false;
        for refused in replica::refused(&inner.connection)? {
            if refused.code != RefusalCode::Equivocation as u8 {
                continue;
            }
            let Some(household) = records::find(&inner.connection, refused.household)? else {
                continue;
            };
            let change = Change::decode(&refused.raw)?;
            // What somebody else built on it is theirs to write anew; here it stays to be seen.
            if Stamp::parse(&change.message).account != inner.writer.stamp.account {
                continue;
            }
            healed |= inner.write_anew(household, &change, &mut renamed, refused.n)?;
        }
        Ok(healed)
    }
}

/// What has a new name since the copy was found out.
#[derive(Default)]
struct Renamed {
    changes: HashMap<ChangeHash, ChangeHash>,
    rows: HashMap<String, String>,
}

impl Renamed {
    /// Gives the rows that `change` added names of `actor`'s: the copy has used the old ones.
    fn take_rows(&mut self, change: &Change, actor: &ActorId, max_op: u64) {
        for (op, counter) in change.ops.iter().zip(max_op + 1..) {
            let row = row_id(&change.actor, op.counter);
            if op.container.has_rows() && split_key(&op.key).0 == row {
                self.rows.insert(row, row_id(actor, counter));
            }
        }
    }

    fn edit(&self, op: &FieldOp) -> FieldEdit {
        let (row, field) = split_key(&op.key);
        let key = match self.rows.get(row).filter(|_| op.container.has_rows()) {
            Some(row) => row_key(row, field),
            None => op.key.clone(),
        };
        FieldEdit { container: op.container, key, value: op.value.clone() }
    }
}

impl Inner {
    fn renew_actor(&mut self) -> Result<(), LedgerError> {
        let actor = ActorId(random(self.entropy.as_mut()));
        let leap = self.leap();
        let transaction = open::begin(&mut self.connection)?;
        replica::renew_actor(&transaction, &actor, leap)?;
        open::commit(transaction)?;
        self.actor = actor;
        Ok(())
    }

    /// How far a phone's numbers leap away from a copy's.
    pub(super) fn leap(&mut self) -> u32 {
        u32::from_be_bytes(random(self.entropy.as_mut())) >> 8
    }

    /// Saves a refused change under this installation's id. False where it shows nothing new, or where
    /// what it was built on is not here.
    fn write_anew(
        &mut self,
        household: Household,
        change: &Change,
        renamed: &mut Renamed,
        refused_n: i64,
    ) -> Result<bool, LedgerError> {
        let deps = change.deps.iter().map(|dep| *renamed.changes.get(dep).unwrap_or(dep)).collect();
        let stored = records::changes(&self.connection, household.n)?;
        let changes = stored
            .iter()
            .map(|stored| Change::decode_named(&stored.raw, stored.hash))
            .collect::<Result<Vec<_>, _>>()?;
        let Some(seen) = seen_by(deps, &changes, &self.actor) else { return Ok(false) };
        renamed.take_rows(change, &self.actor, seen.max_op());
        let edits: Vec<FieldEdit> = change.ops.iter().map(|op| renamed.edit(op)).collect();
        let (time_ms, message) = (change.time_ms, change.message.clone());
        let origin = Origin { actor: self.actor, time_ms, message };
        let drafted = match draft(&seen, &edits, &origin) {
            Ok(raw) => Some(raw),
            Err(DocumentError::Empty) => None,
            Err(error) => return Err(error.into()),
        };
        let hash = self.replace_refused(household, drafted.as_ref(), refused_n)?;
        renamed.changes.extend(hash.map(|hash| (change.hash, hash)));
        Ok(hash.is_some())
    }

    fn replace_refused(
        &mut self,
        household: Household,
        raw: Option<&RawChange>,
        refused_n: i64,
    ) -> Result<Option<ChangeHash>, LedgerError> {
        let change = raw.map(Change::decode).transpose()?;
        let transaction = open::begin(&mut self.connection)?;
        if let (Some(raw), Some(change)) = (raw, &change) {
            save_change(&transaction, household, raw, change)?;
        }
        replica::forget_refused(&transaction, refused_n)?;
        open::commit(transaction)?;
        Ok(change.map(|change| change.hash))
    }
}

/// The record as an author saw it who built on `deps`, together with everything `actor` wrote since: an
/// installation has always seen its own changes. `None` where one of `deps` is not here.
fn seen_by(deps: HashSet<ChangeHash>, changes: &[Change], actor: &ActorId) -> Option<Fold> {
    let mut needed = deps;
    needed.extend(changes.iter().filter(|c| c.actor == *actor).map(|change| change.hash));
    needed.remove(&genesis().1);
    let mut ancestors = Vec::new();
    // Changes are stored after what they depend on.
    for change in changes.iter().rev() {
        if needed.remove(&change.hash) {
            needed.extend(change.deps.iter().filter(|dep| **dep != genesis().1));
            ancestors.push(change);
        }
    }
    let mut seen = Fold::default();
    ancestors.iter().rev().for_each(|change| seen.apply(change));
    needed.is_empty().then_some(seen)
}
