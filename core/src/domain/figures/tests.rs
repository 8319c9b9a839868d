//! Each figure on households made for it; acceptance story A4; parts that are merged come to the whole.

use super::*;
use crate::domain::policy::EXAMPLES_TOML;
use crate::domain::schema::words;
use crate::domain::value::Value;
use crate::domain::workflow::Stage;
use proptest::prelude::*;
use std::sync::LazyLock;

const VILLAGE: u64 = 431_022_208_217;
const OTHER: u64 = 431_025_100_216;

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::parse(EXAMPLES_TOML).unwrap());

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// September 2024, seen from its last day.
fn figures() -> Figures<'static> {
    Figures::new(day("2024-09-30"), (day("2024-09-01"), day("2024-09-30")), &POLICY)
}

fn id(number: usize) -> HouseholdId {
    HouseholdId(u128::try_from(number).unwrap().to_be_bytes())
}

fn of_people(count: usize) -> Facts {
    (0..count).fold(Facts::of(VILLAGE), |facts, at| {
        facts.with_row("members", &format!("m{at}"), &[("name", "甲".into())])
    })
}

fn with_steps(facts: Facts, steps: &[(Stage, &str)]) -> Facts {
    let rows = steps.iter().enumerate();
    rows.fold(facts, |facts, (at, (stage, on))| {
        let after = at.checked_sub(1).map_or(String::new(), |before| format!("s{before}"));
        let fields: [(&str, Value); 3] =
            [("state", stage.code().into()), ("after", after.into()), ("on", (*on).into())];
        facts.with_row("steps", &format!("s{at}"), &fields)
    })
}

#[test]
fn a_code_of_a_newer_release_is_counted_under_itself() {
    let mut figures = figures();
    figures.add(id(1), &monitored("sudden"));
    figures.add(id(2), &monitored("ecological").with("class", "risk_1", "locusts"));
    let told = figures.all();
    for (code, of) in [(Statistic::MonitoredKind, "ecological"), (Statistic::Risk, "locusts")] {
        let figure = told.iter().find(|figure| (figure.code, figure.of.as_str()) == (code, of));
        let figure =
            figure.map(|f| (f.numerator, f.denominator, f.of_label(RegionList::chenzhou())));
        assert_eq!(figure, Some((1, 2, of.to_owned())));
    }
    assert_eq!(figures.figure(Statistic::Monitored, "").numerator, 2);
}

/// Carried over as monitored long ago.
fn monitored(kind: &str) -> Facts {
    let facts = of_people(3).with("class", "monitored_kind", kind);
    with_steps(facts, &[(Stage::Monitored, "2024-01-10")])
}

fn closed(on: &'static str) -> Facts {
    let steps = [
        (Stage::Monitored, "2023-01-10"),
        (Stage::ToClose, on),
        (Stage::Verified, on),
        (Stage::Appraised, on),
        (Stage::OnNotice, on),
        (Stage::TownshipCheck, on),
        (Stage::CountyDecision, on),
        (Stage::Closed, on),
    ];
    with_steps(of_people(2).with("class", "monitored_kind", "sudden"), &steps)
}

/// Decided on a day after a clue of 2024-09-01.
fn decided(on: &'static str) -> Facts {
    let clue = "2024-09-01";
    let steps = [
        (Stage::Clue, clue),
        (Stage::Verified, clue),
        (Stage::Appraised, clue),
        (Stage::OnNotice, clue),
        (Stage::TownshipCheck, on),
        (Stage::CountyDecision, on),
    ];
    with_steps(of_people(1), &steps)
}

fn counted(households: &[Facts]) -> Figures<'static> {
    let asked = Statistic::ALL.into_iter().fold(figures(), Figures::with_ids);
    households.iter().enumerate().fold(asked, |mut figures, (at, facts)| {
        figures.add(id(at), facts);
        figures
    })
}

fn parts(figures: &Figures<'_>, code: Statistic, of: &str) -> (i64, i64, Option<i64>) {
    let figure = figures.figure(code, of);
    (figure.numerator, figure.denominator, figure.value)
}

