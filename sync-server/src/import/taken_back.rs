//! What is taken back of a record, and what comes in its place. Pure: must not read or write anything.

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::person::PersonKey;

use super::bills::{BILLS, Bill, bill_name, record_bill, row_id};
use super::effects::about;
use crate::storage::department::StagedRow;
use crate::warnings::provenance::FORM_OF_WITHDRAWAL;

/// Whether a warning on record rests on a bill that one of these rows is or was, or on a list of this delivery.
pub(crate) fn rests_on(facts: &Facts, warning: &Row, bills: &[String], import: i64) -> bool {
    let rows = || warning.text("rows").split(' ');
    // People are counted by rows as well.
    let is_of_bills = rows().any(|row| facts.row(BILLS, row).is_some());
    let is_named = |row: &str| bills.iter().any(|name| row.split('-').next() == Some(name));
    rows().any(is_named) || (!is_of_bills && warning.int("delivery") == Some(import))
}

/// The change that takes back what a record holds of a delivery; none where it holds nothing of it. Fields that a
/// list filled in stay: what they are to say instead, somebody has to find out. See
/// [`super::effects::agreed`].
pub(crate) fn withdrawal(facts: &Facts, rows: &[StagedRow], import: i64) -> Option<RecordEdit> {
    let (ids, names): (Vec<_>, Vec<_>) =
        rows.iter().map(|row| (row_id(facts, row), bill_name(row))).unzip();
    let edit = RecordEdit { form: FORM_OF_WITHDRAWAL.into(), ..RecordEdit::default() };
    let edit = take_back(edit, facts, &ids, |warning| rests_on(facts, warning, &names, import));
    (!edit.fields.is_empty()).then_some(edit)
}

/// Puts bills on record again in whose place a delivery that is taken back has put its own.
pub(crate) fn bring_back(
    edit: RecordEdit,
    key: &PersonKey,
    facts: &Facts,
    rows: &[StagedRow],
    import: i64,
) -> RecordEdit {
    let mut about = about(key, facts, rows);
    about.sort_by_key(|(row, _)| (row.import, row.row));
    let was_replaced = |row: &StagedRow| {
        let name = bill_name(row);
        facts.rows(BILLS).iter().any(|bill| bill.id.split('-').next() == Some(&name))
    };
    let bills = Bill::all(facts, &about).into_iter();
    let counted = bills.filter(|bill| bill.counted(facts).is_some());
    counted.fold(edit, |edit, bill| match bill.rows[..] {
        [.., (earlier, member), (last, _)] if last.import == import && was_replaced(earlier) => {
            record_bill(edit, facts, earlier, member)
        }
        _ => edit,
    })
}

/// Marks bills, and warnings with what they brought about, as withdrawn.
pub(super) fn take_back(
    mut edit: RecordEdit,
    facts: &Facts,
    bills: &[String],
    takes: impl Fn(&Row) -> bool,
) -> RecordEdit {
    for bill in facts.rows(BILLS).iter().filter(|bill| bills.contains(&bill.id)) {
        edit = edit.set(BILLS, &format!("{}.withdrawn", bill.id), true);
    }
    let standing = facts.rows("warnings").iter().filter(|warning| !warning.tick("withdrawn"));
    for warning in standing.filter(|warning| takes(warning)) {
        for container in ["warnings", "clues"] {
            if facts.row(container, &warning.id).is_some() {
                edit = edit.set(container, &format!("{}.withdrawn", warning.id), true);
            }
        }
    }
    edit
}
