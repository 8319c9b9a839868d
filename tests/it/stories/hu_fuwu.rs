//! A3. 胡甫武 of 金盆村: a pig farm lost, registered poor in 2014, relocated in 2016 and carried over from the old
//! campaign; trained, at work, planting; the debt goes down year by year; one more blow opens the case again.

use super::*;
use wanhu_core::domain::figures::Statistic;
use wanhu_core::domain::value::Value;
use wanhu_server::admin::{FiguresArguments, FormCommand, TaskArguments};
use wanhu_tests::population::JINPEN;

#[tokio::test(flavor = "multi_thread")]
async fn a_family_that_gets_up_falls_once_more_and_is_caught() {
    let county = people("2019-12-02", JINPEN, None).await;
    let li = county.phone("李明").await;
    sync(&li).await;
    let family = typed(&[
        "basic.head_name=胡甫武",
        "basic.relocated=是",
        "basic.relocation_kind=集中安置",
        "class.household_kind=脱贫户",
        "class.risk_1=因产业项目失败",
        "class.risk_2=因病",
        "income.wage_fen=24000元",
        "living.orchard_centimu=2000",
        "living.debt_fen=160000元",
        "living.debt_on=2019-12-02",
        "living.debt_lender=亲友",
        "members.name=胡甫武",
        "members.relation=户主",
        "members.health=长期慢性病",
        "members.labour=技能劳动力",
        "members.work_months=12",
        "members.work_area=县内",
        "spending.kind=其他",
        "spending.from=2013-06-01",
        "spending.total_fen=200000元",
        "guarantees.food_state=已保障",
        "guarantees.clothing_state=已保障",
        "guarantees.schooling_state=不涉及",
        "guarantees.medical_state=已保障",
        "guarantees.housing_state=已保障",
        "guarantees.water_state=已保障",
    ]);
    let id = li.create_household(JINPEN, family).unwrap();
    sync(&li).await;

    // The old campaign decided long ago: the county carries the case over, with the reason.
    let fields = ["class.monitored_kind=脱贫不稳定户", "case.identified_on=2019-01-10"];
    let bare = Step { fields: &fields, ..Step::default() };
    assert_eq!(county.step("县局", id, "监测", bare), Err("illegal_step"), "not without a reason");
    let carried = Step { reason: "“两摸底”结果转入", ..bare };
    county.step("县局", id, "监测", carried).unwrap();
    fill_in(
        &county,
        "乡政府",
        id,
        &["cadres.name=李明", "cadres.account=李明", "cadres.role=帮扶责任人"],
    );

    // Three years of help, and the debt goes down.
    sync(&li).await;
    take(
        &li,
        id,
        Stage::Helped,
        typed(&[
            "measures.kind=产业帮扶",
            "measures.title=桃和中药材种植",
            "measures.status=正在落实",
            "measures.asset=果园",
            "measures.area_centimu=2000",
            "measures.quantity=1200",
            "measures.unit=株",
            "measures.from=2019-03-01",
            "plan.measure_kind=产业帮扶",
            "plan.text=种植桃和中药材,到茶叶基地就业",
            "plan.progress=进行中",
        ]),
    );
    li.edit(
        id,
        &typed(&[
            "measures.kind=产业帮扶",
            "measures.title=县内及农业大学培训",
            "measures.status=已落实",
        ]),
    )
    .unwrap();
    li.edit(
        id,
        &typed(&[
            "measures.kind=就业帮扶",
            "measures.title=茶叶基地管理",
            "measures.status=正在落实",
            "measures.amount_fen=2000元",
            "measures.period=每月",
            "measures.from=2019-01-01",
        ]),
    )
    .unwrap();
    for (year, debt) in [(2020, "120000元"), (2021, "80000元"), (2022, "52000元")] {
        let day = format!("{year}-06-15");
        county.day(&day);
        let (date, debt) = (format!("visits.date={day}"), format!("living.debt_fen={debt}"));
        let stated = format!("living.debt_on={day}");
        let visit = [&date, "visits.met=户主", "visits.finding=稳定", &debt, &stated];
        li.edit(id, &typed(&visit)).unwrap();
        assert_eq!(li.help(id, year).unwrap().total_fen, 12 * 2_000 * 100);
    }
    let help = li.help(id, 2022).unwrap();
    assert_eq!(help.areas_centimu["orchard"], 2_000, "20 mu");
    sync(&li).await;
    // The record shows what is left; the history keeps every figure, what it was before, and who wrote it down when.
    let shown = |field: &str| {
        let fields = li.show(id).unwrap().fields;
        fields.into_iter().find(|f| f.container == "living" && f.key == field).unwrap().value
    };
    assert_eq!(shown("debt_fen"), 5_200_000.into(), "a little over 50,000 yuan");
    assert_eq!(shown("debt_on"), "2022-06-15".into());
    let told = li.history(id).unwrap();
    let mut told: Vec<_> = told.iter().filter(|line| line.key == "debt_fen").collect();
    told.sort_by_key(|line| line.time_ms);
    let yuan = |value: &Option<Value>| value.as_ref().and_then(Value::as_int).map(|fen| fen / 100);
    let told: Vec<_> = told.iter().map(|line| (yuan(&line.old), yuan(&line.new))).collect();
    let went_down = [160_000, 120_000, 80_000, 52_000].map(Some);
    let before = [None, went_down[0], went_down[1], went_down[2]];
    assert_eq!(told, before.into_iter().zip(went_down).collect::<Vec<_>>());
    let dir = tempfile::tempdir().unwrap();
    let (form, file) = ("survey".to_owned(), dir.path().join("survey.csv"));
    let make = FormCommand::Make { form, file: file.clone(), area: None, font: vec![] };
    county.office("乡政府", AdminCommand::Form(make)).unwrap();
    let survey = std::fs::read_to_string(&file).unwrap();
    assert!(survey.contains("负债余额") && survey.contains(",52000,2022-06-15,亲友"), "{survey}");

    let (form, file) = ("measures".to_owned(), dir.path().join("measures.csv"));
    let make = FormCommand::Make { form, file: file.clone(), area: None, font: vec![] };
    county.office("乡政府", AdminCommand::Form(make)).unwrap();
    let ledger = std::fs::read_to_string(&file).unwrap();
    assert!(ledger.contains("果园,20,1200,株,"), "{ledger}");

    // Closed by the long way, and opened again by the township when the peaches are lost to a flood.
    let visit = ["visits.date=2022-07-01", "visits.met=户主", "visits.finding=稳定"];
    county.day("2022-07-01");
    sync(&li).await;
    let earned = typed(&["income.wage_fen=24000元", "income.window_end=2022-06-30"]);
    take(&li, id, Stage::ToClose, earned);
    take(&li, id, Stage::Verified, typed(&visit));
    sync(&li).await;
    through_the_offices(&county, id, (9, 0), "2022-07-08");
    county
        .step(
            "县局",
            id,
            "风险消除",
            Step { fields: &["case.closing_kind=帮扶消除"], ..Step::default() },
        )
        .unwrap();
    sync(&li).await;
    assert!(li.tasks().unwrap().is_empty());
    let closed = |phone: &Ledger| {
        let day = "2022-07-08".parse().unwrap();
        let figures = phone.figures(JINPEN, None, (day, day), None, &[Statistic::Closure]).unwrap();
        figures.into_iter().find(|figure| figure.code == Statistic::Closure).unwrap()
    };
    assert_eq!((closed(&li).numerator, closed(&li).households), (1, vec![id]));

    county.day("2023-05-20");
    // The family says so first. A closed case is on nobody's list of tasks; what it says is.
    assert_eq!(kinds(&li.tasks().unwrap()), [] as [TaskKind; 0]);
    let mut declared =
        typed(&["clues.channel=自主申报", "clues.risk=因自然灾害", "clues.received_on=2023-05-20"]);
    declared.on_behalf_of = "胡甫武".into();
    li.edit(id, &declared).unwrap();
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::AnswerClue]);
    sync(&li).await;
    // Only the township opens a case again, and it is told once the cadre has seen that it is true.
    let to_reopen = || {
        let tasks = county.office("乡政府", AdminCommand::Tasks(TaskArguments::default())).unwrap();
        let tasks = tasks["rows"].as_array().unwrap().clone().into_iter();
        let reopen = tasks.filter(|row| row["task"]["kind"] == "reopen");
        reopen.map(|row| row["task"]["due_on"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(to_reopen(), [] as [&str; 0]);
    let clue = li.tasks().unwrap().into_iter().find(|view| view.task.kind == TaskKind::AnswerClue);
    let outcome = format!("clues.{}.outcome=纳入", clue.unwrap().task.subject);
    li.edit(id, &typed(&[&outcome])).unwrap();
    sync(&li).await;
    let fields = li.show(id).unwrap().fields;
    let answered = fields.iter().find(|f| f.container == "clues" && f.key.ends_with(".outcome_on"));
    assert_eq!(answered.map(|f| &f.value), Some(&"2023-05-20".into()), "and when");
    assert_eq!(to_reopen(), ["\"2023-05-26\""], "five working days from the Saturday it came");
    let flood = Step { reason: "洪涝致果园绝收", ..Step::default() };
    county.step("乡政府", id, "回退", flood).unwrap();
    assert_eq!(to_reopen(), [] as [&str; 0]);
    sync(&li).await;
    assert_eq!(
        kinds(&li.tasks().unwrap()),
        [TaskKind::Visit],
        "back under monitoring, cadre and plan kept"
    );
    assert_eq!(stages(&li, id).last(), Some(&Stage::Reopened));
    assert_eq!(stages(&li, id).len(), 10, "with its whole history");
    assert_eq!(closed(&li).numerator, 0);
    // All periods begin anew: the visit is not late since last summer, and nobody closes what was opened yesterday.
    let visit = &li.tasks().unwrap()[0];
    let due = visit.task.due_on.map(|day| day.to_string());
    assert_eq!((due.as_deref(), visit.overdue), (Some("2023-06-19"), false));
    let early = li.take_step(id, &StepForm::to(Stage::ToClose), RecordEdit::default());
    let Err(LedgerError::IllegalStep { reason, until, .. }) = early else { panic!("{early:?}") };
    assert_eq!((reason.as_str(), until.as_str()), ("too_early", "2023-11-19"));

    // Whoever asks later how it was is told how it was then.
    let closed_on = |day: &str| {
        let asked = FiguresArguments {
            area: Some(JINPEN),
            as_of: Some(day.parse().unwrap()),
            list: Some(Statistic::Closure),
            ..FiguresArguments::default()
        };
        let figures = county.office("县局", AdminCommand::Figures(asked)).unwrap();
        let figures = figures.as_array().unwrap().clone();
        figures.into_iter().find(|figure| figure["code"] == "closure").unwrap()
    };
    assert_eq!(closed_on("2022-07-07")["numerator"], 0);
    assert_eq!(closed_on("2022-12-31")["numerator"], 1);
    assert_eq!(closed_on("2022-12-31")["households"][0], id.to_string());
    assert_eq!(closed_on("2023-05-20")["numerator"], 0);
    // So is the cadre, by the own phone.
    let on_phone = |day: &str| {
        let day = day.parse().unwrap();
        let figures =
            li.figures(JINPEN, None, (day, day), Some(day), &[Statistic::Closure]).unwrap();
        figures.into_iter().find(|figure| figure.code == Statistic::Closure).unwrap()
    };
    for day in ["2022-07-07", "2022-12-31", "2023-05-20"] {
        let (here, there) = (on_phone(day), closed_on(day));
        assert_eq!(
            (here.as_of.to_string(), here.numerator),
            (day.into(), there["numerator"].as_i64().unwrap())
        );
        let ids: Vec<_> = here.households.iter().map(ToString::to_string).collect();
        assert_eq!(Json::from(ids), there["households"], "{day}");
    }
}
