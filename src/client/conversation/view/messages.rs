//! Messages, alerts, and users who come and go.

use anstyle::Style;

use super::names::{hash, mark};
use super::{ALERT, DIM, MENTION, Stamp, ViewState, render};
use crate::client::conversation::notifications;
use crate::client::conversation::outlet::Outlet;
use crate::client::conversation::subject_of_change::ChangedMessage;
use crate::name::RoomName;
use crate::protocol::event::{Crowd, count_users};
use crate::protocol::packet::Sender;
use crate::protocol::{Event, Target};
use crate::text::{safe_line, width};

impl ViewState {
    pub(super) fn chat(&self, from: &Sender, to: &str, msg: &str, action: bool, ts: &str) -> Vec<String> {
        let mark = mark(from.key.as_deref(), from.is_server());
        let sender = format!("{}{mark}", self.name(&from.name));
        if let Some(place) = self.place(to) {
            // A sign for people who see no colours.
            let sign = self.is_for_user(from, msg).then(|| {
                let text = format!(">{}{mark}<", safe_line(&from.name));
                self.paint(MENTION, &text)
            });
            let head = match (action, &sign) {
                (true, None) => format!("{place}* {sender}"),
                (false, None) => format!("{place}<{sender}>"),
                (true, Some(sign)) => format!("{place}* {sign}"),
                (false, Some(sign)) => format!("{place}{sign}"),
            };
            let mentions =
                |line: &str| notifications::mention_places(line, &self.me, &self.preferences.highlight);
            return match sign {
                Some(_) => self.marked_block(ts, &head, msg, Style::new(), &mentions),
                None => self.block(ts, &head, msg, Style::new()),
            };
        }
        let you = |name: &str| if name == self.me { "you".to_owned() } else { safe_line(name) };
        let head = format!("[{}{mark} -> {}]", you(&from.name), you(to));
        let head = self.paint(self.palette.direct(), &head);
        let head = if action { format!("{head} * {sender}") } else { head };
        self.block(ts, &head, msg, Style::new())
    }

    /// An offer of a file, as a line of the client's own, so that no message can pass for one. `to` is a room or a
    /// user.
    pub(in crate::client::conversation) fn offer(&self, to: &str, text: &str) -> Vec<String> {
        let place = self.place(to).unwrap_or_default();
        self.block("", &format!("{place}{}", self.paint(DIM, "--")), text, Style::new())
    }

    /// Whether a message in a room mentions the user. Programs that read the lines get them as ever.
    fn is_for_user(&self, from: &Sender, msg: &str) -> bool {
        let is_others = from.name != self.me && !from.is_server();
        let words = &self.preferences.highlight;
        self.outlet != Outlet::Pipe && is_others && notifications::mentions(msg, &self.me, words)
    }

    /// A message from the history: dimmed, and in plain lines with its date if that is not today's.
    pub(super) fn past(&self, event: &Event) -> Vec<String> {
        let stamp = if self.is_screen() { self.stamp } else { Stamp::TimeOrDate };
        render(event, &Self { is_past: true, stamp, ..self.clone() })
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
        if let Some(columns) = self.place_width {
            let pad = " ".repeat(columns.saturating_sub(width(room.as_str())) + 1);
            let colors = self.palette.names();
            let style = Style::new().fg_color(colors.get(hash(room.as_str()) % colors.len()).copied());
            return Some(format!("{}{pad}", self.paint(style, room.as_str())));
        }
        let is_here = self.room.as_ref().map_or(room.is_lobby(), |here| *here == room);
        Some(if is_here { String::new() } else { format!("{} ", self.paint(DIM, room.as_str())) })
    }

    pub(super) fn crowd(&self, crowd: &Crowd, arrow: &str, verb: &str) -> Vec<String> {
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
        self.block("", &self.paint(DIM, arrow), &text, DIM)
    }

    /// Says how an author has changed a message, and which one.
    pub(super) fn change_text(&self, event: &Event) -> String {
        let Some(changed) = &self.changed else { return event.text().into_owned() };
        let message = match changed {
            ChangedMessage::Words(words) => format!("\"{words}\""),
            ChangedMessage::Time(ts) => match ts.parse() {
                Ok(at) => format!("a message of {}", self.when(at)),
                Err(_) => "an earlier message".to_owned(),
            },
            ChangedMessage::Unknown => "an earlier message".to_owned(),
        };
        match event {
            Event::Edited { msg, .. } => format!("corrected {message}: {msg}"),
            Event::Deleted { name: Some(name), .. } => format!("deleted {message} by {name}"),
            _ => format!("deleted {message}"),
        }
    }

    pub(super) fn alert(&self, by: &str, msg: &str, ts: &str) -> Vec<String> {
        let head = self.paint(ALERT, &format!("*** ALERT from {}:", safe_line(by)));
        self.block(ts, &head, msg, ALERT)
    }
}
