//! The history of a record: every field that every change set, with the value shown before and after.
//! Must be fed the changes in an order in which dependencies come first.

use super::change::Change;
use super::fold::Fold;
use super::genesis::ContainerIndex;
use super::record::Stamp;
use crate::domain::ids::{ActorId, ChangeHash};
use crate::domain::value::Value;

/// One field set by one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The change.
    pub hash: ChangeHash,
    /// The device's installation.
    pub actor: ActorId,
    /// Who acted for whom, from which form.
    pub stamp: Stamp,
    /// The author's clock, milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// Which container.
    pub container: ContainerIndex,
    /// `field` or `row.field`.
    pub key: String,
    /// What the field showed on this replica before the change was folded in.
    pub old: Option<Value>,
    /// What the change set; `None` deleted.
    pub new: Option<Value>,
}

/// Lists every field operation in the order given, oldest first.
pub fn history<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<HistoryEntry> {
    let mut fold = Fold::default();
    let mut entries = Vec::new();
    for change in changes {
        let stamp = Stamp::parse(&change.message);
        entries.extend(change.ops.iter().map(|op| HistoryEntry {
            hash: change.hash,
            actor: change.actor,
            stamp: stamp.clone(),
            time_ms: change.time_ms,
            container: op.container,
            key: op.key.clone(),
            old: fold.get(op.container, &op.key).cloned(),
            new: op.value.clone(),
        }));
        fold.apply(change);
    }
    entries
}
