//! A4. The figures of a city: 441,000 people lifted out of poverty, incidence from 10.7 % in 2014 to 0.28 % at the end
//! of 2019, income per person from 2,346.67 yuan in 2015 to 9,332.43 yuan in 2019, 11,516 people not yet lifted; told
//! from a population of that shape, one person for every 500.
//!
//! No figure counts the 442 villages and 4 counties that were removed from the list: a household's record does not
//! say whether its village is on one. Nor is there a figure of those lifted: they are who was counted poor on the
//! earlier day and is not on the later one.

use std::collections::BTreeSet;

use super::*;
use serde_json::json;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::{Figure, Statistic};
use wanhu_core::domain::region::{Level, RegionList};
use wanhu_core::store::records::{self, Household};
use wanhu_core::system::SystemEntropy;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{FiguresArguments, Office};
use wanhu_server::storage::author::{self, Author};
use wanhu_tests::city::{
    FEN_EACH_2015, FEN_EACH_2019, Family, Fate, LIFTED, MOVED_AWAY, NOT_LIFTED, RURAL, SCALE, city,
};
use wanhu_tests::population::JINPEN;

const CITY: u64 = 4310;

/// Every township writes in its families, as of the county's day.
fn write(county: &County, edits: Vec<(HouseholdId, u64, RecordEdit)>) {
    let app = &county.server.app;
    let (now_ms, person_key, policy) = (app.clock.now_ms(), app.person_key, app.policy.clone());
    let wrote = app.storage.writer().write(move |transaction| {
        for (id, village, edit) in edits {
            let account = Account {
                id: "乡政府".to_owned(),
                name: "乡政府".to_owned(),
                role: Role::TownshipOffice,
                areas: vec![village / 1_000],
                grids: Vec::new(),
                granted_by: String::new(),
                disabled: false,
            };
            let author = Author::office(account, now_ms, person_key);
            let known = records::find(transaction, id)?;
            let household = known.unwrap_or_else(|| Household::unsaved(id, village));
            let wrote = author::write(transaction, &author, &policy.policy, household, &edit)?;
            assert!(wrote.is_ok(), "{wrote:?}");
        }
        Ok(())
    });
    wrote.unwrap();
}

/// What of a year is written about each family of which there is something to write.
fn of_year(
    families: &[Family],
    edit: impl Fn(&Family) -> Option<RecordEdit>,
) -> Vec<(HouseholdId, u64, RecordEdit)> {
    let written = families.iter().map(|family| (family.id, family.village, edit(family)));
    written.filter_map(|(id, village, edit)| Some((id, village, edit?))).collect()
}

/// All figures of an area, as the city is told them.
fn figures(
    county: &County,
    area: Option<u64>,
    as_of: Option<&str>,
    list: Option<Statistic>,
) -> Vec<Json> {
    let as_of: Option<Day> = as_of.map(|day| day.parse().unwrap());
    let from = as_of.is_none().then(|| "2020-05-01".parse().unwrap());
    let asked = FiguresArguments { area, as_of, from, list, ..FiguresArguments::default() };
    let figures = county.office("市局", AdminCommand::Figures(asked)).unwrap();
    figures.as_array().unwrap().clone()
}

fn find(figures: &[Json], code: Statistic, of: &str) -> Option<Json> {
    let is_it = |figure: &&Json| figure["code"] == code.code() && figure["of"] == of;
    figures.iter().find(is_it).cloned()
}

/// One figure of the whole city, with the households behind it.
fn of_the_city(county: &County, as_of: &str, code: Statistic, of: &str) -> Json {
    let figures = figures(county, None, Some(as_of), Some(code));
    let figure = find(&figures, code, of).unwrap();
    assert_eq!(figure["as_of"], as_of);
    figure
}

fn parts(figure: &Json) -> (i64, i64, i64) {
    let part = |name: &str| figure[name].as_i64().unwrap();
    (part("numerator"), part("denominator"), part("value"))
}

