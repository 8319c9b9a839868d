//! What a list may leave out, or say in its own way, and its rows are taken all the same; and what is said of it.

use wanhu_core::domain::value::Value;

use super::rows::{medical, rows_of, value};
use super::*;
use crate::import::header::{Header, HeaderError};
use crate::import::outcome::FaultCode;
use crate::import::profile::{Kind, Profile};
use crate::import::rows::{Rows, read_rows};

#[test]
fn a_bill_with_a_night_between_admission_and_discharge_is_of_a_stay() {
    let told = |header: &str, cells: &str| {
        let text =
            format!("姓名,身份证号码,总费用,自付,{header}\n甲,{},9,5,{cells}\n", identity(1));
        let (rows, faults, _) = rows_of(Kind::Medical, &text);
        assert_eq!(faults, [], "{text}");
        let remarks: Vec<_> = rows[0]
            .remarks
            .iter()
            .map(|said| (said.row, said.code, said.column.to_string()))
            .collect();
        (value(&rows[0], "inpatient"), remarks)
    };
    let unclear = |column: &str| (None, vec![(2, FaultCode::StayUnclear, column.to_owned())]);
    let stay = (Some(true.into()), vec![]);
    let days = "入院日期,出院日期";
    assert_eq!(told(days, "2020-01-01,2020-01-02"), stay);
    assert_eq!(told(days, "2020-01-01,2020-01-01"), unclear(""));
    assert_eq!(told(days, "2020-01-01,"), unclear(""));
    assert_eq!(told("就诊日期,结算日期", "2020-01-01,2020-01-09"), unclear(""), "settled later");
    let with_kind = "入院日期,出院日期,医疗类别";
    assert_eq!(told(with_kind, "2020-01-01,2020-01-09,"), stay);
    assert_eq!(told(with_kind, "2020-01-01,,"), unclear("医疗类别"));
    assert_eq!(told(with_kind, "2020-01-01,,住院"), stay);
    assert_eq!(told(with_kind, "2020-01-01,2020-01-09,门诊"), (Some(false.into()), vec![]));
    // What a file leaves to be told is what another writes down.
    let key = |header: &str, cells: &str| {
        let text =
            format!("姓名,身份证号码,总费用,自付,{header}\n甲,{},9,5,{cells}\n", identity(1));
        rows_of(Kind::Medical, &text).0[0].key
    };
    let said = key(with_kind, "2020-01-01,2020-01-09,住院");
    assert_eq!(key(days, "2020-01-01,2020-01-09"), said);
}

#[test]
fn a_note_says_what_amounts_count_whose_headings_do_not() {
    let head = "姓名,身份证号码,住院/门诊,入院日期,总费用,自付(元)";
    let line = format!("甲,{},住院,2020-01-01,5,3", identity(1));
    let amounts = |text: &str| {
        let (rows, faults, _) = rows_of(Kind::Medical, text);
        assert_eq!(faults, [], "{text}");
        (value(&rows[0], "total_fen").unwrap(), value(&rows[0], "self_pay_fen").unwrap())
    };
    let (yuan, myriads) = ((500.into(), 300.into()), (5_000_000.into(), 300.into()));
    for (note, expected) in [
        ("单位:万元", myriads.clone()),
        ("单位：（万元）", myriads.clone()),
        ("医疗费用明细表  金额单位 : 万 元", myriads.clone()),
        ("医疗费用明细表,,,,,,,单位:万元", myriads.clone()),
        ("医疗费用明细(万元)", myriads.clone()),
        ("医疗费用明细,,,,,单位:,万元", myriads.clone()),
        ("金额:万元", myriads.clone()),
        ("住院费用超万元人员名单", yuan.clone()),
        ("填报单位:医保局", yuan.clone()),
        ("家庭收入(单位:元)", yuan),
    ] {
        assert_eq!(amounts(&format!("{note}\n{head}\n{line}\n")), expected, "{note}");
    }
    assert_eq!(amounts(&format!("{head}\n,,,,,单位:万元\n{line}\n")), myriads, "right below");
    let two = "姓名,身份证号码,住院/门诊,时间,费用,自付(元)\n,,,,,单位:万元\n,,,入院日期,总费用,";
    assert_eq!(amounts(&format!("{two}\n{line}\n")), myriads, "between");
    let head = "姓名,身份证号码,住院/门诊,入院日期";
    let group = format!("{head},医疗费用(万元),,家庭收入(元),\n,,,,总费用,自付(元),工资,其他");
    assert_eq!(amounts(&format!("{group}\n{line}\n")), myriads, "of the group");
    let below = format!("{head},总费用,自付\n,,,,(万元),元");
    assert_eq!(amounts(&format!("{below}\n{line}\n")), myriads, "of each");
    let head = "姓名,身份证号码,住院/门诊,入院日期,总费用,自付(元)";
    let heading_alone = format!("存款(单位:万元),{head}\n9,{line}\n");
    assert_eq!(amounts(&heading_alone).0, 500.into(), "another heading's unit");
    let (_, _, summary) = rows_of(Kind::Medical, &format!("{head}\n单位:万元\n{line}\n"));
    assert_eq!((summary.headings, summary.taken, summary.rows), (2, 1, 3));
    let both = format!("单位:万元\n单位:元\n{head}\n{line}\n");
    let error = read_rows(&read(both.as_bytes()).unwrap(), medical()).unwrap_err();
    assert_eq!(error, HeaderError::UnitTwice);
}

