//! Options of `lanchat serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::cli::bounds::{Age, Cap, Pace, Volume};
use crate::cli::values::{HostPort, Size};

/// What kind of server to run.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// The address to listen on; all of this machine's if none is given.
    #[arg(short = 'H', long, value_name = "HOST[:PORT]", env = "LANCHAT_SERVE_HOST")]
    pub host: Option<HostPort>,

    /// The port to listen on; 0 takes any free one [default: 7667].
    #[arg(short, long, env = "LANCHAT_SERVE_PORT")]
    pub port: Option<u16>,

    /// The server's name, as people see it; the host name if none is given.
    #[arg(short, long, env = "LANCHAT_SERVE_NAME")]
    pub name: Option<String>,

    /// How many clients may be connected at once [default: 20000, or what descriptors allow].
    #[arg(
        long,
        value_name = "N",
        env = "LANCHAT_SERVE_MAX_CLIENTS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_clients: Option<u32>,

    /// How many connections one address may have however few places are left [default: 64];
    /// this machine's own may have any number.
    #[arg(long, value_name = "N|off", env = "LANCHAT_SERVE_MAX_PER_IP")]
    pub max_per_ip: Option<Cap>,

    /// How many messages a second a user may send, and how many at once [default: 5:20]; what is
    /// more waits its turn.
    #[arg(long, value_name = "RATE[:BURST]|off", env = "LANCHAT_SERVE_RATE_LIMIT")]
    pub rate_limit: Option<Pace>,

    /// What may wait for a client that reads too slowly, before it is disconnected [default: 1MiB].
    #[arg(long, value_name = "SIZE", env = "LANCHAT_SERVE_BACKLOG")]
    pub backlog: Option<Size>,

    /// What the server may use of the machine's memory [default: what its service or container is granted,
    /// or half of the machine's]; a quarter of it is for what waits for clients.
    #[arg(long, value_name = "SIZE", env = "LANCHAT_SERVE_MEMORY")]
    pub memory: Option<Size>,

    /// Where the server keeps what must outlive it.
    #[arg(
        long,
        value_name = "DIR",
        env = "LANCHAT_SERVE_DATA_DIR",
        value_hint = clap::ValueHint::DirPath
    )]
    pub data_dir: Option<PathBuf>,

    /// Keep no messages, mail and rooms on disk: they are for those who are here, and gone.
    ///
    /// Names, operators, members, bans and mutes are kept all the same. A history that is there already stays,
    /// and nobody is told of it.
    #[arg(
        long,
        env = "LANCHAT_SERVE_NO_HISTORY",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub no_history: Option<bool>,

    /// How long messages are kept [default: 90d].
    ///
    /// What grows older is removed, mail that waits for somebody too: its author is told. By a wrong clock
    /// things go a day early at most, and a day more for each day that it stays wrong; after a long absence
    /// of the machine they go late.
    #[arg(long, value_name = "AGE|off", env = "LANCHAT_SERVE_RETAIN")]
    pub retain: Option<Age>,

    /// How much of the disk they may take, before some are removed [default: 1GiB].
    ///
    /// The oldest go first of whoever has said most. Mail that waits for somebody is never removed for it;
    /// once that takes half, no more is taken for people who are away.
    #[arg(long, value_name = "SIZE|off", env = "LANCHAT_SERVE_RETAIN_SIZE")]
    pub retain_size: Option<Volume>,

    /// A text file that everybody is shown on joining.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_MOTD",
        value_hint = clap::ValueHint::FilePath
    )]
    pub motd: Option<PathBuf>,

    /// Let in those only who know the passphrase, and who have proved it once.
    #[arg(
        long,
        env = "LANCHAT_SERVE_CLOSED",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub closed: Option<bool>,

    /// The file with a closed server's passphrase; without one it is made up and kept in the data
    /// directory.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_PASSPHRASE_FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    pub passphrase_file: Option<PathBuf>,

    /// Also take connections that are not encrypted, on the same port. Those who use them own no
    /// names.
    #[arg(
        long,
        env = "LANCHAT_SERVE_ALLOW_PLAINTEXT",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub allow_plaintext: Option<bool>,

    /// Take names of ASCII letters, digits and punctuation only.
    #[arg(
        long,
        env = "LANCHAT_SERVE_ASCII_NAMES",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub ascii_names: Option<bool>,

    /// Announce the server on this network interface only; may be repeated.
    #[arg(long, env = "LANCHAT_SERVE_INTERFACE", value_name = "NAME", value_delimiter = ',')]
    pub interface: Vec<String>,

    /// Announce this address of the machine's only; may be repeated. One that lies in none of the
    /// machine's networks can't be announced.
    #[arg(long, env = "LANCHAT_SERVE_ADVERTISE", value_name = "ADDR", value_delimiter = ',')]
    pub advertise: Vec<IpAddr>,

    /// Do not announce the server: no multicast socket is opened.
    #[arg(
        long,
        env = "LANCHAT_SERVE_NO_DISCOVERY",
        num_args = 0,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub no_discovery: Option<bool>,
}
