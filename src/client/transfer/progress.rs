//! How far a transfer is, how fast it goes, and how long it will take.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time over which the rate is measured: long enough for a steady number, short enough to follow changes.
const WINDOW: Duration = Duration::from_secs(5);

/// The least time between two samples, which bounds their number.
const SAMPLE: Duration = Duration::from_millis(100);

/// A total that nobody knows.
const UNKNOWN: u64 = u64::MAX;

/// The present work of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FilePhase {
    /// Waits for the other side.
    Waiting = 0,
    /// Looks at the files of an earlier attempt.
    Hashing = 1,
    /// Bytes flow.
    Moving = 2,
    /// All bytes have come; they are written to the disk and named.
    Finishing = 3,
}

/// How far a transfer is. The transfer writes it, anybody reads it.
#[derive(Debug)]
pub struct FileProgress {
    phase: AtomicU8,
    done: AtomicU64,
    /// The bytes that were there before any flowed.
    had: AtomicU64,
    total: AtomicU64,
    file: Mutex<String>,
}

/// A moment of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressNow {
    pub phase: FilePhase,
    /// Of the whole: with what was there before.
    pub done: u64,
    /// The bytes since they began to flow, which the rate counts.
    pub moved: u64,
    /// `None`: nobody knows.
    pub total: Option<u64>,
    /// The present file, as its sender calls it; not safe for a terminal.
    pub file: String,
}

impl Default for FileProgress {
    fn default() -> Self {
        Self::new(None)
    }
}

impl FileProgress {
    pub fn new(total: Option<u64>) -> Self {
        let total = AtomicU64::new(total.unwrap_or(UNKNOWN));
        let (phase, done, had) = (AtomicU8::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { phase, done, had, total, file: Mutex::default() }
    }

    pub fn now(&self) -> ProgressNow {
        let phase = match self.phase.load(Ordering::Acquire) {
            0 => FilePhase::Waiting,
            1 => FilePhase::Hashing,
            2 => FilePhase::Moving,
            _ => FilePhase::Finishing,
        };
        let total = Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != UNKNOWN);
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (done, had) = (self.done.load(Ordering::Relaxed), self.had.load(Ordering::Relaxed));
        let flows = matches!(phase, FilePhase::Moving | FilePhase::Finishing);
        let moved = if flows { done.saturating_sub(had) } else { 0 };
        ProgressNow { phase, done, moved, total, file }
    }

    /// As if a transfer were there.
    #[cfg(test)]
    pub(crate) fn put(&self, done: u64, total: Option<u64>) {
        self.set_total(total);
        self.done.store(done, Ordering::Relaxed);
        self.enter(FilePhase::Moving);
    }

    pub(super) fn enter(&self, phase: FilePhase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Bytes flow from here on; so many were there before.
    pub(super) fn flow(&self, had: u64) {
        self.done.store(had, Ordering::Relaxed);
        self.had.store(had, Ordering::Relaxed);
        self.enter(FilePhase::Moving);
    }

    pub(super) fn set_total(&self, total: Option<u64>) {
        self.total.store(total.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    pub(super) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn name(&self, file: &[String]) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file.join("/");
    }
}

/// The rate of a transfer over the last seconds. Knows no clock.
#[derive(Debug, Default)]
pub struct TransferRate {
    samples: VecDeque<(Instant, u64)>,
}

impl TransferRate {
    /// Notes how far a transfer is. Only flowing bytes have a rate: checking what is there is much faster.
    pub fn follow(&mut self, at: Instant, now: &ProgressNow) {
        match now.phase {
            FilePhase::Moving | FilePhase::Finishing => self.note(at, now.moved),
            FilePhase::Waiting | FilePhase::Hashing => self.samples.clear(),
        }
    }

    /// Notes that so many bytes had moved at that time. Fewer than before begin a new rate.
    fn note(&mut self, at: Instant, done: u64) {
        if self.samples.back().is_some_and(|(_, before)| done < *before) {
            self.samples.clear();
        }
        // One sample from before the window stays, so that the window is always full.
        while self.samples.get(1).is_some_and(|(time, _)| at.saturating_duration_since(*time) >= WINDOW) {
            self.samples.pop_front();
        }
        match self.samples.len() {
            length if length >= 2 && at.saturating_duration_since(self.samples[length - 2].0) < SAMPLE => {
                self.samples[length - 1] = (at, done);
            }
            _ => self.samples.push_back((at, done)),
        }
    }

    /// Bytes per second; `None`: too early to say.
    pub fn per_second(&self) -> Option<u64> {
        let ((start, first), (end, last)) = (self.samples.front()?, self.samples.back()?);
        let time = end.saturating_duration_since(*start);
        (time >= SAMPLE).then(|| ((last - first) as f64 / time.as_secs_f64()) as u64)
    }

    /// How long the rest will take at this rate; `None`: nobody can say.
    pub fn left(&self, now: &ProgressNow) -> Option<Duration> {
        let rest = now.total?.saturating_sub(now.done);
        let rate = self.per_second().filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(rest.div_ceil(rate)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(done: u64, total: Option<u64>) -> ProgressNow {
        ProgressNow { phase: FilePhase::Moving, done, moved: done, total, file: String::new() }
    }

    #[test]
    fn a_resumed_transfer_has_the_percentage_of_the_whole_and_the_rate_of_what_comes_now() {
        let (start, mut rate) = (Instant::now(), TransferRate::default());
        let progress = FileProgress::new(Some(1_000_000));
        let at = |seconds: u64, rate: &mut TransferRate| {
            let now = progress.now();
            rate.follow(start + Duration::from_secs(seconds), &now);
            now
        };
        at(0, &mut rate);
        progress.enter(FilePhase::Hashing);
        progress.add(300_000);
        at(1, &mut rate);
        progress.add(600_000);
        assert_eq!((at(2, &mut rate).moved, rate.per_second()), (0, None), "only checked");
        progress.flow(900_000);
        at(3, &mut rate);
        assert_eq!(rate.per_second(), None);
        progress.add(1000);
        at(4, &mut rate);
        progress.add(1000);
        let now = at(5, &mut rate);
        assert_eq!((now.done, now.moved, rate.per_second()), (902_000, 2000, Some(1000)));
        assert_eq!(rate.left(&now), Some(Duration::from_secs(98)));
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let (start, mut rate) = (Instant::now(), TransferRate::default());
        assert_eq!(rate.per_second(), None);
        for step in 0..=200_u32 {
            rate.note(start + step * Duration::from_millis(100), u64::from(step) * 1000);
        }
        assert_eq!(rate.per_second(), Some(10_000));
        assert_eq!(rate.left(&moment(200_000, Some(230_000))), Some(Duration::from_secs(3)));
        assert_eq!(rate.left(&moment(200_000, None)), None);
        for step in 201..=260_u32 {
            rate.note(start + step * Duration::from_millis(100), 200_000);
        }
        assert_eq!(rate.per_second(), Some(0), "it has stopped for longer than the window");
        assert_eq!(rate.left(&moment(200_000, Some(230_000))), None);
    }

    #[test]
    fn a_new_attempt_starts_a_new_rate_and_samples_are_few() {
        let (start, mut rate) = (Instant::now(), TransferRate::default());
        for step in 0..100_000_u32 {
            rate.note(start + step * Duration::from_micros(100), u64::from(step));
        }
        assert!(rate.samples.len() < 60, "{}", rate.samples.len());
        rate.note(start + Duration::from_secs(11), 5);
        assert_eq!(rate.per_second(), None);
    }
}
