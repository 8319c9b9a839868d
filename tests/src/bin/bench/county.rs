//! What an office and a bureau wait for with a whole county on record: a file of bills matched and judged, a page of a
//! list, a search, all figures. `WANHU_HOUSEHOLDS` says how many households there are; `WANHU_BENCH_DIR` where to keep
//! them, or where they are kept.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use wanhu_core::client::RecordEdit;
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::environment::random;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::records::Household;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_server::App;
use wanhu_server::accounts::Account;
use wanhu_server::admin::{AdminCommand, FiguresArguments, HouseholdFilter, Office, TaskArguments};
use wanhu_server::import::delivery::{self, Asked};
use wanhu_server::import::profile::{Kind, Profile};
use wanhu_server::settings::Settings;
use wanhu_server::storage::author::{self, Author};
use wanhu_server::storage::{dues, persons, responsible, search};
use wanhu_server::warnings::alone;
use wanhu_server::watch::{Phase, unwatched};
use wanhu_tests::population;
use wanhu_tests::seeded::{Seeded, SetClock};

use super::{Failure, Figure};

mod monitored;

const HOUSEHOLDS: usize = 60_000;
const RUNS: usize = 7;
const BATCH: usize = 500;

fn account(id: &str, role: Role, areas: Vec<u64>) -> Account {
    let (id, name, granted_by) = (id.to_owned(), id.to_owned(), String::new());
    Account { id, name, role, areas, grids: Vec::new(), granted_by, disabled: false }
}

/// Puts the population on record, and those of its people who come to hospital into a file.
fn fill(app: &App, households: usize, patients: &Path) -> Result<(), Failure> {
    let mut rng = Seeded(18);
    let begun = patients.with_extension("begun");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&begun)?);
    let mut batch = Vec::with_capacity(BATCH);
    for (village, edit) in population::population(3, households) {
        for row in edit.new_rows.iter().filter(|row| row.container == "members") {
            let text = |name: &str| {
                let field = row.fields.iter().find(|named| named.field == name);
                field.and_then(|named| named.value.as_text()).unwrap_or_default().to_owned()
            };
            // A million bills for 1.2 million households of four.
            if rng.chance(21) && !text("identity_number").is_empty() {
                writeln!(out, "{},{}", text("name"), text("identity_number"))?;
            }
        }
        batch.push((village, edit, HouseholdId::from_random(random(&mut rng))));
        if batch.len() == BATCH {
            write(app, std::mem::take(&mut batch))?;
        }
    }
    write(app, batch)?;
    persons::catch_up(&app.storage, app.person_key)?;
    out.flush()?;
    // A file that was begun and not finished is not taken for one.
    Ok(std::fs::rename(begun, patients)?)
}

/// A bureau's table with a bill for some of the patients. How many bills there are.
fn bill(
    patients: &Path,
    table: &Path,
    one_in: usize,
    self_pay_yuan: fn(&mut Seeded) -> usize,
) -> Result<usize, Failure> {
    let mut rng = Seeded(19);
    let mut out = std::io::BufWriter::new(std::fs::File::create(table)?);
    writeln!(out, "姓名,身份证号码,医疗类别,病种,入院日期,出院日期,总费用,基本医保报销,个人自付")?;
    let mut count = 0;
    for patient in std::fs::read_to_string(patients)?.lines().step_by(one_in) {
        let (from, to, cost) = (1 + rng.below(28), 1 + rng.below(20), self_pay_yuan(&mut rng));
        let (total, paid) = (cost * 3, cost * 2);
        writeln!(
            out,
            "{patient},住院,肺炎,2026-10-{from:02},2026-11-{to:02},{total},{paid},{cost}"
        )?;
        count += 1;
    }
    out.flush()?;
    Ok(count)
}

/// From 100 to 6,400 yuan, half of them below 800: a few households in a hundred that have a bill are warned of. A village secretary
/// in Guizhou got 11 to 22 warnings a month, of all departments, for some 500 households.
fn as_bureaus_send(rng: &mut Seeded) -> usize {
    let floor = 100 << rng.below(6);
    floor + rng.below(floor)
}

