//! What records tell by themselves: incomes, losses and accidents that no department has a list of. An office has the
//! households of its area judged, and each warning is written down as its own. Must not hold a rule.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::{self, Warning};
use wanhu_core::domain::workflow::{Case, clues};
use wanhu_core::store::{StoreError, records};

use super::notice::{Sender, member};
use super::provenance::LastWords;
use super::written::{HOUSEHOLDS_A_TURN, Judged, record};
use crate::accounts::Account;
use crate::app::App;
use crate::storage::judged;

/// The form that these changes name.
const FORM: &str = "warning/1";

/// What came of judging records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Households judged.
    pub households: u64,
    /// Households warned of, or to be.
    pub warned: u64,
    /// Of these, by rule.
    pub rules: BTreeMap<String, u64>,
    /// Households whose record did not take its warning.
    pub refused: Vec<HouseholdId>,
}

/// Whether an account warns of what records tell: those who look after whole townships and counties.
pub fn may_warn(account: &Account) -> bool {
    !account.disabled && matches!(account.role, Role::TownshipOffice | Role::CountyOffice)
}

/// Judges every household of these areas, as an office. With `is_preview` nothing is written.
///
/// # Errors
/// Where the file fails.
pub fn judge(
    app: &App,
    account: &Account,
    areas: &[u64],
    is_preview: bool,
) -> Result<Found, StoreError> {
    let households = app.storage.read(|connection| judged::of_areas(connection, areas))?;
    Pass::of(app, account).run(households, is_preview)
}

/// Judges what changed in an office's area since the last time; on a new day, and under another policy, all of it, because
/// what a rule looks back on has moved.
///
/// # Errors
/// Where the file fails.
pub fn keep_up(app: &App, account: &Account) -> Result<Found, StoreError> {
    let pass = Pass::of(app, account);
    let hash = Sha256::new().chain_update(&app.policy.text).chain_update(pass.today.to_string());
    let (id, made_from) = (account.id.clone(), hash.finalize().to_vec());
    let waiting = app.storage.read(|c| judged::waiting(c, &id, &account.areas, &made_from))?;
    let (through, is_behind) = (waiting.through, waiting.is_behind);
    let found = pass.run(waiting.households, false)?;
    if is_behind {
        let writer = app.storage.writer();
        writer.write(move |transaction| judged::through(transaction, &id, through, &made_from))?;
    }
    Ok(found)
}

struct Pass<'a> {
    app: &'a App,
    account: &'a Account,
    today: Day,
}

impl<'a> Pass<'a> {
    fn of(app: &'a App, account: &'a Account) -> Self {
        Self { app, account, today: Day::in_china(app.clock.now_ms()) }
    }

    fn policy(&self) -> &Policy {
        &self.app.policy.policy
    }

    fn run(&self, mut waiting: Vec<i64>, is_preview: bool) -> Result<Found, StoreError> {
        let mut found = Found { households: waiting.len() as u64, ..Found::default() };
        let mut fired_by = BTreeMap::new();
        while !waiting.is_empty() {
            let turn = waiting.split_off(waiting.len().saturating_sub(HOUSEHOLDS_A_TURN));
            let parts =
                self.app.storage.read_in_parts(&turn, |c, some| self.of_households(c, some))?;
            let mut changes = Vec::new();
            for (judged, fired) in parts.into_iter().flatten() {
                fired_by.insert(judged.household.n, (judged.household.id, fired));
                changes.push(judged);
            }
            if !is_preview {
                let recorded = record(self.app, self.account, changes)?;
                fired_by.retain(|n, (id, _)| {
                    !recorded.anew.contains(n) && !recorded.refused.contains(id)
                });
                waiting.extend(recorded.anew);
                found.refused.extend(recorded.refused);
            }
        }
        found.warned = fired_by.len() as u64;
        for warning in fired_by.into_values().flat_map(|(_, fired)| fired) {
            *found.rules.entry(warning.rule).or_default() += 1;
        }
        Ok(found)
    }

    fn of_households(
        &self,
        connection: &Connection,
        some: &[i64],
    ) -> Result<Vec<(Judged, Vec<Warning>)>, StoreError> {
        let judged = some.iter().map(|n| self.of_household(connection, *n));
        judged.filter_map(Result::transpose).collect()
    }

    fn of_household(
        &self,
        connection: &Connection,
        n: i64,
    ) -> Result<Option<(Judged, Vec<Warning>)>, StoreError> {
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        let mut fired = self.unheard(&facts);
        if !fired.is_empty() {
            let own = without_departments(&facts, &LastWords::of(connection, n)?);
            let own = warning::evaluate(&own, self.policy(), self.today);
            let is_own = |known: &Warning, fired: &Warning| {
                (&known.rule, known.input, &known.rows) == (&fired.rule, fired.input, &fired.rows)
            };
            fired.retain(|fired| own.iter().any(|known| is_own(known, fired)));
        }
        if fired.is_empty() {
            return Ok(None);
        }
        let sender = Sender { role: self.account.role, list: None, today: self.today };
        let edit = RecordEdit { form: FORM.into(), ..RecordEdit::default() };
        let edit = sender.warn(edit, &facts, &facts, &fired);
        Ok(Some((Judged { household, edit }, fired)))
    }

    /// What fires and nobody sees to: whoever is monitored is visited anyway, and where somebody looks into a clue of this
    /// risk they need no other.
    fn unheard(&self, facts: &Facts) -> Vec<Warning> {
        let case = Case::of(facts);
        if case.is_open() {
            return Vec::new();
        }
        let fired = warning::evaluate(facts, self.policy(), self.today);
        let mut fired = warning::unheard(facts, self.policy(), fired);
        fired.retain(|warning| {
            let member = member(facts, warning);
            clues::looked_into(facts, &case, &warning.risk, member).next().is_none()
        });
        fired
    }
}

/// The record without what lists have filled in: of that the departments warn. Bills are bills, whoever wrote them down.
fn without_departments(facts: &Facts, words: &LastWords) -> Facts {
    let mut own = facts.clone();
    for (container, key) in words.departments().filter(|(container, _)| *container != "spending") {
        let (row, field) = key.rsplit_once('.').unwrap_or(("", key));
        own.set(container, row, field, Value::Null);
    }
    own
}
