//! What is asked of a delivery later: to take it back, or what became of its rows. Must not know a rule or a
//! column.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::{FieldKind, Schema};
use wanhu_core::domain::value::Value;
use wanhu_core::store::{StoreError, records};

use super::delivery::DeliveryError;
use super::effects::{self, Reading, Said};
use super::{provenance, report};
use crate::accounts::Account;
use crate::app::App;
use crate::storage::department::{self, ImportRow, StagedRow};
use crate::warnings::notice::Sender;
use crate::warnings::written::{HOUSEHOLDS_A_TURN, Judged, record};

/// What came of taking a delivery back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Households whose bills, warnings or clues were marked as withdrawn.
    pub marked: u64,
    /// What the list filled in and nobody has touched since: it stays until somebody has looked.
    pub standing: Vec<Listed>,
}

/// A field of a record, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The household.
    pub household: HouseholdId,
    /// The row of the department's file.
    pub row: u32,
    /// Container of the record.
    pub container: String,
    /// `field` or `row.field`.
    pub key: String,
    /// The field.
    pub field: String,
    /// What the list says.
    pub value: Value,
}

impl Listed {
    fn of(household: HouseholdId, said: &Said<'_>) -> Self {
        Self {
            household,
            row: said.row.row,
            container: said.container.to_owned(),
            key: said.key(),
            field: said.field.to_owned(),
            value: said.value.clone(),
        }
    }

    /// The field's label and the value as people read it.
    pub fn words(&self) -> (&str, String) {
        let field = Schema::base().field(&self.container, &self.field);
        let label = field.map_or(self.field.as_str(), |field| &field.zh);
        let value = match (field.map(|field| &field.kind), &self.value) {
            (Some(FieldKind::Choice { list }), Value::Text(code)) => {
                Schema::base().code(list, code).map_or(code.as_str(), |known| &known.zh).to_owned()
            }
            (_, Value::Bool(tick)) => if *tick { "是" } else { "否" }.to_owned(),
            (_, Value::Int(number)) => number.to_string(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Null | Value::Opaque { .. }) => String::new(),
        };
        (label, value)
    }
}

/// Takes a delivery back: its file was wrong. What records hold of it is marked as withdrawn, its rows are
/// forgotten; where the rows of other deliveries warn by themselves, the household is warned of anew. Fields that it
/// filled in stay, since nobody knows what is true instead; they are told, and written to `report_to` before anything is
/// forgotten.
///
/// # Errors
/// `Unknown`, `NotPermitted` for another account than the one that delivered it, `Report`.
pub fn withdraw(
    app: &App,
    account: &Account,
    import: i64,
    report_to: Option<&Path>,
) -> Result<Withdrawn, DeliveryError> {
    let imports = app.storage.read(department::imports)?;
    let known = imports.iter().find(|known| known.n == import && known.withdrawn_ms.is_none());
    if known.ok_or(DeliveryError::Unknown)?.account != account.id {
        return Err(DeliveryError::NotPermitted);
    }
    let withdrawal = Withdrawal { app, import, imports: &imports };
    let households = app.storage.read(|connection| department::households(connection, import))?;
    let (mut marked, mut refused, mut standing) = (0, 0, BTreeMap::new());
    let mut waiting: VecDeque<i64> = households.into();
    while !waiting.is_empty() {
        let some: Vec<_> = waiting.drain(..waiting.len().min(HOUSEHOLDS_A_TURN)).collect();
        let parts =
            app.storage.read_in_parts(&some, |c, some| withdrawal.of_households(c, some))?;
        let (mut changes, mut alone) = (Vec::new(), Vec::new());
        for Left { n, change, bare, fields } in parts.into_iter().flatten() {
            changes.extend(change);
            alone.extend(bare);
            // A household that has changed meanwhile is looked at again.
            standing.remove(&n);
            if !fields.is_empty() {
                standing.insert(n, fields);
            }
        }
        let mut recorded = record(app, account, changes)?;
        // What cannot be warned of anew is at least taken back.
        alone.retain(|judged| recorded.refused.contains(&judged.household.id));
        recorded.refused.retain(|id| !alone.iter().any(|judged| judged.household.id == *id));
        let second = record(app, account, alone)?;
        marked += recorded.written + second.written;
        refused += recorded.refused.len() + second.refused.len();
        waiting.extend(recorded.anew.into_iter().chain(second.anew));
    }
    if refused > 0 {
        return Err(DeliveryError::NotWhole { marked, refused });
    }
    let standing: Vec<_> = standing.into_values().flatten().collect();
    if let Some(path) = report_to {
        report::to_file(path, |out| report::write_standing(out, &standing))?;
    }
    let (by, now_ms) = (account.id.clone(), app.clock.now_ms());
    app.storage
        .writer()
        .write(move |transaction| department::withdraw(transaction, import, &by, now_ms))?;
    Ok(Withdrawn { marked, standing })
}

struct Withdrawal<'a> {
    app: &'a App,
    import: i64,
    imports: &'a [ImportRow],
}

