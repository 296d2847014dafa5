//! Answers to one session, formatted after the server's lock is released.
//!
//! Under the lock, the rules only copy the content. Texts, JSON and page ends are computed when the answer is
//! written.

use super::archive::Topic;
use super::node_set::NodeSet;
use super::records::{BanRecord, MemberRecord, OperatorRecord, Sanction};
use super::who::SessionId;
use crate::fingerprint::Fingerprint;
use crate::limits::{MAX_NAME_CHARS, ROOMS_PER_PAGE, USERS_PAGE_BYTES, USERS_PER_PAGE};
use crate::name::{Name, RoomName};
use crate::protocol::packet::{BanInfo, KeyInfo, KeyList, RoomInfo, UserInfo};
use crate::protocol::{Event, Packet};
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub session: SessionId,
    /// The session's name; `None` before registration.
    pub(super) to: Option<Name>,
    pub(super) echo: Option<String>,
    pub(super) content: Content,
}

/// The content of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Event(Event),
    Users(UsersPage),
    Rooms(RoomsPage),
    /// The latest first, as many as fit, and the total.
    Bans(Vec<(Sanction, Arc<BanRecord>)>, usize),
    Keys {
        list: KeyList,
        rows: Vec<KeyRow>,
        total: usize,
        next: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) key: Fingerprint,
    name: String,
    by: Option<String>,
    ip: Option<IpAddr>,
    since: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Users for a page, and one more if there is a next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsersPage {
    /// Lists only users in this room.
    pub(super) room: Option<RoomName>,
    pub(super) rows: Vec<UserRow>,
    pub(super) total: usize,
    /// The names of the chat's servers, by number; `None`: there is only one.
    pub(super) node_names: Option<Arc<[String]>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserRow {
    pub(super) name: Name,
    pub(super) ip: Option<IpAddr>,
    pub(super) key: Option<Fingerprint>,
    pub(super) plaintext: bool,
    pub(super) web: bool,
    pub(super) operator: bool,
    /// Why the user is away; empty in lists.
    pub(super) away: Option<String>,
    /// Where the user's sessions are.
    pub(super) nodes: NodeSet,
}

/// Rooms for a page, and one more if there is a next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoomsPage {
    pub(super) rows: Vec<RoomRow>,
    pub(super) total: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoomRow {
    pub(super) name: RoomName,
    pub(super) topic: Option<Topic>,
    pub(super) members: usize,
    pub(super) here: usize,
    pub(super) joined: bool,
}

impl Answer {
    pub fn into_packet(self) -> Packet {
        let to = self.to.as_ref().map_or("", Name::as_str);
        self.content.into_event().into_packet(to, self.echo)
    }

    /// Estimates the frame's size in bytes, rather too high than too low.
    pub fn bytes(&self) -> usize {
        256 + self.content.bytes()
    }
}

impl Content {
    pub(super) fn into_event(self) -> Event {
        match self {
            Self::Event(event) => event,
            Self::Users(users) => users.into_event(),
            Self::Rooms(rooms) => rooms.into_event(),
            Self::Bans(rows, total) => {
                Event::Bans { bans: rows.iter().map(|(sanction, row)| ban(*sanction, row)).collect(), total }
            }
            Self::Keys { list, rows, total, next } => {
                Event::Keys { list, keys: rows.into_iter().map(KeyRow::into_info).collect(), total, next }
            }
        }
    }

    fn bytes(&self) -> usize {
        let text = |text: &str| text.len() + text.len() / 8;
        let topic = |topic: Option<&str>| topic.map_or(0, text);
        match self {
            // JSON escapes line breaks.
            Self::Event(Event::Welcome(welcome)) => {
                let rooms = welcome.rooms.iter().map(|room| 128 + topic(room.topic.as_deref()));
                let read = welcome.read.iter().map(|place| 64 + place.name.as_deref().map_or(0, text));
                512 + text(&welcome.motd) + rooms.sum::<usize>() + read.sum::<usize>()
            }
            Self::Event(Event::Notice(msg) | Event::Error { msg, .. } | Event::Bye { msg, .. }) => text(msg),
            Self::Event(Event::Room(room)) => 256 + 2 * topic(room.topic.as_deref()),
            Self::Event(_) => 512,
            // `msg` repeats the names.
            Self::Users(users) => users.rows.iter().map(|row| 124 + 2 * row.name.as_str().len()).sum(),
            Self::Rooms(rooms) => rooms
                .rows
                .iter()
                .map(|row| 192 + 2 * topic(row.topic.as_ref().map(|t| t.text.as_str())))
                .sum(),
            Self::Bans(rows, _) => rows.len() * 512,
            // `msg` repeats each row's text, with a label.
            Self::Keys { rows, .. } => {
                let texts = |row: &KeyRow| text(&row.name) + row.by.as_deref().map_or(0, text);
                rows.iter().map(|row| 256 + 2 * texts(row)).sum()
            }
        }
    }
}

impl UsersPage {
    fn into_event(self) -> Event {
        let Self { room, rows, total, node_names } = self;
        let info = |row: UserRow| row.into_info(node_names.as_deref());
        // Once in `users`, once by name in `msg`, each with its separators.
        let bytes = |info: &UserInfo| json_bytes(info) + json_bytes(&info.name) + 4;
        let (users, has_more) = page(rows.into_iter().map(info), USERS_PER_PAGE, bytes);
        let next = users.last().filter(|_| has_more).map(|last| last.name.clone());
        Event::Users { room: room.as_ref().map(RoomName::to_string), users, total, next }
    }
}

/// The rows that fit a page, and whether there are more.
fn page<T>(rows: impl Iterator<Item = T>, most: usize, bytes_of: impl Fn(&T) -> usize) -> (Vec<T>, bool) {
    let (mut page, mut bytes) = (Vec::new(), 0);
    for row in rows {
        bytes += bytes_of(&row);
        if page.len() == most || bytes > USERS_PAGE_BYTES {
            return (page, true);
        }
        page.push(row);
    }
    (page, false)
}

impl UserRow {
    /// `node_names`: of the chat's servers, by number.
    pub(super) fn into_info(self, node_names: Option<&[String]>) -> UserInfo {
        UserInfo {
            name: self.name.to_string(),
            ip: self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            key: self.key.as_ref().map(Fingerprint::tag),
            plaintext: self.plaintext.then_some(true),
            web: self.web.then_some(true),
            operator: self.operator.then_some(true),
            away: self.away,
            nodes: node_names.map_or_else(Vec::new, |names| self.nodes.names(names)),
            ..UserInfo::default()
        }
    }
}

impl RoomsPage {
    fn into_event(self) -> Event {
        let Self { rows, total } = self;
        // Once in `rooms`, once in `msg`.
        let bytes = |info: &RoomInfo| 2 * json_bytes(info);
        let (rooms, has_more) = page(rows.into_iter().map(RoomRow::into_info), ROOMS_PER_PAGE, bytes);
        let next = rooms.last().filter(|_| has_more).map(|last| last.name.clone());
        Event::Rooms { rooms, total, next }
    }
}

impl RoomRow {
    pub(super) fn into_info(self) -> RoomInfo {
        let Self { name, topic, members, here, joined } = self;
        RoomInfo { name: name.to_string(), topic: topic.map(|topic| topic.text), members, here, joined }
    }
}

impl KeyRow {
    pub(super) fn of_operator(row: &OperatorRecord) -> Self {
        let (by, since) = (Some(cut(&row.by)).filter(|by| !by.is_empty()), Some(row.since));
        Self { key: row.key, name: cut(&row.name), by, ip: None, since, last: None }
    }

    pub(super) fn of_member(row: &MemberRecord) -> Self {
        let since = Some(row.since);
        Self { key: row.key, name: cut(&row.name), by: None, ip: row.ip, since, last: None }
    }

    /// `last`: when the key last used this name.
    pub(super) fn of_owner(name: &Name, key: Fingerprint, last: Option<Timestamp>) -> Self {
        Self { key, name: name.to_string(), by: None, ip: None, since: None, last }
    }

    fn into_info(self) -> KeyInfo {
        let Self { key, name, by, ip, since, last } = self;
        let time = |at: Timestamp| format!("{at:.0}");
        KeyInfo {
            key: key.to_string(),
            name,
            by,
            ip: ip.map(|ip| ip.to_string()),
            since: since.map(time),
            last: last.map(time),
        }
    }
}

/// Limits a name from a file that people may have edited.
fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME_CHARS).collect()
}

