//! Options of the subcommands that talk to a server.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::cli::invitation::Destination;
use crate::cli::values::Span;
use crate::fingerprint::Fingerprint;

/// Which server to talk to, and how to look for it.
#[derive(Clone, Debug, Default, Args)]
pub struct ConnectArgs {
    /// The server to use, instead of looking for one; or the link that `lanchat invite` prints.
    #[arg(
        short = 'H',
        long,
        value_name = "HOST[:PORT]",
        env = "LANCHAT_HOST",
        value_hint = clap::ValueHint::Hostname
    )]
    pub host: Option<Destination>,

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

    /// Accept a server with this key only; may be repeated.
    #[arg(long, value_name = "FINGERPRINT", env = "LANCHAT_FINGERPRINT", value_delimiter = ',')]
    pub fingerprint: Vec<Fingerprint>,

    /// Connect without encryption, to a server that allows it: everybody on the way can read and
    /// change all of it.
    #[arg(
        long,
        env = "LANCHAT_PLAINTEXT",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub plaintext: Option<bool>,

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

    /// The file with the passphrase of a closed server; at a terminal it is asked for without one.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_PASSPHRASE_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub passphrase_file: Option<PathBuf>,
}
