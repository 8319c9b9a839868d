//! Thousands of random worlds. A failing seed is printed as a command.

use std::ops::Range;
use std::panic::catch_unwind;

use wanhu_tests::simulation::{Summary, run};
use wanhu_tests::tally::Tally;

/// Seeds of every test run; `WANHU_SEEDS=from..to` runs others.
const SEEDS: Range<u64> = 0..2_000;

#[allow(clippy::disallowed_methods, reason = "a test's own switch")]
fn asked_for() -> Option<Range<u64>> {
    let text = std::env::var("WANHU_SEEDS").ok()?;
    let (from, to) = text.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

/// What happened in the worlds of these seeds, and the seeds of those that broke a promise.
fn run_all(seeds: Range<u64>) -> (Summary, Vec<u64>) {
    let (mut sum, mut failed) = (Summary::default(), Vec::new());
    for seed in seeds {
        match catch_unwind(|| run(seed)) {
            Ok(summary) => sum.add(summary),
            Err(_) => failed.push(seed),
        }
    }
    (sum, failed)
}

#[test]
fn nothing_is_lost_and_all_replicas_agree() {
    let seeds = asked_for().unwrap_or(SEEDS);
    let (worlds, healing) = (
        Tally::begin(
            "R4",
            "random worlds: loss, cuts, repetition, clocks 3 years off, moves, revocations",
        ),
        Tally::begin(
            "R7",
            "server restored from an older backup, phones restored and copied, in those worlds",
        ),
    );
    let count = seeds.end - seeds.start;
    let middle = seeds.start + count / 2;
    let halves = [seeds.start..middle, middle..seeds.end];
    let ran: Vec<_> = std::thread::scope(|scope| {
        let runs = halves.map(|half| scope.spawn(move || run_all(half)));
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (mut sum, mut failed) = (Summary::default(), Vec::new());
    for (summary, broken) in ran {
        sum.add(summary);
        failed.extend(broken);
    }
    for seed in failed.iter().take(3) {
        println!("WANHU_SEEDS={seed}..{} cargo test -p wanhu-tests --test it simulation", seed + 1);
    }
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
    // A run of one seed is somebody looking for something; else everything must have happened.
    let happened =
        [sum.cuts, sum.moves, sum.restores, sum.revocations, sum.copies, sum.met, sum.merges];
    assert!(count < 100 || happened.iter().all(|times| *times > 0), "{sum:?}");
    worlds.passed(&format!(
        "{count} worlds, {} saves, {} cuts, {} moves, {} revocations, {} families met twice, {} merges",
        sum.saved, sum.cuts, sum.moves, sum.revocations, sum.met, sum.merges
    ));
    healing.passed(&format!("{} restores, {} copies", sum.restores, sum.copies));
}
