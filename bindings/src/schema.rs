//! The record as data: what a form is made of, the words for codes and findings. Must not know a
//! household.

use wanhu_core::domain::checks::{Finding, explain};
use wanhu_core::domain::schema::{self, Code, CodeList, Schema};
use wanhu_core::error::LedgerError;

/// Containers, fields and code lists of the record, with Chinese and English labels.
#[uniffi::export]
pub fn record_schema() -> Schema {
    Schema::base().clone()
}

/// The words for codes: lists `error`, `task_kind`, `lack`, `check`, `figure_name` and others that stand in no record, and those of
/// the record, as `case_state`.
#[uniffi::export]
pub fn word_list(name: String) -> Option<CodeList> {
    schema::word_list(&name).cloned()
}

/// The words for one of them.
#[uniffi::export]
pub fn words(list: String, code: String) -> Option<Code> {
    schema::words(&list, &code).cloned()
}

/// What people are told about an error, with its code: its line of the list `error`.
#[uniffi::export]
pub fn error_words(error: LedgerError) -> Option<Code> {
    words("error".to_owned(), error.code().to_owned())
}

/// What people are told about a finding, with its code: its line of the list `check`, with what it rests on filled in.
#[uniffi::export]
pub fn finding_words(finding: Finding) -> Code {
    let (zh, en) = explain(&finding);
    Code { code: finding.check.code().to_owned(), zh, en }
}
