//! `lanchat cluster restore`: begins another log with the history on this machine.

use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::cli::args::ClusterRestoreArgs;
use crate::cli::exit::ExitError;
use crate::cli::own_server;
use crate::server::leave_log;

/// `usual`: the data directory in the config file.
pub(super) fn run(args: &ClusterRestoreArgs, usual: Option<PathBuf>) -> Result<(), ExitError> {
    let dir = match args.data_dir.clone().or(usual) {
        Some(dir) => dir,
        None => own_server::default_data_dir()?,
    };
    let last = leave_log(&dir).map_err(anyhow::Error::from)?;
    let text = format!(
        "the history in {} has messages up to number {last}, and waits for another log\n\
         next:\n  \
         on a machine with a lower number, copy the history with the highest one:\n    \
         lanchat backup there, lanchat restore here, then lanchat cluster restore again\n  \
         once all machines show the same number, start the engines with empty stores, then lanchat\n",
        dir.display()
    );
    Ok(io::stdout().write_all(text.as_bytes())?)
}
