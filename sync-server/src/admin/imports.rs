//! Files at a desk: those of departments delivered, listed, answered, withdrawn. Must not know what a rule or a column means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::schema::{Schema, words};

use super::campaigns::CampaignArguments;
use super::{AdminError, Office, Output, lines, plain};
use crate::accounts::Account;
use crate::import::afterwards::{self, Listed, Told, Withdrawn};
use crate::import::delivery::{self, Asked, Delivered, DeliveryError};
use crate::import::outcome::FaultCode;
use crate::import::profile::{Kind, Profile};
use crate::storage::department::{self, ImportRow};
use crate::watch::Watch;

/// Commands about files.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// 导入部门数据 (XLSX、XLS、CSV) · deliver a department's table
    Department {
        /// 文件 · the file
        file: PathBuf,
        /// 表的种类 · kind: medical school civil-affairs disability housing disaster accident water insurance employment
        #[arg(long, value_parser = kind_of)]
        kind: Kind,
        /// 自定义列对应 (TOML) · a mapping of one's own in place of the built-in one
        #[arg(long)]
        profile: Option<PathBuf>,
        /// 未采用行的报告 (CSV) · where to write every row that was not taken, and why
        #[arg(long)]
        report: Option<PathBuf>,
        /// 表头更像另一种表、金额似有误时仍然导入 · it is of this kind, and its amounts are right, although they do not look it
        #[arg(long)]
        anyway: bool,
    },
    /// 导入历次排查花名册 (XLSX、XLS、CSV) · bring in a past campaign's register
    Campaign(CampaignArguments),
    /// 导入记录 · deliveries
    List,
    /// 核查反馈,按文件行 · answers to a delivery, row by row
    Answers {
        /// 编号 · its number
        number: i64,
    },
    /// 与档案不一致的行 · rows that records contradict
    Differences {
        /// 编号 · its number
        number: i64,
    },
    /// 撤回一次导入 · take a delivery back: its file was wrong
    Withdraw {
        /// 编号 · its number
        number: i64,
        /// 仍在册数据的报告 (CSV) · where to write what it filled in and stays on record
        #[arg(long)]
        report: Option<PathBuf>,
    },
}

fn kind_of(text: &str) -> Result<Kind, String> {
    Kind::from_code(text).ok_or_else(|| {
        let all: Vec<_> = Kind::ALL.into_iter().map(Kind::code).collect();
        format!("没有这种表 · no such kind; 可选 one of: {}", all.join(" "))
    })
}

