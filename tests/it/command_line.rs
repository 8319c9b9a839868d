//! The programs as a newcomer types them: the README's own lines, then every wrong argument we could
//! think of. Needs the programs built: `cargo build --workspace --bins --examples`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use serde_json::Value as Json;
use wanhu_core::domain::day::Day;
use wanhu_core::domain::environment::Clock;
use wanhu_core::system::SystemClock;
use wanhu_tests::program::served;

const README: &str = include_str!("../../README.md");

/// Where cargo put the programs of this build.
fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let dir = test.ancestors().nth(2).unwrap().to_owned();
    let phone = dir.join("examples/phone");
    assert!(phone.exists(), "build first: cargo build --workspace --bins --examples");
    dir
}

/// Starts a server in a directory. Where it listens.
fn started(dir: &Path, settings: &[(&str, &str)]) -> (Child, String) {
    let mut command = Command::new(programs().join("wanhu-server"));
    command.arg("serve").env("WANHU_LISTEN", "127.0.0.1:0");
    command.envs(settings.iter().copied()).current_dir(dir);
    let (child, address) = served(&mut command).unwrap();
    (child, address.to_string())
}

struct Township {
    child: Child,
    dir: tempfile::TempDir,
    listen: String,
}

impl Drop for Township {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Township {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (child, listen) = started(dir.path(), &[]);
        Self { child, dir, listen }
    }

    /// Ends the server and starts it again with settings.
    fn again(&mut self, settings: &[(&str, &str)]) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.listen) = started(self.dir.path(), settings);
    }

    /// Runs one line of the README in the township's directory.
    fn type_line(&self, line: &str) -> Output {
        let programs = programs();
        let line = line.replace("127.0.0.1:8787", &self.listen);
        let line = match line.strip_prefix("phone ") {
            Some(rest) => format!("{} {rest}", programs.join("examples/phone").display()),
            None => line.replace("target/debug", &programs.display().to_string()),
        };
        Command::new("sh")
            .args(["-c", &line])
            .env("WANHU_LISTEN", &self.listen)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    fn must(&self, line: &str) -> String {
        let output = self.type_line(line);
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {text}{errors}");
        text
    }

    fn json(&self, line: &str) -> Json {
        serde_json::from_str(&self.must(&format!("{line} --json"))).unwrap()
    }

    /// What a line that must fail says.
    fn refused(&self, line: &str) -> (String, String) {
        let human = self.type_line(line);
        let script = self.type_line(&format!("{line} --json"));
        assert!(!human.status.success() && !script.status.success(), "{line} was accepted");
        let text = String::from_utf8(human.stderr).unwrap();
        assert!(text.contains("错误: ") && text.contains("error: "), "{line}: {text}");
        let json: Json = serde_json::from_slice(&script.stderr).unwrap();
        (json["error"].as_str().unwrap().to_owned(), json["zh"].as_str().unwrap().to_owned())
    }
}

