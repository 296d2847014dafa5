//! How fast all transfers together may be, and how much each may read at a time so that all get their share.

use crate::limits::{MIN_TRANSFER_RATE, RELAY_STEP_BYTES, TRANSFER_STEP_BYTES, TRANSFER_TURN};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes that may pass at once: a few records.
const BURST_BYTES: u64 = 4 * TRANSFER_STEP_BYTES as u64;

/// Transfers that have read something wait in a line for their next turn, so with steps of the same size, all get
/// the same share.
#[derive(Debug)]
pub(super) struct FileRate {
    /// In bytes per second; `None`: no limit.
    rate: Option<u64>,
    /// When all that was read is paid for, since the start.
    paid: Mutex<Duration>,
    start: Instant,
}

impl FileRate {
    pub(super) fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.map(|rate| rate.max(1)), paid: Mutex::default(), start: Instant::now() }
    }

    /// The most bytes to read at a time while so many transfers run.
    pub(super) fn step(&self, running: u64) -> usize {
        let Some(rate) = self.rate else { return RELAY_STEP_BYTES };
        let share = rate.saturating_mul(TRANSFER_TURN.as_secs()) / running.max(1);
        let step = usize::try_from(share.max(MIN_TRANSFER_RATE)).unwrap_or(usize::MAX);
        step.min(RELAY_STEP_BYTES)
    }

    /// Counts bytes that were read. Returns how long to wait before reading more.
    pub(super) fn spend(&self, bytes: usize) -> Duration {
        self.spend_at(bytes, self.start.elapsed())
    }

    fn spend_at(&self, bytes: usize, uptime: Duration) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = (*paid).max(uptime).saturating_add(time(bytes as u64, rate));
        paid.saturating_sub(uptime).saturating_sub(time(BURST_BYTES, rate))
    }
}

/// How long so many bytes take.
fn time(bytes: u64, rate: u64) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MIN_FILE_RATE, TRANSFER_SILENCE};
    use std::collections::BTreeSet;

    #[test]
    fn what_is_over_the_rate_has_to_wait_in_proportion() {
        let rate = FileRate::new(Some(1 << 20));
        assert_eq!(rate.spend(TRANSFER_STEP_BYTES), Duration::ZERO, "a burst is free");
        let wait = rate.spend(4 << 20);
        assert!((3.0..4.1).contains(&wait.as_secs_f32()), "{wait:?}");
        assert!(rate.spend(1 << 20) > wait, "the next transfer waits behind that");
        let free = FileRate::new(None);
        assert_eq!((free.spend(usize::MAX / 2), free.step(1000)), (Duration::ZERO, RELAY_STEP_BYTES));
    }

    #[test]
    fn few_transfers_on_a_fast_link_read_whole_steps() {
        assert_eq!(FileRate::new(Some(100 << 20)).step(64), RELAY_STEP_BYTES);
        assert_eq!(FileRate::new(Some(MIN_FILE_RATE)).step(0), RELAY_STEP_BYTES);
    }

    /// The bytes that each transfer has read after a while, and the longest that one waited. Every second one has
    /// little to read at a time.
    fn share(transfers: usize, of: u64, time: Duration) -> (Vec<usize>, Duration) {
        let rate = FileRate::new(Some(of));
        let (mut read, mut longest) = (vec![0; transfers], Duration::ZERO);
        let mut turns: BTreeSet<_> = (0..transfers).map(|number| (Duration::ZERO, number)).collect();
        while let Some((now, number)) = turns.pop_first().filter(|(now, _)| *now < time) {
            let step = rate.step(transfers as u64);
            let bytes = if number % 2 == 0 { step } else { step.min(100) };
            read[number] += bytes;
            let wait = rate.spend_at(bytes, now);
            longest = longest.max(wait);
            turns.insert((now + wait.max(Duration::from_millis(1)), number));
        }
        (read, longest)
    }

    #[test]
    fn many_transfers_share_a_slow_link_and_none_waits_long() {
        let minute = Duration::from_secs(60);
        let (read, longest) = share(90, MIN_FILE_RATE, minute);
        assert!(longest <= 2 * TRANSFER_TURN, "{longest:?}");
        let full: Vec<_> = read.iter().step_by(2).collect();
        let (least, most) = (full.iter().min().expect("a transfer"), full.iter().max().expect("a transfer"));
        assert!(**most - **least <= 2 * FileRate::new(Some(MIN_FILE_RATE)).step(90), "{least} and {most}");
        let all: usize = read.iter().sum();
        assert!(all as u64 <= 60 * MIN_FILE_RATE + 2 * BURST_BYTES, "{all}");
        // As many as there may be: a record passes in time.
        let most = usize::try_from(MIN_FILE_RATE / MIN_TRANSFER_RATE).expect("a number");
        let (read, longest) = share(most, MIN_FILE_RATE, minute);
        assert!(longest <= 2 * TRANSFER_TURN && read.iter().all(|bytes| *bytes > 0), "{longest:?}");
        assert!(16 * 1024 / MIN_TRANSFER_RATE <= TRANSFER_SILENCE.as_secs() * 2 / 3);
    }
}
