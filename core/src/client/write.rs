//! What a person writes: every save is one change in one transaction, judged before by the rules the server will
//! apply; when it returns, it is safe on disk. Must not send anything.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction};

use super::enrolment::Enrolment;
use super::ledger::{Inner, Ledger, not_found};
use super::view::Conflict;
use crate::document::DocumentError;
use crate::document::change::Change;
use crate::document::draft::{FieldEdit, Origin, draft};
use crate::document::duplicate::{self, End, Leads, merged_into};
use crate::document::edit::{FieldValue, RecordEdit};
use crate::document::genesis::ContainerIndex;
use crate::document::judge::{judge_edits, judge_steps};
use crate::document::raw::RawChange;
use crate::document::record::Stamp;
use crate::domain::authority::{self, Role};
use crate::domain::environment::random;
use crate::domain::ids::HouseholdId;
use crate::domain::person::PersonKey;
use crate::domain::region;
use crate::domain::schema::Schema;
use crate::error::LedgerError;
use crate::store::StoreError;
use crate::store::open;
use crate::store::records::{self, Arrival, Household};
use crate::store::replica::{self, Setting};
use crate::store::residents;

/// Whose saves these are; nobody's before enrolment, when the server will judge.
#[derive(Clone, Default)]
pub(super) struct Writer {
    pub(super) stamp: Stamp,
    pub(super) role: Option<Role>,
    pub(super) areas: Vec<u64>,
    person_key: Option<PersonKey>,
}

impl Writer {
    pub(super) fn new(enrolment: &Enrolment) -> Self {
        let (account, name) = (enrolment.account.clone(), enrolment.name.clone());
        let stamp = Stamp { account, name, ..Stamp::default() };
        let (role, areas) = (enrolment.role(), enrolment.areas.clone());
        Self { stamp, role, areas, person_key: enrolment.person_key() }
    }

    /// The rule the server will apply, so that nobody finds out days later.
    pub(super) fn check(
        &self,
        household: &Household,
        edits: &[FieldEdit],
    ) -> Result<(), LedgerError> {
        let Some(role) = self.role else { return Ok(()) };
        let place = authority::place(role, &self.areas, household.scope);
        judge_edits(role, place, &household.fold, edits).map_err(|denial| {
            let action = format!("{} {}", denial.action.code(), denial.field);
            let level_needed = denial.needed.map(Role::code).unwrap_or_default().to_owned();
            LedgerError::NotPermitted { action, level_needed }
        })
    }
}

impl Ledger {
    /// Opens a record for a new household in a village. Where the head's identity number is given, every
    /// phone of the county gives the household the same id.
    ///
    /// # Errors
    /// `InvalidInput` for a code that is not a village, or none of this phone's (`outside_area`), or a value the schema refuses;
    /// `AlreadyOnRecord` where this head's household is on this phone.
    pub fn create_household(
        &self,
        village: u64,
        edit: RecordEdit,
    ) -> Result<HouseholdId, LedgerError> {
        if !region::is_village(village) {
            return Err(LedgerError::invalid("village", "not_a_village"));
        }
        let edit = edit.set("basic", "area_code", village.to_string());
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        if inner.writer.role.is_some() && !authority::covers(&inner.writer.areas, village) {
            return Err(LedgerError::invalid("village", "outside_area"));
        }
        let id = match (inner.writer.person_key, edit.head_number()) {
            (Some(key), Some(head)) => key.household(&head),
            _ => HouseholdId::from_random(random(inner.entropy.as_mut())),
        };
        if let Some(known) = records::find(&inner.connection, id)? {
            let household = merged_into(&known.fold).unwrap_or(id).to_string();
            return Err(LedgerError::AlreadyOnRecord { household });
        }
        inner.save(Household::unsaved(id, village), &edit, now_ms)?;
        Ok(id)
    }

