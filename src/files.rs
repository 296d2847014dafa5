//! Files that only their owner can read, written so that a crash leaves either the old or the new one.
//!
//! Knows neither their content nor their place.

mod named;
#[cfg(any(windows, test))]
mod sddl;
mod temporary;
#[cfg(windows)]
mod windows;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

pub use named::read_named_secret;
pub use temporary::remove_leftovers;

/// How long to wait for a lock, whose holder reads and writes one small file.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(1);

/// How often to try for a lock.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// How long a pipe may take that a user has named: a program that asks for a password first may be writing to it.
const MAX_PIPE_WAIT: Duration = Duration::from_secs(30);

/// Replaces `path` atomically, creating its directory if needed.
///
/// # Errors
/// The system's error; `path` is then unchanged.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(path, content)?;
    fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Creates `path` atomically, and its directory if needed. Other processes see the complete file or none, and
/// it survives a power cut.
///
/// # Errors
/// `AlreadyExists`, or the system's error.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(path, content)?;
    // Unlike a rename, a link never replaces an existing file.
    let linked = match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => create_without_link(path, content),
        linked => linked,
    };
    fs::remove_file(&temporary)?;
    linked?;
    sync_directory(path)
}

/// For file systems without hard links (FAT, some network shares): another process may see an incomplete
/// file.
fn create_without_link(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn write_temporary(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    if let Some(parent) = path.parent() {
        create_directory(parent)?;
    }
    let (temporary, mut file) = temporary::open(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(temporary)
}

/// Creates a directory, and missing ones above it, for its owner only.
///
/// # Errors
/// The system's error. An existing directory keeps its permissions.
pub fn create_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(path)
    }
    #[cfg(windows)]
    {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        path.parent().map_or(Ok(()), create_directory)?;
        match windows::create_private_directory(path) {
            // Another process has created it since.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match path.is_dir() {
                true => Ok(()),
                false => Err(io::ErrorKind::NotADirectory.into()),
            },
            created => created,
        }
    }
}

/// Creates a directory for its owner only, in one that exists.
///
/// # Errors
/// `AlreadyExists`, or the system's error.
pub fn create_new_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }
    #[cfg(windows)]
    windows::create_private_directory(path)
}

/// The bytes that this user may still write to the disk of a directory.
///
/// # Errors
/// The system's error.
pub fn free_space(directory: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(directory)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
    #[cfg(windows)]
    windows::free_space(directory)
}

/// Makes the file's entry in its directory survive a power cut.
///
/// # Errors
/// The system's error.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent)?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

