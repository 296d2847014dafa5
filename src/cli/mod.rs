//! The command line: parsing, subcommands, and exit statuses.
//!
//! `args` describes each option once: name, help, default, variable and valid values. A config file changes
//! the defaults (`config`). Then the subcommand's own file does the work.

mod announce;
mod args;
mod backup;
mod chat_table;
mod cluster;
mod completions;
mod config;
mod copies;
mod discover;
pub mod doctor;
mod exit;
mod export;
mod fingerprint;
mod forget;
mod former_identity;
mod invite;
mod join;
mod limits_page;
mod link_target;
mod log_events;
mod logging;
mod man;
mod own_server;
mod page_examples;
mod page_programs;
mod page_statuses;
mod page_text;
mod page_warnings;
mod pages;
mod progress;
mod reload;
mod rescue;
mod runtime;
mod serve;
#[cfg(windows)]
mod service;
mod service_manager;
mod status;
mod trust;
mod usage;
mod values;
mod word_order;

use std::process::ExitCode;

use jiff::Timestamp;

use crate::client;

pub use args::SUBCOMMANDS;
pub use limits_page::limits_table;
pub use log_events::log_events;

use args::{Cli, Subcommand};
use config::Config;
use exit::{Exit, ExitError};

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

fn perform(cli: Cli, config: &Config) -> Result<(), ExitError> {
    let (common, configured) = (&cli.common, config.serve()?);
    anstream::ColorChoice::write_global(common.color.into());
    match cli.command {
        None if cli.json => join::json(common, cli.join, &configured)?,
        None => join::run(common, cli.join, cli.commands, cli.plain, configured, config)?,
        Some(Subcommand::Serve(args)) => serve::run(common, args)?,
        Some(Subcommand::Send(args)) => {
            let data_dir = args.data_dir.clone().or(configured.data_dir.clone());
            let configured = args::ServeArgs { data_dir, ..configured };
            let to = args.room.map(|room| room.to_string()).or(args.to);
            if !args.files.file.is_empty() {
                let args::SendFileArgs { file: paths, file_name: name, wait } = args.files;
                let to = to.ok_or_else(|| ExitError::usage("name who gets the file with --to"))?;
                let what = client::SendFileOptions { to, paths, name, json: args.json, wait };
                return join::send_file(common, args.join, &configured, what);
            }
            if args.files.file_name.is_some() || args.files.wait.is_some() {
                return Err(ExitError::usage(
                    "--as and --wait are for files; remove them, or name a file with --file",
                ));
            }
            let to = to.unwrap_or_else(|| "all".to_owned());
            let text = (!args.text.is_empty()).then(|| args.text.join(" "));
            let what = client::SendOptions { to, text, join: args.join_room, json: args.json };
            join::send(common, args.join, &configured, args.data_dir.as_deref(), what)?;
        }
        Some(Subcommand::Receive(args)) => {
            let args::ReceiveArgs { join, from, to, once, yes_from, yes_to_all, max, json } = args;
            let max = max.map(|max| max.0);
            let what = client::ReceiveOptions { from, to, once, yes_from, yes_to_all, max, json };
            join::receive(common, join, &configured, what)?;
        }
        Some(Subcommand::Tail(args)) => {
            let since = args.since.map(|since| since.timestamp(Timestamp::now()));
            let what = client::TailOptions { json: args.json, since, last: args.last, rooms: args.room };
            join::tail(common, args.join, &configured, what, config)?;
        }
        Some(Subcommand::Status(args)) => status::run(common, args, &configured)?,
        Some(Subcommand::Discover(args)) => {
            let inspector = client::Inspector::new(false, &[]).map_err(join::failure)?;
            discover::run(common, &args, &inspector)?;
        }
        Some(Subcommand::Doctor(args)) => doctor::run(common, args, &configured)?,
        Some(Subcommand::Fingerprint(args)) => fingerprint::run(common, &args, configured.data_dir)?,
        Some(Subcommand::Trust(args)) => trust::run(common, &args)?,
        Some(Subcommand::Invite(args)) => invite::run(common, args, configured, cli.join)?,
        Some(Subcommand::Export(args)) => export::run(common, &args, configured.data_dir)?,
        Some(Subcommand::Backup(args)) => backup::run(common, &args, configured.data_dir)?,
        Some(Subcommand::Restore(args)) => rescue::restore(common, &args, configured.data_dir)?,
        Some(Subcommand::Forget(args)) => forget::run(common, &args, configured.data_dir)?,
        Some(Subcommand::Repair(args)) => rescue::repair(common, &args, configured.data_dir)?,
        Some(Subcommand::Cluster(args)) => cluster::run(common, &args, configured)?,
        Some(Subcommand::Completions(args)) => completions::run(&args)?,
        Some(Subcommand::Man(args)) => man::run(&args)?,
    }
    Ok(())
}

/// The parser that a fuzz target needs.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing {
    /// Parses a value of `--host` and prints it again; `None` if it is invalid.
    pub(crate) fn link_target(text: &str) -> Option<String> {
        text.parse::<super::link_target::LinkTarget>().ok().map(|there| there.to_string())
    }
}
