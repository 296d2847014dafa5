//! Files under temporary names, beside the one that each is to become. A process that a crash ends leaves them behind.

use super::create_private;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// The age from which such a file has no writer left, whatever the number of its process is: another process may have it
/// by now, and one in another container has numbers of its own.
const OLD: Duration = Duration::from_secs(3600);

const ENDING: &str = ".new";

/// Creates a file under a temporary name beside `path`, and removes those that others left there.
pub(super) fn open(path: &Path) -> io::Result<(PathBuf, File)> {
    // Several threads may write the same file.
    static WRITES: AtomicU32 = AtomicU32::new(0);
    remove_leftovers(path);
    let mut name = path.as_os_str().to_owned();
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}.{number}{ENDING}", std::process::id()));
    let temporary = PathBuf::from(name);
    let file = match create_private(&temporary) {
        // A process with the same number left it behind.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&temporary)?;
            create_private(&temporary)?
        }
        opened => opened?,
    };
    Ok((temporary, file))
}

/// Removes the temporary files for `path` whose processes are gone. `path` itself is whole.
pub fn remove_leftovers(path: &Path) {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return;
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let found = entry.file_name();
        let writer = found.to_str().and_then(|found| writer(found.strip_prefix(name)?));
        if writer.is_some_and(|writer| is_left(writer, &entry)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The process that the rest of a temporary name tells: `.PID.NUMBER.new` or `.PID.new`.
fn writer(rest: &str) -> Option<u32> {
    let mut numbers = rest.strip_prefix('.')?.strip_suffix(ENDING)?.split('.').map(str::parse::<u32>);
    let (process, number) = (numbers.next()?.ok()?, numbers.next());
    (number.is_none_or(|number| number.is_ok()) && numbers.next().is_none()).then_some(process)
}

fn is_left(writer: u32, entry: &fs::DirEntry) -> bool {
    let Ok(found) = entry.metadata() else { return false };
    let age = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    found.is_file() && (is_gone(writer) || age.is_some_and(|age| age >= OLD))
}

/// Whether no process has that number.
fn is_gone(process: u32) -> bool {
    #[cfg(unix)]
    {
        let process = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
        let found = process.map(rustix::process::test_kill_process);
        matches!(found, None | Some(Err(rustix::io::Errno::SRCH)))
    }
    #[cfg(windows)]
    {
        let _ = process;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::replace;

    #[test]
    fn only_what_dead_processes_left_of_a_file_goes_with_its_next_writer() {
        let dir = tempfile::tempdir().unwrap();
        let own = std::process::id();
        let left = ["list.4194999.0.new", "list.4194999.new"];
        let others = [
            &format!("list.{own}.7000.new"),
            "list.4194999.0.newer",
            "list.4194999.a.new",
            "list.4194999.0.1.new",
            "list.new",
            "other.4194999.0.new",
        ];
        for name in left.into_iter().chain(others) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let old = dir.path().join(format!("list.{own}.8000.new"));
        let hours = SystemTime::now() - 2 * OLD;
        File::create(&old).unwrap().set_modified(hours).unwrap();
        replace(&dir.path().join("list"), b"x").unwrap();
        let has = |name: &str| dir.path().join(name).exists();
        assert!(others.iter().all(|name| has(name)) && has("list") && !old.exists());
        assert!(cfg!(windows) || !left.iter().any(|name| has(name)));
    }
}
