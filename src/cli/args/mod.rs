//! The command line: one struct per subcommand, which describes each option completely.
//!
//! An option with an environment variable is also a key of the config file; [`super::config`] makes the key's
//! value the option's default.

mod cluster;
mod connect;
#[cfg(feature = "nats")]
mod engine;
mod file_users;
mod files;
mod history;
mod other;
mod port;
mod serve;
mod serve_files;
mod watch;
mod web;

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, CommandFactory, Parser};

#[cfg(feature = "nats")]
pub(crate) use cluster::ClusterStatusArgs;
pub(crate) use cluster::{ClusterAction, ClusterArgs, ClusterJoinArgs, ClusterNewArgs, ClusterRestoreArgs};
pub(crate) use connect::{ConnectArgs, JoinArgs};
#[cfg(feature = "nats")]
pub(crate) use engine::engine_config;
pub(crate) use file_users::{ReceiveArgs, SendFileArgs};
pub(crate) use history::{BackupArgs, ExportArgs, ForgetArgs, Format, RepairArgs, RestoreArgs};
pub use other::SUBCOMMANDS;
pub(crate) use other::{
    CompletionsArgs, DiscoverArgs, DoctorArgs, FingerprintArgs, InviteArgs, ManArgs, SendArgs, TailArgs,
    TrustArgs,
};
pub(crate) use serve::{ServeArgs, server_name};
pub(crate) use watch::{LogFormat, StatusArgs};
pub(crate) use web::WebChoice;

use super::values::Color;

/// Chat for a local network: no account, no Internet, no configuration.
///
/// Without a subcommand, lanchat finds the server on this network and opens the chat. If it finds
/// none, it offers to start one. With a host (`lanchat 192.168.1.20`), it joins the
/// server there. `lanchat chat` and `lanchat join` do the same.
#[derive(Debug, Parser)]
#[command(
    name = "lanchat",
    version,
    disable_help_subcommand = true,
    override_usage = "lanchat [OPTIONS] [HOST[:PORT]]\n       lanchat COMMAND [OPTIONS]",
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) join: JoinArgs,

    /// Take lines from a pipe that start with a slash as commands; otherwise, all of them are text.
    #[arg(long, env = "LANCHAT_COMMANDS")]
    pub(crate) commands: bool,

    /// Chat in plain lines without a prompt, as for a screen reader.
    #[arg(long, env = "LANCHAT_PLAIN")]
    pub(crate) plain: bool,

    /// Take part as a program: read and write one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,

    /// The command to run instead of joining the chat.
    #[command(subcommand)]
    pub(crate) command: Option<Subcommand>,
}

/// The end of `--help`. The man page lists the variables.
const AFTER_HELP: &str = "\
You can also set an option by an environment variable (--host: LANCHAT_HOST, serve --port: LANCHAT_SERVE_PORT) \
or a key of the config file. Flags override variables, and variables override the file. For more: lanchat man";

pub(crate) fn definition() -> clap::Command {
    // The last of repeated options wins, so that an alias with options can be overridden.
    let adjusted = |command: clap::Command| command.args_override_self(true).mut_args(adjusted);
    let whole = |command: clap::Command| adjusted(command).mut_subcommands(adjusted);
    adjusted(Cli::command()).mut_subcommands(whole).mut_subcommands(counted)
}

/// Gives `-n` of `tail` the meaning that it has in the system's `tail`.
fn counted(command: clap::Command) -> clap::Command {
    match command.get_name() {
        "tail" => command.mut_arg("name", |arg| arg.short(None)).mut_arg("last", |arg| arg.short('n')),
        _ => command,
    }
}

/// Hides the variables from the help, and accepts more than true and false in the variable of a switch.
fn adjusted(arg: Arg) -> Arg {
    let arg = arg.hide_env(true);
    match arg.get_action() {
        ArgAction::SetTrue if arg.get_env().is_some() => arg.value_parser(BoolishValueParser::new()),
        _ => arg,
    }
}

/// Ignores empty environment variables: compose files and units pass on variables that they do not have.
pub(crate) fn without_empty_variables(definition: clap::Command) -> clap::Command {
    let without = |command: clap::Command| command.mut_args(without_empty_variable);
    without(definition).mut_subcommands(without)
}

