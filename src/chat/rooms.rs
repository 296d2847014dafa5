//! Rooms: who is in which, who of them is here, and what each is about.
//!
//! Knows no sessions and sends nothing. A room is there while somebody is in it; who is in none costs
//! nothing here.

use super::archive::{Account, RoomRecord, Topic};
use super::presence::Presence;
use super::who::{SessionId, UserId, Who};
use crate::limits::{
    MAX_MEMBERSHIPS, MAX_MEMBERSHIPS_OF_NEWCOMERS, MAX_ROOMS, MAX_ROOMS_OF_NEWCOMERS, MAX_ROOMS_PER_USER,
    MAX_TOPIC_BYTES, ROOMS_LOOKED_AT, ROOMS_SWEPT,
};
use crate::name::{NameKey, RoomName};
use crate::protocol::Event;
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// A room's number while it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RoomId(u32);

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) topic: Option<Topic>,
    /// The number of the latest message when they joined.
    members: HashMap<Who, u64>,
    /// How many of them are known over their sessions.
    lasting: usize,
    /// Users of members with a session of whatever mode, in alphabetical order.
    here: BTreeMap<NameKey, UserId>,
    /// How many of them are present.
    present: usize,
    /// Their sessions that listen. Shared with what is on its way to them.
    listeners: Arc<Vec<SessionId>>,
    presence: Presence,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: HashMap<RoomId, Room>,
    /// In alphabetical order.
    names: BTreeMap<NameKey, RoomId>,
    /// Who is in which, in the order in which they joined. Invariant: no empty entries.
    joined: IndexMap<Who, Vec<RoomId>>,
    /// Where in that table members are looked for next who are forgotten.
    looked: usize,
    memberships: usize,
    next: u32,
    /// Rooms with comings and goings to tell, by when.
    due: BTreeSet<(Duration, RoomId)>,
    /// The lobby is no room here: everybody is in it.
    pub(super) lobby: Option<Topic>,
}

/// Why nobody more can join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// They are in as many as one may be.
    Theirs,
    /// There are as many rooms, or memberships, as there may be.
    All,
    /// What is left is for people who are known.
    Newcomers,
}

impl Room {
    fn new(name: RoomName) -> Self {
        Self {
            name,
            topic: None,
            members: HashMap::new(),
            lasting: 0,
            here: BTreeMap::new(),
            present: 0,
            listeners: Arc::default(),
            presence: Presence::default(),
        }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// How many are in it over their sessions. If there is one, it outlives a restart.
    pub(super) fn lasting(&self) -> usize {
        self.lasting
    }

    pub(super) fn present(&self) -> usize {
        self.present
    }

    /// The number of the latest message when they joined; `None`: they are not in it.
    pub(super) fn since(&self, who: &Who) -> Option<u64> {
        self.members.get(who).copied()
    }

    /// Users who are here, from the one after that name on.
    pub(super) fn here_after(&self, after: Option<&NameKey>) -> impl Iterator<Item = (&NameKey, UserId)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.here.range::<NameKey, _>((start, Bound::Unbounded)).map(|(name, user)| (name, *user))
    }

    /// Sessions of those who are here, as far as they listen.
    pub(super) fn listeners(&self) -> &Arc<Vec<SessionId>> {
        &self.listeners
    }

    pub(super) fn presence(&self) -> &Presence {
        &self.presence
    }

    fn hush(&mut self, session: SessionId) {
        if let Some(at) = self.listeners.iter().position(|other| *other == session) {
            let listeners = Arc::make_mut(&mut self.listeners);
            listeners.swap_remove(at);
            // A crowd that has left leaves no memory behind.
            if listeners.capacity() > 4 * listeners.len() + 8 {
                listeners.shrink_to(2 * listeners.len());
            }
        }
    }
}

impl Rooms {
    /// Rooms as they were kept. What is beyond the bounds is left out, as are rooms with nobody in them.
    pub(super) fn new(records: Vec<RoomRecord>) -> Self {
        let mut rooms = Self::default();
        for record in records {
            let topic = record.topic.filter(|topic| topic.text.len() <= MAX_TOPIC_BYTES);
            if record.name.is_lobby() {
                rooms.lobby = topic;
                continue;
            }
            for member in record.members {
                let who = Who::Account(Arc::new(member.account));
                let id = rooms.find(record.name.key());
                let is_in = id.is_some_and(|id| rooms.rooms_of(&who).contains(&id));
                if !is_in && rooms.may_join(&who, id.is_none(), true).is_ok() {
                    rooms.join(who, &record.name, member.since);
                }
            }
            if let Some(room) = rooms.find(record.name.key()).and_then(|id| rooms.get_mut(id)) {
                room.topic = topic;
            }
        }
        rooms
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    pub(super) fn find(&self, name: &NameKey) -> Option<RoomId> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(&id)
    }

