//! The record as data: what a form is made of, and the words for codes. Must not know a household.

use wanhu_core::domain::schema::{self, Code, CodeList, Schema};
use wanhu_core::error::LedgerError;

/// Containers, fields and code lists of the record, with Chinese and English labels.
#[uniffi::export]
pub fn record_schema() -> Schema {
    Schema::base().clone()
}

/// The words for codes that stand in no record: lists `error`, `task_kind`, `lack`, `check`, `figure_name` and
/// others.
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
