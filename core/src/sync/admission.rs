//! What the server checks before it takes a change, in the order that costs an attacker most and the
//! server least. The same for every storage; storage is reached through [`RecordLog`]. Request signature,
//! device and replay were checked before (see the server's `auth`).

use std::collections::{BTreeMap, BTreeSet};

use super::deps;
use super::wire::{
    MERGED_AWAY, Places, PushFrame, PushedChange, Refusal, RefusalCode, SHORT_ID_BYTES,
};
use crate::document::DocumentError;
use crate::document::change::Change;
use crate::document::genesis::ContainerIndex;
use crate::document::judge::{
    StepDenial, field_of, is_about_case, judge_change, judge_release, judge_steps,
};
use crate::document::raw::{CHANGE_BYTES_MAX, RawChange, TailHead};
use crate::document::record::{Stamp, rows};
use crate::domain::authority::{self, Place, Role};
use crate::domain::day::Day;
use crate::domain::ids::{ActorId, ChangeHash, HouseholdId};
use crate::domain::region;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::domain::workflow::{Lack, Stage};
use crate::store::records::Household;

mod merging;
mod record_log;

pub use merging::merges_away;
pub use record_log::{Provenance, Quarantined, RecordLog};

/// Who sends, as far as the server has made sure of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The device.
    pub device: u32,
    /// The installations bound to it.
    pub actors: Vec<ActorId>,
    /// Its person's account.
    pub account: String,
    /// What its person is.
    pub role: Role,
    /// The areas of its account: region codes of any level.
    pub areas: Vec<u64>,
    /// The grids of its village that the account works in; none: all of it. They give no right and take none.
    pub grids: Vec<String>,
    /// Whether it is still served.
    pub standing: Standing,
    /// Changes it may still send for now.
    pub quota: u64,
    /// Days for which it may show its records without another contact; none: for ever.
    pub lease_days: Option<u16>,
}

/// Whether a device is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Active,
    /// It was shut out: what it still has to say goes to quarantine, and it is told to forget the rest.
    Revoked,
}

impl Sender {
    /// Whether a village lies in an area in which its role counts.
    pub fn reaches(&self, village: u64) -> bool {
        region::is_village(village)
            && authority::place(self.role, &self.areas, village) == Place::Inside
    }

    /// Whether this device may hold the records of a village.
    pub fn may_hold(&self, village: u64) -> bool {
        self.standing == Standing::Active && self.role.holds_replica() && self.reaches(village)
    }
}

/// Admission of one request: remembers what was refused, so that what builds on it is refused with it.
#[derive(Debug, Default)]
pub struct Admission {
    refused: BTreeSet<ChangeHash>,
    taken: u64,
}

