//! Invariants of the chat, for tests and fuzzers.

use super::{
    Account, Archive, BanRecord, Chat, Delivery, Entry, MemberRecord, NameRecord, Now, OperatorRecord,
    ReadRecord, Record, Records, Sanction, Session, SessionId,
};
use crate::fingerprint::Fingerprint;
use crate::protocol::request::Mode;
use std::collections::{BTreeMap, HashSet};

/// Records as a disk has them: every row that the rules pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredRecords {
    names: Vec<NameRecord>,
    operators: BTreeMap<Fingerprint, OperatorRecord>,
    members: BTreeMap<Fingerprint, MemberRecord>,
    sanctions: BTreeMap<(Sanction, u32), BanRecord>,
    reads: BTreeMap<Account, ReadRecord>,
    alive: i64,
}

impl StoredRecords {
    /// The records of these rows.
    pub(crate) fn of(records: Records) -> Self {
        let mut stored = Self { names: records.names, ..Self::default() };
        let numbered = |sanction| move |(number, row): (u32, BanRecord)| ((sanction, number), row);
        stored.operators.extend(records.operators.into_iter().map(|row| (row.key, row)));
        stored.members.extend(records.members.into_iter().map(|row| (row.key, row)));
        stored.sanctions.extend(records.bans.into_iter().map(numbered(Sanction::Ban)));
        stored.sanctions.extend(records.mutes.into_iter().map(numbered(Sanction::Mute)));
        stored
    }

    /// Writes what a call has pushed.
    pub(crate) fn keep(&mut self, out: &[Delivery]) {
        for delivery in out {
            if let Delivery::Keep(Entry::Record(record)) = delivery {
                self.write((**record).clone());
            }
        }
    }

    pub(crate) fn write(&mut self, record: Record) {
        match record {
            Record::Name(name, row) => {
                let place = self.names.iter().position(|row| row.name == name);
                match (place, row) {
                    (Some(place), Some(row)) => self.names[place] = row,
                    (Some(place), None) => drop(self.names.remove(place)),
                    (None, row) => self.names.extend(row),
                }
            }
            Record::Operator(key, row) => set(&mut self.operators, key, row),
            Record::Member(key, row) => set(&mut self.members, key, row),
            Record::Sanction(sanction, number, row) => set(&mut self.sanctions, (sanction, number), row),
            Record::Read(account, row) => set(&mut self.reads, account, row),
            Record::Alive(second) => self.alive = second,
        }
    }

    #[cfg(test)]
    pub(crate) fn name(&self, name: &str) -> Option<&NameRecord> {
        self.names.iter().find(|row| row.name == name)
    }

    /// The records that the next start would load.
    pub(crate) fn read(&self) -> Records {
        let of = |wanted| {
            let rows = self.sanctions.iter().filter(move |((sanction, _), _)| *sanction == wanted);
            rows.map(|((_, number), row)| (*number, row.clone())).collect()
        };
        let mut names = self.names.clone();
        for row in names.iter_mut().filter(|row| row.in_use) {
            let more = self.alive.saturating_sub(row.last.as_second()).max(0);
            row.used = row.used.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
            row.last = row.last.max(jiff::Timestamp::from_second(self.alive).unwrap_or_default());
            row.in_use = false;
        }
        let mut members: Vec<MemberRecord> = self.members.values().cloned().collect();
        members.sort_by_key(|row| (row.since, row.key));
        let operators = self.operators.values().cloned().collect();
        let (bans, mutes) = (of(Sanction::Ban), of(Sanction::Mute));
        Records { operators, members, bans, mutes, names, reads: self.reads.values().cloned().collect() }
    }
}

fn set<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, row: Option<V>) {
    match row {
        Some(row) => drop(rows.insert(key, row)),
        None => drop(rows.remove(&key)),
    }
}

