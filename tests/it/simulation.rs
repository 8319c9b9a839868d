//! Thousands of random worlds. A failing seed is printed as a command.

use std::panic::catch_unwind;

use wanhu_tests::simulation::run;

/// Seeds of every test run; `WANHU_SEEDS=from..to` runs others.
const SEEDS: std::ops::Range<u64> = 0..2_000;

#[test]
#[allow(clippy::disallowed_methods, reason = "a test's own switch")]
fn nothing_is_lost_and_all_replicas_agree() {
    let asked = std::env::var("WANHU_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    let seeds = asked.unwrap_or(SEEDS);
    let middle = seeds.start + (seeds.end - seeds.start) / 2;
    let halves = [seeds.start..middle, middle..seeds.end];
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let runs = halves.map(|half| {
            scope.spawn(move || {
                half.filter(|seed| catch_unwind(|| run(*seed)).is_err()).collect::<Vec<_>>()
            })
        });
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    for seed in failed.iter().take(3) {
        println!("WANHU_SEEDS={seed}..{} cargo test -p wanhu-tests --test it simulation", seed + 1);
    }
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
}
