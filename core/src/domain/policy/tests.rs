//! A policy file: what it may say, and which of its lines holds where and when.

use super::*;

const VILLAGE: u64 = 431_022_208_217;

fn examples() -> Policy {
    Policy::parse(EXAMPLES_TOML).unwrap()
}

fn at(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn the_examples_read_and_name_their_sources() {
    let policy = examples();
    assert_eq!(policy.version, "published-examples/4");
    assert!(policy.rules.iter().all(|rule| !rule.validity.source.is_empty()));
    assert!(policy.periods.iter().all(|period| !period.validity.source.is_empty()));
    assert!(policy.bounds.iter().all(|bound| !bound.validity.source.is_empty()));
    assert!(policy.amounts.iter().all(|amount| !amount.validity.source.is_empty()));
}

#[test]
fn a_countys_own_line_counts_before_the_general_one_and_only_in_its_time() {
    let general = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\n\
                   threshold=5\nlevel='high'\nrisk='illness'\nanswer_days=10\n\
                   from='2020-01-01'\nsource='a'\n";
    let own = general.replace("name='t'\nversion=1\n", "").replace("threshold=5", "threshold=7");
    let own = own.replace("from='2020-01-01'", "area=431022\nfrom='2021-01-01'\nto='2021-12-31'");
    let policy = Policy::parse(&format!("{general}{own}")).unwrap();
    let threshold = |village, day| {
        let rules = policy.rules_for(&Facts::of(village), at(day));
        rules.iter().map(|rule| rule.threshold).collect::<Vec<_>>()
    };
    assert_eq!(threshold(VILLAGE, "2020-06-01"), [Threshold::Fixed(5)]);
    assert_eq!(threshold(VILLAGE, "2021-06-01"), [Threshold::Fixed(7)]);
    assert_eq!(threshold(VILLAGE, "2022-01-01"), [Threshold::Fixed(5)]);
    assert_eq!(threshold(431_025_100_216, "2021-06-01"), [Threshold::Fixed(5)]);
    assert!(threshold(VILLAGE, "2019-12-31").is_empty());
}

#[test]
fn working_days_leave_out_weekends_and_holidays() {
    let mut policy = examples();
    // 2024-09-27 is a Friday.
    assert_eq!(policy.after_working_days(at("2024-09-27"), 2), at("2024-10-01"));
    policy.holidays = (1..=7).filter_map(|day| Day::new(2024, 10, day)).collect();
    assert_eq!(policy.after_working_days(at("2024-09-27"), 2), at("2024-10-08"));
}

#[test]
fn a_bound_holds_in_its_area_and_unit() {
    let line = |min: i64, area: u64| {
        format!(
            "[[bound]]\nname='wage'\nmin={min}\nunit='fen'\narea={area}\n\
             from='2020-01-01'\nsource='a'\n"
        )
    };
    let general = format!("name='t'\nversion=1\n{}", line(100, 0));
    let text = format!("{general}{}", line(300, 431_022));
    let policy = Policy::parse(&text).unwrap();
    let plausible = |value, village, day| {
        policy.bound(Quantity::Wage, village, at(day)).map(|bound| bound.contains(value))
    };
    assert_eq!(plausible(200, VILLAGE, "2020-06-01"), Some(false));
    assert_eq!(plausible(300, VILLAGE, "2020-06-01"), Some(true));
    assert_eq!(plausible(200, 431_025_100_216, "2020-06-01"), Some(true));
    assert_eq!(plausible(200, VILLAGE, "2019-12-31"), None);
    for (good, bad) in [("unit='fen'", "unit='yuan'"), ("min=100", "min=100\nmax=99")] {
        let said = Policy::parse(&general.replace(good, bad)).unwrap_err();
        assert_eq!(said, PolicyError::OutOfBounds("Wage".into()), "{bad}");
    }
}

#[test]
fn each_published_line_holds_in_its_own_place() {
    let policy = examples();
    let lines = |village, day: &str, monitored: bool, signal| {
        let kind = if monitored { "sudden" } else { "" };
        let facts = Facts::of(village).with("class", "monitored_kind", kind);
        let rules = policy.rules_for(&facts, at(day)).into_iter().filter(|r| r.signal == signal);
        let own = rules.filter(|rule| rule.validity.area != 0);
        own.map(|rule| {
            let (line, source) = policy.line(rule, village, at(day)).unwrap();
            (line, rule.answer_days, source)
        })
        .collect::<Vec<_>>()
    };
    let numbers = |village, day, monitored, signal| {
        let lines = lines(village, day, monitored, signal).into_iter();
        lines.map(|(line, days, _)| (line, days)).collect::<Vec<_>>()
    };
    let (xian, yangyuan, nowhere) = (610_113_001_001, 130_727_100_201, 999_999_001_001);
    let medical = Signal::MedicalSelfPay;
    assert_eq!(numbers(xian, "2025-03-01", true, medical), [(1_000_001, 10)]);
    assert_eq!(numbers(xian, "2025-03-01", false, medical), [(2_600_001, 30)]);
    assert_eq!(numbers(xian, "2024-03-01", true, medical), [], "not yet");
    assert_eq!(numbers(yangyuan, "2022-09-27", true, medical), [(946_551, 10)]);
    assert_eq!(numbers(yangyuan, "2022-09-27", false, medical), [(1_893_101, 30)]);
    assert_eq!(numbers(yangyuan, "2023-09-27", false, medical), [(2_013_301, 30)], "a year on");
    let said = &lines(yangyuan, "2022-09-27", true, medical)[0].2;
    assert!(said.contains("阳原") && said.contains("18931"), "both documents: {said}");
    assert_eq!(numbers(nowhere, "2025-03-01", true, Signal::SingleStaySelfPay), [(600_000, 10)]);
    assert_eq!(numbers(nowhere, "2025-03-01", false, Signal::SingleStaySelfPay), [(1_000_000, 30)]);
    assert_eq!(numbers(VILLAGE, "2025-03-01", true, medical), [], "nor here");
    let verify = |village| policy.due(Clock::Verify, village, at("2024-09-27"));
    assert_eq!(verify(341_822_001_001), Some(at("2024-10-01")), "two working days");
    assert_eq!(verify(VILLAGE), Some(at("2024-10-04")), "five");
}

#[test]
fn whoever_is_lifted_or_monitored_has_an_answer_in_ten_days_others_in_a_month() {
    let policy = examples();
    let answer_days = |kind: &str| {
        let facts = Facts::of(VILLAGE).with("class", "household_kind", kind);
        let rules = policy.rules_for(&facts, at("2024-03-01"));
        let wanted = ["schooling-self-pay", "income-line", "unsafe-house", "unsafe-water"];
        let wanted = |rule: &&&Rule| wanted.contains(&rule.id.as_str()) || rule.id == "uninsured";
        rules.iter().filter(wanted).map(|rule| rule.answer_days).collect::<Vec<_>>()
    };
    assert_eq!(answer_days("lifted"), [10; 5]);
    assert_eq!(answer_days("general"), [30; 5]);
}

#[test]
fn a_share_of_what_nobody_has_published_is_no_line() {
    let text = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\n\
                threshold={percent=50,of='rural_income_last_year'}\nlevel='high'\n\
                risk='illness'\nanswer_days=10\nfrom='2020-01-01'\nsource='a'\n";
    let amount = "[[amount]]\nname='rural_income_last_year'\nvalue_fen=1001\narea=4310\n\
                  from='2021-01-01'\nsource='b'\n";
    let line = |text: &str, village| {
        let policy = Policy::parse(text).unwrap();
        policy.line(&policy.rules[0], village, at("2021-02-01"))
    };
    assert_eq!(line(text, VILLAGE), None);
    let text = format!("{text}{amount}");
    assert_eq!(line(&text, VILLAGE), Some((501, "a;b".into())), "more than half of 1001");
    assert_eq!(line(&text, 341_822_001_001), None);
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.least_line(&policy.rules[0]), Some(501));
    let none = Policy::parse(&text.replace("1001", "0")).unwrap_err();
    assert_eq!(none, PolicyError::OutOfBounds("RuralIncomeLastYear".into()));
}

