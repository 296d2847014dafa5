//! Returns memory to the system after a storm.
//!
//! Some allocators keep freed memory for later: 200 MB of a storm that is long over.

use crate::limits::{STORM_BYTES, STORM_OVER};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Watches how much is held, to notice the end of a storm.
#[derive(Debug, Default)]
pub(in crate::server) struct Trimmer {
    /// The peak since the last trim.
    peak: usize,
    /// Whether a thread is about to trim.
    is_trimming: Arc<AtomicBool>,
}

impl Trimmer {
    /// Records how much is held now. After a storm, a thread of its own trims.
    pub(in crate::server) fn note(&mut self, bytes: usize) {
        if self.has_ebbed(bytes) && !self.is_trimming.swap(true, Ordering::Relaxed) {
            let is_trimming = Arc::clone(&self.is_trimming);
            let started = std::thread::Builder::new().name("trim".into()).spawn(move || {
                // The last connections are still closing.
                std::thread::sleep(STORM_OVER);
                is_trimming.store(false, Ordering::Relaxed);
                give_back();
            });
            if let Err(error) = started {
                self.is_trimming.store(false, Ordering::Relaxed);
                tracing::debug!(
                    event = "thread_missing",
                    %error,
                    "cannot start the thread that returns memory"
                );
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

/// Makes the allocator return free memory (malloc_trim(3)).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_back() {
    // SAFETY: may be called at any time from any thread, and takes no pointer.
    #[allow(unsafe_code, reason = "glibc has no other way, and no library wraps it")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other allocators return memory by themselves, or cannot be asked to.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_over_when_half_of_it_is_gone_and_once_only() {
        let mut trimmer = Trimmer::default();
        assert!(!trimmer.has_ebbed(4 * STORM_BYTES));
        assert!(!trimmer.has_ebbed(3 * STORM_BYTES));
        assert!(trimmer.has_ebbed(2 * STORM_BYTES));
        assert!(!trimmer.has_ebbed(2 * STORM_BYTES));
        assert!(trimmer.has_ebbed(STORM_BYTES));
    }

    #[test]
    fn little_that_comes_and_goes_is_no_storm() {
        let mut trimmer = Trimmer::default();
        assert!((0..100).all(|n| !trimmer.has_ebbed(n % 2 * (STORM_BYTES - 1))));
    }
}
