//! Every error has a code, words in two languages in the list `error`, and a line in the table of bindings/README.md; and
//! there are no others.

use std::collections::BTreeSet;

use wanhu::{error_words, word_list};
use wanhu_core::error::LedgerError;

const README: &str = include_str!("../README.md");
const API: &str = include_str!("../api.txt");

/// One of each, with the fields it has. A new variant does not compile until it is in the `match` below; one that is not
/// here is missed by the comparison with the exported surface.
fn every() -> Vec<LedgerError> {
    use LedgerError as E;
    let text = String::new;
    vec![
        E::InvalidInput { field: text(), reason: text() },
        E::NotPermitted { action: text(), level_needed: text() },
        E::AlreadyOnRecord { household: text() },
        E::NotFound { kind: text(), id: text() },
        E::IllegalStep { state: text(), step: text(), reason: text(), until: text() },
        E::Offline { retry_after_ms: 0 },
        E::SessionExpired { reason: text() },
        E::UpgradeRequired { minimum: text() },
        E::StorageFull { needed_bytes: 0 },
        E::StorageDamaged { kept_as: text() },
        E::Internal { report_id: text() },
    ]
}

/// The variant's name in other languages, and its fields.
fn named(error: &LedgerError) -> (&'static str, &'static str) {
    match error {
        LedgerError::InvalidInput { field: _, reason: _ } => ("InvalidInput", "field, reason"),
        LedgerError::NotPermitted { action: _, level_needed: _ } => {
            ("NotPermitted", "action, level_needed")
        }
        LedgerError::AlreadyOnRecord { household: _ } => ("AlreadyOnRecord", "household"),
        LedgerError::NotFound { kind: _, id: _ } => ("NotFound", "kind, id"),
        LedgerError::IllegalStep { state: _, step: _, reason: _, until: _ } => {
            ("IllegalStep", "state, step, reason, until")
        }
        LedgerError::Offline { retry_after_ms: _ } => ("Offline", "retry_after_ms"),
        LedgerError::SessionExpired { reason: _ } => ("SessionExpired", "reason"),
        LedgerError::UpgradeRequired { minimum: _ } => ("UpgradeRequired", "minimum"),
        LedgerError::StorageFull { needed_bytes: _ } => ("StorageFull", "needed_bytes"),
        LedgerError::StorageDamaged { kept_as: _ } => ("StorageDamaged", "kept_as"),
        LedgerError::Internal { report_id: _ } => ("Internal", "report_id"),
    }
}

#[test]
fn the_table_of_errors_is_that_of_the_library() {
    let rows = README.lines().skip_while(|line| !line.starts_with("| code |")).skip(2);
    let listed: Vec<String> =
        rows.take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
    let of_the_library = every().into_iter().map(|error| {
        let (code, (name, fields)) = (error.code(), named(&error));
        let words = error_words(error).unwrap();
        assert_eq!(words.code, code);
        format!("| {code} | {name} | {fields} | {} | {} |", words.zh, words.en)
    });
    assert_eq!(listed, of_the_library.collect::<Vec<_>>());
}

#[test]
fn every_exported_error_has_its_own_code_and_words() {
    let exported = API.lines().skip_while(|line| !line.contains("sealed class LedgerException"));
    let exported: BTreeSet<&str> = exported
        .skip(1)
        .take_while(|line| line.starts_with("    "))
        .filter_map(|line| line.trim().strip_prefix("class "))
        .collect();
    assert_eq!(every().iter().map(|error| named(error).0).collect::<BTreeSet<_>>(), exported);
    let codes: Vec<&str> = every().iter().map(LedgerError::code).collect();
    let list = word_list("error".into()).unwrap();
    assert_eq!(list.codes.iter().map(|word| word.code.as_str()).collect::<Vec<_>>(), codes);
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    assert!(list.codes.iter().all(|word| !word.zh.is_empty() && !word.en.is_empty()));
}
