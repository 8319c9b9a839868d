//! Forms as data (`core/forms/*.toml`): which columns of the record a department wants, in its own order and
//! under its own names. One record, many forms; a form asks for nothing that the record does not hold. Must not
//! know how a sheet becomes a file.
//!
//! A form has parts; a part is over the household itself or over one container of rows, and has columns. A
//! column is from a field (`members.name`) or from something that follows (`net_income_fen`). How a value is
//! shown follows from its field: codes as labels, fen as yuan, ticks as 是 or 否. A field of rows in a part
//! over the household shows what all its rows say.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::facts::Facts;
use crate::domain::schema::{FieldKind, Schema};
use crate::domain::workflow::{Case, Stage};

mod parse;
mod project;
mod refusal;
mod sheet;

pub use project::{Frame, ReadFrom, project};
pub use refusal::FormError;
pub use sheet::{Cell, Digest, Heading, LogPlace, Sheet, SheetPart, SheetRow, Shown, stale};

/// The tick of a row that its source has taken back: it stays on record, and on no form.
const WITHDRAWN: &str = "withdrawn";

/// What a line of the form is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// A page a household, in several parts.
    PerHousehold,
    /// A line a member.
    PerMember,
    /// A line a measure.
    PerMeasure,
    /// A line a household.
    VillageList,
}

/// Which households stand on the form; records that are not in use never do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those with a kind of monitoring; closed cases count.
    Monitored,
    /// Those under monitoring: decided, and not closed.
    Open,
    /// Those of whom it was decided that they be monitored; closed cases count.
    Decided,
    /// Those whose case is on notice.
    OnNotice,
    /// Those with a tick `class.tag_…`.
    Tag(String),
}

/// What follows from the record rather than standing in it. Labels: list `derived`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// The number of the line.
    Sequence,
    /// Names from the county down to the village.
    AreaPath,
    /// The village's name.
    Village,
    /// Where the case is.
    Stage,
    /// What a case on its way is about: to be monitored, or to be closed.
    Proposal,
    /// What was decided last: to monitor, to close, to open again.
    Decision,
    /// The day of that decision, as its step states it; of a case that was carried over, the day of identification.
    DecidedOn,
    /// Every measure in a few words: kind, title, status, amount and how often.
    Measures,
    /// What all measures bring in the calendar year of the sheet's day, see `domain/help.rs`; nothing where there is none.
    HelpInYear,
    /// Members who live in the household.
    PeopleCount,
    /// Net income of 12 months.
    NetIncome,
    /// The same a person.
    NetIncomePerPerson,
}

impl Derived {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Sequence,
        Self::AreaPath,
        Self::Village,
        Self::Stage,
        Self::Proposal,
        Self::Decision,
        Self::DecidedOn,
        Self::Measures,
        Self::HelpInYear,
        Self::PeopleCount,
        Self::NetIncome,
        Self::NetIncomePerPerson,
    ];

    /// Its name in a form.
    pub fn code(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::AreaPath => "area_path",
            Self::Village => "village",
            Self::Stage => "stage",
            Self::Proposal => "proposal",
            Self::Decision => "decision",
            Self::DecidedOn => "decided_on",
            Self::Measures => "measures",
            Self::HelpInYear => "help_in_year_fen",
            Self::PeopleCount => "people_count",
            Self::NetIncome => "net_income_fen",
            Self::NetIncomePerPerson => "net_income_per_person_fen",
        }
    }

    /// Its unit, where it is an amount.
    pub fn unit(self) -> &'static str {
        match self {
            Self::HelpInYear | Self::NetIncome | Self::NetIncomePerPerson => "fen",
            Self::PeopleCount => "persons",
            Self::Sequence
            | Self::AreaPath
            | Self::Village
            | Self::Stage
            | Self::Proposal
            | Self::Decision
            | Self::DecidedOn
            | Self::Measures => "",
        }
    }

    /// Whether it may stand on a notice.
    fn is_public(self) -> bool {
        match self {
            Self::Sequence
            | Self::AreaPath
            | Self::Village
            | Self::Stage
            | Self::Proposal
            | Self::Decision
            | Self::DecidedOn
            | Self::Measures
            | Self::HelpInYear => true,
            Self::PeopleCount | Self::NetIncome | Self::NetIncomePerPerson => false,
        }
    }

    /// The fields it follows from.
    fn reads(self) -> &'static [(&'static str, &'static str)] {
        const STEPS: [(&str, &str); 4] =
            [("steps", "state"), ("steps", "after"), ("steps", "on"), ("steps", "level")];
        const INCOME: [(&str, &str); 6] = [
            ("income", "wage_fen"),
            ("income", "business_fen"),
            ("income", "property_fen"),
            ("income", "transfer_fen"),
            ("income", "business_cost_fen"),
            ("members", "presence"),
        ];
        const DECIDED_ON: [(&str, &str); 5] =
            [STEPS[0], STEPS[1], STEPS[2], STEPS[3], ("case", "identified_on")];
        match self {
            Self::Sequence | Self::AreaPath | Self::Village => &[],
            Self::Stage | Self::Proposal | Self::Decision => &STEPS,
            Self::DecidedOn => &DECIDED_ON,
            Self::Measures => &[
                ("measures", "kind"),
                ("measures", "status"),
                ("measures", "period"),
                ("measures", "amount_fen"),
            ],
            Self::HelpInYear => &[
                ("measures", "status"),
                ("measures", "from"),
                ("measures", "to"),
                ("measures", "period"),
                ("measures", "amount_fen"),
            ],
            Self::PeopleCount => &[("members", "presence")],
            Self::NetIncome => &INCOME[..5],
            Self::NetIncomePerPerson => &INCOME,
        }
    }
}

