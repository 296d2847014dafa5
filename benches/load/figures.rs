//! Figures, and the table that shows them side by side.

use super::kind::Kind;
use super::options::Plan;
use crate::rig::cpus::Cpus;
use crate::rig::tally::Tally;
use crate::rig::{median, say};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The figures of one turn with one server.
#[derive(Debug, Default)]
pub struct Figures {
    values: BTreeMap<&'static str, f64>,
    deliveries: u64,
    /// Lost, doubled, corrupt, out of order, and connections dropped.
    faults: [u64; 5],
    complaint: Option<String>,
}

impl Figures {
    pub fn put(&mut self, key: &'static str, value: f64) {
        self.values.insert(key, value);
    }

    pub fn get(&self, key: &str) -> Option<f64> {
        self.values.get(key).copied()
    }

    /// Takes over what was counted, besides what it has already.
    pub fn count(&mut self, tally: &Tally) {
        self.deliveries += tally.deliveries;
        let faults = [tally.lost, tally.doubled, tally.corrupt, tally.disordered, tally.dropped];
        self.faults.iter_mut().zip(faults).for_each(|(sum, more)| *sum += more);
        self.complaint = self.complaint.take().or(tally.complaint.clone());
    }
}

const FAULTS: [&str; 5] = ["lost", "doubled", "corrupt", "out of order", "connections dropped"];

/// Key, what the table calls it, and decimals.
const ROWS: [(&str, &str, usize); 29] = [
    ("connect_rate", "logins a second, 64 at a time", 0),
    ("connect_cpu_us", "server CPU a login, us", 1),
    ("idle_bytes", "bytes a connection, idle", 0),
    ("idle_cpu_us", "idle: server CPU, us a second", 0),
    ("broadcast_ms", "one broadcast to all, ms", 1),
    ("paced_ns", "paced: server CPU a delivery, ns", 0),
    ("paced_p50_ms", "paced: latency p50, ms", 1),
    ("paced_p99_ms", "paced: latency p99, ms", 1),
    ("flood_rate", "flood: deliveries a second", 0),
    ("flood_ns", "flood: server CPU a delivery, ns", 1),
    ("alone_us", "one at a time: server CPU a message, us", 2),
    ("single_us", "1 of each sender: server CPU a message, us", 2),
    ("single_rate", "1 of each sender: messages a second", 0),
    ("busy_us", "flood: server CPU a message, us", 2),
    ("lobby_alone_ns", "one at a time: CPU a delivery, lobby, ns", 0),
    ("room_alone_ns", "... rooms, ns", 0),
    ("room_alone_x", "... rooms, times the lobby's", 2),
    ("lobby_busy_ns", "flood: CPU a delivery, lobby, ns", 0),
    ("room_busy_ns", "... rooms, ns", 0),
    ("room_busy_x", "... rooms, times the lobby's", 2),
    ("busy_rate", "flood: deliveries a second", 0),
    ("flood_bytes", "bytes a connection, 1 s after floods", 0),
    ("login_rate", "further logins a second", 0),
    ("login_cpu_us", "server CPU a further login, us", 1),
    ("slow_rate", "slow readers: rate the others keep", 2),
    ("slow_bytes", "slow readers: bytes each at the peak", 0),
    ("slow_closed", "slow readers: share closed", 2),
    ("slow_told", "slow readers: share told why", 2),
    ("slow_faults", "slow readers: faults of the others", 0),
];

/// All turns of all servers with one number of clients.
#[derive(Debug)]
pub struct Table {
    pub what: String,
    pub clients: usize,
    pub turns: usize,
    pub cpus: Cpus,
    pub servers: Vec<(Kind, Vec<Figures>)>,
}

impl Table {
    /// All servers in turn, so that a change of the machine's mood meets all.
    pub fn measure(
        plan: &Plan,
        what: String,
        clients: usize,
        mut run: impl FnMut(Kind) -> Result<Figures>,
    ) -> Result<Self> {
        let mut servers: Vec<_> = plan.kinds.iter().map(|kind| (*kind, Vec::new())).collect();
        for turn in 1..=plan.turns {
            for (kind, figures) in &mut servers {
                say(&format!("{what}, turn {turn} of {}: {}", plan.turns, kind.name()));
                figures.push(run(*kind)?);
            }
        }
        Ok(Self { what, clients, turns: plan.turns, cpus: plan.cpus, servers })
    }

