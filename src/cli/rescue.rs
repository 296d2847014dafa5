//! `lanchat restore` and `lanchat repair`: restore a backup, and recover a damaged history.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{CommonArgs, RepairArgs, RestoreArgs};
use super::exit::ExitError;
use super::logging;
use super::own_server;
use super::progress::ProgressDisplay;
use super::values::LogLevel;
use crate::server::{self, DataDirError, RecoveryError};
use crate::store::{ChecksumState, Repaired, StoreError};

/// Restores a backup; if that fails, nothing has changed.
pub(crate) fn restore(
    common: &CommonArgs,
    args: &RestoreArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let dir = own_server::directory(args.data_dir.clone().or(data_dir))?;
    let progress = ProgressDisplay::new(common, "checking");
    let done = server::restore(&dir, &args.file, args.unchecked, |done, total| {
        progress.set_message("restoring");
        progress.set(done, total);
    });
    let done = done.map_err(|error| failure(error, "restore FILE"))?;
    drop(progress);
    let latest = done
        .latest
        .map_or(String::new(), |at| format!(", the latest from {}", at.strftime("%Y-%m-%d %H:%M UTC")));
    let rest = if done.is_whole {
        "the server's key and other files"
    } else {
        "no other files, as it is only a history"
    };
    let mut text =
        format!("restored to {}: {}{latest}; {rest}\n", dir.display(), counted(done.messages, "message"));
    text += match done.checksum {
        ChecksumState::Valid => "",
        ChecksumState::Wrong => {
            "the backup was changed after it was made: check that the messages are genuine\n"
        }
        ChecksumState::Missing => {
            "the backup has no checksum, so it may have been changed after it was made\n"
        }
    };
    text += &kept(done.aside.as_deref(), "the previous data");
    text += &next(&dir);
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Recovers a damaged history; if that fails, nothing has changed.
pub(crate) fn repair(
    common: &CommonArgs,
    args: &RepairArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let dir = own_server::directory(args.data_dir.clone().or(data_dir))?;
    let progress = ProgressDisplay::new(common, "repairing");
    let done = server::repair(&dir, |done, total| progress.set(done, total))
        .map_err(|error| failure(error, "repair"))?;
    drop(progress);
    let text = match done {
        None => format!("the history in {} is intact; nothing was changed\n", dir.display()),
        Some((repaired, aside)) => {
            let aside = kept(aside.as_deref(), "the damaged history");
            format!("{}{aside}{}", summary(&dir, &repaired), next(&dir))
        }
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn summary(dir: &Path, repaired: &Repaired) -> String {
    let saved = [
        counted(repaired.messages, "message"),
        counted(repaired.rooms, "room"),
        counted(repaired.mail, "undelivered message"),
        counted(repaired.names, "name"),
        counted(repaired.operators, "operator"),
        counted(repaired.members, "member"),
        counted(repaired.sanctions, "ban or mute"),
    ];
    let lost = match (repaired.lost_pages, repaired.lost_rows) {
        (0, 0) => "nothing is lost".to_owned(),
        (pages, rows) => format!(
            "lost: {} that cannot be read, and {}; some messages may be missing",
            counted(pages, "page"),
            counted(rows, "single row")
        ),
    };
    let unnamed = repaired.unnamed.iter().map(|(name, count)| {
        format!(
            "{} are now in {name}, because the name of their room cannot be read\n",
            counted(*count, "message")
        )
    });
    let unnamed: String = unnamed.collect();
    format!("recovered in {}: {}\n{lost}\n{unnamed}", dir.display(), saved.join(", "))
}

pub(super) fn counted(count: u64, what: &str) -> String {
    match (count, what.split_once(" or ")) {
        (1, _) => format!("1 {what}"),
        (_, Some((one, other))) => format!("{count} {one}s and {other}s"),
        (_, None) => format!("{count} {what}s"),
    }
}

fn kept(aside: Option<&Path>, what: &str) -> String {
    aside.map_or(String::new(), |aside| {
        format!("{what} is now in {}; delete it once you no longer need it\n", aside.display())
    })
}

fn next(dir: &Path) -> String {
    if dir == own_server::service_dir() {
        "now start the server: systemctl start lanchat\n".into()
    } else {
        "now start the server: lanchat serve, with its usual options\n".into()
    }
}

/// Says how to stop the server that uses the directory. The work needs its database closed.
fn running(dir: &Path) -> String {
    let (stop, start) = match dir == own_server::service_dir() {
        true => (" with `systemctl stop lanchat`", " with `systemctl start lanchat`"),
        false => (" (Ctrl-C at its terminal, or SIGTERM)", ""),
    };
    format!(
        "a lanchat server is using the data directory {}; stop it{stop}, run this again, and start it{start}: clients \
         return by themselves, and send what waits",
        dir.display()
    )
}

pub(super) fn failure(error: RecoveryError, command: &str) -> ExitError {
    match error {
        RecoveryError::DataDir(DataDirError::Unusable(path, error))
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            own_server::denied(&path, &error, command)
        }
        RecoveryError::Runs(dir) => anyhow::anyhow!("{}", running(&dir)).into(),
        RecoveryError::Store(StoreError::Denied(path, why)) => own_server::denied(&path, &why, command),
        other => other.into(),
    }
}
