//! The story of one family, with nothing fake in it but the calendar: a server, two cadres of one village, no signal,
//! two edits of one field, a slow line home, receipts, the conflict with both values; then a department's file becomes
//! a case that goes all its way. A notice hangs for days, so the story has a clock of its own and ends yesterday; after
//! it the program itself serves the same data.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod case;
mod edits;
mod files;
mod help;
mod program;

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use wanhu_core::client::{Cancel, Ledger, Progress, RecordEdit, SyncPhase};
use wanhu_core::domain::authority::Role;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::environment::Clock;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{Level, RegionList, parent};
use wanhu_core::domain::schema::{Schema, words};
use wanhu_core::system::SystemClock;
use wanhu_server::admin::AdminCommand;
use wanhu_tests::county::{County, Step};
use wanhu_tests::line::{Line, LineHandle};
use wanhu_tests::population::{self, FULING};

type Failure = Box<dyn Error + Send + Sync>;

/// 演示 · the demo
#[derive(Debug, Parser)]
struct Arguments {
    /// 讲完即止 · end after the story
    #[arg(long)]
    once: bool,
    /// 另生成 PDF 表格 · write forms as PDF too, where built with them
    #[arg(long)]
    paper: bool,
    /// 工作目录 · working directory
    #[arg(long, default_value = "target/demo")]
    dir: PathBuf,
    /// 程序目录,默认为本程序所在 · where wanhu-server and examples/phone were built; else where this program is
    #[arg(long)]
    programs: Option<PathBuf>,
}

/// A mountain line: 300 ms there and back, 100 kbit/s.
const SLOW: Line = Line {
    rtt: Duration::from_millis(300),
    rate_bytes_per_s: Some(12_500),
    lost_percent: 0,
    cut_after_bytes: None,
};
/// Days from the first of the story to today.
const DAYS: i32 = 213;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    tokio::runtime::Runtime::new()?.block_on(story(&arguments))
}

/// Where the story takes place: a county on a clock that the story sets.
struct Tale {
    county: County,
    first: Day,
    dir: PathBuf,
    /// Whether forms are written as PDF too.
    paper: bool,
}

impl Tale {
    async fn begin(arguments: &Arguments) -> Result<Self, Failure> {
        if arguments.dir.exists() {
            std::fs::remove_dir_all(&arguments.dir)?;
        }
        let dir = std::path::absolute(&arguments.dir)?;
        std::fs::create_dir_all(dir.join("files"))?;
        let first = Day::in_china(SystemClock.now_ms()).plus_days(-DAYS);
        let county = County::in_dir(&dir, &first.to_string(), None).await;
        let (village, township) = (FULING, FULING / 1_000);
        for (id, name, role, area) in [
            ("li.ming", "李明", Role::VillageCadre, village),
            ("wang.fang", "王芳", Role::VillageCadre, village),
            ("cunwei", "福岭村委会", Role::VillageCommittee, village),
            ("xiang", "关溪乡政府", Role::TownshipOffice, township),
            ("xian", "宜章县局", Role::CountyOffice, FULING / 1_000_000),
            ("yibao", "县医保局", Role::Department, FULING / 1_000_000),
        ] {
            county.account_of(id, name, role, area);
        }
        Ok(Self { county, first, dir, paper: arguments.paper })
    }

    /// A day of the story, counted from its first.
    fn day(&self, number: i32) -> String {
        self.first.plus_days(number).to_string()
    }

    /// Goes on to a day of the story and says what is told of it.
    fn chapter(&self, day: i32, title: &str) {
        let day = self.day(day);
        self.county.day(&day);
        println!("\n{title}  [{day}]");
    }

    /// An office's step of a family's case.
    fn step(&self, by: &str, id: HouseholdId, stage: &str, with: Step<'_>) -> Result<(), Failure> {
        self.county.step(by, id, stage, with).map_err(|code| format!("{stage}: {code}"))?;
        Ok(())
    }

    /// An office fills in fields of a family's record.
    fn fill_in(&self, by: &str, household: HouseholdId, fields: &[&str]) -> Result<(), Failure> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let edit = AdminCommand::Edit { household, fields, on_behalf_of: String::new() };
        self.county.office(by, edit)?;
        Ok(())
    }
}

struct Bar(indicatif::ProgressBar);

impl Bar {
    fn new(name: &'static str) -> Self {
        let bar = indicatif::ProgressBar::new(0);
        let style = indicatif::ProgressStyle::with_template("    {msg} [{bar:32}] {pos}/{len}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━━ "));
        }
        bar.set_message(name);
        Self(bar)
    }
}

