//! A sender as the paces see them: whether the next packet may go, and who pays for it.
//!
//! The rules use this, and so does each of several servers, which lets packets wait before they go to the rules.

use super::account::Account;
use super::net::Net;
use super::paces::{ChargedTo, Level, Origin, PaceClass, Paces, Payer};
use super::peer::Peer;
use super::session_record::UserRecord;
use super::who::{SessionId, UserId};
use crate::fingerprint::Fingerprint;
use crate::limits::{FIRST_PACKETS, LITTLE, LITTLE_BURST, MAX_PAUSE, PAUSE_TOLD_AGAIN};
use crate::name::Name;
use crate::pace::{Bucket, Rate};
use std::num::NonZeroU32;
use std::time::Duration;

/// The part of a pace that a session has used up itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionPace {
    /// Before registration; after that, the user's pace counts.
    pub(super) used: Bucket,
    /// At least how many packets came before registration.
    pub(super) packets: u8,
    /// The payers for the latest packet that was let through.
    pub(super) charged: (ChargedTo, PaceClass),
}

/// See the module.
#[derive(Debug)]
pub struct PacedSender<'a> {
    pub(super) id: SessionId,
    pub(super) key: Option<&'a Fingerprint>,
    pub(super) encrypted: bool,
    pub(super) from: Origin,
    /// Before registration, only a key is known.
    pub(super) payer: Option<Payer<'a>>,
    pub(super) is_registered: bool,
    /// To be kept for the next packet.
    pub pace: SessionPace,
}

/// Whether a user knows that they have to wait.
#[derive(Debug, Default)]
pub struct PaceNotice {
    /// When one of their packets last had to wait: seconds of uptime, from 1.
    held: Option<NonZeroU32>,
    /// The pace that made them wait, if they do not know yet.
    untold: Option<Level>,
}

impl<'a> PacedSender<'a> {
    /// A session as a server of several knows it.
    pub fn at_node(id: SessionId, peer: &'a Peer, user: Option<&'a UserRecord>, pace: SessionPace) -> Self {
        let payer = match user {
            Some(user) => Some(user.payer()),
            None => peer.key.as_ref().map(Payer::Key),
        };
        let (key, from) = (peer.key.as_ref(), Origin::new(peer.ip, peer.local));
        Self { id, key, encrypted: peer.encrypted, from, payer, is_registered: user.is_some(), pace }
    }
}

impl UserRecord {
    fn payer(&self) -> Payer<'_> {
        match &self.account {
            Some(Account::Key(key)) => Payer::Key(key),
            Some(Account::Token(token)) => Payer::Token(token),
            None => Payer::User(UserId(self.number)),
        }
    }

    /// The same user without an account after disconnecting.
    fn place(&self, peer: &Peer) -> Option<Payer<'_>> {
        Name::new(&self.name).ok().map(|name| Payer::Place(Net::counted(peer.ip), name.key()))
    }
}

impl Paces {
    /// How long the sender's next packet, which costs `cost` messages, has to wait, at most [`MAX_PAUSE`], and for
    /// whose pace. The caller asks again after that time.
    pub fn pause(
        &mut self,
        sender: &mut PacedSender<'_>,
        is_established: impl Fn(&Fingerprint) -> bool,
        cost: u64,
        (rate, uptime): (Rate, Duration),
    ) -> Option<(Level, Duration)> {
        let (level, wait) = match self.until_turn(sender.id, uptime) {
            Some(turn) => turn,
            None => self.begin_wait(sender, is_established, cost, (rate, uptime))?,
        };
        (!wait.is_zero()).then_some((level, wait.min(MAX_PAUSE)))
    }

