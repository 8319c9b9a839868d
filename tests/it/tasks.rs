//! What an office has to do, by the server's clock, and in pages: each task once, in one order, whatever is done in between.

use serde_json::Value as Json;
use wanhu_core::client::{RecordEdit, StepForm};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::{Case, Stage};
use wanhu_core::store::cases::TaskPlace;
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, HouseholdFilter, Office, TaskArguments};
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::FULING;

/// A township that has a cadre to name for each of these families; several on one day.
async fn unnamed_cadres() -> County {
    let county = County::on("2024-03-04", None).await;
    county.account("township", Role::TownshipOffice, FULING / 1_000);
    county.account("county", Role::CountyOffice, FULING / 1_000_000);
    for (at, on) in (0..9).zip(["2024-02-01", "2024-01-10", "2024-02-20"].iter().cycle()) {
        let fields = vec![format!("basic.head_name=陈{at}")];
        let new = AdminCommand::New { village: FULING, fields };
        let new = county.office("township", new).unwrap();
        let id: HouseholdId = new["subject"].as_str().unwrap().parse().unwrap();
        let identified = format!("case.identified_on={on}");
        let fields = ["class.monitored_kind=突发严重困难户", &identified];
        let carried_over =
            Step { fields: &fields, reason: "“两摸底”结果转入", ..Step::default() };
        county.step("county", id, "监测", carried_over).unwrap();
    }
    county
}

/// What the township is shown: for people, and for scripts.
fn page(county: &County, asked: TaskArguments) -> (String, Vec<Json>) {
    shown(county, AdminCommand::Tasks(asked))
}

/// What the township is shown by a command that lists: for people, and for scripts.
pub(crate) fn shown(county: &County, command: AdminCommand) -> (String, Vec<Json>) {
    let (settings, app) = (&county.server.settings, &county.server.app);
    let office = Office { settings, app, by: "township" };
    let output = office.run(command, &mut SystemEntropy).map_err(|error| error.words().0).unwrap();
    let Json::Array(rows) = serde_json::from_str(&output.json).unwrap() else { panic!("no rows") };
    (output.text, rows)
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
        assert_eq!(after, Some(place(&all[all.len() - 1])), "what scripts are told");
    }
}

fn place(row: &Json) -> TaskPlace {
    row["place"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_tasks_are_the_whole_list() {
    let county = unnamed_cadres().await;
    let (text, whole) = page(&county, TaskArguments::default());
    assert_eq!((whole.len(), go_on(&text)), (9, None), "nothing follows: {text}");
    assert!(whole.iter().map(place).is_sorted());
    let due: Vec<_> = whole.iter().map(|row| row["task"]["due_on"].as_str().unwrap()).collect();
    assert!(
        due.is_sorted() && due[0] == due[2] && due[0] < due[3],
        "the most urgent first: {due:?}"
    );
    for rows in [1, 2, 4, 8, 9, 10] {
        assert_eq!(paged(&county, rows, None), whole, "{rows} a page");
    }
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
