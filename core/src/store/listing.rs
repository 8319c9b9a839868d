//! The list row of a household and the pages made of it: by village, tag and state, searched by Chinese
//! name, pinyin or initials. Rebuilt from the folded state at every save; holds nothing of its own.

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, Transaction, params, params_from_iter};

use super::StoreError;
use super::records::Household;
use crate::document::facts::facts_of;
use crate::document::fold::Fold;
use crate::document::genesis::ContainerIndex;
use crate::document::record;
use crate::domain::ids::HouseholdId;
use crate::domain::pinyin;
use crate::domain::region;
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

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// The household.
    pub id: HouseholdId,
    /// Its village.
    pub scope: u64,
    /// Name of the head.
    pub head_name: String,
    /// Code of the household kind; empty where unknown.
    pub kind: String,
    /// Code of the monitored kind; empty where not monitored.
    pub monitored: String,
    /// Names of the priority tags it carries.
    pub tags: Vec<&'static str>,
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

/// Which households a page shows. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Region code of any level.
    pub area: Option<u64>,
    /// Name of a priority tag.
    pub tag: Option<String>,
    /// Code of a monitoring state.
    pub case_state: Option<String>,
    /// Only households with conflicts.
    pub in_conflict: bool,
    /// Chinese characters, pinyin or initials found anywhere in a member's name.
    pub search: Option<String>,
}

/// Where a page begins: behind this row.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    let facts = facts_of(fold, household.scope, &["steps", "warnings", "clues"]);
    let case = Case::of(&facts);
    let head_name = text("basic", "head_name");
    let search = pinyin::search_key(names.iter().copied().chain([head_name]));
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO listing (household, scope, head_name, search, kind, monitored,
             tags, risk_level, case_state, status, members, last_visit, conflicts, tasks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
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
            may_have_tasks(&facts, &case)
        ])?;
    Ok(())
}

fn member_names(fold: &Fold) -> Vec<&str> {
    ContainerIndex::of("members").map_or_else(Vec::new, |members| {
        record::rows(fold, members).iter().map(|row| row.text("name")).collect()
    })
}

fn last_visit(fold: &Fold) -> &str {
    ContainerIndex::of("visits")
        .and_then(|visits| record::rows(fold, visits).iter().map(|row| row.text("date")).max())
        .unwrap_or_default()
}

fn tag_bits(fold: &Fold) -> i64 {
    TAGS.iter().enumerate().fold(0, |bits, (place, tag)| {
        let set = record::value(fold, "class", tag).and_then(Value::as_bool) == Some(true);
        bits | (i64::from(set) << place)
    })
}

const COLUMNS: &str = "h.id, l.scope, l.head_name, l.kind, l.monitored, l.tags, l.risk_level,
    l.case_state, l.members, l.last_visit, l.conflicts,
    (SELECT count(*) FROM change c WHERE c.household = l.household AND c.acknowledged = 0)";

/// One page of the list, ordered by village, head's name and id. What was merged into another record is not
/// in it.
pub fn page(
    connection: &Connection,
    filter: &ListFilter,
    after: Option<&PageStart>,
    rows_max: u32,
) -> Result<Vec<ListRow>, StoreError> {
    let mut sql = format!(
        "SELECT {COLUMNS} FROM listing l JOIN household h ON h.n = l.household
         WHERE l.status <> 'merged'"
    );
    let mut values: Vec<SqlValue> = Vec::new();
    let mut restrict = |clause: &str, bound: Vec<SqlValue>| {
        sql.push_str(" AND ");
        sql.push_str(clause);
        values.extend(bound);
    };
    if let Some(area) = filter.area {
        let (first, last) = region::villages_of(area);
        let bound = vec![first.cast_signed().into(), last.cast_signed().into()];
        restrict("l.scope BETWEEN ? AND ?", bound);
    }
    if let Some(tag) = &filter.tag {
        let bit = TAGS.iter().position(|known| known == tag).map_or(0, |place| 1i64 << place);
        restrict("l.tags & ? != 0", vec![bit.into()]);
    }
    if let Some(state) = &filter.case_state {
        restrict("l.case_state = ?", vec![state.clone().into()]);
    }
    if filter.in_conflict {
        restrict("l.conflicts > 0", vec![]);
    }
    if let Some(search) = &filter.search {
        // `instr` treats no character of the query as special.
        restrict("instr(l.search, ?) > 0", vec![pinyin::normalise_query(search).into()]);
    }
    if let Some(start) = after {
        let bound = vec![
            start.scope.cast_signed().into(),
            start.head_name.clone().into(),
            start.id.0.to_vec().into(),
        ];
        restrict("(l.scope, l.head_name, h.id) > (?, ?, ?)", bound);
    }
    sql.push_str(" ORDER BY l.scope, l.head_name, h.id LIMIT ?");
    values.push(i64::from(rows_max).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
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
        format!("AND case_state IN ({})", codes.join(", "))
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
        tags: tags.map(|(_, tag)| *tag).collect(),
        risk_level: row.get(6)?,
        case_state: row.get(7)?,
        members: row.get(8)?,
        last_visit: row.get(9)?,
        conflicts: row.get(10)?,
        pending: row.get(11)?,
    })
}
