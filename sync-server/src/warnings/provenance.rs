//! Which fields of a record departments' lists have filled in, and nobody has touched since. Must not know a rule, or what the
//! lists say.

use std::collections::HashMap;

use rusqlite::Connection;
use wanhu_core::document::change::Change;
use wanhu_core::document::history::history;
use wanhu_core::store::{StoreError, records};

/// The form that a department's changes name.
pub(crate) const FORM_OF_LIST: &str = "department/1";
/// The form that they name where rows are taken back.
pub(crate) const FORM_OF_WITHDRAWAL: &str = "withdrawal/1";

/// Who wrote each field of a record last.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    /// By container and key: whether they are a department's.
    by_field: HashMap<&'static str, HashMap<String, bool>>,
}

impl LastWords {
    /// Of the record of household `n`.
    ///
    /// # Errors
    /// Where the file fails.
    pub(crate) fn of(connection: &Connection, n: i64) -> Result<Self, StoreError> {
        let stored = records::changes(connection, n)?;
        let changes = stored.iter().map(|c| Change::decode_named(&c.raw, c.hash));
        let mut words = Self::default();
        for entry in history(&changes.collect::<Result<Vec<_>, _>>()?) {
            let form = entry.stamp.form.as_str();
            let is_theirs = [FORM_OF_LIST, FORM_OF_WITHDRAWAL].contains(&form);
            words.by_field.entry(entry.container.name()).or_default().insert(entry.key, is_theirs);
        }
        Ok(words)
    }

    /// Whether a field, `field` or `row.field`, is as a department filled it in.
    pub(crate) fn is_a_departments(&self, container: &str, key: &str) -> bool {
        let known = self.by_field.get(container).and_then(|fields| fields.get(key));
        known.copied().unwrap_or_default()
    }

    /// The fields that are as a department filled them in: container and key.
    pub(crate) fn departments(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.by_field.iter().flat_map(|(container, fields)| {
            let theirs = fields.iter().filter(|(_, is_theirs)| **is_theirs);
            theirs.map(|(key, _)| (*container, key.as_str()))
        })
    }
}