impl Office<'_> {
    /// Runs a command about files; `watch` is told how far a long one is and may end it.
    ///
    /// # Errors
    /// See [`AdminError::words`].
    pub fn import(&self, command: ImportCommand, watch: Watch<'_>) -> Result<Output, AdminError> {
        let account = self.account()?;
        match command {
            ImportCommand::Department { file, kind, profile, report, anyway } => {
                let own = profile.map(|path| read_profile(&path)).transpose()?;
                let profile = match &own {
                    Some(own) => own,
                    None => Profile::of(kind).ok_or(AdminError::ProfileUnusable(String::new()))?,
                };
                if profile.kind == Kind::Campaign || profile.kind != kind {
                    let told = format!("kind = \"{}\"", profile.kind.code());
                    return Err(AdminError::ProfileUnusable(told));
                }
                let asked = Asked {
                    profile,
                    file: &file,
                    report_to: report.as_deref(),
                    is_of_kind: anyway || own.is_some(),
                };
                let delivered = delivery::deliver(self.app, &account, asked, watch)?;
                Ok(told(&delivered))
            }
            ImportCommand::Campaign(asked) => self.bring_in(asked, watch),
            ImportCommand::List => self.list_imports(),
            ImportCommand::Answers { number } => self.list_answers(number),
            ImportCommand::Differences { number } => {
                let account = self.in_charge_of(number)?;
                let differences = afterwards::differences(self.app, &account, number)?;
                let listed = differences.rows.iter().map(listed);
                Ok(lines(listed.chain(households_left(differences.left))))
            }
            ImportCommand::Withdraw { number, report } => {
                let report = report.as_deref();
                let done = afterwards::withdraw(self.app, &account, number, report)?;
                Ok(withdrawn(number, &done))
            }
        }
    }

    fn list_imports(&self) -> Result<Output, AdminError> {
        let account = self.account()?;
        let imports = self.app.storage.read(department::imports)?;
        let own = imports
            .into_iter()
            .filter(|import| afterwards::is_in_charge(self.app, &account, import));
        Ok(lines(own.map(|import| {
            let (state, is_partly) = match import {
                ImportRow { withdrawn_ms: Some(_), .. } => ("已撤回 withdrawn", false),
                ImportRow { withdrawn_by: Some(_), .. } => {
                    ("部分撤回,请再次撤回 withdrawn in part; withdraw it again", true)
                }
                ImportRow { finished_ms: Some(_), .. } => ("已完成 done", false),
                _ => ("未完成,重新导入同一文件即可继续 cut off; deliver the file again", false),
            };
            let (on, kind) = (Day::in_china(import.begun_ms), &import.kind);
            let sender = Schema::base().code("department", &import.department);
            let sender = sender.map_or("", |known| &known.zh);
            let mut text =
                format!("{}\t{on}\t{sender} {kind}\t{} 行 rows\t{state}", import.n, import.rows);
            if !import.file.is_empty() {
                text.push_str(&format!("\t{}", import.file));
            }
            if import.account != account.id {
                text.push_str(&format!("\t停用账户 of a closed account: {}", import.account));
            }
            let value = serde_json::json!({
                "number": import.n, "kind": import.kind, "department": import.department,
                "file": import.file,
                "account": import.account, "rows": import.rows, "begun_ms": import.begun_ms,
                "finished_ms": import.finished_ms, "withdrawn_ms": import.withdrawn_ms,
                "withdrawn_in_part": is_partly
            });
            (text, value)
        })))
    }

    /// This account, where it is in charge of the delivery.
    fn in_charge_of(&self, number: i64) -> Result<Account, AdminError> {
        let account = self.account()?;
        let imports = self.app.storage.read(department::imports)?;
        let known = imports.iter().find(|known| known.n == number);
        let is_own = known.is_some_and(|known| afterwards::is_in_charge(self.app, &account, known));
        if is_own { Ok(account) } else { Err(DeliveryError::Unknown.into()) }
    }

    fn list_answers(&self, number: i64) -> Result<Output, AdminError> {
        let account = self.in_charge_of(number)?;
        let Told { rows, left } = afterwards::answers(self.app, &account, number)?;
        let warned = rows.into_iter().filter(|answer| !answer.rule.is_empty());
        let warned = warned.map(|answer| {
            let words = Schema::base().code("warning_answer", &answer.answer);
            let words = words.map_or("待反馈 · not answered yet".to_owned(), |known| {
                format!("{} · {}", known.zh, known.en)
            });
            let on = answer.answered_on.map(|day| day.to_string()).unwrap_or_default();
            let text = format!("第 {} 行\t{}\t{words}\t{on}", answer.row, answer.rule);
            let value = serde_json::json!({
                "row": answer.row, "rule": answer.rule, "answer": answer.answer, "answered_on": on
            });
            (text, value)
        });
        Ok(lines(warned.chain(households_left(left))))
    }
}

pub(super) fn read_profile(path: &std::path::Path) -> Result<Profile, AdminError> {
    let unusable = |reason: String| AdminError::ProfileUnusable(reason);
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    Profile::parse(&text).map_err(|error| unusable(error.to_string()))
}

/// A last line, where households have left the account's area.
fn households_left(left: usize) -> Option<(String, serde_json::Value)> {
    let text =
        format!("{left} 户已迁出本辖区,不列 · households have left the area and are not listed");
    (left > 0).then(|| (text, serde_json::json!({ "households_left": left })))
}

fn withdrawn(number: i64, Withdrawn { marked, standing, in_the_way }: &Withdrawn) -> Output {
    let words = match in_the_way[..] {
        [] => "已撤回 · delivery withdrawn",
        _ => "部分撤回 · delivery withdrawn in part",
    };
    let mut text = format!("{words}: {number}, {marked} 户 households\n");
    let in_the_way: Vec<String> = in_the_way.iter().map(ToString::to_string).collect();
    if !in_the_way.is_empty() {
        text.push_str(&format!(
            "下列农户已迁出本辖区,档案中仍有该表数据;迁回后再撤回一次,或告知现住地核实 · these have left the area and \
             still hold something of it; withdraw again once they are back, or tell those where they live now:\n    {}\n",
            in_the_way.join("\n    ")
        ));
    }
    if !standing.is_empty() {
        text.push_str(
            "该表填入的下列数据仍在册,请转告村和乡镇核实 · \
             filled in from it and still on record; tell village and township to check:\n",
        );
    }
    let mut rows = Vec::new();
    for (line, value) in standing.iter().map(listed) {
        text.push_str(&format!("    {line}\n"));
        rows.push(value);
    }
    let value = serde_json::json!({
        "ok": in_the_way.is_empty(), "number": number, "households": marked, "standing": rows,
        "in_the_way": in_the_way
    });
    Output { text, json: format!("{value}\n") }
}

