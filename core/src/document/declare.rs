//! What a household says of itself, as one save: a declaration, an objection to its notice, that help has arrived.
//! Must not know whether it speaks through its own telephone or a cadre's.

use super::edit::{RecordEdit, StepForm};
use crate::domain::authority::Role;
use crate::domain::day::Day;
use crate::domain::facts::Facts;
use crate::domain::value::Value;
use crate::domain::warning;
use crate::domain::workflow::{Case, Stage, successors};

/// A declaration of one household.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// What it fears: codes of list `risk`.
    pub risks: Vec<String>,
    /// The member it is about, by row; empty for the household.
    pub member: String,
    /// In its own words.
    pub note: String,
    /// A telephone at which it is reached, where that is not the one on record; else empty.
    pub contact: String,
    /// Whether it agrees that its circumstances are looked into.
    pub consents: bool,
}

/// The save that a declaration is, written by somebody of this role; none where all of it is being looked into already.
pub fn declaration(
    facts: &Facts,
    declared: &Declaration,
    writer: Role,
    today: Day,
) -> Option<RecordEdit> {
    let case = Case::of(facts);
    let begins = successors(case.place()).contains(&Stage::Clue);
    let is_new = |risk: &&String| begins || !warning::is_looked_into(facts, risk, &declared.member);
    let risks: Vec<_> = declared.risks.iter().filter(is_new).collect();
    if risks.is_empty() {
        return None;
    }
    let mut edit = RecordEdit { form: "declaration/1".into(), ..RecordEdit::default() };
    for risk in risks {
        let mut fields = vec![
            text("channel", "declaration"),
            text("risk", risk),
            text("received_on", &today.to_string()),
        ];
        let said = [
            ("member", &declared.member),
            ("note", &declared.note),
            ("contact", &declared.contact),
        ];
        let said = said.into_iter().filter(|(_, said)| !said.is_empty());
        fields.extend(said.map(|(field, said)| text(field, said)));
        edit = edit.row("clues", fields);
    }
    if declared.consents {
        edit = edit.set("case", "consent", true).set("case", "consent_on", today.to_string());
    }
    if begins {
        for (field, value) in [("channel", "declaration"), ("clue_on", &today.to_string())] {
            // What somebody wrote down before stays.
            if facts.get("case", field).is_none() {
                edit = edit.set("case", field, value);
            }
        }
        edit = edit.step(&case, &StepForm::to(Stage::Clue), writer.level_code(), today);
    }
    Some(edit)
}

/// An objection to the notice that hangs.
pub fn objection(facts: &Facts, reason: &str, today: Day) -> RecordEdit {
    let edit = RecordEdit { form: "objection/1".into(), ..RecordEdit::default() };
    let step = StepForm::to(Stage::Objection).because(reason);
    edit.step(&Case::of(facts), &step, Role::Household.level_code(), today)
}

/// That a measure has arrived; none where there is no such measure or it is confirmed.
pub fn confirmation(facts: &Facts, measure: &str) -> Option<RecordEdit> {
    let row = facts.row("measures", measure).filter(|row| !row.tick("confirmed"))?;
    let edit = RecordEdit { form: "confirmation/1".into(), ..RecordEdit::default() };
    Some(edit.set("measures", &format!("{}.confirmed", row.id), true))
}

fn text(field: &str, text: &str) -> (String, Value) {
    (field.to_owned(), text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Role = Role::Household;

    fn household() -> Facts {
        Facts::of(431_022_208_217).with_row("members", "m", &[("name", "陈永昌".into())])
    }

    fn ill() -> Declaration {
        Declaration {
            risks: vec!["illness".into()],
            member: "m".into(),
            consents: true,
            ..Declaration::default()
        }
    }

    fn today() -> Day {
        "2024-03-04".parse().unwrap()
    }

    #[test]
    fn a_declaration_begins_a_case_once() {
        let edit = declaration(&household(), &ill(), OWN, today()).unwrap();
        let containers: Vec<_> = edit.new_rows.iter().map(|row| row.container.as_str()).collect();
        assert_eq!(containers, ["clues", "steps"]);
        let set: Vec<_> = edit.fields.iter().map(|field| field.key.as_str()).collect();
        assert_eq!(set, ["consent", "consent_on", "channel", "clue_on"]);

        let clue = [("risk", "illness".into()), ("member", "m".into())];
        let running = household().with_row("clues", "c", &clue).with_row(
            "steps",
            "s",
            &[("state", "clue".into())],
        );
        assert_eq!(declaration(&running, &ill(), OWN, today()), None, "it is being looked into");
        let more = Declaration { risks: vec!["illness".into(), "schooling".into()], ..ill() };
        let edit = declaration(&running, &more, OWN, today()).unwrap();
        assert_eq!(edit.new_rows.len(), 1, "the other risk, and no second beginning");

        let turned_down = running.with_row(
            "steps",
            "t",
            &[("state", "not_included".into()), ("after", "s".into())],
        );
        let appeal = declaration(&turned_down, &ill(), OWN, today()).unwrap();
        assert_eq!(appeal.new_rows.len(), 2, "whoever was turned down may say it again");
    }

    #[test]
    fn help_that_is_confirmed_is_confirmed_once() {
        let helped = household().with_row("measures", "h", &[("kind", "health".into())]);
        assert!(confirmation(&helped, "h").is_some());
        assert_eq!(confirmation(&helped, "x"), None);
        let confirmed = helped.with_row("measures", "h", &[("confirmed", true.into())]);
        assert_eq!(confirmation(&confirmed, "h"), None);
    }
}
