//! The one place that owns users and decides who gets what.
//!
//! A reader hands packets in; under one lock the rules of [`chat`](crate::chat) are applied and
//! what follows is appended to the turn, which the flusher takes and writes. Nothing is written
//! and nothing waits under the lock.

mod books;
mod deliver;
mod keeping;
mod places;

use super::connection::Connection;
use super::desk::Desk;
use super::guest::Lock;
use super::turn::{Turn, What};
use crate::chat::{Changes, Chat, Deliveries, Delivery, Now, Peer, SessionId};
use crate::limits::{
    MAX_FRAME_BYTES, PACED_PACKETS, PACED_SLICE_BYTES, PORTION_BYTES, PORTION_TIME, UNPACED_PACKETS,
};
use crate::protocol::request::{ClientPacket, Refusal};
use crate::protocol::{Code, Event, Packet, Request};
use deliver::deliver;
use jiff::Zoned;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// What a reader found.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A packet.
    Packet(Box<ClientPacket>),
    /// Something else of that many bytes, and why it is no packet.
    Garbage(String, usize),
    /// What ends the connection, and why.
    Fatal(Code, String),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    started: Instant,
    /// From a session's begin to a registered name.
    registration: Duration,
    /// Bytes of a turn from which on readers wait.
    max_turn: usize,
    portion: Portion,
    /// Whether no turns come any more.
    closed: watch::Sender<bool>,
    /// Wakes the flusher: there is a turn, or none will come.
    turn_ready: Notify,
    /// Wakes the reader that waits for the turn to be taken.
    desk: Arc<Desk>,
    /// Wakes the timers: something is due sooner than they know.
    sooner: Notify,
    /// Wakes whoever saves the books.
    changed: Notify,
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

#[derive(Debug)]
struct State {
    chat: Chat,
    turn: Turn,
    /// Scratch for a call's deliveries; empty between calls.
    deliveries: Deliveries,
    /// Connections by the time until which they must have registered; the front is next.
    handshakes: VecDeque<(Duration, SessionId)>,
}

/// What a call of the rules may change that others wait for.
struct Before {
    due: Option<Duration>,
    changes: Changes,
}

impl Before {
    fn of(chat: &Chat) -> Self {
        Self { due: chat.due(), changes: chat.changes() }
    }
}

impl Hub {
    pub(super) fn new(
        chat: Chat,
        lock: Option<Arc<Lock>>,
        registration: Duration,
        max_turn: usize,
        desk: Arc<Desk>,
    ) -> Arc<Self> {
        let portion = match chat.is_paced() {
            true => Portion { bytes: PACED_SLICE_BYTES, packets: PACED_PACKETS },
            false => Portion { bytes: MAX_FRAME_BYTES, packets: UNPACED_PACKETS },
        };
        let state =
            State { chat, turn: Turn::default(), deliveries: Vec::new(), handshakes: VecDeque::new() };
        Arc::new(Self {
            state: Mutex::new(state),
            started: Instant::now(),
            registration,
            max_turn,
            portion,
            closed: watch::Sender::new(false),
            turn_ready: Notify::new(),
            desk,
            sooner: Notify::new(),
            changed: Notify::new(),
            lock,
        })
    }

    /// A connection begins. Like what it sends and its end, it wakes the flusher with
    /// [`Self::wake_flusher`] only.
    pub(super) fn connect(&self, connection: &Arc<Connection>, peer: Peer) {
        let id = connection.id();
        let now = self.now();
        let mut state = self.lock();
        let before = Before::of(&state.chat);
        let State { chat, turn, deliveries, handshakes } = &mut *state;
        chat.connect(id, peer);
        turn.step(id, What::Open(Arc::clone(connection)));
        chat.screen(id, &now, deliveries);
        deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
        // Who is in is not waited for: a storm of logins leaves nothing behind. One stays, as the timers
        // know of it or of an earlier one, so that they are not woken for each login.
        while handshakes.len() > 1 && handshakes.front().is_some_and(|(_, first)| !chat.is_waited_for(*first))
        {
            handshakes.pop_front();
        }
        if handshakes.is_empty() {
            self.sooner.notify_one();
        }
        handshakes.push_back((now.uptime + self.registration, id));
        self.wake_others(&state, before);
    }

