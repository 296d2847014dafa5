//! Questions about the chat, from a session or the console. They change nothing.

use super::answer::{Content, RoomRow, RoomsPage, UserRow, UsersPage};
use super::call::Call;
use super::owned::Owned;
use super::rooms::{Room, RoomId};
use super::user::User;
use super::who::{SessionId, UserId, Who};
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{LIST_PORTION, ROOMS_PER_PAGE, USERS_PER_PAGE};
use crate::name::NameKey;
use crate::protocol::Event;
use crate::protocol::packet::UserInfo;
use crate::protocol::request::{Ask, Refusal};
use jiff::Timestamp;
use std::ops::Bound;

/// A list that is still being collected, a portion at a time, so that other sessions do not wait.
#[derive(Debug)]
pub struct Listing {
    /// The session that asked, and its request's `id`.
    session: Option<SessionId>,
    echo: Option<String>,
    /// The person whose rooms count as joined.
    who: Option<Who>,
    /// The room whose users are listed.
    room: Option<RoomId>,
    /// The last name collected.
    after: Option<NameKey>,
    list: Content,
}

#[derive(Debug)]
pub enum Asked {
    Answer(Event),
    /// An empty list, to [collect](Chat::gather).
    List(Listing),
}

impl Listing {
    fn new(room: Option<RoomId>, after: Option<NameKey>, list: Content) -> Self {
        Self { session: None, echo: None, who: None, room, after, list }
    }

    /// The complete list as an answer.
    pub fn into_event(self) -> Event {
        self.list.into_event()
    }
}

impl Call<'_> {
    pub(super) fn ask(&mut self, question: &Ask) -> Result<(), Refusal> {
        match self.chat.ask(question, self.now)? {
            Asked::Answer(event) => self.answer(event),
            Asked::List(listing) => {
                let who = self.chat.asking(self.session).map(|asking| asking.who);
                self.chat.listing =
                    Some(Listing { session: Some(self.session), echo: self.echo.take(), who, ..listing });
                self.chat.go_on_listing(self.out);
            }
        }
        Ok(())
    }
}

impl Chat {
    /// Collects a portion of the current list, and sends it once it is complete.
    pub(super) fn go_on_listing(&mut self, out: &mut Deliveries) {
        let Some(mut listing) = self.listing.take() else { return };
        if self.gather(&mut listing) {
            self.listing = Some(listing);
        } else if let Listing { session: Some(session), echo, list, .. } = listing {
            self.reply(session, echo, list, out);
        }
    }

    /// Answers a question. The console calls this directly.
    ///
    /// # Errors
    /// If the user or the room does not exist.
    pub fn ask(&self, question: &Ask, now: &Now) -> Result<Asked, Refusal> {
        let after = |after: &Option<String>| after.as_deref().map(|after| self.prepared.key(after));
        match question {
            Ask::Time => Ok(Asked::Answer(Event::Time {
                time: now.clock.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                ts: now.stamp(),
                uptime: now.uptime.as_secs(),
            })),
            Ask::Whois { name } => self.whois(name, now).map(|user| Asked::Answer(Event::Whois(user))),
            Ask::Rooms { after: name } => {
                let rooms = Content::Rooms(RoomsPage { rows: Vec::new(), total: self.rooms.len() });
                Ok(Asked::List(Listing::new(None, after(name), rooms)))
            }
            Ask::Users { room, after: name } => {
                let (id, users) = self.users_in(room.as_deref())?;
                Ok(Asked::List(Listing::new(id, after(name), Content::Users(users))))
            }
        }
    }

    fn whois(&self, name: &str, now: &Now) -> Result<UserInfo, Refusal> {
        if let Some((id, user)) = self.find(name) {
            let away = self.absences.of(id).map(str::to_owned);
            return Ok(UserInfo { away, ..self.details(user) });
        }
        let owned = self.owned.owned(&self.prepared.key(name), now.at());
        let Owned { name, key, last } = owned.ok_or_else(|| self.no_such_user(name, now))?;
        // The name is in use, with another spelling.
        let last = last.unwrap_or_else(|| now.second());
        Ok(UserInfo {
            name: name.to_string(),
            key: Some(key.to_string()),
            operator: Some(self.access.is_operator(Some(&key))),
            last: Some(format!("{last:.0}")),
            ..UserInfo::default()
        })
    }

