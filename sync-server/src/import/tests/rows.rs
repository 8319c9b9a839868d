//! Rows are taken whole, or are faults with a reason, or are skipped; and each is one of them.

use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::GBK;
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema;
use wanhu_core::domain::value::Value;

use super::*;
use crate::import::header::HeaderError;
use crate::import::outcome::{DepartmentRow, Fault, FaultCode, Outcome, Summary};
use crate::import::profile::{Kind, Profile, ProfileError};
use crate::import::report;
use crate::import::rows::{Rows, read_rows};

pub(super) fn medical() -> &'static Profile {
    Profile::of(Kind::Medical).unwrap()
}

pub(super) fn rows_of(kind: Kind, text: &str) -> (Vec<DepartmentRow>, Vec<Fault>, Summary) {
    read_rows(&read(text.as_bytes()).unwrap(), Profile::of(kind).unwrap()).unwrap()
}

pub(super) fn value(row: &DepartmentRow, field: &str) -> Option<Value> {
    row.values.iter().find(|(known, _)| &**known == field).map(|(_, value)| value.clone())
}

/// A sheet with titles, a header that is repeated, a line of totals, and dates and amounts in many forms.
fn sheet_of_bills(one: &str, two: &str) -> Vec<u8> {
    xlsx(|book| {
        let sheet = book.add_worksheet();
        let (plain, day) = (Format::new(), Format::new().set_num_format("yyyy-mm-dd"));
        sheet.merge_range(0, 0, 0, 8, "桂阳县2020年医疗费用明细表", &plain).unwrap();
        sheet.write(1, 0, "填报单位:医保局").unwrap();
        let header = [
            "序号",
            "*姓 名",
            "身份证号(码)",
            "住院/门诊",
            "诊断",
            "入院日期",
            "总费用(元)",
            "自付",
            "行政村",
        ];
        for row in [2, 6] {
            for (column, title) in (0..).zip(header) {
                sheet.write(row, column, title).unwrap();
            }
        }
        for (row, texts) in [
            (
                3,
                [
                    "1",
                    "陈　永昌",
                    one,
                    "住院",
                    "肺恶性肿瘤",
                    "",
                    "１２，０００．５０",
                    "1.2万",
                    "福岭村",
                ],
            ),
            (4, ["2", "李秀英", two, "门诊慢特病", "感冒", "2020年3月1日", "￥800", "0", ""]),
            (7, ["3", "王五", "4.31022E+17", "住院", "", "2020/3/2", "1", "1", ""]),
            (8, ["合计", "", "", "", "", "", "12800.5", "12000", ""]),
        ] {
            for (column, text) in (0..).zip(texts) {
                sheet.write(row, column, text).unwrap();
            }
        }
        let first = ExcelDateTime::from_ymd(2020, 2, 1).unwrap();
        sheet.write_with_format(3, 5, first, &day).unwrap();
    })
}

#[test]
fn a_sheet_of_bills_as_the_bureau_makes_it() {
    let (one, two) = (identity(1), identity(2));
    let bytes = sheet_of_bills(&one, &two);
    let table = read(&bytes).unwrap();
    let (rows, faults, summary) = read_rows(&table, medical()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].row, rows[0].name.as_str()), (4, "陈永昌"));
    assert_eq!(rows[0].identity.as_ref().unwrap().as_str(), one);
    assert_eq!(rows[0].village.as_deref(), Some("福岭村"));
    let fields: Vec<(&str, Value)> =
        rows[0].values.iter().map(|(field, value)| (&**field, value.clone())).collect();
    let expected: [(&str, Value); 5] = [
        ("disease", "cancer".into()),
        ("from", "2020-02-01".into()),
        ("inpatient", true.into()),
        ("self_pay_fen", 1_200_000.into()),
        ("total_fen", 1_200_050.into()),
    ];
    assert_eq!(fields, expected);
    assert_eq!(value(&rows[1], "inpatient"), Some(false.into()));
    assert_eq!(value(&rows[1], "disease"), Some("other".into()));
    assert_eq!(value(&rows[1], "from"), Some("2020-03-01".into()));
    let fault =
        Fault { row: 8, column: "身份证号(码)".into(), code: FaultCode::IdentityScientific };
    assert_eq!(faults, [fault]);
    let counted = (
        summary.rows,
        summary.taken,
        summary.headings,
        summary.repeated_headers,
        summary.total_lines,
    );
    assert_eq!(counted, (8, 2, 3, 1, 1));
}

