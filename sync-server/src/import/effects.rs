//! What the rows of departments make of a household: which warnings fire, and the one change that records them
//! with the bills they rest on. Pure: must not read or write anything.

use wanhu_core::document::edit::{FieldChange, FieldValue, RecordEdit};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::{self, Warning};

use super::bills::{BILLS, Bill, bill_of, record_bill, row_id};
use super::taken_back::take_back;
use crate::storage::department::StagedRow;
use crate::warnings::notice::Sender;
use crate::warnings::provenance::FORM_OF_LIST;

/// Whoever reads rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'a> {
    /// Who warns of what they tell, and when.
    pub(crate) sender: Sender<'a>,
    /// Whether rows of the sender's list go on record where it is silent, whether they warn or not.
    pub(crate) fills_in: bool,
    /// Gives people one name.
    pub(crate) key: &'a PersonKey,
    /// The rules that hold.
    pub(crate) policy: &'a Policy,
}

/// A department's row with the member it is about.
pub(super) type About<'f> = (&'f StagedRow, &'f Row);

/// The rows about people who live in the household. Of whoever has left it they say nothing of it any more.
pub(super) fn about<'f>(
    key: &PersonKey,
    facts: &'f Facts,
    rows: &'f [StagedRow],
) -> Vec<About<'f>> {
    let people: Vec<_> = facts
        .people()
        .filter_map(|person| Some((key.identity(&person.identity_number()?), person)))
        .collect();
    let with_member = |row: &'f StagedRow| {
        let (_, member) = people.iter().find(|(person, _)| *person == row.person)?;
        Some((row, *member))
    };
    rows.iter().filter_map(with_member).collect()
}

/// What a list says of a household or of one of its people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said<'r> {
    /// The row of the list.
    pub(crate) row: &'r StagedRow,
    /// Container of the record.
    pub(crate) container: &'r str,
    /// Row of the container; empty where it has none.
    place: &'r str,
    /// The field.
    pub(crate) field: &'r str,
    /// Its value.
    pub(crate) value: &'r Value,
}

impl Said<'_> {
    /// As the record has it: `field` or `row.field`.
    pub(crate) fn key(&self) -> String {
        if self.place.is_empty() {
            return self.field.to_owned();
        }
        format!("{}.{}", self.place, self.field)
    }

    /// Whether both speak of one field.
    pub(crate) fn is_of_field(&self, other: &Said<'_>) -> bool {
        (self.container, self.place, self.field) == (other.container, other.place, other.field)
    }

    fn known<'f>(&self, facts: &'f Facts) -> Option<&'f Value> {
        if self.place.is_empty() {
            return facts.get(self.container, self.field);
        }
        facts.row(self.container, self.place)?.get(self.field)
    }
}

/// What a row says beside bills; nothing of what the record has as rows of its own.
fn said<'r>((row, member): About<'r>) -> impl Iterator<Item = Said<'r>> {
    row.values.iter().filter_map(move |(name, value)| {
        let (container, field) = name.split_once('.')?;
        let place = match (container, member) {
            ("members", member) => member.id.as_str(),
            _ if Schema::base().container(container).is_some_and(|known| known.rows) => {
                return None;
            }
            _ => "",
        };
        Some(Said { row, container, place, field, value })
    })
}

/// What these rows say and the record shows just so, each field once.
pub(crate) fn agreed<'r>(
    key: &PersonKey,
    facts: &'r Facts,
    rows: &'r [StagedRow],
) -> Vec<Said<'r>> {
    let mut agreed = Vec::<Said<'_>>::new();
    for said in about(key, facts, rows).into_iter().flat_map(said) {
        if said.known(facts) == Some(said.value) && !agreed.iter().any(|a| a.is_of_field(&said)) {
            agreed.push(said);
        }
    }
    agreed
}

/// What these rows say and the record has otherwise.
pub(crate) fn contradicted<'r>(
    key: &PersonKey,
    facts: &'r Facts,
    rows: &'r [StagedRow],
) -> Vec<Said<'r>> {
    let said = about(key, facts, rows).into_iter().flat_map(said);
    said.filter(|said| said.known(facts).is_some_and(|known| known != said.value)).collect()
}

