//! In which households on a phone a person lives: an index by identity number, so that nobody has to read every record to
//! find a second one. The phone only; a server keeps no number that can be read. Must not judge what is found.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::records::{self, Household};
use super::{StoreError, open};
use crate::document::duplicate::identity_numbers;
use crate::domain::identity::IdentityNumber;
use crate::domain::ids::HouseholdId;

/// Households looked at in one transaction.
const HOUSEHOLDS_A_TURN: u32 = 500;

/// A record in use, other than `household`, in which this person lives. With more than one it is always the same.
const OTHER_SQL: &str = "SELECT h.id FROM resident r JOIN listing l ON l.household = r.household
    JOIN household h ON h.n = r.household
    WHERE r.number = ?1 AND r.household <> ?2 AND l.status IN ('', 'active') ORDER BY h.id LIMIT 1";

/// Looks at some of the households that were saved since the last time. Whether there were any.
///
/// # Errors
/// Where the file fails.
pub fn take_a_turn(connection: &mut Connection) -> Result<bool, StoreError> {
    let due = {
        let mut statement =
            connection.prepare_cached("SELECT household FROM resident_due LIMIT ?1")?;
        let rows = statement.query_map([HOUSEHOLDS_A_TURN], |row| row.get(0))?;
        rows.collect::<Result<Vec<i64>, _>>()?
    };
    if due.is_empty() {
        return Ok(false);
    }
    let transaction = open::begin(connection)?;
    for n in due {
        match records::get(&transaction, n) {
            Ok(household) => index(&transaction, &household)?,
            // One that cannot be read keeps nobody from finding the others.
            Err(StoreError::Damaged | StoreError::Document(_)) => seen(&transaction, n)?,
            Err(error) => return Err(error),
        }
    }
    open::commit(transaction)?;
    Ok(true)
}

/// Writes who lives in a household, as it was just saved.
///
/// # Errors
/// Where the file fails.
pub fn index(transaction: &Transaction<'_>, household: &Household) -> Result<(), StoreError> {
    let n = household.n;
    let numbers = identity_numbers(&household.fold);
    let now: BTreeSet<i64> = numbers.iter().filter_map(place).collect();
    let before: BTreeSet<i64> = {
        let mut statement =
            transaction.prepare_cached("SELECT number FROM resident WHERE household = ?1")?;
        statement.query_map([n], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    for number in before.difference(&now) {
        transaction
            .prepare_cached("DELETE FROM resident WHERE number = ?1 AND household = ?2")?
            .execute(params![number, n])?;
    }
    for number in now.difference(&before) {
        transaction
            .prepare_cached("INSERT INTO resident (number, household) VALUES (?1, ?2)")?
            .execute(params![number, n])?;
    }
    seen(transaction, n)
}

fn seen(transaction: &Transaction<'_>, n: i64) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM resident_due WHERE household = ?1")?.execute([n])?;
    Ok(())
}

/// Another record in use in which a person lives, as far as the index reaches: see [`take_a_turn`].
///
/// # Errors
/// Where the file fails.
pub fn other_home(
    connection: &Connection,
    n: i64,
    number: &IdentityNumber,
) -> Result<Option<HouseholdId>, StoreError> {
    let mut statement = connection.prepare_cached(OTHER_SQL)?;
    let found = statement.query_row(params![place(number), n], |row| Ok(HouseholdId(row.get(0)?)));
    Ok(found.optional()?)
}

/// The check character follows from the other seventeen digits.
fn place(number: &IdentityNumber) -> Option<i64> {
    number.as_str().get(..17)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::REPLICA_MIGRATIONS;

    #[test]
    fn a_person_is_looked_up_and_never_searched_for() {
        let connection = open::open_in_memory(REPLICA_MIGRATIONS).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {OTHER_SQL}")).unwrap();
        let plan = statement.query_map([1, 1], |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = plan.map(Result::unwrap).collect();
        assert!(plan[0].starts_with("SEARCH r USING PRIMARY KEY (number=?"), "{plan:?}");
        assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");
    }
}
