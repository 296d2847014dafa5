//! The command line: what is typed, what it resolves to, and how the program ends.
//!
//! Raw flags come first ([`args`]), then the resolved form that looked at the environment
//! ([`settings`]), then the subcommand's own file does the work. Nothing below knows clap.

mod announce;
pub mod args;
pub mod backup;
pub mod bounds;
pub mod bounds_page;
pub mod completions;
pub mod config;
pub mod discover;
pub mod doctor;
pub mod exit;
pub mod export;
pub mod fingerprint;
pub mod invitation;
pub mod invite;
pub mod join;
pub mod logging;
pub mod man;
mod own_server;
mod pages;
mod progress;
pub mod rescue;
mod runtime;
pub mod serve;
pub mod settings;
pub mod trust;
mod usage;
pub mod values;

use std::process::ExitCode;

use jiff::Timestamp;

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
            if exit != Exit::Ok && !failure.is_silent() {
                anstream::eprintln!("{}", failure.line());
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
            let data_dir = args.data_dir.clone().or(config.serve.data_dir.clone());
            let serve = config::ServeConfig { data_dir, ..config.serve };
            join::send(&cli.common, join, &serve, args.data_dir.as_deref(), &args.to, args.text)?;
        }
        Some(Command::Tail(args)) => {
            let join = settings::Join::resolve(args.join, &config)?;
            let since = args.since.map(|since| since.timestamp(Timestamp::now()));
            let what = client::Tail { json: args.json, since, rooms: args.room };
            join::tail(&cli.common, join, &config.serve, what)?;
        }
        Some(Command::Discover(args)) => {
            let discover = settings::Discover::resolve(&args, &config);
            let inspector = client::Inspector::new(false, &[]).map_err(join::failure)?;
            discover::run(&cli.common, &discover, &inspector)?;
        }
        Some(Command::Doctor(args)) => {
            let connect = settings::Connect::resolve(args.connect.clone(), &config)?;
            let inspector =
                client::Inspector::new(connect.plaintext, &connect.fingerprints).map(|inspector| {
                    match &connect.host {
                        Some(host) => inspector.at_host(&host.host, host.port),
                        None => inspector,
                    }
                });
            doctor::run(&cli.common, &args, &connect, inspector.map_err(join::failure)?)?;
        }
        Some(Command::Fingerprint(args)) => fingerprint::run(&cli.common, &args, config.serve.data_dir)?,
        Some(Command::Trust(args)) => trust::run(&cli.common, &args)?,
        Some(Command::Invite(args)) => invite::run(&cli.common, args, config.serve)?,
        Some(Command::Export(args)) => export::run(&cli.common, &args, config.serve.data_dir)?,
        Some(Command::Backup(args)) => backup::run(&cli.common, &args, config.serve.data_dir)?,
        Some(Command::Restore(args)) => rescue::restore(&cli.common, &args, config.serve.data_dir)?,
        Some(Command::Repair(args)) => rescue::repair(&cli.common, &args, config.serve.data_dir)?,
        Some(Command::Completions(_) | Command::Man(_)) => {}
    }
    Ok(())
}

fn choose_color(color: Color) {
    anstream::ColorChoice::write_global(color.into());
}

/// What of this module a fuzzer drives.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing {
    /// What is given as a host, as it is written; `None`: it is none.
    pub(crate) fn destination(text: &str) -> Option<String> {
        text.parse::<super::invitation::Destination>().ok().map(|there| there.to_string())
    }
}