    /// A connection's socket is gone.
    pub(super) fn disconnect(&self, id: SessionId) {
        let now = self.now();
        let mut state = self.lock();
        let before = Before::of(&state.chat);
        state.chat.disconnect(id, &now);
        state.turn.step(id, What::Gone);
        self.wake_others(&state, before);
    }

    /// What connections did has to be written: told once for all that the reader found at a time.
    pub(super) fn wake_flusher(&self) {
        self.turn_ready.notify_one();
    }

    /// What a connection sent, in order. Takes a portion, as nobody else is served meanwhile, and
    /// leaves the rest in `incoming`.
    pub(super) fn receive(&self, id: SessionId, incoming: &mut VecDeque<Incoming>) -> Next {
        let now = self.now();
        let mut state = self.lock();
        let before = Before::of(&state.chat);
        let State { chat, turn, deliveries, .. } = &mut *state;
        let (bytes, begun) = (turn.bytes(), Instant::now());
        let mut pause = None;
        while !incoming.is_empty() {
            pause = chat.pause(id, &now);
            let Some(next) = incoming.pop_front_if(|_| pause.is_none()) else { break };
            match next {
                Incoming::Packet(packet) => chat.receive(id, &packet, &now, deliveries),
                Incoming::Garbage(why, bytes) => chat.receive_garbage(id, &why, bytes, &now, deliveries),
                Incoming::Fatal(code, why) => chat.expel(id, code, &why, &now, deliveries),
            }
            deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
            if turn.bytes() - bytes > PORTION_BYTES || begun.elapsed() > PORTION_TIME {
                break;
            }
        }
        let is_congested = turn.bytes() > self.max_turn;
        self.wake_others(&state, before);
        match pause {
            _ if is_congested => Next::Congested,
            Some(pause) => Next::Pause(pause),
            None => Next::More,
        }
    }

    /// How much of a connection is read and parsed at a time.
    pub(super) fn portion(&self) -> Portion {
        self.portion
    }

    /// Ends a session, and tells it why.
    pub(super) fn expel(&self, id: SessionId, code: Code, why: &str) {
        self.act(|chat, now, out| chat.expel(id, code, why, now, out));
    }

    /// What a closed server goes by; `None`: everybody may come in.
    pub(super) fn closed_by(&self) -> Option<Arc<Lock>> {
        self.lock.clone()
    }

    /// A packet for one session, from the server's own tasks.
    pub(super) fn tell(&self, id: SessionId, packet: Packet) {
        self.act(|_, _, out| out.push(Delivery::one(id, packet)));
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
            let turn = self.take_turn();
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

    fn take_turn(&self) -> Turn {
        let mut state = self.lock();
        let mut turn = std::mem::take(&mut state.turn);
        turn.seq = state.chat.latest();
        turn
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
        let uptime = self.started.elapsed();
        let mut late = Vec::new();
        let mut state = self.lock();
        while state.handshakes.front().is_some_and(|(deadline, _)| *deadline <= uptime) {
            let Some((_, id)) = state.handshakes.pop_front() else { break };
            if state.chat.is_waited_for(id) {
                late.push(id);
            }
        }
        if state.handshakes.is_empty() {
            // A crowd that said nothing leaves no memory behind.
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
        let before = Before::of(&state.chat);
        let State { chat, turn, deliveries, .. } = &mut *state;
        let result = call(chat, &now, deliveries);
        deliveries.drain(..).for_each(|delivery| deliver(turn, delivery));
        self.wake_others(&state, before);
        let is_ready = !state.turn.is_empty();
        drop(state);
        if is_ready {
            self.wake_flusher();
        }
        result
    }

    /// Wakes whoever, besides the flusher, has something to do now.
    fn wake_others(&self, state: &State, before: Before) {
        if before.due.is_none() && state.chat.due().is_some() {
            self.sooner.notify_one();
        }
        // Once for many changes: whoever saves looks at all of them.
        if before.changes != state.chat.changes() {
            self.changed.notify_one();
        }
    }

    fn now(&self) -> Now {
        Now { clock: Zoned::now(), uptime: self.started.elapsed() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