    /// Whether the next packet has to wait for its sender's pace or, then queued, for the pace of others: whose, and
    /// how long.
    fn begin_wait(
        &mut self,
        sender: &mut PacedSender<'_>,
        is_established: impl Fn(&Fingerprint) -> bool,
        cost: u64,
        (rate, uptime): (Rate, Duration),
    ) -> Option<(Level, Duration)> {
        let own = match &sender.payer {
            Some(payer) if sender.is_registered => self.own(payer),
            _ => sender.pace.used,
        };
        let wait = own.wait(rate, uptime);
        if !wait.is_zero() {
            return Some((Level::Own, wait));
        }
        let may_share = || {
            sender.key.is_some_and(&is_established)
                && sender.payer.as_ref().is_some_and(|payer| self.has_share(payer, uptime))
        };
        let is_first = sender.encrypted && !sender.is_registered && sender.pace.packets < FIRST_PACKETS;
        let is_little = cost <= LITTLE && own.wait(rate.at_once(LITTLE_BURST), uptime).is_zero();
        let mut class = if is_first { PaceClass::First } else { PaceClass::Much };
        let mut charged = self.admit(sender.from, class, may_share, rate, uptime);
        if charged.is_err() && is_little && !is_first {
            // The whole is exhausted, but this part is only for those who send little.
            class = PaceClass::Little;
            charged = self.admit(sender.from, class, may_share, rate, uptime);
        }
        sender.pace.charged = (charged.unwrap_or_default(), class);
        let (level, wait) = charged.err()?;
        // Pay all of it now, so later packets wait behind everything in line.
        self.charge_more(sender, cost, (rate, uptime));
        self.await_turn(sender.id, level, uptime + wait, cost);
        Some((level, wait))
    }

    /// Everyone who pays for a packet does, less what it paid while it waited.
    pub fn charge(&mut self, sender: &mut PacedSender<'_>, cost: u64, at: (Rate, Duration)) {
        let paid = self.take_turn(sender.id);
        self.charge_more(sender, cost.saturating_sub(paid), at);
    }

    /// The same for the extra cost of a packet.
    pub fn charge_more(&mut self, sender: &mut PacedSender<'_>, cost: u64, (rate, uptime): (Rate, Duration)) {
        let pace = &mut sender.pace;
        self.charge_others(sender.from, pace.charged, cost, rate, uptime);
        if !sender.is_registered {
            pace.packets = pace.packets.saturating_add(1);
            pace.used.spend(cost, rate, uptime);
        }
        if let Some(payer) = &sender.payer {
            self.charge_own(payer, sender.is_registered, cost, rate, uptime);
        }
    }

    /// Starts a user's pace at a server of several, less what they have used up before, and while registering.
    pub fn begin_at_node(&mut self, peer: &Peer, user: &UserRecord, pace: SessionPace, uptime: Duration) {
        let before = user.place(peer).filter(|_| user.account.is_none()).map(|place| self.own(&place));
        self.carry(&user.payer(), pace.used.max(before.unwrap_or_default()), uptime);
    }

    /// Remembers what a departed user has used up, so that leaving does not reset the pace.
    pub fn end_at_node(&mut self, peer: &Peer, user: &UserRecord, uptime: Duration) {
        if let Some(place) = user.place(peer).filter(|_| user.account.is_none()) {
            let used = self.own(&user.payer());
            self.carry(&place, used, uptime);
        }
    }
}

impl PaceNotice {
    /// Notes that a packet had to wait.
    pub fn hold(&mut self, level: Level, uptime: Duration) {
        if !self.was_held(uptime, PAUSE_TOLD_AGAIN) {
            self.untold = Some(level);
        }
        self.held = Some(second(uptime));
    }

    /// Whether a packet had to wait within that time.
    fn was_held(&self, uptime: Duration, within: Duration) -> bool {
        let since = |held: NonZeroU32| u64::from(second(uptime).get().saturating_sub(held.get()));
        self.held.is_some_and(|held| since(held) <= within.as_secs())
    }

    /// Whose pace made the user wait, if they do not know yet.
    pub fn untold_level(&mut self, uptime: Duration) -> Option<Level> {
        self.untold.take().filter(|_| self.was_held(uptime, MAX_PAUSE))
    }
}

/// The uptime in seconds, from 1.
fn second(uptime: Duration) -> NonZeroU32 {
    let seconds = u32::try_from(uptime.as_secs()).unwrap_or(u32::MAX);
    NonZeroU32::MIN.saturating_add(seconds)
}

/// One per user.
const _: () = assert!(size_of::<PaceNotice>() == 8);
