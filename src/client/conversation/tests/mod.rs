//! The conversation as a user meets it: lines in, lines out.

mod attention;
mod hostile_pages;
mod numbered;
mod outbox;
mod past;
mod rooms;
mod transfers;
mod typing;
mod unanswered;

use std::time::Duration;

use jiff::tz::TimeZone;

use super::view::Stamp;
use super::*;
use crate::client::connection::{Loss, Up};
use crate::client::find::LookAlikeServer;
use crate::fingerprint::Fingerprint;
use crate::protocol::Code;
use crate::protocol::Event;
use crate::protocol::event::{Crowd, HistoryEnd, Welcome};
use crate::protocol::packet::{RoomInfo, Sender, ServerInfo, UserInfo};
use crate::protocol::request::ClientPacket;
use crate::security::TrustBasis;

const TS: &str = "2026-11-21T12:03:00.000Z";
const OWN: Fingerprint = Fingerprint::new([7; 32]);
const OTHERS: Fingerprint = Fingerprint::new([9; 32]);
const OFFICE: Fingerprint = Fingerprint::new([8; 32]);
const PEER: &str = "10.0.0.1:7667";

struct Talk {
    conversation: Conversation,
    frames: mpsc::Receiver<Vec<u8>>,
    roster: SharedState<Roster>,
    now: CallTime,
    /// The number of the last message.
    seq: u64,
    /// The `id` of the request for the roster.
    roster_id: Option<String>,
}

