//! What a household is shown of its own record: where its case is, what it declared, who is responsible, and every
//! measure with what it brings. Codes and values; a screen has the words. Must not decide who may look.

use serde::Serialize;
use utoipa::ToSchema;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::facts::{Facts, Row};
use wanhu_core::domain::help::Help;
use wanhu_core::domain::region::RegionList;
use wanhu_core::domain::workflow::{Case, Passed, Stage};

/// A household's own record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnRecord {
    /// County, township and village by name.
    pub place: Vec<String>,
    /// Head of the household.
    pub head_name: String,
    /// Members on record.
    pub people: i64,
    /// The places its case has passed, the present one last; empty where there is no case.
    pub case: Vec<OwnStage>,
    /// Whether an objection to the notice can be made now.
    pub may_object: bool,
    /// What was declared or reported about it, the latest first.
    pub clues: Vec<OwnClue>,
    /// Who is responsible for it now.
    pub cadres: Vec<OwnCadre>,
    /// Help on record.
    pub measures: Vec<OwnMeasure>,
    /// The calendar year that the sums below are of.
    pub year: i32,
    /// What all measures bring in that year, fen.
    pub year_fen: i64,
}

/// A place the case has passed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnStage {
    /// Code of list `case_state`.
    pub stage: String,
    /// The day it was entered.
    pub on: Option<String>,
    /// Why, where it was turned down or sent back.
    pub reason: String,
}

/// A clue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnClue {
    /// Code of list `channel`.
    pub channel: String,
    /// Code of list `risk`.
    pub risk: String,
    /// The day it came.
    pub received_on: String,
    /// Code of list `clue_outcome`; empty where there is none yet.
    pub outcome: String,
}

/// A responsible cadre.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnCadre {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
}

/// A measure.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnMeasure {
    /// Its row, by which it is confirmed.
    pub row: String,
    /// Code of list `measure_kind`.
    pub kind: String,
    /// Its name.
    pub title: String,
    /// Code of list `measure_status`.
    pub status: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Amount each time, fen.
    pub amount_fen: Option<i64>,
    /// Code of list `period`.
    pub period: String,
    /// Code of list `asset`.
    pub asset: String,
    /// Area, 0.01 mu.
    pub area_centimu: Option<i64>,
    /// Code of list `department`.
    pub department: String,
    /// What it brings in the year, fen.
    pub year_fen: i64,
    /// Whether the household has confirmed it.
    pub confirmed: bool,
}

impl OwnRecord {
    /// What is shown on a day.
    pub fn of(facts: &Facts, regions: &RegionList, today: Day) -> Self {
        let case = Case::of(facts);
        let help = Help::of(facts, today.civil().0);
        let brings = |row: &Row| {
            let measure = help.measures.iter().find(|measure| measure.row == row.id);
            measure.map_or(0, |measure| measure.fen)
        };
        let mut clues: Vec<_> =
            facts.rows("clues").iter().filter(|clue| !clue.tick("withdrawn")).collect();
        clues.sort_by_key(|clue| std::cmp::Reverse(clue.day("received_on")));
        Self {
            place: regions.path(facts.village).into_iter().map(str::to_owned).collect(),
            head_name: facts.text("basic", "head_name").to_owned(),
            people: facts.people_count(),
            case: case.path.iter().map(|passed| OwnStage::of(facts, passed)).collect(),
            may_object: case.stage() == Some(Stage::OnNotice),
            clues: clues.into_iter().map(OwnClue::of).collect(),
            cadres: facts.responsible_cadres(today).map(OwnCadre::of).collect(),
            measures: facts
                .rows("measures")
                .iter()
                .map(|row| OwnMeasure::of(row, brings(row)))
                .collect(),
            year: help.year,
            year_fen: help.total_fen,
        }
    }
}

impl OwnStage {
    fn of(facts: &Facts, passed: &Passed) -> Self {
        let steps = passed.steps.iter().filter_map(|step| facts.row("steps", step));
        let reasons = steps.map(|step| step.text("reason")).filter(|reason| !reason.is_empty());
        let is_told = matches!(
            passed.stage,
            Stage::NotIncluded
                | Stage::Duplicate
                | Stage::Returned
                | Stage::Closed
                | Stage::Reopened
        );
        Self {
            stage: passed.stage.code().to_owned(),
            on: passed.on.map(|day| day.to_string()),
            reason: reasons.filter(|_| is_told).map(str::to_owned).next().unwrap_or_default(),
        }
    }
}

impl OwnClue {
    fn of(row: &Row) -> Self {
        let text = |field| row.text(field).to_owned();
        Self {
            channel: text("channel"),
            risk: text("risk"),
            received_on: text("received_on"),
            outcome: text("outcome"),
        }
    }
}

impl OwnCadre {
    fn of(row: &Row) -> Self {
        Self { name: row.text("name").to_owned(), unit: row.text("unit").to_owned() }
    }
}

impl OwnMeasure {
    fn of(row: &Row, year_fen: i64) -> Self {
        let text = |field| row.text(field).to_owned();
        Self {
            row: row.id.clone(),
            kind: text("kind"),
            title: text("title"),
            status: text("status"),
            from: text("from"),
            to: text("to"),
            amount_fen: row.int("amount_fen"),
            period: text("period"),
            asset: text("asset"),
            area_centimu: row.int("area_centimu"),
            department: text("department"),
            year_fen,
            confirmed: row.tick("confirmed"),
        }
    }
}
