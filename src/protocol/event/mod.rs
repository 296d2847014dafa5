//! Events: the meaning of packets from the server to clients.
//!
//! This file describes an event: its variant, with its members in the order in which they are written, and
//! its type; `read.rs` reads it. Each event writes its own `msg` (`text.rs`), so a client that knows only `from`,
//! `to` and `msg` shows readable text. A member that is new to events also needs a field in [`ServerPacket`].

mod packet;
mod parts;
mod read;
mod text;

pub use packet::{Packet, ServerPacket};
pub use parts::{Absent, Crowd, HistoryEnd, Welcome};
pub use text::{BEHIND, GAP, SLOW, count_messages, count_users, servers_text, users_are};

use super::envelope::is_empty;
use super::kinds::kinds;
use super::packet::{BanInfo, FileInfo, KeyInfo, KeyList, RoomInfo, Sender, ServerInfo, UserInfo};
use super::{Code, DeclineReason, ServerNumbers, WebAccess};
use crate::fingerprint::Fingerprint;
use serde::Serialize;

/// An event. Its members are written in this order without the empty ones; for skipped ones, see [`Packet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    Welcome(Box<Welcome>),
    Chat {
        #[serde(skip)]
        from: Sender,
        /// A name, `all`, a room or an address.
        #[serde(skip)]
        to: String,
        #[serde(skip)]
        msg: String,
        /// The message's number; `None`: it could not be stored.
        #[serde(skip_serializing_if = "is_empty")]
        seq: Option<u64>,
        /// When the server accepted it.
        ts: String,
        /// Whether it describes what the sender does.
        #[serde(skip_serializing_if = "is_empty")]
        action: bool,
        /// Whether it is an old message that the client missed or asked for.
        #[serde(skip_serializing_if = "is_empty")]
        history: bool,
        /// The number of the message that it answers.
        #[serde(skip_serializing_if = "is_empty")]
        reply: Option<u64>,
        /// Whether its author has replaced the text.
        #[serde(skip_serializing_if = "is_empty")]
        edited: bool,
    },
    /// A message has another text.
    Edited {
        /// The author.
        #[serde(skip)]
        from: Sender,
        /// The message's recipient.
        #[serde(skip)]
        to: String,
        /// The new text; in the packet after a fixed word.
        #[serde(skip)]
        msg: String,
        /// The number of this event.
        #[serde(skip_serializing_if = "is_empty")]
        seq: Option<u64>,
        ts: String,
        /// The message's number.
        of: u64,
        /// Whether it describes what the sender does.
        #[serde(skip_serializing_if = "is_empty")]
        action: bool,
        /// Whether the client missed this event.
        #[serde(skip_serializing_if = "is_empty")]
        history: bool,
    },
    /// A message is gone.
    Deleted {
        /// Its author, or an operator.
        #[serde(skip)]
        from: Sender,
        /// The message's recipient.
        #[serde(skip)]
        to: String,
        /// The number of this event.
        #[serde(skip_serializing_if = "is_empty")]
        seq: Option<u64>,
        ts: String,
        /// The message's number.
        of: u64,
        /// The author, if an operator deleted it.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// Whether the client missed or asked for this event.
        #[serde(skip_serializing_if = "is_empty")]
        history: bool,
    },
    /// Another session of the user has read a conversation: a room, or with a user; without either, the lobby.
    Read {
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        /// Up to this number.
        seq: u64,
    },
    /// The user is away, or back.
    Away {
        /// Why, perhaps empty; `None`: the user is back.
        #[serde(rename = "away", skip_serializing_if = "is_empty")]
        why: Option<String>,
    },
    /// The receipt: the server has accepted a message, and stored it if it has a history.
    #[serde(serialize_with = "parts::sent")]
    Sent {
        /// The message's number; `None`: it could not be stored.
        seq: Option<u64>,
        /// When the server accepted it.
        ts: String,
        /// `false`: it was passed on, but could not be stored.
        stored: bool,
        /// The recipient who is offline, so the message waits.
        waits: Option<String>,
        /// The recipient, who is here but does not read at the moment.
        away: Option<Absent>,
    },
    Joined(Crowd),
    Left(Crowd),
    Renamed {
        name: String,
        old: String,
    },
    /// A room, and whether the user is a member: after joining, leaving, or asking for the topic.
    #[serde(serialize_with = "parts::room")]
    Room(RoomInfo),
    Topic {
        by: String,
        room: String,
        /// `None`: the topic was cleared.
        #[serde(skip_serializing_if = "is_empty")]
        topic: Option<String>,
    },
    Rooms {
        total: usize,
        /// Where to continue: ask for the page after this room.
        #[serde(skip_serializing_if = "is_empty")]
        next: Option<String>,
        /// In alphabetical order.
        rooms: Vec<RoomInfo>,
    },
    /// The end of missed or requested messages.
    History(HistoryEnd),
    /// Messages have reached a recipient who had been away, or were removed before that.
    Delivered {
        /// The number of this event.
        #[serde(skip_serializing_if = "is_empty")]
        seq: Option<u64>,
        ts: String,
        /// The recipient.
        name: String,
        count: u32,
        /// Whether the client missed or asked for this event.
        #[serde(skip_serializing_if = "is_empty")]
        history: bool,
        /// How many messages were removed because of their age.
        #[serde(skip_serializing_if = "is_empty")]
        lost: u32,
        /// The number of the last of these messages.
        last: u64,
    },
    Users {
        /// The number of all present users; with `room`, in that room.
        total: usize,
        /// In alphabetical order.
        users: Vec<UserInfo>,
        /// Where to continue: ask for the page after this name.
        #[serde(skip_serializing_if = "is_empty")]
        next: Option<String>,
        /// Only users in this room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
    },
    Time {
        /// The time in UTC with milliseconds.
        ts: String,
        /// The local time with its offset, RFC 3339.
        time: String,
        /// Seconds since the server started.
        uptime: u64,
    },
    Alert {
        /// The message's number; `None`: it could not be stored.
        #[serde(skip_serializing_if = "is_empty")]
        seq: Option<u64>,
        /// When the server accepted it.
        ts: String,
        /// A user's name, or `server`.
        by: String,
        /// Whether it is an old alert that the client missed or asked for.
        #[serde(skip_serializing_if = "is_empty")]
        history: bool,
        #[serde(skip)]
        msg: String,
    },
    #[serde(serialize_with = "parts::whois")]
    Whois(UserInfo),
    Pong {
        #[serde(skip_serializing_if = "is_empty")]
        closed: bool,
        /// Whether a user started the server from their prompt, so it gives way to others.
        #[serde(skip_serializing_if = "is_empty")]
        interim: bool,
        server: ServerInfo,
        /// The server's name within its chat; `None`: the chat has this one only.
        #[serde(skip_serializing_if = "is_empty")]
        node: Option<String>,
        total: usize,
        /// Random for each start of a server: tells two servers with one key from one server at two addresses. The
        /// servers of one chat have one key and tell none.
        #[serde(skip_serializing_if = "is_empty")]
        run: Option<String>,
        #[serde(skip_serializing_if = "is_empty")]
        web: Option<WebAccess>,
    },
    /// The result of a multicast test.
    Multicast {
        /// The number of packets that the server has sent.
        #[serde(rename = "count")]
        sent: usize,
        /// Whether the server heard any of the client's packets.
        heard: bool,
    },
    /// The server is closed and asks the client to prove the passphrase (SPAKE2).
    Pake {
        pake: String,
        #[serde(skip)]
        msg: String,
    },
    /// The server accepts the client's proof and proves its own knowledge.
    PakeOk {
        mac: String,
    },
    Bans {
        /// The number of all bans and mutes.
        total: usize,
        /// The latest first, as many as fit.
        bans: Vec<BanInfo>,
    },
    /// The server's own numbers.
    Status {
        status: Box<ServerNumbers>,
    },
    /// A ticket that lets a browser's key into a closed server; `None`: the server is open.
    Ticket {
        #[serde(skip_serializing_if = "is_empty")]
        ticket: Option<String>,
    },
    Keys {
        #[serde(skip)]
        list: KeyList,
        /// The number of all keys on the list.
        total: usize,
        /// Where to continue: ask for the page after this key, or name.
        #[serde(skip_serializing_if = "is_empty")]
        next: Option<String>,
        /// Operators by key, members by when they came, owners by name.
        keys: Vec<KeyInfo>,
    },
    /// The user has become an operator, or is no longer one.
    Operator {
        operator: bool,
        #[serde(skip)]
        msg: String,
    },
    /// A user offers a file.
    Offer {
        #[serde(skip)]
        from: Sender,
        /// The receiver: a name or a room.
        #[serde(skip)]
        to: String,
        /// The sender's key: the tag in `from` proves nothing.
        #[serde(skip_serializing_if = "is_empty")]
        key: Option<Fingerprint>,
        /// Its number, until the offer or the server ends.
        offer: u64,
        file: Box<FileInfo>,
    },
    /// The receipt for an offer.
    Offered {
        offer: u64,
        /// The receiver who is offline; the offer reaches them if they come while its sender stays.
        #[serde(rename = "name", skip_serializing_if = "is_empty")]
        waits: Option<String>,
    },
    /// The file may flow: both sides connect in mode `file`.
    Accepted {
        offer: u64,
        /// The other side.
        name: String,
        /// Admits one connection of this client's key, soon.
        token: String,
        /// Whether this side sends.
        #[serde(skip_serializing_if = "is_empty")]
        send: bool,
    },
    /// An offer or a transfer has ended.
    Ended {
        offer: u64,
        /// The other side; `None`: the offer as a whole.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// Why.
        #[serde(skip_serializing_if = "is_empty")]
        code: Option<Code>,
        /// Why the receiver has declined.
        #[serde(skip_serializing_if = "is_empty")]
        reason: Option<DeclineReason>,
        #[serde(skip)]
        msg: String,
    },
    /// In mode `file`: both sides are connected. All bytes after it come from the other side.
    Go,
    /// Text for the user, such as help or the result of a command.
    Notice(#[serde(skip)] String),
    /// Whether messages are stored from now on. Older clients read it as a notice.
    Storing {
        #[serde(rename = "stored")]
        works: bool,
        /// Why the store fails, and what to do.
        #[serde(skip)]
        msg: String,
    },
    /// A request was refused, or the connection ends.
    Error {
        /// `None`: a code that this version does not know.
        #[serde(skip_serializing_if = "is_empty")]
        code: Option<Code>,
        /// A free name, with `name_taken`.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// The fault and the remedy.
        #[serde(skip)]
        msg: String,
    },
    /// The server ends the connection in an orderly way.
    Bye {
        #[serde(skip_serializing_if = "is_empty")]
        code: Option<Code>,
        /// The server to which this one gives way, and to which clients should go.
        #[serde(skip_serializing_if = "is_empty")]
        server: Option<ServerInfo>,
        #[serde(skip)]
        msg: String,
    },
    /// A type that this version does not know: show its text.
    Unknown {
        #[serde(skip)]
        from: Sender,
        #[serde(skip)]
        msg: String,
    },
}

