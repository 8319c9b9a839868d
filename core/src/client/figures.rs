//! What a phone says about its own households without a network: contradictions on a record, help a year, figures
//! of its area. Must not define any of them; the domain does.

use super::ledger::{Ledger, not_found};
use crate::document::facts::facts;
use crate::domain::checks::{self, Finding};
use crate::domain::day::Day;
use crate::domain::figures::{Figure, Figures, Statistic};
use crate::domain::help::Help;
use crate::domain::ids::HouseholdId;
use crate::error::LedgerError;
use crate::store::records;

impl Ledger {
    /// What contradicts on a household's record. Nothing of it blocks anything.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn checks(&self, id: HouseholdId) -> Result<Vec<Finding>, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let facts = facts(&household.fold, household.scope);
        Ok(checks::checks(&facts, &inner.policy, inner.today(now_ms)))
    }

    /// What help brings a household in a calendar year.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn help(&self, id: HouseholdId, year: i32) -> Result<Help, LedgerError> {
        self.read(|connection| {
            let household = records::find(connection, id)?.ok_or_else(|| not_found(id))?;
            Ok(Help::of(&facts(&household.fold, household.scope), year))
        })
    }

    /// Figures of an area, as far as it is on this phone, as of now: visits, clues and decisions from the first
    /// to the last day of `period` count. `with_ids` names the figures whose households are wanted.
    ///
    /// # Errors
    /// `InvalidInput` about `period` where it ends before it begins; else as the store reports.
    pub fn figures(
        &self,
        area: u64,
        period: (Day, Day),
        with_ids: &[Statistic],
    ) -> Result<Vec<Figure>, LedgerError> {
        if period.1 < period.0 {
            return Err(LedgerError::invalid("period", "ends_before_it_begins"));
        }
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        let nothing = Figures::new(inner.today(now_ms), period, &inner.policy);
        let mut figures = with_ids.iter().fold(nothing, |figures, code| figures.with_ids(*code));
        records::for_each(&inner.connection, area, |household| {
            figures.add(household.id, &facts(&household.fold, household.scope));
            Ok(())
        })?;
        Ok(figures.all())
    }
}
