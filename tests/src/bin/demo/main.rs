//! The story of one record, with nothing fake in it: a server, two cadres of one village, no signal, two
//! edits of one field, a slow line home, receipts, the conflict with both values; then a department's file that
//! becomes a case. Then the server goes on.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod case;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value as Json;
use wanhu_core::client::{Cancel, Ledger, Progress, RecordEdit, SyncPhase};
use wanhu_core::domain::environment::Clock;
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::region::{Level, RegionList, is_village, parent};
use wanhu_core::domain::schema::Schema;
use wanhu_core::domain::value::Value;
use wanhu_core::store::listing::ListFilter;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_tests::line::{Line, LineHandle};
use wanhu_tests::population::{self, FULING};

type Failure = Box<dyn Error + Send + Sync>;

/// 演示 · the demo
#[derive(Debug, Parser)]
struct Arguments {
    /// 讲完即止 · end after the story
    #[arg(long)]
    once: bool,
    /// 工作目录 · working directory
    #[arg(long, default_value = "target/demo")]
    dir: PathBuf,
    /// 程序目录 · where wanhu-server and examples/phone were built
    #[arg(long, default_value = "target/debug")]
    programs: PathBuf,
}

/// A mountain line: 300 ms there and back, 100 kbit/s.
const SLOW: Line = Line {
    rtt: Duration::from_millis(300),
    rate_bytes_per_s: Some(12_500),
    lost_percent: 0,
    cut_after_bytes: None,
};

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    tokio::runtime::Runtime::new()?.block_on(story(&arguments))
}

/// The server as its own process, ended with the demo.
struct Server {
    child: Child,
    program: PathBuf,
    data_dir: PathBuf,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let program = arguments.programs.join("wanhu-server");
        let data_dir = arguments.dir.join("server");
        // A free port, so that the demo never meets another service.
        let address = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let log = std::fs::File::create(arguments.dir.join("server.log"))?;
        let child = Command::new(&program)
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(&data_dir)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let server = Self { child, program, data_dir, address };
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err("the server did not start; see server.log".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }

    /// An office command of the real program.
    fn admin(&self, arguments: &[&str]) -> Result<Json, Failure> {
        self.run(&[&["admin"], arguments].concat())
    }

