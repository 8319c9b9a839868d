//! Files that were wrong and are taken back: what stays on record is told, and what other files say warns by itself.

use serde_json::json;
use wanhu_server::admin::FormCommand;

use super::bad_week::bill;
use super::*;

/// Identity number of the head of [`neighbours`].
const WIFE: &str = "11010519491231002X";

/// Another family of 福岭村.
fn neighbours() -> RecordEdit {
    let number = format!("members.identity_number={WIFE}");
    typed(&[
        "basic.head_name=文秀芬",
        "class.household_kind=脱贫户",
        "members.name=文秀芬",
        "members.relation=户主",
        &number,
    ])
}

const GRADES: Line<'static> = &["户主姓名", "身份证号", "鉴定等级"];
const UNSAFE: Line<'static> = &["周长根", NUMBER, "D级"];

/// A county with a housing bureau as well, a phone, and a family on record.
pub(super) struct Scene {
    pub(super) county: County,
    pub(super) li: Ledger,
    pub(super) id: HouseholdId,
    dir: tempfile::TempDir,
}

pub(super) async fn scene() -> Scene {
    let (county, li, id) = on_record(family()).await;
    county.account("住建局", Role::Department, FULING / 1_000_000);
    Scene { county, li, id, dir: tempfile::tempdir().unwrap() }
}

impl Scene {
    /// Delivers a table with one row as the bureau of its kind.
    fn list(&self, kind: Kind, title: &str, header: Line<'_>, row: Line<'_>) -> Json {
        let file = self.dir.path().join(format!("{title}.xlsx"));
        let file = spreadsheet(&file, title, &[header, row]);
        let command =
            ImportCommand::Department { file, kind, profile: None, report: None, anyway: false };
        self.county.import("住建局", command).unwrap()
    }

    fn grades(&self, title: &str) -> Json {
        self.list(Kind::Housing, title, GRADES, UNSAFE)
    }

    fn bill(&self, self_pay: &str) -> Json {
        deliver(&self.county, &bill(self.dir.path(), "周长根", NUMBER, self_pay))
    }

