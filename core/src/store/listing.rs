//! The list row of a household and the pages made of it: by village, tag and state, searched by Chinese
//! name, pinyin or initials. Rebuilt from the folded state at every save; holds nothing of its own.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};

use super::StoreError;
use super::records::Household;
use crate::document::facts::facts_of;
use crate::document::fold::Fold;
use crate::document::genesis::ContainerIndex;
use crate::document::record;
use crate::domain::grid;
use crate::domain::ids::HouseholdId;
use crate::domain::pinyin;
use crate::domain::region;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::domain::workflow::{Case, Stage, may_have_tasks};

/// The priority tags in the order of their bits: fields of container `class`.
pub const TAGS: [&str; 7] = [
    "tag_unstable",
    "tag_marginal",
    "tag_not_lifted",
    "tag_subsistence",
    "tag_extreme_hardship",
    "tag_serious_illness",
    "tag_severe_disability",
];

/// The priority tag that somebody typed: as the field's name or its Chinese label.
pub fn tag_typed(text: &str) -> Option<&'static str> {
    TAGS.into_iter().find(|tag| *tag == text || label(tag) == text)
}

/// The tags by their Chinese names, as people type them.
pub fn tag_labels() -> Vec<&'static str> {
    TAGS.into_iter().map(label).collect()
}

fn label(tag: &'static str) -> &'static str {
    Schema::base().field("class", tag).map_or(tag, |field| &field.zh)
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ListRow {
    /// The household.
    pub id: HouseholdId,
    /// Its village.
    pub scope: u64,
    /// Its grid there; empty where unknown.
    pub grid: String,
    /// Name of the head.
    pub head_name: String,
    /// Code of the household kind; empty where unknown.
    pub kind: String,
    /// Code of the monitored kind; empty where not monitored.
    pub monitored: String,
    /// Names of the priority tags it carries.
    pub tags: Vec<String>,
    /// Code of the risk level; empty where none.
    pub risk_level: String,
    /// Code of the monitoring state; empty where none.
    pub case_state: String,
    /// Number of members on record.
    pub members: u32,
    /// ISO day of the last visit; empty where never visited.
    pub last_visit: String,
    /// Fields that hold more than one value.
    pub conflicts: u32,
    /// Changes of this household waiting to be sent.
    pub pending: u32,
}

impl ListRow {
    /// Where a page begins that goes on behind this row.
    pub fn place(&self) -> PageStart {
        PageStart { scope: self.scope, head_name: self.head_name.clone(), id: self.id }
    }
}

/// Which households a page shows. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ListFilter {
    /// Region code of any level.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub area: Option<u64>,
    /// Name of a grid; of an empty one, the households that name none.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub grid: Option<String>,
    /// Name of a priority tag.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub tag: Option<String>,
    /// Code of a household kind.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub kind: Option<String>,
    /// Code of a monitored kind.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub monitored: Option<String>,
    /// Code of a risk level.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub risk_level: Option<String>,
    /// Code of a monitoring state.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub case_state: Option<String>,
    /// Only households with conflicts.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub in_conflict: bool,
    /// Only households about which something may have to be done.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub with_tasks: bool,
    /// Chinese characters, pinyin or initials found anywhere in a member's name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
}

/// Where a page begins: behind this row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PageStart {
    /// Village of the last row seen.
    pub scope: u64,
    /// Head's name of the last row seen.
    pub head_name: String,
    /// The last row seen.
    pub id: HouseholdId,
}

