//! A value that several tasks use: what one of them learns, the others know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle to such a value; its clones lead to the same one.
#[derive(Debug, Default)]
pub(crate) struct SharedState<T>(Arc<Mutex<T>>);

impl<T> SharedState<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// The values here stay consistent even if a holder of the lock panicked.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for SharedState<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
