//! Limits how fast people may send, join, and do other things that notify people.
//!
//! A packet that comes too fast waits its turn: nothing is lost and nobody is disconnected.

use super::delivery::Delivery;
use super::net::Net;
use super::paced_sender::PacedSender;
use super::paces::{Paces, Payer};
use super::table::Table;
use super::user::{Session, User};
use super::who::{Correspondent, Owner, SessionId, UserId};
use super::{Chat, Deliveries, Now};
use crate::fingerprint::Fingerprint;
use crate::limits::{JOIN_BURST, NEWS_BURST, NEWS_PER_MINUTE, PACE_FRAME_BYTES, PACE_UNIT_BYTES};
use crate::name::Name;
use crate::pace::{Buckets, Rate};
use crate::protocol::request::{ClientPacket, Refusal};
use crate::protocol::{Code, Event};
use std::time::Duration;

/// An action that others are notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum News {
    Coming,
    Rename,
    /// A first message to a user.
    Stranger,
    /// Joining a room or setting a topic.
    Room,
    /// Changing or deleting a message.
    Change,
}

impl Chat {
    /// How long the session's next packet, which costs `cost` messages, has to wait, at most
    /// [`MAX_PAUSE`](crate::limits::MAX_PAUSE). The caller asks again after that time.
    pub fn pause(&mut self, id: SessionId, cost: u64, now: &Now) -> Option<Duration> {
        let rate = self.rules.rate?;
        let Self { sessions, users, paces, owned, access, .. } = self;
        let session = sessions.get_mut(&id)?;
        let mut sender = sender(users, id, session);
        let is_established =
            |key: &Fingerprint| owned.is_established(key, now.at()) || access.is_operator(Some(key));
        let held = paces.pause(&mut sender, is_established, cost, (rate, now.uptime));
        let pace = sender.pace;
        session.set_pace(pace);
        let (level, wait) = held?;
        if let Some(user) = session.user.and_then(|user| users.get_mut(&user)) {
            user.notice.hold(level, now.uptime);
        }
        Some(wait)
    }

    /// Counts a packet. Once a sender has to wait, they get a notice.
    pub(super) fn charge(&mut self, id: SessionId, cost: u64, now: &Now, out: &mut Deliveries) {
        let Some(rate) = self.rules.rate.filter(|_| !self.is_paced_elsewhere()) else { return };
        let at = (rate, now.uptime);
        let Some(user) = self.paid(id, |paces, sender| paces.charge(sender, cost, at)) else { return };
        let Some(user) = self.users.get_mut(&user) else { return };
        let level = user.notice.untold_level(now.uptime);
        if let Some(level) = level.filter(|_| self.sessions.get(&id).is_some_and(Session::listens)) {
            let notice = Event::Notice(level.notice(rate)).into_packet(user.name.as_str(), None);
            out.push(Delivery::one(id, notice));
        }
    }

    /// Counts the extra cost of a packet.
    pub(super) fn charge_more(&mut self, id: SessionId, cost: u64, now: &Now, out: &mut Deliveries) {
        let Some(rate) = self.rules.rate.filter(|_| cost > 0) else { return };
        if self.is_paced_elsewhere() {
            out.push(Delivery::Charge { session: id, cost });
        } else {
            self.paid(id, |paces, sender| paces.charge_more(sender, cost, (rate, now.uptime)));
        }
    }

    /// Has everyone pay for a session; returns its user.
    fn paid(&mut self, id: SessionId, pay: impl FnOnce(&mut Paces, &mut PacedSender<'_>)) -> Option<UserId> {
        let session = self.sessions.get_mut(&id)?;
        let mut sender = sender(&self.users, id, session);
        pay(&mut self.paces, &mut sender);
        let pace = sender.pace;
        session.set_pace(pace);
        session.user
    }

    /// Whether a key has had a name for a while or is an operator's. Other keys cost nothing to make.
    pub(super) fn is_established(&self, key: &Fingerprint, now: &Now) -> bool {
        self.owned.is_established(key, now.at()) || self.access.is_operator(Some(key))
    }

    /// Starts a user's pace, less what they have used up before, and while registering.
    pub(super) fn begin_pace(&mut self, first: SessionId, id: UserId, owner: &Owner, name: &Name, now: &Now) {
        let Some(session) = self.sessions.get(&first) else { return };
        if let Some(who) = Correspondent::of(owner.account().map(|own| &**own), None) {
            self.acquaintances.come(who);
        }
        let used = session.pace().used;
        match Payer::of(owner) {
            Some(payer) => self.paces.carry(&payer, used, now.uptime),
            None => {
                let before = self.paces.own(&Payer::Place(Net::counted(session.ip), name.key()));
                self.paces.carry(&Payer::User(id), used.max(before), now.uptime);
            }
        }
    }

    /// Remembers what a departed user has used up, so that leaving does not reset the pace.
    pub(super) fn end_pace(&mut self, last: &Session, id: UserId, user: &User, now: &Now) {
        let account = user.owner.account();
        if account.is_none() {
            let used = self.paces.own(&Payer::User(id));
            self.paces.carry(&Payer::Place(Net::counted(last.ip), user.name.key()), used, now.uptime);
        }
        let is_here = account.is_some_and(|account| self.accounts.contains_key(account));
        if let Some(who) = Correspondent::of(account.map(|own| &**own), Some(id)).filter(|_| !is_here) {
            self.acquaintances.leave(who);
        }
    }

    /// Counts an arrival that others will see.
    pub(super) fn count_join(
        &mut self,
        id: SessionId,
        owner: &Owner,
        name: &Name,
        now: &Now,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&id).filter(|session| self.is_limited(session)) else {
            return Ok(());
        };
        let place = || Payer::Place(Net::counted(session.ip), name.key());
        let payer = Payer::of(owner).unwrap_or_else(place);
        News::Coming.count(&mut self.news, &payer, now)
    }

