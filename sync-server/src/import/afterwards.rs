//! What is asked of a delivery later: to take it back, or what became of its rows. Must not know a rule or a
//! column.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::Connection;
use wanhu_core::document::change::Change;
use wanhu_core::document::facts::facts;
use wanhu_core::document::history::{HistoryEntry, history};
use wanhu_core::document::record::Stamp;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::value::Value;
use wanhu_core::store::{StoreError, records};

use super::delivery::DeliveryError;
use super::effects::{self, Reading, Said};
use super::judging::{HOUSEHOLDS_A_TURN, Judged, record};
use crate::accounts::Account;
use crate::app::App;
use crate::storage::department::{self, ImportRow, StagedRow};

/// What came of taking a delivery back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Households whose bills, warnings or clues were marked as withdrawn.
    pub marked: u64,
    /// What stays on record until somebody has looked.
    pub standing: Vec<Standing>,
}

/// A field that a list filled in and nobody has touched since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
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
    /// What it says.
    pub value: Value,
}

/// Takes a delivery back: its file was wrong. What records hold of it is marked as withdrawn, its rows are
/// forgotten; where the rows of other deliveries warn by themselves, the household is warned of anew. Fields that it
/// filled in stay, since nobody knows what is true instead; they are told.
///
/// # Errors
/// `Unknown`, `NotPermitted` for another account than the one that delivered it.
pub fn withdraw(app: &App, account: &Account, import: i64) -> Result<Withdrawn, DeliveryError> {
    let imports = app.storage.read(department::imports)?;
    let known = imports.iter().find(|known| known.n == import && known.withdrawn_ms.is_none());
    if known.ok_or(DeliveryError::Unknown)?.account != account.id {
        return Err(DeliveryError::NotPermitted);
    }
    let withdrawal = Withdrawal { app, account, import, imports: &imports };
    let households = app.storage.read(|connection| department::households(connection, import))?;
    let (mut marked, mut refused, mut standing) = (0, 0, BTreeMap::new());
    let mut waiting: VecDeque<i64> = households.into();
    while !waiting.is_empty() {
        let some: Vec<_> = waiting.drain(..waiting.len().min(HOUSEHOLDS_A_TURN)).collect();
        let mut changes = Vec::new();
        app.storage.read(|connection| {
            for n in some {
                let (change, left) = withdrawal.of_household(connection, n)?;
                changes.extend(change);
                standing.insert(n, left);
            }
            Ok(())
        })?;
        let recorded = record(app, account, changes)?;
        marked += recorded.written;
        refused += recorded.refused.len();
        waiting.extend(recorded.anew);
    }
    if refused > 0 {
        return Err(DeliveryError::NotWhole { marked, refused });
    }
    let (by, now_ms) = (account.id.clone(), app.clock.now_ms());
    app.storage
        .writer()
        .write(move |transaction| department::withdraw(transaction, import, &by, now_ms))?;
    Ok(Withdrawn { marked, standing: standing.into_values().flatten().collect() })
}

struct Withdrawal<'a> {
    app: &'a App,
    account: &'a Account,
    import: i64,
    imports: &'a [ImportRow],
}

impl Withdrawal<'_> {
    /// The change that a household's record needs, and what it holds of the delivery even so.
    fn of_household(
        &self,
        connection: &Connection,
        n: i64,
    ) -> Result<(Option<Judged>, Vec<Standing>), StoreError> {
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        let rows = department::only_of(connection, self.import, n)?;
        let mut others = department::about(connection, n)?;
        others.retain(|row| row.import != self.import);
        let filled_in = self.filled_in(connection, n, &facts, &rows)?;
        let edit = effects::withdrawal(&facts, &rows, self.import);
        let edit = edit.map(|edit| match self.reading(&others) {
            Some(reading) => reading.change_after(edit, &facts, &filled_in, &others),
            None => edit,
        });
        let confirmed = effects::agreed(&self.app.person_key, &facts, &others);
        let left = filled_in.iter().filter(|said| !confirmed.iter().any(|c| c.is_of_field(said)));
        let standing = left.map(|said| Standing {
            household: household.id,
            row: said.row.row,
            container: said.container.to_owned(),
            key: said.key(),
            field: said.field.to_owned(),
            value: said.value.clone(),
        });
        let standing = standing.collect();
        Ok((edit.map(|edit| Judged { household, edit }), standing))
    }

    /// Rows are read as on the day of the latest delivery that has one.
    fn reading(&self, others: &[StagedRow]) -> Option<Reading<'_>> {
        let latest = others.iter().map(|row| row.import).max()?;
        let latest = self.imports.iter().find(|import| import.n == latest)?;
        Some(Reading {
            import: latest.n,
            department: &latest.department,
            key: &self.app.person_key,
            policy: &self.app.policy.policy,
            today: Day::in_china(self.app.clock.now_ms()),
        })
    }

    /// What the rows say and the record shows because they said it: nobody has touched it since.
    fn filled_in<'r>(
        &self,
        connection: &Connection,
        n: i64,
        facts: &'r Facts,
        rows: &'r [StagedRow],
    ) -> Result<Vec<Said<'r>>, StoreError> {
        let mut agreed = effects::agreed(&self.app.person_key, facts, rows);
        if !agreed.is_empty() {
            let stored = records::changes(connection, n)?;
            let changes = stored.iter().map(|c| Change::decode_named(&c.raw, c.hash));
            let history = history(&changes.collect::<Result<Vec<_>, _>>()?);
            let is_ours = |entry: &HistoryEntry| {
                let Stamp { account, form, .. } = &entry.stamp;
                *account == self.account.id && effects::FORMS.contains(&form.as_str())
            };
            agreed.retain(|said| {
                let (container, key) = (said.container, said.key());
                let mut entries = history.iter().rev();
                entries
                    .find(|entry| entry.container.name() == container && entry.key == key)
                    .is_some_and(is_ours)
            });
        }
        Ok(agreed)
    }
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
            let warning = facts
                .rows("warnings")
                .iter()
                .find(|warning| effects::rests_on(warning, std::slice::from_ref(&id), import));
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
