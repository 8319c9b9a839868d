//! What a phone says about its own households without a network: contradictions on a record, help a year, figures
//! of its area. Must not define any of them; the domain does. Must not pass a part of an area off as the whole of it.

use rusqlite::Connection;

use super::ledger::{Ledger, not_found};
use super::read::must_be_a_grid;
use crate::document::facts::facts;
use crate::document::fold::Fold;
use crate::document::past::MadeBefore;
use crate::domain::checks::{self, Elsewhere, Finding};
use crate::domain::day::Day;
use crate::domain::figures::{Figure, Figures, Statistic};
use crate::domain::help::Help;
use crate::domain::ids::HouseholdId;
use crate::error::LedgerError;
use crate::store::{StoreError, open, records, residents};

impl Ledger {
    /// What contradicts on a household's record, also with others on this phone: a person may be in two. Nothing of it
    /// blocks anything.
    ///
    /// # Errors
    /// `NotFound`; else as the store reports.
    pub fn checks(&self, id: HouseholdId) -> Result<Vec<Finding>, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let household = records::find(&inner.connection, id)?.ok_or_else(|| not_found(id))?;
        let facts = facts(&household.fold, household.scope);
        let mut findings = checks::checks(&facts, &inner.policy, inner.today(now_ms));
        while residents::take_a_turn(&mut inner.connection)? {}
        let elsewhere = checks::elsewhere(&facts, |number| {
            let other = residents::other_home(&inner.connection, household.n, number)?;
            Ok::<_, StoreError>(other.map(Elsewhere::In))
        });
        findings.extend(elsewhere?);
        Ok(findings)
    }

    /// Looks at who lives where in what a sync brought, so that no save has to wait for it.
    pub(super) fn note_residents(&self) -> Result<(), LedgerError> {
        let turn =
            |connection: &mut Connection| Ok(open::unhurried(connection, residents::take_a_turn)?);
        // The book is free between two turns.
        while self.with_connection(turn)? {}
        Ok(())
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

    /// Figures of an area that is all on this phone, or of the grids of this name in it, as of a day's end, or of now: visits, clues and decisions from the first
    /// to the last day of `period` count. `with_ids` names the figures whose households are wanted.
    ///
    /// A phone was not there when the server took a change. A past day here rests on the clocks of those who made the changes
    /// (see [`MadeBefore`]), on the server on its own: what was entered on a day and sent on a later one counts for that day
    /// here, and there only from the later one on. Households count where they are now; one that has moved away is not on this
    /// phone any more.
    ///
    /// # Errors
    /// `InvalidInput` about `period` where it ends before it begins, about `as_of` where that day has not come, about `area` where
    /// that is no code of one (`not_an_area`) or it is not all on this phone (`outside_area`), as none is before enrolment,
    /// about `grid` where no record could name it (`too_long`); else as the store reports.
    pub fn figures(
        &self,
        area: u64,
        grid: Option<&str>,
        period: (Day, Day),
        as_of: Option<Day>,
        with_ids: &[Statistic],
    ) -> Result<Vec<Figure>, LedgerError> {
        if period.1 < period.0 {
            return Err(LedgerError::invalid("period", "ends_before_it_begins"));
        }
        let now_ms = self.now_ms();
        let inner = &*self.opened()?;
        let today = inner.today(now_ms);
        let as_of = as_of.unwrap_or(today);
        if as_of > today {
            return Err(LedgerError::invalid("as_of", "not_yet"));
        }
        inner.must_hold_all(area)?;
        grid.map_or(Ok(()), must_be_a_grid)?;
        let whole = Figures::new(as_of, period, &inner.policy);
        let nothing = grid.into_iter().fold(whole, Figures::of_grid);
        let mut figures = with_ids.iter().fold(nothing, |figures, code| figures.with_ids(*code));
        records::for_each(&inner.connection, area, |household| {
            let fold = match as_of < today {
                true => fold_as_of(&inner.connection, household.n, as_of)?,
                false => Some(household.fold),
            };
            if let Some(fold) = fold {
                figures.add(household.id, &facts(&fold, household.scope));
            }
            Ok(())
        })?;
        Ok(figures.all())
    }
}

/// A household as it was at the end of a day, by the clocks of those who wrote; none where nothing of it had been written.
fn fold_as_of(connection: &Connection, n: i64, day: Day) -> Result<Option<Fold>, StoreError> {
    let mut made = MadeBefore::new(day.plus_days(1).begins_ms());
    records::refold_those(connection, n, |_, change| made.takes(change))
}
