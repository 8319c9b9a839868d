//! Rows that departments delivered follow the people they are about, from one household to another, when the index of
//! people does. Must not know what a row says.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};
use wanhu_core::domain::person::Blind;
use wanhu_core::store::StoreError;

use super::persons;

/// Moves rows after a household was indexed anew: those of people who do not live in it any more, and those of people who
/// came or left (`seen`) that are still elsewhere. Rows of somebody who lives nowhere, or in several households, wait where
/// they are. `residents` are none where the record was merged into another.
///
/// # Errors
/// Where the file fails.
pub(super) fn follow(
    transaction: &Transaction<'_>,
    household: i64,
    residents: &[Blind],
    mut seen: Vec<Blind>,
) -> Result<(), StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO department_stray (person, household) VALUES (?1, ?2)",
    )?;
    for stranger in with_rows(transaction, household)? {
        if !residents.contains(&stranger) {
            insert.execute(params![stranger.0, household])?;
            seen.push(stranger);
        }
    }
    seen.into_iter().try_for_each(|person| settle(transaction, &person))
}

/// The people whose rows a household has.
fn with_rows(transaction: &Transaction<'_>, household: i64) -> Result<Vec<Blind>, StoreError> {
    let mut statement = transaction
        .prepare_cached("SELECT person FROM department_row WHERE household = ?1 AND NOT moved")?;
    let people = statement.query_map([household], |row| row.get(0))?;
    let people = people.collect::<Result<BTreeSet<[u8; 16]>, _>>()?;
    Ok(people.into_iter().map(Blind).collect())
}

/// Moves what somebody has left behind to the household where they live.
fn settle(transaction: &Transaction<'_>, person: &Blind) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("SELECT household FROM department_stray WHERE person = ?1")?;
    let left = statement.query_map([person.0], |row| row.get(0))?;
    let left: Vec<i64> = left.collect::<Result<_, _>>()?;
    if left.is_empty() {
        return Ok(());
    }
    let [home] = persons::homes(transaction, person)?[..] else { return Ok(()) };
    for from in left.into_iter().filter(|from| *from != home) {
        transaction
            .prepare_cached(
                "INSERT INTO department_row (household, key, import, row, person, content)
                 SELECT ?3, key, import, row, person, content FROM department_row
                 WHERE household = ?2 AND person = ?1 AND NOT moved
                 ON CONFLICT DO UPDATE SET moved = 0",
            )?
            .execute(params![person.0, from, home])?;
        transaction
            .prepare_cached(
                "UPDATE department_row SET moved = 1
                 WHERE household = ?2 AND person = ?1 AND NOT moved",
            )?
            .execute(params![person.0, from])?;
    }
    transaction
        .prepare_cached("DELETE FROM department_stray WHERE person = ?1")?
        .execute([person.0])?;
    Ok(())
}
