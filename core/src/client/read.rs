//! What the ledger shows: lists, one household, conflicts, history, refused changes, names of places. One call per screen;
//! nothing here writes.

use std::borrow::Cow;

use super::ledger::{self, Inner, Ledger, not_found};
use super::view::{
    Conflict, ConflictValue, FieldView, HistoryLine, RecordView, RefusedView, UnsentView,
};
use crate::document::change::{Change, FieldOp};
use crate::document::edit::FieldChange;
use crate::document::fold::differ;
use crate::document::history::history;
use crate::document::record::Stamp;
use crate::domain::authority;
use crate::domain::grid;
use crate::domain::ids::HouseholdId;
use crate::domain::region::{self, RegionList};
use crate::domain::schema::{FaultReason, Schema};
use crate::domain::value::Value;
use crate::error::LedgerError;
use crate::store::listing::{self, ListFilter, ListRow, PageStart, TAGS};
use crate::store::replica::Pending;
use crate::store::{StoreError, records, replica};
use crate::sync::wire::RefusalCode;

impl Ledger {
    /// One page of the list, ordered by village and head's name.
    ///
    /// # Errors
    /// `InvalidInput` about a field of the filter whose code this release does not know; else as the store reports.
    pub fn list(
        &self,
        filter: &ListFilter,
        after: Option<&PageStart>,
        rows_max: u32,
    ) -> Result<Vec<ListRow>, LedgerError> {
        known(filter)?;
        self.read(|connection| Ok(listing::page(connection, filter, after, rows_max)?))
    }

    /// One household whole.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn show(&self, id: HouseholdId) -> Result<RecordView, LedgerError> {
        self.read(|connection| {
            let household = records::find(connection, id)?.ok_or_else(|| not_found(id))?;
            let row = listing::one(connection, id)?.ok_or_else(|| not_found(id))?;
            let fields = household.fold.fields().filter_map(|(container, key, entries)| {
                Some(FieldView {
                    container: container.name().to_owned(),
                    key: key.to_owned(),
                    value: entries.last()?.value.clone(),
                    in_conflict: differ(entries),
                })
            });
            Ok(RecordView { row, fields: fields.collect() })
        })
    }

    /// The fields of a household that hold several values, with who set each and when.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn conflicts(&self, id: HouseholdId) -> Result<Vec<Conflict>, LedgerError> {
        self.read(|connection| {
            let household = records::find(connection, id)?.ok_or_else(|| not_found(id))?;
            let mut conflicts = Vec::new();
            for (container, key, entries) in household.fold.conflicts() {
                let mut values = Vec::new();
                for entry in entries {
                    let stored = records::by_operation(connection, household.n, &entry.id)?
                        .ok_or(StoreError::Damaged)?;
                    let change = Change::decode_named(&stored.raw, stored.hash)?;
                    values.push(ConflictValue {
                        value: entry.value.clone(),
                        stamp: Stamp::parse(&change.message),
                        time_ms: change.time_ms,
                    });
                }
                let (container, key) = (container.name().to_owned(), key.to_owned());
                conflicts.push(Conflict { household: id, container, key, values });
            }
            Ok(conflicts)
        })
    }

    /// Every field every change set, oldest first.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn history(&self, id: HouseholdId) -> Result<Vec<HistoryLine>, LedgerError> {
        self.read(|connection| {
            let household = records::find(connection, id)?.ok_or_else(|| not_found(id))?;
            let stored = records::changes(connection, household.n)?;
            let waiting: Vec<_> =
                stored.iter().filter(|change| !change.acknowledged).map(|c| c.hash).collect();
            let changes = stored
                .iter()
                .map(|change| Change::decode_named(&change.raw, change.hash))
                .collect::<Result<Vec<_>, _>>()?;
            let lines = history(&changes).into_iter().map(|entry| HistoryLine {
                acknowledged: !waiting.contains(&entry.hash),
                stamp: entry.stamp,
                actor: entry.actor,
                time_ms: entry.time_ms,
                container: entry.container.name().to_owned(),
                key: entry.key,
                old: entry.old,
                new: entry.new,
            });
            Ok(lines.collect())
        })
    }

    /// The changes the server did not take, with what they would have set.
    ///
    /// # Errors
    /// As the store reports.
    pub fn refused(&self) -> Result<Vec<RefusedView>, LedgerError> {
        self.read(|connection| {
            let refused = replica::refused(connection)?;
            let views = refused.into_iter().map(|refused| RefusedView {
                n: refused.n,
                household: refused.household,
                code: RefusalCode::told(refused.code, &refused.subject).to_owned(),
                subject: refused.subject,
                fields: Change::decode(&refused.raw)
                    .map(|change| fields_of(change.ops))
                    .unwrap_or_default(),
            });
            Ok(views.collect())
        })
    }

    /// Every change that waits to be sent, in the order of sending: for an app that has to keep it elsewhere.
    ///
    /// # Errors
    /// As the store reports.
    pub fn unsent(&self) -> Result<Vec<UnsentView>, LedgerError> {
        self.read(|connection| {
            let pending = replica::pending(connection, 0, u32::MAX)?;
            let unsent = pending.into_iter().map(|Pending { household, scope, change, .. }| {
                // One that cannot be read must not hide the others.
                let change = Change::decode_named(&change.raw, change.hash).ok();
                UnsentView {
                    household,
                    village: scope,
                    stamp: change.as_ref().map(|c| Stamp::parse(&c.message)).unwrap_or_default(),
                    time_ms: change.as_ref().map_or(0, |change| change.time_ms),
                    fields: change.map_or_else(Vec::new, |change| fields_of(change.ops)),
                }
            });
            Ok(unsent.collect())
        })
    }

    /// The names of divisions as this phone has them: of its areas and what is around them as the server had them at
    /// enrolment, else this release's list of Chenzhou.
    ///
    /// # Errors
    /// As the store reports.
    pub fn regions(&self) -> Result<Cow<'static, RegionList>, LedgerError> {
        self.opened()?.regions()
    }

    /// The names of a division and of those it lies in, the province's first, as far as this phone has them: of a village
    /// five, of a code that is nowhere none.
    ///
    /// # Errors
    /// As the store reports.
    pub fn region_path(&self, code: u64) -> Result<Vec<String>, LedgerError> {
        Ok(self.regions()?.path(code).into_iter().map(str::to_owned).collect())
    }
}

