//! What rows make of households, and what they leave alone.

use super::super::taken_back::withdrawal;
use super::*;
use proptest::prelude::*;
use wanhu_core::document::edit::FieldValue;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::person::Blind;
use wanhu_core::domain::policy::EXAMPLES_TOML;

const VILLAGE: u64 = 431_022_208_217;
const NUMBER: &str = "11010519491231002X";

fn key() -> PersonKey {
    PersonKey::new([7; 32])
}

fn row(place: u8, import: i64, values: &[(&str, Value)]) -> StagedRow {
    let person = IdentityNumber::parse(NUMBER).map(|number| key().identity(&number));
    StagedRow {
        key: [place; 16],
        row: u32::from(place),
        import,
        before: Vec::new(),
        household: 1,
        person: person.unwrap_or(Blind([0; 16])),
        values: values.iter().map(|(field, v)| ((*field).to_owned(), v.clone())).collect(),
    }
}

fn household() -> Facts {
    Facts::of(VILLAGE).with("class", "household_kind", "lifted").with_row(
        "members",
        "m",
        &[("name", "陈永昌".into()), ("identity_number", NUMBER.into())],
    )
}

fn change(facts: &Facts, rows: &[StagedRow], import: i64) -> Option<RecordEdit> {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let (key, today) = (key(), "2024-06-20".parse().unwrap());
    Reading {
        sender: Sender::of_list("housing", import, today),
        fills_in: false,
        key: &key,
        policy: &policy,
    }
    .change(facts, rows, &[])
}

fn rules(edit: &Option<RecordEdit>) -> Vec<&str> {
    let rows = edit.iter().flat_map(|edit| &edit.new_rows);
    let warnings = rows.filter(|row| row.container == "warnings");
    warnings.filter_map(|row| row.fields[0].value.as_text()).collect()
}

#[test]
fn of_two_lists_the_latest_counts_and_an_old_one_does_not_speak_against_the_record() {
    let grade = |grade: &str| [("living.house_danger", Value::from(grade))];
    let (january, june) = (row(9, 1, &grade("b")), row(1, 2, &grade("d")));
    let lists = [january.clone(), june.clone()];
    let edit = change(&household(), &lists, 2);
    assert_eq!(rules(&edit), ["unsafe-house"]);
    let set = edit.unwrap().fields.into_iter().filter(|f| f.key == "house_danger");
    assert_eq!(set.map(|f| f.value).collect::<Vec<_>>(), [Some("d".into())], "once, the latest");
    // Repaired since, as the cadre wrote: an old list warns of nothing any more.
    let repaired = household().with("living", "house_danger", "a");
    assert_eq!(rules(&change(&repaired, &[january, june], 3)), [""; 0]);
}

#[test]
fn what_is_appraised_anew_is_heard_of_although_the_last_time_was_answered() {
    let appraised = |place: u8, import: i64, on: &str| {
        row(place, import, &[("living.house_danger", "d".into()), ("appraised_on", on.into())])
    };
    // Somebody went there in spring, and wrote down a better grade.
    let answered = |answer: &str, delivery: Value| {
        let known = [
            ("rule", "unsafe-house".into()),
            ("input", 1.into()),
            ("fired_on", "2024-02-01".into()),
            ("answer", answer.into()),
            ("delivery", delivery),
        ];
        household().with("living", "house_danger", "b").with_row("warnings", "w", &known)
    };
    let spring = appraised(1, 1, "2024-01-10");
    let facts = answered("no_risk", 1.into());
    let monthly = StagedRow { import: 2, before: vec![1], ..spring.clone() };
    assert_eq!(
        rules(&change(&facts, std::slice::from_ref(&monthly), 2)),
        [""; 0],
        "the same list once more"
    );
    let summer = appraised(2, 3, "2024-06-10");
    assert_eq!(rules(&change(&facts, &[monthly.clone(), summer.clone()], 3)), ["unsafe-house"]);
    let waiting = answered("", 1.into());
    assert_eq!(rules(&change(&waiting, &[monthly.clone(), summer.clone()], 3)), [""; 0]);
    let unknown = answered("no_risk", Value::Null);
    assert_eq!(
        rules(&change(&unknown, &[monthly, summer], 3)),
        [""; 0],
        "of which list nobody knows"
    );
}

