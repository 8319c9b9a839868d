//! Who may write, read and grant what: role × area × field class × action, as one table. The phone asks
//! it before it offers an action, the server before it takes a change, and nobody else decides. Must not
//! know how a change is encoded or who is enrolled where.
//!
//! Source of the table: the duties of each level in the monitoring of poverty relapse, docs/authority.md.

use serde::{Deserialize, Serialize};

use super::region::{self, Level};
use super::schema::{Schema, Sensitivity};
use super::value::Value;
use super::workflow::Stage;

/// Version of the table below. It goes into the log beside every change that was judged by it.
pub const RULE_SET: u16 = 3;

/// What a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 农户
    Household,
    /// 网格员
    GridWorker,
    /// 村干部、帮扶干部
    VillageCadre,
    /// 村级评议组织
    VillageCommittee,
    /// 乡镇
    TownshipOffice,
    /// 县级
    CountyOffice,
    /// 市级
    City,
    /// 行业部门
    Department,
    /// 运维
    Operator,
}

impl Role {
    /// All roles, from the household upward.
    pub const ALL: [Self; 9] = [
        Self::Household,
        Self::GridWorker,
        Self::VillageCadre,
        Self::VillageCommittee,
        Self::TownshipOffice,
        Self::CountyOffice,
        Self::City,
        Self::Department,
        Self::Operator,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::GridWorker => "grid_worker",
            Self::VillageCadre => "village_cadre",
            Self::VillageCommittee => "village_committee",
            Self::TownshipOffice => "township_office",
            Self::CountyOffice => "county_office",
            Self::City => "city",
            Self::Department => "department",
            Self::Operator => "operator",
        }
    }

    /// The role of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The levels at which this role has its area. An area of another level gives it no right.
    pub fn levels(self) -> &'static [Level] {
        match self {
            Self::Household | Self::GridWorker | Self::VillageCadre | Self::VillageCommittee => {
                &[Level::Village]
            }
            Self::TownshipOffice => &[Level::Township],
            Self::CountyOffice => &[Level::County],
            Self::City => &[Level::City],
            Self::Department => &[Level::County, Level::City],
            Self::Operator => &[],
        }
    }

    /// The roles an account of this role opens accounts for: each level grants the one below.
    pub fn grants(self) -> &'static [Self] {
        match self {
            Self::City => &[Self::CountyOffice, Self::Department],
            Self::CountyOffice => &[Self::TownshipOffice],
            Self::TownshipOffice => &[Self::VillageCommittee, Self::VillageCadre, Self::GridWorker],
            Self::VillageCommittee => &[Self::GridWorker, Self::Household],
            Self::Household
            | Self::GridWorker
            | Self::VillageCadre
            | Self::Department
            | Self::Operator => &[],
        }
    }

    /// The level at which it works: code of list `level`; empty for an operator, who takes no step.
    pub fn level_code(self) -> &'static str {
        match self {
            Self::GridWorker => "grid",
            Self::Household | Self::VillageCadre | Self::VillageCommittee => "village",
            Self::TownshipOffice => "township",
            Self::CountyOffice | Self::Department => "county",
            Self::City => "city",
            Self::Operator => "",
        }
    }

    /// Whether it decides about households of its area: see [`may_decide`].
    pub fn decides(self) -> bool {
        matches!(self, Self::TownshipOffice | Self::CountyOffice)
    }

    /// Whether it sees to households itself: it has the tasks of a cadre, and may be named responsible for a household.
    pub fn is_cadre(self) -> bool {
        matches!(self, Self::VillageCadre | Self::GridWorker)
    }

    /// Whether its phones hold records. A change cannot be shown in part without breaking its hash, so
    /// a replica is only for those who may read everything in their area.
    pub fn holds_replica(self) -> bool {
        SENSITIVITIES.into_iter().all(|sensitivity| self.may_read(sensitivity))
            && self != Self::Household
    }

    /// Whether it may read values of this sensitivity, in its area; a household in its own record.
    pub fn may_read(self, sensitivity: Sensitivity) -> bool {
        match self {
            Self::Household
            | Self::GridWorker
            | Self::VillageCadre
            | Self::VillageCommittee
            | Self::TownshipOffice
            | Self::CountyOffice => true,
            Self::City => sensitivity <= Sensitivity::Personal,
            Self::Department => sensitivity <= Sensitivity::Internal,
            Self::Operator => false,
        }
    }
}

