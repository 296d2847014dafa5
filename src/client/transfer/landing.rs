//! Where an accepted offer goes: its folder, its names there, and the space that it needs.

use super::error::TransferError;
use super::part;
use crate::files;
use crate::limits::{DISK_RESERVE_BYTES, MAX_FREE_NAMES};
use crate::name::FileName;
use crate::protocol::packet::FileInfo;
use crate::protocol::record::{ContentHash, StopCode};
use crate::text::safe_line;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// An offer that its receiver has, whole and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The file or folder.
    pub path: PathBuf,
    pub bytes: u64,
    /// The number of files and empty folders.
    pub entries: u64,
    /// The hash over all of them, for a sender who does not know yet that they are here.
    pub(super) tree: ContentHash,
}

impl Received {
    /// Whether it looks as it did when it had arrived.
    pub(super) fn is_there(&self) -> bool {
        let found = self.path.symlink_metadata();
        found.is_ok_and(|found| found.is_dir() || found.is_file() && found.len() == self.bytes)
    }
}

#[cfg(test)]
impl Received {
    pub(crate) fn in_test(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, entries: 1, tree: ContentHash::default() }
    }
}

/// Where an accepted offer goes. Knows what is there from earlier attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    folder: PathBuf,
    name: String,
    /// Whether it is a folder or several files.
    is_folder: bool,
    size: Option<u64>,
    count: Option<u64>,
    /// The most bytes to take if the offer does not say how many come.
    max: Option<u64>,
    /// The unfinished file or folder. No other landing ever has this path.
    unfinished: PathBuf,
    /// The file that says what is in there; `None`: this run remembers nothing.
    pub(super) journal: Option<PathBuf>,
    /// The result of a transfer that is complete.
    pub(super) done: Option<Received>,
}

/// The folder for downloads: the system's for this user, or their home.
pub fn download_folder() -> Option<PathBuf> {
    dirs::download_dir().or_else(|| dirs::home_dir().map(|home| home.join("Downloads")))
}

/// Says that the folder is missing which a user has named for files. Only the one for downloads is made: a name with
/// a slip in it would become a folder in which nobody looks.
pub fn no_folder(folder: &Path) -> String {
    format!("there is no folder {}; create it, or give another one", safe_line(&folder.to_string_lossy()))
}

/// Fails with a line if this user cannot make files in a folder that is there.
///
/// # Errors
/// The line.
pub fn check_folder(folder: &Path) -> Result<(), String> {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD, accessat};
        let needed = Access::WRITE_OK | Access::EXEC_OK;
        if let Err(error) = accessat(CWD, folder, needed, AtFlags::EACCESS) {
            let (folder, error) = (safe_line(&folder.to_string_lossy()), io::Error::from(error));
            return Err(format!("cannot write to {folder}: {error}; name another folder with --to"));
        }
    }
    let _ = folder;
    Ok(())
}

impl Landing {
    /// Finds a free name for an unfinished file or folder for the offer in `folder`, which `make` makes.
    /// `max` is the most bytes to take.
    ///
    /// # Errors
    /// If it does not fit, or the folder cannot be used.
    pub fn new(folder: &Path, info: &FileInfo, max: Option<u64>) -> Result<Self, TransferError> {
        if let (Some(size), Some(max)) = (info.size, max)
            && size > max
        {
            let why = format!("it has {size} bytes, and at most {max} are allowed");
            return Err(TransferError::here(StopCode::TooManyBytes, why));
        }
        files::create_directory(folder).map_err(|error| cannot_write_to(folder, &error))?;
        let folder = dunce::canonicalize(folder).map_err(|error| cannot_write_to(folder, &error))?;
        let mut landing = Self {
            unfinished: PathBuf::new(),
            name: info.name.clone(),
            is_folder: info.count.is_some(),
            size: info.size,
            count: info.count,
            max,
            folder,
            journal: None,
            done: None,
        };
        landing.check_space(info.size.unwrap_or(0))?;
        landing.unfinished =
            landing.free_place().map_err(|error| cannot_write_to(&landing.folder, &error))?;
        Ok(landing)
    }

