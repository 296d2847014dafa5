//! Hands out connection numbers, and counts the open connections.

use crate::chat::SessionId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct ConnectionIds {
    /// The server's number among those of the chat.
    node: u8,
    /// Of the first session of each slot.
    generation: u32,
    pool: Mutex<IdPool>,
    returned: Notify,
}

#[derive(Debug, Default)]
struct IdPool {
    /// Numbers of closed connections, for reuse.
    free: Vec<SessionId>,
    /// Slots that were ever used.
    slots: u32,
    open: usize,
}

/// A connection's number, returned when dropped. A connection holds it as long as its socket is open, so the
/// count is that of descriptors, and no two connections share a slot in a table.
#[derive(Debug)]
pub(super) struct IdLease {
    ids: Arc<ConnectionIds>,
    id: SessionId,
}

impl ConnectionIds {
    /// Of the server with that number.
    pub(super) fn of(node: u8) -> Self {
        Self { node, ..Self::default() }
    }

    /// The same for a chat of several servers, whose log has numbers of earlier processes: these are others.
    pub(super) fn of_run(node: u8) -> Result<Self, getrandom::Error> {
        // Not so high that the next ones overflow.
        Ok(Self { node, generation: getrandom::u32()? >> 1, ..Self::default() })
    }

    /// Hands out a number. The gate limits how many there are.
    pub(super) fn lease(self: &Arc<Self>) -> IdLease {
        let mut pool = self.lock();
        pool.open += 1;
        let id = pool.free.pop().unwrap_or_else(|| {
            // Slot 0 is never used: the poll gives it to the waker.
            pool.slots += 1;
            SessionId::new(self.node, pool.slots).of_generation(self.generation)
        });
        IdLease { ids: Arc::clone(self), id }
    }

    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    /// Waits until all numbers are returned.
    pub(super) async fn all_returned(&self) {
        loop {
            let returned = self.returned.notified();
            // Checked after the wait has begun, so as not to miss the last one.
            if self.open() == 0 {
                return;
            }
            returned.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, IdPool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdLease {
    pub(super) fn get(&self) -> SessionId {
        self.id
    }
}

impl Drop for IdLease {
    fn drop(&mut self) {
        let mut pool = self.ids.lock();
        pool.open -= 1;
        pool.free.push(self.id.next_generation());
        if pool.open == 0 {
            self.ids.returned.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_one_to_leave_is_noticed() {
        let ids = Arc::new(ConnectionIds::of(1));
        let (first, second) = (ids.lease(), ids.lease());
        drop(first);
        let third = ids.lease();
        assert_eq!((ids.open(), second.get().slot(), third.get().slot()), (2, 2, 1), "slots are used again");
        assert!([&second, &third].iter().all(|lease| lease.get().node() == 1));
        let waiting = tokio::spawn({
            let ids = Arc::clone(&ids);
            async move { ids.all_returned().await }
        });
        drop((second, third));
        waiting.await.expect("it ends");
        assert_eq!(ids.open(), 0);
    }

    #[test]
    fn no_number_is_given_twice() {
        let ids = Arc::new(ConnectionIds::of(1));
        let mut given = std::collections::BTreeSet::new();
        for _ in 0..4 {
            let slots: Vec<IdLease> = (0..3).map(|_| ids.lease()).collect();
            assert!(slots.iter().all(|place| given.insert(place.get())));
        }
        assert_eq!(given.len(), 12);
    }
}
