//! What the server tells: the meaning of a packet on its way to a client.
//!
//! Each event writes its own `msg`, so that a client which knows only `from`, `to` and `msg`
//! shows something a person can read.

mod read;
mod words;
mod write;

pub use words::{BEHIND, GAP, SLOW, count_messages, count_users, users_are};

use super::Code;
use super::packet::{BanInfo, KeyInfo, KeyList, Limits, LogEnd, RoomInfo, Sender, ServerInfo, UserInfo};
use crate::fingerprint::Fingerprint;

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Welcome {
    /// Which server this is.
    pub server: ServerInfo,
    /// The name given.
    pub name: String,
    /// The address the server sees.
    pub ip: String,
    /// Users who are present.
    pub total: usize,
    /// What the server takes at most.
    pub limits: Limits,
    /// Number of the latest message.
    pub seq: u64,
    /// Which part of its history the server writes; another one after each start. `None`: it keeps none.
    pub log: Option<String>,
    /// The parts before, the newest first; only those that the client may not know.
    pub logs: Vec<LogEnd>,
    /// Up to which number what the client has is what the server has; `None`: it has told no number.
    pub since: Option<u64>,
    /// Whether the client has numbers that are not of this history, or not any more.
    pub rewound: bool,
    /// The rooms that the user is in.
    pub rooms: Vec<RoomInfo>,
    /// The key that the server knows this client by.
    pub key: Option<Fingerprint>,
    /// Whether this session may use the operators' commands.
    pub operator: bool,
    /// Whether the server takes only members.
    pub closed: bool,
    /// The server's message of the day; empty when it has none.
    pub motd: String,
}

/// Users who came or went within a second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Crowd {
    /// The room that they joined or left; `None`: the chat.
    pub room: Option<String>,
    /// Their names; empty in big rooms.
    pub names: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// Users who are present now; of a room, in it.
    pub total: usize,
}

/// The end of what was missed, or of the answer to `history` or `search`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryEnd {
    /// How many messages there were.
    pub count: usize,
    /// All up to this number has been told; what has a higher one follows as it is said.
    pub seq: u64,
    /// Whether some of what was missed is not there any more, or too much to be told.
    pub gap: bool,
    /// Whether there are older ones than those asked for, or may be.
    pub more: bool,
    /// Whether a search has not looked at older ones: with [`more`](Self::more) since it took too long,
    /// without since they are still being put into the index.
    pub partial: bool,
}

