//! The offices that bring a past campaign in: who of them may do what in which village, and one household after the other
//! matched, judged and written whole or not at all. Must not know a file.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Transaction;
use wanhu_core::document::duplicate::identity_numbers;
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Action, FieldClass};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::person::PersonKey;
use wanhu_core::domain::policy::Published;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use super::change::{Change, Fields, Reading, Rights};
use super::register::Listed;
use super::said::{Remark, Said, Tally};
use crate::accounts::Account;
use crate::import::outcome::FaultCode;
use crate::storage::author::{self, Author};
use crate::storage::persons::{self, Whereabouts};

/// The offices, and what holds for the whole register.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) accounts: Vec<Account>,
    pub(super) key: PersonKey,
    pub(super) policy: Arc<Published>,
    pub(super) fields: Fields,
    pub(super) reason: String,
    pub(super) now_ms: i64,
    /// Whether everything is taken back at once: to see what would become of a register.
    pub(super) dry_run: bool,
}

/// What became of one household.
#[derive(Debug, Default)]
pub(super) struct Entered {
    pub(super) said: Tally,
    /// The household, where something of it is on record now that was not.
    pub(super) written: Option<HouseholdId>,
    /// Whether a record was opened for it.
    pub(super) opened: bool,
    /// Whether facts were written in one that was there.
    pub(super) filled: bool,
    /// Whether its case was carried over.
    pub(super) carried: bool,
}

impl Entered {
    /// Nothing: for this reason, and for want of a number where a row has none.
    fn nothing(listed: &Listed, said: Said) -> Self {
        let mut entered = Self::default();
        for row in &listed.rows {
            let said = if row.identity.is_some() { said } else { Said::Proposal };
            entered.said.add(Remark::on(row.row, said));
        }
        entered
    }
}

/// Why no row of a household is taken, and the row that says so, where it is one.
type Held = (Option<u32>, Said);

impl Desk {
    /// Whether one of the offices decides for this village.
    pub(super) fn reaches(&self, village: u64) -> bool {
        let decides = |desk: &Account| authority::may_decide(desk.role, &desk.areas, village);
        self.accounts.iter().any(decides)
    }

    /// The office that may write this class of fields in a village.
    fn office(&self, class: FieldClass, village: u64) -> Option<&Account> {
        self.accounts.iter().find(|desk| {
            let place = authority::place(desk.role, &desk.areas, village);
            authority::may_decide(desk.role, &desk.areas, village)
                && authority::may(desk.role, place, class, Action::Add)
        })
    }

    /// Enters a household, in a savepoint of its own. `village` is where the register says it is.
    pub(super) fn enter(
        &self,
        transaction: &Transaction<'_>,
        listed: &Listed,
        village: Result<u64, Said>,
    ) -> Result<Entered, StoreError> {
        let household = match self.household(transaction, listed, village)? {
            Ok(household) => household,
            Err((Some(row), said)) => {
                let mut entered = Entered::default();
                entered.said.add(Remark::on(row, said));
                entered.said.extend(Entered::nothing(listed, Said::Held).said);
                return Ok(entered);
            }
            Err((None, said)) => return Ok(Entered::nothing(listed, said)),
        };
        self.fill(transaction, &household, listed, village)
    }

    /// Writes what the record does not know yet; all of it, or nothing.
    fn fill(
        &self,
        transaction: &Transaction<'_>,
        household: &Household,
        listed: &Listed,
        village: Result<u64, Said>,
    ) -> Result<Entered, StoreError> {
        let rights = Rights {
            facts: self.office(FieldClass::Facts, household.scope).is_some(),
            decision: self.office(FieldClass::Decision, household.scope).is_some(),
        };
        let opens = household.n == Household::UNSAVED;
        if opens && !rights.facts {
            return Ok(Entered::nothing(listed, Said::FactsForTownship));
        }
        let reading = Reading {
            fields: &self.fields,
            key: &self.key,
            reason: &self.reason,
            today: Day::in_china(self.now_ms),
        };
        let record = facts(&household.fold, household.scope);
        let mut change = reading.change(&record, listed, rights);
        if village.is_ok_and(|village| village != household.scope) {
            let row = listed.rows.first().map_or(0, |row| row.row);
            change.said.add(self.fields.remark(row, Said::Differs, "village"));
        }
        transaction.execute_batch("SAVEPOINT campaign")?;
        let written = self.write(transaction, household, &change)?;
        if !written || self.dry_run {
            transaction.execute_batch("ROLLBACK TO campaign")?;
        }
        transaction.execute_batch("RELEASE campaign")?;
        if !written {
            return Ok(Entered::nothing(listed, Said::Refused));
        }
        let has_facts = !change.facts.fields.is_empty();
        let carried = !change.case.new_rows.is_empty();
        let is_kept = !self.dry_run && (has_facts || carried);
        Ok(Entered {
            written: is_kept.then_some(household.id),
            opened: opens && has_facts,
            filled: !opens && has_facts,
            carried,
            said: change.said,
        })
    }