#[test]
fn every_fault_has_words_and_a_row_that_shows_it() {
    let (one, two) = (identity(1), identity(2));
    let head = "姓名,身份证号码,住院/门诊,入院日期,总费用,自付,医院\n";
    let long = "长".repeat(300);
    let wrong_check = format!("{}{}", &one[..17], if one.ends_with('1') { '2' } else { '1' });
    let good = format!("甲,{one},住院,2020-01-01,1,1,x");
    let mut seen = BTreeSet::new();
    for (line, code, column) in [
        (format!(",{one},住院,2020-01-01,1,1,"), FaultCode::NameMissing, "姓名"),
        ("甲,,住院,2020-01-01,1,1,".into(), FaultCode::IdentityMissing, "身份证号码"),
        ("甲,123,住院,2020-01-01,1,1,".into(), FaultCode::IdentityMalformed, "身份证号码"),
        (format!("甲,{wrong_check},住院,2020-01-01,1,1,"), FaultCode::IdentityCheck, "身份证号码"),
        ("甲,4.31022E+17,住院,2020-01-01,1,1,".into(), FaultCode::IdentityScientific, "身份证号码"),
        (
            format!("甲,{two},住院,2020-01-01,1,1,\n乙,{two},住院,2020-01-01,1,1,"),
            FaultCode::IdentityTwoNames,
            "身份证号码",
        ),
        (format!("甲,{one},住院,1月1日,1,1,"), FaultCode::DayMalformed, "入院日期"),
        (format!("甲,{one},住院,2020-01-01,约1,1,"), FaultCode::AmountMalformed, "总费用"),
        (format!("甲,{one},住院,2020-01-01,1,-1,"), FaultCode::AmountNegative, "自付"),
        (format!("甲,{one},住院,2020-01-01,1,1.01,"), FaultCode::SelfPayAboveTotal, "自付"),
        (format!("甲,{one},不住院,2020-01-01,1,1,"), FaultCode::CodeUnknown, "住院/门诊"),
        (format!("甲,{one},住院,2020-01-01,/,1,"), FaultCode::ValueMissing, "总费用"),
        (format!("{long},{one},住院,2020-01-01,1,1,"), FaultCode::TextTooLong, "姓名"),
        (format!("甲\u{FFFD},{one},住院,2020-01-01,1,1,"), FaultCode::TextDamaged, "姓名"),
        (format!("{good}\n{good}"), FaultCode::DuplicateRow, ""),
        (format!("甲,{one},住院,2020-01-01,1,1,{}", "x".repeat(40_000)), FaultCode::RowTooLong, ""),
        (format!("甲,\"{one},住院,2020-01-01,1,1,\n{good}"), FaultCode::QuoteOpen, ""),
    ] {
        let (_, faults, _) = rows_of(Kind::Medical, &format!("{head}{line}\n"));
        let first = faults.first().map(|fault| (fault.code, &*fault.column));
        assert_eq!(first, Some((code, column)), "{line:.80}");
        seen.insert(code);
    }
    // What is a number is needed by no list but an own one, where it is required.
    let own = include_str!("../../../profiles/employment.toml");
    let months = "\"务工月份数\"]\n";
    assert!(own.contains(months));
    let own = Profile::parse(&own.replace(months, &format!("{months}required = true\n"))).unwrap();
    let table = read(format!("姓名,身份证号,务工月数\n甲,{one},半年\n").as_bytes()).unwrap();
    seen.extend(read_rows(&table, &own).unwrap().1.iter().map(|fault| fault.code));
    // Those are found when a row is matched with the records, or with the calendar, or in a workbook, and are tested there.
    seen.extend([
        FaultCode::AmountMerged,
        FaultCode::DayInFuture,
        FaultCode::DayLongPast,
        FaultCode::EndsBeforeBegin,
        FaultCode::PersonUnknown,
        FaultCode::PersonLeft,
        FaultCode::PersonTwice,
        FaultCode::NameDiffers,
        FaultCode::OutsideArea,
        FaultCode::RecordOutOfUse,
    ]);
    // Those are of rows that are taken.
    seen.extend([FaultCode::StayUnclear, FaultCode::CellLeftOut, FaultCode::ColumnUnused]);
    assert_eq!(seen, BTreeSet::from(FaultCode::ALL));
    for code in FaultCode::ALL {
        let words = schema::words("import_fault", code.code()).unwrap();
        assert!(!words.zh.is_empty() && !words.en.is_empty());
    }
}

