//! How much memory the server may use, and how much of it is held for clients.
//!
//! One [`Budget`] counts everything that a client can make the server hold: backlogs, unfinished frames,
//! packets that wait for their pace. Over budget, the reactor closes the clients that hold most (see
//! [`to_shed`]). So one host's thousand connections cannot end the process, and people who read are not
//! affected.

mod load_shedding;
mod system_limit;
mod trimmer;

pub(super) use load_shedding::{Weight, to_shed};
pub(super) use trimmer::Trimmer;

use crate::limits::{HELD_FREED_PERCENT, HELD_PERCENT, MEMORY_FULL_PERCENT};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often to check what the process uses.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Budget {
    /// Limit for the process, in bytes.
    granted: u64,
    /// Limit for data held for clients, in bytes.
    most: usize,
    reserved: AtomicUsize,
    /// Clients that were closed for memory.
    closed: AtomicUsize,
    /// Clients that were closed because they did not read.
    slow: AtomicUsize,
    /// When the process was last checked, and whether it was full.
    last: Mutex<Option<(Instant, bool)>>,
}

/// Bytes held for a client, released when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// A share of `asked` bytes for the whole process; without those, a share of what the system grants.
    pub(super) fn new(asked: Option<u64>) -> Arc<Self> {
        let granted = asked.unwrap_or_else(system_limit::system_limit);
        let most = usize::try_from(granted / 100 * HELD_PERCENT).unwrap_or(usize::MAX);
        Arc::new(Self {
            granted,
            most,
            reserved: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            slow: AtomicUsize::new(0),
            last: Mutex::new(None),
        })
    }

    /// Bytes held for clients.
    pub(super) fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }

    /// Counts clients that were closed for memory.
    pub(super) fn count_closed(&self, count: usize) {
        self.closed.fetch_add(count, Ordering::Relaxed);
    }

    /// Clients that were closed for memory.
    pub(super) fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }

    /// Counts a client that was closed because it did not read.
    pub(super) fn count_slow_reader(&self) {
        self.slow.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn slow_readers_closed(&self) -> usize {
        self.slow.load(Ordering::Relaxed)
    }

    /// The limit for the process, in bytes.
    pub(super) fn granted(&self) -> u64 {
        self.granted
    }

    /// The limit for data held for clients, in bytes.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Memory of the process, in bytes; `None`: the system does not tell.
    pub(super) fn used(&self) -> Option<u64> {
        used()
    }

    /// An empty reservation.
    pub(super) fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0 }
    }

    /// Whether the budget is exceeded.
    pub(super) fn is_over(&self) -> bool {
        self.reserved() > self.most
    }

    /// How many bytes to free, now that it is exceeded: enough that it is not exceeded again at once.
    pub(super) fn excess(&self) -> usize {
        self.reserved().saturating_sub(self.most / 100 * HELD_FREED_PERCENT)
    }

    /// Whether the process uses so much that new clients should not join.
    pub(super) fn is_full(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((when, is_full)) if when.elapsed() < PAUSE => is_full,
            _ => {
                let is_full = used().is_some_and(|used| used > self.granted / 100 * MEMORY_FULL_PERCENT);
                *last = Some((Instant::now(), is_full));
                is_full
            }
        }
    }
}

impl Reservation {
    /// Changes the reservation.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.reserved.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.budget.reserved.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Resident memory, in bytes.
fn used() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_reservation_is_released() {
        let budget = Budget::new(Some(4_000));
        let (mut one, mut other) = (budget.reserve(), budget.reserve());
        one.set(600);
        other.set(300);
        assert!((budget.reserved(), budget.is_over()) == (900, false));
        other.set(500);
        assert!(budget.is_over() && budget.excess() > 100);
        one.set(100);
        assert!((budget.reserved(), one.bytes(), budget.is_over()) == (600, 100, false));
        drop((one, other));
        assert_eq!(budget.reserved(), 0);
    }

    #[test]
    fn a_process_over_its_share_is_full() {
        assert!(!Budget::new(Some(u64::MAX)).is_full());
        #[cfg(target_os = "linux")]
        assert!(Budget::new(Some(100_000)).is_full());
    }
}
