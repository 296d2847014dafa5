//! The commands about unread messages, notifications and ignored users, and going from one room or
//! conversation to another.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ignored::IgnoredUser;
use super::notifications::{self, Silence};
use super::past::{MessagesQuery, RequestedMessages, Title};
use super::spot::Spot;
use super::unread::Unread;
use super::{CallTime, Conversation, Effect, PendingRequest, shown};
use crate::limits::MAX_HISTORY_ASKED;
use crate::protocol::command::Attend;
use crate::protocol::packet::UserInfo;
use crate::protocol::request::{Act, Ask};
use crate::protocol::term::Term;
use crate::protocol::{Event, Request, Target};

/// Messages of this user's own among unread ones, which count too.
const OWN_AMONG: usize = 20;

/// The most words to search for with `/mentions`.
const MAX_SOUGHT: usize = 8;

impl Conversation {
    /// Handles a command about unread messages, notifications or ignored users.
    pub(super) fn attend(&mut self, command: Attend, now: CallTime) -> Vec<Effect> {
        match command {
            Attend::Next => self.go_on(),
            Attend::Missed => self.all_missed(),
            Attend::Mentions => self.list_mentions(),
            Attend::Focus(wanted) => self.focus(wanted),
            Attend::Dnd(duration) => self.silence(duration.as_deref(), now),
            Attend::Ignore(None) => self.list_ignored(),
            Attend::Ignore(Some((name, duration))) => self.ask_ignore(name, duration.as_deref()),
            Attend::Unignore(name) => self.unignore(&name),
        }
    }

    /// Counts the current spot as read, because the user presses a key there.
    pub(crate) fn look(&mut self) {
        if let Some(here) = self.here() {
            self.read_all(&here);
        }
    }

    /// Counts a spot as read. Tells the server, for the user's other terminals.
    pub(super) fn read_all(&mut self, spot: &Spot) -> Option<Unread> {
        let unread = self.attention.unread.take(spot)?;
        let last = unread.last.filter(|_| self.session.keeps && self.view.screen().is_some());
        if let Some(seq) = last.filter(|seq| self.attention.unread.is_news(spot, *seq)) {
            let (name, room) = match spot {
                Spot::Room(room) if room.is_lobby() => (None, None),
                Spot::Room(room) => (None, Some(room.to_string())),
                Spot::User(_) => (Some(unread.name.clone()), None),
            };
            self.tell_read(name, room, seq);
        }
        Some(unread)
    }

    /// Asks the server for the positions of the user's other terminals: it sends them to clients that have sent
    /// one themselves. Position 0 claims nothing.
    pub(super) fn follow_reading(&mut self) {
        if self.session.keeps && self.view.screen().is_some() {
            self.tell_read(None, None, 0);
        }
    }

    fn tell_read(&mut self, name: Option<String>, room: Option<String>, seq: u64) {
        let id = self.outbox.next_id();
        if self.hand(Request::from(Act::Read { name, room, seq }).to_frame(Some(&id))) {
            // The server answers only if it refuses, which one answer tells as well as many.
            let before = self.attention.reported.replace(id.clone());
            if let Some(id) = before {
                self.requests.remove(&id);
            }
            self.requests.insert(id, PendingRequest::Read);
        }
    }

    /// The window's title; none if the user wants none.
    pub(crate) fn title(&self) -> Option<String> {
        let name = crate::text::safe_line(&self.session.server.name);
        let count = match self.attention.unread.for_user() {
            0 => String::new(),
            count => format!("({count}) "),
        };
        self.view.preferences.title.then(|| format!("{count}lanchat {name}").trim_end().to_owned())
    }

    /// Goes to the most urgent unread messages or, without any, back to where this began.
    pub(crate) fn go_on(&mut self) -> Vec<Effect> {
        let here = self.here();
        if let Some(target) = self.attention.unread.most_urgent(here.as_ref()) {
            let from = self.attention.unread.came_from.take().unwrap_or_else(|| self.target.clone());
            let effects = self.go(target, true);
            self.attention.unread.came_from = Some(from);
            return effects;
        }
        match self.attention.unread.came_from.take().filter(|from| *from != self.target) {
            Some(from) => self.go(from, false),
            None => self.note("you have read everything"),
        }
    }

