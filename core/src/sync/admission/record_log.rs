//! What admission needs of a server's storage. Must not know how anything is kept.

use crate::document::change::Change;
use crate::document::raw::RawChange;
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::policy::Policy;
use crate::store::records::{Held, Household};
use crate::sync::wire::{PushedChange, RefusalCode};

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
    /// When a step of a household's case was taken, by the server's clock, milliseconds since 1970 UTC.
    fn step_taken_ms(
        &mut self,
        household: &Household,
        step: &str,
    ) -> Result<Option<i64>, Self::Error>;
    /// The lines and periods that hold here.
    fn policy(&self) -> &Policy;
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
    /// The rule set it was judged by; 0 where a person released it from quarantine.
    pub rule_set: u16,
}

/// A refused change on its way to quarantine.
#[derive(Clone, Copy, Debug)]
pub struct Quarantined<'a> {
    /// The household it is about.
    pub household: HouseholdId,
    /// The village the phone had it in.
    pub scope: u64,
    /// Its dependencies as sent and the rest of its body.
    pub change: &'a PushedChange,
    /// Why it was refused.
    pub code: RefusalCode,
    /// Where it came from.
    pub provenance: Provenance,
}