/// What a row of a list says in a field, and which of its cells were left out.
fn said(kind: Kind, header: &str, cells: &str, field: &str) -> (Option<Value>, Vec<String>) {
    let text = format!("姓名,身份证号码,{header}\n甲,{},{cells}\n", identity(1));
    let (rows, faults, _) = rows_of(kind, &text);
    assert_eq!(faults, [], "{text}");
    let left = rows[0].remarks.iter().filter(|said| said.code == FaultCode::CellLeftOut);
    (value(&rows[0], field), left.map(|said| said.column.to_string()).collect())
}

#[test]
fn what_no_record_takes_is_left_out_and_not_kept_from_the_record_with_all_the_rest() {
    let months = |cells: &str| said(Kind::Employment, "务工区域,务工月数", cells, "work_months");
    assert_eq!(months("省外,12"), (Some(12.into()), vec![]));
    for cells in ["省外,24个月", "省外,13", "省外,-1"] {
        assert_eq!(months(cells), (None, vec!["务工月数".to_owned()]), "{cells}");
    }
}

#[test]
fn what_is_written_in_its_own_way_is_read() {
    let allowance = "保障类别,金额,起始年月,终止年月,保障人数";
    for (kind, header, cells, field, expected) in [
        (Kind::Disability, "残疾类别,残疾等级,有效期至", "肢体,一级,长期", "expires_on", None),
        (
            Kind::Disaster,
            "灾种,受灾日期,损失,倒塌房屋",
            "山洪,2020-06-10,8,2间",
            "houses_damaged",
            Some(2.into()),
        ),
        (
            Kind::Disaster,
            "灾种,受灾日期,损失",
            "山洪,2020年6月,8",
            "from",
            Some("2020-06-01".into()),
        ),
        (Kind::School, "学段,入学时间", "小学,2026年9月", "from", Some("2026-09-01".into())),
        (Kind::CivilAffairs, allowance, "低保,350,202503,,2人", "persons", Some(2.into())),
        (
            Kind::CivilAffairs,
            allowance,
            "低保,350元/月,202503,,2",
            "amount_fen",
            Some(35_000.into()),
        ),
        (
            Kind::CivilAffairs,
            allowance,
            "低保,350,2025.3.1至今,,2",
            "from",
            Some("2025-03-01".into()),
        ),
        (Kind::CivilAffairs, allowance, "低保,350,202503,2025.3.1至今,2", "to", None),
        (Kind::Medical, "入院日期,出院日期,总费用,自付", "2020-01-01,至今,9,5", "to", None),
    ] {
        assert_eq!(said(kind, header, cells, field), (expected, vec![]), "{kind:?} {cells}");
    }
}

#[test]
fn a_cell_that_nobody_needs_costs_itself_and_not_its_row() {
    let losses = "灾种,受灾日期,损失,倒塌房屋";
    let long = "长".repeat(300);
    for (kind, header, cells, (field, expected), column) in [
        (
            Kind::Disaster,
            losses,
            "山洪,2020-06-10,8,两间",
            ("total_fen", Some(800.into())),
            "倒塌房屋",
        ),
        (
            Kind::Employment,
            "务工区域,务工月数",
            "广东省深圳市,8个月",
            ("work_months", Some(8.into())),
            "务工区域",
        ),
        (
            Kind::Employment,
            "务工区域,务工月数",
            "省外,半年",
            ("work_area", Some("elsewhere".into())),
            "务工月数",
        ),
        (
            Kind::Disability,
            "残疾类别,残疾等级,发证日期",
            "肢体,一级,去年",
            ("disability_grade", Some("grade_1".into())),
            "发证日期",
        ),
        (
            Kind::Medical,
            "医疗类别,入院日期,总费用,自付,医院",
            &format!("住院,2020-01-01,9,5,{long}"),
            ("self_pay_fen", Some(500.into())),
            "医院",
        ),
        (
            Kind::Medical,
            "医疗类别,入院日期,总费用,自付,行政村",
            "住院,2020-01-01,9,5,福\u{FFFD}村",
            ("self_pay_fen", Some(500.into())),
            "行政村",
        ),
        // Its cell is read for two fields, and told of once.
        (Kind::School, "学段,学费", "大三,9", ("total_fen", Some(900.into())), "学段"),
    ] {
        let told = said(kind, header, cells, field);
        assert_eq!(told, (expected, vec![column.to_owned()]), "{kind:?} {cells}");
    }
}

