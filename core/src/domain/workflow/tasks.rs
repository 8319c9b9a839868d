//! What has to be done about a household, by whom and until when. Follows from the state, the warnings and the
//! help on record; nobody keeps a list of tasks. Must not know whose phone asks.

use std::collections::BTreeSet;

use super::clues;
use super::shocks;
use super::{Case, Clock, Day, Facts, Policy, Row, Stage};
use crate::domain::authority::Role;
use crate::domain::facts::GUARANTEES;
use crate::domain::help::is_in_effect;
use crate::domain::visit;
use crate::domain::warning;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum TaskKind {
    /// Look into a warning and answer it.
    AnswerWarning,
    /// Look into what was said after the visit that verifies.
    AnswerClue,
    /// Visit the household and verify.
    Verify,
    /// Appraise in a meeting.
    Appraise,
    /// Put the result on notice.
    PutOnNotice,
    /// Settle an objection.
    SettleObjection,
    /// Check as the township, once the notice is over.
    TownshipCheck,
    /// Decide as the county.
    CountyDecide,
    /// Enter the decision.
    EnterDecision,
    /// Begin a case: what came upon a household of which none runs has been confirmed, and none is to be opened again.
    BeginCase,
    /// Open a closed case again: what came upon the household since has been confirmed.
    Reopen,
    /// See what the village found before it knew that the case was turned down.
    LookAgain,
    /// Name the responsible cadre.
    NameCadre,
    /// Make a plan.
    MakePlan,
    /// Record the first measure.
    RecordMeasure,
    /// Visit a monitored household again.
    Visit,
    /// See to a guarantee that is not met.
    MeetGuarantee,
}

impl TaskKind {
    /// All kinds.
    pub const ALL: [Self; 17] = [
        Self::AnswerWarning,
        Self::AnswerClue,
        Self::Verify,
        Self::Appraise,
        Self::PutOnNotice,
        Self::SettleObjection,
        Self::TownshipCheck,
        Self::CountyDecide,
        Self::EnterDecision,
        Self::BeginCase,
        Self::Reopen,
        Self::LookAgain,
        Self::NameCadre,
        Self::MakePlan,
        Self::RecordMeasure,
        Self::Visit,
        Self::MeetGuarantee,
    ];

    /// The stable code: list `task_kind` of words.
    pub fn code(self) -> &'static str {
        match self {
            Self::AnswerWarning => "answer_warning",
            Self::AnswerClue => "answer_clue",
            Self::Verify => "verify",
            Self::Appraise => "appraise",
            Self::PutOnNotice => "put_on_notice",
            Self::SettleObjection => "settle_objection",
            Self::TownshipCheck => "township_check",
            Self::CountyDecide => "county_decide",
            Self::EnterDecision => "enter_decision",
            Self::BeginCase => "begin_case",
            Self::Reopen => "reopen",
            Self::LookAgain => "look_again",
            Self::NameCadre => "name_cadre",
            Self::MakePlan => "make_plan",
            Self::RecordMeasure => "record_measure",
            Self::Visit => "visit",
            Self::MeetGuarantee => "meet_guarantee",
        }
    }

    /// Whose it is.
    pub fn role(self) -> Role {
        match self {
            Self::Appraise | Self::PutOnNotice | Self::SettleObjection => Role::VillageCommittee,
            Self::TownshipCheck | Self::Reopen | Self::LookAgain | Self::NameCadre => {
                Role::TownshipOffice
            }
            Self::CountyDecide | Self::EnterDecision => Role::CountyOffice,
            Self::AnswerWarning
            | Self::AnswerClue
            | Self::Verify
            | Self::BeginCase
            | Self::MakePlan
            | Self::RecordMeasure
            | Self::Visit
            | Self::MeetGuarantee => Role::VillageCadre,
        }
    }
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Task {
    /// The last day for it; none where nothing is published.
    pub due_on: Option<Day>,
    /// What.
    pub kind: TaskKind,
    /// The row or field it is about; empty for the case as a whole.
    pub subject: String,
}

