//! What a save says besides what was typed: the day of an answer to a warning or a clue, of a visit and of the household's consent, and
//! of a clue its day and the step of the case; and that nobody answers what is not there. Must not know who saves.

use std::collections::BTreeSet;

use super::{EditError, FieldChange, FieldValue, NewRow, RecordEdit, full};
use crate::document::draft::FieldEdit;
use crate::document::facts::{ANSWERS, facts_of};
use crate::document::fold::Fold;
use crate::document::genesis::ContainerIndex;
use crate::document::record::{row_key, split_key};
use crate::domain::day::Day;
use crate::domain::value::Value;
use crate::domain::workflow::Case;

impl RecordEdit {
    /// What is answered has to be there, or to come with this save: an answer to nothing would be a warning that nobody gave.
    pub(super) fn check_answers(&self, fold: &Fold) -> Result<(), EditError> {
        let is_told = |new: &&NewRow| new.container != "warnings" || !new.text("rule").is_empty();
        let has = |name: &str, row: &str| {
            let is_it = |new: &NewRow| new.container == name && new.id.as_deref() == Some(row);
            // Whoever takes a clue down may say at once what came of it.
            let is_begun = |said: &FieldChange| {
                let (own, field) = split_key(&said.key);
                name == "clues" && said.container == name && own == row && !is_answer(name, field)
            };
            ContainerIndex::of(name).is_some_and(|container| is_on_record(fold, container, row))
                || self.new_rows.iter().filter(is_told).any(is_it)
                || self.fields.iter().any(is_begun)
        };
        for FieldChange { container, key, .. } in &self.fields {
            let (row, field) = split_key(key);
            if is_answer(container, field) && !row.is_empty() && !has(container, row) {
                return Err(EditError::new(full(container, field), "row_unknown"));
            }
        }
        for new in self.new_rows.iter().filter(|new| !is_told(new)) {
            if !has(&new.container, new.id.as_deref().unwrap_or_default()) {
                return Err(EditError::new(&new.container, "row_unknown"));
            }
        }
        Ok(())
    }

    /// The day of an answer to a warning or a clue, where this save gives one and no day.
    pub(super) fn answered(
        &self,
        change: &FieldChange,
        container: ContainerIndex,
        fold: &Fold,
        on: Day,
    ) -> Option<FieldEdit> {
        let (row, field) = split_key(&change.key);
        let is_it =
            |(own, answer, _): &&(&str, &str, &str)| (*own, *answer) == (&*change.container, field);
        let (_, _, day_field) = ANSWERS.iter().find(is_it)?;
        let key = row_key(row, day_field);
        let is_answer = !matches!(change.value.as_ref()?.as_text(), None | Some("" | "open"));
        let is_said = |said: &FieldChange| said.container == change.container && said.key == key;
        let value = Some(Value::from(on.to_string()));
        let is_new = is_answer && !self.fields.iter().any(is_said);
        (is_new && !fold.shows(container, &key, value.as_ref())).then_some(FieldEdit {
            container,
            key,
            value,
        })
    }

    /// The day of the household's consent, where this save ticks it and no earlier one has for this round of the case.
    pub(super) fn consented(&self, fold: &Fold, on: Day) -> Option<FieldEdit> {
        let ticks = |said: &FieldChange| {
            let is_it = said.container == "case" && said.key == "consent";
            is_it && said.value.as_ref().and_then(Value::as_bool) == Some(true)
        };
        let is_ticked = self.fields.iter().any(ticks) && !self.says("case", "consent_on");
        if !is_ticked {
            return None;
        }
        let facts = facts_of(fold, 0, &["case", "steps"]);
        let has_day = facts.day("case", "consent_on").is_some();
        let (container, key) = (ContainerIndex::of("case")?, "consent_on".to_owned());
        let is_known = has_day && Case::of(&facts).has_consent(&facts);
        let value = Some(Value::from(on.to_string()));
        (!is_known && !fold.shows(container, &key, value.as_ref())).then_some(FieldEdit {
            container,
            key,
            value,
        })
    }

    /// What a new row says besides what its form `said`. A visit: the day of the save, as only one with a day counts. A clue: that
    /// day, as the day on which it came, and the step at which the case stands then, but where a step is saved with it: the case
    /// may begin with it, or move on.
    pub(super) fn stamped<'s>(
        &self,
        container: &str,
        said: impl Iterator<Item = &'s str>,
        fold: &Fold,
        on: Day,
    ) -> Vec<FieldValue> {
        let day = Some(on.to_string());
        let stamps = match container {
            "visits" => vec![("date", day)],
            "clues" => vec![("received_on", day), ("after", self.last_step(fold))],
            _ => Vec::new(),
        };
        let said: Vec<&str> = said.collect();
        let new = stamps.into_iter().filter(|(field, _)| !said.contains(field));
        new.filter_map(|(field, value)| Some((field.to_owned(), value?.into()).into())).collect()
    }

    /// The step at which the case stands; none where this save brings one.
    fn last_step(&self, fold: &Fold) -> Option<String> {
        let has_step = self.new_rows.iter().any(|row| row.container == "steps");
        let case = Case::of(&facts_of(fold, 0, &["steps"]));
        Some(case.last_step()).filter(|step| !step.is_empty() && !has_step).map(str::to_owned)
    }

    /// The same of rows that this save begins by setting fields of one that nobody has made.
    pub(super) fn stamped_by_fields(&self, fold: &Fold, on: Day) -> Vec<FieldEdit> {
        ["visits", "clues"].iter().flat_map(|name| self.begun_by_fields(name, fold, on)).collect()
    }

    fn begun_by_fields(&self, name: &str, fold: &Fold, on: Day) -> Vec<FieldEdit> {
        let Some(container) = ContainerIndex::of(name) else { return Vec::new() };
        let fields = || self.fields.iter().filter(|said| said.container == name);
        let rows: BTreeSet<&str> = fields().map(|said| split_key(&said.key).0).collect();
        let is_new = |row: &&str| !row.is_empty() && !is_on_record(fold, container, row);
        let new = rows.into_iter().filter(is_new);
        let edits = new.flat_map(|row| {
            let said = fields().map(|said| split_key(&said.key)).filter(|(own, _)| *own == row);
            let stamped = self.stamped(name, said.map(|(_, field)| field), fold, on);
            stamped.into_iter().map(move |FieldValue { field, value }| FieldEdit {
                container,
                key: row_key(row, &field),
                value: Some(value),
            })
        });
        edits.collect()
    }
}

fn is_answer(container: &str, field: &str) -> bool {
    ANSWERS.iter().any(|(own, answer, on)| *own == container && [*answer, *on].contains(&field))
}

fn is_on_record(fold: &Fold, container: ContainerIndex, row: &str) -> bool {
    fold.container(container).any(|(key, _)| split_key(key).0 == row)
}
