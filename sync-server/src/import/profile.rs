//! What the columns of a department's table mean, as data: `sync-server/profiles/*.toml`, compiled in, or a
//! file of one's own in the same form. Must not know a table.
//!
//! A column that names a field of the record (`core/schema/household.toml`) is checked against it: kind and
//! codes must fit. A column with the empty container is one that the record does not have.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use wanhu_core::domain::schema::{FieldKind, Schema};
use wanhu_core::domain::value::Value;

use super::header;
use words::Contrary;

mod words;

/// Kinds of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Medical bills.
    Medical,
    /// Pupils and students.
    School,
    /// Subsistence allowance and extreme-hardship support.
    CivilAffairs,
    /// Disability certificates.
    Disability,
    /// Danger grades of houses.
    Housing,
    /// Losses by disaster.
    Disaster,
    /// Accidents.
    Accident,
    /// Drinking water.
    Water,
    /// Medical insurance and pension.
    Insurance,
    /// Work away from home.
    Employment,
    /// A past campaign's register of monitored households: an office brings it in, no department delivers it.
    Campaign,
}

impl Kind {
    /// All kinds that departments deliver.
    pub const ALL: [Self; 10] = [
        Self::Medical,
        Self::School,
        Self::CivilAffairs,
        Self::Disability,
        Self::Housing,
        Self::Disaster,
        Self::Accident,
        Self::Water,
        Self::Insurance,
        Self::Employment,
    ];

    /// The kind of a code, of those that departments deliver.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Code of `spending_kind` of its rows, where they are bills; none of tables that fill in single fields.
    pub(super) fn spending(self) -> Option<&'static str> {
        match self {
            Self::Medical => Some("medical"),
            Self::School => Some("schooling"),
            Self::Disaster => Some("disaster"),
            Self::Accident => Some("accident"),
            Self::CivilAffairs
            | Self::Disability
            | Self::Housing
            | Self::Water
            | Self::Insurance
            | Self::Employment
            | Self::Campaign => None,
        }
    }

    /// Its stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Medical => "medical",
            Self::School => "school",
            Self::CivilAffairs => "civil-affairs",
            Self::Disability => "disability",
            Self::Housing => "housing",
            Self::Disaster => "disaster",
            Self::Accident => "accident",
            Self::Water => "water",
            Self::Insurance => "insurance",
            Self::Employment => "employment",
            Self::Campaign => "campaign",
        }
    }
}

/// How a cell is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// As it stands.
    #[default]
    Text,
    /// As an identity number.
    IdentityNumber,
    /// As an ISO day.
    Day,
    /// As the first day of a month.
    Month,
    /// As an ISO day; of a month without a day its first one.
    DayOrMonth,
    /// As fen, written in yuan.
    FenFromYuan,
    /// As a whole number.
    Number,
    /// As yes or no.
    Tick,
    /// As a code, by its spellings.
    Code,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Name,
    Identity,
    Village,
    Value,
}

/// A column and what it means.
#[derive(Clone, Debug)]
pub struct Column {
    /// The field, named as in its container.
    pub field: Arc<str>,
    /// The container of the record that has the field; empty where none has.
    pub container: String,
    /// What departments write above it, as [`header::normal`] writes it; the best first.
    pub headers: Vec<String>,
    /// Whether neither the column nor a value in it may be missing.
    pub required: bool,
    /// How its cells are read.
    pub reading: Reading,
    pub(super) role: Role,
    /// Whole cells and their codes; for ticks the codes are `yes` and `no`.
    pub(super) spellings: Vec<(String, String)>,
    /// Words within a cell and their codes.
    pub(super) parts: Vec<(String, String)>,
    /// The code of everything else; without one it is a fault.
    otherwise: Option<String>,
    contrary: Contrary,
    /// Codes that say something else of the person besides: the code and a tick of the record, `container.field`.
    ticks: Vec<(String, String)>,
    /// Longest text, in characters.
    pub(super) text_max: usize,
}

/// What a table's columns mean. Columns stand in the order of their fields' names.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The kind of table.
    pub kind: Kind,
    /// Code of the department, from the list `department`.
    pub department: String,
    /// Chinese name of the table.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Whether its rows are put on record wherever the record is silent. Else only those are by which somebody is warned.
    pub fills_in: bool,
    /// The columns.
    pub columns: Vec<Column>,
}

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not the TOML expected; the parser's words.
    #[error("profile malformed: {0}")]
    Malformed(String),
    /// No column for the person's name.
    #[error("no column for the name")]
    NoName,
    /// The schema has no such department.
    #[error("no department {0}")]
    UnknownDepartment(String),
    /// The container has no such field.
    #[error("no field {0}")]
    UnknownField(String),
    /// The field cannot hold what is read that way.
    #[error("{0} is not read that way")]
    Unfit(String),
    /// A code that the field's list does not have.
    #[error("no code {0}")]
    UnknownCode(String),
    /// A field or a header that stands twice.
    #[error("{0} stands twice")]
    Repeated(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    kind: Kind,
    department: String,
    zh: String,
    en: String,
    #[serde(default)]
    fills_in: bool,
    #[serde(default)]
    container: String,
    column: Vec<ColumnFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    field: String,
    container: Option<String>,
    headers: Vec<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    read: Reading,
    #[serde(default)]
    spellings: toml::Table,
    #[serde(default)]
    parts: toml::Table,
    #[serde(default)]
    ticks: BTreeMap<String, String>,
    otherwise: Option<String>,
    denials: Option<Vec<String>>,
    endings: Option<Vec<String>>,
    #[serde(default)]
    besides: Vec<String>,
    #[serde(default)]
    single: bool,
}

