//! Handles the server's events.

use jiff::SignedDuration;

use super::line::Opening;
use super::list_progress::ListProgress;
use super::spot::Spot;
use super::{CallTime, Conversation, Effect, IncomingMessage, PendingRequest, shown};
use crate::protocol::event::Crowd;
use crate::protocol::packet::UserInfo;
use crate::protocol::{Code, Event, Target};

impl Conversation {
    /// Handles an event, which may answer the packet with this id.
    pub(super) fn event(&mut self, event: &Event, id: Option<&str>, now: CallTime) -> Vec<Effect> {
        self.view.now = now.clock;
        let effects = match event {
            Event::Chat { .. } => self.chat(event, id, now),
            Event::Edited { .. } | Event::Deleted { .. } => self.changed(event, id),
            Event::Alert { .. } => self.past(event, id).unwrap_or_else(|| self.live_alert(event, now)),
            Event::Delivered { .. } => {
                self.attention.offline = None;
                self.past(event, id).unwrap_or_else(|| self.show(event))
            }
            Event::Joined(crowd) if crowd.room.is_none() => self.joined(crowd, now),
            Event::Left(crowd) if crowd.room.is_none() => self.left(crowd, now),
            Event::Joined(crowd) => match self.found_members.news(crowd) {
                Some(news) => self.crowd(news, true, now),
                None => Vec::new(),
            },
            Event::Left(crowd) => {
                self.found_members.left(crowd);
                self.crowd(crowd.clone(), false, now)
            }
            Event::Topic { room, .. } if !self.shows_room(Some(room)) => Vec::new(),
            _ => {
                let ask = self.answered(id);
                self.answer(event, ask, id, now)
            }
        };
        self.labelled(effects)
    }

    /// Handles an event that may be an answer.
    fn answer(
        &mut self,
        event: &Event,
        ask: Option<PendingRequest>,
        id: Option<&str>,
        now: CallTime,
    ) -> Vec<Effect> {
        if let Some(PendingRequest::Files(request)) = ask {
            return self.about_files(event, Some(request), now);
        }
        match event {
            Event::Offer { .. } | Event::Accepted { .. } | Event::Ended { .. } => {
                self.about_files(event, None, now)
            }
            Event::Sent { .. } => self.sent(event, ask, id, now),
            Event::Error { .. } => self.error(event, ask.as_ref(), id, now),
            Event::History(end) => self.history_end(end, ask, now),
            Event::Room(room) => self.room(event, room, ask, now),
            Event::Rooms { rooms, next, .. } => self.list(event, rooms, next.as_ref(), ask),
            Event::Renamed { old, name } => self.renamed(event, old, name),
            Event::Users { room: None, users, total, next } => {
                self.users(event, users, *total, next.as_ref(), ask)
            }
            Event::Users { room: Some(_), users, total, next } => match ask {
                Some(PendingRequest::Users(listing)) => {
                    self.users_listed(listing, users, *total, next.as_ref())
                }
                _ => self.show(event),
            },
            Event::Time { time, ts, .. } => self.time(event, time, ts, ask, now),
            Event::Read { name, room, seq } => {
                if let Some(spot) = Spot::of_conversation(name.as_deref(), room.as_deref()) {
                    self.attention.unread.read(&spot, *seq);
                }
                Vec::new()
            }
            Event::Away { why } => self.away(event, why.is_some()),
            Event::Storing { works, msg } => {
                self.session.trouble = (!works).then(|| msg.clone());
                self.show(event)
            }
            Event::Operator { operator, .. } => {
                self.session.operator = *operator;
                self.with_roster(|roster| roster.is_operator = *operator);
                self.show(event)
            }
            Event::Whois(user) => match ask {
                Some(PendingRequest::Digits(answer)) => self.digits(user, answer),
                Some(PendingRequest::Ignore(until)) => self.ignore(user, until),
                Some(PendingRequest::Open(opening)) => self.open_user(user, opening, now),
                _ => self.whois(user),
            },
            _ => self.show(event),
        }
    }

    /// The server has a message or a change of one.
    fn sent(
        &mut self,
        event: &Event,
        ask: Option<PendingRequest>,
        id: Option<&str>,
        now: CallTime,
    ) -> Vec<Effect> {
        let mut effects = self.receipt(event, id, now);
        effects.extend(self.own_change(event, ask));
        self.flush(now);
        effects
    }

    /// This user is away, or back.
    fn away(&mut self, event: &Event, is_away: bool) -> Vec<Effect> {
        self.attention.is_away = is_away;
        let mut effects = self.show(event);
        effects.push(Effect::Relabel);
        effects
    }

    /// Users joined. The server says so up to a second later, so its first news may include users whom this
    /// client has already found here. To this client, those have not just joined.
    fn joined(&mut self, crowd: &Crowd, now: CallTime) -> Vec<Effect> {
        self.session.total = crowd.total;
        self.with_roster(|roster| crowd.names.iter().for_each(|name| roster.add(name)));
        let is_asked = || self.requests.values().any(|ask| matches!(ask, PendingRequest::Roster(_)));
        if crowd.count > crowd.names.len() && !is_asked() {
            // The news of a crowd names only some of it.
            self.ask_roster(None, ListProgress::default());
        }
        let Some(found) = self.found.take() else { return self.crowd(crowd.clone(), true, now) };
        let mut news = crowd.clone();
        news.names.retain(|name| !found.contains(name));
        news.count = crowd.count.saturating_sub(crowd.names.len() - news.names.len());
        if news.count == 0 { Vec::new() } else { self.crowd(news, true, now) }
    }

