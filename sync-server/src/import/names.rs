//! Identity numbers that stand with two names in a file: the name of somebody on record holds. Must not know what else a row says.

use wanhu_core::store::StoreError;

use super::rows::Rows;
use crate::app::App;
use crate::storage::persons::{self, Whereabouts};

/// Has rows read whose number stands with two names, where people on record have the one and not the other.
///
/// # Errors
/// Where the file of the store fails.
pub(super) fn settle(app: &App, rows: &mut Rows<'_>) -> Result<(), StoreError> {
    let named = rows.with_two_names();
    let key = app.person_key;
    let people: Vec<_> =
        named.iter().map(|(number, name)| (key.identity(number), name.as_str())).collect();
    let places = app.storage.read(|c| persons::whereabouts(c, &people))?;
    let has_it = |place: &Whereabouts| matches!(place, Whereabouts::In { has_the_name: true, .. });
    let known: Vec<_> =
        named.iter().zip(&places).filter(|(_, place)| has_it(place)).map(|(n, _)| n).collect();
    for same in known.chunk_by(|(one, _), (other, _)| one == other) {
        if let [(number, name)] = same {
            rows.settle(number, name.clone());
        }
    }
    Ok(())
}
