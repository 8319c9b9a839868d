//! What a warning makes of a household: its row with the reasons, a clue about the person, and the case's first step where
//! there is none. Pure: must not read or write anything.

use wanhu_core::document::edit::{RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::Warning;
use wanhu_core::domain::workflow::{Case, Stage, clues};

/// Whoever warns, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// Whose account writes.
    pub(crate) role: Role,
    /// The list that warns; none where the record does.
    pub(crate) list: Option<List<'a>>,
    /// The day of the server's clock.
    pub(crate) today: Day,
}

/// A department's delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a> {
    /// Code of the department.
    pub(crate) department: &'a str,
    /// Number of the delivery.
    pub(crate) import: i64,
}

impl<'a> Sender<'a> {
    /// A department with a list.
    pub(crate) fn of_list(department: &'a str, import: i64, today: Day) -> Self {
        Self { role: Role::Department, list: Some(List { department, import }), today }
    }
}

impl Sender<'_> {
    /// Code of `channel`: records are what cadres saw.
    fn channel(&self) -> &'static str {
        if self.list.is_some() { "department" } else { "inspection" }
    }

    /// Adds to an edit what these warnings make of a household, each with the last delivery whose rows it rests on. `facts` is
    /// the record, `seen` the record with what it was judged by.
    pub(crate) fn warn(
        &self,
        mut edit: RecordEdit,
        facts: &Facts,
        seen: &Facts,
        fired: &[(Warning, Option<i64>)],
    ) -> RecordEdit {
        let case = Case::of(facts);
        for (warning, delivery) in fired {
            edit = self.record_warning(edit, warning, *delivery);
            edit = self.record_clue(edit, seen, &case, warning);
        }
        if case.stage().is_some() {
            return edit;
        }
        let begins = [("channel", self.channel().to_owned()), ("clue_on", self.today.to_string())];
        for (field, value) in begins {
            // What somebody wrote down before stays.
            if facts.get("case", field).is_none() {
                edit = edit.set("case", field, value);
            }
        }
        let step = StepForm::to(Stage::Clue);
        edit.step(&Case::default(), &step, self.role.level_code(), self.today)
    }

    fn record_warning(
        &self,
        edit: RecordEdit,
        warning: &Warning,
        delivery: Option<i64>,
    ) -> RecordEdit {
        let mut fields = vec![
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
        ];
        fields.extend(self.list.map(|list| text("department", list.department)));
        fields.extend(delivery.map(|delivery| ("delivery".to_owned(), delivery.into())));
        edit.named_row("warnings", &warning.row, fields)
    }

    /// A clue for the person, unless one for the same risk is being looked into.
    fn record_clue(
        &self,
        edit: RecordEdit,
        seen: &Facts,
        case: &Case,
        warning: &Warning,
    ) -> RecordEdit {
        let member = member(seen, warning);
        if clues::looked_into(seen, case, &warning.risk, member).next().is_some() {
            return edit;
        }
        let mut fields = vec![
            text("channel", self.channel()),
            text("risk", &warning.risk),
            text("received_on", &warning.fired_on.to_string()),
        ];
        fields.extend(self.list.map(|list| text("department", list.department)));
        if !member.is_empty() {
            fields.push(text("member", member));
        }
        edit.named_row("clues", &warning.row, fields)
    }
}

/// The member whose bill a warning rests on, or whom alone it counts; empty where that is nobody.
pub(crate) fn member<'f>(seen: &'f Facts, warning: &Warning) -> &'f str {
    if let [only] = warning.rows.as_slice()
        && let Some(person) = seen.row("members", only)
    {
        return &person.id;
    }
    let bills = warning.rows.iter().filter_map(|id| seen.row("spending", id));
    bills.map(|bill| bill.text("member")).find(|member| !member.is_empty()).unwrap_or_default()
}

/// A field of text.
pub(crate) fn text(name: &str, text: &str) -> (String, Value) {
    (name.to_owned(), text.into())
}
