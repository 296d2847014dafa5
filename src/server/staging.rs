//! Replaces several files of the data directory at once: after a crash, the next process that locks the
//! directory either finishes or drops the whole change.
//!
//! New files are staged in a directory beside the old ones. Renaming that directory is the point of no return:
//! from then on, they are installed, and the old files move to a directory whose name says why and when.

use crate::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Prefix of a staging directory that is incomplete.
const UNFINISHED: &str = "unfinished-";
/// Prefix of one that is complete.
const COMPLETE: &str = "new-";

/// A file in the staging directory: names of files to remove, one per line.
const LEAVING: &str = "leaving";

/// Staged files; removed when dropped.
pub(super) struct Staging {
    dir: PathBuf,
    /// The data directory.
    home: PathBuf,
    /// Name of the directory for the old files.
    aside: String,
}

/// Starts to stage new files. The data directory must be locked. `why` describes the old files.
pub(super) fn stage(home: &Path, why: &str) -> io::Result<Staging> {
    let aside = unused(home, why)?;
    let dir = home.join(format!("{UNFINISHED}{aside}"));
    files::create_directory(&dir)?;
    Ok(Staging { dir, home: home.into(), aside })
}

impl Staging {
    /// The path for a new file.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn write(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.file(name);
        files::create(&path, content)?;
        set_mode(&path, mode)
    }

    /// Installs the new files and removes those named in `leaving`. Returns the directory with the old files,
    /// if there are any.
    pub(super) fn put_in_place(self, leaving: &[String]) -> io::Result<Option<PathBuf>> {
        files::create(&self.file(LEAVING), leaving.join("\n").as_bytes())?;
        for entry in fs::read_dir(&self.dir)? {
            // Their writers have synced them.
            give_to_owner_of(&self.home, &entry?.path())?;
        }
        files::sync_directory(&self.file(LEAVING))?;
        fs::rename(&self.dir, self.home.join(format!("{COMPLETE}{}", self.aside)))?;
        files::sync_directory(&self.dir)?;
        finish(&self.home)?;
        let aside = self.home.join(&self.aside);
        Ok(aside.exists().then_some(aside))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Already gone after a success.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Finishes complete changes and removes incomplete ones. The directory must be locked.
pub(super) fn finish(home: &Path) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home)? {
        found.extend(entry?.file_name().into_string());
    }
    for name in found {
        if let Some(aside) = name.strip_prefix(COMPLETE) {
            place(home, &home.join(&name), &home.join(aside))?;
        } else if name.starts_with(UNFINISHED) {
            fs::remove_dir_all(home.join(&name))?;
        }
    }
    Ok(())
}

/// Installs the files in `new`. Can be repeated after a crash at any point.
fn place(home: &Path, new: &Path, aside: &Path) -> io::Result<()> {
    let leaving = fs::read_to_string(new.join(LEAVING)).unwrap_or_default();
    for name in leaving.lines() {
        put_aside(home, aside, name)?;
    }
    for entry in fs::read_dir(new)? {
        let entry = entry?;
        if entry.file_name() == LEAVING {
            continue;
        }
        if let Some(name) = entry.file_name().to_str() {
            put_aside(home, aside, name)?;
        }
        fs::rename(entry.path(), home.join(entry.file_name()))?;
    }
    files::sync_directory(&home.join(LEAVING))?;
    fs::remove_dir_all(new)?;
    files::sync_directory(new)
}

fn put_aside(home: &Path, aside: &Path, name: &str) -> io::Result<()> {
    let (old, to) = (home.join(name), aside.join(name));
    if !old.exists() || to.exists() {
        return Ok(());
    }
    files::create_directory(aside)?;
    give_to_owner_of(home, aside)?;
    fs::rename(old, to)
}

