//! All routes in one list.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use wanhu_core::sync::wire::{ENROL_PATH, SYNC_PATH};

use crate::app::App;
use crate::error::ServerError;
use crate::handlers::{enrol, health, sync};

/// The server's routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(SYNC_PATH, post(sync::sync))
        .route(ENROL_PATH, post(enrol::enrol))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(|| std::future::ready(ServerError::NotFound))
        .method_not_allowed_fallback(|| std::future::ready(ServerError::MethodNotAllowed))
        .with_state(app)
}
