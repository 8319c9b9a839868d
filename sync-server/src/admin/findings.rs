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

use super::conflicts::{self, Shown};
use super::{AdminError, Office, Output};
use crate::accounts::Account;
use crate::storage::persons::{self, Residence};

impl Office<'_> {
    /// What was saved, and what contradicts. Whoever may not read everything is not told what contradicts.
    pub(super) fn saved(
        &self,
        words: &str,
        subject: &str,
        who: (HouseholdId, &Account),
    ) -> Result<Output, AdminError> {
        self.saved_settling(words, subject, who, &[])
    }

    /// The same of a save that has settled these conflicts: whoever typed may not have known of them.
    pub(super) fn saved_settling(
        &self,
        words: &str,
        subject: &str,
        (id, account): (HouseholdId, &Account),
        settled: &[Shown],
    ) -> Result<Output, AdminError> {
        let household = self.app.storage.read(|connection| records::find(connection, id));
        let household = household.ok().flatten();
        let told = household.filter(|_| account.role.may_read(Sensitivity::Sensitive));
        let findings = told.as_ref().map(|told| self.findings(account, told)).transpose();
        let mut text = format!("{words}: {subject}\n");
        let is_checked = findings.is_ok();
        if !is_checked {
            // It is saved, whatever became of looking at it: nobody must enter it again.
            text.push_str("已保存,但未能核对 · saved, but it could not be looked at\n");
        }
        let (lines, findings) = in_words(&findings.ok().flatten().unwrap_or_default());
        text.push_str(&lines);
        let conflicts = conflicts::of(account, told.as_ref());
        conflicts.iter().for_each(|conflict| text.push_str(&format!("{}\n", conflict.text())));
        settled.iter().for_each(|settled| text.push_str(&settled.settled()));
        let json = |shown: &[Shown]| shown.iter().map(Shown::json).collect::<Vec<_>>();
        let value = serde_json::json!({
            "ok": true, "subject": subject, "findings": findings, "conflicts": json(&conflicts),
            "settled": json(settled), "checked": is_checked
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

/// Findings for people and for scripts.
pub(super) fn in_words(findings: &[Finding]) -> (String, Vec<serde_json::Value>) {
    let in_words = findings.iter().map(|finding| {
        let (zh, en) = checks::explain(finding);
        let (check, subject) = (finding.check.code(), &finding.subject);
        let line = format!("请核对 · please look at: {zh}\n    {en} [{subject}]\n");
        let value = serde_json::json!({ "check": check, "subject": subject, "zh": zh, "en": en });
        (line, value)
    });
    in_words.unzip()
}

fn as_seen(account: &Account, homes: &[Residence]) -> Option<Elsewhere> {
    let sees = |home: &&Residence| authority::may_see(account.role, &account.areas, home.scope);
    let seen = homes.iter().find(sees).map(|home| Elsewhere::In(home.household));
    seen.or_else(|| homes.first().map(|_| Elsewhere::OutOfSight))
}
