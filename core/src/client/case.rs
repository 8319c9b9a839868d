//! The monitoring case on the phone: where it is, which step this person may take next, what has to be done
//! and until when. Must not decide what is legal; `domain::workflow` does.

use super::ledger::{Inner, Ledger, not_found};
use crate::document::edit::{RecordEdit, StepForm};
use crate::document::facts::facts;
use crate::domain::asking::Asking;
use crate::domain::authority::Role;
use crate::domain::ids::HouseholdId;
use crate::domain::warning::{self, Warning};
use crate::domain::workflow::Case;
use crate::error::LedgerError;
use crate::store::cases::{self, CaseView, TaskView};
use crate::store::records;

impl Ledger {
    /// Where a household's case is.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn case(&self, id: HouseholdId) -> Result<CaseView, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        Ok(cases::view(&inner.connection, &household, &inner.asking(now_ms), cases::as_stated)?)
    }

    /// Takes a step of the case, with whatever is saved together with it.
    ///
    /// # Errors
    /// `IllegalStep` with what is missing; `NotPermitted`; else as [`Self::edit`].
    pub fn take_step(
        &self,
        id: HouseholdId,
        step: &StepForm,
        with: RecordEdit,
    ) -> Result<(), LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let facts = facts(&household.fold, household.scope);
        let writer = inner.writer.role.unwrap_or(Role::VillageCadre);
        let today = inner.today(now_ms);
        let form = if with.form.is_empty() { "step/1".to_owned() } else { with.form.clone() };
        let edit = with.step(&Case::of(&facts), step, writer.level_code(), today);
        let edit = edit.beginning(&facts, writer, today);
        inner.save(household, &RecordEdit { form, ..edit }, now_ms)
    }

    /// What this person has to do in the households of this phone, the most urgent first. A household with a
    /// responsible cadre of its own is left to that cadre, until something is overdue; a grid worker has of the others those of
    /// their grids.
    ///
    /// # Errors
    /// As the store reports.
    pub fn tasks(&self) -> Result<Vec<TaskView>, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        Ok(cases::tasks(&inner.connection, &inner.asking(now_ms), cases::as_stated)?)
    }

    /// The warnings that fire for a household today, the ones nobody was warned of yet.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn warnings(&self, id: HouseholdId) -> Result<Vec<Warning>, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let facts = facts(&household.fold, household.scope);
        let fired = warning::evaluate(&facts, &inner.policy, inner.today(now_ms));
        Ok(warning::unheard(&facts, &inner.policy, fired))
    }
}

impl Inner {
    fn asking(&self, now_ms: i64) -> Asking<'_> {
        Asking {
            account: &self.writer.stamp.account,
            role: self.writer.role,
            areas: &self.writer.areas,
            grids: &self.grids,
            policy: &self.policy,
            today: self.today(now_ms),
        }
    }
}
