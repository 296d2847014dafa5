//! Options of `lanchat serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

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

    /// How many clients may be connected at once [default: 10000, or what descriptors allow].
    #[arg(
        long,
        value_name = "N",
        env = "LANCHAT_SERVE_MAX_CLIENTS",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_clients: Option<u32>,

    /// What may wait for a client that reads too slowly, before it is disconnected [default: 1MiB].
    #[arg(long, value_name = "SIZE", env = "LANCHAT_SERVE_BACKLOG")]
    pub backlog: Option<Size>,

    /// Where the server keeps what must outlive it.
    #[arg(
        long,
        value_name = "DIR",
        env = "LANCHAT_SERVE_DATA_DIR",
        value_hint = clap::ValueHint::DirPath
    )]
    pub data_dir: Option<PathBuf>,

    /// A text file that everybody is shown on joining.
    #[arg(
        long,
        value_name = "FILE",
        env = "LANCHAT_SERVE_MOTD",
        value_hint = clap::ValueHint::FilePath
    )]
    pub motd: Option<PathBuf>,

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
