//! A table's rows, typed by a profile: each is taken whole, or is a fault with one reason, or is skipped because
//! it holds nobody. Must not know what becomes of a row.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::value::Value;

use super::cell;
use super::header::{self, Header, HeaderError};
use super::outcome::{DepartmentRow, Fault, FaultCode, Outcome, Skip, Summary, value_in};
use super::possible;
use super::profile::{Kind, Profile, Reading, Role};
use super::stay;
use super::table::{Row, RowState, Table};
use super::target::{CellFault, Target, whole_row};

/// Longest name, in characters, as in the record.
const NAME_CHARACTERS_MAX: usize = 40;
/// What stands in a line of totals.
const TOTALS: [&str; 5] = ["合计", "总计", "小计", "共计", "累计"];

/// All rows of a table, typed. For large tables [`Rows`] gives them one at a time.
///
/// # Errors
/// Where the table has not the columns the profile requires.
pub fn read_rows(
    table: &Table,
    profile: &Profile,
) -> Result<(Vec<DepartmentRow>, Vec<Fault>, Summary), HeaderError> {
    let (mut rows, mut faults, mut summary) = (Vec::new(), Vec::new(), Summary::default());
    for outcome in Rows::new(table, profile)? {
        summary.count(&outcome);
        match outcome {
            Outcome::Taken(row) => rows.push(row),
            Outcome::Fault(fault) => faults.push(fault),
            Outcome::Skipped(_) => {}
        }
    }
    Ok((rows, faults, summary))
}

/// Fields and their values.
type Values = Vec<(Arc<str>, Value)>;

/// The rows of a table, one at a time, top to bottom.
pub struct Rows<'t> {
    table: &'t Table,
    header: Header,
    name: Option<Target<'t>>,
    identity: Option<Target<'t>>,
    village: Option<Target<'t>>,
    values: Vec<Target<'t>>,
    kind: Kind,
    today: Option<Day>,
    meaning: Sha256,
    rows: Box<dyn Iterator<Item = Row<'t>> + 't>,
    /// Numbers that stand with two names, and the one of these that holds, where somebody knows it.
    two_names: HashMap<u64, Option<String>>,
    keys: HashSet<[u8; 16]>,
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows of {:?}", self.table)
    }
}

impl<'t> Rows<'t> {
    /// Finds the header. Each number that stands with two names is looked for first, so that no row with it
    /// is taken before the second name is met.
    ///
    /// # Errors
    /// Where the table has not the columns the profile requires.
    pub fn new(table: &'t Table, profile: &'t Profile) -> Result<Self, HeaderError> {
        let header = Header::find(table, profile)?;
        let placed = profile.columns.iter().zip(&header.places);
        let targets: Vec<Target<'t>> = placed
            .filter_map(|(column, place)| Some(Target::of(column, place.as_ref()?)))
            .collect();
        let of = |role| targets.iter().find(|target| target.column.role == role).cloned();
        let mut rows = Self {
            name: of(Role::Name),
            identity: of(Role::Identity),
            village: of(Role::Village),
            values: targets
                .into_iter()
                .filter(|target| target.column.role == Role::Value)
                .collect(),
            meaning: Sha256::new_with_prefix(profile.kind.code()).chain_update([0]),
            rows: Box::new(table.rows()),
            kind: profile.kind,
            today: None,
            two_names: HashMap::new(),
            keys: HashSet::with_capacity(table.rows().len()),
            table,
            header,
        };
        rows.two_names = rows.find_two_names().into_iter().map(|number| (number, None)).collect();
        Ok(rows)
    }

    /// The same, read on a day: bills of later days are faults.
    #[must_use]
    pub fn on(self, today: Day) -> Self {
        Self { today: Some(today), ..self }
    }

    /// The numbers that stand with two names, each with every name beside it.
    pub(super) fn with_two_names(&self) -> Vec<(IdentityNumber, String)> {
        let (Some(name), Some(identity)) = (&self.name, &self.identity) else { return Vec::new() };
        if self.two_names.is_empty() {
            return Vec::new();
        }
        let rows = self.table.rows().filter(|row| row.number > self.header.row);
        let mut named: Vec<_> = rows
            .filter_map(|row| {
                let number = cell::identity(&cell::plain(row.cell(identity.at))).ok()?;
                let name = cell::name(&cell::plain(row.cell(name.at))).into_owned();
                self.two_names.contains_key(&digits(&number)).then_some((number, name))
            })
            .filter(|(_, name)| !name.is_empty())
            .collect();
        named.sort_unstable_by(|(a, b), (c, d)| (a.as_str(), b).cmp(&(c.as_str(), d)));
        named.dedup();
        named
    }

    /// Takes rows with this number where they have this name.
    pub(super) fn settle(&mut self, number: &IdentityNumber, name: String) {
        self.two_names.insert(digits(number), Some(name));
    }

