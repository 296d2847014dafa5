//! Requests of every type: with all that each may hold, and with as little.

use crate::protocol::packet::{KeyList, LogEnd};
use crate::protocol::request::{Hello, Mode, Span, TestToken};
use crate::protocol::{Request, Since, Target};

fn text() -> String {
    "text".into()
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
    };
    let since = Some(Since::Time("2026-11-21T12:00:00Z".into()));
    vec![
        Request::Hello(full.clone()),
        Request::Hello(Hello { mode: Mode::Send, since, logs: Some(Vec::new()), ..full }),
        Request::Hello(Hello { mode: Mode::Tail, ..Hello::default() }),
    ]
}

/// Each at least once.
pub(in crate::protocol) fn all() -> Vec<Request> {
    let mut all = hellos();
    let targets = ["all", "server", "#games", "10.0.0.7", "bob"];
    all.extend(targets.map(|to| Request::Chat { to: Target::parse(to), msg: text(), action: false }));
    let lists = KeyList::ALL.into_iter();
    all.extend(lists.clone().map(|list| Request::Keys { list, after: Some(text()) }));
    all.extend(lists.map(|list| Request::Keys { list, after: None }));
    all.extend([
        Request::Chat { to: Target::All, msg: "\"\\\n\u{1} é \u{1F600}".into(), action: true },
        Request::Users { room: Some(text()), after: Some(text()) },
        Request::Users { room: None, after: None },
        Request::Join { room: text() },
        Request::Part { room: text() },
        Request::Rooms { after: Some(text()) },
        Request::Rooms { after: None },
        Request::Topic { room: text(), topic: Some(text()) },
        Request::Topic { room: text(), topic: Some(String::new()) },
        Request::Topic { room: text(), topic: None },
        Request::History { room: Some(text()), name: None, span: full_span() },
        Request::History { room: None, name: Some(text()), span: full_span() },
        Request::History { room: None, name: None, span: Span::default() },
        Request::Search {
            words: text(),
            name: Some(text()),
            room: Some(text()),
            since: Some("7d".into()),
            until: Some(text()),
            span: full_span(),
        },
        Request::Search {
            words: String::new(),
            name: None,
            room: None,
            since: None,
            until: None,
            span: Span::default(),
        },
        Request::Received { seq: u64::MAX },
        Request::Time,
        Request::Alert { msg: text() },
        Request::Nick { name: text() },
        Request::Whois { name: text() },
        Request::Kick { name: text(), reason: text() },
        Request::Kick { name: text(), reason: String::new() },
        Request::Mute { name: text(), duration: Some("10m".into()) },
        Request::Mute { name: text(), duration: None },
        Request::Unmute { name: text() },
        Request::Ban { name: text(), duration: Some("10m".into()) },
        Request::Ban { name: text(), duration: None },
        Request::Unban { name: text() },
        Request::Bans,
        Request::Admit { name: text() },
        Request::Dismiss { name: text() },
        Request::Release { name: text() },
        Request::Op { name: text() },
        Request::OpByToken { token: text() },
        Request::Deop { name: text() },
        Request::Pake { pake: text(), mac: "confirmation".into() },
        Request::Ping,
        Request::Multicast { token: TestToken::new(0x3f9a) },
        Request::Help { command: Some(text()) },
        Request::Help { command: None },
        Request::Quit,
    ]);
    all
}