#[test]
fn monitored_open_closed_kinds_risks_tags_and_stages() {
    let figures = counted(&[
        of_people(4).with("class", "tag_marginal", true),
        monitored("unstable").with("class", "risk_1", "illness").with("class", "risk_3", "illness"),
        monitored("sudden").with("class", "risk_2", "illness").with("class", "risk_5", "water"),
        closed("2024-05-01").with("class", "risk_1", "illness"),
        monitored("marginal").with("basic", "status", "merged"),
    ]);
    assert_eq!(parts(&figures, Statistic::Monitored, ""), (3, 4, Some(3)));
    assert_eq!(figures.figure(Statistic::Monitored, "").people, 8);
    assert_eq!(parts(&figures, Statistic::Open, ""), (2, 4, Some(2)));
    assert_eq!(parts(&figures, Statistic::Closure, ""), (1, 3, Some(3_333)));
    assert_eq!(parts(&figures, Statistic::MonitoredKind, "sudden"), (2, 3, Some(2)));
    assert_eq!(parts(&figures, Statistic::MonitoredKind, "marginal"), (0, 3, Some(0)));
    assert_eq!(parts(&figures, Statistic::Risk, "illness"), (2, 2, Some(2)));
    assert_eq!(parts(&figures, Statistic::Risk, "water"), (1, 2, Some(1)));
    assert_eq!(parts(&figures, Statistic::Tag, "tag_marginal"), (1, 4, Some(1)));
    assert_eq!(parts(&figures, Statistic::Stage, "monitored"), (2, 3, Some(2)));
    assert_eq!(parts(&figures, Statistic::Stage, "closed"), (1, 3, Some(1)));
}

#[test]
fn nobody_leaves_monitoring_by_the_state_of_the_record() {
    let away = |facts: Facts| facts.with("basic", "status", "moved_away");
    let open = away(monitored("sudden"));
    let figures = counted(&[of_people(4), away(of_people(4)), open, away(closed("2024-05-01"))]);
    assert_eq!(parts(&figures, Statistic::Open, ""), (1, 2, Some(1)));
    // Whoever was helped out of it, and goes then, leaves no gap in what came of the help.
    assert_eq!(parts(&figures, Statistic::Closure, ""), (1, 2, Some(5_000)));
}

#[test]
fn a_reopened_case_is_open_and_no_longer_closed() {
    let facts = closed("2024-05-01").with_row(
        "steps",
        "again",
        &[("state", "reopened".into()), ("after", "s7".into()), ("on", "2024-09-02".into())],
    );
    let figures = counted(&[facts]);
    assert_eq!(parts(&figures, Statistic::Open, ""), (1, 1, Some(1)));
    assert_eq!(parts(&figures, Statistic::Closure, ""), (0, 1, Some(0)));
}

#[test]
fn visited_is_counted_of_those_due() {
    let visit = |facts: Facts, on: &str, met: &str| {
        facts.with_row("visits", "v", &[("date", on.into()), ("met", met.into())])
    };
    let clue = |on| with_steps(of_people(1), &[(Stage::Clue, on)]);
    let figures = counted(&[
        visit(monitored("sudden"), "2024-09-30", "head"),
        visit(monitored("sudden"), "2024-08-31", "head"),
        visit(monitored("sudden"), "2024-09-10", "nobody"),
        visit(monitored("sudden"), "2024-10-01", "head"),
        visit(of_people(1), "2024-09-10", "head"),
        visit(closed("2024-09-15"), "2024-09-14", "member"),
        closed("2024-08-31"),
        clue("2024-09-29"),
        visit(decided("2024-09-10"), "2024-09-01", "head"),
        monitored("sudden").with("case", "identified_on", "2024-10-02"),
    ]);
    let figure = figures.figure(Statistic::Visited, "");
    assert_eq!((figure.numerator, figure.denominator), (3, 7));
    assert_eq!(figure.households, [0, 5, 8].map(id));
    assert_eq!(figure.rest, [1, 2, 3, 7].map(id), "who is still to be visited");
}

