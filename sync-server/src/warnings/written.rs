//! Puts on record what was found in households, as whoever found it may write, many in one transaction. Must not know what is
//! looked for, or a rule.

use wanhu_core::document::DocumentError;
use wanhu_core::document::edit::RecordEdit;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::{self, Household};

use crate::accounts::Account;
use crate::app::App;
use crate::storage::author::{self, Author, WriteRefused};
use crate::storage::policies;

/// Households written in one transaction: phones get their turn in between.
pub(crate) const HOUSEHOLDS_A_TURN: usize = 1_000;

/// The change that a household's record calls for, and the record it was found in.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) household: Household,
    pub(crate) edit: RecordEdit,
}

/// What became of changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    /// Households changed.
    pub(crate) written: u64,
    /// Of them those that were warned of something.
    pub(crate) warned: u64,
    /// Of them those where something was marked as taken back by its source.
    pub(crate) taken_back: u64,
    /// Of them those where neither was.
    pub(crate) filled_in: u64,
    pub(crate) refused: Vec<HouseholdId>,
    /// Households whose record is another by now: what was found in them is not written.
    pub(crate) anew: Vec<i64>,
}

/// Writes a change in each of these households.
pub(crate) fn record(
    app: &App,
    account: &Account,
    changes: Vec<Judged>,
) -> Result<Recorded, StoreError> {
    if changes.is_empty() {
        return Ok(Recorded::default());
    }
    let (now_ms, person_key) = (app.clock.now_ms(), app.person_key);
    let author = Author::office(account.clone(), now_ms, person_key);
    let policy = app.policy.clone();
    app.storage.writer().write(move |transaction| {
        let mut recorded = Recorded::default();
        policies::keep(transaction, &policy, now_ms)?;
        for Judged { household, edit } in changes {
            if !records::is_as_read(transaction, &household)? {
                recorded.anew.push(household.n);
                continue;
            }
            let id = household.id;
            match author::write(transaction, &author, &policy.policy, household, &edit)? {
                Ok(()) => {
                    recorded.written += 1;
                    let warns = edit.new_rows.iter().any(|row| row.container == "warnings");
                    let takes_back = edit.fields.iter().any(|set| set.key.ends_with(".withdrawn"));
                    recorded.warned += u64::from(warns);
                    recorded.taken_back += u64::from(takes_back);
                    recorded.filled_in += u64::from(!warns && !takes_back);
                }
                // The same delivery on another desk was faster.
                Err(WriteRefused::Change(DocumentError::Empty)) => {}
                Err(
                    WriteRefused::Edit(_)
                    | WriteRefused::Denied(_)
                    | WriteRefused::Step(_)
                    | WriteRefused::MergedAway
                    | WriteRefused::Change(_),
                ) => recorded.refused.push(id),
            }
        }
        Ok(recorded)
    })
}
