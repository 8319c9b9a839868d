//! /healthz: the process runs. /readyz: it can serve. /metrics: figures for the operator.

use std::sync::Arc;

use axum::extract::State;
use wanhu_core::sync::responder::LogReader;

use super::blocking;
use crate::app::App;
use crate::error::ServerError;
use crate::storage::SqliteReader;

/// The process runs.
#[utoipa::path(get, path = "/healthz", tag = "operators", responses((status = 200, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    std::future::ready("ok\n").await
}

/// Reads and writes go through.
///
/// # Errors
/// As the storage reports.
#[utoipa::path(get, path = "/readyz", tag = "operators", responses((status = 200, content_type = "text/plain")))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ServerError> {
    blocking(move || {
        app.storage.read(|connection| SqliteReader(connection).epoch())?;
        app.storage.writer().write(|_| Ok(()))?;
        Ok("ready\n")
    })
    .await
}

/// Figures in Prometheus' text form.
///
/// # Errors
/// `NotFound` where the process installed no recorder.
#[utoipa::path(get, path = "/metrics", tag = "operators", responses((status = 200, content_type = "text/plain")))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<String, ServerError> {
    let rendered = app.metrics.as_ref().map(|handle| handle.render());
    std::future::ready(rendered.ok_or(ServerError::NotFound)).await
}
