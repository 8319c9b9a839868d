//! Figures of an area for the offices in charge of it: as of now, or as of a day that is past, from the log as it was
//! then. Must not define a figure; the domain does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::Args;
use wanhu_core::document::facts::facts;
use wanhu_core::domain::authority::{self, Role};
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::{Figure, FigureUnit, Figures, Statistic};
use wanhu_core::domain::region::{self, Level, RegionList};
use wanhu_core::domain::schema::words;
use wanhu_core::domain::value::hundredths;
use wanhu_core::sync::responder::LogReader;

use super::{AdminError, Office, Output, expected, grid_of, lines};
use crate::storage::{self, SqliteReader, taken};
use crate::watch::{Phase, Watch};

/// Which figures.
#[derive(Clone, Debug, Default, Args)]
pub struct FiguresArguments {
    /// 区划代码,默认为本账户辖区 · region code; else the account's own area
    #[arg(long)]
    pub area: Option<u64>,
    /// 网格,空为未填网格的 · of a grid; of an empty one, the households that name none
    #[arg(long, conflicts_with = "expected", value_parser = grid_of)]
    pub grid: Option<String>,
    /// 截至日期,默认今天 · as of this day; else today
    #[arg(long)]
    pub as_of: Option<Day>,
    /// 期间起始日期,默认一个月前 · first day of the period; else a month back
    #[arg(long)]
    pub from: Option<Day>,
    /// 各村应登记户数 (表格:村代码、户数),用于登记率 · how many households each village should have, for coverage: a table
    #[arg(long)]
    pub expected: Option<PathBuf>,
    /// 按下级区划各列一行 · a line for each area of this level inside: 县 乡镇 村 · county township village
    #[arg(long, value_parser = level_of, conflicts_with = "list")]
    pub each: Option<Level>,
    /// 列出此项的农户,如 closure 或 风险消除率 · list the households behind this figure, by its code or Chinese name
    #[arg(long, value_parser = statistic_of)]
    pub list: Option<Statistic>,
    /// 显示各项含义 · say what each figure counts
    #[arg(long)]
    pub define: bool,
}

fn level_of(text: &str) -> Result<Level, String> {
    match text {
        "县" | "county" => Ok(Level::County),
        "乡镇" | "township" => Ok(Level::Township),
        "村" | "village" => Ok(Level::Village),
        _ => Err("没有这一级 · no such level; 可选 one of: county township village".into()),
    }
}

fn statistic_of(text: &str) -> Result<Statistic, String> {
    Statistic::named(text).ok_or_else(|| {
        let all: Vec<_> = Statistic::ALL.into_iter().map(Statistic::code).collect();
        format!("没有这项统计 · no such figure; 可选 one of: {}", all.join(" "))
    })
}

