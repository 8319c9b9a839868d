//! A document's state as a fold over its changes: for every field the operations that nobody has
//! replaced yet. The largest operation wins, the others are concurrent values kept beside it; the same
//! winners and conflicts as automerge's, without loading a document. Must only be fed changes whose
//! dependencies it holds.

use std::collections::BTreeMap;

use super::DocumentError;
use super::change::Change;
use super::genesis::{ContainerIndex, genesis};
use super::varint::{self, Reader};
use crate::domain::ids::{ActorId, ChangeHash, OpId};
use crate::domain::value::Value;

/// One value a field holds, and the operation that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The operation.
    pub id: OpId,
    /// Its value.
    pub value: Value,
}

/// The folded state of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Entries of one field ascend by operation: the last is the winner.
    fields: BTreeMap<(ContainerIndex, String), Vec<Entry>>,
    heads: Vec<ChangeHash>,
    max_op: u64,
    last_seq: BTreeMap<ActorId, u64>,
}

impl Default for Fold {
    /// The state after the genesis change: all containers, no field.
    fn default() -> Self {
        Self {
            fields: BTreeMap::new(),
            heads: vec![genesis().1],
            max_op: ContainerIndex::all().count() as u64,
            last_seq: BTreeMap::new(),
        }
    }
}

impl Fold {
    /// Folds one change in. The caller has checked that its dependencies are held and that it was not
    /// applied before.
    pub fn apply(&mut self, change: &Change) {
        for op in &change.ops {
            let field = (op.container, op.key.clone());
            let entries = self.fields.entry(field).or_default();
            entries.retain(|entry| !op.predecessors.contains(&entry.id));
            if let Some(value) = &op.value {
                let id = OpId { counter: op.counter, actor: change.actor };
                let at = entries.partition_point(|entry| entry.id < id);
                entries.insert(at, Entry { id, value: value.clone() });
            }
        }
        if change.ops.iter().any(|op| op.value.is_none()) {
            self.fields.retain(|_, entries| !entries.is_empty());
        }
        self.heads.retain(|head| !change.deps.contains(head));
        self.heads.push(change.hash);
        self.heads.sort_unstable();
        self.max_op = self.max_op.max(change.max_op());
        let seq = self.last_seq.entry(change.actor).or_default();
        *seq = (*seq).max(change.seq);
    }

    /// The changes nobody has built on yet, ascending.
    pub fn heads(&self) -> &[ChangeHash] {
        &self.heads
    }

    /// The largest operation counter seen.
    pub fn max_op(&self) -> u64 {
        self.max_op
    }

    /// The number of the actor's last change in this document, 0 for none.
    pub fn last_seq(&self, actor: &ActorId) -> u64 {
        self.last_seq.get(actor).copied().unwrap_or_default()
    }

    /// The value a field shows.
    pub fn get(&self, container: ContainerIndex, key: &str) -> Option<&Value> {
        self.entries(container, key).last().map(|entry| &entry.value)
    }

