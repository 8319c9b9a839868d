//! The grid of households that were listed before lists knew grids: written down once, when a newer release first opens the
//! file, on phone and server alike. Must not know how lists are read.

use rusqlite::{Connection, params};

use super::{StoreError, listing, open, records};

/// Households looked at in one transaction.
const HOUSEHOLDS_A_TURN: u32 = 500;

/// Writes down the grid of every household of which nobody has looked yet. Cut off, it goes on where it was.
///
/// # Errors
/// Where the file fails.
pub fn note(connection: &mut Connection) -> Result<(), StoreError> {
    open::unhurried(connection, |connection| {
        while take_a_turn(connection)? {}
        Ok(())
    })
}

fn take_a_turn(connection: &mut Connection) -> Result<bool, StoreError> {
    let due = {
        let mut statement = connection
            .prepare_cached("SELECT household FROM listing WHERE grid IS NULL LIMIT ?1")?;
        let rows = statement.query_map([HOUSEHOLDS_A_TURN], |row| row.get(0))?;
        rows.collect::<Result<Vec<i64>, _>>()?
    };
    if due.is_empty() {
        return Ok(false);
    }
    let transaction = open::begin(connection)?;
    for n in due {
        let household = match records::get(&transaction, n) {
            Ok(household) => Some(household),
            // One that cannot be read keeps nobody from listing the others.
            Err(StoreError::Damaged | StoreError::Document(_)) => None,
            Err(error) => return Err(error),
        };
        let grid = household.as_ref().map_or("", |household| listing::grid_of(&household.fold));
        transaction
            .prepare_cached("UPDATE listing SET grid = ?2 WHERE household = ?1")?
            .execute(params![n, grid])?;
    }
    open::commit(transaction)?;
    Ok(true)
}
