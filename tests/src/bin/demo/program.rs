//! After the story: the program itself serves the data that the story has left, by today's clock. Everything is still
//! there, and somebody may go on by hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use wanhu_core::client::{Cancel, Ledger};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::domain::workflow::Stage;
use wanhu_core::system::{SystemClock, SystemEntropy};

use crate::{Failure, Tale};

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
    async fn start(
        programs: &Path,
        (address, data_dir): (SocketAddr, PathBuf),
        log: &Path,
    ) -> Result<Self, Failure> {
        let program = programs.join("wanhu-server");
        let child = Command::new(&program)
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(&data_dir)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(log)?)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
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
}

pub(crate) async fn takes_over(
    tale: Tale,
    id: HouseholdId,
    programs: Option<PathBuf>,
    once: bool,
) -> Result<(), Failure> {
    let programs = match programs {
        Some(programs) => programs,
        None => std::env::current_exe()?.parent().ok_or("programs")?.to_owned(),
    };
    let Tale { county, dir, .. } = tale;
    let server = Server::start(&programs, county.end().await, &dir.join("server.log")).await?;
    println!(
        "\n十六、今天 · today: 服务程序接管同一份数据 the program itself serves the same data"
    );
    println!("    {} → http://{}", server.program.display(), server.address);
    let file = dir.join("li.ming-0.sqlite");
    let li = Ledger::open(&file, Arc::new(SystemClock), Box::new(SystemEntropy))?;
    let report = li.sync(&(), &Cancel::default()).await?;
    let stage = li.case(id)?.path.last().map(|passed| passed.stage);
    if report.refused > 0 || stage != Some(Stage::Closed) {
        return Err(format!("after the change of servers: {report:?}, {stage:?}").into());
    }
    println!(
        "    李明的手机照常同步 · Li's phone syncs as ever: {} 户 households",
        li.status()?.households
    );
    let whole = server.run(&["audit", "verify"])?;
    println!("    全部 {} 条日志核验无误 · all entries of the log verified", whole["entries"]);
    if once {
        println!("\n演示结束 · the demo ends");
        return Ok(());
    }
    drop(li);
    go_on(&programs, &server, &dir, id)
}

fn go_on(programs: &Path, server: &Server, dir: &Path, id: HouseholdId) -> Result<(), Failure> {
    let (phone, dir) = (programs.join("examples/phone"), dir.display());
    let (phone, program, data) =
        (phone.display(), server.program.display(), server.data_dir.display());
    let issued = server.run(&["admin", "code", "wang.fang"])?;
    let code = issued["code"].as_str().ok_or("no code")?;
    println!(
        "\n服务器继续运行,Ctrl-C 结束 · the server goes on; Ctrl-C ends it. In another terminal:\n"
    );
    println!("  {phone} --db {dir}/li.ming-0.sqlite conflicts {id}");
    println!("  {phone} --db {dir}/li.ming-0.sqlite settle {id} class.risk_level 1");
    println!("  {phone} --db {dir}/li.ming-0.sqlite sync\n");
    println!("第三部手机 · a third phone (the code is good for 10 minutes):\n");
    println!("  {phone} --db {dir}/c.sqlite enrol http://{} {code}", server.address);
    println!("  {phone} --db {dir}/c.sqlite sync");
    println!("  {phone} --db {dir}/c.sqlite search cyc");
    println!("  {phone} --db {dir}/c.sqlite visit {id} met=户主 finding=稳定 note=回访");
    println!("  {phone} --db {dir}/c.sqlite sync");
    println!("  {phone} --db {dir}/li.ming-0.sqlite sync");
    println!("  {phone} --db {dir}/li.ming-0.sqlite history {id}\n");
    println!("办公室 · at the township's desk:\n");
    println!("  {program} --data-dir {data} admin --by xiang case {id}");
    println!("  {program} --data-dir {data} admin --by xiang tasks\n");
    loop {
        std::thread::park();
    }
}
