//! The command line: one struct for each subcommand, which says all there is to say of an option.
//!
//! An option that has a variable is a key of the config file too; [`super::config`] makes what that says the
//! option's default.

mod connect;
mod history;
mod other;
mod serve;

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, CommandFactory, Parser, Subcommand};

pub use connect::{ConnectArgs, JoinArgs};
pub use history::{BackupArgs, ExportArgs, Format, RepairArgs, RestoreArgs};
pub use other::{
    CompletionsArgs, DiscoverArgs, DoctorArgs, FingerprintArgs, InviteArgs, ManArgs, SUBCOMMANDS, SendArgs,
    TailArgs, TrustArgs,
};
pub use serve::ServeArgs;

use super::values::Color;

/// Chat for a local network: no account, no Internet, no configuration.
///
/// Without a subcommand, lanchat finds the server on this network and opens the chat. If there is
/// none, it offers to start one.
#[derive(Debug, Parser)]
#[command(
    name = "lanchat",
    version,
    disable_help_subcommand = true,
    override_usage = "lanchat [OPTIONS]\n       lanchat COMMAND [OPTIONS]",
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// Options that every subcommand has.
    #[command(flatten)]
    pub common: CommonArgs,

    /// Options of joining the chat.
    #[command(flatten)]
    pub join: JoinArgs,

    /// What to do; joining the chat if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `--help` ends with; the variables themselves are on the man page.
const AFTER_HELP: &str = "\
Every option is also an environment variable (--host: LANCHAT_HOST; serve --port: LANCHAT_SERVE_PORT)
and a key of the config file; flags win over variables, and those over the file. More: lanchat man";

/// The command line's definition.
pub fn definition() -> clap::Command {
    let adjusted = |command: clap::Command| command.mut_args(adjusted);
    adjusted(Cli::command()).mut_subcommands(adjusted)
}

/// Help lists no variables, and the variable of a switch may say more than true and false.
fn adjusted(arg: Arg) -> Arg {
    let arg = arg.hide_env(true);
    match arg.get_action() {
        ArgAction::SetTrue if arg.get_env().is_some() => arg.value_parser(BoolishValueParser::new()),
        _ => arg,
    }
}

/// The definition for parsing. A variable that is set to nothing counts as not set, because compose files and
/// units pass on what they do not have.
pub fn without_empty_variables(definition: clap::Command) -> clap::Command {
    let without = |command: clap::Command| command.mut_args(without_empty_variable);
    without(definition).mut_subcommands(without)
}

fn without_empty_variable(arg: Arg) -> Arg {
    let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { arg.env(None::<&str>) } else { arg }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a server.
    ///
    /// People on this network find it with no configuration: it is announced by mDNS. It runs
    /// until SIGTERM or SIGINT, then says goodbye to everybody; a second signal ends it at once.
    Serve(ServeArgs),

    /// List the servers on this network.
    Discover(DiscoverArgs),

    /// Send one message, wait for the server's receipt, and exit.
    Send(SendArgs),

    /// Print messages as they come.
    ///
    /// It is not present in the chat, and goes on over lost connections and restarts of the server,
    /// without a gap and with nothing twice, until SIGINT or SIGTERM.
    Tail(TailArgs),

    /// Find out why a server cannot be reached, and what to do about it.
    ///
    /// Looks at all that may be in the way, on this machine and between it and the server, for 6 s at
    /// most, and ends with the cause and with lines to paste. Exit status 0 means that a server answered.
    Doctor(DoctorArgs),

    /// Print a key's fingerprint, to be compared by people.
    ///
    /// Without options that of the server on this machine. Read the digits out to whoever wants to
    /// be sure that nobody sits in between.
    Fingerprint(FingerprintArgs),

    /// Accept a server's key.
    ///
    /// With --replace the key that it had before is no longer accepted; without, others that you know by
    /// that name stay what they are. Ask the server's administrator for the fingerprint, in person or
    /// by telephone: not over the network that is in doubt.
    Trust(TrustArgs),

    /// Print links that lead to the server on this machine and to no other.
    ///
    /// Whoever joins with `lanchat --host LINK` has the server's key before anything is sent.
    Invite(InviteArgs),

    /// Print a server's history.
    ///
    /// Also while the server runs. Direct messages are among what is printed.
    Export(ExportArgs),

    /// Copy all that a server is to a file.
    ///
    /// Also while the server runs: the copy has all that was stored when it began, and the server's key
    /// and passphrase. Whoever can read it can pass for the server. `lanchat restore` puts it back.
    Backup(BackupArgs),

    /// Put a backup back, here or on another machine.
    ///
    /// The server must be stopped. FILE is checked before anything is touched, and what was there is
    /// kept aside. Clients accept the server as the one that they knew, and are told that something
    /// was said after the backup which is gone. A copy of a history.db alone is put back too.
    Restore(RestoreArgs),

    /// Save what can be saved of a damaged history.
    ///
    /// The server must be stopped. Every message, room and mailbox that can be read goes into a new
    /// history, whose indexes are made anew; the damaged files are kept aside. A history that is whole
    /// is left as it is.
    Repair(RepairArgs),

    /// Print the completions for a shell.
    Completions(CompletionsArgs),

    /// Print a man page, as roff.
    Man(ManArgs),
}

