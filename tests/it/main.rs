//! All integration tests in one binary, by subject.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod exchange;
mod golden;
mod http;
mod simulation;
