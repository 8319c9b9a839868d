//! Forms at a desk: made as files, checked, and asked what of them is stale. Must not know what a form shows.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use wanhu_core::document::facts::facts;
use wanhu_core::document::form::{Frame, LogPlace, ReadFrom, Sheet, Template, project, stale};
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::schema::Schema;
use wanhu_core::store::{listing, records};

use super::{AdminError, Office, Output, done, lines};
use crate::accounts::Account;
use crate::outputs;
use crate::storage::log_place;
use crate::storage::sheets::{self, MadeSheet};

/// Most households of one sheet: a township. More would fill the memory, and nobody's desk.
const HOUSEHOLDS_MAX: u64 = 20_000;
/// How the file of an office's own form ends.
const TEMPLATE_ENDING: &str = ".toml";

/// Commands about forms.
#[derive(Clone, Debug, Subcommand)]
pub enum FormCommand {
    /// 表格清单 · forms there are
    List,
    /// 检查自定义表格模板 · say what is wrong with a form of one's own, if anything
    Check {
        /// 模板文件 (.toml) · the template
        file: PathBuf,
    },
    /// 生成表格文件,按扩展名 csv、xlsx 或 pdf · make a file, by its ending
    Make {
        /// 表格,或自定义模板文件 (.toml) · the form, for example village, or the file of one's own
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
    /// 重新生成须更新的表格,每表一个文件 · make those that are out of date anew, a file each
    Renew {
        /// 目录 · where to
        directory: PathBuf,
        /// 文件类型:csv、xlsx 或 pdf · as what
        #[arg(long = "as", value_name = "ENDING", default_value = "xlsx", value_parser = ["xlsx", "csv", "pdf"])]
        ending: String,
        /// 区划代码,其内生成过的表格;默认为本账户辖区 · what was made in this region; else in the account's own area
        #[arg(long)]
        area: Option<u64>,
        /// 追加字体 (PDF) · more fonts, files or directories
        #[arg(long)]
        font: Vec<PathBuf>,
    },
    /// 已生成的表格中哪些须更新 · which of the files that were made are out of date
    Stale {
        /// 表格或模板文件,列出须更新的农户;省略则列出全部表格 · the form, for the households that changed; else all forms
        form: Option<String>,
        /// 区划代码,其内生成过的表格;默认为本账户辖区 · what was made in this region; else in the account's own area
        #[arg(long)]
        area: Option<u64>,
    },
}

/// A form that somebody named: one of the release, or the file of an office's own.
pub(super) struct Named {
    template: Cow<'static, Template>,
    /// What the file said; empty for one of the release.
    text: String,
}

impl Named {
    /// The form that an office wrote.
    pub(super) fn own(text: String) -> Result<Self, AdminError> {
        let template = Cow::Owned(Template::parse_own(Schema::base(), &text)?);
        Ok(Self { template, text })
    }

    /// Whose memory keeps what a sheet of it said, see [`MadeSheet::owner`].
    fn owner<'a>(&self, by: &'a str) -> &'a str {
        if self.text.is_empty() { "" } else { by }
    }
}

pub(super) fn named(form: &str) -> Result<Named, AdminError> {
    if form.ends_with(TEMPLATE_ENDING) {
        return own(Path::new(form));
    }
    let shipped = Template::shipped().iter().find(|known| known.id == form);
    let template = Cow::Borrowed(shipped.ok_or(AdminError::FormUnknown)?);
    Ok(Named { template, text: String::new() })
}

fn own(file: &Path) -> Result<Named, AdminError> {
    Named::own(std::fs::read_to_string(file).map_err(|_| AdminError::FileUnreadable)?)
}

/// A form filled in, for an area, from what the log held up to a place.
struct Filled {
    sheet: Sheet,
    area: u64,
    log: LogPlace,
}