/// Options that every subcommand has.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// When to use colour: auto, always or never.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "LANCHAT_COLOR",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: Color,

    /// Read this config file instead of the user's own.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LANCHAT_CONFIG",
        value_hint = clap::ValueHint::FilePath
    )]
    pub config: Option<PathBuf>,

    /// Log more; twice for everything.
    #[arg(short, long, global = true, action = ArgAction::Count, env = "LANCHAT_VERBOSE")]
    pub verbose: u8,

    /// Log and print less; twice for errors only.
    #[arg(short, long, global = true, action = ArgAction::Count, env = "LANCHAT_QUIET")]
    pub quiet: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// `--no-discovery` of `serve` is `LANCHAT_SERVE_NO_DISCOVERY`, so nobody needs to look it up; and what
    /// has a variable is a key of the config file.
    #[test]
    fn options_of_a_server_and_of_joining_have_variables_named_after_them() {
        let mut cli = Cli::command();
        cli.build();
        for command in std::iter::once(&cli).chain(cli.get_subcommands()) {
            let (prefix, file) = match command.get_name() {
                "serve" => ("LANCHAT_SERVE_", Some("serve.rs")),
                "lanchat" => ("LANCHAT_", Some("connect.rs")),
                _ => ("LANCHAT_", None),
            };
            let own = command.get_arguments().filter(|arg| !arg.is_global_set());
            for arg in own.filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version")) {
                let Some(long) = arg.get_long() else { continue };
                let expected = format!("{prefix}{}", long.to_uppercase().replace('-', "_"));
                match (arg.get_env(), file) {
                    (None, Some(file)) => {
                        panic!("--{long} in src/cli/args/{file} lacks env = \"{expected}\"")
                    }
                    (variable, _) => assert!(variable.is_none_or(|name| *name == *expected), "--{long}"),
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_the_options_of_a_server_and_of_joining() {
        let readme = include_str!("../../../README.md");
        let cli = definition();
        for command in [&cli, cli.find_subcommand("serve").unwrap()] {
            for long in command.get_arguments().filter_map(Arg::get_long) {
                assert!(
                    readme.contains(&format!("--{long}")) || long == "verbose" || long == "quiet",
                    "README.md lacks --{long} of {}",
                    command.get_name()
                );
            }
        }
    }

    #[test]
    fn a_flag_can_be_set_and_unset_by_its_variable() {
        let parsed = |args: &[&str]| Cli::try_parse_from(args).map(|cli| cli.join.connect);
        assert!(!parsed(&["lanchat"]).unwrap().no_discovery);
        assert!(parsed(&["lanchat", "--no-discovery"]).unwrap().no_discovery);
    }
}
