//! Keys that are in use under several names at once, as on machines that were made from one image.
//!
//! A key identifies one person, so the rules cannot keep its holders apart: each of them can take the
//! others' names and read their history. They do what they can: they tell those concerned, and send each
//! name only its own direct messages. They forget it at the next start.

use super::archive::{Account, Message, Venue};
use super::call::Call;
use super::delivery::Delivery;
use super::user::User;
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries};
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_NAMES_OF_SHARED_KEY, MAX_SHARED_KEYS};
use crate::name::NameKey;
use crate::protocol::Event;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The names under which keys were in use at the same time, the latest key last.
#[derive(Debug, Default)]
pub(super) struct SharedKeys(IndexMap<Fingerprint, Vec<NameKey>>);

/// The other names of a session's key, whose direct messages are not for this session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherNames {
    account: Option<Account>,
    names: Vec<NameKey>,
}

impl SharedKeys {
    fn names(&self, key: &Fingerprint) -> &[NameKey] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Notes a name of the key; returns whether it is new.
    fn note(&mut self, key: Fingerprint, name: NameKey) -> bool {
        if !self.0.contains_key(&key) && self.0.len() >= MAX_SHARED_KEYS {
            self.0.shift_remove_index(0);
        }
        let names = self.0.entry(key).or_default();
        if names.contains(&name) {
            return false;
        }
        if names.len() >= MAX_NAMES_OF_SHARED_KEY {
            names.remove(0);
        }
        names.push(name);
        true
    }

    /// Notes more keys and names than there is room for.
    #[cfg(test)]
    pub(super) fn fill(&mut self) {
        for number in 0..2 * MAX_SHARED_KEYS as u32 {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.to_be_bytes());
            (0..2 * MAX_NAMES_OF_SHARED_KEY).for_each(|name| {
                self.note(Fingerprint::new(hash), NameKey::of(&format!("name{name}")));
            });
        }
    }

    /// The number of keys, and the most names of one.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().map(Vec::len).max().unwrap_or_default())
    }

    /// Follows a user of the key to another name.
    pub(super) fn rename(&mut self, key: &Fingerprint, old: &NameKey, new: &NameKey) {
        let Some(names) = self.0.get_mut(key) else { return };
        if let Some(place) = names.iter().position(|name| name == old) {
            names.remove(place);
            names.retain(|name| name != new);
            names.push(new.clone());
        }
    }
}

impl OtherNames {
    /// Whether the message is from or to another name of the key, and neither from nor to this one.
    pub fn concerns(&self, message: &Message) -> bool {
        let Venue::Direct(to) = &message.venue else { return false };
        if self.names.is_empty() || !message.kind.is_said() {
            return false;
        }
        let is_own = |account: &Option<Account>| account.is_some() && *account == self.account;
        let is_other = |name: &str| self.names.contains(&NameKey::of(name));
        let (is_to_key, is_from_key) = (is_own(&message.receiver), is_own(&message.author));
        let is_mine = is_to_key && !is_other(to) || is_from_key && !is_other(&message.from.name);
        (is_to_key || is_from_key) && !is_mine
    }
}

