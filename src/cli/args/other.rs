//! Options of the smaller subcommands.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::connect::{ConnectArgs, JoinArgs};
use crate::cli::invitation::Destination;
use crate::cli::values::{HostPort, Span};
use crate::fingerprint::Fingerprint;
use crate::protocol::Moment;

/// The subcommands that have a page, which is all of them.
pub const SUBCOMMANDS: [&str; 14] = [
    "serve",
    "discover",
    "send",
    "tail",
    "doctor",
    "fingerprint",
    "trust",
    "invite",
    "export",
    "backup",
    "restore",
    "repair",
    "completions",
    "man",
];

/// Options of `lanchat discover`.
#[derive(Clone, Debug, Args)]
pub struct DiscoverArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Also try every address of this machine's own networks, of each 1022 at most.
    ///
    /// It takes about 2 s, and tries port 7667 and the ports of servers that are known. To others it looks
    /// like an attack, so ask whoever runs the network.
    #[arg(long)]
    pub scan: bool,

    /// Stop at the first server.
    #[arg(long)]
    pub first: bool,

    // A browse that falls into the second in which responders keep quiet (RFC 6762 section 6) gets its
    // answer within 1.1 s.
    /// How long to listen for answers at most; it ends earlier when no more servers turn up.
    #[arg(long, value_name = "DURATION", env = "LANCHAT_TIMEOUT", default_value = "2s")]
    pub timeout: Span,
}

/// Options of `lanchat send`.
#[derive(Clone, Debug, Args)]
pub struct SendArgs {
    /// The server and the sender's name.
    #[command(flatten)]
    pub join: JoinArgs,

    /// Who gets it: a user's name, here or away, a #room, an IP address, all, or, for a command, server.
    #[arg(long, value_name = "WHO", default_value = "all")]
    pub to: String,

    /// The data directory of the server on this machine, if not the usual one: whoever may read it is an operator
    /// there.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,

    /// The message; - or nothing reads it from standard input.
    #[arg(value_name = "TEXT|-")]
    pub text: Option<String>,
}

/// Options of `lanchat tail`.
#[derive(Clone, Debug, Args)]
pub struct TailArgs {
    /// The server and the reader's name.
    #[command(flatten)]
    pub join: JoinArgs,

    /// Print each message as one line of JSON: its packet.
    #[arg(long)]
    pub json: bool,

    /// Begin with what was said in that time (1h, 7d), or from then on (2026-11-21,
    /// 2026-11-21T12:00); from now on without it.
    #[arg(long, value_name = "DURATION|TIME")]
    pub since: Option<Moment>,

    /// Print what is said in this room only, and become a member of it; may be repeated.
    #[arg(long, value_name = "#ROOM")]
    pub room: Vec<String>,
}

/// Options of `lanchat doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// The server.
    #[command(flatten)]
    pub connect: ConnectArgs,

    /// Print one JSON object: class, exit status, cause, verdict, remedies and checks.
    #[arg(long)]
    pub json: bool,

    /// Print one text to paste into a ticket; it has addresses, and no keys.
    #[arg(long, conflicts_with = "json")]
    pub report: bool,
}

/// Options of `lanchat fingerprint`.
#[derive(Clone, Debug, Default, Args)]
pub struct FingerprintArgs {
    /// Your own key's, by which servers and other people know you.
    #[arg(long, conflicts_with_all = ["host", "data_dir"])]
    pub me: bool,

    /// Draw a picture of it as well.
    #[arg(long)]
    pub art: bool,

    /// Ask the server at this address, which proves nothing about the way to it.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", conflicts_with = "data_dir")]
    pub host: Option<Destination>,

    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// Options of `lanchat trust`.
#[derive(Clone, Debug, Args)]
pub struct TrustArgs {
    /// Give up the key that the server had before.
    #[arg(long)]
    pub replace: bool,

    /// The server's name; where you know several of it, name and digits as in vm-3f9a1c77.
    pub name: String,

    /// Its key's fingerprint, as `lanchat fingerprint` prints it there: SHA256: and 43 characters.
    pub fingerprint: Fingerprint,
}

/// Options of `lanchat invite`.
#[derive(Clone, Debug, Default, Args)]
pub struct InviteArgs {
    /// The address that guests use, if not those of this machine.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]")]
    pub host: Option<HostPort>,

    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
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
    #[arg(value_parser = PossibleValuesParser::new(SUBCOMMANDS), hide_possible_values = true)]
    pub subcommand: Option<String>,
}