impl Reading<'_> {
    /// Number of the delivery that is judged; none has 0.
    fn import(&self) -> i64 {
        self.sender.list.map_or(0, |list| list.import)
    }

    fn today(&self) -> Day {
        self.sender.today
    }

    /// Whether rows may call for a change in a record that has no spending of its own. Says nothing against those that the
    /// record would take.
    pub(crate) fn may_change(&self, rows: &[StagedRow]) -> bool {
        let mut bills = Facts::of(0);
        for (place, row) in rows.iter().enumerate() {
            for (name, value) in &row.values {
                let Some((BILLS, field)) = name.split_once('.') else { return true };
                bills.set(BILLS, &place.to_string(), field, value.clone());
            }
        }
        warning::may_follow(&bills, self.policy, self.today())
    }

    /// Whether rows may call for a change in this record. Cheaper to ask than for which.
    pub(crate) fn may_change_record(&self, facts: &Facts, rows: &[StagedRow]) -> bool {
        self.fills_in
            || !self.fired(facts, rows).is_empty()
            || self.settled_anew(facts, rows).is_some()
    }

    /// What fires for a household as the rows show it, heard of before or not.
    pub(crate) fn fired(&self, facts: &Facts, rows: &[StagedRow]) -> Vec<Warning> {
        warning::evaluate(&self.seen(facts, rows), self.policy, self.today())
    }

    /// The change that a household's rows call for; none where nobody has to be warned of anything new, nor anything filled in.
    /// `filled_in` is what departments have put on record of it: like their bills it counts as their word, and only while a
    /// row says so.
    pub(crate) fn change(
        &self,
        facts: &Facts,
        rows: &[StagedRow],
        filled_in: &[Said<'_>],
    ) -> Option<RecordEdit> {
        match self.settled_anew(facts, rows) {
            Some(edit) => Some(self.change_after(edit, facts, filled_in, rows)),
            None => self.call(facts, rows, filled_in),
        }
    }

    /// The same where the record holds no bill that rows settle anew.
    fn call(
        &self,
        facts: &Facts,
        rows: &[StagedRow],
        filled_in: &[Said<'_>],
    ) -> Option<RecordEdit> {
        let about = about(self.key, facts, rows);
        let bills: Vec<_> = about.iter().map(|(row, _)| row_id(facts, row)).collect();
        let bills: Vec<_> = bills.iter().map(String::as_str).collect();
        let mut without = facts.clone().without_rows(BILLS, &bills);
        for said in filled_in {
            without.set(said.container, said.place, said.field, Value::Null);
        }
        let seen = self.seen(&without, rows);
        let mut fired = warning::evaluate(&seen, self.policy, self.today());
        // What the record says without departments is not a department's to warn of.
        let known = warning::evaluate(&without, self.policy, self.today());
        fired.retain(|warning| !known.contains(warning));
        let beyond = |answered: &[&Row]| self.beyond(&without, &seen, rows, answered);
        let fired = warning::unheard_beyond(&seen, self.policy, fired, beyond);
        if fired.is_empty() && !self.fills_in {
            return None;
        }
        let edit = RecordEdit { form: FORM_OF_LIST.into(), ..RecordEdit::default() };
        let mut edit = self.record_bills(edit, facts, rows, &fired);
        // The latest word on a field is the last one.
        for (row, member) in about.into_iter().rev() {
            if !fired.is_empty() || row.import == self.import() {
                edit = fill_in(edit, facts, said((row, member)));
            }
        }
        if fired.is_empty() {
            return (!edit.fields.is_empty()).then_some(edit);
        }
        let import = self.sender.list.map(|list| list.import);
        let fired: Vec<_> = fired.into_iter().map(|warning| (warning, import)).collect();
        Some(self.sender.warn(edit, facts, &seen, &fired))
    }

    /// The household as rows show it that nobody has answered for: bills that no answered warning counted, and of other
    /// rows those that came first in a later delivery. None where answered warnings say nothing of what they rest on.
    fn beyond(
        &self,
        without: &Facts,
        seen: &Facts,
        rows: &[StagedRow],
        answered: &[&Row],
    ) -> Option<Facts> {
        let rested = warning::rested(seen, answered);
        let last = answered.iter().filter_map(|warning| warning.int("delivery")).max();
        if rested.is_empty() && last.is_none() {
            return None;
        }
        let is_later = |row: &StagedRow| {
            row.deliveries().next().zip(last).is_some_and(|(first, last)| first > last)
        };
        let is_beyond = |row: &&StagedRow| bill_of(row).next().is_some() || is_later(row);
        let rows: Vec<_> = rows.iter().filter(is_beyond).cloned().collect();
        Some(warning::without(self.seen(without, &rows), &rested))
    }

    /// The change that puts bills of the record right that rows of a later delivery settle anew; none where there are none.
    /// Warnings that wait for an answer and rest on them are taken back; what was answered stays as it was answered.
    fn settled_anew(&self, facts: &Facts, rows: &[StagedRow]) -> Option<RecordEdit> {
        let mut edit = RecordEdit { form: FORM_OF_LIST.into(), ..RecordEdit::default() };
        let mut replaced = Vec::new();
        for bill in Bill::all(facts, &about(self.key, facts, rows)) {
            let known = replaced.len();
            replaced.extend(bill.replaced(facts));
            if let Some((row, member)) = bill.counted(facts).filter(|_| known < replaced.len()) {
                edit = record_bill(edit, facts, row, member);
            }
        }
        if replaced.is_empty() {
            return None;
        }
        let rests_on_them = |warning: &Row| {
            let mut rows = warning.text("rows").split(' ');
            warning::is_open(warning) && rows.any(|row| replaced.iter().any(|id| id == row))
        };
        Some(take_back(edit, facts, &replaced, rests_on_them))
    }

    /// Puts on record the bills that warnings rest on.
    pub(crate) fn record_bills(
        &self,
        edit: RecordEdit,
        facts: &Facts,
        rows: &[StagedRow],
        fired: &[Warning],
    ) -> RecordEdit {
        let counts = |row: &StagedRow| {
            let id = row_id(facts, row);
            fired.iter().any(|warning| warning.rows.contains(&id))
        };
        let about = about(self.key, facts, rows).into_iter().rev();
        let counted = about.filter(|(row, _)| counts(row));
        counted.fold(edit, |edit, (row, member)| record_bill(edit, facts, row, member))
    }

    /// A change that takes bills back, with what rows call for once it has taken place.
    pub(crate) fn change_after(
        &self,
        mut edit: RecordEdit,
        facts: &Facts,
        filled_in: &[Said<'_>],
        rows: &[StagedRow],
    ) -> RecordEdit {
        let after = written(facts, &edit);
        if let Some(mut more) = self.call(&after, rows, filled_in) {
            edit.fields.append(&mut more.fields);
            edit.new_rows.append(&mut more.new_rows);
        }
        edit
    }

    /// The household as the departments' rows show it. A bill is a bill for ever; what a list says of a house or
    /// a person counts where the record says nothing, or in the delivery that says so now.
    pub(crate) fn seen(&self, facts: &Facts, rows: &[StagedRow]) -> Facts {
        let mut seen = facts.clone();
        let about = about(self.key, facts, rows);
        for &(row, member) in &about {
            for said in said((row, member)) {
                if said.known(facts).is_none() || row.import == self.import() {
                    seen.set(said.container, said.place, said.field, said.value.clone());
                }
            }
        }
        for bill in Bill::all(facts, &about) {
            for replaced in bill.replaced(facts) {
                seen.set(BILLS, &replaced, "withdrawn", true.into());
            }
            let Some((row, member)) = bill.counted(facts) else { continue };
            let id = row_id(facts, row);
            let of = ("member", Value::from(member.id.as_str()));
            let fields = bill_of(row).map(|(field, value)| (field, value.clone()));
            for (field, value) in fields.chain([of]) {
                seen.set(BILLS, &id, field, value);
            }
        }
        seen
    }
}

/// The record once an edit is written.
fn written(facts: &Facts, edit: &RecordEdit) -> Facts {
    let mut after = facts.clone();
    for FieldChange { container, key, value } in &edit.fields {
        let (row, field) = key.rsplit_once('.').unwrap_or(("", key));
        after.set(container, row, field, value.clone().unwrap_or(Value::Null));
    }
    let named = edit.new_rows.iter().filter_map(|row| Some((row, row.id.as_deref()?)));
    for (row, id) in named {
        for FieldValue { field, value } in &row.fields {
            after.set(&row.container, id, field, value.clone());
        }
    }
    after
}

/// Sets what the record does not know yet. What it knows otherwise stays: somebody has to look.
fn fill_in<'r>(
    edit: RecordEdit,
    facts: &Facts,
    said: impl Iterator<Item = Said<'r>>,
) -> RecordEdit {
    said.filter(|said| said.known(facts).is_none()).fold(edit, |edit, said| {
        let key = said.key();
        let is_set = |set: &FieldChange| set.container == said.container && set.key == key;
        if edit.fields.iter().any(is_set) {
            return edit;
        }
        edit.set(said.container, &key, said.value.clone())
    })
}

#[cfg(test)]
mod tests;
