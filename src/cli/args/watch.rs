//! Options of `lanchat serve` about what an administrator sees of it, and those of `lanchat status`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::connect::JoinArgs;
use crate::limits::DEFAULT_METRICS_PORT;

#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct WatchArgs {
    /// Serve metrics at http://ADDR:PORT/metrics in the OpenMetrics format [default: none; port 7668].
    ///
    /// Anyone who can connect there can read them: they have numbers and the server's name, and nothing about users.
    /// 127.0.0.1 keeps them on this machine.
    #[arg(long, value_name = "ADDR[:PORT]", env = "LANCHAT_SERVE_METRICS", value_parser = metrics_address)]
    pub(crate) metrics: Option<SocketAddr>,

    /// The format of the log: text, or one JSON object a line.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "LANCHAT_SERVE_LOG_FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) log_format: LogFormat,

    /// Log who connects and disconnects, with name, key and address.
    #[arg(long, env = "LANCHAT_SERVE_LOG_CONNECTIONS")]
    pub(crate) log_connections: bool,
}

/// How the lines of a log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people, and for the journal.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) join: JoinArgs,

    /// Print the numbers as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DEFAULT_METRICS_PORT));
    alone.or_else(|_| text.parse()).map_err(|_| {
        format!("expected an address of this machine such as 127.0.0.1 or 127.0.0.1:{DEFAULT_METRICS_PORT}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_metrics_needs_no_port() {
        let read = |text: &str| metrics_address(text).map(|address| address.to_string());
        assert_eq!(read("127.0.0.1").unwrap(), "127.0.0.1:7668");
        assert_eq!(read("127.0.0.1:9000").unwrap(), "127.0.0.1:9000");
        assert_eq!(read("::1").unwrap(), "[::1]:7668");
        assert_eq!(read("[::1]").unwrap(), "[::1]:7668");
        assert_eq!(read("[::1]:9000").unwrap(), "[::1]:9000");
        assert!(read(":9000").is_err() && read("localhost").is_err() && read("").is_err());
    }
}
