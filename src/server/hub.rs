//! The one place that owns users and decides who gets what.
//!
//! A reader hands packets in; under one lock the rules of [`chat`](crate::chat) are applied and
//! what follows is appended to the turn, which the flusher takes and writes. Nothing is written
//! and nothing waits under the lock.

use super::connection::Connection;
use super::turn::{Turn, What};
use crate::chat::{Audience, Chat, Deliveries, Delivery, Now, Profile, SessionId};
use crate::limits::{PORTION_BYTES, PORTION_TIME};
use crate::protocol::request::{ClientPacket, Refusal};
use crate::protocol::{Code, Event, Request};
use jiff::Zoned;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What a reader found.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A packet.
    Packet(Box<ClientPacket>),
    /// Something else, and why it is no packet.
    Garbage(String),
    /// What ends the connection, and why.
    Fatal(Code, String),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    started: Instant,
    /// From accept to a registered name.
    handshake: Duration,
    /// Bytes of a turn from which on readers wait.
    max_turn: usize,
    next_session: AtomicU64,
    /// No turns come any more.
    closed: AtomicBool,
    /// Wakes the flusher: there is a turn, or none will come.
    turn_ready: Notify,
    /// Wakes readers that wait for the turn to be taken.
    turn_taken: Notify,
    /// Wakes the timers: something is due sooner than they know.
    sooner: Notify,
}

#[derive(Debug)]
struct State {
    chat: Chat,
    turn: Turn,
    /// Scratch for a call's deliveries; empty between calls.
    deliveries: Deliveries,
    /// Connections by the time until which they must have registered; the front is next.
    handshakes: VecDeque<(Duration, SessionId)>,
}

