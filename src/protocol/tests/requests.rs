//! Requests of every type, with all members and with as few as possible.

use crate::protocol::packet::{FileInfo, KeyList, LogEnd};
use crate::protocol::request::{Act, Ask, Connect, Hello, Mode, Operate, SearchRequest, Span, TestToken};
use crate::protocol::{DeclineReason, Request, Since, Target};

fn text() -> String {
    "text".into()
}

pub(super) fn file(size: Option<u64>, count: Option<u64>) -> FileInfo {
    FileInfo { name: "plan \"2\".pdf".into(), size, count, id: "content".into() }
}

fn full_span() -> Span {
    Span { before: Some(9), limit: Some(5) }
}

fn hellos() -> Vec<Request> {
    let full = Hello {
        name: "alice".into(),
        mode: Mode::Chat,
        token: Some(text()),
        since: Some(Since::Seq(7)),
        log: Some(text()),
        logs: Some(vec![LogEnd { log: text(), last: 6 }, LogEnd { log: "older".into(), last: 5 }]),
        guest: false,
    };
    let since = Some(Since::Time("2026-11-21T12:00:00Z".into()));
    vec![
        Connect::Hello(full.clone()).into(),
        Connect::Hello(Hello { mode: Mode::Send, since, logs: Some(Vec::new()), ..full }).into(),
        Connect::Hello(Hello { mode: Mode::Tail, guest: true, ..Hello::default() }).into(),
        Connect::File { token: text() }.into(),
    ]
}

/// Each at least once.
pub(in crate::protocol) fn all() -> Vec<Request> {
    let mut all = hellos();
    let targets = ["all", "server", "#games", "10.0.0.7", "bob"];
    let chat = |to| Act::Chat { to: Target::parse(to), msg: text(), action: false, reply: None };
    all.extend(targets.map(|to| chat(to).into()));
    let lists = KeyList::ALL.into_iter();
    all.extend(lists.clone().map(|list| Operate::Keys { list, after: Some(text()) }.into()));
    all.extend(lists.map(|list| Operate::Keys { list, after: None }.into()));
    all.extend([
        Act::Chat { to: Target::All, msg: "\"\\\n\u{1} é \u{1F600}".into(), action: true, reply: Some(7) }
            .into(),
        Act::Edit { seq: 7, msg: text() }.into(),
        Act::Delete { seq: 7 }.into(),
        Act::Read { name: Some(text()), room: None, seq: 7 }.into(),
        Act::Read { name: None, room: Some(text()), seq: 7 }.into(),
        Act::Read { name: None, room: None, seq: 7 }.into(),
        Act::Away { msg: text() }.into(),
        Act::Away { msg: String::new() }.into(),
        Act::Back.into(),
        Ask::Users { room: Some(text()), after: Some(text()) }.into(),
        Ask::Users { room: None, after: None }.into(),
        Act::Join { room: text() }.into(),
        Act::Part { room: text() }.into(),
        Ask::Rooms { after: Some(text()) }.into(),
        Ask::Rooms { after: None }.into(),
        Act::Topic { room: text(), topic: Some(text()) }.into(),
        Act::Topic { room: text(), topic: Some(String::new()) }.into(),
        Act::Topic { room: text(), topic: None }.into(),
        Act::History { room: Some(text()), name: None, span: full_span() }.into(),
        Act::History { room: None, name: Some(text()), span: full_span() }.into(),
        Act::History { room: None, name: None, span: Span::default() }.into(),
        Act::Search(SearchRequest {
            words: text(),
            name: Some(text()),
            room: Some(text()),
            since: Some("7d".into()),
            until: Some(text()),
            span: full_span(),
        })
        .into(),
        Act::Search(SearchRequest {
            words: String::new(),
            name: None,
            room: None,
            since: None,
            until: None,
            span: Span::default(),
        })
        .into(),
        Act::Received { seq: u64::MAX }.into(),
        Ask::Time.into(),
        Operate::Alert { msg: text() }.into(),
        Act::Offer { to: Target::parse("bob"), file: Box::new(file(Some(7), None)) }.into(),
        Act::Offer { to: Target::parse("#games"), file: Box::new(file(None, Some(3))) }.into(),
        Act::Accept { offer: 7 }.into(),
        Act::Decline { offer: 7, reason: None }.into(),
        Act::Decline { offer: 7, reason: Some(DeclineReason::NoSpace) }.into(),
        Act::Cancel { offer: 7, name: Some(text()) }.into(),
        Act::Cancel { offer: 7, name: None }.into(),
        Act::Nick { name: text() }.into(),
        Ask::Whois { name: text() }.into(),
        Operate::Kick { name: text(), reason: text() }.into(),
        Operate::Kick { name: text(), reason: String::new() }.into(),
        Operate::Mute { name: text(), duration: Some("10m".into()) }.into(),
        Operate::Mute { name: text(), duration: None }.into(),
        Operate::Unmute { name: text() }.into(),
        Operate::Ban { name: text(), duration: Some("10m".into()) }.into(),
        Operate::Ban { name: text(), duration: None }.into(),
        Operate::Unban { name: text() }.into(),
        Operate::Bans.into(),
        Operate::Status.into(),
        Operate::Ticket.into(),
        Operate::Admit { name: text() }.into(),
        Operate::Dismiss { name: text() }.into(),
        Operate::Release { name: text() }.into(),
        Operate::Op { name: text() }.into(),
        Act::OpByToken { token: text() }.into(),
        Operate::Deop { name: text() }.into(),
        Connect::Pake { pake: text(), mac: "confirmation".into() }.into(),
        Connect::Ping.into(),
        Connect::Multicast { token: TestToken::new(0x3f9a) }.into(),
        Act::Help { command: Some(text()) }.into(),
        Act::Help { command: None }.into(),
        Act::Quit.into(),
    ]);
    all
}