/// As many of every size up to 12,500 yuan: one household in four that has a bill is warned of.
fn as_none_sends(rng: &mut Seeded) -> usize {
    500 + rng.below(12_000)
}

type Opened = (u64, RecordEdit, HouseholdId);

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

/// Says when each phase begins.
fn watch(begin: Instant) -> impl Fn(Phase, usize, usize) -> bool + Sync {
    move |phase, done, total| {
        if done == 0 {
            eprintln!("{:.2} s: {phase:?} {total}", begin.elapsed().as_secs_f64());
        }
        true
    }
}

pub(crate) fn measure() -> Result<Vec<Figure>, Failure> {
    let said = std::env::var("WANHU_HOUSEHOLDS").ok().and_then(|text| text.parse().ok());
    let households = said.unwrap_or(HOUSEHOLDS);
    let kept = std::env::var_os("WANHU_BENCH_DIR").map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let dir = kept.as_deref().unwrap_or(temporary.path());
    let settings = Settings { data_dir: dir.join("server"), ..Settings::default() };
    let app = App::open(&settings, Arc::new(SystemClock), &mut SystemEntropy)?;
    let patients = dir.join("patients.csv");
    if !patients.exists() {
        fill(&app, households, &patients)?;
    }
    let monitored = dir.join("monitored");
    if !monitored.exists() {
        monitored::carry_over(&app, &monitored)?;
    }
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
    let table = dir.join("bills.csv");
    let asked = Asked { profile, file: &table, report_to: None, is_of_kind: false };
    let mut figures = Vec::new();
    for (what, one_in, cost) in [
        ("bills matched and judged", 1, as_bureaus_send as fn(&mut Seeded) -> usize),
        ("bills of which far too many warn", 10, as_none_sends),
    ] {
        let count = bill(&patients, &table, one_in, cost)?;
        let begin = Instant::now();
        let delivered = delivery::deliver(&app, &bureau, asked, &watch(begin))?;
        let seconds = begin.elapsed().as_secs_f64();
        eprintln!("{seconds:.2} s: {delivered:?}");
        let warned = delivered.warned;
        let what = format!("{count} {what}, {warned} households warned");
        figures.push(figure("P18", what, seconds, "s", None, 1));
        let per_bill = seconds * 1e6 / count as f64;
        figures.push(figure("P18", "the same, per bill".into(), per_bill, "us", Some(60.0), 1));
    }

    figures.extend(lists(&settings, &app, &scale)?);
    figures.extend(tasks(&settings, &app, &scale)?);
    let numbers = numbers(&patients, households)?;
    let office = Office { settings: &settings, app: &app, by: "county" };
    let find = |number: &String| {
        let find = AdminCommand::Find { number: number.clone() };
        office.run(find, &mut SystemEntropy).map(|_| ()).map_err(|error| error.words().2.into())
    };
    let what = format!("a person by number or telephone, a county, {scale}");
    figures.push(waited(what, &numbers, &find)?);
    figures.extend(overdue(&settings, &app, &scale)?);
    let asked = FiguresArguments::default();
    let begin = Instant::now();
    Office { settings: &settings, app: &app, by: "city" }
        .run(AdminCommand::Figures(asked), &mut SystemEntropy)
        .map_err(|e| e.words().2)?;
    let seconds = begin.elapsed().as_secs_f64();
    figures.push(figure("figures", "all figures of the city".into(), seconds, "s", None, 1));
    let county = account("all-counties", Role::CountyOffice, vec![4310]);
    let how = alone::Asked { is_preview: true, named_max: 0, watch: &unwatched };
    let begin = Instant::now();
    let found = alone::judge(&app, &county, &county.areas, how)?;
    let seconds = begin.elapsed().as_secs_f64();
    let what = format!("what records tell, nothing written, {} warned", found.warned);
    figures.push(figure("warnings", what, seconds, "s", None, 1));
    Ok(figures)
}

