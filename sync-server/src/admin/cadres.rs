//! Cadres who are named responsible for a household and are none of its village: found, their terms ended where it moves, counted
//! where their account is closed. Must not know a task.

use std::collections::BTreeMap;

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Action, FieldClass, Place};
use wanhu_core::domain::checks::{self, Finding};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::records;

use super::{AdminError, Office, Output};
use crate::accounts::{Account, AccountError};
use crate::storage::responsible;

impl Office<'_> {
    /// Responsible cadres whose account is no cadre's of the household's village, so that the tasks would be on nobody's list.
    pub(super) fn out_of_reach(&self, facts: &Facts) -> Result<Vec<Finding>, AccountError> {
        let today = Day::in_china(self.app.clock.now_ms());
        checks::out_of_reach(facts, today, |id| {
            let account = self.app.accounts.account(id)?.filter(|account| !account.disabled);
            Ok(account.filter(|account| account.role.is_cadre()).is_some_and(|account| {
                authority::place(account.role, &account.areas, facts.village) == Place::Inside
            }))
        })
    }

    /// Ends the terms of cadres who do not reach the household where it lives now, as far as the office may: its tasks are the
    /// new village's then, and the township is asked to name others. How many it ended, and whose it could not.
    pub(super) fn end_terms(
        &self,
        office: Account,
        household: HouseholdId,
    ) -> Result<(usize, Vec<Finding>), AdminError> {
        let found = self.app.storage.read(|connection| records::find(connection, household))?;
        let Some(household) = found else { return Ok((0, Vec::new())) };
        let facts = facts(&household.fold, household.scope);
        let left = self.out_of_reach(&facts)?;
        let place = authority::place(office.role, &office.areas, household.scope);
        let may = authority::may(office.role, place, FieldClass::Assignment, Action::Change);
        if !may || left.is_empty() {
            return Ok((0, left));
        }
        let today = Day::in_china(self.app.clock.now_ms());
        // A term that began today ends today.
        let last = |cadre: &str| {
            let began = facts.row("cadres", cadre).and_then(|cadre| cadre.day("from"));
            if began == Some(today) { today } else { today.plus_days(-1) }
        };
        let edit = RecordEdit { form: "move/1".into(), ..RecordEdit::default() };
        let end = |edit: RecordEdit, cadre: &Finding| {
            let cadre = &cadre.subject;
            edit.set("cadres", &format!("{cadre}.to"), last(cadre).to_string())
        };
        let edit = left.iter().fold(edit, end);
        self.write(office, household, edit)?;
        Ok((left.len(), Vec::new()))
    }

    /// Closes an account, and says of how many households in the office's area it is the responsible cadre still.
    pub(super) fn close_account(&self, id: &str) -> Result<Output, AdminError> {
        self.app.accounts.disable(id, self.by)?;
        responsible::catch_up(&self.app.storage)?;
        let today = Day::in_china(self.app.clock.now_ms());
        let villages = self.app.storage.read(|c| responsible::of_account(c, id, today))?;
        let sees = |village: u64| self.oversees(&[village]);
        let villages = villages.into_iter().filter(|(village, _)| sees(*village));
        let villages: BTreeMap<u64, u32> = villages.collect();
        let count: u32 = villages.values().sum();
        let mut text = format!("账户已停用 · account closed: {id}\n");
        if count > 0 {
            text.push_str(&format!(
                "仍是 {count} 户的帮扶责任人,请另行确定 · still the responsible cadre of {count} households, name others: {}\n",
                self.places(&villages)
            ));
        }
        let value = serde_json::json!({
            "ok": true, "subject": id, "households": count, "villages": villages.keys().collect::<Vec<_>>()
        });
        Ok(Output { text, json: format!("{value}\n") })
    }
}
