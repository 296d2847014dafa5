//! Whether people notice hostile clients, and whether that grows: what was seen in peace, in the first
//! half of the time with them, and in the second.

use super::life::Spell;
use super::watch::{Pulse, Sample, Watch};
use crate::rig::median;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;

/// A figure of the three times, and how far they may differ.
struct Figure {
    what: String,
    unit: &'static str,
    values: [f64; 3],
    /// Times the first half that the second may be, and times peace that each of both may be.
    ratios: [f64; 2],
    /// And so much more, in its unit, which is nothing to anybody: small figures differ by chance.
    slack: [f64; 2],
}

/// See the module.
pub struct Flat {
    figures: Vec<Figure>,
    pulses: Vec<Pulse>,
    attacks: Vec<(&'static str, u64)>,
}

impl Flat {
    /// `rounds`: when hostile clients came, and when each round of spells with them ended; at least two.
    pub fn new(watch: &Watch, rounds: &[Duration], attacks: Vec<(&'static str, u64)>) -> Self {
        let [began, half, end] = [0, rounds.len() / 2, rounds.len() - 1].map(|n| rounds[n]);
        let times = [(Duration::ZERO, began), (began, half), (half, end)];
        let of_pulses = |spell: Spell, figure: fn(&Pulse) -> f64, sum: fn(Vec<f64>) -> f64| {
            times.map(|time| {
                let pulses = within(&watch.pulses, time, |pulse| pulse.at);
                sum(pulses.filter(|pulse| pulse.spell == spell).map(figure).collect())
            })
        };
        let of_samples = |figure: fn(&Sample) -> f64, sum: fn(Vec<f64>) -> f64| {
            times.map(|time| sum(within(&watch.samples, time, |sample| sample.at).map(figure).collect()))
        };
        let mut figures = Vec::new();
        for (spell, _) in Spell::PACED {
            let name = spell.name();
            figures.extend([
                latency(format!("{name}, median"), of_pulses(spell, |pulse| pulse.median, middle), 5.0),
                latency(format!("{name}, 99th of 100"), of_pulses(spell, |pulse| pulse.p99, middle), 25.0),
                latency(format!("{name}, worst"), of_pulses(spell, |pulse| pulse.worst, most), 250.0),
            ]);
        }
        // Hostile clients take memory and places, and no more of them later than at first.
        figures.extend([
            Figure {
                what: "memory, mean".into(),
                unit: "MB",
                values: of_samples(|sample| sample.memory as f64 / 1e6, mean),
                ratios: [1.05, 1.5],
                slack: [2.0, 16.0],
            },
            Figure {
                what: "descriptors, most".into(),
                unit: "",
                values: of_samples(|sample| sample.descriptors as f64, most),
                ratios: [1.02, 1.5],
                slack: [10.0, 100.0],
            },
            Figure {
                what: "threads, most".into(),
                unit: "",
                values: of_samples(|sample| sample.threads as f64, most),
                ratios: [1.0, 1.0],
                slack: [0.0, 0.0],
            },
        ]);
        Self { figures, pulses: watch.pulses.clone(), attacks }
    }

    pub fn holds(&self) -> bool {
        self.figures.iter().all(Figure::holds)
    }

    pub fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let [peace, first, second] = figure.values;
            json!({
                "what": figure.what, "unit": figure.unit, "peace": peace, "first": first, "second": second,
                "holds": figure.holds(),
            })
        });
        let attacks = self.attacks.iter().map(|(kind, count)| json!({"kind": kind, "count": count}));
        json!({
            "figures": figures.collect::<Vec<_>>(), "attacks": attacks.collect::<Vec<_>>(),
            "pulses": self.pulses.iter().map(Pulse::json).collect::<Vec<_>>(),
        })
    }
}

impl Figure {
    fn holds(&self) -> bool {
        let [peace, first, second] = self.values;
        let at_most =
            |value: f64, base: f64, which: usize| value <= base * self.ratios[which] + self.slack[which];
        at_most(second, first, 0) && at_most(first, peace, 1) && at_most(second, peace, 1)
    }
}

impl fmt::Display for Flat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    with hostile clients           in peace   first half  second half")?;
        for figure in &self.figures {
            let [peace, first, second] = figure.values;
            let mark = if figure.holds() { "ok " } else { "BAD" };
            let (what, unit) = (&figure.what, figure.unit);
            writeln!(f, "{mark} {what:28} {peace:10.1} {first:12.1} {second:12.1} {unit}")?;
        }
        for (kind, count) in &self.attacks {
            writeln!(f, "    {count:6} x {kind}")?;
        }
        Ok(())
    }
}

/// How long something takes people, which may be so much longer than in peace.
fn latency(what: String, values: [f64; 3], slack: f64) -> Figure {
    Figure { what, unit: "ms", values, ratios: [1.5, 3.0], slack: [slack, slack] }
}

fn within<T>(
    seen: &[T],
    (from, to): (Duration, Duration),
    at: impl Fn(&T) -> Duration,
) -> impl Iterator<Item = &T> {
    seen.iter().filter(move |one| from < at(one) && at(one) <= to)
}

fn mean(values: Vec<f64>) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A spell that something else on the machine disturbed does not count.
fn middle(values: Vec<f64>) -> f64 {
    median(values).unwrap_or_default()
}

fn most(values: Vec<f64>) -> f64 {
    values.into_iter().fold(0.0, f64::max)
}
