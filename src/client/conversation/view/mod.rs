//! Turns events into lines for a terminal. The only place where remote text is made safe; its lines can be
//! printed as they are. It prints nothing itself.

mod block;
mod days;
mod lists;
mod messages;
mod names;
mod palette;

#[cfg(test)]
mod tests;

pub(super) use lists::{rooms_title, users_title};
use palette::Palette;

use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Effects, Style};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::outlet::Outlet;
use super::subject_of_change::ChangedMessage;
use super::transfers::described;
use crate::client::preferences::Preferences;
use crate::client::shared_state::SharedState;
use crate::client::trust::LinkSecurity;
use crate::name::RoomName;
use crate::protocol::Event;
use crate::protocol::event::{Welcome, count_users};
use crate::text::{Sought, break_lines, safe_line};
use names::NameColors;

const DIM: Style = Style::new().effects(Effects::DIMMED);
const BOLD: Style = Style::new().effects(Effects::BOLD);
/// The user's name in a message, and the sender of a message that mentions the user.
const MENTION: Style = Style::new().effects(Effects::BOLD.insert(Effects::INVERT));
/// The ends of a thin line.
const RULE: &str = "──";

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

/// The part of the state that each line changes for the next.
#[derive(Debug, Default)]
struct ViewMemory {
    names: NameColors,
    /// The day of the last line.
    day: Option<Date>,
    /// Whether that line was an old message.
    in_past: bool,
}

/// The settings and state that lines depend on.
#[derive(Debug, Clone)]
pub(crate) struct ViewState {
    /// The user's own name.
    pub(crate) me: String,
    pub(crate) color: bool,
    palette: Palette,
    /// `None`: the zone that the machine has at the moment.
    zone: Option<TimeZone>,
    /// The time for events without one.
    pub(crate) now: Timestamp,
    /// How secure the connection is.
    pub(crate) security: LinkSecurity,
    /// The room that the user talks in; none in the lobby and in direct conversations. Messages from
    /// elsewhere are marked with their room.
    pub(crate) room: Option<RoomName>,
    /// Where lines go. Above a prompt, they are broken at words to the width of the moment, a line tells each
    /// new day, and lists are tables; elsewhere each text is one line, however long.
    pub(crate) outlet: Outlet,
    /// The columns for the place before each message; `None`: only messages from elsewhere have one.
    pub(crate) place_width: Option<usize>,
    stamp: Stamp,
    /// Words to mark in messages.
    sought: Option<Arc<Sought>>,
    /// Whether the line is about the past, so it is dimmed.
    is_past: bool,
    /// A number instead of the time, to point at the line.
    number: Option<usize>,
    /// The message that a change is about.
    changed: Option<ChangedMessage>,
    memory: SharedState<ViewMemory>,
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
            if !state.is_past && state.stamp != Stamp::DateTime =>
        {
            state.past(event)
        }
        Event::Welcome(welcome) => state.welcome(welcome),
        Event::Chat { from, to, msg, action, ts, edited: true, .. } => {
            state.chat(from, to, &format!("{msg} (edited)"), *action, ts)
        }
        Event::Chat { from, to, msg, action, ts, .. } => state.chat(from, to, msg, *action, ts),
        Event::Edited { from, to, ts, .. } | Event::Deleted { from, to, ts, .. } => {
            state.chat(from, to, &state.change_text(event), true, ts)
        }
        // Only lines without a prompt show it so; above one, `transfers` says more.
        Event::Offer { from, to, offer, file, key: _ } => {
            let who = safe_line(&from.name);
            let mark = names::mark(from.key.as_deref(), from.is_server());
            let what = described(file);
            state.offer(to, &format!("{who}{mark} offers {what}, number {offer}"))
        }
        Event::Sent { .. } | Event::Pong { .. } | Event::Multicast { .. } | Event::PakeOk { .. } => {
            Vec::new()
        }
        Event::Joined(crowd) => state.crowd(crowd, "->", "joined"),
        Event::Left(crowd) => state.crowd(crowd, "<-", "left"),
        Event::Renamed { name, .. } if *name == state.me => state.notes(&format!("you are now {name}")),
        Event::Users { room, users, total, .. } => {
            let title = users_title(room.as_deref(), *total, None);
            state.users_page(&title, users, false, usize::MAX).0
        }
        Event::Rooms { rooms, total, .. } => {
            state.rooms_page(&rooms_title(*total, None), rooms, usize::MAX).0
        }
        Event::Time { time, ts, .. } => state.notes(&format!("server time {}", state.server_time(time, ts))),
        Event::Alert { by, msg, ts, .. } => state.alert(by, msg, ts),
        Event::Whois(user) => state.whois(user, None),
        Event::Bans { bans, total } => state.bans(bans, *total),
        Event::Keys { list, keys, total, next } => state.keys(*list, keys, *total, next.clone()),
        Event::Delivered { ts, .. } => state.block(ts, &state.paint(DIM, "--"), &event.text(), DIM),
        Event::Error { msg, .. } => state.failures(msg),
        // The loss of the connection is reported once, with its consequences.
        Event::Bye { .. } => Vec::new(),
        Event::Unknown { from, msg } => state.notes(&format!("{}: {msg}", from.name)),
        _ => state.notes(&event.text()),
    }
}

