//! Monitoring cases as they are read from the records: the steps with who took them, what has to be done, by
//! whom. On phone and server alike. Must not decide what is legal or whose a task is; `domain` does.

use rusqlite::Connection;

use super::StoreError;
use super::listing;
use super::records::{self, Household};
use crate::document::change::Change;
use crate::document::facts::facts;
use crate::document::genesis::ContainerIndex;
use crate::document::record::{Stamp, row_key};
use crate::domain::asking::Asking;
use crate::domain::day::Day;
use crate::domain::facts::Facts;
use crate::domain::ids::HouseholdId;
use crate::domain::workflow::{self, Case, Passed, Stage, Task};

/// A step as it stands on record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct StepView {
    /// Its row id.
    pub row: String,
    /// What it enters, or says; none for a stage of a newer release.
    pub stage: Option<Stage>,
    /// The day it states.
    pub on: Option<Day>,
    /// Its reason.
    pub reason: String,
    /// Who took it, for whom.
    pub stamp: Stamp,
    /// Whether the server has taken it; until then it is a proposal.
    pub accepted: bool,
}

/// A place the case has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PassedView {
    /// The stage.
    pub stage: Stage,
    /// The steps that lead there.
    pub steps: Vec<StepView>,
}

/// A household's case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CaseView {
    /// The places passed, the present one last.
    pub path: Vec<PassedView>,
    /// Steps that do not count, because another branch does.
    pub set_aside: Vec<StepView>,
    /// Objections to the present notice that nobody has settled.
    pub objections: Vec<StepView>,
    /// What the asking account may enter next, as far as rights go.
    pub may_enter: Vec<Stage>,
    /// What has to be done, the most urgent first.
    pub tasks: Vec<Task>,
}

/// Something to be done, with the household it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TaskView {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub village: u64,
    /// Name of its head.
    pub head_name: String,
    /// What, and until when.
    pub task: Task,
    /// Whether its last day is over, by the server's clock.
    pub overdue: bool,
}

/// Where a household's case is.
///
/// # Errors
/// As the file reports.
pub fn view(
    connection: &Connection,
    household: &Household,
    asking: &Asking<'_>,
) -> Result<CaseView, StoreError> {
    let facts = facts(&household.fold, household.scope);
    let case = Case::of(&facts);
    let steps = |rows: &[String]| {
        rows.iter()
            .map(|row| step(connection, household, &facts, row))
            .collect::<Result<Vec<_>, _>>()
    };
    let passed =
        |passed: &Passed| Ok(PassedView { stage: passed.stage, steps: steps(&passed.steps)? });
    Ok(CaseView {
        path: case.path.iter().map(passed).collect::<Result<_, StoreError>>()?,
        set_aside: steps(&case.set_aside)?,
        objections: steps(&case.objections)?,
        may_enter: asking.may_enter(household.scope, &case),
        tasks: workflow::tasks(&facts, &case, asking.policy, asking.today),
    })
}

/// What the asking account has to do, the most urgent first.
///
/// # Errors
/// As the file reports.
pub fn tasks(connection: &Connection, asking: &Asking<'_>) -> Result<Vec<TaskView>, StoreError> {
    let mut found = Vec::new();
    let stages = asking.role.and_then(workflow::stages_with_tasks);
    for n in listing::with_tasks(connection, asking.areas, stages)? {
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        for task in asking.tasks(&facts) {
            found.push(TaskView {
                household: household.id,
                village: household.scope,
                head_name: facts.text("basic", "head_name").to_owned(),
                overdue: task.is_overdue(asking.today),
                task,
            });
        }
    }
    found.sort_by_key(|view| (view.task.due_on.is_none(), view.task.clone(), view.household));
    Ok(found)
}

fn step(
    connection: &Connection,
    household: &Household,
    facts: &Facts,
    row: &str,
) -> Result<StepView, StoreError> {
    let steps = ContainerIndex::of("steps");
    let key = row_key(row, "state");
    let entry = steps.and_then(|steps| household.fold.entries(steps, &key).last());
    let stored = match entry {
        Some(entry) => records::by_operation(connection, household.n, &entry.id)?,
        None => None,
    };
    let (stamp, accepted) = match stored {
        Some(stored) => {
            let change = Change::decode_named(&stored.raw, stored.hash)?;
            (Stamp::parse(&change.message), stored.acknowledged)
        }
        None => (Stamp::default(), false),
    };
    let shown = facts.row("steps", row);
    Ok(StepView {
        row: row.to_owned(),
        stage: shown.and_then(|step| Stage::from_code(step.text("state"))),
        on: shown.and_then(|step| step.day("on")),
        reason: shown.map(|step| step.text("reason").to_owned()).unwrap_or_default(),
        stamp,
        accepted,
    })
}
