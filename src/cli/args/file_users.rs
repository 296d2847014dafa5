//! Options for sending and receiving files.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::connect::JoinArgs;
use crate::cli::values::{Size, positive_duration};
use crate::client::Consent;
use crate::name::Name;

#[derive(Clone, Debug, Args)]
pub(crate) struct SendFileArgs {
    /// Offer this file or folder instead of a message, and stay until the recipient has it; several become one folder.
    /// Hidden files in a folder go with it. - is standard input.
    #[arg(
        long,
        value_name = "PATH",
        num_args = 1..,
        conflicts_with = "text",
        value_hint = clap::ValueHint::AnyPath
    )]
    pub(crate) file: Vec<PathBuf>,

    /// Offer the file under this name [default: its own].
    #[arg(long = "as", value_name = "NAME", requires = "file")]
    pub(crate) file_name: Option<String>,

    /// Give up if nobody accepts the file, no bytes move, or the server stays away for so long [default: wait].
    #[arg(long, value_name = "DURATION", requires = "file", value_parser = positive_duration)]
    pub(crate) wait: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ReceiveArgs {
    #[command(flatten)]
    pub(crate) join: JoinArgs,

    /// Take only the files of this user, and leave the others to your other sessions.
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) from: Option<Name>,

    /// Put files into this folder, which must be there [default: your folder for downloads].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) to: Option<PathBuf>,

    /// Exit after the first file.
    #[arg(long)]
    pub(crate) once: bool,

    /// Take this user's files without a question: key:FINGERPRINT, or the name of a user whose key you have
    /// verified; may be repeated.
    #[arg(long, value_name = "USER")]
    pub(crate) yes_from: Vec<Consent>,

    /// Take everybody's files without a question, also of users whom nothing proves.
    #[arg(long)]
    pub(crate) yes_to_all: bool,

    /// Take no file or folder over this size.
    ///
    /// A number of bytes, or with a unit: 10K, 10M, 10G and 10T count in steps of 1024, as 10KiB and 10MiB do, and 10KB
    /// and 10MB in steps of 1000.
    #[arg(long, value_name = "SIZE")]
    pub(crate) max: Option<Size>,

    /// Print each event as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}
