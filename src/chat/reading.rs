//! Up to where people have read each conversation, shared by all sessions of a person.
//!
//! Positions are stored a little later, because a crash that loses one only makes messages look unread again.

use super::Deliveries;
use super::archive::Account;
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::records::{ReadRecord, Record};
use super::who::SessionId;
use crate::limits::{MAX_READ_POSITIONS, MAX_READ_POSITIONS_OF_USER, READ_GATHERED, RECORDS_PORTION};
use crate::name::{Name, NameKey, RoomName};
use crate::protocol::packet::ReadPosition;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use indexmap::IndexSet;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ReadTable {
    people: HashMap<Arc<Account>, Reader>,
    /// Users in the order in which they last read: the first one loses their positions.
    order: BTreeMap<u64, Arc<Account>>,
    /// The latest key of `order`.
    turn: u64,
    /// The number of all positions.
    len: usize,
    /// People whose positions are not stored yet.
    unkept: IndexSet<Arc<Account>>,
    /// When to store some of them, as an uptime.
    due: Option<Duration>,
    /// Without a history, numbers begin again with each start, so positions are worth nothing then.
    is_stored: bool,
}

/// How far a person has read.
#[derive(Debug, Default)]
struct Reader {
    /// Their key in `order`.
    turn: u64,
    /// Their conversations, the one read most recently last.
    places: Vec<(NameKey, ReadPosition)>,
}

impl ReadTable {
    /// Loads records, without places that have no valid name: these could make a welcome longer than a frame. No
    /// position is above the history's latest number, as it may have gone back; `None`: the
    /// server has no history.
    pub(super) fn new(records: Vec<ReadRecord>, latest: Option<u64>) -> Self {
        let mut table = Self { is_stored: latest.is_some(), ..Self::default() };
        let Some(latest) = latest else { return table };
        for ReadRecord { account, places, .. } in records {
            let account = Arc::new(account);
            for place in places.into_iter().filter(has_valid_place) {
                let place = ReadPosition { seq: place.seq.min(latest), ..place };
                table.set(&account, key(&place), place, &mut Vec::new());
            }
        }
        table
    }

    pub(super) fn of(&self, account: &Account) -> Vec<ReadPosition> {
        let places = self.people.get(account).into_iter().flat_map(|reader| &reader.places);
        places.map(|(_, place)| place.clone()).collect()
    }

    /// When to call [`Self::keep`] next, as an uptime.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Stores what is due, a portion per call.
    pub(super) fn keep(&mut self, uptime: Duration, at: Timestamp, out: &mut Deliveries) {
        if self.due.is_some_and(|due| due <= uptime) {
            self.keep_portion(at, out);
        }
    }

    /// Stores a portion; `false`: it was the last.
    pub(super) fn keep_portion(&mut self, at: Timestamp, out: &mut Deliveries) -> bool {
        for _ in 0..RECORDS_PORTION {
            let Some(account) = self.unkept.pop() else { break };
            let places = self.of(&account);
            let row = ReadRecord { account: (*account).clone(), places, changed: at };
            out.push(Delivery::record(Record::Read((*account).clone(), Some(row))));
        }
        if self.unkept.is_empty() {
            (self.due, self.unkept) = (None, IndexSet::new());
        }
        !self.unkept.is_empty()
    }

    /// Notes a position; `false`: the person had already read as much.
    fn note(
        &mut self,
        account: &Arc<Account>,
        place: (NameKey, ReadPosition),
        uptime: Duration,
        out: &mut Deliveries,
    ) -> bool {
        let has_read = self.set(account, place.0, place.1, out);
        if has_read && self.is_stored {
            self.unkept.insert(Arc::clone(account));
            self.due.get_or_insert(uptime + READ_GATHERED);
        }
        has_read
    }

