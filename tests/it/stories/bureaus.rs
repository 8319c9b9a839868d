//! Every bureau's list, from the table as it is sent to the task on the cadre's phone: a row that tells of need warns, one that
//! does not is nobody's trouble.

use super::*;

/// Identity numbers of a couple and their child of ten.
pub(super) const WIFE: &str = "431022197003080028";
const CHILD: &str = "431022201403150020";

/// A lifted family whose every member has a number.
pub(super) fn couple_with_child() -> RecordEdit {
    let mut edit = family();
    for (name, number, relation) in [("文秀芬", WIFE, "配偶"), ("周小", CHILD, "女儿")] {
        let number = format!("members.identity_number={number}");
        let fields =
            [format!("members.name={name}"), format!("members.relation={relation}"), number];
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        edit.new_rows.extend(typed(&fields).new_rows);
    }
    edit
}

/// A list, with a row that tells of need and one that does not, and the rule that the first sets off.
struct List {
    kind: Kind,
    header: Line<'static>,
    need: Line<'static>,
    none: Line<'static>,
    rule: &'static str,
}

const LISTS: [List; 12] = [
    List {
        kind: Kind::Medical,
        header: &["姓名", "身份证号码", "医疗类别", "入院日期", "总费用(元)", "个人自付"],
        need: &["文秀芬", WIFE, "住院", "2024-02-09", "90000", "12000"],
        none: &["文秀芬", WIFE, "住院", "2024-02-09", "900", "120"],
        rule: "medical-self-pay-lifted",
    },
    List {
        kind: Kind::School,
        header: &["学生姓名", "身份证号", "学段", "学年", "就学费用", "资助金额"],
        need: &["周小", CHILD, "小学", "2023-2024学年", "30000", "0"],
        none: &["周小", CHILD, "小学", "2023-2024学年", "300", "0"],
        rule: "schooling-self-pay",
    },
    List {
        kind: Kind::School,
        header: &["学生姓名", "身份证号", "是否辍学", "辍学原因"],
        need: &["周小", CHILD, "是", "厌学"],
        none: &["周小", CHILD, "否", ""],
        rule: "not-at-school",
    },
    List {
        kind: Kind::School,
        header: &["学生姓名", "身份证号", "学段"],
        need: &["周小", CHILD, "辍学"],
        none: &["周小", CHILD, "初中"],
        rule: "not-at-school",
    },
    List {
        kind: Kind::School,
        header: &["学生姓名", "身份证号", "学段", "就读状态"],
        need: &["周小", CHILD, "小学", "疑似辍学"],
        none: &["周小", CHILD, "小学", "在读"],
        rule: "not-at-school",
    },
    List {
        kind: Kind::School,
        header: &["学生姓名", "身份证号", "学段", "辍学原因"],
        need: &["周小", CHILD, "初中", "外出务工"],
        none: &["周小", CHILD, "初中", "无"],
        rule: "not-at-school",
    },
    List {
        kind: Kind::Housing,
        header: &["户主姓名", "身份证号", "鉴定等级"],
        need: &["周长根", NUMBER, "D级"],
        none: &["周长根", NUMBER, "A级"],
        rule: "unsafe-house",
    },
    List {
        kind: Kind::Disaster,
        header: &["户主姓名", "身份证号", "灾害种类", "发生日期", "损失金额(元)"],
        need: &["周长根", NUMBER, "洪涝", "2024-02-20", "8000"],
        none: &["周长根", NUMBER, "洪涝", "2022-02-20", "8000"],
        rule: "disaster",
    },
    List {
        kind: Kind::Accident,
        header: &["姓名", "身份证号", "事故类型", "事故日期", "损失金额(元)"],
        need: &["周长根", NUMBER, "交通事故", "2024-02-20", ""],
        none: &["周长根", NUMBER, "交通事故", "2022-02-20", "8000"],
        rule: "accident",
    },
    List {
        kind: Kind::Water,
        header: &["户主姓名", "身份证号", "饮水是否安全"],
        need: &["周长根", NUMBER, "不安全"],
        none: &["周长根", NUMBER, "安全"],
        rule: "unsafe-water",
    },
    List {
        kind: Kind::Insurance,
        header: &["姓名", "身份证号", "是否参保"],
        need: &["文秀芬", WIFE, "否"],
        none: &["文秀芬", WIFE, "是"],
        rule: "uninsured",
    },
    List {
        kind: Kind::Disability,
        header: &["姓名", "身份证号", "残疾类别", "残疾等级"],
        need: &["文秀芬", WIFE, "肢体", "二级"],
        none: &["文秀芬", WIFE, "肢体", "四级"],
        rule: "",
    },
];

