//! Whom a visit met and on which day it may be, and so what it counts for. Must not know who made it, or why.

use super::day::Day;
use super::facts::Row;

/// How far the clock of a phone may be behind that has not heard of its server for long.
const CLOCK_BEHIND_DAYS_MAX: i32 = 31;

/// Whether somebody may write down a visit of a day, today. One of far ahead is mistyped, and would be the last one for as long.
pub fn may_be_of(day: Day, today: Day) -> bool {
    day <= today.plus_days(CLOCK_BEHIND_DAYS_MAX)
}

/// Whether somebody of the household was met (入户见到人): what a rate of visits counts, and what closes a case.
pub fn is_in_person(visit: &Row) -> bool {
    matches!(visit.text("met"), "head" | "member") && visit.text("place") != "phone"
}

/// Whether somebody of the household was spoken to, by telephone at least: families who are away for work are not to be left out. A visit
/// that does not say who was met, met a neighbour or nobody at all is none.
pub fn is_heard(visit: &Row) -> bool {
    matches!(visit.text("met"), "head" | "member" | "phone")
}
