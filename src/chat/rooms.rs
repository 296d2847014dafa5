//! Rooms: their members, which members are online, and topics.
//!
//! Knows no sessions and sends nothing. A room exists while it has members; a person without rooms takes no
//! memory here.

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

/// A room's number while it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RoomId(u32);

#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) topic: Option<Topic>,
    /// Each with the latest message number when they joined.
    members: HashMap<Who, u64>,
    /// The number of members with an account.
    lasting: usize,
    /// Online members' users, in any mode, in alphabetical order.
    here: BTreeMap<NameKey, UserId>,
    present: usize,
    /// Sessions that receive its messages. Shared with messages on their way.
    listeners: Arc<Vec<SessionId>>,
    presence: Presence,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: HashMap<RoomId, Room>,
    /// In alphabetical order.
    names: BTreeMap<NameKey, RoomId>,
    /// Each member's rooms in the order of joining. Invariant: no empty entries.
    joined: IndexMap<Who, Vec<RoomId>>,
    /// Where the search for forgotten members continues.
    looked: usize,
    memberships: usize,
    next: u32,
    /// When to announce each room's joins and leaves.
    due: BTreeSet<(Duration, RoomId)>,
    /// The lobby's topic. It is not among the rooms: everyone is in it.
    pub(super) lobby: Option<Topic>,
}

/// The limit that keeps a person from joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomLimit {
    Theirs,
    /// All rooms, or all memberships.
    All,
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

    /// The number of members with an account. With one, the room outlives a restart.
    pub(super) fn lasting(&self) -> usize {
        self.lasting
    }

    pub(super) fn present(&self) -> usize {
        self.present
    }

    /// The latest message number when the person joined; `None`: not a member.
    pub(super) fn since(&self, who: &Who) -> Option<u64> {
        self.members.get(who).copied()
    }

    /// Online users in alphabetical order, from the first after that name.
    pub(super) fn here_after(&self, after: Option<&NameKey>) -> impl Iterator<Item = (&NameKey, UserId)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.here.range::<NameKey, _>((start, Bound::Unbounded)).map(|(name, user)| (name, *user))
    }

    /// Sessions that receive the room's messages.
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
            // A crowd that has left must not leave memory behind.
            if listeners.capacity() > 4 * listeners.len() + 8 {
                listeners.shrink_to(2 * listeners.len());
            }
        }
    }
}

impl Rooms {
    /// Loads rooms, up to the limits, and skips empty ones.
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

    pub(super) fn rooms_of(&self, who: &Who) -> &[RoomId] {
        self.joined.get(who).map_or(&[], Vec::as_slice)
    }

