//! The monitoring case (监测过程) as a state machine: what the steps on record come to, and which step may
//! follow. Steps are rows that are only ever added; each names the step it follows, so the state is a function
//! of the set of steps, the same on every replica in whatever order they came. Must not know who is asking:
//! that is `authority`'s.
//!
//! Two people may take different steps from the same place without seeing each other. Both stay on record.
//! The case goes on along the branch in which the higher level has had its say; of two equal ones along the one that
//! was carried further, then the more cautious one, then the earlier one, then the smaller row id.

use std::collections::BTreeMap;

use super::authority::FieldClass;
use super::day::Day;
use super::facts::{Facts, Row};
use super::policy::{Clock, Policy};
use super::schema::Schema;

pub mod clues;
mod legal;
mod shocks;
mod tasks;
mod tree;

pub use legal::{Lack, check, check_kind, explain};
use tree::Tree;

pub use tasks::{Foreseen, Task, TaskKind, foreseen, may_have_tasks, stages_with_tasks, tasks};

/// What a step enters, or says. Codes: list `case_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Stage {
    /// 线索
    Clue,
    /// 待核实
    ToVerify,
    /// 入户核查
    Verified,
    /// 民主评议
    Appraised,
    /// 村内公示
    OnNotice,
    /// 乡镇审核: checked and agreed by the township.
    TownshipCheck,
    /// 县级审定: decided by the county.
    CountyDecision,
    /// 监测
    Monitored,
    /// 帮扶中
    Helped,
    /// 拟消除
    ToClose,
    /// 风险消除
    Closed,
    /// 回退
    Reopened,
    /// 不纳入
    NotIncluded,
    /// 重复
    Duplicate,
    /// 退回: to be verified again.
    Returned,
    /// 提出异议: about a notice. Does not move the case.
    Objection,
    /// 异议已处理. Does not move the case.
    ObjectionSettled,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Clue,
        Self::ToVerify,
        Self::Verified,
        Self::Appraised,
        Self::OnNotice,
        Self::TownshipCheck,
        Self::CountyDecision,
        Self::Monitored,
        Self::Helped,
        Self::ToClose,
        Self::Closed,
        Self::Reopened,
        Self::NotIncluded,
        Self::Duplicate,
        Self::Returned,
        Self::Objection,
        Self::ObjectionSettled,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Clue => "clue",
            Self::ToVerify => "to_verify",
            Self::Verified => "verified",
            Self::Appraised => "appraised",
            Self::OnNotice => "on_notice",
            Self::TownshipCheck => "township_check",
            Self::CountyDecision => "county_decision",
            Self::Monitored => "monitored",
            Self::Helped => "helped",
            Self::ToClose => "to_close",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::NotIncluded => "not_included",
            Self::Duplicate => "duplicate",
            Self::Returned => "returned",
            Self::Objection => "objection",
            Self::ObjectionSettled => "objection_settled",
        }
    }

    /// The stage of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.code() == code)
    }

    /// The stage of this code or Chinese name.
    pub fn named(text: &str) -> Option<Self> {
        Self::from_code(&Schema::base().code_typed("case_state", text)?.code)
    }

    /// The class of rights of a step. Turning a case down belongs to whichever office does it: `level`
    /// is the code of list `level` that stands in the step.
    pub fn class(self, level: &str) -> FieldClass {
        match self {
            Self::Clue | Self::Objection => FieldClass::Declaration,
            Self::ToVerify | Self::Verified | Self::Helped | Self::ToClose => FieldClass::Proposal,
            Self::Appraised | Self::OnNotice => FieldClass::Appraisal,
            Self::ObjectionSettled if level != "township" => FieldClass::Appraisal,
            Self::Returned | Self::NotIncluded if level == "county" => FieldClass::Decision,
            Self::TownshipCheck
            | Self::Reopened
            | Self::NotIncluded
            | Self::Duplicate
            | Self::Returned
            | Self::ObjectionSettled => FieldClass::Review,
            Self::CountyDecision | Self::Monitored | Self::Closed => FieldClass::Decision,
        }
    }

    /// Whether it moves the case on.
    pub fn moves(self) -> bool {
        !matches!(self, Self::Objection | Self::ObjectionSettled)
    }

    /// Whether a case in it has come to its end.
    pub fn ends(self) -> bool {
        matches!(self, Self::Closed | Self::NotIncluded | Self::Duplicate)
    }

    /// Whether it turns the case down or back.
    fn is_negative(self) -> bool {
        matches!(self, Self::NotIncluded | Self::Duplicate | Self::Returned)
    }
}

