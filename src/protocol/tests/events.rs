//! Events of every type, with all members and with as few as possible.

use crate::fingerprint::Fingerprint;
use crate::protocol::event::{Absent, Crowd, HistoryEnd, Welcome};
use crate::protocol::packet::{
    BanInfo, KeyInfo, KeyList, Limits, LogEnd, ReadPosition, RoomInfo, Sender, ServerInfo, UserInfo,
};
use crate::protocol::tests::requests::file;
use crate::protocol::{Code, DeclineReason, Event, NodePlace, Nodes, WebAccess};

fn text() -> String {
    "text".into()
}

fn server() -> ServerInfo {
    ServerInfo { id: "id".into(), name: "house".into(), version: "1.0".into() }
}

fn room() -> RoomInfo {
    RoomInfo { name: "#games".into(), topic: Some("chess".into()), members: 9, here: 2, joined: true }
}

fn read_positions() -> Vec<ReadPosition> {
    vec![
        ReadPosition { name: None, room: Some("#games".into()), seq: 5 },
        ReadPosition { name: Some("bob".into()), room: None, seq: 6 },
        ReadPosition { name: None, room: None, seq: 7 },
    ]
}

fn nodes() -> Nodes {
    let place = |node: &str, address: &str| NodePlace {
        node: node.into(),
        address: address.parse().unwrap(),
        port: 7667,
    };
    Nodes::new("b", vec![place("a", "10.0.0.2"), place("b", "fd00::3")]).unwrap()
}

fn welcomes() -> [Event; 2] {
    let full = Welcome {
        server: server(),
        nodes: Some(nodes()),
        name: "alice".into(),
        ip: "10.0.0.1".into(),
        total: 3,
        limits: Limits { frame_bytes: 1, text_bytes: 2, name_chars: 3 },
        seq: 7,
        log: Some(text()),
        logs: vec![LogEnd { log: "before".into(), last: 6 }],
        since: Some(5),
        rewound: true,
        read: read_positions(),
        away: Some(text()),
        rooms: vec![room(), RoomInfo { topic: None, joined: false, ..room() }],
        key: Some(Fingerprint::new([7; 32])),
        operator: true,
        closed: true,
        web: Some(WebAccess::Plaintext),
        motd: "two\nlines".into(),
    };
    [full, Welcome::default()].map(|welcome| Event::Welcome(Box::new(welcome)))
}

fn said() -> [Event; 7] {
    let from = Sender { name: "bob".into(), ip: "10.0.0.2".into(), key: Some("tag".into()) };
    let nobody = Sender { key: None, ..from.clone() };
    [
        Event::Chat {
            from,
            to: "all".into(),
            msg: "\"\\\n\u{1} é \u{1F600}".into(),
            action: true,
            seq: Some(1),
            ts: "then".into(),
            history: true,
            reply: Some(1),
            edited: true,
        },
        Event::Chat {
            from: nobody,
            to: "bob".into(),
            msg: text(),
            action: false,
            seq: None,
            ts: text(),
            history: false,
            reply: None,
            edited: false,
        },
        Event::Alert { by: "bob".into(), msg: text(), seq: Some(1), ts: "then".into(), history: true },
        Event::Alert { by: "bob".into(), msg: text(), seq: None, ts: "then".into(), history: false },
        Event::Delivered {
            name: "bob".into(),
            count: 2,
            lost: 1,
            last: 7,
            seq: Some(9),
            ts: "then".into(),
            history: true,
        },
        Event::Delivered {
            name: "bob".into(),
            count: 1,
            lost: 0,
            last: 7,
            seq: None,
            ts: "then".into(),
            history: false,
        },
        Event::Unknown { from: Sender::server(), msg: text() },
    ]
}

