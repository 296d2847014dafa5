//! The log's lines about a history that can't be read: one when it begins, and one with how often when it ends,
//! however many ask meanwhile.

use crate::store::StoreError;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner(Mutex<Option<State>>);

/// While it lasts.
#[derive(Debug)]
struct State {
    error: StoreError,
    /// How often something could not be read.
    count: usize,
}

impl Trouble {
    /// Something could not be read. Returns whether that was said: it is news.
    pub(super) fn begins(&self, error: &StoreError) -> bool {
        let mut state = self.0.lock();
        let is_news = state.as_ref().is_none_or(|state| discriminant(&state.error) != discriminant(error));
        if is_news {
            tracing::warn!("the history can't be read: {error}");
        }
        let count = state.take().map_or(0, |state| state.count) + 1;
        *state = Some(State { error: error.clone(), count });
        is_news
    }

    /// Something was read. Where a part is damaged others can be read all the same, and nothing has ended.
    pub(super) fn ends(&self) {
        let ended = self.0.lock().take_if(|state| !state.error.is_permanent());
        if let Some(State { count, .. }) = ended {
            tracing::info!("the history can be read again; questions without an answer meanwhile: {count}");
        }
    }
}

impl Inner {
    /// The data stay consistent even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(State { error, count }) = self.lock().take() {
            tracing::warn!("the history could not be read: {error}; questions without an answer: {count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_said_once_and_again_if_it_is_another() {
        let trouble = Trouble::default();
        let (corrupt, gone) =
            (StoreError::Corrupt("x".into(), "malformed".into()), StoreError::Gone("x".into()));
        assert!(trouble.begins(&gone) && !trouble.begins(&gone));
        trouble.ends();
        assert!(trouble.begins(&gone) && trouble.begins(&corrupt) && !trouble.begins(&corrupt));
        trouble.ends();
        assert!(!trouble.begins(&corrupt), "damage lasts, whatever else can be read");
    }
}
