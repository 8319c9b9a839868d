//! What records tell without a new list: incomes, losses and accidents that no department has one of, and bills that lists have
//! brought and that count for more by now. An office has the households of its area judged, and each warning is written down as
//! its own. Must not hold a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::document::record;
use wanhu_core::domain::authority::{self, Action, FieldClass, Place, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::value::Value;
use wanhu_core::domain::warning::{self, Warning};
use wanhu_core::domain::workflow::{Case, clues};
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use super::notice::{Sender, member};
use super::provenance::LastWords;
use super::written::{self, HOUSEHOLDS_A_TURN, Judged};
use crate::accounts::Account;
use crate::app::App;
use crate::import::effects::{self, Reading, Said};
use crate::storage::department::{self, StagedRow};
use crate::storage::judged;
use crate::watch::{Phase, Watch, unwatched};

/// The form that these changes name.
const FORM: &str = "warning/1";

/// What came of judging records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Households judged.
    pub households: u64,
    /// Households not judged, since somebody ended it.
    pub left: u64,
    /// Households warned of, or to be.
    pub warned: u64,
    /// Of these, by rule.
    pub rules: BTreeMap<String, Fired>,
    /// Households whose record did not take its warning.
    pub refused: Vec<HouseholdId>,
    /// Some of those warned of, or to be, by village and household: no more than were asked for.
    pub which: Vec<Warned>,
}

/// How often a rule fired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// For so many households.
    pub households: u64,
    /// Where its lines are written.
    pub sources: BTreeSet<String>,
}

/// A household that is warned of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// The household.
    pub household: HouseholdId,
    /// Its village.
    pub village: u64,
    /// Name of its head.
    pub head_name: String,
    /// What fired.
    pub fired: Vec<Warning>,
}

impl Warned {
    fn of(household: &Household, fired: Vec<Warning>) -> Self {
        let head = record::value(&household.fold, "basic", "head_name").and_then(Value::as_text);
        let head_name = head.unwrap_or_default().to_owned();
        Self { household: household.id, village: household.scope, head_name, fired }
    }
}

impl Found {
    /// Counts those of a turn. A city's are not kept: they are many.
    fn count(&mut self, turn: impl Iterator<Item = Warned>, named_max: usize) {
        for warned in turn {
            self.warned += 1;
            for warning in &warned.fired {
                let fired = self.rules.entry(warning.rule.clone()).or_default();
                fired.households += 1;
                fired.sources.insert(warning.source.clone());
            }
            self.which.push(warned);
        }
        self.which.sort_by_key(|warned| (warned.village, warned.household));
        self.which.truncate(named_max);
    }
}

/// Whether an account warns of what records tell: those who look after whole townships and counties.
pub fn may_warn(account: &Account) -> bool {
    !account.disabled && matches!(account.role, Role::TownshipOffice | Role::CountyOffice)
}

/// The account of this id, where it warns.
pub fn office(app: &App, id: &str) -> Option<Account> {
    app.accounts.account(id).ok().flatten().filter(may_warn)
}

/// How records are judged.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Whether nothing is written.
    pub is_preview: bool,
    /// How many of the households warned of are named.
    pub named_max: usize,
    /// Who waits for it.
    pub watch: Watch<'a>,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { is_preview, named_max, .. } = self;
        write!(f, "Asked {{ is_preview: {is_preview}, named_max: {named_max} }}")
    }
}

/// Judges every household of these areas, as an office.
///
/// # Errors
/// Where the file fails.
pub fn judge(
    app: &App,
    account: &Account,
    areas: &[u64],
    asked: Asked<'_>,
) -> Result<Found, StoreError> {
    let households = app.storage.read(|connection| judged::of_areas(connection, areas))?;
    Pass { asked, ..Pass::of(app, account) }.run(households)
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
    let found = pass.run(waiting.households)?;
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
    asked: Asked<'a>,
}

impl<'a> Pass<'a> {
    fn of(app: &'a App, account: &'a Account) -> Self {
        let today = Day::in_china(app.clock.now_ms());
        let asked = Asked { is_preview: false, named_max: 0, watch: &unwatched };
        Self { app, account, today, asked }
    }