#[test]
fn months_are_looked_back_from_today_or_from_the_end_of_the_last_one() {
    let window = |until: Until, day| until.window(at(day), 12);
    assert_eq!(window(Until::Today, "2024-02-29"), (at("2023-02-28"), at("2024-02-29")));
    assert_eq!(window(Until::LastMonth, "2020-02-20"), (at("2019-01-31"), at("2020-01-31")));
    assert_eq!(window(Until::LastMonth, "2024-03-01"), (at("2023-02-28"), at("2024-02-29")));
}

#[test]
fn mistakes_are_named() {
    let said = |text: &str| Policy::parse(text).unwrap_err().to_string();
    assert!(said("name='t'\nversion=1\nrul=1").contains("rul"));
    assert!(said("name='t'\nversion=1\nholidays=['2024-02-30']").contains("2024-02-30"));
    let rule = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\nthreshold=0\n\
                level='high'\nrisk='illness'\nanswer_days=1\nfrom='2020-01-01'\nsource='a'";
    assert!(said(rule).contains('m'));
    let rule = rule.replace("threshold=0", "threshold=1");
    assert!(Published::parse(&rule).is_ok());
    // Nobody would hear a warning that no record takes.
    let long = format!("source='{}'", "源".repeat(121));
    for (good, bad) in [
        ("level='high'", "level='hihg'"),
        ("risk='illness'", "risk='ill'"),
        ("id='m'", "id='住院'"),
        ("source='a'", long.as_str()),
    ] {
        let changed = rule.replace(good, bad);
        assert_ne!(changed, rule);
        assert!(matches!(Published::parse(&changed), Err(PolicyError::OutOfBounds(_))), "{bad}");
        assert!(Policy::parse(&changed).is_ok(), "a phone keeps its periods: {bad}");
    }
}

#[test]
fn what_began_before_a_county_wrote_its_periods_down_has_the_first_of_them() {
    let village = 431_022_208_217;
    let notice = |days: u32, from: &str| {
        format!(
            "[[period]]\nclock = \"notice\"\ndays = {days}\nfrom = \"{from}\"\nsource = \"公示\"\n"
        )
    };
    let head = "name = \"t\"\nversion = 1\n";
    let policy = |from: &str| {
        Policy::parse(&[head, &notice(5, from), &notice(9, "2030-01-01")].concat()).unwrap()
    };
    let due = |from: &str, day: &str| policy(from).due(Clock::Notice, village, at(day));
    assert_eq!(due("2029-07-01", "2029-06-30"), Some(at("2029-07-05")), "the lock holds");
    assert_eq!(due("2029-07-01", "2029-07-01"), Some(at("2029-07-06")));
    assert_eq!(due("2029-07-01", "2030-02-01"), Some(at("2030-02-10")), "the newest that holds");
    assert_eq!(due("2029-07-01", "2014-01-01"), Some(at("2014-01-06")), "of a past campaign");
    assert_eq!(
        policy("2029-07-01").due(Clock::Visit, village, at("2029-07-02")),
        None,
        "nobody says"
    );
}
