//! Joining and leaving rooms, and topics.

use super::archive::{Account, Entry, Member, Topic};
use super::ask::room_row;
use super::call::Call;
use super::delivery::{Audience, Delivery};
use super::rates::News;
use super::rooms::{RoomId, RoomLimit};
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries, Now, nearest};
use crate::limits::{MAX_MEMBERSHIPS, MAX_ROOMS, MAX_ROOMS_PER_USER, MAX_TOPIC_BYTES, NAME_TRIED};
use crate::name::RoomName;
use crate::protocol::packet::RoomInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::sync::Arc;

/// A session with its user and person.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) who: Who,
}

impl Call<'_> {
    /// Makes the session's user a member of a room.
    pub(super) fn join(&mut self, room: &str) -> Result<(), Refusal> {
        let name = self.chat.room_name(room)?;
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let found = self.chat.rooms.find(name.key());
        let is_in = name.is_lobby()
            || found.is_some_and(|room| self.chat.rooms.rooms_of(&asking.who).contains(&room));
        if !is_in {
            if found.is_none() {
                self.chat.check_muted(self.session, self.now)?;
            }
            self.chat.check_room(&asking.who, found.is_none(), self.now, self.out)?;
            self.chat.count_news(self.session, News::Room, self.now)?;
            self.chat.add_to_room(&asking, &name, self.now, self.out);
        }
        let event = Event::Room(self.chat.room_info(&name, Some(&asking.who)));
        self.answer_user(&asking, event, !is_in);
        if !is_in {
            self.chat.tell_offers_in(&name, &asking.who, self.out);
        }
        Ok(())
    }

    pub(super) fn part(&mut self, room: &str) -> Result<(), Refusal> {
        let name = self.chat.room_name(room)?;
        if name.is_lobby() {
            let msg = "you cannot leave #lobby; to leave the chat: /quit";
            return Err(Refusal::new(Code::BadRoom, msg));
        }
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let room = self.chat.rooms.find(name.key()).ok_or_else(|| self.chat.no_such_room(&name))?;
        let name = self.chat.rooms.get(room).map_or(name, |room| room.name.clone());
        let is_in = self.chat.rooms.rooms_of(&asking.who).contains(&room);
        if is_in {
            self.chat.remove_from_room(&asking.who, room, self.out);
            if let Some(user) = self.chat.users.get(&asking.user).filter(|user| user.chatting > 0) {
                self.chat.rooms.announce(room, |told| told.went(&user.name, &user.owner, self.now.uptime));
            }
        }
        let event = Event::Room(self.chat.room_info(&name, Some(&asking.who)));
        self.answer_user(&asking, event, is_in);
        Ok(())
    }

    pub(super) fn topic(&mut self, room: &str, topic: Option<String>) -> Result<(), Refusal> {
        let name = self.chat.room_name(room)?;
        let Some(asking) = self.chat.asking(self.session) else { return Ok(()) };
        let found = self.chat.rooms.find(name.key());
        if found.is_none() && !name.is_lobby() {
            return Err(self.chat.no_such_room(&name));
        }
        if let Some(text) = topic {
            self.chat.check_topic(&asking, found, &text, self.now)?;
            self.chat.count_news(self.session, News::Room, self.now)?;
            self.chat.set_topic(&asking, &name, text.trim(), self.out);
        }
        let event = Event::Room(self.chat.room_info(&name, Some(&asking.who)));
        self.answer(event);
        Ok(())
    }

    /// Answers a session, and informs the user's other sessions of a change.
    fn answer_user(&mut self, asking: &Asking, event: Event, has_changed: bool) {
        self.answer(event.clone());
        let mut others = if has_changed { self.chat.sessions_of(&asking.who) } else { Vec::new() };
        others.retain(|other| *other != asking.session);
        if !others.is_empty() {
            let to = self.chat.user_of(asking.session).map_or("", |user| user.name.as_str());
            self.out.push(Delivery::to(Audience::Sessions(others), event.into_packet(to, None)));
        }
    }
}

impl Chat {
    /// The person's rooms in the order of joining.
    pub(super) fn joined_rooms(&self, who: &Who) -> Vec<RoomInfo> {
        let rooms = self.rooms.rooms_of(who).iter().filter_map(|id| self.rooms.get(*id));
        rooms.map(|room| room_row(room, Some(who)).into_info()).collect()
    }

