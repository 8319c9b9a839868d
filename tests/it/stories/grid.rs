//! 福岭村 is divided into grids (网格). Two grid workers go through theirs: what a bureau's file sets off comes to the one whose
//! grid it is, and list, figures and the households behind them say the same of a grid, at the office and on the phones.

use wanhu_core::domain::day::Day;
use wanhu_core::domain::figures::Statistic;
use wanhu_core::store::listing::ListFilter;
use wanhu_server::admin::{FiguresArguments, HouseholdFilter};

use super::*;

const DAY: &str = "2024-03-05";

/// A family of 福岭村 as a cadre enters it.
fn family_in(grid: &str, head: &str, number: &str) -> RecordEdit {
    let number = format!("members.identity_number={number}");
    let (head_name, name) = (format!("basic.head_name={head}"), format!("members.name={head}"));
    let family = typed(&[&head_name, "class.household_kind=脱贫户", &name, &number]);
    // Not every app takes blanks away.
    if grid.is_empty() { family } else { family.set("basic", "grid", grid) }
}

/// Opens a grid worker's account as the village committee does.
fn grid_worker(county: &County, name: &str, grids: &[&str]) {
    let add = AdminCommand::AccountAdd {
        id: name.into(),
        name: name.into(),
        role: Role::GridWorker,
        area: vec![FULING],
        grid: grids.iter().map(|grid| (*grid).to_owned()).collect(),
    };
    county.office("村委会", add).unwrap();
}

/// Says anew in which grids somebody works.
fn works_in(county: &County, by: &str, id: &str, grids: &[&str]) -> Result<Json, &'static str> {
    let grid = grids.iter().map(|grid| (*grid).to_owned()).collect();
    county.office(by, AdminCommand::AccountGrids { id: id.into(), grid })
}

/// Whose households somebody has to go to, by the phone after a sync. At a desk they are told the same.
async fn to_do(county: &County, phone: &Ledger, name: &str) -> Vec<String> {
    sync(phone).await;
    let mut heads: Vec<_> = phone.tasks().unwrap().into_iter().map(|task| task.head_name).collect();
    let desk = county.listed(name, AdminCommand::Tasks(TaskArguments::default())).unwrap();
    let desk: Vec<_> = desk.iter().map(|task| task["head_name"].clone()).collect();
    assert_eq!(Json::from(heads.clone()), Json::from(desk), "{name}");
    heads.dedup();
    heads.sort();
    heads.dedup();
    heads
}

/// The households of a grid in the township's list, read one a page.
fn listed_at_office(county: &County, grid: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let after = ids.last().map(|id| id.parse().unwrap());
        let (grid, area) = (Some(grid.to_owned()), Some(FULING));
        let filter = HouseholdFilter { area, grid, after, rows: 1, ..HouseholdFilter::default() };
        let page = county.listed("乡政府", AdminCommand::List(filter)).unwrap();
        let Some(row) = page.first() else { return ids };
        ids.push(row["household"].as_str().unwrap().to_owned());
    }
}

/// The same on a phone.
fn listed_on(phone: &Ledger, grid: &str) -> Vec<String> {
    let (mut ids, mut after) = (Vec::new(), None);
    let grid = Some(grid.to_owned());
    let filter = ListFilter { area: Some(FULING), grid, ..ListFilter::default() };
    loop {
        let page = phone.list(&filter, after.as_ref(), 1).unwrap();
        let Some(row) = page.first() else { return ids };
        ids.push(row.id.to_string());
        after = Some(row.place());
    }
}

