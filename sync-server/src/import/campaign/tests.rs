//! Registers as the earlier system exports them: put together by household, matched with what is on record.

use std::collections::{BTreeMap, BTreeSet};

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::schema;
use wanhu_core::domain::value::Value;

use super::change::{Change, Fields, Reading, Rights};
use super::register::{Listed, by_head, households};
use super::*;
use crate::import::profile::Kind;
use crate::import::rows::read_rows;
use crate::import::tests::{identity, read};

const VILLAGE: u64 = 431_022_208_217;
const BOTH: Rights = Rights { facts: true, decision: true };

fn profile() -> &'static Profile {
    Profile::of(Kind::Campaign).unwrap()
}

fn listed(text: &str) -> (Vec<Listed>, Vec<Remark>) {
    let (rows, faults, _) = read_rows(&read(text.as_bytes()).unwrap(), profile()).unwrap();
    assert_eq!(faults, []);
    households(rows)
}

fn row_numbers(households: &[Listed]) -> Vec<Vec<u32>> {
    households.iter().map(|household| household.rows.iter().map(|row| row.row).collect()).collect()
}

/// What the one household of a register makes of a record.
fn change(text: &str, record: &Facts, rights: Rights) -> Change {
    let table = read(text.as_bytes()).unwrap();
    let rows = Rows::new(&table, profile()).unwrap();
    let fields = Fields::of(profile(), rows.header());
    let (households, remarks) = listed(text);
    assert_eq!((households.len(), remarks), (1, vec![]));
    let key = PersonKey::new([7; 32]);
    let today = "2024-06-20".parse().unwrap();
    Reading { fields: &fields, key: &key, reason: "两摸底", today }.change(
        record,
        &households[0],
        rights,
    )
}

fn said(change: &Change) -> Vec<(u32, Said, String)> {
    let remarks = change.said.remarks().into_iter();
    remarks.map(|remark| (remark.row, remark.said, remark.column.to_string())).collect()
}

fn set(edit: &RecordEdit) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_text().unwrap().to_owned();
    let fields = edit.fields.iter();
    fields
        .map(|f| (format!("{}.{}", f.container, f.key), text(f.value.as_ref().unwrap())))
        .collect()
}

#[test]
fn rows_of_a_household_come_together_in_any_order() {
    let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(identity);
    let (households, remarks) = listed(&format!(
        "户编号,户主姓名,姓名,与户主关系,证件号码,户主证件号码,行政村\n\
         7,,乙,之子,{b},,福岭村\n\
         ,,丙,之妻,{c},{d},福岭村\n\
         7,,甲,户主,{a},,福岭村\n\
         ,,丁,户主,{d},{d},福岭村\n\
         ,,戊,之女,{e},,福岭村\n"
    ));
    assert_eq!(row_numbers(&households), [vec![4, 2], vec![5, 3]], "the head first");
    assert!(households.iter().all(|household| household.has_head));
    assert_eq!(remarks, [Remark::on(6, Said::HouseholdUnclear)]);
}

#[test]
fn heads_of_one_name_are_told_apart_by_village_and_two_heads_are_none() {
    let [a, b, c, d] = [1, 2, 3, 4].map(identity);
    let (households, remarks) = listed(&format!(
        "户编号,户主姓名,姓名,证件号码,行政村\n,甲,甲,{a},福岭村\n,甲,甲,{b},双溪村\n\
         9,乙,乙,{c},福岭村\n9,丙,丙,{d},福岭村\n"
    ));
    assert_eq!(row_numbers(&households), [[2], [3]]);
    assert_eq!(remarks, [4, 5].map(|row| Remark::on(row, Said::TwoHeads)));
}

#[test]
fn whoever_the_file_lists_in_two_households_is_taken_in_neither() {
    let [a, b, c] = [1, 2, 3].map(identity);
    let (households, remarks) = listed(&format!(
        "户编号,姓名,与户主关系,证件号码\n1,甲,户主,{a}\n1,乙,之子,{b}\n2,丙,户主,{c}\n2,乙,之子,{b}\n"
    ));
    assert_eq!(row_numbers(&households), [[2], [4]]);
    assert_eq!(remarks, [3, 5].map(|row| Remark::on(row, Said::ListedTwice)));
}

#[test]
fn a_month_of_identification_is_read_as_its_first_day() {
    let one = identity(1);
    for (written, day) in [
        ("2019年11月", "2019-11-01"),
        ("201911", "2019-11-01"),
        ("2019-11", "2019-11-01"),
        ("2019-11-23", "2019-11-23"),
    ] {
        let text = format!("姓名,证件号码,识别时间\n甲,{one},{written}\n");
        let (households, _) = listed(&text);
        assert_eq!(
            super::register::text(&households[0].rows[0], "identified_on"),
            day,
            "{written}"
        );
    }
}

