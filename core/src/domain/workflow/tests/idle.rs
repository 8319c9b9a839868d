//! Households of which no case runs: what is said or found then is on somebody's list all the same.

use super::*;
use crate::domain::authority::Role;

/// What there is to do on a late day, by whom: kind, subject and last day.
fn due(facts: &Facts) -> Vec<(TaskKind, String, Option<String>)> {
    let case = Case::of(facts);
    let tasks = tasks(facts, &case, &policy(), day("2024-12-01"));
    assert!(tasks.is_empty() || may_have_tasks(facts, &case), "the list would not look here");
    let told = tasks.into_iter();
    told.map(|task| (task.kind, task.subject, task.due_on.map(|day| day.to_string()))).collect()
}

fn kinds(facts: &Facts) -> Vec<TaskKind> {
    due(facts).into_iter().map(|(kind, ..)| kind).collect()
}

fn clue(channel: &str, on: &str, after: &str) -> Vec<(&'static str, Value)> {
    let said = [("channel", channel), ("received_on", on), ("after", after), ("risk", "illness")];
    said.into_iter().filter(|(_, said)| !said.is_empty()).map(|(f, s)| (f, s.into())).collect()
}

/// Turned down by the township on 2024-11-03, before anybody was there.
const TURNED_DOWN: [Line; 2] = [
    ("a", "", Stage::Clue, "2024-11-01", "village"),
    ("t", "a", Stage::NotIncluded, "2024-11-03", "township"),
];

fn turned_down() -> Facts {
    with_steps(Facts::of(VILLAGE), &TURNED_DOWN)
}

fn closed() -> Facts {
    with_steps(ready(), &whole_way())
}

#[test]
fn a_clue_with_which_no_case_was_begun_waits_for_an_answer_whoever_gave_it() {
    // 2024-11-04 is a Monday: five working days.
    let waits = |facts: &Facts, channel: &str, after: &str| {
        due(&facts.clone().with_row("clues", "c", &clue(channel, "2024-11-04", after)))
    };
    let task = [(TaskKind::AnswerClue, "c".to_owned(), Some("2024-11-11".to_owned()))];
    for channel in ["declaration", "petition", "inspection", ""] {
        assert_eq!(waits(&Facts::of(VILLAGE), channel, ""), task, "none ever ran: {channel}");
        assert_eq!(waits(&turned_down(), channel, "t"), task, "turned down: {channel}");
        assert_eq!(waits(&turned_down(), channel, "a"), task, "not knowing of it: {channel}");
        assert_eq!(waits(&closed(), channel, "o"), task, "closed: {channel}");
    }
    assert_eq!(waits(&Facts::of(VILLAGE), "department", ""), [], "its warning asks");
    let answered = clue("inspection", "2024-11-04", "");
    let answered = Facts::of(VILLAGE).with_row("clues", "c", &answered);
    let answered = answered.with_row("clues", "c", &[("outcome", "not_included".into())]);
    assert_eq!(due(&answered), []);
}

#[test]
fn the_clue_with_which_a_case_began_was_answered_with_the_case() {
    let first = clue("declaration", "2024-11-01", "");
    assert_eq!(due(&turned_down().with_row("clues", "c", &first)), []);
    let again = [
        ("d", "t", Stage::Clue, "2024-11-20", "village"),
        ("e", "d", Stage::NotIncluded, "2024-11-21", "township"),
    ];
    let second = clue("inspection", "2024-11-20", "");
    let both = with_steps(turned_down(), &again).with_row("clues", "c", &second);
    assert_eq!(due(&both), [], "that of a later round as well");
}

#[test]
fn what_was_said_while_a_case_ran_that_nobody_visited_for_waits_for_an_answer() {
    let taken_down = |on: &str, after: &str| {
        kinds(&turned_down().with_row("clues", "c", &clue("inspection", on, after)))
    };
    let answer = [TaskKind::AnswerClue];
    assert_eq!(
        taken_down("2024-11-01", "a"),
        answer,
        "on the day of the step, with the case there"
    );
    assert_eq!(
        taken_down("2024-10-20", "t"),
        answer,
        "said before, written down after the refusal"
    );
    assert_eq!(taken_down("2024-11-02", ""), answer, "of the day after");
    assert_eq!(taken_down("2024-10-20", ""), [], "what the case began with");
}

#[test]
fn what_is_confirmed_where_no_case_runs_begins_one() {
    let warned = |answer: &str, on: &str| {
        let warning = [
            ("fired_on", "2024-10-20".into()),
            ("answer", answer.into()),
            ("answered_on", on.into()),
        ];
        move |facts: Facts| facts.with_row("warnings", "w", &warning)
    };
    let task = [(TaskKind::BeginCase, String::new(), Some("2024-11-11".to_owned()))];
    assert_eq!(TaskKind::BeginCase.role(), Role::VillageCadre);
    assert_eq!(due(&warned("confirmed", "2024-11-04")(turned_down())), task);
    assert_eq!(
        kinds(&warned("confirmed", "2024-11-03")(turned_down())),
        [TaskKind::BeginCase],
        "on the day itself"
    );
    assert_eq!(due(&warned("confirmed", "2024-11-02")(turned_down())), [], "the township knew");
    assert_eq!(due(&warned("no_risk", "2024-11-04")(turned_down())), []);
    assert_eq!(due(&warned("confirmed", "2024-11-04")(Facts::of(VILLAGE))), task, "none ever ran");
    let included = clue("petition", "2024-11-04", "t");
    let included = turned_down().with_row("clues", "c", &included);
    assert_eq!(due(&included.with_row("clues", "c", &[("outcome", "included".into())])), task);
    // Once it is begun, the case is what there is to do.
    let begun = with_steps(
        warned("confirmed", "2024-11-04")(turned_down()),
        &[("d", "t", Stage::Clue, "2024-11-05", "village")],
    );
    assert_eq!(kinds(&begun), [TaskKind::Verify]);
}