#[test]
fn bills_that_cannot_be_are_named_by_what_is_wrong_with_them() {
    let one = identity(1);
    let read_on = |header: &str, line: &str| {
        let table = read(format!("{header}\n{line}\n").as_bytes()).unwrap();
        let rows = Rows::new(&table, medical()).unwrap().on("2024-03-04".parse().unwrap());
        let mut rows = rows;
        rows.nth(1).unwrap()
    };
    let header = "姓名,身份证号码,入院日期,出院日期,总费用,自付";
    for (line, code, column) in [
        ("2024-03-05,,1,1", FaultCode::DayInFuture, "入院日期"),
        ("2024-03-01,2042-03-03,1,1", FaultCode::DayInFuture, "出院日期"),
        ("1924-03-01,2024-03-03,1,1", FaultCode::DayLongPast, "入院日期"),
        ("2004-03-03,2024-03-03,1,1", FaultCode::DayLongPast, "入院日期"),
        ("2024-03-01,1924-03-03,1,1", FaultCode::DayLongPast, "出院日期"),
        ("2024-03-01,2024-02-29,1,1", FaultCode::EndsBeforeBegin, "出院日期"),
        ("2024-03-01,2024-03-02,100,100.01", FaultCode::SelfPayAboveTotal, "自付"),
        ("2024-03-01,2024-03-02,0,5", FaultCode::SelfPayAboveTotal, "自付"),
    ] {
        let Outcome::Fault(fault) = read_on(header, &format!("甲,{one},{line}")) else {
            panic!("{line}")
        };
        assert_eq!((fault.code, &*fault.column), (code, column), "{line}");
    }
    for line in [
        "2024-03-04,2024-03-04,100,100",
        "2024-03-01,,100,0",
        "2023-12-31,2024-03-04,5,5",
        "2004-03-04,,1,1",
    ] {
        let taken = read_on(header, &format!("甲,{one},{line}"));
        assert!(matches!(taken, Outcome::Taken(_)), "{line}: {taken:?}");
    }
    let rounded = "姓名,身份证号码,入院日期,总费用(万元),自付";
    let taken = read_on(rounded, &format!("甲,{one},2024-03-01,1.2,12049"));
    assert!(matches!(taken, Outcome::Taken(_)), "{taken:?}");
    let slipped = read_on(rounded, &format!("甲,{one},2024-03-01,1.2,120490"));
    let Outcome::Fault(fault) = slipped else { panic!("{slipped:?}") };
    assert_eq!((fault.code, &*fault.column), (FaultCode::SelfPayAboveTotal, "自付"));
    // The next term's fees are paid before it begins.
    let school = "姓名,身份证号,学期开始,总费用,自付\n";
    let (rows, faults, _) =
        rows_of(Kind::School, &format!("{school}甲,{one},2042-09-01,100,100\n"));
    assert_eq!((rows.len(), faults), (1, vec![]));
}