    /// The rooms that they are in.
    pub(super) fn rooms_of(&self, who: &Who) -> &[RoomId] {
        self.joined.get(who).map_or(&[], Vec::as_slice)
    }

    /// Rooms from the one after that name on, in alphabetical order.
    pub(super) fn after(&self, after: Option<&NameKey>) -> impl Iterator<Item = &Room> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.names.range::<NameKey, _>((start, Bound::Unbounded)).filter_map(|(_, id)| self.rooms.get(id))
    }

    /// The rooms around that name, so many each way.
    pub(super) fn around(&self, name: &NameKey, each: usize) -> impl Iterator<Item = &RoomName> {
        let after = self.names.range(name..).take(each);
        let before = self.names.range(..name).rev().take(each);
        after.chain(before).filter_map(|(_, id)| self.rooms.get(id)).map(|room| &room.name)
    }

    /// Whether they may join; `is_known`: newcomers leave some room to others.
    pub(super) fn may_join(&self, who: &Who, is_new: bool, is_known: bool) -> Result<(), Full> {
        if self.rooms_of(who).len() >= MAX_ROOMS_PER_USER {
            return Err(Full::Theirs);
        }
        let has_room =
            |most: usize, rooms: usize| self.memberships < most && (!is_new || self.rooms.len() < rooms);
        match has_room(MAX_MEMBERSHIPS, MAX_ROOMS) {
            false => Err(Full::All),
            true if is_known || has_room(MAX_MEMBERSHIPS_OF_NEWCOMERS, MAX_ROOMS_OF_NEWCOMERS) => Ok(()),
            true => Err(Full::Newcomers),
        }
    }

    /// Makes them a member of the room, which is made if there is none. They must not be one.
    pub(super) fn join(&mut self, who: Who, name: &RoomName, since: u64) -> RoomId {
        let id = self.find(name.key()).unwrap_or_else(|| self.make(name));
        let room = self.rooms.entry(id).or_insert_with(|| Room::new(name.clone()));
        room.lasting += usize::from(who.account().is_some());
        room.members.insert(who.clone(), since);
        self.joined.entry(who).or_default().push(id);
        self.memberships += 1;
        id
    }

    /// Makes them a member no more. Their users must have left before. A room with nobody in it goes.
    pub(super) fn part(&mut self, who: &Who, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.members.remove(who).is_none() {
            return;
        }
        room.lasting -= usize::from(who.account().is_some());
        self.memberships -= 1;
        if room.members.is_empty()
            && let Some(room) = self.rooms.remove(&id)
        {
            self.names.remove(room.name.key());
            self.due.retain(|(_, other)| *other != id);
        }
        if let Some(own) = self.joined.get_mut(who) {
            own.retain(|other| *other != id);
            if own.is_empty() {
                self.joined.swap_remove(who);
            }
        }
    }

    /// A user of a member has a session.
    pub(super) fn enter(&mut self, id: RoomId, name: NameKey, user: UserId, is_present: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.here.insert(name, user);
        room.present += usize::from(is_present);
    }

    /// A user of a member has no session any more, or the member goes.
    pub(super) fn leave(&mut self, id: RoomId, name: &NameKey, is_present: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.here.remove(name);
        room.present -= usize::from(is_present);
    }

    /// A user who is here is present from now on, or no more.
    pub(super) fn set_present(&mut self, who: &Who, is_present: bool) {
        for id in self.joined.get(who).into_iter().flatten() {
            let Some(room) = self.rooms.get_mut(id) else { continue };
            room.present = if is_present { room.present + 1 } else { room.present.saturating_sub(1) };
        }
    }

    /// A session of theirs begins to listen, in all of their rooms.
    pub(super) fn listen(&mut self, who: &Who, session: SessionId) {
        for id in self.joined.get(who).into_iter().flatten() {
            let Some(room) = self.rooms.get_mut(id) else { continue };
            Arc::make_mut(&mut room.listeners).push(session);
        }
    }

    /// It ends.
    pub(super) fn hush(&mut self, who: &Who, session: SessionId) {
        for id in self.joined.get(who).into_iter().flatten() {
            let Some(room) = self.rooms.get_mut(id) else { continue };
            room.hush(session);
        }
    }

    /// The same in one room: these sessions begin to listen, or end.
    pub(super) fn set_listening(&mut self, id: RoomId, sessions: &[SessionId], listens: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        match listens {
            true => Arc::make_mut(&mut room.listeners).extend(sessions),
            false => sessions.iter().for_each(|session| room.hush(*session)),
        }
    }

    /// A user who is here has another name.
    pub(super) fn rename(&mut self, who: &Who, old: &NameKey, name: &NameKey) {
        for id in self.joined.get(who).into_iter().flatten() {
            let Some(room) = self.rooms.get_mut(id) else { continue };
            if let Some(user) = room.here.remove(old) {
                room.here.insert(name.clone(), user);
            }
        }
    }

    /// Gathers a coming or going.
    pub(super) fn announce(&mut self, id: RoomId, change: impl FnOnce(&mut Presence)) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let before = room.presence.due();
        change(&mut room.presence);
        let after = room.presence.due();
        if before != after {
            self.due.extend(after.map(|due| (due, id)));
            if let Some(due) = before {
                self.due.remove(&(due, id));
            }
        }
    }

    /// When comings and goings should be told next, as an uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// A room whose comings and goings are to be told by then.
    pub(super) fn due_by(&self, uptime: Duration) -> Option<RoomId> {
        self.due.first().filter(|(due, _)| *due <= uptime).map(|(_, id)| *id)
    }

    /// What was gathered of the room.
    pub(super) fn tell(&mut self, id: RoomId) -> Vec<Event> {
        let Some(room) = self.rooms.get_mut(&id) else { return Vec::new() };
        if let Some(due) = room.presence.due() {
            self.due.remove(&(due, id));
        }
        room.presence.tell(Some(&room.name), room.present)
    }

    /// Memberships of somebody whom nobody knows any more: some of those of the first that is found, if
    /// one is among the [`ROOMS_LOOKED_AT`] members that are looked at.
    pub(super) fn forgotten(&mut self, is_known: impl Fn(&Account) -> bool) -> Option<(Who, Vec<RoomId>)> {
        for _ in 0..ROOMS_LOOKED_AT.min(self.joined.len()) {
            self.looked = if self.looked + 1 < self.joined.len() { self.looked + 1 } else { 0 };
            let (who, rooms) = self.joined.get_index(self.looked)?;
            if who.account().is_some_and(|account| !is_known(account)) {
                return Some((who.clone(), rooms.iter().copied().take(ROOMS_SWEPT).collect()));
            }
        }
        None
    }

    fn make(&mut self, name: &RoomName) -> RoomId {
        // There are fewer rooms than numbers.
        while self.rooms.contains_key(&RoomId(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        let id = RoomId(self.next);
        self.next = self.next.wrapping_add(1);
        self.names.insert(name.key().clone(), id);
        self.rooms.insert(id, Room::new(name.clone()));
        id
    }
}

#[cfg(any(test, fuzzing))]
impl Rooms {
    /// Asserts that the books agree; `here` are the users who are, with their names and whether they are
    /// present.
    pub(super) fn check(&self, here: &[(Who, UserId, NameKey, bool)]) {
        assert_eq!(self.names.len(), self.rooms.len());
        assert_eq!(self.memberships, self.rooms.values().map(Room::members).sum::<usize>());
        assert_eq!(self.memberships, self.joined.values().map(Vec::len).sum::<usize>());
        for (key, id) in &self.names {
            let room = &self.rooms[id];
            assert_eq!(room.name.key(), key);
            assert!(!room.members.is_empty() && !room.name.is_lobby());
            assert_eq!(room.lasting, room.members.keys().filter(|who| who.account().is_some()).count());
            assert!(room.members.keys().all(|who| self.joined[who].contains(id)));
            let mut expected: Vec<_> =
                here.iter().filter(|(who, ..)| room.members.contains_key(who)).collect();
            expected.sort_by(|one, other| one.2.cmp(&other.2));
            let users: Vec<UserId> = expected.iter().map(|(_, user, ..)| *user).collect();
            assert_eq!(room.here.values().copied().collect::<Vec<_>>(), users);
            assert_eq!(room.present, expected.iter().filter(|(.., present)| *present).count());
            assert_eq!(room.presence.due().is_some(), self.due.iter().any(|(_, due)| due == id));
        }
        let guests = self.joined.keys().filter(|who| who.account().is_none());
        assert!(guests.into_iter().all(|guest| here.iter().any(|(who, ..)| who == guest)));
        assert!(self.joined.values().all(|rooms| !rooms.is_empty() && rooms.len() <= MAX_ROOMS_PER_USER));
    }
}

#[cfg(test)]
mod tests {
    use super::super::archive::Member;
    use super::*;
    use crate::fingerprint::Fingerprint;

    fn who(number: u32) -> Who {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        Who::Account(Arc::new(Account::Key(Fingerprint::new(hash))))
    }

    fn room(text: &str) -> RoomName {
        RoomName::new(text).expect("a room")
    }

    #[test]
    fn a_room_goes_with_its_last_member() {
        let mut rooms = Rooms::default();
        let id = rooms.join(who(1), &room("#games"), 0);
        assert_eq!(rooms.join(who(2), &room("#GAMES"), 0), id);
        rooms.part(&who(1), id);
        assert_eq!(rooms.get(id).map(Room::members), Some(1));
        rooms.part(&who(2), id);
        assert_eq!((rooms.len(), rooms.find(room("#games").key())), (0, None));
        rooms.check(&[]);
    }

    #[test]
    fn nobody_is_in_more_rooms_than_the_bound_and_there_are_no_more_than_theirs() {
        let mut rooms = Rooms::default();
        for n in 0..MAX_ROOMS {
            let who = who(u32::try_from(n / MAX_ROOMS_PER_USER).expect("a number"));
            assert_eq!(rooms.may_join(&who, true, true), Ok(()));
            let is_left = if n < MAX_ROOMS_OF_NEWCOMERS { Ok(()) } else { Err(Full::Newcomers) };
            assert_eq!(rooms.may_join(&who, true, false), is_left);
            rooms.join(who, &room(&format!("#room{n}")), 0);
        }
        assert_eq!(rooms.may_join(&who(0), false, true), Err(Full::Theirs));
        assert_eq!(rooms.may_join(&who(9999), true, true), Err(Full::All));
        assert_eq!(rooms.may_join(&who(9999), false, false), Ok(()), "a room that there is");
        rooms.check(&[]);
    }

    #[test]
    fn who_is_forgotten_is_found_a_portion_at_a_time() {
        let mut rooms = Rooms::default();
        for n in 0..=10 * ROOMS_LOOKED_AT {
            rooms.join(who(u32::try_from(n).expect("a number")), &room("#games"), 0);
        }
        let Who::Account(gone) = who(7) else { panic!("an account") };
        let found = (0..=10).find_map(|_| rooms.forgotten(|account| *account != *gone));
        let (found, own) = found.expect("whoever is forgotten is found in the end");
        assert_eq!((&found, own.len()), (&who(7), 1));
        rooms.part(&found, own[0]);
        assert!((0..=20).all(|_| rooms.forgotten(|account| *account != *gone).is_none()));
        assert!(rooms.forgotten(|_| false).is_some());
        rooms.check(&[]);
    }

    #[test]
    fn what_was_kept_and_contradicts_itself_is_left_out() {
        let member = |number: u32| match who(number) {
            Who::Account(account) => Member { account: (*account).clone(), name: "x".into(), since: 7 },
            Who::User(_) => unreachable!(),
        };
        let topic = |text: &str| Some(Topic { text: text.into(), by: "bob".into() });
        let record = |name: &str, topic, members| RoomRecord { name: room(name), topic, members };
        let rooms = Rooms::new(vec![
            record("#lobby", topic("everything"), vec![member(1)]),
            record("#empty", topic("nothing"), vec![]),
            record("#games", topic("chess"), vec![member(1), member(1), member(2)]),
            record("#long", topic(&"x".repeat(MAX_TOPIC_BYTES + 1)), vec![member(1)]),
        ]);
        assert_eq!(rooms.lobby, topic("everything"));
        let kept: Vec<_> = rooms.after(None).map(|room| (room.name.as_str(), room.members())).collect();
        assert_eq!(kept, [("#games", 2), ("#long", 1)]);
        let games = rooms.find(room("#games").key()).and_then(|id| rooms.get(id)).expect("a room");
        assert_eq!((games.since(&who(2)), games.topic.clone()), (Some(7), topic("chess")));
        rooms.check(&[]);
    }
}
