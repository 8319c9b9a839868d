//! Words that stand with what takes them back: what a cell says is read, or its contrary, or nothing and that is reported;
//! never what it denies.

use super::rows::{rows_of, value};
use super::*;
use crate::import::outcome::FaultCode;
use crate::import::profile::{Kind, Profile};

/// What one cell of a list is read as in a field; `None` where it is refused or left out, and that is reported.
fn read_as(kind: Kind, header: &str, others: &str, cell: &str, field: &str) -> Option<String> {
    let (headers, cells) = match others.split_once('=') {
        Some((headers, cells)) => (format!(",{headers}"), format!(",{cells}")),
        None => (String::new(), String::new()),
    };
    let cell = format!("\"{cell}\"");
    let text = format!("姓名,身份证号码,{header}{headers}\n甲,{},{cell}{cells}\n", identity(1));
    let (rows, faults, _) = rows_of(kind, &text);
    let remarks = rows.iter().flat_map(|row| &row.remarks).chain(&faults);
    let is_told = remarks.into_iter().any(|said| {
        matches!(said.code, FaultCode::CodeUnknown | FaultCode::CellLeftOut)
            && &*said.column == header
    });
    let value = rows.first().and_then(|row| value(row, field));
    assert_eq!(value.is_none(), is_told, "{kind:?} {cell}: {faults:?} {rows:?}");
    let text = |code: &str| code.to_owned();
    value.map(|value| match value.as_bool() {
        Some(tick) => if tick { "yes" } else { "no" }.to_owned(),
        None => value.as_text().map(text).unwrap_or_default(),
    })
}

