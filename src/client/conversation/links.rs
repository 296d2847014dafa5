//! The connection comes, goes, and leads to another server.

use std::collections::HashSet;
use std::time::Duration;

use super::{CallTime, Conversation, Effect, LinkState, render, shown};
use crate::client::connection::{Loss, Up};
use crate::protocol::event::count_users;
use crate::protocol::term::about;
use crate::protocol::{Event, Target};

impl Conversation {
    /// There is a connection, for the first time or again.
    pub(super) fn up(&mut self, up: Up, now: CallTime) -> Vec<Effect> {
        self.view.now = now.clock;
        let Up { welcome, peer, outgoing, taken, key, resumes, follows, moved } = up;
        let before = std::mem::replace(&mut self.state, LinkState::Up { outgoing, peer, since: now.instant });
        self.view.me.clone_from(&welcome.name);
        self.with_roster(|roster| {
            roster.me.clone_from(&welcome.name);
            roster.is_operator = welcome.operator;
        });
        self.view.security = self.trust.lock().link_security(key);
        let is_same = self.session.server.id == welcome.server.id;
        let mut effects = match before {
            LinkState::Down { .. } if is_same && moved.is_some() => self.note(&moved.unwrap_or_default()),
            LinkState::Down { since, .. } if is_same => {
                let away = about(now.instant.duration_since(since).max(Duration::from_secs(1)));
                self.note(&format!("connected again after {away}; {} here", count_users(welcome.total)))
            }
            _ => shown(render(&Event::Welcome(Box::new(welcome.clone())), &self.view)),
        };
        if let Some(taken) = taken {
            let text =
                format!("the name {taken} is taken, so you are {}; to change it: /nick NAME", welcome.name);
            effects.extend(self.note(&text));
        }
        if !is_same && !self.session.server.id.is_empty() {
            effects.extend(self.move_in(follows));
        }
        self.session.welcomed(&welcome);
        self.take_rooms(&welcome.rooms);
        self.take_up(&welcome);
        self.found = Some(HashSet::new());
        if !is_same {
            effects.extend(self.join_preferred());
        }
        effects.extend(self.begin(&welcome, resumes, now));
        effects.extend(self.offer_files_again());
        effects.push(Effect::Relabel);
        self.labelled(effects)
    }

    /// Moves to another server. Messages for the users of the previous one are not for those here, unless
    /// they are the same users.
    fn move_in(&mut self, follows: bool) -> Vec<Effect> {
        self.numbered.lock().forget();
        self.attention.offline = None;
        self.attention.unread.forget();
        if matches!(self.target, Target::Room(_)) {
            self.aim(Target::All);
        }
        if follows {
            return Vec::new();
        }
        let mut effects = self.abandon();
        effects.extend(self.abandon_files());
        effects
    }

    /// The server is gone, and the client looks for another one.
    pub(crate) fn gone(&mut self, loss: &Loss, now: CallTime) -> Vec<Effect> {
        self.lost(loss, now.back_to(loss.since), true)
    }

    /// The client looks for a first server.
    pub(crate) fn seek(&mut self, now: CallTime) {
        let why = "no server found yet".to_owned();
        self.state = LinkState::Down { why, since: now.instant, search: true };
    }

    pub(super) fn lost(&mut self, loss: &Loss, now: CallTime, search: bool) -> Vec<Effect> {
        let why = loss.why.as_str();
        self.view.now = now.clock;
        let next = if search { "looking for a server" } else { "reconnecting" };
        let mut effects = match loss.goes_on {
            true => Vec::new(),
            false => self.failure(&format!("{why}; {next}")),
        };
        let since = match self.state {
            LinkState::Down { since, .. } => since,
            LinkState::Fresh | LinkState::Up { .. } => now.instant,
        };
        self.state = LinkState::Down { why: why.to_owned(), since, search };
        effects.extend(self.lose_answers());
        self.files_lost();
        self.found_members.clear();
        self.seen.interrupt();
        effects.extend(self.missed_shown(false));
        effects.extend(self.take_back());
        effects.push(Effect::Relabel);
        self.labelled(effects)
    }
}