const SENSITIVITIES: [Sensitivity; 4] =
    [Sensitivity::Public, Sensitivity::Internal, Sensitivity::Personal, Sensitivity::Sensitive];

/// What kind of fact a field is, as far as rights go. Named in `core/schema/household.toml`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// What is so: members, income, living conditions, guarantees.
    #[default]
    Facts,
    /// What somebody declares or pushes: clues, consent, objections.
    Declaration,
    /// What was seen on the spot: visits, answers to warnings.
    Verification,
    /// Plans and measures.
    Help,
    /// Who is responsible for the household.
    Assignment,
    /// Steps a cadre takes or proposes.
    Proposal,
    /// Appraisal by the village and its public notice.
    Appraisal,
    /// The township's check.
    Review,
    /// The county's decision and what follows from it.
    Decision,
    /// A warning that a rule fired.
    Warning,
    /// What a department delivered and takes back.
    Withdrawal,
}

impl FieldClass {
    /// All classes.
    pub const ALL: [Self; 11] = [
        Self::Facts,
        Self::Declaration,
        Self::Verification,
        Self::Help,
        Self::Assignment,
        Self::Proposal,
        Self::Appraisal,
        Self::Review,
        Self::Decision,
        Self::Warning,
        Self::Withdrawal,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Declaration => "declaration",
            Self::Verification => "verification",
            Self::Help => "help",
            Self::Assignment => "assignment",
            Self::Proposal => "proposal",
            Self::Appraisal => "appraisal",
            Self::Review => "review",
            Self::Decision => "decision",
            Self::Warning => "warning",
            Self::Withdrawal => "withdrawal",
        }
    }
}

/// What is done to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Set where nothing was.
    Add,
    /// Set where something was.
    Change,
    /// Emptied.
    Remove,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 3] = [Self::Add, Self::Change, Self::Remove];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// Who may do what, inside the area. What is not here, nobody may.
const RULES: &[(FieldClass, Action, &[Role])] = {
    use Action::{Add, Change, Remove};
    use FieldClass::{
        Appraisal, Assignment, Decision, Declaration, Facts, Help, Proposal, Review, Verification,
        Warning, Withdrawal,
    };
    use Role::{
        CountyOffice, Department, GridWorker, Household, TownshipOffice, VillageCadre,
        VillageCommittee,
    };
    &[
        (Facts, Add, &[GridWorker, VillageCadre, TownshipOffice, Department]),
        (Facts, Change, &[GridWorker, VillageCadre, TownshipOffice]),
        (Facts, Remove, &[GridWorker, VillageCadre, TownshipOffice]),
        (
            Declaration,
            Add,
            &[
                Household,
                GridWorker,
                VillageCadre,
                VillageCommittee,
                TownshipOffice,
                CountyOffice,
                Department,
            ],
        ),
        (Declaration, Change, &[Household, GridWorker, VillageCadre, TownshipOffice]),
        (Verification, Add, &[GridWorker, VillageCadre, TownshipOffice]),
        (Verification, Change, &[GridWorker, VillageCadre, TownshipOffice]),
        (Help, Add, &[GridWorker, VillageCadre, TownshipOffice, CountyOffice, Department]),
        (Help, Change, &[GridWorker, VillageCadre, TownshipOffice, CountyOffice, Department]),
        (Assignment, Add, &[TownshipOffice, CountyOffice]),
        (Assignment, Change, &[TownshipOffice, CountyOffice]),
        (Proposal, Add, &[GridWorker, VillageCadre, TownshipOffice]),
        (Proposal, Change, &[GridWorker, VillageCadre, TownshipOffice]),
        (Appraisal, Add, &[VillageCommittee]),
        (Appraisal, Change, &[VillageCommittee]),
        (Review, Add, &[TownshipOffice]),
        (Review, Change, &[TownshipOffice]),
        (Decision, Add, &[CountyOffice]),
        (Decision, Change, &[CountyOffice]),
        // Not who answers it: a warning that somebody made up would silence the next.
        (Warning, Add, &[TownshipOffice, CountyOffice, Department]),
        (Withdrawal, Add, &[Department]),
    ]
};

