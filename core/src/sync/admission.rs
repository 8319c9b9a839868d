//! What the server checks before it takes a change, in the order that costs an attacker most and the
//! server least. The same for every storage; storage is reached through [`RecordLog`]. Request signature,
//! device and replay were checked before (see the server's `auth`).

use std::collections::{BTreeMap, BTreeSet};

use super::deps;
use super::wire::{Places, PushFrame, PushedChange, Refusal, RefusalCode, SHORT_ID_BYTES};
use crate::document::DocumentError;
use crate::document::change::Change;
use crate::document::raw::{CHANGE_BYTES_MAX, RawChange, TailHead};
use crate::domain::ids::{ActorId, ChangeHash, HouseholdId};
use crate::domain::region;
use crate::store::records::{Held, Household};

/// One write transaction over the server's records and log.
pub trait RecordLog {
    /// What storage reports when it fails.
    type Error;

    /// The households of a scope, or of all scopes, whose id begins with these bytes; two are enough.
    fn with_id_prefix(
        &mut self,
        scope: Option<u64>,
        prefix: &[u8],
    ) -> Result<Vec<HouseholdId>, Self::Error>;
    /// A household by id.
    fn find(&mut self, id: HouseholdId) -> Result<Option<Household>, Self::Error>;
    /// Adds an empty household in a village.
    fn create(&mut self, id: HouseholdId, scope: u64) -> Result<Household, Self::Error>;
    /// The changes of a household whose hash begins with these bytes.
    fn with_prefix(
        &mut self,
        household: &Household,
        prefix: &[u8],
    ) -> Result<Vec<Held>, Self::Error>;
    /// The change an actor made with this number in a household.
    fn by_author(
        &mut self,
        household: &Household,
        actor: &ActorId,
        seq: u64,
    ) -> Result<Option<Held>, Self::Error>;
    /// Folds the change into the household, appends it to the records and to its scope's log, and
    /// extends that scope's chain and digest.
    fn append(
        &mut self,
        household: &mut Household,
        raw: &RawChange,
        change: &Change,
        provenance: &Provenance,
    ) -> Result<(), Self::Error>;
    /// Writes the household's state after its changes.
    fn save(&mut self, household: &Household) -> Result<(), Self::Error>;
    /// Keeps a refused change with the reason, for the office to look at.
    fn quarantine(&mut self, refused: &Quarantined<'_>) -> Result<(), Self::Error>;
    /// Whether changes of other installations are taken from this device, because the server was
    /// restored from a backup and asks phones to give back what it lost.
    fn takes_back(&mut self) -> Result<bool, Self::Error>;
}

/// Who sends, as far as the server has made sure of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The device.
    pub device: u32,
    /// The installations bound to it.
    pub actors: Vec<ActorId>,
    /// The areas its account may write in: region codes of any level.
    pub areas: Vec<u64>,
}

/// Where a log entry came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The device that sent it.
    pub device: u32,
    /// The device's number for it.
    pub outbox: u64,
    /// The server's clock, milliseconds since 1970 UTC.
    pub received_ms: i64,
}

/// A refused change on its way to quarantine.
#[derive(Clone, Copy, Debug)]
pub struct Quarantined<'a> {
    /// The household it is about.
    pub household: HouseholdId,
    /// Its dependencies as sent and the rest of its body.
    pub change: &'a PushedChange,
    /// Why it was refused.
    pub code: RefusalCode,
    /// Where it came from.
    pub provenance: Provenance,
}

/// Admission of one request: remembers what was refused, so that what builds on it is refused with it.
#[derive(Debug, Default)]
pub struct Admission {
    refused: BTreeSet<ChangeHash>,
}

