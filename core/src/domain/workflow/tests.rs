//! The case as its steps make it: each move, each lack, and the order in which steps arrive.

use super::*;
use crate::domain::policy::EXAMPLES_TOML;
use crate::domain::schema::words;
use crate::domain::value::Value;
use proptest::prelude::*;

mod closing;
mod idle;
mod tasks;

const VILLAGE: u64 = 431_022_208_217;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn policy() -> Policy {
    Policy::parse(EXAMPLES_TOML).unwrap()
}

/// A step: id, what it follows, stage, day, level.
type Line = (&'static str, &'static str, Stage, &'static str, &'static str);

fn with_steps(facts: Facts, steps: &[Line]) -> Facts {
    steps.iter().fold(facts, |facts, (id, after, stage, on, level)| {
        let mut fields: Vec<(&str, Value)> = vec![
            ("state", stage.code().into()),
            ("on", (*on).into()),
            ("level", (*level).into()),
            ("reason", "理由".into()),
            ("votes_for", 9.into()),
            ("votes_against", 1.into()),
        ];
        if !after.is_empty() {
            fields.push(("after", (*after).into()));
        }
        facts.with_row("steps", id, &fields)
    })
}

/// Everything a case needs on its way, so that a test can take one thing away.
fn ready() -> Facts {
    let met = crate::domain::facts::GUARANTEES
        .iter()
        .fold(Facts::of(VILLAGE), |facts, field| facts.with("guarantees", field, "met"));
    met.with("case", "consent", true)
        .with("case", "identified_on", "2024-03-20")
        .with("case", "closing_kind", "by_help")
        .with("class", "monitored_kind", "sudden")
        .with_row("visits", "v", &[("date", "2024-03-02".into()), ("met", "head".into())])
        .with_row("visits", "w", &[("date", "2024-10-02".into()), ("met", "member".into())])
        .with_row("members", "a", &[("name", "某".into())])
        .with("income", "wage_fen", 600_000)
        .with("income", "window_end", "2024-09-30")
}

const WAY_IN: [Line; 8] = [
    ("a", "", Stage::Clue, "2024-03-01", "village"),
    ("b", "a", Stage::Verified, "2024-03-02", "village"),
    ("c", "b", Stage::Appraised, "2024-03-04", "village"),
    ("d", "c", Stage::OnNotice, "2024-03-05", "village"),
    ("e", "d", Stage::TownshipCheck, "2024-03-11", "township"),
    ("f", "e", Stage::CountyDecision, "2024-03-14", "county"),
    ("g", "f", Stage::Monitored, "2024-03-20", "county"),
    ("h", "g", Stage::Helped, "2024-03-21", "village"),
];

const WAY_OUT: [Line; 7] = [
    ("i", "h", Stage::ToClose, "2024-10-01", "village"),
    ("j", "i", Stage::Verified, "2024-10-02", "village"),
    ("k", "j", Stage::Appraised, "2024-10-03", "village"),
    ("l", "k", Stage::OnNotice, "2024-10-04", "village"),
    ("m", "l", Stage::TownshipCheck, "2024-10-10", "township"),
    ("n", "m", Stage::CountyDecision, "2024-10-12", "county"),
    ("o", "n", Stage::Closed, "2024-10-12", "county"),
];

fn whole_way() -> Vec<Line> {
    [&WAY_IN[..], &WAY_OUT[..]].concat()
}

/// Asks about the last of the steps, on its own day.
fn asked(facts: Facts, steps: &[Line]) -> Result<(), Lack> {
    let facts = with_steps(facts, steps);
    let (id, .., on, _) = steps[steps.len() - 1];
    let step = facts.row("steps", id).unwrap();
    check(&facts, step, &policy(), day(on), |step| step.day("on"))
}

#[test]
fn a_case_goes_all_the_way_in_and_out() {
    let way = whole_way();
    for end in 1..=way.len() {
        assert_eq!(asked(ready(), &way[..end]), Ok(()), "{:?}", way[end - 1]);
        let case = Case::of(&with_steps(ready(), &way[..end]));
        assert_eq!(case.stage(), Some(way[end - 1].2));
        assert_eq!(case.last_step(), way[end - 1].0);
        assert!(case.set_aside.is_empty());
        assert_eq!(case.is_open(), (7..15).contains(&end), "{end}");
        let decided = case.decision().map(|passed| (passed.stage, passed.on));
        let expected = match end {
            ..7 => None,
            7..15 => Some((Stage::Monitored, Some(day("2024-03-20")))),
            15.. => Some((Stage::Closed, Some(day("2024-10-12")))),
        };
        assert_eq!(decided, expected, "{end}");
        assert!(!case.is_carried_over());
    }
}

