//! What the rows of departments make of a household: which warnings fire, and the one change that records them
//! with the bills they rest on, a clue, and the beginning of a case. Pure: must not read or write anything.

use wanhu_core::document::edit::{RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::{self, Warning};
use wanhu_core::domain::workflow::{Case, Stage};

use crate::storage::department::StagedRow;

/// Where a department's rows become rows of the record; of other containers single fields are filled in.
const BILLS: &str = "spending";

/// Whoever reads rows, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// Code of the department.
    pub(super) department: &'a str,
    /// Gives people one name.
    pub(super) key: &'a PersonKey,
    /// The rules that hold.
    pub(super) policy: &'a Policy,
    /// The day of the server's clock.
    pub(super) today: Day,
}

/// The row of the record that a department's row becomes.
pub(super) fn row_id(row: &StagedRow) -> String {
    row.key[..6].iter().fold("d".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// A department's row with the member it is about.
type About<'f> = (&'f StagedRow, Option<&'f Row>);

impl Reading<'_> {
    fn about<'f>(&self, facts: &'f Facts, rows: &'f [StagedRow]) -> Vec<About<'f>> {
        let people: Vec<_> = facts
            .people()
            .filter_map(|person| {
                let number = IdentityNumber::parse(person.text("identity_number")).ok()?;
                Some((self.key.identity(&number), person))
            })
            .collect();
        let member = |row: &StagedRow| {
            people.iter().find(|(person, _)| *person == row.person).map(|(_, member)| *member)
        };
        rows.iter().map(|row| (row, member(row))).collect()
    }

    /// The change that a household's rows call for; none where nobody has to be warned of anything new.
    pub(super) fn change(&self, facts: &Facts, rows: &[StagedRow]) -> Option<RecordEdit> {
        let rows = self.about(facts, rows);
        let seen = with_rows(facts, &rows);
        let mut fired = warning::evaluate(&seen, self.policy, self.today);
        // What the record says without the department is not the department's to warn of.
        let known = warning::evaluate(facts, self.policy, self.today);
        fired.retain(|warning| !known.contains(warning));
        let fired = warning::unheard(facts, self.policy, fired);
        if fired.is_empty() {
            return None;
        }
        let mut edit = RecordEdit { form: "department/1".into(), ..RecordEdit::default() };
        for (row, member) in rows {
            let counts = fired.iter().any(|warning| warning.rows.contains(&row_id(row)));
            edit = if counts { record_bill(edit, facts, row, member) } else { edit };
            edit = fill_in(edit, facts, row, member);
        }
        for warning in &fired {
            edit = self.record_warning(edit, warning);
            edit = self.record_clue(edit, &seen, warning);
        }
        if Case::of(facts).stage().is_none() {
            let on = self.today.to_string();
            edit = edit.set("case", "channel", "department").set("case", "clue_on", on);
            let step = StepForm::to(Stage::Clue);
            let level = Role::Department.level_code();
            edit = edit.step(&Case::default(), &step, level, self.today);
        }
        Some(edit)
    }

    fn record_warning(&self, edit: RecordEdit, warning: &Warning) -> RecordEdit {
        let fields = vec![
            text("rule", &warning.rule),
            text("rule_version", &warning.rule_version),
            text("level", &warning.level),
            text("risk", &warning.risk),
            ("input".to_owned(), warning.input.into()),
            text("rows", &warning.rows.join(" ")),
            ("threshold".to_owned(), warning.threshold.into()),
            text("source", &warning.source),
            text("fired_on", &warning.fired_on.to_string()),
            text("due_on", &warning.due_on.to_string()),
            text("department", self.department),
        ];
        edit.named_row("warnings", &warning.row, fields)
    }

    /// A clue for the person, unless one for the same risk is being looked into.
    fn record_clue(&self, edit: RecordEdit, seen: &Facts, warning: &Warning) -> RecordEdit {
        let bills = warning.rows.iter().filter_map(|id| seen.row(BILLS, id));
        let member = bills.map(|bill| bill.text("member")).find(|member| !member.is_empty());
        let member = member.unwrap_or_default();
        let is_open = |clue: &Row| {
            matches!(clue.text("outcome"), "" | "open")
                && !clue.tick("withdrawn")
                && clue.text("risk") == warning.risk
                && clue.text("member") == member
        };
        if seen.rows("clues").iter().any(is_open) {
            return edit;
        }
        let mut fields = vec![
            text("channel", "department"),
            text("department", self.department),
            text("risk", &warning.risk),
            text("received_on", &warning.fired_on.to_string()),
        ];
        if !member.is_empty() {
            fields.push(text("member", member));
        }
        edit.named_row("clues", &warning.row, fields)
    }
}

fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), text.into())
}

