//! Files of the data directory replaced together: a crash leaves all of the old ones or all of the new, as
//! soon as the next who locks the directory has finished what was begun.
//!
//! New files are gathered in a directory beside the old ones, which gets another name once it is whole:
//! from then on they are put in place, and what was there goes into a directory that says why and when.

use crate::files;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the directories begin with in which files are gathered, and in which they lie whole.
const GATHERING: &str = "unfinished-";
/// See [`GATHERING`].
const WHOLE: &str = "new-";

/// In the gathered files: names of those that go and have no successor, one a line.
const LEAVING: &str = "leaving";

/// New files that are gathered. Removed when dropped.
pub(super) struct Gathered {
    dir: PathBuf,
    /// The data directory.
    home: PathBuf,
    /// What the directory of the old files is called.
    aside: String,
}

/// Begins to gather new files for a data directory, which must be locked. `why`: what the old ones are.
pub(super) fn gather(home: &Path, why: &str) -> io::Result<Gathered> {
    let aside = unused(home, why)?;
    let dir = home.join(format!("{GATHERING}{aside}"));
    files::create_directory(&dir)?;
    Ok(Gathered { dir, home: home.into(), aside })
}

impl Gathered {
    /// Where a new file of that name is to be written.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a new file.
    pub(super) fn write(&self, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.file(name);
        files::create(&path, content)?;
        set_mode(&path, mode)
    }

    /// Puts the new files in place, and has those of the names in `leaving` go; returns where the old ones
    /// are, if there were any.
    pub(super) fn put_in_place(self, leaving: &[String]) -> io::Result<Option<PathBuf>> {
        files::create(&self.file(LEAVING), leaving.join("\n").as_bytes())?;
        for entry in fs::read_dir(&self.dir)? {
            // Each was synced by whoever wrote it.
            give_to_owner_of(&self.home, &entry?.path())?;
        }
        files::sync_directory(&self.file(LEAVING))?;
        fs::rename(&self.dir, self.home.join(format!("{WHOLE}{}", self.aside)))?;
        files::sync_directory(&self.dir)?;
        finish(&self.home)?;
        let aside = self.home.join(&self.aside);
        Ok(aside.exists().then_some(aside))
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        // It is gone where all went well.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Finishes what was begun and is whole, and removes what is not. The directory must be locked.
pub(super) fn finish(home: &Path) -> io::Result<()> {
    let mut found = Vec::new();
    for entry in fs::read_dir(home)? {
        found.extend(entry?.file_name().into_string());
    }
    for name in found {
        if let Some(aside) = name.strip_prefix(WHOLE) {
            place(home, &home.join(&name), &home.join(aside))?;
        } else if name.starts_with(GATHERING) {
            fs::remove_dir_all(home.join(&name))?;
        }
    }
    Ok(())
}

/// Goes on where it was: what is new is in `new` until it is in place, and what was old then is aside.
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

/// A name that says why and when, and that nothing in the directory has.
fn unused(home: &Path, why: &str) -> io::Result<String> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
    let names = std::iter::once(format!("{why}-{now}")).chain((2..1000).map(|n| format!("{why}-{now}-{n}")));
    let mut free = names.filter(|name| !home.join(name).exists());
    free.next().ok_or_else(|| io::Error::other("too many old files are kept aside; remove some"))
}

/// Gives a file in a data directory to whoever the directory belongs to, where root has made it: the server
/// may run as somebody else.
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
        // Only root may, and only root has to.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// What the owner may do with it; nobody else may do anything.
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

    fn begin(home: &Path) -> Gathered {
        let gathered = gather(home, "replaced").unwrap();
        for (name, text) in &NEW[..3] {
            gathered.write(name, text.as_bytes(), 0o600).unwrap();
        }
        gathered
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
    fn what_was_not_whole_when_it_stopped_never_was() {
        let home = home();
        let before = content(home.path());
        let gathered = begin(home.path());
        std::mem::forget(gathered);
        finish(home.path()).unwrap();
        assert_eq!(content(home.path()), before);
        assert_eq!(fs::read_dir(&home).unwrap().count(), 4);
    }

    /// Each step is one rename: whatever of them were done, the rest follows.
    #[test]
    fn what_stopped_at_any_step_is_finished() {
        let steps: [fn(&Path, &Path, &Path); 4] = [
            |home, aside, _| fs::rename(home.join("log"), aside.join("log")).unwrap(),
            |home, aside, _| fs::rename(home.join("a"), aside.join("a")).unwrap(),
            |home, _, new| fs::rename(new.join("a"), home.join("a")).unwrap(),
            |home, aside, _| fs::rename(home.join("b"), aside.join("b")).unwrap(),
        ];
        for done in 0..=steps.len() {
            let home = home();
            let gathered = begin(home.path());
            gathered.write(LEAVING, b"log", 0o600).unwrap();
            let (aside, new) = (home.path().join("replaced-x"), home.path().join("new-replaced-x"));
            fs::rename(&gathered.dir, &new).unwrap();
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