#[test]
fn whoever_is_treated_three_times_a_week_is_warned_of_as_well() {
    let bill = |place: u8| {
        row(
            place,
            1,
            &[
                ("spending.kind", "medical".into()),
                ("spending.inpatient", true.into()),
                ("spending.to", "2024-05-01".into()),
                ("spending.self_pay_fen", 10_000.into()),
            ],
        )
    };
    let bills: Vec<_> = (1..=200).map(bill).collect();
    // Somebody wrote down the channel before.
    let facts = household().with("case", "channel", "inspection");
    let edit = change(&facts, &bills, 1).unwrap();
    let warning = edit.new_rows.iter().find(|row| row.container == "warnings").unwrap();
    for FieldValue { field, value } in &warning.fields {
        let fits = wanhu_core::domain::schema::Schema::base().check("warnings", field, value);
        assert_eq!(fits, Ok(()), "{field}");
    }
    assert!(!edit.fields.iter().any(|field| field.key == "channel"));
    assert_eq!(edit.new_rows.iter().filter(|row| row.container == "spending").count(), 200);
}

/// Bills near the published lines, of every kind, some without a day or with one to come.
fn bills() -> impl Strategy<Value = Vec<StagedRow>> {
    let kinds = ["medical", "schooling", "disaster", "accident", "other"];
    let days = ["2023-05-01", "2023-09-01", "2024-06-19", "2024-09-01", ""];
    let fields = ["spending.self_pay_fen", "spending.total_fen", "spending.basic_insurance_fen"];
    let field = prop::sample::select(fields.to_vec());
    let bill = (0usize..5, 0usize..5, any::<bool>(), 0i64..1_500_000, field);
    let bills = prop::collection::vec(bill, 0..4);
    bills.prop_map(move |bills| {
        let of =
            |(place, (kind, day, stays, fen, field)): (usize, (usize, usize, bool, i64, &str))| {
                let values = [
                    ("spending.kind", kinds[kind].into()),
                    ("spending.inpatient", stays.into()),
                    ("spending.to", days[day].into()),
                    (field, fen.into()),
                ];
                row(u8::try_from(place).unwrap(), 1, &values)
            };
        bills.into_iter().enumerate().map(of).collect()
    })
}

proptest! {
    #[test]
    fn whoever_is_warned_for_bills_is_not_passed_over(
        rows in bills(),
        kind in prop::sample::select(vec!["general", "lifted", "not_lifted", ""]),
        wage in prop::option::of(0i64..900_000),
    ) {
        let policy = Policy::parse(EXAMPLES_TOML).unwrap();
        let (key, today) = (key(), "2024-06-20".parse().unwrap());
        let reading = Reading { sender: Sender::of_list("housing", 1, today), fills_in: false, key: &key, policy: &policy };
        let facts = household().with("class", "household_kind", kind);
        let facts = wage.map_or(facts.clone(), |wage| facts.with("income", "wage_fen", wage));
        if reading.change(&facts, &rows, &[]).is_some() {
            prop_assert!(reading.may_change(&rows));
        }
    }
}

#[test]
fn small_bills_alone_are_passed_over_and_nothing_else() {
    let policy = Policy::parse(EXAMPLES_TOML).unwrap();
    let (key, today) = (key(), "2024-06-20".parse().unwrap());
    let reading = Reading {
        sender: Sender::of_list("housing", 1, today),
        fills_in: false,
        key: &key,
        policy: &policy,
    };
    let bill = |fen: i64| {
        let values = [
            ("spending.kind", Value::from("medical")),
            ("spending.inpatient", true.into()),
            ("spending.to", "2024-06-01".into()),
            ("spending.self_pay_fen", fen.into()),
        ];
        row(1, 1, &values)
    };
    assert!(!reading.may_change(&[bill(499_999)]));
    assert!(reading.may_change(&[bill(500_000)]));
    assert!(reading.may_change(&[bill(499_999), bill(1)]), "together");
    assert!(reading.may_change(&[row(1, 1, &[("living.house_danger", "a".into())])]));
}

#[test]
fn a_list_that_is_withdrawn_takes_its_warnings_with_it() {
    let facts = household()
        .with_row("warnings", "w", &[("rule", "unsafe-house".into()), ("delivery", 4.into())])
        .with_row("warnings", "x", &[("rule", "income-line".into()), ("delivery", 5.into())]);
    let edit = withdrawal(&facts, &[], 4).unwrap();
    let keys: Vec<_> = edit.fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["w.withdrawn"]);
}

#[test]
fn people_whose_rows_are_named_like_bills_are_people() {
    let counted = [
        ("rule", "not-at-school".into()),
        ("rows", "d5d05f40b1-15".into()),
        ("delivery", 4.into()),
    ];
    let facts = household()
        .with_row("members", "d5d05f40b1-15", &[("name", "周小".into())])
        .with_row("warnings", "w", &counted);
    assert!(withdrawal(&facts, &[], 4).is_some());
    assert_eq!(withdrawal(&facts, &[], 5), None);
}