/// Delivers one row. How many households were warned.
fn deliver_row(county: &County, dir: &Path, list: &List, name: &str, row: Line<'_>) -> Json {
    let file = dir.join(format!("{}-{name}.xlsx", list.kind.code()));
    let file = spreadsheet(&file, "名单", &[list.header, row]);
    let report = Some(file.with_extension("csv"));
    let kind = list.kind;
    let command = ImportCommand::Department { file, kind, profile: None, report, anyway: false };
    county.import("医保局", command).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bureaus_list_warns_where_it_tells_of_need_and_nowhere_else() {
    for list in &LISTS {
        let (county, li, id) = on_record(couple_with_child()).await;
        let dir = tempfile::tempdir().unwrap();
        let what = format!("{} {}", list.kind.code(), list.rule);
        let quiet = deliver_row(&county, dir.path(), list, "none", list.none);
        assert_eq!((&quiet["matched"], &quiet["warned"]), (&1.into(), &0.into()), "{what}");
        let warned = deliver_row(&county, dir.path(), list, "need", list.need);
        assert_eq!(warned["matched"], 1, "{what}: {warned}");
        sync(&li).await;
        let shown = li.show(id).unwrap();
        let rules: Vec<_> = shown
            .fields
            .iter()
            .filter(|field| field.container == "warnings" && field.key.ends_with(".rule"))
            .filter_map(|field| field.value.as_text())
            .collect();
        let tasks = kinds(&li.tasks().unwrap());
        if list.rule.is_empty() {
            assert_eq!((rules.len(), tasks.len()), (0, 0), "{what}: no line is published for it");
            continue;
        }
        assert_eq!(rules, [list.rule], "{what}");
        let is_clue = |f: &&wanhu_core::client::FieldView| {
            f.container == "clues" && f.key.ends_with(".channel")
        };
        assert_eq!(shown.fields.iter().filter(is_clue).count(), 1, "{what}");
        assert_eq!(tasks, [TaskKind::Verify, TaskKind::AnswerWarning], "{what}");
        assert_eq!(warned["warned"], 1, "{what}");
    }
}

/// What the phone shows of one of the wife's fields.
fn wifes(li: &Ledger, id: HouseholdId, field: &str) -> Option<String> {
    let shown = li.show(id).unwrap();
    let of_members = |key: &str| {
        let mut members = shown.fields.iter().filter(|f| f.container == "members");
        members.find(|f| f.key == key).map(|field| field.value.clone())
    };
    let is_hers = |f: &&wanhu_core::client::FieldView| {
        f.key.ends_with(".identity_number") && f.value.as_text() == Some(WIFE)
    };
    let row = shown.fields.iter().find(is_hers)?.key.split_once('.')?.0.to_owned();
    let value = of_members(&format!("{row}.{field}"))?;
    Some(value.as_text().map_or_else(|| format!("{:?}", value.as_bool()), str::to_owned))
}

const ALLOWANCES: Line<'static> = &["姓名", "身份证号", "救助类型", "月保障金额", "停发时间"];

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_certificate_or_lives_on_an_allowance_is_not_asked_again() {
    let (county, li, id) = on_record(couple_with_child()).await;
    county.account("残联", Role::Department, FULING / 1_000_000);
    county.account("民政局", Role::Department, FULING / 1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let list = |by: &str, kind, title: &str, lines: &[Line<'_>]| {
        let file = spreadsheet(&dir.path().join(format!("{title}.xlsx")), title, lines);
        let command =
            ImportCommand::Department { file, kind, profile: None, report: None, anyway: false };
        let told = county.import(by, command).unwrap();
        (told["warned"].clone(), told["filled_in"].clone())
    };
    let certificates: Line<'_> = &["姓名", "身份证号", "残疾类别", "残疾等级"];
    let second: Line<'_> = &["文秀芬", WIFE, "肢体", "二级"];
    let filled_in = (0.into(), 1.into());
    assert_eq!(list("残联", Kind::Disability, "三月", &[certificates, second]), filled_in);
    let ended: Line<'_> = &["文秀芬", WIFE, "特困供养", "500", "2024-01"];
    let nothing = (0.into(), 0.into());
    assert_eq!(list("民政局", Kind::CivilAffairs, "旧", &[ALLOWANCES, ended]), nothing);
    let paid: Line<'_> = &["文秀芬", WIFE, "农村低保", "300", ""];
    assert_eq!(list("民政局", Kind::CivilAffairs, "三月低保", &[ALLOWANCES, paid]), filled_in);
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [], "no line is published for either");
    assert_eq!(wifes(&li, id, "disability_grade").as_deref(), Some("grade_2"));
    assert_eq!(wifes(&li, id, "disability_kind").as_deref(), Some("limb"));
    assert_eq!(wifes(&li, id, "subsistence").as_deref(), Some("Some(true)"));
    assert_eq!(wifes(&li, id, "extreme_hardship"), None, "that had come to an end");

    // The same list again has nothing to fill in; another grade is for people to look at, not to overwrite.
    assert_eq!(list("残联", Kind::Disability, "四月", &[certificates, second]), nothing);
    let third: Line<'_> = &["文秀芬", WIFE, "肢体", "三级"];
    assert_eq!(list("残联", Kind::Disability, "五月", &[certificates, third]), nothing);
    let differences = |number| county.import("残联", ImportCommand::Differences { number });
    let told = differences(5).unwrap();
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    assert_eq!((&told[0]["row"], &told[0]["value"]), (&3.into(), &"grade_3".into()));
    assert_eq!(differences(1), Ok(serde_json::json!([])), "the record says what it says");
    assert_eq!(differences(2), Err("delivery_unknown"), "another bureau's");
    sync(&li).await;
    assert_eq!(wifes(&li, id, "disability_grade").as_deref(), Some("grade_2"));
    // Taken back, the first list's word stands by the second's, which says the same.
    let withdraw = |number| {
        let command = ImportCommand::Withdraw { number, report: None };
        county.import("残联", command).unwrap()["standing"].as_array().unwrap().len()
    };
    assert_eq!((withdraw(1), withdraw(4)), (0, 1), "the grade; that it is a limb May says as well");
}
