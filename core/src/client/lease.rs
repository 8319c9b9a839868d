//! How long a phone's records may be read without a word from the server: a phone that was lost and is
//! kept away from the network closes by itself. What waits on it stays and is sent at the next contact.
//! Must not trust a clock that was set back.

use rusqlite::Connection;

use crate::error::LedgerError;
use crate::store::StoreError;
use crate::store::replica::{self, Setting};

/// How often the latest time seen is written down, in milliseconds.
const STEP_MS: i64 = 3_600_000;

/// The lease as the server gave it last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lease {
    until_ms: Option<i64>,
    latest_ms: i64,
}

impl Lease {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let until_ms = replica::time(connection, Setting::LeaseUntil)?;
        let latest_ms = replica::time(connection, Setting::LatestSeen)?.unwrap_or(i64::MIN);
        Ok(Self { until_ms, latest_ms })
    }

    /// Whether records may be shown at `now_ms`.
    ///
    /// # Errors
    /// `SessionExpired` with `lease_over`: a sync opens them again.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let Some(until_ms) = self.until_ms else { return Ok(()) };
        if now_ms >= self.latest_ms.saturating_add(STEP_MS) {
            replica::set_time(connection, Setting::LatestSeen, now_ms)?;
            self.latest_ms = now_ms;
        }
        if self.latest_ms.max(now_ms) < until_ms {
            return Ok(());
        }
        Err(LedgerError::SessionExpired { reason: "lease_over".into() })
    }
}
