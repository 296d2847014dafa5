//! One thing done again and again, and the median of what it took.

use super::stage::{Speaker, Stage};
use std::time::{Duration, Instant};

/// Runs of a row, and how long they may take in all.
const RUNS: usize = 101;
const RUNS_TIME: Duration = Duration::from_millis(250);
const FEWEST: usize = 9;

/// A measurement, and the work around it.
pub struct Row {
    pub kind: &'static str,
    pub label: String,
    pub run: Box<dyn FnMut(&mut Stage) -> Times>,
}

/// The times of one run: under the lock, and before it.
#[derive(Clone, Copy, Default)]
pub struct Times {
    pub held: Duration,
    pub read: Duration,
}

pub struct Figure {
    pub kind: &'static str,
    pub label: String,
    pub held: Duration,
    pub read: Duration,
    /// By what it was answered, if it was: a row that is refused early measures nothing.
    pub answered: String,
}

impl Row {
    pub fn new(
        kind: &'static str,
        label: impl Into<String>,
        run: impl FnMut(&mut Stage) -> Times + 'static,
    ) -> Self {
        Self { kind, label: label.into(), run: Box::new(run) }
    }

    pub fn title(&self) -> String {
        format!("{}: {}", self.kind, self.label)
    }

    pub fn measure(mut self, stage: &mut Stage) -> Figure {
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.len() < FEWEST || times.len() < RUNS && begun.elapsed() < RUNS_TIME {
            times.push((self.run)(stage));
            stage.settle();
        }
        let (held, read) = (median(times.iter().map(|t| t.held)), median(times.iter().map(|t| t.read)));
        let answered = stage.answered.take().unwrap_or_default();
        Figure { kind: self.kind, label: self.label, held, read, answered }
    }
}

impl Figure {
    pub fn ratio(&self, usual: Duration) -> f64 {
        self.held.as_secs_f64() / usual.as_secs_f64()
    }
}

/// A message to the lobby, of a usual length and with a receipt.
pub fn usual(stage: &mut Stage) -> Duration {
    let said = format!(r#"{{"from":{{"name":"plain"}},"to":"all","msg":"{}","id":"17"}}"#, "x".repeat(64));
    let mut times = Vec::new();
    for _ in 0..500 {
        times.push(stage.say(Speaker::Plain, &said).held);
        stage.settle();
    }
    median(times.into_iter())
}

/// Times what holds the lock.
pub fn timed<T>(call: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let result = call();
    (begun.elapsed(), std::hint::black_box(result))
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
