//! Files at a desk: those of departments delivered, listed, answered, withdrawn. Must not know what a rule or a column means.

use std::path::PathBuf;

use clap::Subcommand;
use wanhu_core::domain::schema::{Schema, words};

use super::campaigns::CampaignArguments;
use super::{AdminError, Office, Output, lines, plain};
use crate::import::afterwards::{self, Listed, Withdrawn};
use crate::import::delivery::{self, Delivered, DeliveryError, Watch};
use crate::import::profile::{Kind, Profile};
use crate::storage::department;

/// Commands about files.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// 导入部门数据 (XLSX、XLS、CSV) · deliver a department's table
    Department {
        /// 文件 · the file
        file: PathBuf,
        /// 表的种类 · kind: medical school civil-affairs disability housing disaster water insurance employment
        #[arg(long, value_parser = kind_of)]
        kind: Kind,
        /// 自定义列对应 (TOML) · a mapping of one's own in place of the built-in one
        #[arg(long)]
        profile: Option<PathBuf>,
        /// 未采用行的报告 (CSV) · where to write every row that was not taken, and why
        #[arg(long)]
        report: Option<PathBuf>,
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
            ImportCommand::Department { file, kind, profile, report } => {
                let own = profile.map(|path| read_profile(&path)).transpose()?;
                let profile = match &own {
                    Some(own) => own,
                    None => Profile::of(kind).ok_or(AdminError::ProfileUnusable(String::new()))?,
                };
                if profile.kind == Kind::Campaign || profile.kind != kind {
                    let told = format!("kind = \"{}\"", profile.kind.code());
                    return Err(AdminError::ProfileUnusable(told));
                }
                let report = report.as_deref();
                let delivered =
                    delivery::deliver(self.app, &account, profile, &file, report, watch)?;
                Ok(told(&delivered))
            }
            ImportCommand::Campaign(asked) => self.bring_in(asked, watch),
            ImportCommand::List => self.list_imports(),
            ImportCommand::Answers { number } => self.list_answers(number),
            ImportCommand::Differences { number } => {
                self.must_be_own(number)?;
                let differences = afterwards::differences(self.app, number)?;
                Ok(lines(differences.iter().map(listed)))
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
        let own = imports.into_iter().filter(|import| import.account == account.id);
        Ok(lines(own.map(|import| {
            let state = match (import.withdrawn_ms, import.finished_ms) {
                (Some(_), _) => "已撤回 withdrawn",
                (None, Some(_)) => "已完成 done",
                (None, None) => "未完成,重新导入同一文件即可继续 cut off; deliver the file again",
            };
            let text = format!("{}\t{}\t{} 行 rows\t{state}", import.n, import.kind, import.rows);
            let value = serde_json::json!({
                "number": import.n, "kind": import.kind, "department": import.department,
                "rows": import.rows, "begun_ms": import.begun_ms,
                "finished_ms": import.finished_ms, "withdrawn_ms": import.withdrawn_ms
            });
            (text, value)
        })))
    }

    /// A delivery is the business of whoever made it.
    fn must_be_own(&self, number: i64) -> Result<(), AdminError> {
        let account = self.account()?;
        let imports = self.app.storage.read(department::imports)?;
        let is_own = imports.iter().any(|known| known.n == number && known.account == account.id);
        if is_own { Ok(()) } else { Err(DeliveryError::Unknown.into()) }
    }

    fn list_answers(&self, number: i64) -> Result<Output, AdminError> {
        self.must_be_own(number)?;
        let answers = afterwards::answers(self.app, number)?;
        let warned = answers.into_iter().filter(|answer| !answer.rule.is_empty());
        Ok(lines(warned.map(|answer| {
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
        })))
    }
}

pub(super) fn read_profile(path: &std::path::Path) -> Result<Profile, AdminError> {
    let unusable = |reason: String| AdminError::ProfileUnusable(reason);
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    Profile::parse(&text).map_err(|error| unusable(error.to_string()))
}

fn withdrawn(number: i64, Withdrawn { marked, standing }: &Withdrawn) -> Output {
    let mut text = format!("已撤回 · delivery withdrawn: {number}, {marked} 户 households\n");
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
        "ok": true, "number": number, "households": marked, "standing": rows
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

fn told(delivered: &Delivered) -> Output {
    let Delivered { import, summary, matched, new, not_taken, .. } = delivered;
    let Delivered { households, warned, filled_in, faults, refused, sheets_left, .. } = delivered;
    let mut text = format!(
        "导入完成 · delivered: {import}\n{} 行 rows: {matched} 行对应在册人员 matched, {new} 行为新 new, \
         {not_taken} 行未采用 not taken, {} 行略过 skipped\n{households} 户 households, \
         {warned} 户新预警 warned\n",
        summary.rows,
        summary.skipped()
    );
    text.push_str(&left(sheets_left));
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
    for (code, count) in faults {
        let known = words("import_fault", code.code());
        let (zh, en) = known.map_or(("", ""), |known| (known.zh.as_str(), known.en.as_str()));
        text.push_str(&format!("    {count} 行 {zh} · {en}\n"));
    }
    let faults: serde_json::Map<_, _> =
        faults.iter().map(|(code, count)| (code.code().to_owned(), (*count).into())).collect();
    let value = serde_json::json!({
        "number": import, "rows": summary.rows, "matched": matched, "new": new,
        "not_taken": not_taken, "skipped": summary.skipped(), "households": households,
        "warned": warned, "filled_in": filled_in, "refused": refused, "faults": faults, "sheets_left": sheets_left
    });
    Output { text, json: format!("{value}\n") }
}
