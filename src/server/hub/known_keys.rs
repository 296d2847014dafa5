//! Keys that the doors of a server let in that shares its chat with others, from its own copy of the records.

use crate::chat::{Record, Records};
use crate::fingerprint::Fingerprint;
use std::collections::HashSet;

#[derive(Debug)]
pub(in crate::server) struct KnownKeys {
    /// The chat's own, with which the other servers connect.
    chat: Fingerprint,
    members: HashSet<Fingerprint>,
    /// May enter a closed server like members.
    operators: HashSet<Fingerprint>,
    owners: HashSet<Fingerprint>,
}

impl KnownKeys {
    pub(super) fn new(chat: Fingerprint) -> Self {
        Self { chat, members: HashSet::new(), operators: HashSet::new(), owners: HashSet::new() }
    }

    /// Adds the keys in these records.
    pub(in crate::server) fn know(&mut self, records: &Records) {
        self.members.extend(records.members.iter().map(|row| row.key));
        self.operators.extend(records.operators.iter().map(|row| row.key));
        self.owners.extend(records.names.iter().map(|row| row.key));
    }

    /// Follows a change of a record.
    pub(super) fn learn(&mut self, record: &Record) {
        match record {
            Record::Member(key, Some(_)) => drop(self.members.insert(*key)),
            Record::Member(key, None) => drop(self.members.remove(key)),
            Record::Operator(key, Some(_)) => drop(self.operators.insert(*key)),
            Record::Operator(key, None) => drop(self.operators.remove(key)),
            Record::Name(_, Some(row)) => drop(self.owners.insert(row.key)),
            _ => {}
        }
    }

    /// Whether the key may enter a closed server without the passphrase.
    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.members.contains(key) || self.operators.contains(key)
    }

    /// Whether the key may send files at a closed server: the other servers of the chat pass them on, but do not chat.
    pub(super) fn may_send_files(&self, key: &Fingerprint) -> bool {
        *key == self.chat || self.is_member(key)
    }

    /// Whether the key is a member's, a server's, or owns a name.
    pub(super) fn is_known(&self, key: &Fingerprint) -> bool {
        self.may_send_files(key) || self.owners.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_servers_is_for_files_alone() {
        let [chat, member, stranger] = [1, 2, 3].map(|byte| Fingerprint::new([byte; 32]));
        let mut keys = KnownKeys::new(chat);
        keys.members.insert(member);
        let may = |key| (keys.is_known(key), keys.may_send_files(key), keys.is_member(key));
        assert_eq!(may(&chat), (true, true, false));
        assert_eq!(may(&member), (true, true, true));
        assert_eq!(may(&stranger), (false, false, false));
    }
}
