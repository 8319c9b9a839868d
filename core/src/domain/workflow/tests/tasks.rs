//! What a case and its clues give somebody to do, and until when.

use super::*;
use crate::domain::authority::Role;

#[test]
fn tasks_follow_from_the_state() {
    let kinds = |upto: usize, today: &str| {
        let facts = with_steps(ready(), &whole_way()[..upto]);
        let tasks = tasks(&facts, &Case::of(&facts), &policy(), day(today));
        tasks.iter().map(|task| (task.kind, task.due_on.map(|d| d.to_string()))).collect::<Vec<_>>()
    };
    let due = |text: &str| Some(text.to_owned());
    // 2024-03-01 is a Friday: five working days.
    assert_eq!(kinds(1, "2024-03-01"), [(TaskKind::Verify, due("2024-03-08"))]);
    assert_eq!(kinds(2, "2024-03-02"), [(TaskKind::Appraise, due("2024-03-16"))]);
    assert_eq!(kinds(4, "2024-03-06"), [], "the notice hangs");
    assert_eq!(kinds(4, "2024-03-11"), [(TaskKind::TownshipCheck, due("2024-03-16"))]);
    assert_eq!(kinds(5, "2024-03-11"), [(TaskKind::CountyDecide, due("2024-03-16"))]);
    let help: Vec<TaskKind> = kinds(8, "2024-04-10").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(help, [TaskKind::NameCadre, TaskKind::MakePlan, TaskKind::RecordMeasure]);
    let cadre = [("account", "li".into()), ("to", "2024-04-20".into())];
    let served = with_steps(ready(), &whole_way()[..8]).with_row("cadres", "c", &cadre);
    let is_asked_for_a_cadre = |today: &str| {
        let tasks = tasks(&served, &Case::of(&served), &policy(), day(today));
        tasks.iter().any(|task| task.kind == TaskKind::NameCadre)
    };
    assert!(!is_asked_for_a_cadre("2024-04-20") && is_asked_for_a_cadre("2024-04-21"));
    assert_eq!(kinds(15, "2024-10-13"), []);
    let warned = Facts::of(VILLAGE).with_row("warnings", "w", &[("due_on", "2024-03-10".into())]);
    let open = tasks(&warned, &Case::default(), &policy(), day("2024-03-11"));
    assert_eq!(
        (open[0].kind, open[0].is_overdue(day("2024-03-11"))),
        (TaskKind::AnswerWarning, true)
    );
}

#[test]
fn by_the_green_channel_help_does_not_wait_for_the_decision() {
    let urgent = with_steps(ready(), &whole_way()[..1]).with("case", "green_channel", true);
    let kinds = |facts: &Facts| {
        let tasks = tasks(facts, &Case::of(facts), &policy(), day("2024-03-02"));
        tasks.iter().map(|task| (task.kind, task.due_on)).collect::<Vec<_>>()
    };
    let due = Some(day("2024-03-08"));
    assert_eq!(kinds(&urgent), [(TaskKind::Verify, due), (TaskKind::RecordMeasure, due)]);
    let measure = |from: &str| {
        let fields = [("status", "done".into()), ("from", from.into())];
        urgent.clone().with_row("measures", "m", &fields)
    };
    assert_eq!(kinds(&measure("2020-01-01")).len(), 2, "help of before is not this help");
    assert_eq!(kinds(&measure("2024-03-01")), [(TaskKind::Verify, due)]);
}

#[test]
fn what_is_said_after_the_visit_is_looked_into_as_well() {
    let asked = |upto: usize, received: &str, outcome: &str| {
        let clue = [
            ("channel", "declaration".into()),
            ("received_on", received.into()),
            ("outcome", outcome.into()),
        ];
        let facts = with_steps(ready(), &whole_way()[..upto]).with_row("clues", "c", &clue);
        let tasks = tasks(&facts, &Case::of(&facts), &policy(), day("2024-10-13"));
        tasks.iter().any(|task| task.kind == TaskKind::AnswerClue && task.subject == "c")
    };
    assert!(!asked(1, "2024-03-01", ""), "the visit that verifies sees to it");
    assert!(!asked(8, "2024-03-01", ""), "it was seen to");
    assert!(asked(2, "2024-03-03", "") && asked(8, "2024-03-03", ""), "the visit is over");
    assert!(!asked(8, "2024-03-02", ""), "on the day of the visit it is what the visit was for");
    assert!(asked(8, "2024-06-03", ""));
    assert!(asked(15, "2024-06-03", "open"), "also where the case is closed");
    assert!(!asked(8, "2024-06-03", "not_included"), "its outcome is on record");
}