    fn set(
        &mut self,
        account: &Arc<Account>,
        key: NameKey,
        place: ReadPosition,
        out: &mut Deliveries,
    ) -> bool {
        let reader = self.people.entry(Arc::clone(account)).or_default();
        let own = &mut reader.places;
        if let Some(at) = own.iter().position(|(other, _)| *other == key) {
            if own[at].1.seq >= place.seq {
                return false;
            }
            own.remove(at);
            self.len -= 1;
        }
        own.push((key, place));
        self.len += 1;
        if own.len() > MAX_READ_POSITIONS_OF_USER {
            own.remove(0);
            self.len -= 1;
        }
        self.turn += 1;
        self.order.remove(&reader.turn);
        reader.turn = self.turn;
        self.order.insert(self.turn, Arc::clone(account));
        if self.len > MAX_READ_POSITIONS {
            self.forget_one(out);
        }
        true
    }

    /// Forgets the positions of the person who has not read for longest. That is never the one who just did, as
    /// one person's positions never fill the table.
    fn forget_one(&mut self, out: &mut Deliveries) {
        let Some((_, account)) = self.order.pop_first() else { return };
        let reader = self.people.remove(&account).unwrap_or_default();
        self.len -= reader.places.len();
        self.unkept.swap_remove(&account);
        out.extend(self.is_stored.then(|| Delivery::record(Record::Read((*account).clone(), None))));
    }
}

fn has_valid_place(place: &ReadPosition) -> bool {
    place.name.as_deref().is_none_or(|name| Name::new(name).is_ok())
        && place.room.as_deref().is_none_or(|room| RoomName::new(room).is_ok())
}

/// A room's name begins with `#`, and no other name does.
fn key(place: &ReadPosition) -> NameKey {
    NameKey::of(place.room.as_deref().or(place.name.as_deref()).unwrap_or(crate::protocol::target::LOBBY))
}

impl Call<'_> {
    /// Notes up to where the session's user has read, and tells those of the user's other sessions that do the
    /// same.
    pub(super) fn has_read(
        &mut self,
        name: Option<String>,
        room: Option<String>,
        seq: u64,
    ) -> Result<(), Refusal> {
        let seq = seq.min(self.chat.seq);
        let (key, place) = match (room, name) {
            (Some(room), _) => {
                let room = self.chat.room_name(&room)?;
                let place = Some(room.to_string()).filter(|_| !room.is_lobby());
                (room.key().clone(), ReadPosition { name: None, room: place, seq })
            }
            (None, Some(name)) => {
                let name = self.chat.prepared.candidate(&name).name.map_err(|_| {
                    // A client's own mistake: users have valid names.
                    Refusal::new(Code::BadName, "\"name\" is not a user's name")
                })?;
                (name.key(), ReadPosition { name: Some(name.as_str().to_owned()), room: None, seq })
            }
            (None, None) => {
                (NameKey::of(crate::protocol::target::LOBBY), ReadPosition { name: None, room: None, seq })
            }
        };
        let Some(user) = self.chat.sessions.get_mut(&self.session).and_then(|session| {
            session.reads = true;
            session.user
        }) else {
            return Ok(());
        };
        self.chat.note_session(self.session);
        let Some(user) = self.chat.users.get(&user) else { return Ok(()) };
        let Some(account) = user.owner.account().cloned() else { return Ok(()) };
        if !self.chat.reading.note(&account, (key, place.clone()), self.now.uptime, self.out) {
            return Ok(());
        }
        let to = user.name.to_string();
        let users = self.chat.accounts.get(&account).into_iter().flatten();
        let sessions = users.filter_map(|user| self.chat.users.get(user)).flat_map(|user| &user.sessions);
        let does_read = |id: &SessionId| self.chat.sessions.get(id).is_some_and(|session| session.reads);
        let others: Vec<_> = sessions.filter(|id| **id != self.session && does_read(id)).copied().collect();
        if !others.is_empty() {
            let ReadPosition { name, room, seq } = place;
            let packet = Event::Read { name, room, seq }.into_packet(&to, None);
            self.out.push(Delivery::to(Audience::Sessions(others), packet));
        }
        Ok(())
    }
}
