//! Options of the subcommands that talk to a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::exit::ExitError;
use crate::cli::link_target::LinkTarget;
use crate::cli::values::positive_duration;
use crate::fingerprint::Fingerprint;

/// Which server to use, and how to find it.
#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct ConnectArgs {
    /// Use this server instead of searching: a host, or a link from `lanchat invite`.
    #[arg(
        short = 'H',
        long,
        value_name = "HOST[:PORT]",
        env = "LANCHAT_HOST",
        value_hint = clap::ValueHint::Hostname
    )]
    pub(crate) host: Option<LinkTarget>,

    /// Do not open a multicast socket; needs --host.
    #[arg(long, env = "LANCHAT_NO_DISCOVERY")]
    pub(crate) no_discovery: bool,

    /// Pick one of several servers, by its name or the start of its id.
    #[arg(long, value_name = "NAME", env = "LANCHAT_SERVER")]
    pub(crate) server: Option<String>,

    /// Accept only a server with this key; may be repeated.
    #[arg(long, value_name = "FINGERPRINT", env = "LANCHAT_FINGERPRINT", value_delimiter = ',')]
    pub(crate) fingerprint: Vec<Fingerprint>,

    /// Connect without encryption, to a server that allows it: anyone on the path can read and alter
    /// everything.
    #[arg(long, env = "LANCHAT_PLAINTEXT")]
    pub(crate) plaintext: bool,

    /// How long to search for a server and wait for its answer.
    #[arg(
        long,
        value_name = "DURATION",
        env = "LANCHAT_TIMEOUT",
        default_value = "5s",
        value_parser = positive_duration
    )]
    pub(crate) timeout: Duration,
}

impl ConnectArgs {
    /// Checks that the options fit together, and adds the key of a link to the accepted ones.
    pub(crate) fn checked(mut self) -> Result<Self, ExitError> {
        // A link's key must not widen what --fingerprint narrows, nor the reverse.
        if let Some(linked) = self.host.as_ref().and_then(|host| host.fingerprint) {
            if !self.fingerprint.is_empty() && !self.fingerprint.contains(&linked) {
                return Err(ExitError::usage(
                    "the link in --host and --fingerprint name different keys; remove the wrong one",
                ));
            }
            self.fingerprint = vec![linked];
        }
        if self.plaintext && !self.fingerprint.is_empty() {
            return Err(ExitError::usage(
                "--plaintext cannot verify a key; remove it, or remove --fingerprint and use a plain host",
            ));
        }
        if self.no_discovery && self.host.is_none() {
            return Err(ExitError::usage("--no-discovery needs the server's address: --host HOST[:PORT]"));
        }
        Ok(self)
    }
}

#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// Your name in the chat [default: your login name].
    #[arg(short, long, env = "LANCHAT_NAME")]
    pub(crate) name: Option<String>,

    /// File with your private key, created if it does not exist [default: client.pem in your state
    /// directory].
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_KEY_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) key_file: Option<PathBuf>,

    /// Do not reserve your name: others can take it while you are away, and no messages wait for you.
    #[arg(long, env = "LANCHAT_GUEST")]
    pub(crate) guest: bool,

    /// File with a closed server's passphrase [default: ask at the terminal].
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_PASSPHRASE_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
}