#[test]
fn a_clue_that_names_its_step_is_told_from_the_visit_on_the_same_day() {
    let looked_into = |upto: usize, after: &str, outcome: &str| {
        let clue = [
            ("channel", "declaration".into()),
            ("risk", "illness".into()),
            ("received_on", "2024-03-02".into()),
            ("after", after.into()),
            ("outcome", outcome.into()),
        ];
        let facts = with_steps(ready(), &whole_way()[..upto]).with_row("clues", "c", &clue);
        let case = Case::of(&facts);
        let known = clues::looked_into(&facts, &case, "illness", "").count() == 1;
        assert_eq!(clues::looked_into(&facts, &case, "illness", "somebody").count(), 0);
        (known, clues::later(&facts, &case).count() == 1)
    };
    assert_eq!(looked_into(1, "a", ""), (true, false), "the visit is ahead");
    assert_eq!(looked_into(2, "a", ""), (false, false), "and has been");
    assert_eq!(looked_into(2, "b", ""), (true, true), "said after it");
    assert_eq!(looked_into(15, "b", ""), (true, true), "as long as nobody says what came of it");
    assert_eq!(looked_into(15, "b", "included"), (false, false));
    assert_eq!(looked_into(8, "elsewhere", ""), (true, true), "a step that does not count");
    // Said two days after a visit of which the server did not know yet.
    let late = [
        ("channel", "petition".into()),
        ("received_on", "2024-03-04".into()),
        ("after", "a".into()),
    ];
    let facts = with_steps(ready(), &whole_way()[..2]).with_row("clues", "c", &late);
    assert_eq!(clues::later(&facts, &Case::of(&facts)).count(), 1);
    // Come the day before the visit and typed in after it: it has been seen to.
    let early = [
        ("channel", "petition".into()),
        ("received_on", "2024-03-01".into()),
        ("after", "b".into()),
    ];
    let facts = with_steps(ready(), &whole_way()[..2]).with_row("clues", "c", &early);
    assert_eq!(clues::later(&facts, &Case::of(&facts)).count(), 0);
    // Sent back, the household is visited again: that visit sees to it.
    let again = [
        WAY_IN[0],
        WAY_IN[1],
        ("r", "b", Stage::Returned, "2024-03-05", "township"),
        ("v", "r", Stage::Verified, "2024-03-06", "village"),
    ];
    let clue = [("channel", "declaration".into()), ("after", "b".into())];
    let facts = |upto: usize| with_steps(ready(), &again[..upto]).with_row("clues", "c", &clue);
    let later = |upto: usize| clues::later(&facts(upto), &Case::of(&facts(upto))).count();
    assert_eq!([later(2), later(3), later(4)], [1, 0, 0]);
}

/// A household that was visited on 2024-03-02, and what was said of its illness on later days: row, day, telephone, words.
fn said_after_the_visit(clues: &[(&str, &str, &str, &str)]) -> Facts {
    let visited = with_steps(ready(), &whole_way()[..2]);
    clues.iter().fold(visited, |facts, (row, day, contact, note)| {
        let clue = [
            ("channel", "declaration".into()),
            ("risk", "illness".into()),
            ("received_on", (*day).into()),
            ("contact", (*contact).into()),
            ("note", (*note).into()),
            ("after", "b".into()),
        ];
        facts.with_row("clues", row, &clue)
    })
}

/// The clues that somebody has to answer, and until when.
fn to_answer(facts: &Facts) -> Vec<(String, Option<Day>)> {
    let tasks = tasks(facts, &Case::of(facts), &policy(), day("2024-03-20"));
    let clues = tasks.into_iter().filter(|task| task.kind == TaskKind::AnswerClue);
    clues.map(|task| (task.subject, task.due_on)).collect()
}

#[test]
fn what_is_said_twice_of_one_person_and_risk_is_one_task() {
    let said =
        [("z", "2024-03-04", "", ""), ("a", "2024-03-05", "", "住院"), ("b", "", "", "住院")];
    let facts = said_after_the_visit(&said);
    // The earliest has it, with the earliest last day, whichever came to this phone first.
    assert_eq!(to_answer(&facts), [("z".to_owned(), Some(day("2024-03-11")))]);
    let backwards: Vec<_> = said.into_iter().rev().collect();
    assert_eq!(to_answer(&said_after_the_visit(&backwards)), to_answer(&facts));
    let one_day = [("b", "2024-03-04", "", ""), ("a", "2024-03-04", "", "")];
    assert_eq!(to_answer(&said_after_the_visit(&one_day))[0].0, "a");
    // Whether the second came before the answer nothing tells: nobody's word is dropped.
    let answered = facts.clone().with_row("clues", "z", &[("outcome", "not_included".into())]);
    assert_eq!(to_answer(&answered)[0].0, "a");
    let both = answered.with_row("clues", "a", &[("outcome", "duplicate".into())]);
    assert_eq!(to_answer(&both), [("b".to_owned(), None)]);
}