fn changes() -> Vec<Event> {
    let from = || Sender { name: "bob".into(), ip: "10.0.0.2".into(), key: Some("tag".into()) };
    let edited = |seq, action, history| Event::Edited {
        from: from(),
        to: "all".into(),
        msg: text(),
        seq,
        ts: "then".into(),
        of: 3,
        action,
        history,
    };
    let deleted = |seq, name, history| Event::Deleted {
        from: from(),
        to: "#games".into(),
        seq,
        ts: "then".into(),
        of: 3,
        name,
        history,
    };
    vec![
        edited(Some(9), true, true),
        edited(None, false, false),
        deleted(Some(9), Some("eve".into()), true),
        deleted(None, None, false),
        Event::Read { name: Some("bob".into()), room: None, seq: 4 },
        Event::Read { name: None, room: Some("#games".into()), seq: 4 },
        Event::Read { name: None, room: None, seq: 4 },
        Event::Away { why: Some("lunch".into()) },
        Event::Away { why: Some(String::new()) },
        Event::Away { why: None },
    ]
}

fn receipts() -> [Event; 6] {
    let sent = |seq, stored, waits: Option<&str>| {
        let waits = waits.map(str::to_owned);
        Event::Sent { seq, ts: "then".into(), stored, waits, away: None }
    };
    let away = |why: &str| Event::Sent {
        seq: Some(4),
        ts: "then".into(),
        stored: true,
        waits: None,
        away: Some(Absent { name: "bob".into(), why: why.into() }),
    };
    [
        away("lunch"),
        away(""),
        sent(Some(1), true, None),
        sent(None, false, None),
        sent(Some(2), true, Some("bob")),
        sent(Some(3), false, Some("bob")),
    ]
}

fn offers() -> Vec<Event> {
    let offer = |to: &str, key: Option<&str>, size, count| Event::Offer {
        from: Sender { name: "bob".into(), ip: "10.0.0.2".into(), key: key.map(str::to_owned) },
        to: to.into(),
        key: key.map(|_| Fingerprint::new([7; 32])),
        offer: 5,
        file: Box::new(file(size, count)),
    };
    let accepted = |send| Event::Accepted { offer: 5, name: "bob".into(), token: "secret".into(), send };
    vec![
        offer("carol", Some("tag"), Some(12), None),
        offer("#games", None, None, Some(3)),
        offer("#games", None, Some(12), Some(3)),
        offer("carol", None, None, None),
        Event::Offered { offer: 5, waits: Some("bob".into()) },
        Event::Offered { offer: 5, waits: None },
        accepted(true),
        accepted(false),
        Event::Ended {
            offer: 5,
            name: Some("bob".into()),
            code: Some(Code::Declined),
            reason: None,
            msg: text(),
        },
        Event::Ended { offer: 5, name: None, code: None, reason: None, msg: text() },
        Event::Ended {
            offer: 5,
            name: Some("bob".into()),
            code: Some(Code::Declined),
            reason: Some(DeclineReason::NoSpace),
            msg: text(),
        },
        Event::Go,
    ]
}

fn presence() -> Vec<Event> {
    let crowd = Crowd { room: Some("#games".into()), names: vec!["alice".into()], count: 1, total: 9 };
    let many = Crowd { room: None, names: Vec::new(), count: 12, total: 90 };
    let user = UserInfo {
        name: "bob".into(),
        ip: "10.0.0.2".into(),
        key: Some("key".into()),
        plaintext: Some(true),
        web: Some(true),
        since: Some("then".into()),
        sessions: Some(2),
        operator: Some(true),
        last: Some("before".into()),
        away: Some(text()),
        nodes: vec!["a".into(), "b".into()],
    };
    vec![
        Event::Joined(crowd.clone()),
        Event::Joined(many.clone()),
        Event::Left(crowd),
        Event::Left(many),
        Event::Renamed { old: "bob".into(), name: "rob".into() },
        Event::Users {
            room: Some(text()),
            users: vec![user.clone(), UserInfo::default()],
            total: 2,
            next: Some("next".into()),
        },
        Event::Users { room: None, users: Vec::new(), total: 0, next: None },
        Event::Whois(user),
        Event::Whois(UserInfo::default()),
    ]
}

