//! Workload W through a line: 1,000 households of 73 values pushed by A, pulled by a fresh B, 50 edited by
//! each with 10 in common, fetched, and synced once more with nothing new.

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wanhu_core::client::{Cancel, Ledger, RecordEdit};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::sync::receiver::SyncReport;
use wanhu_tests::line::{Line, LineHandle};
use wanhu_tests::population::{self, FULING};
use wanhu_tests::seeded::Seeded;
use wanhu_tests::server::TestServer;
use wanhu_tests::township::Township;

use super::{Failure, Figure, median};

const SEED: u64 = 20_240_301;
const RUNS: usize = 3;
const RTT: Duration = Duration::from_millis(300);
/// 100 kbit/s.
const RATE_BYTES_PER_S: u64 = 12_500;

struct World {
    server: TestServer,
    dir: TempDir,
    accounts: std::cell::Cell<usize>,
}

/// What one sync cost.
#[derive(Clone, Copy)]
struct Cost {
    bytes: f64,
    seconds: f64,
    requests: f64,
}

impl World {
    async fn new() -> Result<Self, Failure> {
        let (server, dir) = (TestServer::start().await, tempfile::tempdir()?);
        Ok(Self { server, dir, accounts: std::cell::Cell::new(0) })
    }

    async fn phone(&self) -> Result<Ledger, Failure> {
        let number = self.accounts.replace(self.accounts.get() + 1);
        let file = self.dir.path().join(format!("phone{number}"));
        let account = format!("cadre{number}");
        Ok(self.server.phone(&file, &account, &[FULING], &self.server.url()).await?.0)
    }

    /// A phone with `count` households on it, pushed; packs made.
    async fn filled(&self, count: usize) -> Result<Ledger, Failure> {
        let a = self.phone().await?;
        for (village, edit) in workload(count) {
            a.create_household(village, edit)?;
        }
        Ok(a)
    }

    /// One sync of a phone over a line of its own.
    async fn sync(&self, phone: &Ledger, line: Line) -> Result<Cost, Failure> {
        let line = line.open(self.server.address).await?;
        let begin = Instant::now();
        let report = through(phone, &line).await?;
        let seconds = begin.elapsed().as_secs_f64();
        let bytes = (line.bytes_up() + line.bytes_down()) as f64;
        Ok(Cost { bytes, seconds, requests: report.requests as f64 })
    }
}

fn workload(count: usize) -> impl Iterator<Item = population::Sample> {
    let drawn = (0u64..).map(|number| {
        let mut rng = Seeded(SEED ^ number.wrapping_mul(0x9e6c_63d0_876a_68ed));
        (FULING, population::household_of(&mut rng, FULING, 4))
    });
    population::distinct(drawn).take(count)
}

/// Syncs with the enrolment pointed at the line.
async fn through(phone: &Ledger, line: &LineHandle) -> Result<SyncReport, Failure> {
    let mut enrolment = phone.enrolment()?.ok_or("enrolled")?;
    enrolment.url = format!("http://{}", line.address());
    phone.set_enrolment(&enrolment)?;
    Ok(phone.sync(&(), &Cancel::default()).await?)
}

fn households(phone: &Ledger) -> Result<Vec<HouseholdId>, Failure> {
    let rows = phone.list(&ListFilter::default(), None, 100_000)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Three fields of each household, as a cadre would correct them.
fn edit(phone: &Ledger, ids: &[HouseholdId], round: usize) -> Result<(), Failure> {
    for (number, id) in ids.iter().enumerate() {
        let wage = i64::try_from(100 * (number + 1) + 7 * round)? * 100;
        let edit = RecordEdit { form: "household/1".into(), ..RecordEdit::default() }
            .set("income", "wage_fen", wage)
            .set("class", "risk_level", if round.is_multiple_of(2) { "high" } else { "medium" })
            .set("basic", "natural_village", format!("组{}", number + round));
        phone.edit(*id, &edit)?;
    }
    Ok(())
}

pub(crate) async fn measure() -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    bytes(&mut figures).await?;
    times(&mut figures).await?;
    twenty_edits(&mut figures).await?;
    ten_thousand(&mut figures).await?;
    cuts(&mut figures).await?;
    figures.push(server_cpu()?);
    figures.sort_by_key(|f| (f.goal.len(), f.goal));
    Ok(figures)
}