#[test]
fn other_words_another_telephone_another_person_or_no_risk_is_a_task_of_its_own() {
    let rows = |facts: &Facts| {
        let mut rows: Vec<_> = to_answer(facts).into_iter().map(|(row, _)| row).collect();
        rows.sort();
        rows
    };
    let first = ("a", "2024-03-04", "", "");
    let news = said_after_the_visit(&[
        first,
        ("b", "2024-03-05", "", "住院"),
        ("c", "2024-03-06", "", "确诊了"),
        ("d", "2024-03-06", "13907355678", ""),
    ]);
    assert_eq!(rows(&news), ["a", "c", "d"], "the first has no words, and takes those of the next");
    let two = said_after_the_visit(&[first, ("b", "2024-03-05", "", "")]);
    assert_eq!(rows(&two), ["a"]);
    for (field, value) in [("member", "m"), ("risk", "schooling")] {
        let other = two.clone().with_row("clues", "b", &[(field, value.into())]);
        assert_eq!(rows(&other), ["a", "b"], "{field}");
    }
    let unsaid = two.with_row("clues", "a", &[("risk", Value::Null)]);
    assert_eq!(rows(&unsaid.with_row("clues", "b", &[("risk", Value::Null)])), ["a", "b"]);
}

/// A closed case, what was answered to a warning and what became of a clue, each with its day; nobody said anything where it
/// is empty.
fn closed_and_then(warning: (&str, &str), clue: (&str, &str)) -> Facts {
    let warning = [
        ("fired_on", "2024-10-01".into()),
        ("answered_on", warning.1.into()),
        ("answer", warning.0.into()),
    ];
    let clue = [
        ("channel", "declaration".into()),
        ("received_on", clue.1.into()),
        ("outcome", clue.0.into()),
        ("after", if clue.1 < "2024-10-12" { "m" } else { "o" }.into()),
    ];
    let closed = with_steps(ready(), &whole_way());
    closed.with_row("warnings", "w", &warning).with_row("clues", "c", &clue)
}

/// By when the township is to open the case again; none where it is not asked to.
fn to_reopen(facts: &Facts) -> Option<String> {
    let case = Case::of(facts);
    let mut tasks = tasks(facts, &case, &policy(), day("2024-12-01"));
    tasks.retain(|task| task.kind == TaskKind::Reopen);
    assert!(tasks.is_empty() || may_have_tasks(facts, &case), "the list would not look here");
    assert!(tasks.len() < 2 && tasks.iter().all(|task| task.kind.role() == Role::TownshipOffice));
    tasks.pop().map(|task| task.due_on.map_or_else(String::new, |due| due.to_string()))
}

#[test]
fn what_is_confirmed_after_the_closing_is_the_townships_to_open_again() {
    // 2024-11-04 is a Monday: five working days.
    let due = Some("2024-11-11".to_owned());
    let before = ("included", "2024-10-05");
    let shocked = |answer: &str, on: &str| to_reopen(&closed_and_then((answer, on), before));
    assert_eq!(shocked("confirmed", "2024-11-04"), due);
    assert_eq!(shocked("", "2024-11-04"), None, "the cadre's, until it is answered");
    assert_eq!(shocked("no_risk", "2024-11-04"), None);
    assert_eq!(shocked("already_helped", "2024-11-04"), None, "nothing is left to do");
    assert_eq!(shocked("confirmed", "2024-10-11"), None, "the case was open, and dealt with it");
    assert!(shocked("confirmed", "2024-10-12").is_some(), "on the day of the closing");

    let none = ("", "2024-11-04");
    let said = |outcome: &str, on: &str| to_reopen(&closed_and_then(none, (outcome, on)));
    assert_eq!(said("included", "2024-11-04"), due);
    assert_eq!(said("open", "2024-11-04"), None, "the cadre's");
    assert_eq!(said("not_included", "2024-11-04"), None);
    assert_eq!(said("included", "2024-10-05"), None, "the case was open");
    assert!(said("included", "2024-10-12").is_some(), "after the closing, by its step");

    // It came while the case was open, and nobody had looked into it when the county decided.
    let answered = |on: &str| {
        let unseen = closed_and_then(none, before);
        to_reopen(&unseen.with_row("clues", "c", &[("outcome_on", on.into())]))
    };
    assert_eq!(answered("2024-11-04"), due, "from the answer on");
    assert!(answered("2024-10-12").is_some(), "on the day of the closing");
    assert_eq!(answered("2024-10-11"), None, "the case dealt with it");

    let both = closed_and_then(("confirmed", "2024-11-20"), ("included", "2024-11-04"));
    assert_eq!(to_reopen(&both), due, "one task, by the first");
    let withdrawn = both.clone().with_row("clues", "c", &[("withdrawn", true.into())]);
    assert_eq!(to_reopen(&withdrawn), Some("2024-11-27".to_owned()));
    let withdrawn = withdrawn.with_row("warnings", "w", &[("withdrawn", true.into())]);
    assert_eq!(to_reopen(&withdrawn), None, "its source took it back");
    let opened = [("p", "o", Stage::Reopened, "2024-11-21", "township")];
    assert_eq!(to_reopen(&with_steps(both, &opened)), None, "done");
}

