//! Which fields of a record departments' lists have filled in, and nobody has touched since. Must not know a rule, or what the
//! lists say.

use std::collections::HashMap;

use rusqlite::Connection;
use wanhu_core::document::change::Change;
use wanhu_core::document::history::history;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

/// The form that a department's changes name.
pub(crate) const FORM_OF_LIST: &str = "department/1";
/// The form that they name where rows are taken back.
pub(crate) const FORM_OF_WITHDRAWAL: &str = "withdrawal/1";

/// Whose word each field of a record shows.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    /// By container and key: whether it is a department's.
    by_field: HashMap<&'static str, HashMap<String, bool>>,
}

impl LastWords {
    /// Of a household's record.
    ///
    /// # Errors
    /// Where the file fails.
    pub(crate) fn of(connection: &Connection, household: &Household) -> Result<Self, StoreError> {
        let stored = records::changes(connection, household.n)?;
        let changes = stored.iter().map(|c| Change::decode_named(&c.raw, c.hash));
        let mut words = Self::default();
        // Of two who wrote at once the one whose value is shown has had the word, whoever came last.
        for entry in history(&changes.collect::<Result<Vec<_>, _>>()?).into_iter().rev() {
            if household.fold.get(entry.container, &entry.key) == entry.new.as_ref() {
                let is_theirs = [FORM_OF_LIST, FORM_OF_WITHDRAWAL].contains(&&*entry.stamp.form);
                let fields = words.by_field.entry(entry.container.name()).or_default();
                fields.entry(entry.key).or_insert(is_theirs);
            }
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
