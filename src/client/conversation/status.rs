//! How the connection fares, and the server's key: what the user asks the client itself.

use super::{Effect, Moment, Session, State};
use crate::client::trust::Standing;
use crate::protocol::event::count_users;
use crate::protocol::term::about;

impl Session {
    /// The user says that the server's digits are right.
    pub(super) fn verify(&mut self) -> Vec<Effect> {
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

    /// What `/status` shows.
    pub(super) fn status(&self, now: Moment) -> Vec<Effect> {
        let line = match &self.state {
            State::Up { peer, since, .. } => format!(
                "connected to {} (id {}, lanchat {}) at {peer} for {}",
                self.server.name,
                self.server.id.get(..8).unwrap_or(&self.server.id),
                self.server.version,
                about(now.instant.duration_since(*since))
            ),
            State::Down { why, since, search } => {
                let next = if *search { "looking for another server" } else { "reconnecting" };
                format!("not connected for {}: {why}; {next}", about(now.instant.duration_since(*since)))
            }
            State::Fresh => "not connected yet".into(),
        };
        let operator = if self.operator { ", an operator" } else { "" };
        let waiting = match self.outbox.len() {
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
            match &self.trouble {
                Some(trouble) => effects.extend(self.note(trouble)),
                None if !self.keeps => {
                    effects.extend(
                        self.note("this server keeps no messages: whoever is away misses what is said"),
                    );
                }
                None => {}
            }
            effects.extend(self.note(&self.security()));
        }
        effects
    }
}
