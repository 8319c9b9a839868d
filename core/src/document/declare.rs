//! What a household says of itself, as one save: a declaration, an objection to its notice, that help has arrived.
//! Must not know whether it speaks through its own telephone or a cadre's.

use super::edit::{RecordEdit, StepForm};
use crate::domain::authority::Role;
use crate::domain::day::Day;
use crate::domain::facts::{Facts, Row};
use crate::domain::help::is_in_effect;
use crate::domain::schema::Schema;
use crate::domain::value::Value;
use crate::domain::workflow::{Case, Stage, clues, successors};

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

/// The save that a declaration is, written by somebody of this role; none where the record says all of it and
/// somebody is looking into it.
pub fn declaration(
    facts: &Facts,
    declared: &Declaration,
    writer: Role,
    today: Day,
) -> Option<RecordEdit> {
    let case = Case::of(facts);
    let begins = successors(case.place()).contains(&Stage::Clue);
    let mut edit = RecordEdit { form: "declaration/1".into(), ..RecordEdit::default() };
    for risk in &declared.risks {
        let known = declared.known(facts, &case, risk).filter(|_| !begins);
        edit = match known {
            Some(clue) => declared.add_words(edit, clue),
            None => edit.row("clues", declared.clue(risk, today)),
        };
    }
    if declared.consents && (begins || !facts.tick("case", "consent")) {
        edit = edit.set("case", "consent", true).set("case", "consent_on", today.to_string());
    }
    if begins {
        edit = edit.step(&case, &declared.step(&case), writer.level_code(), today);
        edit = edit.beginning(facts, writer, today);
    }
    (!edit.fields.is_empty() || !edit.new_rows.is_empty()).then_some(edit)
}

impl Declaration {
    /// The clue that says this already, or has only no words yet.
    fn known<'f>(&self, facts: &'f Facts, case: &Case, risk: &str) -> Option<&'f Row> {
        let says = |clue: &&Row| {
            let told = (clue.text("contact"), clue.text("note"));
            clues::adds_nothing(told, (&self.contact, &self.note))
        };
        clues::looked_into(facts, case, risk, &self.member).find(says)
    }

    /// The words on a clue that has none.
    fn add_words(&self, edit: RecordEdit, clue: &Row) -> RecordEdit {
        if self.note.is_empty() || !clue.text("note").is_empty() {
            return edit;
        }
        edit.set("clues", &format!("{}.note", clue.id), self.note.as_str())
    }

    fn clue(&self, risk: &str, today: Day) -> Vec<(String, Value)> {
        let received_on = today.to_string();
        let said = [
            ("channel", "declaration"),
            ("risk", risk),
            ("received_on", &received_on),
            ("member", &self.member),
            ("note", &self.note),
            ("contact", &self.contact),
        ];
        said.into_iter()
            .filter(|(_, said)| !said.is_empty())
            .map(|(f, said)| text(f, said))
            .collect()
    }

    /// The step that begins the case. To begin again needs a reason: the channel by name, for more people read a step than
    /// may read the household's words.
    fn step(&self, case: &Case) -> StepForm {
        let step = StepForm::to(Stage::Clue);
        let channel = Schema::base().code("channel", "declaration").map_or("", |known| &known.zh);
        if case.stage().is_none() { step } else { step.because(channel) }
    }
}

/// An objection to the notice that hangs.
pub fn objection(facts: &Facts, reason: &str, today: Day) -> RecordEdit {
    let edit = RecordEdit { form: "objection/1".into(), ..RecordEdit::default() };
    let step = StepForm::to(Stage::Objection).because(reason);
    edit.step(&Case::of(facts), &step, Role::Household.level_code(), today)
}

/// That a measure has arrived; none where there is no such measure in effect, or it is confirmed.
pub fn confirmation(facts: &Facts, measure: &str) -> Option<RecordEdit> {
    let row = facts.row("measures", measure).filter(|row| is_in_effect(row))?;
    if row.tick("confirmed") {
        return None;
    }
    let edit = RecordEdit { form: "confirmation/1".into(), ..RecordEdit::default() };
    Some(edit.set("measures", &format!("{}.confirmed", row.id), true))
}

