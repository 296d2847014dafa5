//! Entries, except messages, that wait for a store that fails.
//!
//! Of each record's row, only the last state waits, so the number of rows is the bound. Beyond the limit, the
//! oldest changes of rooms, mail, names and members are dropped and counted. Changes of operators, bans and
//! mutes never are, because people rely on them.

use crate::chat::{Entry, Record, RecordKey};
use crate::limits::MAX_DEFERRED;
use indexmap::IndexMap;
use std::collections::{HashMap, VecDeque};

#[derive(Debug, Default)]
pub(super) struct Deferred {
    /// Changes of rooms and mail, in order.
    others: VecDeque<Entry>,
    /// Names and members.
    rows: IndexMap<RecordKey, Record>,
    /// Operators, bans and mutes, of which there are few.
    relied_upon: HashMap<RecordKey, Record>,
    /// Changes that were dropped.
    pub(super) lost: usize,
}

impl Deferred {
    pub(super) fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Record(record) => self.add_record(*record),
            other => {
                self.others.push_back(other);
                if self.others.len() > MAX_DEFERRED {
                    self.others.pop_front();
                    self.lost += 1;
                }
            }
        }
    }

    fn add_record(&mut self, record: Record) {
        let key = record.key();
        if matches!(key, RecordKey::Operator(_) | RecordKey::Sanction(..) | RecordKey::Alive) {
            self.relied_upon.insert(key, record);
            return;
        }
        self.rows.insert(key, record);
        if self.rows.len() > MAX_DEFERRED {
            // One of the oldest: to remove the very first, all others would have to move.
            self.rows.swap_remove_index(0);
            self.lost += 1;
        }
    }

    /// All entries, in an order in which the store can write them.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let rows = self.rows.values().chain(self.relied_upon.values());
        let rows = rows.map(|row| Entry::Record(Box::new(row.clone())));
        self.others.iter().cloned().chain(rows).collect()
    }

    /// For the log.
    pub(super) fn described(&self) -> String {
        format!(
            "{} changes of rooms and mail, {} of names and members, {} of operators, bans and mutes",
            self.others.len(),
            self.rows.len(),
            self.relied_upon.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{BanRecord, NameRecord, Sanction};
    use crate::fingerprint::Fingerprint;
    use jiff::Timestamp;

    fn ban(number: u32) -> Entry {
        let row = BanRecord {
            key: None,
            ips: Vec::new(),
            name: Some(format!("user{number}")),
            by: "test".into(),
            since: Timestamp::UNIX_EPOCH,
            until: None,
            rest: serde_json::Map::new(),
        };
        Entry::Record(Box::new(Record::Sanction(Sanction::Ban, number, Some(row))))
    }

    fn name(number: usize, used: u32) -> Entry {
        let name = format!("user{number}");
        let (key, last) = (Fingerprint::new([7; 32]), Timestamp::UNIX_EPOCH);
        let row = NameRecord { name: name.clone(), key, last, used, in_use: false };
        Entry::Record(Box::new(Record::Name(name, Some(row))))
    }

    #[test]
    fn of_a_row_its_last_state_waits_however_often_it_changes() {
        let mut deferred = Deferred::default();
        (0..10 * MAX_DEFERRED as u32).for_each(|used| deferred.add(name(1, used)));
        assert_eq!((deferred.entries(), deferred.lost), (vec![name(1, 10 * MAX_DEFERRED as u32 - 1)], 0));
    }

    #[test]
    fn a_ban_is_never_lost_whatever_else_is_too_much() {
        let mut deferred = Deferred::default();
        deferred.add(ban(1));
        (0..2 * MAX_DEFERRED).for_each(|number| deferred.add(name(number, 0)));
        deferred.add(ban(2));
        let entries = deferred.entries();
        assert_eq!((entries.len(), deferred.lost), (MAX_DEFERRED + 2, MAX_DEFERRED));
        assert!(entries.contains(&ban(1)) && entries.contains(&ban(2)));
    }

    #[test]
    fn a_row_that_was_removed_while_deferred_is_removed_on_the_disk() {
        let mut deferred = Deferred::default();
        let gone = || Entry::Record(Box::new(Record::Sanction(Sanction::Ban, 1, None)));
        deferred.add(ban(1));
        deferred.add(gone());
        assert_eq!(deferred.entries(), [gone()]);
    }
}
