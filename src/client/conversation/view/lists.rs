//! Lists: users, rooms, what is known about a user, bans and keys. On a screen they are tables, in plain lines
//! each is one line.

use anstyle::Style;
use jiff::Timestamp;

use super::names::listed;
use super::{DIM, ViewState};
use crate::fingerprint::Fingerprint;
use crate::protocol::Event;
use crate::protocol::event::{count_users, servers_text};
use crate::protocol::packet::{BanInfo, KeyInfo, KeyList, RoomInfo, UserInfo};
use crate::text::{break_lines, safe_line, width};

/// Columns between two columns of a table.
const GAP: usize = 2;

/// The widest first column of a table of commands: `/msg NAME|#ROOM TEXT` fits.
const WIDEST_FIRST: usize = 24;

/// `7 users here`, `2 users in #games with "ali"`.
pub(crate) fn users_title(room: Option<&str>, total: usize, text: Option<&str>) -> String {
    let within = room.map_or_else(|| "here".to_owned(), |room| format!("in {room}"));
    let with = text.map_or_else(String::new, |text| format!(" with \"{text}\""));
    format!("{} {within}{with}", count_users(total))
}

/// `3 rooms`, `1 room with "dev"`.
pub(crate) fn rooms_title(total: usize, text: Option<&str>) -> String {
    let with = text.map_or_else(String::new, |text| format!(" with \"{text}\""));
    if total == 1 { format!("1 room{with}") } else { format!("{total} rooms{with}") }
}

impl ViewState {
    /// As many users as fit in `rows`, and how many these are. Without a screen, all.
    pub(crate) fn users_page(
        &self,
        title: &str,
        users: &[UserInfo],
        is_long: bool,
        rows: usize,
    ) -> (Vec<String>, usize) {
        let names: Vec<String> = users.iter().map(listed).collect();
        let line = if names.is_empty() { title.to_owned() } else { format!("{title}: {}", names.join(", ")) };
        let Some(columns) = self.table_columns() else { return (self.notes(&line), users.len()) };
        if is_long {
            let shown = users.get(..users.len().min(rows)).unwrap_or_default();
            let table: Vec<_> = shown.iter().map(|user| (listed(user), described(user))).collect();
            let mut lines = self.titled(title, users.is_empty());
            lines.extend(self.table(&table));
            return (lines, shown.len());
        }
        let indent = self.note_indent();
        if users.is_empty() || indent + width(&line) <= columns {
            return (self.users_line(title, &names, users), users.len());
        }
        let widest = names.iter().map(|name| width(name)).max().unwrap_or_default() + GAP;
        // The last column needs no gap.
        let per_row = ((columns.saturating_sub(indent) + GAP) / widest).max(1);
        let shown = users.len().min(per_row.saturating_mul(rows));
        let cells: Vec<_> = names.iter().zip(users).take(shown).collect();
        let mut lines = self.titled(title, false);
        for row in cells.chunks(per_row) {
            let mut line = " ".repeat(indent);
            for (place, (name, user)) in row.iter().enumerate() {
                line += &self.paint(self.list_style(&user.name), name);
                if place + 1 < row.len() {
                    line += &" ".repeat(widest - width(name));
                }
            }
            lines.push(line);
        }
        (lines, shown)
    }

    /// A list of users that fits on the line of its title.
    fn users_line(&self, title: &str, names: &[String], users: &[UserInfo]) -> Vec<String> {
        let mut lines = self.titled(title, users.is_empty());
        let painted: Vec<String> = names
            .iter()
            .zip(users)
            .map(|(name, user)| self.paint(self.list_style(&user.name), name))
            .collect();
        if let Some(line) = lines.last_mut().filter(|_| !users.is_empty()) {
            *line += &format!(" {}", painted.join(", "));
        }
        lines
    }

    /// As many rooms as fit in `rows`, and how many these are. Without a screen, all.
    pub(crate) fn rooms_page(&self, title: &str, rooms: &[RoomInfo], rows: usize) -> (Vec<String>, usize) {
        if self.table_columns().is_none() {
            let text = match rooms {
                [] => title.to_owned(),
                rooms => {
                    let event = Event::Rooms { rooms: rooms.to_vec(), total: rooms.len(), next: None };
                    let text = event.text();
                    format!("{title}: {}", text.split_once(": ").map_or("", |(_, list)| list))
                }
            };
            return (self.notes(&text), rooms.len());
        }
        let mut lines = self.titled(title, rooms.is_empty());
        let digits = rooms.iter().map(|room| room.members.to_string().len()).max().unwrap_or_default();
        let widest = rooms.iter().map(|room| width(&safe_line(&room.name))).max().unwrap_or_default();
        let first = widest.min(WIDEST_FIRST) + "* ".len();
        let mut shown = 0;
        for room in rooms {
            let mark = if room.joined { '*' } else { ' ' };
            let counts = format!("{:>digits$} of {:>digits$} here", room.here, room.members);
            let topic = room.topic.as_deref().map(safe_line).unwrap_or_default();
            let name = format!("{mark} {}", safe_line(&room.name));
            let more = self.row(&name, first, &format!("{counts}  {topic}"), counts.len() + GAP);
            if shown > 0 && lines.len() + more.len() > rows.saturating_add(1) {
                break;
            }
            lines.extend(more);
            shown += 1;
        }
        (lines, shown)
    }

