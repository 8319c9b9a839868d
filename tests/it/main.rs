//! All integration tests in one binary, by subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod admission;
mod at_rest;
mod audit;
mod backup;
mod circles;
mod command_line;
mod disk;
mod duplicates;
mod exchange;
mod flips;
mod forms;
mod golden;
mod http;
mod kills;
mod ledger;
mod lists;
mod mountains;
mod offices;
mod outsider;
mod past;
mod power;
mod sheets;
mod simulation;
mod storage;
mod stories;
mod tasks;
mod warnings;
mod workflow;
