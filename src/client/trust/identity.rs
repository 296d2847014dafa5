//! The user's identity: the name to ask for, the key that makes several connections the same user, and the
//! secret token that replaces the key without encryption.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::client::shared_state::SharedState;
use crate::encoding;
use crate::files;
use crate::name::Name;
use crate::security::{KeyError, Keypair};

const TOKEN_FILE: &str = "token";

const KEY_FILE: &str = "client.pem";

/// The name that the user chose when asked.
const NAME_FILE: &str = "name";

/// The token's length: 128 bits.
const TOKEN_BYTES: usize = 16;

/// The most bytes of a file to read: more than a token or a name, and an editor's line end.
const MAX_FILE_BYTES: u64 = 1024;

/// For a login name without any character that a name may have.
const NAMELESS: &str = "user";

#[derive(Debug, Clone)]
pub(crate) struct UserIdentity {
    /// The name to ask for, which follows renames.
    name: SharedState<Name>,
    /// Whether the user chose the first name; otherwise another name will do.
    pub(crate) is_name_chosen: bool,
    /// Whether the first name says nothing about the user, who has not been asked for another one.
    pub(crate) is_name_made_up: bool,
    name_file: Option<PathBuf>,
    /// 32 hexadecimal digits.
    pub(crate) token: String,
}

impl UserIdentity {
    /// Loads the identity in `dir`, with the chosen name, the user's answer in an earlier run, or the login name. Without a writable directory, the
    /// token lasts for this run.
    pub(crate) fn load(dir: Option<&Path>, chosen: Option<Name>) -> io::Result<Self> {
        let token = match dir.map(|dir| load_token(&dir.join(TOKEN_FILE))) {
            Some(Ok(token)) => token,
            Some(Err(error)) => {
                tracing::warn!(
                    "cannot save your token, so you will appear as a different user next time: {error}"
                );
                new_token()?
            }
            None => new_token()?,
        };
        let is_name_chosen = chosen.is_some();
        let name_file = dir.map(|dir| dir.join(NAME_FILE));
        let mut is_name_made_up = false;
        let name = match chosen.or_else(|| read_name(name_file.as_deref()?)) {
            Some(name) => name,
            None => {
                let login = whoami::username().unwrap_or_default();
                let name = default_name(&login);
                is_name_made_up =
                    login != NAMELESS && name.as_ref().is_some_and(|name| name.as_str() == NAMELESS);
                name.ok_or_else(|| io::Error::other("your login name cannot serve as a user name"))?
            }
        };
        Ok(Self { name: SharedState::new(name), is_name_chosen, is_name_made_up, name_file, token })
    }

    /// Takes the user's answer, also for later runs.
    pub(crate) fn answer(&mut self, name: Name) {
        self.is_name_made_up = false;
        if let Some(file) = &self.name_file
            && let Err(error) = files::replace(file, name.as_str().as_bytes())
        {
            tracing::warn!("cannot save your name, so lanchat will ask for it again: {error}");
        }
        self.rename(name);
    }

    pub(crate) fn name(&self) -> Name {
        self.name.lock().clone()
    }

    pub(crate) fn rename(&self, name: Name) {
        *self.name.lock() = name;
    }
}

/// The user's key, and where it comes from.
#[derive(Debug)]
pub(crate) struct UserKey {
    pub(crate) keypair: Keypair,
    pub(crate) source: KeySource,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// It will be the same in later runs.
    Kept,
    /// The same, but it was created just now, in a file that the user has named.
    Created(PathBuf),
    /// It cannot be saved, for this reason, and ends with this run.
    Lost(String),
}

impl KeySource {
    /// A note for the user; nothing in the usual case.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Kept => None,
            Self::Created(path) => {
                let path = path.display();
                Some(format!("created a key in {path}; keep this file, because your name belongs to the key"))
            }
            Self::Lost(why) => Some(format!(
                "cannot keep your key in your state directory ({why}), so the server does not reserve your \
                 name and keeps no messages for you while you are away; give a key with --key-file, make the directory writable, or add --guest"
            )),
        }
    }
}

/// Loads the key in `file`, or else in `dir`, and creates it at the first start. If neither the file is
/// named nor the directory writable, the key lasts for this run. Never replaces an unusable key, because the
/// user's names belong to it.
pub(crate) fn load_key(dir: Option<&Path>, file: Option<&Path>) -> Result<UserKey, KeyError> {
    if let Some(file) = file {
        return load_named_key(file);
    }
    let Some(path) = dir.map(|dir| dir.join(KEY_FILE)) else {
        return lost("there is no home directory".into());
    };
    match Keypair::load_or_create(&path) {
        Err(KeyError::Unusable(_, error)) if !path.exists() => {
            lost(format!("cannot write {}: {error}", path.display()))
        }
        loaded => Ok(UserKey { keypair: loaded?, source: KeySource::Kept }),
    }
}

fn load_named_key(file: &Path) -> Result<UserKey, KeyError> {
    match Keypair::load_named(file) {
        Err(KeyError::Missing(_)) => {
            let keypair = Keypair::load_or_create(file)?;
            Ok(UserKey { keypair, source: KeySource::Created(file.to_owned()) })
        }
        loaded => Ok(UserKey { keypair: loaded?, source: KeySource::Kept }),
    }
}

fn lost(why: String) -> Result<UserKey, KeyError> {
    Ok(UserKey { keypair: Keypair::ephemeral()?, source: KeySource::Lost(why) })
}

fn load_token(path: &Path) -> io::Result<String> {
    match read_token(path)? {
        Some(token) => Ok(token),
        None => {
            let token = new_token()?;
            match files::create(path, token.as_bytes()) {
                Ok(()) => Ok(token),
                // Another client was faster; both are the same user.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read_token(path)? {
                    Some(token) => Ok(token),
                    None => {
                        tracing::warn!("replaced {}, which held no token", path.display());
                        files::replace(path, token.as_bytes()).map(|()| token)
                    }
                },
                Err(error) => Err(error),
            }
        }
    }
}