const FILES: [&str; 11] = [
    include_str!("../../profiles/medical.toml"),
    include_str!("../../profiles/school.toml"),
    include_str!("../../profiles/civil-affairs.toml"),
    include_str!("../../profiles/disability.toml"),
    include_str!("../../profiles/housing.toml"),
    include_str!("../../profiles/disaster.toml"),
    include_str!("../../profiles/accident.toml"),
    include_str!("../../profiles/water.toml"),
    include_str!("../../profiles/insurance.toml"),
    include_str!("../../profiles/employment.toml"),
    include_str!("../../profiles/campaign.toml"),
];

// The compiled files are covered by a test.
static BUILT_IN: LazyLock<Vec<Profile>> =
    LazyLock::new(|| FILES.iter().filter_map(|file| Profile::parse(file).ok()).collect());

/// Longest text where the record has no field for it, in characters.
const TEXT_MAX: usize = 200;
/// What a tick is read from, besides the profile's own spellings.
const TICKS: [(&str, &str); 13] = [
    ("是", "yes"),
    ("有", "yes"),
    ("√", "yes"),
    ("1", "yes"),
    ("true", "yes"),
    ("y", "yes"),
    ("否", "no"),
    ("不是", "no"),
    ("没有", "no"),
    ("×", "no"),
    ("0", "no"),
    ("false", "no"),
    ("n", "no"),
];

impl Profile {
    /// The profiles of this release, one of each kind.
    pub fn built_in() -> &'static [Self] {
        &BUILT_IN
    }

    /// The profile of this release for a kind of table.
    pub fn of(kind: Kind) -> Option<&'static Self> {
        BUILT_IN.iter().find(|profile| profile.kind == kind)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// Any [`ProfileError`]; the first that is found.
    pub fn parse(toml: &str) -> Result<Self, ProfileError> {
        let file: ProfileFile =
            toml::from_str(toml).map_err(|error| ProfileError::Malformed(error.to_string()))?;
        if Schema::base().code("department", &file.department).is_none() {
            return Err(ProfileError::UnknownDepartment(file.department));
        }
        let read = |column| Column::from_file(column, &file.container);
        let mut columns = file.column.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        columns.sort_by(|one, other| one.field.cmp(&other.field));
        must_differ(columns.iter().map(|column| &*column.field))?;
        // One column may say something of a bill and of a person, but only one thing of each.
        for container in columns.iter().map(|column| &*column.container) {
            let of =
                |column: &&Column| column.container.is_empty() || column.container == container;
            let columns = columns.iter().filter(of);
            must_differ(columns.flat_map(|column| &column.headers).map(String::as_str))?;
        }
        if !columns.iter().any(|column| column.role == Role::Name) {
            return Err(ProfileError::NoName);
        }
        let ProfileFile { kind, department, zh, en, fills_in, .. } = file;
        Ok(Self { kind, department, zh, en, fills_in, columns })
    }

    /// The ticks of the record, `container.field`, that a row's values say besides.
    pub(super) fn ticks<'p>(
        &'p self,
        values: &'p [(Arc<str>, Value)],
    ) -> impl Iterator<Item = &'p str> {
        values.iter().filter_map(|(field, value)| {
            let column = self.columns.iter().find(|column| column.field == *field)?;
            let code = value.as_text()?;
            column.ticks.iter().find(|(of, _)| of == code).map(|(_, tick)| tick.as_str())
        })
    }
}

/// A word as it is compared.
fn compared(word: &str) -> String {
    words::with_one_not(&header::squeezed(word)).into_owned()
}

fn words(table: toml::Table) -> Result<Vec<(String, String)>, ProfileError> {
    let word = |(word, code): (String, toml::Value)| {
        let code = code.as_str().ok_or_else(|| ProfileError::Malformed(word.clone()))?;
        Ok((compared(&word), code.to_owned()))
    };
    table.into_iter().map(word).collect()
}

