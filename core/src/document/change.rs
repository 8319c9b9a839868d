//! A decoded change: who made it, after what, and which fields it sets. Decoding is strict: anything
//! but setting or deleting a scalar in a genesis container is refused before it can be folded.
//! Must not touch a document's state.

use automerge::ScalarValue;

use super::DocumentError;
use super::columns::{self, Columns, Deltas, Runs};
use super::genesis::ContainerIndex;
use super::raw::RawChange;
use super::varint::Reader;
use crate::domain::ids::{ActorId, ChangeHash, OpId};
use crate::domain::value::Value;

/// Most operations of one change accepted from outside.
pub const OPS_MAX: usize = 4096;
/// Most predecessors of all its operations together.
pub const PREDECESSORS_MAX: usize = 4 * OPS_MAX;
/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// Most installations one change may name beside its author's.
const ACTORS_MAX: usize = 256;
/// Largest operation counter; automerge keeps counters in 32 bits.
const COUNTER_MAX: u64 = u32::MAX as u64 - OPS_MAX as u64;
/// automerge's numbers of the two kinds of operation a record has.
const ACTION_SET: u64 = 1;
const ACTION_DELETE: u64 = 3;

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

    /// Decodes a body. Never panics, and never takes more memory than a change within its bounds,
    /// whatever the bytes are.
    ///
    /// # Errors
    /// `Malformed`, `ForeignOperation` or `TooLarge`.
    pub fn decode(raw: &RawChange) -> Result<Self, DocumentError> {
        Self::decode_named(raw, raw.hash())
    }

    /// Decodes a body whose hash is known already.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_named(raw: &RawChange, hash: ChangeHash) -> Result<Self, DocumentError> {
        let (deps, tail) = raw.split()?;
        let mut reader = Reader(tail);
        let actor = actor(reader.bytes()?)?;
        let (seq, start_op) = (reader.number()?, reader.number()?);
        if start_op == 0 || start_op > COUNTER_MAX {
            return Err(DocumentError::Malformed);
        }
        let time_ms = reader.signed()?;
        let message = reader.text()?.to_owned();
        let others = reader.size()?;
        if others > ACTORS_MAX {
            return Err(DocumentError::TooLarge);
        }
        let mut actors = vec![actor];
        for _ in 0..others {
            actors.push(self::actor(reader.bytes()?)?);
        }
        // What follows the columns belongs to a later version of the format and is kept unread.
        let columns = Columns::read(&mut reader)?;
        let ops = Rows::new(&columns, &actors, start_op).read()?;
        Ok(Self { hash, actor, seq, start_op, deps, time_ms, message, ops })
    }
}

fn actor(bytes: &[u8]) -> Result<ActorId, DocumentError> {
    bytes.try_into().map(ActorId).map_err(|_| DocumentError::ForeignOperation)
}

/// The operations of a change, read row by row through all columns at once.
struct Rows<'a> {
    actors: &'a [ActorId],
    counter: u64,
    predecessors_left: usize,
    insert: &'a [u8],
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key: Runs<'a, &'a str>,
    action: Runs<'a, u64>,
    value_meta: Runs<'a, u64>,
    value: Reader<'a>,
    predecessor_count: Runs<'a, u64>,
    predecessor_actor: Runs<'a, u64>,
    predecessor_counter: Deltas<'a>,
}

impl<'a> Rows<'a> {
    fn new(columns: &Columns<'a>, actors: &'a [ActorId], start_op: u64) -> Self {
        Self {
            actors,
            counter: start_op,
            predecessors_left: PREDECESSORS_MAX,
            insert: columns.insert,
            object_actor: columns::numbers(columns.object_actor),
            object_counter: columns::numbers(columns.object_counter),
            key: columns::texts(columns.key),
            action: columns::numbers(columns.action),
            value_meta: columns::numbers(columns.value_meta),
            value: Reader(columns.value),
            predecessor_count: columns::numbers(columns.predecessor_count),
            predecessor_actor: columns::numbers(columns.predecessor_actor),
            predecessor_counter: Deltas::new(columns.predecessor_counter),
        }
    }

