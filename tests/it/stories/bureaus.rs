//! Every bureau's list, from the table as it is sent to the task on the cadre's phone: a row that tells of need warns, one that
//! does not is nobody's trouble.

use super::*;

/// Identity numbers of a couple and their child of ten.
const WIFE: &str = "431022197003080028";
const CHILD: &str = "431022201403150020";

/// A lifted family whose every member has a number.
fn couple_with_child() -> RecordEdit {
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

const LISTS: [List; 8] = [
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
    let command = ImportCommand::Department { file, kind, profile: None, report };
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