impl Admission {
    /// Checks the changes of a frame one by one and takes those that pass. A refusal stops the changes
    /// that build on it, and nothing else.
    ///
    /// # Errors
    /// Where storage fails; the caller rolls its transaction back.
    pub fn admit<L: RecordLog>(
        &mut self,
        log: &mut L,
        sender: &Sender,
        frame: &PushFrame,
        now_ms: i64,
    ) -> Result<Vec<Refusal>, L::Error> {
        let mut held: BTreeMap<HouseholdId, Household> = BTreeMap::new();
        let mut refusals = Vec::new();
        let ids = household_ids(log, frame)?;
        let mut places = Places::default();
        for (change, outbox) in frame.changes.iter().zip(frame.outbox_numbers()) {
            let provenance = Provenance { device: sender.device, outbox, received_ms: now_ms };
            let named = match places.place(change.household, ids.len()).map(|place| ids[place]) {
                Some(Ok(named)) => named,
                unnamed => {
                    let code = unnamed.and_then(Result::err).unwrap_or(RefusalCode::Malformed);
                    refusals.push(Refusal { outbox, code, subject: None });
                    continue;
                }
            };
            let (id, _) = named;
            let outcome = self.admit_one(log, sender, named, change, provenance, &mut held)?;
            if let Err(code) = outcome {
                refusals.push(Refusal { outbox, code, subject: None });
                if kept_in_quarantine(code) {
                    log.quarantine(&Quarantined { household: id, change, code, provenance })?;
                }
            }
        }
        for household in held.values() {
            log.save(household)?;
        }
        Ok(refusals)
    }

    fn admit_one<L: RecordLog>(
        &mut self,
        log: &mut L,
        sender: &Sender,
        (id, pushed_scope): (HouseholdId, u64),
        pushed: &PushedChange,
        provenance: Provenance,
        held: &mut BTreeMap<HouseholdId, Household>,
    ) -> Result<Result<(), RefusalCode>, L::Error> {
        // Size. (Quota per device belongs here.)
        if pushed.tail.len() > CHANGE_BYTES_MAX {
            return Ok(Err(RefusalCode::TooLarge));
        }
        // Author: an actor id in the bytes is only a claim.
        let Ok(head) = TailHead::parse(&pushed.tail) else {
            return Ok(Err(RefusalCode::Malformed));
        };
        if !sender.actors.contains(&head.actor) && !log.takes_back()? {
            return Ok(Err(RefusalCode::WrongActor));
        }
        // Area: the server's own column decides, never the document.
        let known = match held.remove(&id) {
            Some(household) => Some(household),
            None => log.find(id)?,
        };
        let scope = known.as_ref().map_or(pushed_scope, |household| household.scope);
        if !is_village_within(scope, &sender.areas) {
            let on_record = match &known {
                Some(household) => is_on_record(log, household, &head, pushed)?,
                None => false,
            };
            return Ok(Err(match on_record {
                true => RefusalCode::AlreadyHeld,
                false => RefusalCode::OutsideArea,
            }));
        }
        let mut household = known.unwrap_or_else(|| Household::unsaved(id, scope));
        let outcome = self.check_and_append(log, &mut household, &head, pushed, provenance)?;
        if household.n != Household::UNSAVED {
            held.insert(id, household);
        }
        Ok(outcome)
    }

    fn check_and_append<L: RecordLog>(
        &mut self,
        log: &mut L,
        household: &mut Household,
        head: &TailHead,
        pushed: &PushedChange,
        provenance: Provenance,
    ) -> Result<Result<(), RefusalCode>, L::Error> {
        // Dependencies: needed to name the change at all.
        let resolved = deps::resolve(&pushed.deps, |prefix| log.with_prefix(household, prefix))?;
        let (deps, deps_max_op) = match resolved {
            Ok(resolved) => resolved,
            Err(RefusalCode::DependencyMissing) if self.builds_on_refused(pushed) => {
                return Ok(Err(RefusalCode::BuildsOnRefused));
            }
            Err(code) => return Ok(Err(code)),
        };
        let Ok(raw) = RawChange::join(&deps, &pushed.tail) else {
            return Ok(Err(RefusalCode::TooLarge));
        };
        let hash = raw.hash();
        let verdict = match log.by_author(household, &head.actor, head.seq)? {
            // Sent before, and the receipt was lost: taken once is enough.
            Some(same) if same.hash == hash => return Ok(Ok(())),
            Some(_) => Err(RefusalCode::Equivocation),
            // Whoever could make two changes answer to one short name could confuse every phone.
            None if !log.with_prefix(household, &hash.0[..deps::SHORT_BYTES])?.is_empty() => {
                Err(RefusalCode::PrefixTaken)
            }
            None => check(household, head, deps_max_op, &raw, hash),
        };
        match verdict {
            Ok(change) => {
                if household.n == Household::UNSAVED {
                    *household = log.create(household.id, household.scope)?;
                }
                log.append(household, &raw, &change, &provenance)?;
                Ok(Ok(()))
            }
            Err(code) => {
                self.refused.insert(hash);
                Ok(Err(code))
            }
        }
    }