fn figure(goal: &'static str, what: &str, value: f64, unit: &'static str, aim: f64) -> Figure {
    Figure { goal, what: what.into(), value, unit, aim: Some(aim), runs: 1 }
}

/// Bytes and requests: deterministic but for random ids and hashes.
async fn bytes(figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let world = World::new().await?;
    let a = world.filled(1_000).await?;
    let push = world.sync(&a, Line::default()).await?;
    world.server.build_packs();
    let b = world.phone().await?;
    let pull = world.sync(&b, Line::default()).await?;
    let ids = households(&a)?;
    edit(&a, &ids[..50], 1)?;
    let edits = world.sync(&a, Line::default()).await?;
    edit(&b, &ids[40..90], 2)?;
    world.sync(&b, Line::default()).await?;
    let fetched = world.sync(&a, Line::default()).await?;
    let nothing = world.sync(&a, Line::default()).await?;
    let requests =
        [push, pull, edits, fetched, nothing].iter().map(|c| c.requests).fold(0.0, f64::max);
    figures.push(figure("P1", "first push of 1,000", push.bytes / 1e3, "kB", 270.0));
    figures.push(figure("P2", "first pull of 1,000", pull.bytes / 1e3, "kB", 240.0));
    figures.push(figure("P4", "50 edits of 3 fields, up", edits.bytes / 1e3, "kB", 1.5));
    figures.push(figure("P4", "50 edits of 3 fields, down", fetched.bytes / 1e3, "kB", 1.5));
    figures.push(figure("P5", "nothing new", nothing.bytes, "B", 300.0));
    figures.push(figure("P6", "requests per sync, most", requests, "", 1.0));
    Ok(())
}

/// Times over a long and over a long, narrow line.
async fn times(figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let long = Line { rtt: RTT, ..Line::default() };
    let narrow = Line { rate_bytes_per_s: Some(RATE_BYTES_PER_S), ..long };
    let (mut none, mut edits, mut pulls, mut fast) = (vec![], vec![], vec![], vec![]);
    for round in 0..RUNS {
        let world = World::new().await?;
        let a = world.filled(1_000).await?;
        world.sync(&a, Line::default()).await?;
        world.server.build_packs();
        none.push(world.sync(&a, long).await?.seconds);
        edit(&a, &households(&a)?[..50], round + 3)?;
        edits.push(world.sync(&a, long).await?.seconds);
        pulls.push(world.sync(&world.phone().await?, long).await?.seconds);
        fast.push(world.sync(&world.phone().await?, Line::default()).await?.seconds * 1e3);
        if round == 0 {
            let cost = world.sync(&world.phone().await?, narrow).await?;
            let least = cost.bytes / RATE_BYTES_PER_S as f64 + 3.0 * RTT.as_secs_f64();
            let ratio = cost.seconds / least;
            figures.push(figure(
                "P8",
                "pull of 1,000 at 100 kbit/s, of bytes/rate + 3 RTT",
                ratio,
                "x",
                1.08,
            ));
        }
    }
    let mut push = |goal, what: &str, values: Vec<f64>, unit, aim| {
        figures.push(Figure {
            goal,
            what: what.to_owned(),
            value: median(values),
            unit,
            aim: Some(aim),
            runs: RUNS,
        });
    };
    push("P7", "nothing new at 300 ms", none, "s", 0.7);
    push("P7", "50 edits at 300 ms", edits, "s", 0.8);
    push("P7", "pull of 1,000 at 300 ms", pulls, "s", 1.3);
    push("P9", "pull of 1,000, fast line", fast, "ms", 100.0);
    Ok(())
}

