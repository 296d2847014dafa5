//! Turns events into lines for a terminal. The only place where remote text is made safe; its lines can be
//! printed as they are. It prints nothing itself.

use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr as _;

use super::calling;
use super::outlet::Outlet;
use crate::client::preferences::Preferences;
use crate::client::trust::LinkSecurity;
use crate::name::RoomName;
use crate::protocol::event::{Crowd, Welcome, count_users};
use crate::protocol::packet::{Sender, UserInfo};
use crate::protocol::{Event, Target};
use crate::text::{safe_line, safe_lines};

/// Starts each further line of a message, so that none can pass for another message. As wide as the start of
/// a note's first line.
const GUTTER: &str = "       | ";

/// Colours of names: readable on dark and light backgrounds; not red, which is for alerts.
const NAME_COLORS: [AnsiColor; 8] = [
    AnsiColor::Green,
    AnsiColor::Yellow,
    AnsiColor::Blue,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::BrightGreen,
    AnsiColor::BrightBlue,
    AnsiColor::BrightMagenta,
];

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);
const DIRECT: Style = AnsiColor::Magenta.on_default();
/// What calls the user: the user's name, and who said it.
const CALL: Style = Style::new().effects(Effects::BOLD.insert(Effects::INVERT));
const FAILURE: Style = AnsiColor::Red.on_default();
const ALERT: Style = AnsiColor::Red.on_default().effects(Effects::BOLD.insert(Effects::INVERT));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The time of day.
    Time,
    /// Also the date, except today's.
    TimeOrDate,
    /// Date and time to the second.
    DateTime,
}

/// The settings and state that lines depend on.
#[derive(Debug, Clone)]
pub(crate) struct ViewState {
    /// The user's own name.
    pub(crate) me: String,
    pub(crate) color: bool,
    pub(crate) zone: TimeZone,
    /// The time for events without one.
    pub(crate) now: Timestamp,
    /// How secure the connection is.
    pub(crate) security: LinkSecurity,
    /// The room that the user talks in; none in the lobby and in direct conversations. Messages from
    /// elsewhere are marked with their room.
    pub(crate) room: Option<RoomName>,
    /// Where lines go.
    pub(crate) outlet: Outlet,
    /// The columns for the place before each message; `None`: only messages from elsewhere have one.
    pub(crate) place_width: Option<usize>,
    pub(crate) stamp: Stamp,
    pub(crate) preferences: Preferences,
}

/// The lines that show an event, if any.
pub(crate) fn render(event: &Event, state: &ViewState) -> Vec<String> {
    match event {
        Event::Chat { history: true, .. }
        | Event::Edited { history: true, .. }
        | Event::Deleted { history: true, .. }
        | Event::Alert { history: true, .. }
        | Event::Delivered { history: true, .. }
            if state.stamp == Stamp::Time =>
        {
            state.past(event)
        }
        Event::Welcome(welcome) => state.welcome(welcome),
        Event::Chat { from, to, msg, action, ts, edited: true, .. } => {
            state.chat(from, to, &format!("{msg} (edited)"), *action, ts)
        }
        Event::Chat { from, to, msg, action, ts, .. } => state.chat(from, to, msg, *action, ts),
        Event::Edited { from, to, msg, ts, .. } => {
            state.chat(from, to, &format!("corrected: {msg}"), true, ts)
        }
        Event::Deleted { from, to, ts, .. } => state.chat(from, to, &event.text(), true, ts),
        Event::Sent { .. } | Event::Pong { .. } | Event::Multicast { .. } | Event::PakeOk { .. } => {
            Vec::new()
        }
        Event::Joined(crowd) => state.crowd(crowd, "->", "joined"),
        Event::Left(crowd) => state.crowd(crowd, "<-", "left"),
        Event::Renamed { name, .. } if *name == state.me => state.notes(&format!("you are now {name}")),
        Event::Users { room, users, total, next } => {
            state.users(room.as_deref(), users, *total, next.as_deref())
        }
        Event::Alert { by, msg, ts, .. } => state.alert(by, msg, ts),
        Event::Whois(user) => state.whois(user),
        Event::Delivered { ts, .. } => {
            state.block(&state.clock(ts), &state.paint(DIM, "--"), &event.text(), DIM)
        }
        Event::Error { msg, .. } => state.failures(msg),
        // The loss of the connection is reported once, with its consequences.
        Event::Bye { .. } => Vec::new(),
        Event::Unknown { from, msg } => state.notes(&format!("{}: {msg}", from.name)),
        _ => state.notes(&event.text()),
    }
}