fn read_name(path: &Path) -> Option<Name> {
    Name::new(read(path).ok()?.trim()).ok()
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    files::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(encoding::decode(&bytes)?.0)
}

/// Reads the token; none if the file is missing or has other contents.
fn read_token(path: &Path) -> io::Result<Option<String>> {
    match read(path) {
        Ok(text) => {
            let token = text.trim();
            let is_token =
                token.len() == 2 * TOKEN_BYTES && token.bytes().all(|byte| byte.is_ascii_hexdigit());
            Ok(is_token.then(|| token.to_owned()))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn new_token() -> io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes a user name from a login name: drops the domain and invalid characters.
fn default_name(login: &str) -> Option<Name> {
    let login = login.rsplit(['\\', '/']).next().unwrap_or(login);
    let kept: String = login
        .chars()
        .map(|char| if char.is_whitespace() { '-' } else { char })
        .filter(|char| Name::new(&format!("x{char}")).is_ok())
        .take(crate::limits::MAX_NAME_CHARS)
        .collect();
    let kept = kept.trim_start_matches(['#', '@']);
    Name::new(kept).or_else(|_| Name::new(NAMELESS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_token_stays_the_same_and_is_made_anew_if_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let name = Name::new("bob").unwrap();
        let first = UserIdentity::load(Some(dir.path()), Some(name.clone())).unwrap();
        let second = UserIdentity::load(Some(dir.path()), None).unwrap();
        assert_eq!(first.token, second.token);
        assert_eq!(first.token.len(), 32);
        assert!(first.is_name_chosen && !second.is_name_chosen);
        for saved in encoding::saved(&format!("{}\n", first.token)) {
            fs::write(dir.path().join(TOKEN_FILE), saved).unwrap();
            assert_eq!(UserIdentity::load(Some(dir.path()), None).unwrap().token, first.token);
        }
        fs::write(dir.path().join(TOKEN_FILE), "damaged").unwrap();
        let third = UserIdentity::load(Some(dir.path()), Some(name.clone())).unwrap();
        assert_ne!(first.token, third.token);
        assert_eq!(UserIdentity::load(Some(dir.path()), Some(name)).unwrap().token, third.token);
    }

    #[test]
    fn the_answer_is_the_name_of_later_runs_unless_another_is_chosen() {
        let dir = tempfile::tempdir().unwrap();
        let name = |name| Name::new(name).unwrap();
        let mut identity = UserIdentity::load(Some(dir.path()), None).unwrap();
        identity.answer(name("alice"));
        assert_eq!(identity.name(), name("alice"));
        let later = UserIdentity::load(Some(dir.path()), None).unwrap();
        assert_eq!(
            (later.name(), later.is_name_made_up, later.is_name_chosen),
            (name("alice"), false, false)
        );
        let chosen = UserIdentity::load(Some(dir.path()), Some(name("bob"))).unwrap();
        assert!(chosen.name() == name("bob") && chosen.is_name_chosen && !chosen.is_name_made_up);
        fs::write(dir.path().join(NAME_FILE), "two words\n").unwrap();
        assert_ne!(UserIdentity::load(Some(dir.path()), None).unwrap().name().as_str(), "two words");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_the_token_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join(TOKEN_FILE);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let identity = UserIdentity::load(Some(dir.path()), Some(Name::new("bob").unwrap())).unwrap();
        assert_eq!(identity.token.len(), 32);
    }

    #[test]
    fn the_key_stays_and_one_that_cannot_be_used_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let key = |dir: &Path| load_key(Some(dir), None).map(|key| (key.keypair.fingerprint(), key.source));
        let first = key(dir.path()).unwrap();
        assert_eq!(first.1, KeySource::Kept);
        assert_eq!(key(dir.path()).unwrap(), first);
        fs::write(dir.path().join(KEY_FILE), "damaged").unwrap();
        assert!(key(dir.path()).is_err());
        // A file in the place of the directory.
        let nowhere = dir.path().join(KEY_FILE).join("sub");
        let (other, source) = key(&nowhere).unwrap();
        assert_ne!(other, first.0);
        let note = source.note().unwrap();
        assert!(note.contains(&nowhere.display().to_string()) && note.contains("--key-file"), "{note}");
    }

    #[test]
    fn a_named_key_is_created_once_and_the_user_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("build.pem");
        let load = || load_key(None, Some(&file)).unwrap();
        let first = load();
        assert_eq!(first.source, KeySource::Created(file.clone()));
        assert!(first.source.note().unwrap().contains("build.pem"));
        let second = load();
        assert_eq!(
            (second.keypair.fingerprint(), second.source),
            (first.keypair.fingerprint(), KeySource::Kept)
        );
        // No other key takes the place of one that cannot be used.
        fs::write(&file, "damaged").unwrap();
        assert!(load_key(Some(dir.path()), Some(&file)).is_err());
        let nowhere = file.join("sub");
        assert!(load_key(Some(dir.path()), Some(&nowhere)).is_err());
    }

    #[test]
    fn a_login_name_becomes_a_valid_name() {
        let name = |login| default_name(login).unwrap().as_str().to_owned();
        assert_eq!(name("alice"), "alice");
        assert_eq!(name("CORP\\Jane Doe"), "Jane-Doe");
        assert_eq!(name("#adam"), "adam");
        assert_eq!(name("root"), NAMELESS);
        assert_eq!(name(""), NAMELESS);
        assert_eq!(name(&"x".repeat(50)), "x".repeat(32));
    }
}
