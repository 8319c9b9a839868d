//! What apps tell people without knowing a rule: a finding in words.

use wanhu::finding_words;
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
