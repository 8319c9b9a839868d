//! POST /v1/enrol: a phone's key and installation for a one-time code.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use wanhu_core::sync::wire::{self, EnrolRequest, EnrolResponse, PROTOCOL_VERSION_MIN};

use super::blocking;
use super::body::BodyReader;
use crate::app::App;
use crate::error::ServerError;

/// Largest request: a code, two keys, a name.
const BYTES_MAX: usize = 1024;

/// Enrols a phone.
///
/// # Errors
/// As the code deserves; nothing is changed then.
#[utoipa::path(post, path = "/v1/enrol", tag = "phones",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "code, keys, name"),
    responses((status = 200, content_type = "application/cbor", body = Vec<u8>, description = "number, role, areas"),
        (status = "4XX", content_type = "application/cbor", body = Vec<u8>, description = "code, details"),
        (status = "5XX", content_type = "application/cbor", body = Vec<u8>, description = "code, details")))]
pub async fn enrol(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, ServerError> {
    let mut reader = BodyReader::new(body, app.silence_max);
    let bytes = reader.all(BYTES_MAX).await?;
    let request: EnrolRequest = wire::decode(&bytes).map_err(|_| ServerError::BadRequest)?;
    if request.protocol < PROTOCOL_VERSION_MIN {
        return Err(ServerError::UnsupportedProtocol);
    }
    let now_ms = app.clock.now_ms();
    let wait_ms = app.wrong_codes.wait_ms(from.ip(), now_ms);
    if wait_ms > 0 {
        return Err(ServerError::TooManyTries { retry_after_ms: wait_ms });
    }
    let worker = app.clone();
    let enrolled = blocking(move || {
        let waits = worker.enrolment_approval;
        Ok(worker.accounts.enrol(&request, worker.clock.now_ms(), waits)?)
    })
    .await;
    let device = enrolled.inspect_err(|error| {
        if matches!(
            error,
            ServerError::CodeUnknown | ServerError::CodeExpired | ServerError::CodeUsed
        ) {
            app.wrong_codes.count(from.ip(), now_ms);
        }
    })?;
    tracing::info!(device = device.number, "device enrolled");
    let regions = app.has_own_regions.then(|| app.regions.around(&device.account.areas));
    let response = EnrolResponse {
        device: device.number,
        server_key: app.key.verifying_key().to_bytes().into(),
        account: device.account.id,
        name: device.account.name,
        areas: device.account.areas,
        role: device.account.role.code().to_owned(),
        person_key: Some(app.person_key.to_bytes().into()),
        regions,
    };
    Ok(wire::encode(&response).into_response())
}