/// Writes a household's list row.
pub(super) fn save(transaction: &Transaction<'_>, household: &Household) -> Result<(), StoreError> {
    let fold = &household.fold;
    let text = |container, key| {
        record::value(fold, container, key).and_then(Value::as_text).unwrap_or_default()
    };
    let names = member_names(fold);
    // These alone: a list row is written at every save.
    let facts = facts_of(fold, household.scope, &["steps", "warnings", "clues", "visits"]);
    let case = Case::of(&facts);
    let head_name = text("basic", "head_name");
    let search = pinyin::search_key(names.iter().copied().chain([head_name]));
    transaction
        .prepare_cached(
            "INSERT INTO listing (household, scope, head_name, search, kind, monitored,
             tags, risk_level, case_state, status, members, last_visit, conflicts, tasks, bills, grid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
             ON CONFLICT (household) DO UPDATE SET scope = ?2, head_name = ?3, search = ?4,
             kind = ?5, monitored = ?6, tags = ?7, risk_level = ?8, case_state = ?9, status = ?10,
             members = ?11, last_visit = ?12, conflicts = ?13, tasks = ?14, bills = ?15,
             grid = ?16",
        )?
        .execute(params![
            household.n,
            household.scope.cast_signed(),
            head_name,
            search,
            text("class", "household_kind"),
            text("class", "monitored_kind"),
            tag_bits(fold),
            text("class", "risk_level"),
            case.stage().map_or("", Stage::code),
            text("basic", "status"),
            i64::try_from(names.len()).unwrap_or(i64::MAX),
            last_visit(fold),
            i64::try_from(fold.conflicts().count()).unwrap_or(i64::MAX),
            may_have_tasks(&facts, &case),
            !rows_of(fold, "spending").is_empty(),
            grid_of(fold)
        ])?;
    Ok(())
}

/// The grid that a record names; empty where it names none.
pub(super) fn grid_of(fold: &Fold) -> &str {
    grid::spelt(record::value(fold, "basic", "grid").and_then(Value::as_text).unwrap_or_default())
}

fn rows_of<'f>(fold: &'f Fold, container: &str) -> Vec<record::Row<'f>> {
    ContainerIndex::of(container).map_or_else(Vec::new, |container| record::rows(fold, container))
}

fn member_names(fold: &Fold) -> Vec<&str> {
    rows_of(fold, "members").iter().map(|row| row.text("name")).collect()
}

fn last_visit(fold: &Fold) -> &str {
    let days = rows_of(fold, "visits");
    days.iter().map(|row| row.text("date")).max().unwrap_or_default()
}

/// Whether a record may have spending of its own.
pub fn may_have_bills(connection: &Connection, n: i64) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT bills FROM listing WHERE household = ?1")?;
    Ok(statement.query_row([n], |row| row.get(0)).optional()?.unwrap_or(true))
}

/// Whether anything may have to be done about a household, on any day and under any policy.
pub fn is_with_tasks(connection: &Connection, n: i64) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT tasks <> 0 FROM listing WHERE household = ?1")?;
    Ok(statement.query_row([n], |row| row.get(0)).optional()?.unwrap_or(false))
}

fn tag_bits(fold: &Fold) -> i64 {
    TAGS.iter().enumerate().fold(0, |bits, (place, tag)| {
        let set = record::value(fold, "class", tag).and_then(Value::as_bool) == Some(true);
        bits | (i64::from(set) << place)
    })
}

const COLUMNS: &str = "h.id, l.scope, l.head_name, l.kind, l.monitored, l.tags, l.risk_level,
    l.case_state, l.members, l.last_visit, l.conflicts,
    (SELECT count(*) FROM change c WHERE c.household = l.household AND c.acknowledged = 0),
    coalesce(l.grid, '')";

/// Which part of the list is looked at. By default all of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part<'a> {
    /// Only what comes behind this row.
    pub after: Option<&'a PageStart>,
    /// Only villages up to this one.
    pub through: Option<u64>,
    /// Only households with these local numbers.
    pub among: Option<&'a [i64]>,
}

/// One page of the list, ordered by village and head's name; of one name, as they came to this file: so it stands in the
/// index, and nothing has to be sorted. What was merged into another record is not in it.
pub fn page(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows_max: u32,
) -> Result<Vec<ListRow>, StoreError> {
    page_of(connection, filter, Part { after, ..Part::default() }, rows_max)
}

