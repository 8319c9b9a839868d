//! A folded state as the rules see it: the shown value of every field, but of an answer that two people gave differently none. Must
//! not interpret one.

use super::fold::{Entry, Fold, differ};
use super::genesis::ContainerIndex;
use super::record::split_key;
use crate::domain::facts::Facts;

/// Fields that answer a task, each with its container and the field of its day: which of two answers stands is nothing that a
/// counter decides.
pub(super) const ANSWERS: [(&str, &str, &str); 2] =
    [("warnings", "answer", "answered_on"), ("clues", "outcome", "outcome_on")];

/// The values a household shows.
pub fn facts(fold: &Fold, village: u64) -> Facts {
    collected(fold.fields(), village)
}

/// The values that some containers of a household show, as if there were no others.
pub fn facts_of(fold: &Fold, village: u64, containers: &[&str]) -> Facts {
    let containers = containers.iter().filter_map(|name| ContainerIndex::of(name));
    let fields = containers.flat_map(|container| {
        fold.container(container).map(move |(key, entries)| (container, key, entries))
    });
    collected(fields, village)
}

fn collected<'f>(
    fields: impl Iterator<Item = (ContainerIndex, &'f str, &'f [Entry])>,
    village: u64,
) -> Facts {
    let mut facts = Facts::of(village);
    for (container, key, entries) in fields {
        let Some(shown) = entries.last() else { continue };
        let (row, field) = if container.has_rows() { split_key(key) } else { ("", key) };
        // The task that asked for it stays until somebody settles what is so.
        let is_answer =
            |(own, answer, _): &(&str, &str, &str)| (*own, *answer) == (container.name(), field);
        if ANSWERS.iter().any(is_answer) && differ(entries) {
            continue;
        }
        facts.set(container.name(), row, field, shown.value.clone());
    }
    facts
}
