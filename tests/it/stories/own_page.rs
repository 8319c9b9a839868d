//! The household's page itself, its script run under Node by `tests/page/run.mjs`: what a family types, ticks and presses,
//! and what it then reads, against the real server. `own_phone` tells what the server answers; here the page has to ask.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::json;

use super::own_phone::{Browser, OTHER_TELEPHONE, TELEPHONE, family_on_record};
use super::*;

/// A page with somebody before it.
struct Page {
    node: Child,
    hands: ChildStdin,
    eyes: BufReader<ChildStdout>,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Page {
    /// The page of a county's server, not opened yet.
    fn of(county: &County) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/page/run.mjs");
        let mut node = Command::new("node")
            .args([program, &county.server.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect(
                "the household's page is tested under Node 18 or later: no program `node` here",
            );
        let (hands, eyes) = (node.stdin.take().unwrap(), node.stdout.take().unwrap());
        Self { node, hands, eyes: BufReader::new(eyes) }
    }

    /// What somebody reads once they have done that.
    fn does(&mut self, command: &Json) -> String {
        writeln!(self.hands, "{command}").unwrap();
        let mut line = String::new();
        self.eyes.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "node ended at {command}; its last words stand above");
        let answer: Json = serde_json::from_str(&line).unwrap();
        let shown = answer["shown"].as_str().map(str::to_owned);
        shown.unwrap_or_else(|| panic!("{command}: {}", answer["fault"]))
    }

    fn open(&mut self) -> String {
        self.does(&json!(["open"]))
    }

    fn fill(&mut self, label: &str, text: &str) -> String {
        self.does(&json!(["fill", label, text]))
    }

    fn tick(&mut self, label: &str) {
        self.does(&json!(["tick", label]));
    }

    fn press(&mut self, label: &str) -> String {
        self.does(&json!(["press", label]))
    }

    /// Asks for a code and signs in with it: telephone, name and identity number.
    fn sign_in(&mut self, county: &County, who: [&str; 3]) -> String {
        let [telephone, name, number] = who;
        self.fill("手机号", telephone);
        self.press("获取验证码");
        self.fill("验证码", &Browser::at(county).code());
        self.fill("姓名", name);
        self.fill("身份证号", number);
        self.press("登录")
    }
}

/// That somebody reads a line which begins so.
fn reads(shown: &str, line: &str) {
    let is_read = shown.lines().any(|read| read.starts_with(line));
    assert!(is_read, "{line} is not on the page:\n{shown}");
}

/// That nobody reads such words.
fn reads_not(shown: &str, words: &str) {
    assert!(!shown.contains(words), "{words} is on the page:\n{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_family_signs_in_declares_follows_its_case_objects_and_confirms() {
    let (county, li, id) = family_on_record().await;
    let mut page = Page::of(&county);
    let shown = page.open();
    reads(&shown, "第一步 手机号");
    for hidden in ["正在打开", "验证码 code", "申报困难", "退出"] {
        reads_not(&shown, hidden);
    }

    // A code that is wrong is answered in words, and what was typed stands.
    page.fill("手机号", TELEPHONE);
    reads(&page.press("获取验证码"), "第二步 您是谁");
    let code = Browser::at(&county).code();
    let last = if code.ends_with('0') { '1' } else { '0' };
    page.fill("验证码", &format!("{}{last}", &code[..5]));
    page.fill("姓名", "周长根");
    page.fill("身份证号", NUMBER);
    reads(&page.press("登录"), "验证码不对,或已用过");
    page.fill("验证码", &code);
    let shown = page.press("登录");
    reads(&shown, "周长根 · 1 人");
    reads(&shown, "暂无 · nothing yet");
    for hidden in ["验证码", "您住在哪个村", "对公示有异议"] {
        reads_not(&shown, hidden);
    }

    page.tick("因病");
    page.fill("说明", "上月住院");
    page.tick("所说属实");
    let shown = page.press("提交");
    reads(&shown, "已收到,村干部会上门核实");
    reads(&shown, "2024-03-04 因病");
    page.tick("因病");
    reads(&page.press("提交"), "此事已登记,正在办理");
    reads(&page.press("提交"), "请至少勾选一项困难");
    assert_eq!(sync(&li).await.refused, 0);
    assert_eq!(kinds(&li.tasks().unwrap()), [TaskKind::Verify]);
    let record = county.office("乡政府", AdminCommand::Show { household: id }).unwrap().to_string();
    assert!(
        record.contains("上月住院") && record.contains("case.consent"),
        "all three of the form"
    );

    // Its case comes as far as the notice, to which the family objects; then there is help.
    take(&li, id, Stage::Verified, typed(&["visits.date=2024-03-04", "visits.met=户主"]));
    sync(&li).await;
    let votes = Step { votes: Some((9, 0)), ..Step::default() };
    county.step("村委会", id, "民主评议", votes).unwrap();
    county.step("村委会", id, "村内公示", Step::default()).unwrap();
    reads(&page.open(), "对公示有异议");
    page.fill("对公示有异议", "家里还有一个学生");
    reads(&page.press("提出异议"), "已收到");
    let case = county.office("乡政府", AdminCommand::Case { household: id }).unwrap();
    assert_eq!(case["objections"].as_array().unwrap().len(), 1);
    fill_in(
        &county,
        "县局",
        id,
        &[
            "measures.kind=综合保障",
            "measures.title=低保",
            "measures.status=正在落实",
            "measures.amount_fen=50000",
            "measures.period=每月",
            "measures.from=2024-01-01",
        ],
    );
    let shown = page.open();
    reads(&shown, "2024 年合计 total: 6,000 元");
    reads(&shown, "低保 综合保障");
    for step in ["线索", "入户核查", "民主评议", "村内公示"] {
        reads(&shown, step);
    }
    let shown = page.press("确认已收到");
    assert!(shown.contains("✓ 已确认"), "{shown}");
    reads_not(&shown, "确认已收到");

    // Whoever takes the telephone next finds nothing.
    let shown = page.press("退出");
    for gone in ["周长根", "低保", "验证码 code", "退出"] {
        reads_not(&shown, gone);
    }
    reads_not(&page.open(), "周长根");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_record_knows_looks_for_the_village_and_is_heard() {
    let (county, ..) = family_on_record().await;
    let mut page = Page::of(&county);
    page.open();
    let shown = page.sign_in(&county, [OTHER_TELEPHONE, "周长生", "11010519491231002X"]);
    reads(&shown, "您住在哪个村");
    reads_not(&shown, "办理进度");
    page.tick("因病");
    reads(&page.press("提交"), "请查找并选择您住的村");
    reads(&page.fill("您住在哪个村", "flc"), "宜章县 关溪乡 福岭村");
    page.tick("宜章县 关溪乡 福岭村");
    reads(&page.press("提交"), "已收到,乡镇或村干部会与您联系");
    let list = AdminCommand::Declarations(PageArguments::default());
    let waiting = county.listed("乡政府", list).unwrap();
    assert_eq!((&waiting[0]["name"], &waiting[0]["village"]), (&"周长生".into(), &FULING.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_so_where_there_is_no_line_and_when_a_session_is_over() {
    let (county, ..) = family_on_record().await;
    let mut page = Page::of(&county);
    page.does(&json!(["line", false]));
    reads(&page.open(), "没有网络,请稍后再试");
    page.does(&json!(["line", true]));
    page.open();
    reads(&page.sign_in(&county, [TELEPHONE, "周长根", NUMBER]), "周长根");
    page.tick("因病");
    page.does(&json!(["line", false]));
    reads(&page.press("提交"), "没有网络,请稍后再试");
    page.does(&json!(["line", true]));
    reads(&page.press("提交"), "已收到");

    county.day("2024-03-05");
    page.tick("因病");
    let shown = page.press("提交");
    reads(&shown, "登录已过期,请重新登录");
    reads(&shown, "第一步 手机号");
    reads_not(&shown, "周长根");
}
