//! Options of the smaller subcommands.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::connect::{ConnectArgs, JoinArgs};
use super::file_users::SendFileArgs;
use crate::cli::link_target::LinkTarget;
use crate::cli::values::{HostPort, last, positive_duration, room};
use crate::fingerprint::Fingerprint;
use crate::name::RoomName;
use crate::protocol::Moment;

/// Every subcommand; each has a man page.
pub const SUBCOMMANDS: [&str; 18] = [
    "serve",
    "discover",
    "send",
    "receive",
    "tail",
    "status",
    "doctor",
    "fingerprint",
    "trust",
    "invite",
    "export",
    "backup",
    "restore",
    "repair",
    "forget",
    "cluster",
    "completions",
    "man",
];

#[derive(Clone, Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// Print one JSON array instead of a table.
    #[arg(long)]
    pub(crate) json: bool,

    /// Also try every address of this machine's networks, up to 1022 per network.
    ///
    /// This tries port 7667 and the ports of known servers; it takes a second for 254 addresses and 10 seconds for
    /// 1022. To others it looks like an attack, so ask the network's administrator first.
    #[arg(long)]
    pub(crate) scan: bool,

    /// Stop at the first server.
    #[arg(long)]
    pub(crate) first: bool,

    // A responder stays quiet for a second after an answer (RFC 6762 section 6), so its next one may take
    // 1.1 s.
    /// How long to wait for answers; ends earlier when no further servers turn up.
    #[arg(
        long,
        value_name = "DURATION",
        env = "LANCHAT_TIMEOUT",
        default_value = "2s",
        value_parser = positive_duration
    )]
    pub(crate) timeout: Duration,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) join: JoinArgs,

    /// The recipient: a user (even offline), a #room, an IP address, all, or server for a command
    /// [default: all; for a file, none].
    #[arg(long, value_name = "TO")]
    pub(crate) to: Option<String>,

    /// Send to this room; the same as --to #ROOM. The # may be left out.
    #[arg(long, value_name = "#ROOM", conflicts_with = "to", value_parser = room)]
    pub(crate) room: Option<RoomName>,

    /// Join the room first, which creates it if it does not exist.
    #[arg(long = "join", conflicts_with = "file")]
    pub(crate) join_room: bool,

    #[command(flatten)]
    pub(crate) files: SendFileArgs,

    /// Print the receipt as one line of JSON, or the error with its code; with --file, a line per event.
    #[arg(long)]
    pub(crate) json: bool,

    /// The data directory of the server on this machine [default: the usual one]. If you may read it,
    /// you send as an operator.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,

    /// The message, in one or more words; - or nothing reads it from standard input.
    #[arg(value_name = "TEXT|-")]
    pub(crate) text: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    pub(crate) join: JoinArgs,

    /// Print each message's packet as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Start with the messages of the last 1h or 7d, or since 2026-11-21 or 2026-11-21T12:00
    /// [default: only new messages].
    #[arg(long, value_name = "DURATION|TIME")]
    pub(crate) since: Option<Moment>,

    /// Start with the last N messages, at most 200.
    // The command line's definition adds -n, which joining uses for --name.
    #[arg(long, value_name = "N", conflicts_with = "since", value_parser = last)]
    pub(crate) last: Option<u64>,

    /// Join this room and print only its messages; may be repeated. The # may be left out.
    #[arg(long, value_name = "#ROOM", value_parser = room)]
    pub(crate) room: Vec<RoomName>,

    /// Accepted for users of the system's tail; lanchat always follows.
    #[arg(short, long, hide = true)]
    pub(crate) follow: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// Print one JSON object with class, exit status, cause, verdict, remedies and checks.
    #[arg(long)]
    pub(crate) json: bool,

    /// Print a report to paste into a ticket; it contains addresses, but no keys.
    #[arg(long, conflicts_with = "json")]
    pub(crate) report: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FingerprintArgs {
    /// Print your own key's fingerprint, by which servers and other users know you.
    #[arg(long, conflicts_with_all = ["host", "data_dir"])]
    pub(crate) me: bool,

    /// Print the SHA-256 of the server's certificate for browsers, in the two forms in which browsers show it.
    ///
    /// Compare it where the browser warns: Firefox, "View Certificate"; Chromium, "Not secure" in front of the
    /// address. Anyone between a browser and the server has another certificate.
    #[arg(long, conflicts_with_all = ["me", "art"])]
    pub(crate) web: bool,

    /// File with your private key, for --me [default: client.pem in your state directory].
    #[arg(long, value_name = "FILE", env = "LANCHAT_KEY_FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,

    /// Also draw the fingerprint as a picture.
    #[arg(long)]
    pub(crate) art: bool,

    /// Ask the server at this address. This does not prove that nobody intercepts the connection.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", conflicts_with = "data_dir")]
    pub(crate) host: Option<LinkTarget>,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct TrustArgs {
    /// Stop accepting the server's previous key.
    #[arg(long)]
    pub(crate) replace: bool,

    /// The server's name; if you know several of that name, its name and id as in vm-3f9a1c77.
    #[arg(required_if_eq("replace", "true"))]
    pub(crate) name: Option<String>,

    /// Its key's fingerprint, as `lanchat fingerprint` prints it on the server: SHA256: and 43 characters.
    #[arg(required_if_eq("replace", "true"))]
    pub(crate) fingerprint: Option<Fingerprint>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct InviteArgs {
    /// The address for the link [default: each of this machine's addresses].
    #[arg(short = 'H', long, value_name = "HOST[:PORT]")]
    pub(crate) host: Option<HostPort>,

    /// Print links to the page for browsers, and a QR code at a terminal; the server must run with --web.
    ///
    /// The links to a closed server let one browser in, within 10 minutes.
    #[arg(long)]
    pub(crate) web: bool,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh.
    #[arg(hide_possible_values = true)]
    pub(crate) shell: clap_complete::Shell,

    /// The question of a script: the words of the command line up to the cursor, as the shell has them.
    #[arg(last = true, hide = true)]
    pub(crate) words: Vec<OsString>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ManArgs {
    /// The subcommand whose page to print [default: the main page].
    #[arg(value_parser = PossibleValuesParser::new(SUBCOMMANDS), hide_possible_values = true)]
    pub(crate) subcommand: Option<String>,
}
