//! Cases by the server's clock: nothing was entered later than the server took its step, whatever the clock of a phone said.
//! Must not know what is due.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::domain::workflow::Case;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::Household;

/// The case of a household with these facts. A step that states no day was taken when the server took it.
///
/// # Errors
/// Where the file fails.
pub fn case(
    connection: &Connection,
    household: &Household,
    facts: &Facts,
) -> Result<Case, StoreError> {
    let case = Case::of(facts);
    if case.path.is_empty() {
        return Ok(case);
    }
    let mut statement = connection
        .prepare_cached("SELECT step, received_ms FROM step_time WHERE household = ?1")?;
    let times = statement.query_map([household.n], |row| {
        Ok((row.get::<_, String>(0)?, Day::in_china(row.get(1)?)))
    })?;
    Ok(case.taken_by(&times.collect::<Result<BTreeMap<_, _>, _>>()?))
}
