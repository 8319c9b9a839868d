//! Which sheets were made, and what they said, as digests. Must not know what a form shows.

use rusqlite::{Connection, Transaction, params};
use wanhu_core::document::form::Digest;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::StoreError;

/// A sheet's households and what it says about each.
pub type Digests = Vec<(HouseholdId, Digest)>;

/// Remembers a sheet in place of the last one of this form and area.
///
/// # Errors
/// Where the file fails.
pub fn made(
    transaction: &Transaction<'_>,
    form: &str,
    area: u64,
    digests: &Digests,
    now_ms: i64,
) -> Result<(), StoreError> {
    let area = area.cast_signed();
    transaction
        .execute("DELETE FROM form_output WHERE form = ?1 AND area = ?2", params![form, area])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO form_output (form, area, household, digest, made_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (household, digest) in digests {
        insert.execute(params![form, area, household.0, digest, now_ms])?;
    }
    Ok(())
}

/// What the last sheet of this form and area said; empty where there was none.
///
/// # Errors
/// Where the file fails.
pub fn last(connection: &Connection, form: &str, area: u64) -> Result<Digests, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT household, digest FROM form_output WHERE form = ?1 AND area = ?2",
    )?;
    let rows = statement.query_map(params![form, area.cast_signed()], |row| {
        Ok((HouseholdId(row.get(0)?), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
