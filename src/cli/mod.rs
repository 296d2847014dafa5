//! The command line: what is typed, what it resolves to, and how the program ends.
//!
//! Options are described once, in [`args`]: name, help, default, variable and what they may be. A config
//! file changes their defaults ([`config`]). Then the subcommand's own file does the work.

mod announce;
pub mod args;
pub mod backup;
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
pub mod trust;
mod usage;
pub mod values;

use std::process::ExitCode;

use jiff::Timestamp;

use crate::client;

use args::{Cli, Command};
use config::Config;
use exit::{Exit, Failure};

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    match usage::parse().and_then(|(cli, config)| perform(cli, &config)) {
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

fn perform(cli: Cli, config: &Config) -> Result<(), Failure> {
    let (common, configured) = (&cli.common, config.serve()?);
    anstream::ColorChoice::write_global(common.color.into());
    match cli.command {
        None => join::run(common, cli.join, configured)?,
        Some(Command::Serve(args)) => serve::run(common, args)?,
        Some(Command::Send(args)) => {
            let data_dir = args.data_dir.clone().or(configured.data_dir.clone());
            let configured = args::ServeArgs { data_dir, ..configured };
            join::send(common, args.join, &configured, args.data_dir.as_deref(), &args.to, args.text)?;
        }
        Some(Command::Tail(args)) => {
            let since = args.since.map(|since| since.timestamp(Timestamp::now()));
            let what = client::TailOptions { json: args.json, since, rooms: args.room };
            join::tail(common, args.join, &configured, what)?;
        }
        Some(Command::Discover(args)) => {
            let inspector = client::Inspector::new(false, &[]).map_err(join::failure)?;
            discover::run(common, &args, &inspector)?;
        }
        Some(Command::Doctor(args)) => doctor::run(common, args)?,
        Some(Command::Fingerprint(args)) => fingerprint::run(common, &args, configured.data_dir)?,
        Some(Command::Trust(args)) => trust::run(common, &args)?,
        Some(Command::Invite(args)) => invite::run(common, args, configured)?,
        Some(Command::Export(args)) => export::run(common, &args, configured.data_dir)?,
        Some(Command::Backup(args)) => backup::run(common, &args, configured.data_dir)?,
        Some(Command::Restore(args)) => rescue::restore(common, &args, configured.data_dir)?,
        Some(Command::Repair(args)) => rescue::repair(common, &args, configured.data_dir)?,
        Some(Command::Completions(args)) => completions::run(&args)?,
        Some(Command::Man(args)) => man::run(&args)?,
    }
    Ok(())
}

/// What of this module a fuzzer drives.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing {
    /// What is given as a host, as it is written; `None`: it is none.
    pub(crate) fn destination(text: &str) -> Option<String> {
        text.parse::<super::invitation::Destination>().ok().map(|there| there.to_string())
    }
}
