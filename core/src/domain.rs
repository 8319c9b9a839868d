//! What a household record is and which rules hold for it: codes, regions, values, identity numbers.
//!
//! Rules live here and nowhere else; phone and server call the same functions. This module must not
//! know how a record is encoded, stored or sent, and never reads a clock or a random source.

pub mod asking;
pub mod authority;
pub mod checks;
pub mod day;
pub mod environment;
pub mod facts;
pub mod figures;
pub mod grid;
pub mod help;
pub mod identity;
pub mod ids;
pub mod notice;
pub mod person;
pub mod pinyin;
pub mod policy;
pub mod region;
pub mod schema;
pub mod spelling;
pub mod telephone;
pub mod value;
pub mod visit;
pub mod warning;
pub mod workflow;
