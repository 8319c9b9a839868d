//! Whom a row may be about that has no number, or one that nobody has: people of its name in its village. A proposal for
//! the sender's report and for nothing else; must not write.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Place};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::store::{StoreError, records};

use super::campaign::{Villages, Written};
use super::outcome::{Fault, FaultCode};
use super::rows::Rows;
use crate::accounts::Account;
use crate::app::App;
use crate::storage::search;

/// Rows of one file that are looked into; a file of which more find nobody has another fault.
const ROWS_MAX: usize = 5_000;
/// Households that are looked at for one row.
const NAMESAKES: u32 = 20;

/// Households by the number of the row.
pub(super) type Proposals = BTreeMap<u32, Vec<HouseholdId>>;

/// Proposals for the rows that found nobody.
pub(super) fn proposals(
    app: &App,
    account: &Account,
    rows: &Rows<'_>,
    faults: &[Fault],
) -> Result<Proposals, StoreError> {
    let villages = Villages::of(&app.regions);
    let reaches =
        |village| authority::place(account.role, &account.areas, village) == Place::Inside;
    let place = |village: String| {
        let written = Written { village, ..Written::default() };
        villages.find(&written, reaches).ok().filter(|village| reaches(*village))
    };
    let asked = faults.iter().filter(|fault| finds_nobody(fault.code)).filter_map(|fault| {
        let (name, village) = rows.named(fault.row)?;
        Some((fault.row, name, place(village)?))
    });
    let asked: Vec<_> = asked.take(ROWS_MAX).collect();
    let look = |connection: &Connection, some: &[(u32, String, u64)]| {
        let of = some.iter();
        let of = of.map(|(row, name, village)| Ok((*row, namesakes(connection, name, *village)?)));
        of.collect::<Result<Vec<_>, StoreError>>()
    };
    let found = app.storage.read_in_parts(&asked, look)?.into_iter().flatten();
    Ok(found.filter(|(_, households)| !households.is_empty()).collect())
}

/// Whether a row has no number by which somebody could be found.
fn finds_nobody(code: FaultCode) -> bool {
    [
        FaultCode::IdentityMissing,
        FaultCode::IdentityMalformed,
        FaultCode::IdentityCheck,
        FaultCode::IdentityScientific,
        FaultCode::PersonUnknown,
    ]
    .contains(&code)
}

/// The households of a village in which somebody has exactly this name.
fn namesakes(
    connection: &Connection,
    name: &str,
    village: u64,
) -> Result<Vec<HouseholdId>, StoreError> {
    let filter =
        ListFilter { area: Some(village), search: Some(name.to_owned()), ..ListFilter::default() };
    let mut found = Vec::new();
    for row in search::page(connection, &filter, None, NAMESAKES)? {
        let household = records::find(connection, row.id)?.ok_or(StoreError::NotFound)?;
        let facts = facts(&household.fold, household.scope);
        if facts.people().any(|person| person.text("name") == name) {
            found.push(row.id);
        }
    }
    Ok(found)
}
