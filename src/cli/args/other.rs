//! Options of the smaller subcommands.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::connect::{ConnectArgs, JoinArgs};
use crate::cli::man;
use crate::cli::values::Span;

/// Options of `lanchat discover`.
#[derive(Clone, Debug, Default, Args)]
pub struct DiscoverArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Also try every address of this machine's own networks, /24 at most.
    #[arg(long)]
    pub scan: bool,

    /// How long to listen for answers [default: 2s].
    #[arg(long, value_name = "DURATION", env = "LANCHAT_TIMEOUT")]
    pub timeout: Option<Span>,
}

/// Options of `lanchat send`.
#[derive(Clone, Debug, Default, Args)]
pub struct SendArgs {
    /// The server and the sender's name.
    #[command(flatten)]
    pub join: JoinArgs,

    /// Who gets it: a user's name, an IP address, or all.
    #[arg(long, value_name = "WHO", default_value = "all")]
    pub to: String,

    /// The message; - or nothing reads it from standard input.
    #[arg(value_name = "TEXT|-")]
    pub text: Option<String>,
}

/// Options of `lanchat doctor`.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArgs {
    /// The server.
    #[command(flatten)]
    pub connect: ConnectArgs,
}

/// Options of `lanchat completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh.
    #[arg(hide_possible_values = true)]
    pub shell: clap_complete::Shell,
}

/// Options of `lanchat man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The subcommand whose page to print; the main page if none is given.
    #[arg(value_parser = PossibleValuesParser::new(man::SUBCOMMANDS), hide_possible_values = true)]
    pub subcommand: Option<String>,
}
