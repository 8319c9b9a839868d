//! Declarations of people whom no record knows: an office looks who they are, and enters what they said into a record
//! or turns it away. Must not hold a rule.

use rusqlite::Connection;
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;

use super::pages::page;
use super::{AdminError, Office, Output, PageArguments, done};
use crate::accounts::Account;
use crate::household;
use crate::storage::declarations::{self, WaitingDeclaration};

impl Office<'_> {
    /// Those that wait, the oldest first.
    pub(super) fn list_declarations(
        &self,
        asked: &PageArguments<i64>,
    ) -> Result<Output, AdminError> {
        let account = self.reader()?;
        let (after, rows) = (asked.after.unwrap_or_default(), asked.rows_read());
        let mut waiting = Vec::new();
        for area in &account.areas {
            let villages = region::villages_of(*area);
            let read = |c: &Connection| declarations::waiting(c, villages, after, rows);
            waiting.extend(self.app.storage.read(read)?);
        }
        // Of several areas the page is one list, or its end would hide what lies before it in the next.
        waiting.sort_by_key(|declared| declared.n);
        let go_on = asked.cut(&mut waiting, |declared| declared.n.to_string());
        let rows = waiting.into_iter().map(|declared| {
            let on = Day::in_china(declared.received_ms);
            let path = self.app.regions.path(declared.village).join(" ");
            let WaitingDeclaration { n, name, identity_number, telephone, note, .. } = &declared;
            let risks = declared.risks.join(" ");
            let text = format!(
                "{n}\t{on}\t{path}\t{name}\t{identity_number}\t{telephone}\t{risks}\t{note}"
            );
            let value = serde_json::json!({
                "number": n, "received_on": on.to_string(), "village": declared.village, "name": name,
                "identity_number": identity_number, "telephone": telephone,
                "risks": declared.risks, "note": note, "consents": declared.consents
            });
            (text, value)
        });
        Ok(page(rows, go_on))
    }

    /// A line for the township, whose task they are: how many wait, since when.
    pub(super) fn waiting_declarations(
        &self,
        account: &Account,
    ) -> Result<Option<(String, serde_json::Value)>, AdminError> {
        let (mut count, mut oldest_ms) = (0, None::<i64>);
        for area in &account.areas {
            let villages = region::villages_of(*area);
            let found = self.app.storage.read(|c| declarations::count(c, villages))?;
            count += found.0;
            oldest_ms = oldest_ms.into_iter().chain(found.1).min();
        }
        Ok(oldest_ms.map(Day::in_china).map(|oldest| {
            let text =
                format!("待录入的自主申报 · declarations to enter: {count}\t最早 since {oldest}");
            let value = serde_json::json!({
                "task": { "kind": "enter_declarations", "due_on": null, "subject": "" },
                "count": count, "since": oldest.to_string()
            });
            (text, value)
        }))
    }

    pub(super) fn enter_declaration(
        &self,
        number: i64,
        chosen: Option<HouseholdId>,
    ) -> Result<Output, AdminError> {
        let (account, declared) = self.declared(number)?;
        let (id, is_new) = household::enter(self.app, account.clone(), declared, chosen)??;
        let words = match is_new {
            true => "申报已录入 · declaration entered",
            false => "此事已在办理,未另行录入 · being looked into already, nothing was added",
        };
        self.saved(words, &id.to_string(), (id, &account))
    }

    pub(super) fn turn_away_declaration(&self, number: i64) -> Result<Output, AdminError> {
        self.declared(number)?;
        let writer = self.app.storage.writer();
        writer.write(move |transaction| declarations::forget(transaction, number))?;
        Ok(done("申报已退回 · declaration turned away", &number.to_string()))
    }

    /// An account that may read what somebody declares.
    fn reader(&self) -> Result<Account, AdminError> {
        let account = self.account()?;
        if account.role.holds_replica() { Ok(account) } else { Err(AdminError::NotGranted) }
    }

    fn declared(&self, number: i64) -> Result<(Account, WaitingDeclaration), AdminError> {
        let account = self.reader()?;
        let found = self.app.storage.read(|c| declarations::one(c, number))?;
        let may_see = |village| authority::may_see(account.role, &account.areas, village);
        let found = found.filter(|declared| may_see(declared.village));
        Ok((account, found.ok_or(StoreError::NotFound)?))
    }
}