/// What a withdrawal comes to in one household.
struct Left {
    n: i64,
    /// The change that its record needs.
    change: Option<Judged>,
    /// The same without what others' rows call for, where they call for something.
    bare: Option<Judged>,
    /// What it holds of the delivery even so.
    fields: Vec<Listed>,
}

impl Withdrawal<'_> {
    fn of_households(
        &self,
        connection: &Connection,
        households: &[i64],
    ) -> Result<Vec<Left>, StoreError> {
        households.iter().map(|n| self.of_household(connection, *n)).collect()
    }

    fn of_household(&self, connection: &Connection, n: i64) -> Result<Left, StoreError> {
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        let rows = department::only_of(connection, self.import, n)?;
        let (key, own) = (&self.app.person_key, rows.len());
        let bare = effects::withdrawal(&facts, &rows, self.import);
        if bare.is_none() && effects::agreed(key, &facts, &rows).is_empty() {
            return Ok(Left { n, change: None, bare: None, fields: Vec::new() });
        }
        let others = department::of_others(connection, self.import, n)?;
        let rows = [rows, others].concat();
        let filled_in = provenance::filled_in(connection, key, &household, &facts, &rows)?;
        let others = &rows[own..];
        let change = bare.clone().map(|edit| match self.reading(others) {
            Some(reading) => reading.change_after(edit, &facts, &filled_in, others),
            None => edit,
        });
        let confirmed = effects::agreed(key, &facts, others);
        let stands = |said: &&Said<'_>| {
            said.row.import == self.import && !confirmed.iter().any(|other| other.is_of_field(said))
        };
        let fields = filled_in.iter().filter(stands).map(|said| Listed::of(household.id, said));
        let fields = fields.collect();
        let bare = bare.filter(|bare| change.as_ref() != Some(bare));
        let judged = |edit| Judged { household: household.clone(), edit };
        Ok(Left { n, change: change.map(judged), bare: bare.map(judged), fields })
    }

    /// How others' rows are read: as those of their latest delivery, of this one's kind where there is one.
    fn reading(&self, others: &[StagedRow]) -> Option<Reading<'_>> {
        let kind = |n| self.imports.iter().find(|known| known.n == n).map(|known| &known.kind);
        let is_alike = |row: &&StagedRow| kind(row.import) == kind(self.import);
        let alike = others.iter().filter(is_alike).map(|row| row.import).max();
        let latest = alike.or_else(|| others.iter().map(|row| row.import).max())?;
        let latest = self.imports.iter().find(|import| import.n == latest)?;
        let today = Day::in_china(self.app.clock.now_ms());
        Some(Reading {
            sender: Sender::of_list(&latest.department, latest.n, today),
            fills_in: false,
            key: &self.app.person_key,
            policy: &self.app.policy.policy,
        })
    }
}

/// What a delivery's rows say and records have otherwise: where somebody should look. What the records have instead is not
/// told: a department may not read all of it.
///
/// # Errors
/// Where the file fails.
pub fn differences(app: &App, import: i64) -> Result<Vec<Listed>, DeliveryError> {
    let mut by_household: BTreeMap<i64, Vec<StagedRow>> = BTreeMap::new();
    for row in app.storage.read(|connection| department::rows_of(connection, import))? {
        by_household.entry(row.household).or_default().push(row);
    }
    let households: Vec<_> = by_household.into_iter().collect();
    let of = |connection: &Connection, some: &[(i64, Vec<StagedRow>)]| {
        let mut listed = Vec::new();
        for (n, rows) in some {
            let household = records::get(connection, *n)?;
            let facts = facts(&household.fold, household.scope);
            let contradicted = effects::contradicted(&app.person_key, &facts, rows);
            listed.extend(contradicted.iter().map(|said| Listed::of(household.id, said)));
        }
        Ok(listed)
    };
    let mut listed = app.storage.read_in_parts(&households, of)?.concat();
    listed.sort_by_key(|field| field.row);
    Ok(listed)
}

/// Where a delivery's warning stands: for the department that sent the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The row of the department's file.
    pub row: u32,
    /// The rule that fired; empty where none did.
    pub rule: String,
    /// Code of list `warning_answer`; empty while nobody has looked.
    pub answer: String,
    /// The day of the answer.
    pub answered_on: Option<Day>,
}

/// What became of each row of a delivery.
///
/// # Errors
/// Where the file fails.
pub fn answers(app: &App, import: i64) -> Result<Vec<Answer>, DeliveryError> {
    Ok(app.storage.read(|connection| {
        let mut answers = Vec::new();
        for row in department::rows_of(connection, import)? {
            let household = records::get(connection, row.household)?;
            let facts = facts(&household.fold, household.scope);
            let id = effects::row_id(&facts, &row);
            let warning = facts.rows("warnings").iter().find(|warning| {
                effects::rests_on(&facts, warning, std::slice::from_ref(&id), import)
            });
            answers.push(Answer {
                row: row.row,
                rule: warning.map_or("", |w| w.text("rule")).to_owned(),
                answer: warning.map_or("", |w| w.text("answer")).to_owned(),
                answered_on: warning.and_then(|w| w.day("answered_on")),
            });
        }
        Ok(answers)
    })?)
}
