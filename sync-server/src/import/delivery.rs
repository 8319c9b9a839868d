//! A department's file, from the bytes to the households: read, matched by identity number, kept, judged, recorded,
//! reported. Every household's part is one change; a delivery that is cut off goes on where the same file is
//! delivered again. Must not know a rule or a column.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wanhu_core::domain::authority::{self, Place, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::person::Blind;
use wanhu_core::domain::value::Value;
use wanhu_core::store::StoreError;

use super::header::{Header, HeaderError};
use super::judging::Judge;
use super::names;
use super::outcome::{DepartmentRow, Fault, FaultCode, Outcome, Summary};
use super::possible;
use super::profile::Profile;
use super::proposals::proposals;
use super::report;
use super::rows::Rows;
use super::table::{Table, TableError};
use crate::accounts::Account;
use crate::app::App;
use crate::storage::department::{self, FoundRow, NewImport};
use crate::storage::persons::{self, Whereabouts};
use crate::warnings::written::HOUSEHOLDS_A_TURN;
use crate::watch::{Phase, Watch};

/// Rows kept in one transaction: phones get their turn in between.
const ROWS_A_TURN: usize = 4_000;
/// Characters that are kept of the name of a file.
const FILE_NAME_MAX: usize = 100;

/// Why nothing, or not everything, came of a file.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The file cannot be read as a table.
    #[error("table: {0}")]
    Table(#[from] TableError),
    /// Its headings are those of another kind.
    #[error("the headings fit --kind {0}; if it is the kind asked for, add --anyway")]
    OtherKind(&'static str),
    /// All its amounts are too small to be yuan, or one is too large.
    #[error(
        "amounts of {0} yuan; name their unit in the headings; if they are right, add --anyway"
    )]
    Amounts(i64),
    /// It has not the columns it needs.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The account is no department's and no office's.
    #[error("not permitted")]
    NotPermitted,
    /// A past campaign is brought in by offices of townships and counties.
    #[error("no office of a township or county")]
    NotAnOffice,
    /// No such delivery, or withdrawn before.
    #[error("no such delivery")]
    Unknown,
    /// Somebody ended it.
    #[error("cancelled")]
    Cancelled,
    /// The report cannot be written.
    #[error("report: {0}")]
    Report(String),
    /// The records file failed.
    #[error("store: {0}")]
    Store(#[from] StoreError),
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Its number.
    pub import: i64,
    /// Sheets of the file with something on them that were not read.
    pub sheets_left: Vec<String>,
    /// Headings of columns that mean nothing here.
    pub columns_unused: Vec<String>,
    /// Rows by what became of them when they were read.
    pub summary: Summary,
    /// Rows about somebody on record.
    pub matched: u64,
    /// Of these, rows about a household whose record is out of use: kept, and nobody is warned.
    pub not_in_use: u64,
    /// Rows that were not known before.
    pub new: u64,
    /// What is said of rows about somebody on record although they are taken: how often what.
    pub remarks: BTreeMap<FaultCode, u64>,
    /// Rows not taken, of every reason.
    pub not_taken: u64,
    /// Rows not taken, by reason.
    pub faults: BTreeMap<FaultCode, u64>,
    /// Households that the rows are about.
    pub households: u64,
    /// Households that got a warning.
    pub warned: u64,
    /// Households without a warning whose record was silent about something that the file says.
    pub filled_in: u64,
    /// Households with a bill on record that the file settles otherwise: the file's counts.
    pub settled_anew: u64,
    /// Households whose record did not take what it should have got.
    pub refused: Vec<HouseholdId>,
}

/// A file, and how it is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What its columns mean.
    pub profile: &'a Profile,
    /// Where it is.
    pub file: &'a Path,
    /// Where to write what is to be said of its rows.
    pub report_to: Option<&'a Path>,
    /// Whether it is of the profile's kind although its headings are those of another.
    pub is_of_kind: bool,
}

