//! Forms at a desk: made as files, and asked which of them are stale. Must not know what a form shows.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use wanhu_core::document::facts::facts;
use wanhu_core::document::form::{Frame, Sheet, Template, project, stale};
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::schema::Schema;
use wanhu_core::store::{listing, records};

use super::{AdminError, Office, Output, done, lines};
use crate::accounts::{Account, AccountError};
use crate::outputs;
use crate::storage::sheets;

/// Most households of one sheet: a township. More would fill the memory, and nobody's desk.
const HOUSEHOLDS_MAX: u64 = 20_000;

/// Commands about forms.
#[derive(Clone, Debug, Subcommand)]
pub enum FormCommand {
    /// 表格清单 · forms there are
    List,
    /// 生成表格文件,按扩展名 csv、xlsx 或 pdf · make a file, by its ending
    Make {
        /// 表格 · the form, for example village
        form: String,
        /// 文件 · where to
        file: PathBuf,
        /// 区划代码,默认为本账户辖区 · region code; else the account's own area
        #[arg(long)]
        area: Option<u64>,
        /// 追加字体 (PDF) · more fonts, files or directories
        #[arg(long)]
        font: Vec<PathBuf>,
    },
    /// 已生成的表格中哪些农户须更新 · households about which the last file is out of date
    Stale {
        /// 表格 · the form
        form: String,
        /// 区划代码,默认为本账户辖区 · region code; else the account's own area
        #[arg(long)]
        area: Option<u64>,
    },
}

impl Office<'_> {
    pub(super) fn forms(&self, command: FormCommand) -> Result<Output, AdminError> {
        let account = self.account()?;
        match command {
            FormCommand::List => Ok(lines(Template::shipped().iter().map(|form| {
                let value =
                    serde_json::json!({ "form": form.id, "version": form.version, "zh": form.zh });
                (format!("{}\t{} · {}", form.id, form.zh, form.en), value)
            }))),
            FormCommand::Make { form, file, area, font } => {
                let (sheet, area) = self.sheet(&account, &form, area)?;
                let written = written(&sheet, &file, &font)?;
                let now_ms = self.app.clock.now_ms();
                let (form, digests) = (sheet.form.clone(), sheet.households.clone());
                self.app.storage.writer().write(move |transaction| {
                    sheets::made(transaction, &form, area, &digests, now_ms)
                })?;
                let count = sheet.households.len();
                let subject = format!("{} ({count} 户){written}", file.display());
                Ok(done("表格已生成 · form made", &subject))
            }
            FormCommand::Stale { form, area } => {
                let (sheet, area) = self.sheet(&account, &form, area)?;
                let last = self
                    .app
                    .storage
                    .read(|connection| sheets::last(connection, &sheet.form, area))?;
                let stale = stale(&last, &sheet.households);
                Ok(lines(stale.into_iter().map(|id| (id.to_string(), id.to_string().into()))))
            }
        }
    }

    /// A form filled in from the records of an area as they are now.
    fn sheet(
        &self,
        account: &Account,
        form: &str,
        area: Option<u64>,
    ) -> Result<(Sheet, u64), AdminError> {
        let mut shipped = Template::shipped().iter();
        let template = shipped.find(|known| known.id == form).ok_or(AdminError::FormUnknown)?;
        let area = area.or_else(|| account.areas.first().copied()).unwrap_or_default();
        if !authority::covers(&account.areas, area)
            || !(template.public || account.role.holds_replica())
        {
            return Err(AccountError::NotGranted.into());
        }
        let count = self.app.storage.read(|connection| listing::count(connection, Some(area)))?;
        if count > HOUSEHOLDS_MAX {
            return Err(AdminError::AreaTooLarge);
        }
        let mut households = Vec::new();
        self.app.storage.read(|connection| {
            records::for_each(connection, area, |household| {
                let facts = facts(&household.fold, household.scope);
                households.push((household.id, household.fold, facts));
                Ok(())
            })
        })?;
        let list = &self.app.regions;
        let as_of = Day::in_china(self.app.clock.now_ms());
        let frame = Frame { schema: Schema::base(), regions: list, area, as_of };
        let borrowed = households.iter().map(|(id, fold, facts)| (*id, fold, facts));
        Ok((project(template, &frame, borrowed), area))
    }
}

/// Writes the file. What is to be said about it, if anything.
fn written(sheet: &Sheet, file: &Path, fonts: &[PathBuf]) -> Result<String, AdminError> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let (bytes, said) = match ending {
        "csv" => (outputs::csv::write(sheet)?, String::new()),
        "xlsx" => (outputs::xlsx::write(sheet)?, String::new()),
        "pdf" => paper(sheet, fonts)?,
        _ => return Err(AdminError::FormatUnknown),
    };
    std::fs::write(file, bytes).map_err(|_| AdminError::FileUnwritable)?;
    Ok(said)
}

#[cfg(feature = "pdf")]
fn paper(sheet: &Sheet, fonts: &[PathBuf]) -> Result<(Vec<u8>, String), AdminError> {
    let pdf = outputs::pdf::write(sheet, fonts)?;
    let missing: String = pdf.missing.iter().collect();
    let said = match missing.as_str() {
        "" => String::new(),
        missing => format!("; 字体缺字,请用 --font 补充 · no font has: {missing}"),
    };
    Ok((pdf.bytes, said))
}

/// This program was built without the typesetter.
#[cfg(not(feature = "pdf"))]
fn paper(_: &Sheet, _: &[PathBuf]) -> Result<(Vec<u8>, String), AdminError> {
    Err(AdminError::FormatUnknown)
}