/// Keeps others that call this out of a directory while the returned file lives. Waits for them, but not for
/// long. `None`: the file system cannot lock directories.
///
/// # Errors
/// `WouldBlock` if another process does not give way, or the system's error.
pub fn lock_directory(path: &Path) -> io::Result<Option<File>> {
    let directory = open_to_lock(path)?;
    let end = Instant::now() + MAX_LOCK_WAIT;
    loop {
        match directory.try_lock() {
            Ok(()) => return Ok(Some(directory)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => {
                let why = "another program holds a lock on its directory; try again";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

#[cfg(unix)]
fn open_to_lock(directory: &Path) -> io::Result<File> {
    File::open(directory)
}

/// Windows locks only files, so one in the directory stands for it.
#[cfg(windows)]
fn open_to_lock(directory: &Path) -> io::Result<File> {
    open_lock(&directory.join("lanchat.lock"))
}

/// Opens a file for reading, unless it is a pipe, which would block, or a device, which may never end.
///
/// # Errors
/// `InvalidInput` if it is not an ordinary file, or the system's error.
pub fn open(path: &Path) -> io::Result<File> {
    refuse_odd(path)?;
    File::open(path)
}

/// Refuses a path that exists and is not an ordinary file, or a link to one.
///
/// # Errors
/// `InvalidInput`.
pub fn refuse_odd(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(found) if !found.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file"))
        }
        _ => Ok(()),
    }
}

/// Reads at most `portion` bytes of what a user has named: a file, a device, or a pipe such as a shell makes of
/// `<(command)`. Waits for a pipe, but not for ever. The content is wiped when dropped.
///
/// # Errors
/// `TimedOut` with the remedy, or the system's error.
pub fn read_named(path: &Path, portion: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    read_within(MAX_PIPE_WAIT, path, portion)
}

fn read_within(wait: Duration, path: &Path, portion: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    if path.metadata().is_ok_and(|found| found.is_file()) {
        return read_portion(File::open(path)?, portion);
    }
    let (sender, read) = mpsc::channel();
    let path = path.to_owned();
    // Opening a pipe waits for its other end, and nothing interrupts that. The thread ends with the process.
    let content = move || File::open(path).and_then(|file| read_portion(file, portion));
    thread::Builder::new().name("named-file".into()).spawn(move || drop(sender.send(content())))?;
    read.recv_timeout(wait).unwrap_or_else(|_| {
        let why = format!(
            "no program has written it to its end within {} s; check the program that should, or name an \
             ordinary file",
            wait.as_secs()
        );
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    })
}

/// Allocates the full capacity at once: growing would leave copies behind.
fn read_portion(file: File, portion: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(portion));
    file.take(portion as u64).read_to_end(&mut content)?;
    Ok(content)
}

/// Reads a file that only its owner may read. The content is wiped when dropped.
///
/// # Errors
/// `PermissionDenied` if others may read it (where the system has such permissions), `InvalidData` if it is
/// longer than `max_bytes`, or the system's error.
pub fn read_secret(path: &Path, max_bytes: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = open(path)?;
    refuse_shared(path, &file)?;
    let content = read_portion(file, max_bytes + 1)?;
    if content.len() > max_bytes {
        return Err(too_long(max_bytes));
    }
    Ok(content)
}

/// The error for a file of more than `max_bytes`.
pub fn too_long(max_bytes: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is over {max_bytes} bytes long"))
}

#[cfg(unix)]
fn refuse_shared(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let why = format!("mode {mode:o}; it must not be readable by others (chmod 600 {})", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

#[cfg(windows)]
fn refuse_shared(path: &Path, _: &File) -> io::Result<()> {
    if !windows::is_shared(path)? {
        return Ok(());
    }
    let why = format!(
        "other users of this machine can read it (icacls \"{}\" /inheritance:r /grant:r \"%USERNAME%:F\")",
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// Why other users can read what the database's library creates in an existing directory, if they can. On
/// Unix, it takes the permissions from the database.
pub fn exposure(directory: &Path) -> Option<String> {
    #[cfg(windows)]
    if windows::is_shared(directory).unwrap_or(false) {
        return Some(format!(
            "other users of this machine can read {0}; to prevent that: icacls \"{0}\" /inheritance:r /grant:r \
             \"%USERNAME%:(OI)(CI)F\" SYSTEM:(OI)(CI)F",
            directory.display()
        ));
    }
    let _ = directory;
    None
}

/// Whether the file's owner is an administrator, if its place does not prove that already: on Windows, every
/// user may create directories beside those of the system.
pub fn is_of_administrators(path: &Path) -> bool {
    #[cfg(windows)]
    return windows::is_system_owned(path).unwrap_or(false);
    #[cfg(unix)]
    {
        let _ = path;
        true
    }
}

/// The names that a file has (hard links).
///
/// # Errors
/// The system's error.
pub fn links(path: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::nlink(&path.metadata()?));
    #[cfg(windows)]
    return windows::links_and_id(&File::open(path)?).map(|(links, _)| links);
}

/// The file's identity: its device or volume, and its number there.
///
/// # Errors
/// The system's error.
pub fn id(path: &Path) -> io::Result<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        path.metadata().map(|found| (found.dev(), found.ino()))
    }
    #[cfg(windows)]
    return windows::links_and_id(&File::open(path)?).map(|(_, id)| id);
}

/// The identity of an open file, as [`id`] has it.
///
/// # Errors
/// The system's error.
pub fn id_of(file: &File) -> io::Result<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        file.metadata().map(|found| (found.dev(), found.ino()))
    }
    #[cfg(windows)]
    return windows::links_and_id(file).map(|(_, id)| id);
}

/// Creates a file that only its owner can read.
///
/// # Errors
/// `AlreadyExists`, or the system's error.
pub fn create_private(path: &Path) -> io::Result<File> {
    open_private(path, OpenOptions::new().write(true).create_new(true))
}

/// Opens a file. If these options create it, only its owner can read it.
///
/// # Errors
/// The system's error.
pub fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
        options.open(path)
    }
    #[cfg(windows)]
    windows::open_private(path, options, windows::SHARE_ALL)
}

