//! What has to be done about households: pages of tasks, and of the households about which one is overdue. By when each task is
//! due follows the log; of what is on a page, the record decides. Must not know what a task is.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use wanhu_core::document::facts::facts;
use wanhu_core::domain::asking::Asking;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::policy::{Policy, Published};
use wanhu_core::domain::region;
use wanhu_core::domain::workflow::{self, Foreseen, Task, TaskKind};
use wanhu_core::store::cases::{self, TaskPlace, TaskView};
use wanhu_core::store::listing::{self, ListFilter, ListRow, PageStart, Part};
use wanhu_core::store::{StoreError, records};

use super::following::{self, Follower};
use super::{Storage, search, taken};

/// Brings the days up to the end of the log, and to the policy. Where they are there already, the writer is left alone.
///
/// # Errors
/// Where the file fails.
pub fn catch_up(storage: &Storage, policy: &Arc<Published>) -> Result<(), StoreError> {
    let (made_from, policy) = (made_from(policy), policy.clone());
    let fold = move |transaction: &Transaction<'_>, n| keep(transaction, &policy.policy, n);
    Follower { name: PLACE, made_from, fold }.catch_up(storage)
}

/// Where it is kept how far the days reach.
const PLACE: &str = "dues_through";

/// To be raised whenever a task is another than before under the same policy.
const RECKONING: &str = "8: what is carried over, and visits of days to come";

/// Days follow from the policy, and from what this release makes of it.
fn made_from(policy: &Published) -> Vec<u8> {
    let hash = Sha256::new().chain_update(RECKONING);
    // Kinds are kept by their places.
    let kinds = TaskKind::ALL.into_iter().map(TaskKind::code);
    let hash = kinds.fold(hash, |hash, kind| hash.chain_update(kind).chain_update("/"));
    hash.chain_update(&policy.text).finalize().to_vec()
}

fn keep(transaction: &Transaction<'_>, policy: &Policy, n: i64) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM due WHERE household = ?1")?.execute([n])?;
    if !listing::is_with_tasks(transaction, n)? {
        return Ok(());
    }
    let household = records::get(transaction, n)?;
    let facts = facts(&household.fold, household.scope);
    let case = taken::case(transaction, &household, &facts)?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO due (household, scope, desk, due_on, kind, subject, id, begins)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let first = heard_of(transaction, n)?;
    for Foreseen { task, from } in workflow::foreseen(&facts, &case, policy, first) {
        let Some(desk) = desk(task.kind, household.scope) else { continue };
        statement.execute(params![
            n,
            household.scope.cast_signed(),
            desk.cast_signed(),
            day_key(task.due_on),
            task.kind as u8,
            task.subject,
            household.id.0,
            from.map(|from| from.to_string()).unwrap_or_default()
        ])?;
    }
    Ok(())
}

/// The day on which the server last heard of a household.
fn heard_of(transaction: &Transaction<'_>, n: i64) -> Result<Day, StoreError> {
    let mut statement =
        transaction.prepare_cached("SELECT max(received_ms) FROM log WHERE household = ?1")?;
    let heard_ms: Option<i64> = statement.query_row([n], |row| row.get(0))?;
    Ok(Day::in_china(heard_ms.unwrap_or_default()))
}

/// The area whose task it is, in a household of this village.
fn desk(kind: TaskKind, village: u64) -> Option<u64> {
    kind.role().levels().iter().find_map(|level| region::at_level(village, *level))
}

/// As it is kept: what has no last day stands behind all that has one.
fn day_key(due_on: Option<Day>) -> String {
    due_on.map_or_else(|| "none".to_owned(), |day| day.to_string())
}

/// One page of what the asking account has to do: so many tasks behind a place, in the order of [`cases::tasks`]. Exact wherever
/// the days have come to: of what has changed since, every record is asked.
///
/// # Errors
/// Where the file fails.
pub fn page(
    connection: &Connection,
    asking: &Asking<'_>,
    policy: &Published,
    (after, rows_max): (Option<&TaskPlace>, usize),
) -> Result<Vec<TaskView>, StoreError> {
    let reach = following::reach(connection, PLACE, &made_from(policy))?;
    let is_behind = |view: &TaskView| after.is_none_or(|after| *after < view.place());
    let mut found = Vec::new();
    if reach == 0 {
        found = cases::tasks(connection, asking, taken::case)?;
        found.retain(is_behind);
    } else {
        for n in changed(connection, asking.areas, reach)? {
            found.extend(cases::tasks_about(connection, n, asking, taken::case)?);
        }
        found.retain(is_behind);
        for area in asking.areas {
            let behind = (after, rows_max);
            found.extend(at_desk(connection, (*area, reach), asking, behind)?);
        }
        found.sort_by_cached_key(TaskView::place);
    }
    found.truncate(rows_max);
    Ok(found)
}

/// Local numbers of the households with tasks that the days have not come to, in areas of one level.
fn changed(connection: &Connection, areas: &[u64], reach: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT household FROM listing WHERE tasks <> 0 AND scope BETWEEN ?1 AND ?2
         AND household IN (SELECT household FROM log WHERE n > ?3)",
    )?;
    let mut found = Vec::new();
    for area in areas {
        let (first, last) = region::villages_of(*area);
        let bound = params![first.cast_signed(), last.cast_signed(), reach];
        let rows = statement.query_map(bound, |row| row.get(0))?;
        found.extend(rows.collect::<Result<Vec<i64>, _>>()?);
    }
    Ok(found)
}