    fn answered(&mut self, id: Option<&str>) -> Option<PendingRequest> {
        id.and_then(|id| self.requests.remove(id))
    }

    pub(super) fn show(&self, event: &Event) -> Vec<Effect> {
        if self.is_ignored(event) { Vec::new() } else { shown(self.lines(event)) }
    }

    fn left(&mut self, crowd: &Crowd, now: CallTime) -> Vec<Effect> {
        self.session.total = crowd.total;
        self.with_roster(|roster| crowd.names.iter().for_each(|name| roster.remove(name)));
        if let Some(found) = &mut self.found {
            found.retain(|name| !crowd.names.contains(name));
        }
        self.crowd(crowd.clone(), false, now)
    }

    fn error(
        &mut self,
        event: &Event,
        ask: Option<&PendingRequest>,
        id: Option<&str>,
        now: CallTime,
    ) -> Vec<Effect> {
        if matches!(ask, Some(PendingRequest::Read)) {
            self.attention.unread.is_refused = true;
            return Vec::new();
        }
        if let Some(PendingRequest::Users(listing)) = ask
            && let Some(room) = listing.joined_room()
        {
            // Without the list, all news are news.
            self.found_members.forget(&room);
        }
        let is_old = matches!(event, Event::Error { code: Some(Code::UnknownType), .. });
        let mut effects = match ask {
            Some(PendingRequest::Change(_)) if is_old => {
                self.failure("this server has an older version, which cannot change messages")
            }
            _ => self.show(event),
        };
        effects.extend(self.refuse(id, now));
        if let Some(PendingRequest::Open(Opening { to, text: Some(text) })) = ask {
            effects.push(Effect::GiveBack(format!("/query {to} {text}")));
        }
        self.flush(now);
        if ask.is_some_and(|ask| !matches!(ask, PendingRequest::Roster(_))) {
            self.refused += 1;
        }
        effects
    }

    fn chat(&mut self, event: &Event, id: Option<&str>, now: CallTime) -> Vec<Effect> {
        let Event::Chat { from, history, .. } = event else { return Vec::new() };
        let is_direct = IncomingMessage::of(event).is_some_and(|message| message.is_direct);
        let is_answer = id.is_some_and(|id| self.requests.contains_key(id));
        let is_others = from.name != self.view.me && !from.is_server() && !self.is_ignored(event);
        if !is_answer && !self.is_ignored(event) {
            self.note_author(event, is_direct, now);
        }
        // This user's own message over a link that broke before the receipt: the user knows it, and has not
        // missed it.
        let is_own = id.is_some_and(|id| self.outbox.take(id, now.instant).is_some());
        if is_own && *history {
            return self.own_past(event);
        }
        if let Some(effects) = self.past(event, id) {
            return effects;
        }
        if !history {
            self.with_roster(|roster| roster.add(&from.name));
        }
        let mut effects = self.live(event, now);
        if is_others && from.key.is_none() && !std::mem::replace(&mut self.attention.mark_is_told, true) {
            effects
                .extend(self.note("a ? after a name means that no key backs it: anyone could be using it"));
        }
        effects
    }

    /// Notes who spoke: `/reply` answers them, and Tab completes them first.
    fn note_author(&mut self, event: &Event, is_direct: bool, now: CallTime) {
        let Event::Chat { from, to, .. } = event else { return };
        if from.is_server() {
            return;
        }
        if from.name == self.view.me {
            if is_direct {
                self.with_roster(|roster| roster.note_partner(to));
            }
            return;
        }
        self.with_roster(|roster| {
            if is_direct {
                roster.note_partner(&from.name);
                roster.set_writer(&from.name, now.instant);
            } else {
                roster.note_speaker(&from.name, to.starts_with('#').then_some(to));
            }
        });
    }

    fn renamed(&mut self, event: &Event, old: &str, name: &str) -> Vec<Effect> {
        if old == self.view.me {
            self.view.me = name.to_owned();
        }
        self.view.rename(old, name);
        self.with_roster(|roster| roster.rename(old, name));
        self.attention.unread.rename(old, name);
        self.attention.presence.rename(old, name);
        self.attention.ignored.rename(old, name);
        self.transfers.rename(old, name);
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
        ask: Option<PendingRequest>,
    ) -> Vec<Effect> {
        // A user who came between the welcome and this list really has just joined.
        let is_current = std::mem::replace(&mut self.session.total, total) == total;
        self.found = self.found.take().filter(|_| is_current);
        self.with_roster(|roster| users.iter().for_each(|user| roster.add(&user.name)));
        match ask {
            Some(PendingRequest::Roster(mut progress)) => {
                if let Some(found) = &mut self.found {
                    found.extend(users.iter().map(|user| user.name.clone()));
                }
                if let Some(next) = next.filter(|next| progress.advances(users.len(), next)) {
                    self.ask_roster(Some(next.clone()), progress);
                }
                Vec::new()
            }
            Some(PendingRequest::Users(listing)) => self.users_listed(listing, users, total, next),
            _ => self.show(event),
        }
    }

    fn time(
        &self,
        event: &Event,
        time: &str,
        ts: &str,
        ask: Option<PendingRequest>,
        now: CallTime,
    ) -> Vec<Effect> {
        let Some(PendingRequest::Time(asked)) = ask else { return self.show(event) };
        let round_trip = now.instant.duration_since(asked.instant);
        let half = SignedDuration::try_from(round_trip / 2).unwrap_or_default();
        // The server read its clock about half a round trip after it was asked.
        let ahead = ts.parse().ok().map(|ts| asked.clock.duration_until(ts) - half).map(|behind| -behind);
        shown(self.view.time(time, ts, ahead, round_trip))
    }
}