    /// Makes a room or user the target of plain lines, and shows unread messages there that are not on the
    /// screen; with `always`, also those that are.
    pub(super) fn go(&mut self, target: Target, always: bool) -> Vec<Effect> {
        self.look();
        self.attention.unread.came_from = None;
        let is_new = self.target != target;
        self.aim(target);
        let mut effects = vec![Effect::Relabel];
        let Some(spot) = self.here() else { return effects };
        let unread = self.read_all(&spot);
        match unread.filter(|unread| self.session.keeps && (unread.is_hidden || always)) {
            Some(unread) => effects.extend(self.ask_unread(&spot, &unread)),
            None if is_new && self.view.screen().is_some() => {
                effects.extend(self.rule(&spot.label(&self.target.to_string())));
            }
            None => {}
        }
        effects
    }

    fn ask_unread(&mut self, spot: &Spot, unread: &Unread) -> Vec<Effect> {
        let (room, name) = match spot {
            Spot::Room(room) => (Some(room.to_string()), None),
            Spot::User(_) => (None, Some(unread.name.clone())),
        };
        let limit = u64::try_from(unread.count + OWN_AMONG).unwrap_or(u64::MAX).min(MAX_HISTORY_ASKED);
        let since = self.view.when(unread.since);
        let text = format!("{}: new since {since}", spot.label(&unread.name));
        let query = MessagesQuery::history(room, name, Some(limit));
        self.ask_messages(RequestedMessages::new(query, Title::Rule(text)).from(unread.first))
    }

    fn focus(&mut self, wanted: Option<bool>) -> Vec<Effect> {
        let places = &mut self.attention.unread;
        let Some(wanted) = wanted else {
            let is_on = places.focus.unwrap_or(self.view.preferences.focus);
            return self.note(match is_on {
                true => "focus is on: lanchat shows only this room or conversation; to end this: /focus off",
                false => {
                    "focus is off: lanchat shows all your rooms and conversations; to change this: /focus on"
                }
            });
        };
        places.focus = Some(wanted);
        match wanted {
            true if !self.session.keeps => self.note(
                "this server keeps no history, so lanchat still shows all messages as they come",
            ),
            true => self.note(
                "lanchat shows only this room or conversation, mentions and direct messages; for the others: /next (Alt-A)",
            ),
            false => self.note("lanchat shows the messages of all your rooms and conversations as they come"),
        }
    }

    fn silence(&mut self, duration: Option<&str>, now: CallTime) -> Vec<Effect> {
        let term = match duration {
            Some("off") => {
                self.attention.notifications.silence = None;
                return self.note("bells and notifications are on again");
            }
            Some(duration) => duration.parse(),
            None => Ok(Term::Forever),
        };
        let (silence, until) = match term {
            Err(error) => return self.failure(&error.to_string()),
            Ok(Term::Forever) => (Silence::Always, String::new()),
            Ok(Term::For(time)) => match (now.instant.checked_add(time), self.after(time)) {
                (Some(end), Some(until)) => {
                    (Silence::Until(end), format!(" until {}", self.view.when(until)))
                }
                _ => (Silence::Always, String::new()),
            },
        };
        self.attention.notifications.silence = Some(silence);
        self.note(&format!(
            "no bells or notifications{until}; the prompt still counts messages; to end this: /dnd off"
        ))
    }

    /// The moment in that time; `None`: later than any calendar.
    fn after(&self, time: Duration) -> Option<Timestamp> {
        self.view.now.checked_add(SignedDuration::try_from(time).ok()?).ok()
    }