/// A field as a list has it, for people and for scripts.
fn listed(field: &Listed) -> (String, serde_json::Value) {
    let Listed { household, row, container, key, value, .. } = field;
    let (label, words) = field.words();
    let place = format!("{container}.{key}");
    let line = format!("{household}\t第 {row} 行\t{place}\t{label}\t{words}");
    let value = serde_json::json!({
        "household": household.to_string(), "row": row, "field": place, "value": plain(Some(value))
    });
    (line, value)
}

/// What was not looked at, where there is any.
pub(super) fn left(sheets: &[String]) -> String {
    match sheets {
        [] => String::new(),
        _ => format!(
            "只读第一张工作表,未读 · only the first sheet is read; left: {}\n",
            sheets.join("、")
        ),
    }
}

/// Which columns were not used, where there are any.
pub(super) fn unused(columns: &[String]) -> String {
    match columns {
        [] => String::new(),
        _ => format!("未使用的列 · columns not used: {}\n", columns.join("、")),
    }
}

fn told(delivered: &Delivered) -> Output {
    let Delivered { import, summary, matched, not_in_use, new, not_taken, .. } = delivered;
    let Delivered { households, warned, filled_in, settled_anew, .. } = delivered;
    let Delivered { faults, remarks, refused, sheets_left, columns_unused, .. } = delivered;
    let mut text = format!(
        "导入完成 · delivered: {import}\n{} 行 rows: {matched} 行对应在册人员 matched, {new} 行为新 new, \
         {not_taken} 行未采用 not taken, {} 行略过 skipped\n{households} 户 households, \
         {warned} 户新预警 warned\n",
        summary.rows,
        summary.skipped()
    );
    if *not_in_use > 0 {
        text.push_str(&format!(
            "其中 {not_in_use} 行所在户档案已停用(误建、整户迁出或销户),已保留、不预警,逐行见报告 · \
             of the matched rows {not_in_use} are about records out of use: kept, nobody is warned, named in the report\n"
        ));
    }
    text.push_str(&left(sheets_left));
    text.push_str(&unused(columns_unused));
    if *settled_anew > 0 {
        text.push_str(&format!(
            "{settled_anew} 户已有账单重新结算,以本次为准 · households with a bill settled anew: this file's counts\n"
        ));
    }
    if *filled_in > 0 {
        text.push_str(&format!(
            "{filled_in} 户档案空缺处已补录 · households filled in where silent\n"
        ));
    } else if *matched > 0 {
        text.push_str(
            "未引起预警的行只留作比对,不写入档案 · rows that warn of nothing are kept to compare, on no record\n",
        );
    }
    for household in refused {
        let said = format!("{household} 未能写入,请核查 · did not take it\n");
        text.push_str(&said);
    }
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let (faults, remarks) = (by_code(faults, "行", &mut text), by_code(remarks, "处", &mut text));
    let value = serde_json::json!({
        "number": import, "rows": summary.rows, "matched": matched, "not_in_use": not_in_use, "new": new,
        "not_taken": not_taken, "skipped": summary.skipped(), "households": households,
        "warned": warned, "filled_in": filled_in, "settled_anew": settled_anew, "refused": refused,
        "faults": faults, "remarks": remarks, "sheets_left": sheets_left,
        "columns_unused": columns_unused
    });
    Output { text, json: format!("{value}\n") }
}

/// How often what is said of a file, a line each for people, and for scripts.
fn by_code(
    counts: &BTreeMap<FaultCode, u64>,
    counted: &str,
    text: &mut String,
) -> serde_json::Map<String, serde_json::Value> {
    for (code, count) in counts {
        let known = words("import_fault", code.code());
        let (zh, en) = known.map_or(("", ""), |known| (known.zh.as_str(), known.en.as_str()));
        text.push_str(&format!("    {count} {counted} {zh} · {en}\n"));
    }
    counts.iter().map(|(code, count)| (code.code().to_owned(), (*count).into())).collect()
}
