//! Operations as the rules see them: to those of authority, which field, what value, and whether something is
//! there already; to those of the workflow, which steps a change takes. Must not hold a rule of its own.

use std::collections::BTreeMap;

use super::change::{Change, FieldOp};
use super::draft::FieldEdit;
use super::facts::facts;
use super::fold::Fold;
use super::genesis::ContainerIndex;
use super::record::split_key;
use crate::domain::authority::{self, Deed, Denial, Place, Role};
use crate::domain::day::Day;
use crate::domain::facts::Row;
use crate::domain::policy::Policy;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::domain::workflow::{self, Case, Lack, Stage};

/// Judges a change that came in, on top of the state it will be folded into.
///
/// # Errors
/// The first deed that is not allowed.
pub fn judge_change(role: Role, place: Place, fold: &Fold, change: &Change) -> Result<(), Denial> {
    let ops = change.ops.iter().map(|op| (op.container, op.key.as_str(), op.value.as_ref()));
    judge(role, place, fold, ops)
}

/// Judges a change before it is made.
///
/// # Errors
/// The first deed that is not allowed.
pub fn judge_edits(
    role: Role,
    place: Place,
    fold: &Fold,
    edits: &[FieldEdit],
) -> Result<(), Denial> {
    let edits = edits.iter().map(|e| (e.container, e.key.as_str(), e.value.as_ref()));
    judge(role, place, fold, edits)
}

/// Most steps of one change: an office enters a decision and what follows from it together.
const STEPS_A_CHANGE: usize = 8;
/// Most steps of one household: decades of coming and going. More are somebody's flood.
const STEPS_A_CASE: usize = 500;

/// A step that may not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDenial {
    /// Where the case is.
    pub from: Option<Stage>,
    /// The step.
    pub step: Option<Stage>,
    /// Why not.
    pub lack: Lack,
}

/// Judges the steps that a change takes, and whether it writes down what only follows from one, on top of the state it will be
/// folded into. `begun` holds the days on which steps on record were begun by the clock of whoever asks, where that is not the day
/// they state.
///
/// # Errors
/// The first step that may not be taken.
pub fn judge_steps(
    fold: &Fold,
    village: u64,
    change: &Change,
    policy: &Policy,
    today: Day,
    begun: &BTreeMap<String, Day>,
) -> Result<(), StepDenial> {
    if !is_about_case(change) {
        return Ok(());
    }
    let taken = steps_of(change);
    let mut after = fold.clone();
    after.apply(change);
    let facts = facts(&after, village);
    if names_kind(change) {
        workflow::check_kind(&facts).map_err(|lack| StepDenial {
            from: Case::of(&facts).stage(),
            step: Some(Stage::Monitored),
            lack,
        })?;
    }
    if taken.len() > STEPS_A_CHANGE || facts.rows("steps").len() > STEPS_A_CASE {
        return Err(StepDenial { from: Case::of(&facts).stage(), step: None, lack: Lack::TooMany });
    }
    for row in facts.rows("steps").iter().filter(|row| taken.contains(&row.id.as_str())) {
        let begun = |row: &Row| begun.get(&row.id).copied().or_else(|| row.day("on"));
        workflow::check(&facts, row, policy, today, begun).map_err(|lack| {
            let before = facts.clone().without_rows("steps", &taken);
            let (from, step) = (Case::of(&before).stage(), Stage::from_code(row.text("state")));
            StepDenial { from, step, lack }
        })?;
    }
    Ok(())
}

/// Whether there is anything to judge by where the case is.
pub fn is_about_case(change: &Change) -> bool {
    !steps_of(change).is_empty() || names_kind(change)
}

/// Whether a change says as what a household is monitored.
fn names_kind(change: &Change) -> bool {
    let is_kind = |op: &FieldOp| op.container.name() == "class" && op.key == "monitored_kind";
    let says = |value: &Option<Value>| value.as_ref().is_some_and(|value| *value != Value::Null);
    change.ops.iter().any(|op| is_kind(op) && says(&op.value))
}

/// Rows of the steps that a change adds.
pub fn steps_of(change: &Change) -> Vec<&str> {
    let steps = change.ops.iter().filter(|op| op.container.name() == "steps");
    let mut rows: Vec<&str> = steps.map(|op| split_key(&op.key).0).collect();
    rows.dedup();
    rows
}

/// The field a key names: behind the row in a container with rows.
pub fn field_of(container: ContainerIndex, key: &str) -> &str {
    if container.has_rows() { split_key(key).1 } else { key }
}

/// Judges a change that an office takes out of quarantine.
///
/// # Errors
/// The first deed that nobody at its level or below may do.
pub fn judge_release(office: Role, fold: &Fold, change: &Change) -> Result<(), Denial> {
    let ops = change.ops.iter().map(|op| (op.container, op.key.as_str(), op.value.as_ref()));
    authority::judge_release(Schema::base(), office, &deeds(fold, ops))
}

fn judge<'a>(
    role: Role,
    place: Place,
    fold: &Fold,
    ops: impl Iterator<Item = (ContainerIndex, &'a str, Option<&'a Value>)>,
) -> Result<(), Denial> {
    authority::judge(Schema::base(), role, place, &deeds(fold, ops))
}

fn deeds<'a>(
    fold: &Fold,
    ops: impl Iterator<Item = (ContainerIndex, &'a str, Option<&'a Value>)>,
) -> Vec<Deed<'a>> {
    ops.map(|(container, key, value)| Deed {
        container: container.name(),
        row: if container.has_rows() { split_key(key).0 } else { "" },
        field: field_of(container, key),
        value,
        // What is on record counts, not what the author claims to have seen.
        exists: fold.entries(container, key).len() > 0,
    })
    .collect()
}
