//! What a form hands to the ledger: fields to set and rows to add, as one unit. Must not know a change.

use crate::document::draft::{FieldEdit, row_id};
use crate::document::fold::Fold;
use crate::document::genesis::ContainerIndex;
use crate::document::record::{row_key, split_key};
use crate::domain::identity::IdentityNumber;
use crate::domain::ids::ActorId;
use crate::domain::person::PersonKey;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::error::LedgerError;

/// One field to set; `None` empties it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Name of the container, for example `basic` or `members`.
    pub container: String,
    /// `field`, or `row.field` in a container with rows.
    pub key: String,
    /// The new value.
    pub value: Option<Value>,
}

/// One row to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// Name of a container with rows, for example `visits`.
    pub container: String,
    /// Its fields.
    pub fields: Vec<(String, Value)>,
}

/// One form save.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordEdit {
    /// Fields to set.
    pub fields: Vec<FieldChange>,
    /// Rows to add.
    pub new_rows: Vec<NewRow>,
    /// The form and its version, for example `visit/1`; kept with the change.
    pub form: String,
    /// Whom the cadre acts for; empty for nobody.
    pub on_behalf_of: String,
}

impl RecordEdit {
    /// Adds a field to set.
    #[must_use]
    pub fn set(mut self, container: &str, key: &str, value: impl Into<Value>) -> Self {
        let (container, key) = (container.to_owned(), key.to_owned());
        self.fields.push(FieldChange { container, key, value: Some(value.into()) });
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn row(mut self, container: &str, fields: Vec<(String, Value)>) -> Self {
        self.new_rows.push(NewRow { container: container.to_owned(), fields });
        self
    }

    /// The identity number of the new member who heads the household, where it checks.
    pub(super) fn head_number(&self) -> Option<IdentityNumber> {
        let heads = self.new_rows.iter().filter(|row| row.text("relation") == "head");
        heads.filter_map(NewRow::identity_number).next()
    }

    /// The operations this save asks for, after checking every value against the schema. With a `key`
    /// a member of known identity number gets the row that everybody gives this person.
    pub(super) fn operations(
        &self,
        schema: &Schema,
        fold: &Fold,
        actor: &ActorId,
        key: Option<&PersonKey>,
    ) -> Result<Vec<FieldEdit>, LedgerError> {
        let mut edits = Vec::new();
        for change in &self.fields {
            let container = container(&change.container)?;
            let (row, field) = if container.has_rows() {
                split_key(&change.key)
            } else {
                ("", change.key.as_str())
            };
            if container.has_rows() && row.is_empty() {
                return Err(LedgerError::invalid(full(&change.container, field), "row_missing"));
            }
            check(schema, &change.container, field, change.value.as_ref())?;
            // Left out here already: row ids below count the operations that will really be made.
            if !fold.shows(container, &change.key, change.value.as_ref()) {
                let (key, value) = (change.key.clone(), change.value.clone());
                edits.push(FieldEdit { container, key, value });
            }
        }
        for new_row in &self.new_rows {
            let container = container(&new_row.container)?;
            if !container.has_rows() {
                return Err(LedgerError::invalid(&new_row.container, "holds_no_rows"));
            }
            let persons = key.and_then(|key| new_row.person_row(key, fold));
            // The first operation of the row gives it its name.
            let row =
                persons.unwrap_or_else(|| row_id(actor, fold.max_op() + 1 + edits.len() as u64));
            for (field, value) in &new_row.fields {
                check(schema, &new_row.container, field, Some(value))?;
                let key = row_key(&row, field);
                // The person may be on record already.
                if !fold.shows(container, &key, Some(value)) {
                    edits.push(FieldEdit { container, key, value: Some(value.clone()) });
                }
            }
        }
        Ok(edits)
    }
}

impl NewRow {
    fn text(&self, field: &str) -> &str {
        let named = self.fields.iter().find(|(name, _)| name == field);
        named.and_then(|(_, value)| value.as_text()).unwrap_or_default()
    }

    fn identity_number(&self) -> Option<IdentityNumber> {
        if self.container != "members" {
            return None;
        }
        IdentityNumber::parse(self.text("identity_number")).ok()
    }

    /// The row of the person this row is about; none where that row already holds another's number.
    fn person_row(&self, key: &PersonKey, fold: &Fold) -> Option<String> {
        let number = self.identity_number()?;
        let row = key.member_row(&number);
        let held = fold.get(ContainerIndex::of("members")?, &row_key(&row, "identity_number"));
        let is_theirs = held
            .and_then(Value::as_text)
            .is_none_or(|held| IdentityNumber::parse(held).is_ok_and(|held| held == number));
        is_theirs.then_some(row)
    }
}

fn container(name: &str) -> Result<ContainerIndex, LedgerError> {
    ContainerIndex::of(name).ok_or_else(|| LedgerError::invalid(name, "unknown_container"))
}

fn full(container: &str, field: &str) -> String {
    format!("{container}.{field}")
}

fn check(
    schema: &Schema,
    container: &str,
    field: &str,
    value: Option<&Value>,
) -> Result<(), LedgerError> {
    schema
        .check(container, field, value.unwrap_or(&Value::Null))
        .map_err(|reason| LedgerError::invalid(full(container, field), reason.code()))
}