fn without_empty_variable(arg: Arg) -> Arg {
    let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { arg.env(None::<&str>) } else { arg }
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Run a server.
    ///
    /// People on this network find the server without configuration: it announces itself by mDNS.
    /// SIGTERM or SIGINT stops it after it has told every client; a second signal ends it at once.
    Serve(ServeArgs),

    /// List the servers on this network.
    Discover(DiscoverArgs),

    /// Send one message, wait for the server's receipt, and exit.
    ///
    /// With --file, it offers files instead, and exits when the recipient has them, whole and checked: status 0 says
    /// so. If a connection breaks or the server restarts, it goes on from the bytes that the recipient has. In a
    /// room, each member may take them, until SIGINT or SIGTERM.
    Send(SendArgs),

    /// Receive the files that others offer.
    ///
    /// At a terminal, it asks for each offer. Elsewhere it takes the files of those whom --yes-from names, and refuses
    /// all others. It replaces no file, makes no file executable, and prints the path of each file that has arrived,
    /// whole and checked. A cut transfer goes on when both sides are back, even after restarts; after a week, it is
    /// removed. It runs until SIGINT or SIGTERM.
    Receive(ReceiveArgs),

    /// Print messages as they arrive.
    ///
    /// Other users do not see it in the chat. It reconnects after lost connections and restarts of the
    /// server, without a gap or a duplicate, until SIGINT or SIGTERM.
    Tail(TailArgs),

    /// Print a server's own numbers: users, refused connections, memory, database and more.
    ///
    /// Without --host and --server, it asks the server that runs on this machine, as the user who runs it or as
    /// root. Another server answers only its operators. On a full server, it needs a key that the server knows:
    /// one that has asked before, or that owns a name there.
    Status(StatusArgs),

    /// Find out why a server cannot be reached, and what to do about it.
    ///
    /// Examines this machine and the network for up to 6 seconds, then prints the cause and lines to paste.
    /// Exit status 0 means that a server answered.
    Doctor(DoctorArgs),

    /// Print a key's fingerprint, for people to compare.
    ///
    /// Without options: the fingerprint of the server on this machine. Read the digits out to users who
    /// want to rule out an impostor.
    Fingerprint(FingerprintArgs),

    /// Accept a server's key.
    ///
    /// With --replace, lanchat no longer accepts the server's previous key. Without it, other servers of
    /// the same name stay accepted. Ask the server's administrator for the fingerprint in person or by
    /// telephone, not over the network in doubt.
    ///
    /// Without FINGERPRINT, lanchat looks at the servers that you know, shows changed keys, and asks for the
    /// number that the administrator reads out.
    Trust(TrustArgs),

    /// Print links for joining the server on this machine.
    ///
    /// A link contains the server's key, so `lanchat --host LINK` cannot reach an impostor.
    Invite(InviteArgs),

    /// Print a server's history.
    ///
    /// Works while the server runs. The output includes direct messages.
    Export(ExportArgs),

    /// Copy a server's history, key and other files to one file.
    ///
    /// Works while the server runs: the copy has everything stored when the backup started. It includes
    /// the server's key and passphrase, so anyone who can read it can impersonate the server.
    Backup(BackupArgs),

    /// Restore a backup, here or on another machine.
    ///
    /// Stop the server first. lanchat checks FILE before it changes anything, and keeps the replaced
    /// files. Clients recognise the server by its key, and learn that the messages after the backup are
    /// lost. FILE may also be a copy of history.db alone.
    Restore(RestoreArgs),

    /// Recover a damaged history.
    ///
    /// Stop the server first. lanchat copies every readable message, room and mailbox into a new
    /// history, rebuilds its indexes, and keeps the damaged files. It does not change an intact history.
    Repair(RepairArgs),

    /// Erase a person from a server.
    ///
    /// Stop the server first. lanchat erases the messages of one key, all direct messages from and to it, its
    /// names, memberships, topics and read positions, and its rights as an operator or member. Afterwards, no
    /// file of the history has these words; backups, exports and other people's clients keep theirs. Bans and
    /// mutes stay. It asks first, and tells what it erased.
    Forget(ForgetArgs),

    /// Set up a chat of several servers, which survives a machine that fails.
    ///
    /// The servers share one chat, with one key, over an engine: NATS JetStream, a nats-server beside each of them.
    /// `lanchat cluster new` makes a file for each server, and `lanchat cluster join` there does the rest. A single
    /// server needs none of this.
    Cluster(ClusterArgs),

    /// Print the completion script for a shell.
    ///
    /// In bash, zsh and fish, Tab then asks lanchat. It knows the servers that you have joined, and rooms and
    /// users from your own files. For a server's name or address, it also asks the network for up to 0.3 seconds,
    /// as `lanchat discover` does. To prevent that, set LANCHAT_NO_DISCOVERY=1, or no-discovery = true in the
    /// config file. Tab never connects to a server.
    Completions(CompletionsArgs),

    /// Show a man page.
    ///
    /// At a terminal, shows the page; elsewhere, prints its source in roff format.
    Man(ManArgs),
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct CommonArgs {
    /// When to use colour: auto, always or never.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        env = "LANCHAT_COLOR",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,

    /// Read this config file instead of the user's own.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "LANCHAT_CONFIG",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) config: Option<PathBuf>,

    /// Log more; repeat it to log everything.
    #[arg(short, long, global = true, action = ArgAction::Count, env = "LANCHAT_VERBOSE")]
    pub(crate) verbose: u8,

    /// Log and print less; repeat it for errors only.
    #[arg(short, long, global = true, action = ArgAction::Count, env = "LANCHAT_QUIET")]
    pub(crate) quiet: u8,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    /// `--no-discovery` of `serve` is `LANCHAT_SERVE_NO_DISCOVERY`, so nobody has to look it up. An option with
    /// a variable is also a key of the config file.
    #[test]
    fn options_for_serving_and_joining_have_variables_named_after_them() {
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
                    // A task, not a setting.
                    (None, Some(file)) if !["check", "json"].contains(&long) => {
                        panic!("--{long} in src/cli/args/{file} lacks env = \"{expected}\"")
                    }
                    (variable, _) => assert!(variable.is_none_or(|name| *name == *expected), "--{long}"),
                }
            }
        }
    }

    #[test]
    fn the_readme_lists_the_options_for_serving_and_joining() {
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
