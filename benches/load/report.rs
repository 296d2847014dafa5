//! Figures of one run, a column for each kind.

use super::kind::Kind;
use serde_json::{Value, json};
use std::fmt::Write;

/// Key, what the table calls it, and decimals.
pub type Row = (&'static str, &'static str, usize);

pub const STORM: &[Row] = &[
    ("in_half_secs", "burst: half are in after, s", 2),
    ("in_all_secs", "burst: all are in after, s", 2),
    ("in_cpu_secs", "burst: server CPU, s", 2),
    ("in_cpu_us", "burst: server CPU a login, us", 0),
    ("in_failed", "burst: attempts that failed", 0),
    ("in_peak_mb", "burst: memory at its peak, MB", 1),
    ("in_after_mb", "memory 3 s later, MB", 1),
    ("bye_share", "stop: share told goodbye", 3),
    ("end_secs", "stop: ended after, s", 2),
    ("down_secs", "stop: listening again after, s", 2),
    ("back_half_secs", "back: half after, s", 2),
    ("back_most_secs", "back: 99 % after, s", 2),
    ("back_all_secs", "back: all after, s", 2),
    ("back_cpu_secs", "back: server CPU, s", 2),
    ("back_failed", "back: attempts that failed", 0),
    ("come_all_secs", "search: all found it after, s", 2),
    ("come_cpu_secs", "search: server CPU, s", 2),
    ("come_attempts", "search: attempts a client", 2),
    ("wait_all_secs", "search from before: all after, s", 2),
    ("wait_cpu_secs", "search from before: server CPU, s", 2),
    ("wait_attempts", "search from before: attempts a client", 2),
];

pub const CROWD: &[Row] = &[
    ("in_all_secs", "all are in after, s", 1),
    ("descriptors", "descriptors of the server", 0),
    ("idle_bytes", "bytes a connection, idle", 0),
    ("idle_percent", "60 s idle: server CPU, %", 4),
    ("broadcast_ms", "one broadcast to all, ms", 1),
    ("reached", "reached, its sender not counted", 0),
    ("faults", "faults", 0),
];

/// See the module.
#[derive(Debug)]
pub struct Report {
    title: String,
    rows: &'static [Row],
    kinds: Vec<Kind>,
    values: Vec<(Kind, &'static str, f64)>,
}

impl Report {
    pub fn new(title: String, rows: &'static [Row], kinds: &[Kind]) -> Self {
        Self { title, rows, kinds: kinds.to_vec(), values: Vec::new() }
    }

    pub fn put(&mut self, kind: Kind, key: &'static str, value: f64) {
        self.values.push((kind, key, value));
    }

    pub fn get(&self, kind: Kind, key: &str) -> Option<f64> {
        self.values.iter().find(|value| value.0 == kind && value.1 == key).map(|value| value.2)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n{:38}", self.title, "");
        for kind in &self.kinds {
            let _ = write!(text, "{:>11}", kind.name());
        }
        for (key, name, decimals) in self.rows {
            let _ = write!(text, "\n{name:38}");
            for kind in &self.kinds {
                let value = self.get(*kind, key);
                let shown = value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"));
                let _ = write!(text, "{shown:>11}");
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let of = |kind: &Kind| {
            let those = self.values.iter().filter(|value| value.0 == *kind);
            let values: serde_json::Map<_, _> =
                those.map(|(_, key, value)| ((*key).to_owned(), json!(value))).collect();
            (kind.name().to_owned(), Value::Object(values))
        };
        let kinds: serde_json::Map<_, _> = self.kinds.iter().map(of).collect();
        json!({"run": self.title, "figures": kinds})
    }
}
