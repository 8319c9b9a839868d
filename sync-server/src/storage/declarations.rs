//! Declarations of people whom no record knows, until an office has seen to them. Must not know who looks.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use wanhu_core::store::StoreError;

/// What somebody declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingDeclaration {
    /// Its number; 0 before it is kept.
    pub n: i64,
    /// When it came, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// The village they named.
    pub village: u64,
    /// Their name.
    pub name: String,
    /// Their identity number.
    pub identity_number: String,
    /// The telephone at which they answered.
    pub telephone: String,
    /// Codes of list `risk`.
    pub risks: Vec<String>,
    /// In their own words.
    pub note: String,
    /// Whether they agree that their circumstances are looked into.
    pub consents: bool,
}

/// Keeps a declaration, unless the same one of the same person waits already.
///
/// # Errors
/// Where the file fails.
pub fn keep(
    transaction: &Transaction<'_>,
    declared: &WaitingDeclaration,
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO declaration
             (received_ms, village, name, identity_number, telephone, risks, note, consents)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
         WHERE NOT EXISTS (SELECT 1 FROM declaration
             WHERE identity_number = ?4 AND telephone = ?5 AND village = ?2 AND risks = ?6
             AND note = ?7 AND consents >= ?8)",
        params![
            declared.received_ms,
            declared.village.cast_signed(),
            declared.name,
            declared.identity_number,
            declared.telephone,
            declared.risks.join(" "),
            declared.note,
            declared.consents
        ],
    )?;
    Ok(())
}

const COLUMNS: &str =
    "n, received_ms, village, name, identity_number, telephone, risks, note, consents";

/// Those that wait behind this one, the oldest first, in the villages from the first code to the last.
///
/// # Errors
/// Where the file fails.
pub fn waiting(
    connection: &Connection,
    (first, last): (u64, u64),
    after: i64,
    rows_max: usize,
) -> Result<Vec<WaitingDeclaration>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM declaration WHERE village BETWEEN ?1 AND ?2 AND n > ?3
         ORDER BY n LIMIT ?4"
    ))?;
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![first.cast_signed(), last.cast_signed(), after, rows_max], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many wait there, and when the oldest came, milliseconds since 1970 UTC.
///
/// # Errors
/// Where the file fails.
pub fn count(
    connection: &Connection,
    (first, last): (u64, u64),
) -> Result<(u64, Option<i64>), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*), min(received_ms) FROM declaration WHERE village BETWEEN ?1 AND ?2",
    )?;
    let areas = [first.cast_signed(), last.cast_signed()];
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?));
    Ok(statement.query_row(areas, read)?)
}

/// One of them.
///
/// # Errors
/// Where the file fails.
pub fn one(connection: &Connection, n: i64) -> Result<Option<WaitingDeclaration>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM declaration WHERE n = ?1"))?;
    Ok(statement.query_row([n], read).optional()?)
}

/// Forgets one that was seen to.
///
/// # Errors
/// Where the file fails.
pub fn forget(transaction: &Transaction<'_>, n: i64) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM declaration WHERE n = ?1", [n])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<WaitingDeclaration> {
    Ok(WaitingDeclaration {
        n: row.get(0)?,
        received_ms: row.get(1)?,
        village: row.get::<_, i64>(2)?.cast_unsigned(),
        name: row.get(3)?,
        identity_number: row.get(4)?,
        telephone: row.get(5)?,
        risks: row.get::<_, String>(6)?.split_whitespace().map(str::to_owned).collect(),
        note: row.get(7)?,
        consents: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use wanhu_core::store::open::{begin, open_in_memory};

    use super::*;
    use crate::storage::MIGRATIONS;

    #[test]
    fn the_same_words_wait_once_and_other_words_beside_them() {
        let mut connection = open_in_memory(MIGRATIONS).unwrap();
        let transaction = begin(&mut connection).unwrap();
        let said = |note: &str, consents| {
            let declared = WaitingDeclaration {
                n: 0,
                received_ms: 1,
                village: 431_022_208_217,
                name: "周长生".into(),
                identity_number: "11010519491231002X".into(),
                telephone: "13907355678".into(),
                risks: vec!["disability".into()],
                note: note.into(),
                consents,
            };
            keep(&transaction, &declared).unwrap();
            waiting(&transaction, (0, u64::MAX >> 1), 0, 9).unwrap().len()
        };
        assert_eq!([said("", false), said("", false), said("病重", false)], [1, 1, 2]);
        assert_eq!([said("", true), said("", false), said("", true)], [3, 3, 3], "and agreeing");
    }
}