impl ViewState {
    pub(crate) fn new(me: String, color: bool, preferences: Preferences, stamp: Stamp) -> Self {
        Self {
            me,
            color,
            zone: TimeZone::system(),
            now: Timestamp::now(),
            security: LinkSecurity::Plaintext,
            room: None,
            outlet: Outlet::Pipe,
            place_width: None,
            stamp,
            preferences,
        }
    }

    /// A line of the client's own: `12:03 -- text`.
    pub(crate) fn notes(&self, text: &str) -> Vec<String> {
        self.block(&self.clock(""), &self.paint(DIM, "--"), text, DIM)
    }

    /// The message that the next one answers: `      > bob: text`.
    pub(crate) fn quote(&self, text: &str) -> String {
        self.paint(DIM, &format!("      > {}", safe_line(text)))
    }

    /// A line with its number, for commands that take one.
    pub(crate) fn numbered(&self, number: usize, width: usize, line: &str) -> String {
        format!("{} {line}", self.paint(BOLD, &format!("{number:>width$}")))
    }

    /// An error: `12:03 ! text`.
    pub(crate) fn failures(&self, text: &str) -> Vec<String> {
        self.block(&self.clock(""), &self.paint(FAILURE, "!"), text, FAILURE)
    }

    /// Compares the server's clock with this one, for `/time`.
    pub(crate) fn time(
        &self,
        time: &str,
        ahead: Option<jiff::SignedDuration>,
        round_trip: Duration,
    ) -> Vec<String> {
        let trip = round_trip.as_secs_f64() * 1000.0;
        let mut text = format!("server time {time}; round trip {trip:.1} ms");
        if let Some(ahead) = ahead {
            let seconds = ahead.as_secs_f64();
            let way = if seconds < 0.0 { "behind" } else { "ahead" };
            text += &match seconds.abs() {
                close if close < 0.05 => "; the clocks agree".to_owned(),
                apart => format!("; this clock is {apart:.1} s {way}"),
            };
        }
        self.notes(&text)
    }

    fn welcome(&self, welcome: &Welcome) -> Vec<String> {
        let Welcome { server, name, total, motd, .. } = welcome;
        let mut lines = self.notes(&format!(
            "connected to {} as {name}; {} here{}",
            server.name,
            count_users(*total),
            match self.security {
                LinkSecurity::Plaintext => "; not encrypted",
                LinkSecurity::Unverified(_) => "; unverified (/verify)",
                LinkSecurity::Verified(_) => "",
            }
        ));
        if !motd.is_empty() {
            lines.extend(safe_lines(motd).iter().map(|line| format!("{}{line}", self.paint(DIM, GUTTER))));
        }
        lines
    }

    fn chat(&self, from: &Sender, to: &str, msg: &str, action: bool, ts: &str) -> Vec<String> {
        let clock = self.clock(ts);
        let mark = mark(from.key.as_deref(), from.is_server());
        let sender = format!("{}{mark}", self.name(&from.name));
        if let Some(place) = self.place(to) {
            // A sign for people who see no colours.
            let is_call = self.is_call(from, msg);
            let head = match (action, is_call) {
                (true, false) => format!("{place}* {sender}"),
                (false, false) => format!("{place}<{sender}>"),
                (true, true) => {
                    format!("{place}* {}", self.paint(CALL, &format!(">{}{mark}<", safe_line(&from.name))))
                }
                (false, true) => {
                    format!("{place}{}", self.paint(CALL, &format!(">{}{mark}<", safe_line(&from.name))))
                }
            };
            let block = self.block(&clock, &head, msg, Style::new());
            return if is_call { self.marked(block, &format!("{clock} {head} ")) } else { block };
        }
        let you = |name: &str| if name == self.me { "you".to_owned() } else { safe_line(name) };
        let head = format!("[{}{mark} -> {}]", you(&from.name), you(to));
        let head = self.paint(DIRECT, &head);
        let head = if action { format!("{head} * {sender}") } else { head };
        self.block(&clock, &head, msg, Style::new())
    }

