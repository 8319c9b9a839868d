//! What a form hands over, on a phone or in an office: fields to set and rows to add, as one unit. Must not
//! know who saves it, or a change.

use super::draft::{FieldEdit, row_id};
use super::fold::Fold;
use super::genesis::ContainerIndex;
use super::record::{row_key, split_key};
use crate::domain::authority::{Action, FieldClass, Role, may_as};
use crate::domain::day::Day;
use crate::domain::facts::Facts;
use crate::domain::identity::IdentityNumber;
use crate::domain::ids::ActorId;
use crate::domain::person::PersonKey;
use crate::domain::schema::{Schema, words};
use crate::domain::value::Value;
use crate::domain::visit;
use crate::domain::workflow::{Case, Stage};

mod answers;

/// A value the record cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct EditError {
    /// `container.field`, or the container.
    pub field: String,
    /// Stable code, for example `not_in_list`.
    pub reason: &'static str,
}

impl EditError {
    fn new(field: impl Into<String>, reason: &'static str) -> Self {
        Self { field: field.into(), reason }
    }
}

/// The words for why a value is refused, Chinese and English, with what may be chosen where it is none of a list; the reason itself
/// where nothing is known of it. `field` is `container.field`.
pub fn explain(field: &str, reason: &str) -> (String, String) {
    let (zh, en) = words("reason", reason).map_or((reason, reason), |w| (&*w.zh, &*w.en));
    let choices = if reason == "not_in_list" { Schema::base().choices(field) } else { &[] };
    let choices: Vec<&str> = choices.iter().map(|code| code.zh.as_str()).collect();
    let told = |text: &str| match choices.join(" ") {
        none if none.is_empty() => text.to_owned(),
        choices => format!("{text} ({choices})"),
    };
    (told(zh), told(en))
}

/// One field to set; `None` empties it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldChange {
    /// Name of the container, for example `basic` or `members`.
    pub container: String,
    /// `field`, or `row.field` in a container with rows.
    pub key: String,
    /// The new value.
    pub value: Option<Value>,
}

/// A field of a row to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FieldValue {
    /// Name of the field.
    pub field: String,
    /// Its value.
    pub value: Value,
}

impl From<(String, Value)> for FieldValue {
    fn from((field, value): (String, Value)) -> Self {
        Self { field, value }
    }
}

/// One row to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewRow {
    /// Name of a container with rows, for example `visits`.
    pub container: String,
    /// Its fields.
    pub fields: Vec<FieldValue>,
    /// The row's id, where it has a name of its own: up to 64 letters, digits, `-` and `_`. Else it gets one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub id: Option<String>,
}

/// Characters of a row's name.
const ROW_ID_CHARS_MAX: usize = 64;

/// One form save.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RecordEdit {
    /// Fields to set.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub fields: Vec<FieldChange>,
    /// Rows to add.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub new_rows: Vec<NewRow>,
    /// The form and its version, for example `visit/1`; kept with the change.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub form: String,
    /// Whom the cadre acts for; empty for nobody.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub on_behalf_of: String,
}

/// How a meeting voted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Votes {
    /// Votes for.
    pub in_favour: i64,
    /// Votes against.
    pub against: i64,
}

/// Votes as somebody typed them, for and against: `9:1`.
pub fn votes_typed(text: &str) -> Option<Votes> {
    let read = |part: &str| part.trim().parse::<i64>().ok().filter(|votes| *votes >= 0);
    let (ours, theirs) = text.split_once([':', '：'])?;
    Some(Votes { in_favour: read(ours)?, against: read(theirs)? })
}

/// A step as a form hands it over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct StepForm {
    /// What it enters, or says.
    pub stage: Stage,
    /// Why; needed where a case is turned down, sent back or opened again.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub reason: String,
    /// Code of list `decision`; empty for none.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub decision: String,
    /// How a meeting voted, for an appraisal.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub votes: Option<Votes>,
    /// Row id of the step it is about, where that is not the last one and there are several: the objection it settles, what a
    /// refusal overtook.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub about: Option<String>,
}

impl StepForm {
    /// A step that needs no words.
    pub fn to(stage: Stage) -> Self {
        Self { stage, reason: String::new(), decision: String::new(), votes: None, about: None }
    }

    /// With the reason.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }
}

impl RecordEdit {
    /// Adds a field to set.
    #[must_use]
    pub fn set(mut self, container: &str, key: &str, value: impl Into<Value>) -> Self {
        let (container, key) = (container.to_owned(), key.to_owned());
        self.fields.push(FieldChange { container, key, value: Some(value.into()) });
        self
    }

    /// Adds a row.
    #[must_use]
    pub fn row(mut self, container: &str, fields: Vec<impl Into<FieldValue>>) -> Self {
        self.push_row(container, fields, None);
        self
    }

    /// Adds a row under a name that whoever adds it gives it.
    #[must_use]
    pub fn named_row(mut self, container: &str, id: &str, fields: Vec<(String, Value)>) -> Self {
        self.push_row(container, fields, Some(id.to_owned()));
        self
    }