fn must_differ<'t>(texts: impl Iterator<Item = &'t str>) -> Result<(), ProfileError> {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    let twice = texts.windows(2).find(|pair| pair[0] == pair[1]);
    twice.map_or(Ok(()), |pair| Err(ProfileError::Repeated(pair[0].to_owned())))
}

impl Column {
    fn from_file(file: ColumnFile, container: &str) -> Result<Self, ProfileError> {
        let role = match file.field.as_str() {
            "name" => Role::Name,
            "identity_number" => Role::Identity,
            "village" => Role::Village,
            _ => Role::Value,
        };
        let container = match (&file.container, role) {
            (Some(own), _) => own.clone(),
            (None, Role::Name | Role::Identity | Role::Village) => String::new(),
            (None, Role::Value) => container.to_owned(),
        };
        let all = |words: Vec<String>| words.iter().map(|word| compared(word)).collect();
        let mut column = Self {
            field: file.field.into(),
            container,
            headers: file
                .headers
                .iter()
                .map(|text| header::normal(text))
                .filter(|text| !text.is_empty())
                .collect(),
            required: file.required || role == Role::Name,
            reading: if role == Role::Identity { Reading::IdentityNumber } else { file.read },
            role,
            spellings: words(file.spellings)?,
            parts: words(file.parts)?,
            otherwise: file.otherwise,
            contrary: Contrary {
                denials: file.denials.map(all),
                endings: file.endings.map(all),
                besides: all(file.besides),
                single: file.single,
            },
            ticks: file.ticks.into_iter().collect(),
            text_max: TEXT_MAX,
        };
        column.must_fit()?;
        column.must_tick()?;
        Ok(column)
    }

    /// Checks the column against the field of the record, and learns that field's own words.
    fn must_fit(&mut self) -> Result<(), ProfileError> {
        let unfit = || ProfileError::Unfit(self.field.to_string());
        if self.reading == Reading::Tick {
            self.spellings.extend(TICKS.map(|(word, tick)| (compared(word), tick.to_owned())));
        }
        let known = if self.reading == Reading::Tick { Some(&["yes", "no"][..]) } else { None };
        if self.container.is_empty() {
            return self.must_know(|code| known.is_none_or(|known| known.contains(&code)));
        }
        let schema = Schema::base();
        let field = schema.field(&self.container, &self.field).ok_or_else(|| {
            ProfileError::UnknownField(format!("{}.{}", self.container, self.field))
        })?;
        match (&field.kind, self.reading) {
            (FieldKind::Text { max }, Reading::Text) => {
                self.text_max = usize::try_from(*max).unwrap_or(TEXT_MAX);
                Ok(())
            }
            (FieldKind::Date, Reading::Day | Reading::Month | Reading::DayOrMonth) => Ok(()),
            (FieldKind::Number { unit, .. }, Reading::FenFromYuan) if unit == "fen" => Ok(()),
            (FieldKind::Number { unit, .. }, Reading::Number) if unit != "fen" => Ok(()),
            (FieldKind::Tick, Reading::Tick) => {
                self.must_know(|code| known.is_none_or(|known| known.contains(&code)))
            }
            (FieldKind::Choice { list }, Reading::Code) => {
                let codes = schema.code_list(list).map_or(&[][..], |list| &list.codes);
                for known in codes {
                    self.spellings.push((compared(&known.zh), known.code.clone()));
                }
                self.must_know(|code| schema.code(list, code).is_some())
            }
            (
                FieldKind::Text { .. }
                | FieldKind::Date
                | FieldKind::Number { .. }
                | FieldKind::Tick
                | FieldKind::Choice { .. }
                | FieldKind::Photo
                | FieldKind::Id,
                _,
            ) => Err(unfit()),
        }
    }

    /// Checks that its codes tick what is ticked on record, and are codes it reads.
    fn must_tick(&self) -> Result<(), ProfileError> {
        for (code, tick) in &self.ticks {
            let field = tick.split_once('.').and_then(|(of, name)| Schema::base().field(of, name));
            let is_tick = field.is_some_and(|field| matches!(field.kind, FieldKind::Tick));
            if !is_tick {
                return Err(ProfileError::UnknownField(tick.clone()));
            }
            let mut words = self.spellings.iter().chain(&self.parts);
            if !words.any(|(_, known)| known == code) {
                return Err(ProfileError::UnknownCode(format!("{}: {code}", self.field)));
            }
        }
        Ok(())
    }

    fn must_know(&self, known: impl Fn(&str) -> bool) -> Result<(), ProfileError> {
        let words = self.spellings.iter().chain(&self.parts);
        let codes = words.map(|(_, code)| code).chain(&self.otherwise);
        let unknown = codes.into_iter().find(|code| !known(code));
        unknown.map_or(Ok(()), |code| {
            Err(ProfileError::UnknownCode(format!("{}: {code}", self.field)))
        })
    }
}
