//! What an office has to do, by the server's clock, and in pages: each task once, in one order, whatever is done in between.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use wanhu_core::client::{RecordEdit, StepForm};
use wanhu_core::domain::asking::Asking;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::cases::{self, TaskPlace, TaskView};
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, HouseholdFilter, Office, TaskArguments};
use wanhu_server::storage::{dues, responsible, taken};
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::FULING;

/// Somebody in every role, so that no office has to look for one.
async fn nobody_missing(county: &County) {
    county.account("li", Role::VillageCadre, FULING);
    county.account("committee", Role::VillageCommittee, FULING);
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("county", Role::CountyOffice, FULING / 1_000_000);
    county.phone("li").await;
}

/// A township that has a cadre to name for each of these families, carried over on three days; several on one day.
async fn unnamed_cadres() -> County {
    let county = County::on("2024-01-10", None).await;
    nobody_missing(&county).await;
    for (on, names) in [("2024-01-10", 1..4), ("2024-02-01", 4..7), ("2024-02-20", 7..10)] {
        county.day(on);
        for name in names {
            let fields = vec![format!("basic.head_name=陈{name}")];
            let new = AdminCommand::New { village: FULING, fields };
            let new = county.office("township", new).unwrap();
            let id: HouseholdId = new["subject"].as_str().unwrap().parse().unwrap();
            let fields = ["class.monitored_kind=突发严重困难户", "case.identified_on=2023-06-01"];
            let carried_over =
                Step { fields: &fields, reason: "“两摸底”结果转入", ..Step::default() };
            county.step("county", id, "监测", carried_over).unwrap();
        }
    }
    county.day("2024-03-04");
    county
}

/// What the township is shown: for people, and for scripts.
fn page(county: &County, asked: TaskArguments) -> (String, Vec<Json>) {
    shown(county, AdminCommand::Tasks(asked))
}

/// All pages of what an account has to do, as scripts go on.
fn paged_for(county: &County, by: &str, rows: u32) -> Vec<Json> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let asked = AdminCommand::Tasks(TaskArguments { after, rows });
        let page = county.office(by, asked).unwrap();
        all.extend(page["rows"].as_array().unwrap().iter().cloned());
        let Some(place) = page["after"].as_str() else { return all };
        after = Some(place.parse().unwrap());
    }
}

/// What the township is shown by a command that lists: for people, and for scripts.
pub(crate) fn shown(county: &County, command: AdminCommand) -> (String, Vec<Json>) {
    let (settings, app) = (&county.server.settings, &county.server.app);
    let office = Office { settings, app, by: "township" };
    let output = office.run(command, &mut SystemEntropy).map_err(|error| error.words().0).unwrap();
    let page: Json = serde_json::from_str(&output.json).unwrap();
    let typed = page["after"].as_str().map(|after| after.replace('\'', r"'\''"));
    let told = go_on(&output.text).map(|after| after.trim_matches('\'').to_owned());
    assert_eq!(told, typed, "people and scripts are told the same");
    (output.text, page["rows"].as_array().unwrap().clone())
}

/// How to go on, as the last line says.
pub(crate) fn go_on(text: &str) -> Option<&str> {
    Some(text.lines().last()?.split_once("--after ")?.1)
}

