//! One user's side of the conversation: what lines typed mean, what events say, and which messages
//! are still on their way. It does no input or output besides handing packets to the connection;
//! what is to happen on the terminal it gives back as [`Effect`]s.

mod event;
mod line;

pub(super) use line::keeps_echo;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::connection::Up;
use super::pending::{Message, Pending};
use super::roster::Roster;
use super::trust::Standing;
use super::view::{ViewState, render, span};
use super::words::twins;
use crate::fingerprint::Fingerprint;
use crate::protocol::event::count_users;
use crate::protocol::packet::ServerInfo;
use crate::protocol::target::LOBBY;
use crate::protocol::{Event, Packet, Request, Target};
use crate::text::safe_line;

/// What is to happen on the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Show a line. It is safe for the terminal.
    Show(String),
    /// The target or the state of the connection has changed: see [`Session::label`].
    Relabel,
    /// Empty the screen.
    Clear,
    /// The user has compared the digits of the server's key: to be remembered.
    Verified(Fingerprint),
    /// The user wants to leave.
    Quit,
}

/// The moment of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// By this machine's clock.
    pub(super) clock: Timestamp,
    /// For measuring.
    pub(super) instant: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { clock: Timestamp::now(), instant: Instant::now() }
    }
}

/// Why an answer is awaited.
enum Ask {
    /// To fill the roster; not shown.
    Roster,
    /// To tell how the clocks differ.
    Time(Moment),
    /// To show the digits of a user's key.
    Digits,
    /// To show it.
    Show,
}

/// The connection as the session sees it.
enum State {
    /// There has been none yet.
    Fresh,
    Up {
        outgoing: mpsc::Sender<Packet>,
        peer: SocketAddr,
        since: Instant,
    },
    Down {
        why: String,
        since: Instant,
        search: bool,
    },
}

/// The key of no server.
const NOBODY: Fingerprint = Fingerprint::new([0; 32]);

/// The conversation.
pub(super) struct Session {
    state: State,
    server: ServerInfo,
    ip: String,
    /// The user's own key, as the server knows it.
    key: Option<Fingerprint>,
    /// Whether the user was told what the mark behind a name means.
    mark_is_told: bool,
    /// Longest text that the server takes, in bytes.
    text_bytes: usize,
    /// Users who are present, as last told.
    total: usize,
    operator: bool,
    target: Target,
    /// Who wrote to this user last.
    correspondent: Option<String>,
    roster: Arc<Mutex<Roster>>,
    /// Who was here when this client came, until the server's first news of who has joined.
    found: Option<HashSet<String>>,
    pending: Pending,
    /// Messages that were refused, here or by the server.
    unsent: usize,
    /// Commands that were refused, here or by the server.
    refused: usize,
    asks: HashMap<String, Ask>,
    counter: u64,
    view: ViewState,
}

impl Session {
    /// A conversation that has not begun.
    pub(super) fn new(view: ViewState, roster: Arc<Mutex<Roster>>) -> Self {
        Self {
            state: State::Fresh,
            server: ServerInfo::default(),
            ip: String::new(),
            key: None,
            mark_is_told: false,
            text_bytes: crate::limits::MAX_TEXT_BYTES,
            total: 0,
            operator: false,
            target: Target::All,
            correspondent: None,
            roster,
            found: None,
            pending: Pending::default(),
            unsent: 0,
            refused: 0,
            asks: HashMap::new(),
            counter: 0,
            view,
        }
    }

    /// The connection is there, for the first time or again.
    pub(super) fn up(&mut self, up: Up, now: Moment) -> Vec<Effect> {
        self.view.now = now.clock;
        let Up { welcome, peer, outgoing, taken, standing } = up;
        let before = std::mem::replace(&mut self.state, State::Up { outgoing, peer, since: now.instant });
        self.view.me.clone_from(&welcome.name);
        // What the user has verified meanwhile stays so.
        if self.view.standing != Standing::Verified(standing.key().unwrap_or(NOBODY)) {
            self.view.standing = standing;
        }
        let mut effects = match before {
            State::Down { since, .. } if self.server.id == welcome.server.id => {
                let away = span(now.instant.duration_since(since));
                self.note(&format!("connected again after {away}; {} here", count_users(welcome.total)))
            }
            _ => shown(render(&Event::Welcome(Box::new(welcome.clone())), &self.view)),
        };
        if let Some(taken) = taken {
            let text = format!("the name {taken} is taken; you are {} (/nick NAME changes it)", welcome.name);
            effects.extend(self.note(&text));
        }
        self.server = welcome.server;
        self.ip = welcome.ip;
        self.key = welcome.key;
        self.total = welcome.total;
        self.operator = welcome.operator;
        if welcome.limits.text_bytes > 0 {
            self.text_bytes = welcome.limits.text_bytes;
        }
        self.with_roster(Roster::clear);
        self.found = Some(HashSet::new());
        self.ask_roster(None);
        effects.push(Effect::Relabel);
        effects
    }