#[test]
fn what_a_past_campaign_decided_stands_until_somebody_decides_anew() {
    let begun = [("a", "", Stage::Monitored, "2024-03-20", "county")];
    let closed = WAY_OUT.map(|(id, after, stage, on, level)| {
        (id, if after == "h" { "a" } else { after }, stage, on, level)
    });
    let again = [("p", "o", Stage::Reopened, "2025-01-08", "township")];
    let all = [&begun[..], &closed, &again].concat();
    for (steps, carried_over, stage) in [
        (1, true, Stage::Monitored),
        (7, true, Stage::Monitored),
        (8, false, Stage::Closed),
        (9, false, Stage::Reopened),
    ] {
        let case = Case::of(&with_steps(ready(), &all[..steps]));
        assert_eq!(case.is_carried_over(), carried_over, "{steps}");
        assert_eq!(case.decision().map(|passed| passed.stage), Some(stage), "{steps}");
        assert_eq!(case.is_open(), stage != Stage::Closed, "{steps}");
    }
    // Of before nothing could be seen to here; but what counts months counts them from when it was.
    let (carried_over, since) = (Case::of(&with_steps(ready(), &all[..1])), "2023-06-01");
    let identified = ready().with("case", "identified_on", since);
    assert_eq!(carried_over.owed_since(&identified), Some(day("2024-03-20")));
    assert_eq!(carried_over.monitored_since(&identified), Some(day(since)));
    let decided_here = Case::of(&with_steps(ready(), &whole_way()[..7]));
    assert_eq!(decided_here.owed_since(&identified), Some(day(since)));
}

#[test]
fn every_pair_of_stages_is_legal_or_not_as_the_table_says() {
    let places = Stage::ALL.into_iter().map(Some).chain([None]);
    let mut legal = 0;
    for (phase, stage) in
        places.flat_map(|stage| [Phase::Entry, Phase::Exit].map(|phase| (phase, stage)))
    {
        for next in successors((phase, stage)) {
            assert!(next.moves(), "an objection moves nothing");
            assert_ne!(Some(*next), stage);
            legal += 1;
        }
    }
    assert_eq!(legal, 50, "a new move is a decision: change this number with docs/workflow.md");
    let document = include_str!("../../../../docs/workflow.md");
    assert!(document.contains(&moves()), "docs/workflow.md must hold\n{}", moves());
    for stage in Stage::ALL {
        assert_eq!(Stage::from_code(stage.code()), Some(stage));
        let known = crate::domain::schema::Schema::base().code("case_state", stage.code());
        assert!(known.is_some(), "{} has no label", stage.code());
    }
}

/// The moves as docs/workflow.md shows them.
fn moves() -> String {
    let mut lines = Vec::new();
    let stages = std::iter::once(None).chain(Stage::ALL.into_iter().map(Some));
    for (phase, name) in [(Phase::Entry, "in"), (Phase::Exit, "out")] {
        for stage in stages.clone() {
            let next: Vec<_> = successors((phase, stage)).iter().map(|next| next.code()).collect();
            // Before there is a case there is no way out of it.
            if !next.is_empty() && (stage.is_some() || phase == Phase::Entry) {
                let stage = stage.map_or("no case yet", Stage::code);
                lines.push(format!("| {name} | {stage} | {} |", next.join(", ")));
            }
        }
    }
    lines.join("\n")
}

#[test]
fn every_lack_and_task_has_words() {
    let on = Day(0);
    let lacks = [
        Lack::UnknownStage,
        Lack::FollowsNothing,
        Lack::NotFromHere,
        Lack::Reason,
        Lack::Day,
        Lack::Votes,
        Lack::Visit,
        Lack::Consent,
        Lack::MonitoredKind,
        Lack::Decision,
        Lack::ClosingKind,
        Lack::NoticeRunning(on),
        Lack::ObjectionOpen,
        Lack::TooEarly(on),
        Lack::NoLabour,
        Lack::GuaranteeNotMet,
        Lack::IncomeBelowLine,
        Lack::IncomeUnknown,
        Lack::TooMany,
    ];
    for lack in lacks {
        assert!(words("lack", lack.code()).is_some(), "{}", lack.code());
    }
    for kind in TaskKind::ALL {
        assert!(words("task_kind", kind.code()).is_some(), "{}", kind.code());
    }
}