#[test]
fn urgent_need_that_a_visit_found_and_no_step_saw_is_not_left_alone() {
    let visit = |on: &str, finding: &str| {
        let visit = [("date", on.into()), ("finding", finding.into()), ("met", "head".into())];
        move |facts: Facts, id: &str| facts.with_row("visits", id, &visit)
    };
    let urgent = visit("2024-11-02", "urgent");
    let task = [(TaskKind::BeginCase, String::new(), Some("2024-11-08".to_owned()))];
    assert_eq!(
        due(&urgent(turned_down(), "v")),
        task,
        "the township turned it down without a visit"
    );
    assert_eq!(due(&urgent(Facts::of(VILLAGE), "v")), task, "nobody took it down as a clue");
    assert_eq!(due(&visit("2024-11-02", "difficult")(turned_down(), "v")), []);
    let better = visit("2024-11-20", "stable")(urgent(turned_down(), "v"), "w");
    assert_eq!(due(&better), [], "the last visit says how it is");
    // Only who spoke with somebody, and says what was found, found otherwise.
    for (met, finding) in
        [("nobody", "stable"), ("", "stable"), ("neighbour", "stable"), ("head", "")]
    {
        let visit =
            [("date", "2024-11-20".into()), ("met", met.into()), ("finding", finding.into())];
        let visited = urgent(turned_down(), "v").with_row("visits", "w", &visit);
        assert_eq!(due(&visited), task, "{met} {finding}");
    }
    let again = visit("2024-11-20", "urgent")(urgent(turned_down(), "v"), "w");
    assert_eq!(due(&again), task, "as counted from the first");
    let unmet = urgent(turned_down(), "v").with_row("visits", "v", &[("met", "nobody".into())]);
    assert_eq!(due(&unmet), task, "one sees it from outside");
    // Nor does a visit of a day to come, until that day has come.
    let ahead = visit("2024-12-20", "stable")(urgent(turned_down(), "v"), "w");
    let on = |today: &str| tasks(&ahead, &Case::of(&ahead), &policy(), day(today)).len();
    assert_eq!((on("2024-11-03"), on("2024-12-19"), on("2024-12-20")), (1, 1, 0));
    let first = day("2024-11-03");
    let known = foreseen(&ahead, &Case::of(&ahead), &policy(), first);
    assert!(known.iter().any(|known| known.task.kind == TaskKind::BeginCase), "found beforehand");
    assert_eq!(due(&visit("2024-10-20", "urgent")(turned_down(), "v")), [], "before the clue");

    let seen = [
        ("a", "", Stage::Clue, "2024-11-01", "village"),
        ("b", "a", Stage::Verified, "2024-11-02", "village"),
        ("t", "b", Stage::NotIncluded, "2024-11-05", "township"),
    ];
    let seen = with_steps(Facts::of(VILLAGE), &seen);
    assert_eq!(due(&urgent(seen.clone(), "v")), [], "the step saw it");
    assert_eq!(
        kinds(&visit("2024-11-04", "urgent")(seen, "v")),
        [TaskKind::BeginCase],
        "the night after"
    );

    assert_eq!(kinds(&visit("2024-11-04", "urgent")(closed(), "x")), [TaskKind::Reopen]);
    assert_eq!(due(&visit("2024-10-02", "urgent")(closed(), "x")), [], "the closing saw it");
    // A visit that was overtaken the township looks at: nobody is asked twice.
    let overtaken =
        [&TURNED_DOWN[..], &[("b", "a", Stage::Verified, "2024-11-02", "village")]].concat();
    let overtaken = with_steps(Facts::of(VILLAGE), &overtaken);
    assert_eq!(kinds(&urgent(overtaken, "v")), [TaskKind::LookAgain]);
}

#[test]
fn an_objection_that_arrives_when_all_is_decided_is_settled_all_the_same() {
    let objection = ("x", "l", Stage::Objection, "2024-10-09", "village");
    let late = [&whole_way()[..], &[objection]].concat();
    let facts = with_steps(ready(), &late);
    // 2024-10-09 is a Wednesday.
    assert_eq!(
        due(&facts),
        [(TaskKind::SettleObjection, "x".to_owned(), Some("2024-10-16".to_owned()))]
    );
    let committee = stages_with_tasks(Role::VillageCommittee).unwrap();
    for end in 5..=whole_way().len() {
        let on_entry = ("x", "d", Stage::Objection, "2024-03-09", "village");
        let way = [&whole_way()[..end], &[on_entry]].concat();
        let facts = with_steps(ready(), &way);
        let is_asked = kinds(&facts).contains(&TaskKind::SettleObjection);
        let stage = Case::of(&facts).stage().unwrap();
        // The way out has a notice of its own.
        assert_eq!(is_asked, end < 9, "{end}");
        assert!(!is_asked || committee.contains(&stage), "{stage:?}");
    }
    let settled =
        [&late[..], &[("y", "x", Stage::ObjectionSettled, "2024-10-20", "village")]].concat();
    assert_eq!(due(&with_steps(ready(), &settled)), []);
}
