//! Changes on their way into the replica within one transaction: each household is read once, folded
//! as often as needed, and written once. Must not know cursors or parts.

use std::collections::HashMap;

use minicbor::bytes::{ByteArray, ByteVec};
use rusqlite::Transaction;

use super::chain::Digest;
use super::wire::{Places, RefusalCode, Scope};
use super::{SyncError, deps};
use crate::document::change::Change;
use crate::document::raw::RawChange;
use crate::domain::ids::{ChangeHash, HouseholdId};
use crate::store::records::{self, Arrival, Held, Household};
use crate::store::replica::{self, OwnChange};

/// A change that came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Its name.
    pub(super) hash: ChangeHash,
    /// Whether the replica did not hold it before.
    pub(super) is_new: bool,
}

/// The scope of a household that is about to leave this phone.
const NO_SCOPE: Scope = 0;

pub(super) struct Batch<'t> {
    transaction: &'t Transaction<'t>,
    households: HashMap<HouseholdId, Household>,
    /// A change of this installation gave way to another with its number: there is a copy of this phone.
    pub(super) has_copy: bool,
}

impl<'t> Batch<'t> {
    pub(super) fn new(transaction: &'t Transaction<'t>) -> Self {
        Self { transaction, households: HashMap::new(), has_copy: false }
    }

    /// The household, where the replica holds it.
    pub(super) fn find(&mut self, id: HouseholdId) -> Result<Option<&mut Household>, SyncError> {
        if !self.households.contains_key(&id)
            && let Some(household) = records::find(self.transaction, id)?
        {
            self.households.insert(id, household);
        }
        Ok(self.households.get_mut(&id))
    }

    fn find_or_create(&mut self, id: HouseholdId, scope: Scope) -> Result<(), SyncError> {
        if self.find(id)?.is_none() {
            self.households.insert(id, records::create(self.transaction, id, scope)?);
        }
        Ok(())
    }

    /// Takes a change from the server's log.
    pub(super) fn take(
        &mut self,
        id: HouseholdId,
        scope: Scope,
        deps: &[ByteVec],
        tail: &[u8],
    ) -> Result<Taken, SyncError> {
        self.find_or_create(id, scope)?;
        let transaction = self.transaction;
        let household = self.households.get_mut(&id).ok_or(SyncError::Malformed)?;
        let resolved = deps::resolve(deps, |prefix| candidates(transaction, household, prefix))?;
        let (deps, _) = resolved.map_err(|_| SyncError::NotAuthentic)?;
        let raw = RawChange::join(&deps, tail).map_err(|_| SyncError::Malformed)?;
        let change = Change::decode(&raw).map_err(|_| SyncError::Malformed)?;
        let hash = change.hash;
        let is_new = take_into(transaction, household, &raw, &change, &mut self.has_copy)?;
        if is_new != Acknowledged::Before {
            household.digest = Digest(household.digest).plus(Digest::of(id, &hash)).0;
        }
        Ok(Taken { hash, is_new: is_new == Acknowledged::New })
    }

    /// Marks one of this installation's changes as held by the server's log.
    pub(super) fn acknowledge(&mut self, own: &OwnChange) -> Result<(), SyncError> {
        if own.acknowledged {
            return Ok(());
        }
        records::acknowledge(self.transaction, own.n)?;
        let digest = Digest::of(own.household, &own.hash);
        if let Some(household) = self.find(own.household)? {
            household.digest = Digest(household.digest).plus(digest).0;
        }
        Ok(())
    }

    /// Queues every change of a household that the server does not hold. Returns whether there was one.
    pub(super) fn give_back(
        &mut self,
        id: HouseholdId,
        held: impl Fn(&ChangeHash) -> bool,
    ) -> Result<bool, SyncError> {
        let transaction = self.transaction;
        let Some(household) = self.find(id)? else { return Ok(false) };
        let resent = replica::resend(transaction, household, held)?;
        for hash in &resent {
            household.digest = Digest(household.digest).minus(Digest::of(id, hash)).0;
        }
        Ok(!resent.is_empty())
    }