/// The household as the departments' rows show it.
fn with_rows(facts: &Facts, rows: &[About<'_>]) -> Facts {
    let mut seen = facts.clone();
    for (row, member) in rows {
        let member = member.map(|member| member.id.as_str());
        for (name, value) in &row.values {
            let Some((container, field)) = name.split_once('.') else { continue };
            let place = match (container, member) {
                (BILLS, _) => row_id(row),
                ("members", Some(member)) => member.to_owned(),
                ("members", None) => continue,
                _ => String::new(),
            };
            seen.set(container, &place, field, value.clone());
        }
        let is_bill = row.values.iter().any(|(name, _)| name.starts_with("spending."));
        if let Some(member) = member.filter(|_| is_bill) {
            seen.set(BILLS, &row_id(row), "member", member.into());
        }
    }
    seen
}

/// Sets what the record does not know yet. What it knows otherwise stays: somebody has to look.
fn fill_in(
    mut edit: RecordEdit,
    facts: &Facts,
    row: &StagedRow,
    member: Option<&Row>,
) -> RecordEdit {
    for (name, value) in &row.values {
        let Some((container, field)) = name.split_once('.') else { continue };
        let (place, known) = match (container, member) {
            (BILLS, _) | ("members", None) => continue,
            ("members", Some(member)) => (format!("{}.{field}", member.id), member.get(field)),
            _ => (field.to_owned(), facts.get(container, field)),
        };
        if known.is_none() {
            edit = edit.set(container, &place, value.clone());
        }
    }
    edit
}

/// The bill as the department delivered it, with the member it is about.
fn record_bill(
    edit: RecordEdit,
    facts: &Facts,
    row: &StagedRow,
    member: Option<&Row>,
) -> RecordEdit {
    let id = row_id(row);
    if facts.row(BILLS, &id).is_some() {
        return edit;
    }
    let fields = row.values.iter().filter_map(|(name, value)| {
        let field = name.strip_prefix("spending.")?;
        Some((field.to_owned(), value.clone()))
    });
    let member = member.map(|member| text("member", &member.id));
    edit.named_row(BILLS, &id, fields.chain(member).collect())
}

/// The change that takes back what a record holds of a delivery; none where it holds nothing of it.
pub(super) fn withdrawal(facts: &Facts, rows: &[StagedRow]) -> Option<RecordEdit> {
    let withdrawn: Vec<String> = rows.iter().map(row_id).collect();
    let is_of_it = |id: &str| withdrawn.iter().any(|known| known == id);
    let mut edit = RecordEdit { form: "withdrawal/1".into(), ..RecordEdit::default() };
    for bill in facts.rows(BILLS).iter().filter(|bill| is_of_it(&bill.id)) {
        edit = edit.set(BILLS, &format!("{}.withdrawn", bill.id), true);
    }
    for warning in facts.rows("warnings") {
        if !warning.text("rows").split(' ').any(is_of_it) {
            continue;
        }
        for container in ["warnings", "clues"] {
            if facts.row(container, &warning.id).is_some() {
                edit = edit.set(container, &format!("{}.withdrawn", warning.id), true);
            }
        }
    }
    (!edit.fields.is_empty()).then_some(edit)
}
