//! What of a record stands there because these rows of a list said so, and nobody has touched it since. Must not know a rule.

use rusqlite::Connection;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::Household;

use super::effects::{self, Said};
use crate::storage::department::StagedRow;
use crate::warnings::provenance::LastWords;

/// What the record shows as these rows say it, and a department has written.
pub(super) fn filled_in<'r>(
    connection: &Connection,
    key: &PersonKey,
    household: &Household,
    facts: &'r Facts,
    rows: &'r [StagedRow],
) -> Result<Vec<Said<'r>>, StoreError> {
    let mut agreed = effects::agreed(key, facts, rows);
    if !agreed.is_empty() {
        let words = LastWords::of(connection, household)?;
        agreed.retain(|said| words.is_a_departments(said.container, &said.key()));
    }
    Ok(agreed)
}
