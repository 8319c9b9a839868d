//! What an office is told once it has saved: what contradicts on the record now. Blocks nothing; must not name a household
//! that the office may not see.

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority;
use wanhu_core::domain::checks::{self, Elsewhere, Finding};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::Sensitivity;
use wanhu_core::store::records::{self, Household};

use super::{AdminError, Office, Output};
use crate::accounts::Account;
use crate::storage::persons::{self, Residence};

impl Office<'_> {
    /// What was saved, and what contradicts. Whoever may not read everything is not told what contradicts.
    pub(super) fn saved(
        &self,
        words: &str,
        subject: &str,
        (id, account): (HouseholdId, &Account),
    ) -> Result<Output, AdminError> {
        let household = self.app.storage.read(|connection| records::find(connection, id));
        let household = household.ok().flatten();
        let told = household.filter(|_| account.role.may_read(Sensitivity::Sensitive));
        let findings = told.map(|household| self.findings(account, &household)).transpose();
        let mut text = format!("{words}: {subject}\n");
        let mut values = Vec::new();
        let is_checked = findings.is_ok();
        if !is_checked {
            // It is saved, whatever became of looking at it: nobody must enter it again.
            text.push_str("已保存,但未能核对 · saved, but it could not be looked at\n");
        }
        for finding in findings.ok().flatten().unwrap_or_default() {
            let (zh, en) = checks::explain(&finding);
            text.push_str(&line(&finding));
            values.push(serde_json::json!({
                "check": finding.check.code(), "subject": finding.subject, "zh": zh, "en": en
            }));
        }
        let value = serde_json::json!({
            "ok": true, "subject": subject, "findings": values, "checked": is_checked
        });
        Ok(Output { text, json: format!("{value}\n") })
    }

    pub(super) fn findings(
        &self,
        account: &Account,
        household: &Household,
    ) -> Result<Vec<Finding>, AdminError> {
        let (facts, key) = (facts(&household.fold, household.scope), self.app.person_key);
        let today = Day::in_china(self.app.clock.now_ms());
        let mut findings = checks::checks(&facts, &self.app.policy.policy, today);
        persons::catch_up(&self.app.storage, key)?;
        let elsewhere = |connection: &Connection| {
            checks::elsewhere(&facts, |number| {
                let person = key.identity(number);
                let homes = persons::other_homes(connection, &person, household.n)?;
                Ok(as_seen(account, &homes))
            })
        };
        findings.extend(self.app.storage.read(elsewhere)?);
        findings.extend(self.out_of_reach(&facts)?);
        Ok(findings)
    }
}

pub(super) fn line(finding: &Finding) -> String {
    let (zh, en) = checks::explain(finding);
    format!("请核对 · please look at: {zh}\n    {en} [{}]\n", finding.subject)
}

fn as_seen(account: &Account, homes: &[Residence]) -> Option<Elsewhere> {
    let sees = |home: &&Residence| authority::may_see(account.role, &account.areas, home.scope);
    let seen = homes.iter().find(sees).map(|home| Elsewhere::In(home.household));
    seen.or_else(|| homes.first().map(|_| Elsewhere::OutOfSight))
}