    fn run(&self, mut waiting: Vec<i64>) -> Result<Found, StoreError> {
        let (total, mut found) = (waiting.len(), Found::default());
        while !waiting.is_empty() {
            let done = total.saturating_sub(waiting.len());
            if !(self.asked.watch)(Phase::Judging, done, total) {
                break;
            }
            let turn = waiting.split_off(waiting.len().saturating_sub(HOUSEHOLDS_A_TURN));
            let parts =
                self.app.storage.read_in_parts(&turn, |c, some| self.of_households(c, some))?;
            let (mut changes, mut warned) = (Vec::new(), Vec::new());
            for (judged, fired) in parts.into_iter().flatten() {
                warned.push((judged.household.n, Warned::of(&judged.household, fired)));
                changes.push(judged);
            }
            if !self.asked.is_preview {
                let recorded = written::record(self.app, self.account, changes)?;
                warned.retain(|(n, warned)| {
                    !recorded.anew.contains(n) && !recorded.refused.contains(&warned.household)
                });
                waiting.extend(recorded.anew);
                found.refused.extend(recorded.refused);
            }
            found.count(warned.into_iter().map(|(_, warned)| warned), self.asked.named_max);
        }
        found.left = waiting.len() as u64;
        found.households = total.saturating_sub(waiting.len()) as u64;
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
        // Whoever is monitored is visited anyway.
        if Case::of(&facts).is_open() {
            return Ok(None);
        }
        let rows = department::about(connection, n)?;
        let reading = self.reading();
        // Most households have nothing to be warned of: their history need not be read.
        if self.unheard(&facts, &reading.seen(&facts, &rows)).is_empty() {
            return Ok(None);
        }
        let backed = effects::agreed(reading.key, &facts, &rows);
        let base = without_unbacked(&facts, &LastWords::of(connection, &household)?, &backed);
        let seen = reading.seen(&base, &rows);
        let fired = self.unheard(&facts, &seen);
        if fired.is_empty() {
            return Ok(None);
        }
        let mut edit = RecordEdit { form: FORM.into(), ..RecordEdit::default() };
        if authority::may(self.account.role, Place::Inside, FieldClass::Facts, Action::Add) {
            edit = reading.record_bills(edit, &facts, &rows, &fired);
        }
        let fired = self.with_deliveries(fired, &base, &rows);
        let edit = reading.sender.warn(edit, &facts, &seen, &fired);
        let fired = fired.into_iter().map(|(warning, _)| warning).collect();
        Ok(Some((Judged { household, edit }, fired)))
    }

    /// Each with the last delivery whose rows it rests on: what the record says without rows is nobody's to take back with them.
    fn with_deliveries(
        &self,
        fired: Vec<Warning>,
        base: &Facts,
        rows: &[StagedRow],
    ) -> Vec<(Warning, Option<i64>)> {
        let own = warning::evaluate(base, &self.app.policy.policy, self.today);
        let says =
            |own: &Warning, fired: &Warning| (&own.rule, own.input) == (&fired.rule, fired.input);
        let last = rows.iter().map(|row| row.import).max();
        let with_delivery = |warning: Warning| {
            let is_own = own.iter().any(|own| says(own, &warning));
            (warning, last.filter(|_| !is_own))
        };
        fired.into_iter().map(with_delivery).collect()
    }

    fn reading(&self) -> Reading<'_> {
        let sender = Sender { role: self.account.role, list: None, today: self.today };
        let (key, policy) = (&self.app.person_key, &self.app.policy.policy);
        Reading { sender, fills_in: false, key, policy }
    }

    /// What fires and nobody sees to: where somebody looks into a clue of this risk they need no other.
    fn unheard(&self, facts: &Facts, seen: &Facts) -> Vec<Warning> {
        let case = Case::of(facts);
        let policy = &self.app.policy.policy;
        let fired = warning::evaluate(seen, policy, self.today);
        let mut fired = warning::unheard(seen, policy, fired);
        fired.retain(|warning| {
            let member = member(seen, warning);
            clues::looked_into(facts, &case, &warning.risk, member).next().is_none()
        });
        fired
    }
}

/// The record without what lists had filled in and no row says any more: they were taken back.
fn without_unbacked(facts: &Facts, words: &LastWords, backed: &[Said<'_>]) -> Facts {
    let mut own = facts.clone();
    let is_backed = |container: &str, key: &str| {
        backed.iter().any(|said| said.container == container && said.key() == key)
    };
    // A bill is marked where it is taken back.
    let listed = words.departments().filter(|(container, _)| *container != "spending");
    for (container, key) in listed.filter(|(container, key)| !is_backed(container, key)) {
        let (row, field) = key.rsplit_once('.').unwrap_or(("", key));
        own.set(container, row, field, Value::Null);
    }
    own
}
