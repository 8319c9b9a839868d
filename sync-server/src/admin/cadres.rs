//! Who is named responsible for a household and cannot be: accounts that do not exist, are closed or lie elsewhere. Must not
//! know a task.

use std::collections::BTreeSet;

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Action, FieldClass, Place, Role};
use wanhu_core::domain::checks::{self, Finding};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::Level;
use wanhu_core::store::records;

use super::{AdminError, Office};
use crate::accounts::{Account, AccountError};
use crate::storage;

impl Office<'_> {
    /// Responsible cadres whose account cannot be, so that the tasks would be on nobody's list.
    pub(super) fn out_of_reach(&self, facts: &Facts) -> Result<Vec<Finding>, AccountError> {
        let today = Day::in_china(self.app.clock.now_ms());
        checks::out_of_reach(facts, today, |id| {
            let account = self.app.accounts.account(id)?.filter(|account| !account.disabled);
            Ok(account.is_some_and(|account| {
                authority::place(account.role, &account.areas, facts.village) == Place::Inside
            }))
        })
    }

    /// Ends the terms of cadres who do not reach the household where it lives now, as far as the office may: its tasks are the
    /// new village's from today on, and the township is asked to name others. How many it ended, and whose it could not.
    pub(super) fn end_terms(
        &self,
        office: Option<&Account>,
        household: HouseholdId,
    ) -> Result<(usize, Vec<Finding>), AdminError> {
        let found = self.app.storage.read(|connection| records::find(connection, household))?;
        let Some(household) = found else { return Ok((0, Vec::new())) };
        let facts = facts(&household.fold, household.scope);
        let left = self.out_of_reach(&facts)?;
        let may = |office: &&Account| {
            let place = authority::place(office.role, &office.areas, household.scope);
            authority::may(office.role, place, FieldClass::Assignment, Action::Change)
        };
        let Some(office) = office.filter(may).filter(|_| !left.is_empty()) else {
            return Ok((0, left));
        };
        let yesterday = Day::in_china(self.app.clock.now_ms()).plus_days(-1).to_string();
        let edit = RecordEdit { form: "move/1".into(), ..RecordEdit::default() };
        let end = |edit: RecordEdit, cadre: &Finding| {
            edit.set("cadres", &format!("{}.to", cadre.subject), yesterday.clone())
        };
        self.write(office.clone(), household, left.iter().fold(edit, end))?;
        Ok((left.len(), Vec::new()))
    }

    /// The first line of a township's tasks where it has villages with records and no cadre's account: what has to be done
    /// there is on nobody's phone.
    pub(super) fn villages_without_cadres(
        &self,
        office: &Account,
    ) -> Result<Option<(String, serde_json::Value)>, AdminError> {
        let accounts = self.app.accounts.all()?.into_iter().filter(|account| !account.disabled);
        let is_cadre =
            |account: &Account| matches!(account.role, Role::VillageCadre | Role::GridWorker);
        let covered: BTreeSet<u64> =
            accounts.filter(is_cadre).flat_map(|account| account.areas).collect();
        let within = |area: &u64| self.app.regions.within(*area, Level::Village);
        let villages = office.areas.iter().flat_map(within).map(|region| region.code);
        let villages: Vec<u64> = villages.filter(|village| !covered.contains(village)).collect();
        let villages = self.app.storage.read(|c| storage::inhabited(c, &villages))?;
        if villages.is_empty() {
            return Ok(None);
        }
        let paths = villages.iter().filter_map(|village| self.app.regions.get(*village));
        let names: Vec<&str> = paths.map(|region| region.name.as_str()).collect();
        let text = format!(
            "无村干部账户的村,其待办无人办理 · villages without a cadre's account: {}",
            names.join(" ")
        );
        let value = serde_json::json!({
            "task": { "kind": "open_account", "due_on": null, "subject": "" }, "villages": villages
        });
        Ok(Some((text, value)))
    }
}
