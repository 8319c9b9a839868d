//! A folded state read as a record: fields by container, rows by id; and the stamp that says who acted
//! for whom. Must not interpret what a field means; that is the domain's.

use std::collections::BTreeMap;

use super::fold::{Entry, Fold};
use super::genesis::ContainerIndex;
use crate::domain::value::Value;

/// Who made a change, for whom, and from which form: the change's message. Stored in every change for
/// ever: parts are only ever added at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Stamp {
    /// Account of the person who acted.
    pub account: String,
    /// That person's name as shown to others.
    pub name: String,
    /// Name or account of the person acted for; empty when acting for oneself.
    pub on_behalf_of: String,
    /// The form and its version, for example `visit/1`.
    pub form: String,
}

/// Between the parts: a control character no name holds.
const SEPARATOR: char = '\u{1f}';

impl Stamp {
    /// The message text.
    pub fn encode(&self) -> String {
        [&self.account, &self.name, &self.on_behalf_of, &self.form]
            .map(|part| part.replace(SEPARATOR, ""))
            .join(&SEPARATOR.to_string())
    }

    /// Reads a message; parts that are missing stay empty, parts of a later release are ignored.
    pub fn parse(message: &str) -> Self {
        let mut parts = message.split(SEPARATOR).map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Self { account: next(), name: next(), on_behalf_of: next(), form: next() }
    }
}

/// One row of a row container: its fields by name, each with all its values (the shown one last).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The row's id within the container.
    pub id: &'a str,
    /// Field name to values.
    pub fields: BTreeMap<&'a str, &'a [Entry]>,
}

impl<'a> Row<'a> {
    /// The value a field of this row shows.
    pub fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).and_then(|entries| entries.last()).map(|entry| &entry.value)
    }

    /// The text a field of this row shows; empty where there is none.
    pub fn text(&self, field: &str) -> &'a str {
        self.get(field).and_then(Value::as_text).unwrap_or_default()
    }
}

/// The key of a field of a row.
pub fn row_key(row: &str, field: &str) -> String {
    format!("{row}.{field}")
}

/// Splits a row container's key into row and field; a key without a dot is a field of row ``.
pub fn split_key(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("", key))
}

/// The rows of a container, ascending by id.
pub fn rows<'a>(fold: &'a Fold, container: ContainerIndex) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (key, entries) in fold.container(container) {
        let (id, field) = split_key(key);
        match rows.last_mut() {
            Some(row) if row.id == id => {
                row.fields.insert(field, entries);
            }
            _ => rows.push(Row { id, fields: BTreeMap::from([(field, entries)]) }),
        }
    }
    rows
}

/// The row containers and fields of single-row containers by name: `of(fold, "basic", "head_name")`.
pub fn value<'a>(fold: &'a Fold, container: &str, key: &str) -> Option<&'a Value> {
    fold.get(ContainerIndex::of(container)?, key)
}
