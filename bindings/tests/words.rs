//! What apps tell people without knowing a rule or a map: a finding in words, a place by its names.

use wanhu::{finding_words, region_path};
use wanhu_core::domain::checks::{Check, CheckInput, Finding};

#[test]
fn a_finding_is_told_with_what_it_rests_on() {
    let inputs = vec![CheckInput { name: "business_yuan".into(), value: "12.50".into() }];
    let finding = Finding { check: Check::IndustryNoIncome, subject: String::new(), inputs };
    let words = finding_words(finding);
    assert_eq!(words.code, "industry_no_income");
    assert_eq!(words.zh, "已落实产业帮扶,但生产经营性收入为12.50元");
    assert!(words.en.contains("12.50 yuan"), "{}", words.en);
}

#[test]
fn a_place_is_told_by_its_names_as_far_as_they_are_known() {
    let names = ["湖南省", "郴州市", "宜章县", "关溪乡", "福岭村"];
    assert_eq!(region_path(431_022_208_217), names);
    assert_eq!(region_path(431_022), names[..3]);
    assert_eq!(region_path(431_022_208_999), names[..4], "its township is known");
    for nowhere in [0, 7, 999_999_999_999, u64::MAX] {
        assert_eq!(region_path(nowhere), [] as [&str; 0], "{nowhere}");
    }
}