fn text(field: &str, text: &str) -> (String, Value) {
    (field.to_owned(), text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Policy;
    use crate::domain::workflow::check;

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

        let clue = [("risk", "illness".into()), ("member", "m".into()), ("note", "x".into())];
        let running = household()
            .with("case", "consent", true)
            .with_row("clues", "c", &clue)
            .with_row("steps", "s", &[("state", "clue".into())]);
        assert_eq!(declaration(&running, &ill(), OWN, today()), None, "it is being looked into");
        let more = Declaration { risks: vec!["illness".into(), "schooling".into()], ..ill() };
        let edit = declaration(&running, &more, OWN, today()).unwrap();
        assert_eq!(edit.new_rows.len(), 1, "the other risk, and no second beginning");
    }

    #[test]
    fn whoever_was_turned_down_may_say_it_again_and_the_workflow_takes_it() {
        for stage in ["not_included", "duplicate"] {
            let turned_down = household()
                .with_row("steps", "s", &[("state", "clue".into())])
                .with_row("steps", "t", &[("state", stage.into()), ("after", "s".into())]);
            for note in ["", "又住院了"] {
                let again = Declaration { note: note.into(), ..ill() };
                let edit = declaration(&turned_down, &again, OWN, today()).unwrap();
                let step = edit.new_rows.iter().find(|row| row.container == "steps").unwrap();
                let mut facts = turned_down.clone();
                for named in &step.fields {
                    facts.set("steps", "u", &named.field, named.value.clone());
                }
                let step = facts.row("steps", "u").unwrap();
                let checked = check(&facts, step, &Policy::none(), today(), |_| None);
                assert_eq!(checked, Ok(()), "{stage} {note}");
            }
        }
    }

    #[test]
    fn a_later_round_has_its_own_channel_where_the_writer_may_say_so() {
        let turned_down = household()
            .with("case", "channel", "department")
            .with("case", "clue_on", "2023-01-10")
            .with_row("steps", "s", &[("state", "clue".into())])
            .with_row("steps", "t", &[("state", "not_included".into()), ("after", "s".into())]);
        let said = |facts: &Facts, writer: Role| {
            let declared = Declaration { consents: false, ..ill() };
            let edit = declaration(facts, &declared, writer, today()).unwrap();
            let text = |value: Option<Value>| value.and_then(|v| v.as_text().map(str::to_owned));
            edit.fields.into_iter().filter_map(|set| text(set.value)).collect::<Vec<_>>()
        };
        for writer in [OWN, Role::VillageCadre, Role::TownshipOffice] {
            assert_eq!(said(&turned_down, writer), ["declaration", "2024-03-04"], "{writer:?}");
        }
        assert_eq!(said(&turned_down, Role::CountyOffice), [""; 0], "it may add, and not change");
        // What a cadre wrote down before the first round began stays.
        let noted = household().with("case", "channel", "petition");
        assert_eq!(said(&noted, OWN), ["2024-03-04"]);

        let by_hand = |channel: &str| {
            let clue = vec![("channel".to_owned(), Value::from(channel))];
            let edit = RecordEdit::default().row("clues", clue);
            let step = StepForm::to(Stage::Clue).because("又查出重病");
            let edit = edit.step(&Case::of(&turned_down), &step, "village", today());
            let edit = edit.beginning(&turned_down, Role::VillageCadre, today());
            let channel = edit.fields.into_iter().find(|set| set.key == "channel");
            channel.and_then(|set| set.value?.as_text().map(str::to_owned))
        };
        assert_eq!(by_hand("inspection").as_deref(), Some("inspection"));
        assert_eq!(by_hand(""), None, "where the clue does not say, nothing is known");
    }

    #[test]
    fn what_somebody_else_said_keeps_neither_the_households_word_nor_its_consent_out() {
        let theirs =
            [("risk", "illness".into()), ("member", "m".into()), ("contact", "13907355678".into())];
        let running = household().with_row("clues", "c", &theirs).with_row(
            "steps",
            "s",
            &[("state", "clue".into())],
        );
        let edit = declaration(&running, &ill(), OWN, today()).unwrap();
        assert_eq!((edit.new_rows.len(), edit.fields.len()), (1, 2), "a clue, and the consent");
        let other = |contact: &str| {
            let other = Declaration { contact: contact.into(), consents: false, ..ill() };
            declaration(&running, &other, OWN, today()).map_or(0, |edit| edit.new_rows.len())
        };
        assert_eq!(other("13907350000"), 1, "a telephone that nobody knows");
        assert_eq!(other("13907355678"), 0, "the same person once more");

        let own = [("risk", "illness".into()), ("member", "m".into())];
        let bare = household().with("case", "consent", true).with_row("clues", "c", &own).with_row(
            "steps",
            "s",
            &[("state", "clue".into())],
        );
        let words = Declaration { note: "上月住院".into(), ..ill() };
        let edit = declaration(&bare, &words, OWN, today()).unwrap();
        assert_eq!(edit.fields[0].key, "c.note", "words are added to a clue that has none");
        let said = bare.with_row("clues", "c", &[("note", "上月住院".into())]);
        assert_eq!(declaration(&said, &words, OWN, today()), None);
        let worse = Declaration { note: "确诊了".into(), ..ill() };
        let edit = declaration(&said, &worse, OWN, today()).unwrap();
        assert_eq!(edit.new_rows.len(), 1, "other words are news");
    }

    #[test]
    fn help_that_arrived_is_confirmed_once() {
        let measure =
            |status: &str| household().with_row("measures", "h", &[("status", status.into())]);
        assert_eq!(confirmation(&measure("planned"), "h"), None, "it has not arrived");
        let helped = measure("under_way");
        assert!(confirmation(&helped, "h").is_some());
        assert_eq!(confirmation(&helped, "x"), None);
        let confirmed = helped.with_row("measures", "h", &[("confirmed", true.into())]);
        assert_eq!(confirmation(&confirmed, "h"), None);
    }
}