fn rooms() -> Vec<Event> {
    vec![
        Event::Room(room()),
        Event::Room(RoomInfo::default()),
        Event::Topic { room: "#games".into(), topic: Some(text()), by: "bob".into() },
        Event::Topic { room: "#games".into(), topic: None, by: "bob".into() },
        Event::Rooms { rooms: vec![room(), RoomInfo::default()], total: 3, next: Some("next".into()) },
        Event::Rooms { rooms: Vec::new(), total: 0, next: None },
        Event::History(HistoryEnd { count: 3, seq: 9, gap: true, more: true, partial: true }),
        Event::History(HistoryEnd::default()),
    ]
}

fn operators() -> Vec<Event> {
    let ban = BanInfo {
        kind: "ban".into(),
        who: "key:x".into(),
        name: Some("bob".into()),
        by: "alice".into(),
        until: Some("then".into()),
    };
    let key = KeyInfo {
        key: "key".into(),
        name: "bob".into(),
        by: Some("alice".into()),
        ip: Some("10.0.0.2".into()),
        since: Some("then".into()),
        last: Some("before".into()),
    };
    let mut all = vec![
        Event::Bans { bans: vec![ban, BanInfo::default()], total: 5 },
        Event::Bans { bans: Vec::new(), total: 0 },
        Event::Status { status: Box::default() },
        Event::Ticket { ticket: Some(text()) },
        Event::Ticket { ticket: None },
        Event::Operator { operator: true, msg: text() },
        Event::Operator { operator: false, msg: text() },
    ];
    for list in KeyList::ALL {
        let keys = vec![key.clone(), KeyInfo::default()];
        all.push(Event::Keys { list, keys, total: 3, next: Some("next".into()) });
        all.push(Event::Keys { list, keys: Vec::new(), total: 0, next: None });
    }
    all
}

/// Each at least once.
pub(in crate::protocol) fn all() -> Vec<Event> {
    let mut all = Vec::from(welcomes());
    all.extend(said());
    all.extend(changes());
    all.extend(receipts());
    all.extend(offers());
    all.extend(presence());
    all.extend(rooms());
    all.extend(operators());
    all.extend([
        Event::Time { time: "there".into(), ts: "then".into(), uptime: 3 },
        Event::Pong {
            server: server(),
            total: 4,
            closed: true,
            interim: true,
            run: Some("5e0c".into()),
            node: Some("b".into()),
            web: Some(WebAccess::Https),
        },
        Event::Pong {
            server: ServerInfo::default(),
            total: 0,
            closed: false,
            interim: false,
            run: None,
            node: None,
            web: None,
        },
        Event::Multicast { sent: 3, heard: true },
        Event::Multicast { sent: 0, heard: false },
        Event::Pake { pake: "half".into(), msg: text() },
        Event::PakeOk { mac: "confirmation".into() },
        Event::Notice("two\nlines".into()),
        Event::Storing { works: false, msg: text() },
        Event::Storing { works: true, msg: text() },
        Event::Error { code: Some(Code::NameTaken), msg: text(), name: Some("bob2".into()) },
        Event::Error { code: None, msg: text(), name: None },
        Event::Bye { code: Some(Code::ShuttingDown), msg: text(), server: Some(server()) },
        Event::Bye { code: None, msg: text(), server: None },
    ]);
    all
}

#[test]
fn what_was_said_tells_when_and_nothing_else_does() {
    for event in [
        r#"{"type":"chat","from":{"name":"a"},"to":"all","msg":"m","ts":"2026-11-21T12:00:00.000Z"}"#,
        r#"{"type":"alert","by":"a","msg":"m","ts":"2026-11-21T12:00:00.000Z"}"#,
        r#"{"type":"delivered","name":"a","count":1,"ts":"2026-11-21T12:00:00.000Z"}"#,
    ] {
        let packet = crate::protocol::ServerPacket::parse(event.as_bytes()).unwrap();
        assert_eq!(Event::from_packet(packet).ts(), Some("2026-11-21T12:00:00.000Z"), "{event}");
    }
    assert_eq!(Event::error(Code::BadName, "m").ts(), None);
}
