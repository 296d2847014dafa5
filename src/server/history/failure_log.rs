//! Logs that the history cannot be read: once when that begins, and once when it ends, with the number of
//! failed reads.

use crate::store::StoreError;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct FailureLog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner(Mutex<Option<Outage>>);

#[derive(Debug)]
struct Outage {
    error: StoreError,
    /// Failed reads.
    count: usize,
}

impl FailureLog {
    /// Records a failed read. Returns whether it was logged, because it is a new failure.
    pub(super) fn begins(&self, error: &StoreError) -> bool {
        let mut state = self.0.lock();
        let is_news = state.as_ref().is_none_or(|state| discriminant(&state.error) != discriminant(error));
        if is_news {
            tracing::warn!(event = "history_unreadable", "cannot read the history: {error}");
        }
        let count = state.take().map_or(0, |state| state.count) + 1;
        *state = Some(Outage { error: error.clone(), count });
        is_news
    }

    /// Records a successful read. It does not end damage, because other parts can still be read.
    pub(super) fn ends(&self) {
        let ended = self.0.lock().take_if(|state| !state.error.is_permanent());
        if let Some(Outage { count, .. }) = ended {
            tracing::info!(
                event = "history_readable",
                "reading the history works again; failed reads: {count}"
            );
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Option<Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(Outage { error, count }) = self.lock().take() {
            tracing::warn!(
                event = "history_unreadable",
                "could not read the history until the end: {error}; failed reads: {count}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_said_once_and_again_if_it_is_another() {
        let failures = FailureLog::default();
        let (corrupt, gone) =
            (StoreError::Corrupt("x".into(), "malformed".into()), StoreError::Gone("x".into()));
        assert!(failures.begins(&gone) && !failures.begins(&gone));
        failures.ends();
        assert!(failures.begins(&gone) && failures.begins(&corrupt) && !failures.begins(&corrupt));
        failures.ends();
        assert!(!failures.begins(&corrupt), "damage lasts, whatever else can be read");
    }
}
