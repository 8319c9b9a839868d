//! What an office and a bureau wait for with a whole county on record: a file of bills matched and judged, a page of a
//! list, a search, all figures. `WANHU_HOUSEHOLDS` says how many households there are.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use wanhu_core::domain::authority::Role;
use wanhu_core::domain::environment::random;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::records::Household;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::App;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{AdminCommand, FiguresArguments, HouseholdFilter, Office};
use wanhu_server::import::delivery;
use wanhu_server::import::profile::{Kind, Profile};
use wanhu_server::settings::Settings;
use wanhu_server::storage::author::{self, Author};
use wanhu_server::storage::persons;
use wanhu_tests::population;
use wanhu_tests::seeded::Seeded;

use super::{Failure, Figure, median};

const HOUSEHOLDS: usize = 60_000;
const RUNS: usize = 21;
const BATCH: usize = 500;

fn account(id: &str, role: Role, areas: Vec<u64>) -> Account {
    let (id, name, granted_by) = (id.to_owned(), id.to_owned(), String::new());
    Account { id, name, role, areas, granted_by, disabled: false }
}

/// Puts the population on record, and a bill for so many of its people into a file.
fn fill(app: &App, households: usize, bills: &Path) -> Result<usize, Failure> {
    let mut rng = Seeded(18);
    let mut out = std::io::BufWriter::new(std::fs::File::create(bills)?);
    writeln!(out, "姓名,身份证号码,医疗类别,病种,入院日期,出院日期,总费用,基本医保报销,个人自付")?;
    let mut count = 0;
    let mut batch = Vec::with_capacity(BATCH);
    for (village, edit) in population::population(3, households) {
        for row in edit.new_rows.iter().filter(|row| row.container == "members") {
            let text = |name: &str| {
                let field = row.fields.iter().find(|(field, _)| field == name);
                field.and_then(|(_, value)| value.as_text()).unwrap_or_default().to_owned()
            };
            // A million bills for 1.2 million households of four.
            if rng.chance(21) && !text("identity_number").is_empty() {
                let cost = 500 + rng.below(12_000);
                writeln!(
                    out,
                    "{},{},住院,肺炎,2026-10-{:02},2026-11-{:02},{},{},{}",
                    text("name"),
                    text("identity_number"),
                    1 + rng.below(28),
                    1 + rng.below(20),
                    cost * 3,
                    cost * 2,
                    cost
                )?;
                count += 1;
            }
        }
        batch.push((village, edit, HouseholdId::from_random(random(&mut rng))));
        if batch.len() == BATCH {
            write(app, std::mem::take(&mut batch))?;
        }
    }
    write(app, batch)?;
    Ok(count)
}

type Opened = (u64, wanhu_core::client::RecordEdit, HouseholdId);

fn write(app: &App, batch: Vec<Opened>) -> Result<(), Failure> {
    let (now_ms, person_key, policy) = (app.clock.now_ms(), app.person_key, app.policy.clone());
    app.storage.writer().write(move |transaction| {
        for (village, edit, id) in batch {
            let account = account("township", Role::TownshipOffice, vec![village / 1_000]);
            let author = Author::office(account, now_ms, person_key);
            let household = Household::unsaved(id, village);
            let wrote = author::write(transaction, &author, &policy.policy, household, &edit)?;
            assert!(wrote.is_ok(), "{wrote:?}");
        }
        Ok(())
    })?;
    Ok(())
}

pub(crate) fn measure() -> Result<Vec<Figure>, Failure> {
    let said = std::env::var("WANHU_HOUSEHOLDS").ok().and_then(|text| text.parse().ok());
    let households = said.unwrap_or(HOUSEHOLDS);
    let dir = tempfile::tempdir()?;
    let settings = Settings { data_dir: dir.path().join("server"), ..Settings::default() };
    let app = App::open(&settings, Arc::new(SystemClock), &mut SystemEntropy)?;
    let bills = dir.path().join("bills.csv");
    let count = fill(&app, households, &bills)?;
    persons::catch_up(&app.storage, app.person_key)?;
    let scale = format!("{households} households");
    let figure = |goal, what: String, value, unit, aim, runs| Figure {
        goal,
        what: format!("{what}, {scale}"),
        value,
        unit,
        aim,
        runs,
    };

    let bureau = account("bureau", Role::Department, vec![4310]);
    let profile = Profile::of(Kind::Medical).ok_or("profile")?;
    let begin = Instant::now();
    let delivered = delivery::deliver(&app, &bureau, profile, &bills, None, &|_, _, _| true)?;
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("{delivered:?}");
    let mut figures = vec![
        figure("P18", format!("{count} bills matched and judged"), seconds, "s", None, 1),
        figure("P18", "per bill".into(), seconds * 1e6 / count as f64, "us", Some(60.0), 1),
    ];

    figures.extend(lists(&settings, &app, &scale)?);
    let asked = FiguresArguments { area: None, as_of: None, from: None, list: None };
    let begin = Instant::now();
    Office { settings: &settings, app: &app, by: "city" }
        .run(AdminCommand::Figures(asked), &mut SystemEntropy)
        .map_err(|e| e.words().2)?;
    let seconds = begin.elapsed().as_secs_f64();
    figures.push(figure("figures", "all figures of the city".into(), seconds, "s", None, 1));
    Ok(figures)
}

/// What an office of one county waits for.
fn lists(settings: &Settings, app: &App, scale: &str) -> Result<Vec<Figure>, Failure> {
    app.accounts.create(&account("city", Role::City, vec![4310]), 0)?;
    app.accounts.create(&account("county", Role::CountyOffice, vec![431_022]), 0)?;
    let office = |by: &'static str| Office { settings, app, by };
    let timed = |command: AdminCommand, by| -> Result<f64, Failure> {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let begin = Instant::now();
            office(by).run(command.clone(), &mut SystemEntropy).map_err(|e| e.words().2)?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        Ok(median(times))
    };
    let page = |state: Option<&str>, search: Option<&str>| {
        AdminCommand::List(HouseholdFilter {
            area: Some(431_022),
            state: state.map(str::to_owned),
            search: search.map(str::to_owned),
            rows: 50,
            ..HouseholdFilter::default()
        })
    };
    let mut figures = Vec::new();
    for (what, command) in [
        ("first page of a county", page(None, None)),
        ("a county's cases with a clue", page(Some("clue"), None)),
        ("search by characters in a county", page(None, Some("永昌"))),
        ("a county office's tasks", AdminCommand::Tasks),
    ] {
        let (value, what) = (timed(command, "county")?, format!("{what}, {scale}"));
        figures.push(Figure {
            goal: "lists",
            what,
            value,
            unit: "ms",
            aim: Some(50.0),
            runs: RUNS,
        });
    }
    Ok(figures)
}
