//! What an office is told once it has saved: what contradicts on the record now. Blocks nothing; must not name a household
//! that the office may not see.

use rusqlite::Connection;
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::document::fold::Entry;
use wanhu_core::domain::authority;
use wanhu_core::domain::checks::{self, Elsewhere, Finding};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::schema::{Schema, Sensitivity};
use wanhu_core::store::records::{self, Household};

use super::{AdminError, Office, Output, plain};
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
        let findings = told.as_ref().map(|told| self.findings(account, told)).transpose();
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
        let mut conflicts = Vec::new();
        for (field, value, others) in conflicts_of(account, told.as_ref()) {
            text.push_str(&format!("{field}\t{value}{}\n", conflict_mark(&others)));
            conflicts.push(serde_json::json!({ "field": field, "value": value, "others": others }));
        }
        let value = serde_json::json!({
            "ok": true, "subject": subject, "findings": values, "conflicts": conflicts,
            "checked": is_checked
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

/// Fields in which two people differ, as far as this account may read them: each with the value that is shown and the others.
fn conflicts_of(
    account: &Account,
    household: Option<&Household>,
) -> Vec<(String, serde_json::Value, Vec<serde_json::Value>)> {
    let conflicts = household.into_iter().flat_map(|household| household.fold.conflicts());
    let told = conflicts.filter_map(|(container, key, entries)| {
        let field = Schema::base().field(container.name(), key.rsplit('.').next()?);
        let sensitivity = field.map_or(Sensitivity::Sensitive, |field| field.sensitivity);
        let shown = entries.last().filter(|_| account.role.may_read(sensitivity))?;
        let field = format!("{}.{key}", container.name());
        Some((field, plain(Some(&shown.value)), others(entries)))
    });
    told.collect()
}

/// What a save says of fields in which people differed before it: whoever typed may not have known.
pub(super) fn settled_by(
    edit: &RecordEdit,
    account: &Account,
    household: &Household,
) -> Vec<String> {
    let conflicts = conflicts_of(account, Some(household)).into_iter();
    let is_set = |field: &str| {
        let mut fields = edit.fields.iter();
        fields.any(|set| format!("{}.{}", set.container, set.key) == field)
    };
    let settled = conflicts.filter(|(field, ..)| is_set(field)).map(|(field, shown, others)| {
        let before = std::iter::once(&shown).chain(&others).map(ToString::to_string);
        let before = before.collect::<Vec<_>>().join(" ");
        format!("{field}\t原有冲突已由此次填写确定 · this settled a conflict of: {before}\n")
    });
    settled.collect()
}

/// The values of a field beside the one that is shown.
pub(super) fn others(entries: &[Entry]) -> Vec<serde_json::Value> {
    let Some((shown, others)) = entries.split_last() else { return Vec::new() };
    let differing = others.iter().filter(|entry| entry.value != shown.value);
    differing.map(|entry| plain(Some(&entry.value))).collect()
}

/// What stands behind a value where somebody else wrote another.
pub(super) fn conflict_mark(others: &[serde_json::Value]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    format!("\t冲突,另有 also: {}", others.join(" "))
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