fn ids(figure: &Json) -> BTreeSet<String> {
    let ids = figure["households"].as_array().unwrap();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn ids_of(families: &[Family], is_one: impl Fn(&Family) -> bool) -> BTreeSet<String> {
    families.iter().filter(|family| is_one(family)).map(|family| family.id.to_string()).collect()
}

/// What a phone says, in the words of the server.
fn as_told(figure: &Figure) -> Json {
    let ids = |ids: &[HouseholdId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "code": figure.code.code(), "of": figure.of, "as_of": figure.as_of.to_string(),
        "numerator": figure.numerator, "denominator": figure.denominator, "value": figure.value,
        "people": figure.people, "households": ids(&figure.households), "rest": ids(&figure.rest)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_figures_of_a_city_from_the_records_of_its_families() {
    let families = city(4);
    let village = families[0].village;
    let county = people("2014-12-31", village, None).await;
    county.account("市局", Role::City, CITY);
    write(&county, of_year(&families, |family| Some(family.in_2014())));
    county.day("2015-12-31");
    write(&county, of_year(&families, Family::in_2015));
    county.day("2019-12-31");
    write(&county, of_year(&families, Family::in_2019));
    county.day("2020-06-01");

    // The day before the first record there is nothing to tell.
    assert!(figures(&county, None, Some("2014-12-30"), None).is_empty());

    // Incidence 10.7 % in 2014, 0.28 % at the end of 2019; 11,516 people not yet lifted.
    let poor_2014 = of_the_city(&county, "2014-12-31", Statistic::Incidence, "");
    assert_eq!(parts(&poor_2014), (LIFTED + NOT_LIFTED, RURAL + MOVED_AWAY, 1_070));
    assert_eq!(ids(&poor_2014), ids_of(&families, Family::was_poor));
    let poor_2019 = of_the_city(&county, "2019-12-31", Statistic::Incidence, "");
    assert_eq!(parts(&poor_2019), (NOT_LIFTED, RURAL, 28));
    assert_eq!(poor_2019["people"], 11_516 / SCALE);
    assert_eq!(ids(&poor_2019), ids_of(&families, |family| family.fate == Fate::NotLifted));

    // 441,000 people lifted out, and which.
    let (before, after) = (parts(&poor_2014).0, parts(&poor_2019).0);
    assert_eq!((before - after) * SCALE, 441_000);
    let lifted: BTreeSet<String> = ids(&poor_2014).difference(&ids(&poor_2019)).cloned().collect();
    assert_eq!(lifted, ids_of(&families, |family| family.fate == Fate::Lifted));

    // Income per person: 2,346.67 yuan in 2015, 9,332.43 yuan in 2019.
    let once_poor = LIFTED + NOT_LIFTED;
    for (year, fen_each) in [("2015", FEN_EACH_2015), ("2019", FEN_EACH_2019)] {
        let as_of = format!("{year}-12-31");
        let income = of_the_city(&county, &as_of, Statistic::Income, year);
        assert_eq!(parts(&income), (once_poor * fen_each, once_poor, fen_each));
        assert_eq!(ids(&income), ids_of(&families, Family::was_poor));
    }
    let of_2014 = figures(&county, None, Some("2014-12-31"), None);
    assert!(!of_2014.iter().any(|figure| figure["code"] == "income"), "none was on record yet");

    // The counties come to the city.
    let counties = RegionList::chenzhou().within(CITY, Level::County);
    let of_counties = counties.map(|region| {
        let figures = figures(&county, Some(region.code), None, None);
        let figure = find(&figures, Statistic::Incidence, "").unwrap();
        (figure["numerator"].as_i64().unwrap(), figure["denominator"].as_i64().unwrap())
    });
    let sum = of_counties.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    assert_eq!(sum, (NOT_LIFTED, RURAL));

    // In one village work goes on: a family is monitored, visited and helped, another is reported.
    let is_here = |f: &&Family| f.village == village && f.fate == Fate::Lifted;
    let mut lifted_here = families.iter().filter(is_here);
    let (monitored, reported) = (lifted_here.next().unwrap().id, lifted_here.next().unwrap().id);
    let fields = &["class.monitored_kind=脱贫不稳定户", "case.identified_on=2020-05-20"];
    let carried_over = Step { fields, reason: "因病返贫风险", ..Step::default() };
    county.step("县局", monitored, "监测", carried_over).unwrap();
    let done = [
        "class.risk_1=因病",
        "class.tag_unstable=是",
        "visits.date=2020-05-25",
        "visits.met=户主",
        "measures.kind=产业帮扶",
        "measures.status=正在落实",
    ];
    fill_in(&county, "乡政府", monitored, &done);
    county.step("乡政府", reported, "线索", Step::default()).unwrap();

    // Its cadre's phone, without a network, says of it what the server says to the city, figure by figure.
    let li = county.phone("李明").await;
    sync(&li).await;
    let period = ("2020-05-01".parse().unwrap(), "2020-06-01".parse().unwrap());
    for code in Statistic::ALL {
        let mut server = figures(&county, Some(village), None, Some(code));
        for figure in server.iter_mut().filter_map(Json::as_object_mut) {
            figure.remove("zh");
            figure.remove("en");
        }
        let phone = li.figures(village, None, period, None, &[code]).unwrap();
        let counted = phone.iter().filter(|f| f.numerator != 0 || f.denominator != 0);
        assert_eq!(counted.map(as_told).collect::<Vec<_>>(), server, "{}", code.code());
    }
    let of_village = figures(&county, Some(village), None, None);
    for (code, of) in [
        (Statistic::Helped, (1, 1)),
        (Statistic::Guaranteed, (0, 1)),
        (Statistic::NotIncluded, (0, 1)),
        // The family reported is yet to be visited.
        (Statistic::Visited, (1, 2)),
    ] {
        let figure = find(&of_village, code, "").unwrap();
        let (numerator, denominator, _) = parts(&figure);
        assert_eq!((numerator, denominator), of, "{}", code.code());
    }

    // All areas inside in one pass: each says what it says when it is asked alone; where nobody is on record as well.
    for (area, level) in [(CITY, Level::County), (village / 1_000, Level::Village)] {
        let inside: Vec<u64> = RegionList::chenzhou().within(area, level).map(|r| r.code).collect();
        let each = each(&county, area, level);
        assert_eq!(each.iter().map(|(code, _)| *code).collect::<Vec<_>>(), inside);
        for (code, told) in each {
            assert_eq!(told, figures(&county, Some(code), None, None), "{code}");
        }
    }
}

/// All areas of a level inside one, each with the figures of which there is something to say.
fn each(county: &County, area: u64, level: Level) -> Vec<(u64, Vec<Json>)> {
    let from = Some("2020-05-01".parse().unwrap());
    let (area, each) = (Some(area), Some(level));
    let asked = FiguresArguments { area, from, each, ..FiguresArguments::default() };
    let rows = county.office("市局", AdminCommand::Figures(asked)).unwrap();
    let told = |row: &Json| {
        let mut figures = row["figures"].as_array().unwrap().clone();
        figures.retain(|figure| figure["numerator"] != 0 || figure["denominator"] != 0);
        (row["area"].as_u64().unwrap(), figures)
    };
    rows.as_array().unwrap().iter().map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_that_nobody_went_to_is_seen() {
    let (county, _li, _id) = on_record(family()).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("expected.csv");
    let next = FULING / 1_000 * 1_000 + 202;
    let table = format!("村代码,户数\n{FULING},3\n{next},5\n{JINPEN},9\n");
    std::fs::write(&file, &table).unwrap();
    let ask = |expected: &Path| {
        let expected = Some(expected.to_owned());
        let asked = FiguresArguments { expected, ..FiguresArguments::default() };
        county.office("乡政府", AdminCommand::Figures(asked))
    };
    let figures = ask(&file).unwrap();
    let of_coverage = |figure: &&Json| figure["code"] == "coverage";
    let covered = figures.as_array().unwrap().iter().filter(of_coverage);
    let told = |f: &Json| (f["of"].clone(), f["numerator"].clone(), f["denominator"].clone());
    let covered: Vec<_> = covered.map(told).collect();
    let told = [(String::new(), 1, 8), (FULING.to_string(), 1, 3), (next.to_string(), 0, 5)];
    let told = told.map(|(of, on_record, expected)| (json!(of), json!(on_record), json!(expected)));
    for one in &told {
        assert!(covered.contains(one), "{covered:?}");
    }
    assert_eq!(covered.len(), 3, "another township's villages are not asked for: {covered:?}");
    let each = Some(Level::Village);
    let asked =
        FiguresArguments { expected: Some(file.clone()), each, ..FiguresArguments::default() };
    let (settings, app) = (&county.server.settings, &county.server.app);
    let office = Office { settings, app, by: "乡政府" };
    let lines = office.run(AdminCommand::Figures(asked), &mut SystemEntropy).unwrap().text;
    for (village, coverage) in [(FULING, "建档率 33.33% (1 / 3)"), (next, "建档率 0.00% (0 / 5)")]
    {
        let line = lines.lines().find(|line| line.starts_with(&village.to_string()));
        assert!(line.is_some_and(|line| line.ends_with(coverage)), "{village}: {line:?}");
    }
    assert_eq!(lines.lines().count(), RegionList::chenzhou().children(FULING / 1_000).count());
    // A title above the header, and both in GBK, as spreadsheet programs save them.
    let mut titled = b"\xd2\xcb\xd5\xc2\n\xb4\xe5\xb4\xfa\xc2\xeb,\xbb\xa7\xca\xfd\n".to_vec();
    titled.extend(table.split_once('\n').unwrap().1.bytes());
    std::fs::write(&file, titled).unwrap();
    assert_eq!(ask(&file).unwrap(), figures);
    // Only what has no number of households is a title; nothing is counted twice, and no village that is none.
    for (faulty, row) in [
        ("村代码,户数\n431022208217,三\n", 2),
        ("4310222O8217,3\n431022208202,5\n", 1),
        ("431022208217,3\n合计,3\n", 2),
        ("村代码,户数\n431022208217,3\n431022208202,5\n431022208217,4\n", 4),
        ("村代码,户数\n659004100001,9\n", 2),
    ] {
        std::fs::write(&file, faulty).unwrap();
        let expected = Some(file.clone());
        let asked = FiguresArguments { expected, ..FiguresArguments::default() };
        let refused = office.run(AdminCommand::Figures(asked), &mut SystemEntropy).unwrap_err();
        let (code, zh, _) = refused.words();
        assert_eq!(code, "expected_unusable", "{faulty}");
        assert!(zh.contains(&format!("第 {row} 行")), "{faulty}: {zh}");
    }
    let to_come = Some("2199-01-01".parse().unwrap());
    let asked = FiguresArguments { as_of: to_come, ..FiguresArguments::default() };
    assert_eq!(county.office("乡政府", AdminCommand::Figures(asked)), Err("not_yet"));
}
