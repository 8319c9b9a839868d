//! Whether a step may be taken: from where it follows, with what it needs, and not before its time. The phone
//! asks before it offers the step, the server before it takes it. Must not know who takes it.

use super::tree::Tree;
use super::{Case, Clock, Day, Facts, Phase, Policy, Row, Stage, successors};
use crate::domain::facts::GUARANTEES;
use crate::domain::schema::words;
use crate::domain::visit;
use crate::domain::warning;

/// Why a step may not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Not a stage this release knows.
    UnknownStage,
    /// What it follows is not on record.
    FollowsNothing,
    /// This does not follow from there: the case has moved on, or never was there.
    NotFromHere,
    /// A reason has to be given.
    Reason,
    /// The day of the step has to be given.
    Day,
    /// The votes have to be counted, and more for than against.
    Votes,
    /// Nobody has visited the household since.
    Visit,
    /// The household has not consented to the comparison of its data.
    Consent,
    /// The kind of monitoring has to be named.
    MonitoredKind,
    /// A kind of monitoring goes with the decision, or follows it.
    Decision,
    /// The kind of closing has to be named.
    ClosingKind,
    /// The notice hangs until the end of this day.
    NoticeRunning(Day),
    /// Somebody has objected, and nobody has settled it.
    ObjectionOpen,
    /// Not before this day.
    TooEarly(Day),
    /// A household without labour stays open.
    NoLabour,
    /// A guarantee is not met.
    GuaranteeNotMet,
    /// The income a person stays below the line.
    IncomeBelowLine,
    /// A line is published, and no income of the months that it looks back on is on record.
    IncomeUnknown,
    /// More steps at once, or in all, than a case can have.
    TooMany,
}

impl Lack {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownStage => "unknown_stage",
            Self::FollowsNothing => "follows_nothing",
            Self::NotFromHere => "not_from_here",
            Self::Reason => "reason_missing",
            Self::Day => "day_missing",
            Self::Votes => "votes_missing",
            Self::Visit => "visit_missing",
            Self::Consent => "consent_missing",
            Self::MonitoredKind => "monitored_kind_missing",
            Self::Decision => "decision_missing",
            Self::ClosingKind => "closing_kind_missing",
            Self::NoticeRunning(_) => "notice_running",
            Self::ObjectionOpen => "objection_open",
            Self::TooEarly(_) => "too_early",
            Self::NoLabour => "no_labour",
            Self::GuaranteeNotMet => "guarantee_not_met",
            Self::IncomeBelowLine => "income_below_line",
            Self::IncomeUnknown => "income_unknown",
            Self::TooMany => "too_many_steps",
        }
    }

    /// The day it is about.
    pub fn day(&self) -> Option<Day> {
        match self {
            Self::NoticeRunning(day) | Self::TooEarly(day) => Some(*day),
            Self::UnknownStage
            | Self::FollowsNothing
            | Self::NotFromHere
            | Self::Reason
            | Self::Day
            | Self::Votes
            | Self::Visit
            | Self::Consent
            | Self::MonitoredKind
            | Self::Decision
            | Self::ClosingKind
            | Self::ObjectionOpen
            | Self::NoLabour
            | Self::GuaranteeNotMet
            | Self::IncomeBelowLine
            | Self::IncomeUnknown
            | Self::TooMany => None,
        }
    }
}

/// The words for a lack by its code, Chinese and English, with what its ISO day is to it; empty days say nothing. The code itself where
/// nothing is known of it.
pub fn explain(code: &str, until: &str) -> (String, String) {
    let (zh, en) = words("lack", code).map_or((code, code), |known| (&*known.zh, &*known.en));
    match words("lack_until", code).filter(|_| !until.is_empty()) {
        None => (zh.to_owned(), en.to_owned()),
        Some(day) => {
            let said = |text: &str| text.replace("{until}", until);
            (format!("{zh};{}", said(&day.zh)), format!("{en}; {}", said(&day.en)))
        }
    }
}

/// Whether `step`, a row of `facts`, may stand there. `facts` hold the step and all it was saved with;
/// `begun` gives the day on which a step on record was begun, by the clock of whoever asks.
///
/// # Errors
/// The first thing that is missing.
pub fn check(
    facts: &Facts,
    step: &Row,
    policy: &Policy,
    today: Day,
    begun: impl Fn(&Row) -> Option<Day>,
) -> Result<(), Lack> {
    let stage = Stage::from_code(step.text("state")).ok_or(Lack::UnknownStage)?;
    // Everything that is due is counted from it.
    needs(step.day("on").is_some(), Lack::Day)?;
    let tree = Tree::of(facts.rows("steps"));
    let after = step.text("after");
    if stage == Stage::ObjectionSettled {
        let about = facts.row("steps", after).ok_or(Lack::FollowsNothing)?;
        let is_objection = about.text("state") == Stage::Objection.code();
        return if is_objection { needs_reason(step) } else { Err(Lack::NotFromHere) };
    }
    let place = tree.node_of(after).ok_or(Lack::FollowsNothing)?.place;
    if stage == Stage::Objection {
        let on_notice = place.1 == Some(Stage::OnNotice);
        return if on_notice { needs_reason(step) } else { Err(Lack::NotFromHere) };
    }
    if !successors(place).contains(&stage) {
        return Err(Lack::NotFromHere);
    }
    let asked = Asked { facts, step, policy, today, place_phase: place.0 };
    match stage {
        Stage::Verified => asked.verified(&tree),
        Stage::Appraised => asked.votes(),
        Stage::TownshipCheck => asked.notice_is_over(&tree, begun),
        Stage::CountyDecision => {
            asked.nobody_objects(&tree)?;
            // Weeks after it was proposed the family may be worse off again: the county sends it back.
            if place.0 == Phase::Entry { Ok(()) } else { asked.may_close() }
        }
        Stage::Monitored => {
            if place.1.is_none() {
                needs_reason(step)?;
            }
            needs(facts.is_monitored(), Lack::MonitoredKind)
        }
        Stage::ToClose => asked.may_close(),
        Stage::Closed => needs(!facts.text("case", "closing_kind").is_empty(), Lack::ClosingKind),
        Stage::NotIncluded | Stage::Duplicate | Stage::Returned | Stage::Reopened => {
            needs_reason(step)
        }
        Stage::Clue if place.1.is_some() => needs_reason(step),
        Stage::Clue
        | Stage::ToVerify
        | Stage::OnNotice
        | Stage::Helped
        | Stage::Objection
        | Stage::ObjectionSettled => Ok(()),
    }
}