#[test]
fn a_register_of_households_names_the_head_alone() {
    let one = identity(1);
    let table = read(format!("户主姓名,户主身份证号,村\n甲,{one},福岭村\n").as_bytes()).unwrap();
    assert!(Rows::new(&table, profile()).is_err());
    let (rows, ..) = read_rows(&table, &by_head(profile())).unwrap();
    let (households, _) = households(rows);
    let head = households[0].head().unwrap();
    assert_eq!((head.name.as_str(), head.identity.as_ref().unwrap().as_str()), ("甲", &*one));
}

#[test]
fn a_household_that_is_new_is_written_whole_with_its_case() {
    let [a, b] = [1, 2].map(identity);
    let text = format!(
        "户编号,姓名,与户主关系,证件号码,监测对象类别,主要风险类型,识别时间,风险是否消除,联系电话\n\
         7,乙,长子,{b},边缘户,因病、缺劳力,2023.3.5,否,\n\
         7,甲,户主,{a},边缘户,因病、缺劳力,2023.3.5,否,13800000000\n"
    );
    let change = change(&text, &Facts::of(VILLAGE), BOTH);
    let facts = set(&change.facts);
    let expected = ["class.risk_1", "class.risk_2", "basic.head_name", "basic.phone"];
    let values = expected.map(|field| facts[field].as_str());
    assert_eq!(values, ["illness", "lack_of_labour", "甲", "13800000000"]);
    assert_eq!(facts.keys().filter(|key| key.ends_with(".identity_number")).count(), 2);
    let relations = facts.iter().filter(|(key, _)| key.ends_with(".relation"));
    let relations: BTreeSet<_> = relations.map(|(_, code)| code.as_str()).collect();
    assert_eq!(relations, BTreeSet::from(["head", "son"]));
    let case = set(&change.case);
    assert_eq!(case["case.channel"], "inspection");
    assert_eq!(case["case.identified_on"], "2023-03-05");
    assert_eq!(case["class.monitored_kind"], "marginal");
    let step = &change.case.new_rows[0].fields;
    assert!(step.contains(&("reason".to_owned(), "两摸底".into()).into()));
    assert!(step.contains(&("state".to_owned(), "monitored".into()).into()));
    assert_eq!(said(&change), [2, 3].map(|row| (row, Said::Taken, String::new())));
}

#[test]
fn what_the_record_says_otherwise_stays_and_is_told() {
    let one = identity(1);
    let record = Facts::of(VILLAGE)
        .with("basic", "head_name", "甲")
        .with("basic", "phone", "13900000000")
        .with("class", "risk_1", "illness")
        .with_row(
            "members",
            "m",
            &[("name", "甲".into()), ("identity_number", one.as_str().into())],
        );
    let text = format!(
        "户编号,姓名,与户主关系,证件号码,主要风险类型,联系电话,性别\n7,甲,户主,{one},因学,13800000000,男\n"
    );
    let change = change(&text, &record, BOTH);
    let facts = set(&change.facts);
    let keys: Vec<_> = facts.keys().map(String::as_str).collect();
    assert_eq!(keys, ["basic.household_number", "members.m.relation", "members.m.sex"]);
    let differs = |column: &str| (2, Said::Differs, column.to_owned());
    let taken = (2, Said::Taken, String::new());
    assert_eq!(said(&change), [taken, differs("主要风险类型"), differs("联系电话")]);
}

#[test]
fn a_name_without_number_is_a_proposal_and_a_namesake_somebody_has_to_look_at() {
    let [a, b] = [1, 2].map(identity);
    let record = Facts::of(VILLAGE)
        .with_row("members", "m", &[("name", "甲".into()), ("identity_number", a.as_str().into())])
        .with_row("members", "n", &[("name", "乙".into())]);
    let text =
        format!("户编号,姓名,与户主关系,证件号码\n7,甲,户主,{a}\n7,乙,配偶,{b}\n7,丙,之子,\n");
    let change = change(&text, &record, BOTH);
    let ends = [(2, Said::Taken), (3, Said::SameName), (4, Said::Proposal)];
    let told: Vec<_> = said(&change).into_iter().map(|(row, said, _)| (row, said)).collect();
    assert_eq!(told, ends);
    assert!(!set(&change.facts).values().any(|value| value == "乙" || value == "丙"));
}