/// Identity numbers of patients of all villages, telephones of the first, and a number that nobody has.
fn numbers(patients: &Path, households: usize) -> Result<Vec<String>, Failure> {
    let patients = std::fs::read_to_string(patients)?;
    let all: Vec<&str> =
        patients.lines().filter_map(|line| Some(line.split_once(',')?.1)).collect();
    let some = all.iter().step_by(all.len().div_ceil(20).max(1)).map(|number| (*number).to_owned());
    let families = population::population(3, households).take(10);
    let telephones = families.filter_map(|(_, edit)| {
        let field = edit.fields.into_iter().find(|field| field.key == "phone")?;
        Some(field.value?.as_text()?.to_owned())
    });
    Ok(some.chain(telephones).chain(["110105194912310046".to_owned()]).collect())
}

/// What offices of a county and of the city wait for: of every kind of question several, each asked several times.
fn lists(settings: &Settings, app: &App, scale: &str) -> Result<Vec<Figure>, Failure> {
    for (id, role, area) in [
        ("city", Role::City, 4310),
        ("county", Role::CountyOffice, 431_022),
        ("township", Role::TownshipOffice, 431_022_208),
    ] {
        if app.accounts.account(id)?.is_none() {
            app.accounts.create(&account(id, role, vec![area]), 0)?;
        }
    }
    let all = HouseholdFilter { rows: 50, ..HouseholdFilter::default() };
    let search = |text: &str| HouseholdFilter { search: Some(text.to_owned()), ..all.clone() };
    let searches = |texts: &[&str]| texts.iter().map(|text| search(text)).collect::<Vec<_>>();
    let some = |code: &str| Some(code.to_owned());
    let questions = [
        ("first page", vec![all.clone()]),
        ("search by one character", searches(&["永", "首", "单", "囍"])),
        ("search by two characters", searches(&["永昌", "首萱", "欧阳", "昌单", "陈梓"])),
        ("search by a whole name", searches(&["首萱豪", "欧阳梓萱", "陈永昌", "单浩宇", "囍囍囍"])),
        ("search by initials", searches(&["cyc", "syx", "oyzx", "cy", "vv", "qqq"])),
        ("search by pinyin", searches(&["chenyongchang", "shouxuan", "yuxin", "xxuan", "feizhu"])),
        (
            "by stage, kind, risk or tag",
            vec![
                HouseholdFilter { state: some("clue"), ..all.clone() },
                HouseholdFilter { state: some("closed"), ..all.clone() },
                HouseholdFilter { kind: some("lifted"), ..all.clone() },
                HouseholdFilter { monitored: some("sudden"), ..all.clone() },
                HouseholdFilter { risk: some("high"), ..all.clone() },
                HouseholdFilter { tag: some("tag_extreme_hardship"), ..all.clone() },
            ],
        ),
        (
            "under monitoring, by stage, kind or risk",
            vec![
                HouseholdFilter { state: some("monitored"), ..all.clone() },
                HouseholdFilter { state: some("helped"), ..all.clone() },
                HouseholdFilter { state: some("helped"), monitored: some("sudden"), ..all.clone() },
                HouseholdFilter { state: some("monitored"), risk: some("high"), ..all.clone() },
                HouseholdFilter { state: some("helped"), ..search("李") },
            ],
        ),
        (
            "by stage and name",
            vec![
                HouseholdFilter { state: some("clue"), ..search("首萱") },
                HouseholdFilter { state: some("monitored"), ..search("李") },
            ],
        ),
        ("by grid", by_grid(&all)),
    ];
    let mut figures = Vec::new();
    let office = Office { settings, app, by: "county" };
    let of_a_county = |asked: &HouseholdFilter| {
        let list = AdminCommand::List(asked.clone());
        office.run(list, &mut SystemEntropy).map(|_| ()).map_err(|error| error.words().2.into())
    };
    // No office may list a whole city by name; a county's list must not be slower for it.
    let of_the_city = |asked: &HouseholdFilter| {
        let filter = asked.filter(4310);
        let read = |c: &Connection| search::page(c, &filter, None, asked.rows);
        Ok(app.storage.read(read).map(|_| ())?)
    };
    let ways: [(&str, Ask<'_>); 2] = [("a county", &of_a_county), ("the city", &of_the_city)];
    for (whose, ask) in ways {
        for (what, asked) in &questions {
            figures.push(waited(format!("{what}, {whose}, {scale}"), asked, ask)?);
        }
    }
    Ok(figures)
}

/// Grids of a name that every village has, and of one that none has.
fn by_grid(all: &HouseholdFilter) -> Vec<HouseholdFilter> {
    let some = |text: &str| Some(text.to_owned());
    let grid = |name: &str| HouseholdFilter { grid: some(name), ..all.clone() };
    vec![
        grid("第三网格"),
        grid("第九网格"),
        grid(""),
        HouseholdFilter { state: some("clue"), ..grid("第三网格") },
        HouseholdFilter { tag: some("tag_extreme_hardship"), ..grid("第三网格") },
        HouseholdFilter { risk: some("high"), kind: some("lifted"), ..grid("第三网格") },
        HouseholdFilter { search: some("首萱"), ..grid("第三网格") },
        HouseholdFilter { search: some("李"), ..grid("第六网格") },
    ]
}

/// What offices have to do, the first page of it.
fn tasks(settings: &Settings, app: &App, scale: &str) -> Result<Vec<Figure>, Failure> {
    let ask = |by: &&str| {
        let asked = AdminCommand::Tasks(TaskArguments::default());
        let office = Office { settings, app, by };
        office.run(asked, &mut SystemEntropy).map(|_| ()).map_err(|error| error.words().2.into())
    };
    let begin = Instant::now();
    responsible::catch_up(&app.storage)?;
    let value = begin.elapsed().as_secs_f64();
    let what = format!("who is responsible for whom, from the whole log, {scale}");
    let mut figures = vec![Figure { goal: "lists", what, value, unit: "s", aim: None, runs: 1 }];
    for by in ["county", "township"] {
        figures.push(waited(format!("a {by} office's tasks, {scale}"), &[by], &ask)?);
    }
    Ok(figures)
}

/// What a county waits for that asks what is overdue: on a day on which little is, and when nobody did anything for two months.
fn overdue(settings: &Settings, app: &App, scale: &str) -> Result<Vec<Figure>, Failure> {
    let begin = Instant::now();
    dues::catch_up(&app.storage, &app.policy)?;
    let value = begin.elapsed().as_secs_f64();
    let what = format!("by when what is due, from the whole log, {scale}");
    let mut figures = vec![Figure { goal: "lists", what, value, unit: "s", aim: None, runs: 1 }];
    let all = HouseholdFilter { rows: 50, overdue: true, ..HouseholdFilter::default() };
    // Rare names and common ones.
    let named = ["首萱", "cyc", "陈", "李明", "chenyongchang", "囍囍囍"];
    let named = named.map(|name| HouseholdFilter { search: Some(name.to_owned()), ..all.clone() });
    for (when, days) in [("of today", 0), ("of two months", 60)] {
        let clock = SetClock::default();
        clock.set(app.clock.now_ms() + days * 86_400_000);
        let later = App::open(settings, Arc::new(clock), &mut SystemEntropy)?;
        let office = Office { settings, app: &later, by: "county" };
        let ask = |asked: &HouseholdFilter| {
            let list = AdminCommand::List(asked.clone());
            office.run(list, &mut SystemEntropy).map(|_| ()).map_err(|error| error.words().2.into())
        };
        let all = std::slice::from_ref(&all);
        for (what, asked) in [("what is overdue", all), ("overdue, by name", &named)] {
            figures.push(waited(format!("{what}, {when}, a county, {scale}"), asked, &ask)?);
        }
    }
    Ok(figures)
}

type Ask<'a, Q = HouseholdFilter> = &'a dyn Fn(&Q) -> Result<(), Failure>;

/// The time of which 95 in 100 of the answers stay below.
fn waited<Q>(what: String, asked: &[Q], ask: Ask<'_, Q>) -> Result<Figure, Failure> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        for asked in asked {
            let begin = Instant::now();
            ask(asked)?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let value = times[(times.len() * 95).div_ceil(100) - 1];
    let runs = times.len();
    Ok(Figure {
        goal: "lists",
        what: format!("{what}, p95"),
        value,
        unit: "ms",
        aim: Some(50.0),
        runs,
    })
}