/// Delivers a file.
///
/// # Errors
/// See [`DeliveryError`]. Before the first row is kept nothing is changed.
pub fn deliver(
    app: &App,
    account: &Account,
    Asked { profile, file, report_to, is_of_kind }: Asked<'_>,
    watch: Watch<'_>,
) -> Result<Delivered, DeliveryError> {
    if !matches!(account.role, Role::Department) {
        return Err(DeliveryError::NotPermitted);
    }
    let table = Table::read(file)?;
    let header = Header::find(&table, profile)?;
    if let Some(kind) = header.better_kind(&table, profile).filter(|_| !is_of_kind) {
        return Err(DeliveryError::OtherKind(kind.code()));
    }
    let file_hash = Sha256::digest(std::fs::read(file).map_err(TableError::File)?).into();
    persons::catch_up(&app.storage, app.person_key)?;
    let columns_unused = header.unused.iter().map(ToString::to_string).collect();
    let sheets_left = table.sheets_left.clone();
    let done = Delivered { sheets_left, columns_unused, ..Delivered::default() };
    let mut delivery = Delivery { app, account, profile, watch, done };
    let (taken, mut faults) = delivery.read(&table)?;
    let says_unit = header.says_unit(profile, "total_fen");
    let unlikely = possible::amounts_unlikely(profile.kind, &taken, says_unit);
    if let Some(yuan) = unlikely.filter(|_| !is_of_kind) {
        return Err(DeliveryError::Amounts(yuan));
    }
    let (found, remarks) = delivery.matched(&taken, &mut faults)?;
    drop(taken);
    delivery.keep(found, file_name(file), file_hash)?;
    delivery.judge()?;
    faults.sort_by_key(|fault| fault.row);
    delivery.done.not_taken = faults.len() as u64;
    for fault in &faults {
        *delivery.done.faults.entry(fault.code).or_default() += 1;
    }
    if let Some(path) = report_to {
        let rows = Rows::new(&table, profile)?;
        let proposals = proposals(app, account, &rows, &faults)?;
        let unused: Vec<Fault> = rows.unused().collect();
        let mut said: Vec<&Fault> = unused.iter().chain(&faults).chain(&remarks).collect();
        said.sort_by_key(|fault| fault.row);
        report::to_file(path, |out| report::write(out, &rows, said, &proposals))?;
    }
    Ok(delivery.done)
}

/// What a file is called, as a list shows it.
fn file_name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|character| !character.is_control()).take(FILE_NAME_MAX).collect()
}

struct Delivery<'a> {
    app: &'a App,
    account: &'a Account,
    profile: &'a Profile,
    watch: Watch<'a>,
    done: Delivered,
}

