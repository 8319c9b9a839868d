//! Which clues (线索) somebody is looking into: those that the visit on the way in will see to, and those that no visit will
//! see to and that wait for an outcome of their own; and which of them say the same. Must not know who said what.

use std::collections::BTreeMap;

use super::{Case, Day, Facts, Phase, Row, Stage};
use crate::domain::warning;

/// Clues to be answered that have no outcome yet, whenever they came: of whoever expects an answer, and as long as no case runs
/// of everybody else. A department's is answered with its warning.
pub fn unanswered<'f>(facts: &'f Facts, case: &Case) -> impl Iterator<Item = &'f Row> {
    let is_running = case.is_running();
    let expects = move |clue: &&Row| match clue.text("channel") {
        "declaration" | "petition" => true,
        "department" => false,
        _ => !is_running,
    };
    facts.rows("clues").iter().filter(expects).filter(|clue| is_open(clue))
}

/// Those of [`unanswered`] that came after the visit that verifies; where the case ended without one, or none ever began, those
/// with which nothing was begun.
pub fn later<'f>(facts: &'f Facts, case: &Case) -> impl Iterator<Item = &'f Row> {
    let is_ahead = visit_is_ahead(case);
    let begun = case.begun().filter(|_| !case.is_running());
    let visited = visited(case).filter(|visited| Some(*visited) > begun);
    let is_later = move |clue: &&Row| match (visited, begun) {
        (Some(visited), _) => came_after(clue, case, visited),
        // Nobody was there who would have seen to it, whenever it came.
        (None, Some(begun)) => {
            let taken_down = case.place_of(clue.text("after"));
            came_after(clue, case, begun) || taken_down.is_some_and(|at| at >= begun)
        }
        (None, None) => true,
    };
    unanswered(facts, case).filter(move |clue| !is_ahead && is_later(clue))
}

/// Those of [`later`] that each have to be answered: of those that say the same the earliest. Once it is answered it is the
/// next one's turn, as nothing tells whether that came before the answer.
pub fn to_answer<'f>(facts: &'f Facts, case: &Case) -> Vec<&'f Row> {
    let mut later: Vec<&Row> = later(facts, case).collect();
    later.sort_by_key(|clue| order(clue));
    let mut answered: Vec<(&Row, &str)> = Vec::new();
    for clue in later {
        let (contact, note) = (clue.text("contact"), clue.text("note"));
        let same = answered.iter_mut().find(|(first, words)| {
            is_about_the_same(first, clue)
                && adds_nothing((first.text("contact"), words), (contact, note))
        });
        match same {
            Some((_, words)) if words.is_empty() => *words = note,
            Some(_) => {}
            None => answered.push((clue, note)),
        }
    }
    answered.into_iter().map(|(first, _)| first).collect()
}

/// Whether what somebody says of a person and a risk is told by a clue, each with the telephone at which to ask and its
/// words. One that has no words yet can take them; other words, and another telephone, are news.
pub fn adds_nothing((telephone, told): (&str, &str), (contact, note): (&str, &str)) -> bool {
    telephone == contact && (note.is_empty() || told.is_empty() || note == told)
}

/// The clues of this risk about this member that somebody is looking into; about the household where `member` is empty.
pub fn looked_into<'f>(
    facts: &'f Facts,
    case: &Case,
    risk: &str,
    member: &str,
) -> impl Iterator<Item = &'f Row> {
    all_looked_into(facts, case)
        .filter(move |clue| clue.text("risk") == risk && clue.text("member") == member)
}

fn all_looked_into<'f>(facts: &'f Facts, case: &Case) -> impl Iterator<Item = &'f Row> {
    let later: Vec<&str> = later(facts, case).map(|clue| clue.id.as_str()).collect();
    let is_ahead = visit_is_ahead(case);
    facts.rows("clues").iter().filter(move |clue| {
        let is_warned_of = || facts.row("warnings", &clue.id).is_some_and(warning::is_open);
        is_open(clue) && (is_ahead || later.contains(&clue.id.as_str()) || is_warned_of())
    })
}

/// Clues about whose person and risk somebody is looking into an earlier one, each with the earliest of these.
pub fn repeated<'f>(facts: &'f Facts, case: &Case) -> Vec<(&'f Row, &'f Row)> {
    let mut clues: Vec<&Row> = all_looked_into(facts, case).filter(names_a_risk).collect();
    clues.sort_by_key(|clue| order(clue));
    let mut earliest: BTreeMap<(&str, &str), &Row> = BTreeMap::new();
    let paired = clues.into_iter().map(|clue| {
        (clue, *earliest.entry((clue.text("risk"), clue.text("member"))).or_insert(clue))
    });
    paired.filter(|(clue, first)| clue.id != first.id).collect()
}

/// By the day on which a clue came, those of no day last; of one day by the row id, so that every replica agrees.
fn order(clue: &Row) -> (bool, Option<Day>, &str) {
    let came = clue.day("received_on");
    (came.is_none(), came, &clue.id)
}

fn is_about_the_same(one: &Row, other: &Row) -> bool {
    names_a_risk(&one)
        && one.text("risk") == other.text("risk")
        && one.text("member") == other.text("member")
}

/// One that names none is compared with no other.
fn names_a_risk(clue: &&Row) -> bool {
    !clue.text("risk").is_empty()
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

/// Whether a clue came when the case was at this place of its path already: by its day, or by the step it names, because whoever took it
/// down may not have known of the visit yet, and one day may see both.
pub(super) fn came_after(clue: &Row, case: &Case, at: usize) -> bool {
    let Some(place) = case.path.get(at) else { return false };
    let step = clue.text("after");
    let by_day = clue.day("received_on").is_some_and(|received| match place.on {
        // Nobody visited on the day on which a household was let in without.
        Some(on) if place.stage == Stage::Monitored => received >= on,
        Some(on) => received > on,
        None => step.is_empty(),
    });
    // A step that does not count says nothing of the place.
    let by_step = || case.place_of(step).is_none_or(|its| its >= at);
    // What had come by then, and was only typed in later, that place has seen to.
    let had_come = clue.day("received_on").is_some_and(|came| place.on.is_some_and(|on| came < on));
    by_day || (!had_come && !step.is_empty() && by_step())
}
