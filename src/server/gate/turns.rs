//! Handshakes and tries at a passphrase: when they may be done, and how many at a time.

use super::books::Entry;
use super::{Gate, Pass, State};
use crate::chat::Net;
use crate::limits::{
    HANDSHAKE_BURST_PER_ADDRESS, HANDSHAKE_BURST_PER_NETWORK, HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
    HANDSHAKES_IN_PROGRESS_PER_NETWORK, HANDSHAKES_IN_PROGRESS_PER_OFFENDER, HANDSHAKES_LIGHT,
    HANDSHAKES_PER_ADDRESS, HANDSHAKES_PER_NETWORK, HANDSHAKES_PER_OFFENDER, HANDSHAKES_PER_SECOND,
    TRIES_PER_ADDRESS, TRIES_PER_MINUTE, TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK, TRY_REMEMBERED,
};
use crate::pace::{Bucket, Rate};
use std::sync::Arc;
use std::time::Duration;

/// Handshakes a second: of one address, of one in the box, of a network, of all. Who has begun many
/// leaves half to others.
const SHAKES_EACH: Rate = Rate::every(1, HANDSHAKES_PER_ADDRESS, HANDSHAKE_BURST_PER_ADDRESS);
const SHAKES_BOXED: Rate = Rate::every(1, HANDSHAKES_PER_OFFENDER, HANDSHAKE_BURST_PER_ADDRESS);
const SHAKES_NET: Rate = Rate::every(1, HANDSHAKES_PER_NETWORK, HANDSHAKE_BURST_PER_NETWORK);
const SHAKES_NET_HALF: Rate = Rate::every(1, HANDSHAKES_PER_NETWORK, HANDSHAKE_BURST_PER_NETWORK / 2);
const SHAKES_ALL: Rate = Rate::every(1, HANDSHAKES_PER_SECOND, HANDSHAKES_PER_SECOND);
const SHAKES_ALL_HALF: Rate = Rate::every(1, HANDSHAKES_PER_SECOND, HANDSHAKES_PER_SECOND / 2);

/// What tells who has begun few of late.
const SHAKES_LIGHT: Rate = Rate::every(1, HANDSHAKES_LIGHT, HANDSHAKES_LIGHT);

/// Tries a minute: of one address, of a network, of all. Who has tried already leaves half to others.
const TRIES_EACH: Rate = Rate::every(60, TRIES_PER_ADDRESS, TRIES_PER_ADDRESS);
const TRIES_NET: Rate = Rate::every(60, TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK);
const TRIES_NET_AGAIN: Rate = Rate::every(60, TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK / 2);
const TRIES_ALL: Rate = Rate::every(60, TRIES_PER_MINUTE, TRIES_PER_MINUTE);
const TRIES_ALL_AGAIN: Rate = Rate::every(60, TRIES_PER_MINUTE, TRIES_PER_MINUTE / 2);

/// What tells who has tried: one in that time is the first.
const FIRST_TRY: Rate = Rate::every(TRY_REMEMBERED.as_secs(), 1, 1);

/// A handshake under way, given back when dropped.
#[derive(Debug)]
pub(in crate::server) struct Handshaking {
    gate: Arc<Gate>,
    /// Whose it is, and from how many on others of them wait.
    counted: [(Option<Net>, usize); 2],
}

impl Pass {
    /// How long this connection's handshake must wait for its turn; whoever waits costs a task and
    /// nothing else. `None`: longer than `patience`.
    pub(in crate::server) fn handshake_turn(&self, patience: Duration, now: Duration) -> Option<Duration> {
        let mut state = self.gate.lock();
        let each = if state.books.is_boxed(self.host, now) { SHAKES_BOXED } else { SHAKES_EACH };
        let mut is_light = true;
        state.each(self, |n, entry| is_light &= n > 0 || entry.lately.wait(SHAKES_LIGHT, now).is_zero());
        // Those whose address has begun many wait behind half of what there is, and no longer than it takes
        // to fill the other half: whoever has begun few need not wait for them.
        let (around, all) =
            if is_light { (SHAKES_NET, SHAKES_ALL) } else { (SHAKES_NET_HALF, SHAKES_ALL_HALF) };
        let is_late = |wait: Duration, rate: Rate| wait > patience || !is_light && wait > rate.ahead();
        let rates = [each, around];
        let mut wait = state.handshakes.wait(all, now);
        let mut is_in_vain = is_late(wait, all);
        state.each(self, |n, entry| {
            let own = entry.handshakes.wait(rates[n], now);
            is_in_vain |= own > patience || n == 1 && is_late(own, around);
            wait = wait.max(own);
        });
        if is_in_vain {
            return None;
        }
        state.each(self, |n, entry| {
            entry.handshakes.spend(1, rates[n], now);
            entry.lately.spend(1, SHAKES_LIGHT, now);
        });
        state.handshakes.spend(1, all, now);
        Some(wait)
    }

