//! What has come upon a household since its case was closed, and was found to be true: for this the township opens the case
//! again, and nobody else may. Must not know who found it.

use super::{Case, Day, Facts, Row, Stage, clues};

/// Each such shock by the day it is known of; none where the case is not closed. A warning counts from its answer. So does a
/// clue that came before the closing; one that came later counts from when it came. What was answered on the day of the
/// closing counts: nobody may have known of it when the county decided.
pub(super) fn since_closing<'f>(
    facts: &'f Facts,
    case: &'f Case,
) -> impl Iterator<Item = Option<Day>> + use<'f> {
    let closed = is_closed(case).then(|| case.path.len() - 1);
    closed.into_iter().flat_map(move |closed| {
        let since = case.path[closed].on;
        let warnings = confirmed(facts, "warnings", "answer", "confirmed");
        let warnings = warnings.map(|w| w.day("answered_on").or_else(|| w.day("fired_on")));
        let included = confirmed(facts, "clues", "outcome", "included");
        let included = included.filter_map(move |clue| {
            let answered = clue.day("outcome_on");
            match clues::came_after(clue, case, closed) {
                true => Some(clue.day("received_on")),
                false => answered.filter(|_| answered >= since).map(Some),
            }
        });
        warnings.filter(move |day| *day >= since).chain(included)
    })
}

/// Whether there may be one, by whichever clock the closing is dated.
pub(super) fn may_be(facts: &Facts, case: &Case) -> bool {
    is_closed(case)
        && (confirmed(facts, "warnings", "answer", "confirmed").next().is_some()
            || confirmed(facts, "clues", "outcome", "included").next().is_some())
}

fn is_closed(case: &Case) -> bool {
    case.stage() == Some(Stage::Closed)
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