/// One thing told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection is registered.
    Welcome(Box<Welcome>),
    /// Somebody said something.
    Chat {
        /// Who.
        from: Sender,
        /// To whom: a name, `all`, a room or an address.
        to: String,
        /// What.
        msg: String,
        /// Whether it tells what the sender does.
        action: bool,
        /// The message's number; `None`: it could not be stored.
        seq: Option<u64>,
        /// When the server took it.
        ts: String,
        /// Whether it was said before: it was missed, or asked for.
        history: bool,
    },
    /// The receipt: the server took a message, and has stored it unless it stores nothing.
    Sent {
        /// The message's number; `None`: it could not be stored.
        seq: Option<u64>,
        /// When the server took it.
        ts: String,
        /// `false`: it was passed on, but could not be stored.
        stored: bool,
        /// Who is away, so that it waits for them.
        waits: Option<String>,
    },
    /// Users came.
    Joined(Crowd),
    /// Users went.
    Left(Crowd),
    /// A user has another name.
    Renamed {
        /// The name before.
        old: String,
        /// The name now.
        name: String,
    },
    /// A room, and whether one is in it: after one has joined or left it, or asked for its topic.
    Room(RoomInfo),
    /// A room has another topic.
    Topic {
        /// Which.
        room: String,
        /// What it is about; `None`: nothing in particular.
        topic: Option<String>,
        /// Who says so.
        by: String,
    },
    /// A page of rooms.
    Rooms {
        /// In alphabetical order.
        rooms: Vec<RoomInfo>,
        /// All rooms.
        total: usize,
        /// Ask for the next page after this room.
        next: Option<String>,
    },
    /// All that was missed, or asked for, has been told.
    History(HistoryEnd),
    /// What waited for somebody who was away has come to them, or was lost.
    Delivered {
        /// Who has it now, or was to have it.
        name: String,
        /// How many messages have come.
        count: u32,
        /// How many were removed for their age before they came.
        lost: u32,
        /// The number of the last of them.
        last: u64,
        /// The number of this one.
        seq: Option<u64>,
        /// When they had it.
        ts: String,
        /// Whether that was before.
        history: bool,
    },
    /// A page of users.
    Users {
        /// Only those in this room.
        room: Option<String>,
        /// In alphabetical order.
        users: Vec<UserInfo>,
        /// All users who are present; of a room, in it.
        total: usize,
        /// Ask for the next page after this name.
        next: Option<String>,
    },
    /// The server's time.
    Time {
        /// Local time with its offset, RFC 3339.
        time: String,
        /// The same instant in UTC with milliseconds.
        ts: String,
        /// Seconds the server has been up.
        uptime: u64,
    },
    /// An alert to everybody.
    Alert {
        /// Who raised it: a user's name, or `server`.
        by: String,
        /// The text.
        msg: String,
        /// The message's number; `None`: it could not be stored.
        seq: Option<u64>,
        /// When the server took it.
        ts: String,
        /// Whether it was raised before.
        history: bool,
    },
    /// About one user.
    Whois(UserInfo),
    /// I am here.
    Pong {
        /// Which server this is.
        server: ServerInfo,
        /// Users who are present.
        total: usize,
        /// Whether the server takes only members.
        closed: bool,
        /// Whether somebody started it from their prompt: it gives way to others.
        interim: bool,
    },
    /// What came of a test of multicast.
    Multicast {
        /// Packets that the server has sent.
        sent: usize,
        /// Whether it heard one of the client's.
        heard: bool,
    },
    /// The server is closed: it asks for a proof that both know the passphrase (SPAKE2).
    Pake {
        /// The server's half, in base64url.
        pake: String,
        /// What a person reads.
        msg: String,
    },
    /// The proof was good, and here is the server's.
    PakeOk {
        /// In base64url.
        mac: String,
    },
    /// Bans and mutes.
    Bans {
        /// The latest first, as many as fit.
        bans: Vec<BanInfo>,
        /// How many there are.
        total: usize,
    },
    /// A page of keys.
    Keys {
        /// Which.
        list: KeyList,
        /// In the order of the keys; members in the order in which they came, owners in that of the names.
        keys: Vec<KeyInfo>,
        /// How many there are.
        total: usize,
        /// Ask for the next page after this key, or name.
        next: Option<String>,
    },
    /// One's own rank has changed.
    Operator {
        /// Whether one may use the operators' commands now.
        operator: bool,
        /// What a person reads.
        msg: String,
    },
    /// Something to read: the commands there are, what an operator's command did.
    Notice(String),
    /// Whether what is said is stored from now on: a notice, for those who know no more.
    Storing {
        /// Whether it is.
        works: bool,
        /// What a person reads: why it is not, and what to do.
        msg: String,
    },
    /// A request was refused, or the connection ends.
    Error {
        /// Why, for programs. `None`: a code that this version does not know.
        code: Option<Code>,
        /// What was wrong and what to do.
        msg: String,
        /// A name that is free, with `name_taken`.
        name: Option<String>,
    },
    /// The server ends the connection in an orderly way.
    Bye {
        /// Why, for programs.
        code: Option<Code>,
        /// Why, for people.
        msg: String,
        /// The server to which it gives way: its people are expected there.
        server: Option<ServerInfo>,
    },
    /// A type that this version does not know: show its text.
    Unknown {
        /// Who says it.
        from: Sender,
        /// The text.
        msg: String,
    },
}