    /// Begins a handshake; `None` while the address or the network has as many under way as it may.
    pub(in crate::server) fn begin_handshake(&self, now: Duration) -> Option<Handshaking> {
        let mut state = self.gate.lock();
        let is_boxed = state.books.is_boxed(self.host, now);
        let each = match is_boxed {
            true => HANDSHAKES_IN_PROGRESS_PER_OFFENDER,
            false => HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
        };
        // Half of a network's are for addresses that have none, and have not dragged any out before.
        let mut most = [each, HANDSHAKES_IN_PROGRESS_PER_NETWORK / 2];
        let mut fits = true;
        state.each(self, |n, entry| {
            if n == 0 && entry.handshaking == 0 && !is_boxed {
                most[1] = HANDSHAKES_IN_PROGRESS_PER_NETWORK;
            }
            fits &= entry.handshaking < most[n];
        });
        if !fits {
            return None;
        }
        state.each(self, |_, entry| entry.handshaking += 1);
        let [address, network] = self.nets();
        let counted = [(address, each), (network, HANDSHAKES_IN_PROGRESS_PER_NETWORK / 2)];
        Some(Handshaking { gate: Arc::clone(&self.gate), counted })
    }

    /// Takes one try at a secret; an error says how long until there is one.
    pub(in crate::server) fn take_try(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.gate.lock();
        let mut is_first = false;
        state.each(self, |n, entry| is_first |= n == 0 && entry.tried.is_full(now));
        let (rates, all) = match is_first {
            true => ([TRIES_EACH, TRIES_NET], TRIES_ALL),
            false => ([TRIES_EACH, TRIES_NET_AGAIN], TRIES_ALL_AGAIN),
        };
        let mut wait = state.tries.wait(all, now);
        state.each(self, |n, entry| wait = wait.max(entry.tries.wait(rates[n], now)));
        if !wait.is_zero() {
            return Err(wait);
        }
        state.each(self, |n, entry| entry.tries.spend(1, rates[n], now));
        // An hour from now, and not one for each of them.
        state.each(self, |_, entry| entry.tried.drain(1, FIRST_TRY, now));
        state.tries.spend(1, all, now);
        Ok(())
    }

    /// The try was right, so that it was no guess: it costs nobody anything.
    pub(in crate::server) fn give_back_try(&self) {
        let mut state = self.gate.lock();
        let rates = [TRIES_EACH, TRIES_NET];
        state.each(self, |n, entry| entry.tries.give_back(rates[n]));
        state.each(self, |_, entry| entry.tried = Bucket::default());
        state.tries.give_back(TRIES_ALL);
    }
}

impl Handshaking {
    /// Whether others of its own address wait for it to end.
    pub(in crate::server) fn is_own_crowd(&self) -> bool {
        let mut state = self.gate.lock();
        let [(address, most), _] = self.counted;
        let entry = address.and_then(|address| state.books.find(address));
        entry.is_some_and(|entry| entry.handshaking >= most)
    }

    /// Whether others may wait for it to end.
    pub(in crate::server) fn is_crowded(&self) -> bool {
        let mut state = self.gate.lock();
        self.counted.iter().any(|(net, most)| {
            let entry = net.and_then(|net| state.books.find(net));
            entry.is_some_and(|entry| entry.handshaking >= *most)
        })
    }
}

impl Drop for Handshaking {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        for (net, _) in self.counted {
            if let Some(entry) = net.and_then(|net| state.books.find(net)) {
                entry.handshaking = entry.handshaking.saturating_sub(1);
            }
        }
    }
}

impl State {
    /// Goes through what the books have of the connection: its address (0) and its network (1), and
    /// nothing of the machine itself.
    pub(super) fn each(&mut self, pass: &Pass, mut act: impl FnMut(usize, &mut Entry)) {
        for (n, net) in pass.nets().into_iter().enumerate() {
            if let Some(net) = net {
                act(n, self.books.entry(net));
            }
        }
    }
}
