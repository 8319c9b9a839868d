//! Every fault, once as often as every check tries it or many times as often, and the table of what was tried.
//! Must not decide what passes: a test that fails ends the run without a table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Simulated worlds of every check.
const WORLDS: u64 = 20_000;
/// The switches of the tests, with what they are in every check.
const SWITCHES: [(&str, u64); 5] = [
    ("WANHU_KILLS", 300),
    ("WANHU_CUTS", 2_000),
    ("WANHU_FLIPS", 500),
    ("WANHU_MIGRATION_SEEDS", 20),
    ("WANHU_JUDGED", 2_000),
];
/// Where tests and engine write their lines.
pub(crate) const TALLY: &str = "target/reliability.tsv";
/// Seconds a target of the search for hostile bytes, where the run is a long one.
const FUZZ_SECONDS: u64 = 60;
/// Faults every run must have tried.
const GOALS: [&str; 9] = ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"];

/// Runs all tests and the search for hostile bytes, and something else beside the search; `times` as many cases as usual.
pub(crate) fn every_fault(
    times: u64,
    fuzz_seconds: u64,
    beside: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let _ = fs::remove_file(TALLY);
    let tally = std::env::current_dir().map_err(|error| error.to_string())?.join(TALLY);
    // The tests of the command lines run the programs themselves.
    super::build(true)?;
    let worlds = WORLDS * times;
    let mut tests = Command::new(env!("CARGO"));
    // Without the writer of bindings, whose features would have the core built a second time.
    tests.args(["test", "--workspace", "--exclude", "wanhu-fuzz", "--exclude", "wanhu-bindgen"]);
    tests.arg("--all-targets").args(super::PAPER);
    tests.env("WANHU_SEEDS", format!("0..{worlds}")).env("WANHU_TALLY", &tally);
    for (switch, usual) in SWITCHES {
        tests.env(switch, (usual * times).to_string());
    }
    super::run(&mut tests, &format!("cargo test --workspace, {worlds} simulated worlds"))?;
    super::fuzz::fuzz_beside(fuzz_seconds, &tally, beside)?;
    let lines = lines()?;
    let tried: BTreeSet<&str> = lines.iter().map(|line| line.goal.as_str()).collect();
    let missing: Vec<_> = GOALS.iter().filter(|goal| !tried.contains(*goal)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("nothing tried for {missing:?}")) }
}

/// The long form, which writes docs/reliability.md; with 0 times, from what the last run of all checks tried.
pub(crate) fn torture(times: u64) -> Result<(), String> {
    if times > 0 {
        every_fault(times, FUZZ_SECONDS * times, || Ok(()))?;
    }
    let path = Path::new("docs/reliability.md");
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (before, _) = text.split_once(TABLE_HEAD).ok_or("docs/reliability.md has no table")?;
    let mut table = format!("{before}{TABLE_HEAD}");
    for line in lines()? {
        table.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            line.goal, line.fault, line.cases, line.seconds
        ));
    }
    fs::write(path, table).map_err(|error| error.to_string())?;
    println!("→ docs/reliability.md");
    Ok(())
}

const TABLE_HEAD: &str = "| goal | fault | tried, all passed | s |\n|---|---|---|---|\n";

struct Line {
    goal: String,
    fault: String,
    cases: String,
    seconds: String,
}

fn lines() -> Result<Vec<Line>, String> {
    let text = fs::read_to_string(TALLY).map_err(|error| format!("{TALLY}: {error}"))?;
    let mut lines = Vec::new();
    for line in text.lines() {
        let [goal, fault, cases, seconds] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{TALLY}: {line}"));
        };
        let [goal, fault, cases, seconds] = [goal, fault, cases, seconds].map(str::to_owned);
        lines.push(Line { goal, fault, cases, seconds });
    }
    // R2 before R10.
    lines.sort_by_key(|line| (line.goal.len(), line.goal.clone(), line.fault.clone()));
    Ok(lines)
}
