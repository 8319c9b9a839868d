//! Households as they were: those of an area on a past day, and who lived there then; one of them once something was written.
//! From the log, by the server's clock. Must not know who asks, or what is counted.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use wanhu_core::document::change::FieldOp;
use wanhu_core::document::fold::Fold;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};
use wanhu_core::sync::chain::EntryKind;
use wanhu_core::sync::wire::Scope;

/// Goes through the households of an area as they are or, where a past day is named, as they were at its end: state and
/// village of then, beside the village where each lives now. `area` is a region code of any level.
///
/// # Errors
/// Where the file fails.
pub fn for_each_on(
    connection: &Connection,
    area: u64,
    day: Option<Day>,
    mut tell: impl FnMut(Household, Scope) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(day) = day else {
        return records::for_each(connection, area, |household| {
            let lives_in = household.scope;
            tell(household, lives_in)
        });
    };
    let until_ms = day.plus_days(1).begins_ms();
    let mut tell_as_of = |household: Household, scope| {
        if let Some(fold) = fold_as_of(connection, household.n, until_ms)? {
            let lives_in = household.scope;
            tell(Household { scope, fold, ..household }, lives_in)?;
        }
        Ok(())
    };
    let moved = moved_since(connection, area, until_ms)?;
    records::for_each(connection, area, |household| match moved.contains_key(&household.n) {
        true => Ok(()),
        false => {
            let scope = household.scope;
            tell_as_of(household, scope)
        }
    })?;
    for (n, scope) in moved.into_iter().filter(|(_, scope)| region::code_contains(area, *scope)) {
        tell_as_of(records::get(connection, n)?, scope)?;
    }
    Ok(())
}

/// The households that came to villages of an area or went from them since an instant, by local number, each with where it
/// lived before. Reads the area's part of the log once.
fn moved_since(
    connection: &Connection,
    area: u64,
    since_ms: i64,
) -> Result<BTreeMap<i64, Scope>, StoreError> {
    let (first, last) = region::villages_of(area);
    let mut statement = connection.prepare_cached(
        "SELECT household, CASE kind WHEN ?4 THEN scope ELSE other_scope END FROM log
         WHERE scope BETWEEN ?1 AND ?2 AND received_ms >= ?3 AND kind IN (?4, ?5) ORDER BY n",
    )?;
    let (leave, enter) = (EntryKind::Leave as u8, EntryKind::Enter as u8);
    let mut moves = statement.query(params![
        first.cast_signed(),
        last.cast_signed(),
        since_ms,
        leave,
        enter
    ])?;
    let mut lived_in = BTreeMap::new();
    while let Some(row) = moves.next()? {
        // Of several moves the first says where it was until then.
        lived_in.entry(row.get(0)?).or_insert(row.get::<_, i64>(1)?.cast_unsigned());
    }
    Ok(lived_in)
}

/// A household from what had been taken before an instant; none where nothing had.
fn fold_as_of(connection: &Connection, n: i64, until_ms: i64) -> Result<Option<Fold>, StoreError> {
    // Changes are numbered as they are taken, and so are a household's log entries.
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT max(change) FROM log WHERE household = ?1 AND kind = 1 AND received_ms < ?2",
        )?
        .query_row(params![n, until_ms], |row| row.get(0))?;
    let Some(last) = last else { return Ok(None) };
    records::refold_those(connection, n, |stored, _| stored.n <= last)
}

/// A household as it was once a change had been taken.
#[derive(Clone, Debug)]
pub struct Then {
    /// Its state, that change included.
    pub fold: Fold,
    /// The village it was in.
    pub village: Scope,
    /// When the change was taken, by the server's clock, milliseconds since 1970 UTC.
    pub taken_ms: i64,
}

/// A household once the first change with such an operation had been taken; none where none has.
///
/// # Errors
/// Where the file fails.
pub fn once_written(
    connection: &Connection,
    household: &Household,
    is_it: impl Fn(&FieldOp) -> bool,
) -> Result<Option<Then>, StoreError> {
    let mut found = None;
    let fold = records::refold_those(connection, household.n, |stored, change| {
        let is_before = found.is_none();
        if is_before && change.ops.iter().any(&is_it) {
            found = Some(stored.n);
        }
        is_before
    })?;
    let (Some(n), Some(fold)) = (found, fold) else { return Ok(None) };
    let (taken_ms, place) = connection
        .prepare_cached(
            "SELECT received_ms, n FROM log WHERE household = ?1 AND change = ?2 AND kind = ?3",
        )?
        .query_row(params![household.n, n, EntryKind::Change as u8], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let village = village_at(connection, household, place)?;
    Ok(Some(Then { fold, village, taken_ms }))
}

/// The village a household was in at a place of the log: the one that it left next.
fn village_at(
    connection: &Connection,
    household: &Household,
    place: i64,
) -> Result<Scope, StoreError> {
    let left: Option<i64> = connection
        .prepare_cached(
            "SELECT scope FROM log WHERE household = ?1 AND kind = ?2 AND n > ?3 ORDER BY n LIMIT 1",
        )?
        .query_row(params![household.n, EntryKind::Leave as u8, place], |row| row.get(0))
        .optional()?;
    Ok(left.map_or(household.scope, i64::cast_unsigned))
}
