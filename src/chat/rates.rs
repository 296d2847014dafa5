//! How fast people may send, come, and be news to others.
//!
//! Nothing that is sent too fast is lost, and nobody is disconnected for it: it waits its turn.

use super::delivery::Delivery;
use super::net::Net;
use super::user::{Correspondent, News, Pace, Peer, Session, SessionId, UserId};
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{
    JOIN_BURST, MAX_CORRESPONDENTS, MAX_PAUSE, NEWS_BURST, NEWS_PER_MINUTE, PACE_UNIT_BYTES, PAUSE_TOLD_AGAIN,
};
use crate::name::{Name, NameKey};
use crate::pace::{Bucket, Rate};
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Event};
use std::num::NonZeroU32;
use std::time::Duration;

/// For each kind of news.
const NEWS: Rate = Rate::every(60, NEWS_PER_MINUTE, NEWS_BURST);

const JOINS: Rate = Rate::every(60, NEWS_PER_MINUTE, JOIN_BURST);

/// Who comes or goes, so that they are known again.
#[derive(Hash)]
enum Comer {
    Key(Fingerprint),
    Place(Net, NameKey),
}

impl Chat {
    /// How long the session's next packet has to wait; asked while there is one, and asked again
    /// after that time. Never more than [`MAX_PAUSE`].
    pub fn pause(&mut self, id: SessionId, now: &Now) -> Option<Duration> {
        let rate = self.rules.rate?;
        let session = self.sessions.get(&id)?;
        let Some(user) = session.user.and_then(|user| self.users.get_mut(&user)) else {
            return some_pause(session.pace.wait(rate, now.uptime));
        };
        let pause = some_pause(user.pace.bucket.wait(rate, now.uptime))?;
        user.pace.hold(now.uptime);
        Some(pause)
    }

    /// Counts a packet with that much text. Whoever has begun to wait is told, once.
    pub(super) fn charge(&mut self, id: SessionId, bytes: usize, now: &Now, out: &mut Deliveries) {
        let Some(rate) = self.rules.rate else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let cost = 1 + bytes.saturating_sub(1) / PACE_UNIT_BYTES;
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let Some(user) = session.user.and_then(|user| self.users.get_mut(&user)) else {
            return session.pace.spend(cost, rate, now.uptime);
        };
        user.pace.bucket.spend(cost, rate, now.uptime);
        if user.pace.is_to_be_told(now.uptime) && session.listens() {
            let text = format!(
                "you send faster than {} messages a second; what is more waits its turn",
                rate.number()
            );
            let notice = Event::Notice(text).to_packet(user.name.as_str(), None);
            out.push(Delivery::one(id, notice));
        }
    }

    /// What a user who leaves has used up is remembered, so that leaving is no way around the pace.
    pub(super) fn keep_pace(&mut self, peer: &Peer, name: &Name, bucket: Bucket, now: &Now) {
        self.paces.keep(&Comer::of(peer, name), bucket, now.uptime);
    }

    /// What of the pace is left to who comes: what they have used up before, or on the way in.
    pub(super) fn pace_of(&self, session: &Session, name: &Name) -> Bucket {
        session.pace.max(self.paces.kept(&Comer::of(&session.peer(), name)))
    }