/// A column of a list: its kind, what stands above it, the other columns, the field it is read for.
type ColumnOf = (Kind, &'static str, &'static str, &'static str);

/// Compares cells with what they are read as.
fn cells_are(of: ColumnOf, told: &[(&str, Option<&str>)]) {
    let (kind, header, others, field) = of;
    let mut wrong = Vec::new();
    for (cell, expected) in told {
        let read = read_as(kind, header, others, cell, field);
        if read.as_deref() != *expected {
            wrong.push(format!("{cell}: {read:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{header} as {field}: {wrong:#?}");
}

fn all<'t>(cells: &[&'t str], code: Option<&'t str>) -> Vec<(&'t str, Option<&'t str>)> {
    cells.iter().map(|cell| (*cell, code)).collect()
}

#[test]
fn who_is_not_at_school_is_not_taken_for_a_pupil() {
    let state: ColumnOf = (Kind::School, "就读状态", "学费=9", "dropped_out");
    let away = [
        "非正常离校",
        "没有就读",
        "没有在校",
        "不再就读",
        "未正常上学",
        "无法就读",
        "转学后失联",
        "退学",
        "已退学",
        "自动退学",
        "失联",
        "离校",
        "未返校",
        "长期缺课",
        "外出打工",
        "不在校",
        "辍学在家",
        "在籍不在校",
        "休学期满未复学",
        "毕业后外出务工",
        "非在校生",
        "未入学",
        "尚未返校",
        "疑似辍学",
        "辍学,未复学",
    ];
    cells_are(state, &all(&away, Some("yes")));
    let at_school = [
        "在校",
        "在读",
        "正常",
        "在籍在读",
        "就读",
        "休学",
        "转学",
        "毕业",
        "毕业离校",
        "送教上门",
        "未辍学",
        "没有辍学",
        "在校(非寄宿)",
        "在读(父母失联)",
        "否",
    ];
    cells_are(state, &all(&at_school, Some("no")));
    let unclear = [
        "不正常",
        "曾辍学,已复学",
        "毕业后未升学",
        "学籍异常",
        "拟转学",
        "原在校",
        "不是在校生",
        "停课",
        "毕业去向不明",
    ];
    cells_are(state, &all(&unclear, None));
    let stage: ColumnOf = (Kind::School, "学段", "学费=9", "school_stage");
    cells_are(stage, &all(&["退学", "没有就读", "初中(失联)", "小学辍学"], Some("not_student")));
    cells_are(stage, &all(&["未上小学", "初中毕业未升学", "非高中"], None));
    cells_are(stage, &all(&["初中", "初中(非寄宿)", "初级中学"], Some("junior")));
}

#[test]
fn reasons_for_not_being_at_school_deny_much_and_are_reasons_all_the_same() {
    let reason: ColumnOf = (Kind::School, "辍学原因", "学费=9", "not_in_school_reason");
    cells_are(
        reason,
        &[
            ("厌学不去学校", Some("unwilling")),
            ("不愿上学", Some("unwilling")),
            ("因残疾不能自理", Some("disability")),
            ("无人照顾外出务工", Some("work")),
            ("其他原因", Some("other")),
            ("非残疾", None),
            ("未辍学", None),
        ],
    );
}

#[test]
fn who_is_not_insured_is_not_taken_for_insured() {
    let insured: ColumnOf = (Kind::Insurance, "参保状态", "", "insured_resident");
    let uninsured = [
        "未参保",
        "没有参保",
        "没参保",
        "尚未参保",
        "不参保",
        "放弃参保",
        "自愿放弃参保",
        "拒绝参保",
        "暂停参保",
        "停保",
        "参保后退保",
        "应参未参",
        "参保中断",
        "否",
        "没有",
    ];
    cells_are(insured, &all(&uninsured, Some("no")));
    cells_are(insured, &all(&["正常参保", "已参保", "参保", "已缴费", "参加", "是"], Some("yes")));
    let unclear = [
        "参保异常",
        "未停保",
        "参保资格丧失",
        "去年参保",
        "应参保",
        "曾参保",
        "动员参保中",
        "拟参保",
        "申请参保",
        "参保状态不明",
        "原参保",
    ];
    cells_are(insured, &all(&unclear, None));
    cells_are(
        (Kind::Insurance, "参保状态", "", "insured_resident"),
        &[("原参保现未参保", Some("no"))],
    );
    let pension: ColumnOf = (Kind::Insurance, "居民养老保险", "是否参保=是", "pension_resident");
    cells_are(pension, &all(&["放弃参保", "参保异常", "暂停领取", "领取资格失效"], None));
    cells_are(pension, &all(&["正常参保", "领取待遇"], Some("yes")));
}

#[test]
fn water_with_a_danger_is_not_safe() {
    let safe: ColumnOf = (Kind::Water, "饮水是否安全", "", "water_safe");
    let unsafe_water = [
        "存在安全隐患",
        "有安全隐患",
        "安全隐患",
        "饮水安全有问题",
        "饮水安全存在隐患",
        "不安全",
        "未达标",
        "没有达标",
        "不合格",
    ];
    cells_are(safe, &all(&unsafe_water, Some("no")));
    cells_are(safe, &all(&["安全", "达标", "水质合格", "没有安全隐患", "无安全隐患"], Some("yes")));
    cells_are(
        safe,
        &all(
            &[
                "饮水安全尚存在一定问题",
                "曾达标",
                "达标率低",
                "部分达标",
                "缺乏安全",
                "需解决饮水安全",
                "安全性差",
                "安全(水量无保证)",
            ],
            None,
        ),
    );
    let source: ColumnOf = (Kind::Water, "水源", "饮水是否安全=安全", "water_source");
    cells_are(
        source,
        &[
            ("自来水", Some("piped")),
            ("雨水", Some("other")),
            ("未通自来水", None),
            ("无自来水", None),
            ("自来水,已停水", None),
            ("无自来水,井水", Some("well")),
            ("原井水现自来水", Some("piped")),
        ],
    );
    let hard: ColumnOf = (Kind::Water, "是否缺水", "饮水是否安全=安全", "water_difficulty");
    cells_are(
        hard,
        &[("没有困难", Some("no")), ("不缺水", Some("no")), ("季节性缺水", Some("yes"))],
    );
}

#[test]
fn of_two_grades_of_a_house_or_a_certificate_the_one_that_holds_counts() {
    let grade: ColumnOf = (Kind::Housing, "鉴定等级", "", "house_danger");
    cells_are(
        grade,
        &[
            ("原A级现D级", Some("d")),
            ("原A级,现为D级", Some("d")),
            ("原A级,鉴定为D级", Some("d")),
            ("原D级改为A级", Some("a")),
            ("A级(原D级)", Some("a")),
            ("不是D级", None),
            ("非D级", None),
            ("A级、D级", None),
            ("A级变D级", None),
            ("A级以下", None),
            ("A级待复核", None),
            ("疑似D级", Some("d")),
            ("A级", Some("a")),
            ("D级未改造", Some("d")),
            ("D级(存在安全隐患)", Some("d")),
            ("D级危房无人居住", Some("d")),
            ("D级待拆除", Some("d")),
            ("C级不安全", Some("c")),
        ],
    );
    let certificate: ColumnOf = (Kind::Disability, "残疾等级", "残疾类别=肢体", "disability_grade");
    cells_are(
        certificate,
        &[
            ("原四级现一级", Some("grade_1")),
            ("一级或二级", None),
            ("一级(已注销)", None),
            ("肢体一级", Some("grade_1")),
        ],
    );
    let of: ColumnOf = (Kind::Disability, "残疾类别", "残疾等级=一级", "disability_kind");
    cells_are(of, &[("非肢体", None), ("肢体残疾", Some("limb"))]);
}

#[test]
fn who_has_no_allowance_any_more_or_not_yet_has_none() {
    let kind: ColumnOf = (Kind::CivilAffairs, "救助类型", "金额=9", "allowance_kind");
    let without = [
        "非低保",
        "未享受低保",
        "不符合低保条件",
        "已取消低保",
        "停发低保",
        "低保退出",
        "原低保",
        "拟纳入低保",
        "非特困",
        "没有低保",
        "低保,已停发",
        "低保申请中",
        "低保公示中",
        "低保户已死亡",
        "疑似低保",
        "退保低保",
        "无特困供养",
    ];
    cells_are(kind, &all(&without, None));
    let with = ["低保", "农村低保", "最低生活保障", "低保(无劳动能力)", "城乡低保", "享受低保待遇"];
    cells_are(kind, &all(&with, Some("subsistence")));
    cells_are(
        kind,
        &[
            ("特困供养", Some("extreme_hardship")),
            ("非低保,特困供养", Some("extreme_hardship")),
            ("原低保现特困", Some("extreme_hardship")),
            ("低保边缘", Some("near_subsistence")),
            ("特困学生资助", Some("education_aid")),
        ],
    );
    let profile = Profile::of(Kind::CivilAffairs).unwrap();
    let text = format!("姓名,身份证号码,救助类型,金额\n甲,{},特困学生资助,9\n", identity(1));
    let (rows, ..) = rows_of(Kind::CivilAffairs, &text);
    assert_eq!(profile.ticks(&rows[0].values).count(), 0);
}

#[test]
fn work_stays_and_losses_that_are_denied_are_none() {
    let post: ColumnOf = (Kind::Employment, "公益性岗位", "务工区域=县内", "public_post");
    cells_are(post, &all(&["否", "未安排", "原护林员", "拟安排保洁", "已退出"], None));
    cells_are(post, &[("护林员", Some("forest_ranger")), ("是", Some("other"))]);
    let area: ColumnOf = (Kind::Employment, "务工区域", "务工月数=3", "work_area");
    cells_are(
        area,
        &[
            ("不在省内", None),
            ("原省外现县内", Some("county")),
            ("江苏无锡省外", Some("elsewhere")),
            ("省外", Some("elsewhere")),
        ],
    );
    let bill = "入院日期,出院日期,总费用,自付=2020-01-01,2020-01-01,9,5";
    let stay: ColumnOf = (Kind::Medical, "医疗类别", bill, "inpatient");
    cells_are(
        stay,
        &[
            ("急诊未住院", Some("no")),
            ("非门诊", None),
            ("普通住院", Some("yes")),
            ("门诊慢特病", Some("no")),
        ],
    );
    let bill = "医疗类别,入院日期,总费用,自付=住院,2020-01-01,9,5";
    let disease: ColumnOf = (Kind::Medical, "诊断", bill, "disease");
    cells_are(
        disease,
        &[
            ("非小细胞肺癌", Some("cancer")),
            ("不稳定型心绞痛", Some("heart")),
            ("原发性高血压", Some("hypertension")),
            ("未特指的胃肠炎", Some("other")),
            ("排除肺癌", None),
            ("疑似肺癌", None),
        ],
    );
    let disaster: ColumnOf =
        (Kind::Disaster, "灾种", "受灾日期,损失=2020-06-10,8", "disaster_kind");
    cells_are(
        disaster,
        &[
            ("未受灾", None),
            ("无灾害", None),
            ("雪灾停电", Some("weather")),
            ("山洪", Some("flood")),
            ("其他灾害", Some("other")),
        ],
    );
}

#[test]
fn registers_of_past_campaigns_deny_as_well() {
    let health: ColumnOf = (Kind::Campaign, "健康状况", "", "health");
    cells_are(
        health,
        &[
            ("不健康", None),
            ("非健康", None),
            ("健康状况差", None),
            ("无大病", None),
            ("健康,无大病", Some("healthy")),
            ("健康", Some("healthy")),
            ("患有大病", Some("serious")),
            ("长期慢性病", Some("chronic")),
        ],
    );
    let labour: ColumnOf = (Kind::Campaign, "劳动能力", "", "labour");
    cells_are(
        labour,
        &[
            ("没有劳动能力", Some("none")),
            ("未丧失劳动能力", None),
            ("普通劳动力(无技能)", Some("ordinary")),
            ("丧失劳动能力", Some("lost")),
        ],
    );
    let relation: ColumnOf = (Kind::Campaign, "与户主关系", "", "relation");
    cells_are(relation, &[("其他非亲属", Some("other")), ("长子", Some("son"))]);
    let gone: ColumnOf = (Kind::Campaign, "风险是否消除", "", "risk_gone");
    cells_are(gone, &[("没有消除", Some("no")), ("已消除", Some("yes")), ("尚不能消除", None)]);
}