impl Event {
    /// An error with a text.
    pub fn error(code: Code, msg: impl Into<String>) -> Self {
        Self::Error { code: Some(code), msg: msg.into(), name: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Packet;

    fn crowd(names: &[&str], count: usize) -> Crowd {
        Crowd { room: None, names: names.iter().map(|n| (*n).to_owned()).collect(), count, total: 9 }
    }

    #[test]
    fn a_crowd_reads_well_at_every_size() {
        for (crowd, text) in [
            (crowd(&["alice"], 1), "alice joined"),
            (crowd(&["alice", "bob"], 2), "alice and bob joined"),
            (crowd(&["alice", "bob", "eve"], 3), "alice, bob and eve joined"),
            (crowd(&["alice", "bob"], 7), "alice, bob and 5 more joined"),
            (crowd(&[], 1), "1 user joined"),
            (crowd(&[], 40), "40 users joined"),
        ] {
            assert_eq!(Event::Joined(crowd).text(), text);
        }
    }

    fn room() -> RoomInfo {
        RoomInfo { name: "#games".into(), topic: Some("chess".into()), members: 9, here: 2, joined: true }
    }

    #[test]
    fn a_receipt_says_what_became_of_the_message() {
        let sent = |stored: bool, waits: Option<&str>| {
            let waits = waits.map(str::to_owned);
            Event::Sent { seq: stored.then_some(1), ts: String::new(), stored, waits }.text()
        };
        assert_eq!(sent(true, None), "sent");
        assert!(sent(false, None).starts_with("sent, but not stored"));
        assert_eq!(sent(true, Some("bob")), "bob is away; the message waits for them");
    }

    #[test]
    fn rooms_read_well() {
        let empty = RoomInfo { topic: None, here: 1, members: 1, ..room() };
        for (event, text) in [
            (Event::Room(room()), "you are in #games: chess (2 users here, 7 away)"),
            (
                Event::Room(RoomInfo { joined: false, ..room() }),
                "you are not in #games: chess (2 users here, 7 away)",
            ),
            (Event::Room(empty.clone()), "you are in #games (1 user here)"),
            (
                Event::Rooms { rooms: vec![room(), empty], total: 7, next: Some("#games".into()) },
                "7 rooms: #games (2 users here, 7 away): chess, #games (1 user here) ... (/rooms #games shows more)",
            ),
            (
                Event::Rooms { rooms: vec![], total: 0, next: None },
                "there are no rooms; /join #name makes one",
            ),
            (
                Event::Topic { room: "#games".into(), topic: None, by: "bob".into() },
                "bob took the topic of #games away",
            ),
        ] {
            assert_eq!(event.text(), text);
        }
    }

    #[test]
    fn the_end_of_a_history_says_how_much_there_was_and_what_is_missing() {
        let text =
            |count, gap, more| Event::History(HistoryEnd { count, seq: 1, gap, more, partial: false }).text();
        assert_eq!(text(0, false, false), "no messages");
        assert_eq!(text(1, false, false), "1 message");
        assert_eq!(text(12, false, true), "12 messages; there are older ones");
        assert_eq!(
            text(12, true, false),
            "12 messages; there were others that the server can't give you: too old, too many, or never stored"
        );
    }

    fn ban(until: Option<String>) -> BanInfo {
        let text = || "text".to_owned();
        BanInfo { kind: "ban".into(), who: text(), name: until.clone(), by: text(), until }
    }

    fn one_of_each() -> Vec<Event> {
        let text = || "text".to_owned();
        let user = UserInfo {
            name: text(),
            ip: text(),
            since: Some(text()),
            sessions: Some(2),
            operator: None,
            key: Some(text()),
            plaintext: Some(true),
            last: None,
        };
        let away = UserInfo { last: Some(text()), ..UserInfo::default() };
        let key_info = KeyInfo {
            key: text(),
            name: text(),
            by: Some(text()),
            ip: Some(text()),
            since: Some(text()),
            last: None,
        };
        let server = ServerInfo { id: text(), name: text(), version: text() };
        vec![
            Event::Welcome(Box::new(Welcome {
                server: server.clone(),
                name: text(),
                ip: text(),
                total: 3,
                limits: Limits { frame_bytes: 1, text_bytes: 2, name_chars: 3 },
                seq: 7,
                log: Some(text()),
                logs: vec![LogEnd { log: text(), last: 6 }],
                since: Some(5),
                rewound: true,
                rooms: vec![room()],
                key: Some(Fingerprint::new([7; 32])),
                operator: true,
                closed: true,
                motd: "two\nlines".into(),
            })),
            Event::Chat {
                from: Sender { name: text(), ip: text(), key: Some(text()) },
                to: "all".into(),
                msg: text(),
                action: true,
                seq: Some(1),
                ts: text(),
                history: true,
            },
            Event::Sent { seq: Some(1), ts: text(), stored: true, waits: None },
            Event::Sent { seq: None, ts: text(), stored: false, waits: None },
            Event::Sent { seq: Some(2), ts: text(), stored: true, waits: Some("bob".into()) },
            Event::Joined(crowd(&["alice"], 1)),
            Event::Left(crowd(&[], 12)),
            Event::Joined(Crowd { room: Some("#games".into()), ..crowd(&["alice"], 1) }),
            Event::Room(room()),
            Event::Room(RoomInfo { topic: None, joined: false, ..room() }),
            Event::Topic { room: text(), topic: Some(text()), by: text() },
            Event::Topic { room: text(), topic: None, by: text() },
            Event::Rooms { rooms: vec![room()], total: 3, next: Some(text()) },
            Event::History(HistoryEnd { count: 3, seq: 9, gap: true, more: false, partial: true }),
            Event::History(HistoryEnd { count: 0, seq: 9, gap: false, more: true, partial: false }),
            Event::Delivered {
                name: text(),
                count: 2,
                lost: 1,
                last: 7,
                seq: Some(9),
                ts: text(),
                history: false,
            },
            Event::Renamed { old: text(), name: text() },
            Event::Users { room: Some(text()), users: vec![user.clone()], total: 1, next: Some(text()) },
            Event::Time { time: text(), ts: text(), uptime: 3 },
            Event::Alert { by: text(), msg: text(), seq: None, ts: text(), history: false },
            Event::Whois(user),
            Event::Pong { server, total: 4, closed: true, interim: true },
            Event::Multicast { sent: 3, heard: true },
            Event::Multicast { sent: 0, heard: false },
            Event::Pake { pake: text(), msg: text() },
            Event::PakeOk { mac: text() },
            Event::Operator { operator: false, msg: text() },
            Event::Bans { bans: vec![ban(Some(text())), ban(None)], total: 5 },
            Event::Whois(away),
            Event::Keys { list: KeyList::Members, keys: vec![key_info], total: 3, next: Some(text()) },
            Event::Keys { list: KeyList::Owners, keys: vec![], total: 0, next: None },
            Event::Notice(text()),
            Event::Storing { works: false, msg: text() },
            Event::Storing { works: true, msg: text() },
            Event::Error { code: Some(Code::NameTaken), msg: text(), name: Some(text()) },
            Event::Bye { code: Some(Code::ShuttingDown), msg: text(), server: Some(ServerInfo::default()) },
        ]
    }

    #[test]
    fn a_list_of_bans_says_who_by_whom_until_when_and_how_many_more() {
        let mute = BanInfo { kind: "mute".into(), ..ban(Some("then".into())) };
        assert_eq!(
            Event::Bans { bans: vec![ban(None), mute], total: 9 }.text(),
            "text banned by text forever\ntext (then) muted by text until then\nand 7 older ones"
        );
        assert_eq!(Event::Bans { bans: vec![], total: 0 }.text(), "nobody is banned or muted");
    }

    #[test]
    fn a_list_of_keys_says_what_commands_take() {
        let info = |name: &str| KeyInfo { key: "SHA256:x".into(), name: name.into(), ..KeyInfo::default() };
        let operator = KeyInfo { by: Some("console".into()), since: Some("then".into()), ..info("bob") };
        let owner = KeyInfo { last: Some("then".into()), ..info("bob") };
        for (list, keys, total, next, text) in [
            (
                KeyList::Operators,
                vec![operator],
                1,
                None,
                "1 key:\nkey:SHA256:x (bob), by console, since then",
            ),
            (
                KeyList::Members,
                vec![info("")],
                2,
                Some("SHA256:x"),
                "2 keys:\nkey:SHA256:x\n... (/members SHA256:x shows more)",
            ),
            (
                KeyList::Owners,
                vec![owner, info("eve")],
                2,
                None,
                "2 names:\nbob of key:SHA256:x, last seen then\neve of key:SHA256:x, in use",
            ),
            (KeyList::Owners, vec![], 0, None, "nobody owns a name"),
        ] {
            let next = next.map(str::to_owned);
            assert_eq!(Event::Keys { list, keys, total, next }.text(), text);
        }
    }

    #[test]
    fn a_user_is_shown_with_the_digits_of_the_key_or_as_unverified() {
        let user = UserInfo { name: "bob".into(), ip: "10.0.0.2".into(), ..UserInfo::default() };
        let text = |user| Event::Whois(user).text();
        assert_eq!(text(user.clone()), "bob from 10.0.0.2, unverified");
        let plain = UserInfo { plaintext: Some(true), ..user.clone() };
        assert_eq!(text(plain), "bob from 10.0.0.2, (plaintext), unverified");
        let away = UserInfo { ip: String::new(), last: Some("then".into()), ..user.clone() };
        assert_eq!(text(away), "bob is away, last seen then, unverified");
        let key = Some(Fingerprint::new([0; 32]).to_string());
        let digits = "bob from 10.0.0.2, key 00000 00000 00000 00000 00000 00000";
        assert_eq!(text(UserInfo { key, ..user }), digits);
    }

    #[test]
    fn every_event_comes_back_from_its_frame() {
        for event in one_of_each() {
            let packet = Packet::parse(&event.to_packet("all", None).to_frame()).expect("our own frame");
            assert_eq!(Event::from_packet(packet), event);
        }
    }

    #[test]
    fn every_event_has_the_schema_of_the_replaced_system() {
        for event in one_of_each() {
            let frame = event.to_packet("bob", None).to_frame();
            let json: serde_json::Value = serde_json::from_slice(&frame).expect("JSON");
            assert!(json["from"]["name"].is_string() && json["from"]["ip"].is_string(), "{json}");
            assert!(json["to"].is_string() && !json["msg"].as_str().unwrap_or("").is_empty(), "{json}");
        }
    }

    #[test]
    fn an_unknown_type_is_kept_as_its_text() {
        let packet =
            Packet::parse(br#"{"from":{"name":"server"},"msg":"from the future","type":"hologram"}"#);
        let event = Event::from_packet(packet.expect("JSON"));
        assert!(matches!(event, Event::Unknown { msg, .. } if msg == "from the future"));
    }
}
