//! Users whose messages this user does not want to see: by key, so that another name does not help them, and
//! users without a key by name.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::json_lines;
use crate::fingerprint::Fingerprint;
use crate::protocol::packet::Sender;

/// The file's name, in the state directory.
pub(crate) const IGNORED_FILE: &str = "ignored";

/// Users on the list: more than one person gets to know. The oldest entry gives way.
const MAX_IGNORED: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IgnoredUser {
    /// The latest known name.
    pub(super) name: String,
    /// The key, as `whois` has it; without one, the name decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// `None`: until the user lifts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Timestamp>,
}

impl IgnoredUser {
    fn is(&self, sender: &Sender) -> bool {
        match &self.key {
            Some(key) => sender
                .key
                .as_ref()
                .is_some_and(|tag| key.parse().is_ok_and(|key: Fingerprint| key.tag() == *tag)),
            None => sender.key.is_none() && self.is_called(&sender.name),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.to_lowercase() == name.to_lowercase()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

#[derive(Debug, Default)]
pub(crate) struct IgnoreList {
    users: Vec<IgnoredUser>,
    /// Without a file, the list lasts for this run.
    file: Option<PathBuf>,
}

impl IgnoreList {
    /// Reads the list.
    pub(crate) fn load(file: Option<PathBuf>) -> Self {
        let mut list = Self { users: Vec::new(), file };
        list.reload();
        list
    }

    /// Reads the file again, which another terminal may have changed.
    fn reload(&mut self) {
        let Some(file) = &self.file else { return };
        match json_lines::read(file, MAX_IGNORED) {
            Ok(users) => self.users = users,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("cannot read the ignored users in {}: {error}", file.display()),
        }
    }

    /// Whether the message's sender is on the list.
    pub(super) fn hides(&self, sender: &Sender, now: Timestamp) -> bool {
        !sender.is_server() && self.users.iter().any(|user| user.is(sender) && !user.is_over(now))
    }

    /// Whether a user is on the list, by name.
    pub(super) fn hides_name(&self, name: &str, now: Timestamp) -> bool {
        self.users.iter().any(|user| user.is_called(name) && !user.is_over(now))
    }

    /// The users on the list, the latest first.
    pub(super) fn users(&mut self, now: Timestamp) -> &[IgnoredUser] {
        self.reload();
        self.users.retain(|user| !user.is_over(now));
        &self.users
    }

    /// Adds a user, or changes until when; the error says why it lasts only for this run.
    pub(super) fn add(&mut self, user: IgnoredUser, now: Timestamp) -> Result<(), String> {
        self.users(now);
        self.users.retain(|known| match &user.key {
            Some(key) => known.key.as_ref() != Some(key),
            None => known.key.is_some() || !known.is_called(&user.name),
        });
        self.users.insert(0, user);
        self.users.truncate(MAX_IGNORED);
        self.save()
    }

    /// Removes all users of that name; the number of them.
    pub(super) fn remove(&mut self, name: &str, now: Timestamp) -> Result<usize, String> {
        self.users(now);
        let before = self.users.len();
        self.users.retain(|user| !user.is_called(name));
        let removed = before - self.users.len();
        if removed > 0 {
            self.save()?;
        }
        Ok(removed)
    }

    /// Notes the new name of a user with a key.
    pub(super) fn rename(&mut self, old: &str, name: &str) {
        for user in self.users.iter_mut().filter(|user| user.key.is_some()) {
            if user.name.to_lowercase() == old.to_lowercase() {
                name.clone_into(&mut user.name);
            }
        }
    }

    fn save(&self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        json_lines::replace(file, &self.users).map_err(|error| format!("{}: {error}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOB: Fingerprint = Fingerprint::new([7; 32]);

    fn sender(name: &str, key: Option<Fingerprint>) -> Sender {
        Sender { name: name.into(), ip: "10.0.0.3".into(), key: key.map(|key| key.tag()) }
    }

    fn user(name: &str, key: Option<Fingerprint>, until: Option<Timestamp>) -> IgnoredUser {
        IgnoredUser { name: name.into(), key: key.map(|key| key.to_string()), until }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_user_with_a_key_is_ignored_under_any_name_and_one_without_by_name() {
        let mut list = IgnoreList::default();
        list.add(user("bob", Some(BOB), None), at(0)).unwrap();
        list.add(user("Eve", None, None), at(0)).unwrap();
        assert!(list.hides(&sender("rob", Some(BOB)), at(1)));
        assert!(!list.hides(&sender("bob", Some(Fingerprint::new([8; 32]))), at(1)));
        assert!(!list.hides(&sender("bob", None), at(1)));
        assert!(list.hides(&sender("eve", None), at(1)));
        assert!(!list.hides(&sender("eve", Some(Fingerprint::new([9; 32]))), at(1)));
        list.rename("bob", "rob");
        assert!(list.hides_name("ROB", at(1)));
        assert_eq!(list.remove("Rob", at(1)), Ok(1));
        assert!(!list.hides(&sender("rob", Some(BOB)), at(1)));
    }

    #[test]
    fn an_entry_ends_and_the_list_is_kept_for_other_terminals_too() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state").join(IGNORED_FILE);
        let mut one = IgnoreList::load(Some(file.clone()));
        let mut other = IgnoreList::load(Some(file.clone()));
        one.add(user("bob", Some(BOB), Some(at(60))), at(0)).unwrap();
        other.add(user("eve", None, None), at(0)).unwrap();
        let list = IgnoreList::load(Some(file.clone()));
        assert!(list.hides(&sender("bob", Some(BOB)), at(59)) && list.hides(&sender("eve", None), at(59)));
        assert!(!list.hides(&sender("bob", Some(BOB)), at(60)));
        std::fs::write(&file, "{{{\n{\"name\":\"eve\"}\n").unwrap();
        assert_eq!(IgnoreList::load(Some(file)).users(at(0)), [user("eve", None, None)]);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut list = IgnoreList::default();
        (0..MAX_IGNORED + 5).for_each(|n| list.add(user(&format!("u{n}"), None, None), at(0)).unwrap());
        assert_eq!(list.users(at(0)).len(), MAX_IGNORED);
        assert!(!list.hides_name("u0", at(0)) && list.hides_name("u1004", at(0)));
    }
}
