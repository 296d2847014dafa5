//! What the benches share that load a server: the process, what the kernel says of it, and clients by
//! the thousand.
//!
//! Everything stays on loopback. Knows no phases and no tables.

pub mod account;
pub mod clients;
pub mod cpus;
pub mod directs;
pub mod groups;
pub mod keys;
pub mod link;
pub mod news;
pub mod peer;
pub mod process;
pub mod serve;
pub mod siblings;
pub mod stretch;
pub mod tally;
pub mod web;

use anyhow::Result;
use std::io::IsTerminal;
use std::process::ExitCode;

/// A bench's program: does what was asked for, or says what is to be known. `run` says whether all was
/// as it should be.
pub fn program<Plan>(
    name: &str,
    help: &str,
    plan: Result<Option<Plan>, String>,
    run: impl FnOnce(&Plan) -> Result<bool>,
) -> ExitCode {
    let plan = match plan {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{name}: {why}\n\n{help}");
            return ExitCode::from(2);
        }
    };
    match run(&plan) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints progress at a terminal.
pub fn say(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{text}");
    }
}

/// The middle one; of two, their mean.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 })
}