    /// Whether every message reached everybody once, in order and as it was sent.
    pub fn is_exact(&self) -> bool {
        self.all().all(|figures| figures.faults == [0; 5])
    }

    /// The median of a figure over the turns.
    pub fn median(&self, kind: Kind, key: &str) -> Option<f64> {
        let (_, figures) = self.servers.iter().find(|server| server.0 == kind)?;
        median(figures.iter().filter_map(|figures| figures.get(key)).collect())
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}, {} turns, medians; {}; ratios compare only within this run\n\n{:42}",
            self.what, self.turns, self.cpus, ""
        );
        for (kind, _) in &self.servers {
            let _ = write!(text, "{:>11}", kind.name());
        }
        let ratios = self.ratios();
        for (_, _, name) in &ratios {
            let _ = write!(text, "{name:>16}");
        }
        text.push('\n');
        for (key, name, decimals) in ROWS {
            let medians: Vec<_> = self.servers.iter().map(|(kind, _)| self.median(*kind, key)).collect();
            if medians.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "{name:42}");
            for value in medians {
                let shown = value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"));
                let _ = write!(text, "{shown:>11}");
            }
            for (of, to, _) in &ratios {
                let ratio = self.ratio(*of, *to, key);
                let shown = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
                let _ = write!(text, "{shown:>16}");
            }
            text.push('\n');
        }
        self.write_counts(&mut text);
        text
    }

    fn write_counts(&self, text: &mut String) {
        let mut row = |name: &str, of: &dyn Fn(&Figures) -> u64| {
            let _ = write!(text, "{name:42}");
            for (_, figures) in &self.servers {
                let _ = write!(text, "{:>11}", figures.iter().map(of).sum::<u64>());
            }
            text.push('\n');
        };
        row("deliveries", &|figures| figures.deliveries);
        for (n, name) in FAULTS.into_iter().enumerate() {
            row(name, &|figures| figures.faults[n]);
        }
        if let Some(complaint) = self.all().find_map(|figures| figures.complaint.as_ref()) {
            let _ = writeln!(text, "the server said: {complaint}");
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let mut rows = serde_json::Map::new();
        for (key, ..) in ROWS {
            let of =
                |kind: Kind| self.median(kind, key).map(|median| (kind.name().to_owned(), json!(median)));
            let row: serde_json::Map<_, _> = self.servers.iter().filter_map(|(kind, _)| of(*kind)).collect();
            if !row.is_empty() {
                rows.insert(key.into(), Value::Object(row));
            }
        }
        let ratio = |key: &str| -> Value {
            let of = |(of, to, name): &(Kind, Kind, &str)| {
                Some(((*name).to_owned(), json!(self.ratio(*of, *to, key)?)))
            };
            Value::Object(self.ratios().iter().filter_map(of).collect())
        };
        let compared =
            ["flood_ns", "paced_ns", "paced_p99_ms", "single_us", "busy_us", "room_alone_ns", "room_busy_ns"];
        let ratios: BTreeMap<_, _> = compared.into_iter().map(|key| (key, ratio(key))).collect();
        let faults: BTreeMap<_, u64> = FAULTS
            .into_iter()
            .enumerate()
            .map(|(n, name)| (name, self.all().map(|figures| figures.faults[n]).sum()))
            .collect();
        json!({
            "run": self.what, "clients": self.clients, "turns": self.turns, "cpus": self.cpus.to_string(), "medians": rows,
            "ratios": ratios,
            "faults": faults,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Figures> {
        self.servers.iter().flat_map(|(_, figures)| figures)
    }

    /// Those whose both sides were measured.
    fn ratios(&self) -> Vec<(Kind, Kind, &'static str)> {
        let has = |kind: Kind| self.servers.iter().any(|server| server.0 == kind);
        Kind::RATIOS.into_iter().filter(|(of, to, _)| has(*of) && has(*to)).collect()
    }

    fn ratio(&self, of: Kind, to: Kind, key: &str) -> Option<f64> {
        let to = self.median(to, key).filter(|to| *to != 0.0)?;
        Some(self.median(of, key)? / to)
    }
}
