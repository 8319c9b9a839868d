//! The search for hostile bytes: builds the engine with coverage in the project's own crates, lets it run on
//! every target, keeps what it crashes on. Must not know what a target does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The compiler with coverage. Only the project's own crates are compiled with it: everything they use is
/// shared with ordinary builds.
const COMPILER: &str = "tests/fuzz/compiler-with-coverage";
/// Longest input.
const BYTES_MAX: usize = 40_000;
/// An input that takes longer is a crash.
const SECONDS_MAX: u64 = 5;
/// Targets at once: one a core of the smallest machine this runs on.
const AT_ONCE: usize = 2;

/// Searches on the targets named, or on all, each for so many seconds. `table` gets a line a target.
pub(crate) fn fuzz(targets: &[String], seconds: u64, table: Option<&Path>) -> Result<(), String> {
    build()?;
    search(targets, seconds, table)
}

/// Searches on all targets while something else is done: a search takes its seconds whatever else there is to do.
pub(crate) fn fuzz_beside(
    seconds: u64,
    table: &Path,
    else_to_do: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    build()?;
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| search(&[], seconds, Some(table)));
        let done = else_to_do();
        let found = searching.join().unwrap_or_else(|_| Err("fuzz".to_owned()));
        match (done, found) {
            (Err(one), Err(other)) => Err(format!("{one}\n{other}")),
            (done, found) => done.and(found),
        }
    })
}

fn build() -> Result<(), String> {
    let compiler = fs::canonicalize(COMPILER).map_err(|error| format!("{COMPILER}: {error}"))?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "-p", "wanhu-fuzz", "--target-dir", "target"]).args(super::PAPER);
    build.env("RUSTC_WORKSPACE_WRAPPER", compiler);
    super::run(&mut build, "cargo build -p wanhu-fuzz, with coverage")
}

fn search(targets: &[String], seconds: u64, table: Option<&Path>) -> Result<(), String> {
    let all = folders(Path::new("tests/corpus"))?;
    let unknown: Vec<_> = targets.iter().filter(|name| !all.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(format!("no target {unknown:?}; there are: {}", all.join(" ")));
    }
    let wanted = if targets.is_empty() { all } else { targets.to_vec() };
    let mut failed = Vec::new();
    for some in wanted.chunks(AT_ONCE) {
        let running: Vec<_> = some
            .iter()
            .map(|target| Ok((target, start(target, seconds)?)))
            .collect::<Result<_, String>>()?;
        for (target, child) in running {
            let output = child.wait_with_output().map_err(|error| error.to_string())?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let runs = figure(&said, "stat::number_of_executed_units:");
            let covered = said.lines().rev().find_map(|line| line.split("cov: ").nth(1));
            let covered = covered.and_then(|rest| rest.split(' ').next()).unwrap_or("?");
            println!("→ fuzz {target}: {runs} inputs in {seconds} s, {covered} branches");
            if output.status.success() {
                let covered = format!("{runs} inputs, {covered} branches");
                table.map_or(Ok(()), |table| tally(table, target, &covered, seconds))?;
            } else {
                failed.push(kept(target, &said)?);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("fuzz\n{}", failed.join("\n"))) }
}

fn start(target: &str, seconds: u64) -> Result<std::process::Child, String> {
    let found = PathBuf::from("target/fuzz").join(target);
    let crashes = found.join("crashes");
    fs::create_dir_all(found.join("corpus")).map_err(|error| error.to_string())?;
    let _ = fs::remove_dir_all(&crashes);
    fs::create_dir_all(&crashes).map_err(|error| error.to_string())?;
    Command::new("target/debug/fuzz")
        .arg(found.join("corpus"))
        .arg(Path::new("tests/corpus").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SECONDS_MAX}"))
        .arg(format!("-max_len={BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg("-print_final_stats=1")
        .env("WANHU_FUZZ_TARGET", target)
        // Names of functions take the engine seconds a crash.
        .env("RUST_BACKTRACE", "0")
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("target/debug/fuzz: {error}"))
}

fn folders(dir: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn figure(said: &str, name: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    line.map_or_else(|| "?".to_owned(), |figure| figure.trim().to_owned())
}

/// Copies what a target crashed on into its corpus, where every test run meets it again.
fn kept(target: &str, said: &str) -> Result<String, String> {
    let mut report = format!("  {target}:\n");
    for line in said.lines().filter(|line| line.contains("panicked") || line.contains("SUMMARY")) {
        report.push_str(&format!("    {line}\n"));
    }
    for entry in
        fs::read_dir(format!("target/fuzz/{target}/crashes")).into_iter().flatten().flatten()
    {
        let to = Path::new("tests/corpus").join(target).join(entry.file_name());
        fs::copy(entry.path(), &to).map_err(|error| error.to_string())?;
        report.push_str(&format!(
            "    WANHU_FUZZ_TARGET={target} target/debug/fuzz {}\n",
            to.display()
        ));
    }
    Ok(report)
}

/// Adds a line to the table of faults.
fn tally(table: &Path, target: &str, covered: &str, seconds: u64) -> Result<(), String> {
    let line = format!("R9\thostile bytes for `{target}`, coverage-guided\t{covered}\t{seconds}\n");
    let opened = fs::OpenOptions::new().create(true).append(true).open(table);
    let written = opened.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()));
    written.map_err(|error| error.to_string())
}
