//! What a client asks: the meaning of a packet on its way to the server.

mod kinds;
mod logs;
mod read;
mod test_token;
mod write;

use super::packet::LogEnd;
use super::{Code, Since, Version, whole};
use crate::limits::MAX_ID_BYTES;
pub use kinds::{Act, Ask, Connect, Operate, Request, SearchRequest};
use serde::Deserialize;
pub use test_token::TestToken;

/// What the server reads of a client's packet. Members that only the server writes may hold
/// anything, as may unknown ones, and `null` is the same as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ClientPacket {
    /// Who it says it is; counts in a first packet only.
    pub from: Option<Claim>,
    /// Whom it is for.
    pub to: Option<String>,
    /// The text.
    pub msg: Option<String>,
    /// What it is; `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The client's own token for it.
    pub id: Option<String>,
    /// The highest version of the wire that the client knows; counts in a first packet only.
    pub v: Option<Version>,
    /// What the session is for.
    pub mode: Option<String>,
    /// What makes several connections the same user.
    pub token: Option<String>,
    /// A name asked for or about.
    pub name: Option<String>,
    /// Where a page of users starts.
    pub after: Option<String>,
    /// Whether the text tells what the sender does.
    pub action: Option<bool>,
    /// For how long an operator's command holds.
    pub duration: Option<String>,
    /// Half of the proof of a passphrase.
    pub pake: Option<String>,
    /// The confirmation of that proof.
    pub mac: Option<String>,
    /// A room.
    pub room: Option<String>,
    /// What the room is to be about.
    pub topic: Option<String>,
    /// What the client has already.
    pub since: Option<Since>,
    /// Of which history that is.
    pub log: Option<String>,
    /// What the client has of others.
    #[serde(deserialize_with = "logs::read")]
    pub logs: Option<Vec<LogEnd>>,
    /// How many messages are asked for.
    #[serde(deserialize_with = "whole::maybe")]
    pub limit: Option<u64>,
    /// Only those with a lower number.
    #[serde(deserialize_with = "whole::maybe")]
    pub before: Option<u64>,
    /// Only those from before that time.
    pub until: Option<String>,
    /// The number up to which all mail has come.
    #[serde(deserialize_with = "whole::maybe")]
    pub seq: Option<u64>,
    /// Bytes of the frame that it came in.
    #[serde(skip)]
    pub frame_bytes: usize,
}

/// The member `from` of a client's packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// The name asked for.
    pub name: Option<String>,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Takes part: its user is present and gets everything.
    #[default]
    Chat,
    /// Sends and leaves: announces nothing, gets only answers.
    Send,
    /// Reads along: announces nothing, gets everything.
    Tail,
}

/// The first packet of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hello {
    /// The name asked for, not checked yet.
    pub name: String,
    /// What the session is for.
    pub mode: Mode,
    /// What makes several connections the same user; `None` for clients that know no tokens.
    pub token: Option<String>,
    /// What it has already of what was said; `None`: it wants nothing but the mail that waits. A time
    /// is one: it was checked.
    pub since: Option<Since>,
    /// Of which history that is: the [`log`](super::event::Welcome::log) of its last welcome.
    pub log: Option<String>,
    /// What it has of other parts of the history, and of other histories of that server: no more than
    /// [`MAX_LOGS`](crate::limits::MAX_LOGS). `None` for clients that know nothing of other parts.
    pub logs: Option<Vec<LogEnd>>,
}

/// Messages asked for: the newest of them, if there are more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// Only those with a lower number.
    pub before: Option<u64>,
    /// At most so many; `None`: as many as are usual.
    pub limit: Option<u64>,
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

impl Mode {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            None | Some("chat") => Ok(Self::Chat),
            Some("send") => Ok(Self::Send),
            Some("tail") => Ok(Self::Tail),
            Some(other) => Err(Refusal::new(
                Code::BadPacket,
                format!("mode {other:?} is unknown; use chat, send or tail"),
            )),
        }
    }

    /// The mode as the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Send => "send",
            Self::Tail => "tail",
        }
    }
}

