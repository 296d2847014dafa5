//! Options of `lanchat cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::serve::server_name;
use crate::cluster_files::ClusterServer;
use crate::limits::{DEFAULT_ENGINE_PORT, DEFAULT_PORT, DEFAULT_ROUTE_PORT};

#[derive(Clone, Debug, Args)]
#[command(disable_help_subcommand = true, arg_required_else_help = false)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) action: ClusterAction,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ClusterAction {
    /// Make the join files for a chat of 1, 3 or 5 servers.
    ///
    /// Writes a file per server, such as a.join, with the chat's key and the certificates of the engine. Copy
    /// each to its machine, run `lanchat cluster join` there, and delete it: anyone who can read it can act as
    /// the chat's server. It replaces no file, and contacts no machine.
    New(ClusterNewArgs),

    /// Make this machine a server of a chat, with a join file.
    ///
    /// Writes the engine's settings (nats-server.conf) and certificates, and into the data directory the chat's
    /// key and engine.toml, then prints the next commands. It replaces no file, and refuses a machine that
    /// belongs to another chat; running it twice does no harm.
    Join(ClusterJoinArgs),

    /// Begin another log with the history on this machine, because the servers' log is lost.
    ///
    /// Stop all servers first. Run it on the machine with the most messages, which it prints, then copy that history
    /// to the other machines: `lanchat backup` here, and there `lanchat restore` and this command again.
    Restore(ClusterRestoreArgs),

    /// Show how the servers of the chat and their engine are doing.
    ///
    /// Asks all servers and all engines from this machine, for a few seconds at most, and says what is wrong and
    /// what to do. The exit status is 0 if all is well, and 1 if not. Needs the chat's key, so run it as the user of
    /// the server, or with sudo.
    #[cfg(feature = "nats")]
    Status(ClusterStatusArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterNewArgs {
    /// The chat's name, which people see.
    #[arg(value_name = "CHAT", value_parser = server_name)]
    pub(crate) chat: String,

    /// A server: a name of 1 to 8 letters a to z and digits, and the address or host name of its machine, which
    /// the other servers and people reach; once per server.
    #[arg(long = "box", value_name = "NAME=HOST", required = true)]
    pub(crate) boxes: Vec<ClusterServer>,

    /// Take the key of the server with this data directory, so that people's clients recognise the chat. Stop
    /// the server first.
    ///
    /// Its history stays there; the first --box is the server that brings it along.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) from: Option<PathBuf>,

    /// The port of each server for people.
    #[arg(short, long, value_name = "N", default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,

    /// The port of each engine for lanchat.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ENGINE_PORT)]
    pub(crate) engine_port: u16,

    /// The port of each engine for the other engines.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_ROUTE_PORT)]
    pub(crate) route_port: u16,

    /// The directory for the files [default: the current one].
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(feature = "nats")]
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ClusterStatusArgs {
    /// The engine file of the server on this machine [default: that of the config file, or else engine.toml in its
    /// data directory].
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) engine_file: Option<PathBuf>,

    /// The data directory of the server on this machine, with the chat's key [default: that of the config file, or
    /// else the engine file's directory].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Print one JSON object with servers, engine, faults, and what is unknown.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterRestoreArgs {
    /// The data directory of the server on this machine [default: that of your own server].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterJoinArgs {
    /// The join file for this machine.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// The data directory of the server on this machine [default: that of your own server if there is one, or else
    /// that of the system service if it is installed].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,

    /// The directory for the engine's settings and certificates [default: /etc/nats for the system service, or
    /// else the current one].
    #[arg(short, long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,

    /// The directory for the engine's data [default: /var/lib/nats for the system service, or else jetstream
    /// beside its settings].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) store_dir: Option<PathBuf>,
}
