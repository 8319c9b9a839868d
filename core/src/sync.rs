//! How records travel between a phone and its server: one request, one streamed answer. Must not do
//! I/O, read a clock or draw randomness; storage is reached through traits, bytes come and go as slices.
//!
//! `wire` holds the messages, `frame` their compression, `chain` what makes history tamper-evident,
//! `initiator` the phone's side, `responder` the server's side, `repair` what happens when they disagree.

pub mod chain;
pub mod frame;
pub mod seal;
pub mod wire;
