//! One hostile target under a coverage-guided engine: `WANHU_FUZZ_TARGET=frame fuzz CORPUS…`. Half of all
//! mutations happen behind checksums and compression. An input that needs more memory than a phone can
//! spare is a crash. Must not know what a target does.
#![no_main]

use std::alloc::System;
use std::sync::LazyLock;

use cap::Cap;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use wanhu_tests::hostile::{self, Target};

/// Bytes one input may need beyond what is there before it.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

#[allow(clippy::disallowed_methods, reason = "the engine takes its own words on the command line")]
fn asked_for() -> String {
    std::env::var("WANHU_FUZZ_TARGET").unwrap_or_default()
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = asked_for();
    let target = hostile::target(&name);
    // Once without a limit: what a target builds for itself is not the input's.
    let target = target.unwrap_or_else(|| panic!("WANHU_FUZZ_TARGET is no target: {name:?}"));
    hostile::seeds().iter().filter(|seed| seed.0 == name).for_each(|seed| (target.run)(&seed.1));
    target
});

fuzz_target!(|data: &[u8]| {
    let target = *TARGET;
    let allowed = MEMORY.allocated() + BYTES_MAX;
    MEMORY.set_limit(allowed).unwrap_or_else(|_| panic!("no limit can be set"));
    (target.run)(data);
    MEMORY.set_limit(usize::MAX).unwrap_or_else(|_| panic!("no limit can be set"));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let target = *TARGET;
    if seed.is_multiple_of(2)
        && let Some(mut inside) = (target.unpack)(&data[..size])
    {
        let inside_size = inside.len();
        inside.resize(inside_size + 64, 0);
        let room = inside.len();
        let mutated = fuzzer_mutate(&mut inside, inside_size, room);
        let packed = (target.pack)(&inside[..mutated]);
        if packed.len() <= max_size {
            data[..packed.len()].copy_from_slice(&packed);
            return packed.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});