    /// Saves a form: one change, safe on disk when this returns.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` where the schema refuses a value or nothing would change.
    pub fn edit(&self, id: HouseholdId, edit: &RecordEdit) -> Result<(), LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        inner.save(household, edit, now_ms)
    }

    /// Records a visit: a row of `visits`, stamped with the person who is enrolled; of today where it says no `date`.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub fn record_visit(
        &self,
        id: HouseholdId,
        fields: Vec<impl Into<FieldValue>>,
    ) -> Result<(), LedgerError> {
        let edit = RecordEdit { form: "visit/1".into(), ..RecordEdit::default() };
        self.edit(id, &edit.row("visits", fields))
    }

    /// Settles a conflict as a person has seen it, by choosing one of its values (its place in `seen.values`). The
    /// others stay in the history.
    ///
    /// # Errors
    /// `NotFound` where there is no such value, or the field does not hold exactly these values any more: then look again.
    pub fn settle(&self, seen: &Conflict, choice: usize) -> Result<(), LedgerError> {
        let Conflict { household: id, container, key, values } = seen;
        let id = *id;
        let missing = |kind: &str, id: String| LedgerError::NotFound { kind: kind.into(), id };
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let index =
            ContainerIndex::of(container).ok_or_else(|| missing("container", container.clone()))?;
        let entries: Vec<_> = household.fold.entries(index, key).collect();
        let are_those_seen =
            entries.iter().map(|entry| &entry.value).eq(values.iter().map(|v| &v.value));
        if entries.len() < 2 || !are_those_seen {
            return Err(missing("conflict", format!("{container}.{key}")));
        }
        let chosen = entries.get(choice).ok_or_else(|| missing("value", choice.to_string()))?;
        let edit =
            FieldEdit { container: index, key: key.clone(), value: Some(chosen.value.clone()) };
        let stamp = Stamp { form: "settle/1".into(), ..inner.writer.stamp.clone() };
        inner.save_operations(household, vec![edit], &stamp, now_ms)
    }

    /// Makes a refused change anew on what is on record now, after the cadre has read why. What the
    /// record shows already is left out.
    ///
    /// # Errors
    /// `NotFound` where no such change was refused or its household is not on this phone any more;
    /// `NotPermitted` where it would be refused again.
    pub fn reauthor(&self, n: i64) -> Result<(), LedgerError> {
        let missing = || LedgerError::NotFound { kind: "refused".into(), id: n.to_string() };
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let refused = replica::one_refused(&inner.connection, n)?.ok_or_else(missing)?;
        let change = Change::decode(&refused.raw)?;
        let household = match records::find(&inner.connection, refused.household)? {
            Some(household) => household,
            None => return Err(not_found(refused.household)),
        };
        let edits = change.ops.into_iter().map(|op| {
            let (container, key, value) = (op.container, op.key, op.value);
            FieldEdit { container, key, value }
        });
        let stamp =
            Stamp { form: Stamp::parse(&change.message).form, ..inner.writer.stamp.clone() };
        let saved = inner.save_operations(household, edits.collect(), &stamp, now_ms);
        if saved != Err(LedgerError::from(DocumentError::Empty)) {
            saved?;
        }
        Ok(replica::forget_refused(&inner.connection, n)?)
    }
}

impl Inner {
    pub(super) fn save(
        &mut self,
        household: Household,
        edit: &RecordEdit,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let operations = edit.operations(
            Schema::base(),
            &household.fold,
            &self.actor,
            self.writer.person_key.as_ref(),
            self.today(now_ms),
        )?;
        let stamp = Stamp {
            form: edit.form.clone(),
            on_behalf_of: edit.on_behalf_of.clone(),
            ..self.writer.stamp.clone()
        };
        self.save_operations(household, operations, &stamp, now_ms)
    }

    fn save_operations(
        &mut self,
        household: Household,
        operations: Vec<FieldEdit>,
        stamp: &Stamp,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.save_together(vec![(household, operations)], stamp, now_ms)
    }

    /// Saves one change a household, all of them or none.
    pub(super) fn save_together(
        &mut self,
        saves: Vec<(Household, Vec<FieldEdit>)>,
        stamp: &Stamp,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let origin = Origin { actor: self.actor, time_ms: now_ms, message: stamp.encode() };
        let today = self.today(now_ms);
        let mut drafted = Vec::with_capacity(saves.len());
        for (household, operations) in saves {
            self.writer.check(&household, &operations)?;
            let raw = draft(&household.fold, &operations, &origin)?;
            let change = Change::decode(&raw)?;
            // The rule that the server will apply; of times it knows better than this phone.
            let (fold, village) = (&household.fold, household.scope);
            judge_steps(fold, village, &change, &self.policy, today, &BTreeMap::new())?;
            let first = duplicate::leads_after(fold, &change);
            if follow(&self.connection, household.id, first)? != End::Standing {
                return Err(LedgerError::invalid("merged_into", "leads_nowhere"));
            }
            drafted.push((household, raw, change));
        }
        let transaction = open::begin(&mut self.connection)?;
        for (household, raw, change) in drafted {
            save_change(&transaction, household, &raw, &change)?;
        }
        Ok(open::commit(transaction)?)
    }
}

/// Where a record leads, as far as this phone knows: what it does not hold may stand elsewhere.
pub(super) fn follow(
    connection: &Connection,
    id: HouseholdId,
    first: Leads,
) -> Result<End, StoreError> {
    duplicate::end(id, first, |id| {
        let known = records::find(connection, id)?;
        Ok(known.map_or(Leads::Here, |known| duplicate::leads(&known.fold)))
    })
}

/// Appends a change of this phone to its household and to the outbox.
pub(super) fn save_change(
    transaction: &Transaction<'_>,
    household: Household,
    raw: &RawChange,
    change: &Change,
) -> Result<(), StoreError> {
    let mut household = if household.n == Household::UNSAVED {
        records::create(transaction, household.id, household.scope)?
    } else {
        household
    };
    let outbox = replica::next_number(transaction, Setting::Outbox)?;
    records::append(transaction, &mut household, raw, change, Arrival::Pending(outbox))?;
    records::save(transaction, &household)?;
    residents::index(transaction, &household)
}
