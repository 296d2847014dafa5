//! Ends a transfer from elsewhere.

use super::error::TransferError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A handle to end a transfer; all clones end the same one.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug, Default)]
struct CancelState {
    is_set: AtomicBool,
    changed: Notify,
}

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the transfer, and tells the other side.
    pub fn cancel(&self) {
        self.0.is_set.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    /// The error of a transfer that has not begun, once it is to end. Safe to cancel.
    pub async fn error(&self) -> TransferError {
        self.cancelled().await;
        TransferError::cancelled()
    }

    /// Waits until the transfer is to end. Safe to cancel.
    pub(super) async fn cancelled(&self) {
        let changed = self.0.changed.notified();
        tokio::pin!(changed);
        // From here on, no call of `cancel` is missed.
        changed.as_mut().enable();
        if !self.is_cancelled() {
            changed.await;
        }
    }
}
