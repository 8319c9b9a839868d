//! Processes killed without warning, again and again: whatever a phone was told is saved is there
//! afterwards, whatever it has a receipt for is on the server, and nothing is there twice.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use wanhu_core::client::{Cancel, Ledger};
use wanhu_core::domain::ids::HouseholdId;
use wanhu_core::system::{SystemClock, SystemEntropy};
use wanhu_tests::population::FULING;
use wanhu_tests::program::served;
use wanhu_tests::seeded::Seeded;
use wanhu_tests::tally::{Tally, times};

/// Kills of each kind in every run; `WANHU_KILLS` asks for more.
const KILLS: u64 = 300;

fn kills() -> u64 {
    times("WANHU_KILLS", KILLS)
}

fn open(file: &Path) -> Ledger {
    Ledger::open(file, Arc::new(SystemClock), Box::new(SystemEntropy)).unwrap()
}

/// Texts that a phone said were saved, by household.
type Promised = BTreeMap<HouseholdId, Vec<String>>;

/// Lets a phone work on its file for a while, kills it, and gives what it had said.
fn work_and_kill(file: &Path, rng: &mut Seeded, promised: &mut Promised) {
    let mut child = phone(file, rng);
    std::thread::sleep(Duration::from_millis(5 + rng.draw() % 60));
    end(&mut child, promised);
}

fn phone(file: &Path, rng: &mut Seeded) -> Child {
    Command::new(env!("CARGO_BIN_EXE_torture"))
        .arg(file)
        .arg(rng.draw().to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn end(child: &mut Child, promised: &mut Promised) {
    child.kill().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    // A line without its end was not yet said.
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    for line in whole.lines() {
        if let Some((id, text)) = line.strip_prefix("saved ").and_then(|rest| rest.split_once(' '))
        {
            promised.entry(id.parse().unwrap()).or_default().push(text.to_owned());
        }
    }
}

fn texts(ledger: &Ledger, id: HouseholdId) -> Vec<String> {
    let record = ledger.show(id).unwrap();
    let shown = record
        .fields
        .iter()
        .filter(|field| field.key.ends_with(".note") || field.key == "head_name");
    shown.map(|field| field.value.as_text().unwrap().to_owned()).collect()
}

fn assert_kept(ledger: &Ledger, promised: &Promised) {
    for (id, saved) in promised {
        let shown = texts(ledger, *id);
        for text in saved {
            assert_eq!(shown.iter().filter(|t| *t == text).count(), 1, "{id}: {text}");
        }
    }
    let verdict = ledger.with_store(|connection| {
        Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?)
    });
    assert_eq!(verdict.unwrap(), "ok");
}

#[test]
fn a_phone_killed_while_saving_keeps_what_it_promised() {
    let tally = Tally::begin("R1", "kill -9 of a phone that saves");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.sqlite");
    let (mut rng, mut promised) = (Seeded(11), Promised::new());
    for round in 0..kills() {
        let mut new = Promised::new();
        work_and_kill(&file, &mut rng, &mut new);
        assert_kept(&open(&file), &new);
        for (id, texts) in new {
            promised.entry(id).or_default().extend(texts);
        }
        // Everything, not only the last round's, from time to time.
        if round % 50 == 49 {
            assert_kept(&open(&file), &promised);
        }
    }
    let saved: usize = promised.values().map(Vec::len).sum();
    assert!(saved > 100, "the phone was hardly given time to work: {saved}");
    tally.passed(&format!("{} kills, {saved} promised saves", kills()));
}

struct Server {
    child: Child,
    address: SocketAddr,
    dir: PathBuf,
}

impl Server {
    /// Starts the real program; later at the address it had before.
    fn start(dir: &Path, address: SocketAddr) -> Self {
        let test = std::env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("wanhu-server");
        let mut command = Command::new(program);
        command
            .args(["serve", "--syncs-per-minute", "100000", "--listen", &address.to_string()])
            .arg("--data-dir")
            .arg(dir);
        let (child, address) = served(&mut command).unwrap();
        Self { child, address, dir: dir.to_owned() }
    }

    fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        *self = Self::start(&self.dir, self.address);
    }

    /// A code for a new account, from the office's own command.
    fn code(&self, account: &str) -> String {
        let test = std::env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("wanhu-server");
        let admin = |arguments: &[&str]| {
            let output = Command::new(&program)
                .args(["--json", "--data-dir"])
                .arg(&self.dir)
                .arg("admin")
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success());
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        admin(&["account-add", account, "--name", account, "--area", &FULING.to_string()]);
        admin(&["code", account])["code"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn phones_and_server_killed_while_syncing_lose_nothing() {
    let tally =
        Tally::begin("R1", "kill -9 of a phone that syncs, every second time of the server too");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let mut server = Server::start(&path("data"), any);
    let url = format!("http://{}", server.address);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let enrol = |file: &Path, account: &str, code: &str| {
        let ledger = open(file);
        runtime.block_on(ledger.enrol(&url, None, code, account)).unwrap();
    };
    let (a, b) = (path("a.sqlite"), path("b.sqlite"));
    enrol(&a, "li", &server.code("li"));
    enrol(&b, "wang", &server.code("wang"));
    let (mut rng, mut promised) = (Seeded(12), Promised::new());
    for round in 0..kills() {
        let mut child = phone(&a, &mut rng);
        std::thread::sleep(Duration::from_millis(20 + rng.draw() % 80));
        if round % 2 == 0 {
            server.kill_and_start();
            std::thread::sleep(Duration::from_millis(20 + rng.draw() % 60));
        }
        end(&mut child, &mut promised);
    }
    let (a, b) = (open(&a), open(&b));
    let sync = |ledger: &Ledger| runtime.block_on(ledger.sync(&(), &Cancel::default())).unwrap();
    sync(&a);
    sync(&b);
    assert_eq!(a.status().unwrap().pending, 0);
    assert_eq!(a.status().unwrap().refused, 0);
    assert_kept(&a, &promised);
    assert_kept(&b, &promised);
    let saved: usize = promised.values().map(Vec::len).sum();
    assert!(saved > 100, "the phone was hardly given time to work: {saved}");
    tally.passed(&format!("{} kills, {saved} promised saves", kills()));
}
