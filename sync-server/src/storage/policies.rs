//! Policies as they were when households were warned under them. Must not know a rule.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wanhu_core::domain::policy::Published;
use wanhu_core::store::StoreError;

/// Keeps a policy under which somebody is warned, where it is not the one of its name that was kept last.
///
/// # Errors
/// Where the file fails.
pub fn keep(
    transaction: &Transaction<'_>,
    published: &Published,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (version, text) = (&published.policy.version, &published.text);
    if text_at(transaction, version, i64::MAX)?.as_ref() != Some(text) {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO policy (version, since_ms, text) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![version, now_ms, text])?;
    }
    Ok(())
}

/// The text of the policy that had this name and version at a time; none where nobody was warned under it by then.
///
/// # Errors
/// Where the file fails.
pub fn text_at(
    connection: &Connection,
    version: &str,
    at_ms: i64,
) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT text FROM policy WHERE version = ?1 AND since_ms <= ?2
         ORDER BY since_ms DESC LIMIT 1",
    )?;
    Ok(statement.query_row(params![version, at_ms], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use wanhu_core::store::open::open_in_memory;

    use super::*;
    use crate::storage::MIGRATIONS;

    #[test]
    fn a_name_given_twice_means_what_it_meant_at_the_time() {
        let mut connection = open_in_memory(MIGRATIONS).unwrap();
        let policy = |days| {
            let text = format!("name='a'\nversion=1\n[[period]]\nclock='visit'\ndays={days}\n");
            Published::parse(&format!("{text}from='2020-01-01'\nsource='a'\n")).unwrap()
        };
        let transaction = connection.transaction().unwrap();
        keep(&transaction, &policy(30), 1_000).unwrap();
        keep(&transaction, &policy(60), 2_000).unwrap();
        keep(&transaction, &policy(30), 3_000).unwrap();
        let said = |version, at_ms| text_at(&transaction, version, at_ms).unwrap();
        assert_eq!(said("a/1", 999), None, "nobody was warned under it yet");
        assert_eq!(said("a/1", 1_500), Some(policy(30).text));
        assert_eq!(said("a/1", 2_500), Some(policy(60).text));
        assert_eq!(said("a/1", 3_500), Some(policy(30).text), "back to what it was");
        assert_eq!(said("b/1", 2_500), None);
    }
}
