//! Options of the subcommands for a server's history.

use std::path::PathBuf;

use clap::Args;

use crate::name::RoomName;
use crate::protocol::Moment;

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: local time, where, who, what. Nothing in it can drive a terminal.
    #[default]
    Text,
    /// The packets of the wire, one a line.
    Jsonl,
    /// With a head; times in UTC.
    Csv,
}

/// Options of `lanchat export`.
#[derive(Clone, Debug, Default, Args)]
pub struct ExportArgs {
    /// How messages are written: text, jsonl (the packets of the wire, one a line) or csv.
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub format: Format,

    /// Only what was said in that time (2h, 7d), or from then on (2026-11-21, 2026-11-21T12:00).
    #[arg(long, value_name = "DURATION|TIME")]
    pub since: Option<Moment>,

    /// Only what was said in this room.
    #[arg(long, value_name = "#ROOM", value_parser = RoomName::new, conflicts_with = "with")]
    pub room: Option<RoomName>,

    /// Only direct messages from or to the user of this name.
    #[arg(long, value_name = "NAME")]
    pub with: Option<String>,

    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,

    /// Write a new file instead of standard output.
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// Options of `lanchat backup`.
#[derive(Clone, Debug, Default, Args)]
pub struct BackupArgs {
    /// The file to make; one that exists is left as it is.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,

    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// Options of `lanchat restore`.
#[derive(Clone, Debug, Default, Args)]
pub struct RestoreArgs {
    /// What `lanchat backup` made.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,

    /// Put it back even if it was changed since it was made.
    #[arg(long)]
    pub unchecked: bool,

    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// Options of `lanchat repair`.
#[derive(Clone, Debug, Default, Args)]
pub struct RepairArgs {
    /// The data directory of the server on this machine, if not the usual one.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}