fn text(effects: Vec<Effect>) -> String {
    let line = |effect| match effect {
        Effect::Show(line) => line,
        Effect::Relabel => "(label)".into(),
        Effect::OnScreen(_) => "(screen)".into(),
        Effect::QrCode(link, _) => format!("(QR code: {link})"),
        Effect::Copy(text) => format!("(copy: {text})"),
        Effect::Open(link) => format!("(open: {link})"),
        Effect::GiveBack(line) => format!("(back: {line})"),
        Effect::Ask(question) => format!("({})", question.trim()),
        Effect::Notify(notification) => format!("(call: {} {})", notification.from, notification.text),
        Effect::Quit => "(quit)".into(),
        Effect::Transfer(order) => transfers::ordered(&order),
    };
    effects.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn office() -> Welcome {
    let server = ServerInfo { id: "3f9a1c7700112233".into(), name: "office".into(), version: "0.1.0".into() };
    let (name, ip, log) = ("alice".into(), "10.0.0.2".into(), Some("h1".into()));
    Welcome { server, name, ip, total: 2, key: Some(OWN), log, ..Welcome::default() }
}

/// A user with a key: alice, who is this user, or someone else.
fn sender(name: &str) -> Sender {
    let key = if name == "alice" { OWN } else { OTHERS };
    Sender { name: name.into(), ip: "10.0.0.3".into(), key: Some(key.tag()) }
}

fn info(name: &str, joined: bool) -> RoomInfo {
    RoomInfo { name: name.into(), topic: Some("chess".into()), members: 2, here: 1, joined }
}

/// The end of what was missed.
fn end(seq: u64) -> Event {
    Event::History(HistoryEnd { seq, ..HistoryEnd::default() })
}

impl Talk {
    /// A conversation as alice that is up on a server with an empty history, with the roster's request
    /// already taken.
    fn new() -> Self {
        let mut talk = Self::fresh();
        talk.connect("alice", None);
        talk
    }

    /// The same at a prompt, with lines that are not broken.
    fn at_prompt() -> Self {
        let mut talk = Self::fresh();
        let view = &mut talk.conversation.view;
        view.outlet = Outlet::Prompt(ScreenSize { rows: 24, columns: 80 });
        view.preferences.wrap = false;
        talk.connect("alice", None);
        let read = talk.sent();
        assert_eq!((read.kind.as_deref(), read.seq), (Some("read"), Some(0)), "for others' positions");
        talk
    }

    /// A conversation that has no connection yet.
    fn fresh() -> Self {
        let now = CallTime { clock: TS.parse().unwrap(), instant: Instant::now() };
        let preferences = crate::client::preferences::Preferences::default();
        let view = ViewState::new("alice".into(), false, preferences, Stamp::Time).in_zone(TimeZone::UTC);
        let roster = SharedState::default();
        let credentials = Credentials::in_the_open("alice");
        credentials.trust.lock().remember(Some(OFFICE), "office", PEER.parse().unwrap(), TrustBasis::Tofu);
        let conversation = Conversation::new(view, roster.clone(), &credentials);
        let (_, frames) = mpsc::channel(1);
        Self { conversation, frames, roster, now, seq: 0, roster_id: None }
    }

    /// Connects, with nothing missed.
    fn connect(&mut self, name: &str, taken: Option<&str>) -> String {
        let shown = self.come(Welcome { name: name.into(), ..office() }, taken);
        assert_eq!(self.event(end(self.seq), None), "");
        let roster = self.sent();
        assert_eq!(roster.kind.as_deref(), Some("users"));
        self.roster_id = roster.id;
        shown
    }

    /// Connects to that server, having asked for what was missed.
    fn come(&mut self, welcome: Welcome, taken: Option<&str>) -> String {
        self.arrive(welcome, taken, false)
    }

    /// The same; `follows` says whether the server before gave way to this one.
    fn arrive(&mut self, welcome: Welcome, taken: Option<&str>, follows: bool) -> String {
        let (outgoing, frames) = mpsc::channel(3);
        self.frames = frames;
        let taken = taken.map(|taken| crate::name::Name::new(taken).unwrap());
        let (peer, key) = (PEER.parse().unwrap(), Some(OFFICE));
        let welcome = Welcome { seq: welcome.seq.max(self.seq), ..welcome };
        let up = Up { welcome, peer, outgoing, taken, key, resumes: true, follows, moved: None };
        text(self.conversation.up(up, self.now))
    }

    /// Loses the connection.
    fn lose(&mut self, why: &str) -> String {
        let loss = Loss { why: why.into(), since: self.now.instant, goes_on: false };
        text(self.conversation.update(Update::Down(loss), self.now))
    }

    fn nothing_sent(&mut self) {
        assert!(self.frames.try_recv().is_err(), "something was sent");
    }

    /// A message of before, of yesterday.
    fn missed(&mut self, seq: u64, from: &str, to: &str, msg: &str, id: Option<&str>) -> String {
        let from = sender(from);
        let (to, msg, ts) = (to.into(), msg.into(), "2026-11-20T09:30:00.000Z".into());
        let chat = Event::Chat {
            from,
            to,
            msg,
            action: false,
            seq: Some(seq),
            ts,
            history: true,
            reply: None,
            edited: false,
        };
        self.event(chat, id)
    }

    fn sent(&mut self) -> ClientPacket {
        self.next_sent().expect("a packet was sent")
    }

    fn next_sent(&mut self) -> Option<ClientPacket> {
        let frame = self.frames.try_recv().ok()?;
        Some(ClientPacket::parse(&frame).expect("a packet"))
    }

    fn line(&mut self, line: &str) -> String {
        text(self.conversation.line(line, self.now))
    }

    fn event(&mut self, event: Event, id: Option<&str>) -> String {
        text(self.conversation.event(&event, id, self.now))
    }

    fn says(&mut self, from: &str, to: &str, msg: &str) -> String {
        self.seq += 1;
        let from = sender(from);
        let (to, msg, seq) = (to.into(), msg.into(), Some(self.seq));
        let chat = Event::Chat {
            from,
            to,
            msg,
            action: false,
            seq,
            ts: TS.into(),
            history: false,
            reply: None,
            edited: false,
        };
        self.event(chat, None)
    }

    fn receipt(&mut self, packet: &ClientPacket) -> String {
        self.seq += 1;
        self.receipt_with(packet, true, None)
    }

    fn receipt_with(&mut self, packet: &ClientPacket, stored: bool, waits: Option<&str>) -> String {
        let (seq, waits) = (stored.then_some(self.seq), waits.map(str::to_owned));
        self.event(Event::Sent { seq, ts: TS.into(), stored, waits, away: None }, packet.id.as_deref())
    }
}

#[test]
fn a_query_changes_the_target_and_follows_a_rename() {
    let mut talk = Talk::new();
    talk.roster.lock().add("Bob");
    assert_eq!(talk.line("/query bob"), "(label)");
    assert_eq!(talk.conversation.label(), "[@bob] ");
    talk.line("psst");
    assert_eq!(talk.sent().to.as_deref(), Some("bob"));
    let renamed = Event::Renamed { old: "bob".into(), name: "rob".into() };
    assert_eq!(talk.event(renamed, None), "12:03 -- bob is now rob\n(label)");
    talk.line("/me waves");
    assert_eq!(talk.sent().to.as_deref(), Some("rob"));
    assert_eq!(talk.line("/query"), "(label)");
    assert_eq!(talk.conversation.label(), "[#lobby] ");
}

#[test]
fn an_unknown_command_is_never_sent_and_a_doubled_slash_is_text() {
    let mut talk = Talk::new();
    assert!(talk.line("/uesrs").contains("did you mean /users?"));
    assert!(talk.frames.try_recv().is_err());
    talk.line("//etc");
    assert_eq!(talk.sent().text(), "/etc");
}

#[test]
fn the_own_name_follows_a_rename_and_receipts_carry_it() {
    let mut talk = Talk::new();
    talk.line("/nick carol");
    let id = talk.sent().id;
    let renamed = Event::Renamed { old: "alice".into(), name: "carol".into() };
    assert_eq!(talk.event(renamed, id.as_deref()), "12:03 -- you are now carol");
    talk.line("hello");
    let packet = talk.sent();
    assert_eq!(talk.receipt(&packet), "12:03 <carol> hello");
}

#[test]
fn the_roster_is_filled_page_by_page_unseen_and_kept_up_to_date() {
    let mut talk = Talk::new();
    let roster = talk.roster_id.take();
    let user = |name: &str| UserInfo { name: name.into(), ..UserInfo::default() };
    let page = |name: &str, next: Option<&str>| Event::Users {
        room: None,
        users: vec![user(name)],
        total: 2,
        next: next.map(str::to_owned),
    };
    assert_eq!(talk.event(page("bob", Some("bob")), roster.as_deref()), "");
    let packet = talk.sent();
    assert_eq!(packet.after.as_deref(), Some("bob"));
    assert_eq!(talk.event(page("dan", None), packet.id.as_deref()), "");
    talk.event(Event::Joined(Crowd { room: None, names: vec!["eve".into()], count: 1, total: 3 }), None);
    talk.event(Event::Left(Crowd { room: None, names: vec!["bob".into()], count: 1, total: 2 }), None);
    let roster = talk.roster.lock();
    assert_eq!(roster.people("", false), ["dan", "eve"]);
}

#[test]
fn who_was_here_already_is_no_news_to_a_newcomer() {
    let mut talk = Talk::new();
    let roster = talk.roster_id.take();
    let user = |name: &str| UserInfo { name: name.into(), ..UserInfo::default() };
    let joined = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Event::Joined(Crowd { room: None, count: names.len(), names, total: 3 })
    };
    let users = Event::Users { room: None, users: vec![user("alice"), user("bob")], total: 2, next: None };
    assert_eq!(talk.event(users, roster.as_deref()), "");
    assert_eq!(talk.event(joined(&["alice", "bob", "eve"]), None), "12:03 -> eve joined; 3 here");
    assert_eq!(talk.event(joined(&["bob"]), None), "12:03 -> bob joined; 3 here");
}