    /// Describes a room, even one that no longer exists.
    fn room_info(&self, name: &RoomName, who: Option<&Who>) -> RoomInfo {
        let topic = |topic: &Option<Topic>| topic.as_ref().map(|topic| topic.text.clone());
        match self.rooms.find(name.key()).and_then(|id| self.rooms.get(id)) {
            Some(room) => room_row(room, who).into_info(),
            None if name.is_lobby() => RoomInfo {
                name: name.to_string(),
                topic: topic(&self.rooms.lobby),
                members: self.present,
                here: self.present,
                joined: true,
            },
            None => RoomInfo { name: name.to_string(), ..RoomInfo::default() },
        }
    }

    fn add_to_room(&mut self, asking: &Asking, name: &RoomName, now: &Now, out: &mut Deliveries) {
        let Some(name_now) = self.users.get(&asking.user).map(|user| user.name.to_string()) else { return };
        let since = self.seq;
        let id = self.rooms.join(asking.who.clone(), name, since);
        for user_id in self.users_of(&asking.who).to_vec() {
            let Some(user) = self.users.get(&user_id) else { continue };
            self.rooms.enter(id, user.name.key(), user_id, user.chatting > 0);
        }
        self.rooms.set_listening(id, &self.sessions_of(&asking.who), true);
        self.note_guest(&asking.who);
        let Some(room) = self.rooms.get(id) else { return };
        if let Some(account) = asking.who.account().filter(|_| self.lineage.is_some()) {
            let member = Member { account: account.clone(), name: name_now, since };
            out.push(Delivery::Keep(Entry::Joined { room: room.name.clone(), member }));
            // Until now, the room had no member with an account, so its topic was not stored.
            if room.lasting() == 1 && room.topic.is_some() {
                let (room, topic) = (room.name.clone(), room.topic.clone());
                out.push(Delivery::Keep(Entry::Topic { room, topic }));
            }
        }
        if let Some(user) = self.users.get(&asking.user).filter(|user| user.chatting > 0) {
            self.rooms.announce(id, |told| told.came(&user.name, &user.owner, now.uptime));
        }
    }

    fn remove_from_room(&mut self, who: &Who, id: RoomId, out: &mut Deliveries) {
        for user in self.users_of(who).to_vec() {
            let Some(user) = self.users.get(&user) else { continue };
            self.rooms.leave(id, &user.name.key(), user.chatting > 0);
        }
        self.rooms.set_listening(id, &self.sessions_of(who), false);
        let Some(room) = self.rooms.get(id).map(|room| room.name.clone()) else { return };
        self.rooms.part(who, id);
        self.note_guest(who);
        self.part_offers(who, &room, out);
        if let Some(account) = who.account().filter(|_| self.lineage.is_some()) {
            out.push(Delivery::Keep(Entry::Parted { room, account: account.clone() }));
        }
    }

    /// Checks the limits. When the server is full, memberships of people who are away and no longer own a
    /// name make room.
    fn check_room(
        &mut self,
        who: &Who,
        is_new: bool,
        now: &Now,
        out: &mut Deliveries,
    ) -> Result<(), Refusal> {
        let is_known = !self.is_newcomer(who.account(), now);
        if matches!(self.rooms.may_join(who, is_new, is_known), Err(RoomLimit::All | RoomLimit::Newcomers)) {
            let (accounts, owned, at) = (&self.accounts, &self.owned, now.at());
            let is_named = |account: &Account| match account {
                Account::Key(key) => owned.has_any(key, at),
                Account::Token(_) => false,
            };
            let gone = self.rooms.forgotten(|account| accounts.contains_key(account) || is_named(account));
            if let Some((who, rooms)) = gone {
                rooms.into_iter().for_each(|room| self.remove_from_room(&who, room, out));
            }
        }
        let msg = match self.rooms.may_join(who, is_new, is_known) {
            Ok(()) => return Ok(()),
            Err(RoomLimit::Theirs) => {
                format!("you are in {MAX_ROOMS_PER_USER} rooms, which is the limit; /part one first")
            }
            Err(RoomLimit::Newcomers) => format!(
                "the server has few rooms or memberships left, for users who are not new here; join an \
                 existing room, or try again once you have had your name for {} minutes, with a key",
                NAME_TRIED.as_secs() / 60
            ),
            Err(RoomLimit::All) => format!(
                "the server has reached its limit of rooms ({MAX_ROOMS}) or memberships \
                 ({MAX_MEMBERSHIPS}); join an existing room, or try again later"
            ),
        };
        Err(Refusal::new(Code::TooManyRooms, msg))
    }