    /// Counts a coming that others are told of.
    pub(super) fn count_join(&mut self, id: SessionId, name: &Name, now: &Now) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&id).filter(|session| self.is_limited(session)) else {
            return Ok(());
        };
        let comer = Comer::of(&session.peer(), name);
        self.joins.take(&comer, JOINS, now.uptime).map_err(|wait| too_often("you come and go", wait))
    }

    /// Counts a change of name.
    pub(super) fn count_rename(&mut self, id: SessionId, user: UserId, now: &Now) -> Result<(), Refusal> {
        if !self.sessions.get(&id).is_some_and(|session| self.is_limited(session)) {
            return Ok(());
        }
        let count = |news: &mut News| news.renames.take(NEWS, now.uptime);
        self.news(user).map_or(Ok(()), count).map_err(|wait| too_often("you change your name", wait))
    }

    /// Counts a room joined, or a topic set.
    pub(super) fn count_room(&mut self, id: SessionId, user: UserId, now: &Now) -> Result<(), Refusal> {
        if !self.sessions.get(&id).is_some_and(|session| self.is_limited(session)) {
            return Ok(());
        }
        let count = |news: &mut News| news.rooms.take(JOINS, now.uptime);
        self.news(user).map_or(Ok(()), count).map_err(|wait| too_often("you join rooms or set topics", wait))
    }

    /// Counts a message to somebody the user has not written to, nor they to the user; `answers` are
    /// their users who are here.
    pub(super) fn count_stranger(
        &mut self,
        id: SessionId,
        user: UserId,
        to: Correspondent,
        answers: &[UserId],
        now: &Now,
    ) -> Result<(), Refusal> {
        let own = self
            .users
            .get(&user)
            .and_then(|own| Correspondent::of(own.owner.account().map(|account| &**account), Some(user)));
        if self.rules.rate.is_none() || Some(to) == own {
            return Ok(());
        }
        let is_limited = self.sessions.get(&id).is_some_and(|session| self.is_limited(session));
        let is_answer = match to {
            Correspondent::Address(_) => false,
            _ => {
                let theirs = answers.iter().filter_map(|to| self.users.get(to));
                own.is_some_and(|own| theirs.into_iter().any(|to| to.knows(own)))
            }
        };
        let Some(news) = self.news(user) else { return Ok(()) };
        let before = news.correspondents.iter().position(|known| *known == to);
        if is_limited && !is_answer && before.is_none() {
            let wait = news.strangers.take(NEWS, now.uptime);
            wait.map_err(|wait| too_often("you write to people you have not written to before", wait))?;
        }
        match before {
            Some(at) => drop(news.correspondents.remove(at)),
            None if news.correspondents.len() >= MAX_CORRESPONDENTS => drop(news.correspondents.remove(0)),
            None => {}
        }
        news.correspondents.push(to);
        Ok(())
    }

    /// Whether more than the pace of messages holds for it.
    fn is_limited(&self, session: &Session) -> bool {
        self.rules.rate.is_some() && !session.local
    }

    fn news(&mut self, user: UserId) -> Option<&mut News> {
        self.users.get_mut(&user).map(|user| &mut **user.news.get_or_insert_default())
    }
}

impl Comer {
    fn of(peer: &Peer, name: &Name) -> Self {
        match peer.key {
            Some(key) => Self::Key(key),
            None => Self::Place(Net::counted(peer.ip), name.key()),
        }
    }
}

impl Pace {
    /// A packet has to wait.
    fn hold(&mut self, uptime: Duration) {
        if !self.was_held(uptime, PAUSE_TOLD_AGAIN) {
            self.untold = true;
        }
        self.held = Some(second(uptime));
    }

    /// Whether a packet had to wait within that time.
    fn was_held(&self, uptime: Duration, within: Duration) -> bool {
        let since = |held: NonZeroU32| u64::from(second(uptime).get().saturating_sub(held.get()));
        self.held.is_some_and(|held| since(held) <= within.as_secs())
    }

    /// Whether a packet that now comes had to wait, and it is the first of many.
    fn is_to_be_told(&mut self, uptime: Duration) -> bool {
        std::mem::take(&mut self.untold) && self.was_held(uptime, MAX_PAUSE)
    }
}

/// The uptime in seconds, from 1.
fn second(uptime: Duration) -> NonZeroU32 {
    let seconds = u32::try_from(uptime.as_secs()).unwrap_or(u32::MAX);
    NonZeroU32::MIN.saturating_add(seconds)
}

fn some_pause(wait: Duration) -> Option<Duration> {
    (!wait.is_zero()).then(|| wait.min(MAX_PAUSE))
}

fn too_often(what: &str, wait: Duration) -> Refusal {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Refusal::new(Code::RateLimited, format!("{what} too often; try again in {seconds} s"))
}

/// Held for each user.
const _: () = assert!(size_of::<Pace>() == 16);