impl Office<'_> {
    pub(super) fn figures(
        &self,
        asked: &FiguresArguments,
        watch: Watch<'_>,
    ) -> Result<Output, AdminError> {
        let account = self.account()?;
        // Figures name no person; the households behind them do.
        let counts = account.role.holds_replica() || account.role == Role::City;
        let areas = asked.area.map_or_else(|| account.areas.clone(), |area| vec![area]);
        if !counts || !areas.iter().all(|area| authority::covers(&account.areas, *area)) {
            return Err(AdminError::NotGranted);
        }
        let today = Day::in_china(self.app.clock.now_ms());
        let as_of = asked.as_of.unwrap_or(today);
        if as_of > today {
            return Err(AdminError::NotYet);
        }
        let from = asked.from.unwrap_or_else(|| as_of.plus_months(-1).plus_days(1));
        let policy = self.app.policy.clone();
        let whole = Figures::new(as_of, (from, as_of), &policy.policy);
        let nothing = asked.grid.as_deref().into_iter().fold(whole, Figures::of_grid);
        let nothing = asked.list.iter().fold(nothing, |figures, code| figures.with_ids(*code));
        let past = (as_of < today).then_some(as_of);
        // Whoever has moved on since is another office's to look at.
        let may_see = |village: u64| authority::covers(&account.areas, village);
        let days = (past, asked.each);
        let mut counted = self.counted(&areas, days, (&nothing, &may_see), watch)?;
        let part = |village| asked.each.map_or(Some(0), |level| region::at_level(village, level));
        let list = &self.app.regions;
        let read = |path: &Path| expected::read(path, list);
        for (village, households) in
            asked.expected.as_deref().map(read).transpose()?.unwrap_or_default()
        {
            let is_asked = areas.iter().any(|area| region::code_contains(*area, village));
            if let Some(part) = part(village).filter(|_| is_asked) {
                let figures = counted.entry(part).or_insert_with(|| nothing.clone());
                figures.expect(village, households);
            }
        }
        if let Some(level) = asked.each {
            // Where nobody is on record is what somebody looks for.
            for region in areas.iter().flat_map(|area| list.within(*area, level)) {
                counted.entry(region.code).or_insert_with(|| nothing.clone());
            }
            return Ok(each(&counted, list));
        }
        let figures = counted.remove(&0).unwrap_or(nothing);
        let defines = |code| asked.define || asked.list == Some(code);
        Ok(told(&figures.all(), list, defines))
    }

    /// What was counted in areas as of today or a past day: in each area of a level, or in all of them, as 0. Each core counts
    /// some of the villages, once.
    fn counted<'p>(
        &self,
        areas: &[u64],
        (past, each): (Option<Day>, Option<Level>),
        (nothing, may_see): (&Figures<'p>, &(dyn Fn(u64) -> bool + Sync)),
        watch: Watch<'_>,
    ) -> Result<BTreeMap<u64, Figures<'p>>, AdminError> {
        let storage = &self.app.storage;
        let villages = storage.read(|connection| SqliteReader(connection).scopes(areas))?;
        let villages: Vec<u64> = villages.into_iter().map(|(village, _)| village).collect();
        let (total, done, is_ended) = (villages.len(), AtomicUsize::new(0), AtomicBool::new(false));
        let parts = storage.read_in_parts(&villages, |connection, villages| {
            let mut counted = BTreeMap::new();
            for village in villages {
                if !watch(Phase::Counting, done.fetch_add(1, Ordering::Relaxed), total) {
                    is_ended.store(true, Ordering::Relaxed);
                    break;
                }
                let part = each.and_then(|level| region::at_level(*village, level));
                let figures =
                    counted.entry(part.unwrap_or_default()).or_insert_with(|| nothing.clone());
                storage::for_each_on(connection, *village, past, |then, lives_in| {
                    let facts = facts(&then.fold, then.scope);
                    let case = taken::case(connection, &then, &facts)?;
                    figures.add_case(may_see(lives_in).then_some(then.id), &facts, &case);
                    Ok(())
                })?;
            }
            Ok(counted)
        })?;
        if is_ended.load(Ordering::Relaxed) {
            return Err(AdminError::Cancelled);
        }
        let mut counted = BTreeMap::new();
        for (part, figures) in parts.into_iter().flatten() {
            let sum: &mut Figures<'p> = counted.entry(part).or_insert_with(|| nothing.clone());
            sum.merge(figures)?;
        }
        Ok(counted)
    }
}

/// A line for each area: what tells whether nobody was left out. For scripts, every figure of it.
fn each(counted: &BTreeMap<u64, Figures<'_>>, list: &RegionList) -> Output {
    const SHOWN: [Statistic; 5] = [
        Statistic::Monitored,
        Statistic::Open,
        Statistic::Visited,
        Statistic::Helped,
        Statistic::Coverage,
    ];
    lines(counted.iter().map(|(area, figures)| {
        let path = list.path(*area);
        let mut text = format!("{area}\t{}", path.last().copied().unwrap_or_default());
        for code in SHOWN {
            let figure = figures.figure(code, "");
            let name = words("figure_name", code.code()).map_or("", |name| name.zh.as_str());
            let Figure { numerator, denominator, .. } = figure;
            text.push_str(&format!("\t{name} {} ({numerator} / {denominator})", value(&figure)));
        }
        let told: Vec<_> = figures.all().iter().map(json).collect();
        let path = path.join(" ");
        (text, serde_json::json!({ "area": area, "path": path, "figures": told }))
    }))
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

fn line(figure: &Figure, list: &RegionList, defines: bool) -> String {
    let name = words("figure_name", figure.code.code());
    let name = name.map(|name| format!("{} · {}", name.zh, name.en)).unwrap_or_default();
    let of = match figure.of_label(list) {
        of if of.is_empty() => of,
        of => format!(" [{of}]"),
    };
    let mut text = format!(
        "{name}{of}\t{}\t({} / {})\t截至 as of {}",
        value(figure),
        figure.numerator,
        figure.denominator,
        figure.as_of
    );
    if let Some(words) = words("figure", figure.code.code()).filter(|_| defines) {
        text.push_str(&format!("\n    {}\n    {}", words.zh, words.en));
    }
    for id in &figure.households {
        text.push_str(&format!("\n    {id}"));
    }
    text
}

fn value(figure: &Figure) -> String {
    match (figure.unit, figure.value) {
        (_, None) => "-".to_owned(),
        (FigureUnit::Households, Some(value)) => format!("{value} 户"),
        (FigureUnit::PerTenThousand, Some(value)) => format!("{}%", hundredths(value)),
        (FigureUnit::FenEach, Some(value)) => format!("{} 元", hundredths(value)),
    }
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
