//! The program: its options, and the turns.

use super::figures::{Figures, Table};
use super::plan::{Plan, say};
use super::process::Kind;
use super::{floor, phases, process};
use std::process::ExitCode;

const HELP: &str = "\
cargo bench --bench load -- [OPTIONS]

  --clients N   connections in the room (6000)
  --turns N     times each server is measured; medians are shown (3)
  --quick       1000 clients, one turn, shorter phases: under a minute
  --json        figures as JSON on standard output

Traffic stays on 127.0.0.1. Every phase is bounded in messages and time.";

/// The program.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The floor server runs this same program.
    if args.first().is_some_and(|arg| arg == "--floor-server") {
        return floor::serve();
    }
    let plan = match plan(&args) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("load: {why}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match measure(plan) {
        Ok(table) => {
            print!("{}", if plan.json { table.json() } else { table.text() });
            if table.is_exact() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn plan(args: &[String]) -> Result<Option<Plan>, String> {
    let mut plan = Plan { clients: 6000, turns: 3, flood_secs: 3.0, paced_secs: 5.0, json: false };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || -> Result<usize, String> {
            let value = args.next().ok_or(format!("{arg} needs a number"))?;
            value.parse().ok().filter(|n| *n > 0).ok_or(format!("{arg}: {value:?} is no number above 0"))
        };
        match arg.as_str() {
            "--clients" => plan.clients = number()?,
            "--turns" => plan.turns = number()?,
            "--quick" => {
                plan = Plan { clients: 1000, turns: 1, flood_secs: 1.0, paced_secs: 2.0, json: plan.json };
            }
            "--json" => plan.json = true,
            // Cargo adds it.
            "--bench" => {}
            "--help" | "-h" => return Ok(None),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(Some(plan))
}

/// All servers in turn, so that a change of the machine's mood meets all.
fn measure(plan: Plan) -> anyhow::Result<Table> {
    process::raise_descriptors(plan.clients)?;
    let mut servers: [Vec<Figures>; 4] = Default::default();
    for turn in 1..=plan.turns {
        for (kind, figures) in Kind::ALL.into_iter().zip(&mut servers) {
            say(&format!("turn {turn} of {}: {}", plan.turns, kind.name()));
            figures.push(phases::run(plan, kind)?);
        }
    }
    Ok(Table { clients: plan.clients, turns: plan.turns, servers })
}
