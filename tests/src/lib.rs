//! What tests and benchmarks share: random worlds with a seed, a township's server without a network,
//! a slow line, the sample population. Must not be depended on by anything that ships.
#![allow(clippy::expect_used, reason = "what tests share may fail like a test")]

pub mod city;
pub mod county;
pub mod hostile;
pub mod line;
pub mod population;
pub mod program;
pub mod seeded;
pub mod server;
pub mod simulation;
pub mod tally;
pub mod township;
pub mod vault;
