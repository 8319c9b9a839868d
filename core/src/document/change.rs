//! A decoded change: who made it, after what, and which fields it sets. Decoding is strict: anything
//! but setting or deleting a scalar in a genesis container is refused before it can be folded.
//! Must not touch a document's state.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::legacy::{Key, ObjectId, Op as LegacyOp, OpType};
use automerge::{ExpandedChange, ScalarValue};

use super::DocumentError;
use super::genesis::ContainerIndex;
use super::raw::{DEPS_MAX, RawChange};
use crate::domain::ids::{ActorId, ChangeHash, OpId};
use crate::domain::value::Value;

/// Most operations of one change accepted from outside.
pub const OPS_MAX: usize = 4096;

/// Sets one field, or deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOp {
    /// Which container.
    pub container: ContainerIndex,
    /// `field` or `row.field`.
    pub key: String,
    /// This operation's place in the document's count.
    pub counter: u64,
    /// The new value; `None` deletes.
    pub value: Option<Value>,
    /// The operations it replaces: what its author saw in this field.
    pub predecessors: Vec<OpId>,
}

/// One form save, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub hash: ChangeHash,
    /// The installation that made it (a claim until the server has bound actor and device).
    pub actor: ActorId,
    /// Number of this change among the actor's changes of this document, from 1.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
    /// The changes it was made on top of.
    pub deps: Vec<ChangeHash>,
    /// The author's clock, milliseconds since 1970 UTC. For display only.
    pub time_ms: i64,
    /// Who acted for whom and from which form; see `record::Stamp`.
    pub message: String,
    /// Its operations in order.
    pub ops: Vec<FieldOp>,
}

impl Change {
    /// Counter of its last operation.
    pub fn max_op(&self) -> u64 {
        (self.start_op + self.ops.len() as u64).saturating_sub(1)
    }

    /// Decodes a body. Never panics, whatever the bytes are.
    pub fn decode(raw: &RawChange) -> Result<Self, DocumentError> {
        Self::decode_named(raw, raw.hash())
    }

    /// Decodes a body whose hash is known already.
    pub fn decode_named(raw: &RawChange, hash: ChangeHash) -> Result<Self, DocumentError> {
        // The library panics on some damaged inputs; the guard turns that into a refusal.
        catch_unwind(AssertUnwindSafe(|| {
            automerge::Change::try_from(raw.chunk_named(&hash).as_slice())
                .map_err(|_| DocumentError::Malformed)
                .and_then(|change| {
                    if change.len() > OPS_MAX || change.deps().len() > DEPS_MAX {
                        return Err(DocumentError::TooLarge);
                    }
                    Self::from_expanded(change.decode(), hash)
                })
        }))
        .unwrap_or(Err(DocumentError::Malformed))
    }

    fn from_expanded(change: ExpandedChange, hash: ChangeHash) -> Result<Self, DocumentError> {
        let start_op = change.start_op.get();
        let ops = change
            .operations
            .into_iter()
            .zip(start_op..)
            .map(|(op, counter)| field_op(op, counter))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            hash,
            actor: actor(&change.actor_id)?,
            seq: change.seq,
            start_op,
            deps: change.deps.iter().map(|dep| ChangeHash(dep.0)).collect(),
            time_ms: change.time,
            message: change.message.unwrap_or_default(),
            ops,
        })
    }
}

fn field_op(op: LegacyOp, counter: u64) -> Result<FieldOp, DocumentError> {
    let ObjectId::Id(object) = &op.obj else { return Err(DocumentError::ForeignOperation) };
    let container =
        ContainerIndex::from_object(&op_id(object)?).ok_or(DocumentError::ForeignOperation)?;
    let Key::Map(key) = op.key else { return Err(DocumentError::ForeignOperation) };
    let value = match op.action {
        OpType::Put(scalar) => Some(value_of(scalar)),
        OpType::Delete => None,
        OpType::Make(_) | OpType::Increment(_) | OpType::MarkBegin(_) | OpType::MarkEnd(_) => {
            return Err(DocumentError::ForeignOperation);
        }
    };
    if op.insert || key.is_empty() {
        return Err(DocumentError::ForeignOperation);
    }
    let predecessors = op.pred.iter().map(op_id).collect::<Result<_, _>>()?;
    Ok(FieldOp { container, key: key.to_string(), counter, value, predecessors })
}

fn op_id(id: &automerge::legacy::OpId) -> Result<OpId, DocumentError> {
    Ok(OpId { counter: id.counter(), actor: actor(id.actor())? })
}

fn actor(id: &automerge::ActorId) -> Result<ActorId, DocumentError> {
    id.to_bytes().try_into().map(ActorId).map_err(|_| DocumentError::ForeignOperation)
}

/// Scalars outside the schema's kinds keep their bytes under automerge's own type codes.
pub(crate) fn value_of(scalar: ScalarValue) -> Value {
    let opaque = |type_code, bytes| Value::Opaque { type_code, bytes };
    match scalar {
        ScalarValue::Null => Value::Null,
        ScalarValue::Boolean(tick) => Value::Bool(tick),
        ScalarValue::Int(number) => Value::Int(number),
        ScalarValue::Str(text) => Value::Text(text.to_string()),
        ScalarValue::Uint(number) => opaque(3, number.to_le_bytes().to_vec()),
        ScalarValue::F64(number) => opaque(5, number.to_le_bytes().to_vec()),
        ScalarValue::Bytes(bytes) => opaque(7, bytes),
        ScalarValue::Counter(counter) => opaque(8, i64::from(&counter).to_le_bytes().to_vec()),
        ScalarValue::Timestamp(time) => opaque(9, time.to_le_bytes().to_vec()),
        ScalarValue::Unknown { type_code, bytes } => opaque(type_code, bytes),
    }
}

/// The scalar automerge stores for a value.
pub(crate) fn scalar_of(value: &Value) -> ScalarValue {
    let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
    match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(tick) => ScalarValue::Boolean(*tick),
        Value::Int(number) => ScalarValue::Int(*number),
        Value::Text(text) => ScalarValue::Str(text.as_str().into()),
        Value::Opaque { type_code: 3, bytes } => ScalarValue::Uint(
            bytes.as_slice().try_into().map(u64::from_le_bytes).unwrap_or_default(),
        ),
        Value::Opaque { type_code: 5, bytes } => ScalarValue::F64(
            bytes.as_slice().try_into().map(f64::from_le_bytes).unwrap_or_default(),
        ),
        Value::Opaque { type_code: 7, bytes } => ScalarValue::Bytes(bytes.clone()),
        Value::Opaque { type_code: 8, bytes } => ScalarValue::counter(number(bytes)),
        Value::Opaque { type_code: 9, bytes } => ScalarValue::Timestamp(number(bytes)),
        Value::Opaque { type_code, bytes } => {
            ScalarValue::Unknown { type_code: *type_code, bytes: bytes.clone() }
        }
    }
}