    /// The record that is meant, or one not yet opened.
    fn household(
        &self,
        transaction: &Transaction<'_>,
        listed: &Listed,
        village: Result<u64, Said>,
    ) -> Result<Result<Household, Held>, StoreError> {
        let found = match self.on_record(transaction, listed)? {
            Ok(found) => found,
            Err(held) => return Ok(Err(held)),
        };
        if let Some(n) = found {
            return Ok(self.usable(records::get(transaction, n)?));
        }
        let Some(head) = listed.head().and_then(|head| head.identity.as_ref()) else {
            return Ok(Err((None, Said::HeadMissing)));
        };
        let id = self.key.household(head);
        // Somebody opened it a moment ago, or its head is another by now.
        if let Some(known) = records::find(transaction, id)? {
            let is_theirs = identity_numbers(&known.fold).iter().any(|number| number == head);
            let retired = Err((None, Said::RecordRetired));
            return Ok(if is_theirs { self.usable(known) } else { retired });
        }
        Ok(match village {
            Ok(village) if !self.reaches(village) => {
                Err((None, Said::Fault(FaultCode::OutsideArea)))
            }
            Ok(village) => Ok(Household::unsaved(id, village)),
            Err(said) => Err((None, said)),
        })
    }

    fn usable(&self, household: Household) -> Result<Household, Held> {
        if !self.reaches(household.scope) {
            return Err((None, Said::Fault(FaultCode::OutsideArea)));
        }
        let is_active = facts(&household.fold, household.scope).is_active();
        if is_active { Ok(household) } else { Err((None, Said::RecordRetired)) }
    }

    /// The one household on record in which the people of the register live.
    fn on_record(
        &self,
        transaction: &Transaction<'_>,
        listed: &Listed,
    ) -> Result<Result<Option<i64>, Held>, StoreError> {
        let mut found = BTreeSet::new();
        let numbered: Vec<_> =
            listed.rows.iter().filter_map(|row| Some((row.identity.as_ref()?, row))).collect();
        let people: Vec<_> = numbered
            .iter()
            .map(|(number, row)| (self.key.identity(number), row.name.as_str()))
            .collect();
        let whereabouts = persons::whereabouts(transaction, &people)?;
        for ((_, row), whereabouts) in numbered.into_iter().zip(whereabouts) {
            match whereabouts {
                Whereabouts::Nowhere | Whereabouts::Left { .. } => {}
                Whereabouts::In { has_the_name: false, .. } => {
                    return Ok(Err((Some(row.row), Said::Fault(FaultCode::NameDiffers))));
                }
                Whereabouts::In { household, .. } => {
                    found.insert(household);
                }
                Whereabouts::InSeveral => {
                    return Ok(Err((Some(row.row), Said::Fault(FaultCode::PersonTwice))));
                }
            }
        }
        if found.len() > 1 {
            return Ok(Err((None, Said::HouseholdSplit)));
        }
        Ok(Ok(found.first().copied()))
    }

    /// Writes what is new, each part as the office that may. Whether the record took all of it.
    fn write(
        &self,
        transaction: &Transaction<'_>,
        household: &Household,
        change: &Change,
    ) -> Result<bool, StoreError> {
        let mut facts = change.facts.clone();
        if household.n == Household::UNSAVED {
            facts = facts.set("basic", "area_code", household.scope.to_string());
        }
        for (class, edit) in [(FieldClass::Facts, &facts), (FieldClass::Decision, &change.case)] {
            if edit.fields.is_empty() && edit.new_rows.is_empty() {
                continue;
            }
            let Some(office) = self.office(class, household.scope) else { return Ok(false) };
            let author = Author::office(office.clone(), self.now_ms, self.key);
            // The part before this one is on record by now.
            let now = records::find(transaction, household.id)?.unwrap_or(household.clone());
            let edit = RecordEdit { form: "campaign/1".into(), ..edit.clone() };
            if author::write(transaction, &author, &self.policy.policy, now, &edit)?.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
