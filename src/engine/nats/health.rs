//! News between the adapter's tasks: whether the engine is fit for use, and how appends do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long failed appends count as trouble, if none has worked since.
const FRESH: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub(super) struct EngineHealth {
    /// Whether the engine has passed all checks.
    fit: watch::Sender<bool>,
    appends: Arc<Mutex<Appends>>,
}

#[derive(Debug, Default)]
struct Appends {
    worked: Option<Instant>,
    failed: Option<(Instant, String)>,
}

impl EngineHealth {
    pub(super) fn new() -> Self {
        Self { fit: watch::Sender::new(false), appends: Arc::default() }
    }

    pub(super) fn is_fit(&self) -> bool {
        *self.fit.borrow()
    }

    pub(super) fn set_fit(&self, is_fit: bool) {
        self.fit.send_if_modified(|fit| std::mem::replace(fit, is_fit) != is_fit);
    }

    /// Waits until the engine is fit.
    pub(super) async fn fit(&self) {
        // The sender is this value's own.
        let _ = self.fit.subscribe().wait_for(|fit| *fit).await;
    }

    pub(super) fn append_worked(&self) {
        self.with(|appends| *appends = Appends { worked: Some(Instant::now()), failed: None });
    }

    pub(super) fn append_failed(&self, why: &str) {
        self.with(|appends| appends.failed = Some((Instant::now(), why.to_owned())));
    }

    /// Why appends fail, if they do and none has worked for a while.
    pub(super) fn append_failure(&self) -> Option<String> {
        self.with(|appends| {
            let works = appends.worked.is_some_and(|worked| worked.elapsed() < FRESH);
            let failed = appends.failed.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
            failed.filter(|_| !works).map(|(_, why)| why.clone())
        })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Appends) -> T) -> T {
        use_it(&mut self.appends.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
