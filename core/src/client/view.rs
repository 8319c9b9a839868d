//! What the ledger shows: plain data for one screen each. Must not hold handles into the store.

use crate::document::edit::FieldChange;
use crate::document::record::Stamp;
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::value::Value;
use crate::store::listing::ListRow;

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldView {
    /// Name of the container.
    pub container: String,
    /// `field` or `row.field`.
    pub key: String,
    /// The value shown.
    pub value: Value,
    /// Whether other values stand beside it.
    pub in_conflict: bool,
}

/// One household whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RecordView {
    /// Its line in the list.
    pub row: ListRow,
    /// Its fields in order of container and key.
    pub fields: Vec<FieldView>,
}

/// One of several values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ConflictValue {
    /// The value.
    pub value: Value,
    /// Who set it, from which form.
    pub stamp: Stamp,
    /// The author's clock, milliseconds since 1970 UTC.
    pub time_ms: i64,
}

/// A field that two people set without seeing each other's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Conflict {
    /// The household.
    pub household: HouseholdId,
    /// Name of the container.
    pub container: String,
    /// `field` or `row.field`.
    pub key: String,
    /// All values; the last is the one shown everywhere until somebody settles it.
    pub values: Vec<ConflictValue>,
}

/// One field set by one change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct HistoryLine {
    /// Who, for whom, from which form.
    pub stamp: Stamp,
    /// The device's installation.
    pub actor: ActorId,
    /// The author's clock, milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// Whether the server has given a receipt for it.
    pub acknowledged: bool,
    /// Name of the container.
    pub container: String,
    /// `field` or `row.field`.
    pub key: String,
    /// What the field showed before.
    pub old: Option<Value>,
    /// What was set; `None` emptied it.
    pub new: Option<Value>,
}

/// A change that waits to be sent. One that cannot be read has no fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UnsentView {
    /// Its household.
    pub household: HouseholdId,
    /// Its village.
    pub village: u64,
    /// Who made it, from which form.
    pub stamp: Stamp,
    /// The author's clock, milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// The fields it sets.
    pub fields: Vec<FieldChange>,
}

/// A change the server did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RefusedView {
    /// Names it towards the ledger.
    pub n: i64,
    /// Its household.
    pub household: HouseholdId,
    /// Why, a code of list `refusal`.
    pub code: String,
    /// What the reason is about.
    pub subject: String,
    /// The fields it set.
    pub fields: Vec<FieldChange>,
}