/// Where a column comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Source {
    /// A field: container and name. What is neither a field nor something that follows has no container, and is
    /// refused like every other field that the record does not hold.
    Field(String, String),
    /// Something that follows.
    Derived(Derived),
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        if let Some((container, field)) = text.split_once('.') {
            return Self::Field(container.to_owned(), field.to_owned());
        }
        let derived = Derived::ALL.into_iter().find(|derived| derived.code() == text);
        derived.map_or(Self::Field(String::new(), text), Self::Derived)
    }
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Field(container, field) if container.is_empty() => field.clone(),
            Self::Field(container, field) => format!("{container}.{field}"),
            Self::Derived(derived) => derived.code().to_owned(),
        }
    }

    fn reads(&self, container: &str, field: &str) -> bool {
        match self {
            Self::Field(own, name) => (own.as_str(), name.as_str()) == (container, field),
            Self::Derived(derived) => derived.reads().contains(&(container, field)),
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Where it comes from.
    pub from: Source,
    /// The department's label; the schema's, where none is given.
    #[serde(default)]
    pub zh: String,
    /// Whether only a trace of the value is shown: 陈*昌, **************0017.
    #[serde(default)]
    pub masked: bool,
    /// Whether its amounts are summed up at the foot of the sheet.
    #[serde(default)]
    pub total: bool,
}

/// One table of a form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its heading; empty where the form has but one.
    #[serde(default)]
    pub zh: String,
    /// The container whose rows are its lines; empty for the household itself.
    #[serde(default)]
    pub over: String,
    /// The field its lines are ordered by, which some part shows; else as the record has them.
    pub order: Option<Source>,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub id: String,
    /// Its version: a sheet of another version is another sheet.
    pub version: u32,
    /// Chinese title.
    pub zh: String,
    /// English title.
    pub en: String,
    /// What a line is.
    pub kind: FormKind,
    /// Whether it hangs where everybody reads it.
    #[serde(default)]
    pub public: bool,
    /// Which households stand on it.
    #[serde(default)]
    pub filter: Filter,
    /// Its tables.
    #[serde(rename = "part")]
    pub parts: Vec<Part>,
    /// Lines to sign and to seal.
    pub sign: Vec<String>,
    /// What stands at its foot.
    #[serde(default)]
    pub footer: String,
}

static SHIPPED: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let files = [
        include_str!("../../forms/department.toml"),
        include_str!("../../forms/survey.toml"),
        include_str!("../../forms/village.toml"),
        include_str!("../../forms/members.toml"),
        include_str!("../../forms/measures.toml"),
        include_str!("../../forms/notice.toml"),
        include_str!("../../forms/decisions.toml"),
    ];
    // That none is refused is covered by a test.
    files.into_iter().filter_map(|toml| Template::parse(Schema::base(), toml).ok()).collect()
});

impl Template {
    /// The forms of this release.
    pub fn shipped() -> &'static [Self] {
        &SHIPPED
    }

    /// Its name and version, as sheets are stamped: `village/1`.
    pub fn stamp(&self) -> String {
        format!("{}/{}", self.id, self.version)
    }

    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.parts.iter().flat_map(|part| &part.columns)
    }

    /// Whether what the form says about a household can follow from this field: it shows it, or something
    /// that follows from it, or the field decides what stands on the form.
    pub fn reads(&self, container: &str, field: &str) -> bool {
        let shown = self.columns().any(|column| column.from.reads(container, field));
        let decides = match (container, field) {
            ("basic", "status") => true,
            ("members", "presence") => self.lists("members"),
            // Struck out of a notice's free text.
            ("members", "name") => self.public,
            ("class", "monitored_kind") => self.filter == Filter::Monitored,
            // A case that runs keeps a record in use.
            (container, WITHDRAWN) => self.lists(container),
            ("steps", _) => Derived::Stage.reads().contains(&(container, field)),
            ("class", tag) => {
                matches!(&self.filter, Filter::Tag(own) if tag.strip_prefix("tag_") == Some(own))
            }
            _ => false,
        };
        shown || decides || self.names(container, field)
    }

    /// Whether rows of this container are its lines, or said in a cell.
    fn lists(&self, container: &str) -> bool {
        let says =
            |column: &Column| matches!(&column.from, Source::Field(own, _) if own == container);
        self.parts.iter().any(|part| part.over == container) || self.columns().any(says)
    }

    /// Whether this field is what a column shows that refers to a member or a cadre.
    fn names(&self, container: &str, field: &str) -> bool {
        let refers_to = |column: &Column| {
            let Source::Field(own, name) = &column.from else { return None };
            let known = Schema::base().field(own, name)?;
            let to = if name == "member" { "members" } else { "cadres" };
            (known.kind == FieldKind::Id).then_some(to)
        };
        let is_name = field == "name" || (container, field) == ("cadres", "account");
        is_name && self.columns().any(|column| refers_to(column) == Some(container))
    }
}

impl Filter {
    fn holds(&self, facts: &Facts) -> bool {
        let filtered = match self {
            Self::All => true,
            Self::Monitored => facts.is_monitored(),
            Self::Open => Case::of(facts).is_open(),
            Self::Decided => Case::of(facts).decision().is_some(),
            Self::OnNotice => Case::of(facts).stage() == Some(Stage::OnNotice),
            Self::Tag(tag) => facts.tick("class", &format!("tag_{tag}")),
        };
        facts.is_active() && filtered
    }
}

#[cfg(test)]
mod tests;
