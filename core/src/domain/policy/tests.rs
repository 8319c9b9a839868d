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
    assert_eq!(policy.version, "published-examples/1");
    assert!(policy.rules.iter().all(|rule| !rule.validity.source.is_empty()));
    assert!(policy.periods.iter().all(|period| !period.validity.source.is_empty()));
    assert!(policy.bounds.iter().all(|bound| !bound.validity.source.is_empty()));
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
    assert_eq!(threshold(VILLAGE, "2020-06-01"), [5]);
    assert_eq!(threshold(VILLAGE, "2021-06-01"), [7]);
    assert_eq!(threshold(VILLAGE, "2022-01-01"), [5]);
    assert_eq!(threshold(431_025_100_216, "2021-06-01"), [5]);
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
fn mistakes_are_named() {
    let said = |text: &str| Policy::parse(text).unwrap_err().to_string();
    assert!(said("name='t'\nversion=1\nrul=1").contains("rul"));
    assert!(said("name='t'\nversion=1\nholidays=['2024-02-30']").contains("2024-02-30"));
    let rule = "name='t'\nversion=1\n[[rule]]\nid='m'\nsignal='medical_self_pay'\nthreshold=0\n\
                level='high'\nrisk='illness'\nanswer_days=1\nfrom='2020-01-01'\nsource='a'";
    assert!(said(rule).contains('m'));
}