impl Hub {
    pub(super) fn new(profile: Profile, handshake: Duration, max_turn: usize) -> Arc<Self> {
        let state = State {
            chat: Chat::new(profile),
            turn: Turn::default(),
            deliveries: Vec::new(),
            handshakes: VecDeque::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            started: Instant::now(),
            handshake,
            max_turn,
            next_session: AtomicU64::new(1),
            closed: AtomicBool::new(false),
            turn_ready: Notify::new(),
            turn_taken: Notify::new(),
            sooner: Notify::new(),
        })
    }

    /// A number for the next connection.
    pub(super) fn number(&self) -> SessionId {
        SessionId(self.next_session.fetch_add(1, Ordering::Relaxed))
    }

    /// A connection begins.
    pub(super) fn connect(&self, connection: &Arc<Connection>) {
        let deadline = self.started.elapsed() + self.handshake;
        let mut state = self.lock();
        state.chat.connect(connection.id, connection.peer);
        state.turn.step(connection.id, What::Open(Arc::clone(connection)));
        state.handshakes.push_back((deadline, connection.id));
        if state.handshakes.len() == 1 {
            self.sooner.notify_one();
        }
        drop(state);
        self.turn_ready.notify_one();
    }

    /// A connection's socket is gone.
    pub(super) fn disconnect(&self, id: SessionId) {
        self.act(|chat, now, _| chat.disconnect(id, now));
        self.lock().turn.step(id, What::Gone);
        self.turn_ready.notify_one();
    }

    /// What a connection sent, in order. Takes a portion, as nobody else is served meanwhile, and
    /// leaves the rest in `incoming`. Returns whether the reader must [wait](Self::wait_for_space)
    /// before it takes more.
    pub(super) fn receive(&self, id: SessionId, incoming: &mut impl Iterator<Item = Incoming>) -> bool {
        let now = self.now();
        let mut state = self.lock();
        let was_due = state.chat.due();
        let State { chat, turn, deliveries, .. } = &mut *state;
        let (before, begun) = (turn.bytes(), Instant::now());
        for incoming in incoming {
            match incoming {
                Incoming::Packet(packet) => chat.receive(id, &packet, &now, deliveries),
                Incoming::Garbage(why) => chat.receive_garbage(id, &why, deliveries),
                Incoming::Fatal(code, why) => chat.expel(id, code, &why, &now, deliveries),
            }
            deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
            if turn.bytes() - before > PORTION_BYTES || begun.elapsed() > PORTION_TIME {
                break;
            }
        }
        let is_congested = turn.bytes() > self.max_turn;
        self.wake(state, was_due);
        is_congested
    }

    /// A request from the console.
    pub(super) fn console(&self, request: &Request) -> Result<Event, Refusal> {
        self.act(|chat, now, out| chat.console(request, now, out))
    }

    /// Users who are present, and connections.
    pub(super) fn census(&self) -> (usize, usize) {
        let state = self.lock();
        (state.chat.present(), state.chat.connections())
    }

    /// Since the server started.
    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says goodbye to everybody.
    pub(super) fn shut_down(&self) {
        self.act(|chat, _, out| chat.shut_down(out));
    }

    /// No further turns: the flusher writes what there is and ends.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.turn_ready.notify_one();
    }

    /// The next turn; waits for one. `None` once the hub is closed and all is taken.
    pub(super) async fn next_turn(&self) -> Option<Turn> {
        loop {
            let closed = self.closed.load(Ordering::Acquire);
            let turn = std::mem::take(&mut self.lock().turn);
            if !turn.is_empty() {
                self.turn_taken.notify_waiters();
                return Some(turn);
            }
            if closed {
                return None;
            }
            self.turn_ready.notified().await;
        }
    }

    /// Waits while more is to be written than a turn should hold: a sender faster than the
    /// fan-out is slowed down by its own socket.
    pub(super) async fn wait_for_space(&self) {
        while self.is_congested() {
            let taken = self.turn_taken.notified();
            // Looked at again, now that a taken turn can't be missed.
            if self.is_congested() {
                taken.await;
            }
        }
    }

    fn is_congested(&self) -> bool {
        self.lock().turn.bytes() > self.max_turn
    }

    /// Does what is due and returns when to come back; `None`: when [`Self::sooner`] says.
    pub(super) fn tick(&self) -> Option<Instant> {
        let due = self.act(|chat, now, out| {
            chat.tick(now, out);
            chat.due()
        });
        let uptime = self.started.elapsed();
        let mut late = Vec::new();
        let mut state = self.lock();
        while state.handshakes.front().is_some_and(|(deadline, _)| *deadline <= uptime) {
            let Some((_, id)) = state.handshakes.pop_front() else { break };
            if !state.chat.is_registered(id) {
                late.push(id);
            }
        }
        if state.handshakes.is_empty() {
            // A storm of logins leaves no memory behind.
            state.handshakes.shrink_to_fit();
        }
        let handshake = state.handshakes.front().map(|(deadline, _)| *deadline);
        drop(state);
        if !late.is_empty() {
            self.act(|chat, now, out| {
                for id in late {
                    let why = "no first packet came in time; connect again and send one with your name";
                    chat.expel(id, Code::HandshakeTimeout, why, now, out);
                }
            });
        }
        [due, handshake].into_iter().flatten().min().map(|due| self.started + due)
    }

    /// Something became due sooner than [`Self::tick`] said.
    pub(super) async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// One call of the rules, and what follows from it.
    fn act<T>(&self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries) -> T) -> T {
        let now = self.now();
        let mut state = self.lock();
        let was_due = state.chat.due();
        let State { chat, turn, deliveries, .. } = &mut *state;
        let result = call(chat, &now, deliveries);
        deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
        self.wake(state, was_due);
        result
    }

    /// Gives the lock back and wakes whoever has something to do now.
    fn wake(&self, state: MutexGuard<'_, State>, was_due: Option<Duration>) {
        if was_due.is_none() && state.chat.due().is_some() {
            self.sooner.notify_one();
        }
        let is_ready = !state.turn.is_empty();
        drop(state);
        if is_ready {
            self.turn_ready.notify_one();
        }
    }

    fn now(&self) -> Now {
        Now { clock: Zoned::now(), uptime: self.started.elapsed() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn deliver(turn: &mut Turn, delivery: Delivery) {
    match delivery {
        Delivery::Packet { audience: Audience::Lobby { except }, packet } => turn.lobby(&packet, except),
        Delivery::Packet { audience: Audience::Sessions(sessions), packet } => turn.direct(&packet, sessions),
        Delivery::Follow(session) => turn.step(session, What::Follow),
        Delivery::Close(session) => turn.step(session, What::Close),
    }
}
