//! What a typed line does.

use std::sync::PoisonError;

use super::{Ask, Effect, Message, Moment, Session, State, quoted, shown};
use crate::client::trust::Standing;
use crate::client::view::span;
use crate::protocol::command::{self, Action, Line, Place};
use crate::protocol::event::count_users;
use crate::protocol::{Request, Target};

impl Session {
    /// A line was typed.
    pub(in crate::client) fn line(&mut self, line: &str, now: Moment) -> Vec<Effect> {
        self.view.now = now.clock;
        let line = line.trim_end();
        if line.trim().is_empty() {
            return Vec::new();
        }
        match command::read_line(line, Place::Prompt) {
            Ok(Line::Text(text)) => self.say(self.target.clone(), text, false, now),
            Ok(Line::Command(action)) => self.act(action, now),
            Err(error) => {
                self.refused += 1;
                self.failure(&error.to_string())
            }
        }
    }

    fn act(&mut self, action: Action, now: Moment) -> Vec<Effect> {
        match action {
            Action::Request(Request::Chat { to, msg, action }) => self.say(to, msg, action, now),
            Action::Request(request) => self.request(&request, now),
            Action::Me(text) => self.say(self.target.clone(), text, true, now),
            Action::Query(name) => self.query(name),
            Action::Reply(text) => match self.correspondent.clone() {
                Some(name) => self.say(Target::User(name), text, false, now),
                None => self.failure("nobody has written to you yet; /msg NAME TEXT writes to somebody"),
            },
            Action::Verify(Some(name)) => self.ask(&Request::Whois { name }, Ask::Digits),
            Action::Verify(None) => self.verify(),
            Action::Status => self.status(now),
            Action::Clear => vec![Effect::Clear],
            Action::Help(command) => match command::help(command.as_deref(), Place::Prompt, self.operator) {
                Ok(text) => shown(self.view.notes(&text)),
                Err(error) => self.failure(&error.to_string()),
            },
            Action::Quit => vec![Effect::Quit],
        }
    }

    /// Sends a message, and keeps it until its receipt comes. What cannot be sent is said.
    fn say(&mut self, to: Target, msg: String, action: bool, now: Moment) -> Vec<Effect> {
        let message = Message { to, msg, action };
        if message.msg.len() > self.text_bytes {
            self.unsent += 1;
            return self.failure(&format!(
                "not sent: the message has {} bytes and the server takes {}; send it in parts",
                message.msg.len(),
                self.text_bytes
            ));
        }
        let id = self.next_id();
        let Message { to, msg, action } = message.clone();
        if self.hand(Request::Chat { to, msg, action }.to_packet(Some(id.clone()))) {
            self.pending.add(id, message, now.instant);
            return Vec::new();
        }
        self.unsent += 1;
        self.failure(&format!("not sent: {}", quoted(&message)))
    }

    fn request(&mut self, request: &Request, now: Moment) -> Vec<Effect> {
        self.ask(request, if matches!(request, Request::Time) { Ask::Time(now) } else { Ask::Show })
    }

    fn ask(&mut self, request: &Request, ask: Ask) -> Vec<Effect> {
        let id = self.next_id();
        if !self.hand(request.to_packet(Some(id.clone()))) {
            self.refused += 1;
            return self.failure("not sent: there is no connection at the moment");
        }
        self.asks.insert(id, ask);
        Vec::new()
    }

    fn query(&mut self, name: Option<String>) -> Vec<Effect> {
        let target = name.map_or(Target::All, |name| Target::parse(name.trim_start_matches('@')));
        match target {
            Target::Server => {
                return self.failure("the server takes no conversation; /help lists its commands");
            }
            Target::Room(room) if room != self.target.to_string() => {
                return self.failure(&format!("there is no room {room} to talk in"));
            }
            target => self.target = target,
        }
        let mut effects = match &self.target {
            Target::User(name) if !self.knows(name) => self
                .note(&format!("nobody called {name} is here at the moment; /query goes back to the lobby")),
            _ => Vec::new(),
        };
        effects.push(Effect::Relabel);
        effects
    }

    fn knows(&self, name: &str) -> bool {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// The user says that the server's digits are right.
    fn verify(&mut self) -> Vec<Effect> {
        if !matches!(self.state, State::Up { .. }) {
            return self.failure("there is no connection whose key could be compared");
        }
        let name = &self.server.name;
        match self.view.standing {
            Standing::Plaintext => {
                self.failure("this connection is not encrypted, so nobody can be verified; see --plaintext")
            }
            Standing::Verified(key) => {
                self.note(&format!("{name} was verified before; its key is {}", key.spoken()))
            }
            Standing::Unverified(key) => {
                self.view.standing = Standing::Verified(key);
                let text = format!("verified: {name} is the server with the key {}", key.spoken());
                let mut effects = self.note(&text);
                effects.push(Effect::Verified(key));
                effects
            }
        }
    }

    /// Whether the connection is encrypted, and to whom.
    fn security(&self) -> String {
        let own = self.key.map_or(String::new(), |key| format!("; your own key {}", key.spoken()));
        match self.view.standing {
            Standing::Plaintext => "not encrypted: others can read and change what is said".into(),
            Standing::Verified(key) => {
                format!("encrypted; the server's key {} is verified{own}", key.spoken())
            }
            Standing::Unverified(key) => format!(
                "encrypted; the server's key {} is not verified yet: compare it with what `lanchat \
                 fingerprint` prints there, then /verify{own}",
                key.spoken()
            ),
        }
    }

    fn status(&self, now: Moment) -> Vec<Effect> {
        let line = match &self.state {
            State::Up { peer, since, .. } => format!(
                "connected to {} (id {}, lanchat {}) at {peer} for {}",
                self.server.name,
                self.server.id.get(..8).unwrap_or(&self.server.id),
                self.server.version,
                span(now.instant.duration_since(*since))
            ),
            State::Down { why, since, search } => {
                let next = if *search { "looking for another server" } else { "reconnecting" };
                format!("not connected for {}: {why}; {next}", span(now.instant.duration_since(*since)))
            }
            State::Fresh => "not connected yet".into(),
        };
        let operator = if self.operator { ", an operator" } else { "" };
        let waiting = match self.pending.len() {
            0 => "every message has its receipt".to_owned(),
            n => format!("{n} without a receipt yet"),
        };
        let who = format!(
            "you are {} from {}{operator}; {} here; {waiting}",
            self.view.me,
            self.ip,
            count_users(self.total)
        );
        let mut effects = self.note(&line);
        effects.extend(self.note(&who));
        if matches!(self.state, State::Up { .. }) {
            effects.extend(self.note(&self.security()));
        }
        effects
    }
}

/// Whether a typed line stays on the screen: all do but messages, which come back with their time
/// once the server has acknowledged them.
pub(in crate::client) fn keeps_echo(line: &str) -> bool {
    if line.trim().is_empty() {
        return false;
    }
    let message = |action: &Action| {
        matches!(action, Action::Me(_) | Action::Reply(_) | Action::Request(Request::Chat { .. }))
    };
    match command::read_line(line.trim_end(), Place::Prompt) {
        Ok(Line::Text(_)) => false,
        Ok(Line::Command(action)) => !message(&action),
        Err(_) => true,
    }
}