async fn twenty_edits(figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let world = World::new().await?;
    let a = world.filled(1_000).await?;
    let ids = households(&a)?;
    for round in 0..20 {
        edit(&a, &ids, round)?;
    }
    world.sync(&a, Line::default()).await?;
    world.server.build_packs();
    let pull = world.sync(&world.phone().await?, Line::default()).await?;
    figures.push(figure(
        "P3",
        "first pull of 1,000 with 20 edits each",
        pull.bytes / 1e3,
        "kB",
        400.0,
    ));
    Ok(())
}

async fn ten_thousand(figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let world = World::new().await?;
    let a = world.filled(10_000).await?;
    world.sync(&a, Line::default()).await?;
    world.server.build_packs();
    let fast = world.sync(&world.phone().await?, Line::default()).await?;
    let long = world.sync(&world.phone().await?, Line { rtt: RTT, ..Line::default() }).await?;
    figures.push(figure("P2", "first pull of 10,000", fast.bytes / 1e6, "MB", 2.3));
    figures.push(figure("P7", "pull of 10,000 at 300 ms", long.seconds, "s", 3.0));
    figures.push(figure("P9", "pull of 10,000, fast line", fast.seconds * 1e3, "ms", 1_000.0));
    let code = world.server.code_for("memory", &[FULING]);
    let file = world.dir.path().join("memory");
    figures.push(figure(
        "P11",
        "phone memory above baseline, sync and use of 10,000",
        memory_of_a_phone(&world.server.url(), &code, &file)?,
        "MB",
        24.0,
    ));
    Ok(())
}

/// Runs this program again as a phone, so that only the phone's memory counts.
fn memory_of_a_phone(url: &str, code: &str, file: &Path) -> Result<f64, Failure> {
    let file = file.to_str().ok_or("path")?;
    let child = std::process::Command::new(std::env::current_exe()?)
        .args(["memory", url, code, file])
        .output()?;
    Ok(String::from_utf8(child.stdout)?.trim().parse()?)
}

async fn cuts(figures: &mut Vec<Figure>) -> Result<(), Failure> {
    let world = World::new().await?;
    let a = world.filled(1_000).await?;
    let cut = Line { cut_after_bytes: Some(32 * 1024), ..Line::default() };
    let push = world.sync(&a, cut).await?.bytes;
    world.server.build_packs();
    let pull = world.sync(&world.phone().await?, cut).await?.bytes;
    let whole_pull = world.sync(&world.phone().await?, Line::default()).await?.bytes;
    let other = World::new().await?;
    let whole_push = other.sync(&other.filled(1_000).await?, Line::default()).await?.bytes;
    figures.push(figure(
        "P10",
        "push cut every 32 KiB, of an uncut one",
        push / whole_push,
        "x",
        1.15,
    ));
    figures.push(figure(
        "P10",
        "pull cut every 32 KiB, of an uncut one",
        pull / whole_pull,
        "x",
        1.15,
    ));
    Ok(())
}

/// Admission of 1,000 new records and 2,000 edits by the responder, storage in memory.
fn server_cpu() -> Result<Figure, Failure> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut rng = Seeded(SEED);
        let mut township = Township::new(&mut rng);
        let phone = township.enrol(&mut rng, "li", &[FULING], 0);
        for (village, edit) in workload(1_000) {
            phone.ledger.create_household(village, edit)?;
        }
        let ids = households(&phone.ledger)?;
        edit(&phone.ledger, &ids, 1)?;
        edit(&phone.ledger, &ids, 2)?;
        let mut session = wanhu_core::client::SyncSession::default();
        let request = session.request(&phone.ledger)?;
        let bytes = wanhu_tests::township::bytes_of(&request);
        let begin = Instant::now();
        township.answer(&bytes).ok_or("answered")?;
        runs.push(begin.elapsed().as_secs_f64() * 1e6 / request.changes as f64);
    }
    let value = median(runs);
    let what = "server time per pushed change, storage in memory";
    Ok(Figure {
        goal: "P15",
        what: what.to_owned(),
        value,
        unit: "us",
        aim: Some(100.0),
        runs: RUNS,
    })
}