/// All pages one after the other.
fn paged(county: &County, rows: u32, mut after: Option<TaskPlace>) -> Vec<Json> {
    let mut all = Vec::new();
    loop {
        let (text, page) = page(county, TaskArguments { after, rows });
        assert!(page.len() <= rows as usize);
        all.extend(page);
        after = go_on(&text).map(|place| place.parse().unwrap());
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_tasks_are_the_whole_list() {
    let county = unnamed_cadres().await;
    let (text, whole) = page(&county, TaskArguments::default());
    assert_eq!((whole.len(), go_on(&text)), (9, None), "nothing follows: {text}");
    let due: Vec<_> = whole.iter().map(|row| row["task"]["due_on"].as_str().unwrap()).collect();
    assert!(
        due.is_sorted() && due[0] == due[2] && due[0] < due[3],
        "the most urgent first: {due:?}"
    );
    for rows in [1, 2, 4, 8, 9, 10] {
        assert_eq!(paged(&county, rows, None), whole, "{rows} a page");
    }
}

/// A village at every stage of its cases: told of, verified, on notice, monitored with a cadre for a while and without one.
async fn cases_at_every_stage() -> County {
    let county = County::on("2024-03-01", None).await;
    nobody_missing(&county).await;
    county.account("wang", Role::VillageCadre, FULING);
    let visited = Step {
        fields: &["visits.date=2024-03-01", "visits.met=户主", "case.consent=是"],
        ..Step::default()
    };
    let votes = Step { votes: Some((9, 1)), ..Step::default() };
    for at in 0..20 {
        let fields = vec![format!("basic.head_name=陈{at}")];
        let new = AdminCommand::New { village: FULING, fields };
        let new = county.office("township", new).unwrap();
        let id: HouseholdId = new["subject"].as_str().unwrap().parse().unwrap();
        if at % 2 == 0 {
            let fields = ["class.monitored_kind=突发严重困难户", "case.identified_on=2024-01-20"];
            let carried_over = Step { fields: &fields, reason: "结果转入", ..Step::default() };
            county.step("county", id, "监测", carried_over).unwrap();
            let fields = ["cadres.name=李明", "cadres.account=li", "cadres.to=2024-03-20"];
            let named = AdminCommand::Edit {
                household: id,
                fields: fields[..if at % 4 == 0 { 3 } else { 2 }]
                    .iter()
                    .map(|f| (*f).into())
                    .collect(),
                on_behalf_of: String::new(),
            };
            if at % 3 != 0 {
                county.office("township", named).unwrap();
            }
            continue;
        }
        let taken: [(&str, &str, Step<'_>); 5] = [
            ("li", "clue", Step { fields: &["clues.channel=干部排查"], ..Step::default() }),
            ("li", "verified", visited),
            ("committee", "appraised", votes),
            ("committee", "on_notice", Step::default()),
            ("committee", "objection", Step { reason: "家有楼房", ..Step::default() }),
        ];
        for (by, stage, with) in taken.into_iter().take(at / 2 % 6) {
            county.step(by, id, stage, with).unwrap();
        }
    }
    county
}

/// What an account has to do, household and task, as the records say.
fn on_record(county: &County, by: &str) -> Vec<(String, Json)> {
    let (app, now_ms) = (&county.server.app, county.server.app.clock.now_ms());
    let account = app.accounts.account(by).unwrap().unwrap();
    let asking = Asking {
        account: &account.id,
        role: Some(account.role),
        areas: &account.areas,
        grids: &account.grids,
        policy: &app.policy.policy,
        today: Day::in_china(now_ms),
    };
    let tasks = app.storage.read(|c| cases::tasks(c, &asking, taken::case)).unwrap();
    let told = |view: TaskView| {
        let due_on = view.task.due_on.map(|day| day.to_string());
        let (kind, subject) = (view.task.kind.code(), view.task.subject);
        let task = serde_json::json!({ "kind": kind, "due_on": due_on, "subject": subject });
        (view.household.to_string(), task)
    };
    tasks.into_iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_what_the_records_say_on_every_day_however_far_the_days_have_come() {
    let county = cases_at_every_stage().await;
    let app = &county.server.app;
    let mut kinds = BTreeSet::new();
    for reach in ["none", "all", "before the last"] {
        match reach {
            "all" => dues::catch_up(&app.storage, &app.policy).unwrap(),
            "before the last" => {
                let (id, _) = &on_record(&county, "wang")[0];
                let visited = AdminCommand::Edit {
                    household: id.parse().unwrap(),
                    fields: vec!["visits.date=2024-03-25".into(), "visits.met=户主".into()],
                    on_behalf_of: String::new(),
                };
                county.office("wang", visited).unwrap();
            }
            _ => {}
        }
        for day in ["2024-03-01", "2024-03-07", "2024-03-20", "2024-03-21", "2024-04-30"] {
            county.day(day);
            for by in ["li", "wang", "committee", "township", "county"] {
                let whole = on_record(&county, by);
                kinds.extend(whole.iter().map(|(_, task)| task["kind"].to_string()));
                for rows in [1, 3, 200] {
                    let paged = paged_for(&county, by, rows).into_iter();
                    let told = |row: Json| {
                        (row["household"].as_str().unwrap().into(), row["task"].clone())
                    };
                    let paged: Vec<(String, Json)> = paged.map(told).collect();
                    assert_eq!(paged, whole, "{by} on {day}, {rows} a page, days: {reach}");
                }
            }
        }
    }
    assert_eq!(kinds.len(), 9, "too few kinds to tell: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_no_record_but_those_of_its_rows() {
    let county = unnamed_cadres().await;
    let app = &county.server.app;
    dues::catch_up(&app.storage, &app.policy).unwrap();
    responsible::catch_up(&app.storage).unwrap();
    let (_, whole) = page(&county, TaskArguments::default());
    // Whoever reads one of these is told that it is damaged.
    for row in &whole[4..] {
        let id: HouseholdId = row["household"].as_str().unwrap().parse().unwrap();
        let damage = move |transaction: &rusqlite::Transaction<'_>| {
            let state = "UPDATE household SET state = x'ff' WHERE id = ?1";
            transaction.execute(state, [id.0])?;
            let changes = "UPDATE change SET body = x'ff'
                WHERE household = (SELECT n FROM household WHERE id = ?1)";
            Ok(transaction.execute(changes, [id.0])?)
        };
        assert_ne!(app.storage.writer().write(damage).unwrap(), 0);
    }
    let (text, first) = page(&county, TaskArguments { after: None, rows: 2 });
    let after = go_on(&text).unwrap().parse().unwrap();
    assert_eq!(first, whole[..2]);
    let asked = TaskArguments { after: Some(after), rows: 1 };
    assert_eq!(page(&county, asked).1, whole[2..3]);
    let whole_list = AdminCommand::Tasks(TaskArguments::default());
    assert_eq!(county.office("township", whole_list), Err("store_failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_between_two_pages_hides_nothing() {
    let county = unnamed_cadres().await;
    let (_, whole) = page(&county, TaskArguments::default());
    let (text, first) = page(&county, TaskArguments { after: None, rows: 4 });
    assert_eq!(first, whole[..4]);
    // The one the page ended with, and one before it.
    for row in [&whole[3], &whole[1]] {
        let household = row["household"].as_str().unwrap().parse().unwrap();
        let fields = ["cadres.name=李明", "cadres.account=li", "cadres.role=帮扶责任人"];
        let fields = fields.map(str::to_owned).to_vec();
        let edit = AdminCommand::Edit { household, fields, on_behalf_of: String::new() };
        county.office("township", edit).unwrap();
    }
    let after = go_on(&text).unwrap().parse().unwrap();
    assert_eq!(paged(&county, 2, Some(after)), whole[4..]);
    assert_eq!(paged(&county, 2, None).len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_how_to_go_on_while_more_follow() {
    let county = unnamed_cadres().await;
    let list = |rows, after| {
        shown(
            &county,
            AdminCommand::List(HouseholdFilter { rows, after, ..HouseholdFilter::default() }),
        )
    };
    let (text, whole) = list(9, None);
    assert_eq!((whole.len(), go_on(&text)), (9, None));
    let (text, first) = list(5, None);
    assert_eq!(first, whole[..5]);
    let after: HouseholdId = go_on(&text).unwrap().parse().unwrap();
    let (text, rest) = list(5, Some(after));
    assert_eq!((rest, go_on(&text)), (whole[5..].to_vec(), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_from_the_future_puts_nothing_off() {
    let county = County::on("2024-03-04", None).await;
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("li", Role::VillageCadre, FULING);
    let li = county.phone("li").await;
    sync(&li).await;
    let ahead = "2030-01-01".parse().unwrap();
    let clue = RecordEdit::default().set("basic", "head_name", "陈永昌");
    let clue = clue.step(&Case::default(), &StepForm::to(Stage::Clue), "village", ahead);
    let id = li.create_household(FULING, clue).unwrap();
    assert_eq!(sync(&li).await.refused, 0, "the work of a wrong clock is taken");
    let due = |case: &Json| case["tasks"][0]["due_on"].as_str().unwrap().to_owned();
    let case = || county.office("township", AdminCommand::Case { household: id }).unwrap();
    assert_eq!(due(&case()), "2024-03-11", "five working days from when the server took it");
    let late = || {
        let filter = HouseholdFilter { overdue: true, rows: 50, ..HouseholdFilter::default() };
        shown(&county, AdminCommand::List(filter)).1.len()
    };
    county.day("2024-03-11");
    assert_eq!(late(), 0);
    county.day("2024-03-12");
    assert_eq!(late(), 1);
    let stated = li.case(id).unwrap().tasks[0].due_on.unwrap().to_string();
    assert_eq!(stated, "2030-01-08", "a phone has what the step states");
}
