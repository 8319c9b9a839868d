//! Whom a visit met, and so what it counts for. Must not know who made it, or why.

use super::facts::Row;

/// Whether somebody of the household was met (入户见到人): what a rate of visits counts, and what closes a case.
pub fn is_in_person(visit: &Row) -> bool {
    matches!(visit.text("met"), "head" | "member") && visit.text("place") != "phone"
}

/// Whether somebody of the household was spoken to, by telephone at least: families who are away for work are not to be left out. A visit
/// that does not say who was met, met a neighbour or nobody at all is none.
pub fn is_heard(visit: &Row) -> bool {
    matches!(visit.text("met"), "head" | "member" | "phone")
}
