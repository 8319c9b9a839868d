//! A household's facts by the server's clock: no step of its case was taken later than the server took it, whatever the clock of
//! a phone said. Must not know what is due.

use rusqlite::Connection;
use wanhu_core::document;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::Facts;
use wanhu_core::store::StoreError;
use wanhu_core::store::records::Household;

/// What a household shows, with the days of its steps bounded so. A step that states no day was taken when the server took it.
///
/// # Errors
/// Where the file fails.
pub fn facts(connection: &Connection, household: &Household) -> Result<Facts, StoreError> {
    let mut facts = document::facts::facts(&household.fold, household.scope);
    if facts.rows("steps").is_empty() {
        return Ok(facts);
    }
    let mut statement = connection
        .prepare_cached("SELECT step, received_ms FROM step_time WHERE household = ?1")?;
    let mut times = statement.query([household.n])?;
    while let Some(time) = times.next()? {
        let (step, taken): (String, Day) = (time.get(0)?, Day::in_china(time.get(1)?));
        let Some(row) = facts.row("steps", &step) else { continue };
        if row.day("on").is_none_or(|stated| taken < stated) {
            facts.set("steps", &step, "on", taken.to_string().into());
        }
    }
    Ok(facts)
}
