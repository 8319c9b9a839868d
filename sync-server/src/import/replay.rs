//! A warning on record asked again: on the record and the list as they were when it was written, under the policy of that
//! time. Must not know how it is told.

use rusqlite::Connection;
use wanhu_core::document::change::FieldOp;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::facts::Row;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::warning::{self, Warning};
use wanhu_core::store::StoreError;
use wanhu_core::store::records::Household;

use super::effects::Reading;
use crate::app::App;
use crate::storage::{self, department, policies};
use crate::warnings::notice::Sender;

/// What came of asking again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same rule fires with the same figures.
    Alike,
    /// It does not fire, or with other figures.
    Differs(Option<Warning>),
    /// It does not fire on the record alone, and the list that warned has been taken back since.
    ListWithdrawn,
    /// The policy of that time is not kept here: it was warned of by an earlier release, or before a restore.
    PolicyUnknown,
    /// The row does not say which rule fired and when: nobody's warning.
    NoWarning,
}

/// A warning on record, asked again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Its row among the warnings, as it stands on record.
    pub row: Row,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether amounts of the rule are in fen; else they are counts.
    pub is_in_fen: bool,
    /// What the rule says of the same record on the same day under the policy of today; none where it does not fire.
    pub today: Option<Warning>,
}

/// Asks a household's warnings again, or the one in a row.
///
/// # Errors
/// Where the file fails.
pub fn replay(
    app: &App,
    household: &Household,
    only: Option<&str>,
) -> Result<Vec<Replay>, StoreError> {
    app.storage.read(|connection| {
        let now = facts(&household.fold, household.scope);
        let asked = now.rows("warnings").iter().filter(|row| only.is_none_or(|id| id == row.id));
        asked.map(|row| again(connection, app, household, row)).collect()
    })
}

fn again(
    connection: &Connection,
    app: &App,
    household: &Household,
    row: &Row,
) -> Result<Replay, StoreError> {
    let key = format!("{}.rule", row.id);
    let is_warning = |op: &FieldOp| op.container.name() == "warnings" && op.key == key;
    let then = storage::once_written(connection, household, is_warning)?;
    let (Some(fired_on), Some(then)) = (row.day("fired_on"), then) else {
        let outcome = Outcome::NoWarning;
        return Ok(Replay { row: row.clone(), outcome, is_in_fen: false, today: None });
    };
    let was = facts(&then.fold, then.village);
    let text = policies::text_at(connection, row.text("rule_version"), then.taken_ms)?;
    // One that this release cannot read any more is as good as lost.
    let policy = text.and_then(|text| Policy::parse(&text).ok());
    let delivery = row.int("delivery").unwrap_or_default();
    let rows = department::about_after(connection, household.n, delivery)?;
    let find = |policy: &Policy| {
        let fired = warning::evaluate(&was, policy, fired_on);
        let reading = Reading {
            sender: Sender::of_list(row.text("department"), delivery, fired_on),
            fills_in: false,
            key: &app.person_key,
            policy,
        };
        // What the record says otherwise stayed on record; the list was what warned.
        let listed = reading.fired(&was, &rows);
        let mut both = fired.into_iter().chain(listed).filter(|w| w.rule == row.text("rule"));
        let first = both.next();
        both.find(|w| warning::is_alike(row, w)).or(first)
    };
    let outcome = match policy.as_ref().map(&find) {
        None => Outcome::PolicyUnknown,
        Some(Some(warning)) if warning::is_alike(row, &warning) => Outcome::Alike,
        Some(_) if is_withdrawn(connection, delivery)? => Outcome::ListWithdrawn,
        Some(other) => Outcome::Differs(other),
    };
    let current = &app.policy.policy;
    let rules = policy.iter().flat_map(|policy| &policy.rules).chain(&current.rules);
    let is_in_fen = rules
        .filter(|rule| rule.id == row.text("rule"))
        .map(|rule| rule.signal.is_in_fen())
        .next()
        .unwrap_or_default();
    Ok(Replay { row: row.clone(), outcome, is_in_fen, today: find(current) })
}

fn is_withdrawn(connection: &Connection, delivery: i64) -> Result<bool, StoreError> {
    let imports = department::imports(connection)?;
    Ok(imports.iter().any(|import| import.n == delivery && import.withdrawn_by.is_some()))
}
