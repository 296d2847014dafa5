//! `lanchat restore` and `lanchat repair`: a backup put back, and a damaged history saved.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{CommonArgs, RepairArgs, RestoreArgs};
use super::exit::Failure;
use super::logging::{self, Level};
use super::own_server::{self, SERVICE_DIR};
use super::progress::Progress;
use crate::server::{self, DataDirError, RecoveryError};
use crate::store::{ChecksumState, Repaired, StoreError};

/// Puts a backup back.
///
/// # Errors
/// Why it can't; then all is as it was.
pub fn restore(common: &CommonArgs, args: &RestoreArgs, data_dir: Option<PathBuf>) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    let dir = own_server::directory(args.data_dir.clone().or(data_dir))?;
    let progress = Progress::new(common, "checking");
    let done = server::restore(&dir, &args.file, args.unchecked, |done, total| {
        progress.say("restoring");
        progress.tell(done, total);
    });
    let done = done.map_err(|error| failure(error, "restore FILE"))?;
    drop(progress);
    let latest = done
        .latest
        .map_or(String::new(), |at| format!(", the latest of {}", at.strftime("%Y-%m-%d %H:%M UTC")));
    let rest = if done.is_whole {
        "the server's key and other files"
    } else {
        "nothing else, as it is a history alone"
    };
    let mut text =
        format!("restored in {}: {}{latest}; {rest}\n", dir.display(), some(done.messages, "message"));
    text += match done.checksum {
        ChecksumState::Valid => "",
        ChecksumState::Wrong => "it was changed since it was made: look whether all is as it was said\n",
        ChecksumState::Missing => "it has no sum, so nobody knows whether it was changed since it was made\n",
    };
    text += &kept(done.aside.as_deref(), "what was there");
    text += &next(&dir);
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Saves what can be saved of a history.
///
/// # Errors
/// Why it can't; then all is as it was.
pub fn repair(common: &CommonArgs, args: &RepairArgs, data_dir: Option<PathBuf>) -> Result<(), Failure> {
    logging::start(common, Level::Error, io::stderr)?;
    let dir = own_server::directory(args.data_dir.clone().or(data_dir))?;
    let progress = Progress::new(common, "repairing");
    let done = server::repair(&dir, |done, total| progress.tell(done, total))
        .map_err(|error| failure(error, "repair"))?;
    drop(progress);
    let text = match done {
        None => format!("the history in {} is whole; nothing was done\n", dir.display()),
        Some((repaired, aside)) => {
            let aside = kept(aside.as_deref(), "the damaged history");
            format!("{}{aside}{}", tell(&dir, &repaired), next(&dir))
        }
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn tell(dir: &Path, repaired: &Repaired) -> String {
    let saved = [
        some(repaired.messages, "message"),
        some(repaired.rooms, "room"),
        some(repaired.mail, "entry of mailboxes"),
        some(repaired.names, "name"),
        some(repaired.operators, "operator"),
        some(repaired.members, "member"),
        some(repaired.sanctions, "sanction"),
    ];
    let lost = match (repaired.lost_pages, repaired.lost_rows) {
        (0, 0) => "nothing that was there is lost".to_owned(),
        (pages, rows) => format!(
            "lost: what was on {} that can't be read, and {}",
            some(pages, "page"),
            some(rows, "single row")
        ),
    };
    let unnamed = repaired.unnamed.iter().map(|(name, count)| {
        format!("{} are now in {name}: what their room was called can't be read\n", some(*count, "message"))
    });
    let unnamed: String = unnamed.collect();
    format!("saved in {}: {}\n{lost}\n{unnamed}", dir.display(), saved.join(", "))
}

pub(super) fn some(count: u64, what: &str) -> String {
    match (count, what.split_once(' ')) {
        (1, _) => format!("1 {what}"),
        (_, Some(("entry", rest))) => format!("{count} entries {rest}"),
        _ => format!("{count} {what}s"),
    }
}

fn kept(aside: Option<&Path>, what: &str) -> String {
    aside.map_or(String::new(), |aside| {
        format!("{what} is kept in {}; remove it when all is well\n", aside.display())
    })
}

fn next(dir: &Path) -> String {
    if dir == Path::new(SERVICE_DIR) {
        "now start the server: systemctl start lanchat\n".into()
    } else {
        "now start the server: lanchat serve, as it was started before\n".into()
    }
}

fn failure(error: RecoveryError, command: &str) -> Failure {
    match error {
        RecoveryError::DataDir(DataDirError::Unusable(path, error))
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            own_server::denied(&path, &error, command)
        }
        RecoveryError::Store(StoreError::Denied(path, why)) => own_server::denied(&path, &why, command),
        other => other.into(),
    }
}
