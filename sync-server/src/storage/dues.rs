//! The households about which something is overdue. By when something is due at the earliest follows the log; of those whose
//! day is over, the record decides. Must not know who asks.

use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};
use wanhu_core::document::facts::facts;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::policy::{Policy, Published};
use wanhu_core::domain::region;
use wanhu_core::domain::workflow;
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

/// To be raised whenever something is due on another day than before under the same policy.
const RECKONING: &str = "2: by the server's clock";

/// Days follow from the policy, and from what this release makes of it.
fn made_from(policy: &Published) -> Vec<u8> {
    let hash = Sha256::new().chain_update(RECKONING).chain_update(&policy.text);
    hash.finalize().to_vec()
}

fn keep(transaction: &Transaction<'_>, policy: &Policy, n: i64) -> Result<(), StoreError> {
    let due = match listing::is_with_tasks(transaction, n)? {
        true => {
            let household = records::get(transaction, n)?;
            let facts = facts(&household.fold, household.scope);
            let case = taken::case(transaction, &household, &facts)?;
            let first = workflow::first_due(&facts, &case, policy);
            first.map(|first| (household.scope, first))
        }
        false => None,
    };
    let Some((scope, first)) = due else {
        transaction.prepare_cached("DELETE FROM due WHERE household = ?1")?.execute([n])?;
        return Ok(());
    };
    transaction
        .prepare_cached(
            "INSERT INTO due (household, scope, due_on) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET scope = ?2, due_on = ?3",
        )?
        .execute(params![n, scope.cast_signed(), first.to_string()])?;
    Ok(())
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
            "SELECT scope, household FROM due WHERE scope BETWEEN ?1 AND ?2 AND due_on < ?3
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
mod tests {
    use wanhu_core::document::edit::{RecordEdit, StepForm};
    use wanhu_core::domain::authority::Role;
    use wanhu_core::domain::ids::HouseholdId;
    use wanhu_core::domain::person::PersonKey;
    use wanhu_core::domain::policy::EXAMPLES_TOML;
    use wanhu_core::domain::workflow::{Case, Stage};
    use wanhu_core::store::records::Household;
    use wanhu_core::system::SystemEntropy;

    use super::*;
    use crate::accounts::Account;
    use crate::storage::author::{self, Author};

    const VILLAGE: u64 = 431_022_208_217;

    /// A family of which somebody told on a Friday.
    fn told_of(storage: &Storage, number: u8) {
        told_of_a(storage, VILLAGE, "陈永昌", number, "2024-03-01");
    }

    /// A family of which the server heard on that Friday, whatever day the step states.
    fn told_of_a(storage: &Storage, village: u64, head_name: &str, number: u8, on: &str) {
        let account = Account {
            id: "li".into(),
            name: "李明".into(),
            role: Role::VillageCadre,
            areas: vec![village],
            granted_by: String::new(),
            disabled: false,
        };
        let author = Author::office(account, 1_709_251_200_000, PersonKey::new([7; 32]));
        let household = Household::unsaved(HouseholdId([number; 16]), village);
        let (step, on) = (StepForm::to(Stage::Clue), on.parse().unwrap());
        let edit = RecordEdit::default().set("basic", "head_name", head_name);
        let edit = edit.step(&Case::default(), &step, "village", on);
        let write = move |transaction: &Transaction<'_>| {
            author::write(transaction, &author, &Policy::default(), household, &edit)
        };
        storage.writer().write(write).unwrap().unwrap();
    }

    #[test]
    fn who_has_a_rare_name_is_found_among_all_that_are_late() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
        let policy = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
        for number in 0..60 {
            let name = if number % 13 == 5 { "欧阳萱" } else { "陈永昌" };
            told_of_a(&storage, VILLAGE + u64::from(number) / 3, name, number, "2024-03-01");
            if number == 50 {
                // What comes later is found in the log.
                catch_up(&storage, &policy).unwrap();
            }
        }
        let late: Day = "2024-03-20".parse().unwrap();
        let page = |search: Option<&str>, after: Option<PageStart>, rows: usize, today| {
            let filter = ListFilter { search: search.map(str::to_owned), ..ListFilter::default() };
            let page = |c: &Connection| overdue(c, &filter, after.as_ref(), rows, (&policy, today));
            storage.read(page).unwrap()
        };
        let mut named = page(None, None, 100, late);
        assert_eq!(named.len(), 60);
        named.retain(|row| row.head_name == "欧阳萱");
        assert_eq!(named.len(), 5);
        for rows in 1..7 {
            let mut paged = Vec::new();
            loop {
                let next = page(Some("欧阳"), paged.last().map(ListRow::place), rows, late);
                // Only the last page may have room left.
                let is_last = next.len() < rows;
                paged.extend(next);
                if is_last {
                    break;
                }
            }
            assert_eq!(paged, named, "{rows} a page");
        }
        let in_time = "2024-03-02".parse().unwrap();
        assert_eq!(page(Some("欧阳"), None, 1, in_time), []);
    }

    #[test]
    fn a_clock_that_runs_ahead_puts_nothing_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
        let policy = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
        let late = |today: &str| {
            let today = today.parse().unwrap();
            let page =
                |c: &Connection| overdue(c, &ListFilter::default(), None, 50, (&policy, today));
            storage.read(page).unwrap().len()
        };
        told_of_a(&storage, VILLAGE, "陈永昌", 1, "2027-03-01");
        // Steps that are older than their way to the server keep their day.
        told_of_a(&storage, VILLAGE, "陈国建", 2, "2024-02-27");
        for reach in ["none", "all"] {
            assert_eq!([late("2024-03-05"), late("2024-03-06"), late("2024-03-08")], [0, 1, 1]);
            assert_eq!(
                late("2024-03-09"),
                2,
                "five working days from when the server took it, {reach}"
            );
            catch_up(&storage, &policy).unwrap();
        }
    }

    #[test]
    fn what_is_overdue_does_not_depend_on_how_far_the_days_have_come() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        let storage = Storage::open(&path, &[7; 32], &mut SystemEntropy).unwrap();
        told_of(&storage, 1);
        let mut told = 1;
        let five = Arc::new(Published::parse(EXAMPLES_TOML).unwrap());
        let longer = EXAMPLES_TOML.replacen("days = 5\n", "days = 15\n", 1);
        let fifteen = Arc::new(Published::parse(&longer).unwrap());
        let rounds = [(&five, "2024-03-08"), (&fifteen, "2024-03-22"), (&five, "2024-03-08")];
        for (policy, last) in rounds {
            let last: Day = last.parse().unwrap();
            let late = |today: Day| {
                let all = ListFilter::default();
                let page = |c: &Connection| overdue(c, &all, None, 50, (policy, today));
                storage.read(page).unwrap().len()
            };
            assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of another policy");
            catch_up(&storage, policy).unwrap();
            assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of this policy");
            told += 1;
            told_of(&storage, u8::try_from(told).unwrap());
            assert_eq!((late(last), late(last.plus_days(1))), (0, told), "of before the last one");
        }
    }
}