/// The first tasks of one area behind a place, of those households that the days have come to.
fn at_desk(
    connection: &Connection,
    (desk, reach): (u64, i64),
    asking: &Asking<'_>,
    (after, rows_max): (Option<&TaskPlace>, usize),
) -> Result<Vec<TaskView>, StoreError> {
    let mine = TaskKind::ALL.into_iter().filter(|kind| asking.does(*kind));
    let mine: Vec<_> = mine.map(|kind| kind as u8).collect();
    let mut statement = connection.prepare_cached(
        "SELECT household, due_on, kind, subject FROM due
         WHERE desk = ?1 AND (due_on, kind, subject, id) > (?2, ?3, ?4, ?5)
         AND kind IN (SELECT value FROM json_each(?6)) AND begins <= ?7
         AND household NOT IN (SELECT household FROM log WHERE n > ?8)
         ORDER BY due_on, kind, subject, id",
    )?;
    let key = |task: &Task| (day_key(task.due_on), task.kind as u8, task.subject.clone());
    let id = after.map_or_else(Vec::new, |after| after.household().0.to_vec());
    let (due_on, kind, subject) = after.map(|after| key(after.task())).unwrap_or_default();
    let mut rows = statement.query(params![
        desk.cast_signed(),
        due_on,
        kind,
        subject,
        id,
        format!("{mine:?}"),
        asking.today.to_string(),
        reach
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()?.filter(|_| found.len() < rows_max) {
        let kept = (row.get(1)?, row.get(2)?, row.get(3)?);
        let views = cases::tasks_about(connection, row.get(0)?, asking, taken::case)?;
        // Whoever has a cadre of its own is left to that one.
        found.extend(views.into_iter().filter(|view| key(&view.task) == kept));
    }
    Ok(found)
}

/// One page of the households about which something is overdue, whose ever it is, in the list's order. Exact wherever the days
/// have come to: of what has changed since, every record is asked.
///
/// # Errors
/// Where the file fails.
pub fn overdue(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows_max: usize,
    (policy, today): (&Published, Day),
) -> Result<Vec<ListRow>, StoreError> {
    let (first, last) = filter.area.map_or((0, i64::MAX.cast_unsigned()), region::villages_of);
    let reach = following::reach(connection, PLACE, &made_from(policy))?;
    let mut from = Some(after.map_or(first, |after| after.scope.max(first)));
    let (mut found, mut stretch, mut named) = (Vec::new(), rows_max, None);
    while let Some(village) = from.filter(|_| found.len() < rows_max) {
        if named.is_none() && stretch > STRETCHES * rows_max {
            // Few of those that are late have the name: of the others not even the list row is read.
            named = search::numbers(connection, filter)?;
        }
        let (mut among, next) = late(connection, (village, last), (today, reach), stretch)?;
        if let Some(named) = &named {
            among.retain(|n| named.contains(n));
        }
        // Where few fit the filter, many are looked at in the end: not a few at a time.
        stretch = stretch.saturating_mul(4);
        let part = Part { after, among: Some(&among), ..Part::default() };
        for row in listing::page_of(connection, filter, part, u32::MAX)? {
            if found.len() < rows_max && is_overdue(connection, &row, &policy.policy, today)? {
                found.push(row);
            }
        }
        from = next;
    }
    Ok(found)
}

/// Late households that are held against a name one by one, in pages, before the name is looked up.
const STRETCHES: usize = 4;

/// The households of whole villages that may be late, as few villages as have so many of them; and the village with which to
/// go on.
fn late(
    connection: &Connection,
    (first, last): (u64, u64),
    (today, reach): (Day, i64),
    rows: usize,
) -> Result<(Vec<i64>, Option<u64>), StoreError> {
    let (from, through, today) = (first.cast_signed(), last.cast_signed(), today.to_string());
    let mut statement = connection.prepare_cached(match reach {
        0 => {
            "SELECT scope, household FROM listing
             WHERE tasks <> 0 AND scope BETWEEN ?1 AND ?2 ORDER BY scope"
        }
        _ => {
            "SELECT DISTINCT scope, household FROM due
             WHERE scope BETWEEN ?1 AND ?2 AND due_on < ?3 AND begins <= ?3
             AND household NOT IN (SELECT household FROM log WHERE n > ?4)
             UNION ALL SELECT scope, household FROM listing
             WHERE tasks <> 0 AND scope BETWEEN ?1 AND ?2
             AND household IN (SELECT household FROM log WHERE n > ?4) ORDER BY scope"
        }
    })?;
    let mut candidates = match reach {
        0 => statement.query(params![from, through])?,
        _ => statement.query(params![from, through, today, reach])?,
    };
    let (mut among, mut village) = (Vec::new(), first);
    while let Some(row) = candidates.next()? {
        let scope = row.get::<_, i64>(0)?.cast_unsigned();
        if scope != village && among.len() >= rows {
            return Ok((among, Some(scope)));
        }
        village = scope;
        among.push(row.get(1)?);
    }
    Ok((among, None))
}

fn is_overdue(
    connection: &Connection,
    row: &ListRow,
    policy: &Policy,
    today: Day,
) -> Result<bool, StoreError> {
    let Some(household) = records::find(connection, row.id)? else { return Ok(false) };
    let facts = facts(&household.fold, household.scope);
    let case = taken::case(connection, &household, &facts)?;
    let tasks = workflow::tasks(&facts, &case, policy, today);
    Ok(tasks.iter().any(|task| task.is_overdue(today)))
}

#[cfg(test)]
mod tests;
