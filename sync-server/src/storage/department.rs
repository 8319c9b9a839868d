//! Rows that departments delivered, by household. Must not know what a rule makes of them.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use wanhu_core::domain::person::Blind;
use wanhu_core::domain::value::Value;
use wanhu_core::store::StoreError;

/// A row that is about somebody on record, as it is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// Keyed hash of what it means.
    pub key: [u8; 16],
    /// Its number in the file.
    pub row: u32,
    /// Local number of the household.
    pub household: i64,
    /// The person.
    pub person: Blind,
    /// Its values, [`written`].
    pub content: String,
}

/// A row that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedRow {
    /// Keyed hash of what it means.
    pub key: [u8; 16],
    /// Its number in the file.
    pub row: u32,
    /// The latest delivery that holds it.
    pub import: i64,
    /// Earlier ones that hold it, ascending, as far as these were looked through.
    pub before: Vec<i64>,
    /// Local number of the household.
    pub household: i64,
    /// The person.
    pub person: Blind,
    /// `container.field` and value.
    pub values: Vec<(String, Value)>,
}

impl StagedRow {
    /// The deliveries that hold it, the first one first.
    pub fn deliveries(&self) -> impl Iterator<Item = i64> {
        self.before.iter().copied().chain([self.import])
    }
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its number.
    pub n: i64,
    /// Kind of the table.
    pub kind: String,
    /// Code of the department.
    pub department: String,
    /// What the file was called when it was first delivered; empty where nobody wrote that down.
    pub file: String,
    /// The account that delivered it.
    pub account: String,
    /// When, milliseconds since 1970 UTC.
    pub begun_ms: i64,
    /// When it was done; none while it is cut off.
    pub finished_ms: Option<i64>,
    /// Who takes it back, or has. From then on its rows count nowhere, whether all of them are gone yet or not.
    pub withdrawn_by: Option<String>,
    /// When all of it was withdrawn; none while records hold something of it.
    pub withdrawn_ms: Option<i64>,
    /// Rows kept of it.
    pub rows: u64,
}

/// A delivery about to begin.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Kind of the table.
    pub kind: String,
    /// Code of the department.
    pub department: String,
    /// What the file is called.
    pub file: String,
    /// SHA-256 of the file.
    pub file_hash: [u8; 32],
    /// The account that delivers it.
    pub account: String,
    /// The server's clock.
    pub now_ms: i64,
}