    /// Whether a message in a room calls the user. Programs that read the lines get them as ever.
    fn is_call(&self, from: &Sender, msg: &str) -> bool {
        let is_others = from.name != self.me && !from.is_server();
        let words = &self.preferences.highlight;
        self.outlet != Outlet::Pipe && is_others && calling::mentions(msg, &self.me, words)
    }

    /// Marks what calls the user in a message's lines, of which the first begins with `head`.
    fn marked(&self, lines: Vec<String>, head: &str) -> Vec<String> {
        let mark = |line: &str| {
            calling::mark(line, &self.me, &self.preferences.highlight, |part| self.paint(CALL, part))
        };
        let mark = |line: String| match line.strip_prefix(head) {
            Some(text) => format!("{head}{}", mark(text)),
            None => mark(&line),
        };
        lines.into_iter().map(mark).collect()
    }

    /// A thin line with a text in it.
    pub(crate) fn rule(&self, text: &str) -> String {
        self.paint(DIM, &format!("── {} ──", safe_line(text)))
    }

    /// A time for people: with its date unless that is today's.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        let is_today = self.moment(at, "%F") == self.moment(self.now, "%F");
        self.moment(at, if is_today { "%H:%M" } else { "%F %H:%M" })
    }

    /// A message from the history: dimmed, and with its date if that is not today's.
    fn past(&self, event: &Event) -> Vec<String> {
        let plain = Self { color: false, stamp: Stamp::TimeOrDate, ..self.clone() };
        render(event, &plain).iter().map(|line| self.paint(DIM, line)).collect()
    }

    /// Marks a message with its room, unless the user talks there. `None` for messages outside rooms.
    fn place(&self, to: &str) -> Option<String> {
        let room = match Target::parse(to) {
            Target::All => RoomName::lobby(),
            Target::Room(room) => match RoomName::new(&room) {
                Ok(room) => room,
                Err(_) => return Some(format!("{} ", self.paint(DIM, &safe_line(&room)))),
            },
            _ => return None,
        };
        if let Some(width) = self.place_width {
            let pad = " ".repeat(width.saturating_sub(room.as_str().width()) + 1);
            let style = NAME_COLORS[hash(room.as_str()) % NAME_COLORS.len()].on_default();
            return Some(format!("{}{pad}", self.paint(style, room.as_str())));
        }
        let is_here = self.room.as_ref().map_or(room.is_lobby(), |here| *here == room);
        Some(if is_here { String::new() } else { format!("{} ", self.paint(DIM, room.as_str())) })
    }

    fn crowd(&self, crowd: &Crowd, arrow: &str, verb: &str) -> Vec<String> {
        let others: Vec<&str> =
            crowd.names.iter().map(String::as_str).filter(|name| *name != self.me).collect();
        let own = crowd.names.len() - others.len();
        let unnamed = crowd.count.saturating_sub(crowd.names.len());
        let who = match (others.as_slice(), unnamed) {
            ([], 0) if own > 0 => return Vec::new(),
            ([], count) => count_users(count),
            (names, 0) => names.join(", "),
            (names, more) => format!("{} and {more} more", names.join(", ")),
        };
        let room = crowd.room.as_ref().map_or(String::new(), |room| format!(" {room}"));
        let text = format!("{who} {verb}{room}; {} here", crowd.total);
        self.block(&self.clock(""), &self.paint(DIM, arrow), &text, DIM)
    }

    fn users(&self, room: Option<&str>, page: &[UserInfo], total: usize, next: Option<&str>) -> Vec<String> {
        let names: Vec<String> = page
            .iter()
            .map(|user| format!("{}{}", self.name(&user.name), mark(user.key.as_deref(), false)))
            .collect();
        let room = room.map(safe_line);
        let (within, of) = match &room {
            None => ("here".to_owned(), String::new()),
            Some(room) => (format!("in {room}"), format!("{room} ")),
        };
        let more =
            next.map_or(String::new(), |next| format!(" ... (/users {of}{} goes on)", safe_line(next)));
        let head = format!("{} {}", self.clock(""), self.paint(DIM, "--"));
        vec![format!("{head} {} {within}: {}{more}", count_users(total), names.join(", "))]
    }

    /// The times are this user's, not the server's.
    fn whois(&self, user: &UserInfo) -> Vec<String> {
        let local = |at: &String| at.parse().map_or_else(|_| at.clone(), |at| self.moment(at, "%F %H:%M"));
        let (since, last) = (user.since.as_ref().map(local), user.last.as_ref().map(local));
        self.notes(&Event::Whois(UserInfo { since, last, ..user.clone() }).text())
    }

    fn alert(&self, by: &str, msg: &str, ts: &str) -> Vec<String> {
        let head = self.paint(ALERT, &format!("*** ALERT from {}:", safe_line(by)));
        self.block(&self.clock(ts), &head, msg, ALERT)
    }

    /// A text after a head; further lines start with the gutter.
    fn block(&self, clock: &str, head: &str, text: &str, style: Style) -> Vec<String> {
        let mut lines = safe_lines(text).into_iter().map(|line| match line.is_empty() {
            true => line,
            false => self.paint(style, &line),
        });
        let first = lines.next().unwrap_or_default();
        let mut block = vec![format!("{clock} {head} {first}")];
        block.extend(lines.map(|line| format!("{}{line}", self.paint(DIM, GUTTER))));
        block
    }

    /// A name in its colour; this user's own in bold.
    fn name(&self, name: &str) -> String {
        let style = match name == self.me {
            true => BOLD,
            false => NAME_COLORS[hash(name) % NAME_COLORS.len()].on_default(),
        };
        self.paint(style, &safe_line(name))
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// `HH:MM` of the server's time stamp or of now, with the date where the stamp wants it.
    fn clock(&self, ts: &str) -> String {
        let at = ts.parse().unwrap_or(self.now);
        let is_today = || self.moment(at, "%F") == self.moment(self.now, "%F");
        let format = match self.stamp {
            Stamp::DateTime => "%F %T",
            Stamp::TimeOrDate if !is_today() => "%F %H:%M",
            Stamp::Time | Stamp::TimeOrDate => "%H:%M",
        };
        self.paint(DIM, &self.moment(at, format))
    }

    fn moment(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime(format).to_string()
    }
}

