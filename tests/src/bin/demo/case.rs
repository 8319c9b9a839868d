//! The insurance bureau's file sets off a warning; the cadre verifies it, the village appraises, a notice hangs that
//! nobody can cut short; township and county decide.

use std::path::Path;

use rust_xlsxwriter::Workbook;
use wanhu_core::client::{Ledger, RecordEdit, StepForm};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::system::SystemEntropy;
use wanhu_server::admin::{AdminCommand, ImportCommand, Office, StepArguments};
use wanhu_server::import::profile::Kind;
use wanhu_tests::county::Step;
use wanhu_tests::line::LineHandle;

use crate::{Failure, Tale, files, print_tasks, sync, typed};

/// Days of the story: the file comes, the cadre visits, the village appraises, the notice is over.
const DELIVERED: i32 = 3;
const VISITED: i32 = 6;
const APPRAISED: i32 = 8;
const NOTICE_OVER: i32 = 14;

/// 文秀芬's, for nobody: it only checks.
const WIFE: &str = "431022197003080028";

/// 陈永昌's family before the illness.
pub(crate) fn family() -> Result<RecordEdit, Failure> {
    let mut edit = typed(&[
        "basic.head_name=陈永昌",
        "basic.natural_village=福岭",
        "class.household_kind=脱贫户",
        "income.wage_fen=24000元",
        "income.business_fen=9000元",
        "living.house_danger=A级",
    ])?;
    for guarantee in ["food", "clothing", "schooling", "medical", "housing", "water"] {
        edit = edit.set("guarantees", &format!("{guarantee}_state"), "met");
    }
    let number = format!("members.identity_number={WIFE}");
    for member in [
        &["members.name=陈永昌", "members.relation=户主", "members.labour=普通劳动力"][..],
        &["members.name=文秀芬", "members.relation=配偶", "members.health=患有大病", &number],
        &["members.name=陈大", "members.relation=儿子", "members.labour=普通劳动力"],
        &["members.name=陈小", "members.relation=儿子", "members.school_stage=初中"],
    ] {
        edit.new_rows.extend(typed(member)?.new_rows);
    }
    Ok(edit)
}

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

/// From the bureau's file to the visit that verifies.
pub(crate) async fn warned(
    tale: &Tale,
    li: &Ledger,
    id: HouseholdId,
    line: &LineHandle,
) -> Result<(), Failure> {
    tale.chapter(
        DELIVERED,
        "七、医保局送来住院费用表 · the insurance bureau delivers a table of bills",
    );
    let file = tale.dir.join("files/住院费用.xlsx");
    let report = Some(tale.dir.join("files/未采用的行.csv"));
    table(&file, &tale.day(0))?;
    let command = ImportCommand::Department {
        file,
        kind: Kind::Medical,
        profile: None,
        report,
        anyway: false,
    };
    let delivered = tale.county.import("yibao", command)?;
    println!(
        "    {} 人在册 matched,{} 行未采用 not taken,{} 户预警 warned",
        delivered["matched"], delivered["not_taken"], delivered["warned"]
    );
    println!(
        "    自付 12,000 元,预警线 5,000 元 · paid by the family itself 12,000 yuan, the line is 5,000"
    );

    tale.chapter(
        DELIVERED,
        "八、预警成为手机上的任务 · the warning becomes a task on the cadre's phone",
    );
    sync("李明 A", li, line).await?;
    print_tasks(li)?;

    tale.chapter(
        VISITED,
        "九、入户核实,代为申报 · a visit, and a declaration on the family's behalf",
    );
    verify(li, id)?;
    println!(
        "    李明入户核实属实,代陈永昌申报 · Li finds it true and files for the family, offline"
    );
    sync("李明 A", li, line).await
}

fn verify(li: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let today = li.today().to_string();
    let warning = li.tasks()?.into_iter().find(|view| !view.task.subject.is_empty());
    let row = warning.ok_or("a warning to answer")?.task.subject;
    let date = format!("visits.date={today}");
    let with = typed(&[
        &date,
        "visits.purpose=核实线索",
        "visits.met=户主",
        "visits.finding=有困难",
        "case.consent=是",
        "case.by_proxy=是",
        "class.risk_1=因病",
        &format!("warnings.{row}.answer=属实"),
        &format!("warnings.{row}.answered_on={today}"),
    ])?;
    let with = RecordEdit { on_behalf_of: "陈永昌".into(), ..with };
    Ok(li.take_step(id, &StepForm::to(Stage::Verified), with)?)
}

/// Village, township and county; the days of the notice between them.
pub(crate) async fn decided(
    tale: &Tale,
    li: &Ledger,
    id: HouseholdId,
    line: &LineHandle,
) -> Result<(), Failure> {
    tale.chapter(APPRAISED, "十、民主评议,村内公示 · the village appraises, the notice hangs");
    tale.step("cunwei", id, "民主评议", Step { votes: Some((11, 1)), ..Step::default() })?;
    tale.step("cunwei", id, "村内公示", Step::default())?;
    println!("    评议 11 票赞成、1 票反对 · 11 votes for, 1 against");
    println!("    乡镇当天就审核? · the township tries at once: {}", refused_at_once(tale, id)?);
    sync("李明 A", li, line).await?;
    files::notice(tale, li)?;

    tale.chapter(
        NOTICE_OVER,
        "十一、公示期满,乡镇审核,县级审定 · the notice is over; township and county",
    );
    tale.step("xiang", id, "乡镇审核", Step::default())?;
    tale.step("xian", id, "县级审定", Step::default())?;
    let identified = format!("case.identified_on={}", tale.day(NOTICE_OVER));
    let fields = ["class.monitored_kind=脱贫不稳定户", &identified];
    tale.step("xian", id, "监测", Step { fields: &fields, ..Step::default() })?;
    println!(
        "    期间无异议;纳入监测:脱贫不稳定户 · nobody objected; monitored as unstably lifted"
    );
    Ok(())
}

/// The words with which the township's check is refused while the notice hangs.
fn refused_at_once(tale: &Tale, household: HouseholdId) -> Result<String, Failure> {
    let server = &tale.county.server;
    let office = Office { settings: &server.settings, app: &server.app, by: "xiang" };
    let command = AdminCommand::Step(StepArguments {
        household,
        stage: Stage::TownshipCheck,
        fields: Vec::new(),
        reason: String::new(),
        votes: None,
        about: None,
    });
    match office.run(command, &mut SystemEntropy) {
        Ok(_) => Err("a notice was cut short".into()),
        Err(refused) => Ok(refused.words().1),
    }
}
