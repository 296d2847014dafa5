//! The command line: what is typed, what it resolves to, and how the program ends.
//!
//! Raw flags come first ([`args`]), then the resolved form that looked at the environment
//! ([`settings`]), then the subcommand's own file does the work. Nothing below knows clap.

mod announce;
pub mod args;
pub mod completions;
pub mod config;
pub mod discover;
pub mod doctor;
pub mod exit;
pub mod join;
pub mod logging;
pub mod man;
mod pages;
mod runtime;
pub mod serve;
pub mod settings;
mod usage;
pub mod values;

use std::process::ExitCode;

use crate::client;

use args::{Cli, Command};
use config::Config;
use exit::{Exit, Failure};
use values::Color;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    match usage::parse().and_then(dispatch) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            let exit = failure.exit();
            if exit != Exit::Ok {
                anstream::eprintln!("lanchat: {failure}");
            }
            exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    // These two need no config file, and must work when there is a broken one.
    match &cli.command {
        Some(Command::Completions(args)) => return Ok(completions::run(args)?),
        Some(Command::Man(args)) => return Ok(man::run(args)?),
        _ => {}
    }
    let config = config::load(cli.common.config.as_deref()).map_err(Failure::usage)?;
    choose_color(cli.common.color.or(config.color).unwrap_or_default());
    perform(cli, config)
}

fn perform(cli: Cli, config: Config) -> Result<(), Failure> {
    match cli.command {
        None => {
            let join = settings::Join::resolve(cli.join, &config)?;
            join::run(&cli.common, join, config.serve)?;
        }
        Some(Command::Serve(args)) => {
            serve::run(&cli.common, settings::Serve::resolve(args, config.serve)?)?;
        }
        Some(Command::Send(args)) => {
            let join = settings::Join::resolve(args.join, &config)?;
            join::send(&cli.common, join, &args.to, args.text)?;
        }
        Some(Command::Discover(args)) => {
            let discover = settings::Discover::resolve(&args, &config);
            discover::run(&cli.common, &discover, client::probe)?;
        }
        Some(Command::Doctor(args)) => {
            let connect = settings::Connect::resolve(args.connect, &config)?;
            doctor::run(&cli.common, &connect, client::probe)?;
        }
        Some(Command::Completions(_) | Command::Man(_)) => {}
    }
    Ok(())
}

fn choose_color(color: Color) {
    anstream::ColorChoice::write_global(color.into());
}
