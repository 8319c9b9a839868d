//! Finding households of a whole city by a part of a name. What is common is met with at the beginning of the list; what is
//! rare there is looked up in an index of every three characters, and the list row decides. Must not know who asks.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::pinyin;
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;
use wanhu_core::store::listing::{self, ListFilter, ListRow, PageStart, Part};

/// When one way is left for the other. The page is the same whatever they are.
#[derive(Clone, Copy)]
struct Bounds {
    /// List rows read before the index is asked.
    read: u32,
    /// Rows of the index that are followed up, before the list is read on from there.
    followed: usize,
    /// Continuations of a part of a name that are followed at once.
    terms: u32,
}

const BOUNDS: Bounds = Bounds { read: 3_000, followed: 2_000, terms: 500 };

/// Households are numbered below this within a village; as in the migration.
const NUMBERS: i64 = 1 << 23;

/// One page of the list, as [`listing::page`] gives it.
///
/// # Errors
/// Where the file fails.
pub fn page(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows_max: u32,
) -> Result<Vec<ListRow>, StoreError> {
    bounded(connection, filter, after, rows_max, BOUNDS)
}

fn bounded(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows_max: u32,
    bounds: Bounds,
) -> Result<Vec<ListRow>, StoreError> {
    let near = match &filter.search {
        Some(_) => listing::village_behind(connection, filter, after, bounds.read)?,
        None => None,
    };
    let Some(near) = near else { return listing::page(connection, filter, after, rows_max) };
    let part = Part { after, through: Some(near), among: None };
    let mut page = listing::page_of(connection, filter, part, rows_max)?;
    let mut from = near + 1;
    if missing(&page, rows_max) > 0 {
        from = follow(connection, filter, (from, rows_max), bounds, &mut page)?;
    }
    if missing(&page, rows_max) > 0 && from < END {
        let rest = missing(&page, rows_max);
        page.extend(listing::page(connection, filter, Some(&start_of(from)), rest)?);
    }
    Ok(page)
}

fn missing(page: &[ListRow], rows_max: u32) -> u32 {
    rows_max.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX))
}

/// Behind every village.
const END: u64 = 1_000_000_000_000;

/// Before the first row of a village.
fn start_of(village: u64) -> PageStart {
    PageStart { scope: village, head_name: String::new(), id: HouseholdId([0; 16]) }
}

/// Follows the index from a village on, until the page is full or too much was in vain. Returns the first village that was
/// not looked at.
fn follow(
    connection: &Connection,
    filter: &ListFilter,
    (from, rows_max): (u64, u32),
    bounds: Bounds,
    page: &mut Vec<ListRow>,
) -> Result<u64, StoreError> {
    let query = pinyin::normalise_query(filter.search.as_deref().unwrap_or_default());
    let Some(expression) = expression(connection, &query, bounds.terms)? else {
        return Ok(from);
    };
    if expression.is_empty() {
        return Ok(END);
    }
    let last = filter.area.map_or(END - 1, |area| region::villages_of(area).1.min(END - 1));
    let mut statement = connection.prepare_cached(BY_NAME)?;
    let mut rows = statement.query(params![expression, number(from), number(last + 1)])?;
    let (mut among, mut village, mut followed) = (Vec::new(), from, 0);
    loop {
        let row: Option<i64> = rows.next()?.map(|row| row.get(0)).transpose()?;
        let next = row.map_or(END, |row| (row / NUMBERS).cast_unsigned());
        // Whole villages only: within one the index has not the list's order.
        if next != village && (among.len() >= rows_max as usize || row.is_none()) {
            let part = Part { among: Some(&among), ..Part::default() };
            page.extend(listing::page_of(connection, filter, part, missing(page, rows_max))?);
            followed += among.len();
            among.clear();
            if row.is_none() || missing(page, rows_max) == 0 || followed >= bounds.followed {
                return Ok(next);
            }
        }
        village = next;
        among.extend(row.map(|row| row % NUMBERS));
    }
}

