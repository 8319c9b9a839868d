//! What each figure counts, household by household. Must not know sums, ids or other households.

use std::sync::LazyLock;

use super::{Asked, FigureUnit};
use crate::domain::day::Day;
use crate::domain::facts::{Facts, GUARANTEES, Row};
use crate::domain::help::is_in_effect;
use crate::domain::policy::Clock;
use crate::domain::schema::{FieldKind, Schema, words};
use crate::domain::visit;
use crate::domain::workflow::{Case, Phase, Stage, TaskKind, tasks};

/// Which figure. Definitions in words: list `figure`; names: list `figure_name`. "On record" means records in
/// use; people are the members present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Statistic {
    /// Households with a monitored kind, closed ones included; of those on record.
    Monitored,
    /// Monitored and not closed; of those on record.
    Open,
    /// Households with a visit in the period at which somebody was met; of those due: monitored and open at
    /// some time in the period, verified in it, or with a visit or verification to do.
    Visited,
    /// Open with at least one measure under way or done; of the open ones.
    Helped,
    /// Open with every guarantee met, compulsory education met or not applicable; of the open ones.
    Guaranteed,
    /// Cases decided by the county in the period within the published time from their clue; of those decided
    /// whose clue has a day for which a time is published.
    OnTime,
    /// Clues of the period that led to not including the household; of the clues of the period. A clue is one
    /// way into the case: reports about a household that are taken together are one, an appeal is another.
    NotIncluded,
    /// People of households not yet lifted out of poverty, by kind or tag; of all people on record.
    Incidence,
    /// Households whose case is closed; of those ever monitored.
    Closure,
    /// Net income of 12 months, in fen; for each person of the households whose income is on record. By the
    /// year in which the 12 months end; `of` is empty where the record does not say.
    Income,
    /// Households on record; of those expected. By village; the whole is of the villages with an expectation.
    Coverage,
    /// Open households by each of their risks; of the open ones.
    Risk,
    /// Monitored households by kind; of the monitored ones.
    MonitoredKind,
    /// Households by priority tag; of those on record.
    Tag,
    /// Households by the stage their case is in; of those with a case.
    Stage,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Monitored,
        Self::Open,
        Self::Visited,
        Self::Helped,
        Self::Guaranteed,
        Self::OnTime,
        Self::NotIncluded,
        Self::Incidence,
        Self::Closure,
        Self::Income,
        Self::Coverage,
        Self::Risk,
        Self::MonitoredKind,
        Self::Tag,
        Self::Stage,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Monitored => "monitored",
            Self::Open => "open",
            Self::Visited => "visited",
            Self::Helped => "helped",
            Self::Guaranteed => "guaranteed",
            Self::OnTime => "on_time",
            Self::NotIncluded => "not_included",
            Self::Incidence => "incidence",
            Self::Closure => "closure",
            Self::Income => "income",
            Self::Coverage => "coverage",
            Self::Risk => "risk",
            Self::MonitoredKind => "monitored_kind",
            Self::Tag => "tag",
            Self::Stage => "stage",
        }
    }

    /// The figure of this code or Chinese name.
    pub fn named(text: &str) -> Option<Self> {
        let is_named = |code| words("figure_name", code).is_some_and(|known| known.zh == text);
        Self::ALL
            .into_iter()
            .find(|statistic| statistic.code() == text || is_named(statistic.code()))
    }

    /// What its value is in.
    pub fn unit(self) -> FigureUnit {
        match self {
            Self::Monitored
            | Self::Open
            | Self::Risk
            | Self::MonitoredKind
            | Self::Tag
            | Self::Stage => FigureUnit::Households,
            Self::Visited
            | Self::Helped
            | Self::Guaranteed
            | Self::OnTime
            | Self::NotIncluded
            | Self::Incidence
            | Self::Closure
            | Self::Coverage => FigureUnit::PerTenThousand,
            Self::Income => FigureUnit::FenEach,
        }
    }

    /// Whether the households not counted are a list of what is still to do.
    pub fn leaves_a_rest(self) -> bool {
        matches!(
            self,
            Self::Visited | Self::Helped | Self::Guaranteed | Self::OnTime | Self::Closure
        )
    }
}

/// Takes what a household adds: figure, of what, numerator, denominator.
type Tell<'a> = &'a mut dyn FnMut(Statistic, &str, i64, i64);

/// Counts one household.
pub(super) fn count((facts, case): (&Facts, &Case), asked: &Asked<'_>, tell: Tell<'_>) {
    if !facts.is_active() {
        // Whoever was helped out of it, and has gone since, was helped out of it.
        let has_gone = matches!(facts.text("basic", "status"), "moved_away" | "died_out");
        if has_gone && case.stage() == Some(Stage::Closed) {
            tell(Statistic::Closure, "", 1, 1);
        }
        return;
    }
    let is_open = is_monitored(facts, case) && case.stage() != Some(Stage::Closed);
    tell(Statistic::Coverage, &facts.village.to_string(), 1, 0);
    tell_classes(facts, case, is_open, tell);
    tell_people(facts, tell);
    if is_open {
        let is_helped = facts.rows("measures").iter().any(is_in_effect);
        tell(Statistic::Helped, "", is_helped.into(), 1);
        tell(Statistic::Guaranteed, "", is_guaranteed(facts).into(), 1);
    }
    if is_due_for_a_visit(facts, case, asked) {
        let is_visit = |visit: &Row| {
            visit::is_in_person(visit) && visit.day("date").is_some_and(|day| asked.holds(day))
        };
        tell(Statistic::Visited, "", facts.rows("visits").iter().any(is_visit).into(), 1);
    }
    tell_clues(facts, case, asked, tell);
}

