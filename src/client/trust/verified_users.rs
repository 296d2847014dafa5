//! The users whose keys this user has verified, by key.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::json_lines;
use crate::fingerprint::Fingerprint;

const FILE: &str = "verified_users";

/// The most keys to keep; the oldest go first. Nobody compares more digits in a lifetime.
const MAX_USERS: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VerifiedUser {
    pub(crate) key: Fingerprint,
    /// The name at that time.
    pub(crate) name: String,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct VerifiedUsers {
    users: Vec<VerifiedUser>,
    path: Option<PathBuf>,
}

impl VerifiedUsers {
    /// Reads the file in `dir`, and skips lines that it does not understand. Without a directory, or an
    /// unreadable file, the list lasts for this run.
    pub(crate) fn load(dir: Option<&Path>) -> Self {
        let Some(path) = dir.map(|dir| dir.join(FILE)) else { return Self::default() };
        match json_lines::read(&path, MAX_USERS) {
            Ok(users) => Self { users, path: Some(path) },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self { users: Vec::new(), path: Some(path) }
            }
            Err(error) => {
                tracing::warn!("cannot read the verified users in {}: {error}", path.display());
                Self::default()
            }
        }
    }

    /// The names of the users, the latest first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.users.iter().rev().map(|user| user.name.as_str())
    }

    pub(crate) fn find(&self, key: &Fingerprint) -> Option<&VerifiedUser> {
        self.users.iter().find(|user| user.key == *key)
    }

    /// Another key that was verified under this name.
    pub(crate) fn other(&self, name: &str, key: &Fingerprint) -> Option<&VerifiedUser> {
        let name = name.to_lowercase();
        self.users.iter().rev().find(|user| user.name.to_lowercase() == name && user.key != *key)
    }

    pub(crate) fn add(&mut self, user: VerifiedUser) {
        self.users.retain(|other| other.key != user.key);
        if self.users.len() >= MAX_USERS {
            self.users.remove(0);
        }
        self.users.push(user);
        self.save();
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &Fingerprint) {
        let count = self.users.len();
        self.users.retain(|user| user.key != *key);
        if self.users.len() < count {
            self.save();
        }
    }

    fn save(&self) {
        let Some(path) = &self.path else { return };
        if let Err(error) = json_lines::replace(path, &self.users) {
            tracing::warn!("cannot save the verified users in {}: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(byte: u8, name: &str) -> VerifiedUser {
        let at = "2026-11-27T12:00:00Z".parse().unwrap();
        VerifiedUser { key: Fingerprint::new([byte; 32]), name: name.into(), at }
    }

    #[test]
    fn verified_users_are_found_by_key_in_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut users = VerifiedUsers::load(Some(dir.path()));
        users.add(user(1, "bob"));
        users.add(user(2, "carol"));
        let mut users = VerifiedUsers::load(Some(dir.path()));
        assert_eq!(users.find(&user(1, "").key), Some(&user(1, "bob")));
        assert_eq!(users.other("BOB", &user(3, "").key), Some(&user(1, "bob")), "an impostor's key");
        assert_eq!(users.other("bob", &user(1, "").key), None);
        users.remove(&user(1, "").key);
        users.remove(&user(1, "").key);
        assert_eq!(VerifiedUsers::load(Some(dir.path())).users, [user(2, "carol")]);
    }

    #[test]
    fn a_damaged_line_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let line = serde_json::to_string(&user(1, "bob")).unwrap();
        std::fs::write(dir.path().join(FILE), format!("garbage\n{line}\n{{}}\n")).unwrap();
        assert_eq!(VerifiedUsers::load(Some(dir.path())).users, [user(1, "bob")]);
    }
}