/// Opens a file to lock it, readable by its owner only: others could hold the lock for ever.
///
/// # Errors
/// The system's error.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    return open_private(path, &mut options);
    #[cfg(windows)]
    windows::open_private(path, &mut options, windows::SHARE_READ_WRITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_whole_and_leave_nothing_beside_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub").join("file");
        create(&path, b"one").unwrap();
        assert_eq!(create(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path().join("sub")).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn directories_that_it_makes_are_private_and_others_keep_their_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = dir.path().join("new").join("file");
        create(&path, b"x").unwrap();
        assert_eq!((mode(dir.path()), mode(path.parent().unwrap())), (0o755, 0o700));
    }

    #[cfg(windows)]
    #[test]
    fn what_it_creates_is_the_users_own_and_a_secret_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("secret");
        create(&path, b"secret").unwrap();
        assert_eq!(**read_secret(&path, 6).unwrap(), *b"secret");
        for name in ["", "secret"] {
            assert!(!windows::is_shared(&dir.path().join("new").join(name)).unwrap(), "{name:?}");
        }
        let shared = dir.path().join("shared");
        windows::make_shared(&shared).unwrap();
        let error = read_secret(&shared, 6).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("icacls"), "{error}");
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_is_locked_for_all_others() {
        let dir = tempfile::tempdir().unwrap();
        let lock = lock_directory(dir.path()).unwrap();
        assert!(lock.is_some());
        assert_eq!(lock_directory(dir.path()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(lock);
        assert!(lock_directory(dir.path()).unwrap().is_some());
    }

    #[test]
    fn a_second_name_is_noticed_and_is_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::write(&one, "x").unwrap();
        assert_eq!(links(&one).unwrap(), 1);
        fs::hard_link(&one, &two).unwrap();
        assert_eq!((links(&one).unwrap(), id(&one).unwrap()), (2, id(&two).unwrap()));
        fs::write(dir.path().join("three"), "x").unwrap();
        assert_ne!(id(&one).unwrap(), id(&dir.path().join("three")).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        create(&path, b"secret").unwrap();
        assert_eq!(**read_secret(&path, 6).unwrap(), *b"secret");
        assert_eq!(read_secret(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        for mode in [0o644, 0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_secret(&path, 6).unwrap_err().to_string();
            let remedy = format!("it must not be readable by others (chmod 600 {})", path.display());
            assert_eq!(error, format!("mode {mode:o}; {remedy}"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, dir.path(), Path::new("/dev/zero")] {
            let error = open(path).unwrap_err();
            assert_eq!(
                (error.kind(), &*error.to_string()),
                (io::ErrorKind::InvalidInput, "it is not an ordinary file")
            );
            assert_eq!(read_secret(path, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_user_names_may_be_a_pipe_or_a_device_and_has_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = {
            let pipe = pipe.clone();
            thread::spawn(move || fs::write(pipe, "text"))
        };
        assert_eq!(**read_named(&pipe, 100).unwrap(), *b"text");
        writer.join().unwrap().unwrap();
        assert_eq!(read_named(Path::new("/dev/zero"), 100).unwrap().len(), 100);
        assert_eq!(read_named(Path::new("/dev/null"), 100).unwrap().len(), 0);
        assert_eq!(read_named(&dir.path().join("none"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read_named(dir.path(), 9).is_err());
        let error = read_within(Duration::ZERO, &pipe, 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().ends_with("or name an ordinary file"), "{error}");
    }

    #[test]
    fn of_many_that_create_a_file_at_once_one_wins_and_nothing_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let content = |number: u8| vec![number; 5000];
        let won: Vec<u8> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    (
                        number,
                        scope.spawn({
                            let path = &path;
                            move || create(path, &content(number))
                        }),
                    )
                })
                .collect();
            threads
                .into_iter()
                .filter_map(|(number, thread)| thread.join().unwrap().is_ok().then_some(number))
                .collect()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(fs::read(&path).unwrap(), content(won[0]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
