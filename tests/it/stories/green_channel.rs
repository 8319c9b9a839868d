//! A house burns down in 福岭村. Help comes before anybody decides (绿色通道); the township sends the case back on the way
//! in, the county on the way out. At every place it is asked who has what to do until when, on phones and at desks alike.

use super::*;

/// What somebody has to do: code and last day, and whether that is over.
fn asked(kind: &str, due: Option<&str>, overdue: bool) -> String {
    let late = if overdue { " overdue" } else { "" };
    format!("{kind} {}{late}", due.unwrap_or("-"))
}

fn on_phone(phone: &Ledger) -> Vec<String> {
    let told = |view: &TaskView| {
        let due = view.task.due_on.map(|day| day.to_string());
        asked(view.task.kind.code(), due.as_deref(), view.overdue)
    };
    phone.tasks().unwrap().iter().map(told).collect()
}

fn at_desk(county: &County, by: &str) -> Vec<String> {
    let told = |view: &Json| {
        let overdue = view["overdue"] == true;
        asked(view["task"]["kind"].as_str().unwrap(), view["task"]["due_on"].as_str(), overdue)
    };
    county
        .listed(by, AdminCommand::Tasks(TaskArguments::default()))
        .unwrap()
        .iter()
        .map(told)
        .collect()
}

/// What committee, township and county have to do, in this order.
fn at_desks(county: &County) -> [Vec<String>; 3] {
    ["村委会", "乡政府", "县局"].map(|office| at_desk(county, office))
}

/// What a desk is told about the case.
fn case_at(county: &County, by: &str, household: HouseholdId) -> Json {
    county.office(by, AdminCommand::Case { household }).unwrap()
}

const NOTHING: [&str; 0] = [];
/// No office has anything to do.
const NOBODY: [Vec<String>; 3] = [const { Vec::new() }; 3];

/// A family of 福岭村 that lacks nothing yet.
fn safe_family() -> RecordEdit {
    let mut edit = family();
    let guarantees = ["food", "clothing", "schooling", "medical", "housing", "water"];
    for guarantee in guarantees {
        edit = edit.set("guarantees", &format!("{guarantee}_state"), "met");
    }
    edit.set("living", "house_danger", "a")
}