    /// Delivers bills: name, number, admission, total, self-pay.
    pub(super) fn bills(&self, title: &str, rows: &[Line<'_>]) -> Json {
        let header: Line<'_> =
            &["姓名", "身份证号码", "入院日期", "总费用", "个人自付", "医疗类别"];
        let lines = [&[header], rows].concat();
        deliver(
            &self.county,
            &spreadsheet(&self.dir.path().join(format!("{title}.xlsx")), title, &lines),
        )
    }

    /// Takes a delivery back. The fields that it leaves.
    pub(super) fn withdraw(&self, by: &str, delivered: &Json) -> Vec<Json> {
        let number = delivered["number"].as_i64().unwrap();
        let withdrawn =
            self.county.import(by, ImportCommand::Withdraw { number, report: None }).unwrap();
        let standing = withdrawn["standing"].as_array().unwrap();
        standing.iter().map(|field| field["field"].clone()).collect()
    }

    /// The warnings that wait for an answer: rule, figure, number of the delivery.
    pub(super) async fn asked(&self) -> Vec<(String, i64, i64)> {
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

pub(super) fn number(delivered: &Json) -> i64 {
    delivered["number"].as_i64().unwrap()
}

fn unsafe_house(delivered: &Json) -> Vec<(String, i64, i64)> {
    vec![("unsafe-house".to_owned(), 1, number(delivered))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_taken_back_is_on_no_sheet_and_the_sheets_on_which_it_stood_are_out_of_date() {
    let scene = scene().await;
    let (county, id) = (&scene.county, scene.id);
    let fields = &["class.monitored_kind=脱贫不稳定户"];
    let carried = Step { fields, reason: "历史在册", ..Step::default() };
    county.step("县局", id, "监测", carried).unwrap();
    let make = |form: &str| {
        let file = scene.dir.path().join(format!("{form}.csv"));
        let (form, area) = (form.to_owned(), Some(FULING));
        let command = FormCommand::Make { form, file: file.clone(), area, font: vec![] };
        county.office("乡政府", AdminCommand::Form(command)).unwrap();
        // But for the place in the log.
        let text = std::fs::read_to_string(file).unwrap();
        text.split("日志序号").next().unwrap().to_owned()
    };
    let stale = |form: &str| {
        let command = FormCommand::Stale { form: Some(form.into()), area: Some(FULING) };
        county.office("乡政府", AdminCommand::Form(command)).unwrap()
    };
    let before = make("department");
    make("survey");
    let wrong = scene.bill("60000");
    assert_eq!(stale("survey"), json!([id.to_string()]));
    assert!(make("department").contains(",60000"), "the wrong bill is on paper");
    scene.withdraw("医保局", &wrong);
    assert_eq!(stale("survey"), json!([]), "made before the file came, and true again");
    assert_eq!(stale("department"), json!([id.to_string()]), "there it stands");
    assert_eq!(make("department"), before);
    scene.bill("50000");
    let corrected = make("department");
    assert!(corrected.contains(",50000") && !corrected.contains(",60000"), "{corrected}");
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
async fn what_lies_in_another_county_by_now_is_named_and_taken_back_when_it_may_be() {
    let scene = scene().await;
    let here = scene.li.create_household(FULING, neighbours()).unwrap();
    sync(&scene.li).await;
    let rows: [Line<'_>; 2] = [
        &["周长根", NUMBER, "2024-02-01", "90000", "70000", "住院"],
        &["文秀芬", WIFE, "2024-02-01", "90000", "70000", "住院"],
    ];
    let wrong = scene.bills("wrong", &rows);
    assert_eq!(wrong["warned"], 2, "{wrong}");
    scene.county.account("市局", Role::City, FULING / 100_000_000);
    let to = |village| {
        scene.county.office("市局", AdminCommand::Move { household: scene.id, village }).unwrap();
    };
    to(431_025_100_216);
    let again = || {
        let command = ImportCommand::Withdraw { number: number(&wrong), report: None };
        scene.county.import("医保局", command)
    };
    let listed = |field: &str| {
        let list = scene.county.import("医保局", ImportCommand::List).unwrap();
        let known = list.as_array().unwrap().iter().find(|row| row["number"] == wrong["number"]);
        known.unwrap()[field].clone()
    };
    for marked in [1, 0] {
        let told = again().unwrap();
        assert_eq!((&told["ok"], &told["households"]), (&false.into(), &marked.into()));
        assert_eq!(told["in_the_way"], json!([scene.id.to_string()]));
        assert_eq!((&listed("withdrawn_in_part"), &listed("rows")), (&true.into(), &1.into()));
        assert_eq!(listed("withdrawn_ms"), Json::Null);
    }
    // A bill of a few yuan does not bring the wrong one back.
    let small: [Line<'_>; 1] = [&["文秀芬", WIFE, "2024-02-20", "100", "60", "住院"]];
    let small = scene.bills("small", &small);
    assert_eq!((&small["matched"], &small["warned"]), (&1.into(), &0.into()));
    sync(&scene.li).await;
    let bills = scene.li.show(here).unwrap().fields;
    let bills = bills.iter().filter(|f| f.container == "spending" && f.key.ends_with(".total_fen"));
    assert_eq!(bills.count(), 1, "the withdrawn bill, and not once more");
    to(FULING);
    assert_eq!(scene.asked().await.len(), 1, "of the family that was away nothing was taken back");
    let small: [Line<'_>; 1] = [&["周长根", NUMBER, "2024-02-20", "100", "60", "住院"]];
    assert_eq!(scene.bills("another", &small)["warned"], 0, "its rows count no more all the same");
    let told = again().unwrap();
    assert_eq!((&told["ok"], &told["households"]), (&true.into(), &1.into()));
    assert_eq!(scene.asked().await, []);
    assert_eq!((listed("withdrawn_in_part"), listed("rows")), (false.into(), 0.into()));
    assert_eq!(again(), Err("delivery_unknown"));
    // The same file, if it was right after all, is a delivery of its own.
    assert_eq!(scene.bills("wrong", &rows)["warned"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_broke_off_counts_from_where_it_began() {
    let scene = scene().await;
    let wrong = scene.bill("70000");
    let withdraw = |report: Option<PathBuf>| {
        let command = ImportCommand::Withdraw { number: number(&wrong), report };
        scene.county.import("医保局", command)
    };
    let nowhere = scene.dir.path().join("no directory").join("report.csv");
    assert_eq!(withdraw(Some(nowhere)), Err("report_unwritable"));
    let list = || scene.county.import("医保局", ImportCommand::List).unwrap()[0].clone();
    assert_eq!((&list()["withdrawn_in_part"], &list()["rows"]), (&true.into(), &1.into()));
    assert_eq!(scene.bill("60")["warned"], 0, "its rows are there and count no more");
    assert_eq!(scene.asked().await, []);
    assert_eq!(withdraw(None).unwrap()["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_villages_answer_is_told_to_each_list_that_has_the_row() {
    let scene = scene().await;
    let (january, february) = (scene.grades("一月"), scene.grades("二月"));
    assert_eq!((&january["warned"], &february["warned"]), (&1.into(), &0.into()));
    sync(&scene.li).await;
    let tasks = scene.li.tasks().unwrap();
    let asked = tasks.iter().find(|task| task.task.kind == TaskKind::AnswerWarning).unwrap();
    let row = &asked.task.subject;
    let visit = ["visits.date=2024-03-04", "visits.met=户主", "case.consent=是"];
    let [answer, on] = [("answer", "属实"), ("answered_on", "2024-03-04")]
        .map(|(field, value)| format!("warnings.{row}.{field}={value}"));
    let fields = [&visit[..], &[&*answer, &*on]].concat();
    take(&scene.li, scene.id, Stage::Verified, typed(&fields));
    sync(&scene.li).await;
    for list in [january, february] {
        let command = ImportCommand::Answers { number: number(&list) };
        let told = scene.county.import("住建局", command).unwrap();
        assert_eq!((&told[0]["row"], &told[0]["answer"]), (&3.into(), &"confirmed".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_a_household_that_has_left_the_county() {
    let scene = scene().await;
    let delivered = scene.grades("一月");
    let bills = scene.bill("70000");
    fill_in(&scene.county, "乡政府", scene.id, &["living.house_danger=B级"]);
    let told = || {
        let asked = |by, command| scene.county.import(by, command).unwrap();
        let differences = ImportCommand::Differences { number: number(&delivered) };
        let answers = ImportCommand::Answers { number: number(&bills) };
        (asked("住建局", differences), asked("医保局", answers))
    };
    let (differences, answers) = told();
    assert_eq!((&differences[0]["row"], &answers[0]["answer"]), (&3.into(), &"".into()));
    let away = AdminCommand::Move { household: scene.id, village: 431_025_100_216 };
    scene.county.account("市局", Role::City, FULING / 100_000_000);
    scene.county.office("市局", away).unwrap();
    let left = json!([{ "households_left": 1 }]);
    assert_eq!(told(), (left.clone(), left), "counted, and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_looks_after_the_files_of_an_account_that_is_closed() {
    let scene = scene().await;
    let delivered = scene.bill("70000");
    scene.county.account("医保局新", Role::Department, FULING / 1_000_000);
    scene.county.account("外县医保局", Role::Department, 431_024);
    let list = |by: &str| scene.county.import(by, ImportCommand::List).unwrap();
    let answers =
        |by: &str| scene.county.import(by, ImportCommand::Answers { number: number(&delivered) });
    assert_eq!((list("医保局新"), answers("医保局新")), (json!([]), Err("delivery_unknown")));
    scene.county.office("", AdminCommand::AccountDisable { id: "医保局".to_owned() }).unwrap();
    assert_eq!(answers("外县医保局"), Err("delivery_unknown"), "another county's");
    assert_eq!(answers("乡政府"), Err("delivery_unknown"), "no department");
    let listed = list("医保局新");
    let told = (&listed[0]["number"], &listed[0]["account"]);
    assert_eq!(told, (&delivered["number"], &"医保局".into()), "whose it was");
    assert_eq!(answers("医保局新").unwrap()[0]["row"], 3);
    assert_eq!(scene.withdraw("医保局新", &delivered), [""; 0]);
    assert_eq!(scene.asked().await, []);
}
