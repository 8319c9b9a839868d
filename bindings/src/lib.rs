//! The boundary to the apps: the ledger of `wanhu-core` as Kotlin, Swift and Python see it. Data types are the core's
//! own; what stands here is an object around the ledger, with one delegation a method. Must not hold a rule, a query or
//! an address.

mod ledger;
mod observer;
mod schema;
mod vault;
mod views;

pub use ledger::Ledger;
pub use observer::{Cancel, ObserverError, SyncObserver};
pub use schema::{error_words, finding_words, record_schema, word_list, words};
pub use vault::{KeyVault, KeyVaultError};
pub use views::{Enrolled, HelpOfFamily, HelpView, LedgerStatus};

uniffi::setup_scaffolding!();