#[test]
fn a_list_that_was_asked_for_is_shown() {
    let mut talk = Talk::new();
    talk.line("/users");
    let id = talk.sent().id;
    let key = Some(OWN.tag());
    let users = vec![UserInfo { name: "bob".into(), key, ..UserInfo::default() }];
    assert_eq!(
        talk.event(Event::Users { room: None, users, total: 1, next: None }, id.as_deref()),
        "12:03 -- 1 user here: bob"
    );
}

#[test]
fn the_servers_time_comes_with_the_difference_of_the_clocks() {
    let mut talk = Talk::new();
    talk.line("/time");
    let id = talk.sent().id;
    talk.now.instant += Duration::from_millis(20);
    let time = Event::Time { time: "T".into(), ts: "2026-11-21T12:02:58.010Z".into(), uptime: 5 };
    assert_eq!(
        talk.event(time, id.as_deref()),
        "12:03 -- server time 2026-11-21 12:02:58; round trip 20.0 ms; this clock is 2.0 s ahead"
    );
}

#[test]
fn a_servers_name_drives_no_terminal_and_starts_no_line() {
    let mut talk = Talk::new();
    talk.conversation.session.server.name = "a\x1b[2J\u{202e}\n12:03 <bob> I resign".into();
    let namesake =
        text(talk.conversation.look_alike(LookAlikeServer::Namesake("\x1b[2J\n12:03 <bob> so do I".into())));
    for shown in [talk.line("/status"), talk.line("/verify"), talk.line("/verify yes"), namesake] {
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("12:03 <bob>")), "{shown:?}");
    }
}

