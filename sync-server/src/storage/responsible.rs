//! Who is responsible for which household: found by account and by village. Follows the log at its own pace. Must not know an
//! account; whoever asks does.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, Transaction, params};
use wanhu_core::document::facts::{facts, facts_of};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region;
use wanhu_core::store::{StoreError, records};

use super::Storage;
use super::following::Follower;

/// Brings the rows up to the end of the log. Where they are there already, the writer is left alone.
///
/// # Errors
/// Where the file fails.
pub fn catch_up(storage: &Storage) -> Result<(), StoreError> {
    Follower { name: "responsible_through", made_from: Vec::new(), fold: keep }.catch_up(storage)
}

fn keep(transaction: &Transaction<'_>, n: i64) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM responsible WHERE household = ?1")?.execute([n])?;
    let household = records::get(transaction, n)?;
    let named = facts_of(&household.fold, household.scope, &["cadres"]);
    // Most households have no cadre: the whole record is read of the others.
    if named.cadres().next().is_none() || !facts(&household.fold, household.scope).is_active() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO responsible (household, cadre, scope, account, ends) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for cadre in named.cadres().filter(|cadre| !cadre.text("account").is_empty()) {
        let ends = cadre.day("to").map_or_else(|| "none".to_owned(), |last| last.to_string());
        let scope = household.scope.cast_signed();
        statement.execute(params![n, cadre.id, scope, cadre.text("account"), ends])?;
    }
    Ok(())
}

/// Villages in which an account is responsible for households on a day, and for how many.
///
/// # Errors
/// Where the file fails.
pub fn of_account(
    connection: &Connection,
    account: &str,
    today: Day,
) -> Result<Vec<(u64, u32)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT scope, count(DISTINCT household) FROM responsible
         WHERE account = ?1 AND ends >= ?2 GROUP BY scope ORDER BY scope",
    )?;
    let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
    let rows = statement.query_map(params![account, today.to_string()], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A household that is left to somebody who does not reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub village: u64,
    /// The row of its cadre.
    pub cadre: String,
}

/// The households of an area of which nobody who is responsible on a day reaches the village, by village and id. `reaches` is
/// asked of a village and an account.
///
/// # Errors
/// Where the file fails.
pub fn out_of_reach(
    connection: &Connection,
    area: u64,
    today: Day,
    reaches: impl Fn(u64, &str) -> bool,
) -> Result<Vec<Left>, StoreError> {
    let ((first, last), today) = (region::villages_of(area), today.to_string());
    let mut pairs = connection.prepare_cached(
        "SELECT DISTINCT scope, account FROM responsible
         WHERE scope BETWEEN ?1 AND ?2 AND ends >= ?3",
    )?;
    let pair = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
    let pairs = pairs.query_map(params![first.cast_signed(), last.cast_signed(), today], pair)?;
    let mut villages = BTreeSet::new();
    for pair in pairs {
        let (village, account): (u64, String) = pair?;
        if !reaches(village, &account) {
            villages.insert(village);
        }
    }
    let mut found = Vec::new();
    for village in villages {
        let reaches = |account: &str| reaches(village, account);
        found.extend(left_in(connection, village, &today, reaches)?);
    }
    Ok(found)
}

fn left_in(
    connection: &Connection,
    village: u64,
    today: &str,
    reaches: impl Fn(&str) -> bool,
) -> Result<Vec<Left>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT h.id, r.cadre, r.account FROM responsible r JOIN household h ON h.n = r.household
         WHERE r.scope = ?1 AND r.ends >= ?2 ORDER BY h.id, r.cadre",
    )?;
    let rows = statement.query_map(params![village.cast_signed(), today], |row| {
        let cadre = Left { household: HouseholdId(row.get(0)?), village, cadre: row.get(1)? };
        Ok((cadre, row.get::<_, String>(2)?))
    })?;
    let cadres = rows.collect::<Result<Vec<_>, _>>()?;
    let households = cadres.chunk_by(|(one, _), (other, _)| one.household == other.household);
    let left = households.filter(|cadres| !cadres.iter().any(|(_, account)| reaches(account)));
    Ok(left.filter_map(|cadres| cadres.first().map(|(cadre, _)| cadre.clone())).collect())
}