kinds! {
    Event:
    Keys(list): Self::Keys { list, .. },
    Welcome = "welcome": Self::Welcome(_),
    Chat = "chat": Self::Chat { .. },
    Edited = "edited": Self::Edited { .. },
    Deleted = "deleted": Self::Deleted { .. },
    Read = "read": Self::Read { .. },
    Away = "away": Self::Away { .. },
    Sent = "sent": Self::Sent { .. },
    Joined = "joined": Self::Joined(_),
    Left = "left": Self::Left(_),
    Renamed = "renamed": Self::Renamed { .. },
    Room = "room": Self::Room(_),
    Topic = "topic": Self::Topic { .. },
    Rooms = "rooms": Self::Rooms { .. },
    History = "history": Self::History(_),
    Delivered = "delivered": Self::Delivered { .. },
    Users = "users": Self::Users { .. },
    Time = "time": Self::Time { .. },
    Alert = "alert": Self::Alert { .. },
    Whois = "whois": Self::Whois(_),
    Pong = "pong": Self::Pong { .. },
    Multicast = "multicast": Self::Multicast { .. },
    Pake = "pake": Self::Pake { .. },
    PakeOk = "pake_ok": Self::PakeOk { .. },
    Bans = "bans": Self::Bans { .. },
    Status = "status": Self::Status { .. },
    Ticket = "ticket": Self::Ticket { .. },
    Operator = "operator": Self::Operator { .. },
    Offer = "offer": Self::Offer { .. },
    Offered = "offered": Self::Offered { .. },
    Accepted = "accepted": Self::Accepted { .. },
    Ended = "ended": Self::Ended { .. },
    Go = "go": Self::Go,
    Notice = "notice": Self::Notice(_) | Self::Storing { .. },
    Error = "error": Self::Error { .. },
    Bye = "bye": Self::Bye { .. },
    Unknown = "unknown": Self::Unknown { .. },
}

