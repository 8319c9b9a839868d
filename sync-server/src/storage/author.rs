//! Changes made on the server itself: an office writes in its households as a phone does, under the same rules,
//! and the change goes out to phones like any other. Must not hold a rule of its own.

use std::collections::BTreeMap;

use rusqlite::Transaction;
use wanhu_core::document::DocumentError;
use wanhu_core::document::change::Change;
use wanhu_core::document::draft::{Origin, draft};
use wanhu_core::document::edit::{EditError, RecordEdit};
use wanhu_core::document::judge::{StepDenial, judge_edits};
use wanhu_core::document::raw::RawChange;
use wanhu_core::document::record::Stamp;
use wanhu_core::domain::authority::{self, Denial, Place, RULE_SET};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::{ActorId, HouseholdId};
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::Policy;
use wanhu_core::domain::schema::Schema;
use wanhu_core::store::records::Household;
use wanhu_core::store::{StoreError, records};
use wanhu_core::sync::admission::{Provenance, RecordLog, merges_away, step_denial};

use super::SqliteLog;
use crate::accounts::Account;

/// Whoever writes.
#[derive(Clone, Debug)]
pub struct Author {
    /// The account whose rights count.
    pub account: Account,
    /// The server's clock, milliseconds since 1970 UTC.
    pub now_ms: i64,
    /// Gives people one name.
    pub person_key: PersonKey,
    /// The record that is the account's own, where a household writes.
    pub own: Option<HouseholdId>,
}

impl Author {
    /// An office or a department, which writes in the households of its area.
    pub fn office(account: Account, now_ms: i64, person_key: PersonKey) -> Self {
        Self { account, now_ms, person_key, own: None }
    }

    fn place(&self, household: &Household) -> Place {
        if self.own == Some(household.id) {
            return Place::Own;
        }
        authority::place(self.account.role, &self.account.areas, household.scope)
    }
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteRefused {
    /// The record cannot hold a value.
    #[error("{0}")]
    Edit(#[from] EditError),
    /// This account may not.
    #[error("{} not permitted", .0.field)]
    Denied(Denial),
    /// A step lacks something.
    #[error("step lacks {}", .0.lack.code())]
    Step(StepDenial),
    /// The family would be found in no record any more.
    #[error("merged away")]
    MergedAway,
    /// Nothing would change, or too much.
    #[error("{0}")]
    Change(#[from] DocumentError),
}

/// Saves one change of an office; the household is created where it was not on record.
///
/// # Errors
/// Outer: storage. Inner: why nothing was written.
pub fn write(
    transaction: &Transaction<'_>,
    author: &Author,
    policy: &Policy,
    mut household: Household,
    edit: &RecordEdit,
) -> Result<Result<(), WriteRefused>, StoreError> {
    let actor = actor(transaction)?;
    let mut log = SqliteLog::new(transaction, author.now_ms).under(policy);
    let (raw, change) = match compose(author, actor, &household, edit) {
        Ok(raw) => {
            let change = Change::decode(&raw)?;
            (raw, change)
        }
        Err(refused) => return Ok(Err(refused)),
    };
    if let Some(denial) = step_denial(&mut log, &household, &change, author.now_ms)? {
        return Ok(Err(WriteRefused::Step(denial)));
    }
    if merges_away(&mut log, &household, &change, &BTreeMap::new())? {
        return Ok(Err(WriteRefused::MergedAway));
    }
    if household.n == Household::UNSAVED {
        household = log.create(household.id, household.scope)?;
    }
    let provenance =
        Provenance { device: 0, outbox: 0, received_ms: author.now_ms, rule_set: RULE_SET };
    log.append(&mut household, &raw, &change, &provenance)?;
    records::save(transaction, &household)?;
    Ok(Ok(()))
}

fn compose(
    author: &Author,
    actor: ActorId,
    household: &Household,
    edit: &RecordEdit,
) -> Result<RawChange, WriteRefused> {
    let (fold, key) = (&household.fold, Some(&author.person_key));
    let today = Day::in_china(author.now_ms);
    let edits = edit.operations(Schema::base(), fold, &actor, key, today)?;
    let Account { id, name, role, .. } = &author.account;
    judge_edits(*role, author.place(household), fold, &edits).map_err(WriteRefused::Denied)?;
    let stamp = Stamp {
        account: id.clone(),
        name: name.clone(),
        on_behalf_of: edit.on_behalf_of.clone(),
        form: edit.form.clone(),
    };
    let origin = Origin { actor, time_ms: author.now_ms, message: stamp.encode() };
    Ok(draft(fold, &edits, &origin)?)
}

/// The name under which this server's offices write. It changes with every restore.
fn actor(transaction: &Transaction<'_>) -> Result<ActorId, StoreError> {
    let mut statement =
        transaction.prepare_cached("SELECT value FROM server WHERE name = 'actor'")?;
    Ok(ActorId(statement.query_row([], |row| row.get(0))?))
}