    fn push_row(
        &mut self,
        container: &str,
        fields: Vec<impl Into<FieldValue>>,
        id: Option<String>,
    ) {
        let fields = fields.into_iter().map(Into::into).collect();
        self.new_rows.push(NewRow { container: container.to_owned(), fields, id });
    }

    /// Adds a step of the monitoring case, behind the last one on record; one about a single objection, or about what a refusal
    /// overtook, behind that. `level` is a code of list `level`.
    #[must_use]
    pub fn step(self, case: &Case, step: &StepForm, level: &str, on: Day) -> Self {
        let about = step.about.as_deref().or_else(|| case.meant_by(step.stage));
        let after = about.unwrap_or(case.last_step());
        let mut fields: Vec<(String, Value)> = vec![
            ("state".into(), step.stage.code().into()),
            ("level".into(), level.into()),
            ("on".into(), on.to_string().into()),
        ];
        let mut add = |field: &str, value: Option<Value>| {
            fields.extend(value.map(|value| (field.to_owned(), value)));
        };
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        add("after", text(after));
        add("reason", text(&step.reason));
        add("decision", text(&step.decision));
        add("votes_for", step.votes.map(|votes| votes.in_favour.into()));
        add("votes_against", step.votes.map(|votes| votes.against.into()));
        self.row("steps", fields)
    }

    /// Says of the round that a clue begins through which channel and when it came, and of monitoring that a decision begins
    /// since when; nothing where this save begins neither. A later round has its own channel, and the earlier one's stays in
    /// the history. What somebody wrote down before, or writes down with this save, stays; so does what this writer may not
    /// change.
    #[must_use]
    pub fn beginning(mut self, facts: &Facts, writer: Role, on: Day) -> Self {
        let enters = |stage: Stage| {
            let mut steps = self.new_rows.iter().filter(|row| row.container == "steps");
            steps.any(|step| step.text("state") == stage.code())
        };
        let mut begun = Vec::new();
        if enters(Stage::Clue) {
            let clue = self.new_rows.iter().find(|row| row.container == "clues");
            let channel = clue.map(|clue| clue.text("channel").to_owned()).unwrap_or_default();
            let is_later = Case::of(facts).stage().is_some();
            let is_free = is_later && may_as(writer, FieldClass::Declaration, Action::Change);
            begun.extend([("channel", channel, is_free), ("clue_on", on.to_string(), is_free)]);
        }
        if enters(Stage::Monitored) {
            begun.push(("identified_on", on.to_string(), false));
        }
        for (field, value, is_free) in begun {
            let is_open = is_free || facts.get("case", field).is_none();
            if is_open && !self.says("case", field) && !value.is_empty() {
                self = self.set("case", field, value);
            }
        }
        self
    }

    fn says(&self, container: &str, key: &str) -> bool {
        self.fields.iter().any(|said| said.container == container && said.key == key)
    }

    /// What somebody typed: `basic.head_name=…` sets a field, `members.<row>.name=…` a field of a row,
    /// `members.name=…` a field of one new row a container. Nothing behind the sign empties the field.
    ///
    /// # Errors
    /// The first text that is no such thing, or whose value the schema refuses.
    pub fn typed(schema: &Schema, assignments: &[String]) -> Result<Self, EditError> {
        let mut edit = Self::default();
        for text in assignments {
            let (field, text) = text
                .split_once('=')
                .ok_or_else(|| EditError::new(text, "not_field_equals_value"))?;
            let (container, key) = field
                .split_once('.')
                .ok_or_else(|| EditError::new(field, "not_container_dot_field"))?;
            let has_rows = ContainerIndex::of(container).is_some_and(ContainerIndex::has_rows);
            if has_rows && !key.contains('.') {
                let value = typed(schema, container, key, text)?;
                match edit.new_rows.iter_mut().find(|row| row.container == container) {
                    Some(row) => row.fields.push((key.to_owned(), value).into()),
                    None => edit = edit.row(container, vec![(key.to_owned(), value)]),
                }
                continue;
            }
            let field = if has_rows { split_key(key).1 } else { key };
            let value = Some(typed(schema, container, field, text)?);
            let value = value.filter(|value| *value != Value::Null);
            let (container, key) = (container.to_owned(), key.to_owned());
            edit.fields.push(FieldChange { container, key, value });
        }
        Ok(edit)
    }

    /// The identity number of the new member who heads the household, where it checks.
    pub fn head_number(&self) -> Option<IdentityNumber> {
        let heads = self.new_rows.iter().filter(|row| row.text("relation") == "head");
        heads.filter_map(NewRow::identity_number).next()
    }

