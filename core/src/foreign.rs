//! How ids and days look to other languages: as the texts people see. A text that is none is an invalid input of the call
//! it was given to. Must not hold a rule.

use crate::domain::day::Day;
use crate::domain::ids::{ActorId, HouseholdId};
use crate::error::LedgerError;

uniffi::custom_type!(HouseholdId, String, {
    lower: |id| id.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| LedgerError::invalid("household", "not_an_id"))?),
});

uniffi::custom_type!(ActorId, String, {
    lower: |id| id.to_string(),
    try_lift: |text| match uuid::Uuid::parse_str(&text) {
        Ok(id) => Ok(ActorId(id.into_bytes())),
        Err(_) => Err(LedgerError::invalid("actor", "not_an_id").into()),
    },
});

uniffi::custom_type!(Day, String, {
    lower: |day| day.to_string(),
    try_lift: |text| Ok(text.parse().map_err(|_| LedgerError::invalid("day", "not_a_day"))?),
});
