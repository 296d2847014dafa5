//! Answers to one session, as the rules have gathered them: written out where nobody waits for it.
//!
//! Under the server's lock only what is in an answer is copied; its texts, its JSON and where a page ends
//! are found when it is written.

use super::archive::Topic;
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

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whom it is for.
    pub session: SessionId,
    /// That session's name; `None`: it has none.
    pub(super) to: Option<Name>,
    /// The request's `id`.
    pub(super) echo: Option<String>,
    pub(super) told: Told,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Event(Event),
    Users(Users),
    Rooms(Rooms),
    /// The latest first, as many as are shown, and how many there are.
    Bans(Vec<(Sanction, Arc<BanRecord>)>, usize),
    /// A page of keys, how many there are, and where the next page begins.
    Keys {
        list: KeyList,
        rows: Vec<KeyRow>,
        total: usize,
        next: Option<String>,
    },
}

/// A key of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) key: Fingerprint,
    name: String,
    by: Option<String>,
    ip: Option<IpAddr>,
    since: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Users of a page, and one more if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Users {
    /// Only those in this room.
    pub(super) room: Option<RoomName>,
    pub(super) rows: Vec<UserRow>,
    pub(super) total: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserRow {
    pub(super) name: Name,
    pub(super) ip: Option<IpAddr>,
    pub(super) key: Option<Fingerprint>,
    pub(super) plaintext: bool,
}

/// Rooms of a page, and one more if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rooms {
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
    /// As the session gets it.
    pub fn into_packet(self) -> Packet {
        let to = self.to.as_ref().map_or("", Name::as_str);
        self.told.into_event().into_packet(to, self.echo)
    }

    /// About how many bytes its frame has: more rather than fewer.
    pub fn bytes(&self) -> usize {
        256 + self.told.bytes()
    }
}

impl Told {
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
            // What has a line break has it escaped.
            Self::Event(Event::Welcome(welcome)) => {
                let rooms = welcome.rooms.iter().map(|room| 128 + topic(room.topic.as_deref()));
                512 + text(&welcome.motd) + rooms.sum::<usize>()
            }
            Self::Event(Event::Notice(msg) | Event::Error { msg, .. } | Event::Bye { msg, .. }) => text(msg),
            Self::Event(Event::Room(room)) => 256 + 2 * topic(room.topic.as_deref()),
            Self::Event(_) => 512,
            // Names stand in `msg` too.
            Self::Users(users) => users.rows.iter().map(|row| 96 + 2 * row.name.as_str().len()).sum(),
            Self::Rooms(rooms) => rooms
                .rows
                .iter()
                .map(|row| 192 + 2 * topic(row.topic.as_ref().map(|t| t.text.as_str())))
                .sum(),
            Self::Bans(rows, _) => rows.len() * 512,
            // Twice what is there once, with what it is called.
            Self::Keys { rows, .. } => {
                let texts = |row: &KeyRow| text(&row.name) + row.by.as_deref().map_or(0, text);
                rows.iter().map(|row| 256 + 2 * texts(row)).sum()
            }
        }
    }
}

impl Users {
    /// Those that fit a page.
    fn into_event(self) -> Event {
        let Self { room, rows, total } = self;
        let all = rows.len();
        let mut users: Vec<UserInfo> = Vec::new();
        let mut bytes = 0;
        for info in rows.into_iter().map(UserRow::into_info) {
            // Once in `users`, once by name in `msg`, each with its separators.
            bytes += json_bytes(&info) + json_bytes(&info.name) + 4;
            if users.len() == USERS_PER_PAGE || bytes > USERS_PAGE_BYTES {
                break;
            }
            users.push(info);
        }
        let next = users.last().filter(|_| users.len() < all).map(|last| last.name.clone());
        Event::Users { room: room.as_ref().map(RoomName::to_string), users, total, next }
    }
}

impl UserRow {
    pub(super) fn into_info(self) -> UserInfo {
        UserInfo {
            name: self.name.to_string(),
            ip: self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            key: self.key.as_ref().map(Fingerprint::tag),
            plaintext: self.plaintext.then_some(true),
            ..UserInfo::default()
        }
    }
}

impl Rooms {
    /// Those that fit a page.
    fn into_event(self) -> Event {
        let Self { rows, total } = self;
        let all = rows.len();
        let mut rooms: Vec<RoomInfo> = Vec::new();
        let mut bytes = 0;
        for info in rows.into_iter().map(RoomRow::into_info) {
            // Once in `rooms`, once in `msg`.
            bytes += 2 * json_bytes(&info);
            if rooms.len() == ROOMS_PER_PAGE || bytes > USERS_PAGE_BYTES {
                break;
            }
            rooms.push(info);
        }
        let next = rooms.last().filter(|_| rooms.len() < all).map(|last| last.name.clone());
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

    /// `last`: when the key last used the name that it owns.
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

/// A row may come from a file that somebody had edited.
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

/// How long it is in JSON, without writing it anywhere.
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

    fn whole(told: Told) -> (usize, usize) {
        let answer = Answer { session: SessionId(1), to: None, echo: Some("x".repeat(64)), told };
        (answer.bytes(), answer.into_packet().to_frame().len())
    }

    #[test]
    fn the_bytes_of_an_answer_are_not_underrated() {
        let row = |n: usize| UserRow {
            name: Name::new(&format!("user{n}")).expect("a name"),
            ip: Some([192, 168, 100, 200].into()),
            key: Some(Fingerprint::new([7; 32])),
            plaintext: true,
        };
        let room = |n: usize| RoomRow {
            name: RoomName::new(&format!("#room{n}")).expect("a room"),
            topic: Some(Topic { text: "tea ".repeat(70), by: "bob".into() }),
            members: 1000,
            here: 1000,
            joined: true,
        };
        let users = Told::Users(Users { room: None, rows: (0..400).map(row).collect(), total: 400 });
        let rooms = Told::Rooms(Rooms { rows: (0..80).map(room).collect(), total: 80 });
        for (said, is) in
            [whole(users), whole(rooms), whole(Told::Event(Event::Notice("line\n".repeat(500))))]
        {
            assert!(said + said / 10 >= is && said < 2 * is, "{said} {is}");
        }
    }
}