    /// A path with a random name, which no other program uses later: whatever is there belongs to this landing.
    fn free_place(&self) -> io::Result<PathBuf> {
        for _ in 1..=MAX_FREE_NAMES {
            let number = getrandom::u32().map_err(io::Error::other)?;
            let path = self.folder.join(self.file_name().unfinished(number).as_str());
            match path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Makes the unfinished file or folder of a new landing. A crash before or after this leaves nothing that the list of
    /// accepted offers does not know.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn make(&self) -> Result<(), TransferError> {
        self.create(&self.unfinished).map_err(|error| cannot_write_to(&self.folder, &error))
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        match self.is_folder {
            false => files::create_private(path).map(drop),
            true => files::create_new_directory(path),
        }
    }

    /// Makes the unfinished file or folder again if it is gone. Returns whether it was.
    pub(super) fn restore(&self) -> io::Result<bool> {
        match self.create(&self.unfinished) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether it was made for this offer.
    pub(super) fn is_for(&self, info: &FileInfo) -> bool {
        (&self.name, self.size, self.count) == (&info.name, info.size, info.count)
    }

    /// Whether a user who accepts the offer into that folder finds it there, now or once it is complete: what is
    /// unfinished goes on where it is.
    pub fn suits(&self, folder: &Path) -> bool {
        self.done.is_none() || dunce::canonicalize(folder).is_ok_and(|folder| folder == self.folder)
    }

    /// The same place, once all is there.
    pub fn finished(self, received: Received) -> Self {
        Self { done: Some(received), ..self }
    }

    /// The result of a transfer that is complete.
    pub fn received(&self) -> Option<&Received> {
        self.done.as_ref()
    }

    /// The name that the file or folder gets if that is free.
    pub fn file_name(&self) -> FileName {
        FileName::from_sender(&self.name)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The unfinished file or folder.
    pub fn unfinished(&self) -> &Path {
        &self.unfinished
    }

    pub fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The bytes that were offered; `None`: the sender did not know.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The number of files that were offered.
    pub(super) fn count(&self) -> u64 {
        self.count.unwrap_or(1)
    }

    /// The most bytes to take.
    pub(super) fn most_bytes(&self) -> u64 {
        self.size.or(self.max).unwrap_or(u64::MAX)
    }

    /// Fails if so many more bytes would leave too little space.
    pub(super) fn check_space(&self, more: u64) -> Result<(), TransferError> {
        let Ok(free) = files::free_space(&self.folder) else {
            // Some network shares do not say. A full disk is noticed when writing.
            return Ok(());
        };
        if free >= more.saturating_add(DISK_RESERVE_BYTES) {
            return Ok(());
        }
        let folder = safe_line(&self.folder.to_string_lossy());
        let why = format!(
            "the disk of {folder} has too little space: {more} bytes are to come, {free} are free, and \
             {DISK_RESERVE_BYTES} must stay free; free some space, or choose another folder"
        );
        Err(TransferError::here(StopCode::NoSpace, why))
    }

    /// Gives the finished file or folder its name, which `note` keeps before.
    pub(super) fn finish(&self, mut note: impl FnMut(&str) -> io::Result<()>) -> io::Result<PathBuf> {
        for number in 1..=MAX_FREE_NAMES {
            let name = self.file_name().numbered(number);
            let path = self.folder.join(name.as_str());
            if path.symlink_metadata().is_ok() {
                continue;
            }
            note(name.as_str())?;
            match part::rename_new(&self.unfinished, &path, self.is_folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if self.is_folder && error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                renamed => return renamed.and_then(|()| files::sync_directory(&path)).map(|()| path),
            }
        }
        let why = format!("{MAX_FREE_NAMES} files named {} are there; move some of them", self.file_name());
        Err(io::Error::new(io::ErrorKind::AlreadyExists, why))
    }

    /// Whether what has come stays after that error, to go on from there: the content is in order, only the way to it was
    /// not, or there was no space for the rest. A stream cannot go on.
    pub fn keeps(&self, error: &TransferError) -> bool {
        let is_full = matches!(error, TransferError::Here { code: StopCode::NoSpace, .. });
        error.keeps_content() || is_full && self.size.is_some() && self.has_content()
    }

    /// The error, with what stays on a full disk.
    pub(super) fn told(&self, error: TransferError) -> TransferError {
        match error {
            TransferError::Here { code: StopCode::NoSpace, msg }
                if self.has_content() && self.size.is_some() =>
            {
                let part = safe_line(&self.unfinished.to_string_lossy());
                let why = format!(
                    "{msg}; the part that has come stays for a week in {part}, and the next attempt goes on"
                );
                TransferError::here(StopCode::NoSpace, why)
            }
            error => error,
        }
    }

    fn has_content(&self) -> bool {
        match self.is_folder {
            true => std::fs::read_dir(&self.unfinished).is_ok_and(|mut found| found.next().is_some()),
            false => self.unfinished.symlink_metadata().is_ok_and(|found| found.len() > 0),
        }
    }

    /// Removes what was remembered about unfinished files.
    pub(super) fn remove_journal(&self) {
        if let Some(journal) = &self.journal {
            // Nothing reads it any more.
            let _ = std::fs::remove_file(journal);
        }
    }

    /// Removes the unfinished file or folder, if there is one. A link in its place goes, and not what it leads to.
    ///
    /// # Errors
    /// If a file is there instead of a folder, or a folder instead of a file: that is somebody's own.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        match part::remove(&self.unfinished, self.is_folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Removes what is unfinished, and what was remembered about it. A finished transfer left nothing unfinished.
    pub fn discard(&self) {
        if self.done.is_none()
            && let Err(error) = self.remove_unfinished()
        {
            tracing::warn!("cannot remove {}: {error}", self.unfinished.display());
        }
        self.remove_journal();
    }
}

fn cannot_write_to(folder: &Path, error: &io::Error) -> TransferError {
    TransferError::io(&format!("cannot write to {}", safe_line(&folder.to_string_lossy())), error)
}
