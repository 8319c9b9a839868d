//! What is asked of a delivery later: to take it back, or what became of its rows. Must not know a rule or a
//! column.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Place, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Row;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::{FieldKind, Schema};
use wanhu_core::domain::value::Value;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use super::delivery::DeliveryError;
use super::effects::{self, Reading, Said};
use super::{bills, provenance, report, taken_back};
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
    /// Households whose records still hold something of it, because this account may not write in them: they have left
    /// its area. Asked again, it is tried again.
    pub in_the_way: Vec<HouseholdId>,
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

/// Whether a delivery is an account's to follow and to take back: its own, or that of a department's account with the same
/// areas which is closed.
pub fn is_in_charge(app: &App, account: &Account, import: &ImportRow) -> bool {
    if import.account == account.id {
        return true;
    }
    let areas = |account: &Account| account.areas.iter().copied().collect::<BTreeSet<_>>();
    let is_left_behind = |by: Account| by.disabled && areas(&by) == areas(account);
    let by = app.accounts.account(&import.account).ok().flatten();
    matches!(account.role, Role::Department) && by.is_some_and(is_left_behind)
}

fn reaches(account: &Account, household: &Household) -> bool {
    authority::place(account.role, &account.areas, household.scope) == Place::Inside
}

/// Takes a delivery back: its file was wrong. From then on its rows count nowhere. What records hold of it is marked as
/// withdrawn and its rows are forgotten, but for those of households in the way; where the rows of other deliveries warn by
/// themselves, the household is warned of anew. Fields that it filled in stay, since nobody knows what is true instead; they
/// are told, and written to `report_to` before anything is forgotten.
///
/// # Errors
/// `Unknown`, `NotPermitted` for an account that is not in charge of it, `Report`.
pub fn withdraw(
    app: &App,
    account: &Account,
    import: i64,
    report_to: Option<&Path>,
) -> Result<Withdrawn, DeliveryError> {
    let imports = app.storage.read(department::imports)?;
    let known = imports.iter().find(|known| known.n == import && known.withdrawn_ms.is_none());
    if !is_in_charge(app, account, known.ok_or(DeliveryError::Unknown)?) {
        return Err(DeliveryError::NotPermitted);
    }
    let (by, writer) = (account.id.clone(), app.storage.writer());
    writer.write(move |transaction| department::begin_withdrawal(transaction, import, &by))?;
    let withdrawal = Withdrawal { app, account, import, imports: &imports };
    let Marked { marked, standing, in_the_way } = withdrawal.mark()?;
    let standing: Vec<_> = standing.into_values().flatten().collect();
    if let Some(path) = report_to {
        report::to_file(path, |out| report::write_standing(out, &standing))?;
    }
    let (but_of, in_the_way): (Vec<i64>, Vec<_>) = in_the_way.into_iter().unzip();
    let now_ms = app.clock.now_ms();
    writer.write(move |transaction| department::forget(transaction, import, &but_of, now_ms))?;
    Ok(Withdrawn { marked, standing, in_the_way })
}

struct Withdrawal<'a> {
    app: &'a App,
    account: &'a Account,
    import: i64,
    imports: &'a [ImportRow],
}

/// What was done in all households: by their local numbers, what stands and which are in the way.
#[derive(Default)]
struct Marked {
    marked: u64,
    standing: BTreeMap<i64, Vec<Listed>>,
    in_the_way: BTreeMap<i64, HouseholdId>,
}

/// What a withdrawal comes to in one household.
struct Left {
    n: i64,
    id: HouseholdId,
    /// Whether its record holds something of the delivery and is not the account's to write in.
    is_in_the_way: bool,
    /// The change that its record needs.
    change: Option<Judged>,
    /// The same without what others' rows call for, where they call for something.
    bare: Option<Judged>,
    /// What it holds of the delivery even so.
    fields: Vec<Listed>,
}

