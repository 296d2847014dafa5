//! What the hub does under its lock: one call of the rules at a time, and what follows from it.
//!
//! Knows no lock and wakes nobody. Everything here is bounded in microseconds, as nobody else is served
//! meanwhile; `cargo bench --bench hold` holds it to that.

use super::super::turn::{Turn, What};
use super::Taken;
use super::deliver::deliver;
use crate::chat::{Chat, Deliveries, Now, Peer, SessionId};
use crate::limits::HANDSHAKES_PORTION;
use std::collections::VecDeque;
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(in crate::server) struct State {
    pub(in crate::server) chat: Chat,
    pub(in crate::server) turn: Turn,
    /// Scratch for a call's deliveries; empty between calls.
    deliveries: Deliveries,
    /// Connections by the time until which they must have registered; the front is next.
    handshakes: VecDeque<(Duration, SessionId)>,
}

/// What a call of the rules may change that others wait for.
#[derive(Debug)]
pub(super) struct Before {
    due: Option<Duration>,
}

impl State {
    pub(in crate::server) fn new(chat: Chat) -> Self {
        Self { chat, turn: Turn::default(), deliveries: Vec::new(), handshakes: VecDeque::new() }
    }

    /// A connection begins, and must have registered by `deadline`. Returns whether it is the first that
    /// is waited for. `open` is what tells the flusher.
    pub(in crate::server) fn connect(
        &mut self,
        id: SessionId,
        peer: Peer,
        open: What,
        deadline: Duration,
        now: &Now,
    ) -> bool {
        self.chat.connect(id, peer);
        self.turn.step(id, open);
        self.act(|chat, out| chat.screen(id, now, out));
        let Self { chat, handshakes, .. } = self;
        // Who is in is not waited for: a storm of logins leaves nothing behind. One stays, as the timers
        // know of it or of an earlier one, so that they are not woken for each login.
        for _ in 0..HANDSHAKES_PORTION {
            let is_in = handshakes.front().is_some_and(|(_, first)| !chat.is_waited_for(*first));
            if !is_in || handshakes.len() < 2 {
                break;
            }
            handshakes.pop_front();
        }
        let is_first = handshakes.is_empty();
        handshakes.push_back((deadline, id));
        is_first
    }

    /// A connection's socket is gone.
    pub(in crate::server) fn disconnect(&mut self, id: SessionId, now: &Now) {
        self.chat.disconnect(id, now);
        self.turn.step(id, What::Gone);
    }

    /// Whether the connection has no name yet.
    ///
    /// # Errors
    /// How long its next packet, of that cost, has to wait.
    pub(in crate::server) fn may_send(
        &mut self,
        id: SessionId,
        cost: u64,
        now: &Now,
    ) -> Result<bool, Duration> {
        self.chat.pause(id, cost, now).map_or_else(|| Ok(!self.chat.is_registered(id)), Err)
    }

    /// One thing that a connection sent.
    pub(in crate::server) fn receive(&mut self, id: SessionId, taken: Taken, now: &Now) {
        self.act(|chat, out| match taken {
            Taken::Packet(packet) => chat.receive(id, packet, now, out),
            Taken::Garbage(garbage) => chat.receive_garbage(id, garbage, now, out),
            Taken::Fatal(refusal, echo) => chat.expel(id, echo, refusal, now, out),
        });
    }

    /// Of connections that should have registered by now, whether the next has not; `None`: there are no
    /// more.
    pub(in crate::server) fn late(&mut self, uptime: Duration) -> Option<(SessionId, bool)> {
        let due = self.handshakes.pop_front_if(|(deadline, _)| *deadline <= uptime);
        if self.handshakes.is_empty() {
            // A crowd that said nothing leaves no memory behind.
            self.handshakes.shrink_to_fit();
        }
        due.map(|(_, id)| (id, self.chat.is_waited_for(id)))
    }

    /// Until when the next must have registered.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.handshakes.front().map(|(deadline, _)| *deadline)
    }

    /// One call of the rules, and what follows from it.
    pub(in crate::server) fn act<T>(&mut self, call: impl FnOnce(&mut Chat, &mut Deliveries) -> T) -> T {
        let Self { chat, turn, deliveries, .. } = self;
        let result = call(chat, deliveries);
        deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
        result
    }

    pub(in crate::server) fn take_turn(&mut self) -> Turn {
        let mut turn = std::mem::take(&mut self.turn);
        turn.seq = self.chat.latest();
        turn
    }

    pub(super) fn before(&self) -> Before {
        Before { due: self.chat.due() }
    }

    /// Whether something is due sooner than before.
    pub(super) fn is_sooner_than(&self, before: &Before) -> bool {
        self.chat.due().is_some_and(|due| before.due.is_none_or(|before| due < before))
    }
}
