//! How often a fault was tried, and where a run says so: the table of docs/reliability.md is made from what
//! the tests write here. Must not decide whether a test passes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// How often to try a fault: the environment's number under this name, else `usual`.
#[allow(clippy::disallowed_methods, reason = "a test's own switch")]
pub fn times(switch: &str, usual: u64) -> u64 {
    std::env::var(switch).ok().and_then(|times| times.parse().ok()).unwrap_or(usual)
}

/// One line of the table in the making.
#[derive(Debug)]
pub struct Tally {
    goal: &'static str,
    fault: &'static str,
    began: Instant,
}

impl Tally {
    /// Begins to try a fault; `goal` is its number in the table of faults, for example `R1`.
    #[allow(clippy::disallowed_methods, reason = "how long a run took is for people")]
    pub fn begin(goal: &'static str, fault: &'static str) -> Self {
        Self { goal, fault, began: Instant::now() }
    }

    /// Every case passed. `cases` says in what, for example `300 kills`.
    ///
    /// # Panics
    /// Where a run asked for the table and its line cannot be written.
    #[allow(clippy::disallowed_methods, reason = "a run says where its table belongs")]
    pub fn passed(self, cases: &str) {
        let Some(file) = std::env::var_os("WANHU_TALLY") else { return };
        let seconds = self.began.elapsed().as_secs();
        let line = format!("{}\t{}\t{cases}\t{seconds}\n", self.goal, self.fault);
        let file = OpenOptions::new().create(true).append(true).open(Path::new(&file));
        file.expect("opens").write_all(line.as_bytes()).expect("writes");
    }
}