    /// A command of the real program.
    fn run(&self, arguments: &[&str]) -> Result<Json, Failure> {
        let output = Command::new(&self.program)
            .args(["--json", "--data-dir"])
            .arg(&self.data_dir)
            .args(arguments)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn code(&self, id: &str, name: &str, area: u64) -> Result<String, Failure> {
        let role = if is_village(area) { "village_cadre" } else { "township_office" };
        let area = area.to_string();
        self.admin(&["account-add", id, "--name", name, "--role", role, "--area", &area])?;
        let issued = self.admin(&["code", id])?;
        Ok(issued["code"].as_str().ok_or("no code")?.to_owned())
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

async fn phone(file: &Path, url: &str, code: &str, name: &str) -> Result<Ledger, Failure> {
    let ledger = Ledger::open(file, std::sync::Arc::new(SystemClock), Box::new(SystemEntropy))?;
    ledger.enrol(url, None, code, name).await?;
    Ok(ledger)
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

fn label(list: &str, value: &Value) -> String {
    let code = value.as_text().unwrap_or_default();
    Schema::base()
        .code(list, code)
        .map_or_else(|| code.to_owned(), |c| format!("{} {}", c.zh, c.en))
}

async fn story(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.dir.exists() {
        std::fs::remove_dir_all(&arguments.dir)?;
    }
    std::fs::create_dir_all(&arguments.dir)?;
    let list = RegionList::chenzhou();
    println!("一、启动服务器 · the server starts, with an embedded database and no configuration");
    let server = Server::start(arguments).await?;
    let url = format!("http://{}", server.address);
    println!("    {url}");

    let township = parent(FULING).ok_or("township")?;
    let villages: Vec<u64> = list.within(township, Level::Village).map(|r| r.code).collect();
    println!(
        "二、乡镇建档 · a township's records: {},{} 个村 villages",
        list.path(township).join(" "),
        villages.len()
    );
    let fast = Line::default().open(server.address).await?;
    let code = server.code("office", "乡镇办", township)?;
    let office = phone(&arguments.dir.join("office.sqlite"), &url, &code, "乡镇电脑").await?;
    for (village, edit) in population::stories().into_iter().take(1) {
        office.create_household(village, edit)?;
    }
    for (number, village) in villages.iter().enumerate() {
        for (village, edit) in population::village(number as u64 + 11, *village, 30) {
            office.create_household(village, edit)?;
        }
    }
    sync("乡镇 office", &office, &fast).await?;

    println!(
        "三、两名村干部登记手机 · two cadres of {} enrol their phones",
        list.path(FULING).join(" ")
    );
    let code = server.code("li.ming", "李明", FULING)?;
    let a = phone(&arguments.dir.join("a.sqlite"), &url, &code, "李明的手机").await?;
    let code = server.code("wang.fang", "王芳", FULING)?;
    let b = phone(&arguments.dir.join("b.sqlite"), &url, &code, "王芳的手机").await?;
    sync("李明 A", &a, &fast).await?;
    sync("王芳 B", &b, &fast).await?;
    println!(
        "    每部手机只有本村 {} 户 · each phone holds its own village only",
        a.status()?.households
    );

    println!("四、进山,没有信号 · into the mountains, no signal: both edit 陈永昌");
    let found = ListFilter { search: Some("cyc".into()), ..ListFilter::default() };
    let id = a.list(&found, None, 1)?.first().ok_or("陈永昌")?.id;
    edits_offline(&a, &b, id)?;
    let waiting = (a.status()?.pending, b.status()?.pending);
    println!("    待上传 · waiting: 李明 {} 条,王芳 {} 条", waiting.0, waiting.1);

    println!("五、回到有信号处 · back to a line of 300 ms and 100 kbit/s, one after the other");
    let slow = SLOW.open(server.address).await?;
    sync("李明 A", &a, &slow).await?;
    sync("王芳 B", &b, &slow).await?;
    sync("李明 A", &a, &slow).await?;
    show_outcome(&a, &b, id)?;
    case::case(&server, &a, id, &slow, &arguments.dir).await?;
    if arguments.once {
        println!("演示结束 · the demo ends");
        return Ok(());
    }
    // The files have one owner each; the commands that follow become it.
    drop((office, a, b));
    go_on(arguments, &server, &url, id)
}

fn edits_offline(a: &Ledger, b: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    let visit = |finding: &str, note: &str| {
        let fields: [(&str, Value); 5] = [
            (
                "date",
                wanhu_core::domain::day::Day::in_china(SystemClock.now_ms()).to_string().into(),
            ),
            ("purpose", "verification".into()),
            ("met", "head".into()),
            ("finding", finding.into()),
            ("note", note.into()),
        ];
        fields.map(|(field, value)| (field.to_owned(), value)).to_vec()
    };
    a.record_visit(id, visit("difficult", "妻子住院,自付约12000元"))?;
    let form = || RecordEdit { form: "household/1".into(), ..RecordEdit::default() };
    a.edit(id, &form().set("class", "risk_level", "high").set("basic", "phone", "13800000001"))?;
    b.record_visit(id, visit("watch", "已申请二类低保"))?;
    b.edit(id, &form().set("class", "risk_level", "medium").set("living", "water_safe", true))?;
    println!("    李明: 走访,风险等级→高,电话 · a visit, risk level high, a phone number");
    println!("    王芳: 走访,风险等级→中,饮水安全 · a visit, risk level medium, safe water");
    Ok(())
}

fn show_outcome(a: &Ledger, b: &Ledger, id: HouseholdId) -> Result<(), Failure> {
    println!("六、结果 · the outcome");
    let receipt = a.status()?.last_receipt.ok_or("receipt")?;
    let signature: String = receipt.signature.iter().take(8).map(|b| format!("{b:02x}")).collect();
    println!(
        "    李明的回执 · receipt: 村日志第 {} 条,服务器签名 signature {signature}…",
        receipt.seq
    );
    let record = a.show(id)?;
    let visits =
        record.fields.iter().filter(|f| f.container == "visits" && f.key.ends_with(".note"));
    for visit in visits {
        println!("    走访 visit: {}", visit.value.as_text().unwrap_or_default());
    }
    for (container, key, zh) in
        [("basic", "phone", "电话 phone"), ("living", "water_safe", "饮水安全 water")]
    {
        let shown = record.fields.iter().find(|f| f.container == container && f.key == key);
        println!(
            "    {zh}: {}",
            match shown.map(|field| &field.value) {
                Some(Value::Bool(true)) => "是 yes",
                Some(value) => value.as_text().unwrap_or_default(),
                None => "",
            }
        );
    }
    for conflict in a.conflicts(id)? {
        println!(
            "    两个值都保留 · both values are kept: {}.{}",
            conflict.container, conflict.key
        );
        for value in &conflict.values {
            println!("      {} ← {}", label("risk_level", &value.value), value.stamp.name);
        }
    }
    if a.show(id)? != b.show(id)? {
        return Err("the phones differ".into());
    }
    println!("    两部手机显示一致 · both phones show the same");
    Ok(())
}

fn go_on(
    arguments: &Arguments,
    server: &Server,
    url: &str,
    id: HouseholdId,
) -> Result<(), Failure> {
    let phone = arguments.programs.join("examples/phone");
    let (phone, dir) = (phone.display(), arguments.dir.display());
    let code = server.code("zhao.qiang", "赵强", FULING)?;
    println!(
        "\n服务器继续运行,Ctrl-C 结束 · the server goes on; Ctrl-C ends it. In another terminal:\n"
    );
    println!("  {phone} --db {dir}/a.sqlite conflicts {id}");
    println!("  {phone} --db {dir}/a.sqlite settle {id} class.risk_level 1");
    println!("  {phone} --db {dir}/a.sqlite sync\n");
    println!("第三部手机 · a third phone (the code is good for 10 minutes):\n");
    println!("  {phone} --db {dir}/c.sqlite enrol {url} {code}");
    println!("  {phone} --db {dir}/c.sqlite sync");
    println!("  {phone} --db {dir}/c.sqlite search cyc");
    println!("  {phone} --db {dir}/c.sqlite visit {id} met=户主 finding=稳定 note=化疗结束");
    println!("  {phone} --db {dir}/c.sqlite sync");
    println!("  {phone} --db {dir}/a.sqlite sync && {phone} --db {dir}/a.sqlite history {id}\n");
    loop {
        std::thread::park();
    }
}