fn ban(sanction: Sanction, row: &BanRecord) -> BanInfo {
    let (who, name) = match (&row.key, &row.name) {
        (Some(key), name) => (format!("key:{key}"), name.as_deref().map(cut)),
        (None, Some(name)) => (cut(name), None),
        (None, None) => (row.ips.first().map_or(String::new(), |net| format!("ip:{net}")), None),
    };
    let kind = match sanction {
        Sanction::Ban => "ban",
        Sanction::Mute => "mute",
    };
    let until = row.until.map(|until| until.to_string());
    BanInfo { kind: kind.into(), who, name, by: cut(&row.by), until }
}

/// Measures the length as JSON without an allocation.
fn json_bytes(value: &impl Serialize) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(content: Content) -> (usize, usize) {
        let answer = Answer { session: SessionId(1), to: None, echo: Some("x".repeat(64)), content };
        (answer.bytes(), answer.into_packet().to_frame().len())
    }

    #[test]
    fn the_bytes_of_an_answer_are_not_underrated() {
        let row = |n: usize| UserRow {
            name: Name::new(&format!("user{n}")).expect("a name"),
            ip: Some([192, 168, 100, 200].into()),
            key: Some(Fingerprint::new([7; 32])),
            plaintext: true,
            web: true,
            operator: true,
            away: None,
            nodes: [0, 1].into_iter().collect(),
        };
        let room = |n: usize| RoomRow {
            name: RoomName::new(&format!("#room{n}")).expect("a room"),
            topic: Some(Topic { text: "tea ".repeat(70), by: "bob".into() }),
            members: 1000,
            here: 1000,
            joined: true,
        };
        let users = Content::Users(UsersPage {
            room: None,
            rows: (0..400).map(row).collect(),
            total: 400,
            node_names: Some(["a", "b"].map(str::to_owned).into()),
        });
        let rooms = Content::Rooms(RoomsPage { rows: (0..80).map(room).collect(), total: 80 });
        for (said, is) in
            [whole(users), whole(rooms), whole(Content::Event(Event::Notice("line\n".repeat(500))))]
        {
            assert!(said + said / 10 >= is && said < 2 * is, "{said} {is}");
        }
    }
}
