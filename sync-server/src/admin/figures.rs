//! Figures of an area for the offices in charge of it: as of now, or as of a day that is past, from the log as it was
//! then. Must not define a figure; the domain does.

use std::path::{Path, PathBuf};

use clap::Args;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::{Figure, FigureUnit, Figures, Statistic};
use wanhu_core::domain::region::{self, RegionList};
use wanhu_core::domain::schema::words;
use wanhu_core::domain::value::hundredths;

use super::{AdminError, Office, Output, lines};
use crate::accounts::AccountError;
use crate::storage::{self, taken};

/// Which figures.
#[derive(Clone, Debug, Default, Args)]
pub struct FiguresArguments {
    /// 区划代码,默认为本账户辖区 · region code; else the account's own area
    #[arg(long)]
    pub area: Option<u64>,
    /// 截至日期,默认今天 · as of this day; else today
    #[arg(long)]
    pub as_of: Option<Day>,
    /// 期间起始日期,默认一个月前 · first day of the period; else a month back
    #[arg(long)]
    pub from: Option<Day>,
    /// 各村应登记户数 (CSV:村代码,户数),用于登记率 · how many households each village should have, for coverage
    #[arg(long)]
    pub expected: Option<PathBuf>,
    /// 列出此项的农户 · list the households behind this figure
    #[arg(long, value_parser = statistic_of)]
    pub list: Option<Statistic>,
    /// 显示各项含义 · say what each figure counts
    #[arg(long)]
    pub define: bool,
}

fn statistic_of(text: &str) -> Result<Statistic, String> {
    Statistic::from_code(text).ok_or_else(|| {
        let all: Vec<_> = Statistic::ALL.into_iter().map(Statistic::code).collect();
        format!("没有这项统计 · no such figure; 可选 one of: {}", all.join(" "))
    })
}

impl Office<'_> {
    pub(super) fn figures(&self, asked: &FiguresArguments) -> Result<Output, AdminError> {
        let account = self.account()?;
        // Figures name no person; the households behind them do.
        let counts = account.role.holds_replica() || account.role == Role::City;
        let areas = asked.area.map_or_else(|| account.areas.clone(), |area| vec![area]);
        if !counts || !areas.iter().all(|area| authority::covers(&account.areas, *area)) {
            return Err(AccountError::NotGranted.into());
        }
        let today = Day::in_china(self.app.clock.now_ms());
        let as_of = asked.as_of.unwrap_or(today);
        let from = asked.from.unwrap_or_else(|| as_of.plus_months(-1).plus_days(1));
        let policy = self.app.policy.clone();
        let nothing = Figures::new(as_of, (from, as_of), &policy.policy);
        let mut figures = asked.list.iter().fold(nothing, |figures, code| figures.with_ids(*code));
        for (village, households) in asked.expected.as_deref().map_or(Ok(vec![]), expected)? {
            if areas.iter().any(|area| region::code_contains(*area, village)) {
                figures.expect(village, households);
            }
        }
        let past = (as_of < today).then_some(as_of);
        self.app.storage.read(|connection| {
            for area in &areas {
                storage::for_each_on(connection, *area, past, |then, lives_in| {
                    let facts = facts(&then.fold, then.scope);
                    let case = taken::case(connection, &then, &facts)?;
                    // Whoever has moved on since is another office's to look at.
                    let may_see = authority::covers(&account.areas, lives_in);
                    figures.add_case(may_see.then_some(then.id), &facts, &case);
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        let defines = |code| asked.define || asked.list == Some(code);
        Ok(told(&figures.all(), &self.app.regions, defines))
    }
}

/// Figures of which there is something to say; under the first of a kind that is to be defined, what it counts.
fn told(figures: &[Figure], list: &RegionList, defines: impl Fn(Statistic) -> bool) -> Output {
    let mut last = None;
    let counted = figures.iter().filter(|figure| figure.numerator != 0 || figure.denominator != 0);
    let mut output = lines(counted.map(|figure| {
        let is_first = last.replace(figure.code) != Some(figure.code);
        (line(figure, list, is_first && defines(figure.code)), json(figure))
    }));
    if last.is_some() && !Statistic::ALL.into_iter().all(defines) {
        output.text.push_str("各项含义: --define · what each counts: --define\n");
    }
    output
}

/// A village's code and how many households it should have on record, line by line. The first may be a title.
fn expected(path: &Path) -> Result<Vec<(u64, u64)>, AdminError> {
    let unusable = |what: String| AdminError::ExpectedUnusable(what);
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| unusable(error.to_string()))?;
    let mut expected = Vec::new();
    for (place, line) in lines.records().enumerate() {
        let line = line.map_err(|error| unusable(error.to_string()))?;
        let number = |column| {
            let cell = line.get(column)?.trim_start_matches('\u{FEFF}');
            cell.parse::<u64>().ok()
        };
        match (number(0).filter(|village| region::is_village(*village)), number(1)) {
            (Some(village), Some(households)) => expected.push((village, households)),
            _ if place == 0 => {}
            _ => return Err(unusable(format!("{}", place + 1))),
        }
    }
    Ok(expected)
}

fn line(figure: &Figure, list: &RegionList, defines: bool) -> String {
    let name = words("figure_name", figure.code.code());
    let name = name.map(|name| format!("{} · {}", name.zh, name.en)).unwrap_or_default();
    let of = match figure.of_label(list) {
        of if of.is_empty() => of,
        of => format!(" [{of}]"),
    };
    let value = match (figure.unit, figure.value) {
        (_, None) => "-".to_owned(),
        (FigureUnit::Households, Some(value)) => format!("{value} 户"),
        (FigureUnit::PerTenThousand, Some(value)) => format!("{}%", hundredths(value)),
        (FigureUnit::FenEach, Some(value)) => format!("{} 元", hundredths(value)),
    };
    let mut text = format!(
        "{name}{of}\t{value}\t({} / {})\t截至 as of {}",
        figure.numerator, figure.denominator, figure.as_of
    );
    if let Some(words) = words("figure", figure.code.code()).filter(|_| defines) {
        text.push_str(&format!("\n    {}\n    {}", words.zh, words.en));
    }
    for id in &figure.households {
        text.push_str(&format!("\n    {id}"));
    }
    text
}

fn json(figure: &Figure) -> serde_json::Value {
    let definition = words("figure", figure.code.code());
    let ids = |ids: &[wanhu_core::domain::ids::HouseholdId]| {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    serde_json::json!({
        "code": figure.code.code(), "of": figure.of, "as_of": figure.as_of.to_string(),
        "numerator": figure.numerator, "denominator": figure.denominator, "value": figure.value,
        "people": figure.people, "households": ids(&figure.households), "rest": ids(&figure.rest),
        "zh": definition.map(|words| &words.zh), "en": definition.map(|words| &words.en)
    })
}