    /// Takes a household out of its scope: it leaves this phone once nothing of it waits to be sent.
    pub(super) fn mark_stray(&mut self, id: HouseholdId) -> Result<(), SyncError> {
        if let Some(household) = self.find(id)? {
            household.scope = NO_SCOPE;
        }
        Ok(())
    }

    /// Writes the households.
    pub(super) fn save(self) -> Result<(), SyncError> {
        for household in self.households.values() {
            records::save(self.transaction, household)?;
        }
        Ok(())
    }
}

/// How a change stood to the server's log when it came in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acknowledged {
    New,
    Now,
    Before,
}

fn take_into(
    transaction: &Transaction<'_>,
    household: &mut Household,
    raw: &RawChange,
    change: &Change,
    has_copy: &mut bool,
) -> Result<Acknowledged, SyncError> {
    // Only an author seen before can have a change of this number.
    if change.seq <= household.fold.last_seq(&change.actor)
        && let Some(held) = records::by_author(transaction, household.n, &change.actor, change.seq)?
    {
        let stored = records::change(transaction, held.n)?;
        if held.hash == change.hash {
            if stored.acknowledged {
                return Ok(Acknowledged::Before);
            }
            records::acknowledge(transaction, held.n)?;
            return Ok(Acknowledged::Now);
        }
        // A copy of this installation has written with the same name, or the server was restored and
        // has released another change since: the log's stays, ours is kept aside for the cadre.
        let reason = replica::Reason {
            code: RefusalCode::Equivocation as u8,
            code_of_descendants: RefusalCode::Equivocation as u8,
            subject: "",
            now_ms: change.time_ms,
        };
        *has_copy |= !stored.acknowledged;
        for taken in replica::refuse(transaction, household, held.hash, reason)? {
            if taken.acknowledged {
                let digest = Digest::of(household.id, &taken.hash);
                household.digest = Digest(household.digest).minus(digest).0;
            }
        }
    }
    records::append(transaction, household, raw, change, Arrival::Acknowledged)?;
    // An office may have released what was refused at first.
    replica::forget_refusal_of(transaction, &change.hash)?;
    Ok(Acknowledged::New)
}

/// The changes a shortened dependency may mean: almost always a head, which needs no look-up.
fn candidates(
    transaction: &Transaction<'_>,
    household: &Household,
    prefix: &[u8],
) -> Result<Vec<Held>, SyncError> {
    let genesis = crate::document::genesis::genesis().1;
    if genesis.0.starts_with(prefix) {
        return Ok(Vec::new());
    }
    let mut heads = household.fold.heads().iter().filter(|head| head.0.starts_with(prefix));
    match (heads.next(), heads.next()) {
        (Some(head), None) => Ok(vec![Held { n: 0, hash: *head, max_op: 0 }]),
        _ => Ok(records::with_prefix(transaction, household.n, prefix)?),
    }
}

/// The household ids a frame lists in full.
pub(super) fn ids(listed: &[ByteArray<16>]) -> Vec<HouseholdId> {
    listed.iter().map(|id| HouseholdId(**id)).collect()
}

/// The household ids a frame lists, shortened ones looked up in their village first; `None` where one
/// is not clear.
pub(super) fn short_ids(
    transaction: &Transaction<'_>,
    scope: Scope,
    listed: &[ByteVec],
) -> Result<Option<Vec<HouseholdId>>, SyncError> {
    let mut ids = Vec::with_capacity(listed.len());
    for short in listed {
        if let Some(id) = HouseholdId::from_slice(short) {
            ids.push(id);
            continue;
        }
        let mut found = records::with_id_prefix(transaction, Some(scope), short)?;
        if found.is_empty() {
            found = records::with_id_prefix(transaction, None, short)?;
        }
        let [only] = found[..] else { return Ok(None) };
        ids.push(only);
    }
    Ok(Some(ids))
}

/// The household a step in a frame's list leads to.
pub(super) fn at(
    ids: &[HouseholdId],
    places: &mut Places,
    step: i32,
) -> Result<HouseholdId, SyncError> {
    places.place(step, ids.len()).map(|place| ids[place]).ok_or(SyncError::Malformed)
}
