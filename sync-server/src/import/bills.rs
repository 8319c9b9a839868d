//! Departments' rows as bills of the record, and which of them tell of one bill: settled again in a later delivery, or written
//! down by a cadre before the bureau told of it. Pure: must not read or write anything.

use std::collections::BTreeSet;

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::is_same_stay;

use super::effects::About;
use crate::storage::department::StagedRow;
use crate::warnings::notice::text;

/// Where a department's rows become rows of the record; of other containers single fields are filled in.
pub(super) const BILLS: &str = "spending";

/// How the rows of the record are named that a department's row is or was: so, or so with `-` and a number.
pub(super) fn bill_name(row: &StagedRow) -> String {
    let [a, b, c, d, e, f, ..] = row.key;
    format!("d{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}")
}

/// The row of the record that a department's row is, or becomes: not one that was withdrawn.
pub(super) fn row_id(facts: &Facts, row: &StagedRow) -> String {
    let name = bill_name(row);
    let is_withdrawn = |id: &str| facts.row(BILLS, id).is_some_and(|bill| bill.tick("withdrawn"));
    let again = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone()).chain(again).find(|id| !is_withdrawn(id));
    free.unwrap_or(name)
}

/// The bill that a row is: field and value.
pub(super) fn bill_of(row: &StagedRow) -> impl Iterator<Item = (&str, &Value)> {
    let of_bills = |name| str::strip_prefix(name, BILLS)?.strip_prefix('.');
    row.values.iter().filter_map(move |(name, value)| Some((of_bills(name.as_str())?, value)))
}

/// The bill as the department delivered it, with the member it is about.
pub(super) fn record_bill(
    edit: RecordEdit,
    facts: &Facts,
    row: &StagedRow,
    member: &Row,
) -> RecordEdit {
    let id = row_id(facts, row);
    if facts.row(BILLS, &id).is_some() {
        return edit;
    }
    let fields = bill_of(row).map(|(field, value)| (field.to_owned(), value.clone()));
    let fields = fields.chain([text("member", &member.id)]);
    edit.named_row(BILLS, &id, fields.collect())
}

/// A bill of somebody who lives in the household.
pub(super) struct Bill<'f> {
    /// The rows that tell of it, the latest last: that one counts. No two stand in one file, where two visits of a day may cost
    /// the same.
    pub(super) rows: Vec<About<'f>>,
    /// Whether the record has it as somebody wrote it down, beside all that departments delivered.
    is_by_hand: bool,
}

impl<'f> Bill<'f> {
    /// The bills that these rows tell of, the latest last in `about`. Each that was written by hand stands for one of them.
    pub(super) fn all(facts: &'f Facts, about: &[About<'f>]) -> Vec<Self> {
        let mut bills = Vec::<Self>::new();
        for told in about.iter().filter(|(row, _)| bill_of(row).next().is_some()) {
            let is_it =
                |bill: &&mut Self| bill.rows.iter().all(|known| is_settled_again(known.0, told.0));
            match bills.iter_mut().rfind(is_it) {
                Some(bill) => bill.rows.push(*told),
                None => bills.push(Self { rows: vec![*told], is_by_hand: false }),
            }
        }
        let delivered: BTreeSet<String> = about.iter().map(|(row, _)| bill_name(row)).collect();
        let is_by_hand = |bill: &&Row| {
            let (name, _) = bill.id.split_once('-').unwrap_or((&bill.id, ""));
            !bill.tick("withdrawn") && !delivered.contains(name)
        };
        for written in facts.rows(BILLS).iter().filter(is_by_hand) {
            let is_it = |bill: &&mut Self| !bill.is_by_hand && bill.is_as_written(written);
            if let Some(bill) = bills.iter_mut().find(is_it) {
                bill.is_by_hand = true;
            }
        }
        bills
    }

    /// The row that counts; none where the record has the bill by hand and not as delivered.
    pub(super) fn counted(&self, facts: &Facts) -> Option<About<'f>> {
        let last = self.rows.last().copied();
        last.filter(|(row, _)| !self.is_by_hand || facts.row(BILLS, &row_id(facts, row)).is_some())
    }

    /// Rows of the record in whose place a later delivery has put another.
    pub(super) fn replaced(&self, facts: &Facts) -> impl Iterator<Item = String> {
        let earlier = self.rows.iter().rev().skip(1).map(|(row, _)| row_id(facts, row));
        earlier.filter(|id| facts.row(BILLS, id).is_some())
    }

    fn is_as_written(&self, written: &Row) -> bool {
        let Some((row, member)) = self.rows.last() else { return false };
        let said = |field| value(row, field);
        let is_alike = |field| written.get(field).is_some_and(|value| said(field) == Some(value));
        let last_day = written.get("to").or_else(|| written.get("from"));
        written.text("member") == member.id
            && is_alike("kind")
            && last_day.is_some_and(|day| said("to").or_else(|| said("from")) == Some(day))
            && (is_alike("total_fen") || is_alike("self_pay_fen"))
    }
}

/// Whether a later delivery tells of the same stay or visit once more.
fn is_settled_again(earlier: &StagedRow, later: &StagedRow) -> bool {
    earlier.import < later.import
        && earlier.person == later.person
        && is_same_stay(|field| value(earlier, field), |field| value(later, field))
        && !earlier.deliveries().any(|import| later.deliveries().any(|other| other == import))
}

fn value<'r>(row: &'r StagedRow, field: &str) -> Option<&'r Value> {
    bill_of(row).find(|(known, _)| *known == field).map(|(_, value)| value)
}
