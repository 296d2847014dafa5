//! Options of the subcommands that talk to a server.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::cli::values::{HostPort, Span};

/// Which server to talk to, and how to look for it.
#[derive(Clone, Debug, Default, Args)]
pub struct ConnectArgs {
    /// The server to use, instead of looking for one.
    #[arg(
        short = 'H',
        long,
        value_name = "HOST[:PORT]",
        env = "LANCHAT_HOST",
        value_hint = clap::ValueHint::Hostname
    )]
    pub host: Option<HostPort>,

    /// Open no multicast socket at all; needs --host.
    #[arg(
        long,
        env = "LANCHAT_NO_DISCOVERY",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub no_discovery: Option<bool>,

    /// Pick one of several servers, by its name or the start of its id.
    #[arg(long, value_name = "NAME", env = "LANCHAT_SERVER")]
    pub server: Option<String>,

    /// How long to look for a server and wait for its answer [default: 5s].
    #[arg(long, value_name = "DURATION", env = "LANCHAT_TIMEOUT")]
    pub timeout: Option<Span>,
}

/// Options of joining the chat.
#[derive(Clone, Debug, Default, Args)]
pub struct JoinArgs {
    /// The server.
    #[command(flatten)]
    pub connect: ConnectArgs,

    /// Your name in the chat; the login name if none is given.
    #[arg(short, long, env = "LANCHAT_NAME")]
    pub name: Option<String>,
}