/// Begins a delivery, or goes on with the same file where it was cut off or is delivered again.
///
/// # Errors
/// Where the file fails.
pub fn begin(transaction: &Transaction<'_>, new: &NewImport) -> Result<i64, StoreError> {
    let known = transaction
        .query_row(
            "SELECT n FROM import
             WHERE file_hash = ?1 AND kind = ?2 AND account = ?3 AND withdrawn_by IS NULL",
            params![new.file_hash, new.kind, new.account],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction.execute(
        "INSERT INTO import (kind, department, file, file_hash, account, begun_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![new.kind, new.department, new.file, new.file_hash, new.account, new.now_ms],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Marks a delivery as done.
///
/// # Errors
/// Where the file fails.
pub fn finish(transaction: &Transaction<'_>, n: i64, now_ms: i64) -> Result<(), StoreError> {
    transaction.execute(
        "UPDATE import SET finished_ms = coalesce(finished_ms, ?2) WHERE n = ?1",
        params![n, now_ms],
    )?;
    Ok(())
}

/// Keeps rows. How many of them no delivery had before.
///
/// # Errors
/// Where the file fails.
pub fn stage(
    transaction: &Transaction<'_>,
    import: i64,
    rows: &[FoundRow],
) -> Result<u64, StoreError> {
    let mut known = transaction.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM department_row d
         WHERE household = ?1 AND key = ?2 AND NOT moved
         AND NOT EXISTS (SELECT 1 FROM import i WHERE i.n = d.import AND i.withdrawn_by IS NOT NULL))",
    )?;
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO department_row (key, import, row, household, person, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut new = 0;
    for row in rows {
        let Blind(person) = row.person;
        let values = params![row.key, import, row.row, row.household, person, row.content];
        new += u64::from(
            !known.query_row(params![row.household, row.key], |row| row.get::<_, bool>(0))?,
        );
        insert.execute(values)?;
    }
    Ok(new)
}

/// The households that a delivery's rows are about, or were before the person moved on to another.
///
/// # Errors
/// Where the file fails.
pub fn households(connection: &Connection, import: i64) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT household FROM department_row WHERE import = ?1 ORDER BY household",
    )?;
    let rows = statement.query_map([import], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All rows about a household, of every delivery, each once, the latest last.
///
/// # Errors
/// Where the file fails.
pub fn about(connection: &Connection, household: i64) -> Result<Vec<StagedRow>, StoreError> {
    collected(connection, household, None, i64::MAX, false)
}

/// The rows about a household as they stood after a delivery: those of later ones are left out, those of people who have
/// moved on since are not.
///
/// # Errors
/// Where the file fails.
pub fn about_after(
    connection: &Connection,
    household: i64,
    import: i64,
) -> Result<Vec<StagedRow>, StoreError> {
    collected(connection, household, None, import, true)
}

fn collected(
    connection: &Connection,
    household: i64,
    without: Option<i64>,
    last: i64,
    with_moved: bool,
) -> Result<Vec<StagedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, row, household, person, content, import FROM department_row d
         WHERE household = ?1 AND import IS NOT ?2 AND import <= ?3 AND moved <= ?4
         AND NOT EXISTS (SELECT 1 FROM import i WHERE i.n = d.import AND i.withdrawn_by IS NOT NULL)
         ORDER BY key, import",
    )?;
    // In the order of the table, so that SQLite has nothing to sort.
    let mut rows = statement.query(params![household, without, last, with_moved])?;
    let mut latest = Vec::<StagedRow>::new();
    while let Some(row) = rows.next()? {
        let row = read(row)?.ok_or(StoreError::Damaged)?;
        match latest.last_mut().filter(|known| known.key == row.key) {
            Some(known) => {
                let before = known.deliveries().collect();
                *known = StagedRow { before, ..row };
            }
            None => latest.push(row),
        }
    }
    latest.sort_by_key(|row| (row.import, row.row));
    Ok(latest)
}

/// All rows about a household that other deliveries than this one hold, each once, the latest last.
///
/// # Errors
/// Where the file fails.
pub fn of_others(
    connection: &Connection,
    import: i64,
    household: i64,
) -> Result<Vec<StagedRow>, StoreError> {
    collected(connection, household, Some(import), i64::MAX, false)
}

/// The rows about a household, of people who have moved on since as well, that no delivery but this one vouches for.
///
/// # Errors
/// Where the file fails.
pub fn only_of(
    connection: &Connection,
    import: i64,
    household: i64,
) -> Result<Vec<StagedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, row, household, person, content, import FROM department_row d
         WHERE household = ?1 AND import = ?2
         AND NOT EXISTS (SELECT 1 FROM department_row e JOIN import i ON i.n = e.import
         WHERE e.household = ?1 AND e.key = d.key AND e.import <> ?2 AND i.withdrawn_by IS NULL)",
    )?;
    let rows = statement.query_map([household, import], read)?;
    rows.map(|row| row?.ok_or(StoreError::Damaged)).collect()
}

/// A delivery's rows, in the order of the file.
///
/// # Errors
/// Where the file fails.
pub fn rows_of(connection: &Connection, import: i64) -> Result<Vec<StagedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, row, household, person, content, import FROM department_row
         WHERE import = ?1 AND NOT moved ORDER BY row",
    )?;
    let rows = statement.query_map([import], read)?;
    rows.map(|row| row?.ok_or(StoreError::Damaged)).collect()
}

