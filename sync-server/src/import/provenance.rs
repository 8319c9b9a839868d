//! What of a record stands there because a department's list said so, and nobody has touched it since. Must not know a rule.

use rusqlite::Connection;
use wanhu_core::document::change::Change;
use wanhu_core::document::history::{HistoryEntry, history};
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::store::{StoreError, records};

use super::effects::{self, Said};
use crate::storage::department::StagedRow;

/// What the record of household `n` shows as these rows say it, and a department has written.
pub(super) fn filled_in<'r>(
    connection: &Connection,
    key: &PersonKey,
    n: i64,
    facts: &'r Facts,
    rows: &'r [StagedRow],
) -> Result<Vec<Said<'r>>, StoreError> {
    let mut agreed = effects::agreed(key, facts, rows);
    if !agreed.is_empty() {
        let stored = records::changes(connection, n)?;
        let changes = stored.iter().map(|c| Change::decode_named(&c.raw, c.hash));
        let history = history(&changes.collect::<Result<Vec<_>, _>>()?);
        agreed.retain(|said| {
            let key = said.key();
            let is_of_it = |entry: &&HistoryEntry| {
                entry.container.name() == said.container && entry.key == key
            };
            history.iter().rfind(is_of_it).is_some_and(|last| effects::is_ours(&last.stamp.form))
        });
    }
    Ok(agreed)
}