#[test]
fn what_has_not_happened_yet_does_not_count() {
    let mut early =
        Figures::new(day("2024-09-15"), (day("2024-09-01"), day("2024-09-30")), &POLICY);
    let visit = [("date", Value::from("2024-09-16"))];
    early.add(id(1), &monitored("sudden").with_row("visits", "v", &visit));
    assert_eq!(parts(&early, Statistic::Visited, ""), (0, 1, Some(0)));
}

#[test]
fn helped_and_guaranteed_are_counted_of_the_open() {
    let measure = |facts: Facts, status: &str| {
        facts.with_row("measures", "x", &[("kind", "jobs".into()), ("status", status.into())])
    };
    let fields = Schema::base().container("guarantees").unwrap().fields.iter();
    let states: Vec<&str> =
        fields.map(|field| field.name.as_str()).filter(|name| name.ends_with("_state")).collect();
    assert_eq!(states.len(), 6);
    let met = |facts: Facts| {
        states.iter().fold(facts, |facts, state| facts.with("guarantees", state, "met"))
    };
    let figures = counted(&[
        measure(monitored("sudden"), "under_way"),
        measure(met(monitored("sudden")), "done"),
        measure(met(monitored("sudden")).with("guarantees", "water_state", "not_met"), "planned"),
        met(monitored("sudden")).with("guarantees", "schooling_state", "not_applicable"),
        measure(met(closed("2024-05-01")), "done"),
    ]);
    assert_eq!(parts(&figures, Statistic::Helped, ""), (2, 4, Some(5_000)));
    assert_eq!(parts(&figures, Statistic::Guaranteed, ""), (2, 4, Some(5_000)));
    assert_eq!(figures.figure(Statistic::Guaranteed, "").rest, [0, 2].map(id));
}

#[test]
fn a_decision_is_on_time_until_the_last_day() {
    let households = ["2024-09-10", "2024-09-16", "2024-09-17", "2024-10-02"].map(decided);
    let figures = counted(&households);
    assert_eq!(parts(&figures, Statistic::OnTime, ""), (2, 3, Some(6_667)), "one is of October");
    assert_eq!(figures.figure(Statistic::OnTime, "").rest, [id(2)]);
    let silent = Policy::default();
    let mut unpublished = Figures::new(figures.asked.as_of, figures.asked.period, &silent);
    unpublished.add(id(0), &households[0]);
    assert_eq!(parts(&unpublished, Statistic::OnTime, ""), (0, 0, None));
}

#[test]
fn an_appeal_is_a_clue_of_its_own() {
    let rejected = [(Stage::Clue, "2024-08-20"), (Stage::NotIncluded, "2024-09-02")];
    let appealed = [
        (Stage::Clue, "2024-09-01"),
        (Stage::NotIncluded, "2024-09-02"),
        (Stage::Clue, "2024-09-05"),
        (Stage::Verified, "2024-09-06"),
    ];
    let again = [
        (Stage::Clue, "2024-09-01"),
        (Stage::NotIncluded, "2024-09-02"),
        (Stage::Clue, "2024-09-05"),
        (Stage::NotIncluded, "2024-09-06"),
    ];
    let of = |steps: &[(Stage, &str)]| {
        parts(&counted(&[with_steps(of_people(1), steps)]), Statistic::NotIncluded, "")
    };
    assert_eq!(of(&rejected), (0, 0, None), "a clue of August");
    assert_eq!(of(&appealed), (1, 2, Some(5_000)));
    assert_eq!(of(&again), (2, 2, Some(10_000)));
    let figure = counted(&[with_steps(of_people(3), &again)]).figure(Statistic::NotIncluded, "");
    assert_eq!((figure.households, figure.people), (vec![id(0)], 3), "one household all the same");
}