#[test]
fn cells_that_spreadsheets_are_kept_from_reading_as_numbers_are_text() {
    let (one, two) = (identity(1), identity(2));
    let text = format!(
        "姓名,身份证号码,入院日期,总费用,自付\n甲,=\"{one}\",2020-01-01,=\"1\",1\n\"=\"\"乙\"\"\",\"=\"\"{two}\"\"\",2020-01-01,1,1\n"
    );
    let (rows, faults, _) = rows_of(Kind::Medical, &text);
    let read: Vec<_> =
        rows.iter().map(|row| (&*row.name, row.identity.as_ref().unwrap().as_str())).collect();
    assert_eq!((read, faults), (vec![("甲", &*one), ("乙", &*two)], vec![]));
}

#[test]
fn two_people_with_one_number_are_both_held_back() {
    let (one, two) = (identity(1), identity(2));
    let text = format!(
        "姓名,身份证号码,入院日期,总费用,自付\n甲,{one},2020-01-01,1,1\n丙,{two},2020-01-01,1,1\n乙,{one},2020-01-02,2,2\n 甲 ,{one},2020-01-03,3,3\n"
    );
    let (rows, faults, summary) = rows_of(Kind::Medical, &text);
    assert_eq!(rows.iter().map(|row| row.row).collect::<Vec<_>>(), [3]);
    let held: Vec<_> = faults.iter().map(|fault| (fault.row, fault.code)).collect();
    assert_eq!(held, [2, 4, 5].map(|row| (row, FaultCode::IdentityTwoNames)));
    assert_eq!(summary.faulty(), 3);
}

#[test]
fn the_key_follows_the_meaning_alone() {
    let one = identity(1);
    let key = |text: String| rows_of(Kind::Medical, &text).0[0].key;
    let first = key(format!("姓名,身份证号码,入院日期,总费用,自付\n甲,{one},2020-01-01,1200,1\n"));
    let again = key(format!(
        "表\n患者姓名,个人自付,医疗总费用,证件号,就诊日期,备注\n甲,1元,\"1,200.00\",'{one},2020年1月1日,x\n"
    ));
    assert_eq!(first, again);
    for other in [
        format!("乙,{one},2020-01-01,1200,1"),
        format!("甲,{},2020-01-01,1200,1", identity(2)),
        format!("甲,{one},2020-01-02,1200,1"),
        format!("甲,{one},2020-01-01,1201,1"),
    ] {
        assert_ne!(key(format!("姓名,身份证号码,入院日期,总费用,自付\n{other}\n")), first);
    }
}

#[test]
fn headers_are_found_or_what_is_missing_is_named() {
    let find =
        |text: &str| read_rows(&read(text.as_bytes()).unwrap(), medical()).map(|rows| rows.2);
    let missing = |names: &[&str]| {
        let columns = names.iter().map(|name| (*name).to_owned()).collect();
        Err(HeaderError::ColumnsMissing { columns, sheets_left: vec![] })
    };
    assert_eq!(find("姓名,身份证号,入院日期,总费用\n甲,1,2,3\n"), missing(&["自付"]));
    assert_eq!(find("姓名,身份证号\n"), missing(&["入院日期", "自付", "总费用"]));
    assert_eq!(find(""), missing(&["入院日期", "身份证号码", "姓名", "自付", "总费用"]));
    let twice = "姓名,身份证号,入院日期,总费用,自付,自付\n";
    assert_eq!(find(twice), Err(HeaderError::ColumnTwice("自付".into())));
    let one = identity(1);
    let two_rows = format!(
        "姓名,身份证号,时间,费用,\n,,入院日期,总费用(万元),自付\n甲,{one},2020-01-01,1.5,1\n"
    );
    let (rows, _, summary) = rows_of(Kind::Medical, &two_rows);
    assert_eq!((summary.headings, summary.taken), (2, 1));
    assert_eq!(value(&rows[0], "total_fen"), Some(1_500_000.into()));
    assert_eq!(value(&rows[0], "self_pay_fen"), Some(100.into()));
    let late = format!("{}姓名,身份证号,入院日期,总费用,自付\n", "说明,x\n".repeat(20));
    assert!(find(&late).is_err(), "below the rows that are looked at");
}