/// One page of a part of the list.
pub fn page_of(
    connection: &Connection,
    filter: &ListFilter,
    part: Part<'_>,
    rows_max: u32,
) -> Result<Vec<ListRow>, StoreError> {
    let mut query = Query::of(part.among);
    query.restrict_to(filter.area, &part);
    query.restrict_by(filter);
    if let Some(PageStart { scope, head_name, id }) = part.after {
        let row = [scope.cast_signed().into(), head_name.clone().into(), id.0.to_vec().into()];
        // One that is gone since leaves its place among those of its name to the first.
        query.restrict(
            "(l.scope, l.head_name, l.household) >
             (?, ?, coalesce((SELECT n FROM household WHERE id = ?), 0))",
            row,
        );
    }
    let Query { mut sql, mut values } = query;
    sql.push_str(" ORDER BY l.scope, l.head_name, l.household LIMIT ?");
    values.push(i64::from(rows_max).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct Query {
    sql: String,
    values: Vec<SqlValue>,
}

impl Query {
    fn of(among: Option<&[i64]>) -> Self {
        let (from, values) = match among {
            None => ("listing l", vec![]),
            Some(among) => (
                "json_each(?) a CROSS JOIN listing l ON l.household = a.value",
                vec![format!("{among:?}").into()],
            ),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM {from} JOIN household h ON h.n = l.household
             WHERE l.status <> 'merged'"
        );
        Self { sql, values }
    }

    fn restrict<const N: usize>(&mut self, clause: &str, bound: [SqlValue; N]) {
        self.sql.push_str(" AND ");
        self.sql.push_str(clause);
        self.values.extend(bound);
    }

    /// One stretch of villages: of two bounds on one side an index reads to the one named first, however far it lies.
    fn restrict_to(&mut self, area: Option<u64>, part: &Part<'_>) {
        let (first, last) = area.map_or((0, i64::MAX.cast_unsigned()), region::villages_of);
        let first = part.after.map_or(first, |after| after.scope.max(first));
        let last = part.through.map_or(last, |through| through.min(last));
        let bound = [first, last].map(|village| SqlValue::from(village.cast_signed()));
        self.restrict("l.scope BETWEEN ? AND ?", bound);
    }

    fn restrict_by(&mut self, filter: &ListFilter) {
        if let Some(name) = &filter.grid {
            self.restrict("l.grid = ?", [grid::spelt(name).to_owned().into()]);
        }
        if let Some(tag) = &filter.tag {
            let bit = TAGS.iter().position(|known| known == tag).map_or(0, |place| 1i64 << place);
            // Said twice where an index holds only rows of which the second is true.
            self.restrict("l.tags & ? != 0 AND l.tags <> 0", [bit.into()]);
        }
        if let Some(kind) = &filter.kind {
            self.restrict("l.kind = ?", [kind.clone().into()]);
        }
        if let Some(kind) = &filter.monitored {
            self.restrict("l.monitored = ? AND l.monitored <> ''", [kind.clone().into()]);
        }
        if let Some(level) = &filter.risk_level {
            self.restrict("l.risk_level = ? AND l.risk_level <> ''", [level.clone().into()]);
        }
        if let Some(state) = &filter.case_state {
            self.restrict("l.case_state = ? AND l.case_state <> ''", [state.clone().into()]);
        }
        if filter.in_conflict {
            self.restrict("l.conflicts > 0", []);
        }
        if filter.with_tasks {
            self.restrict("l.tasks <> 0", []);
        }
        if let Some(search) = &filter.search {
            // `instr` treats no character of the query as special.
            let query = pinyin::normalise_query(search);
            self.restrict("instr(l.search, ?) > 0", [query.into()]);
        }
    }
}

/// The village of the row that comes so many rows behind the beginning of a part, whatever a filter asks
/// beyond its area; none where there are not so many.
pub fn village_behind(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows: u32,
) -> Result<Option<u64>, StoreError> {
    let (first, last) = filter.area.map_or((0, i64::MAX.cast_unsigned()), region::villages_of);
    let first = after.map_or(first, |after| after.scope.max(first));
    let mut statement = connection.prepare_cached(
        "SELECT scope FROM listing WHERE scope BETWEEN ?1 AND ?2
         ORDER BY scope, head_name LIMIT 1 OFFSET ?3",
    )?;
    let bound = params![first.cast_signed(), last.cast_signed(), rows];
    Ok(statement.query_row(bound, |row| row.get::<_, i64>(0)).optional()?.map(i64::cast_unsigned))
}

/// Local numbers of the households that were not merged into another.
pub fn unmerged(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT household FROM listing WHERE status <> 'merged' ORDER BY household",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Local numbers of the households about which something may have to be done, in these stages where any are named.
/// Without areas, all of them.
pub fn with_tasks(
    connection: &Connection,
    areas: &[u64],
    stages: Option<&[Stage]>,
) -> Result<Vec<i64>, StoreError> {
    let codes = |stages: &[Stage]| {
        let codes: Vec<_> = stages.iter().map(|stage| format!("'{}'", stage.code())).collect();
        // The second says no more than the first, but that an index of states with a name will do.
        format!("AND case_state IN ({}) AND case_state <> ''", codes.join(", "))
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT household FROM listing
         WHERE tasks <> 0 AND status <> 'merged' AND scope BETWEEN ?1 AND ?2 {} ORDER BY household",
        stages.map(codes).unwrap_or_default()
    ))?;
    let everywhere = [(0, i64::MAX.cast_unsigned())];
    let ranges: Vec<_> = areas.iter().map(|area| region::villages_of(*area)).collect();
    let mut found = Vec::new();
    for (first, last) in if ranges.is_empty() { &everywhere[..] } else { &ranges[..] } {
        let rows = statement.query_map([first.cast_signed(), last.cast_signed()], |r| r.get(0))?;
        found.extend(rows.collect::<Result<Vec<i64>, _>>()?);
    }
    // Areas may lie in one another.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Local numbers of the households that were merged into another.
pub fn merged(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT household FROM listing WHERE status = 'merged' ORDER BY household",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Pairs of households whose heads have one name in one village.
pub fn namesakes(connection: &Connection) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.household, b.household FROM listing a JOIN listing b
         ON b.scope = a.scope AND b.head_name = a.head_name AND b.household > a.household
         WHERE a.head_name <> '' AND a.status <> 'merged' AND b.status <> 'merged'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many households a filter shows in all.
pub fn count(connection: &Connection, area: Option<u64>) -> Result<u64, StoreError> {
    let (first, last) = area.map_or((0, i64::MAX as u64), region::villages_of);
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM listing WHERE scope BETWEEN ?1 AND ?2 AND status <> 'merged'",
    )?;
    Ok(statement
        .query_row([first.cast_signed(), last.cast_signed()], |row| row.get::<_, i64>(0))?
        .cast_unsigned())
}

/// The list row of one household.
pub fn one(connection: &Connection, id: HouseholdId) -> Result<Option<ListRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM listing l JOIN household h ON h.n = l.household WHERE h.id = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query_map([&id.0[..]], read_row)?;
    Ok(rows.next().transpose()?)
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ListRow> {
    let bits: i64 = row.get(5)?;
    let tags = TAGS.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
    Ok(ListRow {
        id: HouseholdId(row.get(0)?),
        scope: row.get::<_, i64>(1)?.cast_unsigned(),
        head_name: row.get(2)?,
        kind: row.get(3)?,
        monitored: row.get(4)?,
        tags: tags.map(|(_, tag)| (*tag).to_owned()).collect(),
        risk_level: row.get(6)?,
        case_state: row.get(7)?,
        members: row.get(8)?,
        last_visit: row.get(9)?,
        conflicts: row.get(10)?,
        pending: row.get(11)?,
        grid: row.get(12)?,
    })
}