#[test]
fn what_is_missing_is_named() {
    let fresh = |facts: Facts, upto: usize| asked(facts, &whole_way()[..upto]);
    let visited = ready();
    let unvisited = Facts::of(VILLAGE).with("case", "consent", true);
    assert_eq!(fresh(unvisited, 2), Err(Lack::Visit));
    // On the way in a telephone will do, for families who are away; nobody is found to be out of danger by one.
    for (met, by_phone) in [
        ("nobody", Err(Lack::Visit)),
        ("neighbour", Err(Lack::Visit)),
        ("", Err(Lack::Visit)),
        ("phone", Ok(())),
    ] {
        let seen = |row: &str| visited.clone().with_row("visits", row, &[("met", met.into())]);
        assert_eq!(fresh(seen("v").without_rows("visits", &["w"]), 2), by_phone, "in: {met}");
        assert_eq!(fresh(seen("w"), 10), Err(Lack::Visit), "out: {met}");
    }
    let called = visited.clone().with_row("visits", "w", &[("place", "phone".into())]);
    assert_eq!(fresh(called, 10), Err(Lack::Visit), "out: met where nobody can be");
    // A cadre whose clock was ahead took the clue down.
    let ahead = [("a", "", Stage::Clue, "2024-03-20", "village"), WAY_IN[1]];
    let today = visited.clone().with_row(
        "visits",
        "x",
        &[("date", "2024-03-02".into()), ("met", "head".into())],
    );
    assert_eq!(asked(today, &ahead), Ok(()), "a visit of today is one");
    let tomorrow = visited.clone().with("case", "consent_on", "2024-03-03");
    assert_eq!(fresh(tomorrow, 2), Err(Lack::Consent), "nobody has consented yet");
    let to_come = visited.clone().with_row("visits", "v", &[("date", "2024-03-03".into())]);
    let to_come = to_come.without_rows("visits", &["w"]);
    assert_eq!(fresh(to_come, 2), Err(Lack::Visit), "nobody was there yet");
    let bare = with_steps(visited.clone(), &whole_way()[..1]).with_row(
        "steps",
        "a",
        &[("on", Value::Null)],
    );
    let step = bare.row("steps", "a").unwrap();
    let undated = check(&bare, step, &policy(), day("2024-03-01"), |step| step.day("on"));
    assert_eq!(undated, Err(Lack::Day));
    assert_eq!(fresh(visited.clone().with("case", "consent", false), 2), Err(Lack::Consent));
    assert_eq!(
        fresh(visited.clone().with("class", "monitored_kind", ""), 7),
        Err(Lack::MonitoredKind)
    );
    assert_eq!(fresh(visited.clone().with("case", "closing_kind", ""), 15), Err(Lack::ClosingKind));
    let labour = visited.clone().with("basic", "no_labour_guarantee", true);
    assert_eq!(fresh(labour, 9), Err(Lack::NoLabour));
    let person = |facts: Facts, id: &str, labour: &str| {
        facts.with_row("members", id, &[("labour", labour.into())])
    };
    let visited = visited.with("income", "wage_fen", 2_000_000);
    let old = person(visited.clone(), "a", "lost");
    assert_eq!(fresh(person(old.clone(), "n", "none"), 9), Err(Lack::NoLabour), "of nobody");
    assert_eq!(fresh(person(old.clone(), "n", "weak"), 9), Ok(()));
    assert_eq!(fresh(person(old, "n", ""), 9), Ok(()), "of one nobody knows");
    let nothing = visited.clone().with("guarantees", "water_state", "not_applicable");
    assert_eq!(fresh(nothing, 9), Err(Lack::GuaranteeNotMet), "everybody drinks");
    let childless = visited.clone().with("guarantees", "schooling_state", "not_applicable");
    assert_eq!(fresh(childless, 9), Ok(()));
    let house = visited.clone().with("guarantees", "housing_state", "not_met");
    assert_eq!(fresh(house, 9), Err(Lack::GuaranteeNotMet));
    let early = visited.with("case", "identified_on", "2024-08-01");
    assert_eq!(fresh(early, 9), Err(Lack::TooEarly(day("2025-01-31"))));
}