    fn check_topic(
        &self,
        asking: &Asking,
        room: Option<RoomId>,
        text: &str,
        now: &Now,
    ) -> Result<(), Refusal> {
        self.check_muted(asking.session, now)?;
        if text.len() > MAX_TOPIC_BYTES {
            let msg = format!(
                "a topic has at most {MAX_TOPIC_BYTES} bytes, not {}; choose a shorter one",
                text.len()
            );
            return Err(Refusal::new(Code::TooLong, msg));
        }
        let is_in = room.is_some_and(|room| self.rooms.rooms_of(&asking.who).contains(&room));
        match room {
            _ if is_in || self.is_operator(asking.session) => Ok(()),
            Some(_) => {
                Err(Refusal::new(Code::NotAllowed, "only members can set a room's topic; /join it first"))
            }
            None => Err(Refusal::new(Code::NotAllowed, "only operators can set the topic of #lobby")),
        }
    }

    fn set_topic(&mut self, asking: &Asking, name: &RoomName, text: &str, out: &mut Deliveries) {
        let Some(by) = self.users.get(&asking.user).map(|user| user.name.to_string()) else { return };
        // Line breaks must not reach clients.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let topic = (!text.is_empty()).then(|| Topic { text, by: by.clone() });
        let (name, audience, is_kept) = match self.rooms.find(name.key()) {
            Some(id) => {
                let audience = self.room_audience(id, Some(asking.session));
                let Some(room) = self.rooms.get_mut(id) else { return };
                room.topic.clone_from(&topic);
                (room.name.clone(), audience, room.lasting() > 0)
            }
            None => {
                self.rooms.lobby.clone_from(&topic);
                (RoomName::lobby(), Audience::Lobby { except: Some(asking.session) }, true)
            }
        };
        let event =
            Event::Topic { room: name.to_string(), topic: topic.as_ref().map(|t| t.text.clone()), by };
        if is_kept && self.lineage.is_some() {
            out.push(Delivery::Keep(Entry::Topic { room: name.clone(), topic }));
        }
        let to = if name.is_lobby() { "all" } else { name.as_str() };
        out.push(Delivery::live(audience, event.into_packet(to, None)));
    }

    /// Announces a room's collected joins and leaves.
    pub(super) fn tell_room(&mut self, id: RoomId, out: &mut Deliveries) {
        let events = self.rooms.tell(id);
        if events.is_empty() {
            return;
        }
        let name = self.rooms.get(id).map(|room| room.name.to_string()).unwrap_or_default();
        for event in events {
            out.push(Delivery::live(self.room_audience(id, None), event.into_packet(&name, None)));
        }
    }

    /// The room's listening sessions, except one.
    pub(super) fn room_audience(&self, id: RoomId, except: Option<SessionId>) -> Audience {
        let sessions = self.rooms.get(id).map(|room| Arc::clone(room.listeners())).unwrap_or_default();
        Audience::Room { sessions, except }
    }

    pub(super) fn room_name(&self, room: &str) -> Result<RoomName, Refusal> {
        self.prepared.room(room).map_err(|error| Refusal::new(Code::BadRoom, error.to_string()))
    }

    pub(super) fn no_such_room(&self, name: &RoomName) -> Refusal {
        let key = name.key();
        let around = self.rooms.around(key, nearest::EACH_WAY);
        let around = around.map(|room| (room.key().as_str(), room.as_str()));
        let near = nearest::question(key.as_str(), around);
        let msg = format!("there is no room {name};{near} /rooms lists all rooms, /join {name} creates it");
        Refusal::new(Code::NoSuchRoom, msg)
    }

    pub(super) fn asking(&self, session: SessionId) -> Option<Asking> {
        let user = self.sessions.get(&session)?.user?;
        Some(Asking { session, user, who: self.person(user)? })
    }

    pub(super) fn person(&self, user: UserId) -> Option<Who> {
        Some(self.users.get(&user)?.who(user))
    }

    pub(super) fn users_of<'a>(&'a self, who: &'a Who) -> &'a [UserId] {
        match who {
            Who::Account(account) => self.accounts.get(account).map_or(&[], |users| users.as_slice()),
            Who::User(user) => std::slice::from_ref(user),
        }
    }

    pub(super) fn sessions_of(&self, who: &Who) -> Vec<SessionId> {
        let users = self.users_of(who).iter().filter_map(|user| self.users.get(user));
        users.flat_map(|user| &user.sessions).copied().filter(|session| self.listens(*session)).collect()
    }
}
