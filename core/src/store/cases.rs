//! Monitoring cases as they are read from the records: the steps with who took them, what has to be done, by
//! whom. On phone and server alike. Must not decide what is legal; `domain::workflow` does.

use rusqlite::Connection;

use super::records::{self, Household};
use super::{StoreError, listing};
use crate::document::change::Change;
use crate::document::facts::facts;
use crate::document::genesis::ContainerIndex;
use crate::document::record::{Stamp, row_key};
use crate::domain::authority::{self, Action, Role};
use crate::domain::day::Day;
use crate::domain::facts::Facts;
use crate::domain::ids::HouseholdId;
use crate::domain::policy::Policy;
use crate::domain::workflow::{self, Case, Passed, Stage, Task, successors};

/// A step as it stands on record.
#[derive(Clone, Debug, PartialEq, Eq)]
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
pub struct PassedView {
    /// The stage.
    pub stage: Stage,
    /// The steps that lead there.
    pub steps: Vec<StepView>,
}

/// A household's case.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Whoever asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The account; empty before enrolment.
    pub account: &'a str,
    /// Its role; none before enrolment.
    pub role: Option<Role>,
    /// Its areas.
    pub areas: &'a [u64],
    /// The lines and periods that hold.
    pub policy: &'a Policy,
    /// The day it is, by the server's clock.
    pub today: Day,
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

/// What the asking account has to do, the most urgent first. A household with a responsible cadre of its own is
/// left to that cadre.
///
/// # Errors
/// As the file reports.
pub fn tasks(connection: &Connection, asking: &Asking<'_>) -> Result<Vec<TaskView>, StoreError> {
    let mut found = Vec::new();
    for n in listing::with_tasks(connection, asking.areas)? {
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        if asking.is_left_to_another(&facts) {
            continue;
        }
        let tasks = workflow::tasks(&facts, &Case::of(&facts), asking.policy, asking.today);
        for task in tasks.into_iter().filter(|task| asking.is_mine(task)) {
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

impl Asking<'_> {
    fn may_enter(&self, village: u64, case: &Case) -> Vec<Stage> {
        let Some(role) = self.role else { return Vec::new() };
        let place = authority::place(role, self.areas, village);
        let may = |stage: &Stage| {
            let class = stage.class(role.level_code());
            authority::may(role, place, class, Action::Add)
        };
        let on_notice = case.stage() == Some(Stage::OnNotice);
        let objection = on_notice.then_some(Stage::Objection);
        let settle = (!case.objections.is_empty()).then_some(Stage::ObjectionSettled);
        let next = successors(case.place()).iter().copied().chain(objection).chain(settle);
        next.filter(may).collect()
    }

    /// Offices see what is theirs; whoever works in the village sees what the village has to do.
    fn is_mine(&self, task: &Task) -> bool {
        let theirs = task.kind.role();
        match self.role {
            None | Some(Role::GridWorker) => theirs == Role::VillageCadre,
            Some(role) => role == theirs,
        }
    }

    fn is_left_to_another(&self, facts: &Facts) -> bool {
        if !matches!(self.role, Some(Role::VillageCadre | Role::GridWorker)) {
            return false;
        }
        let mut responsible = facts.rows("cadres").iter().filter(|cadre| {
            matches!(cadre.text("role"), "" | "responsible")
                && cadre.text("to").is_empty()
                && !cadre.text("account").is_empty()
        });
        responsible.clone().next().is_some()
            && !responsible.any(|cadre| cadre.text("account") == self.account)
    }
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
