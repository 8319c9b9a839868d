//! Which roles somebody fills where, so that an office hears of those that nobody does. Must not know what there is to do.

use rusqlite::params;
use wanhu_core::domain::authority::Role;

use super::{AccountError, Accounts};

/// An open account in one of its areas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// The area.
    pub area: u64,
    /// What the person is.
    pub role: Role,
    /// Id of the account.
    pub account: String,
    /// Whether it has a phone that is approved and not revoked.
    pub has_phone: bool,
}

impl Accounts {
    /// Open accounts in the areas of one level from a first code through a last one, by area.
    ///
    /// # Errors
    /// As the store reports.
    pub fn seats(&self, (first, last): (u64, u64)) -> Result<Vec<Seat>, AccountError> {
        let file = self.file();
        let mut statement = file.prepare_cached(
            "SELECT area, role, id, id IN (SELECT account FROM device
                 WHERE approved_ms IS NOT NULL AND revoked_ms IS NULL)
             FROM account_area JOIN account ON id = account_area.account
             WHERE area BETWEEN ?1 AND ?2 AND NOT disabled ORDER BY area, id",
        )?;
        let mut rows = statement.query(params![first.cast_signed(), last.cast_signed()])?;
        let mut seats = Vec::new();
        while let Some(row) = rows.next()? {
            // A role that this release does not know fills nothing here.
            let Some(role) = Role::from_code(row.get_ref(1)?.as_str().unwrap_or_default()) else {
                continue;
            };
            seats.push(Seat {
                area: row.get::<_, i64>(0)?.cast_unsigned(),
                role,
                account: row.get(2)?,
                has_phone: row.get(3)?,
            });
        }
        Ok(seats)
    }
}
