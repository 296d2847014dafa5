//! What an event from the server does.

use jiff::SignedDuration;

use super::{Ask, Effect, Message, Moment, Session, quoted, shown};
use crate::client::view::render;
use crate::fingerprint::Fingerprint;
use crate::protocol::event::Crowd;
use crate::protocol::packet::{Sender, UserInfo};
use crate::protocol::{Event, Target};

impl Session {
    /// Something came, in answer to the packet with this id if it has one.
    pub(in crate::client) fn event(&mut self, event: &Event, id: Option<&str>, now: Moment) -> Vec<Effect> {
        self.view.now = now.clock;
        match event {
            Event::Sent { seq, ts } => {
                self.answered(id);
                self.receipt(id, *seq, ts, now)
            }
            Event::Error { .. } => self.error(event, id, now),
            Event::Chat { from, to, .. } => self.chat(event, from, to),
            Event::Renamed { old, name } => {
                self.answered(id);
                self.renamed(event, old, name)
            }
            Event::Users { users, total, next } => self.users(event, users, *total, next.as_ref(), id),
            Event::Time { time, ts, .. } => self.time(event, time, ts, id, now),
            Event::Operator { operator, .. } => {
                self.answered(id);
                self.operator = *operator;
                self.show(event)
            }
            Event::Joined(crowd) => self.joined(crowd),
            Event::Whois(user) => match self.answered(id) {
                Some(Ask::Digits) => self.digits(user),
                _ => self.show(event),
            },
            Event::Left(crowd) => {
                self.total = crowd.total;
                self.with_roster(|roster| crowd.names.iter().for_each(|name| roster.remove(name)));
                if let Some(found) = &mut self.found {
                    found.retain(|name| !crowd.names.contains(name));
                }
                self.show(event)
            }
            _ => {
                self.answered(id);
                self.show(event)
            }
        }
    }

    /// Somebody came. The server tells it up to a second later, so the first such news may name
    /// users whom this client has found here: to it they have not just joined.
    fn joined(&mut self, crowd: &Crowd) -> Vec<Effect> {
        self.total = crowd.total;
        self.with_roster(|roster| crowd.names.iter().for_each(|name| roster.add(name)));
        let Some(found) = self.found.take() else { return self.show(&Event::Joined(crowd.clone())) };
        let mut news = crowd.clone();
        news.names.retain(|name| !found.contains(name));
        news.count = crowd.count.saturating_sub(crowd.names.len() - news.names.len());
        if news.count == 0 { Vec::new() } else { self.show(&Event::Joined(news)) }
    }

    fn answered(&mut self, id: Option<&str>) -> Option<Ask> {
        id.and_then(|id| self.asks.remove(id))
    }

    fn show(&self, event: &Event) -> Vec<Effect> {
        shown(render(event, &self.view))
    }

    /// A message has arrived: now it is shown like everybody else's, in the server's order.
    fn receipt(&mut self, id: Option<&str>, seq: u64, ts: &str, now: Moment) -> Vec<Effect> {
        let taken = id.and_then(|id| self.pending.take(id, now.instant));
        let Some(Message { to, msg, action }) = taken else {
            return Vec::new();
        };
        let key = self.key.as_ref().map(Fingerprint::tag);
        let from = Sender { name: self.view.me.clone(), ip: self.ip.clone(), key };
        self.show(&Event::Chat { from, to: to.to_string(), msg, action, seq, ts: ts.to_owned() })
    }

    fn error(&mut self, event: &Event, id: Option<&str>, now: Moment) -> Vec<Effect> {
        let mut effects = self.show(event);
        if let Some(message) = id.and_then(|id| self.pending.take(id, now.instant)) {
            self.unsent += 1;
            effects.extend(self.failure(&format!("not sent: {}", quoted(&message))));
        }
        if self.answered(id).is_some_and(|ask| !matches!(ask, Ask::Roster)) {
            self.refused += 1;
        }
        effects
    }

    fn chat(&mut self, event: &Event, from: &Sender, to: &str) -> Vec<Effect> {
        self.with_roster(|roster| roster.add(&from.name));
        let is_direct = !matches!(Target::parse(to), Target::All | Target::Room(_));
        if is_direct && from.name != self.view.me && !from.is_server() {
            self.correspondent = Some(from.name.clone());
        }
        let mut effects = self.show(event);
        if from.key.is_none() && !from.is_server() && !std::mem::replace(&mut self.mark_is_told, true) {
            effects.extend(self.note("a ? behind a name: no key vouches for it, and anybody may use it"));
        }
        effects
    }

    /// The digits of a user's key, for `/verify NAME`.
    fn digits(&self, user: &UserInfo) -> Vec<Effect> {
        let name = &user.name;
        match user.key.as_deref().map(str::parse::<Fingerprint>) {
            Some(Ok(key)) => self.note(&format!(
                "{name}'s key: {}; {name} sees the same with `lanchat fingerprint --me`",
                key.spoken()
            )),
            _ => self.failure(&format!("no key vouches for {name}: anybody may use that name")),
        }
    }

    fn renamed(&mut self, event: &Event, old: &str, name: &str) -> Vec<Effect> {
        if old == self.view.me {
            self.view.me = name.to_owned();
        }
        if self.correspondent.as_deref() == Some(old) {
            self.correspondent = Some(name.to_owned());
        }
        self.with_roster(|roster| {
            roster.remove(old);
            roster.add(name);
        });
        let mut effects = self.show(event);
        if self.target == Target::User(old.to_owned()) {
            self.target = Target::User(name.to_owned());
            effects.push(Effect::Relabel);
        }
        effects
    }

    fn users(
        &mut self,
        event: &Event,
        users: &[UserInfo],
        total: usize,
        next: Option<&String>,
        id: Option<&str>,
    ) -> Vec<Effect> {
        // Whoever came between the welcome and this list has just joined indeed.
        let is_current = std::mem::replace(&mut self.total, total) == total;
        self.found = self.found.take().filter(|_| is_current);
        self.with_roster(|roster| users.iter().for_each(|user| roster.add(&user.name)));
        match self.answered(id) {
            Some(Ask::Roster) => {
                if let Some(found) = &mut self.found {
                    found.extend(users.iter().map(|user| user.name.clone()));
                }
                if let Some(next) = next {
                    self.ask_roster(Some(next.clone()));
                }
                Vec::new()
            }
            _ => self.show(event),
        }
    }

    fn time(&mut self, event: &Event, time: &str, ts: &str, id: Option<&str>, now: Moment) -> Vec<Effect> {
        let Some(Ask::Time(asked)) = self.answered(id) else { return self.show(event) };
        let round_trip = now.instant.duration_since(asked.instant);
        let half = SignedDuration::try_from(round_trip / 2).unwrap_or_default();
        // The server read its clock about half a round trip after it was asked.
        let ahead = ts.parse().ok().map(|ts| asked.clock.duration_until(ts) - half).map(|behind| -behind);
        shown(self.view.time(time, ahead, round_trip))
    }
}
