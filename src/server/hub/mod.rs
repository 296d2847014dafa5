//! The one place that owns users and decides who gets what.
//!
//! A reader hands packets in; under one lock the rules of [`chat`](crate::chat) are applied and
//! what follows is appended to the turn, which the flusher takes and writes. Nothing is written
//! and nothing waits under the lock.

mod deliver;
mod incoming;
mod keeping;
mod places;
mod state;

use super::connection::Connection;
use super::desk::Desk;
use super::secrets::Lock;
use super::turn::{Turn, What};
use crate::chat::{Asked, Chat, Deliveries, Delivery, Now, Peer, SessionId};
use crate::clock::{Clock, Reading};
use crate::limits::{
    MAX_FRAME_BYTES, PACED_PACKETS, PACED_SLICE_BYTES, PORTION_BYTES, PORTION_TIME, UNPACED_PACKETS,
};
use crate::protocol::packet::ServerInfo;
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::{Code, Event, Packet};
pub(super) use incoming::{Incoming, Taken};
use jiff::tz::TimeZone;
use state::Before;
pub(super) use state::State;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// See the module.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    clock: Arc<Clock>,
    /// Whether the clock was doubtful when it was read last.
    is_doubtful: AtomicBool,
    /// Wakes whoever says so.
    clock_turned: Notify,
    /// From a session's begin to a registered name.
    registration: Duration,
    /// Bytes of a turn from which on readers wait.
    max_turn: usize,
    portion: Portion,
    /// Whether users have a pace.
    is_paced: bool,
    /// Whether no turns come any more.
    closed: watch::Sender<bool>,
    /// Wakes the flusher: there is a turn, or none will come.
    turn_ready: Notify,
    /// Wakes the reader that waits for the turn to be taken.
    desk: Arc<Desk>,
    /// Wakes the timers: something is due sooner than they know.
    sooner: Notify,
    /// What a closed server goes by.
    lock: Option<Arc<Lock>>,
}

/// How a reader goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With what is left, once others had their chance.
    More,
    /// Once the turn [has space](Hub::is_congested).
    Congested,
    /// After that time: its user sends faster than is fair.
    Pause(Duration),
}

/// How much of a connection is read and parsed at a time, at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    pub(super) bytes: usize,
    pub(super) packets: usize,
}

impl Hub {
    #[cfg(test)]
    pub(super) fn new(
        chat: Chat,
        lock: Option<Arc<Lock>>,
        registration: Duration,
        max_turn: usize,
        desk: Arc<Desk>,
    ) -> Arc<Self> {
        Self::by_clock(chat, lock, registration, max_turn, desk, Arc::default())
    }

    pub(super) fn by_clock(
        chat: Chat,
        lock: Option<Arc<Lock>>,
        registration: Duration,
        max_turn: usize,
        desk: Arc<Desk>,
        clock: Arc<Clock>,
    ) -> Arc<Self> {
        let is_paced = chat.is_paced();
        let portion = match is_paced {
            true => Portion { bytes: PACED_SLICE_BYTES, packets: PACED_PACKETS },
            false => Portion { bytes: MAX_FRAME_BYTES, packets: UNPACED_PACKETS },
        };
        Arc::new(Self {
            state: Mutex::new(State::new(chat)),
            clock,
            is_doubtful: AtomicBool::new(false),
            clock_turned: Notify::new(),
            registration,
            max_turn,
            portion,
            is_paced,
            closed: watch::Sender::new(false),
            turn_ready: Notify::new(),
            desk,
            sooner: Notify::new(),
            lock,
        })
    }

    /// A connection begins. Like what it sends and its end, it wakes the flusher with
    /// [`Self::wake_flusher`] only.
    pub(super) fn connect(&self, connection: &Arc<Connection>, peer: Peer) {
        let now = self.now();
        let mut state = self.lock();
        let before = state.before();
        let (open, deadline) = (What::Open(Arc::clone(connection)), now.uptime + self.registration);
        if state.connect(connection.id(), peer, open, deadline, &now) {
            self.sooner.notify_one();
        }
        self.wake_others(&state, &before);
    }

    /// A connection's socket is gone.
    pub(super) fn disconnect(&self, id: SessionId) {
        let now = self.now();
        let mut state = self.lock();
        let before = state.before();
        state.disconnect(id, &now);
        self.wake_others(&state, &before);
    }

    /// What connections did has to be written: told once for all that the reader found at a time.
    pub(super) fn wake_flusher(&self) {
        self.turn_ready.notify_one();
    }

    /// What a connection sent, in order. Takes a portion, as its reader serves nobody else meanwhile, and
    /// leaves the rest in `incoming`. The lock is held for one packet at a time, and not while that is read.
    pub(super) fn receive(&self, id: SessionId, incoming: &mut VecDeque<Incoming>) -> Next {
        let (now, begun) = (self.now(), Instant::now());
        let mut bytes = 0;
        while !incoming.is_empty() {
            let cost = incoming.front().filter(|_| self.is_paced).map_or(1, Incoming::cost);
            let mut state = self.lock();
            // An answer may fill a turn by itself, and comes to more than a packet shows.
            if state.turn.bytes() > self.max_turn {
                return Next::Congested;
            }
            let may_send = state.may_send(id, cost, &now);
            drop(state);
            let is_first = match may_send {
                Err(pause) => return Next::Pause(pause),
                Ok(is_first) => is_first,
            };
            let Some(next) = incoming.pop_front() else { break };
            let taken = Taken::new(next, is_first);
            let mut state = self.lock();
            let (before, bytes_before) = (state.before(), state.turn.bytes());
            state.receive(id, taken, &now);
            // The flusher may take the turn at any time between two of them.
            bytes += state.turn.bytes().saturating_sub(bytes_before);
            self.wake_others(&state, &before);
            let has_more = state.chat.has_more();
            drop(state);
            if has_more {
                self.proceed(&now);
            }
            if bytes > PORTION_BYTES || begun.elapsed() > PORTION_TIME {
                break;
            }
        }
        if self.is_congested() { Next::Congested } else { Next::More }
    }

