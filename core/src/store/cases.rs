//! Monitoring cases as they are read from the records: the steps with who took them, what has to be done, by
//! whom. On phone and server alike. Must not decide what is legal or whose a task is; `domain` does.

use std::fmt;
use std::str::FromStr;

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
use crate::domain::workflow::{self, Case, Passed, Stage, Task, TaskKind};

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

impl TaskView {
    /// Where a page begins that goes on behind this task.
    pub fn place(&self) -> TaskPlace {
        TaskPlace::of(self.task.clone(), self.household)
    }
}

/// A place in the list of tasks: by the last day, those without one at the end, then by kind, subject and household. It stays
/// what it is when its task is done. As a text it is `DAY/KIND/SUBJECT/HOUSEHOLD`, the day `-` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskPlace {
    has_no_day: bool,
    task: Task,
    household: HouseholdId,
}

/// A text that is no place in the list of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in the list of tasks")]
pub struct ParsePlaceError;

impl TaskPlace {
    /// The place of a household's task.
    pub fn of(task: Task, household: HouseholdId) -> Self {
        Self { has_no_day: task.due_on.is_none(), task, household }
    }

    /// Which task stands there.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Whose.
    pub fn household(&self) -> HouseholdId {
        self.household
    }
}

impl fmt::Display for TaskPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Task { due_on, kind, subject } = &self.task;
        let day = due_on.map_or_else(|| "-".to_owned(), |day| day.to_string());
        write!(f, "{day}/{}/{subject}/{}", kind.code(), self.household)
    }
}

impl FromStr for TaskPlace {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, ParsePlaceError> {
        let place = || {
            let (day, rest) = text.split_once('/')?;
            let (code, rest) = rest.split_once('/')?;
            // Whoever named the subject may have used any sign.
            let (subject, household) = rest.rsplit_once('/')?;
            let due_on = if day == "-" { None } else { Some(day.parse().ok()?) };
            let kind = TaskKind::ALL.into_iter().find(|kind| kind.code() == code)?;
            let task = Task { due_on, kind, subject: subject.to_owned() };
            Some(Self::of(task, household.parse().ok()?))
        };
        place().ok_or(ParsePlaceError)
    }
}

/// How the steps of a household's record come to a case: a server knows when it took each, a phone has the days they state.
pub type CaseOf = fn(&Connection, &Household, &Facts) -> Result<Case, StoreError>;

/// The case by the days that its steps state.
///
/// # Errors
/// None.
pub fn as_stated(_: &Connection, _: &Household, facts: &Facts) -> Result<Case, StoreError> {
    Ok(Case::of(facts))
}

/// Where a household's case is.
///
/// # Errors
/// As the file reports.
pub fn view(
    connection: &Connection,
    household: &Household,
    asking: &Asking<'_>,
    case_of: CaseOf,
) -> Result<CaseView, StoreError> {
    let facts = facts(&household.fold, household.scope);
    let case = case_of(connection, household, &facts)?;
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
pub fn tasks(
    connection: &Connection,
    asking: &Asking<'_>,
    case_of: CaseOf,
) -> Result<Vec<TaskView>, StoreError> {
    let mut found = Vec::new();
    let stages = asking.role.and_then(workflow::stages_with_tasks);
    for n in listing::with_tasks(connection, asking.areas, stages)? {
        found.extend(tasks_about(connection, n, asking, case_of)?);
    }
    found.sort_by_cached_key(TaskView::place);
    Ok(found)
}

/// What the asking account has to do about the household of a local number.
///
/// # Errors
/// As the file reports.
pub fn tasks_about(
    connection: &Connection,
    n: i64,
    asking: &Asking<'_>,
    case_of: CaseOf,
) -> Result<Vec<TaskView>, StoreError> {
    let household = records::get(connection, n)?;
    let facts = facts(&household.fold, household.scope);
    let case = case_of(connection, &household, &facts)?;
    let tasks = asking.tasks(&facts, &case).into_iter();
    let view = |task: Task| TaskView {
        household: household.id,
        village: household.scope,
        head_name: facts.text("basic", "head_name").to_owned(),
        overdue: task.is_overdue(asking.today),
        task,
    };
    Ok(tasks.map(view).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn place(due_on: Option<&str>, kind: TaskKind, subject: &str, household: u8) -> TaskPlace {
        let due_on = due_on.map(|day| day.parse().unwrap());
        let task = Task { due_on, kind, subject: subject.to_owned() };
        TaskPlace::of(task, HouseholdId([household; 16]))
    }

    #[test]
    fn a_place_reads_back_from_its_text_and_keeps_the_order() {
        let ascending = [
            place(Some("2024-03-01"), TaskKind::Visit, "", 9),
            place(Some("2024-03-02"), TaskKind::AnswerWarning, "w/1 'x", 9),
            place(Some("2024-03-02"), TaskKind::Verify, "", 1),
            place(Some("2024-03-02"), TaskKind::Verify, "", 2),
            place(None, TaskKind::AnswerWarning, "", 1),
        ];
        assert!(ascending.is_sorted());
        for place in &ascending {
            assert_eq!(place.to_string().parse().as_ref(), Ok(place));
        }
        for text in ["", "2024-03-01", "-/visit/", "-/dance//x", "soon/visit//x"] {
            assert_eq!(text.parse::<TaskPlace>(), Err(ParsePlaceError), "{text}");
        }
    }
}
