//! Two records of one family on this phone: proposed, and made one when a person says so. The merged record
//! stays with its history and names the one it went into. Must not merge by itself.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::ledger::{Inner, Ledger, not_found};
use super::write::follow;
use crate::document::change::Change;
use crate::document::draft::FieldEdit;
use crate::document::duplicate::{self, End, Likeness};
use crate::document::genesis::ContainerIndex;
use crate::document::record::Stamp;
use crate::domain::ids::{ActorId, HouseholdId};
use crate::domain::value::Value;
use crate::error::LedgerError;
use crate::store::records::Household;
use crate::store::{StoreError, listing, records};

/// Two records that may be of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Duplicate {
    /// Why.
    pub likeness: Likeness,
    /// The one to keep, where one was merged before; else the one with the smaller id.
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
            for n in listing::merged(connection)? {
                if let Some(rest) = Merge::of_the_rest(connection, n)?.filter(Merge::moves) {
                    let (likeness, first) = (Likeness::WrittenSince, rest.kept.id);
                    found.insert(Duplicate { likeness, first, second: rest.duplicate.id });
                }
            }
            Ok(found.into_iter().collect())
        })
    }

    /// Makes two records one: `kept` gets what it lacks, `duplicate` is marked as merged into it and stays
    /// readable. Both are saved, or nothing. Once more for the same two, it brings over what was written in the
    /// merged one since.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` where one of them was merged into a third, or nothing is left to do;
    /// `NotPermitted` where the duplicate holds what this person may not write: then it is the one to keep.
    pub fn merge(&self, kept: HouseholdId, duplicate: HouseholdId) -> Result<(), LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.opened()?;
        let find = |id| records::find(&inner.connection, id)?.ok_or_else(|| not_found(id));
        let (kept, duplicate) = (find(kept)?, find(duplicate)?);
        let before = duplicate::merged_into(&duplicate.fold);
        let is_third = before.is_some_and(|into| into != kept.id);
        let is_merged = duplicate::merged_into(&kept.fold).is_some();
        let merge = Merge::new(&inner.connection, kept, duplicate)?;
        if merge.kept.id == merge.duplicate.id || is_third || is_merged || merge.unseen.is_empty() {
            return Err(LedgerError::invalid("duplicate", "merged_before"));
        }
        merge.save(inner, now_ms)
    }

    /// Lets a record stand again where some were merged into one another in a circle, which servers took once: the one with
    /// the smallest id, so that all phones choose the same. Whether there was any. What waits to be sent is judged first.
    pub(super) fn stand_again(&self) -> Result<bool, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.lock()?;
        let mut stands = false;
        for n in listing::merged(&inner.connection)? {
            let household = records::get(&inner.connection, n)?;
            let first = duplicate::leads(&household.fold);
            let End::Circle(circle) = follow(&inner.connection, household.id, first)? else {
                continue;
            };
            let mut is_settled = circle.iter().min() == Some(&household.id);
            for id in circle {
                let row = listing::one(&inner.connection, id)?;
                is_settled &= row.is_some_and(|row| row.pending == 0);
            }
            if !is_settled {
                continue;
            }
            // What it was merged into stays said: it has no meaning without the state, and a merge sees from it what it saw.
            let saves = vec![(household, mark(&[("status", "active".into())]))];
            stands |= is_written(inner.save_together(saves, &merging(inner), now_ms))?;
        }
        Ok(stands)
    }

    /// Brings over what this phone wrote in records that somebody merged meanwhile. Whether there was
    /// any. What this person may not write, or not at once, stays where it is and is proposed.
    pub(super) fn bring_over(&self) -> Result<bool, LedgerError> {
        let now_ms = self.now_ms();
        let inner = &mut *self.lock()?;
        let mut brought = false;
        for n in listing::merged(&inner.connection)? {
            let rest = Merge::of_the_rest(&inner.connection, n)?;
            let Some(rest) = rest.filter(|rest| rest.unseen.contains(&inner.actor)) else {
                continue;
            };
            brought |= is_written(rest.save(inner, now_ms))?;
        }
        Ok(brought)
    }
}

/// Whether a save was made; one that the rules do not allow is left to people.
fn is_written(saved: Result<(), LedgerError>) -> Result<bool, LedgerError> {
    match saved {
        Ok(()) => Ok(true),
        Err(
            LedgerError::NotPermitted { .. }
            | LedgerError::InvalidInput { .. }
            | LedgerError::IllegalStep { .. },
        ) => Ok(false),
        Err(error) => Err(error),
    }
}

/// How a merge is signed.
fn merging(inner: &Inner) -> Stamp {
    Stamp { form: "merge/1".into(), ..inner.writer.stamp.clone() }
}

/// Two records about to become one.
struct Merge {
    kept: Household,
    duplicate: Household,
    /// What the kept one gets.
    missing: Vec<FieldEdit>,
    /// What the duplicate says of itself from then on.
    marks: Vec<FieldEdit>,
    /// Who wrote in the duplicate what no merge has seen.
    unseen: BTreeSet<ActorId>,
}

impl Merge {
    fn new(
        connection: &Connection,
        kept: Household,
        duplicate: Household,
    ) -> Result<Self, StoreError> {
        let stored = records::changes(connection, duplicate.n)?;
        let changes = stored
            .iter()
            .map(|stored| Change::decode_named(&stored.raw, stored.hash))
            .collect::<Result<Vec<_>, _>>()?;
        let unseen = duplicate::unmerged(&changes);
        let missing = duplicate::missing_in(&kept.fold, &duplicate.fold, &unseen);
        let unseen = unseen.into_iter().map(|change| change.actor).collect();
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let marks = marks(kept.id, count);
        Ok(Self { kept, duplicate, missing, marks, unseen })
    }

    /// What was written in a record after it had been merged.
    fn of_the_rest(connection: &Connection, n: i64) -> Result<Option<Self>, StoreError> {
        let duplicate = records::get(connection, n)?;
        let Some(kept) = duplicate::merged_into(&duplicate.fold) else { return Ok(None) };
        let Some(kept) = records::find(connection, kept)? else { return Ok(None) };
        Ok(Some(Self::new(connection, kept, duplicate)?))
    }

    fn moves(&self) -> bool {
        !self.missing.is_empty()
    }

    fn save(self, inner: &mut Inner, now_ms: i64) -> Result<(), LedgerError> {
        let stamp = merging(inner);
        let saves = [(self.kept, self.missing), (self.duplicate, self.marks)];
        let saves = saves.into_iter().filter(|(_, edits)| !edits.is_empty()).collect();
        inner.save_together(saves, &stamp, now_ms)
    }
}

fn marks(kept: HouseholdId, changes: i64) -> Vec<FieldEdit> {
    mark(&[
        ("status", Value::from("merged")),
        ("merged_into", kept.to_string().into()),
        ("merged_changes", Value::Int(changes)),
    ])
}

fn mark(marks: &[(&str, Value)]) -> Vec<FieldEdit> {
    let Some(container) = ContainerIndex::of("basic") else { return Vec::new() };
    let mark = |(field, value): &(&str, Value)| FieldEdit {
        container,
        key: (*field).to_owned(),
        value: Some(value.clone()),
    };
    marks.iter().map(mark).collect()
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
