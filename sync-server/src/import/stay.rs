//! Whether a bill is of a stay in hospital, where the file has no word for it. Must not know a table's other columns.

use std::sync::Arc;

use wanhu_core::domain::value::Value;

use super::outcome::{day_in, value_in};

/// The field that says it.
pub(super) const INPATIENT: &str = "inpatient";
/// Words in the title of a day that only a stay has: a visit has a day too, and may be settled later.
const OF_A_STAY: [&str; 3] = ["入院", "住院", "出院"];

/// Says of a bill that it is of a stay, where it does not say so and lasts at least a night from admission to discharge:
/// `titles` are what stands above its first and its last day. Whether the bill says by then if it is of a stay.
pub(super) fn is_told(values: &mut Vec<(Arc<str>, Value)>, titles: [&str; 2]) -> bool {
    if value_in(values, INPATIENT).is_some() {
        return true;
    }
    let days = day_in(values, "from").zip(day_in(values, "to"));
    let lasts_a_night = days.is_some_and(|(from, to)| from < to);
    let is_of_a_stay = titles.iter().any(|title| OF_A_STAY.iter().any(|word| title.contains(word)));
    if !(lasts_a_night && is_of_a_stay) {
        return false;
    }
    let place = values.partition_point(|(field, _)| &**field < INPATIENT);
    values.insert(place, (INPATIENT.into(), true.into()));
    true
}
