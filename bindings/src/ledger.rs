//! The ledger (台账) as an object of the app's language. Local work blocks: call it off the main thread. One call a
//! screen. Must not decide anything.

use std::path::Path;
use std::sync::Arc;

use wanhu_core::client::{
    self, CaseView, Conflict, Duplicate, FormView, HistoryLine, RecordEdit, RecordView,
    RefusedView, SheetView, StepForm, TaskView, UnsentView,
};
use wanhu_core::document::edit::FieldValue;
use wanhu_core::domain::checks::Finding;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::{Figure, Statistic};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::warning::Warning;
use wanhu_core::error::LedgerError;
use wanhu_core::store::listing::{ListFilter, ListRow, PageStart};
use wanhu_core::sync::receiver::SyncReport;
use wanhu_core::system::{SystemClock, SystemEntropy};

use crate::observer::{Cancel, Observed, SyncObserver};
use crate::vault::{Foreign, KeyVault};
use crate::views::{Enrolled, HelpView, LedgerStatus};

/// A phone's record book.
#[derive(Debug, uniffi::Object)]
pub struct Ledger(client::Ledger);

#[uniffi::export]
impl Ledger {
    /// Opens or creates the ledger at `path`, without encryption: for tests and for files on encrypted disks.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Arc<Self>, LedgerError> {
        let (clock, entropy) = (Arc::new(SystemClock), Box::new(SystemEntropy));
        Ok(Arc::new(Self(client::Ledger::open(Path::new(&path), clock, entropy)?)))
    }

    /// Opens or creates the ledger at `path`, encrypted with a key that `vault` keeps.
    #[uniffi::constructor]
    pub fn open_sealed(path: String, vault: Arc<dyn KeyVault>) -> Result<Arc<Self>, LedgerError> {
        let (clock, entropy) = (Arc::new(SystemClock), Box::new(SystemEntropy));
        let (path, vault) = (Path::new(&path), Arc::new(Foreign(vault)));
        Ok(Arc::new(Self(client::Ledger::open_sealed(path, vault, clock, entropy)?)))
    }

    /// What the first screen shows.
    pub fn status(&self) -> Result<LedgerStatus, LedgerError> {
        Ok(self.0.status()?.into())
    }

    /// The ISO day it is in China, by the server's clock where this phone has heard it.
    pub fn today(&self) -> Day {
        self.0.today()
    }

    /// The names of a division and of those it lies in, the province's first, as far as this phone has them: of a village
    /// five, of a code that is nowhere none.
    pub fn region_path(&self, code: u64) -> Result<Vec<String>, LedgerError> {
        self.0.region_path(code)
    }

    /// One page of the list, by village and head's name.
    pub fn list(
        &self,
        filter: ListFilter,
        after: Option<PageStart>,
        rows_max: u32,
    ) -> Result<Vec<ListRow>, LedgerError> {
        self.0.list(&filter, after.as_ref(), rows_max)
    }

    /// One household whole.
    pub fn show(&self, household: HouseholdId) -> Result<RecordView, LedgerError> {
        self.0.show(household)
    }

    /// Opens a record for a new household in a village.
    pub fn create_household(
        &self,
        village: u64,
        edit: RecordEdit,
    ) -> Result<HouseholdId, LedgerError> {
        self.0.create_household(village, edit)
    }

    /// Saves a form: one change, safe on disk when this returns.
    pub fn edit(&self, household: HouseholdId, edit: RecordEdit) -> Result<(), LedgerError> {
        self.0.edit(household, &edit)
    }

    /// Records a visit, stamped with the person who is enrolled.
    pub fn record_visit(
        &self,
        household: HouseholdId,
        fields: Vec<FieldValue>,
    ) -> Result<(), LedgerError> {
        self.0.record_visit(household, fields)
    }

    /// What this person has to do, the most urgent first.
    pub fn tasks(&self) -> Result<Vec<TaskView>, LedgerError> {
        self.0.tasks()
    }

    /// Where a household's monitoring case is.
    pub fn case(&self, household: HouseholdId) -> Result<CaseView, LedgerError> {
        self.0.case(household)
    }

    /// Takes a step of the case, with whatever is saved together with it.
    pub fn take_step(
        &self,
        household: HouseholdId,
        step: StepForm,
        with: RecordEdit,
    ) -> Result<(), LedgerError> {
        self.0.take_step(household, &step, with)
    }

    /// The warnings that fire for a household today and that nobody was warned of yet.
    pub fn warnings(&self, household: HouseholdId) -> Result<Vec<Warning>, LedgerError> {
        self.0.warnings(household)
    }

    /// What contradicts on a household's record. Nothing of it blocks anything.
    pub fn checks(&self, household: HouseholdId) -> Result<Vec<Finding>, LedgerError> {
        self.0.checks(household)
    }

    /// What help brings a household in a calendar year.
    pub fn help(&self, household: HouseholdId, year: i32) -> Result<HelpView, LedgerError> {
        Ok(self.0.help(household, year)?.into())
    }

    /// Figures of an area that is all on this phone; `with_ids` names those whose households are wanted. `as_of` is a past
    /// day, by the clocks of those who wrote; else it is today. With `grid`, of the grids of that name alone.
    #[uniffi::method(default(as_of = None, grid = None))]
    pub fn figures(
        &self,
        area: u64,
        from: Day,
        to: Day,
        with_ids: Vec<Statistic>,
        as_of: Option<Day>,
        grid: Option<String>,
    ) -> Result<Vec<Figure>, LedgerError> {
        self.0.figures(area, grid.as_deref(), (from, to), as_of, &with_ids)
    }

    /// The department forms of this release.
    pub fn forms(&self) -> Result<Vec<FormView>, LedgerError> {
        self.0.forms()
    }

    /// A form filled in from the records of an area that is all on this phone, as they are now.
    pub fn sheet(&self, form: String, area: u64) -> Result<SheetView, LedgerError> {
        self.0.sheet(&form, area)
    }

    /// The fields of a household that hold several values, with who set each and when.
    pub fn conflicts(&self, household: HouseholdId) -> Result<Vec<Conflict>, LedgerError> {
        self.0.conflicts(household)
    }

    /// Settles a conflict as a person has seen it, by the place of one of its values. `NotFound` where the field does not
    /// hold these values any more: then show it again.
    pub fn settle(&self, seen: Conflict, choice: u32) -> Result<(), LedgerError> {
        self.0.settle(&seen, choice as usize)
    }

    /// Every field every change set, oldest first.
    pub fn history(&self, household: HouseholdId) -> Result<Vec<HistoryLine>, LedgerError> {
        self.0.history(household)
    }

    /// The changes the server did not take.
    pub fn refused(&self) -> Result<Vec<RefusedView>, LedgerError> {
        self.0.refused()
    }

    /// Makes a refused change anew on what is on record now.
    pub fn reauthor(&self, n: i64) -> Result<(), LedgerError> {
        self.0.reauthor(n)
    }

    /// Every change that waits to be sent, to be kept elsewhere.
    pub fn unsent(&self) -> Result<Vec<UnsentView>, LedgerError> {
        self.0.unsent()
    }

    /// Records on this phone that may be of one family, the surest first.
    pub fn duplicates(&self) -> Result<Vec<Duplicate>, LedgerError> {
        self.0.duplicates()
    }

    /// Makes two records one; the duplicate stays readable.
    pub fn merge(&self, kept: HouseholdId, duplicate: HouseholdId) -> Result<(), LedgerError> {
        self.0.merge(kept, duplicate)
    }

    /// Grows whenever something in the book may have changed. A sync that brings nothing counts as well.
    pub fn version(&self) -> u64 {
        self.0.version()
    }

    /// Closes the book: its file is free for others at once, whoever waits in `changed` comes back, every later call is
    /// refused. Stop a sync that is under way first.
    pub fn close(&self) -> Result<(), LedgerError> {
        self.0.close()
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Ledger {
    /// Enrols this phone with a one-time code. `authority_pem` is the server's own certificate authority, where it has one.
    pub async fn enrol(
        &self,
        url: String,
        authority_pem: Option<String>,
        code: String,
        device_name: String,
    ) -> Result<Enrolled, LedgerError> {
        Ok(self.0.enrol(&url, authority_pem, &code, &device_name).await?.into())
    }

    /// Exchanges with the server until both hold the same. Stopping the call itself is not enough in every language:
    /// use `cancel`.
    pub async fn sync(
        &self,
        observer: Option<Arc<dyn SyncObserver>>,
        cancel: Arc<Cancel>,
    ) -> Result<SyncReport, LedgerError> {
        self.0.sync(&Observed(observer), &cancel.0).await
    }

    /// Comes back with the version once it is no longer `seen`, also when the book is closed: then show again what is on the
    /// screen. A book that is closed already is refused.
    pub async fn changed(&self, seen: u64) -> Result<u64, LedgerError> {
        self.0.changed(seen).await
    }
}