    /// The connection is gone, and the same server is tried again.
    pub(super) fn down(&mut self, why: &str, now: Moment) -> Vec<Effect> {
        self.lost(why, now, false)
    }

    /// The server is gone, and another one is looked for.
    pub(super) fn gone(&mut self, why: &str, now: Moment) -> Vec<Effect> {
        self.lost(why, now, true)
    }

    /// What was on its way may or may not have arrived.
    fn lost(&mut self, why: &str, now: Moment, search: bool) -> Vec<Effect> {
        self.view.now = now.clock;
        let next = if search { "looking for another server" } else { "reconnecting" };
        let mut effects = self.failure(&format!("{why}; {next}"));
        let since = match self.state {
            State::Down { since, .. } => since,
            State::Fresh | State::Up { .. } => now.instant,
        };
        self.state = State::Down { why: why.to_owned(), since, search };
        self.asks.clear();
        for message in self.pending.take_all() {
            effects.extend(self.failure(&format!("may not have been delivered: {}", quoted(&message))));
        }
        effects.push(Effect::Relabel);
        effects
    }

    /// Time has passed: tells of messages whose receipt is overdue.
    pub(super) fn tick(&mut self, now: Moment) -> Vec<Effect> {
        self.view.now = now.clock;
        let overdue = self.pending.overdue(now.instant);
        let text = |message: &Message| format!("no receipt from the server yet: {}", quoted(message));
        overdue.iter().flat_map(|message| self.note(&text(message))).collect()
    }

    /// Another server goes by the name of this one.
    pub(super) fn twin(&self, id: String) -> Vec<Effect> {
        let lines = self.view.standing.key().map(|key| twins(&self.server.name, key, &[id]));
        lines.into_iter().flatten().flat_map(|line| self.failure(&line)).collect()
    }

    /// A line of the client's own.
    pub(super) fn note(&self, text: &str) -> Vec<Effect> {
        shown(self.view.notes(text))
    }

    /// What went wrong.
    pub(super) fn failure(&self, text: &str) -> Vec<Effect> {
        shown(self.view.failures(text))
    }

    /// What stands before the input; safe for the terminal.
    pub(super) fn label(&self) -> String {
        let target = match &self.target {
            Target::All => LOBBY.to_owned(),
            Target::User(name) => format!("@{}", safe_line(name)),
            other => safe_line(&other.to_string()),
        };
        match self.state {
            State::Down { search: true, .. } => format!("[{target}, no server] "),
            State::Down { .. } => format!("[{target}, reconnecting] "),
            State::Fresh | State::Up { .. } => format!("[{target}] "),
        }
    }

    /// The user's present name.
    pub(super) fn me(&self) -> &str {
        &self.view.me
    }

    /// Whether the connection has been lost.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    /// Messages that were not sent, as the user was told.
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Commands that were refused, as the user was told.
    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    /// Messages without a receipt.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Messages without a receipt, and requests of the user's without an answer.
    pub(super) fn awaited(&self) -> usize {
        let asked = self.asks.values().filter(|ask| !matches!(ask, Ask::Roster)).count();
        self.pending.len() + asked
    }

    /// The messages that will get no receipt any more, told line by line.
    pub(super) fn abandon(&mut self) -> Vec<Effect> {
        let left = self.pending.take_all();
        left.iter()
            .flat_map(|m| self.failure(&format!("may not have been delivered: {}", quoted(m))))
            .collect()
    }

    /// Hands a packet to the connection; false if there is none, or if it takes no more.
    fn hand(&self, packet: Packet) -> bool {
        match &self.state {
            State::Up { outgoing, .. } => outgoing.try_send(packet).is_ok(),
            State::Fresh | State::Down { .. } => false,
        }
    }

    /// Says goodbye to the server, which then ends the connection; false if there is none.
    pub(super) fn say_goodbye(&self) -> bool {
        self.hand(Request::Quit.to_packet(None))
    }

    fn next_id(&mut self) -> String {
        self.counter += 1;
        self.counter.to_string()
    }

