//! The one error an app sees: each variant is named for what the app can do about it, holds values and
//! codes, never prose, and never personal data. Inner errors are mapped here and nowhere else.

use crate::document::DocumentError;
use crate::document::edit::EditError;
use crate::document::judge::StepDenial;
use crate::domain::workflow::Stage;
use crate::store::StoreError;
use crate::sync::SyncError;

/// What a call of the ledger can fail with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error))]
pub enum LedgerError {
    /// Correct the input.
    #[error("invalid input: {field}: {reason}")]
    InvalidInput {
        /// `container.field`, or the name of an argument.
        field: String,
        /// Stable code, for example `not_in_list`.
        reason: String,
    },
    /// Ask the level above.
    #[error("not permitted: {action}")]
    NotPermitted {
        /// What was attempted.
        action: String,
        /// The level that may do it.
        level_needed: String,
    },
    /// Open the record that is there; nothing was saved.
    #[error("already on record")]
    AlreadyOnRecord {
        /// The household that has it.
        household: String,
    },
    /// Look for something else.
    #[error("no such {kind}")]
    NotFound {
        /// What was looked for, for example `household`.
        kind: String,
        /// Its id as given.
        id: String,
    },
    /// See what the step needs, or reload the case: it has moved on.
    #[error("step {step} not possible in state {state}: {reason}")]
    IllegalStep {
        /// Code of the stage the case is in; empty where there is none.
        state: String,
        /// Code of the step attempted.
        step: String,
        /// Code of what is missing, list `lack` of words, for example `visit_missing`.
        reason: String,
        /// The ISO day the reason is about; empty where it is about none.
        until: String,
    },
    /// Go on working; nothing is lost. Try again after the time given.
    #[error("offline")]
    Offline {
        /// Milliseconds to wait.
        retry_after_ms: u64,
    },
    /// Enrol this phone (again).
    #[error("session expired: {reason}")]
    SessionExpired {
        /// Stable code, for example `revoked`.
        reason: String,
    },
    /// Install a newer version; what is saved stays and can be sent by it.
    #[error("upgrade required: {minimum}")]
    UpgradeRequired {
        /// The oldest version that will do.
        minimum: String,
    },
    /// Free some space; nothing was changed.
    #[error("storage full")]
    StorageFull {
        /// Bytes that would have been needed, 0 where unknown.
        needed_bytes: u64,
    },
    /// The file is damaged. One that could not be opened was set aside: start afresh, hand the kept file to support. In an
    /// open book a call came upon damage: nothing was moved, and what can still be read can be.
    #[error("storage damaged")]
    StorageDamaged {
        /// Path of the file that was set aside; empty where the book is open or the file could not be moved.
        kept_as: String,
    },
    /// Report this; the code says where it came from.
    #[error("internal: {report_id}")]
    Internal {
        /// Names the place, never the content.
        report_id: String,
    },
}

impl LedgerError {
    /// An input that must be corrected.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidInput { field: field.into(), reason: reason.into() }
    }

    fn internal(place: &str) -> Self {
        Self::Internal { report_id: place.to_owned() }
    }

    /// The stable code of the variant, for scripts and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid_input",
            Self::NotPermitted { .. } => "not_permitted",
            Self::AlreadyOnRecord { .. } => "already_on_record",
            Self::NotFound { .. } => "not_found",
            Self::IllegalStep { .. } => "illegal_step",
            Self::Offline { .. } => "offline",
            Self::SessionExpired { .. } => "session_expired",
            Self::UpgradeRequired { .. } => "upgrade_required",
            Self::StorageFull { .. } => "storage_full",
            Self::StorageDamaged { .. } => "storage_damaged",
            Self::Internal { .. } => "internal",
        }
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::StorageFull { needed_bytes: 0 },
            StoreError::Newer { found, .. } => {
                Self::UpgradeRequired { minimum: format!("file-schema-{found}") }
            }
            StoreError::Damaged => Self::StorageDamaged { kept_as: String::new() },
            StoreError::NotSealed => Self::invalid("vault", "file_not_sealed"),
            StoreError::InUse => Self::invalid("path", "in_use"),
            StoreError::Sqlite(error) => {
                let code = error.sqlite_error().map_or(0, |error| error.extended_code);
                Self::Internal { report_id: format!("store.sqlite.{code}") }
            }
            StoreError::Document(error) => error.into(),
            StoreError::NotFound => Self::NotFound { kind: "household".into(), id: String::new() },
        }
    }
}

impl From<EditError> for LedgerError {
    fn from(error: EditError) -> Self {
        Self::invalid(error.field, error.reason)
    }
}

impl From<StepDenial> for LedgerError {
    fn from(denial: StepDenial) -> Self {
        let StepDenial { from, step, lack } = denial;
        Self::IllegalStep {
            state: from.map_or("", Stage::code).to_owned(),
            step: step.map_or("", Stage::code).to_owned(),
            reason: lack.code().to_owned(),
            until: lack.day().map(|day| day.to_string()).unwrap_or_default(),
        }
    }
}

impl From<DocumentError> for LedgerError {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Empty => Self::invalid("change", "nothing_to_change"),
            DocumentError::TooLarge => Self::invalid("change", "too_large"),
            DocumentError::Malformed => Self::internal("document.malformed"),
            DocumentError::ForeignOperation => Self::internal("document.foreign_operation"),
            DocumentError::StateUnreadable => Self::internal("document.state"),
        }
    }
}

impl From<SyncError> for LedgerError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(error) => error.into(),
            SyncError::Cut => Self::Offline { retry_after_ms: 0 },
            SyncError::Malformed => Self::internal("sync.malformed"),
            SyncError::NotAuthentic => Self::internal("sync.not_authentic"),
            SyncError::Corrupt => Self::internal("sync.corrupt"),
            SyncError::Refused { code, details } => refused(&code, details),
        }
    }
}

/// The table of docs/protocol.md: the server's code to what the app can do.
fn refused(code: &str, details: Vec<String>) -> LedgerError {
    let first = details.into_iter().next();
    match code {
        "unsupported_protocol" => {
            LedgerError::UpgradeRequired { minimum: first.unwrap_or_default() }
        }
        "unknown_device" | "bad_signature" | "replayed" | "awaiting_approval" => {
            LedgerError::SessionExpired { reason: code.to_owned() }
        }
        "code_unknown"
        | "code_expired"
        | "code_used"
        | "installation_taken"
        | "installation_at_work"
        | "too_many_tries" => LedgerError::invalid("code", code),
        "busy" | "timeout" | "too_many_requests" => LedgerError::Offline {
            retry_after_ms: first.and_then(|text| text.parse().ok()).unwrap_or(5_000),
        },
        _ => LedgerError::Internal { report_id: format!("server.{code}") },
    }
}
