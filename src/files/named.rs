//! Secrets in files that a user names. Unlike this program's own files, another user may have made them,
//! such as the service manager or the container's engine.

use std::fs::File;
use std::io;
use std::path::Path;

use super::{read_named, refuse_shared, too_long};
use zeroize::Zeroizing;

/// Reads a file that only its owner may read, or a pipe. A file of another user may also be readable by its
/// group. The content is wiped when dropped.
///
/// # Errors
/// Those of [`read_secret`](super::read_secret) and [`read_named`].
pub fn read_named_secret(path: &Path, max_bytes: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    if path.metadata()?.is_file() {
        check_readers(path, &File::open(path)?)?;
    }
    let content = read_named(path, max_bytes + 1)?;
    if content.len() > max_bytes {
        return Err(too_long(max_bytes));
    }
    Ok(content)
}

/// Checks who may read the file. An access list, as systemd's credentials have, appears as a right of the
/// group.
fn check_readers(path: &Path, file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let found = file.metadata()?;
        let is_own = found.uid() == rustix::process::geteuid().as_raw();
        if !is_own && found.mode() & 0o027 == 0 {
            return Ok(());
        }
    }
    refuse_shared(path, file)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    #[test]
    fn a_named_secret_may_be_readable_by_the_group_only_if_another_user_owns_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "secret").unwrap();
        let with = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            read_named_secret(&path, 100).map_err(|error| error.to_string())
        };
        assert_eq!(with(0o600).unwrap().as_slice(), b"secret");
        assert!(with(0o640).unwrap_err().contains("chmod 600"));
        assert!(with(0o604).unwrap_err().contains("must not be readable by others"));
        // Only root can give a file away, and read it then.
        if chown(&path, Some(1), None).is_ok() {
            assert_eq!(with(0o440).unwrap().as_slice(), b"secret");
            assert!(with(0o444).is_err() && with(0o460).is_err());
        }
        assert!(read_named_secret(&dir.path().join("none"), 100).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read_named_secret(&path, 3).is_err());
    }
}
