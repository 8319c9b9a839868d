//! How far records have been judged for an office, and which have changed since. Must not know what they are judged by.

use rusqlite::{Connection, Transaction};
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;

use super::following::{self, log_end};

/// What is to be judged for an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Local numbers of households.
    pub households: Vec<i64>,
    /// The log entry up to which they are as they were.
    pub through: i64,
    /// Whether there are entries that nobody has been through, about whomever.
    pub is_behind: bool,
}

/// The households of these areas that changed since somebody was last through with them; all of them where that was by other
/// rules.
///
/// # Errors
/// Where the file fails.
pub fn waiting(
    connection: &Connection,
    account: &str,
    areas: &[u64],
    made_from: &[u8],
) -> Result<Waiting, StoreError> {
    let reach = following::reach(connection, &place(account), made_from)?;
    let through = log_end(connection)?;
    let households = match reach {
        0 => of_areas(connection, areas)?,
        _ => {
            let sql = "SELECT DISTINCT household FROM log WHERE n > ?1 AND n <= ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let changed = statement.query_map([reach, through], |row| row.get(0))?;
            let changed = changed.collect::<Result<Vec<i64>, _>>()?;
            changed
                .into_iter()
                .filter_map(|n| is_in(connection, n, areas).map(|is| is.then_some(n)).transpose())
                .collect::<Result<_, _>>()?
        }
    };
    Ok(Waiting { households, through, is_behind: through > reach })
}

/// The households of these areas.
///
/// # Errors
/// Where the file fails.
pub fn of_areas(connection: &Connection, areas: &[u64]) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT n FROM household WHERE scope BETWEEN ?1 AND ?2 ORDER BY scope, id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut households = Vec::new();
    for area in areas {
        let (first, last) = region::villages_of(*area);
        let rows = statement.query_map([first.cast_signed(), last.cast_signed()], |row| row.get(0));
        for n in rows? {
            households.push(n?);
        }
    }
    Ok(households)
}

fn is_in(connection: &Connection, n: i64, areas: &[u64]) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope FROM household WHERE n = ?1")?;
    let village: i64 = statement.query_row([n], |row| row.get(0))?;
    Ok(areas.iter().any(|area| region::code_contains(*area, village.cast_unsigned())))
}

/// Somebody is through with what was waiting.
///
/// # Errors
/// Where the file fails.
pub fn through(
    transaction: &Transaction<'_>,
    account: &str,
    through: i64,
    made_from: &[u8],
) -> Result<(), StoreError> {
    following::reached(transaction, &place(account), through, made_from)
}

fn place(account: &str) -> String {
    format!("judged_through:{account}")
}
