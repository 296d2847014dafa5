//! The one way in which the store's locks are taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the mutex guards, whatever became of who held it before.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
