//! The program: its turns, and what it prints.

use super::chart::{self, Chart};
use super::figures::Table;
use super::kind::Kind;
use super::options::{HELP, Plan, Subject};
use super::report::{self, Report, Row};
use super::{crowd, floor, groups, phases, prompt, starts, storm};
use crate::rig::cpus::Cpus;
use crate::rig::keys::Keys;
use crate::rig::{self, process, say};
use anyhow::{Context, Result};
use serde_json::Value;
use std::process::ExitCode;
use std::rc::Rc;

/// The program.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The floor runs this same program.
    if let [flag, options @ ..] = args.as_slice()
        && flag == floor::FLAG
    {
        return floor::serve(options);
    }
    rig::program("load", HELP, Plan::parse(&args), run)
}

/// Whether all was exact.
fn run(plan: &Plan) -> Result<bool> {
    process::raise_descriptors(plan.connections())?;
    plan.cpus.settle()?;
    let keys = Rc::new(Keys::default());
    match plan.subject {
        Subject::Phases => compare(plan, &keys),
        Subject::Directs => groups::directs(plan, &keys),
        Subject::Rooms => groups::rooms(plan, &keys),
        Subject::Storm => report(plan, &keys, report::STORM, storm::run),
        Subject::Crowd => report(plan, &keys, report::CROWD, crowd::run),
        Subject::Starts => starts::run(plan.cpus, plan.json).map(|()| true),
        Subject::Prompt => {
            let clients = plan.clients.first().copied().unwrap_or_default();
            prompt::run(clients, plan.against.as_deref(), plan.cpus).map(|()| true)
        }
    }
}

type Measure = fn(Kind, usize, &Rc<Keys>, Cpus, &mut Report) -> Result<()>;

/// The server alone, with clients of several kinds.
fn report(plan: &Plan, keys: &Rc<Keys>, rows: &'static [Row], measure: Measure) -> Result<bool> {
    let kinds: Vec<_> = plan.kinds.iter().copied().filter(|kind| kind.is_alone()).collect();
    let mut is_exact = true;
    for count in &plan.clients {
        let mut report = Report::new(format!("{count} clients; {}", plan.cpus), rows, &kinds);
        for kind in &kinds {
            say(&format!("{count} clients: {}", kind.name()));
            measure(*kind, *count, keys, plan.cpus, &mut report)?;
            is_exact &= report.get(*kind, "faults").unwrap_or_default() == 0.0;
        }
        if plan.json {
            println!("{:#}", report.json());
        } else {
            println!("{}\n", report.text());
        }
    }
    Ok(is_exact)
}

/// All servers side by side.
fn compare(plan: &Plan, keys: &Rc<Keys>) -> Result<bool> {
    let mut tables = Vec::new();
    for clients in &plan.clients {
        let mut turn = 0;
        tables.push(Table::measure(plan, format!("{clients} clients"), *clients, |kind| {
            turn += 1;
            phases::run(plan, kind, *clients, keys, turn <= plan.kinds.len())
        })?);
    }
    print(plan, &tables, &chart::LOBBY)
}

/// Prints tables and draws the chart, if wanted; says whether all was exact.
pub fn print(plan: &Plan, tables: &[Table], chart: &Chart) -> Result<bool> {
    if let Some(path) = &plan.chart {
        std::fs::write(path, chart::draw(tables, chart)).with_context(|| path.display().to_string())?;
    }
    if plan.json {
        println!("{:#}", Value::Array(tables.iter().map(Table::json).collect()));
    } else {
        tables.iter().for_each(|table| println!("{}", table.text()));
    }
    Ok(tables.iter().all(Table::is_exact))
}
