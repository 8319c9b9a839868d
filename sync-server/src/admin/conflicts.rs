//! Fields of a record as a desk shows them, and those in which two people differ. Must not show what the account may not
//! read.

use wanhu_core::document::edit::RecordEdit;
use wanhu_core::document::facts::facts;
use wanhu_core::document::fold::Entry;
use wanhu_core::document::genesis::ContainerIndex;
use wanhu_core::document::judge::field_of;
use wanhu_core::domain::notice::Scrubber;
use wanhu_core::domain::schema::{Field, FieldKind, Schema, Sensitivity};
use wanhu_core::domain::value::Value;
use wanhu_core::store::records::Household;

use super::plain;
use crate::accounts::Account;

/// An account before a record.
pub(super) struct Reader<'a> {
    account: &'a Account,
    /// For free text, where the account may not read all that people write there.
    scrubber: Option<Scrubber>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(account: &'a Account, household: &Household) -> Self {
        let facts = facts(&household.fold, household.scope);
        Self { account, scrubber: Scrubber::for_role(account.role, &facts) }
    }

    /// What somebody wrote, as the account may see it.
    pub(super) fn words(&self, text: &str) -> String {
        let scrubbed = self.scrubber.as_ref().map(|scrubber| scrubber.scrub(text));
        scrubbed.unwrap_or_else(|| text.to_owned())
    }

    /// A value as the account may see it.
    fn seen(&self, container: ContainerIndex, field: Option<&Field>, value: &Value) -> Value {
        match (&self.scrubber, field, value) {
            (Some(scrubber), Some(field), Value::Text(text)) => {
                scrubber.scrub_field(container.name(), field, text).into()
            }
            _ => value.clone(),
        }
    }
}

/// A field as an account may see it.
pub(super) struct Shown {
    field: String,
    label: String,
    value: Value,
    /// What others wrote instead.
    others: Vec<Value>,
    /// The list that its codes are of; empty for none.
    list: String,
}

impl Shown {
    /// A field with what stands in it; none where the account may not read it.
    pub(super) fn of(
        reader: &Reader<'_>,
        container: ContainerIndex,
        key: &str,
        entries: &[Entry],
    ) -> Option<Self> {
        let name = field_of(container, key);
        let field = Schema::base().field(container.name(), name);
        // What a newer release added is shown to those who may see everything.
        let sensitivity = field.map_or(Sensitivity::Sensitive, |field| field.sensitivity);
        let (shown, others) =
            entries.split_last().filter(|_| reader.account.role.may_read(sensitivity))?;
        let others = others.iter().filter(|entry| entry.value != shown.value);
        Some(Self {
            field: format!("{}.{key}", container.name()),
            label: field.map_or(name, |field| field.zh.as_str()).to_owned(),
            value: reader.seen(container, field, &shown.value),
            others: others.map(|entry| reader.seen(container, field, &entry.value)).collect(),
            list: match field.map(|field| &field.kind) {
                Some(FieldKind::Choice { list }) => list.clone(),
                _ => String::new(),
            },
        })
    }

    /// Values as people read them: codes by their names.
    fn words<'v>(&self, values: impl IntoIterator<Item = &'v Value>) -> String {
        let words = values.into_iter().map(|value| {
            let code = value.as_text().and_then(|code| Schema::base().code(&self.list, code));
            code.map_or_else(|| plain(Some(value)).to_string(), |code| code.zh.clone())
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// A line, with a mark where others wrote something else.
    pub(super) fn text(&self) -> String {
        let Self { field, label, value, others, .. } = self;
        let mark = match others[..] {
            [] => String::new(),
            _ => format!("\t冲突,另有 also: {}", self.words(others)),
        };
        format!("{field}\t{label}\t{}{mark}", self.words([value]))
    }

    /// For scripts.
    pub(super) fn json(&self) -> serde_json::Value {
        let Self { field, value, others, .. } = self;
        let others: Vec<_> = others.iter().map(|value| plain(Some(value))).collect();
        serde_json::json!({ "field": field, "value": plain(Some(value)), "others": others })
    }

    /// What is said of a conflict that a save has settled.
    pub(super) fn settled(&self) -> String {
        let Self { field, label, value, others, .. } = self;
        let before = self.words(std::iter::once(value).chain(others));
        format!(
            "{field}\t{label}\t原有冲突已由此次填写确定 · this settled a conflict of: {before}\n"
        )
    }
}

/// The fields in which two people differ, as far as this account may read them.
pub(super) fn of(account: &Account, household: Option<&Household>) -> Vec<Shown> {
    let Some(household) = household else { return Vec::new() };
    let (reader, conflicts) = (Reader::of(account, household), household.fold.conflicts());
    let shown = conflicts.into_iter();
    shown
        .filter_map(|(container, key, entries)| Shown::of(&reader, container, key, entries))
        .collect()
}

/// Those of them that a save settles.
pub(super) fn settled_by(
    edit: &RecordEdit,
    account: &Account,
    household: &Household,
) -> Vec<Shown> {
    let mut settled = of(account, Some(household));
    settled.retain(|shown| {
        let mut fields = edit.fields.iter();
        fields.any(|set| format!("{}.{}", set.container, set.key) == shown.field)
    });
    settled
}