    /// All values a field holds, the shown one last.
    pub fn entries(&self, container: ContainerIndex, key: &str) -> std::slice::Iter<'_, Entry> {
        // A borrowed pair cannot be looked up in a map of owned pairs without this copy.
        self.fields.get(&(container, key.to_owned())).map_or(&[][..], Vec::as_slice).iter()
    }

    /// Whether a field shows exactly this value (or nothing) and no other beside it.
    pub fn shows(&self, container: ContainerIndex, key: &str, value: Option<&Value>) -> bool {
        let mut entries = self.entries(container, key);
        match (entries.next(), value) {
            (None, None) => true,
            (Some(only), Some(value)) => only.value == *value && entries.next().is_none(),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    /// All fields in order: container, key, entries with the shown one last.
    pub fn fields(&self) -> impl Iterator<Item = (ContainerIndex, &str, &[Entry])> {
        self.fields
            .iter()
            .map(|((container, key), entries)| (*container, key.as_str(), entries.as_slice()))
    }

    /// The fields of one container, in order of their keys.
    pub fn container(&self, container: ContainerIndex) -> impl Iterator<Item = (&str, &[Entry])> {
        self.fields
            .range((container, String::new())..)
            .take_while(move |((found, _), _)| *found == container)
            .map(|((_, key), entries)| (key.as_str(), entries.as_slice()))
    }

    /// The fields that hold values which differ.
    pub fn conflicts(&self) -> impl Iterator<Item = (ContainerIndex, &str, &[Entry])> {
        self.fields().filter(|(_, _, entries)| differ(entries))
    }
}

/// Whether a field's values differ: two people who wrote the same agree.
pub fn differ(entries: &[Entry]) -> bool {
    entries.windows(2).any(|pair| pair[0].value != pair[1].value)
}

/// First byte of an encoded state. A cache of the log: a state of another version is folded anew.
const STATE_VERSION: u8 = 1;

impl Fold {
    /// The state as bytes, for the store. Never sent to anybody.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 * self.fields.len() + 96);
        out.push(STATE_VERSION);
        varint::put(&mut out, self.max_op);
        varint::put(&mut out, self.heads.len() as u64);
        self.heads.iter().for_each(|head| out.extend_from_slice(&head.0));
        varint::put(&mut out, self.last_seq.len() as u64);
        for (actor, seq) in &self.last_seq {
            out.extend_from_slice(&actor.0);
            varint::put(&mut out, *seq);
        }
        let actors: Vec<&ActorId> = self.last_seq.keys().collect();
        for ((container, key), entries) in &self.fields {
            out.push(container.get());
            varint::put_bytes(&mut out, key.as_bytes());
            varint::put(&mut out, entries.len() as u64);
            for entry in entries {
                varint::put(&mut out, entry.id.counter);
                let index = actors.binary_search(&&entry.id.actor).unwrap_or(actors.len());
                varint::put(&mut out, index as u64);
                put_value(&mut out, &entry.value);
            }
        }
        out
    }

    /// Reads a state back.
    ///
    /// # Errors
    /// `StateUnreadable` for another version or damage: fold the changes anew.
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        Self::read(&mut Reader(bytes)).map_err(|_| DocumentError::StateUnreadable)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DocumentError> {
        if reader.take(1)? != [STATE_VERSION] {
            return Err(DocumentError::StateUnreadable);
        }
        let max_op = reader.number()?;
        let heads = (0..reader.size()?)
            .map(|_| reader.array().map(ChangeHash))
            .collect::<Result<Vec<_>, _>>()?;
        let mut last_seq = BTreeMap::new();
        for _ in 0..reader.size()? {
            let actor = ActorId(reader.array()?);
            last_seq.insert(actor, reader.number()?);
        }
        let actors: Vec<ActorId> = last_seq.keys().copied().collect();
        let mut fields = Vec::with_capacity(96);
        while !reader.0.is_empty() {
            let [container] = reader.array::<1>()?;
            let container = ContainerIndex::new(container).ok_or(DocumentError::StateUnreadable)?;
            let key = reader.text()?.to_owned();
            let entries = (0..reader.size()?)
                .map(|_| read_entry(reader, &actors))
                .collect::<Result<Vec<_>, _>>()?;
            fields.push(((container, key), entries));
        }
        Ok(Self { fields: fields.into_iter().collect(), heads, max_op, last_seq })
    }
}

fn read_entry(reader: &mut Reader<'_>, actors: &[ActorId]) -> Result<Entry, DocumentError> {
    let counter = reader.number()?;
    let actor = *actors.get(reader.size()?).ok_or(DocumentError::StateUnreadable)?;
    Ok(Entry { id: OpId { counter, actor }, value: read_value(reader)? })
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(false) => out.push(1),
        Value::Bool(true) => out.push(2),
        Value::Int(number) => {
            out.push(3);
            // Zigzag, so that small negative amounts stay short.
            varint::put(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
        }
        Value::Text(text) => {
            out.push(4);
            varint::put_bytes(out, text.as_bytes());
        }
        Value::Opaque { type_code, bytes } => {
            out.extend_from_slice(&[5, *type_code]);
            varint::put_bytes(out, bytes);
        }
    }
}

fn read_value(reader: &mut Reader<'_>) -> Result<Value, DocumentError> {
    let [tag] = reader.array::<1>()?;
    Ok(match tag {
        0 => Value::Null,
        1 => Value::Bool(false),
        2 => Value::Bool(true),
        3 => {
            let zigzag = reader.number()?;
            Value::Int((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
        }
        4 => Value::Text(reader.text()?.to_owned()),
        5 => {
            let [type_code] = reader.array::<1>()?;
            Value::Opaque { type_code, bytes: reader.bytes()?.to_vec() }
        }
        _ => return Err(DocumentError::StateUnreadable),
    })
}
