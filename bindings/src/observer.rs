//! Watching a sync, and stopping it. Must not know what is exchanged.

use std::sync::Arc;

use wanhu_core::client::{self, Progress, SyncPhase};

/// What an observer failed with; the sync goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ObserverError {
    /// It threw.
    #[error("observer failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ObserverError {
    // The reason holds the app's stack and perhaps its data: it goes no further.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

/// Told how a sync gets on, by the thread that runs it: hand over to your own and come back quickly.
#[uniffi::export(foreign)]
pub trait SyncObserver: Send + Sync {
    /// `done` of `total`: bytes while sending, log entries while receiving, milliseconds while waiting.
    fn on_progress(&self, phase: SyncPhase, done: u64, total: u64) -> Result<(), ObserverError>;
}

/// Passes on what the core says; without anybody to tell, nothing.
pub(crate) struct Observed(pub(crate) Option<Arc<dyn SyncObserver>>);

impl Progress for Observed {
    fn report(&self, phase: SyncPhase, done: u64, total: u64) {
        if let Some(observer) = &self.0 {
            // An observer that fails stops nothing.
            let _ = observer.on_progress(phase, done, total);
        }
    }
}

/// Stops a running sync at once. What was applied stays; nothing is lost.
#[derive(Debug, Default, uniffi::Object)]
pub struct Cancel(pub(crate) client::Cancel);

#[uniffi::export]
impl Cancel {
    /// One for a sync to come.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Asks the sync to stop.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}