impl ClientPacket {
    /// Reads one frame.
    ///
    /// # Errors
    /// When it is no JSON object, not UTF-8, or a member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        let packet: Self = serde_json::from_slice(frame)?;
        Ok(Self { frame_bytes: frame.len(), ..packet })
    }

    /// The `id` of a frame that is no packet, so that whoever waits for the answer to it knows its refusal;
    /// `None`: it has none, or none that can be read.
    pub fn id_in(frame: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Id {
            id: Option<String>,
        }
        let Id { id } = serde_json::from_slice(frame).ok()?;
        id.filter(|id| id.len() <= MAX_ID_BYTES)
    }

    /// The `id` that answers echo. One over its bound is refused, and echoed to nobody.
    pub fn echo(&self) -> Option<String> {
        self.id.clone().filter(|id| id.len() <= MAX_ID_BYTES)
    }

    /// The text; empty when absent.
    pub fn text(&self) -> &str {
        self.msg.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_TEXT_BYTES;
    use crate::protocol::packet::KeyList;
    use crate::protocol::{Packet, Target};
    use proptest::prelude::*;

    fn request(json: &str) -> Result<Request, Refusal> {
        Request::from_packet(&ClientPacket::parse(json.as_bytes()).expect("JSON"))
    }

    #[test]
    fn a_packet_of_the_replaced_system_is_a_chat() {
        let json = r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#;
        assert_eq!(
            request(json),
            Ok(Request::Act(Act::Chat { to: Target::All, msg: "hi".into(), action: false }))
        );
    }

    #[test]
    fn unknown_members_are_ignored_and_unknown_types_are_not() {
        assert_eq!(request(r#"{"type":"time","to":"server","colour":["red"]}"#), Ok(Request::Ask(Ask::Time)));
        assert_eq!(request(r#"{"type":"dance"}"#).map_err(|r| r.code), Err(Code::UnknownType));
    }

    #[test]
    fn members_that_only_the_server_writes_may_hold_anything() {
        let json = r#"{"from":{"name":"a","ip":null},"to":"all","msg":"hi","id":null,"time":17,"user":"c"}"#;
        assert_eq!(
            request(json),
            Ok(Request::Act(Act::Chat { to: Target::All, msg: "hi".into(), action: false }))
        );
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
        let packet = Packet {
            from: crate::protocol::packet::Sender {
                name: "\u{10FFFF}".repeat(crate::limits::MAX_NAME_CHARS),
                ip: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".into(),
                key: Some("x".repeat(8)),
            },
            to: "x".repeat(128),
            msg: "\u{1}".repeat(MAX_TEXT_BYTES),
            id: Some("\u{1}".repeat(MAX_ID_BYTES)),
            ..Packet::default()
        };
        assert!(packet.to_frame().len() <= crate::limits::MAX_FRAME_BYTES);
    }

    #[test]
    fn a_topic_is_asked_for_set_and_cleared() {
        let topic = |json: &str| match request(json) {
            Ok(Request::Act(Act::Topic { topic, .. })) => topic,
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
            (text(), any::<bool>()).prop_map(|(msg, action)| Request::Act(Act::Chat {
                to: Target::All,
                msg,
                action
            })),
            (maybe(), maybe()).prop_map(|(room, after)| Request::Ask(Ask::Users { room, after })),
            text().prop_map(|room| Request::Act(Act::Join { room })),
            text().prop_map(|room| Request::Act(Act::Part { room })),
            maybe().prop_map(|after| Request::Ask(Ask::Rooms { after })),
            (text(), maybe()).prop_map(|(room, topic)| Request::Act(Act::Topic { room, topic })),
            (maybe(), any_span()).prop_map(|(room, span)| Request::Act(Act::History {
                room,
                name: None,
                span
            })),
            (maybe(), any_span()).prop_map(|(name, span)| Request::Act(Act::History {
                room: None,
                name,
                span
            })),
            (text(), [maybe(), maybe(), maybe(), maybe()], any_span()).prop_map(|(words, others, span)| {
                let [name, room, since, until] = others;
                Request::Act(Act::Search(SearchRequest { words, name, room, since, until, span }))
            }),
            any::<u64>().prop_map(|seq| Request::Act(Act::Received { seq })),
            Just(Request::Ask(Ask::Time)),
            Just(Request::Connect(Connect::Ping)),
            "[0-9a-f]{16}".prop_filter_map("a token", |token| {
                TestToken::parse(&token).map(|token| Request::Connect(Connect::Multicast { token }))
            }),
            Just(Request::Act(Act::Quit)),
            text().prop_map(|msg| Request::Operate(Operate::Alert { msg })),
            text().prop_map(|name| Request::Act(Act::Nick { name })),
            text().prop_map(|name| Request::Ask(Ask::Whois { name })),
            (text(), text()).prop_map(|(name, reason)| Request::Operate(Operate::Kick { name, reason })),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Operate(Operate::Mute { name, duration })),
            (text(), proptest::option::of(text()))
                .prop_map(|(name, duration)| Request::Operate(Operate::Ban { name, duration })),
            text().prop_map(|name| Request::Operate(Operate::Unmute { name })),
            text().prop_map(|name| Request::Operate(Operate::Unban { name })),
            text().prop_map(|name| Request::Operate(Operate::Op { name })),
            text().prop_map(|name| Request::Operate(Operate::Deop { name })),
            "[a-z0-9]{0,64}".prop_map(|token| Request::Act(Act::OpByToken { token })),
            (text(), text()).prop_map(|(pake, mac)| Request::Connect(Connect::Pake { pake, mac })),
            Just(Request::Operate(Operate::Bans)),
            (proptest::sample::select(&KeyList::ALL), maybe())
                .prop_map(|(list, after)| Request::Operate(Operate::Keys { list, after })),
            text().prop_map(|name| Request::Operate(Operate::Admit { name })),
            text().prop_map(|name| Request::Operate(Operate::Dismiss { name })),
            text().prop_map(|name| Request::Operate(Operate::Release { name })),
            (text(), text(), any_since()).prop_map(|(name, token, since)| Request::Connect(Connect::Hello(
                Hello {
                    name,
                    mode: Mode::Send,
                    token: Some(token.chars().take(10).collect()),
                    log: since.as_ref().map(|_| "a log".into()),
                    logs: since.as_ref().map(|_| vec![LogEnd { log: "before".into(), last: 7 }]),
                    since,
                }
            ))),
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
            let frame = sent.to_packet(Some(id.clone())).to_frame();
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
