//! Times of one thing done several times.

use nix::time::{ClockId, clock_gettime};
use std::fmt;
use std::time::{Duration, Instant};

/// Sorted when shown.
#[derive(Debug, Default)]
pub struct Times {
    times: Vec<Duration>,
    cpu: Vec<Duration>,
}

/// The beginning of something.
#[derive(Debug, Clone, Copy)]
pub struct Begun(Instant, Duration);

impl Begun {
    pub fn now() -> Self {
        Self(Instant::now(), cpu())
    }
}

/// The CPU time of all threads of this process.
pub fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Into::into)
}

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// Adds what began then, with the CPU that it took.
    pub fn add_since(&mut self, Begun(start, before): Begun) {
        self.times.push(start.elapsed());
        self.cpu.push(cpu().saturating_sub(before));
    }

    pub fn append(&mut self, other: &Self) {
        self.times.extend(&other.times);
        self.cpu.extend(&other.cpu);
    }

    pub fn at(&self, share: f64) -> Duration {
        at(&self.times, share)
    }
}

fn at(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted.get(place.round() as usize).copied().unwrap_or_default()
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |times, share| at(times, share).as_secs_f64() * 1000.0;
        let (median, worst) = (ms(&self.times, 0.5), ms(&self.times, 1.0));
        write!(f, "median {median:8.2} ms, worst {worst:8.2} ms of {}", self.times.len())?;
        if self.cpu.is_empty() {
            return Ok(());
        }
        write!(f, " (CPU {:.2}, {:.2})", ms(&self.cpu, 0.5), ms(&self.cpu, 1.0))
    }
}
