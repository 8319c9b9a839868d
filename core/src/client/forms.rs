//! Department forms filled in on the phone, from the records it holds. Must not define a form or decide what a cell
//! shows, and must not pass a part of an area off as the whole of it.

use super::ledger::Ledger;
use crate::document::facts::facts;
use crate::document::form::{Frame, ReadFrom, Sheet, SheetPart, Template, project};
use crate::domain::day::Day;
use crate::domain::ids::HouseholdId;
use crate::domain::schema::Schema;
use crate::error::LedgerError;
use crate::store::replica::{self, Setting};
use crate::store::{listing, open, records};

/// Most households of one sheet: more would fill a phone's memory. A large village has a tenth of it.
const HOUSEHOLDS_MAX: u64 = 5_000;

/// A form there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct FormView {
    /// Names it towards the ledger.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Chinese title.
    pub zh: String,
    /// English title.
    pub en: String,
    /// Whether it hangs where everybody reads it, and names are masked.
    pub public: bool,
}

/// A form filled in, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SheetView {
    /// The form and its version, for example `village/1`.
    pub form: String,
    /// Its title.
    pub title: String,
    /// Whether it hangs where everybody reads it.
    pub public: bool,
    /// The day whose record it shows.
    pub as_of: Day,
    /// What it was made from, in words: area, day, households, the phone's last sync, form.
    pub stamp: Vec<String>,
    /// Its tables.
    pub tables: Vec<SheetTable>,
    /// Lines to sign and to seal.
    pub sign: Vec<String>,
    /// What stands at its foot.
    pub footer: Vec<String>,
}

/// One table of a sheet. Lines of one household stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SheetTable {
    /// Its heading; may be empty.
    pub title: String,
    /// The heads of its columns, amounts with their unit.
    pub header: Vec<String>,
    /// Its lines.
    pub lines: Vec<SheetLine>,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SheetLine {
    /// Whose it is.
    pub household: HouseholdId,
    /// Check code (核对码) of what the whole sheet says about the household; the same on a sheet that an office makes of the
    /// same record.
    pub check_code: String,
    /// A cell a heading; `※` stands behind a value beside which the record holds others.
    pub cells: Vec<String>,
}

impl Ledger {
    /// A sync has brought all there was at this time by the server's clock.
    pub(super) fn note_whole(&self, as_of_ms: i64) -> Result<(), LedgerError> {
        self.with_connection(|connection| {
            // A sheet says the day: the syncs of one day have the disk write it once.
            let noted_ms = replica::time(connection, Setting::WholeAsOf)?;
            if noted_ms.map(Day::in_china) == Some(Day::in_china(as_of_ms)) {
                return Ok(());
            }
            let transaction = open::begin(connection)?;
            replica::set_time(&transaction, Setting::WholeAsOf, as_of_ms)?;
            Ok(open::commit(transaction)?)
        })
    }

    /// The forms of this release.
    ///
    /// # Errors
    /// As a list has them: a closed book, a lease that is over.
    pub fn forms(&self) -> Result<Vec<FormView>, LedgerError> {
        self.read(|_| {
            let view = |form: &Template| FormView {
                id: form.id.clone(),
                version: form.version,
                zh: form.zh.clone(),
                en: form.en.clone(),
                public: form.public,
            };
            Ok(Template::shipped().iter().map(view).collect())
        })
    }

    /// A form filled in from the records of an area as this phone has them now, changes that wait to be sent included; its stamp
    /// says when the phone was last in step with the server.
    ///
    /// # Errors
    /// `NotFound` about `form`; `InvalidInput` about `area` where that is no code of one (`not_an_area`), where it is not all on this
    /// phone (`outside_area`), as none is before enrolment, where no sync has come to its end since (`not_synced`), where neither
    /// the server's list of divisions nor this release's knows its name (`unknown_area`), or where it has too many households (`too_large`).
    pub fn sheet(&self, form: &str, area: u64) -> Result<SheetView, LedgerError> {
        let unknown = || LedgerError::NotFound { kind: "form".into(), id: form.to_owned() };
        let template =
            Template::shipped().iter().find(|known| known.id == form).ok_or_else(unknown)?;
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        inner.must_hold_all(area)?;
        let whole_ms = replica::time(&inner.connection, Setting::WholeAsOf)?;
        let whole_ms = whole_ms.ok_or_else(|| LedgerError::invalid("area", "not_synced"))?;
        let regions = inner.regions()?;
        // Its name would be missing from the sheet, and its check codes would be others than an office's.
        if regions.get(area).is_none() {
            return Err(LedgerError::invalid("area", "unknown_area"));
        }
        if listing::count(&inner.connection, Some(area))? > HOUSEHOLDS_MAX {
            return Err(LedgerError::invalid("area", "too_large"));
        }
        let mut households = Vec::new();
        records::for_each(&inner.connection, area, |household| {
            let facts = facts(&household.fold, household.scope);
            households.push((household.id, household.fold, facts));
            Ok(())
        })?;
        let (schema, regions) = (Schema::base(), &*regions);
        let read_from = ReadFrom::Phone(Day::in_china(whole_ms));
        let frame = Frame { schema, regions, area, as_of: inner.today(now_ms), read_from };
        let borrowed = households.iter().map(|(id, fold, facts)| (*id, fold, facts));
        Ok(project(template, &frame, borrowed).into())
    }
}

impl From<Sheet> for SheetView {
    fn from(sheet: Sheet) -> Self {
        let codes = sheet.codes();
        let table = |part: SheetPart| SheetTable {
            title: part.title,
            header: part.header.into_iter().map(|heading| heading.label).collect(),
            lines: part
                .rows
                .into_iter()
                .map(|row| SheetLine {
                    household: row.household,
                    check_code: codes.get(&row.household).cloned().unwrap_or_default(),
                    cells: row.cells.iter().map(|cell| cell.text()).collect(),
                })
                .collect(),
        };
        Self {
            tables: sheet.parts.into_iter().map(table).collect(),
            form: sheet.form,
            title: sheet.title,
            public: sheet.public,
            as_of: sheet.as_of,
            stamp: sheet.stamp,
            sign: sheet.sign,
            footer: sheet.footer,
        }
    }
}
