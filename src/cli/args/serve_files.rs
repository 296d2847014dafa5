//! Reads the files that the options of `lanchat serve` name.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use crate::cli::exit::ExitError;
use crate::encoding;
use crate::files;
use crate::limits;
use crate::security::Passphrase;
use crate::server::JoinPolicy;

/// The service manager's credential with a closed server's passphrase.
const CREDENTIAL: &str = "passphrase";

/// Reads a file that the user has named. On another thread: a pipe makes it wait, and a signal should end that.
pub(super) async fn apart<T: Send + 'static>(
    path: &Option<PathBuf>,
    read: impl FnOnce(Option<PathBuf>) -> T + Send + 'static,
) -> anyhow::Result<T> {
    let path = path.clone();
    Ok(tokio::task::spawn_blocking(move || read(path)).await?)
}

pub(super) fn access(closed: bool, passphrase_file: Option<&Path>) -> Result<JoinPolicy, ExitError> {
    if !closed {
        return Ok(JoinPolicy::Open);
    }
    Ok(match passphrase_file.map(Path::to_path_buf).or_else(credential) {
        Some(file) => {
            // A pipe can be read only once, so nobody else gets its name.
            let is_kept = file.is_file();
            let passphrase = Passphrase::read(&file)?;
            match std::path::absolute(&file) {
                Ok(file) if is_kept => JoinPolicy::ClosedByFile(passphrase, file),
                _ => JoinPolicy::Closed(passphrase),
            }
        }
        None => JoinPolicy::ClosedByOwn,
    })
}

/// Returns the passphrase's file that the service manager has handed over (systemd.exec(5), "Credentials"), unless it
/// is blank.
fn credential() -> Option<PathBuf> {
    let file = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
    let is_none = match std::fs::metadata(&file) {
        Ok(found) if found.is_file() => files::read_named(&file, limits::MAX_SECRET_FILE_BYTES)
            .is_ok_and(|text| text.trim_ascii().is_empty()),
        // A pipe can be read only once.
        Ok(_) => false,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    // The caller reads it, and reports any other error.
    (!is_none).then_some(file)
}

pub(super) fn read_motd(path: &Path) -> anyhow::Result<String> {
    // Four times the bound is enough to know that it is too long, even in UTF-16 with line ends of two characters.
    let portion = 4 * limits::MAX_MOTD_BYTES + 4;
    let text = match files::read_named(path, portion) {
        Ok(bytes) if bytes.len() == portion => encoding::decode_lossy(&bytes),
        read => read.and_then(|bytes| Ok(encoding::decode(&bytes)?.0)).map_err(|error| {
            let path = path.display();
            let remedy = match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::TimedOut => "",
                _ => "; use another file with --motd",
            };
            anyhow!("cannot read the message of the day from {path}: {error}{remedy}")
        })?,
    };
    if text.len() > limits::MAX_MOTD_BYTES {
        bail!(
            "the message of the day in {} is longer than {} bytes; shorten it",
            path.display(),
            limits::MAX_MOTD_BYTES
        );
    }
    Ok(text.trim_end().to_owned())
}