    fn builds_on_refused(&self, pushed: &PushedChange) -> bool {
        pushed.deps.iter().any(|dep| self.refused.iter().any(|hash| hash.0.starts_with(dep)))
    }
}

/// A household as a frame names it, with the village the phone has it in; or why that is not clear.
type Named = Result<(HouseholdId, u64), RefusalCode>;

/// The households a frame names, each with the village the phone has it in.
fn household_ids<L: RecordLog>(log: &mut L, frame: &PushFrame) -> Result<Vec<Named>, L::Error> {
    let mut ids = Vec::with_capacity(frame.households.len());
    for named in &frame.households {
        let id = match named.id.len() {
            16 => HouseholdId::from_slice(&named.id).ok_or(RefusalCode::Malformed),
            SHORT_ID_BYTES => {
                let mut found = log.with_id_prefix(Some(named.scope), &named.id)?;
                if found.is_empty() {
                    found = log.with_id_prefix(None, &named.id)?;
                }
                if let [only] = found[..] { Ok(only) } else { Err(RefusalCode::HouseholdUnclear) }
            }
            _ => Err(RefusalCode::Malformed),
        };
        ids.push(id.map(|id| (id, named.scope)));
    }
    Ok(ids)
}

/// Whether this very change was taken before.
fn is_on_record<L: RecordLog>(
    log: &mut L,
    household: &Household,
    head: &TailHead,
    pushed: &PushedChange,
) -> Result<bool, L::Error> {
    let Some(held) = log.by_author(household, &head.actor, head.seq)? else { return Ok(false) };
    let resolved = deps::resolve(&pushed.deps, |prefix| log.with_prefix(household, prefix))?;
    Ok(resolved.is_ok_and(|(deps, _)| {
        RawChange::join(&deps, &pushed.tail).is_ok_and(|raw| raw.hash() == held.hash)
    }))
}

/// The checks that need no storage: counters, shape, authority, rules.
fn check(
    household: &Household,
    head: &TailHead,
    deps_max_op: u64,
    raw: &RawChange,
    hash: ChangeHash,
) -> Result<Change, RefusalCode> {
    if head.seq != household.fold.last_seq(&head.actor) + 1 {
        return Err(RefusalCode::SequenceGap);
    }
    if head.start_op != deps_max_op + 1 {
        return Err(RefusalCode::CounterForged);
    }
    let change = Change::decode_named(raw, hash).map_err(|error| match error {
        DocumentError::TooLarge => RefusalCode::TooLarge,
        DocumentError::ForeignOperation => RefusalCode::ForeignOperation,
        DocumentError::Malformed | DocumentError::StateUnreadable | DocumentError::Empty => {
            RefusalCode::Malformed
        }
    })?;
    // Authority (role x area x field x action) and hard rules are asked here, with the list of fields
    // that `change.ops` sets; both live in `domain` and run on the phone as well.
    Ok(change)
}

/// Changes worth a person's look: well-formed work that this device may not do. Bytes that are not
/// changes and changes that will be sent again are not kept.
fn kept_in_quarantine(code: RefusalCode) -> bool {
    match code {
        RefusalCode::OutsideArea
        | RefusalCode::NotPermitted
        | RefusalCode::RuleBroken
        | RefusalCode::BuildsOnRefused
        | RefusalCode::WrongActor
        | RefusalCode::Equivocation
        | RefusalCode::SequenceGap
        | RefusalCode::CounterForged => true,
        RefusalCode::TooLarge
        | RefusalCode::Malformed
        | RefusalCode::ForeignOperation
        | RefusalCode::DependencyMissing
        | RefusalCode::DependencyAmbiguous
        | RefusalCode::OverQuota
        | RefusalCode::PrefixTaken
        | RefusalCode::AlreadyHeld
        | RefusalCode::HouseholdUnclear => false,
    }
}

/// Whether a scope is a village inside one of the areas.
pub fn is_village_within(scope: u64, areas: &[u64]) -> bool {
    region::is_village(scope) && areas.iter().any(|area| region::code_contains(*area, scope))
}
