//! A warning on record asked again: on the record and the list as they were when it was written, under the policy of that
//! time. Must not know how it is told.

use rusqlite::{Connection, OptionalExtension, params};
use wanhu_core::document::change::{Change, FieldOp};
use wanhu_core::document::facts::facts;
use wanhu_core::document::fold::Fold;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::warning::{self, Warning};
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};
use wanhu_core::sync::chain::EntryKind;

use super::effects::Reading;
use crate::app::App;
use crate::storage::{department, policies};

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
    let then = Then::of(connection, household, row)?;
    let (Some(fired_on), Some(then)) = (row.day("fired_on"), then) else {
        let outcome = Outcome::NoWarning;
        return Ok(Replay { row: row.clone(), outcome, is_in_fen: false, today: None });
    };
    let text = policies::text_at(connection, row.text("rule_version"), then.taken_ms)?;
    // One that this release cannot read any more is as good as lost.
    let policy = text.and_then(|text| Policy::parse(&text).ok());
    let delivery = row.int("delivery").unwrap_or_default();
    let rows = department::about_after(connection, household.n, delivery)?;
    let find = |policy: &Policy| {
        let fired = warning::evaluate(&then.facts, policy, fired_on);
        let reading = Reading {
            import: delivery,
            department: row.text("department"),
            key: &app.person_key,
            policy,
            today: fired_on,
        };
        // What the record says otherwise stayed on record; the list was what warned.
        let listed = reading.fired(&then.facts, &rows);
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
    Ok(imports.iter().any(|import| import.n == delivery && import.withdrawn_ms.is_some()))
}

/// A record as it was once a warning was written.
struct Then {
    facts: Facts,
    taken_ms: i64,
}

impl Then {
    fn of(
        connection: &Connection,
        household: &Household,
        row: &Row,
    ) -> Result<Option<Self>, StoreError> {
        let key = format!("{}.rule", row.id);
        let (mut fold, mut n) = (Fold::default(), None);
        // Dependencies first; a server's own change rests on all that it has taken.
        for stored in records::changes(connection, household.n)? {
            let change = Change::decode_named(&stored.raw, stored.hash)?;
            fold.apply(&change);
            let is_warning = |op: &FieldOp| op.container.name() == "warnings" && op.key == key;
            if change.ops.iter().any(is_warning) {
                n = Some(stored.n);
                break;
            }
        }
        let Some(n) = n else { return Ok(None) };
        let (taken_ms, place) = connection
            .prepare_cached(
                "SELECT received_ms, n FROM log WHERE household = ?1 AND change = ?2 AND kind = ?3",
            )?
            .query_row(params![household.n, n, EntryKind::Change as u8], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let village = village_at(connection, household, place)?;
        Ok(Some(Self { facts: facts(&fold, village), taken_ms }))
    }
}

/// The village a household was in at a place of the log: the one that it left next.
fn village_at(
    connection: &Connection,
    household: &Household,
    place: i64,
) -> Result<u64, StoreError> {
    let left: Option<i64> = connection
        .prepare_cached(
            "SELECT scope FROM log WHERE household = ?1 AND kind = ?2 AND n > ?3 ORDER BY n LIMIT 1",
        )?
        .query_row(params![household.n, EntryKind::Leave as u8, place], |row| row.get(0))
        .optional()?;
    Ok(left.map_or(household.scope, i64::cast_unsigned))
}