    /// The operations this save asks for, after checking every value against the schema. With a `key`
    /// a member of known identity number gets the row that everybody gives this person. What is answered, and a visit, is of
    /// the day of the save, `on`, where it says none.
    ///
    /// # Errors
    /// The first value the schema refuses.
    pub fn operations(
        &self,
        schema: &Schema,
        fold: &Fold,
        actor: &ActorId,
        key: Option<&PersonKey>,
        on: Day,
    ) -> Result<Vec<FieldEdit>, EditError> {
        self.check_answers(fold)?;
        self.check_visits(on)?;
        let mut edits = Vec::new();
        for change in &self.fields {
            let container = container(&change.container)?;
            let (row, field) = if container.has_rows() {
                split_key(&change.key)
            } else {
                ("", change.key.as_str())
            };
            if container.has_rows() && row.is_empty() {
                return Err(EditError::new(full(&change.container, field), "row_missing"));
            }
            check(schema, &change.container, field, change.value.as_ref())?;
            // Left out here already: row ids below count the operations that will really be made.
            if !fold.shows(container, &change.key, change.value.as_ref()) {
                let (key, value) = (change.key.clone(), change.value.clone());
                edits.push(FieldEdit { container, key, value });
                edits.extend(self.answered(change, container, fold, on));
            }
        }
        edits.extend(self.stamped_by_fields(fold, on));
        edits.extend(self.consented(fold, on));
        for new_row in &self.new_rows {
            let container = container(&new_row.container)?;
            if !container.has_rows() {
                return Err(EditError::new(&new_row.container, "holds_no_rows"));
            }
            if new_row.id.as_deref().is_some_and(|id| !is_row_id(id)) {
                return Err(EditError::new(&new_row.container, "row_id_unfit"));
            }
            let persons = key.and_then(|key| new_row.person_row(key, fold));
            // The first operation of the row gives it its name.
            let row = new_row
                .id
                .clone()
                .or(persons)
                .unwrap_or_else(|| row_id(actor, fold.max_op() + 1 + edits.len() as u64));
            let said = new_row.fields.iter().map(|said| said.field.as_str());
            let stamped = self.stamped(&new_row.container, said, fold, on);
            for FieldValue { field, value } in new_row.fields.iter().chain(&stamped) {
                check(schema, &new_row.container, field, Some(value))?;
                let key = row_key(&row, field);
                // The person may be on record already.
                if !fold.shows(container, &key, Some(value)) {
                    edits.push(FieldEdit { container, key, value: Some(value.clone()) });
                }
            }
        }
        Ok(edits)
    }

    fn check_visits(&self, on: Day) -> Result<(), EditError> {
        let is_ahead = |value: &Value| {
            let day = value.as_text().and_then(|text| text.parse::<Day>().ok());
            day.is_some_and(|day| !visit::may_be_of(day, on))
        };
        let rows = self.new_rows.iter().filter(|row| row.container == "visits");
        let of_rows = rows.flat_map(|row| &row.fields).filter(|said| said.field == "date");
        let fields = self.fields.iter().filter(|said| said.container == "visits");
        let of_fields = fields.filter(|said| split_key(&said.key).1 == "date");
        let of_fields = of_fields.filter_map(|said| said.value.as_ref());
        let mut days = of_rows.map(|said| &said.value).chain(of_fields);
        if days.any(is_ahead) {
            return Err(EditError::new("visits.date", "not_yet"));
        }
        Ok(())
    }
}

/// Whether a row may have this name: keys are `row.field`.
fn is_row_id(id: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=ROW_ID_CHARS_MAX).contains(&id.len()) && id.chars().all(fits)
}

impl NewRow {
    fn text(&self, field: &str) -> &str {
        let named = self.fields.iter().find(|named| named.field == field);
        named.and_then(|named| named.value.as_text()).unwrap_or_default()
    }

    fn identity_number(&self) -> Option<IdentityNumber> {
        if self.container != "members" {
            return None;
        }
        IdentityNumber::parse(self.text("identity_number")).ok()
    }

    /// The row of the person this row is about; none where that row already holds another's number.
    fn person_row(&self, key: &PersonKey, fold: &Fold) -> Option<String> {
        let number = self.identity_number()?;
        let row = key.member_row(&number);
        let held = fold.get(ContainerIndex::of("members")?, &row_key(&row, "identity_number"));
        let is_theirs = held
            .and_then(Value::as_text)
            .is_none_or(|held| IdentityNumber::parse(held).is_ok_and(|held| held == number));
        is_theirs.then_some(row)
    }
}

fn typed(schema: &Schema, container: &str, field: &str, text: &str) -> Result<Value, EditError> {
    let known = schema.field(container, field);
    let known = known.ok_or_else(|| EditError::new(full(container, field), "unknown_field"))?;
    let value = known.parse_text(schema, text);
    value.map_err(|reason| EditError::new(full(container, field), reason.code()))
}

fn container(name: &str) -> Result<ContainerIndex, EditError> {
    ContainerIndex::of(name).ok_or_else(|| EditError::new(name, "unknown_container"))
}

fn full(container: &str, field: &str) -> String {
    format!("{container}.{field}")
}

fn check(
    schema: &Schema,
    container: &str,
    field: &str,
    value: Option<&Value>,
) -> Result<(), EditError> {
    schema
        .check(container, field, value.unwrap_or(&Value::Null))
        .map_err(|reason| EditError::new(full(container, field), reason.code()))
}
