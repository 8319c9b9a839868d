//! The record as data: containers, fields and code lists, read from `core/schema/*.toml`. The single
//! source for validation, forms, exports, docs and field rights. Must not know how a value is stored.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::authority::FieldClass;

mod check;
mod markdown;
mod parse;

pub use check::FaultReason;

/// Who may come to see a field at all; the finer rules build on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// May stand on a public notice.
    Public,
    /// For officials in charge.
    Internal,
    /// Names a person.
    Personal,
    /// Identity number, phone, bank, location, health, minors: sensitive in the sense of the Personal
    /// Information Protection Law, article 28.
    Sensitive,
}

/// What a field holds and how it is filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FieldKind {
    /// Yes or no.
    Tick,
    /// One code of a list.
    Choice {
        /// Name of the list.
        list: String,
    },
    /// An integer in a unit.
    Number {
        /// The unit, for example `fen`.
        unit: String,
        /// Smallest value.
        min: Option<i64>,
        /// Largest value.
        max: Option<i64>,
    },
    /// Free text.
    Text {
        /// Most characters.
        max: u32,
    },
    /// An ISO day.
    Date,
    /// Content hash of a photo or signature.
    Photo,
    /// Refers to a row, an account or a rule.
    Id,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Field {
    /// Its name in the document.
    pub name: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
    /// What it holds.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// Who may see it.
    #[serde(rename = "s")]
    pub sensitivity: Sensitivity,
    /// Schema version that added it.
    #[serde(default = "first_version")]
    pub since: u32,
    /// Its class of rights, where it is not its container's.
    #[serde(default)]
    pub right: Option<FieldClass>,
}

fn first_version() -> u32 {
    1
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Container {
    /// Its name in the document.
    pub name: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
    /// Whether it holds rows.
    #[serde(default)]
    pub rows: bool,
    /// The class of rights of its fields, where they name none themselves.
    #[serde(default)]
    pub right: FieldClass,
    /// Whether what was set once stays as it is, as in a protocol.
    #[serde(default)]
    pub append_only: bool,
    /// Its fields, in the order of a form.
    pub fields: Vec<Field>,
}

/// One code of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Code {
    /// The stable code.
    pub code: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
}

/// A list of codes, in the order of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CodeList {
    /// Its name.
    pub name: String,
    /// Its codes.
    pub codes: Vec<Code>,
}

/// All containers, fields and code lists of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Schema {
    /// Its version.
    pub version: u32,
    /// The containers, in the order of the genesis change.
    pub containers: Vec<Container>,
    /// The code lists.
    pub code_lists: Vec<CodeList>,
}

static WORDS: LazyLock<Vec<CodeList>> = LazyLock::new(|| {
    // The compiled file is covered by a test.
    parse::code_lists(include_str!("../../schema/words.toml")).unwrap_or_default()
});

/// The words for codes, by list: of those that stand in no record, and of a record's own lists.
pub fn word_list(name: &str) -> Option<&'static CodeList> {
    WORDS.iter().find(|known| known.name == name).or_else(|| Schema::base().code_list(name))
}

/// The words for a code: a task, a step that lacks something, a check, a stage.
pub fn words(list: &str, code: &str) -> Option<&'static Code> {
    word_list(list)?.codes.iter().find(|known| known.code == code)
}

/// A schema file that cannot be read or breaks the rule that fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not the TOML expected.
    #[error("schema file malformed")]
    Malformed,
    /// A container the genesis change does not create.
    #[error("no container {0}")]
    UnknownContainer(String),
    /// A field or code that is there already.
    #[error("{0} exists")]
    Exists(String),
    /// A choice whose list does not exist.
    #[error("no code list {0}")]
    UnknownList(String),
}

static BASE: LazyLock<Schema> = LazyLock::new(|| {
    let fields = include_str!("../../schema/household.toml");
    // The compiled files are covered by a test.
    Schema::parse(fields, include_str!("../../schema/codes.toml")).unwrap_or_default()
});

impl Schema {
    /// The schema this release was built with.
    pub fn base() -> &'static Self {
        &BASE
    }

    /// The container of this name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// The field of this name in a container.
    pub fn field(&self, container: &str, field: &str) -> Option<&Field> {
        self.container(container)?.fields.iter().find(|known| known.name == field)
    }

    /// All fields with their containers.
    pub fn fields(&self) -> impl Iterator<Item = (&Container, &Field)> {
        self.containers.iter().flat_map(|c| c.fields.iter().map(move |field| (c, field)))
    }

    /// The code list of this name.
    pub fn code_list(&self, name: &str) -> Option<&CodeList> {
        self.code_lists.iter().find(|list| list.name == name)
    }

    /// What may be chosen in a field, named `container.field`; nothing where it is no choice. For people who typed something else.
    pub fn choices(&self, field: &str) -> &[Code] {
        let field = field.split_once('.').and_then(|(container, name)| self.field(container, name));
        let list = field.and_then(|field| match &field.kind {
            FieldKind::Choice { list } => self.code_list(list),
            FieldKind::Tick
            | FieldKind::Number { .. }
            | FieldKind::Date
            | FieldKind::Text { .. }
            | FieldKind::Id
            | FieldKind::Photo => None,
        });
        list.map_or(&[], |list| &list.codes)
    }

    /// A code of a list with its labels.
    pub fn code(&self, list: &str, code: &str) -> Option<&Code> {
        self.code_list(list)?.codes.iter().find(|known| known.code == code)
    }

    /// The code that somebody typed: as code or Chinese label.
    pub fn code_typed(&self, list: &str, text: &str) -> Option<&Code> {
        self.code_list(list)?.codes.iter().find(|known| known.code == text || known.zh == text)
    }
}

#[cfg(test)]
mod tests;
