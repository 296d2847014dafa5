//! Memory that a storm needed goes back to the system.
//!
//! Some allocators keep what was freed for the next time: 200 MB of a storm that is long over.

use crate::limits::{STORM_BYTES, STORM_OVER};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Watches how much is kept, and sees a storm end.
#[derive(Debug, Default)]
pub(in crate::server) struct Tide {
    /// The most that was kept since the last time.
    peak: usize,
    /// Whether a thread is about to give back, which is enough.
    is_trimming: Arc<AtomicBool>,
}

impl Tide {
    /// So many bytes are kept now. After a storm the rest is given back, beside the work.
    pub(in crate::server) fn note(&mut self, bytes: usize) {
        if self.has_ebbed(bytes) && !self.is_trimming.swap(true, Ordering::Relaxed) {
            let is_trimming = Arc::clone(&self.is_trimming);
            let started = std::thread::Builder::new().name("trim".into()).spawn(move || {
                // Its last connections are still being taken down.
                std::thread::sleep(STORM_OVER);
                is_trimming.store(false, Ordering::Relaxed);
                give_back();
            });
            if let Err(error) = started {
                self.is_trimming.store(false, Ordering::Relaxed);
                tracing::debug!(%error, "no thread gives memory back");
            }
        }
    }

    fn has_ebbed(&mut self, bytes: usize) -> bool {
        self.peak = self.peak.max(bytes);
        let has_ebbed = bytes <= self.peak / 2 && self.peak - bytes >= STORM_BYTES;
        if has_ebbed {
            self.peak = bytes;
        }
        has_ebbed
    }
}

/// Has the allocator give back what it keeps for nobody (malloc_trim(3)).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    // SAFETY: it may be called at any time from any thread, and takes no pointer.
    #[allow(unsafe_code, reason = "glibc has no other way, and no library wraps it")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators give back by themselves, or have no way to be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_over_when_half_of_it_is_gone_and_once_only() {
        let mut tide = Tide::default();
        assert!(!tide.has_ebbed(4 * STORM_BYTES));
        assert!(!tide.has_ebbed(3 * STORM_BYTES));
        assert!(tide.has_ebbed(2 * STORM_BYTES));
        assert!(!tide.has_ebbed(2 * STORM_BYTES));
        assert!(tide.has_ebbed(STORM_BYTES));
    }

    #[test]
    fn little_that_comes_and_goes_is_no_storm() {
        let mut tide = Tide::default();
        assert!((0..100).all(|n| !tide.has_ebbed(n % 2 * (STORM_BYTES - 1))));
    }
}
