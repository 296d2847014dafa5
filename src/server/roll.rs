//! Which connections are open: a number for each, and how many there are.

use crate::chat::SessionId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The count.
#[derive(Debug, Default)]
pub(super) struct Roll {
    numbers: Mutex<Numbers>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Numbers {
    /// Numbers of places that somebody has had, to be given next.
    free: Vec<SessionId>,
    /// Places there are.
    places: u32,
    open: usize,
}

/// A place in the count, given back when dropped. A connection holds it for as long as its socket
/// is open, so that the count is that of descriptors, and no two connections share a place in a table.
#[derive(Debug)]
pub(super) struct Place {
    roll: Arc<Roll>,
    id: SessionId,
}

impl Roll {
    /// A place. How many there may be is the gate's business.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let mut numbers = self.lock();
        numbers.open += 1;
        let id = numbers.free.pop().unwrap_or_else(|| {
            // None has place 0.
            numbers.places += 1;
            SessionId(numbers.places.into())
        });
        Place { roll: Arc::clone(self), id }
    }

    pub(super) fn open(&self) -> usize {
        self.lock().open
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

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The number of whoever has it.
    pub(super) fn id(&self) -> SessionId {
        self.id
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut numbers = self.roll.lock();
        numbers.open -= 1;
        numbers.free.push(self.id.successor());
        if numbers.open == 0 {
            self.roll.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_one_to_leave_is_noticed() {
        let roll = Arc::new(Roll::default());
        let (first, second) = (roll.enter(), roll.enter());
        drop(first);
        let third = roll.enter();
        assert_eq!(
            (roll.open(), second.id().place(), third.id().place()),
            (2, 2, 1),
            "places are used again"
        );
        let waiting = tokio::spawn({
            let roll = Arc::clone(&roll);
            async move { roll.empty().await }
        });
        drop((second, third));
        waiting.await.expect("it ends");
        assert_eq!(roll.open(), 0);
    }

    #[test]
    fn no_number_is_given_twice() {
        let roll = Arc::new(Roll::default());
        let mut given = std::collections::BTreeSet::new();
        for _ in 0..4 {
            let places: Vec<Place> = (0..3).map(|_| roll.enter()).collect();
            assert!(places.iter().all(|place| given.insert(place.id())));
        }
        assert_eq!(given.len(), 12);
    }
}
