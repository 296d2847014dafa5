//! The state of the connection, and the server's key.

use super::{CallTime, Conversation, Effect, LinkState, PendingRequest};
use crate::client::trust::LinkSecurity;
use crate::protocol::event::count_users;
use crate::protocol::request::Operate;
use crate::protocol::term::about;

impl Conversation {
    /// Describes how secure the connection is.
    fn security(&self) -> String {
        let own = self.session.key.map_or(String::new(), |key| format!("; your own key {}", key.spoken()));
        match self.view.security {
            LinkSecurity::Plaintext => "not encrypted: anyone on the way can read and change messages".into(),
            LinkSecurity::Verified(key) => {
                format!("encrypted; the server's key {} is verified{own}", key.spoken())
            }
            LinkSecurity::Unverified(key) => format!(
                "encrypted; the server's key {} is not verified yet: compare it with the output of \
                 `lanchat fingerprint` on the server, then type /verify{own}",
                key.spoken()
            ),
        }
    }

    /// The lines of `/status`. Operators also get the server's own numbers, once they have come.
    pub(super) fn status(&mut self, now: CallTime) -> Vec<Effect> {
        let line = match &self.state {
            LinkState::Up { peer, since, .. } => format!(
                "connected to {} (id {}, lanchat {}) at {}{peer} for {}",
                self.session.server.name,
                self.session.server.id.get(..8).unwrap_or(&self.session.server.id),
                self.session.server.version,
                self.session.node.as_ref().map_or_else(String::new, |node| format!("server {node}, ")),
                about(now.instant.duration_since(*since))
            ),
            LinkState::Down { why, since, search } => {
                let next = if *search { "looking for a server" } else { "reconnecting" };
                format!("not connected for {}: {why}; {next}", about(now.instant.duration_since(*since)))
            }
            LinkState::Fresh => "looking for a server".into(),
        };
        let operator = if self.session.operator { ", an operator" } else { "" };
        let waiting = match self.outbox.len() {
            0 => "all messages are confirmed".to_owned(),
            n => format!("{n} not confirmed yet"),
        };
        let who = match self.session.ip.as_str() {
            "" => format!("you will be {}", self.view.me),
            ip => {
                let (me, here) = (&self.view.me, count_users(self.session.total));
                format!("you are {me} from {ip}{operator}; {here} here; {waiting}")
            }
        };
        let mut effects = self.note(&line);
        effects.extend(self.note(&who));
        if matches!(self.state, LinkState::Up { .. }) {
            match &self.session.trouble {
                Some(trouble) => effects.extend(self.note(trouble)),
                None if !self.session.keeps => {
                    effects.extend(
                        self.note("this server stores no messages, so users who are offline miss them"),
                    );
                }
                None => {}
            }
            effects.extend(self.note(&self.security()));
            if self.session.operator {
                effects.extend(self.ask(&Operate::Status.into(), PendingRequest::Show));
            }
        }
        effects
    }
}