impl Event {
    pub fn error(code: Code, msg: impl Into<String>) -> Self {
        Self::Error { code: Some(code), msg: msg.into(), name: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tests::events;

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
            Event::Sent { seq: stored.then_some(1), ts: String::new(), stored, waits, away: None }
                .text()
                .into_owned()
        };
        assert_eq!(sent(true, None), "sent");
        assert!(sent(false, None).starts_with("sent, but not stored"));
        assert_eq!(sent(true, Some("bob")), "bob is offline; the message waits for them");
    }

    #[test]
    fn rooms_read_well() {
        let empty = RoomInfo { topic: None, here: 1, members: 1, ..room() };
        for (event, text) in [
            (Event::Room(room()), "you are in #games: chess (2 users here, 7 offline)"),
            (
                Event::Room(RoomInfo { joined: false, ..room() }),
                "you are not in #games: chess (2 users here, 7 offline)",
            ),
            (Event::Room(empty.clone()), "you are in #games (1 user here)"),
            (
                Event::Rooms { rooms: vec![room(), empty], total: 7, next: Some("#games".into()) },
                "7 rooms: #games (2 users here, 7 offline): chess, #games (1 user here) ... (/rooms #games shows more)",
            ),
            (
                Event::Rooms { rooms: vec![], total: 0, next: None },
                "there are no rooms; /join #name creates one",
            ),
            (
                Event::Topic { room: "#games".into(), topic: None, by: "bob".into() },
                "bob cleared the topic of #games",
            ),
        ] {
            assert_eq!(event.text(), text);
        }
    }

