//! How fast all transfers together may be.

use crate::limits::TRANSFER_STEP_BYTES;
use crate::pace::{Bucket, Rate};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes per unit of the rate: a nanosecond each would be too long for single bytes.
const UNIT_BYTES: u64 = 1024;

/// Units that may pass at once: a few steps.
const BURST: u64 = 4 * TRANSFER_STEP_BYTES as u64 / UNIT_BYTES;

#[derive(Debug)]
pub(super) struct FileRate {
    /// `None`: no limit.
    rate: Option<Rate>,
    bucket: Mutex<Bucket>,
    start: Instant,
}

impl FileRate {
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        let units = |bytes: u64| u32::try_from((bytes / UNIT_BYTES).max(1)).unwrap_or(u32::MAX);
        let rate = bytes_per_second.map(|bytes| Rate::every(1, units(bytes), BURST as u32));
        Self { rate, bucket: Mutex::default(), start: Instant::now() }
    }

    /// Counts bytes that were read. Returns how long to wait before reading more.
    pub(super) fn spend(&self, bytes: usize) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let uptime = self.start.elapsed();
        bucket.spend((bytes as u64).div_ceil(UNIT_BYTES), rate, uptime);
        bucket.wait(rate, uptime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_rate_has_to_wait_in_proportion() {
        let rate = FileRate::new(Some(1 << 20));
        assert_eq!(rate.spend(TRANSFER_STEP_BYTES), Duration::ZERO, "a burst is free");
        let wait = rate.spend(4 << 20);
        assert!((3.0..4.1).contains(&wait.as_secs_f32()), "{wait:?}");
        assert!(rate.spend(1 << 20) > wait, "the next transfer waits behind that");
        assert_eq!(FileRate::new(None).spend(usize::MAX / 2), Duration::ZERO);
    }
}