#[test]
fn where_the_table_may_be_is_named_with_the_columns_that_are_missing() {
    let bytes = xlsx(|book| {
        let notes = book.add_worksheet().set_name("填表说明").unwrap();
        notes.write(0, 0, "请逐行填写").unwrap();
        let table = book.add_worksheet().set_name("明细").unwrap();
        table.write(0, 0, "姓名").unwrap();
    });
    let error = read_rows(&read(&bytes).unwrap(), medical()).unwrap_err();
    let HeaderError::ColumnsMissing { columns, sheets_left } = &error else { panic!("{error}") };
    assert_eq!((columns.len(), sheets_left), (5, &vec!["明细".to_owned()]));
    let told = error.to_string();
    assert!(told.contains("姓名") && told.contains("明细"), "{told}");
}

#[test]
fn a_day_that_is_only_noted_may_be_a_month() {
    for (kind, header, rest, field) in [
        (Kind::Housing, "户主姓名,身份证号,鉴定等级,鉴定日期", "D级,2026.5", "assessed_on"),
        (Kind::Water, "户主姓名,身份证号,是否达标,检测日期", "是,2026年5月", "tested_on"),
        (
            Kind::Disability,
            "姓名,身份证号,残疾类别,残疾等级,发证日期",
            "肢体,二级,2026年05月",
            "issued_on",
        ),
        (
            Kind::Disability,
            "姓名,身份证号,残疾类别,残疾等级,有效期至",
            "肢体,二级,2026-05",
            "expires_on",
        ),
    ] {
        let text = format!("{header}\n甲,{},{rest}\n", identity(1));
        let (rows, faults, _) = rows_of(kind, &text);
        assert_eq!(faults, [], "{header}");
        assert_eq!(value(&rows[0], field), Some("2026-05-01".into()), "{header}");
    }
    // Where the months looked back on begin with it, a day is a day.
    let bill = format!("姓名,身份证号,入院日期,总费用,自付\n甲,{},2026.5,3,1\n", identity(1));
    let (_, faults, _) = rows_of(Kind::Medical, &bill);
    assert_eq!(faults.first().map(|fault| fault.code), Some(FaultCode::DayMalformed));
}