impl Inner {
    pub(super) fn regions(&self) -> Result<Cow<'static, RegionList>, LedgerError> {
        let enrolment = ledger::enrolment(&self.connection)?;
        let of_this_release = || Cow::Borrowed(RegionList::chenzhou());
        Ok(enrolment.map_or_else(of_this_release, |enrolment| enrolment.regions()))
    }

    /// Whether an area is all on this phone, as none is before enrolment: of a larger one most households would be left out.
    pub(super) fn must_hold_all(&self, area: u64) -> Result<(), LedgerError> {
        must_be_an_area(area)?;
        let is_here = authority::covers(&self.writer.areas, area);
        if is_here { Ok(()) } else { Err(LedgerError::invalid("area", "outside_area")) }
    }
}

fn must_be_an_area(code: u64) -> Result<(), LedgerError> {
    let is_one = region::level(code).is_some();
    if is_one { Ok(()) } else { Err(LedgerError::invalid("area", "not_an_area")) }
}

/// Whether households can be in a grid of this name, or name none.
pub(super) fn must_be_a_grid(name: &str) -> Result<(), LedgerError> {
    grid::check(name).map_err(|reason| LedgerError::invalid("grid", reason.code()))
}

/// Whether everything a list is asked for is known to this release: that no household has a code which nobody knows is no
/// answer. Households with a code of a newer release are listed without a filter.
fn known(filter: &ListFilter) -> Result<(), LedgerError> {
    let codes = [
        ("kind", &filter.kind, "class", "household_kind"),
        ("monitored", &filter.monitored, "class", "monitored_kind"),
        ("risk_level", &filter.risk_level, "class", "risk_level"),
        ("case_state", &filter.case_state, "steps", "state"),
    ];
    for (name, code, container, field) in codes {
        let Some(code) = code else { continue };
        let checked = Schema::base().check(container, field, &Value::from(code.as_str()));
        checked.map_err(|reason| LedgerError::invalid(name, reason.code()))?;
    }
    if filter.tag.as_ref().is_some_and(|tag| !TAGS.contains(&tag.as_str())) {
        return Err(LedgerError::invalid("tag", FaultReason::NotInList.code()));
    }
    filter.grid.as_deref().map_or(Ok(()), must_be_a_grid)?;
    filter.area.map_or(Ok(()), must_be_an_area)
}

fn fields_of(ops: Vec<FieldOp>) -> Vec<FieldChange> {
    let field = |op: FieldOp| FieldChange {
        container: op.container.name().to_owned(),
        key: op.key,
        value: op.value,
    };
    ops.into_iter().map(field).collect()
}
