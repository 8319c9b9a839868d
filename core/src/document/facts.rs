//! A folded state as the rules see it: the shown value of every field. Must not interpret one.

use super::fold::Fold;
use super::record::split_key;
use crate::domain::facts::Facts;

/// The values a household shows.
pub fn facts(fold: &Fold, village: u64) -> Facts {
    let mut facts = Facts::of(village);
    for (container, key, entries) in fold.fields() {
        let Some(shown) = entries.last() else { continue };
        let (row, field) = if container.has_rows() { split_key(key) } else { ("", key) };
        facts.set(container.name(), row, field, shown.value.clone());
    }
    facts
}
