//! How many connections are open, counted by what each of them holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// The count.
#[derive(Debug, Default)]
pub(super) struct Roll {
    open: AtomicUsize,
    emptied: Notify,
}

/// A place in the count, given back when dropped. A connection holds it for as long as its socket
/// is open, so that the count is that of descriptors.
#[derive(Debug)]
pub(super) struct Place(Arc<Roll>);

impl Roll {
    /// A place, if fewer than `most` are taken.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let more = |open: usize| (open < most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Place(Arc::clone(self)))
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until no place is taken.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            // Looked at after the wait has begun, so that the last one to leave is not missed.
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_bounded_and_given_back() {
        let roll = Arc::new(Roll::default());
        let (first, second) = (roll.enter(2), roll.enter(2));
        assert!(first.is_some() && second.is_some() && roll.enter(2).is_none());
        drop(first);
        let third = roll.enter(2);
        assert!(third.is_some());
        let waiting = tokio::spawn({
            let roll = Arc::clone(&roll);
            async move { roll.empty().await }
        });
        drop((second, third));
        waiting.await.expect("the last one to leave is noticed");
        assert_eq!(roll.open(), 0);
    }
}
