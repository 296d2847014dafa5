//! Notices that another server was the last one on this machine. Clients that know its key refuse a server with
//! another key at the same address.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use super::own_server::{default_data_dir, service_dir};
use crate::encoding;
use crate::files;
use crate::fingerprint::Fingerprint;
use crate::limits::MAX_SECRET_FILE_BYTES;
use crate::server::{SECRET_FILE, is_in_use};

/// The command that starts the system service.
const START_SERVICE: &str = if cfg!(windows) { "sc.exe start lanchat" } else { "systemctl start lanchat" };

/// The identity of the server that ran here before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FormerIdentity {
    dir: PathBuf,
    key: Fingerprint,
}

/// The file that each start of a server writes.
#[derive(Deserialize)]
struct Secret {
    id: String,
}

impl FormerIdentity {
    /// Looks in the usual data directories, before the server starts in `own`.
    pub(super) fn before(own: Option<&Path>) -> Option<Self> {
        let dirs: Vec<PathBuf> = default_data_dir().into_iter().chain([service_dir()]).collect();
        Self::among(own?, &dirs)
    }

    /// The identity that was used last, unless that is `own`. A server that runs now is not a former one.
    fn among(own: &Path, dirs: &[PathBuf]) -> Option<Self> {
        let used = last_start(own);
        let is_own = |dir: &Path| matches!((fs::canonicalize(dir), fs::canonicalize(own)), (Ok(one), Ok(other)) if one == other);
        let others = dirs.iter().filter(|dir| dir.as_path() != own && !is_own(dir));
        let later = others.filter_map(|dir| Some((last_start(dir)?, dir))).filter(|(at, _)| Some(*at) > used);
        let (_, dir) = later.max()?;
        let key = key(dir)?;
        (!is_in_use(dir)).then(|| Self { dir: dir.clone(), key })
    }

    /// The warning for a server with this key.
    pub(super) fn warning(&self, key: &Fingerprint) -> Option<String> {
        let how = match self.dir == service_dir() {
            true => format!("type: {START_SERVICE}"),
            false => format!("type: lanchat serve --data-dir {}", quoted(&self.dir)),
        };
        (self.key != *key).then(|| {
            format!(
                "people here may know this machine's previous server, with the key {} (aloud {}), and their \
                 lanchat refuses this one at the same address; to go on as the previous server, stop this one and {how}",
                self.key,
                self.key.spoken()
            )
        })
    }
}

/// The path as a user can paste it into a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    match text.chars().all(|c| c.is_alphanumeric() || "/\\:._-".contains(c)) {
        true => text,
        false if cfg!(windows) => format!("\"{text}\""),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn last_start(dir: &Path) -> Option<SystemTime> {
    fs::metadata(dir.join(SECRET_FILE)).and_then(|file| file.modified()).ok()
}

fn key(dir: &Path) -> Option<Fingerprint> {
    let mut bytes = Vec::new();
    let file = files::open(&dir.join(SECRET_FILE)).ok()?;
    file.take(MAX_SECRET_FILE_BYTES as u64).read_to_end(&mut bytes).ok()?;
    let (text, _) = encoding::decode(&bytes).ok()?;
    let Secret { id } = serde_json::from_str(&text).ok()?;
    Fingerprint::from_id(&id)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    fn server(hours: u64, key: u8) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(SECRET_FILE);
        fs::write(&path, format!("{{\"id\":\"{}\",\"secret\":\"00\"}}", Fingerprint::new([key; 32]).id()))
            .unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * hours);
        File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
        dir
    }

    fn former(own: &Path, dirs: &[&tempfile::TempDir]) -> Option<FormerIdentity> {
        let dirs: Vec<PathBuf> = dirs.iter().map(|dir| dir.path().to_owned()).collect();
        FormerIdentity::among(own, &dirs)
    }

    #[test]
    fn the_identity_that_was_used_last_is_the_former_one() {
        let (early, late, empty) = (server(1, 1), server(2, 2), tempfile::tempdir().unwrap());
        let all = [&early, &late, &empty];
        for own in [&early, &empty] {
            let found = former(own.path(), &all).unwrap();
            assert_eq!((found.dir.as_path(), found.key), (late.path(), Fingerprint::new([2; 32])));
        }
        assert_eq!(former(late.path(), &all), None);
        assert_eq!(former(empty.path(), &[&empty]), None);
    }

    #[test]
    fn an_identity_is_known_however_an_editor_saved_its_file() {
        let server = server(1, 1);
        let path = server.path().join(SECRET_FILE);
        let text = fs::read_to_string(&path).unwrap();
        for saved in encoding::saved(&format!("{text}\n")) {
            fs::write(&path, saved).unwrap();
            assert_eq!(super::key(server.path()), Some(Fingerprint::new([1; 32])));
        }
    }

    #[test]
    fn the_warning_has_the_key_and_how_to_go_on_with_it() {
        let (key, other) = (Fingerprint::new([1; 32]), Fingerprint::new([2; 32]));
        let former = FormerIdentity { dir: "/home/bob/chat".into(), key };
        let text = former.warning(&other).unwrap();
        assert!(text.contains(&key.to_string()) && text.contains(&key.spoken()), "{text}");
        assert!(text.ends_with("type: lanchat serve --data-dir /home/bob/chat"), "{text}");
        assert_eq!(former.warning(&key), None, "the same key in another directory");
        #[cfg(unix)]
        assert_eq!(quoted(Path::new("/home/bob/it's; here")), r"'/home/bob/it'\''s; here'");
        let service = FormerIdentity { dir: service_dir(), key };
        assert!(service.warning(&other).unwrap().ends_with(&format!("type: {START_SERVICE}")));
    }
}