/// 11,516 of 4,113,000 rural people were not lifted out of poverty at the end of 2019: 0.28 %.
#[test]
fn incidence_of_acceptance_story_a4() {
    assert_eq!(per_ten_thousand(11_516, 4_113_000), Some(28));
    // 1 : 500: 8,226 people, of whom 23 in six households are not lifted, by kind or by tag.
    let mut small: Vec<Facts> = vec![of_people(4); 2_050];
    small.extend(vec![of_people(4).with("class", "household_kind", "not_lifted"); 3]);
    small.extend(vec![of_people(4).with("class", "tag_not_lifted", true); 3]);
    small.push(of_people(3));
    small[2_055].set("members", "m3", "presence", "left".into());
    let figure = counted(&small).figure(Statistic::Incidence, "");
    assert_eq!((figure.numerator, figure.denominator, figure.value), (23, 8_226, Some(28)));
    assert_eq!(figure.households, [2_050, 2_051, 2_052, 2_053, 2_054, 2_055].map(id));
    assert_eq!((figure.people, figure.rest), (23, vec![]));
}

#[test]
fn income_per_person_by_year_of_acceptance_story_a4() {
    let income = |year: &'static str, fen: i64| {
        of_people(3).with("income", "window_end", year).with("income", "wage_fen", fen)
    };
    let figures = counted(&[
        income("2015-12-31", 3 * 234_667),
        income("2019-12-31", 3 * 933_000),
        income("2019-09-30", 3 * 933_486 + 2),
        of_people(2).with("income", "transfer_fen", 100),
        of_people(9),
    ]);
    assert_eq!(parts(&figures, Statistic::Income, "2015"), (704_001, 3, Some(234_667)));
    assert_eq!(parts(&figures, Statistic::Income, "2019").2, Some(933_243), "9,332.43 yuan");
    assert_eq!(parts(&figures, Statistic::Income, ""), (100, 2, Some(50)));
    assert_eq!(parts(&figures, Statistic::Income, "2018"), (0, 0, None));
}

#[test]
fn losses_are_income_too() {
    let facts = of_people(2).with("income", "wage_fen", 1).with("income", "business_cost_fen", 4);
    let figure = counted(&[facts.clone(), facts.with("income", "wage_fen", 4)]);
    let figure = figure.figure(Statistic::Income, "");
    assert_eq!((figure.numerator, figure.value), (-3, Some(-1)), "rounded down as on the record");
    assert_eq!(figure.households.len(), 2, "nothing at all is a figure as well");
}

#[test]
fn rates_are_rounded_to_the_nearest() {
    let rates =
        [(1, 3), (2, 3), (1, 20_000), (1, 20_001), (5, 4)].map(|(n, d)| per_ten_thousand(n, d));
    assert_eq!(rates, [Some(3_333), Some(6_667), Some(1), Some(0), Some(12_500)]);
    assert_eq!(per_ten_thousand(1, 0), None);
    assert_eq!(per_ten_thousand(i64::MAX, i64::MAX), Some(10_000));
}

#[test]
fn coverage_shows_the_village_nobody_went_to() {
    let mut figures = counted(&[of_people(1), of_people(2), of_people(0)]);
    figures.expect(VILLAGE, 4);
    figures.expect(OTHER, 6);
    assert_eq!(parts(&figures, Statistic::Coverage, &VILLAGE.to_string()), (3, 4, Some(7_500)));
    assert_eq!(parts(&figures, Statistic::Coverage, &OTHER.to_string()), (0, 6, Some(0)));
    assert_eq!(parts(&figures, Statistic::Coverage, ""), (3, 10, Some(3_000)));
    let third = 431_022_208_218;
    figures.add(id(9), &Facts::of(third));
    assert_eq!(parts(&figures, Statistic::Coverage, &third.to_string()), (1, 0, None));
    assert_eq!(
        parts(&figures, Statistic::Coverage, ""),
        (3, 10, Some(3_000)),
        "expected ones only"
    );
    let covered = figures.all().into_iter().filter(|figure| figure.code == Statistic::Coverage);
    let of: Vec<String> = covered.map(|figure| figure.of).collect();
    assert_eq!(of, ["", "431022208217", "431025100216", "431022208218"]);
}

