//! From a delivery's rows to changes: what each household's rows call for is looked for on every core, while what was found
//! before is recorded. Must not know a file, a rule or a column.

use std::thread::ScopedJoinHandle;

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::day::Day;
use wanhu_core::store::{StoreError, listing, records};

use super::effects::Reading;
use super::profile::Profile;
use super::provenance;
use crate::accounts::Account;
use crate::app::App;
use crate::storage::department;
use crate::warnings::notice::Sender;
use crate::warnings::written::{Judged, Recorded, record};

/// Judges the households of a delivery.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) app: &'a App,
    pub(super) account: &'a Account,
    /// How its table is read.
    pub(super) profile: &'a Profile,
    /// Number of the delivery.
    pub(super) import: i64,
}

impl Judge<'_> {
    /// Records what was found, and meanwhile looks for what the next households need: none may be among both.
    pub(super) fn turn(
        self,
        found: Vec<Judged>,
        next: &[i64],
    ) -> Result<(Recorded, Vec<Judged>), StoreError> {
        std::thread::scope(|scope| {
            let recording = scope.spawn(|| record(self.app, self.account, found));
            let next = self.changes(next);
            Ok((ended(recording)?, next?))
        })
    }

    /// The changes that some households need, looked for on every core.
    fn changes(self, households: &[i64]) -> Result<Vec<Judged>, StoreError> {
        let of = |connection: &Connection, some: &[i64]| {
            let changes = some.iter().map(|n| self.change(connection, *n));
            changes.filter_map(Result::transpose).collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(self.app.storage.read_in_parts(households, of)?.concat())
    }

    fn change(self, connection: &Connection, n: i64) -> Result<Option<Judged>, StoreError> {
        let rows = department::about(connection, n)?;
        let today = Day::in_china(self.app.clock.now_ms());
        let reading = Reading {
            sender: Sender::of_list(&self.profile.department, self.import, today),
            fills_in: self.profile.fills_in,
            key: &self.app.person_key,
            policy: &self.app.policy.policy,
        };
        // Most households have small bills: their records need not be read.
        if !reading.may_change(&rows) && !listing::may_have_bills(connection, n)? {
            return Ok(None);
        }
        let household = records::get(connection, n)?;
        let facts = facts(&household.fold, household.scope);
        if !reading.may_change_record(&facts, &rows) {
            return Ok(None);
        }
        let filled_in = provenance::filled_in(connection, reading.key, &household, &facts, &rows)?;
        let edit = reading.change(&facts, &rows, &filled_in);
        Ok(edit.map(|edit| Judged { household, edit }))
    }
}

/// What a thread came to. A panic in it is ours as well.
fn ended<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
