//! What goes wrong with a request, and the answer it gets: HTTP status, stable code, details without
//! personal data. Must not contain a sentence; docs/protocol.md has the words.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wanhu_core::store::StoreError;
use wanhu_core::sync::responder::RequestError;
use wanhu_core::sync::wire::{self, ErrorBody, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN};

use crate::accounts::AccountError;
use crate::storage::author::WriteRefused;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not what the protocol says.
    #[error("bad request")]
    BadRequest,
    /// Over a bound.
    #[error("too large")]
    TooLarge,
    /// The phone's protocol is too old.
    #[error("unsupported protocol")]
    UnsupportedProtocol,
    /// No such device.
    #[error("unknown device")]
    UnknownDevice,
    /// The signature is not this device's over this request.
    #[error("bad signature")]
    BadSignature,
    /// The request was seen before, or a newer one was.
    #[error("replayed")]
    Replayed {
        /// The largest counter seen; a phone restored from a backup goes on behind it.
        last_counter: u64,
    },
    /// The office has not approved the device yet.
    #[error("awaiting approval")]
    AwaitingApproval,
    /// This device asks too often.
    #[error("too many requests")]
    TooManyRequests {
        /// How long to wait.
        retry_after_ms: u64,
    },
    /// Enrolment: no such code.
    #[error("code unknown")]
    CodeUnknown,
    /// Enrolment: too late.
    #[error("code expired")]
    CodeExpired,
    /// Enrolment: used before.
    #[error("code used")]
    CodeUsed,
    /// Enrolment: the installation is another account's.
    #[error("installation taken")]
    InstallationTaken,
    /// Enrolment: the installation is at work on a device with another key, of the same account.
    #[error("installation at work")]
    InstallationAtWork,
    /// Enrolment: too many wrong codes from this address.
    #[error("too many tries")]
    TooManyTries {
        /// How long to wait.
        retry_after_ms: u64,
    },
    /// No session, or it is over.
    #[error("session unknown")]
    SignInNeeded,
    /// No record of the caller's own.
    #[error("not on record")]
    NotOnRecord,
    /// A value that no record can hold.
    #[error("invalid input: {field}")]
    InvalidInput {
        /// The field of the request.
        field: String,
        /// Stable code of the reason.
        reason: &'static str,
    },
    /// This telephone has declared too often today.
    #[error("too many declarations")]
    TooManyDeclarations {
        /// How long to wait.
        retry_after_ms: u64,
    },
    /// The case is not where this can be done.
    #[error("not possible now")]
    NotNow {
        /// Code of list `lack`.
        lack: &'static str,
    },
    /// Too much going on.
    #[error("busy")]
    Busy,
    /// The phone was silent for too long.
    #[error("timeout")]
    Timeout,
    /// No such path.
    #[error("not found")]
    NotFound,
    /// Not with this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// Our fault; the place is logged.
    #[error("internal: {place}")]
    Internal {
        /// Where it happened.
        place: &'static str,
    },
}

/// Pause asked of phones when the server is busy.
const BUSY_MS: u64 = 5_000;

impl ServerError {
    /// HTTP status, stable code and details.
    pub fn parts(&self) -> (StatusCode, &'static str, Vec<String>) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad_request", vec![]),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", vec![]),
            Self::UnsupportedProtocol => (
                StatusCode::UPGRADE_REQUIRED,
                "unsupported_protocol",
                vec![PROTOCOL_VERSION_MIN.to_string(), PROTOCOL_VERSION.to_string()],
            ),
            Self::UnknownDevice => (StatusCode::UNAUTHORIZED, "unknown_device", vec![]),
            Self::BadSignature => (StatusCode::UNAUTHORIZED, "bad_signature", vec![]),
            Self::Replayed { last_counter } => {
                (StatusCode::UNAUTHORIZED, "replayed", vec![last_counter.to_string()])
            }
            Self::AwaitingApproval => (StatusCode::FORBIDDEN, "awaiting_approval", vec![]),
            Self::TooManyRequests { retry_after_ms } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                vec![retry_after_ms.to_string()],
            ),
            Self::TooManyDeclarations { retry_after_ms } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_declarations",
                vec![retry_after_ms.to_string()],
            ),
            Self::CodeUnknown => (StatusCode::FORBIDDEN, "code_unknown", vec![]),
            Self::CodeExpired => (StatusCode::FORBIDDEN, "code_expired", vec![]),
            Self::CodeUsed => (StatusCode::FORBIDDEN, "code_used", vec![]),
            Self::InstallationTaken => (StatusCode::FORBIDDEN, "installation_taken", vec![]),
            Self::InstallationAtWork => (StatusCode::FORBIDDEN, "installation_at_work", vec![]),
            Self::TooManyTries { retry_after_ms } => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_tries", vec![retry_after_ms.to_string()])
            }
            Self::SignInNeeded => (StatusCode::UNAUTHORIZED, "session_unknown", vec![]),
            Self::NotOnRecord => (StatusCode::FORBIDDEN, "not_on_record", vec![]),
            Self::InvalidInput { field, reason } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_input",
                vec![field.clone(), (*reason).to_owned()],
            ),
            Self::NotNow { lack } => {
                (StatusCode::CONFLICT, "not_possible_now", vec![(*lack).to_owned()])
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", vec![BUSY_MS.to_string()]),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", vec![]),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", vec![]),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", vec![])
            }
            Self::Internal { place } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", vec![(*place).to_owned()])
            }
        }
    }

    /// A value that no record can hold.
    pub fn invalid(field: &str, reason: &'static str) -> Self {
        Self::InvalidInput { field: field.to_owned(), reason }
    }

    /// An unexpected failure, logged here with its place and without its content.
    pub fn internal(place: &'static str) -> Self {
        tracing::error!(place, "internal error");
        Self::Internal { place }
    }
}