const BY_NAME: &str =
    "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid >= ?2 AND rowid < ?3
     ORDER BY rowid";

/// The first row of a village in the index.
fn number(village: u64) -> i64 {
    village.cast_signed() * NUMBERS
}

/// Local numbers of the households that may have the name that a filter asks for, by the index alone: their list rows decide.
/// None where it asks for no name, or the index cannot tell.
pub(super) fn numbers(
    connection: &Connection,
    filter: &ListFilter,
) -> Result<Option<HashSet<i64>>, StoreError> {
    let Some(search) = &filter.search else { return Ok(None) };
    let query = pinyin::normalise_query(search);
    let Some(expression) = expression(connection, &query, BOUNDS.terms)? else { return Ok(None) };
    if expression.is_empty() {
        return Ok(Some(HashSet::new()));
    }
    let (first, last) = filter.area.map_or((0, END - 1), region::villages_of);
    let mut statement = connection.prepare_cached(BY_NAME)?;
    let bound = params![expression, number(first), number(last.min(END - 1) + 1)];
    let rows = statement.query_map(bound, |row| Ok(row.get::<_, i64>(0)? % NUMBERS))?;
    Ok(Some(rows.collect::<Result<_, _>>()?))
}

/// What to ask the index for, nothing where it has nothing; none where it cannot tell.
fn expression(
    connection: &Connection,
    query: &str,
    terms_max: u32,
) -> Result<Option<String>, StoreError> {
    let characters: Vec<char> = query.chars().collect();
    let quoted = |term: &str| format!("\"{}\"", term.replace('"', "\"\""));
    if characters.len() >= 3 {
        // Every second three and the last: each is a list to read, and the list row decides.
        let last = characters.len() - 3;
        let starts = (0..last).step_by(2).chain([last]);
        let terms =
            starts.map(|from| quoted(&characters[from..from + 3].iter().collect::<String>()));
        return Ok(Some(terms.collect::<Vec<_>>().join(" AND ")));
    }
    let mut statement = connection
        .prepare_cached("SELECT term FROM search_term WHERE term >= ?1 AND term < ?2 LIMIT ?3")?;
    let bound = params![query, format!("{query}{}", char::MAX), terms_max + 1];
    let terms = statement.query_map(bound, |row| row.get::<_, String>(0))?;
    let terms = terms.map(|term| Ok(quoted(&term?))).collect::<Result<Vec<_>, StoreError>>()?;
    Ok((terms.len() <= terms_max as usize).then(|| terms.join(" OR ")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wanhu_core::store::open::{Access, Migrations, Sharing, open, open_in_memory};

    use super::*;
    use crate::storage::{MIGRATIONS, department};

    const VILLAGES: [u64; 3] = [431_022_208_217, 431_022_208_218, 659_004_100_001];

    fn file(names: &[String]) -> Connection {
        let connection = open_in_memory(MIGRATIONS).unwrap();
        fill(&connection, names);
        let grids = "UPDATE listing SET grid = iif(household % 2 = 0, '一网格', '二网格')";
        connection.execute(grids, []).unwrap();
        connection
    }

    /// Puts these people on record, three a household.
    fn fill(connection: &Connection, names: &[String]) {
        for (n, people) in names.chunks(3).enumerate() {
            let village = VILLAGES[n % 3].cast_signed();
            let id = [u8::try_from(n * 7 % 251).unwrap(); 16];
            let kept = "INSERT INTO household (id, scope, state, digest) VALUES (?1, ?2, x'', x'')";
            connection.execute(kept, params![id, village]).unwrap();
            let listed =
                "INSERT INTO listing (household, scope, head_name, search, case_state, kind,
                monitored, tags, risk_level, status, members, last_visit, conflicts, tasks)
                VALUES (?1, ?2, ?3, ?4, ?5, '', '', 0, '', '', 3, '', 0, 0)";
            let key = pinyin::search_key(people.iter().map(String::as_str));
            let state = if n % 4 == 0 { "clue" } else { "" };
            let n = connection.last_insert_rowid();
            connection.execute(listed, params![n, village, people[0], key, state]).unwrap();
        }
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            "[陈李王欧][永昌小红阳][昌华明]?",
            "阿依[古丽]{1,2}",
            "[a-z]{1,3}",
            Just("玛依·努尔".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn an_index_finds_what_reading_the_whole_list_finds(
            names in prop::collection::vec(name(), 1..90),
            (from, length) in (0usize..12, 1usize..6),
            (area, clue, grid) in (prop::option::of(0usize..3), any::<bool>(), any::<bool>()),
            (read, followed, terms, rows) in (0u32..6, 1usize..6, 0u32..9, 1u32..6),
        ) {
            let connection = file(&names);
            let key = pinyin::search_key(names[0..1].iter().map(String::as_str));
            let search: String = key.chars().skip(from).take(length).collect();
            let filter = ListFilter {
                area: area.map(|place| VILLAGES[place] / [1, 1_000, 1_000_000][place]),
                case_state: clue.then(|| "clue".to_owned()),
                grid: grid.then(|| "二网格".to_owned()),
                search: Some(search),
                ..ListFilter::default()
            };
            let bounds = Bounds { read, followed, terms };
            let mut after = None;
            loop {
                let page = bounded(&connection, &filter, after.as_ref(), rows, bounds).unwrap();
                let whole = listing::page(&connection, &filter, after.as_ref(), rows).unwrap();
                prop_assert_eq!(&page, &whole);
                let Some(last) = page.last() else { break };
                after = Some(last.place());
            }
        }
    }

    #[test]
    fn a_file_of_before_is_brought_into_the_index_with_what_departments_delivered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.sqlite");
        let (access, before) = (Access::plain(Sharing::Alone), Migrations(&MIGRATIONS.0[..7]));
        let old = open(&path, access, before).unwrap();
        fill(&old, &["陈永昌".to_owned()]);
        old.execute_batch(
            "INSERT INTO import VALUES (1, 'medical', 'medical', x'', 'bureau', 0, NULL, NULL, NULL);
             INSERT INTO department_row VALUES
             (x'00112233445566778899aabbccddeeff', 1, 2, 1, x'00112233445566778899aabbccddeeff', '{}')",
        )
        .unwrap();
        drop(old);
        let new = open(&path, access, MIGRATIONS).unwrap();
        let filter = ListFilter { search: Some("永昌".into()), ..ListFilter::default() };
        let (mut page, bounds) = (vec![], Bounds { read: 0, followed: 9, terms: 9 });
        follow(&new, &filter, (0, 9), bounds, &mut page).unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!(department::about(&new, 1).unwrap()[0].row, 2);
    }

    #[test]
    fn a_household_is_found_where_it_is_and_by_its_present_name() {
        let connection = file(&["陈永昌".to_owned()]);
        let found = |search: &str, area| {
            let filter = ListFilter { area, search: Some(search.into()), ..ListFilter::default() };
            let bounds = Bounds { read: 0, followed: 9, terms: 9 };
            let mut page = vec![];
            let end = follow(&connection, &filter, (0, 9), bounds, &mut page).unwrap();
            assert_eq!(end, END, "the list is not asked");
            page.len()
        };
        assert_eq!((found("永昌", None), found("cyc", None), found("昌永", None)), (1, 1, 0));
        let renamed = "UPDATE listing SET search = ?1, scope = ?2";
        let key = pinyin::search_key(["李梅"].into_iter());
        connection.execute(renamed, params![key, VILLAGES[2].cast_signed()]).unwrap();
        assert_eq!((found("永昌", None), found("李梅", Some(VILLAGES[2]))), (0, 1));
        assert_eq!(found("李梅", Some(VILLAGES[0])), 0, "it has moved away");
        connection.execute("DELETE FROM household", []).unwrap();
        assert_eq!(found("李梅", None), 0);
    }
}