/// Where a record lies, seen from an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The account's own household.
    Own,
    /// In an area of the account, of a level that fits its role.
    Inside,
    /// Anywhere else.
    Outside,
}

/// Where a village lies for an account with these areas.
pub fn place(role: Role, areas: &[u64], village: u64) -> Place {
    let reaches = |area: &u64| {
        region::level(*area).is_some_and(|level| role.levels().contains(&level))
            && region::code_contains(*area, village)
    };
    if areas.iter().any(reaches) { Place::Inside } else { Place::Outside }
}

/// Whether an area lies in one of these.
pub fn covers(areas: &[u64], area: u64) -> bool {
    areas.iter().any(|own| region::code_contains(*own, area))
}

/// The rule itself: one cell of the matrix.
pub fn may(role: Role, place: Place, class: FieldClass, action: Action) -> bool {
    let reaches = match role {
        Role::Household => place == Place::Own,
        Role::GridWorker
        | Role::VillageCadre
        | Role::VillageCommittee
        | Role::TownshipOffice
        | Role::CountyOffice
        | Role::City
        | Role::Department
        | Role::Operator => place == Place::Inside,
    };
    reaches
        && RULES
            .iter()
            .any(|(ruled, done, roles)| *ruled == class && *done == action && roles.contains(&role))
}

/// The rule where the role writes: a household in its own record, anybody else in the area.
pub fn may_as(role: Role, class: FieldClass, action: Action) -> bool {
    let place = if role == Role::Household { Place::Own } else { Place::Inside };
    may(role, place, class, action)
}

/// Whether an account may look at any household of a village. A household's own account is bound to its record;
/// by its area alone it would see its neighbours.
pub fn may_see(role: Role, areas: &[u64], village: u64) -> bool {
    role != Role::Household && place(role, areas, village) == Place::Inside
}

/// Whether an account decides about households of a village: about moves, and about what was refused.
pub fn may_decide(role: Role, areas: &[u64], village: u64) -> bool {
    role.decides() && place(role, areas, village) == Place::Inside
}

/// Whether an account has a say in where households of a village lie: those that decide for it, and the city, since of a move
/// from one county to another no county has both ends. It changes nothing on a record and shows nothing of it.
pub fn may_move(role: Role, areas: &[u64], village: u64) -> bool {
    may_decide(role, areas, village)
        || (role == Role::City && place(role, areas, village) == Place::Inside)
}

/// Whether an account may open an account of this role and these areas: the level below, inside its
/// own area, and no more.
pub fn may_grant(granter: Role, granter_areas: &[u64], role: Role, areas: &[u64]) -> bool {
    granter.grants().contains(&role)
        && fits(role, areas)
        && areas.iter().all(|area| {
            granter_areas
                .iter()
                .any(|own| fits(granter, &[*own]) && region::code_contains(*own, *area))
        })
}

/// Whether the areas are of a level that fits the role.
pub fn fits(role: Role, areas: &[u64]) -> bool {
    let at_level =
        |area: &u64| region::level(*area).is_some_and(|level| role.levels().contains(&level));
    areas.iter().all(at_level) && (areas.is_empty() == role.levels().is_empty())
}

