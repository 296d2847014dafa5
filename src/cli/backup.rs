//! `lanchat backup`: a copy of a server's history, made while the server runs.

use std::io;
use std::path::PathBuf;

use super::args::{BackupArgs, CommonArgs};
use super::exit::Failure;
use super::export;
use super::logging::{self, Level};
use super::progress::Progress;
use crate::store;

/// Copies the history to a new file.
///
/// # Errors
/// If the history can't be read, or the file not be written; there is no such file then.
pub fn run(common: &CommonArgs, args: &BackupArgs, data_dir: Option<PathBuf>) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    let progress = Progress::new(common, "copying");
    export::of_server(args.data_dir.clone().or(data_dir), |path| {
        store::backup(path, &args.file, |done, total| progress.tell(done, total))
    })
}
