//! Files that were wrong and are taken back: what stays on record is told, and what other files say warns by itself.

use serde_json::json;

use super::bad_week::bill;
use super::*;

const GRADES: Line<'static> = &["户主姓名", "身份证号", "鉴定等级"];
const UNSAFE: Line<'static> = &["周长根", NUMBER, "D级"];

/// A county with a housing bureau as well, a phone, and a family on record.
struct Scene {
    county: County,
    li: Ledger,
    id: HouseholdId,
    dir: tempfile::TempDir,
}

async fn scene() -> Scene {
    let (county, li, id) = on_record(family()).await;
    county.account("住建局", Role::Department, FULING / 1_000_000);
    Scene { county, li, id, dir: tempfile::tempdir().unwrap() }
}

impl Scene {
    /// Delivers a table with one row as the bureau of its kind.
    fn list(&self, kind: Kind, title: &str, header: Line<'_>, row: Line<'_>) -> Json {
        let file = self.dir.path().join(format!("{title}.xlsx"));
        let file = spreadsheet(&file, title, &[header, row]);
        let command = ImportCommand::Department { file, kind, profile: None, report: None };
        self.county.import("住建局", command).unwrap()
    }

    fn grades(&self, title: &str) -> Json {
        self.list(Kind::Housing, title, GRADES, UNSAFE)
    }

    fn bill(&self, self_pay: &str) -> Json {
        deliver(&self.county, &bill(self.dir.path(), "周长根", NUMBER, self_pay))
    }

    /// Takes a delivery back. The fields that it leaves.
    fn withdraw(&self, by: &str, delivered: &Json) -> Vec<Json> {
        let number = delivered["number"].as_i64().unwrap();
        let withdrawn =
            self.county.import(by, ImportCommand::Withdraw { number, report: None }).unwrap();
        let standing = withdrawn["standing"].as_array().unwrap();
        standing.iter().map(|field| field["field"].clone()).collect()
    }

    /// The warnings that wait for an answer: rule, figure, number of the delivery.
    async fn asked(&self) -> Vec<(String, i64, i64)> {
        sync(&self.li).await;
        let shown = self.li.show(self.id).unwrap();
        let value = |row: &str, field: &str| {
            let key = format!("{row}.{field}");
            let field = shown.fields.iter().find(|f| f.container == "warnings" && f.key == key);
            &field.unwrap().value
        };
        let tasks = self.li.tasks().unwrap();
        let asked = tasks.iter().filter(|task| task.task.kind == TaskKind::AnswerWarning);
        let told = asked.map(|task| {
            let row = task.task.subject.as_str();
            let rule = value(row, "rule").as_text().unwrap().to_owned();
            let figure = |field| value(row, field).as_int().unwrap();
            (rule, figure("input"), figure("delivery"))
        });
        told.collect()
    }
}

fn number(delivered: &Json) -> i64 {
    delivered["number"].as_i64().unwrap()
}

