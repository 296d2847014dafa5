//! Rates and simultaneous numbers of handshakes and passphrase attempts.

use super::address_table::AddressRow;
use super::{Gate, GateState, Pass};
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

/// Handshakes per second: per address, per penalized address, per network, in total. Addresses with many recent
/// handshakes leave half to others.
const SHAKES_EACH: Rate = Rate::every(1, HANDSHAKES_PER_ADDRESS, HANDSHAKE_BURST_PER_ADDRESS);
const SHAKES_PENALIZED: Rate = Rate::every(1, HANDSHAKES_PER_OFFENDER, HANDSHAKE_BURST_PER_ADDRESS);
const SHAKES_NET: Rate = Rate::every(1, HANDSHAKES_PER_NETWORK, HANDSHAKE_BURST_PER_NETWORK);
const SHAKES_NET_HALF: Rate = Rate::every(1, HANDSHAKES_PER_NETWORK, HANDSHAKE_BURST_PER_NETWORK / 2);
const SHAKES_ALL: Rate = Rate::every(1, HANDSHAKES_PER_SECOND, HANDSHAKES_PER_SECOND);
const SHAKES_ALL_HALF: Rate = Rate::every(1, HANDSHAKES_PER_SECOND, HANDSHAKES_PER_SECOND / 2);

/// Tells whether an address had few handshakes recently.
const SHAKES_LIGHT: Rate = Rate::every(1, HANDSHAKES_LIGHT, HANDSHAKES_LIGHT);

/// Passphrase attempts per minute: per address, per network, in total. Addresses that have tried leave half to
/// others.
const TRIES_EACH: Rate = Rate::every(60, TRIES_PER_ADDRESS, TRIES_PER_ADDRESS);
const TRIES_NET: Rate = Rate::every(60, TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK);
const TRIES_NET_AGAIN: Rate = Rate::every(60, TRIES_PER_NETWORK, TRY_BURST_PER_NETWORK / 2);
const TRIES_ALL: Rate = Rate::every(60, TRIES_PER_MINUTE, TRIES_PER_MINUTE);
const TRIES_ALL_AGAIN: Rate = Rate::every(60, TRIES_PER_MINUTE, TRIES_PER_MINUTE / 2);

/// Tells whether an address has tried: only one attempt in this time is the first.
const FIRST_TRY: Rate = Rate::every(TRY_REMEMBERED.as_secs(), 1, 1);

/// A handshake in progress, uncounted when dropped.
#[derive(Debug)]
pub(in crate::server) struct HandshakePermit {
    gate: Arc<Gate>,
    /// The rows that count it, and from which number on others must wait for it.
    counted: [(Option<Net>, usize); 2],
}

impl Pass {
    /// How long this connection's handshake must wait, which costs a task and nothing else. `None`: longer than
    /// `patience`.
    pub(in crate::server) fn handshake_delay(&self, patience: Duration, now: Duration) -> Option<Duration> {
        let mut state = self.gate.lock();
        let each = if state.addresses.is_penalized(self.host, now) { SHAKES_PENALIZED } else { SHAKES_EACH };
        let mut is_light = true;
        state.each(self, |n, row| is_light &= n > 0 || row.lately.wait(SHAKES_LIGHT, now).is_zero());
        // Addresses with many recent handshakes may use half of the rate, and wait no longer than the other
        // half takes to fill: so addresses with few need not wait for them.
        let (around, all) =
            if is_light { (SHAKES_NET, SHAKES_ALL) } else { (SHAKES_NET_HALF, SHAKES_ALL_HALF) };
        let is_late = |wait: Duration, rate: Rate| wait > patience || !is_light && wait > rate.ahead();
        let rates = [each, around];
        let mut wait = state.handshakes.wait(all, now);
        let mut is_in_vain = is_late(wait, all);
        state.each(self, |n, row| {
            let own = row.handshakes.wait(rates[n], now);
            is_in_vain |= own > patience || n == 1 && is_late(own, around);
            wait = wait.max(own);
        });
        if is_in_vain {
            return None;
        }
        state.each(self, |n, row| {
            row.handshakes.spend(1, rates[n], now);
            row.lately.spend(1, SHAKES_LIGHT, now);
        });
        state.handshakes.spend(1, all, now);
        Some(wait)
    }

