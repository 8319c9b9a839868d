//! Which clues (线索) somebody is looking into: those that the visit on the way in will see to, and those that came after
//! it and wait for an outcome of their own. Must not know who said what.

use super::{Case, Facts, Phase, Row, Stage};
use crate::domain::warning;

/// Clues that came after the visit that verifies, from whoever expects an answer, and have no outcome yet.
pub fn later<'f>(facts: &'f Facts, case: &Case) -> impl Iterator<Item = &'f Row> {
    let visited = visited(case);
    facts.rows("clues").iter().filter(move |clue| {
        matches!(clue.text("channel"), "declaration" | "petition")
            && is_open(clue)
            && visited.is_some_and(|visited| came_after(clue, case, visited))
    })
}

/// The clues of this risk about this member that somebody is looking into; about the household where `member` is empty.
pub fn looked_into<'f>(
    facts: &'f Facts,
    case: &Case,
    risk: &str,
    member: &str,
) -> impl Iterator<Item = &'f Row> {
    let later: Vec<&str> = later(facts, case).map(|clue| clue.id.as_str()).collect();
    let is_ahead = visit_is_ahead(case);
    facts.rows("clues").iter().filter(move |clue| {
        let is_warned_of = || facts.row("warnings", &clue.id).is_some_and(warning::is_open);
        clue.text("risk") == risk
            && clue.text("member") == member
            && is_open(clue)
            && (is_ahead || later.contains(&clue.id.as_str()) || is_warned_of())
    })
}

fn is_open(clue: &Row) -> bool {
    matches!(clue.text("outcome"), "" | "open") && !clue.tick("withdrawn")
}

fn visit_is_ahead(case: &Case) -> bool {
    let ahead = [Stage::Clue, Stage::ToVerify, Stage::Returned];
    matches!(case.place(), (Phase::Entry, Some(stage)) if ahead.contains(&stage))
}

/// Where on its path the case was verified on the way in, or let in without a visit; nowhere while that is to come.
fn visited(case: &Case) -> Option<usize> {
    if visit_is_ahead(case) {
        return None;
    }
    let last = |wanted| {
        let is_it = |passed: &super::Passed| passed.phase == Phase::Entry && passed.stage == wanted;
        case.path.iter().rposition(is_it)
    };
    last(Stage::Verified).or_else(|| last(Stage::Monitored))
}

/// Whether a clue came when the case was there already: by its day, or by the step it names, because whoever took it
/// down may not have known of the visit yet, and one day may see both.
fn came_after(clue: &Row, case: &Case, visited: usize) -> bool {
    let Some(place) = case.path.get(visited) else { return false };
    let step = clue.text("after");
    let by_day = clue.day("received_on").is_some_and(|received| match place.on {
        // Nobody visited on the day on which a household was let in without.
        Some(on) if place.stage == Stage::Monitored => received >= on,
        Some(on) => received > on,
        None => step.is_empty(),
    });
    let is_its = |passed: &super::Passed| passed.steps.iter().any(|id| id == step);
    // A step that does not count says nothing of the visit.
    let by_step = || case.path.iter().position(is_its).is_none_or(|at| at >= visited);
    // What had come by then, and was only typed in later, the visit has seen to.
    let had_come = clue.day("received_on").is_some_and(|came| place.on.is_some_and(|on| came < on));
    by_day || (!had_come && !step.is_empty() && by_step())
}