#[test]
fn a_household_that_was_turned_down_is_asked_for_its_consent_once_more() {
    let way = [
        WAY_IN[0],
        ("b", "a", Stage::NotIncluded, "2024-03-02", "township"),
        ("c", "b", Stage::Clue, "2024-06-01", "village"),
        ("d", "c", Stage::Verified, "2024-06-03", "village"),
    ];
    let visit = [("date", "2024-06-02".into()), ("met", "head".into())];
    let ready = ready().with_row("visits", "x", &visit);
    assert_eq!(asked(ready.clone(), &way), Err(Lack::Consent), "what it said was of the first");
    let of = |day: &str| ready.clone().with("case", "consent_on", day);
    assert_eq!(asked(of("2024-03-01"), &way), Err(Lack::Consent));
    assert_eq!(asked(of("2024-06-01"), &way), Ok(()));
}

#[test]
fn only_a_visit_that_heard_somebody_is_the_visit_of_the_month() {
    let facts = with_steps(ready().without_rows("visits", &["w"]), &WAY_IN);
    let due = |met: &str| {
        let visit = [("date", "2024-04-10".into()), ("met", met.into())];
        let facts = facts.clone().with_row("visits", "x", &visit);
        let tasks = tasks(&facts, &Case::of(&facts), &policy(), day("2024-04-19"));
        let visit = tasks.iter().find(|task| task.kind == TaskKind::Visit);
        visit.map(|task| task.due_on.unwrap().to_string())
    };
    for met in ["", "nobody", "neighbour"] {
        assert_eq!(due(met), Some("2024-04-19".into()), "{met}: still to be made");
    }
    for met in ["head", "member", "phone"] {
        assert_eq!(due(met), None, "{met}");
    }
}

#[test]
fn a_notice_hangs_for_its_full_days_and_an_objection_keeps_it_up() {
    let way = |on: &'static str| {
        let mut way = WAY_IN[..5].to_vec();
        way[4].3 = on;
        way
    };
    // Up on the 5th: the 6th to the 10th are its five full days.
    for on in ["2024-03-05", "2024-03-06", "2024-03-10"] {
        let lack = Lack::NoticeRunning(day("2024-03-10"));
        assert_eq!(asked(ready(), &way(on)), Err(lack), "{on}");
    }
    assert_eq!(asked(ready(), &way("2024-03-11")), Ok(()));
    let mut objected = way("2024-03-11");
    objected.insert(4, ("x", "d", Stage::Objection, "2024-03-10", "village"));
    assert_eq!(asked(ready(), &objected), Err(Lack::ObjectionOpen));
    let case = Case::of(&with_steps(ready(), &objected[..5]));
    assert_eq!((case.stage(), case.objections), (Some(Stage::OnNotice), vec!["x".to_owned()]));
    objected.insert(5, ("y", "x", Stage::ObjectionSettled, "2024-03-11", "village"));
    assert_eq!(asked(ready(), &objected), Ok(()));
    // By the clock of whoever asks, not by the day a phone wrote.
    let facts = with_steps(ready(), &way("2024-03-11"));
    let begun_later = |_: &Row| Some(day("2024-03-09"));
    let verdict =
        check(&facts, facts.row("steps", "e").unwrap(), &policy(), day("2024-03-11"), begun_later);
    assert_eq!(verdict, Err(Lack::NoticeRunning(day("2024-03-14"))));
}

#[test]
fn a_step_from_nowhere_is_refused_and_does_not_count() {
    let mut stray = WAY_IN[..2].to_vec();
    stray.push(("z", "a", Stage::CountyDecision, "2024-03-03", "county"));
    assert_eq!(asked(ready(), &stray), Err(Lack::NotFromHere));
    let case = Case::of(&with_steps(ready(), &stray));
    assert_eq!((case.stage(), case.set_aside), (Some(Stage::Verified), vec!["z".to_owned()]));
    let dangling = [("z", "nothing", Stage::Verified, "2024-03-03", "village")];
    assert_eq!(asked(ready(), &dangling), Err(Lack::FollowsNothing));
    let round = [
        ("p", "q", Stage::Verified, "2024-03-03", "village"),
        ("q", "p", Stage::Appraised, "2024-03-03", "village"),
    ];
    let case = Case::of(&with_steps(ready(), &round));
    assert_eq!((case.stage(), case.set_aside.len()), (None, 2));
}

