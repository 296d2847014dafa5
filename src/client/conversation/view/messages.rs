//! Messages, alerts, and users who come and go.

use anstyle::Style;

use super::names::mark;
use super::{ALERT, CALL, DIM, Layout, Stamp, ViewState, render};
use crate::client::conversation::calling;
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
            if self.is_call(from, msg) {
                // A sign for people who see no colours.
                let sender = self.paint(CALL, &format!(">{}{mark}<", safe_line(&from.name)));
                let head = if action { format!("{place}* {sender}") } else { format!("{place}{sender}") };
                return Self { calls: true, ..self.clone() }.block(ts, &head, msg, Style::new());
            }
            return match action {
                true => self.block(ts, &format!("{place}* {sender}"), msg, Style::new()),
                false => self.block(ts, &format!("{place}<{sender}>"), msg, Style::new()),
            };
        }
        let you = |name: &str| if name == self.me { "you".to_owned() } else { safe_line(name) };
        let head = format!("[{}{mark} -> {}]", you(&from.name), you(to));
        let head = self.paint(self.palette.direct(), &head);
        let head = if action { format!("{head} * {sender}") } else { head };
        self.block(ts, &head, msg, Style::new())
    }

    /// Whether a message in a room calls the user.
    fn is_call(&self, from: &Sender, msg: &str) -> bool {
        let is_others = from.name != self.me && !from.is_server();
        self.signs && is_others && calling::mentions(msg, &self.me, &self.preferences.highlight)
    }

    /// A message from the history: dimmed, and in plain lines with its date if that is not today's.
    pub(super) fn past(&self, event: &Event) -> Vec<String> {
        let stamp = match self.layout {
            Layout::Lines => Stamp::TimeOrDate,
            Layout::Screen(_) => self.stamp,
        };
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
        if let Some(place_width) = self.place_width {
            let pad = " ".repeat(place_width.saturating_sub(width(room.as_str())) + 1);
            return Some(format!("{}{pad}", self.room_name(&room)));
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

    pub(super) fn alert(&self, by: &str, msg: &str, ts: &str) -> Vec<String> {
        let head = self.paint(ALERT, &format!("*** ALERT from {}:", safe_line(by)));
        self.block(ts, &head, msg, ALERT)
    }
}