#[test]
fn each_office_does_its_own_part() {
    let one = identity(1);
    let text = format!(
        "姓名,与户主关系,证件号码,监测对象类别,识别时间\n甲,户主,{one},边缘户,2023-03-05\n"
    );
    let new = Facts::of(VILLAGE);
    let township = change(&text, &new, Rights { facts: true, decision: false });
    assert!(township.case.new_rows.is_empty() && !township.facts.fields.is_empty());
    assert!(said(&township).iter().any(|(_, said, _)| *said == Said::CaseForCounty));
    let county = change(&text, &new, Rights { facts: false, decision: true });
    assert!(county.facts.fields.is_empty() && !county.case.new_rows.is_empty());
    assert_eq!(said(&county)[0].1, Said::Taken, "its case is carried over");
    let plain = format!("姓名,与户主关系,证件号码\n甲,户主,{one}\n");
    let county = change(&plain, &new, Rights { facts: false, decision: true });
    assert_eq!(said(&county)[0].1, Said::FactsForTownship);
}

#[test]
fn a_case_is_carried_over_only_where_the_register_says_enough() {
    let one = identity(1);
    let case = |cells: &str, record: &Facts| {
        let text = format!(
            "姓名,与户主关系,证件号码,监测对象类别,识别时间,风险是否消除\n甲,户主,{one},{cells}\n"
        );
        let change = change(&text, record, BOTH);
        let notes = said(&change).into_iter().map(|(_, said, _)| said);
        let notes: Vec<_> =
            notes.filter(|said| !matches!(said, Said::Taken | Said::Known)).collect();
        (!change.case.new_rows.is_empty(), notes)
    };
    let new = Facts::of(VILLAGE);
    assert_eq!(case(",2023-03-05,", &new), (false, vec![Said::KindMissing]));
    assert_eq!(case("边缘户,,", &new), (false, vec![Said::DateMissing]));
    assert_eq!(case("边缘户,2024-06-21,", &new), (false, vec![Said::DateMissing]), "to come");
    assert_eq!(case("边缘户,1923-03-05,", &new), (false, vec![Said::DateMissing]), "mistyped");
    assert_eq!(case("边缘户,2014-03-05,", &new), (true, vec![]));
    assert_eq!(case("边缘户,2024-06-20,", &new), (true, vec![]));
    assert_eq!(case("边缘户,2023-03-05,是", &new), (true, vec![Said::ToClose]));
    assert_eq!(case(",,", &new), (false, vec![]));
    let step = |id: &str, state: &str, after: &str, facts: Facts| {
        facts.with_row("steps", id, &[("state", state.into()), ("after", after.into())])
    };
    let clue = step("a", "clue", "", new.clone());
    assert_eq!(case("边缘户,2023-03-05,", &clue), (false, vec![Said::CaseUnderWay]));
    let open = step("a", "monitored", "", new.with("class", "monitored_kind", "sudden"));
    assert_eq!(case("边缘户,2023-03-05,否", &open), (false, vec![Said::Differs]));
    assert_eq!(case("突发困难户,2023-03-05,已消除", &open), (false, vec![Said::ToClose]));
}

#[test]
fn everything_that_is_said_has_its_words() {
    for said in Said::ALL {
        let words = schema::words(said.list(), said.code()).unwrap();
        assert!(!words.zh.is_empty() && !words.en.is_empty());
    }
}

#[test]
fn every_risk_of_a_cell_is_taken_or_it_is_said_that_one_was_not() {
    let one = identity(1);
    let told = |cell: &str| {
        let text =
            format!("户编号,姓名,与户主关系,证件号码,风险类型\n7,甲,户主,{one},\"{cell}\"\n");
        let change = change(&text, &Facts::of(VILLAGE), BOTH);
        let risks = set(&change.facts).into_iter().filter(|(key, _)| key.contains(".risk_"));
        let said = said(&change).into_iter().map(|(_, said, _)| said);
        let said = said.filter(|said| *said != Said::Taken).collect::<Vec<_>>();
        (risks.map(|(_, risk)| risk).collect::<Vec<_>>().join(" "), said)
    };
    for (cell, risks, remarks) in [
        ("因病因残", "illness disability", vec![]),
        ("因病、因残因学", "illness disability schooling", vec![]),
        ("因病,其他原因", "illness other", vec![]),
        ("缺劳动力;住房不安全", "lack_of_labour housing", vec![]),
        ("水灾", "disaster", vec![]),
        ("病残", "illness", vec![Said::RiskUnknown]),
        ("因病非因残", "illness", vec![Said::RiskUnknown]),
        ("非因病因残", "disability", vec![Said::RiskUnknown]),
        ("因病、因懒", "illness", vec![Said::RiskUnknown]),
        (
            "因病因残因学因灾务工缺水",
            "illness disability schooling disaster",
            vec![Said::RiskUnknown],
        ),
        (
            "病,残,学,灾,事故,务工",
            "illness disability schooling disaster accident",
            vec![Said::RisksLeft],
        ),
    ] {
        assert_eq!(told(cell), (risks.to_owned(), remarks), "{cell}");
    }
}
