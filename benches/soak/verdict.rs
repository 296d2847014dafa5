//! Whether the server stayed as it was.

use super::flat::Flat;
use super::watch::Sample;
use crate::rig::process::Process;
use crate::rig::tally::Tally;
use anyhow::Result;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// The length of beginning and end: at most a third of the whole each, but as long as a silent spell.
const EDGE: Duration = Duration::from_secs(5 * 60);
const MIN_EDGE: Duration = Duration::from_secs(60);

/// How much the end may differ from the beginning.
const TOLERANCE: f64 = 0.03;

/// A process's resources without clients.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    pub memory: u64,
    pub descriptors: usize,
    pub threads: usize,
}

impl Rest {
    pub fn of(process: Process) -> Result<Self> {
        let (memory, descriptors) = (process.memory()?, process.descriptors()?);
        Ok(Self { memory, descriptors, threads: process.threads()? })
    }

    fn json(&self) -> Value {
        json!({"rss": self.memory, "descriptors": self.descriptors, "threads": self.threads})
    }
}

/// See the module.
pub struct Verdict {
    samples: Vec<Sample>,
    before: Rest,
    after: Rest,
    /// Mean memory of the first and the last calm spells.
    first: Option<f64>,
    last: Option<f64>,
    tally: Tally,
    churned: u64,
    /// How it was with hostile clients, if there were any.
    flat: Option<Flat>,
}

impl Verdict {
    pub fn new(
        samples: Vec<Sample>,
        before: Rest,
        after: Rest,
        tally: Tally,
        churned: u64,
        flat: Option<Flat>,
    ) -> Self {
        let end = samples.last().map_or(Duration::ZERO, |sample| sample.at);
        let edge = EDGE.min(end / 3).max(MIN_EDGE);
        let first = mean(samples.iter().filter(|sample| sample.calm && sample.at <= edge));
        let last = mean(samples.iter().filter(|sample| sample.calm && sample.at + edge >= end));
        Self { samples, before, after, first, last, tally, churned, flat }
    }

    /// The end's memory to the beginning's.
    fn ratio(&self) -> Option<f64> {
        Some(self.last? / self.first?)
    }

    fn is_flat(&self) -> bool {
        match &self.flat {
            Some(flat) => flat.holds(),
            None => self.ratio().is_some_and(|ratio| (ratio - 1.0).abs() <= TOLERANCE),
        }
    }

    fn is_tidy(&self) -> bool {
        self.after.descriptors <= self.before.descriptors
    }

    pub fn holds(&self) -> bool {
        self.is_flat() && self.is_tidy() && self.tally.faults() == 0 && self.tally.errors == 0
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let tally = &self.tally;
        json!({
            "holds": self.holds(), "first_rss": self.first, "last_rss": self.last, "ratio": self.ratio(),
            "before": self.before.json(), "after": self.after.json(), "churned": self.churned,
            "deliveries": tally.deliveries, "direct": tally.directs, "lost": tally.lost,
            "doubled": tally.doubled, "corrupt": tally.corrupt, "out_of_order": tally.disordered,
            "dropped": tally.dropped, "errors": tally.errors, "complaint": tally.complaint,
            "hostile": self.flat.as_ref().map(Flat::json),
            "samples": self.samples.iter().map(Sample::json).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |holds: bool| if holds { "ok " } else { "BAD" };
        let mb = |bytes: f64| bytes / 1e6;
        match (self.first, self.last, self.ratio()) {
            _ if self.flat.is_some() => {}
            (Some(first), Some(last), Some(ratio)) => writeln!(
                f,
                "{} memory in calm spells: {:.2} MB at first, {:.2} MB at last, {:+.2} %",
                mark(self.is_flat()),
                mb(first),
                mb(last),
                (ratio - 1.0) * 100.0
            )?,
            _ => writeln!(f, "{} memory: too short a time to tell", mark(false))?,
        }
        if let Some(flat) = &self.flat {
            write!(f, "{flat}")?;
        }
        let (before, after) = (self.before, self.after);
        writeln!(
            f,
            "{} descriptors with nobody there: {} before, {} after; threads {} and {}; memory {:.2} and {:.2} MB",
            mark(self.is_tidy()),
            before.descriptors,
            after.descriptors,
            before.threads,
            after.threads,
            mb(before.memory as f64),
            mb(after.memory as f64)
        )?;
        let tally = &self.tally;
        writeln!(
            f,
            "{} {} deliveries and {} direct messages, {} left and {} came: lost {}, doubled {}, corrupt {}, out of \
             order {}, dropped connections {}, errors {}",
            mark(tally.faults() == 0 && tally.errors == 0),
            tally.deliveries,
            tally.directs,
            self.churned,
            self.churned,
            tally.lost,
            tally.doubled,
            tally.corrupt,
            tally.disordered,
            tally.dropped,
            tally.errors
        )?;
        match &tally.complaint {
            Some(complaint) => writeln!(f, "    the server said: {complaint}"),
            None => Ok(()),
        }
    }
}

fn mean<'a>(samples: impl Iterator<Item = &'a Sample>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for sample in samples {
        sum += sample.memory as f64;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}
