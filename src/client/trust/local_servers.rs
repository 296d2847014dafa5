//! This user's own servers on this machine. A user who can read a server's files needs no other proof of its
//! key, and may do what its operators may.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::encoding;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_SECRET_FILE_BYTES;

/// The file with the server's id and secret, in its data directory.
pub const SECRET_FILE: &str = "operator-secret";

/// The file with a closed server's passphrase, in the same directory.
pub const PASSPHRASE_FILE: &str = "passphrase";

#[derive(Deserialize)]
struct Secret {
    id: String,
    secret: String,
    #[serde(default)]
    address: Option<SocketAddr>,
    /// If it is not the usual one.
    #[serde(default)]
    passphrase_file: Option<PathBuf>,
}

#[derive(Clone)]
struct LocalServerSecret {
    key: Fingerprint,
    secret: String,
    passphrase_file: PathBuf,
}

/// This user's servers. `Debug` hides their secrets.
#[derive(Clone, Default)]
pub(crate) struct LocalServers(Vec<LocalServerSecret>);

impl LocalServers {
    /// Reads the servers with these data directories.
    pub(crate) fn read(dirs: &[PathBuf]) -> Self {
        Self(dirs.iter().filter_map(|dir| read(dir)).collect())
    }

    pub(crate) fn has(&self, key: &Fingerprint) -> bool {
        self.find(key).is_some()
    }

    /// The secret that makes this user an operator there.
    pub(crate) fn secret(&self, key: &Fingerprint) -> Option<&str> {
        self.find(key).map(|server| server.secret.as_str())
    }

    /// The file with its passphrase: the one that it was given, or generated.
    pub(crate) fn passphrase_file(&self, key: &Fingerprint) -> Option<PathBuf> {
        self.find(key).map(|server| server.passphrase_file.clone())
    }

    fn find(&self, key: &Fingerprint) -> Option<&LocalServerSecret> {
        self.0.iter().find(|server| server.key == *key)
    }
}

impl std::fmt::Debug for LocalServers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|server| server.key)).finish()
    }
}

/// A server on this machine whose data directory this user may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnServer {
    pub key: Fingerprint,
    /// Where it listens; `None`: it is older than this program.
    pub address: Option<SocketAddr>,
}

/// The server whose data directory this is.
///
/// # Errors
/// `NotFound` if none has used it, or why it cannot be read.
pub fn local_server(dir: &Path) -> io::Result<OwnServer> {
    let Secret { id, address, .. } = read_secret(dir)?;
    let key = Fingerprint::from_id(&id).ok_or(io::ErrorKind::InvalidData)?;
    Ok(OwnServer { key, address })
}

fn read(dir: &Path) -> Option<LocalServerSecret> {
    let Secret { id, secret, passphrase_file, .. } = read_secret(dir).ok()?;
    let passphrase_file = passphrase_file.unwrap_or_else(|| dir.join(PASSPHRASE_FILE));
    Some(LocalServerSecret { key: Fingerprint::from_id(&id)?, secret, passphrase_file })
}

fn read_secret(dir: &Path) -> io::Result<Secret> {
    let mut bytes = Vec::new();
    files::open(&dir.join(SECRET_FILE))?.take(MAX_SECRET_FILE_BYTES as u64).read_to_end(&mut bytes)?;
    let (text, _) = encoding::decode(&bytes)?;
    Ok(serde_json::from_str(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_server_whose_files_can_be_read_is_ones_own() {
        let (mine, damaged, empty) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = Fingerprint::new([5; 32]);
        let secret = format!("{{\"id\":\"{}\",\"secret\":\"0011\"}}\n", key.id());
        // Copied by way of an editor.
        fs::write(mine.path().join(SECRET_FILE), format!("\u{feff}{secret}")).unwrap();
        fs::write(damaged.path().join(SECRET_FILE), "{\"id\":\"5\",\"secret\":\"0022\"}").unwrap();
        let dirs = [&empty, &damaged, &mine].map(|dir| dir.path().to_owned());
        let local = LocalServers::read(&dirs);
        assert_eq!(local.secret(&key), Some("0011"));
        assert_eq!(local.passphrase_file(&key), Some(mine.path().join("passphrase")));
        let given = secret.replace("\"0011\"", "\"0011\",\"passphrase_file\":\"/etc/words\"");
        fs::write(mine.path().join(SECRET_FILE), given).unwrap();
        assert_eq!(LocalServers::read(&dirs).passphrase_file(&key), Some("/etc/words".into()));
        assert_eq!(local.secret(&Fingerprint::new([6; 32])), None);
        assert!(!format!("{local:?}").contains("0011"));
    }
}