    /// The header found.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The columns of the table that were not used, as something to be said of the header.
    pub(super) fn unused(&self) -> impl Iterator<Item = Fault> {
        let (row, code) = (self.header.row, FaultCode::ColumnUnused);
        self.header.unused.iter().map(move |column| Fault { row, column: Arc::clone(column), code })
    }

    /// The name's cell of a row, and the identity number's: what a sender recognises it by.
    pub(super) fn who(&self, row: u32) -> Option<(&'t str, &'t str)> {
        let row = self.table.row(row).filter(|row| row.number > self.header.row)?;
        let of =
            |target: &Option<Target<'_>>| target.as_ref().map_or("", |target| row.cell(target.at));
        Some((of(&self.name), of(&self.identity)))
    }

    /// The person's name and the village that a row states, where it states both.
    pub(super) fn named(&self, row: u32) -> Option<(String, String)> {
        let row = self.table.row(row)?;
        Some((self.name(row).ok()?, self.village(row).ok()??))
    }

    fn find_two_names(&self) -> HashSet<u64> {
        let mut found = HashSet::new();
        let (Some(name), Some(identity)) = (&self.name, &self.identity) else { return found };
        let mut names: HashMap<u64, u64> = HashMap::with_capacity(self.table.rows().len());
        for row in self.table.rows().filter(|row| row.number > self.header.row) {
            let plain = cell::plain(row.cell(name.at));
            let Ok(number) = cell::identity(&cell::plain(row.cell(identity.at))) else { continue };
            let number = digits(&number);
            let mut hasher = DefaultHasher::new();
            cell::name(&plain).hash(&mut hasher);
            let hash = hasher.finish();
            if !plain.is_empty() && *names.entry(number).or_insert(hash) != hash {
                found.insert(number);
            }
        }
        found
    }

    fn outcome(&mut self, row: Row<'t>) -> Outcome {
        if row.number <= self.header.row {
            return Outcome::Skipped(Skip::Heading);
        }
        match self.read(row) {
            Ok(Ok(taken)) => Outcome::Taken(taken),
            Ok(Err(skip)) => Outcome::Skipped(skip),
            Err((column, code)) => Outcome::Fault(Fault { row: row.number, column, code }),
        }
    }

    fn read(&mut self, row: Row<'t>) -> Result<Result<DepartmentRow, Skip>, CellFault> {
        match row.state {
            RowState::Whole => {}
            RowState::TooLong => return Err(whole_row(FaultCode::RowTooLong)),
            RowState::OpenQuote => return Err(whole_row(FaultCode::QuoteOpen)),
        }
        if self.is_header(row) {
            return Ok(Err(Skip::RepeatedHeader));
        }
        if self.is_total(row) {
            return Ok(Err(Skip::TotalLine));
        }
        let name = self.name(row)?;
        let identity = self.identity(row, &name)?;
        let (village, mut values, mut remarks) = self.values(row)?;
        self.must_be_possible(&values)?;
        remarks.extend(self.stay_unclear(&mut values));
        let remarks = remarks.into_iter();
        let remarks = remarks.map(|(column, code)| Fault { row: row.number, column, code });
        let (row, key, remarks) = (row.number, [0; 16], remarks.collect());
        let taken = DepartmentRow { row, name, identity, village, values, remarks, key };
        let key = self.key(&taken);
        if !self.keys.insert(key) {
            return Err(whole_row(FaultCode::DuplicateRow));
        }
        Ok(Ok(DepartmentRow { key, ..taken }))
    }

    /// The village and the values of a row, and the cells that were left out of it because they cannot be read.
    fn values(&self, row: Row<'_>) -> Result<(Option<String>, Values, Vec<CellFault>), CellFault> {
        let (mut village, mut left_out) = (None, Vec::<CellFault>::new());
        let mut values = Vec::with_capacity(self.values.len());
        for target in self.village.iter().chain(&self.values) {
            match target.read(row, self.table.from_1904) {
                Ok(Some(Value::Text(name))) if target.column.role == Role::Village => {
                    village = Some(name);
                }
                Ok(Some(value)) => values.push((Arc::clone(&target.column.field), value)),
                Ok(None) => {}
                Err(fault) if target.is_needed() => return Err(fault),
                // Two columns of a profile may read one cell.
                Err((title, _)) if left_out.iter().any(|(known, _)| *known == title) => {}
                Err((title, _)) => left_out.push((title, FaultCode::CellLeftOut)),
            }
        }
        Ok((village, values, left_out))
    }

    /// What is to be said of a bill that leaves open whether it is of a stay.
    fn stay_unclear(&self, values: &mut Vec<(Arc<str>, Value)>) -> Option<CellFault> {
        let title = |field| self.target(field).map_or("", |target| &target.title);
        if self.kind != Kind::Medical || stay::is_told(values, ["from", "to"].map(title)) {
            return None;
        }
        let (code, target) = (FaultCode::StayUnclear, self.target(stay::INPATIENT));
        Some(target.map_or_else(|| whole_row(code), |target| target.fault(code)))
    }

