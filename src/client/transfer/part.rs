//! Files on the receiver's disk while they are unfinished, and the hashes that both sides compare.

use super::error::TransferError;
use crate::files;
use crate::protocol::record::ContentHash;
use crate::text::safe_line;
use blake3::Hasher;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// How much is read at a time to hash it.
const STEP_BYTES: usize = 128 * 1024;

impl From<blake3::Hash> for ContentHash {
    fn from(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

/// The hash over the paths and hashes of entries, in order.
#[derive(Default)]
pub(super) struct TreeHash(Hasher);

impl TreeHash {
    pub(super) fn add(&mut self, path: &[String], hash: ContentHash) {
        let path = path.join("/");
        self.0.update(&u32::try_from(path.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(path.as_bytes());
        self.0.update(&hash.0);
    }

    pub(super) fn finish(&self) -> ContentHash {
        self.0.finalize().into()
    }
}

/// Hashes the first bytes of a file; `None`: it has fewer. Calls `on` with each step.
pub(super) fn hash_start(
    file: &mut File,
    bytes: u64,
    mut on: impl FnMut(u64) -> Result<(), TransferError>,
) -> Result<Option<Hasher>, TransferError> {
    let (mut hasher, mut left) = (Hasher::new(), bytes);
    let mut step = vec![0; STEP_BYTES];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_BYTES);
        let read = match file.read(&mut step[..most]) {
            Ok(0) => return Ok(None),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TransferError::io("cannot read a file again", &error)),
        };
        hasher.update(&step[..read]);
        left -= read as u64;
        on(read as u64)?;
    }
    Ok(Some(hasher))
}

/// Opens an unfinished file of this program to go on with it. Follows no link, and touches no file that has a
/// second name.
pub(super) fn reopen(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    if !fs::symlink_metadata(path)?.is_file() || files::links(path)? != 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not the file that was left there"));
    }
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Whether that path still has this file, and not a link to it or another one.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    Ok(fs::symlink_metadata(path)?.is_file() && files::id(path)? == files::id_of(file)?)
}

/// Gives a finished file or folder its final name, unless that is taken.
pub(super) fn rename_new(from: &Path, to: &Path, is_folder: bool) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // The file system or an old kernel does not know this.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return renamed.map_err(io::Error::from),
        }
    }
    match is_folder {
        true => rename_folder(from, to),
        false => rename_file(from, to),
    }
}

/// A link never replaces a file.
fn rename_file(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            // Without links (FAT, some network shares), an empty file of our own keeps the name.
            drop(files::create_private(to)?);
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
    }
}

/// An empty folder of our own keeps the name; on Windows, a rename never replaces a folder.
fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::create_dir(to)?;
        return fs::rename(from, to).inspect_err(|_| drop(fs::remove_dir(to)));
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Removes an unfinished file or folder, or a link in its place. Follows no link.
///
/// # Errors
/// `InvalidInput` if the other kind is there, or the system's error.
pub(super) fn remove(path: &Path, is_folder: bool) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    match (found.is_symlink(), is_folder) {
        (true, _) => fs::remove_file(path).or_else(|_| fs::remove_dir(path)),
        (false, true) if found.is_dir() => fs::remove_dir_all(path),
        (false, false) if found.is_file() => fs::remove_file(path),
        (false, _) => {
            let (other, name) = (if found.is_dir() { "folder" } else { "file" }, path.to_string_lossy());
            let why =
                format!("another {other} is in the place of {}; move it, and accept again", safe_line(&name));
            Err(io::Error::new(io::ErrorKind::InvalidInput, why))
        }
    }
}
