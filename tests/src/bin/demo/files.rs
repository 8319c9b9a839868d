//! Every form of the village as a file that a person can open, and read again: one on which a household is missing, or
//! too many, ends the demo.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wanhu_core::client::Ledger;
use wanhu_core::document::form::{Filter, FormKind, Template};
use wanhu_core::domain::notice::masked_name;
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::store::listing::ListFilter;
use wanhu_server::admin::{AdminCommand, FormCommand};
use wanhu_server::import::table::Table;
use wanhu_tests::population::FULING;

use crate::{Failure, Tale, help};

/// More than the village has.
const HOUSEHOLDS_MAX: u32 = 1_000;

fn is_notice(form: &&Template) -> bool {
    form.filter == Filter::OnNotice
}

/// What hangs in the village, while it does.
pub(crate) fn notice(tale: &Tale, li: &Ledger) -> Result<(), Failure> {
    let mut notices = Template::shipped().iter().filter(is_notice);
    notices.try_for_each(|form| {
        write(tale, li, "cunwei", form, "xlsx")?;
        print(tale, "cunwei", form)
    })
}

/// All other forms; that of the whole village as text as well.
pub(crate) fn all(tale: &Tale, li: &Ledger) -> Result<(), Failure> {
    let files = tale.dir.join("files");
    let title = "十四、一表生成 · every form of the village from the one record";
    tale.chapter(help::FIRST_VISIT, title);
    println!("    由台账生成,逐份重新读入核对 · each read again and compared with the phone:");
    for form in Template::shipped().iter().filter(|form| !is_notice(form)) {
        write(tale, li, "xiang", form, "xlsx")?;
        if form.kind == FormKind::VillageList && !form.public {
            write(tale, li, "xiang", form, "csv")?;
        }
        if form.public || form.kind == FormKind::PerHousehold {
            print(tale, "xiang", form)?;
        }
    }
    println!("    都在 · all in {}", files.display());
    Ok(())
}

fn make(tale: &Tale, by: &str, form: &Template, ending: &str) -> Result<PathBuf, Failure> {
    let file = tale.dir.join(format!("files/{}.{ending}", form.zh));
    let (id, area) = (form.id.clone(), Some(FULING));
    let make = FormCommand::Make { form: id, file: file.clone(), area, font: Vec::new() };
    tale.county.office(by, AdminCommand::Form(make))?;
    Ok(file)
}

/// What is signed, sealed or hung on a wall, on paper as well where that was asked for.
fn print(tale: &Tale, by: &str, form: &Template) -> Result<(), Failure> {
    if tale.paper {
        let file = make(tale, by, form, "pdf")?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        println!("    {:12}  {name}", "");
    }
    Ok(())
}

fn write(tale: &Tale, li: &Ledger, by: &str, form: &Template, ending: &str) -> Result<(), Failure> {
    let file = make(tale, by, form, ending)?;
    let lines = heads(&file)?;
    let found: BTreeSet<String> = lines.iter().cloned().collect();
    let expected = expected(li, form)?;
    if found != expected {
        return Err(format!("{}: {found:?}, not {expected:?}", file.display()).into());
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    println!("    {:>2} 户 {:>2} 行  {name}  {}", expected.len(), lines.len(), form.en);
    Ok(())
}

/// The heads of the households that must be on a form, as the cadre's phone knows them.
fn expected(li: &Ledger, form: &Template) -> Result<BTreeSet<String>, Failure> {
    let mut heads = BTreeSet::new();
    for row in li.list(&ListFilter::default(), None, HOUSEHOLDS_MAX)? {
        let is_on_it = match &form.filter {
            Filter::All => true,
            Filter::Monitored => !row.monitored.is_empty(),
            Filter::Decided => {
                li.case(row.id)?.path.iter().any(|passed| passed.stage == Stage::Monitored)
            }
            Filter::OnNotice => row.case_state == "on_notice",
            Filter::Open => row.case_state == "monitored" || row.case_state == "helped",
            Filter::Tag(tag) => row.tags.iter().any(|own| own.ends_with(tag.as_str())),
        };
        let has_lines = form.kind != FormKind::PerMeasure
            || li.show(row.id)?.fields.iter().any(|field| field.container == "measures");
        if is_on_it && has_lines {
            let shown = if form.public { masked_name(&row.head_name) } else { row.head_name };
            heads.insert(shown);
        }
    }
    Ok(heads)
}

/// The head of the household on every line of a file's first table.
fn heads(file: &Path) -> Result<Vec<String>, Failure> {
    let table = Table::read(file)?;
    let label = &Schema::base().field("basic", "head_name").ok_or("head_name")?.zh;
    let mut rows = table.rows();
    let header = rows.find_map(|row| {
        let column = row.cells().position(|cell| cell == label.as_str())?;
        Some((column, row.len() - 1))
    });
    let (column, code) = header.ok_or_else(|| format!("{}: no header", file.display()))?;
    // Every line ends with the household's check code; what stands below has none.
    let lines = rows.take_while(|row| !row.cell(code).is_empty());
    Ok(lines.map(|row| row.cell(column).trim_end_matches('※').to_owned()).collect())
}