/// The lines that show a message which a search has found, with the words that it was found by.
pub(crate) fn render_hit(event: &Event, state: &ViewState, sought: &Arc<Sought>) -> Vec<String> {
    render(event, &ViewState { sought: Some(Arc::clone(sought)), ..state.clone() })
}

/// The lines that show a change of that message.
pub(super) fn render_change(event: &Event, state: &ViewState, changed: ChangedMessage) -> Vec<String> {
    render(event, &ViewState { changed: Some(changed), ..state.clone() })
}

/// The lines that show an event under a number.
pub(crate) fn render_numbered(event: &Event, state: &ViewState, number: usize) -> Vec<String> {
    render(event, &ViewState { number: Some(number), ..state.clone() })
}

impl ViewState {
    pub(crate) fn new(me: String, color: bool, preferences: Preferences, stamp: Stamp) -> Self {
        Self {
            me,
            color,
            palette: Palette::of_terminal(),
            zone: None,
            now: Timestamp::now(),
            security: LinkSecurity::Plaintext,
            room: None,
            outlet: Outlet::Pipe,
            place_width: None,
            stamp,
            sought: None,
            is_past: false,
            number: None,
            changed: None,
            memory: SharedState::default(),
            preferences,
        }
    }

    /// The same with the date in each line that is not of today.
    pub(crate) fn dated(&self) -> Self {
        Self { stamp: Stamp::TimeOrDate, ..self.clone() }
    }

    /// A thin line with a text in it; in a narrow window, broken at words.
    pub(crate) fn rule(&self, text: &str) -> String {
        let rule = format!("{RULE} {} {RULE}", safe_line(text));
        let indent = RULE.chars().count() + 1;
        let Some(columns) = self.wrap_columns() else { return self.paint(DIM, &rule) };
        let parts = break_lines(&rule, columns, columns.saturating_sub(indent)).into_iter();
        let lines: Vec<_> =
            parts.filter_map(|part| rule.get(part)).map(|line| self.paint(DIM, line)).collect();
        lines.join(&format!("\n{:indent$}", ""))
    }

    /// The same in a fixed time zone.
    #[cfg(test)]
    pub(crate) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone: Some(zone), ..self }
    }

    /// The style of the prompt's label.
    pub(crate) fn label_style(&self, is_down: bool) -> Style {
        if is_down { self.palette.warning() } else { self.palette.accent() }
    }

    /// A user has another name, but the same colour.
    pub(crate) fn rename(&self, old: &str, name: &str) {
        self.memory.lock().names.rename(old, name);
    }

    /// Compares the server's clock with this one, for `/time`.
    pub(crate) fn time(
        &self,
        time: &str,
        ts: &str,
        ahead: Option<jiff::SignedDuration>,
        round_trip: Duration,
    ) -> Vec<String> {
        let trip = round_trip.as_secs_f64() * 1000.0;
        let mut text = format!("server time {}; round trip {trip:.1} ms", self.server_time(time, ts));
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
        let text = format!(
            "connected to {} as {name}; {} here{}",
            server.name,
            count_users(*total),
            match self.security {
                LinkSecurity::Plaintext => "; not encrypted",
                LinkSecurity::Unverified(_) => "; unverified (/verify)",
                LinkSecurity::Verified(_) => "",
            }
        );
        match motd.as_str() {
            "" => self.notes(&text),
            motd => {
                let mut lines = self.notes(&text);
                lines.extend(self.beneath(motd));
                lines
            }
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        let style = if self.is_past { DIM } else { style };
        if self.color && !style.is_plain() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