#[test]
fn every_kind_of_table_is_read() {
    let one = identity(1);
    type Case<'c> = (Kind, &'c str, &'c str, &'c [(&'c str, Value)]);
    let cases: [Case<'_>; 8] = [
        (
            Kind::School,
            "学生姓名,学生身份证号,学段,是否辍学,学费,资助金额",
            "职业高中,否,3000,1500",
            &[
                ("school_stage", "vocational".into()),
                ("dropped_out", false.into()),
                ("total_fen", 300_000.into()),
                ("assistance_fen", 150_000.into()),
            ],
        ),
        (
            Kind::CivilAffairs,
            "姓名,身份证号,保障类别,月保障金额,起始年月",
            "农村低保,350.5,202001",
            &[
                ("allowance_kind", "subsistence".into()),
                ("amount_fen", 35_050.into()),
                ("from", "2020-01-01".into()),
            ],
        ),
        (Kind::Disability, "姓名,身份证号,残疾类别,残疾等级", "肢体,贰级", &[]),
        (
            Kind::Disability,
            "姓名,身份证号,残疾类别,残疾等级",
            "肢体残疾,肢体2级",
            &[("disability_kind", "limb".into()), ("disability_grade", "grade_2".into())],
        ),
        (Kind::Housing, "户主姓名,身份证号,鉴定等级", "D", &[("house_danger", "d".into())]),
        (
            Kind::Disaster,
            "户主姓名,身份证号,灾种,受灾时间,直接经济损失(万元)",
            "山体滑坡,2020.7.1,2.5",
            &[
                ("disaster_kind", "geological".into()),
                ("from", "2020-07-01".into()),
                ("total_fen", 2_500_000.into()),
            ],
        ),
        (
            Kind::Water,
            "户主姓名,身份证号,饮水是否安全,水源",
            "不安全,山泉水",
            &[("water_safe", false.into()), ("water_source", "spring".into())],
        ),
        (
            Kind::Insurance,
            "姓名,身份证号,参保状态",
            "正常参保",
            &[("insured_resident", true.into())],
        ),
    ];
    for (kind, head, cells, expected) in cases {
        let (rows, faults, _) = rows_of(kind, &format!("{head}\n甲,{one},{cells}\n"));
        if expected.is_empty() {
            assert_eq!(faults[0].code, FaultCode::CodeUnknown, "{kind:?}");
            continue;
        }
        assert_eq!(faults, [], "{kind:?}");
        for (field, wanted) in expected {
            assert_eq!(value(&rows[0], field).as_ref(), Some(wanted), "{kind:?} {field}");
        }
    }
}

#[test]
fn every_word_for_a_stage_of_school_says_whether_somebody_is_at_school() {
    let profile = Profile::of(Kind::School).unwrap();
    let column = |field: &str| profile.columns.iter().find(|c| &*c.field == field).unwrap();
    let (stage, dropped_out) = (column("school_stage"), column("dropped_out"));
    let mut told = 0;
    for (word, code) in stage.spellings.iter().chain(&stage.parts) {
        let tick = dropped_out.code(word);
        assert_eq!(tick, Some(if code == "not_student" { "yes" } else { "no" }), "{word}");
        told += 1;
    }
    assert!(told > 30);
    assert!(stage.headers.iter().filter(|title| dropped_out.headers.contains(title)).count() > 3);
}

#[test]
fn profiles_are_whole_and_fit_the_record() {
    let kinds: BTreeSet<Kind> = Profile::built_in().iter().map(|profile| profile.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len() + 1, "one of each kind, and that of campaigns");
    let good = include_str!("../../../profiles/medical.toml");
    assert!(Profile::parse(good).is_ok());
    for (from, to, error) in [
        ("\"total_fen\"", "\"totals\"", ProfileError::UnknownField("spending.totals".into())),
        ("\"stroke\"", "\"strokes\"", ProfileError::UnknownCode("disease: strokes".into())),
        (
            "\"门诊\" = \"no\"",
            "\"门诊\" = \"maybe\"",
            ProfileError::UnknownCode("inpatient: maybe".into()),
        ),
        ("\"medical_insurance\"", "\"nobody\"", ProfileError::UnknownDepartment("nobody".into())),
        ("\"总金额\"", "\"姓 名\"", ProfileError::Repeated("姓名".into())),
        ("field = \"to\"\n", "field = \"from\"\n", ProfileError::Repeated("from".into())),
        ("field = \"name\"", "field = \"hospital_name\"\ncontainer = \"\"", ProfileError::NoName),
        ("read = \"day\"", "read = \"number\"", ProfileError::Unfit("from".into())),
    ] {
        assert!(good.contains(from));
        assert_eq!(Profile::parse(&good.replacen(from, to, 1)).err(), Some(error), "{to}");
    }
    assert!(matches!(Profile::parse("kind = 1"), Err(ProfileError::Malformed(_))));
}

#[test]
fn the_report_opens_in_a_spreadsheet_and_names_nobody_whole() {
    let one = identity(1);
    let wrong = format!("{}{}", &one[..17], if one.ends_with('1') { '2' } else { '1' });
    let text = format!(
        "姓名,=身份证号,身份证号,入院日期,总费用,自付\n=HYPERLINK(1),,{wrong},2020-01-01,1,1\n\"陈,永\",,{one},x,1,1\n"
    );
    let (text, _, _) = GBK.encode(&text);
    let table = read(&text).unwrap();
    let (_, faults, summary) = read_rows(&table, medical()).unwrap();
    let household = HouseholdId([7; 16]);
    let proposed = BTreeMap::from([(3, vec![household])]);
    let mut bytes = Vec::new();
    report::write(&mut bytes, &Rows::new(&table, medical()).unwrap(), &faults, &proposed).unwrap();
    assert!(bytes.starts_with(b"\xEF\xBB\xBF"));
    let report = String::from_utf8(bytes).unwrap();
    assert!(!report.contains(&one) && !report.contains(&wrong));
    let mut lines = csv::Reader::from_reader(report.trim_start_matches('\u{FEFF}').as_bytes());
    let lines: Vec<csv::StringRecord> = lines.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), usize::try_from(summary.faulty()).unwrap());
    let masked = |number: &str| format!("{}**********{}", &number[..6], &number[16..]);
    assert_eq!(&lines[0][0], "2");
    assert_eq!(&lines[0][4], "'=HYPERLINK(1)");
    assert_eq!(&lines[0][5], masked(&wrong));
    assert_eq!([&lines[1][1], &lines[1][4], &lines[1][5]], ["入院日期", "陈,永", &masked(&one)]);
    assert!(lines.iter().all(|line| !line[2].is_empty() && !line[3].is_empty()));
    assert_eq!([&lines[0][6], &lines[1][6]], ["", &household.to_string()]);
}

