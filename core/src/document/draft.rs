//! A command becomes one change: a list of fields to set, on top of a folded state. automerge encodes
//! and names the change; no document is loaded for it. Must not decide whether the edit is allowed.

use std::num::NonZeroU64;

use automerge::legacy::{Key, ObjectId, Op, OpId as LegacyOpId, OpType};
use automerge::{ActorId as AutomergeActor, ExpandedChange, ObjType};

use super::DocumentError;
use super::change::scalar_of;
use super::fold::Fold;
use super::genesis::{ContainerIndex, GENESIS_ACTOR};
use super::raw::RawChange;
use crate::domain::ids::{ActorId, OpId};
use crate::domain::value::Value;

/// One field to set, or to delete where the value is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEdit {
    /// Which container.
    pub container: ContainerIndex,
    /// `field` or `row.field`.
    pub key: String,
    /// The new value; `None` deletes.
    pub value: Option<Value>,
}

/// Who makes the change, and when.
#[derive(Clone, Debug)]
pub struct Origin {
    /// This installation.
    pub actor: ActorId,
    /// The clock, milliseconds since 1970 UTC.
    pub time_ms: i64,
    /// Who acted for whom, from which form.
    pub message: String,
}

/// Makes one change that sets the fields given, on top of `fold`. A field that already shows this value
/// without a conflict is left out. Setting a field in conflict settles it.
///
/// # Errors
/// `Empty` where nothing would change.
pub fn draft(
    fold: &Fold,
    edits: &[FieldEdit],
    origin: &Origin,
) -> Result<RawChange, DocumentError> {
    let operations: Vec<Op> = edits
        .iter()
        .filter(|edit| !fold.shows(edit.container, &edit.key, edit.value.as_ref()))
        .map(|edit| Op {
            action: match &edit.value {
                Some(value) => OpType::Put(scalar_of(value)),
                None => OpType::Delete,
            },
            obj: ObjectId::Id(legacy_id(&edit.container.object())),
            key: Key::Map(edit.key.as_str().into()),
            pred: fold.entries(edit.container, &edit.key).map(|e| legacy_id(&e.id)).collect(),
            insert: false,
        })
        .collect();
    if operations.is_empty() {
        return Err(DocumentError::Empty);
    }
    let deps = fold.heads().iter().map(|head| automerge::ChangeHash(head.0)).collect();
    let seq = fold.last_seq(&origin.actor) + 1;
    encode(operations, origin, seq, fold.max_op() + 1, deps)
}

/// A row's id: unique because no installation uses an operation counter twice in one document.
pub fn row_id(actor: &ActorId, counter: u64) -> String {
    let mut id = String::with_capacity(16);
    for byte in &actor.0[..5] {
        id.push_str(&format!("{byte:02x}"));
    }
    id.push_str(&format!("-{counter:x}"));
    id
}

/// The genesis change's bytes.
pub(crate) fn genesis_change() -> RawChange {
    let operations = ContainerIndex::all()
        .map(|container| Op {
            action: OpType::Make(ObjType::Map),
            obj: ObjectId::Root,
            key: Key::Map(container.name().into()),
            pred: std::iter::empty().collect(),
            insert: false,
        })
        .collect();
    let origin = Origin { actor: GENESIS_ACTOR, time_ms: 0, message: String::new() };
    // A constant input: the golden test of the genesis hash covers this line.
    encode(operations, &origin, 1, 1, Vec::new()).unwrap_or_else(|_| unreachable!())
}

fn encode(
    operations: Vec<Op>,
    origin: &Origin,
    seq: u64,
    start_op: u64,
    deps: Vec<automerge::ChangeHash>,
) -> Result<RawChange, DocumentError> {
    let expanded = ExpandedChange {
        operations,
        actor_id: AutomergeActor::from(&origin.actor.0[..]),
        hash: None,
        seq,
        start_op: NonZeroU64::new(start_op).ok_or(DocumentError::Malformed)?,
        time: origin.time_ms,
        message: (!origin.message.is_empty()).then(|| origin.message.clone()),
        deps,
        extra_bytes: Vec::new(),
        author: None,
    };
    RawChange::from_chunk(automerge::Change::from(expanded).raw_bytes())
}

fn legacy_id(id: &OpId) -> LegacyOpId {
    LegacyOpId::new(id.counter, &AutomergeActor::from(&id.actor.0[..]))
}