impl Progress for Bar {
    fn report(&self, _: SyncPhase, done: u64, total: u64) {
        self.0.set_length(total.max(1));
        self.0.set_position(done);
    }
}

async fn sync(name: &'static str, ledger: &Ledger, line: &LineHandle) -> Result<(), Failure> {
    let (up, down) = (line.bytes_up(), line.bytes_down());
    let direct = ledger.enrolment()?.ok_or("enrolled")?;
    let mut over_line = direct.clone();
    over_line.url = format!("http://{}", line.address());
    ledger.set_enrolment(&over_line)?;
    let (bar, begin) = (Bar::new(name), Instant::now());
    let report = ledger.sync(&bar, &Cancel::default()).await;
    ledger.set_enrolment(&direct)?;
    let report = report?;
    bar.0.finish_and_clear();
    if report.refused > 0 {
        return Err(format!("{name}: {} refused", report.refused).into());
    }
    println!(
        "    {name}: 上传确认 {} 条 receipts,收到 {} 条 received;上行 {} B up,下行 {} B down,\
         {} 次往返 request(s),{:.1} 秒 s",
        report.receipts,
        report.received,
        line.bytes_up() - up,
        line.bytes_down() - down,
        report.requests,
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Fields as somebody types them.
fn typed(fields: &[&str]) -> Result<RecordEdit, Failure> {
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    Ok(RecordEdit::typed(Schema::base(), &fields)?)
}

/// What stands on the list of whoever has the phone.
fn print_tasks(phone: &Ledger) -> Result<(), Failure> {
    for view in phone.tasks()? {
        let kind = words("task_kind", view.task.kind.code());
        let kind = kind.map(|kind| format!("{} {}", kind.zh, kind.en)).unwrap_or_default();
        let due = view.task.due_on.map(|day| day.to_string()).unwrap_or_default();
        println!("    待办 to do · {}: {kind},限 by {due}", view.head_name);
    }
    Ok(())
}

async fn story(arguments: &Arguments) -> Result<(), Failure> {
    let list = RegionList::chenzhou();
    let tale = Tale::begin(arguments).await?;
    println!(
        "故事里的日历由演示拨动,止于昨天 · the demo turns the calendar of its story, which ends yesterday"
    );
    tale.chapter(0, "一、启动服务器 · the server starts, with an embedded database");
    let address = tale.county.server.address;
    println!("    http://{address}");
    let fast = Line::default().open(address).await?;

    let township = parent(FULING).ok_or("township")?;
    tale.chapter(0, "二、乡镇建档 · a township's records");
    let office = tale.county.phone("xiang").await;
    let id = office.create_household(FULING, case::family()?)?;
    let mut monitored = Vec::new();
    let villages: Vec<u64> = list.within(township, Level::Village).map(|r| r.code).collect();
    println!("    {},{} 个村 villages", list.path(township).join(" "), villages.len());
    for (number, village) in villages.iter().enumerate() {
        for (village, edit) in population::village(number as u64 + 11, *village, 30) {
            let id = office.create_household(village, edit)?;
            if village == FULING && monitored.len() < 3 {
                monitored.push(id);
            }
        }
    }
    sync("乡镇 office", &office, &fast).await?;
    help::carry_over(&tale, &monitored)?;

    tale.chapter(0, "三、两名村干部登记手机 · two cadres of one village enrol their phones");
    let (li, wang) = (tale.county.phone("li.ming").await, tale.county.phone("wang.fang").await);
    sync("李明 A", &li, &fast).await?;
    sync("王芳 B", &wang, &fast).await?;
    let held = li.status()?.households;
    let path = list.path(FULING).join(" ");
    println!("    只有本村 {held} 户 · their own village only: {path}");

    let slow = SLOW.open(address).await?;
    edits::two_at_once(&tale, (&li, &wang), id, &slow).await?;
    case::warned(&tale, &li, id, &slow).await?;
    case::decided(&tale, &li, id, &slow).await?;
    help::helped(&tale, &li, id, &slow).await?;
    files::all(&tale, &li)?;
    help::closed(&tale, &li, id, &slow).await?;
    // The files have one owner each; whoever opens them next becomes it.
    drop((office, li, wang));
    let programs = arguments.programs.clone();
    program::takes_over(tale, id, programs, arguments.once).await
}