impl Withdrawal<'_> {
    fn mark(&self) -> Result<Marked, DeliveryError> {
        let storage = &self.app.storage;
        let mut done = Marked::default();
        let mut waiting: VecDeque<i64> =
            storage.read(|connection| department::households(connection, self.import))?.into();
        while !waiting.is_empty() {
            let some: Vec<_> = waiting.drain(..waiting.len().min(HOUSEHOLDS_A_TURN)).collect();
            let parts = storage.read_in_parts(&some, |c, some| self.of_households(c, some))?;
            let (mut changes, mut alone, mut numbers) = (Vec::new(), Vec::new(), BTreeMap::new());
            for Left { n, id, is_in_the_way, change, bare, fields } in parts.into_iter().flatten() {
                numbers.insert(id, n);
                changes.extend(change);
                alone.extend(bare);
                // A household that has changed meanwhile is looked at again.
                done.standing.remove(&n);
                if is_in_the_way {
                    done.in_the_way.insert(n, id);
                } else if !fields.is_empty() {
                    done.standing.insert(n, fields);
                }
            }
            let mut recorded = record(self.app, self.account, changes)?;
            // What cannot be warned of anew is at least taken back.
            alone.retain(|judged| recorded.refused.contains(&judged.household.id));
            recorded.refused.retain(|id| !alone.iter().any(|judged| judged.household.id == *id));
            let second = record(self.app, self.account, alone)?;
            done.marked += recorded.written + second.written;
            for id in recorded.refused.into_iter().chain(second.refused) {
                if let Some(n) = numbers.get(&id) {
                    done.standing.remove(n);
                    done.in_the_way.insert(*n, id);
                }
            }
            waiting.extend(recorded.anew.into_iter().chain(second.anew));
        }
        Ok(done)
    }

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
        let bare = taken_back::withdrawal(&facts, &rows, self.import);
        let id = household.id;
        let nothing =
            Left { n, id, is_in_the_way: false, change: None, bare: None, fields: Vec::new() };
        if bare.is_none() && effects::agreed(key, &facts, &rows).is_empty() {
            return Ok(nothing);
        }
        let others = department::of_others(connection, self.import, n)?;
        let rows = [rows, others].concat();
        let filled_in = provenance::filled_in(connection, key, &household, &facts, &rows)?;
        let others = &rows[own..];
        let confirmed = effects::agreed(key, &facts, others);
        let stands = |said: &&Said<'_>| {
            said.row.import == self.import && !confirmed.iter().any(|other| other.is_of_field(said))
        };
        let fields = filled_in.iter().filter(stands).map(|said| Listed::of(id, said));
        let fields: Vec<_> = fields.collect();
        if !reaches(self.account, &household) {
            let is_in_the_way = bare.is_some() || !fields.is_empty();
            return Ok(Left { is_in_the_way, ..nothing });
        }
        let change = bare.clone().map(|edit| match self.reading(others) {
            Some(reading) => {
                let edit = taken_back::bring_back(edit, key, &facts, &rows, self.import);
                reading.change_after(edit, &facts, &filled_in, others)
            }
            None => edit,
        });
        let bare = bare.filter(|bare| change.as_ref() != Some(bare));
        let judged = |edit| Judged { household: household.clone(), edit };
        Ok(Left { change: change.map(judged), bare: bare.map(judged), fields, ..nothing })
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

/// What a department is told of its delivery: nothing of households that have left its area since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// What is told, in the order of the file.
    pub rows: Vec<T>,
    /// How many households have left.
    pub left: usize,
}

/// What a delivery's rows say and records have otherwise: where somebody should look. What the records have instead is not
/// told: a department may not read all of it.
///
/// # Errors
/// Where the file fails.
pub fn differences(
    app: &App,
    account: &Account,
    import: i64,
) -> Result<Told<Listed>, DeliveryError> {
    let mut by_household: BTreeMap<i64, Vec<StagedRow>> = BTreeMap::new();
    for row in app.storage.read(|connection| department::rows_of(connection, import))? {
        by_household.entry(row.household).or_default().push(row);
    }
    let households: Vec<_> = by_household.into_iter().collect();
    let of = |connection: &Connection, some: &[(i64, Vec<StagedRow>)]| {
        let (mut listed, mut left) = (Vec::new(), 0);
        for (n, rows) in some {
            let household = records::get(connection, *n)?;
            if !reaches(account, &household) {
                left += 1;
                continue;
            }
            let facts = facts(&household.fold, household.scope);
            let contradicted = effects::contradicted(&app.person_key, &facts, rows);
            listed.extend(contradicted.iter().map(|said| Listed::of(household.id, said)));
        }
        Ok((listed, left))
    };
    let (rows, left): (Vec<_>, Vec<usize>) =
        app.storage.read_in_parts(&households, of)?.into_iter().unzip();
    let mut rows = rows.concat();
    rows.sort_by_key(|field| field.row);
    Ok(Told { rows, left: left.into_iter().sum() })
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

/// What became of each row of a delivery, whichever delivery first had it.
///
/// # Errors
/// Where the file fails.
pub fn answers(app: &App, account: &Account, import: i64) -> Result<Told<Answer>, DeliveryError> {
    Ok(app.storage.read(|connection| {
        let (mut answers, mut left) = (BTreeMap::<u32, Answer>::new(), BTreeSet::new());
        let rows = department::rows_of(connection, import)?;
        // Where somebody has moved on, the warning may stand where they lived.
        for row in rows.into_iter().chain(department::moved_rows_of(connection, import)?) {
            if answers.get(&row.row).is_some_and(|known| !known.rule.is_empty()) {
                continue;
            }
            let household = records::get(connection, row.household)?;
            if reaches(account, &household) {
                answers.insert(row.row, answer(connection, &household, &row)?);
            } else {
                left.insert(row.household);
            }
        }
        Ok(Told { rows: answers.into_values().collect(), left: left.len() })
    })?)
}

fn answer(
    connection: &Connection,
    household: &Household,
    row: &StagedRow,
) -> Result<Answer, StoreError> {
    let facts = facts(&household.fold, household.scope);
    let id = [bills::bill_name(row)];
    let with_it = department::imports_with(connection, row)?;
    let rests_on_it = |warning: &&Row| {
        with_it.iter().any(|import| taken_back::rests_on(&facts, warning, &id, *import))
    };
    let mut standing = facts.rows("warnings").iter().filter(|warning| !warning.tick("withdrawn"));
    let warning = standing.find(rests_on_it);
    Ok(Answer {
        row: row.row,
        rule: warning.map_or("", |w| w.text("rule")).to_owned(),
        answer: warning.map_or("", |w| w.text("answer")).to_owned(),
        answered_on: warning.and_then(|w| w.day("answered_on")),
    })
}