impl Task {
    /// Whether its last day is over.
    pub fn is_overdue(&self, today: Day) -> bool {
        self.due_on.is_some_and(|due| due < today)
    }
}

/// A task of a household, and from when on it has it: known beforehand, as long as nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Foreseen {
    /// The task.
    pub task: Task,
    /// The first day on which it is to be done; none where it is already.
    pub from: Option<Day>,
}

/// What has to be done about a household, the most urgent first.
pub fn tasks(facts: &Facts, case: &Case, policy: &Policy, today: Day) -> Vec<Task> {
    if !facts.is_active() {
        return Vec::new();
    }
    let known = Asked { facts, case, policy, today }.tasks().into_iter();
    let begun = known.filter(|known| known.from.is_none_or(|from| from <= today));
    let mut tasks: Vec<Task> = begun.map(|foreseen| foreseen.task).collect();
    tasks.sort_by_key(|task| (task.due_on.is_none(), task.clone()));
    tasks
}

/// All that may have to be done about a household on some day from `first` on, as long as nothing is written. A visit of a day to
/// come, as a phone may date one whose clock is ahead, takes nothing off before that day.
pub fn foreseen(facts: &Facts, case: &Case, policy: &Policy, first: Day) -> BTreeSet<Foreseen> {
    if !facts.is_active() {
        return BTreeSet::new();
    }
    let visits = facts.rows("visits").iter().filter_map(|visit| visit.day("date"));
    let days = visits.filter(|day| *day > first).chain([first]);
    days.flat_map(|today| Asked { facts, case, policy, today }.tasks()).collect()
}

/// Whether anything may have to be done about a household, on any day, under any policy, and by whichever clock its steps
/// are dated: that of a server may see a clue come after a visit which a phone dates later.
pub fn may_have_tasks(facts: &Facts, case: &Case) -> bool {
    case.is_running()
        || facts.rows("warnings").iter().any(warning::is_open)
        || clues::unanswered(facts, case).next().is_some()
        || shocks::may_be(facts, case)
        || !case.overtaken.is_empty()
        || !case.objections.is_empty()
}

/// The stages in which a role has tasks; none where it may have some in every stage.
pub fn stages_with_tasks(role: Role) -> Option<&'static [Stage]> {
    match role {
        // An objection may arrive when all is decided.
        Role::VillageCommittee => Some(&[
            Stage::Verified,
            Stage::Appraised,
            Stage::OnNotice,
            Stage::TownshipCheck,
            Stage::CountyDecision,
            Stage::Monitored,
            Stage::Helped,
            Stage::Closed,
            Stage::Reopened,
        ]),
        Role::CountyOffice => Some(&[Stage::TownshipCheck, Stage::CountyDecision]),
        Role::Household | Role::City | Role::Department | Role::Operator => Some(&[]),
        Role::GridWorker | Role::VillageCadre | Role::TownshipOffice => None,
    }
}

struct Asked<'a> {
    facts: &'a Facts,
    case: &'a Case,
    policy: &'a Policy,
    /// The last day that counts.
    today: Day,
}

impl From<Task> for Foreseen {
    fn from(task: Task) -> Self {
        Self { task, from: None }
    }
}

