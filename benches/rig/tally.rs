//! Counts over all clients.

use std::time::Duration;

/// Counts of a stretch, and of what ended connections.
#[derive(Debug, Default)]
pub struct Tally {
    /// Deliveries that must happen, one for each receiver.
    pub expected: u64,
    /// Those of them that came, each counted once.
    pub deliveries: u64,
    /// Came again.
    pub doubled: u64,
    /// Are not what was sent, byte by byte.
    pub corrupt: u64,
    /// Came behind a later one of the same sender.
    pub disordered: u64,
    /// Never came. Known when it was waited for long enough.
    pub lost: u64,
    /// Connections that the server ended and should not have.
    pub dropped: u64,
    /// Direct messages that came to whom they were for.
    pub directs: u64,
    /// Errors that the server told.
    pub errors: u64,
    /// The first of them.
    pub complaint: Option<String>,
    /// From planned sending to reading, while they are kept.
    pub latencies: Vec<Duration>,
    pub keep_latencies: bool,
    /// Bytes read, before they are unsealed.
    pub bytes: u64,
}

impl Tally {
    /// Everything that should be 0.
    pub fn faults(&self) -> u64 {
        self.doubled + self.corrupt + self.disordered + self.lost + self.dropped
    }

    /// A share of the latencies is at most this, in milliseconds. Sorts them.
    pub fn latency_ms(&mut self, share: f64) -> f64 {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let place = ((self.latencies.len() as f64 * share) as usize).min(last);
        self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}
