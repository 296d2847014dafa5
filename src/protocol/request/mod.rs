//! Requests: the meaning of packets from clients to the server.

mod hello;
mod kinds;
mod logs;
mod packet;
mod read;
mod search;
mod test_token;

pub use hello::{Hello, Mode};
pub use kinds::{Act, Ask, Connect, Kind, Operate, Request};
pub use packet::{Claim, ClientPacket};
pub use search::SearchRequest;
pub use test_token::TestToken;

use super::Code;
use super::envelope::{Envelope, is_empty};
use super::packet::Sender;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which messages to return: the newest that match.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Span {
    /// At most this many; `None`: the default.
    #[serde(skip_serializing_if = "is_empty")]
    pub limit: Option<u64>,
    /// Only messages with a lower number.
    #[serde(skip_serializing_if = "is_empty")]
    pub before: Option<u64>,
}

/// A refusal to send back: the code, and a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people: what was wrong, and what to do.
    pub msg: String,
}

impl Refusal {
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into() }
    }
}

impl Request {
    /// Whether a connection without a name may send it.
    pub fn needs_no_name(&self) -> bool {
        matches!(self, Self::Connect(request) if !matches!(request, Connect::Hello(_)))
    }

    /// The request as one frame with its line feed. `id` is the sender's own token.
    pub fn to_frame(&self, id: Option<&str>) -> Vec<u8> {
        let from = match self {
            Self::Connect(Connect::Hello(hello)) => Sender { name: hello.name.clone(), ..Sender::default() },
            _ => Sender::default(),
        };
        let to = match self {
            Self::Act(Act::Chat { to, .. } | Act::Offer { to, .. }) => Cow::Owned(to.to_string()),
            _ => "server".into(),
        };
        let msg = match self {
            Self::Act(
                Act::Chat { msg, .. }
                | Act::Edit { msg, .. }
                | Act::Away { msg }
                | Act::Search(SearchRequest { words: msg, .. }),
            )
            | Self::Operate(Operate::Alert { msg } | Operate::Kick { reason: msg, .. }) => msg,
            _ => "",
        };
        let mut frame = Vec::with_capacity(128);
        let kind = self.kind().as_str();
        Envelope { from: &from, to: &to, msg, kind, id, members: self }.write_to(&mut frame);
        frame
    }
}

macro_rules! requests {
    ($($part:ident),+) => {
        $(impl From<$part> for Request {
            fn from(request: $part) -> Self {
                Self::$part(request)
            }
        })+
    };
}

requests!(Connect, Act, Ask, Operate);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{MAX_ID_BYTES, MAX_TEXT_BYTES};
    use crate::protocol::packet::{KeyList, LogEnd};
    use crate::protocol::tests::requests;
    use crate::protocol::{Event, Since, Target};
    use proptest::prelude::*;

    fn request(json: &str) -> Result<Request, Refusal> {
        Request::from_packet(&ClientPacket::parse(json.as_bytes()).expect("JSON"))
    }

    #[test]
    fn a_packet_of_the_replaced_system_is_a_chat() {
        let json = r#"{"from":{"name":"alice","ip":"1.2.3.4"},"to":"Broadcast","msg":"hi"}"#;
        assert_eq!(
            request(json),
            Ok(Request::Act(Act::Chat { to: Target::All, msg: "hi".into(), action: false, reply: None }))
        );
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
        assert_eq!(request(r#"{"type":"time","to":"server","colour":["red"]}"#), Ok(Request::Ask(Ask::Time)));
        assert_eq!(request(r#"{"type":"dance"}"#).map_err(|r| r.code), Err(Code::UnknownType));
    }

    #[test]
    fn members_that_only_the_server_writes_may_hold_anything() {
        let json = r#"{"from":{"name":"a","ip":null},"to":"all","msg":"hi","id":null,"time":17,"user":"c"}"#;
        assert_eq!(
            request(json),
            Ok(Request::Act(Act::Chat { to: Target::All, msg: "hi".into(), action: false, reply: None }))
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
        for member in ["since", "seq", "reply", "before", "limit", "last"] {
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
            reply: Some(u64::MAX),
            edited: true,
        };
        let packet = event.into_packet("", Some("\u{1}".repeat(MAX_ID_BYTES)));
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
                action,
                reply: action.then_some(7)
            })),
            (any::<u64>(), text()).prop_map(|(seq, msg)| Request::Act(Act::Edit { seq, msg })),
            any::<u64>().prop_map(|seq| Request::Act(Act::Delete { seq })),
            (maybe(), any::<u64>()).prop_map(|(room, seq)| Request::Act(Act::Read { name: None, room, seq })),
            text().prop_map(|msg| Request::Act(Act::Away { msg })),
            Just(Request::Act(Act::Back)),
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
            Just(Request::Operate(Operate::Status)),
            Just(Request::Operate(Operate::Ticket)),
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
                    guest: false,
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
