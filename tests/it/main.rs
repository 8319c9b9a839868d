//! All integration tests in one binary, by subject.

mod exchange;
mod http;
mod simulation;