impl Call<'_> {
    /// If the new session's key is in use under another name, tells both users, and the first time operators.
    pub(super) fn tell_of_shared_key(&mut self) {
        let Some(asking) = self.chat.asking(self.session) else { return };
        let Some(Account::Key(key)) = asking.who.account() else { return };
        let key = *key;
        let others = self.chat.users_of(&asking.who).iter().copied();
        let others = others.filter(|user| *user != asking.user && self.chat.is_present(*user));
        let others: Vec<UserId> = others.take(MAX_NAMES_OF_SHARED_KEY).collect();
        let Some(other) = others.first() else { return };
        let (Some(own), Some(met)) =
            (self.chat.name_and_place(asking.user), self.chat.name_and_place(*other))
        else {
            return;
        };
        let is_first = self.chat.shared_keys.names(&key).is_empty();
        let mut is_new = false;
        for user in others.iter().chain([&asking.user]) {
            let name = self.chat.users.get(user).map(|user| user.name.key());
            is_new |= name.is_some_and(|name| self.chat.shared_keys.note(key, name));
        }
        self.inform(notice(&met));
        if !is_new {
            return;
        }
        // In a crowd, the others know already.
        if others.len() == 1 {
            self.chat.tell_user(*other, &notice(&own), self.out);
        }
        let line = format!("{own} and {met} use the same key, {key}");
        if is_first {
            let msg = format!(
                "{line}: perhaps their machines were made from one image; each should have a key of its own"
            );
            self.chat.tell_operators(&Event::Notice(msg), self.out);
        }
        self.out.push(Delivery::LogSharedKey(line));
    }
}

/// The notice for a user of the key about another one.
fn notice(other: &str) -> Event {
    Event::Notice(format!(
        "your key is also in use as {other}; anyone who uses it there can read your direct messages; if that is not you, \
         delete client.pem on one of these machines and start lanchat again, which creates a new key"
    ))
}

impl Chat {
    fn is_present(&self, user: UserId) -> bool {
        self.users.get(&user).is_some_and(|user| user.chatting > 0)
    }

    /// `alice (10.0.0.1)`.
    fn name_and_place(&self, user: UserId) -> Option<String> {
        let user = self.users.get(&user)?;
        let session = self.sessions.get(user.sessions.first()?)?;
        Some(format!("{} ({})", user.name, session.ip))
    }

    fn tell_user(&self, user: UserId, event: &Event, out: &mut Deliveries) {
        let sessions = self.users.get(&user).map_or(&[][..], |user| user.sessions.as_slice());
        for session in sessions.iter().filter(|session| self.listens(**session)) {
            self.inform(*session, event.clone(), out);
        }
    }

    /// A person's listening sessions. If the name was in use at the same time as other names of the key,
    /// leaves out the users of those.
    pub(super) fn sessions_under(&self, who: &Who, name: impl FnOnce() -> NameKey) -> Vec<SessionId> {
        let shared = match who.account() {
            Some(Account::Key(key)) => self.shared_keys.names(key),
            _ => &[],
        };
        if shared.is_empty() {
            return self.sessions_of(who);
        }
        let name = name();
        let is_other = |user: &User| user.name.key() != name && shared.contains(&user.name.key());
        let users = self.users_of(who).iter().filter_map(|user| self.users.get(user));
        let users = users.filter(|user| !shared.contains(&name) || !is_other(user));
        users.flat_map(|user| &user.sessions).copied().filter(|session| self.listens(*session)).collect()
    }

    /// Notes that a key is in use under several names, if it is.
    pub(super) fn note_shared_key(&mut self, user: UserId) {
        let Some(who) = self.person(user) else { return };
        let Some(Account::Key(key)) = who.account() else { return };
        let users = self.users_of(&who).iter().filter(|user| self.is_present(**user));
        let users = users.filter_map(|user| self.users.get(user)).take(MAX_NAMES_OF_SHARED_KEY);
        let names: Vec<NameKey> = users.map(|user| user.name.key()).collect();
        if names.len() > 1 {
            for name in names {
                self.shared_keys.note(*key, name);
            }
        }
    }

    /// The names of the session's key that are not the session's.
    pub fn other_names(&self, id: SessionId) -> OtherNames {
        let Some((user, key)) = self.user_of(id).and_then(|user| Some((user, user.owner.key()?))) else {
            return OtherNames::default();
        };
        let (own, names) = (user.name.key(), self.shared_keys.names(key));
        // A program that reads along under a name of its own gets everything.
        if !names.contains(&own) {
            return OtherNames::default();
        }
        let names = names.iter().filter(|name| **name != own).cloned().collect();
        OtherNames { account: Some(Account::Key(*key)), names }
    }
}