    fn list_mentions(&mut self) -> Vec<Effect> {
        if !self.session.keeps {
            return match self.attention.notifications.mentions.is_empty() {
                true => self.note("nobody has mentioned you since you joined"),
                false => shown(self.attention.notifications.mentions.iter().cloned().collect()),
            };
        }
        let me = self.view.me.clone();
        let words: Vec<_> = std::iter::once(me).chain(self.view.preferences.highlight.clone()).collect();
        let mut effects = Vec::new();
        for word in words.into_iter().take(MAX_SOUGHT) {
            let subject = format!("mentions of {word}");
            let query = MessagesQuery::words(format!("\"{}\"", word.replace('"', "")), subject.clone());
            effects.extend(self.ask_messages(RequestedMessages::new(query, Title::Note(subject)).of(word)));
        }
        effects
    }

    /// Whether another user says the word in that message.
    pub(super) fn is_mention(&self, event: &Event, word: &str) -> bool {
        let Event::Chat { from, msg, .. } = event else { return true };
        from.name != self.view.me && notifications::mentions(msg, word, &[])
    }

    fn ask_ignore(&mut self, name: String, duration: Option<&str>) -> Vec<Effect> {
        let term = duration.map_or(Ok(Term::Forever), str::parse);
        let until = match term {
            Err(error) => return self.failure(&error.to_string()),
            Ok(Term::Forever) => None,
            Ok(Term::For(time)) => self.after(time),
        };
        if name.to_lowercase() == self.view.me.to_lowercase() {
            return self.failure("you cannot ignore yourself");
        }
        self.ask(&Ask::Whois { name }.into(), PendingRequest::Ignore(until))
    }

    /// Ignores the user whom the server has found.
    pub(super) fn ignore(&mut self, user: &UserInfo, until: Option<Timestamp>) -> Vec<Effect> {
        let name = &user.name;
        let how = match user.key {
            Some(_) => "by key, so under any name",
            None => "by name, because no key backs it",
        };
        let till = until.map_or(String::new(), |until| format!(" until {}", self.view.when(until)));
        let entry = IgnoredUser { name: name.clone(), key: user.key.clone(), until };
        let saved = self.attention.ignored.add(entry, self.view.now);
        self.attention.unread.take(&Spot::User(name.to_lowercase()));
        let mut effects = self.note(&format!(
            "you no longer see messages from {name}{till} ({how}); to undo: /unignore {name}"
        ));
        effects.extend(self.unsaved(saved.err()));
        self.offer_ignored();
        effects.push(Effect::Relabel);
        effects
    }

    fn unignore(&mut self, name: &str) -> Vec<Effect> {
        let removed = self.attention.ignored.remove(name, self.view.now);
        self.offer_ignored();
        match removed {
            Ok(0) => {
                self.failure(&format!("you do not ignore {name}; /ignore lists the users whom you ignore"))
            }
            Ok(_) => self.note(&format!("you see messages from {name} again")),
            Err(error) => self.unsaved(Some(error)),
        }
    }

    /// Tells the roster whom the user ignores, for Tab.
    pub(super) fn offer_ignored(&mut self) {
        let users = self.attention.ignored.users(self.view.now);
        self.roster.lock().set_ignored(users.iter().map(|user| user.name.as_str()));
    }

    fn unsaved(&self, error: Option<String>) -> Vec<Effect> {
        let text =
            |error| format!("this lasts only until you leave, because lanchat cannot save the list: {error}");
        error.map(|error| self.failure(&text(error))).unwrap_or_default()
    }

    fn list_ignored(&mut self) -> Vec<Effect> {
        let users = self.attention.ignored.users(self.view.now).to_vec();
        if users.is_empty() {
            return self.note("you ignore nobody; to hide a user's messages: /ignore NAME [DURATION]");
        }
        let line = |user: &IgnoredUser| {
            let mark = if user.key.is_some() { "" } else { "?" };
            let until =
                user.until.map_or(String::new(), |until| format!(" (until {})", self.view.when(until)));
            format!("{}{mark}{until}", user.name)
        };
        let lines: Vec<_> = users.iter().map(line).collect();
        self.note(&format!("you ignore {}", lines.join(", ")))
    }
}