fn visit(day: &str, note: &str) -> RecordEdit {
    let (day, note) = (format!("visits.date={day}"), format!("visits.note={note}"));
    typed(&[&day, "visits.met=户主", "visits.place=家中", &note])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burnt_house_is_helped_at_once_and_its_case_sent_back_twice() {
    let (county, li, id) = on_record(safe_family()).await;
    let wang = county.phone("王芳").await;
    sync(&wang).await;

    // Tuesday, up in the village, no signal: the house has burnt down. Li writes down the clue and asks for help first.
    county.day("2024-03-05");
    let fire = typed(&[
        "clues.channel=干部排查",
        "clues.risk=因意外事故",
        "clues.received_on=2024-03-05",
        "case.green_channel=是",
        "spending.kind=意外事故",
        "spending.from=2024-03-05",
        "spending.total_fen=60000元",
        "guarantees.housing_state=未保障",
    ]);
    take(&li, id, Stage::Clue, fire);
    let urgent = ["verify 2024-03-12", "record_measure 2024-03-12"];
    assert_eq!(on_phone(&li), urgent, "with the visit, five working days");
    assert_eq!((on_phone(&wang), at_desk(&county, "乡政府")), (vec![], vec![]), "nobody knows yet");
    // Down at the road it reaches the township and the other cadre, who may help just as well.
    assert_eq!(sync(&li).await.refused, 0);
    sync(&wang).await;
    assert_eq!(on_phone(&wang), urgent);
    let seen = case_at(&county, "乡政府", id);
    assert_eq!(seen["path"], serde_json::json!(["clue"]));
    assert_eq!(seen["tasks"][1]["kind"], "record_measure", "the township sees what is awaited");

    // The next day, again without signal, blankets, food and money are there: the task goes, and nothing is decided.
    county.day("2024-03-06");
    let relief = [
        "measures.kind=综合保障",
        "measures.title=临时救助",
        "measures.status=已落实",
        "measures.from=2024-03-06",
        "measures.amount_fen=3000元",
        "measures.period=一次性",
        "measures.department=民政",
    ];
    li.edit(id, &typed(&relief)).unwrap();
    assert_eq!(
        (on_phone(&li), on_phone(&wang)),
        (vec![urgent[0].into()], urgent.map(Into::into).into())
    );
    assert_eq!(stages(&li, id), [Stage::Clue]);
    sync(&li).await;
    sync(&wang).await;
    assert_eq!(on_phone(&wang), [urgent[0]], "nor is it asked of anybody else");
    assert_eq!(li.help(id, 2024).unwrap().total_fen, 300_000);

    // The usual way: visit, appraisal, notice.
    county.day("2024-03-07");
    let mut verified = visit("2024-03-07", "房屋烧毁,借住邻家");
    verified.fields.extend(typed(&["case.consent=是", "class.risk_1=因意外事故"]).fields);
    take(&li, id, Stage::Verified, verified);
    assert_eq!(on_phone(&li), NOTHING);
    sync(&li).await;
    assert_eq!(at_desks(&county), [vec!["appraise 2024-03-20"], vec![], vec![]]);
    let votes = Step { votes: Some((9, 2)), ..Step::default() };
    county.step("村委会", id, "民主评议", votes).unwrap();
    assert_eq!(at_desks(&county), [vec!["put_on_notice 2024-03-20"], vec![], vec![]]);
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    assert_eq!(at_desks(&county), NOBODY, "it hangs");

    // A neighbour objects, and the committee lets it lie.
    county.day("2024-03-11");
    sync(&wang).await;
    let mut objects = RecordEdit { on_behalf_of: "周福".into(), ..RecordEdit::default() };
    objects.form = "objection/1".into();
    let objection = StepForm::to(Stage::Objection).because("该户在镇上另有门面出租");
    wang.take_step(id, &objection, objects).unwrap();
    assert_eq!(at_desk(&county, "村委会"), NOTHING, "still on the phone");
    sync(&wang).await;
    assert_eq!(at_desks(&county), [vec!["settle_objection 2024-03-20"], vec![], vec![]]);
    county.day("2024-03-14");
    assert_eq!(at_desks(&county), [vec!["settle_objection 2024-03-20"], vec![], vec![]]);
    let unsettled = county.step("乡政府", id, "乡镇审核", Step::default());
    assert_eq!(unsettled, Err("illegal_step"));

    // So the township sends it back, as nobody below it may, and says why.
    let back = Step { reason: "公示期间的异议未核实、未答复", ..Step::default() };
    assert_eq!(
        county.step("乡政府", id, "退回", Step::default()),
        Err("illegal_step"),
        "no reason"
    );
    assert_eq!(county.step("村委会", id, "退回", back), Err("not_permitted"));
    county.step("乡政府", id, "退回", back).unwrap();
    assert_eq!(at_desks(&county), NOBODY, "the cadre's turn");
    assert_eq!(on_phone(&li), NOTHING, "who does not know it before the next sync");
    for phone in [&li, &wang] {
        sync(phone).await;
        assert_eq!(on_phone(phone), ["verify 2024-03-21"], "five working days from the return");
        let case = phone.case(id).unwrap();
        let returned = case.path.last().unwrap();
        assert_eq!(
            (returned.stage, returned.steps[0].reason.as_str()),
            (Stage::Returned, back.reason)
        );
        assert_eq!(returned.steps[0].stamp.name, "乡政府");
        assert_eq!(case.objections[0].stamp.on_behalf_of, "周福");
    }

    // The visit of before is not enough. Li goes again, looks into what was said, and the second round begins.
    county.day("2024-03-15");
    let again = li.take_step(id, &StepForm::to(Stage::Verified), RecordEdit::default());
    let Err(LedgerError::IllegalStep { reason, .. }) = again else { panic!("{again:?}") };
    assert_eq!(reason, "visit_missing");
    take(&li, id, Stage::Verified, visit("2024-03-15", "门面2022年已转让,有协议"));
    assert_eq!(on_phone(&li), NOTHING);
    sync(&li).await;
    assert_eq!(
        at_desks(&county),
        [vec!["appraise 2024-03-20"], vec![], vec![]],
        "the fifteen days go on from the clue"
    );
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    // The objection to the first notice still stands, and is settled this time.
    assert_eq!(at_desk(&county, "村委会"), ["settle_objection 2024-03-20"]);
    let open = case_at(&county, "村委会", id)["objections"][0].as_str().unwrap().to_owned();
    let answer = Step {
        reason: "门面已转让,已向周福说明", about: Some(&open), ..Step::default()
    };
    county.step("村委会", id, "异议已处理", answer).unwrap();
    assert_eq!(at_desks(&county), NOBODY);

    // What was sent back is late by now, and whoever has to act next sees that.
    county.day("2024-03-20");
    assert_eq!(
        county.step("乡政府", id, "乡镇审核", Step::default()),
        Err("illegal_step"),
        "the second notice hangs its five days as well"
    );
    county.day("2024-03-21");
    let late = |kind: &str| vec![asked(kind, Some("2024-03-20"), true)];
    assert_eq!(at_desks(&county), [vec![], late("township_check"), vec![]]);
    county.step("乡政府", id, "乡镇审核", Step::default()).unwrap();
    assert_eq!(at_desks(&county), [vec![], vec![], late("county_decide")]);
    county.step("县局", id, "县级审定", Step::default()).unwrap();
    assert_eq!(at_desks(&county), [vec![], vec![], late("enter_decision")]);
    let decided = Step {
        fields: &["class.monitored_kind=突发严重困难户", "case.identified_on=2024-03-21"],
        ..Step::default()
    };
    county.step("县局", id, "监测", decided).unwrap();
    assert_eq!(at_desks(&county), [vec![], vec!["name_cadre 2024-03-31"], vec![]]);
    let cadre = ["cadres.name=李明", "cadres.account=李明", "cadres.role=帮扶责任人"];
    fill_in(&county, "乡政府", id, &cadre);
    sync(&li).await;
    sync(&wang).await;
    assert_eq!(
        on_phone(&li),
        ["make_plan 2024-03-31", "meet_guarantee -"],
        "the urgent help counts as help; the house is still missing"
    );
    assert_eq!(on_phone(&wang), NOTHING);

    // A house is built; in autumn the family stands by itself.
    let plan = [
        "plan.measure_kind=住房安全保障",
        "plan.text=原址重建",
        "plan.due_on=2024-08-31",
        "plan.progress=进行中",
        "measures.kind=住房安全保障",
        "measures.title=原址重建",
        "measures.status=正在落实",
        "measures.from=2024-04-01",
    ];
    take(&li, id, Stage::Helped, typed(&plan));
    assert_eq!(on_phone(&li), ["meet_guarantee -"]);
    county.day("2024-09-20");
    let mut moved_in = visit("2024-09-20", "新房已入住");
    let earned = ["income.wage_fen=4800元", "income.window_end=2024-08-31"];
    moved_in.fields.extend(typed(&["guarantees.housing_state=已保障"]).fields);
    moved_in.fields.extend(typed(&earned).fields);
    li.edit(id, &moved_in).unwrap();
    assert_eq!((on_phone(&li), sync(&li).await.refused), (vec![], 0));

    // On the way out the same way, and the county sends it back.
    county.day("2024-10-08");
    let poor = li.take_step(id, &StepForm::to(Stage::ToClose), RecordEdit::default());
    let Err(LedgerError::IllegalStep { reason, .. }) = poor else { panic!("{poor:?}") };
    assert_eq!(reason, "income_below_line", "a house alone is not enough: 5,000 yuan a person");
    // The wages since the harvest are in: the year comes to more.
    let earned = typed(&["income.wage_fen=16000元", "income.window_end=2024-09-30"]);
    take(&li, id, Stage::ToClose, earned);
    assert_eq!(on_phone(&li), ["verify 2024-10-15"]);
    county.day("2024-10-09");
    take(&li, id, Stage::Verified, visit("2024-10-09", "生活稳定"));
    sync(&li).await;
    assert_eq!(at_desks(&county), [vec!["appraise 2024-10-23"], vec![], vec![]]);
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    county.day("2024-10-15");
    county.step("乡政府", id, "乡镇审核", Step::default()).unwrap();
    assert_eq!(at_desks(&county), [vec![], vec![], vec!["county_decide 2024-10-23"]]);
    let back = Step { reason: "收入佐证不足,请再核实", ..Step::default() };
    county.step("县局", id, "退回", back).unwrap();
    assert_eq!(at_desks(&county), NOBODY);
    for (phone, awaited) in [(&li, &["verify 2024-10-22"][..]), (&wang, &[])] {
        sync(phone).await;
        assert_eq!(on_phone(phone), awaited, "of the family's own cadre alone");
        let case = phone.case(id).unwrap();
        let returned = case.path.last().unwrap();
        assert_eq!(
            (returned.stage, returned.steps[0].reason.as_str()),
            (Stage::Returned, back.reason)
        );
        assert_eq!(returned.steps[0].stamp.name, "县局");
    }
    let seen = case_at(&county, "县局", id);
    assert_eq!(seen["may_enter"], serde_json::json!(NOTHING), "the county waits as well");

    // Once more: verified, appraised, on notice, checked, decided, closed.
    county.day("2024-10-16");
    take(&li, id, Stage::Verified, visit("2024-10-16", "工资流水已核对"));
    sync(&li).await;
    assert_eq!(at_desks(&county), [vec!["appraise 2024-10-23"], vec![], vec![]]);
    through_the_offices(&county, id, (10, 1), "2024-10-22");
    assert_eq!(at_desks(&county), [vec![], vec![], vec!["enter_decision 2024-10-23"]]);
    let closed = Step {
        fields: &["case.closing_kind=帮扶消除", "case.closed_on=2024-10-22"],
        ..Step::default()
    };
    county.step("县局", id, "风险消除", closed).unwrap();

    // Phones and offices tell the same story, both returns in it, and nobody has anything left to do.
    use Stage::{
        Appraised, Closed, Clue, CountyDecision, Helped, Monitored, OnNotice, Returned, ToClose,
        TownshipCheck, Verified,
    };
    let way = [
        &[Clue, Verified, Appraised, OnNotice, Returned][..],
        &[Verified, Appraised, OnNotice, TownshipCheck, CountyDecision, Monitored, Helped],
        &[ToClose, Verified, Appraised, OnNotice, TownshipCheck, Returned],
        &[Verified, Appraised, OnNotice, TownshipCheck, CountyDecision, Closed],
    ]
    .concat();
    for phone in [&li, &wang] {
        assert_eq!(sync(phone).await.refused, 0);
        assert_eq!(stages(phone, id), way);
        assert_eq!(on_phone(phone), NOTHING);
        let case = phone.case(id).unwrap();
        assert!(case.set_aside.is_empty() && case.objections.is_empty());
    }
    assert_eq!(li.show(id).unwrap().fields, wang.show(id).unwrap().fields);
    let codes: Vec<_> = way.iter().map(|stage| stage.code()).collect();
    assert_eq!(case_at(&county, "乡政府", id)["path"], serde_json::json!(codes));
    assert_eq!(at_desks(&county), NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_township_opens_the_channel_at_its_desk_and_closes_it() {
    let (county, li, id) = on_record(safe_family()).await;
    county.day("2024-03-05");
    take(&li, id, Stage::Clue, typed(&["clues.channel=干部排查", "clues.risk=因自然灾害"]));
    sync(&li).await;
    assert_eq!(on_phone(&li), ["verify 2024-03-12"]);
    let tick = |by: &str, field: &str| {
        let (fields, on_behalf_of) = (vec![field.to_owned()], String::new());
        county.office(by, AdminCommand::Edit { household: id, fields, on_behalf_of })
    };
    assert_eq!(tick("村委会", "case.green_channel=是"), Err("not_permitted"));
    county.day("2024-03-07");
    tick("乡政府", "case.green_channel=是").unwrap();
    sync(&li).await;
    assert_eq!(
        on_phone(&li),
        ["verify 2024-03-12", "record_measure 2024-03-12"],
        "due as counted from the clue"
    );
    tick("乡政府", "case.green_channel=否").unwrap();
    sync(&li).await;
    assert_eq!(on_phone(&li), ["verify 2024-03-12"]);
    // Opened once more; what was given long before does not count as this help.
    tick("乡政府", "case.green_channel=是").unwrap();
    let measure = |from: &str| {
        let from = format!("measures.from={from}");
        typed(&[
            "measures.kind=综合保障",
            "measures.title=临时救助",
            "measures.status=已落实",
            &from,
        ])
    };
    sync(&li).await;
    li.edit(id, &measure("2023-01-01")).unwrap();
    assert_eq!(on_phone(&li).len(), 2);
    county.day("2024-03-13");
    assert_eq!(
        on_phone(&li),
        ["verify 2024-03-12 overdue", "record_measure 2024-03-12 overdue"],
        "help that does not come is late like anything else"
    );
    li.edit(id, &measure("2024-03-13")).unwrap();
    assert_eq!(on_phone(&li), ["verify 2024-03-12 overdue"]);
    // Turned down as untrue: nothing is asked for any more.
    sync(&li).await;
    let untrue = Step { reason: "经核实情况不实", ..Step::default() };
    county.step("乡政府", id, "不纳入", untrue).unwrap();
    sync(&li).await;
    assert_eq!(on_phone(&li), NOTHING);
}
