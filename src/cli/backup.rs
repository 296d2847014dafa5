//! `lanchat backup`: a copy of all that a server is, made while it runs.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::args::{BackupArgs, CommonArgs};
use super::exit::Failure;
use super::logging::{self, Level};
use super::own_server;
use super::progress::Progress;
use super::rescue::some;
use crate::{server, store};

/// Copies the history and the server's other files to a new file.
///
/// # Errors
/// If they can't be read, or the file not be written; there is no such file then.
pub fn run(common: &CommonArgs, args: &BackupArgs, data_dir: Option<PathBuf>) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    let (progress, begun) = (Progress::new(common, "copying"), Instant::now());
    let made = own_server::history(args.data_dir.clone().or(data_dir), "backup FILE", |path| {
        let files = server::kept_files(path.parent().unwrap_or(Path::new("")))?;
        store::backup(path, &args.file, &files, |done, total| {
            progress.say(if done < total { "copying" } else { "checking" });
            progress.tell(done, total);
        })
    })?;
    drop(progress);
    let text = format!(
        "backed up in {}: {}, {:.1} MB, in {:.1} s; it holds the server's key, so keep it where nobody else reads it\n",
        args.file.display(),
        some(made.messages, "message"),
        made.bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    Ok(io::stdout().write_all(text.as_bytes())?)
}