impl Office<'_> {
    pub(super) fn forms(&self, command: FormCommand) -> Result<Output, AdminError> {
        match command {
            FormCommand::List => {
                self.account()?;
                Ok(lines(Template::shipped().iter().map(|form| {
                    let (id, version, zh) = (&form.id, form.version, &form.zh);
                    let value = serde_json::json!({ "form": id, "version": version, "zh": zh });
                    (format!("{id}\t{zh} · {}", form.en), value)
                })))
            }
            FormCommand::Check { file } => {
                let form = own(&file)?.template;
                Ok(done(
                    "模板可用 · the form can be made",
                    &format!("{} {}", form.stamp(), form.zh),
                ))
            }
            FormCommand::Make { form, file, area, font } => {
                self.make_form(&named(&form)?, &file, area, &font)
            }
            FormCommand::Renew { directory, ending, area, font } => {
                self.renew_sheets(&directory, &ending, area, &font)
            }
            FormCommand::Stale { form: None, area } => self.list_sheets(area),
            FormCommand::Stale { form: Some(form), area } => self.list_stale(&named(&form)?, area),
        }
    }

    /// The households about which some file of a form that was made in the area is out of date, each once.
    fn list_stale(&self, named: &Named, area: Option<u64>) -> Result<Output, AdminError> {
        let account = self.account()?;
        let areas = area.map_or_else(|| account.areas.clone(), |area| vec![area]);
        if !areas.iter().all(|area| may_see(&account, Some(&named.template), *area)) {
            return Err(AdminError::NotGranted);
        }
        let (storage, owner) = (&self.app.storage, named.owner(self.by));
        let made = storage.read(|opened| sheets::areas(opened, &named.template.id, owner))?;
        let made = made.into_iter().filter(|made| authority::covers(&areas, *made));
        let made: BTreeSet<u64> = made.collect();
        if made.is_empty() {
            return Err(AdminError::FormNotMade);
        }
        let mut told = BTreeSet::new();
        for area in made {
            let Filled { sheet, .. } = self.fill(&named.template, Some(area))?;
            let last = storage.read(|opened| sheets::last(opened, &sheet.form, area, owner))?;
            told.extend(stale(&last, &sheet.households));
        }
        Ok(lines(told.into_iter().map(|id| (id.to_string(), id.to_string().into()))))
    }

    pub(super) fn make_form(
        &self,
        named: &Named,
        file: &Path,
        area: Option<u64>,
        fonts: &[PathBuf],
    ) -> Result<Output, AdminError> {
        let Filled { sheet, area, log } = self.fill(&named.template, area)?;
        let said = written(&sheet, file, fonts)?;
        let made = MadeSheet {
            form: sheet.form,
            area,
            owner: named.owner(self.by).to_owned(),
            made_ms: self.app.clock.now_ms(),
            log: log.to_string(),
            template: named.text.clone(),
        };
        let (digests, count) = (sheet.households.clone(), sheet.households.len());
        self.app
            .storage
            .writer()
            .write(move |transaction| sheets::made(transaction, &made, &digests))?;
        let subject = format!("{} ({count} 户){said}", file.display());
        Ok(done("表格已生成 · form made", &subject))
    }

    /// A form filled in from the records of an area as they are now.
    fn fill(&self, template: &Template, area: Option<u64>) -> Result<Filled, AdminError> {
        let account = self.account()?;
        let area = area.or_else(|| account.areas.first().copied()).unwrap_or_default();
        if !may_see(&account, Some(template), area) {
            return Err(AdminError::NotGranted);
        }
        // One state of the file, so that the place in the log is that of the records.
        let read = self.app.storage.read(|connection| {
            if listing::count(connection, Some(area))? > HOUSEHOLDS_MAX {
                return Ok(None);
            }
            let mut households = Vec::new();
            records::for_each(connection, area, |household| {
                let facts = facts(&household.fold, household.scope);
                households.push((household.id, household.fold, facts));
                Ok(())
            })?;
            Ok(Some((log_place(connection)?, households)))
        })?;
        let (log, households) = read.ok_or(AdminError::AreaTooLarge)?;
        let borrowed = households.iter().map(|(id, fold, facts)| (*id, fold, facts));
        Ok(Filled { sheet: project(template, &self.frame(area, log), borrowed), area, log })
    }

    /// What a sheet of today is made for.
    pub(super) fn frame(&self, area: u64, log: LogPlace) -> Frame<'_> {
        let as_of = Day::in_china(self.app.clock.now_ms());
        let (regions, read_from) = (&self.app.regions, ReadFrom::Log(log));
        Frame { schema: Schema::base(), regions, area, as_of, read_from }
    }
}

/// Whether an account may see a sheet of an area; one whose form nobody has any more counts as one that is not public.
pub(super) fn may_see(account: &Account, template: Option<&Template>, area: u64) -> bool {
    let is_public = template.is_some_and(|template| template.public);
    authority::covers(&account.areas, area) && (is_public || account.role.holds_replica())
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