/// One field that a change sets or empties.
#[derive(Clone, Copy, Debug)]
pub struct Deed<'a> {
    /// Name of the container.
    pub container: &'a str,
    /// The row; empty in a container without rows.
    pub row: &'a str,
    /// The field.
    pub field: &'a str,
    /// What is set; `None` empties.
    pub value: Option<&'a Value>,
    /// Whether the field holds a value already.
    pub exists: bool,
}

/// What nobody of this role may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// `container.field`.
    pub field: String,
    /// The action.
    pub action: Action,
    /// The lowest role that may, where one may at all.
    pub needed: Option<Role>,
}

/// Judges a change as a whole: it is taken with all its deeds or not at all.
///
/// # Errors
/// The first deed that is not allowed.
pub fn judge(schema: &Schema, role: Role, place: Place, deeds: &[Deed<'_>]) -> Result<(), Denial> {
    deeds.iter().try_for_each(|deed| judge_one(schema, role, place, deed, deeds))
}

fn judge_one(
    schema: &Schema,
    role: Role,
    place: Place,
    deed: &Deed<'_>,
    deeds: &[Deed<'_>],
) -> Result<(), Denial> {
    let action = match (deed.value, deed.exists) {
        (None, _) => Action::Remove,
        (Some(_), true) => Action::Change,
        (Some(_), false) => Action::Add,
    };
    let class = class_of(schema, deed, deeds);
    let is_fixed = action != Action::Add
        && schema.container(deed.container).is_some_and(|known| known.append_only);
    let allowed =
        |role, place| !is_fixed && class.is_some_and(|class| may(role, place, class, action));
    if allowed(role, place) {
        return Ok(());
    }
    let needed = Role::ALL.into_iter().skip(1).find(|other| allowed(*other, Place::Inside));
    let field = format!("{}.{}", deed.container, deed.field);
    Err(Denial { field, action, needed })
}

/// Judges what an office takes out of quarantine: every deed must be one that somebody at its own level or below
/// may do. A township does not decide for the county by releasing what a cadre made up.
///
/// # Errors
/// The first deed that is not.
pub fn judge_release(schema: &Schema, office: Role, deeds: &[Deed<'_>]) -> Result<(), Denial> {
    let below: Vec<Role> =
        Role::ALL.into_iter().filter(|role| *role <= office && *role != Role::Operator).collect();
    for deed in deeds {
        let may = below.iter().any(|role| {
            let place = if *role == Role::Household { Place::Own } else { Place::Inside };
            judge_one(schema, *role, place, deed, deeds).is_ok()
        });
        if !may {
            return judge_one(schema, office, Place::Inside, deed, deeds);
        }
    }
    Ok(())
}

/// The class of a field; `None` where no class can be named and so nobody may write it. A field this
/// release does not know has the class of its container.
fn class_of(schema: &Schema, deed: &Deed<'_>, deeds: &[Deed<'_>]) -> Option<FieldClass> {
    let container = schema.container(deed.container)?;
    if let Some(own) = schema.field(deed.container, deed.field).and_then(|field| field.right) {
        return Some(own);
    }
    if deed.container != "steps" {
        return Some(container.right);
    }
    // A step is written whole: what it enters and at which level decides who may.
    // A field set twice would be judged as one thing and shown as the other.
    let only = |field: &str| {
        let mut same = deeds.iter().filter(|other| {
            other.container == "steps" && other.row == deed.row && other.field == field
        });
        same.next().filter(|_| same.next().is_none())
    };
    only(deed.field)?;
    let names_level = deeds.iter().any(|other| other.row == deed.row && other.field == "level");
    let in_step = |field: &str| only(field)?.value?.as_text();
    if names_level && in_step("level").is_none() {
        return None;
    }
    let stage = Stage::from_code(in_step("state")?)?;
    Some(stage.class(in_step("level").unwrap_or_default()))
}

#[cfg(test)]
mod tests;