/// On the way in, or on the way out by the same path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// From a clue to help.
    #[default]
    Entry,
    /// From a proposal to close to the closing.
    Exit,
}

/// Where a case can be.
pub type Place = (Phase, Option<Stage>);

/// What may follow from a place; nothing elsewhere.
pub fn successors((phase, stage): Place) -> &'static [Stage] {
    use Stage::{
        Appraised, Closed, Clue, CountyDecision, Duplicate, Helped, Monitored, NotIncluded,
        OnNotice, Reopened, Returned, ToClose, ToVerify, TownshipCheck, Verified,
    };
    let Some(stage) = stage else {
        // A case of a past campaign is carried over as decided then.
        return &[Clue, Monitored];
    };
    match (phase, stage) {
        (Phase::Entry, Clue) => &[ToVerify, Verified, NotIncluded, Duplicate],
        (Phase::Entry, ToVerify | Returned) => &[Verified, NotIncluded, Duplicate],
        (Phase::Entry, Verified) => &[Appraised, NotIncluded, Duplicate, Returned],
        (Phase::Entry, Appraised) => &[OnNotice, NotIncluded, Returned],
        (Phase::Entry, OnNotice) => &[TownshipCheck, NotIncluded, Returned],
        (Phase::Entry, TownshipCheck) => &[CountyDecision, NotIncluded, Returned],
        (Phase::Entry, CountyDecision) => &[Monitored],
        (Phase::Entry, Monitored | Reopened) => &[Helped, ToClose],
        (Phase::Entry, Helped) => &[ToClose],
        // An appeal, or something new.
        (Phase::Entry, NotIncluded | Duplicate) => &[Clue],
        (Phase::Exit, ToClose | Returned) => &[Verified, Helped],
        (Phase::Exit, Verified) => &[Appraised, Helped, Returned],
        (Phase::Exit, Appraised) => &[OnNotice, Returned],
        (Phase::Exit, OnNotice) => &[TownshipCheck, Returned],
        (Phase::Exit, TownshipCheck) => &[CountyDecision, Returned],
        (Phase::Exit, CountyDecision) => &[Closed],
        (Phase::Exit, Closed) => &[Reopened],
        (Phase::Entry, ToClose | Closed | Stage::Objection | Stage::ObjectionSettled)
        | (
            Phase::Exit,
            Clue
            | ToVerify
            | Monitored
            | Helped
            | Reopened
            | NotIncluded
            | Duplicate
            | Stage::Objection
            | Stage::ObjectionSettled,
        ) => &[],
    }
}

/// The phase a step leads into.
fn phase_after(phase: Phase, stage: Stage) -> Phase {
    match stage {
        Stage::ToClose => Phase::Exit,
        Stage::Helped | Stage::Reopened | Stage::Clue => Phase::Entry,
        Stage::ToVerify
        | Stage::Verified
        | Stage::Appraised
        | Stage::OnNotice
        | Stage::TownshipCheck
        | Stage::CountyDecision
        | Stage::Monitored
        | Stage::Closed
        | Stage::NotIncluded
        | Stage::Duplicate
        | Stage::Returned
        | Stage::Objection
        | Stage::ObjectionSettled => phase,
    }
}

/// A place the case has passed, and the steps that lead there: more than one where several people did the
/// same without seeing each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The stage entered.
    pub stage: Stage,
    /// The phase it is in.
    pub phase: Phase,
    /// Row ids of the steps, ascending.
    pub steps: Vec<String>,
    /// The earliest day its steps state.
    pub on: Option<Day>,
}

/// What the steps on record come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The places passed, the present one last. Empty where there is no case.
    pub path: Vec<Passed>,
    /// Row ids of steps that do not count: another branch was carried further, or what they follow is not
    /// on record.
    pub set_aside: Vec<String>,
    /// Row ids of objections to this round's notices that nobody has settled, also where they came late.
    pub objections: Vec<String>,
    /// Where the township turned the case down: the last step of each way on which the village had come further without knowing of it, the
    /// visit at least. What was found there nobody at the township has seen.
    pub overtaken: Vec<String>,
}

impl Case {
    /// What a household's steps come to.
    pub fn of(facts: &Facts) -> Self {
        Tree::of(facts.rows("steps")).case()
    }