    /// Rooms in alphabetical order, from the first after that name.
    pub(super) fn after(&self, after: Option<&NameKey>) -> impl Iterator<Item = &Room> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.names.range::<NameKey, _>((start, Bound::Unbounded)).filter_map(|(_, id)| self.rooms.get(id))
    }

    /// The nearest rooms in the alphabet, `each` per side.
    pub(super) fn around(&self, name: &NameKey, each: usize) -> impl Iterator<Item = &RoomName> {
        let after = self.names.range(name..).take(each);
        let before = self.names.range(..name).rev().take(each);
        after.chain(before).filter_map(|(_, id)| self.rooms.get(id)).map(|room| &room.name)
    }

    /// Whether the person may join. Unless `is_known`, only a share of all memberships counts.
    pub(super) fn may_join(&self, who: &Who, is_new: bool, is_known: bool) -> Result<(), RoomLimit> {
        if self.rooms_of(who).len() >= MAX_ROOMS_PER_USER {
            return Err(RoomLimit::Theirs);
        }
        let has_room =
            |most: usize, rooms: usize| self.memberships < most && (!is_new || self.rooms.len() < rooms);
        match has_room(MAX_MEMBERSHIPS, MAX_ROOMS) {
            false => Err(RoomLimit::All),
            true if is_known || has_room(MAX_MEMBERSHIPS_OF_NEWCOMERS, MAX_ROOMS_OF_NEWCOMERS) => Ok(()),
            true => Err(RoomLimit::Newcomers),
        }
    }

    /// Adds a member, and creates the room if needed. The person must not be a member yet.
    pub(super) fn join(&mut self, who: Who, name: &RoomName, since: u64) -> RoomId {
        let id = self.find(name.key()).unwrap_or_else(|| self.make(name));
        let room = self.rooms.entry(id).or_insert_with(|| Room::new(name.clone()));
        room.lasting += usize::from(who.account().is_some());
        room.members.insert(who.clone(), since);
        self.joined.entry(who).or_default().push(id);
        self.memberships += 1;
        id
    }

    /// Removes a member whose users have left before, and the room with its last member.
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

    /// A member's user has a session.
    pub(super) fn enter(&mut self, id: RoomId, name: NameKey, user: UserId, is_present: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.here.insert(name, user);
        room.present += usize::from(is_present);
    }

    /// A member's user has no session any longer, or the membership ends.
    pub(super) fn leave(&mut self, id: RoomId, name: &NameKey, is_present: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.here.remove(name);
        room.present -= usize::from(is_present);
    }

    /// Sets whether an online user counts as present.
    pub(super) fn set_present(&mut self, who: &Who, is_present: bool) {
        self.each_room(who, |room| {
            room.present = if is_present { room.present + 1 } else { room.present.saturating_sub(1) };
        });
    }

    /// A session starts to receive messages, in all rooms of its user.
    pub(super) fn listen(&mut self, who: &Who, session: SessionId) {
        self.each_room(who, |room| Arc::make_mut(&mut room.listeners).push(session));
    }

    /// A session of the user has ended, or stops receiving messages.
    pub(super) fn hush(&mut self, who: &Who, session: SessionId) {
        self.each_room(who, |room| room.hush(session));
    }

    /// The same for one room and several sessions.
    pub(super) fn set_listening(&mut self, id: RoomId, sessions: &[SessionId], listens: bool) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        match listens {
            true => Arc::make_mut(&mut room.listeners).extend(sessions),
            false => sessions.iter().for_each(|session| room.hush(*session)),
        }
    }

    pub(super) fn rename(&mut self, who: &Who, old: &NameKey, name: &NameKey) {
        self.each_room(who, |room| {
            if let Some(user) = room.here.remove(old) {
                room.here.insert(name.clone(), user);
            }
        });
    }

    fn each_room(&mut self, who: &Who, mut change: impl FnMut(&mut Room)) {
        for id in self.joined.get(who).into_iter().flatten() {
            self.rooms.get_mut(id).into_iter().for_each(&mut change);
        }
    }

    /// Collects a join or leave to announce.
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

    /// When to announce joins and leaves next, as an uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// A room whose joins and leaves are due by then.
    pub(super) fn due_by(&self, uptime: Duration) -> Option<RoomId> {
        self.due.first().filter(|(due, _)| *due <= uptime).map(|(_, id)| *id)
    }

    /// The room's collected joins and leaves as events.
    pub(super) fn tell(&mut self, id: RoomId) -> Vec<Event> {
        let Some(room) = self.rooms.get_mut(&id) else { return Vec::new() };
        if let Some(due) = room.presence.due() {
            self.due.remove(&(due, id));
        }
        room.presence.tell(Some(&room.name), room.present)
    }

    /// Some memberships of a member whom the server no longer knows, if one is among the next
    /// [`ROOMS_LOOKED_AT`] members.
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
        // There are more numbers than rooms.
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
    /// Asserts that all tables agree; `here` are the online users with their names and whether they are
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
            let is_left = if n < MAX_ROOMS_OF_NEWCOMERS { Ok(()) } else { Err(RoomLimit::Newcomers) };
            assert_eq!(rooms.may_join(&who, true, false), is_left);
            rooms.join(who, &room(&format!("#room{n}")), 0);
        }
        assert_eq!(rooms.may_join(&who(0), false, true), Err(RoomLimit::Theirs));
        assert_eq!(rooms.may_join(&who(9999), true, true), Err(RoomLimit::All));
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
        let (found, own) = found.expect("a forgotten member is found in the end");
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
