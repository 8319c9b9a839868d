//! What has come upon a household of which no case runs, and was found to be true: a case that was closed the township opens again,
//! and nobody else may; where one was turned down, or none ever was, the village begins one. Must not know who found it.

use super::{Case, Day, Facts, Row, Stage, clues};
use crate::domain::visit;

/// Each such shock by the day it is known of; none while a case runs. A warning counts from its answer. So does a clue that came
/// before the end; one that came later counts from when it came. What was answered on the day of the end counts: nobody may have
/// known of it when the office decided. A visit that found the household in urgent need counts from its day.
pub(super) fn of_nobody<'f>(
    facts: &'f Facts,
    case: &'f Case,
    today: Day,
) -> impl Iterator<Item = Option<Day>> + use<'f> {
    let idle = (!case.is_running()).then_some(());
    idle.into_iter().flat_map(move |()| {
        let end = case.path.len().checked_sub(1);
        let since = end.and_then(|end| case.path[end].on);
        let warnings = confirmed(facts, "warnings", "answer", "confirmed");
        let warnings = warnings.map(|w| w.day("answered_on").or_else(|| w.day("fired_on")));
        let included = confirmed(facts, "clues", "outcome", "included");
        let included = included.filter_map(move |clue| {
            let answered = clue.day("outcome_on");
            match end.is_none_or(|end| clues::came_after(clue, case, end)) {
                true => Some(clue.day("received_on")),
                false => answered.filter(|_| answered >= since).map(Some),
            }
        });
        let warnings = warnings.filter(move |day| *day >= since);
        warnings.chain(included).chain(unseen(facts, case, today).map(Some))
    })
}

/// Whether there may be one, by whichever clock the end is dated.
pub(super) fn may_be(facts: &Facts, case: &Case) -> bool {
    !case.is_running()
        && (confirmed(facts, "warnings", "answer", "confirmed").next().is_some()
            || confirmed(facts, "clues", "outcome", "included").next().is_some()
            || facts.rows("visits").iter().any(is_urgent))
}

fn is_urgent(visit: &Row) -> bool {
    visit.text("finding") == "urgent"
}

/// The days until today on which visits found urgent need, since the last one that found otherwise. Nobody takes back what a visit
/// found but a visit that spoke with somebody and found otherwise.
fn found_urgent(facts: &Facts, today: Day) -> Vec<Day> {
    let finds = |visit: &&Row| {
        is_urgent(visit) || (visit::is_heard(visit) && !visit.text("finding").is_empty())
    };
    let visits = facts.rows("visits").iter().filter(finds);
    let visits = visits.filter_map(|visit| Some((visit.day("date")?, is_urgent(visit))));
    let mut found: Vec<(Day, bool)> = visits.filter(|(day, _)| *day <= today).collect();
    // Of two on one day the graver counts.
    found.sort_unstable();
    let last = found.iter().rev().take_while(|(_, is_urgent)| *is_urgent);
    last.map(|(day, _)| *day).collect()
}

/// The first of them of which no step of this round has seen the need: its visit that verifies was earlier, or the round ended
/// without one.
fn unseen(facts: &Facts, case: &Case, today: Day) -> Option<Day> {
    let round = &case.path[case.begun().unwrap_or_default()..];
    let verified = round.iter().rev().find(|passed| passed.stage == Stage::Verified);
    let seen = verified.or(round.last().filter(|last| last.stage == Stage::Closed));
    let is_news = |day: &Day| match (seen, round.first()) {
        (Some(seen), _) => seen.on < Some(*day),
        (None, Some(first)) => first.on <= Some(*day),
        (None, None) => true,
    };
    found_urgent(facts, today).into_iter().filter(is_news).min()
}

fn confirmed<'f>(
    facts: &'f Facts,
    container: &str,
    field: &'static str,
    code: &'static str,
) -> impl Iterator<Item = &'f Row> + use<'f> {
    let rows = facts.rows(container).iter();
    rows.filter(move |row| row.text(field) == code && !row.tick("withdrawn"))
}