    /// Asks for a page of the roster.
    fn ask_roster(&mut self, after: Option<String>) {
        let id = self.next_id();
        if self.hand(Request::Users { after }.to_packet(Some(id.clone()))) {
            self.asks.insert(id, Ask::Roster);
        }
    }

    fn with_roster(&self, change: impl FnOnce(&mut Roster)) {
        change(&mut self.roster.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn shown(lines: Vec<String>) -> Vec<Effect> {
    lines.into_iter().map(Effect::Show).collect()
}

/// A message as it was typed, so that it can be typed again.
fn quoted(message: &Message) -> String {
    let text = if message.action { format!("/me {}", message.msg) } else { message.msg.clone() };
    match &message.to {
        Target::All => text,
        to => format!("(to {to}) {text}"),
    }
}

#[cfg(test)]
mod tests {
    //! The session as a user meets it: lines in, lines out.

    use std::time::Duration;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::protocol::Code;
    use crate::protocol::event::{Crowd, Welcome};
    use crate::protocol::packet::{Sender, UserInfo};

    const TS: &str = "2026-11-21T12:03:00.000Z";
    const OWN: Fingerprint = Fingerprint::new([7; 32]);
    const OFFICE: Fingerprint = Fingerprint::new([8; 32]);

    struct Talk {
        session: Session,
        packets: mpsc::Receiver<Packet>,
        roster: Arc<Mutex<Roster>>,
        now: Moment,
    }

    fn text(effects: Vec<Effect>) -> String {
        let line = |effect| match effect {
            Effect::Show(line) => line,
            Effect::Relabel => "(label)".into(),
            Effect::Clear => "(clear)".into(),
            Effect::Verified(key) => format!("(verified {})", key.tag()),
            Effect::Quit => "(quit)".into(),
        };
        effects.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    impl Talk {
        /// A session as alice that is up, with the roster's request already taken.
        fn new() -> Self {
            let now = Moment { clock: TS.parse().unwrap(), instant: Instant::now() };
            let view = ViewState {
                me: "alice".into(),
                color: false,
                zone: TimeZone::UTC,
                now: now.clock,
                standing: Standing::Plaintext,
            };
            let roster = Arc::default();
            let session = Session::new(view, Arc::clone(&roster));
            let (_, packets) = mpsc::channel(1);
            let mut talk = Self { session, packets, roster, now };
            talk.connect("alice", None);
            talk
        }

        fn connect(&mut self, name: &str, taken: Option<&str>) -> String {
            let (outgoing, packets) = mpsc::channel(3);
            self.packets = packets;
            let server =
                ServerInfo { id: "3f9a1c7700112233".into(), name: "office".into(), version: "0.1.0".into() };
            let welcome = Welcome {
                server,
                name: name.into(),
                ip: "10.0.0.2".into(),
                total: 2,
                key: Some(OWN),
                ..Welcome::default()
            };
            let taken = taken.map(|taken| crate::name::Name::new(taken).unwrap());
            let standing = Standing::Unverified(OFFICE);
            let up = Up { welcome, peer: "10.0.0.1:7667".parse().unwrap(), outgoing, taken, standing };
            let shown = text(self.session.up(up, self.now));
            assert_eq!(self.sent().kind.as_deref(), Some("users"));
            shown
        }

        fn sent(&mut self) -> Packet {
            self.packets.try_recv().expect("a packet was sent")
        }

        fn line(&mut self, line: &str) -> String {
            text(self.session.line(line, self.now))
        }

        fn event(&mut self, event: Event, id: Option<&str>) -> String {
            text(self.session.event(&event, id, self.now))
        }

        fn says(&mut self, from: &str, to: &str, msg: &str) -> String {
            let from = Sender { name: from.into(), ip: "10.0.0.3".into(), key: Some(OWN.tag()) };
            self.event(
                Event::Chat { from, to: to.into(), msg: msg.into(), action: false, seq: 1, ts: TS.into() },
                None,
            )
        }

        fn receipt(&mut self, packet: &Packet) -> String {
            self.event(Event::Sent { seq: 1, ts: TS.into() }, packet.id.as_deref())
        }
    }

    #[test]
    fn a_message_is_shown_once_the_server_has_it() {
        let mut talk = Talk::new();
        assert_eq!(talk.line("hello"), "");
        let packet = talk.sent();
        assert_eq!((packet.to.as_str(), packet.msg.as_str()), ("all", "hello"));
        assert_eq!(talk.session.pending(), 1);
        assert_eq!(talk.receipt(&packet), "12:03 <alice> hello");
        assert_eq!(talk.session.pending(), 0);
        assert_eq!(talk.receipt(&packet), "");
    }

    #[test]
    fn what_the_server_refuses_is_said_with_the_message() {
        let mut talk = Talk::new();
        talk.line("/msg bob psst");
        let id = talk.sent().id;
        let shown = talk.event(Event::error(Code::NoSuchUser, "there is no bob"), id.as_deref());
        assert_eq!(shown, "12:03 ! there is no bob\n12:03 ! not sent: (to bob) psst");
    }

    #[test]
    fn what_was_under_way_or_typed_while_the_link_is_down_is_said_line_by_line() {
        let mut talk = Talk::new();
        talk.line("one");
        talk.line("/me two");
        let shown = text(talk.session.down("the connection was lost", talk.now));
        assert_eq!(
            shown,
            "12:03 ! the connection was lost; reconnecting\n12:03 ! may not have been delivered: one\n\
             12:03 ! may not have been delivered: /me two\n(label)"
        );
        assert_eq!(talk.session.label(), "[#lobby, reconnecting] ");
        assert_eq!(talk.line("three"), "12:03 ! not sent: three");
        assert_eq!(talk.line("/users"), "12:03 ! not sent: there is no connection at the moment");
        talk.now.instant += Duration::from_secs(65);
        assert_eq!(
            talk.connect("alice-2", Some("alice")),
            "12:03 -- connected again after 1 min; 2 users here\n\
             12:03 -- the name alice is taken; you are alice-2 (/nick NAME changes it)\n(label)"
        );
        assert_eq!(talk.session.label(), "[#lobby] ");
        assert_eq!(talk.session.pending(), 0);
    }

    #[test]
    fn a_connection_that_takes_no_more_is_said_too() {
        let mut talk = Talk::new();
        for n in 0..3 {
            assert_eq!(talk.line(&n.to_string()), "");
        }
        assert_eq!(talk.line("four"), "12:03 ! not sent: four");
    }

    #[test]
    fn a_receipt_that_is_late_is_told_once() {
        let mut talk = Talk::new();
        talk.line("hello");
        assert_eq!(text(talk.session.tick(talk.now)), "");
        talk.now.instant += Duration::from_secs(1);
        assert_eq!(text(talk.session.tick(talk.now)), "12:03 -- no receipt from the server yet: hello");
        assert_eq!(text(talk.session.tick(talk.now)), "");
    }

    #[test]
    fn a_query_changes_the_target_and_follows_a_rename() {
        let mut talk = Talk::new();
        assert_eq!(
            talk.line("/query bob"),
            "12:03 -- nobody called bob is here at the moment; /query goes back to the lobby\n(label)"
        );
        talk.roster.lock().unwrap().add("Bob");
        assert_eq!(talk.line("/query bob"), "(label)");
        assert_eq!(talk.session.label(), "[@bob] ");
        talk.line("psst");
        assert_eq!(talk.sent().to, "bob");
        let renamed = Event::Renamed { old: "bob".into(), name: "rob".into() };
        assert_eq!(talk.event(renamed, None), "12:03 -- bob is now rob\n(label)");
        talk.line("/me waves");
        assert_eq!(talk.sent().to, "rob");
        assert_eq!(talk.line("/query"), "(label)");
        assert_eq!(talk.session.label(), "[#lobby] ");
    }

    #[test]
    fn a_reply_goes_to_who_wrote_last() {
        let mut talk = Talk::new();
        assert!(talk.line("/reply hi").contains("nobody has written to you yet"));
        talk.says("bob", "alice", "psst");
        talk.says("eve", "all", "hello");
        talk.says("alice", "eve", "from my other terminal");
        talk.line("/r hi");
        assert_eq!(talk.sent().to, "bob");
    }

    #[test]
    fn an_unknown_command_is_never_sent_and_a_doubled_slash_is_text() {
        let mut talk = Talk::new();
        assert!(talk.line("/uesrs").contains("did you mean /users?"));
        assert!(talk.packets.try_recv().is_err());
        talk.line("//etc");
        assert_eq!(talk.sent().msg, "/etc");
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
        let user = |name: &str| UserInfo { name: name.into(), ..UserInfo::default() };
        let page = |name: &str, next: Option<&str>| Event::Users {
            users: vec![user(name)],
            total: 2,
            next: next.map(str::to_owned),
        };
        assert_eq!(talk.event(page("bob", Some("bob")), Some("1")), "");
        let packet = talk.sent();
        assert_eq!(packet.after.as_deref(), Some("bob"));
        assert_eq!(talk.event(page("dan", None), packet.id.as_deref()), "");
        talk.event(Event::Joined(Crowd { names: vec!["eve".into()], count: 1, total: 3 }), None);
        talk.event(Event::Left(Crowd { names: vec!["bob".into()], count: 1, total: 2 }), None);
        let roster = talk.roster.lock().unwrap();
        assert_eq!(roster.starting_with("").collect::<Vec<_>>(), ["dan", "eve"]);
    }

    #[test]
    fn who_was_here_already_is_no_news_to_a_newcomer() {
        let mut talk = Talk::new();
        let user = |name: &str| UserInfo { name: name.into(), ..UserInfo::default() };
        let joined = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            Event::Joined(Crowd { count: names.len(), names, total: 3 })
        };
        let users = Event::Users { users: vec![user("alice"), user("bob")], total: 2, next: None };
        assert_eq!(talk.event(users, Some("1")), "");
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
            talk.event(Event::Users { users, total: 1, next: None }, id.as_deref()),
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
            "12:03 -- server time T; round trip 20.0 ms; this clock is 2.0 s ahead"
        );
    }

    #[test]
    fn a_message_over_the_servers_bound_is_not_sent() {
        let mut talk = Talk::new();
        assert!(talk.line(&"x".repeat(10_001)).contains("not sent: the message has 10001 bytes"));
        assert!(talk.packets.try_recv().is_err());
    }

    #[test]
    fn the_server_is_verified_once_and_stays_so_over_a_new_link() {
        let mut talk = Talk::new();
        let digits = OFFICE.spoken();
        assert!(
            talk.line("/status").contains(&format!("encrypted; the server's key {digits} is not verified"))
        );
        assert_eq!(
            talk.line("/verify"),
            format!(
                "12:03 -- verified: office is the server with the key {digits}\n(verified {})",
                OFFICE.tag()
            )
        );
        assert!(talk.line("/verify").contains("was verified before"));
        talk.session.down("the connection was lost", talk.now);
        assert!(talk.line("/verify").contains("there is no connection"));
        talk.connect("alice", None);
        assert!(talk.line("/status").contains(&format!("the server's key {digits} is verified")));
    }

    #[test]
    fn a_servers_name_drives_no_terminal_and_starts_no_line() {
        let mut talk = Talk::new();
        talk.session.server.name = "a\x1b[2J\u{202e}\n12:03 <bob> I resign".into();
        let twin = text(talk.session.twin("\x1b[2J\n12:03 <bob> so do I".into()));
        for shown in [talk.line("/status"), talk.line("/verify"), talk.line("/verify"), twin] {
            assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
            assert!(!shown.lines().any(|line| line.starts_with("12:03 <bob>")), "{shown:?}");
        }
    }

    #[test]
    fn digits_of_a_user_are_shown_to_be_compared() {
        let mut talk = Talk::new();
        for (key, expected) in [
            (Some(OWN.to_string()), format!("bob's key: {}; bob sees the same", OWN.spoken())),
            (None, "no key vouches for bob".to_owned()),
        ] {
            talk.line("/verify bob");
            let id = talk.sent().id;
            let user = UserInfo { name: "bob".into(), key, ..UserInfo::default() };
            let shown = talk.event(Event::Whois(user), id.as_deref());
            assert!(shown.contains(&expected), "{shown}");
        }
    }

    #[test]
    fn who_has_no_key_is_marked_and_the_mark_is_told_once() {
        let mut talk = Talk::new();
        let mut says = || {
            let from = Sender { name: "eve".into(), ip: "10.0.0.9".into(), key: None };
            let (to, msg, ts) = ("all".into(), "hi".into(), TS.into());
            talk.event(Event::Chat { from, to, msg, action: false, seq: 1, ts }, None)
        };
        let first = says();
        assert!(first.starts_with("12:03 <eve?> hi\n12:03 -- a ? behind a name: "), "{first}");
        assert_eq!(says(), "12:03 <eve?> hi");
    }

    #[test]
    fn status_help_clear_and_quit_need_no_server() {
        let mut talk = Talk::new();
        let status = talk.line("/status");
        assert!(
            status.contains("connected to office (id 3f9a1c77, lanchat 0.1.0) at 10.0.0.1:7667"),
            "{status}"
        );
        assert!(status.contains("you are alice from 10.0.0.2; 2 users here"), "{status}");
        assert!(talk.line("/help").contains("/users"));
        assert_eq!(talk.line("/clear"), "(clear)");
        assert_eq!(talk.line("/quit"), "(quit)");
        assert!(talk.packets.try_recv().is_err());
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
}
