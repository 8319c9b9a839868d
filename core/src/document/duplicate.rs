//! Two records of one family: how they are recognised, and what the one lacks that the other has. Looks at
//! folded states only; must not know where they are stored or who may write what.

use std::collections::{BTreeMap, HashSet};

use super::change::Change;
use super::draft::FieldEdit;
use super::fold::Fold;
use super::genesis::ContainerIndex;
use super::record::{Row, row_key, rows, split_key, value};
use crate::domain::identity::IdentityNumber;
use crate::domain::ids::{ChangeHash, HouseholdId, OpId};
use crate::domain::schema::{FieldKind, Schema};
use crate::domain::value::Value;

/// Why two records may be of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Likeness {
    /// A person with the same identity number lives in both.
    SamePerson,
    /// One was merged into the other, and somebody who did not know has written in it since.
    WrittenSince,
    /// The same head's name in one village, something else that agrees, and nothing that contradicts.
    SameFamily,
}

/// Fields that say what a record is, not what a family is like.
const OF_THE_RECORD: [&str; 5] =
    ["area_code", "status", "status_reason", "merged_into", "merged_changes"];

/// The record that this one was merged into.
pub fn merged_into(fold: &Fold) -> Option<HouseholdId> {
    let text = |field| value(fold, "basic", field).and_then(Value::as_text);
    text("merged_into").filter(|_| text("status") == Some("merged"))?.parse().ok()
}

/// Where a record says that its family is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// In itself.
    Here,
    /// In the record that it was merged into.
    To(HouseholdId),
    /// It was merged, and names no record.
    Nowhere,
}

/// Where a record leads.
pub fn leads(fold: &Fold) -> Leads {
    match merged_into(fold) {
        Some(into) => Leads::To(into),
        None if value(fold, "basic", "status").and_then(Value::as_text) == Some("merged") => {
            Leads::Nowhere
        }
        None => Leads::Here,
    }
}

/// What following a record from one merge to the next comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A record that stands.
    Standing,
    /// These, each merged into the next and the last into the first: nobody finds the family any more.
    Circle(Vec<HouseholdId>),
    /// No record, or too long a way.
    Nowhere,
}

/// Merges one after the other that are followed. Nobody merges a family so often by mistake.
const MERGES_MAX: usize = 64;

/// Follows a record that leads to `first`; `look` says where another one leads.
///
/// # Errors
/// As `look` reports.
pub fn end<E>(
    id: HouseholdId,
    first: Leads,
    mut look: impl FnMut(HouseholdId) -> Result<Leads, E>,
) -> Result<End, E> {
    let (mut passed, mut at) = (vec![id], first);
    while passed.len() <= MERGES_MAX {
        let next = match at {
            Leads::Here => return Ok(End::Standing),
            Leads::Nowhere => return Ok(End::Nowhere),
            Leads::To(next) => next,
        };
        if let Some(place) = passed.iter().position(|known| *known == next) {
            return Ok(End::Circle(passed.split_off(place)));
        }
        passed.push(next);
        at = look(next)?;
    }
    Ok(End::Nowhere)
}

/// Where a change makes a record lead: `Here` also where it has nothing to do with that.
pub fn leads_after(fold: &Fold, change: &Change) -> Leads {
    let mut ops = change.ops.iter().filter(|op| op.container.name() == "basic");
    if !ops.any(|op| matches!(op.key.as_str(), "status" | "merged_into")) {
        return Leads::Here;
    }
    let mut after = fold.clone();
    after.apply(change);
    leads(&after)
}

/// The members who live in the household.
fn people(fold: &Fold) -> Vec<Row<'_>> {
    members(fold).filter(|member| !has_left(member)).collect()
}

fn members(fold: &Fold) -> impl Iterator<Item = Row<'_>> {
    let members = ContainerIndex::of("members").map(|members| rows(fold, members));
    members.unwrap_or_default().into_iter()
}

fn has_left(member: &Row<'_>) -> bool {
    member.text("presence") == "left"
}

fn number(person: &Row<'_>) -> Option<IdentityNumber> {
    IdentityNumber::parse(person.text("identity_number")).ok()
}

/// The identity numbers of those who live in a household.
pub fn identity_numbers(fold: &Fold) -> Vec<IdentityNumber> {
    people(fold).iter().filter_map(number).collect()
}