    /// Counts an action of a registered session that others will see.
    pub(super) fn count_news(&mut self, id: SessionId, news: News, now: &Now) -> Result<(), Refusal> {
        match self.sessions.get(&id).filter(|session| self.is_limited(session)) {
            Some(session) => match payer(&self.users, session) {
                Some(payer) => news.count(&mut self.news, &payer, now),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Counts a message between users of whom neither has written to the other.
    pub(super) fn count_stranger(
        &mut self,
        id: SessionId,
        to: Correspondent,
        now: &Now,
    ) -> Result<(), Refusal> {
        if self.rules.rate.is_none() {
            return Ok(());
        }
        let Some(user) = self.sessions.get(&id).and_then(|session| session.user) else { return Ok(()) };
        let owner = self.users.get(&user).map(|user| &user.owner);
        let account = owner.and_then(|owner| owner.account()).map(|account| &**account);
        let Some(own) = Correspondent::of(account, Some(user)).filter(|own| *own != to) else {
            return Ok(());
        };
        if !self.acquaintances.has_written(own, to) && !self.acquaintances.has_written(to, own) {
            self.count_news(id, News::Stranger, now)?;
        }
        self.acquaintances.write(own, to);
        Ok(())
    }

    /// Whether more than the message pace limits the session.
    fn is_limited(&self, session: &Session) -> bool {
        self.rules.rate.is_some() && !session.is_local()
    }
}

impl News {
    fn count(self, table: &mut Buckets, payer: &Payer<'_>, now: &Now) -> Result<(), Refusal> {
        let (burst, what) = match self {
            Self::Coming => (JOIN_BURST, "you come and go"),
            Self::Rename => (NEWS_BURST, "you change your name"),
            Self::Stranger => (NEWS_BURST, "you write to people you have not written to before"),
            Self::Change => (JOIN_BURST, "you change messages"),
            Self::Room => (JOIN_BURST, "you join rooms or set topics"),
        };
        let rate = Rate::every(60, NEWS_PER_MINUTE, burst);
        table.take(&(self, payer), rate, now.uptime).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Refusal::new(Code::RateLimited, format!("{what} too often; try again in {seconds} s"))
        })
    }
}

/// A session as the paces see it.
fn sender<'a>(users: &'a Table<UserId, User>, id: SessionId, session: &'a Session) -> PacedSender<'a> {
    PacedSender {
        id,
        key: session.key(),
        encrypted: session.encrypted,
        from: session.origin(),
        payer: payer(users, session),
        is_registered: session.user.is_some(),
        pace: session.pace(),
    }
}

/// The sender who pays for a session's packets. Before registration, only a key is known.
fn payer<'a>(users: &'a Table<UserId, User>, session: &'a Session) -> Option<Payer<'a>> {
    match session.user.and_then(|id| Some((id, users.get(&id)?))) {
        Some((id, user)) => Some(Payer::of(&user.owner).unwrap_or(Payer::User(id))),
        None => session.key().map(Payer::Key),
    }
}

/// How many messages a packet counts as.
pub(crate) fn cost(packet: &ClientPacket) -> u64 {
    let text = packet.text().bytes().map(written_bytes).sum::<usize>().div_ceil(PACE_UNIT_BYTES);
    units(text.max(frame_cost(packet.frame_bytes)))
}

/// How many messages invalid input counts as.
pub(crate) fn garbage_cost(frame_bytes: usize) -> u64 {
    units(frame_cost(frame_bytes))
}

fn frame_cost(bytes: usize) -> usize {
    1 + bytes / PACE_FRAME_BYTES
}

fn units(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The size of a byte of text in JSON, and so in what all recipients get.
fn written_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..32 => 6,
        _ => 1,
    }
}
