//! Bills that cannot be, however well each of their cells reads: somebody mistyped a year or slipped by a column. Must not
//! know a table or a record.

use std::sync::Arc;

use wanhu_core::domain::day::Day;
use wanhu_core::domain::value::Value;

use super::outcome::{DepartmentRow, FaultCode, day_in, value_in};
use super::profile::Kind;

/// How long ago a bill, a loss, a term of a school or an identification may be: nobody delivers older ones.
const MONTHS_MAX: i32 = 20 * 12;

/// Whether a day is so long ago that somebody mistyped the year.
pub(super) fn is_long_past(day: Day, today: Day) -> bool {
    day < today.plus_months(-MONTHS_MAX)
}

/// Where every bill comes to less, in yuan, somebody counted in another unit.
const ALL_BELOW_YUAN: i64 = 100;
/// Nor does any bill come to more.
const NONE_ABOVE_YUAN: i64 = 10_000_000;

/// An amount, in yuan, that says that a list counts in another unit than was read: its largest bill, where that is too small, or one
/// that is too large. A small one is likely where the list says its unit.
pub(super) fn amounts_unlikely(kind: Kind, rows: &[DepartmentRow], says_unit: bool) -> Option<i64> {
    kind.spending()?;
    let fen = |row: &DepartmentRow| value_in(&row.values, "total_fen").and_then(Value::as_int);
    let largest = rows.iter().filter_map(fen).max()? / 100;
    let is_small = !says_unit && (1..ALL_BELOW_YUAN).contains(&largest);
    (is_small || largest > NONE_ABOVE_YUAN).then_some(largest)
}

/// The first field that contradicts another, or the calendar, and how. A bill is of the past; terms of a school may begin
/// later. What a row leaves out contradicts nothing.
pub(super) fn contradiction(
    kind: Kind,
    values: &[(Arc<str>, Value)],
    today: Option<Day>,
) -> Option<(&'static str, FaultCode)> {
    kind.spending()?;
    let fen = |field| value_in(values, field)?.as_int();
    let (from, to) = (day_in(values, "from"), day_in(values, "to"));
    let latest = today.filter(|_| kind != Kind::School);
    let is_after =
        |day: Option<Day>, other: Option<Day>| day.zip(other).is_some_and(|(a, b)| a > b);
    if is_after(from, latest) {
        return Some(("from", FaultCode::DayInFuture));
    }
    if is_after(to, latest) {
        return Some(("to", FaultCode::DayInFuture));
    }
    for (field, day) in [("from", from), ("to", to)] {
        if day.zip(today).is_some_and(|(day, today)| is_long_past(day, today)) {
            return Some((field, FaultCode::DayLongPast));
        }
    }
    if is_after(from, to) {
        return Some(("to", FaultCode::EndsBeforeBegin));
    }
    let is_above = fen("self_pay_fen").zip(fen("total_fen")).is_some_and(|(own, all)| own > all);
    is_above.then_some(("self_pay_fen", FaultCode::SelfPayAboveTotal))
}
