//! Changes that the server refused: an office looks at those of its villages, and lets one in. Must not judge a change.

use rusqlite::Connection;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::region;
use wanhu_core::store::StoreError;
use wanhu_core::sync::wire::RefusalCode;

use super::pages::page;
use super::words::refusal_words;
use super::{AdminError, Office, Output, PageArguments, done, lines, plain};
use crate::accounts::Account;
use crate::storage::quarantine::{self, QuarantineRow};

/// For how long what was refused stands before the tasks, in milliseconds: 30 days.
const LATELY_MS: i64 = 30 * 86_400_000;

impl Office<'_> {
    /// What waits in the villages that this office decides for.
    pub(super) fn list_quarantine(&self, asked: &PageArguments<i64>) -> Result<Output, AdminError> {
        self.must_decide()?;
        let (list, after) = (&self.app.regions, asked.after.unwrap_or_default());
        let sees = |village| self.must_decide_for(village).is_ok();
        let read = |c: &Connection| quarantine::waiting(c, after, asked.rows_read(), sees);
        let mut rows = self.app.storage.read(read)?;
        let go_on = asked.cut(&mut rows, |row| row.n.to_string());
        let rows = rows.into_iter().map(|row| {
            let code = row.told();
            let (zh, en) = refusal_words(code);
            let path = list.path(row.scope).join(" ");
            let author = row.content().map(|(stamp, _)| stamp).unwrap_or_default();
            let (n, name, household) = (row.n, &author.name, row.household.to_string());
            let line = format!(
                "{n}\t{path}\t{household}\t{name}\t设备 device {}\t{zh} · {en}",
                row.device
            );
            let value = serde_json::json!({
                "number": n, "household": household, "village": row.scope, "code": code,
                "account": author.account, "name": name, "device": row.device,
                "received_ms": row.received_ms
            });
            (line, value)
        });
        Ok(page(rows, go_on))
    }

    /// A line before a township's tasks where the server refused changes lately: whoever made them may not know what to do.
    pub(super) fn waiting_in_quarantine(
        &self,
        office: &Account,
    ) -> Result<Option<(String, serde_json::Value)>, AdminError> {
        let since_ms = self.app.clock.now_ms().saturating_sub(LATELY_MS);
        let (mut count, mut oldest_ms) = (0, None::<i64>);
        for area in &office.areas {
            let villages = region::villages_of(*area);
            let found = self.app.storage.read(|c| quarantine::count(c, villages, since_ms))?;
            count += found.0;
            oldest_ms = oldest_ms.into_iter().chain(found.1).min();
        }
        let Some(oldest) = oldest_ms.map(Day::in_china) else { return Ok(None) };
        let text = format!(
            "近 30 日被拒的修改,见 quarantine · refused within 30 days, see quarantine: {count}\t最早 since {oldest}"
        );
        let value = serde_json::json!({
            "task": { "kind": "look_at_quarantine", "due_on": null, "subject": "" },
            "count": count, "since": oldest.to_string()
        });
        Ok(Some((text, value)))
    }

    fn quarantined(&self, number: i64) -> Result<QuarantineRow, AdminError> {
        let row = self.app.storage.read(|connection| quarantine::one(connection, number));
        let row = row.map_err(|error| {
            if matches!(error, StoreError::NotFound) {
                AdminError::QuarantineUnknown
            } else {
                AdminError::Store(error)
            }
        })?;
        self.must_decide_for(row.scope)?;
        Ok(row)
    }

    /// What one of them says, and why it was refused.
    pub(super) fn show_quarantined(&self, number: i64) -> Result<Output, AdminError> {
        let row = self.quarantined(number)?;
        let (zh, en) = refusal_words(row.told());
        let Some((stamp, ops)) = row.content() else {
            return Ok(done("内容无法读取 · content unreadable", &number.to_string()));
        };
        let mut output = lines(ops.iter().map(|op| {
            let field = format!("{}.{}", op.container.name(), op.key);
            let value = plain(op.value.as_ref());
            (
                format!("    {field} = {value}"),
                serde_json::json!({ "field": field, "value": value }),
            )
        }));
        output.text = format!("{} ({}): {zh} · {en}\n{}", stamp.name, stamp.account, output.text);
        Ok(output)
    }

    /// Takes one of them all the same.
    pub(super) fn release(&self, number: i64) -> Result<Output, AdminError> {
        let row = self.quarantined(number)?;
        let (by, now_ms) = (self.by.to_owned(), self.app.clock.now_ms());
        let office = self.account()?.role;
        let policy = self.app.policy.clone();
        let released = self.app.storage.writer().write(move |transaction| {
            quarantine::release(transaction, number, &by, office, &policy.policy, now_ms)
        })?;
        if let Err(code) = released {
            let waits = matches!(code, RefusalCode::DependencyMissing | RefusalCode::SequenceGap);
            let first = self.app.storage.read(|c| quarantine::made_before(c, &row))?;
            return Err(AdminError::NotReleasable { code, first: first.filter(|_| waits) });
        }
        Ok(done("修改已放行 · change released", &number.to_string()))
    }
}