/// A directory name that says why and when, and is unused.
fn unused(home: &Path, why: &str) -> io::Result<String> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let names = std::iter::once(format!("{why}-{now}")).chain((2..1000).map(|n| format!("{why}-{now}-{n}")));
    let mut free = names.filter(|name| !home.join(name).exists());
    free.next().ok_or_else(|| io::Error::other("too many directories with old files; remove some"))
}

/// Gives a file that root created to the owner of the data directory, because the server may run as that user.
pub(super) fn give_to_owner(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |home| give_to_owner_of(home, path))
}

#[cfg(unix)]
fn give_to_owner_of(home: &Path, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, own) = (fs::metadata(home)?, fs::metadata(path)?);
    if (owner.uid(), owner.gid()) == (own.uid(), own.gid()) {
        return Ok(());
    }
    match std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid())) {
        // Only root may do this, and only root needs to.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Sets the owner's permissions; nobody else has any.
#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700 | 0o400))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn content(home: &Path) -> BTreeMap<String, String> {
        let files = fs::read_dir(home).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
        files
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect()
    }

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for name in ["a", "b", "log", "other"] {
            fs::write(home.path().join(name), format!("old {name}")).unwrap();
        }
        home
    }

    const NEW: [(&str, &str); 4] = [("a", "new a"), ("b", "new b"), ("c", "new c"), ("other", "old other")];

    fn begin(home: &Path) -> Staging {
        let staging = stage(home, "replaced").unwrap();
        for (name, text) in &NEW[..3] {
            staging.write(name, text.as_bytes(), 0o600).unwrap();
        }
        staging
    }

    #[test]
    fn new_files_take_the_place_of_old_ones_which_are_kept() {
        let home = home();
        let aside = begin(home.path()).put_in_place(&["log".into(), "none".into()]).unwrap().unwrap();
        assert_eq!(content(home.path()), files(&NEW));
        assert_eq!(content(&aside), files(&[("a", "old a"), ("b", "old b"), ("log", "old log")]));
        assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("replaced-2"), "{aside:?}");
        let second = begin(home.path()).put_in_place(&[]).unwrap().unwrap();
        assert_ne!(second, aside);
        assert_eq!(content(&second), files(&NEW[..3]));
        assert_eq!(fs::read_dir(&home).unwrap().count(), 6, "nothing else is left");
    }

    #[test]
    fn an_incomplete_change_is_undone() {
        let home = home();
        let before = content(home.path());
        let staging = begin(home.path());
        std::mem::forget(staging);
        finish(home.path()).unwrap();
        assert_eq!(content(home.path()), before);
        assert_eq!(fs::read_dir(&home).unwrap().count(), 4);
    }

    /// Each step is one rename; after a stop at any of them, the next start does the rest.
    #[test]
    fn a_complete_change_is_finished_after_a_stop_at_any_step() {
        let steps: [fn(&Path, &Path, &Path); 4] = [
            |home, aside, _| fs::rename(home.join("log"), aside.join("log")).unwrap(),
            |home, aside, _| fs::rename(home.join("a"), aside.join("a")).unwrap(),
            |home, _, new| fs::rename(new.join("a"), home.join("a")).unwrap(),
            |home, aside, _| fs::rename(home.join("b"), aside.join("b")).unwrap(),
        ];
        for done in 0..=steps.len() {
            let home = home();
            let staging = begin(home.path());
            staging.write(LEAVING, b"log", 0o600).unwrap();
            let (aside, new) = (home.path().join("replaced-x"), home.path().join("new-replaced-x"));
            fs::rename(&staging.dir, &new).unwrap();
            fs::create_dir(&aside).unwrap();
            steps[..done].iter().for_each(|step| step(home.path(), &aside, &new));
            finish(home.path()).unwrap();
            finish(home.path()).unwrap();
            assert_eq!(content(home.path()), files(&NEW), "after {done} steps");
            assert_eq!(content(&aside), files(&[("a", "old a"), ("b", "old b"), ("log", "old log")]));
            assert!(!new.exists());
        }
    }
}
