//! A past campaign's register, from the file to the households: read, put together by household, matched by identity
//! number, entered by the offices whose right it is. The record itself says what was done before: the same file again
//! writes nothing, and one that was cut off goes on. Must not know a column or a rule.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use wanhu_core::domain::authority::Role;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::RegionList;

use super::delivery::DeliveryError;
use super::header::HeaderError;
use super::names;
use super::outcome::{DepartmentRow, Outcome};
use super::profile::Profile;
use super::report::{self, Line};
use super::rows::Rows;
use super::table::Table;
use crate::accounts::Account;
use crate::app::App;
use crate::storage::persons;
use crate::watch::{Phase, Watch};

mod change;
mod desk;
mod register;
mod said;
mod village;

use change::Fields;
use desk::{Desk, Entered};
use register::Listed;
use said::Tally;
pub(in crate::import) use village::{Villages, Written};

pub use said::{Remark, Said};

/// Rows read between two looks at the clock, and households entered in one transaction.
const ROWS_A_TURN: usize = 4_000;
const HOUSEHOLDS_A_TURN: usize = 200;

/// A register, and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Campaign<'a> {
    /// Why its cases are under monitoring: the words that stand in every step.
    pub reason: &'a str,
    /// What its columns mean.
    pub profile: &'a Profile,
    /// The villages there are.
    pub regions: &'a RegionList,
    /// Whether only to say what would become of it.
    pub dry_run: bool,
}

/// What came of a register. Every row is skipped, taken, known or not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Sheets of the file with something on them that were not read.
    pub sheets_left: Vec<String>,
    /// Headings of columns that mean nothing here.
    pub columns_unused: Vec<String>,
    /// Rows that have any text.
    pub rows: u64,
    /// Headings and lines of totals.
    pub skipped: u64,
    /// Rows of which something was written.
    pub taken: u64,
    /// Rows all of which was on record.
    pub known: u64,
    /// Rows not taken.
    pub not_taken: u64,
    /// How often what was said.
    pub said: BTreeMap<Said, u64>,
    /// Households in it.
    pub households: u64,
    /// Those of which something was written, in the order of the register.
    pub written: Vec<HouseholdId>,
    /// Records opened.
    pub opened: u64,
    /// Records filled in.
    pub filled: u64,
    /// Cases carried over.
    pub carried: u64,
}

impl Brought {
    /// Whether anything was written.
    pub fn has_written(&self) -> bool {
        self.opened + self.filled + self.carried > 0
    }

    fn count(&mut self, entered: &Entered) {
        self.written.extend(entered.written);
        self.opened += u64::from(entered.opened);
        self.filled += u64::from(entered.filled);
        self.carried += u64::from(entered.carried);
    }
}

/// Brings a register in. Each account writes what its role may: a township facts, a county cases.
///
/// # Errors
/// See [`DeliveryError`]. What was entered before it was cut off stays.
pub fn bring_in(
    app: &App,
    accounts: &[Account],
    campaign: Campaign<'_>,
    file: &Path,
    report_to: Option<&Path>,
    watch: Watch<'_>,
) -> Result<Brought, DeliveryError> {
    let decides = |desk: &Account| matches!(desk.role, Role::TownshipOffice | Role::CountyOffice);
    if accounts.is_empty() || !accounts.iter().all(decides) {
        return Err(DeliveryError::NotAnOffice);
    }
    let table = Table::read(file)?;
    let by_head = register::by_head(campaign.profile);
    let profile = match Rows::new(&table, campaign.profile) {
        Err(HeaderError::ColumnsMissing { .. }) => &by_head,
        _ => campaign.profile,
    };
    persons::catch_up(&app.storage, app.person_key)?;
    let sheets_left = table.sheets_left.clone();
    let layout = Rows::new(&table, profile)?;
    let unused = layout.header().unused.iter();
    let columns_unused = unused.map(ToString::to_string).collect();
    let mut brought = Brought { sheets_left, columns_unused, ..Brought::default() };
    let mut tally = Tally::default();
    let rows = read(app, (&table, profile), &mut brought, &mut tally, watch)?;
    let (households, remarks) = register::households(rows);
    remarks.into_iter().for_each(|remark| tally.add(remark));
    brought.households = households.len() as u64;
    let desk = Desk {
        accounts: accounts.to_vec(),
        key: app.person_key,
        policy: app.policy.clone(),
        fields: Fields::of(profile, layout.header()),
        reason: campaign.reason.to_owned(),
        now_ms: app.clock.now_ms(),
        dry_run: campaign.dry_run,
    };
    for entered in enter(app, desk, campaign.regions, households, watch)? {
        brought.count(&entered);
        tally.extend(entered.said);
    }
    tell(&mut brought, &tally, &layout, report_to)?;
    Ok(brought)
}

