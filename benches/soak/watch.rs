//! Looks at the server every few seconds, and remembers what it saw.

use super::life::Spell;
use crate::rig::clients::Clients;
use crate::rig::process::Process;
use crate::rig::say;
use crate::rig::tally::Tally;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How often.
const EVERY: Duration = Duration::from_secs(5);

/// The end of a silent spell, when what was before has been tidied up.
const CALM: Duration = Duration::from_secs(20);

/// An observation.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: Duration,
    pub spell: Spell,
    /// Late in a silent spell.
    pub calm: bool,
    pub memory: u64,
    pub descriptors: usize,
    pub threads: usize,
    pub present: usize,
}

impl Sample {
    pub fn json(&self) -> Value {
        json!({
            "secs": self.at.as_secs(), "spell": self.spell.name(), "calm": self.calm, "rss": self.memory,
            "descriptors": self.descriptors, "threads": self.threads, "present": self.present,
        })
    }
}

/// See the module.
pub struct Watch {
    process: Process,
    started: Instant,
    next: Instant,
    pub samples: Vec<Sample>,
    pub pulses: Vec<Pulse>,
}

/// How long messages to all took in a spell, in ms.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// When it ended.
    pub at: Duration,
    pub spell: Spell,
    pub median: f64,
    pub p99: f64,
    pub worst: f64,
}

impl Pulse {
    pub fn json(&self) -> Value {
        json!({
            "secs": self.at.as_secs(), "spell": self.spell.name(), "median_ms": self.median,
            "p99_ms": self.p99, "worst_ms": self.worst,
        })
    }
}

impl Watch {
    pub fn new(process: Process) -> Self {
        let now = Instant::now();
        Self { process, started: now, next: now, samples: Vec::new(), pulses: Vec::new() }
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Notes how long messages took in a spell that has ended, if that is kept, and forgets it.
    pub fn note(&mut self, spell: Spell, tally: &mut Tally) {
        if tally.latencies.is_empty() {
            return;
        }
        let [median, p99, worst] = [0.5, 0.99, 1.0].map(|share| tally.latency_ms(share));
        tally.latencies.clear();
        say(&format!("         {:8} {median:.1} ms, 99th of 100 {p99:.1}, worst {worst:.1}", spell.name()));
        self.pulses.push(Pulse { at: self.started.elapsed(), spell, median, p99, worst });
    }

    /// Looks if it is time, in a spell that ends then.
    pub fn look(&mut self, spell: Spell, end: Instant, clients: &Clients) -> Result<()> {
        let now = Instant::now();
        if now < self.next {
            return Ok(());
        }
        self.next = now + EVERY;
        let sample = Sample {
            at: self.started.elapsed(),
            spell,
            calm: spell == Spell::Silence && end.saturating_duration_since(now) < CALM,
            memory: self.process.memory()?,
            descriptors: self.process.descriptors()?,
            threads: self.process.threads()?,
            present: clients.present,
        };
        say(&format!(
            "{:>5} s  {:8} {:7.1} MB  {} descriptors, {} threads, {} clients, {} faults",
            sample.at.as_secs(),
            spell.name(),
            sample.memory as f64 / 1e6,
            sample.descriptors,
            sample.threads,
            sample.present,
            clients.tally.faults()
        ));
        self.samples.push(sample);
        Ok(())
    }
}