fn unsafe_house(delivered: &Json) -> Vec<(String, i64, i64)> {
    vec![("unsafe-house".to_owned(), 1, number(delivered))]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_filled_in_is_told_until_somebody_has_looked() {
    let scene = scene().await;
    let wrong = scene.grades("一月");
    let report = scene.dir.path().join("standing.csv");
    let told = scene.county.import(
        "住建局",
        ImportCommand::Withdraw { number: number(&wrong), report: Some(report.clone()) },
    );
    let row = json!({
        "household": scene.id.to_string(), "row": 3, "field": "living.house_danger", "value": "d"
    });
    assert_eq!(told.unwrap()["standing"], json!([row]));
    let written = std::fs::read_to_string(report).unwrap();
    let line = format!("{},3,living.house_danger,房屋危险等级,D级\n", scene.id);
    assert_eq!(written.split_once('\n').unwrap().1, line);
    assert_eq!(scene.asked().await, []);
    // The right list says the same of this house: it warns, and once it is taken back the field stands as before.
    let right = scene.grades("二月");
    assert_eq!(right["warned"], 1);
    assert_eq!(scene.asked().await, unsafe_house(&right));
    assert_eq!(scene.withdraw("住建局", &right), ["living.house_danger"], "nobody has looked");
    let last = scene.grades("三月");
    fill_in(&scene.county, "乡政府", scene.id, &["living.house_danger=B级"]);
    fill_in(&scene.county, "乡政府", scene.id, &["living.house_danger=D级"]);
    assert_eq!(scene.withdraw("住建局", &last), [""; 0], "the township has seen it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_another_list_repeats_leaves_its_warning_to_it() {
    let scene = scene().await;
    let (january, february) = (scene.grades("一月"), scene.grades("二月"));
    assert_eq!((&january["warned"], &february["warned"]), (&1.into(), &0.into()));
    // A bill of a few yuan came last; the house is none of its business.
    scene.bill("60");
    assert_eq!(scene.withdraw("住建局", &january), [""; 0], "the other list says the same");
    assert_eq!(scene.asked().await, unsafe_house(&february));
    assert_eq!(scene.withdraw("住建局", &february), ["living.house_danger"]);
    assert_eq!(scene.asked().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_bureaus_warning_filled_in_is_told_as_well() {
    let scene = scene().await;
    // Of a sound house nobody is warned; the bill that warns takes the grade along.
    let sound = scene.list(Kind::Housing, "一月", GRADES, &["周长根", NUMBER, "B级"]);
    assert_eq!((&sound["warned"], &scene.bill("60000")["warned"]), (&0.into(), &1.into()));
    assert_eq!(scene.withdraw("住建局", &sound), ["living.house_danger"]);
    assert_eq!(scene.asked().await.len(), 1, "the bill is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_that_suffice_without_a_wrong_one_warn_anew() {
    let scene = scene().await;
    let (wrong, right) = (scene.bill("70000"), scene.bill("60000"));
    assert_eq!((&wrong["warned"], &right["warned"]), (&1.into(), &1.into()));
    scene.withdraw("医保局", &wrong);
    let asked = scene.asked().await;
    let figures: Vec<_> = asked.iter().map(|(_, fen, delivery)| (*fen, *delivery)).collect();
    assert_eq!(figures, [(6_000_000, number(&right))], "of the right bill alone");
    scene.withdraw("医保局", &right);
    assert_eq!(scene.asked().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowance_stands_in_nobodys_way() {
    let scene = scene().await;
    let header = ["姓名", "身份证号", "救助类型", "月保障金额"];
    let row = ["周长根", NUMBER, "农村低保", "300"];
    assert_eq!(scene.list(Kind::CivilAffairs, "低保", &header, &row)["matched"], 1);
    let (wrong, right) = (scene.bill("70000"), scene.bill("60000"));
    assert_eq!((&wrong["refused"], &right["refused"]), (&json!([]), &json!([])));
    scene.withdraw("医保局", &wrong);
    assert_eq!(scene.asked().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_another_county_by_now_is_not_taken_back_and_says_so() {
    let scene = scene().await;
    let wrong = scene.bill("70000");
    let to = |village| {
        scene.county.office("", AdminCommand::Move { household: scene.id, village }).unwrap();
    };
    to(431_025_100_216);
    let withdraw = || {
        let command = ImportCommand::Withdraw { number: number(&wrong), report: None };
        scene.county.import("医保局", command)
    };
    assert_eq!(withdraw(), Err("not_whole"));
    // It stays a delivery, so that it can be taken back once the family is there again.
    let list = scene.county.import("医保局", ImportCommand::List).unwrap();
    assert_eq!((&list[0]["number"], &list[0]["withdrawn_ms"]), (&wrong["number"], &Json::Null));
    to(FULING);
    sync(&scene.li).await;
    assert_eq!(scene.asked().await.len(), 1, "nothing was taken back");
    assert_eq!(withdraw().unwrap()["households"], 1);
    assert_eq!(scene.asked().await, []);
}
