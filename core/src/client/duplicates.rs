//! Two records of one family on this phone: proposed, and made one when a person says so. The merged record
//! stays with its history and names the one it went into. Must not merge by itself.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::ledger::{Ledger, not_found};
use crate::document::draft::FieldEdit;
use crate::document::duplicate::{self, Likeness};
use crate::document::genesis::ContainerIndex;
use crate::document::record::Stamp;
use crate::domain::ids::HouseholdId;
use crate::domain::value::Value;
use crate::error::LedgerError;
use crate::store::records::Household;
use crate::store::{StoreError, listing, records};

/// Two records that may be of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// Why.
    pub likeness: Likeness,
    /// The one with the smaller id.
    pub first: HouseholdId,
    /// The other.
    pub second: HouseholdId,
}

impl Ledger {
    /// Records on this phone that may be of one family, the surest first. Reads every record.
    ///
    /// # Errors
    /// As the store reports.
    pub fn duplicates(&self) -> Result<Vec<Duplicate>, LedgerError> {
        self.read(|connection| {
            let mut found = BTreeSet::new();
            for pair in candidates(connection)? {
                let (first, second) =
                    (records::get(connection, pair.0)?, records::get(connection, pair.1)?);
                if let Some(likeness) = duplicate::likeness(&first.fold, &second.fold) {
                    let (first, second) = (first.id.min(second.id), first.id.max(second.id));
                    found.insert(Duplicate { likeness, first, second });
                }
            }
            Ok(found.into_iter().collect())
        })
    }

    /// Makes two records one: `kept` gets what it lacks, `duplicate` is marked as merged into it and stays
    /// readable. Both are saved, or nothing.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` where one of them was merged before; `NotPermitted` where the duplicate
    /// holds what this person may not write: then it is the one to keep.
    pub fn merge(&self, kept: HouseholdId, duplicate: HouseholdId) -> Result<(), LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let find = |id| records::find(&inner.connection, id)?.ok_or_else(|| not_found(id));
        let (kept, duplicate) = (find(kept)?, find(duplicate)?);
        if kept.id == duplicate.id
            || duplicate::is_merged(&kept.fold)
            || duplicate::is_merged(&duplicate.fold)
        {
            return Err(LedgerError::invalid("duplicate", "merged_before"));
        }
        let missing = duplicate::missing_in(&kept.fold, &duplicate.fold);
        let marks = merged_into(kept.id);
        let stamp = Stamp { form: "merge/1".into(), ..inner.writer.stamp.clone() };
        let mut saves = vec![(duplicate, marks)];
        if !missing.is_empty() {
            saves.insert(0, (kept, missing));
        }
        inner.save_together(saves, &stamp, now_ms)
    }
}

fn merged_into(kept: HouseholdId) -> Vec<FieldEdit> {
    let set = |field: &str, value: Value| {
        let container = ContainerIndex::of("basic")?;
        Some(FieldEdit { container, key: field.to_owned(), value: Some(value) })
    };
    let marks = [set("status", "merged".into()), set("merged_into", kept.to_string().into())];
    marks.into_iter().flatten().collect()
}

/// Pairs of local numbers worth a closer look: a person in both, or the same head's name in one village.
fn candidates(connection: &Connection) -> Result<BTreeSet<(i64, i64)>, StoreError> {
    let mut pairs: BTreeSet<(i64, i64)> = listing::namesakes(connection)?.into_iter().collect();
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    for n in listing::unmerged(connection)? {
        let Household { fold, .. } = records::get(connection, n)?;
        for number in duplicate::identity_numbers(&fold) {
            match seen.get(number.as_str()) {
                Some(other) if *other != n => {
                    pairs.insert((*other, n));
                }
                Some(_) => {}
                None => {
                    seen.insert(number.as_str().to_owned(), n);
                }
            }
        }
    }
    Ok(pairs)
}