/// A delivery's rows where they stood before the person moved on to another household.
///
/// # Errors
/// Where the file fails.
pub fn moved_rows_of(connection: &Connection, import: i64) -> Result<Vec<StagedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, row, household, person, content, import FROM department_row
         WHERE import = ?1 AND moved ORDER BY row",
    )?;
    let rows = statement.query_map([import], read)?;
    rows.map(|row| row?.ok_or(StoreError::Damaged)).collect()
}

/// The deliveries that have a row about a household.
///
/// # Errors
/// Where the file fails.
pub fn imports_with(connection: &Connection, row: &StagedRow) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT import FROM department_row WHERE household = ?1 AND key = ?2")?;
    let imports = statement.query_map(params![row.household, row.key], |row| row.get(0))?;
    Ok(imports.collect::<Result<_, _>>()?)
}

/// All deliveries, the latest first.
///
/// # Errors
/// Where the file fails.
pub fn imports(connection: &Connection) -> Result<Vec<ImportRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT i.n, i.kind, i.department, i.file, i.account, i.begun_ms, i.finished_ms, i.withdrawn_by,
         i.withdrawn_ms, (SELECT count(*) FROM department_row d WHERE d.import = i.n)
         - (SELECT count(*) FROM department_row d WHERE d.import = i.n AND d.moved)
         FROM import i ORDER BY i.n DESC",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(ImportRow {
            n: row.get(0)?,
            kind: row.get(1)?,
            department: row.get(2)?,
            file: row.get(3)?,
            account: row.get(4)?,
            begun_ms: row.get(5)?,
            finished_ms: row.get(6)?,
            withdrawn_by: row.get(7)?,
            withdrawn_ms: row.get(8)?,
            rows: row.get::<_, i64>(9)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Begins to take a delivery back: its file was wrong. From now on its rows count nowhere.
///
/// # Errors
/// Where the file fails.
pub fn begin_withdrawal(transaction: &Transaction<'_>, n: i64, by: &str) -> Result<(), StoreError> {
    transaction.execute("UPDATE import SET withdrawn_by = ?2 WHERE n = ?1", params![n, by])?;
    Ok(())
}

/// Forgets a delivery's rows, but for those about households whose records still hold something of it. Where there are
/// none of these it is withdrawn.
///
/// # Errors
/// Where the file fails.
pub fn forget(
    transaction: &Transaction<'_>,
    n: i64,
    but_of: &[i64],
    now_ms: i64,
) -> Result<(), StoreError> {
    transaction.execute(
        "DELETE FROM department_row WHERE import = ?1
         AND household NOT IN (SELECT value FROM json_each(?2))",
        params![n, format!("{but_of:?}")],
    )?;
    if but_of.is_empty() {
        transaction
            .execute("UPDATE import SET withdrawn_ms = ?2 WHERE n = ?1", params![n, now_ms])?;
    }
    Ok(())
}

/// Values as they are kept, each with its `container.field`.
pub fn written<'v>(values: impl Iterator<Item = (&'v str, &'v Value)>) -> String {
    let pairs = values.filter_map(|(field, value)| {
        let value = match value {
            Value::Bool(tick) => serde_json::Value::from(*tick),
            Value::Int(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            // A profile reads none of these.
            Value::Null | Value::Opaque { .. } => return None,
        };
        Some((field.to_owned(), value))
    });
    serde_json::Value::Object(pairs.collect()).to_string()
}

/// A row; `None` for content that does not read.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<StagedRow>> {
    let content: String = row.get(4)?;
    let Ok(serde_json::Value::Object(pairs)) = serde_json::from_str(&content) else {
        return Ok(None);
    };
    let values = pairs.into_iter().filter_map(|(field, value)| {
        let value = match value {
            serde_json::Value::Bool(tick) => Value::Bool(tick),
            serde_json::Value::Number(number) => Value::Int(number.as_i64()?),
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Null
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => return None,
        };
        Some((field, value))
    });
    let staged = StagedRow {
        key: row.get(0)?,
        row: row.get(1)?,
        import: row.get(5)?,
        before: Vec::new(),
        household: row.get(2)?,
        person: Blind(row.get(3)?),
        values: values.collect(),
    };
    Ok(Some(staged))
}