/// What the township is asked to look at again: the step, and by when.
fn to_look_at(steps: &[Line]) -> Vec<(String, Option<Day>)> {
    let facts = with_steps(ready(), steps);
    let case = Case::of(&facts);
    let mut tasks = tasks(&facts, &case, &policy(), day("2024-12-01"));
    tasks.retain(|task| task.kind == TaskKind::LookAgain);
    assert!(tasks.is_empty() || may_have_tasks(&facts, &case), "the list would not look here");
    assert!(tasks.iter().all(|task| task.kind.role() == Role::TownshipOffice));
    tasks.into_iter().map(|task| (task.subject, task.due_on)).collect()
}

#[test]
fn what_the_village_found_meanwhile_is_the_townships_to_look_at() {
    let clue = ("a", "", Stage::Clue, "2024-11-01", "village");
    let visit = ("b", "a", Stage::Verified, "2024-11-04", "village");
    let refusal = ("t", "a", Stage::NotIncluded, "2024-11-03", "township");
    // 2024-11-04 is a Monday: five working days.
    let due = Some(day("2024-11-11"));
    let overtaken = [clue, visit, refusal];
    assert_eq!(to_look_at(&overtaken), [("b".to_owned(), due)]);
    let case = Case::of(&with_steps(Facts::of(VILLAGE), &overtaken));
    let meant =
        [Stage::Returned, Stage::NotIncluded, Stage::Clue].map(|stage| case.meant_by(stage));
    assert_eq!(meant, [Some("b"), Some("b"), None]);
    assert_eq!(to_look_at(&[clue, refusal]), []);
    assert_eq!(to_look_at(&[clue, visit]), [], "the case goes on with the visit");
    let is_due = ("v", "a", Stage::ToVerify, "2024-11-04", "village");
    assert_eq!(to_look_at(&[clue, is_due, refusal]), [], "nobody was there");

    let with = |step: Line| to_look_at(&[&overtaken[..], &[step]].concat());
    let appraised = ("c", "b", Stage::Appraised, "2024-11-06", "village");
    let later = Some(day("2024-11-13"));
    assert_eq!(with(appraised), [("c".to_owned(), later)], "by what was done last");
    assert_eq!(with(("u", "b", Stage::NotIncluded, "2024-11-08", "township")), [], "confirmed");
    assert_eq!(with(("u", "b", Stage::Returned, "2024-11-08", "township")), [], "to be verified");
    assert_eq!(with(("u", "t", Stage::Clue, "2024-11-08", "village")), [], "a round of its own");
    let county = [clue, visit, ("t", "a", Stage::NotIncluded, "2024-11-03", "county")];
    assert_eq!(to_look_at(&county), [], "the township cannot undo it");

    // What an earlier round left behind was that round's.
    let again = [
        ("d", "t", Stage::Clue, "2024-11-20", "village"),
        ("e", "d", Stage::Duplicate, "2024-11-21", "township"),
    ];
    assert_eq!(to_look_at(&[&overtaken[..], &again].concat()), []);
    let seen = ("f", "d", Stage::Verified, "2024-11-21", "village");
    let subjects = to_look_at(&[&overtaken[..], &again, &[seen]].concat());
    assert_eq!(subjects, [("f".to_owned(), Some(day("2024-11-28")))]);
}

#[test]
fn a_township_that_looks_again_may_confirm_or_return_and_it_counts() {
    let overtaken = [
        ("a", "", Stage::Clue, "2024-11-01", "village"),
        ("b", "a", Stage::Verified, "2024-11-04", "village"),
        ("t", "a", Stage::NotIncluded, "2024-11-03", "township"),
    ];
    for stage in [Stage::NotIncluded, Stage::Returned] {
        let steps = [&overtaken[..], &[("u", "b", stage, "2024-11-08", "township")]].concat();
        let facts = with_steps(ready(), &steps);
        let step = facts.row("steps", "u").unwrap();
        assert_eq!(check(&facts, step, &policy(), day("2024-11-08"), |row| row.day("on")), Ok(()));
        let case = Case::of(&facts);
        let stages: Vec<_> = case.path.iter().map(|passed| passed.stage).collect();
        assert_eq!(stages, [Stage::Clue, Stage::Verified, stage]);
        assert_eq!(case.set_aside, ["t"]);
    }
}