    /// The same where nothing was entered later than the day on which somebody else took its step: days by the row id of the
    /// step. Which way the case went stays as it is.
    #[must_use]
    pub fn taken_by(mut self, taken: &BTreeMap<String, Day>) -> Self {
        for passed in &mut self.path {
            let taken = passed.steps.iter().filter_map(|step| taken.get(step)).min().copied();
            passed.on = passed.on.into_iter().chain(taken).min();
        }
        self
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.path.last().map_or((Phase::Entry, None), |last| (last.phase, Some(last.stage)))
    }

    /// The stage it is in; none where there is no case.
    pub fn stage(&self) -> Option<Stage> {
        self.path.last().map(|last| last.stage)
    }

    /// The step beside the path that one of this stage is about, where there is only one: the objection to be settled, or what the
    /// village found before it knew that the case was turned down.
    pub fn meant_by(&self, stage: Stage) -> Option<&str> {
        let looks_again = matches!(stage, Stage::Returned | Stage::NotIncluded | Stage::Duplicate)
            && self.stage().is_some_and(Stage::ends);
        let beside = match (stage == Stage::ObjectionSettled, looks_again) {
            (true, _) => &self.objections[..],
            (false, true) => &self.overtaken[..],
            (false, false) => &[],
        };
        if let [only] = beside { Some(only) } else { None }
    }

    /// The step that the next one follows; empty where there is no case.
    pub fn last_step(&self) -> &str {
        self.path.last().and_then(|last| last.steps.first()).map_or("", String::as_str)
    }

    /// The day on which it last entered a stage.
    pub fn entered(&self, stage: Stage) -> Option<Day> {
        self.path.iter().rev().find(|passed| passed.stage == stage).and_then(|passed| passed.on)
    }

    /// The day from which the months under monitoring count: on which the record says it was identified, else on which it
    /// was decided; where it was opened again, that day.
    pub fn monitored_since(&self, facts: &Facts) -> Option<Day> {
        let identified = facts.day("case", "identified_on");
        let identified = identified.or_else(|| self.entered(Stage::Monitored));
        identified.max(self.entered(Stage::Reopened))
    }

    /// The day from which its cadre, its plan, its help and its visits are due: that of [`Self::monitored_since`], but for a case that
    /// was carried over not before that was done, as nobody here could see to them until then.
    pub fn owed_since(&self, facts: &Facts) -> Option<Day> {
        let carried_over = self.entered(Stage::Monitored).filter(|_| self.is_carried_over());
        self.monitored_since(facts).max(carried_over)
    }

    /// Whether the household has consented to the comparison of its data in the round that runs: what it said before an earlier
    /// one came to its end was of that one.
    pub fn has_consent(&self, facts: &Facts) -> bool {
        let is_later = self.begun().is_some_and(|at| at > 0);
        let since = self.entered(Stage::Clue).filter(|_| is_later);
        facts.tick("case", "consent") && facts.day("case", "consent_on") >= since
    }

    /// Where on its path the last round began with a clue; nowhere where it was carried over, or there is none.
    fn begun(&self) -> Option<usize> {
        self.path.iter().rposition(|passed| passed.stage == Stage::Clue)
    }

    /// Where on its path a step stands that counts.
    fn place_of(&self, step: &str) -> Option<usize> {
        self.path.iter().position(|passed| passed.steps.iter().any(|id| id == step))
    }

    /// The decision in force: to monitor, to close, to open again. None where nothing was decided yet.
    pub fn decision(&self) -> Option<&Passed> {
        let decides =
            |at: &&Passed| matches!(at.stage, Stage::Monitored | Stage::Closed | Stage::Reopened);
        self.path.iter().rev().find(decides)
    }

    /// Whether the case was carried over from a past campaign, which decided, and nothing was decided since.
    pub fn is_carried_over(&self) -> bool {
        let first = self.path.first().filter(|first| first.stage == Stage::Monitored);
        first.is_some() && first == self.decision()
    }

    /// Whether it is under monitoring: decided, and not closed.
    pub fn is_open(&self) -> bool {
        self.decision().is_some_and(|decision| decision.stage != Stage::Closed)
    }

    /// Whether somebody has to do something about it.
    pub fn is_running(&self) -> bool {
        self.stage().is_some_and(|stage| !stage.ends())
    }
}

#[cfg(test)]
mod tests;
