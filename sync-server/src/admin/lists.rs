//! What an office sees of its own area: accounts, devices, villages. Must not change anything.

use wanhu_core::domain::authority;

use super::{AdminError, Office, Output, lines};
use crate::accounts::Account;
use crate::storage;

impl Office<'_> {
    pub(super) fn list_accounts(&self) -> Result<Output, AdminError> {
        let own =
            self.app.accounts.all()?.into_iter().filter(|account| self.oversees(&account.areas));
        Ok(lines(own.map(|account| {
            let Account { id, name, role, areas, grids, granted_by, disabled } = account;
            let role = role.code();
            let state = if disabled { "停用 closed" } else { "在用 open" };
            let value = serde_json::json!({
                "id": id, "name": name, "role": role, "areas": areas,
                "grids": grids, "granted_by": granted_by, "disabled": disabled
            });
            let grids = grids.join(" ");
            (format!("{id}\t{name}\t{role}\t{areas:?} {grids}\t{state}\t{granted_by}"), value)
        })))
    }

    pub(super) fn list_devices(&self) -> Result<Output, AdminError> {
        let devices = self.app.accounts.devices()?.into_iter();
        let own = devices.filter(|device| self.oversees(&device.account.areas));
        Ok(lines(own.map(|device| {
        let state = match (device.revoked_ms, device.approved_ms) {
            (Some(_), _) => "已注销 revoked",
            (None, None) => "待批准 awaiting approval",
            (None, Some(_)) => "在用 active",
        };
        let value = serde_json::json!({
            "number": device.number, "account": device.account.id, "name": device.name,
            "approved_ms": device.approved_ms, "revoked_ms": device.revoked_ms, "last_seen_ms": device.last_seen_ms
        });
        (format!("{}\t{}\t{}\t{state}", device.number, device.account.id, device.name), value)
    })))
    }

    pub(super) fn statistics(&self) -> Result<Output, AdminError> {
        let list = &self.app.regions;
        let rows = self.app.storage.read(storage::statistics)?;
        let own = rows.into_iter().filter(|row| self.oversees(&[row.scope]));
        Ok(lines(own.map(|row| {
            let path = list.path(row.scope).join(" ");
            let value = serde_json::json!({
                "village": row.scope, "households": row.households, "entries": row.entries
            });
            let line = format!(
                "{}  {path}: {} 户 households, {} 条 log entries",
                row.scope, row.households, row.entries
            );
            (line, value)
        })))
    }

    /// Whether all of these areas lie in the office's own; this machine's operator sees them all.
    pub(super) fn oversees(&self, areas: &[u64]) -> bool {
        if self.by.is_empty() {
            return true;
        }
        let office = self.app.accounts.account(self.by).ok().flatten();
        office
            .filter(|office| !office.disabled)
            .is_some_and(|office| areas.iter().all(|area| authority::covers(&office.areas, *area)))
    }
}