#[test]
fn who_has_no_key_is_marked_and_the_mark_is_told_once() {
    let mut talk = Talk::new();
    let mut says = |seq| {
        let from = Sender { name: "eve".into(), ip: "10.0.0.9".into(), key: None };
        let (to, msg, ts) = ("all".into(), "hi".into(), TS.into());
        talk.event(
            Event::Chat {
                from,
                to,
                msg,
                action: false,
                seq: Some(seq),
                ts,
                history: false,
                reply: None,
                edited: false,
            },
            None,
        )
    };
    let first = says(1);
    assert!(first.starts_with("12:03 <eve?> hi\n12:03 -- a ? after a name means "), "{first}");
    assert_eq!(says(2), "12:03 <eve?> hi");
}

#[test]
fn status_help_clear_and_quit_need_no_server() {
    let mut talk = Talk::new();
    let status = talk.line("/status");
    assert!(status.contains("connected to office (id 3f9a1c77, lanchat 0.1.0) at 10.0.0.1:7667"), "{status}");
    assert!(status.contains("you are alice from 10.0.0.2; 2 users here"), "{status}");
    talk.conversation.session.node = Some("b".into());
    let status = talk.line("/status");
    assert!(status.contains("lanchat 0.1.0) at server b, 10.0.0.1:7667"), "{status}");
    assert!(talk.line("/help").contains("/users"));
    assert_eq!(talk.line("/clear"), "(screen)");
    assert_eq!(talk.line("/quit"), "(quit)");
    assert!(talk.frames.try_recv().is_err());
}

#[test]
fn messages_lose_their_echo_and_commands_keep_it() {
    for line in ["hello", "//x", "/me waves", "/m bob hi", "/r hi", "", "  "] {
        assert!(!line::keeps_echo(line), "{line:?}");
    }
    for line in ["/users", "/nope", "/msg bob", "/help"] {
        assert!(line::keeps_echo(line), "{line:?}");
    }
}

#[test]
fn whois_says_since_when_a_key_is_verified() {
    let mut talk = Talk::new();
    let carol = || {
        let (ip, key) = ("10.0.0.3".into(), Some(OWN.to_string()));
        Event::Whois(UserInfo { name: "carol".into(), ip, key, ..UserInfo::default() })
    };
    talk.line("/whois carol");
    let id = talk.sent().id;
    assert!(!talk.event(carol(), id.as_deref()).contains("verified"));
    talk.line("/verify carol yes");
    let id = talk.sent().id;
    assert!(talk.event(carol(), id.as_deref()).contains("verified: carol"));
    talk.line("/whois carol");
    let id = talk.sent().id;
    let shown = talk.event(carol(), id.as_deref());
    assert!(shown.ends_with(" (verified 2026-11-21)"), "{shown}");
}

#[test]
fn focus_says_whether_it_is_on_and_dnd_takes_on() {
    let mut talk = Talk::at_prompt();
    talk.event(end(0), None);
    assert!(talk.line("/focus").starts_with("12:03 -- focus is off: "));
    assert!(talk.line("/focus").starts_with("12:03 -- focus is off: "));
    talk.line("/focus on");
    assert!(talk.line("/focus").starts_with("12:03 -- focus is on: "));
    assert!(talk.line("/dnd on").starts_with("12:03 -- no bells"));
}

#[test]
fn part_of_a_room_that_one_is_not_in_leaves_nothing() {
    let mut talk = Talk::new();
    assert_eq!(
        talk.line("/part nope"),
        "12:03 ! did you mean /part #nope? you are not in that room; /part #ROOM leaves one"
    );
    talk.nothing_sent();
}
