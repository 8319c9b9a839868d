//! Operations as the rules of authority see them: which field, what value, and whether something is there
//! already. Must not hold a rule of its own.

use super::change::Change;
use super::draft::FieldEdit;
use super::fold::Fold;
use super::genesis::ContainerIndex;
use super::record::split_key;
use crate::domain::authority::{self, Deed, Denial, Place, Role};
use crate::domain::schema::Schema;
use crate::domain::value::Value;

/// Judges a change that came in, on top of the state it will be folded into.
///
/// # Errors
/// The first deed that is not allowed.
pub fn judge_change(role: Role, place: Place, fold: &Fold, change: &Change) -> Result<(), Denial> {
    let ops = change.ops.iter().map(|op| (op.container, op.key.as_str(), op.value.as_ref()));
    judge(role, place, fold, ops)
}

/// Judges a change before it is made.
///
/// # Errors
/// The first deed that is not allowed.
pub fn judge_edits(
    role: Role,
    place: Place,
    fold: &Fold,
    edits: &[FieldEdit],
) -> Result<(), Denial> {
    let edits = edits.iter().map(|e| (e.container, e.key.as_str(), e.value.as_ref()));
    judge(role, place, fold, edits)
}

/// The field a key names: behind the row in a container with rows.
pub fn field_of(container: ContainerIndex, key: &str) -> &str {
    if container.has_rows() { split_key(key).1 } else { key }
}

fn judge<'a>(
    role: Role,
    place: Place,
    fold: &Fold,
    ops: impl Iterator<Item = (ContainerIndex, &'a str, Option<&'a Value>)>,
) -> Result<(), Denial> {
    let deeds: Vec<Deed<'_>> = ops
        .map(|(container, key, value)| Deed {
            container: container.name(),
            row: if container.has_rows() { split_key(key).0 } else { "" },
            field: field_of(container, key),
            value,
            // What is on record counts, not what the author claims to have seen.
            exists: fold.entries(container, key).len() > 0,
        })
        .collect();
    authority::judge(Schema::base(), role, place, &deeds)
}
