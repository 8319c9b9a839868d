//! The acceptance stories, told from one end to the other: real files, phones in the village, offices at their desks,
//! half of it without signal.
#![allow(clippy::too_many_lines, reason = "a story is read from one end to the other")]

use std::path::{Path, PathBuf};

use rust_xlsxwriter::Workbook;
use serde_json::Value as Json;
use wanhu_core::client::{Ledger, RecordEdit, StepForm, TaskView};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::{Stage, TaskKind};
use wanhu_core::error::LedgerError;
use wanhu_server::admin::{AdminCommand, ImportCommand, PageArguments, TaskArguments};
use wanhu_server::import::profile::Kind;
use wanhu_tests::county::{County, Step, sync};
use wanhu_tests::population::FULING;

mod alone;
mod bad_week;
mod bureaus;
mod campaign;
mod careless;
mod chen_guojian;
mod chen_yongchang;
mod city;
mod cut_delivery;
mod desk;
mod followed;
mod green_channel;
mod grid;
mod hu_fuwu;
mod out_of_use;
mod own_page;
mod own_phone;
mod replayed;
mod settled_anew;
mod withdrawn;

/// The people who are in every story: two cadres and the committee of a village, its township, its county, and
/// the county's medical insurance bureau.
async fn people(day: &str, village: u64, policy: Option<&str>) -> County {
    let county = County::on(day, policy).await;
    county.account("李明", Role::VillageCadre, village);
    county.account("王芳", Role::VillageCadre, village);
    county.account("村委会", Role::VillageCommittee, village);
    county.account("乡政府", Role::TownshipOffice, village / 1_000);
    county.account("县局", Role::CountyOffice, village / 1_000_000);
    county.account("医保局", Role::Department, village / 1_000_000);
    county
}

/// Identity number of the head of [`family`].
const NUMBER: &str = "431025196501010019";

/// A family of 福岭村.
fn family() -> RecordEdit {
    let number = format!("members.identity_number={NUMBER}");
    typed(&[
        "basic.head_name=周长根",
        "class.household_kind=脱贫户",
        "members.name=周长根",
        "members.relation=户主",
        &number,
    ])
}

/// The people, the phone of one of the cadres, and a family that it has entered and synced.
async fn on_record(family: RecordEdit) -> (County, Ledger, HouseholdId) {
    let county = people("2024-03-04", FULING, None).await;
    let li = county.phone("李明").await;
    sync(&li).await;
    let id = li.create_household(FULING, family).unwrap();
    sync(&li).await;
    (county, li, id)
}

/// Fields as somebody types them.
fn typed(fields: &[&str]) -> RecordEdit {
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    RecordEdit::typed(Schema::base(), &fields).unwrap()
}

/// An office fills in fields of a household.
fn fill_in(county: &County, by: &str, household: HouseholdId, fields: &[&str]) {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    let on_behalf_of = String::new();
    county.office(by, AdminCommand::Edit { household, fields, on_behalf_of }).unwrap();
}

/// A step that is legal, on a phone.
fn take(phone: &Ledger, id: HouseholdId, stage: Stage, with: RecordEdit) {
    phone.take_step(id, &StepForm::to(stage), with).unwrap();
}

/// Appraisal and notice today, the checks of township and county on a later day.
fn through_the_offices(county: &County, id: HouseholdId, votes: (i64, i64), checked_on: &str) {
    let votes = Step { votes: Some(votes), ..Step::default() };
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    county.day(checked_on);
    county.step("乡政府", id, "乡镇审核", Step::default()).unwrap();
    county.step("县局", id, "县级审定", Step::default()).unwrap();
}

fn stages(phone: &Ledger, id: HouseholdId) -> Vec<Stage> {
    phone.case(id).unwrap().path.iter().map(|passed| passed.stage).collect()
}

fn kinds(tasks: &[TaskView]) -> Vec<TaskKind> {
    tasks.iter().map(|view| view.task.kind).collect()
}

/// A row of a table: its cells.
type Line<'a> = &'a [&'a str];

/// A department's table as people make it: a title line above the header, everything as text.
fn spreadsheet(path: &Path, title: &str, lines: &[Line<'_>]) -> PathBuf {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, title).unwrap();
    for (row, line) in (1..).zip(lines) {
        for (column, cell) in (0..).zip(*line) {
            sheet.write(row, column, *cell).unwrap();
        }
    }
    workbook.save(path).unwrap();
    path.to_owned()
}

const BILLS_HEADER: Line<'static> = &[
    "序号",
    "姓名",
    "身份证号码",
    "医疗类别",
    "病种",
    "入院日期",
    "出院日期",
    "总费用(元)",
    "基本医保报销",
    "大病保险",
    "医疗救助",
    "个人自付",
];

/// Delivers a table of medical bills as the bureau does.
fn deliver(county: &County, file: &Path) -> Json {
    let command = ImportCommand::Department {
        file: file.to_owned(),
        kind: Kind::Medical,
        profile: None,
        report: Some(file.with_extension("report.csv")),
        anyway: false,
    };
    county.import("医保局", command).unwrap()
}
