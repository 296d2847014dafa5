//! Options of the subcommands for a server's history.

use std::path::PathBuf;

use clap::Args;

use crate::cli::values::room;
use crate::name::RoomName;
use crate::protocol::Moment;
use crate::store::PersonQuery;

/// The format of exported messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: local time, room, author, text. Safe for a terminal.
    #[default]
    Text,
    /// The packets of the wire protocol, one per line. Safe for a terminal: the rest is escaped.
    Jsonl,
    /// A table with a header; times in UTC. Safe for a spreadsheet: an apostrophe precedes formulas.
    Csv,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ExportArgs {
    /// Output format: text, jsonl (one packet per line) or csv (an apostrophe precedes what a spreadsheet could
    /// take for a formula).
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(crate) format: Format,

    /// Only messages of the last 2h or 7d, or since 2026-11-21 or 2026-11-21T12:00.
    #[arg(long, value_name = "DURATION|TIME")]
    pub(crate) since: Option<Moment>,

    /// Only messages in this room. The # may be left out.
    #[arg(long, value_name = "#ROOM", value_parser = room, conflicts_with = "with")]
    pub(crate) room: Option<RoomName>,

    /// Only direct messages from or to this user.
    #[arg(long, value_name = "NAME")]
    pub(crate) with: Option<String>,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,

    /// Write to a new file instead of standard output.
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BackupArgs {
    /// The file to create; it must not exist yet.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RestoreArgs {
    /// A backup made by `lanchat backup`.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Restore even if the backup was changed after it was made.
    #[arg(long)]
    pub(crate) unchecked: bool,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RepairArgs {
    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ForgetArgs {
    /// The person: a name that belongs to a key, or the key as in key:SHA256:...
    #[arg(value_name = "WHO", value_parser = person)]
    pub(crate) who: PersonQuery,

    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,

    /// The data directory of the server on this machine [default: the usual one].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
}

fn person(text: &str) -> Result<PersonQuery, String> {
    match text.strip_prefix("key:") {
        Some(key) => key.parse().map(PersonQuery::Key).map_err(|error| format!("{error}")),
        None => Ok(PersonQuery::Name(text.to_owned())),
    }
}