    /// Starts a handshake; `None` while the address or the network has its maximum in progress.
    pub(in crate::server) fn begin_handshake(&self, now: Duration) -> Option<HandshakePermit> {
        let mut state = self.gate.lock();
        let is_penalized = state.addresses.is_penalized(self.host, now);
        let each = match is_penalized {
            true => HANDSHAKES_IN_PROGRESS_PER_OFFENDER,
            false => HANDSHAKES_IN_PROGRESS_PER_ADDRESS,
        };
        // Half of a network's are for addresses without one in progress that are not penalized.
        let mut most = [each, HANDSHAKES_IN_PROGRESS_PER_NETWORK / 2];
        let mut fits = true;
        state.each(self, |n, row| {
            if n == 0 && row.handshaking == 0 && !is_penalized {
                most[1] = HANDSHAKES_IN_PROGRESS_PER_NETWORK;
            }
            fits &= row.handshaking < most[n];
        });
        if !fits {
            return None;
        }
        state.each(self, |_, row| row.handshaking += 1);
        let [address, network] = self.nets();
        let counted = [(address, each), (network, HANDSHAKES_IN_PROGRESS_PER_NETWORK / 2)];
        Some(HandshakePermit { gate: Arc::clone(&self.gate), counted })
    }

    /// Takes one passphrase attempt; an error says how long to wait.
    pub(in crate::server) fn take_try(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.gate.lock();
        let mut is_first = false;
        state.each(self, |n, row| is_first |= n == 0 && row.tried.is_full(now));
        let (rates, all) = match is_first {
            true => ([TRIES_EACH, TRIES_NET], TRIES_ALL),
            false => ([TRIES_EACH, TRIES_NET_AGAIN], TRIES_ALL_AGAIN),
        };
        let mut wait = state.tries.wait(all, now);
        state.each(self, |n, row| wait = wait.max(row.tries.wait(rates[n], now)));
        if !wait.is_zero() {
            return Err(wait);
        }
        state.each(self, |n, row| row.tries.spend(1, rates[n], now));
        // For an hour from now, not an hour per attempt.
        state.each(self, |_, row| row.tried.drain(1, FIRST_TRY, now));
        state.tries.spend(1, all, now);
        Ok(())
    }

    /// Returns an attempt that was right, and so no guess.
    pub(in crate::server) fn give_back_try(&self) {
        let mut state = self.gate.lock();
        let rates = [TRIES_EACH, TRIES_NET];
        state.each(self, |n, row| row.tries.give_back(rates[n]));
        state.each(self, |_, row| row.tried = Bucket::default());
        state.tries.give_back(TRIES_ALL);
    }
}

impl HandshakePermit {
    /// Whether others from its own address wait for it.
    pub(in crate::server) fn is_own_crowd(&self) -> bool {
        let mut state = self.gate.lock();
        let [(address, most), _] = self.counted;
        let row = address.and_then(|address| state.addresses.find(address));
        row.is_some_and(|row| row.handshaking >= most)
    }

    /// Whether others may wait for it.
    pub(in crate::server) fn is_crowded(&self) -> bool {
        let mut state = self.gate.lock();
        self.counted.iter().any(|(net, most)| {
            let row = net.and_then(|net| state.addresses.find(net));
            row.is_some_and(|row| row.handshaking >= *most)
        })
    }
}

impl Drop for HandshakePermit {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        for (net, _) in self.counted {
            if let Some(row) = net.and_then(|net| state.addresses.find(net)) {
                row.handshaking = row.handshaking.saturating_sub(1);
            }
        }
    }
}

impl GateState {
    /// Visits the rows that count a connection: its address (0) and its network (1); none for the machine
    /// itself.
    pub(super) fn each(&mut self, pass: &Pass, mut act: impl FnMut(usize, &mut AddressRow)) {
        for (n, net) in pass.nets().into_iter().enumerate() {
            if let Some(net) = net {
                act(n, self.addresses.row(net));
            }
        }
    }
}
