//! How long the hub holds its lock for each thing that it does, with 600 people and arguments
//! chosen to be costly, next to a message to the lobby.
//!
//! Fails if anything takes more than [`MOST`] times as long, or if a request's type is not measured.
//! `cargo bench --bench hold` shows the worst of each, `-- --all` every row.

#![allow(unreachable_pub, clippy::expect_used, reason = "a program of its own")]

mod kinds;
mod measure;
mod requests;
mod stage;
mod work;

use measure::{Figure, Row};
use stage::Stage;
use std::process::ExitCode;

/// How many times as long as a message to the lobby anything may take.
const MOST: f64 = 20.0;

fn main() -> ExitCode {
    let shows_all = std::env::args().any(|word| word == "--all");
    let filter = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let mut stage = Stage::new();
    let usual = measure::usual(&mut stage);
    println!("a message to the lobby holds the lock for {:.2} us", micros(usual));
    let rows = requests::rows().into_iter().chain(work::rows());
    let rows = rows.filter(|row| filter.as_ref().is_none_or(|word| row.title().contains(word.as_str())));
    let mut figures: Vec<Figure> = rows.map(|row: Row| row.measure(&mut stage)).collect();
    drop(stage);
    figures.extend(work::full_houses(filter.as_deref()));
    let missing: Vec<&str> =
        kinds::ALL.into_iter().filter(|kind| !figures.iter().any(|f| f.kind == *kind)).collect();
    figures.sort_by_key(|figure| std::cmp::Reverse(figure.held));
    let mut seen = Vec::new();
    println!("{:>9} {:>7}  {:>9}", "held", "ratio", "before it");
    for figure in &figures {
        let is_worst = !seen.contains(&figure.kind);
        seen.push(figure.kind);
        if is_worst || shows_all {
            let (held, read, ratio) = (micros(figure.held), micros(figure.read), figure.ratio(usual));
            let Figure { kind, label, answered, .. } = figure;
            println!("{held:>6.1} us {ratio:>7.1}  {read:>6.1} us  {kind}: {label}; {answered}");
        }
    }
    let worst = figures.first().map_or(0.0, |figure| figure.ratio(usual));
    println!("the longest is {worst:.1} times a message to the lobby; at most {MOST} are allowed");
    if filter.is_none() && !missing.is_empty() {
        println!("not measured: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    if worst > MOST { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