fn tell_classes(facts: &Facts, case: &Case, is_open: bool, tell: Tell<'_>) {
    if let Some(stage) = case.stage() {
        tell(Statistic::Stage, stage.code(), 1, 0);
    }
    let is_closed = case.stage() == Some(Stage::Closed);
    let was_decided = case.entered(Stage::Monitored).is_some();
    if is_monitored(facts, case) || is_closed || was_decided {
        tell(Statistic::Closure, "", is_closed.into(), 1);
    }
    if is_monitored(facts, case) {
        tell(Statistic::Monitored, "", 1, 0);
        tell(Statistic::MonitoredKind, facts.text("class", "monitored_kind"), 1, 0);
    }
    for tag in tags().filter(|tag| facts.tick("class", tag)) {
        tell(Statistic::Tag, tag, 1, 0);
    }
    if is_open {
        tell(Statistic::Open, "", 1, 0);
        let mut risks: Vec<&str> = RISKS.iter().map(|field| facts.text("class", field)).collect();
        risks.sort_unstable();
        risks.dedup();
        for risk in risks.into_iter().filter(|risk| !risk.is_empty()) {
            tell(Statistic::Risk, risk, 1, 0);
        }
    }
}

fn tell_people(facts: &Facts, tell: Tell<'_>) {
    let people = facts.people_count();
    let is_not_lifted = facts.text("class", "household_kind") == "not_lifted"
        || facts.tick("class", "tag_not_lifted");
    tell(Statistic::Incidence, "", if is_not_lifted { people } else { 0 }, people);
    if let Some(net) = facts.net_income_fen().filter(|_| people > 0) {
        let year = facts.day("income", "window_end").map(|end| end.civil().0.to_string());
        tell(Statistic::Income, &year.unwrap_or_default(), net, people);
    }
}

/// On record as monitored; where there is a case, by a decision. A kind alone that somebody wrote down counts where nothing is
/// known of how it came to be.
fn is_monitored(facts: &Facts, case: &Case) -> bool {
    facts.is_monitored() && (case.stage().is_none() || case.decision().is_some())
}

fn is_guaranteed(facts: &Facts) -> bool {
    GUARANTEES.iter().all(|field| facts.has_guarantee(field))
}

fn is_due_for_a_visit(facts: &Facts, case: &Case, asked: &Asked<'_>) -> bool {
    let (first, last) = (asked.period.0, asked.period.1.min(asked.as_of));
    let stated = |field, stage| facts.day("case", field).or_else(|| case.entered(stage));
    let has_begun = stated("identified_on", Stage::Monitored).is_none_or(|day| day <= last);
    let has_ended = case.stage() == Some(Stage::Closed)
        && stated("closed_on", Stage::Closed).is_none_or(|day| day < first);
    if is_monitored(facts, case) && has_begun && !has_ended {
        return true;
    }
    let verified = case.path.iter().filter(|passed| passed.stage == Stage::Verified);
    if verified.filter_map(|passed| passed.on).any(|day| asked.holds(day)) {
        return true;
    }
    let is_visit = |kind| matches!(kind, TaskKind::Visit | TaskKind::Verify);
    case.is_running()
        && tasks(facts, case, asked.policy, asked.as_of).iter().any(|task| is_visit(task.kind))
}

/// One way into the case: from a clue on.
struct Round {
    clue_on: Option<Day>,
    decided_on: Option<Day>,
    is_not_included: bool,
}

fn rounds(case: &Case) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for passed in case.path.iter().filter(|passed| passed.phase == Phase::Entry) {
        if passed.stage == Stage::Clue {
            rounds.push(Round { clue_on: passed.on, decided_on: None, is_not_included: false });
        } else if let Some(round) = rounds.last_mut() {
            round.is_not_included |= passed.stage == Stage::NotIncluded;
            if passed.stage == Stage::CountyDecision {
                round.decided_on = passed.on;
            }
        }
    }
    rounds
}

/// Told once for all rounds of a household, so that it and its people are counted once.
fn tell_clues(facts: &Facts, case: &Case, asked: &Asked<'_>, tell: Tell<'_>) {
    let (mut clues, mut not_included) = (0, 0);
    let (mut decided, mut on_time) = (0, 0);
    for round in rounds(case) {
        let Some(clue_on) = round.clue_on else { continue };
        if asked.holds(clue_on) {
            clues += 1;
            not_included += i64::from(round.is_not_included);
        }
        let due = asked.policy.due(Clock::Decide, facts.village, clue_on);
        let decided_on = round.decided_on.filter(|day| asked.holds(*day));
        if let (Some(due), Some(decided_on)) = (due, decided_on) {
            decided += 1;
            on_time += i64::from(decided_on <= due);
        }
    }
    if clues > 0 {
        tell(Statistic::NotIncluded, "", not_included, clues);
    }
    if decided > 0 {
        tell(Statistic::OnTime, "", on_time, decided);
    }
}

/// Fields of `class` that are a priority tag.
pub(super) fn tags() -> impl Iterator<Item = &'static str> {
    TAGS.iter().copied()
}

static TAGS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let fields = Schema::base().container("class").into_iter().flat_map(|class| &class.fields);
    fields.map(|field| field.name.as_str()).filter(|name| name.starts_with("tag_")).collect()
});
static RISKS: LazyLock<Vec<&'static str>> = LazyLock::new(|| choosing("class", "risk"));

/// Fields of a container that hold a code of a list.
fn choosing(container: &str, list: &str) -> Vec<&'static str> {
    let fields = Schema::base().container(container).into_iter().flat_map(|c| &c.fields);
    let chooses = |kind: &FieldKind| matches!(kind, FieldKind::Choice { list: l } if l == list);
    fields.filter(|field| chooses(&field.kind)).map(|field| field.name.as_str()).collect()
}