/// The commands of the README's section "By hand" without comments.
fn readme_lines() -> Vec<String> {
    let section = README.split("## By hand").nth(1).unwrap().split("\n## ").next().unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.split("  #").next().unwrap().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn is_about_setup(line: &str) -> bool {
    line.starts_with("cargo ") || line.contains(" serve ") || line.starts_with("alias ")
}

fn code_in(text: &str) -> String {
    text.split("enrolment code: ").nth(1).unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn the_readmes_lines_do_what_they_say() {
    let township = Township::start();
    let (mut code, mut seen) = (String::new(), String::new());
    for line in readme_lines().iter().filter(|line| !is_about_setup(line)) {
        seen = township.must(&line.replace("CODE", &code));
        if line.contains(" code ") {
            code = code_in(&seen);
        }
        if line.contains(" region ") {
            assert!(seen.contains("431022208217"), "{seen}");
        }
    }
    assert!(seen.contains("1 receipts"), "the last line is a sync: {seen}");

    // A second phone, as the paragraph under the lines tells.
    let code = code_in(&township.must("target/debug/wanhu-server admin code li.ming"));
    township.must(&format!("phone --db b.sqlite enrol http://{} {code}", township.listen));
    township.must("phone --db b.sqlite sync");
    let found = township.json("phone --db b.sqlite search cyc");
    let id = found[0]["id"].as_str().unwrap();
    township.must(&format!("phone --db b.sqlite visit {id} met=户主 finding=稳定"));
    assert_eq!(township.json("phone --db b.sqlite sync")["receipts"], 1);
    assert_eq!(township.json("phone --db a.sqlite sync")["received"], 1);
    let history = township.must(&format!("phone --db a.sqlite history {id}"));
    assert!(history.contains("稳定"), "{history}");

    // Both set one field without seeing each other's value; a person settles it.
    township.must(&format!("phone --db a.sqlite edit {id} class.risk_level=高"));
    township.must(&format!("phone --db b.sqlite edit {id} class.risk_level=低"));
    for db in ["a", "b", "a"] {
        township.must(&format!("phone --db {db}.sqlite sync"));
    }
    let conflicts = township.json(&format!("phone --db a.sqlite conflicts {id}"));
    assert_eq!(conflicts[0]["values"].as_array().unwrap().len(), 2);
    township.must(&format!("phone --db a.sqlite settle {id} class.risk_level 1"));
    township.must("phone --db a.sqlite sync");
    township.must("phone --db b.sqlite sync");
    let show = |db: &str| township.json(&format!("phone --db {db}.sqlite show {id}"));
    assert_eq!(show("a"), show("b"));
    assert_eq!(township.json("phone --db b.sqlite status")["pending"], 0);
}

#[test]
fn a_server_warns_of_what_a_record_tells_for_the_office_that_its_settings_name() {
    let mut township = Township::start();
    let server = "target/debug/wanhu-server admin";
    let area = "--role township_office --area 431022208";
    township.must(&format!("{server} account-add xiang --name 乡政府 {area}"));
    let fields = "basic.head_name=周长根 living.house_danger=D级";
    let new = township.json(&format!("{server} --by xiang new 431022208217 {fields}"));
    let id = new["subject"].as_str().unwrap();
    let rules = |township: &Township| {
        let shown = township.json(&format!("{server} --by xiang show {id}"));
        let shown = shown.as_array().unwrap().clone().into_iter();
        let rules = shown.filter(|row| {
            let field = row["field"].as_str().unwrap();
            field.starts_with("warnings.") && field.ends_with(".rule")
        });
        rules.map(|row| row["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rules(&township), [] as [Json; 0]);
    township.again(&[("WANHU_WARN_BY", "xiang")]);
    let mut looks = 0;
    while rules(&township).is_empty() && looks < 600 {
        std::thread::sleep(Duration::from_millis(100));
        looks += 1;
    }
    assert_eq!(rules(&township), ["unsafe-house"]);
}

#[test]
fn every_mistake_is_answered_in_both_languages_and_changes_nothing() {
    let township = Township::start();
    township.must(
        "target/debug/wanhu-server admin account-add li --name 李 --area 431022208217 431025100216",
    );
    let server = |rest: &str| township.refused(&format!("target/debug/wanhu-server {rest}")).0;
    assert_eq!(server("admin account-add li --name 李 --area 431022208217"), "account_exists");
    assert_eq!(server("admin account-add wu --name 吴 --area 43102"), "area_unfit");
    assert_eq!(server("admin account-add wu --name 吴 --role 村长 --area 4310"), "usage");
    assert_eq!(server("admin account-add '' --name 吴 --area 4310"), "malformed");
    assert_eq!(server("admin code nobody"), "account_unknown");
    assert_eq!(server("admin device-revoke 99"), "device_unknown");
    let nobody = "0123456789abcdef0123456789abcdef";
    assert_eq!(server(&format!("admin move {nobody} 431022208217")), "account_needed");
    assert_eq!(server(&format!("admin --by li move {nobody} 431022208217")), "household_unknown");
    assert_eq!(server(&format!("admin move {nobody} 431022208999")), "not_a_village");
    assert_eq!(server("--config missing.toml check-config"), "settings");
    assert_eq!(server("--listen nonsense check-config"), "usage");
    assert_eq!(server("admin dance"), "usage");

    let url = format!("http://{}", township.listen);
    let phone = |rest: &str| township.refused(&format!("phone --db p.sqlite {rest}"));
    assert_eq!(phone(&format!("enrol {url} 00000-00000")).0, "invalid_input");
    assert_eq!(phone("enrol ftp://127.0.0.1 00000-00000").0, "invalid_input");
    assert_eq!(phone("enrol http://192.0.2.1 00000-00000").1, "url: 服务器地址须为 https");
    assert_eq!(phone("show not-an-id").0, "usage");
    assert_eq!(phone("sync").0, "session_expired");
    let code = code_in(&township.must("target/debug/wanhu-server admin code li"));
    township.must(&format!("phone --db p.sqlite enrol {url} {code}"));
    assert_eq!(phone(&format!("enrol {url} {code}")).1, "code: 登记码已用过,请重新索取");
    let new = township.json("phone --db p.sqlite new 431022208217 basic.head_name=陈永昌");
    let id = new["id"].as_str().unwrap();
    let before = township.json(&format!("phone --db p.sqlite show {id}"));
    for (line, zh) in [
        ("new 431022 basic.head_name=某", "village: 应为12位村代码"),
        ("new 431022208217 basic.head_name", "basic.head_name: 请写成 字段=值"),
        ("new 431022208217 head_name=某", "head_name: 请写成 表.字段"),
        ("edit ID basic.nothing=1", "basic.nothing: 没有这个字段"),
        ("edit ID class.risk_level=最高", "class.risk_level: 不在选项中 (高 中 低)"),
        ("edit ID basic.head_name=陈永昌", "change: 内容没有变化"),
        ("visit ID date=昨天", "visits.date: 日期应为 2020-03-01 的形式"),
        ("settle ID class.risk_level 1", "没有找到 conflict class.risk_level"),
    ] {
        assert_eq!(phone(&line.replace("ID", id)).1, zh, "{line}");
    }
    assert_eq!(phone(&format!("show {nobody}")).0, "not_found");
    assert_eq!(township.json(&format!("phone --db p.sqlite show {id}")), before);
    assert_eq!(township.json("phone --db p.sqlite sync")["receipts"], 1);
    let stats = township.json("target/debug/wanhu-server admin stats");
    assert_eq!(stats[0]["households"], 1);
}

#[test]
fn a_number_that_does_not_check_is_saved_and_asked_about() {
    let township = Township::start();
    let new = township.json("phone --db p.sqlite new 431022208217 basic.head_name=陈永昌");
    let id = new["id"].as_str().unwrap();
    let said = township.must(&format!(
        "phone --db p.sqlite edit {id} members.name=陈小 members.identity_number=110101199003070000"
    ));
    assert!(said.contains("证件号码"), "{said}");
    let checks = township.json(&format!("phone --db p.sqlite check {id}"));
    assert_eq!(checks[0]["check"], "identity_wrong", "{checks}");
    assert!(!said.contains("110101199003070000"), "{said}");
}

#[test]
fn help_has_a_commands_own_words_first_and_a_code_says_where_phones_go() {
    let township = Township::start();
    for command in ["admin figures", "admin code", "import department", "audit head"] {
        let help = township.must(&format!("target/debug/wanhu-server {command} --help"));
        let (own, settings) = help.split_once("服务器设置 · Settings:").unwrap();
        assert!(own.contains("--json") && !own.contains("--data-dir"), "{help}");
        assert!(settings.contains("--data-dir") && !settings.contains("--json"), "{help}");
    }
    township.must("target/debug/wanhu-server admin account-add li --name 李 --area 431022208217");
    let code = |rest: &str| format!("target/debug/wanhu-server admin code li {rest}");
    assert!(township.must(&code("")).contains("--url"), "loopback reaches no phone");
    assert!(township.json(&code(""))["hint"].as_str().unwrap().contains("--url"));
    for known in ["--url https://wanhu.example", "--listen 192.0.2.1:8787"] {
        assert!(!township.must(&code(known)).contains("--url"), "{known}");
        assert_eq!(township.json(&code(known))["hint"], "", "{known}");
    }
}

#[test]
fn a_phone_says_in_what_a_warning_counts() {
    let township = Township::start();
    township.must("target/debug/wanhu-server admin account-add li --name 李 --area 431022208217");
    let code = code_in(&township.must("target/debug/wanhu-server admin code li"));
    township.must(&format!("phone --db p.sqlite enrol http://{} {code}", township.listen));
    township.must("phone --db p.sqlite sync");
    let today = Day::in_china(SystemClock.now_ms());
    let (born, fell) = (today.plus_months(-120), today.plus_days(-1));
    let new = township.json(&format!(
        "phone --db p.sqlite new 431022208217 basic.head_name=陈永昌 members.name=陈小 \
         members.birth_on={born} members.dropped_out=是 spending.kind=意外事故 \
         spending.self_pay_fen=15000元 spending.to={fell}"
    ));
    let id = new["id"].as_str().unwrap();
    let said = township.must(&format!("phone --db p.sqlite warnings {id}"));
    assert!(said.contains("现值 now 15000.00 元 yuan"), "{said}");
    assert!(said.contains("现值 now 1, 界线 line 1 "), "children are counted: {said}");
    let json = township.json(&format!("phone --db p.sqlite warnings {id}"));
    let units = json.as_array().unwrap().iter().map(|w| (w["input"].clone(), w["unit"].clone()));
    let units: Vec<_> = units.collect();
    assert!(units.contains(&(1_500_000.into(), "fen".into())), "{units:?}");
    assert!(units.contains(&(1.into(), "".into())), "{units:?}");
}

#[test]
fn a_phone_that_reaches_nobody_says_that_nothing_is_lost() {
    let township = Township::start();
    township.must("target/debug/wanhu-server admin account-add li --name 李 --area 431022208217");
    let code = code_in(&township.must("target/debug/wanhu-server admin code li"));
    township.must(&format!("phone --db p.sqlite enrol http://{} {code}", township.listen));
    township.must("phone --db p.sqlite new 431022208217 basic.head_name=陈永昌");
    let db = township.dir.path().join("p.sqlite");
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("p.sqlite");
    std::fs::copy(db, &kept).unwrap();
    drop(township);
    let phone = |command: &str| {
        Command::new(programs().join("examples/phone"))
            .args(["--json", "--db"])
            .arg(Path::new(&kept))
            .arg(command)
            .output()
            .unwrap()
    };
    let output = phone("sync");
    let said: Json = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["error"], "offline");
    let status: Json = serde_json::from_slice(&phone("status").stdout).unwrap();
    assert_eq!(status["pending"], 1);
}

#[test]
fn whoever_stops_reading_is_told_nothing() {
    for (program, word) in
        [("wanhu-server", "--help"), ("wanhu-server", "check-config"), ("examples/phone", "--help")]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(programs().join(program));
        let done = command.arg(word).stdout(writer).output().unwrap();
        assert!(done.status.success() && done.stderr.is_empty(), "{program} {word}: {done:?}");
    }
}
