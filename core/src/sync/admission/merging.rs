//! Two people who do not see each other may merge two records in opposite directions, or three in a circle: taken all, none of
//! them would stand, and the family would be gone from every list. Must not know how anything is kept.

use std::collections::BTreeMap;

use super::RecordLog;
use crate::document::change::Change;
use crate::document::duplicate::{self, End, Leads};
use crate::domain::ids::HouseholdId;
use crate::store::records::Household;

/// Whether a change merges its household away: into a record that leads back to it, or to none that stands. `held` are records
/// that are further than the log has them.
///
/// # Errors
/// Where storage fails.
pub fn merges_away<L: RecordLog>(
    log: &mut L,
    household: &Household,
    change: &Change,
    held: &BTreeMap<HouseholdId, Household>,
) -> Result<bool, L::Error> {
    let first = duplicate::leads_after(&household.fold, change);
    if first == Leads::Here {
        return Ok(false);
    }
    // What a restored server has lost may still come.
    let unknown = if log.takes_back()? { Leads::Here } else { Leads::Nowhere };
    let end = duplicate::end(household.id, first, |id| match held.get(&id) {
        Some(held) => Ok(duplicate::leads(&held.fold)),
        None => Ok(log.find(id)?.map_or(unknown, |known| duplicate::leads(&known.fold))),
    })?;
    Ok(end != End::Standing)
}
