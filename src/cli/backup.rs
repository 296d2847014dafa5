//! `lanchat backup`: a copy of all that a server is, made while it runs.

use std::io;
use std::path::{Path, PathBuf};

use super::args::{BackupArgs, CommonArgs};
use super::exit::Failure;
use super::logging::{self, Level};
use super::own_server;
use super::progress::Progress;
use crate::{server, store};

/// Copies the history and the server's other files to a new file.
///
/// # Errors
/// If they can't be read, or the file not be written; there is no such file then.
pub fn run(common: &CommonArgs, args: &BackupArgs, data_dir: Option<PathBuf>) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    let progress = Progress::new(common, "copying");
    own_server::history(args.data_dir.clone().or(data_dir), "backup FILE", |path| {
        let files = server::kept_files(path.parent().unwrap_or(Path::new("")))?;
        store::backup(path, &args.file, &files, |done, total| progress.tell(done, total))
    })
}
