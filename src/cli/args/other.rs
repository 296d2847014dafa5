//! Options of the smaller subcommands.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::connect::{ConnectArgs, JoinArgs};
use crate::cli::endpoint::Endpoint;
use crate::cli::values::{HostPort, PositiveDuration};
use crate::fingerprint::Fingerprint;
use crate::protocol::Moment;

/// Every subcommand; each has a man page.
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

    /// Also try every address of this machine's networks, up to 1022 per network.
    ///
    /// This takes about 2 seconds and tries port 7667 and the ports of known servers. To others it looks
    /// like an attack, so ask the network's administrator first.
    #[arg(long)]
    pub scan: bool,

    /// Stop at the first server.
    #[arg(long)]
    pub first: bool,

    // A responder stays quiet for a second after an answer (RFC 6762 section 6), so its next one may take
    // 1.1 s.
    /// How long to wait for answers; ends earlier when no more servers turn up.
    #[arg(long, value_name = "DURATION", env = "LANCHAT_TIMEOUT", default_value = "2s")]
    pub timeout: PositiveDuration,
}

/// Options of `lanchat send`.
#[derive(Clone, Debug, Args)]
pub struct SendArgs {
    /// The server, and the sender's name.
    #[command(flatten)]
    pub join: JoinArgs,

    /// The recipient: a user (even offline), a #room, an IP address, all, or server for a command.
    #[arg(long, value_name = "WHO", default_value = "all")]
    pub to: String,

    /// The data directory of the server on this machine [default: the usual one]. If you may read it,
    /// you send as an operator.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,

    /// The message; - or nothing reads it from standard input.
    #[arg(value_name = "TEXT|-")]
    pub text: Option<String>,
}

/// Options of `lanchat tail`.
#[derive(Clone, Debug, Args)]
pub struct TailArgs {
    /// The server, and the reader's name.
    #[command(flatten)]
    pub join: JoinArgs,

    /// Print each message's packet as one line of JSON.
    #[arg(long)]
    pub json: bool,

    /// Start with the messages of the last 1h or 7d, or since 2026-11-21 or 2026-11-21T12:00
    /// [default: only new messages].
    #[arg(long, value_name = "DURATION|TIME")]
    pub since: Option<Moment>,

    /// Join this room and print only its messages; may be repeated.
    #[arg(long, value_name = "#ROOM")]
    pub room: Vec<String>,
}

/// Options of `lanchat doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// The server.
    #[command(flatten)]
    pub connect: ConnectArgs,

    /// Print one JSON object with class, exit status, cause, verdict, remedies and checks.
    #[arg(long)]
    pub json: bool,

    /// Print a report to paste into a ticket; it contains addresses, but no keys.
    #[arg(long, conflicts_with = "json")]
    pub report: bool,
}

/// Options of `lanchat fingerprint`.
#[derive(Clone, Debug, Default, Args)]
pub struct FingerprintArgs {
    /// Print your own key's fingerprint, by which servers and other users know you.
    #[arg(long, conflicts_with_all = ["host", "data_dir"])]
    pub me: bool,

    /// Also draw the fingerprint as a picture.
    #[arg(long)]
    pub art: bool,

    /// Ask the server at this address. This does not prove that nobody intercepts the connection.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", conflicts_with = "data_dir")]
    pub host: Option<Endpoint>,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// Options of `lanchat trust`.
#[derive(Clone, Debug, Args)]
pub struct TrustArgs {
    /// Stop accepting the server's previous key.
    #[arg(long)]
    pub replace: bool,

    /// The server's name; if you know several of that name, its name and id as in vm-3f9a1c77.
    pub name: String,

    /// Its key's fingerprint, as `lanchat fingerprint` prints it on the server: SHA256: and 43 characters.
    pub fingerprint: Fingerprint,
}

/// Options of `lanchat invite`.
#[derive(Clone, Debug, Default, Args)]
pub struct InviteArgs {
    /// The address for the link [default: each of this machine's addresses].
    #[arg(short = 'H', long, value_name = "HOST[:PORT]")]
    pub host: Option<HostPort>,

    /// The data directory of the server on this machine [default: the usual one].
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
    /// The subcommand whose page to print [default: the main page].
    #[arg(value_parser = PossibleValuesParser::new(SUBCOMMANDS), hide_possible_values = true)]
    pub subcommand: Option<String>,
}
