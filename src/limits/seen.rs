//! Limits on what an administrator sees of a server: its log and its metrics.

use std::time::Duration;

/// Refusals and visits that wait to be logged: a second of logins. The log counts those that do not fit.
pub const JOURNAL_QUEUE: usize = 4096;

/// Refusals with one reason that the log has at once: as many as a program that bans addresses needs of several.
pub const REFUSALS_LOGGED_AT_ONCE: u32 = 20;

/// The same per second after that. The log counts the others.
pub const REFUSALS_LOGGED_PER_SECOND: u32 = 2;

/// How often the log tells how many refusals it has left out.
pub const REFUSALS_COUNTED_EVERY: Duration = Duration::from_secs(10);

/// The port of `--metrics` without one.
pub const DEFAULT_METRICS_PORT: u16 = 7668;

/// Readers of the metrics at a time. There are one or two Prometheus servers and a person; others wait.
pub const METRICS_READERS: usize = 8;

/// How long a reader of the metrics may take for its request, and again for the answer.
pub const METRICS_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest request for the metrics, in bytes, with all headers: Prometheus sends 300.
pub const METRICS_REQUEST_BYTES: usize = 8 * 1024;

/// How much of a wrong request the server still reads, and drops, so that its sender gets the answer, in bytes.
pub const METRICS_DRAIN_BYTES: u64 = 256 * 1024;

/// Headers of such a request: Prometheus sends 6, a browser 15.
pub const METRICS_HEADERS: usize = 64;

/// The share of a thread's time that counting the stored messages may take, in percent.
pub const COUNTING_PERCENT: u32 = 5;