impl Delivery<'_> {
    fn goes_on(&self, phase: Phase, done: usize, total: usize) -> Result<(), DeliveryError> {
        if (self.watch)(phase, done, total) { Ok(()) } else { Err(DeliveryError::Cancelled) }
    }

    fn read(&mut self, table: &Table) -> Result<(Vec<DepartmentRow>, Vec<Fault>), DeliveryError> {
        let (mut taken, mut faults) = (Vec::new(), Vec::new());
        let mut rows = Rows::new(table, self.profile)?.on(Day::in_china(self.app.clock.now_ms()));
        names::settle(self.app, &mut rows)?;
        for (place, outcome) in rows.enumerate() {
            if place % ROWS_A_TURN == 0 {
                self.goes_on(Phase::Reading, place, table.rows().len())?;
            }
            self.done.summary.count(&outcome);
            match outcome {
                Outcome::Taken(row) => taken.push(row),
                Outcome::Fault(fault) => faults.push(fault),
                Outcome::Skipped(_) => {}
            }
        }
        Ok((taken, faults))
    }

    /// The rows about somebody on record in this account's area, and what is to be said of some of them. The others are
    /// faults.
    fn matched(
        &mut self,
        rows: &[DepartmentRow],
        faults: &mut Vec<Fault>,
    ) -> Result<(Vec<FoundRow>, Vec<Fault>), DeliveryError> {
        let (key, storage) = (self.app.person_key, &self.app.storage);
        let person = |row: &DepartmentRow| row.identity.as_ref().map(|number| key.identity(number));
        let people =
            storage.read_in_parts(rows, |_, some| Ok(some.iter().map(person).collect()))?;
        let mut named: Vec<(Blind, &DepartmentRow)> = Vec::with_capacity(rows.len());
        for (row, person) in rows.iter().zip(people.into_iter().flat_map(Vec::into_iter)) {
            match person {
                Some(person) => named.push((person, row)),
                None => faults.push(fault(row, FaultCode::IdentityMissing)),
            }
        }
        named.sort_unstable_by_key(|(person, _)| *person);
        let containers: HashMap<_, _> = self
            .profile
            .columns
            .iter()
            .filter(|column| !column.container.is_empty())
            .map(|column| (&*column.field, format!("{}.{}", column.container, column.field)))
            .collect();
        let look = |connection: &Connection, some: &[(Blind, &DepartmentRow)]| {
            let people: Vec<_> = some.iter().map(|(who, row)| (*who, row.name.as_str())).collect();
            let places = persons::whereabouts(connection, &people)?;
            let found = some.iter().zip(places).map(|((person, row), place)| {
                let (household, is_in_use) =
                    self.household_of(place).map_err(|code| fault(row, code))?;
                let out_of_use = (!is_in_use).then(|| fault(row, FaultCode::RecordOutOfUse));
                let remarks: Vec<_> = row.remarks.iter().cloned().chain(out_of_use).collect();
                let (key, content) = (key.told(&row.key), self.content(row, &containers));
                let (row, person) = (row.row, *person);
                Ok((FoundRow { key, row, household, person, content }, remarks))
            });
            Ok(found.collect::<Vec<Result<_, Fault>>>())
        };
        let (mut found, mut remarks) = (Vec::with_capacity(named.len()), Vec::new());
        for outcome in storage.read_in_parts(&named, look)?.into_iter().flatten() {
            match outcome {
                Ok((row, said)) => {
                    found.push(row);
                    remarks.extend(said);
                }
                Err(fault) => faults.push(fault),
            }
        }
        self.done.matched = found.len() as u64;
        for remark in &remarks {
            *self.done.remarks.entry(remark.code).or_default() += 1;
        }
        let out_of_use = self.done.remarks.remove(&FaultCode::RecordOutOfUse);
        self.done.not_in_use = out_of_use.unwrap_or_default();
        Ok((found, remarks))
    }

    /// What is kept of a row, by `container.field`.
    fn content(&self, row: &DepartmentRow, containers: &HashMap<&str, String>) -> String {
        let values = row.values.iter();
        let values =
            values.filter_map(|(field, value)| Some((&**containers.get(&**field)?, value)));
        let mut values: Vec<(&str, &Value)> = values.collect();
        let kind = self.profile.kind.spending().map(Value::from);
        // A bill of no day would lie in no months that anybody looks back on: it counts from when it was delivered.
        let is_day = |field: &str| matches!(field, "spending.from" | "spending.to");
        let is_dated = values.iter().any(|(field, _)| is_day(field));
        let today = Day::in_china(self.app.clock.now_ms());
        let delivered = (!is_dated).then(|| Value::from(today.to_string()));
        if values.iter().any(|(field, _)| field.starts_with("spending.")) {
            values.extend(delivered.as_ref().map(|day| ("spending.to", day)));
            values.extend(kind.as_ref().map(|kind| ("spending.kind", kind)));
        }
        let yes = Value::from(true);
        // What has come to an end says nothing of today.
        if !row.has_ended(today) {
            values.extend(self.profile.ticks(&row.values).map(|tick| (tick, &yes)));
        }
        department::written(values.into_iter())
    }

    /// The household that a row is about, where this account may speak of it, and whether its record is in use.
    fn household_of(&self, whereabouts: Whereabouts) -> Result<(i64, bool), FaultCode> {
        match whereabouts {
            Whereabouts::Nowhere => Err(FaultCode::PersonUnknown),
            Whereabouts::InSeveral => Err(FaultCode::PersonTwice),
            Whereabouts::In { scope, .. } | Whereabouts::Left { scope } if !self.reaches(scope) => {
                Err(FaultCode::OutsideArea)
            }
            Whereabouts::Left { .. } => Err(FaultCode::PersonLeft),
            Whereabouts::In { has_the_name: false, .. } => Err(FaultCode::NameDiffers),
            Whereabouts::In { household, is_in_use, .. } => Ok((household, is_in_use)),
        }
    }

    fn reaches(&self, village: u64) -> bool {
        authority::place(self.account.role, &self.account.areas, village) == Place::Inside
    }

    fn keep(
        &mut self,
        mut rows: Vec<FoundRow>,
        file: String,
        file_hash: [u8; 32],
    ) -> Result<(), DeliveryError> {
        rows.sort_unstable_by_key(|row| (row.household, row.key));
        let writer = self.app.storage.writer();
        let new = NewImport {
            kind: self.profile.kind.code().to_owned(),
            department: self.profile.department.clone(),
            file,
            file_hash,
            account: self.account.id.clone(),
            now_ms: self.app.clock.now_ms(),
        };
        let import = writer.write(move |transaction| department::begin(transaction, &new))?;
        self.done.import = import;
        let (total, mut waiting) = (rows.len(), rows.into_iter());
        while waiting.len() > 0 {
            self.goes_on(Phase::Keeping, total - waiting.len(), total)?;
            let turn: Vec<_> = waiting.by_ref().take(ROWS_A_TURN).collect();
            let new =
                writer.write(move |transaction| department::stage(transaction, import, &turn))?;
            self.done.new += new;
        }
        Ok(())
    }

    /// Warns, household by household, and marks the delivery as done.
    fn judge(&mut self) -> Result<(), DeliveryError> {
        let (app, account, import) = (self.app, self.account, self.done.import);
        let judge = Judge { app, account, profile: self.profile, import };
        let households = app.storage.read(|c| department::households(c, import))?;
        self.done.households = households.len() as u64;
        let (mut begin, mut judged, mut anew) = (0, Vec::new(), Vec::new());
        while begin < households.len() || !judged.is_empty() || !anew.is_empty() {
            self.goes_on(Phase::Judging, begin, households.len())?;
            let end = households.len().min(begin + HOUSEHOLDS_A_TURN);
            anew.extend(&households[begin..end]);
            let (recorded, next) = judge.turn(judged, &anew)?;
            self.done.warned += recorded.warned;
            self.done.settled_anew += recorded.taken_back;
            self.done.filled_in += recorded.filled_in;
            self.done.refused.extend(recorded.refused);
            (begin, judged, anew) = (end, next, recorded.anew);
        }
        let now_ms = app.clock.now_ms();
        let writer = app.storage.writer();
        Ok(writer.write(move |transaction| department::finish(transaction, import, now_ms))?)
    }
}

fn fault(row: &DepartmentRow, code: FaultCode) -> Fault {
    Fault { row: row.row, column: "".into(), code }
}
