//! How much memory the server may use, and how much of it waits for clients.
//!
//! Everything that a client can make the server keep (what waits for it, an unfinished frame, packets
//! that wait for its pace) is counted in one [`Budget`], whoever it is for. Over the budget the reader
//! closes those for whom most is kept (see [`heaviest`]), so that one host's thousand connections cannot
//! end the process, and people who read what they get are never among them.

mod granted;
mod heaviest;
mod trim;

pub(super) use heaviest::{Weight, heaviest};
pub(super) use trim::Tide;

use crate::limits::{HELD_FREED_PERCENT, HELD_PERCENT, MEMORY_FULL_PERCENT};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the system is asked what the process uses.
const PAUSE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    /// What the process may use, in bytes.
    granted: u64,
    /// What may be kept for clients, in bytes.
    most: usize,
    held: AtomicUsize,
    /// Clients that were closed since too much was kept for them.
    closed: AtomicUsize,
    /// When the process was last found to be full, or not. It is asked at most once in a [`PAUSE`].
    last: Mutex<Option<(Instant, bool)>>,
}

/// Bytes that are kept for somebody; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// A budget out of `asked` bytes for the whole process, or else out of what the system grants it.
    pub(super) fn new(asked: Option<u64>) -> Arc<Self> {
        let granted = asked.unwrap_or_else(granted::by_the_system);
        let most = usize::try_from(granted / 100 * HELD_PERCENT).unwrap_or(usize::MAX);
        Arc::new(Self {
            granted,
            most,
            held: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            last: Mutex::new(None),
        })
    }

    /// Bytes that are kept for clients.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// So many were closed since too much was kept for them.
    pub(super) fn count_closed(&self, count: usize) {
        self.closed.fetch_add(count, Ordering::Relaxed);
    }

    /// What is kept, of what may be, for people.
    pub(super) fn status(&self) -> String {
        let kib = |bytes: usize| bytes.div_ceil(1024);
        let closed = match self.closed.load(Ordering::Relaxed) {
            0 => String::new(),
            1 => "; 1 client was closed for it (--memory)".into(),
            closed => format!("; {closed} clients were closed for it (--memory)"),
        };
        format!("{} of {} KiB wait in memory for clients{closed}", kib(self.held()), kib(self.most))
    }

    /// Nothing kept yet.
    pub(super) fn hold(self: &Arc<Self>) -> Held {
        Held { budget: Arc::clone(self), bytes: 0 }
    }

    /// Whether more is kept than may be.
    pub(super) fn is_over(&self) -> bool {
        self.held() > self.most
    }

    /// How many bytes are to be freed, now that it is over: enough that it is not over again at once.
    pub(super) fn excess(&self) -> usize {
        self.held().saturating_sub(self.most / 100 * HELD_FREED_PERCENT)
    }

    /// Whether the process uses so much that no more clients should come.
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

impl Held {
    /// As many bytes from now on.
    pub(super) fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.held.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            self.budget.held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
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
    fn what_is_held_is_given_back_when_it_is_dropped() {
        let budget = Budget::new(Some(4_000));
        let (mut one, mut other) = (budget.hold(), budget.hold());
        one.set(600);
        other.set(300);
        assert!((budget.held(), budget.is_over()) == (900, false));
        other.set(500);
        assert!(budget.is_over() && budget.excess() > 100);
        one.set(100);
        assert!((budget.held(), one.bytes(), budget.is_over()) == (600, 100, false));
        drop((one, other));
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn a_process_over_its_share_is_full() {
        assert!(!Budget::new(Some(u64::MAX)).is_full());
        #[cfg(target_os = "linux")]
        assert!(Budget::new(Some(100_000)).is_full());
    }
}
