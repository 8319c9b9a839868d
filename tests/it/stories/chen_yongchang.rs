//! A1. 陈永昌 of 福岭村: the hospital's bills set off a warning; the cadre goes there, finds it true, files on the
//! family's behalf; village, township and county decide; help comes; in the end the risk is gone.

use super::*;
use wanhu_core::domain::help::Help;

const HUSBAND: &str = "431022196805120031";
const WIFE: &str = "431022197003080028";

/// One of the published lines.
fn policy(line_yuan: i64) -> String {
    let examples = wanhu_core::domain::policy::EXAMPLES_TOML;
    let ours = examples.replace("name = \"published-examples\"", "name = \"yizhang\"");
    let line = format!("threshold = {}", line_yuan * 100);
    ours.replacen("threshold = 500000", &line, 1)
}

/// The family as the village has it on record since the autumn before.
fn family() -> RecordEdit {
    let mut edit = typed(&[
        "basic.head_name=陈永昌",
        "basic.natural_village=福岭",
        "class.household_kind=脱贫户",
        "income.wage_fen=24000元",
        "income.business_fen=9000元",
        "guarantees.food_state=已保障",
        "guarantees.clothing_state=已保障",
        "guarantees.schooling_state=已保障",
        "guarantees.medical_state=已保障",
        "guarantees.housing_state=已保障",
        "guarantees.water_state=已保障",
    ]);
    for member in [
        ["members.name=陈永昌", "members.relation=户主", "members.labour=普通劳动力"],
        ["members.name=文秀芬", "members.relation=配偶", "members.health=患有大病"],
        ["members.name=陈大", "members.relation=儿子", "members.labour=普通劳动力"],
        ["members.name=陈小", "members.relation=儿子", "members.school_stage=初中"],
    ] {
        let mut row = typed(&member).new_rows.remove(0);
        for (name, number) in [("陈永昌", HUSBAND), ("文秀芬", WIFE)] {
            if row.fields[0].value == name.into() {
                row.fields.push(("identity_number".to_owned(), number.into()).into());
            }
        }
        edit.new_rows.push(row);
    }
    edit
}

/// What the bureau sends in February: the stays of 文秀芬, and lines that are nobody's or nothing.
fn bills(dir: &Path) -> PathBuf {
    let lines: &[Line<'_>] = &[
        BILLS_HEADER,
        &[
            "1",
            "文秀芬",
            WIFE,
            "住院",
            "乳腺恶性肿瘤",
            "2019-07-08",
            "2019年9月2日",
            "￥52,000.00",
            "40000",
            "5000",
            "0",
            "7000",
        ],
        &[
            "2",
            "文秀芬",
            WIFE,
            "住院",
            "乳腺恶性肿瘤",
            "20200106",
            "2020/2/1",
            "38000",
            "31,000",
            "2000",
            "",
            "5000.00",
        ],
        &[
            "3",
            "张三",
            "110105194912310046",
            "住院",
            "骨折",
            "2020-01-02",
            "2020-01-09",
            "30000",
            "1000",
            "0",
            "0",
            "29000",
        ],
        &[
            "4",
            "李四",
            "4.31022E+17",
            "住院",
            "肺炎",
            "2020-01-03",
            "2020-01-08",
            "9000",
            "5000",
            "0",
            "0",
            "4000",
        ],
        &["合计", "", "", "", "", "", "", "129000", "77000", "7000", "0", "45000"],
    ];
    spreadsheet(&dir.join("bills.xlsx"), "宜章县2020年2月住院费用明细", lines)
}