/// The mark after a name that no key backs.
fn mark(key: Option<&str>, is_server: bool) -> &'static str {
    if key.is_some() || is_server { "" } else { "?" }
}

/// FNV-1a: the same name has the same colour in every run.
fn hash(name: &str) -> usize {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    usize::try_from(hash >> 33).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::protocol::Code;
    use crate::protocol::packet::{BanInfo, KeyInfo, KeyList};

    const TS: &str = "2026-11-21T12:03:04.000Z";

    fn state(color: bool) -> ViewState {
        ViewState {
            me: "alice".into(),
            color,
            zone: TimeZone::UTC,
            now: "2026-11-21T12:10:00Z".parse().unwrap(),
            security: LinkSecurity::Plaintext,
            room: None,
            outlet: Outlet::Pipe,
            place_width: None,
            stamp: Stamp::Time,
            preferences: Preferences::default(),
        }
    }

    fn chat(from: &str, to: &str, msg: &str) -> Event {
        let from = Sender { name: from.into(), ip: "10.0.0.2".into(), key: Some("I3aEaKt5".into()) };
        Event::Chat {
            from,
            to: to.into(),
            msg: msg.into(),
            action: false,
            seq: Some(1),
            ts: TS.into(),
            history: false,
            reply: None,
            edited: false,
        }
    }

    fn lines(event: &Event) -> String {
        render(event, &state(false)).join("\n")
    }

    fn crowd(names: &[&str], count: usize) -> Crowd {
        Crowd { room: None, names: names.iter().map(|name| (*name).to_owned()).collect(), count, total: 9 }
    }

    #[test]
    fn every_kind_of_event_looks_as_it_should() {
        let action = |to: &str| match chat("bob", to, "waves") {
            Event::Chat { from, to, msg, seq, ts, history, reply, edited, .. } => {
                Event::Chat { from, to, msg, action: true, seq, ts, history, reply, edited }
            }
            other => other,
        };
        let keyless = |to: &str| match chat("eve", to, "hi") {
            Event::Chat { from, to, msg, action, seq, ts, history, reply, edited } => {
                let from = Sender { key: None, ..from };
                Event::Chat { from, to, msg, action, seq, ts, history, reply, edited }
            }
            other => other,
        };
        for (event, expected) in [
            (chat("bob", "all", "hello"), "12:03 <bob> hello"),
            (chat("alice", "#lobby", "hello"), "12:03 <alice> hello"),
            (chat("bob", "alice", "psst"), "12:03 [bob -> you] psst"),
            (chat("alice", "bob", "psst"), "12:03 [you -> bob] psst"),
            (chat("bob", "10.0.0.7", "psst"), "12:03 [bob -> 10.0.0.7] psst"),
            (action("all"), "12:03 * bob waves"),
            (action("alice"), "12:03 [bob -> you] * bob waves"),
            (keyless("all"), "12:03 <eve?> hi"),
            (keyless("alice"), "12:03 [eve? -> you] hi"),
            (
                chat("bob", "all", "one\r\ntwo\n\nthree\n"),
                "12:03 <bob> one\n       | two\n       | \n       | three",
            ),
            (Event::Joined(crowd(&["bob"], 1)), "12:10 -> bob joined; 9 here"),
            (Event::Joined(crowd(&["alice"], 1)), ""),
            (Event::Joined(crowd(&["alice", "bob"], 2)), "12:10 -> bob joined; 9 here"),
            (Event::Left(crowd(&["bob", "eve"], 7)), "12:10 <- bob, eve and 5 more left; 9 here"),
            (Event::Left(crowd(&[], 40)), "12:10 <- 40 users left; 9 here"),
            (Event::Renamed { old: "bob".into(), name: "rob".into() }, "12:10 -- bob is now rob"),
            (Event::Renamed { old: "al".into(), name: "alice".into() }, "12:10 -- you are now alice"),
            (
                Event::Alert {
                    by: "bob".into(),
                    msg: "fire".into(),
                    seq: Some(1),
                    ts: TS.into(),
                    history: false,
                },
                "12:03 *** ALERT from bob: fire",
            ),
            (Event::error(Code::NoSuchUser, "nobody"), "12:10 ! nobody"),
            (Event::Sent { seq: Some(1), ts: TS.into(), stored: true, waits: None, away: None }, ""),
            (Event::Unknown { from: Sender::server(), msg: "new".into() }, "12:10 -- server: new"),
        ] {
            assert_eq!(lines(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn who_is_here_and_who_somebody_is() {
        let key = Fingerprint::new([7; 32]);
        let user = |name: &str| UserInfo {
            name: name.into(),
            ip: "10.0.0.2".into(),
            key: Some(key.to_string()),
            ..UserInfo::default()
        };
        let users = Event::Users {
            room: None,
            users: vec![user("alice"), user("bob")],
            total: 7,
            next: Some("bob".into()),
        };
        assert_eq!(lines(&users), "12:10 -- 7 users here: alice, bob ... (/users bob goes on)");
        let whois = |since: &str| Event::Whois(UserInfo { since: Some(since.into()), ..user("bob") });
        assert_eq!(lines(&whois(TS)), format!("12:10 -- {}", whois("2026-11-21 12:03").text()));
        let keyless = UserInfo { key: None, plaintext: Some(true), ..user("eve") };
        let users = Event::Users { room: None, users: vec![user("bob"), keyless], total: 2, next: None };
        assert_eq!(lines(&users), "12:10 -- 2 users here: bob, eve?");
    }

    /// Every member that a peer or a hostile server fills in.
    fn hostile(text: &str) -> Vec<Event> {
        let text = || text.to_owned();
        let sender = || Sender { name: text(), ip: text(), key: Some(text()) };
        let user = UserInfo {
            name: text(),
            ip: text(),
            since: Some(text()),
            sessions: Some(3),
            operator: Some(true),
            key: Some(text()),
            plaintext: Some(true),
            last: Some(text()),
            away: Some(text()),
        };
        let welcome = Welcome {
            server: crate::protocol::packet::ServerInfo { id: text(), name: text(), version: text() },
            name: text(),
            ip: text(),
            motd: text(),
            ..Welcome::default()
        };
        let crowd = || Crowd { room: None, names: vec![text(), text()], count: 9, total: 9 };
        let chat = |to: String, action| Event::Chat {
            from: sender(),
            to,
            msg: text(),
            action,
            seq: Some(1),
            ts: text(),
            history: false,
            reply: None,
            edited: false,
        };
        vec![
            Event::Welcome(Box::new(welcome)),
            chat("all".into(), false),
            chat("all".into(), true),
            chat(text(), false),
            chat(text(), true),
            Event::Joined(crowd()),
            Event::Left(crowd()),
            Event::Renamed { old: text(), name: text() },
            Event::Users { room: None, users: vec![user.clone()], total: 1, next: Some(text()) },
            Event::Time { time: text(), ts: text(), uptime: 1 },
            Event::Alert { by: text(), msg: text(), seq: Some(1), ts: text(), history: false },
            Event::Whois(UserInfo { last: None, ..user.clone() }),
            Event::Whois(user),
            Event::Notice(text()),
            Event::Storing { works: false, msg: text() },
            Event::Error { code: None, msg: text(), name: Some(text()) },
            Event::Bye { code: None, msg: text(), server: None },
            Event::Pake { pake: text(), msg: text() },
            Event::Operator { operator: true, msg: text() },
            Event::Bans {
                bans: vec![BanInfo {
                    kind: text(),
                    who: text(),
                    name: Some(text()),
                    by: text(),
                    until: Some(text()),
                }],
                total: 3,
            },
            Event::Keys {
                list: KeyList::Operators,
                keys: vec![KeyInfo { key: text(), name: text(), by: Some(text()), ..KeyInfo::default() }],
                total: 3,
                next: Some(text()),
            },
            Event::Unknown { from: sender(), msg: text() },
        ]
    }

    #[test]
    fn no_member_of_any_event_reaches_the_terminal_unsafe() {
        for event in hostile("a\x1b[2J\x1b]0;owned\x07\r\u{9b}31m\u{202e}b\x08") {
            for line in render(&event, &state(false)) {
                assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{event:?}: {line:?}");
            }
        }
    }

    #[test]
    fn a_line_end_in_a_message_cannot_pass_for_another_message() {
        for event in hostile("hi\n12:04 <bob> I resign") {
            for line in render(&event, &state(false)) {
                assert!(!line.starts_with("12:04"), "{event:?}: {line:?}");
            }
        }
    }

    #[test]
    fn colours_are_there_only_when_wanted_and_end_where_they_begin() {
        let colored = render(&chat("bob", "all", "hello"), &state(true)).join("\n");
        assert!(colored.contains("\x1b[") && colored.contains("\x1b[0m"), "{colored:?}");
        let plain = anstream::adapter::strip_str(&colored).to_string();
        assert_eq!(plain, "12:03 <bob> hello");
    }
}
