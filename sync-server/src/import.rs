//! Tables that departments export, read as typed rows: a file becomes a [`table::Table`] of text cells, a
//! [`profile::Profile`] says what its columns mean, [`rows`] reads each row whole or says why not, and
//! [`report`] tells the sender. Up to there nothing knows who asks or touches a record. [`delivery`] takes the rows
//! to the households, `judging` finds what they call for; [`afterwards`] takes them back, or says what became of them;
//! [`replay`] asks a warning again. [`campaign`] brings in what an office has of a past campaign.
//!
//! Files are made by hand and come from outside: every step is bounded, nothing is evaluated, nothing guessed.

pub mod afterwards;
mod bills;
pub mod campaign;
mod cell;
mod delimited;
pub mod delivery;
pub(crate) mod effects;
pub mod header;
mod inflate;
mod judging;
mod names;
pub mod outcome;
mod possible;
pub mod profile;
mod proposals;
mod provenance;
pub mod replay;
pub mod report;
pub mod rows;
mod stay;
pub mod table;
mod taken_back;
mod target;
mod unit;
mod workbook;
mod xls;

#[cfg(test)]
mod tests;