#[test]
fn households_are_kept_only_for_what_was_asked() {
    let mut figures = figures().with_ids(Statistic::Helped);
    figures.add(id(2), &monitored("sudden"));
    figures.add(id(1), &monitored("marginal"));
    for figure in figures.all() {
        let kept = (figure.households.as_slice(), figure.rest.as_slice());
        let rest = if figure.code == Statistic::Helped { vec![id(1), id(2)] } else { vec![] };
        assert_eq!(kept, (&[][..], &rest[..]), "{:?}", figure.code);
    }
}

#[test]
fn every_figure_has_words_and_stands_in_the_list_even_when_nothing_was_counted() {
    for code in Statistic::ALL {
        assert_eq!(Statistic::named(code.code()), Some(code));
        assert!(words("figure", code.code()).is_some(), "{code:?}");
        assert!(words("figure_name", code.code()).is_some(), "{code:?}");
    }
    let all = figures().all();
    let of = |code| all.iter().filter(|figure| figure.code == code).count();
    let counts = Statistic::ALL.map(of);
    assert_eq!(counts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 11, 3, 7, 15]);
    assert!(all.iter().all(|figure| figure.as_of == day("2024-09-30") && figure.numerator == 0));
}

#[test]
fn other_questions_are_not_mixed() {
    let other = Policy { version: "other/1".into(), ..POLICY.clone() };
    let asked = figures().asked;
    let earlier = Figures::new(day("2024-09-29"), asked.period, &POLICY);
    let year = Figures::new(asked.as_of, (day("2024-01-01"), day("2024-12-31")), &POLICY);
    let by_other = Figures::new(asked.as_of, asked.period, &other);
    let mut figures = figures();
    for part in [earlier, year, by_other, self::figures().with_ids(Statistic::Open)] {
        assert_eq!(figures.merge(part), Err(FiguresDiffer));
    }
    assert_eq!(figures.merge(self::figures()), Ok(()));
}

