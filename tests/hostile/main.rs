//! Everything that ever did harm, and honest bytes, before every decoder again: each comes back without a
//! panic and within the memory a small phone can spare. A program of its own, because memory is counted
//! for the whole of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::path::Path;
use std::time::{Duration, Instant};

use cap::Cap;
use wanhu_tests::hostile::{self, TARGETS};
use wanhu_tests::tally::Tally;

/// Bytes one input may need beyond what is there before it.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

#[test]
fn every_input_of_the_corpus_is_read_within_16_mb() {
    let tally =
        Tally::begin("R9", "every input that ever did harm, and honest ones, within 16 MB each");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    // What a target builds for itself is not the input's.
    hostile::seeds().iter().for_each(|(name, bytes)| (hostile::target(name).unwrap().run)(bytes));
    let (mut inputs, mut slowest) = (0, Duration::ZERO);
    for target in TARGETS {
        let files: Vec<_> = std::fs::read_dir(corpus.join(target.name)).unwrap().collect();
        assert!(!files.is_empty(), "{target:?} has nothing to begin from");
        for file in files {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            MEMORY.set_limit(MEMORY.allocated() + BYTES_MAX).unwrap();
            let began = now();
            (target.run)(&bytes);
            slowest = slowest.max(began.elapsed());
            MEMORY.set_limit(usize::MAX).unwrap();
            inputs += 1;
        }
    }
    tally.passed(&format!("{inputs} inputs, the slowest {:.1} ms", slowest.as_secs_f64() * 1e3));
}

#[allow(clippy::disallowed_methods, reason = "how long an input took is for people")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn what_is_packed_again_is_what_was_unpacked() {
    for (name, bytes) in hostile::seeds() {
        let target = hostile::target(name).unwrap();
        if let Some(inside) = (target.unpack)(&bytes) {
            let packed = (target.pack)(&inside);
            assert_eq!((target.unpack)(&packed), Some(inside), "{name}");
        }
    }
}
