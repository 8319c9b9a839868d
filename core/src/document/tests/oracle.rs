//! automerge's own reading of a change, against which ours is tested.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::ScalarValue;
use automerge::legacy::{Key, ObjectId, OpId as LegacyOpId, OpType};

use crate::document::change::{Change, FieldOp};
use crate::document::genesis::ContainerIndex;
use crate::document::raw::RawChange;
use crate::domain::ids::{ActorId, ChangeHash, OpId};
use crate::domain::value::Value;

/// What automerge reads; `None` where it refuses, panics, or finds an operation that is none of ours.
pub(super) fn decode(raw: &RawChange) -> Option<Change> {
    catch_unwind(AssertUnwindSafe(|| {
        let change = automerge::Change::try_from(raw.chunk().as_slice()).ok()?.decode();
        let start_op = change.start_op.get();
        let ops = change.operations.into_iter().zip(start_op..).map(|(op, counter)| {
            let ObjectId::Id(object) = &op.obj else { return None };
            let Key::Map(key) = op.key else { return None };
            let value = match op.action {
                OpType::Put(scalar) => Some(value_of(scalar)),
                OpType::Delete => None,
                OpType::Make(_)
                | OpType::Increment(_)
                | OpType::MarkBegin(_)
                | OpType::MarkEnd(_) => return None,
            };
            Some(FieldOp {
                container: ContainerIndex::from_object(&op_id(object)?)?,
                key: Some(key.to_string()).filter(|key| !key.is_empty() && !op.insert)?,
                counter,
                value,
                predecessors: op.pred.iter().map(op_id).collect::<Option<_>>()?,
            })
        });
        Some(Change {
            hash: raw.hash(),
            actor: actor(&change.actor_id)?,
            seq: change.seq,
            start_op,
            deps: change.deps.iter().map(|dep| ChangeHash(dep.0)).collect(),
            time_ms: change.time,
            message: change.message.unwrap_or_default(),
            ops: ops.collect::<Option<_>>()?,
        })
    }))
    .ok()
    .flatten()
}

fn op_id(id: &LegacyOpId) -> Option<OpId> {
    Some(OpId { counter: id.counter(), actor: actor(id.actor())? })
}

fn actor(id: &automerge::ActorId) -> Option<ActorId> {
    id.to_bytes().try_into().ok().map(ActorId)
}

/// Scalars outside the schema's kinds keep their bytes under automerge's own type codes.
pub(super) fn value_of(scalar: ScalarValue) -> Value {
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