fn any_household() -> impl Strategy<Value = Facts> {
    let stages = [
        vec![],
        vec![Stage::Clue, Stage::NotIncluded],
        vec![Stage::Clue, Stage::Verified, Stage::Appraised, Stage::OnNotice],
        vec![Stage::Monitored, Stage::Helped],
    ];
    let of = |list: &[&'static str]| proptest::sample::select(list.to_vec());
    (
        proptest::sample::select(stages.to_vec()),
        of(&["", "unstable", "sudden", "kind_of_a_later_release"]),
        of(&["", "illness", "water"]),
        of(&["", "2018-12-31", "2019-12-31"]),
        (0..5usize, any::<i64>(), any::<bool>(), proptest::sample::select(vec![VILLAGE, OTHER])),
    )
        .prop_map(|(stages, kind, risk, window_end, (people, wage_fen, tag, village))| {
            let steps: Vec<(Stage, &str)> =
                stages.into_iter().map(|stage| (stage, "2024-09-03")).collect();
            let mut facts = with_steps(of_people(people), &steps)
                .with("class", "monitored_kind", kind)
                .with("class", "risk_1", risk)
                .with("class", "tag_not_lifted", tag)
                .with("income", "window_end", window_end)
                .with("income", "wage_fen", wage_fen);
            facts.village = village;
            facts
        })
}

proptest! {
    /// Counted apart in any parts and merged in any order, it is what counting all at once gives.
    #[test]
    fn parts_come_to_the_whole(
        households in proptest::collection::vec((any_household(), 0..4usize), 0..40),
        order in Just([0, 1, 2, 3usize]).prop_shuffle(),
    ) {
        let facts: Vec<Facts> = households.iter().map(|(facts, _)| facts.clone()).collect();
        let mut whole = counted(&facts);
        let mut parts: Vec<Figures<'_>> = (0..4).map(|_| counted(&[])).collect();
        for (at, (facts, part)) in households.iter().enumerate() {
            parts[*part].add(id(at), facts);
        }
        let mut merged = counted(&[]);
        whole.expect(VILLAGE, 20);
        parts[0].expect(VILLAGE, 20);
        parts[3].expect(VILLAGE, 20);
        for part in order {
            merged.merge(parts[part].clone()).unwrap();
        }
        prop_assert_eq!(merged.all(), whole.all());
        for figure in whole.all() {
            if figure.code != Statistic::Income {
                prop_assert!(figure.numerator <= figure.denominator || figure.code == Statistic::Coverage);
            }
        }
    }
}

#[test]
fn whoever_may_not_be_looked_at_is_counted_and_named_nowhere() {
    let all = || Statistic::ALL.into_iter().fold(figures(), Figures::with_ids);
    let (mut named, mut unnamed) = (all(), all());
    for (at, facts) in
        [monitored("sudden"), closed("2024-05-01"), decided("2024-09-12")].iter().enumerate()
    {
        named.add(id(at), facts);
        unnamed.add_case(None, facts, &Case::of(facts));
    }
    assert!(
        named.all().iter().any(|figure| !figure.households.is_empty() && !figure.rest.is_empty())
    );
    let without_ids = |figure: Figure| Figure { households: vec![], rest: vec![], ..figure };
    let same: Vec<_> = named.all().into_iter().map(without_ids).collect();
    assert_eq!(unnamed.all(), same);
}

#[test]
fn what_a_figure_is_of_has_a_name() {
    let mut figures = figures();
    figures.add(id(0), &monitored("sudden").with("class", "risk_1", "illness"));
    let all = figures.all();
    let label = |code| {
        let is_it = |f: &&Figure| f.code == code && !f.of.is_empty() && f.numerator > 0;
        let figure = all.iter().find(is_it);
        figure.map(|figure| figure.of_label(RegionList::chenzhou()))
    };
    assert_eq!(label(Statistic::Risk).as_deref(), Some("因病"));
    assert_eq!(label(Statistic::MonitoredKind).as_deref(), Some("突发严重困难户"));
    assert_eq!(label(Statistic::Coverage).as_deref(), Some("关溪乡 福岭村"));
    let whole = all.iter().find(|figure| figure.code == Statistic::Monitored).unwrap();
    assert_eq!(whole.of_label(RegionList::chenzhou()), "");
    let unknown =
        Figure { of: "999999999999".to_owned(), code: Statistic::Coverage, ..whole.clone() };
    assert_eq!(unknown.of_label(RegionList::chenzhou()), "999999999999");
}

#[test]
fn a_grid_is_counted_by_itself_and_nothing_is_expected_of_it() {
    let household = |grid: &str, kind| monitored(kind).with("basic", "grid", grid);
    let households = [
        household("一网格", "sudden"),
        household(" 一网格 ", "marginal"),
        household("二网格", "sudden"),
        monitored("sudden"),
    ];
    let counted = |mut figures: Figures<'static>| {
        figures.expect(VILLAGE, 40);
        let numbered = households.iter().enumerate();
        numbered.for_each(|(number, facts)| figures.add(id(number), facts));
        figures
    };
    let of = |grid| counted(figures().with_ids(Statistic::Monitored).of_grid(grid));
    let whole = counted(figures().with_ids(Statistic::Monitored)).figure(Statistic::Monitored, "");
    let parts = ["一网格", "二网格", ""].map(|grid| of(grid).figure(Statistic::Monitored, ""));
    assert_eq!(parts[0].households, [id(0), id(1)]);
    assert_eq!(parts[1].households, [id(2)]);
    assert_eq!(parts[2].households, [id(3)], "those that name none");
    assert_eq!(parts.iter().map(|part| part.numerator).sum::<i64>(), whole.numerator);
    assert_eq!(parts.iter().map(|part| part.people).sum::<i64>(), whole.people);
    let covered = of("一网格").figure(Statistic::Coverage, &VILLAGE.to_string());
    assert_eq!((covered.numerator, covered.denominator, covered.value), (2, 0, None));
    assert_eq!(of("一网格").merge(of("二网格")), Err(FiguresDiffer));
}
