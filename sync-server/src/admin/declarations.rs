//! Declarations of people whom no record knows: an office looks who they are, and enters what they said into a record
//! or turns it away. Must not hold a rule.

use wanhu_core::document::declare::{Declaration, declaration};
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Row;
use wanhu_core::domain::identity::IdentityNumber;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;

use super::{AdminError, Office, Output, ROWS_MAX, done, lines};
use crate::accounts::{Account, AccountError};
use crate::storage::declarations::{self, WaitingDeclaration};
use crate::storage::persons;

impl Office<'_> {
    pub(super) fn list_declarations(&self) -> Result<Output, AdminError> {
        let account = self.account()?;
        if !account.role.holds_replica() {
            return Err(AccountError::NotGranted.into());
        }
        let mut waiting = Vec::new();
        for area in &account.areas {
            let villages = region::villages_of(*area);
            let found = self.app.storage.read(|c| declarations::waiting(c, villages, ROWS_MAX))?;
            waiting.extend(found);
        }
        Ok(lines(waiting.into_iter().map(|declared| {
            let on = Day::in_china(declared.received_ms);
            let path = self.app.regions.path(declared.village).join(" ");
            let WaitingDeclaration { n, name, identity_number, telephone, note, .. } = &declared;
            let risks = declared.risks.join(" ");
            let text =
                format!("{n}\t{on}\t{path}\t{name}\t{identity_number}\t{telephone}\t{risks}\t{note}");
            let value = serde_json::json!({
                "number": n, "received_on": on.to_string(), "village": declared.village, "name": name,
                "identity_number": identity_number, "telephone": telephone,
                "risks": declared.risks, "note": note, "consents": declared.consents
            });
            (text, value)
        })))
    }

    pub(super) fn enter_declaration(
        &self,
        number: i64,
        household: Option<HouseholdId>,
    ) -> Result<Output, AdminError> {
        let (account, declared) = self.declared(number)?;
        let person = IdentityNumber::parse(&declared.identity_number).ok();
        let id = match household {
            Some(id) => id,
            None => self.home_of(&account, &declared)?,
        };
        let household = self.household(&account, id)?;
        let seen = facts(&household.fold, household.scope);
        if !seen.is_active() {
            return Err(StoreError::NotFound.into());
        }
        let is_person = |row: &&Row| {
            IdentityNumber::parse(row.text("identity_number")).ok() == person && person.is_some()
        };
        let said = Declaration {
            risks: declared.risks,
            member: seen.people().find(is_person).map(|row| row.id.clone()).unwrap_or_default(),
            note: declared.note,
            contact: declared.telephone,
            consents: declared.consents,
        };
        let today = Day::in_china(self.app.clock.now_ms());
        let words = match declaration(&seen, &said, account.role, today) {
            Some(edit) => {
                self.write(account, household, RecordEdit { on_behalf_of: declared.name, ..edit })?;
                "申报已录入 · declaration entered"
            }
            None => "此事已在办理,未另行录入 · being looked into already, nothing was added",
        };
        self.forget_declaration(number)?;
        Ok(done(words, &id.to_string()))
    }

    pub(super) fn turn_away_declaration(&self, number: i64) -> Result<Output, AdminError> {
        self.declared(number)?;
        self.forget_declaration(number)?;
        Ok(done("申报已退回 · declaration turned away", &number.to_string()))
    }

    fn declared(&self, number: i64) -> Result<(Account, WaitingDeclaration), AdminError> {
        let account = self.account()?;
        let found = self.app.storage.read(|c| declarations::one(c, number))?;
        let may_see = |village| authority::may_see(account.role, &account.areas, village);
        let found = found.filter(|declared| may_see(declared.village));
        if !account.role.holds_replica() {
            return Err(AccountError::NotGranted.into());
        }
        Ok((account, found.ok_or(StoreError::NotFound)?))
    }

    fn forget_declaration(&self, number: i64) -> Result<(), AdminError> {
        let writer = self.app.storage.writer();
        Ok(writer.write(move |transaction| declarations::forget(transaction, number))?)
    }

    /// The one household of this office's area in which the person is on record by now.
    fn home_of(
        &self,
        account: &Account,
        declared: &WaitingDeclaration,
    ) -> Result<HouseholdId, AdminError> {
        let key = self.app.person_key;
        persons::catch_up(self.app.storage.writer(), key)?;
        let number = declared.identity_number.as_str();
        let homes = self.app.storage.read(|connection| persons::find(connection, &key, number))?;
        let may_see = |home: &persons::Residence| {
            authority::may_see(account.role, &account.areas, home.scope)
        };
        match &homes.into_iter().filter(may_see).collect::<Vec<_>>()[..] {
            [home] => Ok(home.household),
            _ => Err(StoreError::NotFound.into()),
        }
    }
}