async fn warned_under(line_yuan: i64) -> u64 {
    let county = people("2020-02-20", FULING, Some(&policy(line_yuan))).await;
    let li = county.phone("李明").await;
    sync(&li).await;
    li.create_household(FULING, family()).unwrap();
    sync(&li).await;
    let dir = tempfile::tempdir().unwrap();
    deliver(&county, &bills(dir.path()))["warned"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bill_and_four_published_lines() {
    let mut warned = Vec::new();
    for line_yuan in [5_000, 10_000, 20_000, 26_000] {
        warned.push(warned_under(line_yuan).await);
    }
    assert_eq!(warned, [1, 1, 0, 0], "12,000 yuan paid by the family itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_bureaus_file_to_a_risk_that_is_gone() {
    // The village knows the family. Two cadres have phones.
    let county = people("2020-02-20", FULING, Some(&policy(5_000))).await;
    let (li, wang) = (county.phone("李明").await, county.phone("王芳").await);
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    sync(&li).await;
    sync(&wang).await;

    // The bureau's file: two stays counted together, every other line accounted for.
    let dir = tempfile::tempdir().unwrap();
    let file = bills(dir.path());
    let delivered = deliver(&county, &file);
    assert_eq!((&delivered["matched"], &delivered["warned"]), (&2.into(), &1.into()));
    assert_eq!(
        (&delivered["not_taken"], &delivered["faults"]["person_unknown"]),
        (&2.into(), &1.into())
    );
    let report = std::fs::read_to_string(file.with_extension("report.csv")).unwrap();
    assert!(report.contains("张三") && report.contains("李四") && !report.contains(WIFE));
    let again = deliver(&county, &file);
    assert_eq!((&again["new"], &again["warned"]), (&0.into(), &0.into()), "the same file again");

    // At the next sync it is a task on the phone, with its reasons.
    sync(&li).await;
    let tasks = li.tasks().unwrap();
    assert_eq!(kinds(&tasks), [TaskKind::Verify, TaskKind::AnswerWarning]);
    assert_eq!((tasks[0].household, tasks[0].head_name.as_str()), (id, "陈永昌"));
    assert_eq!(tasks[0].task.due_on.unwrap().to_string(), "2020-02-27", "five working days");
    let shown = li.show(id).unwrap();
    let warning = |field: &str| {
        let is_it = |f: &&wanhu_core::client::FieldView| {
            f.container == "warnings" && f.key.ends_with(field)
        };
        shown.fields.iter().find(is_it).map(|f| (f.key.clone(), f.value.clone())).unwrap()
    };
    assert_eq!(warning(".input").1, 1_200_000.into());
    assert_eq!(warning(".threshold").1, 500_000.into());
    assert_eq!(warning(".rule_version").1, "yizhang/4".into());
    let row = warning(".rule").0.replace(".rule", "");

    // Up in the village there is no signal. Li finds it true and files on the family's behalf; Wang, who does not
    // know, looks in as well and writes what she sees.
    county.day("2020-02-24");
    let visit = typed(&[
        "visits.date=2020-02-24",
        "visits.purpose=核实线索",
        "visits.met=户主",
        "visits.place=家中",
        "visits.finding=有困难",
        "visits.help_needed=是",
        "case.consent=是",
        "case.by_proxy=是",
        "case.consent_on=2020-02-24",
        "class.risk_1=因病",
        "class.tag_unstable=是",
    ]);
    let answer = format!("warnings.{row}.answer=属实");
    let answered = format!("warnings.{row}.answered_on=2020-02-24");
    let mut filed = visit;
    filed.fields.extend(typed(&[&answer, &answered]).fields);
    filed.on_behalf_of = "陈永昌".into();
    take(&li, id, Stage::Verified, filed);
    let seen = typed(&[
        "visits.date=2020-02-24",
        "visits.met=其他成员",
        "visits.note=大儿子已辞工在家照顾",
    ]);
    wang.edit(id, &seen).unwrap();
    let proposed = &li.case(id).unwrap().path[1].steps[0];
    assert!(!proposed.accepted);
    assert_eq!(proposed.stamp.on_behalf_of, "陈永昌", "both identities are kept");

    // Back in the township both hand in; nothing is lost, and nobody overwrites anybody.
    for phone in [&wang, &li, &wang] {
        assert_eq!(sync(phone).await.refused, 0);
    }
    let visits = |phone: &Ledger| {
        let fields = phone.show(id).unwrap().fields;
        fields.iter().filter(|f| f.container == "visits" && f.key.ends_with(".date")).count()
    };
    assert_eq!((visits(&li), visits(&wang)), (2, 2));
    let answers = county.import("医保局", ImportCommand::Answers { number: 1 }).unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 2);
    assert_eq!(answers[0]["answer"], "confirmed", "the answer goes back to the bureau");

    // Village, township, county.
    county.day("2020-02-26");
    let votes = Step { votes: Some((11, 1)), ..Step::default() };
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    county.day("2020-03-02");
    let early = county.step("乡政府", id, "乡镇审核", Step::default());
    assert_eq!(early, Err("illegal_step"), "the notice hangs until the end of this day");
    county.day("2020-03-03");
    county.step("乡政府", id, "乡镇审核", Step::default()).unwrap();
    county.step("县局", id, "县级审定", Step::default()).unwrap();
    let decided = Step {
        fields: &["class.monitored_kind=脱贫不稳定户", "case.identified_on=2020-03-03"],
        ..Step::default()
    };
    county.step("县局", id, "监测", decided).unwrap();

    // Help: a cadre, a plan, the measures of the story.
    let cadre = [
        "cadres.name=李明",
        "cadres.account=李明",
        "cadres.role=帮扶责任人",
        "cadres.from=2020-03-04",
    ];
    fill_in(&county, "乡政府", id, &cadre);
    sync(&li).await;
    sync(&wang).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::MakePlan, TaskKind::RecordMeasure]);
    assert!(wang.tasks().unwrap().is_empty(), "the family has a cadre of its own");
    let mut help = RecordEdit::default();
    for measure in [
        &[
            "plan.measure_kind=综合保障",
            "plan.text=申请二类低保",
            "plan.due_on=2020-04-01",
            "plan.progress=已完成",
        ][..],
        &[
            "measures.kind=综合保障",
            "measures.title=二类低保",
            "measures.status=正在落实",
            "measures.from=2020-04-01",
        ],
    ] {
        help.new_rows.extend(typed(measure).new_rows);
    }
    take(&li, id, Stage::Helped, help);
    for measure in [
        [
            "measures.kind=其他教育帮扶",
            "measures.title=小儿子助学",
            "measures.status=正在落实",
            "measures.from=2020-03-01",
            "",
            "",
        ],
        [
            "measures.kind=保险分红",
            "measures.title=产业项目分红",
            "measures.status=正在落实",
            "measures.from=2020-01-01",
            "measures.amount_fen=5000元",
            "measures.period=每年",
        ],
        [
            "measures.kind=公益性岗位",
            "measures.title=村级保洁员",
            "measures.status=正在落实",
            "measures.from=2020-04-01",
            "measures.amount_fen=500元",
            "measures.period=每月",
        ],
    ] {
        let fields: Vec<&str> = measure.into_iter().filter(|field| !field.is_empty()).collect();
        li.edit(id, &typed(&fields)).unwrap();
    }
    assert_eq!(sync(&li).await.refused, 0);
    let help: Help = li.help(id, 2020).unwrap();
    assert_eq!(help.total_fen, (5_000 + 9 * 500) * 100, "the post began in April");
    assert_eq!(li.help(id, 2021).unwrap().total_fen, (5_000 + 12 * 500) * 100);

    // Half a year on the family stands by itself. Too early is refused; in time the same way leads out.
    county.day("2020-07-01");
    sync(&li).await;
    let early = li.take_step(id, &StepForm::to(Stage::ToClose), RecordEdit::default());
    let Err(LedgerError::IllegalStep { reason, until, .. }) = early else { panic!("{early:?}") };
    assert_eq!((reason.as_str(), until.as_str()), ("too_early", "2020-09-02"));
    county.day("2020-10-12");
    sync(&li).await;
    // The income of the last 12 months is gone through again and stands: 8,250 yuan a person, above the line of 5,000.
    take(&li, id, Stage::ToClose, typed(&["income.window_end=2020-09-30"]));
    let last = [
        "visits.date=2020-10-13",
        "visits.purpose=消除核查",
        "visits.met=户主",
        "visits.finding=稳定",
    ];
    county.day("2020-10-13");
    take(&li, id, Stage::Verified, typed(&last));
    sync(&li).await;
    through_the_offices(&county, id, (11, 1), "2020-10-20");
    let closed = Step {
        fields: &["case.closing_kind=帮扶消除", "case.closed_on=2020-10-20"],
        ..Step::default()
    };
    county.step("县局", id, "风险消除", closed).unwrap();

    // Every replica tells the same story, and nobody has anything left to do.
    for phone in [&li, &wang] {
        sync(phone).await;
        let way = stages(phone, id);
        assert_eq!((way.len(), way.last()), (15, Some(&Stage::Closed)));
        assert!(phone.tasks().unwrap().is_empty());
        assert!(phone.case(id).unwrap().set_aside.is_empty());
    }
    assert_eq!(li.show(id).unwrap().fields, wang.show(id).unwrap().fields);
    for office in ["乡政府", "县局"] {
        assert_eq!(
            county.listed(office, AdminCommand::Tasks(TaskArguments::default())),
            Ok(vec![])
        );
    }
}