impl Asked<'_> {
    fn tasks(&self) -> Vec<Foreseen> {
        let mut tasks: Vec<Foreseen> = self.of_warnings().into_iter().map(Into::into).collect();
        tasks.extend(self.of_clues().into_iter().map(Into::into));
        tasks.extend(self.of_late_objections().into_iter().map(Into::into));
        tasks.extend(self.of_stage());
        if self.case.is_open() {
            tasks.extend(self.of_help());
        } else if self.case.is_running() {
            tasks.extend(self.of_urgent_help().map(Into::into));
        }
        tasks
    }

    fn due(&self, clock: Clock, from: Option<Day>) -> Option<Day> {
        self.policy.due(clock, self.facts.village, from?)
    }

    fn of_warnings(&self) -> Vec<Task> {
        let open = self.facts.rows("warnings").iter().filter(|warning| warning::is_open(warning));
        open.map(|warning| Task {
            due_on: warning.day("due_on"),
            kind: TaskKind::AnswerWarning,
            subject: warning.id.clone(),
        })
        .collect()
    }

    fn of_clues(&self) -> Vec<Task> {
        let task = |clue: &Row| Task {
            due_on: self.due(Clock::Verify, clue.day("received_on")),
            kind: TaskKind::AnswerClue,
            subject: clue.id.clone(),
        };
        clues::to_answer(self.facts, self.case).into_iter().map(task).collect()
    }

    fn of_stage(&self) -> Vec<Foreseen> {
        let case = self.case;
        let entered = case.path.last().and_then(|last| last.on);
        // Both ways, the decision is due from where the way began.
        let began = [Stage::ToClose, Stage::Clue].map(|stage| case.entered(stage));
        let decision = self.due(Clock::Decide, began.into_iter().flatten().max());
        let task = |kind, due_on| vec![Task { due_on, kind, subject: String::new() }.into()];
        match case.stage() {
            Some(Stage::Clue | Stage::ToVerify | Stage::Returned | Stage::ToClose) => {
                task(TaskKind::Verify, self.due(Clock::Verify, entered))
            }
            Some(Stage::Verified) => task(TaskKind::Appraise, decision),
            Some(Stage::Appraised) => task(TaskKind::PutOnNotice, decision),
            Some(Stage::OnNotice) => self.of_notice(decision, entered),
            // An objection that came late is settled before the county decides.
            Some(Stage::TownshipCheck) if !case.objections.is_empty() => {
                self.of_notice(decision, entered)
            }
            Some(Stage::TownshipCheck) => task(TaskKind::CountyDecide, decision),
            Some(Stage::CountyDecision) => task(TaskKind::EnterDecision, decision),
            Some(Stage::Closed) => self.of_shocks(TaskKind::Reopen),
            Some(Stage::NotIncluded | Stage::Duplicate) if !case.overtaken.is_empty() => {
                self.of_overtaken()
            }
            Some(Stage::NotIncluded | Stage::Duplicate) | None => {
                self.of_shocks(TaskKind::BeginCase)
            }
            Some(
                Stage::Monitored
                | Stage::Helped
                | Stage::Reopened
                | Stage::Objection
                | Stage::ObjectionSettled,
            ) => Vec::new(),
        }
    }

    /// Objections that arrived when the case had gone on to its decision: whoever heard them says what they come to.
    fn of_late_objections(&self) -> Vec<Task> {
        let case = self.case;
        // Before, a notice asks for it, or the case is looked into once more.
        let is_decided = case.stage().is_some_and(|stage| DECIDED.contains(&stage));
        let said = |step: &String| self.facts.row("steps", step)?.day("on");
        let task = |step: &String| Task {
            due_on: self.due(Clock::Verify, said(step)),
            kind: TaskKind::SettleObjection,
            subject: step.clone(),
        };
        let late = case.objections.iter().filter(|_| is_decided);
        late.map(task).collect()
    }

    /// One task however many shocks: one case is begun, or opened again. No period is published for it: it is due as a visit that
    /// verifies would be, by the first of them.
    fn of_shocks(&self, kind: TaskKind) -> Vec<Foreseen> {
        let days: Vec<_> = shocks::of_nobody(self.facts, self.case, self.today).collect();
        let due_on = self.due(Clock::Verify, days.iter().flatten().min().copied());
        let task = Task { due_on, kind, subject: String::new() };
        if days.is_empty() { Vec::new() } else { vec![task.into()] }
    }

    /// No period is published for it: it is due as a visit that verifies would be, counted from what was found.
    fn of_overtaken(&self) -> Vec<Foreseen> {
        let found = |step: &String| self.facts.row("steps", step)?.day("on");
        let task = |step: &String| Task {
            due_on: self.due(Clock::Verify, found(step)),
            kind: TaskKind::LookAgain,
            subject: step.clone(),
        };
        self.case.overtaken.iter().map(|step| task(step).into()).collect()
    }

    fn of_notice(&self, decision: Option<Day>, entered: Option<Day>) -> Vec<Foreseen> {
        let objections = self.case.objections.iter().map(|subject| {
            let subject = subject.clone();
            Task { due_on: decision, kind: TaskKind::SettleObjection, subject }.into()
        });
        let mut tasks: Vec<Foreseen> = objections.collect();
        if tasks.is_empty() {
            let kind = TaskKind::TownshipCheck;
            let task = Task { due_on: decision, kind, subject: String::new() };
            // As long as the notice hangs, nobody checks.
            let from = self.due(Clock::Notice, entered).map(|last| last.plus_days(1));
            tasks.push(Foreseen { task, from });
        }
        tasks
    }

    /// Help by the green channel (绿色通道) does not wait for the decision. No period is published for it: it is due with
    /// the visit that verifies.
    fn of_urgent_help(&self) -> Option<Task> {
        let since = self.case.entered(Stage::Clue);
        let is_of_before = |measure: &Row| measure.day("from").is_some_and(|on| Some(on) < since);
        let is_this_help = |measure: &Row| is_in_effect(measure) && !is_of_before(measure);
        let is_helped = self.facts.rows("measures").iter().any(is_this_help);
        let is_due = self.facts.tick("case", "green_channel") && !is_helped;
        is_due.then(|| Task {
            due_on: self.due(Clock::Verify, since),
            kind: TaskKind::RecordMeasure,
            subject: String::new(),
        })
    }

    /// From when on a cadre has to be named: from the end of the last term, where there was one; not at all where a term is
    /// without end.
    fn naming(&self, due_on: Option<Day>) -> Option<Foreseen> {
        let ends: Option<Vec<Day>> = self.facts.cadres().map(|cadre| cadre.day("to")).collect();
        let from = ends?.into_iter().max().map(|last| last.plus_days(1));
        // A term that ends is followed within the time in which a first one has to begin.
        let due_on = due_on.max(self.due(Clock::Plan, from));
        let task = Task { due_on, kind: TaskKind::NameCadre, subject: String::new() };
        Some(Foreseen { task, from })
    }

    fn of_help(&self) -> Vec<Foreseen> {
        let facts = self.facts;
        let since = self.case.owed_since(facts);
        let plan = self.due(Clock::Plan, since);
        let mut tasks: Vec<Foreseen> = self.naming(plan).into_iter().collect();
        let mut add = |kind, due_on, subject: &str, from| {
            let task = Task { due_on, kind, subject: subject.to_owned() };
            tasks.push(Foreseen { task, from });
        };
        if facts.rows("plan").is_empty() {
            add(TaskKind::MakePlan, plan, "", None);
        }
        if !facts.rows("measures").iter().any(is_in_effect) {
            add(TaskKind::RecordMeasure, plan, "", None);
        }
        let visits = facts.rows("visits").iter().filter(|visit| visit::is_heard(visit));
        let days = visits.filter_map(|visit| visit.day("date"));
        let visited = days.filter(|day| *day <= self.today).max();
        let next = self.due(Clock::Visit, visited.max(since));
        // What opened the case again nobody has seen yet.
        let is_unseen = visited < self.case.entered(Stage::Reopened);
        let near = next.filter(|_| !is_unseen).map(|due| due.plus_days(-VISIT_SHOWN_DAYS));
        add(TaskKind::Visit, next, "", near);
        for field in GUARANTEES {
            if facts.text("guarantees", field) == "not_met" {
                add(TaskKind::MeetGuarantee, None, field, None);
            }
        }
        tasks
    }
}

/// Where a case is once the county has decided, until it is proposed to be closed.
const DECIDED: [Stage; 5] =
    [Stage::CountyDecision, Stage::Monitored, Stage::Helped, Stage::Closed, Stage::Reopened];

/// Days before a monthly visit is due from which it is shown: how a list is read, and no line of a county. When it is due, the
/// policy says.
const VISIT_SHOWN_DAYS: i32 = 7;