#[test]
fn two_people_who_did_the_same_agree() {
    let mut way = WAY_IN[..2].to_vec();
    way.push(("b2", "a", Stage::Verified, "2024-03-03", "village"));
    way.push(("c", "b2", Stage::Appraised, "2024-03-04", "village"));
    let case = Case::of(&with_steps(ready(), &way));
    assert_eq!(case.stage(), Some(Stage::Appraised));
    assert_eq!(case.path[1].steps, ["b", "b2"]);
    assert!(case.set_aside.is_empty());
}

#[test]
fn of_two_branches_the_one_counts_in_which_the_higher_level_has_spoken() {
    let mut way = WAY_IN[..2].to_vec();
    way.push(("t", "a", Stage::NotIncluded, "2024-03-02", "township"));
    let stage = |way: &[Line]| {
        let case = Case::of(&with_steps(ready(), way));
        (case.stage(), case.set_aside)
    };
    assert_eq!(stage(&way), (Some(Stage::NotIncluded), vec!["b".to_owned()]));
    // The village goes on, not knowing: the township has spoken all the same.
    way.push(("c", "b", Stage::Appraised, "2024-03-04", "village"));
    assert_eq!(stage(&way).0, Some(Stage::NotIncluded));
    // The township checks what the village has sent, and what the county decides nobody below undoes.
    way.extend(&WAY_IN[3..5]);
    assert_eq!(stage(&way), (Some(Stage::TownshipCheck), vec!["t".to_owned()]));
    let mut closed = whole_way();
    for (place, id) in ["p", "q", "r", "s", "u", "v", "w", "x"].into_iter().enumerate() {
        let after = if place == 0 { "i" } else { ["p", "q", "r", "s", "u", "v", "w"][place - 1] };
        let stage = if place % 2 == 0 { Stage::Helped } else { Stage::ToClose };
        closed.push((id, after, stage, "2024-10-02", "village"));
    }
    assert_eq!(stage(&closed).0, Some(Stage::Closed), "however long a cadre's branch is");
}

#[test]
fn an_objection_that_comes_late_is_seen_and_holds_the_decision() {
    let mut late = WAY_IN[..5].to_vec();
    late.push(("x", "d", Stage::Objection, "2024-03-09", "village"));
    assert_eq!(asked(ready(), &late), Ok(()), "it was made while the notice hung");
    let facts = with_steps(ready(), &late);
    let case = Case::of(&facts);
    assert_eq!(
        (case.stage(), &case.objections[..]),
        (Some(Stage::TownshipCheck), &["x".to_owned()][..])
    );
    assert_eq!(case.meant_by(Stage::ObjectionSettled), Some("x"));
    let two = with_steps(facts.clone(), &[("z", "d", Stage::Objection, "2024-03-09", "village")]);
    assert_eq!(Case::of(&two).meant_by(Stage::ObjectionSettled), None, "which of them?");
    let open = tasks(&facts, &case, &policy(), day("2024-03-12"));
    assert_eq!(open[0].kind, TaskKind::SettleObjection);
    late.push(WAY_IN[5]);
    assert_eq!(asked(ready(), &late), Err(Lack::ObjectionOpen));
    late.insert(6, ("y", "x", Stage::ObjectionSettled, "2024-03-12", "township"));
    assert_eq!(asked(ready(), &late), Ok(()));
}

/// Random sets of steps, many of which follow from nowhere.
fn random_steps() -> impl Strategy<Value = Vec<(String, String, Stage, String)>> {
    let stages = prop::sample::select(Stage::ALL.to_vec());
    let levels = prop::sample::select(vec!["village", "township", "county"]);
    prop::collection::vec((stages, 0..12usize, levels), 0..24).prop_map(|drawn| {
        let name = |place: usize| format!("s{place:02}");
        let step = |(place, (stage, after, level)): (usize, (Stage, usize, &str))| {
            let after = if after == 0 || place == 0 { String::new() } else { name(after % place) };
            (name(place), after, stage, level.to_owned())
        };
        drawn.into_iter().enumerate().map(step).collect()
    })
}

