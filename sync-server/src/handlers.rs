//! One file a route: take the request apart, call the core, answer. Must not decide about records.

pub mod body;
pub mod enrol;
pub mod health;
pub mod household;
pub mod page;
pub mod sync;

use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::error::ServerError;

/// The place of a request among those served at the same time.
fn permit(app: &App) -> Result<OwnedSemaphorePermit, ServerError> {
    app.requests.clone().try_acquire_owned().map_err(|_| ServerError::Busy)
}

/// Runs blocking work apart from the network's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(ServerError::internal("handler.panicked")))
}
