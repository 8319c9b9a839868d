//! A phone on the command line: the real client for developers and scripts. Every command is one call
//! of the ledger; nothing here knows a table or a message.
#![allow(clippy::print_stderr)]

mod output;
mod vault;
mod words;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use output::Bars;
use serde_json::{Value as Json, json};
use vault::PassphraseVault;
use wanhu_core::client::{Cancel, Conflict, Ledger, Progress, RecordEdit, StepForm, VaultError};
use wanhu_core::document::edit::{FieldValue, Votes, votes_typed};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::Statistic;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::{self, ListFilter};
use wanhu_core::system::{SystemClock, SystemEntropy};

/// 命令行手机 · a phone on the command line
#[derive(Debug, Parser)]
#[command(name = "phone")]
struct Arguments {
    /// 台账文件 · file of the ledger
    #[arg(long, default_value = "phone.sqlite", global = true)]
    db: PathBuf,
    /// 口令,设定后台账文件加密 · passphrase; with one, the file is encrypted
    #[arg(long, env = "WANHU_PASSPHRASE", hide_env_values = true, global = true)]
    passphrase: Option<String>,
    /// 输出 JSON · print JSON
    #[arg(long, global = true)]
    json: bool,
    /// 代谁填报,与填报人一并留存 · whom it is done for; kept beside whoever does it
    #[arg(long, global = true, default_value = "", hide_default_value = true)]
    on_behalf_of: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 登记设备 · enrol this phone
    Enrol {
        /// 服务器地址 · address of the server
        url: String,
        /// 一次性登记码 · one-time code
        code: String,
        /// 设备名称 · name of the phone
        #[arg(long, default_value = "command line")]
        name: String,
        /// 服务器自有的证书机构 (PEM) · the server's own certificate authority
        #[arg(long)]
        authority: Option<PathBuf>,
    },
    /// 同步 · sync
    Sync,
    /// 列表 · list households
    List(ListArguments),
    /// 按汉字、拼音或首字母查找 · search by characters, pinyin or initials
    Search {
        /// 查找内容 · what to look for
        text: String,
        /// 网格 · grid
        #[arg(long)]
        grid: Option<String>,
    },
    /// 查看农户 · show a household
    Show {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 新建农户 · open a record, fields as container.field=value
    New {
        /// 村代码 · code of the village
        village: u64,
        /// 字段 · fields, for example basic.head_name=陈永昌 members.name=陈永昌
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 修改 · set fields; container.field=value, or container.row.field=value
    Edit {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · fields
        #[arg(required = true)]
        fields: Vec<String>,
    },
    /// 记录走访 · record a visit
    Visit {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · fields of the visit, for example met=户主 finding=稳定 note=…
        fields: Vec<String>,
    },
    /// 待办 · what this person has to do
    Tasks,
    /// 监测过程 · where a household's case is, and what may be done next
    Case {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 办理步骤 · take a step of the case
    Step(StepArguments),
    /// 预警 · warnings that fire for a household today
    Warnings {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 数据核查 · what contradicts on a record
    Check {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 帮扶收益 · what help brings in a calendar year
    HelpYear {
        /// 农户 · household
        id: HouseholdId,
        /// 年份 · year
        year: i32,
    },
    /// 统计 · figures of an area that is all on this phone
    Figures {
        /// 区划代码 · region code
        area: u64,
        /// 网格,空为未填网格的 · of a grid; of an empty one, the households that name none
        #[arg(long)]
        grid: Option<String>,
        /// 起始日期 · first day; else a month back
        #[arg(long)]
        from: Option<Day>,
        /// 截止日期 · last day; else the day it is of
        #[arg(long)]
        to: Option<Day>,
        /// 截至日期 (以填报人手机时间为准),默认今天 · as of this day by the clocks of those who wrote; else today
        #[arg(long)]
        as_of: Option<Day>,
        /// 列出此项的农户,如 closure 或 风险消除率 · list the households behind this figure, by its code or Chinese name
        #[arg(long, value_parser = statistic_of)]
        list: Option<Statistic>,
        /// 显示各项含义 · say what each figure counts
        #[arg(long)]
        define: bool,
    },
    /// 未决冲突 · fields with several values
    Conflicts {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 裁定冲突 · choose one of the values
    Settle {
        /// 农户 · household
        id: HouseholdId,
        /// 字段 · field as shown by conflicts
        field: String,
        /// 选第几个值 · number of the value as shown by conflicts
        choice: usize,
    },
    /// 修改历史 · history of a household
    History {
        /// 农户 · household
        id: HouseholdId,
    },
    /// 被退回的修改 · changes the server did not take
    Refused,
    /// 重新提交被退回的修改 · make a refused change anew
    Reauthor {
        /// 编号 · its number as shown by refused
        number: i64,
    },
    /// 疑似重复建档 · records that may be of one family
    Duplicates,
    /// 合并重复档案 · make two records one; what both hold stays as it is in the one kept
    Merge {
        /// 保留的农户 · household to keep
        kept: HouseholdId,
        /// 并入的农户 · household that is merged into it
        duplicate: HouseholdId,
    },
    /// 状态 · status of this phone
    Status,
}

#[derive(Debug, clap::Args)]
struct StepArguments {
    /// 农户 · household
    id: HouseholdId,
    /// 步骤代码或名称 · code or name of the step, for example verified or 入户核查
    #[arg(value_parser = stage_of)]
    stage: Stage,
    /// 同时保存的字段 · fields saved with it, for example case.consent=是
    fields: Vec<String>,
    /// 理由 · reason
    #[arg(long, default_value = "")]
    reason: String,
    /// 票数,赞成:反对 · votes for:against
    #[arg(long, value_parser = votes_of)]
    votes: Option<Votes>,
    /// 所处理的异议,或所接续的未采用步骤(行号) · row of the objection it settles, or of the step set aside that it follows
    #[arg(long)]
    about: Option<String>,
}

fn stage_of(text: &str) -> Result<Stage, String> {
    Stage::named(text).ok_or_else(|| {
        let all: Vec<_> = Stage::ALL.into_iter().map(Stage::code).collect();
        format!("没有这个步骤 · no such step; 可选 one of: {}", all.join(" "))
    })
}

fn state_of(text: &str) -> Result<String, String> {
    stage_of(text).map(|stage| stage.code().to_owned())
}

fn tag_of(text: &str) -> Result<String, String> {
    let labels = || listing::tag_labels().join(" ");
    let unknown = || format!("没有这个标记 · no such tag; 可选 one of: {}", labels());
    listing::tag_typed(text).map(str::to_owned).ok_or_else(unknown)
}

fn statistic_of(text: &str) -> Result<Statistic, String> {
    Statistic::named(text).ok_or_else(|| {
        let all: Vec<_> = Statistic::ALL.into_iter().map(Statistic::code).collect();
        format!("没有这项统计 · no such figure; 可选 one of: {}", all.join(" "))
    })
}

fn votes_of(text: &str) -> Result<Votes, String> {
    votes_typed(text).ok_or_else(|| "请写成 9:1 · write 9:1".to_owned())
}

#[derive(Debug, clap::Args)]
struct ListArguments {
    /// 区划代码 · region code
    #[arg(long)]
    area: Option<u64>,
    /// 网格,空为未填网格的 · grid; an empty one for those that name none
    #[arg(long)]
    grid: Option<String>,
    /// 重点标记 · priority tag, for example 边缘户
    #[arg(long, value_parser = tag_of)]
    tag: Option<String>,
    /// 监测状态 · stage of the case, for example 待核实
    #[arg(long, value_parser = state_of)]
    state: Option<String>,
    /// 仅有冲突的 · only those in conflict
    #[arg(long)]
    conflict: bool,
    /// 接在此户之后 · continue behind this household
    #[arg(long)]
    after: Option<HouseholdId>,
    /// 行数 · rows
    #[arg(long, default_value_t = 20)]
    rows: u32,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let json = arguments.json;
    match run(arguments) {
        Ok((text, value)) => print(&if json { format!("{value}\n") } else { text }),
        Err(error) => {
            let (zh, en) = words::of(&error);
            if json {
                eprintln!("{}", json!({ "error": error.code(), "zh": zh, "en": en }));
            } else {
                eprintln!("错误: {zh}\nerror: {en} [{}]", error.code());
            }
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with the words typed; help and version are no mistakes.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return print(&error.to_string());
    }
    let (zh, en) = ("命令或参数有误,用 --help 查看用法", error.to_string());
    if std::env::args().any(|word| word == "--json") {
        eprintln!("{}", json!({ "error": "usage", "zh": zh, "en": en }));
    } else {
        eprint!("错误: {zh}\n{en}");
    }
    ExitCode::from(2)
}

/// Writes out what was asked for. Whoever stops reading, as `head` does, has seen enough.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            if std::env::args().any(|word| word == "--json") {
                let en = error.to_string();
                eprintln!("{}", json!({ "error": "output", "zh": "结果无法写出", "en": en }));
            } else {
                eprintln!("错误: 结果无法写出\nerror: {error} [output]");
            }
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

/// Text for people and JSON for scripts.
type Shown = (String, Json);

fn run(arguments: Arguments) -> Result<Shown, LedgerError> {
    let ledger = open(&arguments.db, arguments.passphrase)?;
    let whom = arguments.on_behalf_of;
    let proxied = |edit: RecordEdit| RecordEdit { on_behalf_of: whom.clone(), ..edit };
    match arguments.command {
        Command::Enrol { url, code, name, authority } => {
            enrol(&ledger, &url, &code, &name, authority)
        }
        Command::Sync => sync(&ledger, arguments.json),
        Command::List(list) => {
            let filter = ListFilter {
                area: list.area,
                grid: list.grid,
                tag: list.tag,
                case_state: list.state,
                in_conflict: list.conflict,
                ..ListFilter::default()
            };
            let last = list.after.map(|id| ledger.show(id)).transpose()?;
            let after = last.map(|last| last.row.place());
            Ok(output::list(&ledger.list(&filter, after.as_ref(), list.rows)?, &*ledger.regions()?))
        }
        Command::Search { text, grid } => {
            let filter = ListFilter { search: Some(text), grid, ..ListFilter::default() };
            Ok(output::list(&ledger.list(&filter, None, 50)?, &*ledger.regions()?))
        }
        Command::Show { id } => Ok(output::record(&ledger.show(id)?)),
        Command::New { village, fields } => {
            let edit = proxied(edit_of(&fields, "household/1")?);
            saved(&ledger, ledger.create_household(village, edit)?)
        }
        Command::Edit { id, fields } => {
            ledger.edit(id, &proxied(edit_of(&fields, "household/1")?))?;
            saved(&ledger, id)
        }
        Command::Visit { id, fields } => {
            ledger.edit(id, &proxied(visit_of(&ledger, &fields)?))?;
            saved(&ledger, id)
        }
        Command::Tasks => Ok(output::tasks(&ledger.tasks()?)),
        Command::Case { id } => Ok(output::case(&ledger.case(id)?)),
        Command::Step(step) => take_step(&ledger, step, proxied),
        Command::Warnings { id } => Ok(output::warnings(&ledger.warnings(id)?)),
        Command::Check { id } => Ok(output::findings(&ledger.checks(id)?)),
        Command::HelpYear { id, year } => Ok(output::help(&ledger.help(id, year)?)),
        Command::Figures { area, grid, from, to, as_of, list, define } => {
            let to = to.or(as_of).unwrap_or_else(|| ledger.today());
            let period = (from.unwrap_or_else(|| to.plus_months(-1).plus_days(1)), to);
            let figures = ledger.figures(area, grid.as_deref(), period, as_of, list.as_slice())?;
            Ok(output::figures(&figures, &*ledger.regions()?, |code| define || list == Some(code)))
        }
        Command::Conflicts { id } => Ok(output::conflicts(&ledger.conflicts(id)?)),
        Command::Settle { id, field, choice } => {
            settle(&ledger, id, &field, choice)?;
            saved(&ledger, id)
        }
        Command::History { id } => Ok(output::history(&ledger.history(id)?)),
        Command::Refused => Ok(output::refused(&ledger.refused()?)),
        Command::Reauthor { number } => {
            ledger.reauthor(number)?;
            let text = "已按现有档案重新填写,待同步 · made anew, waits to be synced\n".to_owned();
            Ok((text, json!({ "reauthored": number })))
        }
        Command::Duplicates => duplicates(&ledger),
        Command::Merge { kept, duplicate } => {
            ledger.merge(kept, duplicate)?;
            saved(&ledger, kept)
        }
        Command::Status => Ok(output::status(&ledger.status()?)),
    }
}

fn open(db: &Path, passphrase: Option<String>) -> Result<Ledger, LedgerError> {
    let (clock, entropy) = (Arc::new(SystemClock), Box::new(SystemEntropy));
    match passphrase {
        Some(passphrase) => {
            let vault = Arc::new(PassphraseVault::beside(db, passphrase));
            Ledger::open_sealed(db, vault, clock, entropy)
        }
        // What is missing is the passphrase.
        None if PassphraseVault::path_of(db).exists() => Err(VaultError::Locked.into()),
        None => Ledger::open(db, clock, entropy),
    }
}

fn duplicates(ledger: &Ledger) -> Result<Shown, LedgerError> {
    let mut pairs = Vec::new();
    for pair in ledger.duplicates()? {
        let (first, second) = (ledger.show(pair.first)?.row, ledger.show(pair.second)?.row);
        pairs.push((pair.likeness, first, second));
    }
    Ok(output::duplicates(&pairs))
}

fn take_step(
    ledger: &Ledger,
    step: StepArguments,
    proxied: impl Fn(RecordEdit) -> RecordEdit,
) -> Result<Shown, LedgerError> {
    let StepArguments { id, stage, fields, reason, votes, about } = step;
    let form = StepForm { stage, reason, decision: String::new(), votes, about };
    ledger.take_step(id, &form, proxied(edit_of(&fields, "step/1")?))?;
    saved(ledger, id)
}

/// What was saved, and what contradicts on the record now; that blocks nothing.
fn saved(ledger: &Ledger, id: HouseholdId) -> Result<Shown, LedgerError> {
    let mut text = format!("已保存,待同步 · saved, waits to be synced: {id}\n");
    let findings = ledger.checks(id)?;
    let (words, values) = output::findings(&findings);
    if !findings.is_empty() {
        text.push_str("请核对 · please look at\n");
        text.push_str(&words);
    }
    let id = id.to_string();
    Ok((text, json!({ "id": id, "saved": id, "findings": values })))
}

fn runtime() -> Result<tokio::runtime::Runtime, LedgerError> {
    tokio::runtime::Runtime::new()
        .map_err(|_| LedgerError::Internal { report_id: "runtime".into() })
}

fn enrol(
    ledger: &Ledger,
    url: &str,
    code: &str,
    name: &str,
    authority: Option<PathBuf>,
) -> Result<Shown, LedgerError> {
    let read = |path: PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|_| LedgerError::invalid("authority", "not_a_certificate"))
    };
    let authority = authority.map(read).transpose()?;
    let enrolment = runtime()?.block_on(ledger.enrol(url, authority, code, name))?;
    let text = format!(
        "已登记: {} ({}),设备 {} · enrolled as device {}\n",
        enrolment.name, enrolment.account, enrolment.device, enrolment.device
    );
    let value = json!({
        "device": enrolment.device, "account": enrolment.account, "areas": enrolment.areas
    });
    Ok((text, value))
}

fn sync(ledger: &Ledger, json: bool) -> Result<Shown, LedgerError> {
    let runtime = runtime()?;
    let cancel = Cancel::default();
    let on_interrupt = cancel.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_interrupt.cancel();
        }
    });
    let bars = Bars::new();
    let progress: &dyn Progress = if json { &() } else { &bars };
    let report = runtime.block_on(ledger.sync(progress, &cancel))?;
    bars.finish();
    Ok(output::report(&report, &ledger.status()?))
}

fn split_field(text: &str) -> Result<(&str, &str), LedgerError> {
    text.split_once('.').ok_or_else(|| LedgerError::invalid(text, "not_container_dot_field"))
}

fn edit_of(assignments: &[String], form: &str) -> Result<RecordEdit, LedgerError> {
    let edit = RecordEdit::typed(Schema::base(), assignments)?;
    Ok(RecordEdit { form: form.to_owned(), ..edit })
}

/// Settles what a field holds now; people count its values from one.
fn settle(ledger: &Ledger, id: HouseholdId, field: &str, choice: usize) -> Result<(), LedgerError> {
    let (container, key) = split_field(field)?;
    let is_it = |seen: &Conflict| seen.container == container && seen.key == key;
    let missing = || LedgerError::NotFound { kind: "conflict".into(), id: field.to_owned() };
    let seen = ledger.conflicts(id)?.into_iter().find(is_it).ok_or_else(missing)?;
    ledger.settle(&seen, choice.wrapping_sub(1))
}

/// Fields of a visit; today's where no date is given.
fn visit_of(ledger: &Ledger, assignments: &[String]) -> Result<RecordEdit, LedgerError> {
    let of_visit: Vec<String> = assignments.iter().map(|text| format!("visits.{text}")).collect();
    let mut edit = edit_of(&of_visit, "visit/1")?;
    if edit.new_rows.is_empty() {
        edit = edit.row("visits", Vec::<FieldValue>::new());
    }
    for row in &mut edit.new_rows {
        if !row.fields.iter().any(|named| named.field == "date") {
            row.fields.push(("date".to_owned(), ledger.today().to_string().into()).into());
        }
    }
    Ok(edit)
}