impl Admission {
    /// Changes taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

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
            let device = sender.device;
            let rule_set = authority::RULE_SET;
            let provenance = Provenance { device, outbox, received_ms: now_ms, rule_set };
            let named = match places.place(change.household, ids.len()).map(|place| ids[place]) {
                Some(Ok(named)) => named,
                unnamed => {
                    let code = unnamed.and_then(Result::err).unwrap_or(RefusalCode::Malformed);
                    refusals.push(Refusal { outbox, code, subject: None });
                    continue;
                }
            };
            let (id, scope) = named;
            let outcome = self.admit_one(log, sender, named, change, provenance, &mut held)?;
            if let Err(Refused { code, subject }) = outcome {
                refusals.push(Refusal { outbox, code, subject });
                if kept_in_quarantine(code) {
                    let refused = Quarantined { household: id, scope, change, code, provenance };
                    log.quarantine(&refused)?;
                }
            }
        }
        for household in held.values() {
            log.save(household)?;
        }
        Ok(refusals)
    }

    /// Takes a change out of quarantine because a person in charge wants it: who sent it from where is
    /// not asked again, everything else is. `office` is the role of that person, who cannot release what
    /// belongs to a level above; none for the operator of the machine.
    ///
    /// # Errors
    /// Outer: storage. Inner: why it cannot be taken even so, for example because its author has used
    /// its number for another change since.
    pub fn release<L: RecordLog>(
        log: &mut L,
        refused: &Quarantined<'_>,
        office: Role,
    ) -> Result<Result<(), RefusalCode>, L::Error> {
        let Ok(head) = TailHead::parse(&refused.change.tail) else {
            return Ok(Err(RefusalCode::Malformed));
        };
        let known = log.find(refused.household)?;
        let mut household =
            known.unwrap_or_else(|| Household::unsaved(refused.household, refused.scope));
        if !region::is_village(household.scope) {
            return Ok(Err(RefusalCode::OutsideArea));
        }
        let provenance = Provenance { rule_set: 0, ..refused.provenance };
        let (change, mut admission) = (refused.change, Self::default());
        let sender = Releasing::By(office);
        let held = BTreeMap::new();
        let outcome = admission.check_and_append(
            log,
            &sender,
            (&mut household, &held),
            &head,
            change,
            provenance,
        )?;
        if household.n != Household::UNSAVED {
            log.save(&household)?;
        }
        Ok(outcome.map_err(|refused| refused.code))
    }

    fn admit_one<L: RecordLog>(
        &mut self,
        log: &mut L,
        sender: &Sender,
        (id, pushed_scope): (HouseholdId, u64),
        pushed: &PushedChange,
        provenance: Provenance,
        held: &mut BTreeMap<HouseholdId, Household>,
    ) -> Result<Outcome, L::Error> {
        if pushed.tail.len() > CHANGE_BYTES_MAX {
            return Ok(Err(RefusalCode::TooLarge.into()));
        }
        if self.taken >= sender.quota {
            return Ok(Err(RefusalCode::OverQuota.into()));
        }
        // Author: an actor id in the bytes is only a claim.
        let Ok(head) = TailHead::parse(&pushed.tail) else {
            return Ok(Err(RefusalCode::Malformed.into()));
        };
        if !sender.actors.contains(&head.actor) && !log.takes_back()? {
            return Ok(Err(RefusalCode::WrongActor.into()));
        }
        // Area: the server's own column decides, never the document.
        let known = match held.remove(&id) {
            Some(household) => Some(household),
            None => log.find(id)?,
        };
        let scope = known.as_ref().map_or(pushed_scope, |household| household.scope);
        if sender.standing == Standing::Revoked || !sender.reaches(scope) {
            let on_record = match &known {
                Some(household) => is_on_record(log, household, &head, pushed)?,
                None => false,
            };
            let code = match (on_record, sender.standing) {
                (true, _) => RefusalCode::AlreadyHeld,
                (false, Standing::Revoked) => RefusalCode::DeviceRevoked,
                (false, Standing::Active) => RefusalCode::OutsideArea,
            };
            return Ok(Err(code.into()));
        }
        let mut household = known.unwrap_or_else(|| Household::unsaved(id, scope));
        let sender = Releasing::Not(sender);
        let on_record = (&mut household, &*held);
        let outcome = self.check_and_append(log, &sender, on_record, &head, pushed, provenance)?;
        if household.n != Household::UNSAVED {
            held.insert(id, household);
        }
        Ok(outcome)
    }

    fn check_and_append<L: RecordLog>(
        &mut self,
        log: &mut L,
        sender: &Releasing<'_>,
        (household, held): (&mut Household, &BTreeMap<HouseholdId, Household>),
        head: &TailHead,
        pushed: &PushedChange,
        provenance: Provenance,
    ) -> Result<Outcome, L::Error> {
        // Dependencies: needed to name the change at all.
        let resolved = deps::resolve(&pushed.deps, |prefix| log.with_prefix(household, prefix))?;
        let (deps, deps_max_op) = match resolved {
            Ok(resolved) => resolved,
            Err(RefusalCode::DependencyMissing) if self.builds_on_refused(pushed) => {
                return Ok(Err(RefusalCode::BuildsOnRefused.into()));
            }
            Err(code) => return Ok(Err(code.into())),
        };
        let Ok(raw) = RawChange::join(&deps, &pushed.tail) else {
            return Ok(Err(RefusalCode::TooLarge.into()));
        };
        let hash = raw.hash();
        let verdict = match log.by_author(household, &head.actor, head.seq)? {
            // Sent before, and the receipt was lost: taken once is enough.
            Some(same) if same.hash == hash => return Ok(Ok(())),
            Some(_) => Err(RefusalCode::Equivocation.into()),
            // Whoever could make two changes answer to one short name could confuse every phone.
            None if !log.with_prefix(household, &hash.0[..deps::SHORT_BYTES])?.is_empty() => {
                Err(RefusalCode::PrefixTaken.into())
            }
            None => match check(sender, household, head, deps_max_op, &raw, hash) {
                Ok(change) => {
                    let received_ms = provenance.received_ms;
                    // What a restored server is given back was judged when it was first taken.
                    let is_new = !sender.gives_back(head);
                    let denial = step_denial(log, household, &change, received_ms)?;
                    let denial = denial.filter(|denial| is_new || denial.lack != Lack::Decision);
                    let is_lost = is_new && merges_away(log, household, &change, held)?;
                    match denial {
                        Some(denial) => Err(Refused {
                            code: RefusalCode::IllegalStep,
                            subject: Some(denial.lack.code().to_owned()),
                        }),
                        // A number of its own would be unreadable to phones of earlier releases.
                        None if is_lost => Err(Refused {
                            code: RefusalCode::RuleBroken,
                            subject: Some(MERGED_AWAY.to_owned()),
                        }),
                        None => Ok(change),
                    }
                }
                Err(refused) => Err(refused),
            },
        };
        match verdict {
            Ok(change) => {
                if household.n == Household::UNSAVED {
                    *household = log.create(household.id, household.scope)?;
                }
                log.append(household, &raw, &change, &provenance)?;
                self.taken += 1;
                Ok(Ok(()))
            }
            Err(refused) => {
                self.refused.insert(hash);
                Ok(Err(refused))
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

/// Why a change was not taken, and what the reason is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refused {
    code: RefusalCode,
    subject: Option<String>,
}

impl From<RefusalCode> for Refused {
    fn from(code: RefusalCode) -> Self {
        Self { code, subject: None }
    }
}

type Outcome = Result<(), Refused>;

/// On whose word a change is taken.
enum Releasing<'a> {
    /// On its sender's.
    Not(&'a Sender),
    /// On that of an office of this role.
    By(Role),
}

impl Releasing<'_> {
    /// Whether a restored server is given back what somebody else wrote.
    fn gives_back(&self, head: &TailHead) -> bool {
        matches!(self, Self::Not(sender) if !sender.actors.contains(&head.actor))
    }
}

/// The checks that need no storage, in this order: counters, shape, authority, rules.
fn check(
    sender: &Releasing<'_>,
    household: &Household,
    head: &TailHead,
    deps_max_op: u64,
    raw: &RawChange,
    hash: ChangeHash,
) -> Result<Change, Refused> {
    if head.seq != household.fold.last_seq(&head.actor) + 1 {
        return Err(RefusalCode::SequenceGap.into());
    }
    if head.start_op != deps_max_op + 1 {
        return Err(RefusalCode::CounterForged.into());
    }
    let change = Change::decode_named(raw, hash).map_err(|error| match error {
        DocumentError::TooLarge => RefusalCode::TooLarge,
        DocumentError::ForeignOperation => RefusalCode::ForeignOperation,
        DocumentError::Malformed | DocumentError::StateUnreadable | DocumentError::Empty => {
            RefusalCode::Malformed
        }
    })?;
    let fold = &household.fold;
    let judged = match sender {
        // What a restored server is given back was judged when it was first taken.
        Releasing::Not(_) if sender.gives_back(head) => Ok(()),
        Releasing::Not(sender) => {
            // Work done before enrolment names nobody.
            let named = Stamp::parse(&change.message).account;
            if !named.is_empty() && named != sender.account {
                return Err(RefusalCode::WrongActor.into());
            }
            let place = authority::place(sender.role, &sender.areas, household.scope);
            judge_change(sender.role, place, fold, &change)
        }
        Releasing::By(office) => judge_release(*office, fold, &change),
    };
    judged.map_err(|denial| Refused {
        code: RefusalCode::NotPermitted,
        subject: Some(denial.field),
    })?;
    for op in &change.ops {
        let (container, field) = (op.container.name(), field_of(op.container, &op.key));
        let value = op.value.as_ref().unwrap_or(&Value::Null);
        if Schema::base().breaks_a_hard_rule(container, field, value) {
            let subject = Some(format!("{container}.{field}"));
            return Err(Refused { code: RefusalCode::RuleBroken, subject });
        }
    }
    Ok(change)
}

/// Why a step of the monitoring case that a change takes may not be taken, by the clock of the server.
///
/// # Errors
/// Where storage fails.
pub fn step_denial<L: RecordLog>(
    log: &mut L,
    household: &Household,
    change: &Change,
    now_ms: i64,
) -> Result<Option<StepDenial>, L::Error> {
    if !is_about_case(change) {
        return Ok(None);
    }
    let mut begun = BTreeMap::new();
    // A restored server has lost its own times; it takes the days that the steps state.
    let keeps_times = !log.takes_back()?;
    let steps = ContainerIndex::of("steps").map(|steps| rows(&household.fold, steps));
    for step in steps.unwrap_or_default() {
        if keeps_times && step.text("state") == Stage::OnNotice.code() {
            let taken_ms = log.step_taken_ms(household, step.id)?.unwrap_or(now_ms);
            begun.insert(step.id.to_owned(), Day::in_china(taken_ms));
        }
    }
    let today = Day::in_china(now_ms);
    let Household { fold, scope, .. } = household;
    Ok(judge_steps(fold, *scope, change, log.policy(), today, &begun).err())
}

/// Changes worth a person's look: well-formed work that this device may not do. Bytes that are not
/// changes and changes that will be sent again are not kept.
fn kept_in_quarantine(code: RefusalCode) -> bool {
    match code {
        RefusalCode::OutsideArea
        | RefusalCode::DeviceRevoked
        | RefusalCode::NotPermitted
        | RefusalCode::RuleBroken
        | RefusalCode::BuildsOnRefused
        | RefusalCode::WrongActor
        | RefusalCode::Equivocation
        | RefusalCode::SequenceGap
        | RefusalCode::IllegalStep
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
