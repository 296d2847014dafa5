//! Questions about the chat: they change nothing. The console asks here too, without a session.

use super::rooms::Who;
use super::user::{User, UserId};
use super::{Chat, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{USERS_PAGE_BYTES, USERS_PER_PAGE};
use crate::name::{NameKey, RoomName};
use crate::protocol::packet::UserInfo;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event, Request};
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::ops::Bound;

impl Chat {
    /// A question that changes nothing.
    pub(super) fn ask(&self, question: &Request, who: Option<&Who>, now: &Now) -> Result<Event, Refusal> {
        match question {
            Request::Users { room, after } => self.users_page(room.as_deref(), after.as_deref()),
            Request::Rooms { after } => Ok(self.rooms_page(after.as_deref(), who)),
            Request::Time => Ok(Event::Time {
                time: now.clock.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                ts: now.stamp(),
                uptime: now.uptime.as_secs(),
            }),
            Request::Whois { name } => {
                let (_, user) = self.find(name).ok_or_else(|| self.no_such_user(name, now))?;
                Ok(Event::Whois(self.details(user)))
            }
            _ => Err(Refusal::new(Code::BadCommand, "that can't be asked here; try /help")),
        }
    }

    /// Present users, of a room or all, from the one after `after`.
    fn users_page(&self, room: Option<&str>, after: Option<&str>) -> Result<Event, Refusal> {
        let after = after.map(|after| self.terms.key(after));
        let name = room.map(|room| self.room_name(room)).transpose()?.filter(|name| !name.is_lobby());
        let Some(name) = name else {
            let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let here = self.names.range::<NameKey, _>((start, Bound::Unbounded)).map(|(_, id)| *id);
            return Ok(self.page(None, here, self.present));
        };
        let room = self.rooms.find(name.key()).and_then(|id| self.rooms.get(id));
        let room = room.ok_or_else(|| self.no_such_room(&name))?;
        Ok(self.page(Some(&room.name), room.here_after(after.as_ref()), room.present()))
    }

    /// Those who are present of these, in their order; bounded in number and size.
    fn page(&self, room: Option<&RoomName>, users: impl Iterator<Item = UserId>, total: usize) -> Event {
        let mut here = users.filter_map(|id| self.users.get(&id)).filter(|user| user.chatting > 0).peekable();
        let mut users: Vec<UserInfo> = Vec::new();
        let mut bytes = 0;
        while let Some(user) = here.peek() {
            let info = self.summary(user);
            bytes += written_bytes(&info);
            if users.len() == USERS_PER_PAGE || bytes > USERS_PAGE_BYTES {
                break;
            }
            users.push(info);
            here.next();
        }
        let next = here.peek().and_then(|_| users.last()).map(|last| last.name.clone());
        Event::Users { room: room.map(RoomName::to_string), users, total, next }
    }

    fn summary(&self, user: &User) -> UserInfo {
        let ip = user.sessions.first().and_then(|id| self.sessions.get(id)).map(|s| s.ip.to_string());
        let plaintext = user.sessions.iter().filter_map(|id| self.sessions.get(id)).any(|s| !s.encrypted);
        UserInfo {
            name: user.name.to_string(),
            ip: ip.unwrap_or_default(),
            key: user.owner.key().map(Fingerprint::tag),
            plaintext: plaintext.then_some(true),
            ..UserInfo::default()
        }
    }

    fn details(&self, user: &User) -> UserInfo {
        UserInfo {
            since: Some(format!("{:.0}", Timestamp::from_second(user.since).unwrap_or_default())),
            sessions: Some(user.sessions.len()),
            key: user.owner.key().map(Fingerprint::to_string),
            operator: Some(self.standing.is_operator(user.owner.key())),
            ..self.summary(user)
        }
    }
}

/// What a user takes in a page: once in `users`, once by name in `msg`, each with its separators.
fn written_bytes(info: &UserInfo) -> usize {
    json_bytes(info) + json_bytes(&info.name) + 4
}

/// How long it is in JSON, without writing it anywhere.
pub(super) fn json_bytes(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(0, |()| count.0)
}