/// The households on record that the township's figures of a grid rest on; of the whole village without one.
fn counted_at_office(county: &County, grid: Option<&str>) -> Vec<String> {
    let asked = FiguresArguments {
        area: Some(FULING),
        grid: grid.map(str::to_owned),
        list: Some(Statistic::Coverage),
        ..FiguresArguments::default()
    };
    let figures = county.office("乡政府", AdminCommand::Figures(asked)).unwrap();
    let village = FULING.to_string();
    let is_it = |figure: &&Json| figure["code"] == "coverage" && figure["of"] == *village;
    let Some(figure) = figures.as_array().unwrap().iter().find(is_it) else { return Vec::new() };
    let ids = figure["households"].as_array().unwrap();
    assert_eq!(figure["numerator"], ids.len());
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The same on a phone.
fn counted_on(phone: &Ledger, grid: Option<&str>) -> Vec<String> {
    let day: Day = DAY.parse().unwrap();
    let with_ids = [Statistic::Coverage];
    let figures = phone.figures(FULING, grid, (day, day), None, &with_ids).unwrap();
    let village = FULING.to_string();
    let figure = figures.iter().find(|f| f.code == Statistic::Coverage && f.of == village);
    let Some(figure) = figure else { return Vec::new() };
    assert_eq!(figure.numerator, i64::try_from(figure.households.len()).unwrap());
    figure.households.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_up_in_a_grid_is_its_workers_and_its_figures_are_its_own() {
    let county = people("2024-03-04", FULING, None).await;
    grid_worker(&county, "赵丽", &["第一网格"]);
    grid_worker(&county, "孙强", &["第二网格", "第三网格 "]);
    let (li, zhao, sun) =
        (county.phone("李明").await, county.phone("赵丽").await, county.phone("孙强").await);
    sync(&li).await;
    let zhou = li.create_household(FULING, family_in("第一网格", "周长根", NUMBER)).unwrap();
    let he = family_in(" 第三网格\u{3000}", "何桂英", "431022197003080028");
    let he = li.create_household(FULING, he).unwrap();
    let liu = li.create_household(FULING, family_in("", "刘永福", "431025197001010033")).unwrap();
    sync(&li).await;

    // The bureau's file tells of all three. Each grid worker has the own family to go to, the village's cadre all of them:
    // so the one of no grid is nobody's alone and is not forgotten.
    let bill = |name, number| ["1", name, number, "住院", "肺炎", "2024-02-03", "2024-02-28"];
    let bills = [
        bill("周长根", NUMBER),
        bill("何桂英", "431022197003080028"),
        bill("刘永福", "431025197001010033"),
    ];
    let bills =
        bills.map(|bill| [&bill[..], &["61000", "38000", "6000", "2000", "15000"]].concat());
    let lines: Vec<Line<'_>> =
        std::iter::once(BILLS_HEADER).chain(bills.iter().map(Vec::as_slice)).collect();
    let dir = tempfile::tempdir().unwrap();
    let delivered = deliver(&county, &spreadsheet(&dir.path().join("b.xlsx"), "住院明细", &lines));
    assert_eq!(delivered["warned"], 3);
    county.day(DAY);
    assert_eq!(to_do(&county, &zhao, "赵丽").await, ["周长根"]);
    assert_eq!(to_do(&county, &sun, "孙强").await, ["何桂英"]);
    assert_eq!(to_do(&county, &li, "李明").await, ["何桂英", "刘永福", "周长根"]);

    // 刘家 is found to live in the second grid: what has to be done there goes with it.
    li.edit(liu, &typed(&["basic.grid=第二网格"])).unwrap();
    sync(&li).await;
    assert_eq!(to_do(&county, &sun, "孙强").await, ["何桂英", "刘永福"]);
    assert_eq!(to_do(&county, &zhao, "赵丽").await, ["周长根"]);

    // A grid is whose work it is, not a wall: the whole village is on both phones, and both may write in it.
    assert_eq!(zhao.status().unwrap().households, 3);
    zhao.edit(he, &typed(&["visits.date=2024-03-05", "visits.note=路过,家中平安"])).unwrap();
    assert_eq!(sync(&zhao).await.refused, 0);

    // List, figures and the households behind them say the same of every grid, at the office and on the phones.
    sync(&sun).await;
    for (grid, households) in
        [("第一网格", vec![zhou]), ("第二网格", vec![liu]), ("第三网格", vec![he]), ("", vec![])]
    {
        let ids: Vec<_> = households.iter().map(ToString::to_string).collect();
        assert_eq!(listed_at_office(&county, grid), ids, "{grid}");
        assert_eq!(listed_on(&sun, grid), ids, "{grid}");
        assert_eq!(counted_at_office(&county, Some(grid)), ids, "{grid}");
        assert_eq!(counted_on(&sun, Some(grid)), ids, "{grid}");
    }
    assert_eq!(counted_at_office(&county, None).len(), 3);
    assert_eq!(counted_on(&sun, None), counted_at_office(&county, None));

    // 孙强 gives the second grid away. Only whoever may open an account may say so, and only of a grid worker; the phones hear
    // of it at their next sync.
    assert_eq!(works_in(&county, "李明", "孙强", &["第三网格"]), Err("not_granted"));
    assert_eq!(works_in(&county, "乡政府", "李明", &["第三网格"]), Err("grid_unfit"));
    works_in(&county, "村委会", "孙强", &["第三网格"]).unwrap();
    works_in(&county, "村委会", "赵丽", &["第一网格", "第二网格"]).unwrap();
    assert_eq!(kinds(&sun.tasks().unwrap()).len(), 4, "it has not heard of it");
    assert_eq!(to_do(&county, &sun, "孙强").await, ["何桂英"]);
    assert_eq!(to_do(&county, &zhao, "赵丽").await, ["刘永福", "周长根"]);
    assert_eq!(zhao.status().unwrap().grids, ["第一网格", "第二网格"]);

    // Whoever is named as responsible has the household, wherever it is.
    fill_in(&county, "乡政府", he, &["cadres.account=赵丽", "cadres.name=赵丽"]);
    assert_eq!(to_do(&county, &sun, "孙强").await, Vec::<String>::new());
    assert_eq!(to_do(&county, &zhao, "赵丽").await, ["何桂英", "刘永福", "周长根"]);

    // Kept to no grid any more, 孙强 has the village, as every grid worker had before.
    works_in(&county, "村委会", "孙强", &[]).unwrap();
    assert_eq!(to_do(&county, &sun, "孙强").await, ["刘永福", "周长根"]);
}