fn read(
    app: &App,
    (table, profile): (&Table, &Profile),
    brought: &mut Brought,
    tally: &mut Tally,
    watch: Watch<'_>,
) -> Result<Vec<DepartmentRow>, DeliveryError> {
    let mut taken = Vec::new();
    let mut rows = Rows::new(table, profile)?;
    names::settle(app, &mut rows)?;
    for (place, outcome) in rows.enumerate() {
        if place % ROWS_A_TURN == 0 {
            must_go_on(watch, Phase::Reading, place, table.rows().len())?;
        }
        brought.rows += 1;
        match outcome {
            Outcome::Taken(row) => {
                row.remarks.iter().cloned().for_each(|remark| tally.add(remark.into()));
                taken.push(row);
            }
            Outcome::Skipped(_) => brought.skipped += 1,
            Outcome::Fault(fault) => tally.add(fault.into()),
        }
    }
    Ok(taken)
}

/// Enters household after household; phones get their turn in between.
fn enter(
    app: &App,
    desk: Desk,
    regions: &RegionList,
    households: Vec<Listed>,
    watch: Watch<'_>,
) -> Result<Vec<Entered>, DeliveryError> {
    let (villages, desk, total) = (Villages::of(regions), Arc::new(desk), households.len());
    let mut placed = households.into_iter().map(|listed| {
        let written = listed.written();
        let village =
            written.and_then(|written| villages.find(&written, |village| desk.reaches(village)));
        (listed, village)
    });
    let mut all = Vec::with_capacity(total);
    loop {
        must_go_on(watch, Phase::Keeping, all.len(), total)?;
        let turn: Vec<_> = placed.by_ref().take(HOUSEHOLDS_A_TURN).collect();
        if turn.is_empty() {
            return Ok(all);
        }
        let desk = Arc::clone(&desk);
        all.extend(app.storage.writer().write(move |transaction| {
            let enter = |(listed, village): &(Listed, Result<u64, Said>)| {
                desk.enter(transaction, listed, *village)
            };
            turn.iter().map(enter).collect::<Result<Vec<_>, _>>()
        })?);
    }
}

fn must_go_on(
    watch: Watch<'_>,
    phase: Phase,
    done: usize,
    total: usize,
) -> Result<(), DeliveryError> {
    if watch(phase, done, total) { Ok(()) } else { Err(DeliveryError::Cancelled) }
}

/// Counts what was said, and writes it down.
fn tell(
    brought: &mut Brought,
    tally: &Tally,
    rows: &Rows<'_>,
    report_to: Option<&Path>,
) -> Result<(), DeliveryError> {
    let remarks = tally.remarks();
    for remark in &remarks {
        *brought.said.entry(remark.said).or_default() += 1;
    }
    brought.taken = tally.ended(|said| said == Said::Taken);
    brought.known = tally.ended(|said| said == Said::Known);
    brought.not_taken = tally.ended(Said::is_not_taken);
    let Some(path) = report_to else { return Ok(()) };
    let unused: Vec<Remark> = rows.unused().map(Remark::from).collect();
    let lines = unused.iter().chain(&remarks).map(|remark| Line {
        row: remark.row,
        column: &remark.column,
        list: remark.said.list(),
        code: remark.said.code(),
    });
    report::to_file(path, |out| report::write_lines(out, rows, lines, None))
}

#[cfg(test)]
mod tests;
