//! One file a route: take the request apart, call the core, answer. Must not decide about records.

pub mod body;
pub mod enrol;
pub mod health;
pub mod household;
pub mod page;
pub mod sync;

use crate::error::ServerError;

/// Runs blocking work apart from the network's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServerError> + Send + 'static,
) -> Result<T, ServerError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(ServerError::internal("handler.panicked")))
}
