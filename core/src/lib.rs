//! Household records kept where there is no signal: rules, document, store and sync, shared by phone
//! and server. Reading order: `domain` (what a record is), `document` (how a change is made and folded),
//! `store` (how it survives), `sync` (how it travels), `client` (the phone's `Ledger`).
//!
//! Modules may use those to their left only: `domain <- document <- store <- sync <- client`.
//! Nothing in here but `client` may read a clock, a random source or the environment.

#[cfg(feature = "client")]
pub mod client;
pub mod document;
pub mod domain;
pub mod error;
pub mod store;
pub mod sync;
#[cfg(feature = "system")]
pub mod system;

#[cfg(feature = "uniffi")]
mod foreign;
#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