    fn read(mut self) -> Result<Vec<FieldOp>, DocumentError> {
        let mut ops = Vec::new();
        while !self.action.is_at_end() {
            if ops.len() == OPS_MAX {
                return Err(DocumentError::TooLarge);
            }
            ops.push(self.row()?);
            self.counter += 1;
        }
        if !columns::is_unticked(self.insert, ops.len())? {
            return Err(DocumentError::ForeignOperation);
        }
        let is_read_whole = self.object_actor.is_at_end()
            && self.object_counter.is_at_end()
            && self.key.is_at_end()
            && self.value_meta.is_at_end()
            && self.value.0.is_empty()
            && self.predecessor_count.is_at_end()
            && self.predecessor_actor.is_at_end()
            && self.predecessor_counter.is_at_end();
        if is_read_whole { Ok(ops) } else { Err(DocumentError::Malformed) }
    }

    fn row(&mut self) -> Result<FieldOp, DocumentError> {
        let foreign = DocumentError::ForeignOperation;
        let action = self.action.value()?;
        let (actor, counter) = (self.object_actor.row()?, self.object_counter.row()?);
        let (Some(actor), Some(counter)) = (actor, counter) else { return Err(foreign) };
        let object = OpId { counter, actor: self.actor(actor)? };
        let container = ContainerIndex::from_object(&object).ok_or(foreign.clone())?;
        let key = self.key.row()?.filter(|key| !key.is_empty()).ok_or(foreign.clone())?;
        if key.len() > KEY_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        let value = self.value()?;
        let value = match (action, value) {
            (ACTION_SET, value) => Some(value),
            (ACTION_DELETE, Value::Null) => None,
            _ => return Err(foreign),
        };
        let (key, counter) = (key.to_owned(), self.counter);
        Ok(FieldOp { container, key, counter, value, predecessors: self.predecessors()? })
    }

    fn actor(&self, place: u64) -> Result<ActorId, DocumentError> {
        let place = usize::try_from(place).map_err(|_| DocumentError::Malformed)?;
        self.actors.get(place).copied().ok_or(DocumentError::Malformed)
    }

    fn predecessors(&mut self) -> Result<Vec<OpId>, DocumentError> {
        let count = self.predecessor_count.value()?;
        let count = usize::try_from(count).map_err(|_| DocumentError::TooLarge)?;
        self.predecessors_left =
            self.predecessors_left.checked_sub(count).ok_or(DocumentError::TooLarge)?;
        let mut predecessors = Vec::with_capacity(count);
        for _ in 0..count {
            let actor = self.predecessor_actor.value()?;
            let counter = self.predecessor_counter.row()?.ok_or(DocumentError::Malformed)?;
            // Nobody has seen an operation that is not made yet.
            if counter == 0 || counter >= self.counter {
                return Err(DocumentError::Malformed);
            }
            predecessors.push(OpId { counter, actor: self.actor(actor)? });
        }
        Ok(predecessors)
    }

    /// A value: its length and type in one number, its bytes in the other column.
    fn value(&mut self) -> Result<Value, DocumentError> {
        let meta = self.value_meta.value()?;
        let length = usize::try_from(meta >> 4).map_err(|_| DocumentError::Malformed)?;
        let type_code = (meta & 0xf).to_le_bytes()[0];
        let bytes = self.value.take(length)?;
        let mut number = Reader(bytes);
        let value = match type_code {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            4 => Value::Int(number.signed()?),
            6 => {
                let text = std::str::from_utf8(bytes).map_err(|_| DocumentError::Malformed)?;
                return Ok(Value::Text(text.to_owned()));
            }
            // Scalars outside the schema's kinds: those automerge reads as numbers as it would write
            // them into eight bytes, all others byte for byte.
            3 => opaque(type_code, number.number()?.to_le_bytes().to_vec()),
            8 | 9 => opaque(type_code, number.signed()?.to_le_bytes().to_vec()),
            5 if length != 8 => return Err(DocumentError::Malformed),
            _ => return Ok(opaque(type_code, bytes.to_vec())),
        };
        if number.0.is_empty() { Ok(value) } else { Err(DocumentError::Malformed) }
    }
}

fn opaque(type_code: u8, bytes: Vec<u8>) -> Value {
    Value::Opaque { type_code, bytes }
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