#[test]
fn a_cell_without_which_a_rule_would_read_something_else_holds_its_row_back() {
    let faulty = |kind, header: &str, cells: &str| {
        let (_, faults, _) =
            rows_of(kind, &format!("姓名,身份证号码,{header}\n甲,{},{cells}\n", identity(1)));
        faults.first().map(|fault| (fault.code, fault.column.to_string()))
    };
    // Without it a rule would make something else of the bill.
    let bill = "医疗类别,入院日期,总费用,医疗救助,自付";
    let fault = |code, column: &str| Some((code, column.to_owned()));
    assert_eq!(
        faulty(Kind::Medical, bill, "住院,2020-01-01,9,约1,5"),
        fault(FaultCode::AmountMalformed, "医疗救助")
    );
    assert_eq!(
        faulty(Kind::Medical, bill, "特殊,2020-01-01,9,1,5"),
        fault(FaultCode::CodeUnknown, "医疗类别")
    );
    assert_eq!(
        faulty(Kind::School, "学段,学费", "小学,350元/月"),
        fault(FaultCode::AmountMalformed, "学费")
    );
    assert_eq!(
        faulty(Kind::Disability, "残疾类别,残疾等级", "肢体,很重"),
        fault(FaultCode::CodeUnknown, "残疾等级")
    );
}

#[test]
fn headings_of_another_kind_are_recognised() {
    let better = |kind: Kind, header: &str| {
        let table = read(format!("姓名,身份证号码,{header}\n").as_bytes()).unwrap();
        let profile = Profile::of(kind).unwrap();
        Header::find(&table, profile).unwrap().better_kind(&table, profile)
    };
    let bills = "医疗类别,入院日期,出院日期,总费用,医保报销,个人自付";
    assert_eq!(better(Kind::School, bills), Some(Kind::Medical));
    assert_eq!(better(Kind::School, "入院日期,总费用,自付"), Some(Kind::Medical));
    assert_eq!(better(Kind::Medical, bills), None);
    for (kind, header) in [
        (Kind::School, "学段,总费用,自付"),
        (Kind::School, "开始日期,总费用,资助金额,自付"),
        (Kind::School, "学段"),
        (Kind::Insurance, "是否参保,大病保险"),
        (Kind::Employment, "务工月数"),
        (Kind::CivilAffairs, "类型,发放金额"),
    ] {
        assert_eq!(better(kind, header), None, "{kind:?} {header}");
    }
}

#[test]
fn columns_that_mean_nothing_are_named() {
    let text = format!(
        "序号,姓名,身份证号码,入院日期,总费用,自付,备 注,卡号\n1,甲,{},2020-01-01,9,5,,7\n",
        identity(1)
    );
    let table = read(text.as_bytes()).unwrap();
    let rows = Rows::new(&table, medical()).unwrap();
    let unused: Vec<_> = rows.unused().map(|fault| (fault.row, fault.column.to_string())).collect();
    assert_eq!(unused, [(1, "备 注".to_owned()), (1, "卡号".to_owned())]);
}

#[test]
fn a_table_without_anything_to_tell_is_none() {
    for kind in [Kind::School, Kind::Employment] {
        let table =
            read(format!("姓名,身份证号码,备注\n甲,{},x\n", identity(1)).as_bytes()).unwrap();
        let error = read_rows(&table, Profile::of(kind).unwrap()).unwrap_err();
        assert!(matches!(error, HeaderError::ColumnsMissing { .. }), "{kind:?} {error}");
    }
}

#[test]
fn two_encodings_in_one_file_are_named() {
    let (line, _, _) =
        encoding_rs::GBK.encode("\n文秀芬,骨折住院治疗费用\n周长根,慢性肾病住院费用\n");
    let mixed = [("姓名,诊断名称").as_bytes(), &line].concat();
    assert!(matches!(read(&mixed), Err(TableError::MixedEncodings)));
    assert!(read(&line).is_ok());
}
