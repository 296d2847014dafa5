//! Figures, and the table that shows them side by side.

use super::process::Kind;
use serde_json::{Value, json};
use std::fmt::Write;

/// What one turn of one server gave.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub logins: f64,
    pub logins_a_core: f64,
    pub idle_bytes: f64,
    pub bytes_after_flood: f64,
    pub broadcast_ms: f64,
    pub paced_ns: f64,
    pub paced_p50_ms: f64,
    pub paced_p99_ms: f64,
    pub flood_rate: f64,
    pub flood_ns: f64,
    pub deliveries: u64,
    pub faults: u64,
}

/// All turns of all servers.
#[derive(Debug)]
pub struct Table {
    pub clients: usize,
    pub turns: usize,
    /// In the order of [`Kind::ALL`].
    pub servers: [Vec<Figures>; 4],
}

type Row = (&'static str, &'static str, fn(&Figures) -> f64);

const ROWS: [Row; 10] = [
    ("logins a second", "logins", |f| f.logins),
    ("logins a second of a core's CPU", "logins_a_core", |f| f.logins_a_core),
    ("bytes a connection, idle", "idle_bytes", |f| f.idle_bytes),
    ("bytes a connection, 1 s after a flood", "bytes_after_flood", |f| f.bytes_after_flood),
    ("one broadcast to all, ms", "broadcast_ms", |f| f.broadcast_ms),
    ("paced: server CPU a delivery, ns", "paced_ns", |f| f.paced_ns),
    ("paced: latency p50, ms", "paced_p50_ms", |f| f.paced_p50_ms),
    ("paced: latency p99, ms", "paced_p99_ms", |f| f.paced_p99_ms),
    ("flood: million deliveries a second", "flood_rate", |f| f.flood_rate / 1e6),
    ("flood: server CPU a delivery, ns", "flood_ns", |f| f.flood_ns),
];

impl Table {
    /// Whether every message reached everybody once and in order.
    pub fn is_exact(&self) -> bool {
        self.servers.iter().flatten().all(|figures| figures.faults == 0)
    }

    /// For people.
    pub fn text(&self) -> String {
        let [floor, plain, tls, kept] = Kind::ALL.map(Kind::name);
        let mut text = format!(
            "{} clients, {} turns, medians; ratios compare only within this run\n\n\
             {:40}{floor:>12}{plain:>12}{tls:>12}{kept:>12}{:>17}{:>15}{:>16}\n",
            self.clients, self.turns, "", "plaintext/floor", "TLS/plaintext", "kept/plaintext"
        );
        for (name, _, figure) in ROWS {
            let [floor, plain, tls, kept] = self.medians(figure);
            let _ = writeln!(
                text,
                "{name:40}{floor:12.2}{plain:12.2}{tls:12.2}{kept:12.2}{:17.2}{:15.2}{:16.2}",
                plain / floor,
                tls / plain,
                kept / plain
            );
        }
        let totals = self.servers.each_ref().map(|figures| total(figures));
        for (name, figures) in [
            ("deliveries", totals.map(|total| total.0)),
            ("lost, doubled or out of order", totals.map(|total| total.1)),
        ] {
            let [floor, plain, tls, kept] = figures;
            let _ = writeln!(text, "{name:40}{floor:12}{plain:12}{tls:12}{kept:12}");
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        let mut rows = serde_json::Map::new();
        for (_, key, figure) in ROWS {
            let medians = self.medians(figure);
            let row = Kind::ALL.iter().zip(medians).map(|(kind, median)| (kind.name().into(), json!(median)));
            rows.insert(key.into(), Value::Object(row.collect()));
        }
        let faults: u64 = self.servers.iter().map(|figures| total(figures).1).sum();
        let whole: Value =
            json!({"clients": self.clients, "turns": self.turns, "medians": rows, "faults": faults});
        format!("{whole:#}\n")
    }

    fn medians(&self, figure: fn(&Figures) -> f64) -> [f64; 4] {
        self.servers.each_ref().map(|figures| median(figures.iter().map(figure)))
    }
}

fn total(figures: &[Figures]) -> (u64, u64) {
    (figures.iter().map(|f| f.deliveries).sum(), figures.iter().map(|f| f.faults).sum())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