    #[test]
    fn the_end_of_a_history_says_how_much_there_was_and_what_is_missing() {
        let text = |count, gap, more| {
            Event::History(HistoryEnd { count, seq: 1, gap, more, partial: false }).text().into_owned()
        };
        assert_eq!(text(0, false, false), "no messages");
        assert_eq!(text(1, false, false), "1 message");
        assert_eq!(text(12, false, true), "12 messages; there are older ones");
        assert_eq!(
            text(12, true, false),
            "12 messages; there were others that the server cannot show you: too old, too many, or never \
             stored"
        );
    }

    fn ban(until: Option<String>) -> BanInfo {
        let text = || "text".to_owned();
        BanInfo { kind: "ban".into(), who: text(), name: until.clone(), by: text(), until }
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
        let text = |user| Event::Whois(user).text().into_owned();
        assert_eq!(text(user.clone()), "bob from 10.0.0.2, no key backs the name");
        let plain = UserInfo { plaintext: Some(true), ..user.clone() };
        assert_eq!(text(plain), "bob from 10.0.0.2, not encrypted, no key backs the name");
        let away = UserInfo { ip: String::new(), last: Some("then".into()), ..user.clone() };
        assert_eq!(text(away), "bob is offline, last seen then, no key backs the name");
        let key = Some(Fingerprint::new([0; 32]).to_string());
        let digits = "bob from 10.0.0.2, key 00000 00000 00000 00000 00000 00000";
        assert_eq!(text(UserInfo { key, ..user.clone() }), digits);
        let nodes = ["a", "b", "c"].map(str::to_owned);
        let at = |nodes: &[String]| text(UserInfo { nodes: nodes.to_vec(), ..user.clone() });
        assert_eq!(at(&nodes[..1]), "bob from 10.0.0.2, at server a, no key backs the name");
        assert_eq!(at(&nodes), "bob from 10.0.0.2, at servers a, b and c, no key backs the name");
    }

    /// Each is read by the type that is listed for it.
    #[test]
    fn every_event_comes_back_from_its_frame() {
        for event in events::all() {
            let packet =
                ServerPacket::parse(&event.to_packet("all", None).to_frame()).expect("our own frame");
            assert_eq!(Event::from_packet(packet), event);
        }
    }

    #[test]
    fn every_type_has_an_event_here() {
        let events = events::all();
        for kind in Kind::all() {
            assert!(events.iter().any(|event| event.kind() == kind), "tests/events.rs has no {kind:?}");
        }
    }

    #[test]
    fn every_event_has_the_schema_of_the_replaced_system() {
        for event in events::all() {
            let frame = event.to_packet("bob", None).to_frame();
            let json: serde_json::Value = serde_json::from_slice(&frame).expect("JSON");
            assert!(json["from"]["name"].is_string() && json["from"]["ip"].is_string(), "{json}");
            assert!(json["to"].is_string() && !json["msg"].as_str().unwrap_or("").is_empty(), "{json}");
        }
    }

    #[test]
    fn an_unknown_type_is_kept_as_its_text() {
        let packet =
            ServerPacket::parse(br#"{"from":{"name":"server"},"msg":"from the future","type":"hologram"}"#);
        let event = Event::from_packet(packet.expect("JSON"));
        assert!(matches!(event, Event::Unknown { msg, .. } if msg == "from the future"));
    }
}
