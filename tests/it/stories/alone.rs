//! What no bureau has a list of: the cadre writes down a fall from a roof, an income, a barn that burnt, and syncs. The record
//! tells of need; the server says so to whoever has to go.

use std::sync::Mutex;

use serde_json::json;
use wanhu_core::client::FieldView;
use wanhu_core::system::SystemEntropy;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{FiguresArguments, Office, WarnArguments};
use wanhu_server::warnings::alone::{Found, keep_up};
use wanhu_server::watch::Phase;

use super::*;

/// An accident that cost 12,000 yuan.
fn fall() -> RecordEdit {
    typed(&["spending.kind=意外事故", "spending.to=2024-02-20", "spending.self_pay_fen=1200000"])
}

fn warn(county: &County, by: &str, area: Option<u64>, preview: bool) -> Result<Json, &'static str> {
    county.office(by, AdminCommand::Warn(WarnArguments { area, preview, rows: 20 }))
}

/// What stands in a field of the only row of a container.
fn only<'f>(fields: &'f [FieldView], container: &str, field: &str) -> Option<&'f str> {
    let is_it = |view: &&FieldView| {
        view.container == container && view.key.rsplit_once('.').is_some_and(|(_, f)| f == field)
    };
    let mut found = fields.iter().filter(is_it);
    let only = found.next()?.value.as_text();
    assert_eq!(found.count(), 0, "one row of {container}");
    only
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accident_that_only_the_record_tells_of_becomes_a_task() {
    let (county, li, id) = on_record(family()).await;
    let other = li.create_household(FULING, typed(&["basic.head_name=邓文华"])).unwrap();
    li.edit(id, &fall()).unwrap();
    assert_eq!(li.warnings(id).unwrap().len(), 1, "the phone says so at once");
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [], "and nobody is asked to go");

    let told = warn(&county, "县局", None, true).unwrap();
    let which = &told["which"][0];
    assert_eq!(
        told,
        json!({
            "preview": true, "households": 2, "left": 0, "warned": 1, "rules": { "accident": 1 },
            "refused": [], "which": [which]
        })
    );
    assert_eq!((&which["household"], &which["village"]), (&json!(id.to_string()), &json!(FULING)));
    assert_eq!(which["head_name"], "周长根");
    assert_eq!(which["warnings"][0]["rule"], "accident");
    let source = which["warnings"][0]["source"].as_str().unwrap();
    let said = |rows| {
        let asked = WarnArguments { area: None, preview: true, rows };
        let office =
            Office { settings: &county.server.settings, app: &county.server.app, by: "县局" };
        office.run(AdminCommand::Warn(asked), &mut SystemEntropy).unwrap().text
    };
    assert!(said(20).contains(&format!("accident\t{source}\n")), "{}", said(20));
    assert!(said(20).contains(&format!("{id}\t周长根\t")) && !said(20).contains("--rows"));
    assert!(!said(0).contains("周长根") && said(0).contains("1 more, by --rows"), "{}", said(0));
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [], "looked at, not written");

    let told = warn(&county, "县局", Some(FULING), false).unwrap();
    assert_eq!((&told["warned"], &told["preview"]), (&json!(1), &json!(false)));
    sync(&li).await;
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify, TaskKind::AnswerWarning]);
    assert_eq!(stages(&li, id), [Stage::Clue]);
    assert_eq!(stages(&li, other), []);
    let fields = li.show(id).unwrap().fields;
    assert_eq!(only(&fields, "warnings", "rule"), Some("accident"));
    assert_eq!(only(&fields, "warnings", "department"), None, "nobody's list");
    assert_eq!(only(&fields, "clues", "channel"), Some("inspection"));
    let told = county.office("县局", AdminCommand::Replay { household: id, warning: None });
    assert_eq!(told.unwrap()[0]["replay"], "alike");

    // Whoever asks again is told of nothing new, a phone as little as the township.
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 0);
    // Of a second accident the visit on its way will hear.
    li.edit(id, &fall()).unwrap();
    sync(&li).await;
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 0);
    // Once that has been, and somebody has answered, as much again is news.
    let row = li.tasks().unwrap().into_iter().find(|t| t.task.kind == TaskKind::AnswerWarning);
    let row = row.unwrap().task.subject;
    take(&li, id, Stage::ToVerify, RecordEdit::default());
    let visited = ["visits.date=2024-03-04", "visits.met=户主", "case.consent=是"];
    take(&li, id, Stage::Verified, typed(&visited));
    li.edit(id, &typed(&[&format!("warnings.{row}.answer=属实")])).unwrap();
    sync(&li).await;
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_at_a_desk_says_how_far_it_has_come_and_can_be_ended() {
    let (county, li, id) = on_record(family()).await;
    li.edit(id, &fall()).unwrap();
    sync(&li).await;
    let office =
        Office { settings: &county.server.settings, app: &county.server.app, by: "县局" };
    let warn = AdminCommand::Warn(WarnArguments { area: None, preview: false, rows: 20 });
    let figures = AdminCommand::Figures(FiguresArguments::default());
    let seen = Mutex::new(Vec::new());
    let run = |command: &AdminCommand, goes_on: bool| {
        assert!(command.is_watched());
        let watch = |phase, done, total| {
            seen.lock().unwrap().push((phase, done, total));
            goes_on
        };
        let ran = office.run_watched(command.clone(), &mut SystemEntropy, &watch);
        let ran = ran.map(|output| serde_json::from_str::<Json>(&output.json).unwrap());
        (ran.map_err(|error| error.words().0), std::mem::take(&mut *seen.lock().unwrap()))
    };
    let (told, watched) = run(&warn, false);
    let told = told.unwrap();
    assert_eq!(
        (&told["households"], &told["left"], &told["warned"]),
        (&0.into(), &1.into(), &0.into())
    );
    assert_eq!(watched, [(Phase::Judging, 0, 1)]);
    let told = run(&warn, true).0.unwrap();
    assert_eq!((&told["left"], &told["warned"]), (&0.into(), &1.into()), "the rest");
    assert_eq!(run(&figures, false), (Err("cancelled"), vec![(Phase::Counting, 0, 1)]));
    assert!(run(&figures, true).0.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_somebody_looks_after_and_what_a_bureau_says_is_not_warned_of_again() {
    let (county, li, id) = on_record(family()).await;
    county.account("住建局", Role::Department, FULING / 1_000_000);
    // The bureau's list fills in the house and warns of it. Taken back, the field stands until somebody has looked.
    let dir = tempfile::tempdir().unwrap();
    let lines: &[Line<'_>] = &[&["户主姓名", "身份证号", "鉴定等级"], &["周长根", NUMBER, "D级"]];
    let file = spreadsheet(&dir.path().join("危房.xlsx"), "危房", lines);
    let (kind, profile, report) = (Kind::Housing, None, None);
    let list = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("住建局", list).unwrap()["warned"], 1);
    let withdrawal = ImportCommand::Withdraw { number: 1, report: None };
    assert_eq!(county.import("住建局", withdrawal).unwrap()["standing"][0]["value"], "d");
    assert_eq!(warn(&county, "县局", None, false).unwrap()["warned"], 0, "the bureau's word");
    sync(&li).await;
    li.edit(id, &typed(&["living.house_danger=B级"])).unwrap();
    li.edit(id, &typed(&["living.house_danger=D级"])).unwrap();
    sync(&li).await;
    let told = warn(&county, "县局", None, false).unwrap();
    assert_eq!(told["rules"], json!({ "unsafe-house": 1 }), "the cadre has seen the house");

    // A monitored family has its cadre, its plan and its visits.
    let monitored = typed(&["basic.head_name=邓文华"]);
    let monitored = li.create_household(FULING, monitored).unwrap();
    sync(&li).await;
    let fields = &["class.monitored_kind=脱贫不稳定户"];
    let carried_over = Step { reason: "历史在册", fields, ..Step::default() };
    county.step("县局", monitored, "监测", carried_over).unwrap();
    sync(&li).await;
    li.edit(monitored, &fall()).unwrap();
    sync(&li).await;
    assert_eq!(li.warnings(monitored).unwrap().len(), 1);
    assert_eq!(warn(&county, "县局", None, false).unwrap()["warned"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_named_in_the_settings_is_served_without_asking() {
    let (county, li, id) = on_record(family()).await;
    let app = &county.server.app;
    let office = app.accounts.account("乡政府").unwrap().unwrap();
    let keep_up = |office: &Account| keep_up(app, office).unwrap();
    let of = |found: &Found| (found.households, found.warned);
    assert_eq!(of(&keep_up(&office)), (1, 0), "all of the area, the first time");
    assert_eq!(of(&keep_up(&office)), (0, 0), "nothing has changed");
    li.edit(id, &fall()).unwrap();
    sync(&li).await;
    assert_eq!(of(&keep_up(&office)), (1, 1));
    assert_eq!(of(&keep_up(&office)), (1, 0), "its own warning is a change as well");
    assert_eq!(of(&keep_up(&office)), (0, 0));
    // Two years on the accident is out of sight, and every household is looked at again.
    county.day("2026-03-04");
    assert_eq!(of(&keep_up(&office)), (1, 0));
    // What lies elsewhere is another office's.
    let elsewhere = Account { id: "别乡".into(), areas: vec![431_022_100], ..office };
    assert_eq!(of(&keep_up(&elsewhere)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_warn_is_not_obeyed() {
    let (county, _, _) = on_record(family()).await;
    for by in ["李明", "村委会", "医保局"] {
        assert_eq!(warn(&county, by, None, false), Err("not_granted"), "{by}");
    }
    let next_county = Some(431_025);
    assert_eq!(warn(&county, "县局", next_county, false), Err("not_granted"));
}

/// A stay of 3,000 yuan that the bureau's file tells of: too little to warn by itself.
const STAY: &str = "3000";

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_whether_the_bureau_or_the_cadre_comes_first() {
    let (county, li, id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let stay = super::bad_week::bill(dir.path(), "周长根", NUMBER, STAY);
    assert_eq!(deliver(&county, &stay)["warned"], 0);
    let another = typed(&[
        "spending.kind=医疗",
        "spending.inpatient=是",
        "spending.to=2024-02-20",
        "spending.self_pay_fen=300000",
    ]);
    li.edit(id, &another).unwrap();
    sync(&li).await;
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 1);
    let told = county.office("乡政府", AdminCommand::Replay { household: id, warning: None });
    assert_eq!(
        (&told.as_ref().unwrap()[0]["replay"], &told.as_ref().unwrap()[0]["input"]),
        (&json!("alike"), &json!(600_000))
    );
    // An income that is low whatever bureaus say.
    li.edit(id, &typed(&["income.wage_fen=30000"])).unwrap();
    sync(&li).await;
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 1);
    // The bureau's part is on the record as well, and the village's answer is the bureau's to read.
    sync(&li).await;
    let bills = li.show(id).unwrap().fields.into_iter();
    let bills = bills.filter(|f| f.container == "spending" && f.key.ends_with(".self_pay_fen"));
    assert_eq!(bills.count(), 2);
    assert_eq!(deliver(&county, &stay)["warned"], 0, "heard");
    let withdrawal = ImportCommand::Withdraw { number: 1, report: None };
    assert_eq!(county.import("医保局", withdrawal).unwrap()["households"], 1);
    sync(&li).await;
    let left = [TaskKind::Verify, TaskKind::AnswerWarning];
    assert_eq!(kinds(&li.tasks().unwrap()), left, "3,000 are below the line, the income as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_who_has_left_the_family_its_bills_say_nothing() {
    let (county, li, id) = on_record(super::bureaus::couple_with_child()).await;
    let dir = tempfile::tempdir().unwrap();
    let wife = super::bureaus::WIFE;
    let hers = super::bad_week::bill(dir.path(), "文秀芬", wife, "4000");
    assert_eq!(deliver(&county, &hers)["warned"], 0);
    let shown = li.show(id).unwrap();
    let is_hers = |f: &&FieldView| f.value.as_text() == Some(wife);
    let row = shown.fields.iter().find(is_hers).unwrap().key.split_once('.').unwrap().0.to_owned();
    li.edit(id, &typed(&[&format!("members.{row}.presence=减少")])).unwrap();
    sync(&li).await;
    let his = super::bad_week::bill(dir.path(), "周长根", NUMBER, "1500");
    assert_eq!(deliver(&county, &his)["warned"], 0, "1,500 yuan");
    assert_eq!(warn(&county, "乡政府", None, false).unwrap()["warned"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_warnings_makes_none_up() {
    let (county, li, id) = on_record(family()).await;
    let made_up = typed(&[
        "warnings.rule=medical-self-pay-lifted",
        "warnings.fired_on=2024-03-01",
        "warnings.input=99999999",
    ]);
    let refused = li.edit(id, &made_up).unwrap_err();
    assert!(matches!(refused, LedgerError::NotPermitted { .. }), "{refused:?}");
    let dir = tempfile::tempdir().unwrap();
    let stay = super::bad_week::bill(dir.path(), "周长根", NUMBER, "90000");
    assert_eq!(deliver(&county, &stay)["warned"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_list_has_shown_to_live_on_an_allowance_is_judged_by_their_own_line() {
    let here = wanhu_core::domain::policy::EXAMPLES_TOML.replace("area = 6101", "area = 4310");
    let policy = here.replace("from = \"2025-01-01\"", "from = \"2020-01-01\"");
    let county = people("2024-03-04", FULING, Some(&policy)).await;
    county.account("民政局", Role::Department, FULING / 1_000_000);
    let li = county.phone("李明").await;
    sync(&li).await;
    let id = li.create_household(FULING, family()).unwrap();
    li.edit(id, &typed(&["class.household_kind=一般农户"])).unwrap();
    sync(&li).await;
    let dir = tempfile::tempdir().unwrap();
    let lines: &[Line<'_>] =
        &[&["姓名", "身份证号", "救助类型", "月保障金额"], &["周长根", NUMBER, "农村低保", "300"]];
    let file = spreadsheet(&dir.path().join("低保.xlsx"), "低保", lines);
    let (kind, profile, report) = (Kind::CivilAffairs, None, None);
    let list = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("民政局", list).unwrap()["filled_in"], 1);
    sync(&li).await;
    let bill = ["spending.kind=医疗", "spending.to=2024-02-20", "spending.self_pay_fen=1500000"];
    li.edit(id, &typed(&bill)).unwrap();
    let on_the_phone: Vec<_> = li.warnings(id).unwrap().into_iter().map(|w| w.rule).collect();
    assert_eq!(on_the_phone, ["medical-low-income"], "15,000 yuan; other people's line is 26,000");
    sync(&li).await;
    let told = warn(&county, "县局", None, false).unwrap();
    assert_eq!(told["rules"], json!({ "medical-low-income": 1 }), "and the server says the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_list_and_cadre_say_at_once_is_the_word_of_whoever_is_shown() {
    let (county, li, id) = on_record(family()).await;
    county.account("残联", Role::Department, FULING / 1_000_000);
    let row = li.show(id).unwrap().fields.into_iter().find(|f| f.container == "members").unwrap();
    let row = row.key.split_once('.').unwrap().0.to_owned();
    let seen = [
        format!("members.{row}.disability_kind=视力"),
        format!("members.{row}.disability_grade=三级"),
    ];
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    li.edit(id, &typed(&seen)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let lines: &[Line<'_>] =
        &[&["姓名", "身份证号", "残疾类别", "残疾等级"], &["周长根", NUMBER, "肢体", "一级"]];
    let file = spreadsheet(&dir.path().join("残疾.xlsx"), "残疾", lines);
    let (kind, profile, report) = (Kind::Disability, None, None);
    let list = ImportCommand::Department { file, kind, profile, report, anyway: false };
    assert_eq!(county.import("残联", list).unwrap()["filled_in"], 1);
    sync(&li).await;
    assert_eq!(li.conflicts(id).unwrap().len(), 2);
    let shown = li.show(id).unwrap().fields;
    let is_the_lists = |field: &&FieldView| {
        let words = ["limb", "grade_1"];
        field.value.as_text().is_some_and(|value| words.contains(&value))
    };
    let the_lists = shown.iter().filter(is_the_lists).count();
    let withdrawal = ImportCommand::Withdraw { number: 1, report: None };
    let told = county.import("残联", withdrawal).unwrap();
    assert_eq!(told["standing"].as_array().unwrap().len(), the_lists, "{told} {shown:?}");
}
