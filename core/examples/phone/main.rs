//! A phone on the command line: the real client for developers and scripts. Every command is one call
//! of the ledger; nothing here knows a table or a message.
#![allow(clippy::print_stderr)]

mod arguments;
mod output;
mod vault;
mod words;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use arguments::{Arguments, Command, StepArguments};
use clap::Parser;
use output::Bars;
use serde_json::{Value as Json, json};
use vault::PassphraseVault;
use wanhu_core::client::{Cancel, Conflict, Ledger, Progress, RecordEdit, StepForm, VaultError};
use wanhu_core::document::edit::FieldValue;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Schema;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::system::{SystemClock, SystemEntropy};

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
