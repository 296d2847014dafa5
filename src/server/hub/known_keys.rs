//! Keys that the doors of a server let in that shares its chat with others, from its own copy of the records.

use crate::chat::{NameRecord, NameUse, Record, Records};
use crate::fingerprint::Fingerprint;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};

#[derive(Debug)]
pub(in crate::server) struct KnownKeys {
    /// The chat's own, with which the other servers connect.
    chat: Fingerprint,
    members: HashSet<Fingerprint>,
    /// May enter a closed server like members.
    operators: HashSet<Fingerprint>,
    /// Names, and their owners.
    names: HashMap<String, Fingerprint>,
    /// How long each key has used each of its names.
    owners: HashMap<Fingerprint, SmallVec<[(String, NameUse); 1]>>,
}

impl KnownKeys {
    pub(super) fn new(chat: Fingerprint) -> Self {
        let (members, operators) = (HashSet::new(), HashSet::new());
        Self { chat, members, operators, names: HashMap::new(), owners: HashMap::new() }
    }

    /// Adds the keys in these records.
    pub(in crate::server) fn know(&mut self, records: &Records) {
        self.members.extend(records.members.iter().map(|row| row.key));
        self.operators.extend(records.operators.iter().map(|row| row.key));
        records.names.iter().for_each(|row| self.own(row));
    }

    /// Follows a change of a record.
    pub(super) fn learn(&mut self, record: &Record) {
        match record {
            Record::Member(key, Some(_)) => drop(self.members.insert(*key)),
            Record::Member(key, None) => drop(self.members.remove(key)),
            Record::Operator(key, Some(_)) => drop(self.operators.insert(*key)),
            Record::Operator(key, None) => drop(self.operators.remove(key)),
            Record::Name(_, Some(row)) => self.own(row),
            Record::Name(name, None) => self.disown(name),
            Record::Sanction(..) | Record::Read(..) | Record::Alive(_) => {}
        }
    }

    fn own(&mut self, row: &NameRecord) {
        self.disown(&row.name);
        self.names.insert(row.name.clone(), row.key);
        self.owners.entry(row.key).or_default().push((row.name.clone(), row.usage()));
    }

    fn disown(&mut self, name: &str) {
        let Some(key) = self.names.remove(name) else { return };
        if let Some(own) = self.owners.get_mut(&key) {
            own.retain(|(other, _)| other != name);
            if own.is_empty() {
                self.owners.remove(&key);
            }
        }
    }

    pub(super) fn is_operator(&self, key: &Fingerprint) -> bool {
        self.operators.contains(key)
    }

    /// Whether the key may enter a closed server without the passphrase.
    pub(super) fn is_member(&self, key: &Fingerprint) -> bool {
        self.members.contains(key) || self.operators.contains(key)
    }

    /// Whether the key may send files at a closed server: the other servers of the chat pass them on, but do not chat.
    pub(super) fn may_send_files(&self, key: &Fingerprint) -> bool {
        *key == self.chat || self.is_member(key)
    }

    /// Whether the key is a member's, a server's, or owns a name, at that second of Unix time.
    pub(super) fn is_known(&self, key: &Fingerprint, second: i64) -> bool {
        self.may_send_files(key) || self.uses_of(key, second).next().is_some()
    }

    /// Whether the key has had a name for a while or is an operator's.
    pub(super) fn is_established(&self, key: &Fingerprint, second: i64) -> bool {
        self.operators.contains(key) || self.uses_of(key, second).any(|usage| usage.is_established(second))
    }

    fn uses_of(&self, key: &Fingerprint, second: i64) -> impl Iterator<Item = NameUse> {
        let own = self.owners.get(key).into_iter().flatten();
        own.map(|(_, usage)| *usage).filter(move |usage| !usage.is_over(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::NAME_TRIED;
    use jiff::Timestamp;

    const START: i64 = 1_900_000_000;

    fn row(name: &str, key: u8, used: u32, in_use: bool) -> NameRecord {
        let (key, last) = (Fingerprint::new([key; 32]), Timestamp::from_second(START).unwrap());
        NameRecord { name: name.into(), key, last, used, in_use }
    }

    #[test]
    fn a_key_is_known_while_it_owns_a_name() {
        let mut keys = KnownKeys::new(Fingerprint::new([0; 32]));
        let key = Fingerprint::new([1; 32]);
        keys.learn(&Record::Name("bob".into(), Some(row("bob", 1, 0, true))));
        assert!(keys.is_known(&key, START));
        keys.learn(&Record::Name("bob".into(), Some(row("bob", 2, 0, true))));
        assert!(!keys.is_known(&key, START), "it is another one's");
        keys.learn(&Record::Name("rob".into(), Some(row("rob", 1, 0, false))));
        assert!(keys.is_known(&key, START) && !keys.is_known(&key, START + 365 * 86_400));
        keys.learn(&Record::Name("rob".into(), None));
        assert!(!keys.is_known(&key, START));
    }

    #[test]
    fn a_key_is_established_once_it_has_used_a_name_for_a_while() {
        let mut keys = KnownKeys::new(Fingerprint::new([0; 32]));
        let (key, tried) = (Fingerprint::new([1; 32]), NAME_TRIED.as_secs() as i64);
        keys.learn(&Record::Name("bob".into(), Some(row("bob", 1, 60, true))));
        assert!(!keys.is_established(&key, START + tried - 61));
        assert!(keys.is_established(&key, START + tried - 60));
        keys.learn(&Record::Name("bob".into(), Some(row("bob", 1, 61, false))));
        assert!(!keys.is_established(&key, START + tried));
    }

    #[test]
    fn the_key_of_the_servers_is_for_files_alone() {
        let [chat, member, stranger] = [1, 2, 3].map(|byte| Fingerprint::new([byte; 32]));
        let mut keys = KnownKeys::new(chat);
        keys.members.insert(member);
        let may = |key| (keys.is_known(key, START), keys.may_send_files(key), keys.is_member(key));
        assert_eq!(may(&chat), (true, true, false));
        assert_eq!(may(&member), (true, true, true));
        assert_eq!(may(&stranger), (false, false, false));
    }
}
