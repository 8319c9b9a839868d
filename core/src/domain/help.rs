//! Help (帮扶) of one household. Must not know who gave it.

use super::facts::Row;

/// Families of measures by which a household earns a living of its own (开发式帮扶): industry, jobs, small
/// loan, public post. All others guarantee or support.
pub fn is_developmental(kind: &str) -> bool {
    matches!(kind, "industry" | "jobs" | "finance" | "public_post")
}

/// Whether a measure is under way or done: neither only planned nor stopped.
pub fn is_in_effect(measure: &Row) -> bool {
    matches!(measure.text("status"), "under_way" | "done")
}