/// Whether a kind of monitoring may be written on a record: only where the county has decided on monitoring the household.
///
/// # Errors
/// `Decision`.
pub fn check_kind(facts: &Facts) -> Result<(), Lack> {
    let case = Case::of(facts);
    let is_decided = case.place() == (Phase::Entry, Some(Stage::CountyDecision));
    needs(is_decided || case.decision().is_some(), Lack::Decision)
}

fn needs(is_there: bool, lack: Lack) -> Result<(), Lack> {
    if is_there { Ok(()) } else { Err(lack) }
}

fn needs_reason(step: &Row) -> Result<(), Lack> {
    needs(!step.text("reason").trim().is_empty(), Lack::Reason)
}

struct Asked<'a> {
    facts: &'a Facts,
    step: &'a Row,
    policy: &'a Policy,
    today: Day,
    place_phase: Phase,
}

impl Asked<'_> {
    /// Somebody spoke with the household since the case came to be verified, on the way in with its consent; on the way out was
    /// there and met somebody, but of one that is gone to see that nobody is left.
    fn verified(&self, tree: &Tree<'_>) -> Result<(), Lack> {
        let since = tree.node_of(self.step.text("after")).map(|node| &node.steps);
        let since = since.into_iter().flatten().filter_map(|step| step.day("on")).min();
        // Whoever took it had a clock that was ahead.
        let since = since.map(|since| since.min(self.today));
        let is_entry = self.place_phase == Phase::Entry;
        let may_meet_nobody = !is_entry && self.facts.is_gone();
        let counts = |visit: &Row| {
            let has_met = if is_entry { visit::is_heard } else { visit::is_in_person };
            let met = may_meet_nobody || has_met(visit);
            let is_between = |day: Day| day <= self.today && since.is_none_or(|since| day >= since);
            met && visit.day("date").is_some_and(is_between)
        };
        needs(self.facts.rows("visits").iter().any(counts), Lack::Visit)?;
        let is_to_come = self.facts.day("case", "consent_on") > Some(self.today);
        let has_consent = || !is_to_come && Case::of(self.facts).has_consent(self.facts);
        needs(!is_entry || has_consent(), Lack::Consent)
    }

    fn votes(&self) -> Result<(), Lack> {
        let votes = (self.step.int("votes_for"), self.step.int("votes_against"));
        let carried = matches!(votes, (Some(ours), Some(theirs)) if ours > theirs);
        needs(carried, Lack::Votes)
    }

    /// The notice has hung for its full days, the day it was put up not counted, and nobody objects.
    fn notice_is_over(
        &self,
        tree: &Tree<'_>,
        begun: impl Fn(&Row) -> Option<Day>,
    ) -> Result<(), Lack> {
        let notice = tree.node_of(self.step.text("after")).map(|node| &node.steps);
        let begun = notice.into_iter().flatten().filter_map(|step| begun(step)).min();
        // A notice of which nobody knows since when it hangs was put up today.
        let begun = begun.unwrap_or(self.today);
        if let Some(last) = self.policy.due(Clock::Notice, self.facts.village, begun) {
            needs(self.today > last, Lack::NoticeRunning(last))?;
        }
        self.nobody_objects(tree)
    }

    /// No objection to the notice that this step follows, or that lies behind it, is open.
    fn nobody_objects(&self, tree: &Tree<'_>) -> Result<(), Lack> {
        needs(tree.open_objections(self.step.text("after")).is_empty(), Lack::ObjectionOpen)
    }

    /// Long enough under monitoring, with labour, every guarantee met, and an income that reaches the line. Of a household
    /// that is gone none of it can be asked: the visit, the notice and both offices have to find that it is.
    fn may_close(&self) -> Result<(), Lack> {
        let facts = self.facts;
        if facts.is_gone() {
            return Ok(());
        }
        needs(!facts.is_without_labour(), Lack::NoLabour)?;
        let since = Case::of(facts).monitored_since(facts);
        let from = since.and_then(|day| self.policy.due(Clock::Close, facts.village, day));
        if let Some(from) = from {
            needs(self.today >= from, Lack::TooEarly(from))?;
        }
        let is_met = |field: &&str| facts.has_guarantee(field);
        needs(GUARANTEES.iter().all(is_met), Lack::GuaranteeNotMet)?;
        match warning::reaches_income_lines(facts, self.policy, self.today) {
            Some(true) => Ok(()),
            Some(false) => Err(Lack::IncomeBelowLine),
            None => Err(Lack::IncomeUnknown),
        }
    }
}
