//! What is asked of a delivery later: to take it back, or what became of its rows. Must not know a rule or a
//! column.

use std::collections::VecDeque;

use wanhu_core::document::facts::facts;
use wanhu_core::domain::day::Day;
use wanhu_core::store::{StoreError, records};

use super::delivery::DeliveryError;
use super::effects;
use super::judging::{HOUSEHOLDS_A_TURN, Judged, record};
use crate::accounts::Account;
use crate::app::App;
use crate::storage::department;

/// Takes a delivery back: its file was wrong. What records hold of it is marked as withdrawn, its rows are
/// forgotten. How many households were marked.
///
/// # Errors
/// `Unknown`, `NotPermitted` for another account than the one that delivered it.
pub fn withdraw(app: &App, account: &Account, import: i64) -> Result<u64, DeliveryError> {
    let known = app.storage.read(department::imports)?;
    let known = known.into_iter().find(|known| known.n == import && known.withdrawn_ms.is_none());
    if known.ok_or(DeliveryError::Unknown)?.account != account.id {
        return Err(DeliveryError::NotPermitted);
    }
    let households = app.storage.read(|connection| department::households(connection, import))?;
    let (mut marked, mut refused) = (0, 0);
    let mut waiting: VecDeque<i64> = households.into();
    while !waiting.is_empty() {
        let some: Vec<_> = waiting.drain(..waiting.len().min(HOUSEHOLDS_A_TURN)).collect();
        let changes = app.storage.read(|connection| {
            let change = |n: &i64| {
                let household = records::get(connection, *n)?;
                let rows = department::only_of(connection, import, *n)?;
                let facts = facts(&household.fold, household.scope);
                let edit = effects::withdrawal(&facts, &rows, import);
                Ok::<_, StoreError>(edit.map(|edit| Judged { household, edit }))
            };
            some.iter().map(change).collect::<Result<Vec<_>, _>>()
        })?;
        let recorded = record(app, account, changes.into_iter().flatten().collect())?;
        marked += recorded.written;
        refused += recorded.refused.len();
        waiting.extend(recorded.anew);
    }
    if refused > 0 {
        return Err(DeliveryError::NotWhole { marked, refused });
    }
    let (by, now_ms) = (account.id.clone(), app.clock.now_ms());
    app.storage
        .writer()
        .write(move |transaction| department::withdraw(transaction, import, &by, now_ms))?;
    Ok(marked)
}

/// Where a delivery's warning stands: for the department that sent the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The row of the department's file.
    pub row: u32,
    /// The rule that fired; empty where none did.
    pub rule: String,
    /// Code of list `warning_answer`; empty while nobody has looked.
    pub answer: String,
    /// The day of the answer.
    pub answered_on: Option<Day>,
}

/// What became of each row of a delivery.
///
/// # Errors
/// Where the file fails.
pub fn answers(app: &App, import: i64) -> Result<Vec<Answer>, DeliveryError> {
    Ok(app.storage.read(|connection| {
        let mut answers = Vec::new();
        for row in department::rows_of(connection, import)? {
            let household = records::get(connection, row.household)?;
            let facts = facts(&household.fold, household.scope);
            let id = effects::row_id(&facts, &row);
            let warning = facts
                .rows("warnings")
                .iter()
                .find(|warning| effects::rests_on(warning, std::slice::from_ref(&id), import));
            answers.push(Answer {
                row: row.row,
                rule: warning.map_or("", |w| w.text("rule")).to_owned(),
                answer: warning.map_or("", |w| w.text("answer")).to_owned(),
                answered_on: warning.and_then(|w| w.day("answered_on")),
            });
        }
        Ok(answers)
    })?)
}