    fn titled(&self, title: &str, is_empty: bool) -> Vec<String> {
        self.notes(&if is_empty { title.to_owned() } else { format!("{title}:") })
    }

    /// The columns of a table; `None`: there is no screen.
    fn table_columns(&self) -> Option<usize> {
        self.screen().map(|screen| screen.columns)
    }

    /// Rows of two columns beneath a note. The second one is broken at words.
    pub(crate) fn table(&self, rows: &[(String, String)]) -> Vec<String> {
        let widest = rows.iter().map(|(first, _)| width(first)).max().unwrap_or_default();
        let first = if self.is_screen() { widest.min(WIDEST_FIRST) } else { widest };
        rows.iter().flat_map(|(name, text)| self.row(&safe_line(name), first, &safe_line(text), 0)).collect()
    }

    /// A row: a safe cell of that width, and a safe text whose further lines have `deeper` columns more.
    fn row(&self, cell: &str, first: usize, text: &str, deeper: usize) -> Vec<String> {
        let (indent, taken) = (self.note_indent(), width(cell));
        let text_column = indent + first + GAP;
        let mut lines = vec![format!("{:indent$}{}", "", self.paint(Style::new(), cell))];
        let text = text.trim_end();
        if text.is_empty() {
            return lines;
        }
        let columns = self.wrap_columns().unwrap_or(usize::MAX);
        let room = columns.saturating_sub(text_column);
        let parts = break_lines(text, room, room.saturating_sub(deeper));
        for (place, part) in parts.into_iter().enumerate() {
            let part = self.paint(DIM, text.get(part).unwrap_or_default());
            match lines.last_mut() {
                // A cell that is too wide has a row of its own.
                Some(line) if place == 0 && taken <= first => {
                    *line += &format!("{}{part}", " ".repeat(first + GAP - taken));
                }
                _ => {
                    let further = if place == 0 { text_column } else { text_column + deeper };
                    lines.push(format!("{:further$}{part}", ""));
                }
            }
        }
        lines
    }

    /// The times are this user's, not the server's.
    /// `verified` is when this user compared the key with them.
    pub(crate) fn whois(&self, user: &UserInfo, verified: Option<Timestamp>) -> Vec<String> {
        let verified = verified.map_or_else(String::new, |at| format!(" (verified {})", self.date(at)));
        let local = |at: &String| self.local(at);
        let (since, last) = (user.since.as_ref().map(local), user.last.as_ref().map(local));
        let user = UserInfo { since, last, ..user.clone() };
        if !self.is_screen() {
            return self.notes(&format!("{}{verified}", Event::Whois(user).text()));
        }
        let mut head = match &user.last {
            Some(last) => format!("{} is offline, last here {last}", user.name),
            None => format!("{} from {}", user.name, user.ip),
        };
        if user.operator == Some(true) {
            head += ", operator";
        }
        let mut rows = Vec::new();
        if !user.nodes.is_empty() {
            rows.push(("at".to_owned(), servers_text(&user.nodes)));
        }
        if let Some(since) = user.since {
            let sessions = user.sessions.filter(|sessions| *sessions != 1);
            let sessions = sessions.map_or_else(String::new, |sessions| format!(", {sessions} connections"));
            rows.push(("here since".to_owned(), format!("{since}{sessions}")));
        }
        if let Some(why) = user.away {
            rows.push(("away".to_owned(), if why.is_empty() { "yes".to_owned() } else { why }));
        }
        if user.web == Some(true) {
            rows.push(("in a browser".to_owned(), "yes".to_owned()));
        }
        if user.plaintext == Some(true) {
            rows.push(("encrypted".to_owned(), "no: others on the network can read along".to_owned()));
        }
        rows.push(("key".to_owned(), spoken_key(user.key.as_deref()) + &verified));
        let mut lines = self.notes(&head);
        lines.extend(self.table(&rows));
        lines
    }

    pub(super) fn bans(&self, bans: &[BanInfo], total: usize) -> Vec<String> {
        let local =
            |ban: &BanInfo| BanInfo { until: ban.until.as_ref().map(|at| self.local(at)), ..ban.clone() };
        self.notes(&Event::Bans { bans: bans.iter().map(local).collect(), total }.text())
    }

    pub(super) fn keys(
        &self,
        list: KeyList,
        keys: &[KeyInfo],
        total: usize,
        next: Option<String>,
    ) -> Vec<String> {
        let local = |at: &Option<String>| at.as_ref().map(|at| self.local(at));
        let local =
            |key: &KeyInfo| KeyInfo { since: local(&key.since), last: local(&key.last), ..key.clone() };
        self.notes(&Event::Keys { list, keys: keys.iter().map(local).collect(), total, next }.text())
    }
}

/// A user's key as people compare it.
fn spoken_key(key: Option<&str>) -> String {
    match key {
        None => "none: anyone could be using the name".to_owned(),
        Some(key) => key.parse().map_or_else(|_| key.to_owned(), |key: Fingerprint| key.spoken()),
    }
}

/// The details of a user in a long list.
fn described(user: &UserInfo) -> String {
    let mut text = user.ip.clone();
    if let Some(key) = &user.key {
        text += &format!("  key {key}");
    }
    if !user.nodes.is_empty() {
        text += &format!("  at {}", servers_text(&user.nodes));
    }
    if user.web == Some(true) {
        text += "  in a browser";
    }
    if user.plaintext == Some(true) {
        text += "  not encrypted";
    }
    text
}