impl ServerError {
    fn answer(&self, media: &'static str, encode: impl FnOnce(ErrorBody) -> Vec<u8>) -> Response {
        let (status, code, details) = self.parts();
        metrics::counter!("wanhu_refused_requests_total", "code" => code).increment(1);
        let retry_after = details.first().and_then(|ms| ms.parse::<u64>().ok());
        let body = encode(ErrorBody { code: code.to_owned(), details });
        let mut response = (status, [(header::CONTENT_TYPE, media)], body).into_response();
        let is_about_time = matches!(
            self,
            Self::Busy
                | Self::TooManyTries { .. }
                | Self::TooManyRequests { .. }
                | Self::TooManyDeclarations { .. }
        );
        if let (true, Some(ms)) = (is_about_time, retry_after) {
            let seconds = HeaderValue::from(ms.div_ceil(1_000));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl IntoResponse for ServerError {
    fn into_response(self) -> Response {
        self.answer("application/cbor", |body| wire::encode(&body))
    }
}

/// The same for browsers: `{"code": …, "details": […]}`.
#[derive(Debug)]
pub struct JsonError(pub ServerError);

impl<E: Into<ServerError>> From<E> for JsonError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for JsonError {
    fn into_response(self) -> Response {
        self.0.answer("application/json", |ErrorBody { code, details }| {
            serde_json::json!({ "code": code, "details": details }).to_string().into_bytes()
        })
    }
}

impl From<StoreError> for ServerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InUse => Self::Busy,
            StoreError::NotSealed => Self::internal("store.not_sealed"),
            StoreError::Full => Self::internal("store.full"),
            StoreError::Damaged => Self::internal("store.damaged"),
            StoreError::Sqlite(_) => Self::internal("store.sqlite"),
            StoreError::Newer { .. } => Self::internal("store.newer"),
            StoreError::Document(_) => Self::internal("store.document"),
            StoreError::NotFound => Self::internal("store.not_found"),
        }
    }
}

impl From<RequestError> for ServerError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::ProtocolTooOld => Self::UnsupportedProtocol,
            RequestError::Malformed => Self::BadRequest,
            RequestError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<WriteRefused> for ServerError {
    fn from(refused: WriteRefused) -> Self {
        match refused {
            WriteRefused::Edit(error) => {
                Self::InvalidInput { field: error.field, reason: error.reason }
            }
            WriteRefused::Step(denial) => Self::NotNow { lack: denial.lack.code() },
            WriteRefused::Denied(_) => Self::internal("household.denied"),
            WriteRefused::MergedAway => Self::internal("household.merged_away"),
            WriteRefused::Change(_) => Self::internal("household.change"),
        }
    }
}

impl From<AccountError> for ServerError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::CodeUnknown
            | AccountError::AccountUnknown
            | AccountError::AccountClosed => Self::CodeUnknown,
            AccountError::CodeExpired => Self::CodeExpired,
            AccountError::CodeUsed => Self::CodeUsed,
            AccountError::DeviceUnknown => Self::UnknownDevice,
            AccountError::ActorTaken => Self::InstallationTaken,
            AccountError::ActorAtWork => Self::InstallationAtWork,
            AccountError::AccountExists
            | AccountError::Malformed
            | AccountError::AreaUnfit
            | AccountError::GridUnfit
            | AccountError::NotGranted => Self::BadRequest,
        }
    }
}