#[test]
fn half_a_million_bad_rows_are_half_a_million_faults() {
    let mut text = String::from("姓名,身份证号码,入院日期,总费用,自付\n");
    for row in 0..500_000u32 {
        let bad = match row % 4 {
            0 => "甲,4.31022E+17,2020-01-01,1,1\n",
            1 => "甲,431022199001010011,2020-01-01,1,1\n",
            2 => ",,,1,\n",
            _ => "甲,x,x,x,x,x,x,x\n",
        };
        text.push_str(bad);
    }
    let table = read(text.as_bytes()).unwrap();
    let (rows, faults, summary) = read_rows(&table, medical()).unwrap();
    assert_eq!((rows.len(), faults.len(), summary.rows), (0, 500_000, 500_001));
    assert_eq!(summary.faults.values().copied().collect::<Vec<_>>(), [125_000; 4]);
    let mut written = 0usize;
    let counter = CountBytes(&mut written);
    report::write(counter, &Rows::new(&table, medical()).unwrap(), &faults, &BTreeMap::new())
        .unwrap();
    assert!(written > 500_000 * 20);
}

struct CountBytes<'c>(&'c mut usize);

impl Write for CountBytes<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        *self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..6u32).prop_map(identity),
        Just(String::new()),
        "[甲乙丙合计]{1,2}",
        "20[12][0-9]-[01]?[0-9]-[0-3]?[0-9]",
        "[0-9]{0,6}(\\.[0-9]{0,3})?(元|万)?",
        "[=+@'\" 姓名,;\n-]{0,6}",
    ]
}

proptest! {
    #[test]
    fn every_row_is_accounted_for(lines in prop::collection::vec(prop::collection::vec(cell(), 5), 0..40)) {
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(["姓名", "身份证号码", "入院日期", "总费用", "自付"]).unwrap();
        for line in &lines {
            text.write_record(line).unwrap();
        }
        let table = read(&text.into_inner().unwrap()).unwrap();
        let (rows, faults, summary) = read_rows(&table, medical()).unwrap();
        let all = usize::try_from(summary.rows).unwrap();
        prop_assert_eq!(all, table.rows().len());
        prop_assert_eq!(u32::try_from(rows.len()).unwrap(), summary.taken);
        prop_assert_eq!(u32::try_from(faults.len()).unwrap(), summary.faulty());
        prop_assert_eq!(summary.taken + summary.faulty() + summary.skipped(), summary.rows);
        let mut numbers: Vec<u32> = rows.iter().map(|row| row.row).chain(faults.iter().map(|fault| fault.row)).collect();
        let before = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), before, "no row is two things");
    }
}