/// The identity numbers of those who are on record as having left a household, dead or alive.
pub fn identity_numbers_left(fold: &Fold) -> Vec<IdentityNumber> {
    members(fold).filter(has_left).filter_map(|member| number(&member)).collect()
}

/// Whether two records of one village may be of one family, and why.
pub fn likeness(first: &Fold, second: &Fold) -> Option<Likeness> {
    let (ours, theirs) = (people(first), people(second));
    let pairs = || ours.iter().flat_map(|one| theirs.iter().map(move |other| (one, other)));
    if pairs().any(|(one, other)| number(one).is_some() && number(one) == number(other)) {
        return Some(Likeness::SamePerson);
    }
    let text = |fold, field| value(fold, "basic", field).and_then(Value::as_text);
    let same =
        |field| text(first, field).is_some_and(|t| !t.is_empty() && Some(t) == text(second, field));
    let named_alike = || pairs().filter(|(one, other)| is_named_alike(one, other));
    let contradicted =
        named_alike().any(|(one, other)| number(one).is_some() && number(other).is_some());
    let agrees = same("phone") || named_alike().count() > 1 || ours.len().min(theirs.len()) <= 1;
    (same("head_name") && agrees && !contradicted).then_some(Likeness::SameFamily)
}

fn is_named_alike(one: &Row<'_>, other: &Row<'_>) -> bool {
    !one.text("name").is_empty() && one.text("name") == other.text("name")
}

/// The changes of a record that no merge has seen yet; all of them where there was none.
pub fn unmerged(changes: &[Change]) -> Vec<&Change> {
    let is_merge = |change: &Change| {
        let mut ops = change.ops.iter().filter(|op| op.container.name() == "basic");
        ops.any(|op| matches!(op.key.as_str(), "merged_into" | "merged_changes"))
    };
    let mut seen: HashSet<ChangeHash> = HashSet::new();
    let mut unseen = Vec::new();
    // Changes are stored after what they depend on.
    for change in changes.iter().rev() {
        if seen.contains(&change.hash) || is_merge(change) {
            seen.extend(&change.deps);
        } else {
            unseen.push(change);
        }
    }
    unseen
}

/// What `kept` lacks and `duplicate` has from these changes. Where both have a value, the kept record's
/// stands and the other can still be read in the duplicate. Members are the same people by identity number,
/// else by name.
pub fn missing_in(kept: &Fold, duplicate: &Fold, changes: &[&Change]) -> Vec<FieldEdit> {
    let written: HashSet<OpId> = changes
        .iter()
        .flat_map(|c| c.ops.iter().map(|op| OpId { counter: op.counter, actor: c.actor }))
        .collect();
    let same_rows = same_people(kept, duplicate);
    let named = |row: &str| same_rows.get(row).map_or_else(|| row.to_owned(), String::clone);
    let mut edits = Vec::new();
    for (container, key, entries) in duplicate.fields() {
        let shown = entries.last().filter(|entry| written.contains(&entry.id));
        let Some(value) = shown.map(|entry| entry.value.clone()) else { continue };
        if container.name() == "basic" && OF_THE_RECORD.contains(&key) {
            continue;
        }
        let (row, field) = if container.has_rows() { split_key(key) } else { ("", key) };
        let value = match (value, Schema::base().field(container.name(), field)) {
            (Value::Text(row), Some(field)) if field.kind == FieldKind::Id => {
                Value::Text(named(&row))
            }
            (value, _) => value,
        };
        let is_members = container.name() == "members";
        let key = if is_members { row_key(&named(row), field) } else { key.to_owned() };
        if kept.get(container, &key).is_none() {
            edits.push(FieldEdit { container, key, value: Some(value) });
        }
    }
    edits
}

/// Rows of the duplicate's members by the kept record's rows of the same people.
fn same_people(kept: &Fold, duplicate: &Fold) -> BTreeMap<String, String> {
    let ours = people(kept);
    let is_same = |one: &Row<'_>, other: &Row<'_>| match (number(one), number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => is_named_alike(one, other),
    };
    let mut same = BTreeMap::new();
    for person in people(duplicate) {
        let taken = |row: &&Row<'_>| !same.values().any(|known| known == row.id);
        if let Some(row) = ours.iter().filter(taken).find(|one| is_same(one, &person)) {
            let row = row.id.to_owned();
            same.insert(person.id.to_owned(), row);
        }
    }
    same
}