    /// Starts the list of a room's users, or of all users.
    fn users_in(&self, room: Option<&str>) -> Result<(Option<RoomId>, UsersPage), Refusal> {
        let name = room.map(|room| self.room_name(room)).transpose()?;
        let node_names = self.node_names().cloned();
        let Some(name) = name.filter(|name| !name.is_lobby()) else {
            return Ok((None, UsersPage { room: None, rows: Vec::new(), total: self.present, node_names }));
        };
        let id = self.rooms.find(name.key()).ok_or_else(|| self.no_such_room(&name))?;
        let room = self.rooms.get(id);
        let (total, room) = (room.map_or(self.present, Room::present), room.map(|room| room.name.clone()));
        Ok((Some(id), UsersPage { room, rows: Vec::new(), total, node_names }))
    }

    /// Collects one more portion. `false`: the list is complete.
    pub fn gather(&self, listing: &mut Listing) -> bool {
        let after = listing.after.as_ref();
        match &mut listing.list {
            Content::Users(UsersPage { rows, .. }) => {
                let missing = (USERS_PER_PAGE + 1).saturating_sub(rows.len()).min(LIST_PORTION);
                listing.after = match listing.room {
                    Some(id) => {
                        let room = self.rooms.get(id);
                        let users = room.into_iter().flat_map(|room| room.here_after(after));
                        self.rows(users, missing, rows)
                    }
                    None => {
                        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
                        let users = self.names.range::<NameKey, _>((start, Bound::Unbounded));
                        self.rows(users.map(|(name, id)| (name, *id)), missing, rows)
                    }
                };
                listing.after.is_some() && rows.len() <= USERS_PER_PAGE
            }
            Content::Rooms(RoomsPage { rows, .. }) => {
                let missing = (ROOMS_PER_PAGE + 1).saturating_sub(rows.len()).min(LIST_PORTION);
                let rooms = self.rooms.after(after).take(missing);
                let before = rows.len();
                rows.extend(rooms.map(|room| room_row(room, listing.who.as_ref())));
                listing.after = rows.last().map(|last| last.name.key().clone());
                rows.len() == before + missing && rows.len() <= ROOMS_PER_PAGE
            }
            Content::Event(_) | Content::Bans(..) | Content::Keys { .. } => false,
        }
    }

    /// Appends up to `most` present users, and looks at twice as many. Returns the name to continue after;
    /// `None` at the end.
    fn rows<'a>(
        &self,
        users: impl Iterator<Item = (&'a NameKey, UserId)>,
        most: usize,
        rows: &mut Vec<UserRow>,
    ) -> Option<NameKey> {
        let enough = rows.len() + most;
        for (looked_at, (name, id)) in users.enumerate() {
            let user = self.users.get(&id).filter(|user| user.chatting > 0);
            // A page of reasons would not fit a frame.
            let away = || self.absences.of(id).map(|_| String::new());
            rows.extend(user.map(|user| UserRow { away: away(), ..self.summary(user) }));
            if rows.len() == enough || looked_at + 1 == 2 * LIST_PORTION {
                return Some(name.clone());
            }
        }
        None
    }

    fn summary(&self, user: &User) -> UserRow {
        let sessions = || user.sessions.iter().filter_map(|id| self.sessions.get(id));
        let key = user.owner.key().copied();
        UserRow {
            name: user.name.clone(),
            ip: user.sessions.first().and_then(|id| self.sessions.get(id)).map(|session| session.ip),
            // A key implies encryption.
            plaintext: key.is_none() && sessions().any(|session| !session.encrypted),
            web: sessions().any(|session| session.is_web()),
            operator: self.access.is_operator(key.as_ref()),
            key,
            away: None,
            nodes: user.sessions.iter().map(|id| id.server()).collect(),
        }
    }

    fn details(&self, user: &User) -> UserInfo {
        UserInfo {
            since: Some(format!("{:.0}", Timestamp::from_second(user.since).unwrap_or_default())),
            sessions: Some(user.sessions.len()),
            key: user.owner.key().map(Fingerprint::to_string),
            operator: Some(self.access.is_operator(user.owner.key())),
            ..self.summary(user).into_info(self.node_names().map(|names| &**names))
        }
    }
}

pub(super) fn room_row(room: &Room, who: Option<&Who>) -> RoomRow {
    RoomRow {
        name: room.name.clone(),
        topic: room.topic.clone(),
        members: room.members(),
        here: room.present(),
        joined: who.is_some_and(|who| room.since(who).is_some()),
    }
}