proptest! {
    #[test]
    fn the_order_in_which_steps_come_does_not_matter(
        (steps, shuffled) in random_steps().prop_flat_map(|steps| {
            let shuffled = Just(steps.clone()).prop_shuffle();
            (Just(steps), shuffled)
        })
    ) {
        let facts = |steps: &[(String, String, Stage, String)]| {
            steps.iter().fold(Facts::of(VILLAGE), |facts, (id, after, stage, level)| {
                facts.with_row("steps", id, &[
                    ("state", stage.code().into()),
                    ("after", after.as_str().into()),
                    ("level", level.as_str().into()),
                ])
            })
        };
        let sorted = |mut case: Case| { case.set_aside.sort(); case.objections.sort(); case };
        let (one, other) = (sorted(Case::of(&facts(&steps))), sorted(Case::of(&facts(&shuffled))));
        prop_assert_eq!(&one, &other);
        // Every step counts, is set aside, or moves nothing.
        let counted: usize = one.path.iter().map(|passed| passed.steps.len()).sum();
        let moving = steps.iter().filter(|step| step.2.moves()).count();
        prop_assert_eq!(counted + one.set_aside.len(), moving);
    }

    #[test]
    fn nobody_has_a_task_where_none_is_looked_for(
        steps in random_steps(),
        (is_warned, channel, received, after) in (any::<bool>(), 0..3usize, 1..28u32, 0..25u32),
        days in prop::collection::vec(1..28u32, 24),
        (cadre_to, visited, later) in (1..28u32, prop::option::of(1..28u32), 0..90i32),
    ) {
        let mut facts = steps.iter().zip(&days).fold(ready(), |facts, ((id, after, stage, level), on)| {
            facts.with_row("steps", id, &[
                ("state", stage.code().into()),
                ("after", after.as_str().into()),
                ("level", level.as_str().into()),
                ("on", format!("2024-03-{on:02}").into()),
            ])
        });
        if is_warned {
            facts = facts.with_row("warnings", "w", &[("due_on", "2024-03-10".into())]);
        }
        let channel = ["declaration", "petition", "inspection"][channel];
        let received = format!("2024-03-{received:02}");
        let after = if after == 24 { String::new() } else { format!("s{after:02}") };
        facts = facts.with_row("clues", "c", &[
            ("channel", channel.into()), ("received_on", received.into()), ("after", after.into()),
        ]);
        let case = Case::of(&facts);
        let cadre = [("account", "li".into()), ("to", format!("2024-04-{cadre_to:02}").into())];
        let mut followed = facts.clone().with_row("cadres", "k", &cadre);
        if let Some(visited) = visited {
            let visit =
                [("date", format!("2024-04-{visited:02}").into()), ("met", "head".into())];
            followed = followed.with_row("visits", "v", &visit);
        }
        let today = day("2024-03-01").plus_days(later);
        for facts in [&facts, &followed] {
            let tasks = tasks(facts, &case, &policy(), today);
            let is_unnamed = facts.responsible_cadres(today).next().is_none();
            let is_to_be_named = tasks.iter().any(|task| task.kind == TaskKind::NameCadre);
            prop_assert_eq!(is_to_be_named, case.is_open() && is_unnamed, "on {}", today);
            // Whoever keeps what is foreseen on some day misses nothing on a later one.
            let kept = foreseen(facts, &case, &policy(), today.plus_days(-later));
            let is_kept = |task: &Task| {
                let mut kept = kept.iter().filter(|kept| kept.from.is_none_or(|from| from <= today));
                kept.any(|kept| kept.task == *task)
            };
            prop_assert!(tasks.iter().all(is_kept), "on {}", today);
        }
        let found = tasks(&facts, &case, &policy(), day("2024-06-30"));
        prop_assert!(found.is_empty() || may_have_tasks(&facts, &case));
        for task in found {
            let stages = stages_with_tasks(task.kind.role());
            let is_looked_for = stages.is_none_or(|all| case.stage().is_some_and(|at| all.contains(&at)));
            prop_assert!(is_looked_for, "{task:?} at {:?}", case.stage());
        }
    }
}
