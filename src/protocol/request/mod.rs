//! What a client asks: the meaning of a packet on its way to the server.
//!
//! A request is described here and nowhere else in the protocol: its variant, whose members are written as
//! they stand there, its type, and how it is read. A member that no other request has is one of
//! [`ClientPacket`] besides.

mod hello;
mod logs;
mod packet;
mod test_token;

pub use hello::{Hello, Mode};
pub use packet::{Claim, ClientPacket};
pub use test_token::TestToken;

use super::envelope::{Envelope, is_empty};
use super::kinds::kinds;
use super::packet::{KeyList, Sender};
use super::{Code, Since, Target};
use packet::check_bounds;
use serde::Serialize;
use std::borrow::Cow;

/// Messages asked for: the newest of them, if there are more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Span {
    /// At most so many; `None`: as many as are usual.
    #[serde(skip_serializing_if = "is_empty")]
    pub limit: Option<u64>,
    /// Only those with a lower number.
    #[serde(skip_serializing_if = "is_empty")]
    pub before: Option<u64>,
}

/// One thing asked for. Its members are written in this order, and those that say nothing are left out; those
/// that are skipped stand before its type, where all packets have them: see [`Request::to_frame`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Registers the connection.
    Hello(Hello),
    /// Text for somebody.
    Chat {
        /// Whom it is for.
        #[serde(skip)]
        to: Target,
        /// The text.
        #[serde(skip)]
        msg: String,
        /// Whether it tells what the sender does (`/me`).
        #[serde(skip_serializing_if = "is_empty")]
        action: bool,
    },
    /// Who is here: one page, in alphabetical order.
    Users {
        /// The name the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
        /// Only those in this room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
    },
    /// Makes the user a member of a room; there is one from then on.
    Join {
        /// The room.
        room: String,
    },
    /// Makes them one no more.
    Part {
        /// The room.
        room: String,
    },
    /// Which rooms there are: one page, in alphabetical order.
    Rooms {
        /// The room the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    /// What a room is about.
    Topic {
        /// The room.
        room: String,
        /// What it is to be about, nothing if empty; `None`: only asked.
        #[serde(skip_serializing_if = "is_empty")]
        topic: Option<String>,
    },
    /// What was said in a room or between two users. Without either, in the lobby.
    History {
        /// The other user.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// The room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        /// Which of it.
        #[serde(flatten)]
        span: Span,
    },
    /// What was said with these words in it; without words, by that user, there or then.
    Search {
        /// The words.
        #[serde(skip)]
        words: String,
        /// Only by this user.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// Only in this room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        /// Only then or later, as written: see [`Moment`](super::Moment).
        #[serde(skip_serializing_if = "is_empty")]
        since: Option<String>,
        /// Which of it.
        #[serde(flatten)]
        span: Span,
        /// Only before then, as written.
        #[serde(skip_serializing_if = "is_empty")]
        until: Option<String>,
    },
    /// All mail up to that number has come.
    Received {
        /// The number, inclusive.
        seq: u64,
    },
    /// The server's time.
    Time,
    /// Text that everybody is shown loudly.
    Alert {
        /// The text.
        #[serde(skip)]
        msg: String,
    },
    /// Another name for the user.
    Nick {
        /// The name asked for.
        name: String,
    },
    /// About one user.
    Whois {
        /// The user's name.
        name: String,
    },
    /// Ends all sessions of a user.
    Kick {
        /// The user's name.
        name: String,
        /// The reason, which the user is told; may be empty.
        #[serde(skip)]
        reason: String,
    },
    /// Refuses a user's messages.
    Mute {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](super::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    /// Takes a mute back.
    Unmute {
        /// What was muted.
        name: String,
    },
    /// Ends all sessions of a user and lets none begin.
    Ban {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](super::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    /// Takes a ban back.
    Unban {
        /// What was banned.
        name: String,
    },
    /// Who is banned or muted.
    Bans,
    /// Which keys are operators' or members', or own which name: one page.
    Keys {
        /// Which of these: its type.
        #[serde(skip)]
        list: KeyList,
        /// The key, or of owners the name, that the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    /// Lets a key enter a closed server without the passphrase.
    Admit {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes that back.
    Dismiss {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes a name from the key that owns it.
    Release {
        /// The name.
        name: String,
    },
    /// Makes a user's key an operator's; with the code that the server's console shows, one's own.
    Op {
        /// A user's name, `key:FINGERPRINT`, or the code.
        name: String,
    },
    /// Makes one's own key an operator's, by a secret that only files of the server's user hold.
    OpByToken {
        /// The secret.
        token: String,
    },
    /// Takes the operators' commands from a user.
    Deop {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// The answer to a closed server's [`Pake`](super::Event::Pake).
    Pake {
        /// The client's half, in base64url.
        pake: String,
        /// Its confirmation, in base64url.
        mac: String,
    },
    /// Are you there? Also answered before a hello.
    Ping,
    /// A test of multicast between the two machines. Also answered before a hello.
    Multicast {
        /// What marks the packets of this test.
        token: TestToken,
    },
    /// The commands there are (in words only).
    Help {
        /// The command asked about; all when absent.
        #[serde(rename = "name", skip_serializing_if = "is_empty")]
        command: Option<String>,
    },
    /// An orderly end.
    Quit,
}

/// A packet that can't be a request: the code, and what to tell the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people: what was wrong and what to do.
    pub msg: String,
}

impl Refusal {
    /// A refusal with a text.
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into() }
    }
}

kinds! {
    /// The types of requests.
    Request:
    Hello = "hello",
    Chat = "chat",
    Users = "users",
    Join = "join",
    Part = "part",
    Rooms = "rooms",
    Topic = "topic",
    History = "history",
    Search = "search",
    Received = "received",
    Time = "time",
    Alert = "alert",
    Nick = "nick",
    Whois = "whois",
    Kick = "kick",
    Mute = "mute",
    Unmute = "unmute",
    Ban = "ban",
    Unban = "unban",
    Bans = "bans",
    Admit = "admit",
    Dismiss = "dismiss",
    Release = "release",
    Op | OpByToken = "op",
    Deop = "deop",
    Pake = "pake",
    Ping = "ping",
    Multicast = "multicast",
    Help = "help",
    Quit = "quit",
}

impl Request {
    /// Reads a packet's meaning and checks its bounds. A chat to `server` is returned as such:
    /// its words are read by [`command`](crate::protocol::command).
    ///
    /// # Errors
    /// A [`Refusal`] to send back.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        check_bounds(packet)?;
        let msg = || packet.text().to_owned();
        let name = || packet.name.clone().unwrap_or_default();
        Ok(match kind(packet)? {
            Kind::Hello => Self::Hello(Hello::from_packet(packet)?),
            Kind::Chat => {
                Self::Chat { to: packet.target()?, msg: msg(), action: packet.action.unwrap_or(false) }
            }
            Kind::Users => Self::Users { room: packet.room.clone(), after: packet.after.clone() },
            Kind::Join => Self::Join { room: packet.room()? },
            Kind::Part => Self::Part { room: packet.room()? },
            Kind::Rooms => Self::Rooms { after: packet.after.clone() },
            Kind::Topic => Self::Topic { room: packet.room()?, topic: packet.topic() },
            Kind::History => history(packet)?,
            Kind::Search => search(packet)?,
            Kind::Received => Self::Received { seq: packet.received()? },
            Kind::Time => Self::Time,
            Kind::Alert => Self::Alert { msg: msg() },
            Kind::Nick => Self::Nick { name: name() },
            Kind::Whois => Self::Whois { name: name() },
            Kind::Kick => Self::Kick { name: name(), reason: msg() },
            Kind::Mute => Self::Mute { name: name(), duration: packet.duration.clone() },
            Kind::Unmute => Self::Unmute { name: name() },
            Kind::Ban => Self::Ban { name: name(), duration: packet.duration.clone() },
            Kind::Unban => Self::Unban { name: name() },
            Kind::Bans => Self::Bans,
            Kind::Keys(list) => Self::Keys { list, after: packet.after.clone() },
            Kind::Admit => Self::Admit { name: name() },
            Kind::Dismiss => Self::Dismiss { name: name() },
            Kind::Release => Self::Release { name: name() },
            Kind::Op => match (&packet.name, &packet.token) {
                (None, Some(token)) => Self::OpByToken { token: token.clone() },
                _ => Self::Op { name: name() },
            },
            Kind::Deop => Self::Deop { name: name() },
            Kind::Pake => Self::Pake {
                pake: packet.pake.clone().unwrap_or_default(),
                mac: packet.mac.clone().unwrap_or_default(),
            },
            Kind::Ping => Self::Ping,
            Kind::Multicast => Self::Multicast { token: packet.test_token()? },
            Kind::Help => Self::Help { command: packet.name.clone() },
            Kind::Quit => Self::Quit,
        })
    }

    /// The request as one frame with its line feed, with the sender's own token `id`.
    pub fn to_frame(&self, id: Option<&str>) -> Vec<u8> {
        let from = match self {
            Self::Hello(hello) => Sender { name: hello.name.clone(), ..Sender::default() },
            _ => Sender::default(),
        };
        let (to, msg) = match self {
            Self::Chat { to, msg, .. } => (Cow::Owned(to.to_string()), msg.as_str()),
            Self::Search { words: msg, .. } | Self::Alert { msg } | Self::Kick { reason: msg, .. } => {
                ("server".into(), msg.as_str())
            }
            _ => ("server".into(), ""),
        };
        let mut frame = Vec::with_capacity(128);
        let kind = self.kind().as_str();
        Envelope { from: &from, to: &to, msg, kind, id, members: self }.write_to(&mut frame);
        frame
    }
}

/// The type; a packet without one is a chat.
fn kind(packet: &ClientPacket) -> Result<Kind, Refusal> {
    let Some(text) = packet.kind.as_deref() else { return Ok(Kind::Chat) };
    Kind::parse(text).ok_or_else(|| {
        let all = Kind::all().map(Kind::as_str).collect::<Vec<_>>().join(", ");
        Refusal::new(
            Code::UnknownType,
            format!("type {text:?} is unknown; use one of {all}; help tells more"),
        )
    })
}

fn history(packet: &ClientPacket) -> Result<Request, Refusal> {
    if packet.room.is_some() && packet.name.is_some() {
        let msg = "\"room\" and \"name\" are both given; give one of them, or neither for the lobby";
        return Err(Refusal::new(Code::BadPacket, msg));
    }
    Ok(Request::History { room: packet.room.clone(), name: packet.name.clone(), span: packet.span() })
}

fn search(packet: &ClientPacket) -> Result<Request, Refusal> {
    let since = match &packet.since {
        Some(Since::Time(text)) => Some(text.clone()),
        None => None,
        Some(Since::Seq(_)) => {
            let msg = "\"since\" of a search is a time, such as \"2026-11-21T12:00:00Z\" or \"7d\"";
            return Err(Refusal::new(Code::BadPacket, msg));
        }
    };
    Ok(Request::Search {
        words: packet.text().to_owned(),
        name: packet.name.clone(),
        room: packet.room.clone(),
        since,
        until: packet.until.clone(),
        span: packet.span(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_ID_BYTES, MAX_TEXT_BYTES};
    use crate::protocol::Event;
    use crate::protocol::packet::LogEnd;
    use crate::protocol::tests::requests;
    use proptest::prelude::*;

    fn request(json: &str) -> Result<Request, Refusal> {
        Request::from_packet(&ClientPacket::parse(json.as_bytes()).expect("JSON"))
    }

    #[test]
    fn a_packet_of_the_replaced_system_is_a_chat() {
        let json = r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#;
        assert_eq!(request(json), Ok(Request::Chat { to: Target::All, msg: "hi".into(), action: false }));
    }

    #[test]
    fn every_type_is_read_and_listed_for_who_asks_for_another() {
        let requests = requests::all();
        let refusal = request(r#"{"type":"dance"}"#).expect_err("unknown");
        for kind in Kind::all() {
            assert!(
                requests.iter().any(|request| request.kind() == kind),
                "tests/requests.rs has no {kind:?}"
            );
            assert!(refusal.msg.contains(kind.as_str()), "{}", refusal.msg);
        }
        for request in requests {
            let packet = ClientPacket::parse(&request.to_frame(None)).expect("our own frame");
            assert_eq!(Request::from_packet(&packet), Ok(request));
        }
    }

    #[test]
    fn unknown_members_are_ignored_and_unknown_types_are_not() {
        assert_eq!(request(r#"{"type":"time","to":"server","colour":["red"]}"#), Ok(Request::Time));
        assert_eq!(request(r#"{"type":"dance"}"#).map_err(|r| r.code), Err(Code::UnknownType));
    }

    #[test]
    fn members_that_only_the_server_writes_may_hold_anything() {
        let json = r#"{"from":{"name":"a","ip":null},"to":"all","msg":"hi","id":null,"time":17,"user":"c"}"#;
        assert_eq!(request(json), Ok(Request::Chat { to: Target::All, msg: "hi".into(), action: false }));
    }

    #[test]
    fn the_id_of_what_is_no_packet_is_found_wherever_it_stands() {
        let id = |json: &str| ClientPacket::id_in(json.as_bytes());
        for json in [
            r#"{"type":"hello","id":"h1","logs":7}"#,
            r#"{"since":[1],"id":"h1"}"#,
            r#"{"type":7,"to":false,"id":"h1","from":"alice"}"#,
        ] {
            assert!(ClientPacket::parse(json.as_bytes()).is_err(), "{json}");
            assert_eq!(id(json).as_deref(), Some("h1"), "{json}");
        }
        let long = format!(r#"{{"id":"{}","to":7}}"#, "x".repeat(MAX_ID_BYTES + 1));
        for json in [r#"{"id":7}"#, r#"{"id":"a","to":"#, r#"{"id":"a","id":"b"}"#, "{}", &long] {
            assert_eq!(id(json), None, "{json}");
        }
        assert!(ClientPacket::id_in(b"{\"id\":\"h1\",\"msg\":\"\xff\"}").is_some());
    }

    #[test]
    fn a_number_with_a_fraction_is_whole_if_it_is_and_refused_if_not() {
        let parse = |member: &str, number: &str| {
            let last = format!(r#"{{"type":"hello","{member}":{number}}}"#);
            let inner = format!(r#"{{"type":"hello","logs":[{{"log":"a","last":{number}}}]}}"#);
            let json = if member == "last" { inner } else { last };
            ClientPacket::parse(json.as_bytes()).map_err(|error| error.to_string())
        };
        for member in ["since", "seq", "before", "limit", "last"] {
            let whole = parse(member, "7").expect(member);
            for same in ["7.0", "7e0", "0.7e1"] {
                let packet = parse(member, same).expect(same);
                assert_eq!(ClientPacket { frame_bytes: whole.frame_bytes, ..packet }, whole, "{member}");
            }
            assert!(parse(member, "0.0").is_ok() && parse(member, "-0.0").is_ok());
            for wrong in ["1.5", "-1", "-1.0", "1e300", "9007199254740994.0", "true", "{}"] {
                let error = parse(member, wrong).expect_err(member);
                assert!(error.contains("number"), "{member} {wrong}: {error}");
            }
        }
        assert_eq!(parse("seq", "9007199254740993").map(|packet| packet.seq), Ok(Some(9007199254740993)));
        assert_eq!(parse("limit", "null").map(|packet| packet.limit), Ok(None));
    }

    #[test]
    fn every_member_that_is_looked_up_or_quoted_is_bounded() {
        for member in
            ["to", "type", "mode", "name", "after", "duration", "pake", "mac", "room", "log", "since"]
        {
            let json = format!(r#"{{"type":"ping","{member}":"{}"}}"#, "x".repeat(257));
            let json = if member == "type" { json.replacen(r#""type":"ping","#, "", 1) } else { json };
            assert_eq!(request(&json).map_err(|r| r.code), Err(Code::TooLong), "{member}");
        }
    }

    #[test]
    fn over_long_members_are_refused_with_both_figures() {
        let json = format!(r#"{{"to":"all","msg":"{}"}}"#, "x".repeat(MAX_TEXT_BYTES + 1));
        let refusal = request(&json).expect_err("over-long");
        assert_eq!(refusal.code, Code::TooLong);
        assert!(refusal.msg.contains("10001") && refusal.msg.contains("10000"), "{}", refusal.msg);
        let json = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(MAX_ID_BYTES + 1));
        assert_eq!(request(&json).map_err(|r| r.code), Err(Code::TooLong));
    }

    #[test]
    fn a_text_of_the_bound_fits_a_frame_however_it_is_escaped() {
        let event = Event::Chat {
            from: Sender {
                name: "\u{10FFFF}".repeat(crate::limits::MAX_NAME_CHARS),
                ip: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".into(),
                key: Some("x".repeat(8)),
            },
            to: "x".repeat(128),
            msg: "\u{1}".repeat(MAX_TEXT_BYTES),
            seq: Some(u64::MAX),
            ts: "2026-11-21T12:00:00.000Z".into(),
            action: true,
            history: true,
        };
        let packet = event.into_packet("", Some("\u{1}".repeat(MAX_ID_BYTES)));
        assert!(packet.to_frame().len() <= crate::limits::MAX_FRAME_BYTES);
    }

    #[test]
    fn a_topic_is_asked_for_set_and_cleared() {
        let topic = |json: &str| match request(json) {
            Ok(Request::Topic { topic, .. }) => topic,
            other => panic!("{other:?}"),
        };
        assert_eq!(topic(r##"{"type":"topic","room":"#x"}"##), None);
        assert_eq!(topic(r##"{"type":"topic","room":"#x","msg":""}"##), None);
        assert_eq!(topic(r##"{"type":"topic","room":"#x","msg":"tea"}"##), Some("tea".into()));
        assert_eq!(topic(r##"{"type":"topic","room":"#x","topic":""}"##), Some(String::new()));
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_the_remedy() {
        for (json, remedy) in [
            (r#"{"type":"hello","from":{"name":"a"},"since":"yesterday"}"#, "2026-11-21T12:00:00Z"),
            (r##"{"type":"history","room":"#x","name":"bob"}"##, "one of them"),
            (r#"{"type":"hello","from":{"name":"a"},"v":"1"}"#, "whole number"),
            (r#"{"type":"received"}"#, "\"seq\""),
            (r#"{"type":"join"}"#, "\"room\""),
            (r#"{"type":"multicast"}"#, "\"token\""),
            (r#"{"type":"multicast","token":"0123456789ABCDEF"}"#, "16"),
        ] {
            let refusal = request(json).expect_err(json);
            assert_eq!(refusal.code, Code::BadPacket);
            assert!(refusal.msg.contains(remedy), "{}", refusal.msg);
        }
    }

    fn any_request() -> impl Strategy<Value = Request> {
        let text = any::<String>;
        let maybe = || proptest::option::of(any::<String>());
        prop_oneof![
            (text(), any::<bool>()).prop_map(|(msg, action)| Request::Chat { to: Target::All, msg, action }),
            (maybe(), maybe()).prop_map(|(room, after)| Request::Users { room, after }),
            text().prop_map(|room| Request::Join { room }),
            text().prop_map(|room| Request::Part { room }),
            maybe().prop_map(|after| Request::Rooms { after }),
            (text(), maybe()).prop_map(|(room, topic)| Request::Topic { room, topic }),
            (maybe(), any_span()).prop_map(|(room, span)| Request::History { room, name: None, span }),
            (maybe(), any_span()).prop_map(|(name, span)| Request::History { room: None, name, span }),
            (text(), [maybe(), maybe(), maybe(), maybe()], any_span()).prop_map(|(words, others, span)| {
                let [name, room, since, until] = others;
                Request::Search { words, name, room, since, until, span }
            }),
            any::<u64>().prop_map(|seq| Request::Received { seq }),
            Just(Request::Time),
            Just(Request::Ping),
            "[0-9a-f]{16}".prop_filter_map("a token", |token| {
                TestToken::parse(&token).map(|token| Request::Multicast { token })
            }),
            Just(Request::Quit),
            text().prop_map(|msg| Request::Alert { msg }),
            text().prop_map(|name| Request::Nick { name }),
            text().prop_map(|name| Request::Whois { name }),
            (text(), text()).prop_map(|(name, reason)| Request::Kick { name, reason }),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Mute { name, duration }),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Ban { name, duration }),
            text().prop_map(|name| Request::Unmute { name }),
            text().prop_map(|name| Request::Unban { name }),
            text().prop_map(|name| Request::Op { name }),
            text().prop_map(|name| Request::Deop { name }),
            "[a-z0-9]{0,64}".prop_map(|token| Request::OpByToken { token }),
            (text(), text()).prop_map(|(pake, mac)| Request::Pake { pake, mac }),
            Just(Request::Bans),
            (proptest::sample::select(&KeyList::ALL), maybe())
                .prop_map(|(list, after)| Request::Keys { list, after }),
            text().prop_map(|name| Request::Admit { name }),
            text().prop_map(|name| Request::Dismiss { name }),
            text().prop_map(|name| Request::Release { name }),
            (text(), text(), any_since()).prop_map(|(name, token, since)| Request::Hello(Hello {
                name,
                mode: Mode::Send,
                token: Some(token.chars().take(10).collect()),
                log: since.as_ref().map(|_| "a log".into()),
                logs: since.as_ref().map(|_| vec![LogEnd { log: "before".into(), last: 7 }]),
                since,
            })),
        ]
    }

    fn any_span() -> impl Strategy<Value = Span> {
        any::<(Option<u64>, Option<u64>)>().prop_map(|(before, limit)| Span { before, limit })
    }

    fn any_since() -> impl Strategy<Value = Option<Since>> {
        proptest::option::of(prop_oneof![
            any::<u64>().prop_map(Since::Seq),
            Just(Since::Time("2026-11-21T12:00:00Z".into())),
        ])
    }

    proptest! {
        #[test]
        fn every_request_comes_back_from_its_frame(sent in any_request(), id in "[ -~]{0,64}") {
            let frame = sent.to_frame(Some(&id));
            let packet = ClientPacket::parse(&frame).expect("our own frame");
            prop_assert_eq!(packet.id.as_deref(), Some(id.as_str()));
            prop_assert_eq!(Request::from_packet(&packet), Ok(sent));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(packet) = ClientPacket::parse(&bytes) {
                let _ = Request::from_packet(&packet);
            }
        }
    }
}