    fn target(&self, field: &str) -> Option<&Target<'t>> {
        self.values.iter().find(|target| &*target.column.field == field)
    }

    fn must_be_possible(&self, values: &[(Arc<str>, Value)]) -> Result<(), CellFault> {
        let Some((field, code)) = possible::contradiction(self.kind, values, self.today) else {
            return Ok(());
        };
        // What is rounded to a month may lie beside what is not.
        let is_forgiven = (code == FaultCode::EndsBeforeBegin
            && self.reading("from") != self.reading("to"))
            || (code == FaultCode::SelfPayAboveTotal && self.is_rounding(values));
        if is_forgiven {
            return Ok(());
        }
        Err(self.target(field).map_or_else(|| whole_row(code), |target| target.fault(code)))
    }

    fn reading(&self, field: &str) -> Option<Reading> {
        self.target(field).map(|target| target.column.reading)
    }

    /// Whether what somebody paid is above the whole bill by no more than rounding makes of it, where the units of the two columns differ:
    /// an amount in 万元 has one decimal at least.
    fn is_rounding(&self, values: &[(Arc<str>, Value)]) -> bool {
        let unit = |field| self.target(field).map(|target| target.unit);
        let (Some(whole), Some(own)) = (unit("total_fen"), unit("self_pay_fen")) else {
            return false;
        };
        let fen = |field| value_in(values, field).and_then(Value::as_int).unwrap_or_default();
        let above = fen("self_pay_fen").saturating_sub(fen("total_fen"));
        let unit_fen = 10i64.saturating_pow(u32::try_from(whole.max(own)).unwrap_or_default() + 2);
        whole != own && above <= unit_fen / 20
    }

    fn is_header(&self, row: Row<'_>) -> bool {
        let Some(name) = &self.name else { return false };
        let mut targets = self.values.iter().chain(&self.identity).chain(&self.village);
        row.cell(name.at).trim() == &*name.title
            && targets.all(|target| matches!(row.cell(target.at).trim(), cell if cell == &*target.title || cell.is_empty()))
    }

    /// A line of totals names nobody: the word stands in its first cell or in place of the name.
    fn is_total(&self, row: Row<'_>) -> bool {
        let has_text = |target: &Target<'_>| !row.cell(target.at).trim_start().is_empty();
        if self.identity.as_ref().is_some_and(has_text) {
            return false;
        }
        let first = row.cells().find(|cell| !cell.trim_start().is_empty());
        let name = self.name.as_ref().map(|name| row.cell(name.at));
        [first, name].into_iter().flatten().any(|cell| {
            let cell = header::squeezed(cell);
            TOTALS.iter().any(|word| cell.contains(word))
        })
    }

    fn name(&self, row: Row<'_>) -> Result<String, CellFault> {
        let Some(target) = &self.name else { return Err(whole_row(FaultCode::NameMissing)) };
        let plain = target.plain(row)?;
        let name = cell::name(&plain);
        if cell::is_nothing(&name) {
            return Err(target.fault(FaultCode::NameMissing));
        }
        if name.chars().count() > NAME_CHARACTERS_MAX {
            return Err(target.fault(FaultCode::TextTooLong));
        }
        Ok(name.into_owned())
    }

    fn identity(&self, row: Row<'_>, name: &str) -> Result<Option<IdentityNumber>, CellFault> {
        let Some(target) = &self.identity else { return Ok(None) };
        let plain = target.plain(row)?;
        if cell::is_nothing(&plain) {
            let fault = || target.fault(FaultCode::IdentityMissing);
            return if target.column.required { Err(fault()) } else { Ok(None) };
        }
        let number = cell::identity(&plain).map_err(|code| target.fault(code))?;
        match self.two_names.get(&digits(&number)) {
            Some(known) if known.as_deref() != Some(name) => {
                Err(target.fault(FaultCode::IdentityTwoNames))
            }
            Some(_) | None => Ok(Some(number)),
        }
    }

    fn village(&self, row: Row<'_>) -> Result<Option<String>, CellFault> {
        let Some(target) = &self.village else { return Ok(None) };
        match target.read(row, false)? {
            Some(Value::Text(village)) => Ok(Some(village)),
            _ => Ok(None),
        }
    }

    fn key(&self, row: &DepartmentRow) -> [u8; 16] {
        let mut hash = self.meaning.clone();
        let mut add = |text: &str| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        add(&row.name);
        add(row.identity.as_ref().map_or("", IdentityNumber::as_str));
        add(row.village.as_deref().unwrap_or_default());
        for (field, value) in &row.values {
            add(field);
            match value {
                Value::Int(number) => add(&number.to_string()),
                Value::Text(text) => add(text),
                Value::Bool(tick) => add(if *tick { "yes" } else { "no" }),
                Value::Null | Value::Opaque { .. } => add(""),
            }
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        key
    }
}

impl Iterator for Rows<'_> {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        let row = self.rows.next()?;
        Some(self.outcome(row))
    }
}

/// The first 17 digits, which the check character follows from.
fn digits(number: &IdentityNumber) -> u64 {
    number.as_str().get(..17).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}
