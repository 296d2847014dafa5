//! `lanchat backup`: copies a server's history, key and other files, even while it runs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::args::{BackupArgs, CommonArgs};
use super::exit::ExitError;
use super::logging;
use super::own_server;
use super::progress::ProgressDisplay;
use super::rescue::counted;
use super::values::LogLevel;
use crate::{server, store};

/// Copies the history and the server's other files to a new file.
/// If that fails, no copy remains.
pub(crate) fn run(
    common: &CommonArgs,
    args: &BackupArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let (progress, begun) = (ProgressDisplay::new(common, "copying"), Instant::now());
    let made = own_server::history(args.data_dir.clone().or(data_dir), "backup FILE", |path| {
        let files = server::kept_files(path.parent().unwrap_or(Path::new("")))?;
        store::backup(path, &args.file, &files, |done, total| {
            progress.set_message(if done < total { "copying" } else { "checking" });
            progress.set(done, total);
        })
    })?;
    drop(progress);
    let text = format!(
        "backed up to {}: {}, {:.1} MB, in {:.1} s; it contains the server's key, so keep it private\n",
        args.file.display(),
        counted(made.messages, "message"),
        made.bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    Ok(io::stdout().write_all(text.as_bytes())?)
}
