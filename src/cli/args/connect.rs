//! Options of the subcommands that talk to a server.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Failure;
use crate::cli::invitation::Destination;
use crate::cli::values::Span;
use crate::fingerprint::Fingerprint;

/// Which server to talk to, and how to look for it.
#[derive(Clone, Debug, PartialEq, Args)]
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
    #[arg(long, env = "LANCHAT_NO_DISCOVERY")]
    pub no_discovery: bool,

    /// Pick one of several servers, by its name or the start of its id.
    #[arg(long, value_name = "NAME", env = "LANCHAT_SERVER")]
    pub server: Option<String>,

    /// Accept a server with this key only; may be repeated.
    #[arg(long, value_name = "FINGERPRINT", env = "LANCHAT_FINGERPRINT", value_delimiter = ',')]
    pub fingerprint: Vec<Fingerprint>,

    /// Connect without encryption, to a server that allows it: everybody on the way can read and
    /// change all of it.
    #[arg(long, env = "LANCHAT_PLAINTEXT")]
    pub plaintext: bool,

    /// How long to look for a server and wait for its answer.
    #[arg(long, value_name = "DURATION", env = "LANCHAT_TIMEOUT", default_value = "5s")]
    pub timeout: Span,
}

impl ConnectArgs {
    /// The same with the key of a link among those that are accepted, if all of it makes sense together.
    ///
    /// # Errors
    /// A usage error that says what to leave out or to add.
    pub fn checked(mut self) -> Result<Self, Failure> {
        // A key on the command line does not widen what another source has narrowed, nor the reverse.
        if let Some(linked) = self.host.as_ref().and_then(|host| host.fingerprint) {
            if !self.fingerprint.is_empty() && !self.fingerprint.contains(&linked) {
                return Err(Failure::usage(
                    "the link of --host and --fingerprint name different keys; leave out the one that is wrong",
                ));
            }
            self.fingerprint = vec![linked];
        }
        if self.plaintext && !self.fingerprint.is_empty() {
            return Err(Failure::usage(
                "--plaintext proves no key, so it cannot be used together with --fingerprint or an invitation",
            ));
        }
        if self.no_discovery && self.host.is_none() {
            return Err(Failure::usage("--no-discovery needs the server's address: --host HOST[:PORT]"));
        }
        Ok(self)
    }
}

/// Options of joining the chat.
#[derive(Clone, Debug, PartialEq, Args)]
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