    /// How much of a connection is read and parsed at a time.
    pub(super) fn portion(&self) -> Portion {
        self.portion
    }

    /// Ends a session, and tells it why.
    pub(super) fn expel(&self, id: SessionId, code: Code, why: &str) {
        self.act(|chat, now, out| chat.expel(id, None, Refusal::new(code, why), now, out));
    }

    /// What a closed server goes by; `None`: everybody may come in.
    pub(super) fn closed_by(&self) -> Option<Arc<Lock>> {
        self.lock.clone()
    }

    /// A packet for one session, from the server's own tasks.
    pub(super) fn tell(&self, id: SessionId, packet: Packet) {
        self.act(|_, _, out| out.push(Delivery::one(id, packet)));
    }

    /// A question from the console.
    pub(super) fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        match self.act(|chat, now, _| chat.ask(question, now))? {
            Asked::Answer(event) => Ok(event),
            Asked::List(mut listing) => {
                while self.lock().chat.gather(&mut listing) {}
                Ok(listing.into_event())
            }
        }
    }

    /// A command from the console.
    pub(super) fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        self.act(|chat, now, out| chat.operate(command, now, out))
    }

    /// Users who are present, and connections.
    pub(super) fn census(&self) -> (usize, usize) {
        let state = self.lock();
        (state.chat.present(), state.chat.connections())
    }

    /// Since the server started.
    pub(super) fn uptime(&self) -> Duration {
        self.clock.started().elapsed()
    }

    /// Names the server to which everybody is to go at the end.
    pub(super) fn hand_over(&self, to: ServerInfo) {
        self.act(|chat, _, _| chat.hand_over(to));
    }

    /// Says goodbye to everybody.
    pub(super) fn shut_down(&self) {
        self.act(|chat, _, out| chat.shut_down(out));
    }

    /// No further turns: the flusher writes what there is and ends.
    pub(super) fn close(&self) {
        while self.act(|chat, now, out| chat.keep_rest(now, out)) {}
        self.closed.send_replace(true);
        self.turn_ready.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until the hub is closed.
    pub(super) async fn closed(&self) {
        // An error would mean that the sender is gone, and it is our own.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// The next turn; waits for one. `None` once the hub is closed and all is taken.
    pub(super) async fn next_turn(&self) -> Option<Turn> {
        loop {
            let closed = self.is_closed();
            let turn = self.lock().take_turn();
            if !turn.is_empty() {
                self.desk.tell_space();
                return Some(turn);
            }
            if closed {
                return None;
            }
            self.turn_ready.notified().await;
        }
    }

    /// Whether more is to be written than a turn should hold: a sender faster than the fan-out is slowed
    /// down by its own socket.
    pub(super) fn is_congested(&self) -> bool {
        self.lock().turn.bytes() > self.max_turn
    }

    /// Does what is due and returns when to come back; `None`: when [`Self::sooner`] says.
    pub(super) fn tick(&self) -> Option<Instant> {
        let due = self.act(|chat, now, out| {
            chat.tick(now, out);
            chat.due()
        });
        let uptime = self.uptime();
        while let Some((id, is_late)) = { self.lock().late(uptime) } {
            if !is_late {
                continue;
            }
            self.act(|chat, now, out| {
                let why = "no first packet came in time; connect again and send one with your name";
                chat.expel(id, None, Refusal::new(Code::HandshakeTimeout, why), now, out);
            });
        }
        let handshake = self.lock().deadline();
        [due, handshake].into_iter().flatten().min().map(|due| self.clock.started() + due)
    }

    /// Something became due sooner than [`Self::tick`] said.
    pub(super) async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// One call of the rules, and what follows from it.
    fn act<T>(&self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries) -> T) -> T {
        let now = self.now();
        let mut state = self.lock();
        let before = state.before();
        let result = state.act(|chat, out| call(chat, &now, out));
        self.wake_others(&state, &before);
        let (is_ready, has_more) = (!state.turn.is_empty(), state.chat.has_more());
        drop(state);
        if has_more {
            self.proceed(&now);
        }
        if is_ready {
            self.wake_flusher();
        }
        result
    }

    /// Does what a call has left to do, a portion at a time.
    fn proceed(&self, now: &Now) {
        while self.lock().chat.has_more() {
            let mut state = self.lock();
            let before = state.before();
            state.act(|chat, out| chat.proceed(now, out));
            self.wake_others(&state, &before);
        }
    }

    /// Wakes whoever, besides the flusher, has something to do now.
    fn wake_others(&self, state: &State, before: &Before) {
        if state.is_sooner_than(before) {
            self.sooner.notify_one();
        }
    }

    /// What the clock says. Tells whoever [waits](Self::clock_turned) for it to become doubtful or right.
    pub(super) fn clock(&self) -> Reading {
        let reading = self.clock.now();
        if self.is_doubtful.swap(reading.is_doubtful, Ordering::Relaxed) != reading.is_doubtful {
            self.clock_turned.notify_one();
        }
        reading
    }

    /// Waits until the clock is doubtful and was not, or the other way round.
    pub(super) async fn clock_turned(&self) {
        self.clock_turned.notified().await;
    }

    fn now(&self) -> Now {
        Now::of(&self.clock(), TimeZone::system())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
