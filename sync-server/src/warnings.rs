//! Warnings on record: [`notice`] says what one makes of a household, [`written`] puts it there as an office or a department
//! does, [`alone`] looks for what records tell without anybody's list. A department's lists are `import`'s. Must not hold a
//! rule: `wanhu_core::domain::warning` does.

pub mod alone;
pub(crate) mod notice;
pub(crate) mod provenance;
pub(crate) mod written;