impl Chat {
    /// Asserts that all tables agree, and that exactly these sessions follow the lobby.
    pub(crate) fn check(&self, following: &HashSet<SessionId>, now: &Now) {
        self.check_tables(now);
        let listening: HashSet<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.user.is_some() && session.listens())
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(*following, listening, "exactly the registered sessions that listen follow the lobby");
        let banned = |session: &Session| self.ban_text(&session.peer(), now).is_some();
        assert!(!self.sessions.values().any(|session| session.user.is_some() && banned(session)));
    }

    pub(crate) fn check_tables(&self, now: &Now) {
        assert_eq!(self.names.len(), self.users.len());
        for (key, id) in &self.names {
            assert_eq!(self.users[id].name.key(), *key);
        }
        self.check_users(now);
        let used: Vec<_> =
            self.users.values().filter_map(|user| Some((&user.name, user.owner.key()?))).collect();
        self.owned.check(&used);
        self.waiting.check_sums();
        if let Some(offers) = &self.offers {
            offers.check(|id| self.is_registered(id), |user| self.users.contains_key(&user));
        }
        for (account, users) in &self.accounts {
            assert!(
                !users.is_empty() && users.iter().all(|id| self.users[id].owner.account() == Some(account))
            );
        }
        let known = self.users.values().filter(|user| user.owner.account().is_some());
        assert_eq!(self.accounts.values().map(|users| users.len()).sum::<usize>(), known.count());
        let here =
            self.users.iter().map(|(id, user)| (user.who(*id), *id, user.name.key(), user.chatting > 0));
        self.rooms.check(&here.collect::<Vec<_>>());
        for room in self.rooms.after(None) {
            let users = room.here_after(None).map(|(_, user)| &self.users[&user]);
            let mut listening: Vec<_> = users.flat_map(|user| &user.sessions).copied().collect();
            listening.retain(|session| self.listens(*session));
            let mut listeners = room.listeners().to_vec();
            listeners.sort_unstable();
            listening.sort_unstable();
            assert_eq!(listeners, listening);
        }
    }

    fn check_users(&self, now: &Now) {
        let mut present = 0;
        for (id, user) in self.users.iter() {
            let sessions: Vec<_> = user.sessions.iter().map(|session| &self.sessions[session]).collect();
            assert!(!sessions.is_empty() && sessions.iter().all(|session| session.user == Some(*id)));
            assert!(sessions.iter().all(|session| session.key() == user.owner.key()));
            let alike: Vec<_> = self.looks.find(&user.name.likeness()).collect();
            assert_eq!(alike, [*id], "no two look alike");
            let claimed = self.owned.claimed(&user.name.likeness(), user.owner.key(), now.at());
            assert_eq!(claimed, None, "nobody bears another key's name");
            let chatting = sessions.iter().filter(|session| session.mode == Mode::Chat).count();
            assert_eq!(chatting, user.chatting as usize);
            present += usize::from(chatting > 0);
        }
        assert_eq!(present, self.present);
    }

    /// All that must outlive a restart.
    pub(crate) fn records(&self, now: &Now) -> Records {
        let mut records = Records { names: self.owned.records(now.at()), ..Records::default() };
        self.access.records(now.clock.timestamp(), &mut records);
        records
    }

    /// Asserts that the next start would load all that it must know from this disk; once everyone has left,
    /// all there is.
    pub(crate) fn check_kept(&self, stored: &StoredRecords, now: &Now) {
        let then = Self::new(
            self.profile.clone(),
            self.rules.clone(),
            Archive { records: stored.read(), ..Archive::default() },
        );
        let (mut kept, mut own) = (then.records(now), self.records(now));
        for names in [&mut kept.names, &mut own.names] {
            names.sort_by(|one, other| one.name.cmp(&other.name));
        }
        if self.users.is_empty() {
            assert_eq!(kept, own);
        }
        let whose = |names: Vec<NameRecord>| -> Vec<(String, Fingerprint)> {
            names.into_iter().map(|row| (row.name, row.key)).collect()
        };
        assert_eq!(whose(std::mem::take(&mut kept.names)), whose(std::mem::take(&mut own.names)));
        assert_eq!(kept, own);
    }

    /// Asserts that departed users have left nothing behind.
    pub(crate) fn check_empty(&self) {
        assert!(self.users.is_empty() && self.names.is_empty() && self.sessions.is_empty());
        assert!(self.accounts.is_empty() && self.absences.is_empty() && self.strangers_messages.is_empty());
        assert_eq!(
            (self.looks.len(), self.present, self.presence.due(), self.rooms.due()),
            (0, 0, None, None)
        );
        assert!(self.offers.as_ref().is_none_or(|offers| offers.has_nothing()));
    }

    /// Whether the session's messages must reach nobody; an operator's alerts may.
    pub(crate) fn is_silenced(&self, id: SessionId, now: &Now) -> bool {
        self.check_muted(id, now).is_err() && !self.is_operator(id)
    }

    /// Whether a connected operator has that name.
    pub(crate) fn is_operators_name(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, user)| self.access.is_operator(user.owner.key()))
    }
}
