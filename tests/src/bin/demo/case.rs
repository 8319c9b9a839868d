//! The second half of the demo: the insurance bureau's file sets off a warning, the cadre verifies it, the village
//! appraises it, and a notice hangs that nobody can cut short.

use std::error::Error;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::Workbook;
use serde_json::Value as Json;
use wanhu_core::client::{Ledger, RecordEdit, StepForm};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::words;
use wanhu_core::domain::workflow::Stage;
use wanhu_tests::line::LineHandle;
use wanhu_tests::population::FULING;

use crate::{Failure, Server, sync};

/// 文秀芬's, for nobody: it only checks.
const WIFE: &str = "431022197003080028";

/// The bureau's table, as people make them: a title above the header, dates and amounts as they come.
fn table(path: &Path, today: &str) -> Result<(), Failure> {
    let lines: [&[&str]; 5] = [
        &["宜章县住院费用明细"],
        &[
            "序号",
            "姓名",
            "身份证号码",
            "医疗类别",
            "病种",
            "入院日期",
            "总费用(元)",
            "基本医保报销",
            "个人自付",
        ],
        &["1", "文秀芬", WIFE, "住院", "乳腺恶性肿瘤", today, "￥90,000.00", "78,000", "12000"],
        &["2", "张三", "110105194912310046", "住院", "骨折", today, "30000", "1000", "29000"],
        &["3", "李四", "4.31022E+17", "住院", "肺炎", today, "9000", "5000", "4000"],
    ];
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, line) in (0..).zip(lines) {
        for (column, cell) in (0..).zip(line) {
            sheet.write(row, column, *cell)?;
        }
    }
    Ok(workbook.save(path)?)
}

/// Opens the accounts, delivers the file, follows the case as far as one day allows.
pub(crate) async fn case(
    server: &Server,
    cadre: &Ledger,
    id: HouseholdId,
    line: &LineHandle,
    dir: &Path,
) -> Result<(), Failure> {
    println!("七、医保局送来住院费用表 · the insurance bureau delivers a table of hospital bills");
    let (village, county) = (FULING.to_string(), (FULING / 1_000_000).to_string());
    let township = (FULING / 1_000).to_string();
    for (account, name, role, area) in [
        ("yibao", "县医保局", "department", &county),
        ("cunwei", "福岭村委会", "village_committee", &village),
        ("xiang", "关溪乡政府", "township_office", &township),
    ] {
        server.admin(&["account-add", account, "--name", name, "--role", role, "--area", area])?;
    }
    name_the_wife(cadre, id)?;
    sync("李明 A", cadre, line).await?;
    let files = dir.join("files");
    std::fs::create_dir_all(&files)?;
    let (bills, report) = (files.join("住院费用.xlsx"), files.join("未采用的行.csv"));
    table(&bills, &cadre.today().to_string())?;
    let delivered = deliver(server, &bills, &report)?;
    println!(
        "    {} 行 rows: {} 行对应在册人员 matched,{} 行未采用 not taken,{} 户预警 warned",
        delivered["rows"], delivered["matched"], delivered["not_taken"], delivered["warned"]
    );

    println!("八、预警成为手机上的任务 · the warning becomes a task on the cadre's phone");
    sync("李明 A", cadre, line).await?;
    for view in cadre.tasks()? {
        let kind = words("task_kind", view.task.kind.code());
        let kind = kind.map(|kind| format!("{} {}", kind.zh, kind.en)).unwrap_or_default();
        let due = view.task.due_on.map(|day| day.to_string()).unwrap_or_default();
        println!("    {}: {kind},限 by {due}", view.head_name);
    }
    verify(cadre, id)?;
    sync("李明 A", cadre, line).await?;

    println!("九、民主评议,村内公示 · the village appraises, the notice hangs");
    let household = id.to_string();
    let step = |by: &str, stage: &str, more: &[&str]| {
        let words = ["--by", by, "step", household.as_str(), stage];
        server.admin(&[&words, more].concat())
    };
    step("cunwei", "民主评议", &["--votes", "11:1"])?;
    step("cunwei", "村内公示", &[])?;
    match step("xiang", "乡镇审核", &[]) {
        Ok(_) => return Err("a notice was cut short".into()),
        Err(refused) => {
            println!("    乡镇现在审核 · the township tries at once: {}", said(&refused))
        }
    }
    for (form, file) in [("notice", "村内公示.xlsx"), ("village", "村级台账.xlsx")] {
        let file = files.join(file);
        server.admin(&["--by", "cunwei", "form", "make", form, text(&file)?])?;
    }
    println!("    文件在 · the files are in {}", files.display());
    Ok(())
}

fn name_the_wife(cadre: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let record = cadre.show(id)?;
    let is_hers = |field: &&wanhu_core::client::FieldView| {
        field.container == "members" && field.value == "文秀芬".into()
    };
    let row = record.fields.iter().find(is_hers).ok_or("文秀芬")?.key.replace(".name", "");
    let form = RecordEdit { form: "household/1".into(), ..RecordEdit::default() };
    Ok(cadre.edit(id, &form.set("members", &format!("{row}.identity_number"), WIFE))?)
}

fn deliver(server: &Server, bills: &Path, report: &Path) -> Result<Json, Failure> {
    let (bills, report) = (text(bills)?, text(report)?);
    server.run(&[
        "import",
        "--by",
        "yibao",
        "department",
        bills,
        "--kind",
        "medical",
        "--report",
        report,
    ])
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| PathError(path.to_owned()).into())
}

/// A path that is no text.
#[derive(Debug)]
struct PathError(PathBuf);

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.display())
    }
}

impl Error for PathError {}

fn verify(cadre: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let today = cadre.today().to_string();
    let text = |field: &str, value: &str| (field.to_owned(), value.into());
    let visit = vec![text("date", &today), text("met", "head"), text("finding", "difficult")];
    let with = RecordEdit { on_behalf_of: "陈永昌".into(), ..RecordEdit::default() };
    let with = with.set("case", "consent", true).set("case", "by_proxy", true).row("visits", visit);
    cadre.take_step(id, &StepForm::to(Stage::Verified), with)?;
    println!(
        "    李明入户核实,代陈永昌申报 · Li visits, finds it true, files on the family's behalf"
    );
    Ok(())
}

/// The Chinese words of a program's refusal.
fn said(refused: &Failure) -> String {
    let json: Result<Json, _> = serde_json::from_str(&refused.to_string());
    json.ok().and_then(|json| Some(json["zh"].as_str()?.to_owned())).unwrap_or_default()
}
