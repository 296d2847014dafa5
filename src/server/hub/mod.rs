//! The only owner of the users; it decides who receives what.
//!
//! The reactor hands packets in. Under one lock, the hub applies the rules of [`chat`](crate::chat) and appends
//! the results to the batch, which the [output](super::output_stage) takes and writes. Nothing is written and nothing waits under the
//! lock.

mod cut_off;
mod deliver;
mod failing_store;
mod hand_over;
mod hub_state;
mod incoming;
mod input;
mod known_keys;
mod next_turn;
mod node;
mod node_console;
mod node_door;
mod node_learning;
mod node_link;
mod node_look;
mod node_message;
mod node_news;
mod node_paces;
mod node_ping;
mod node_question;
mod node_rules;
mod node_screening;
mod node_seat;
mod node_session;
mod node_settings;
mod node_share;
mod node_state;
mod node_strangers;
mod node_work;
mod seam;
mod settings_exchange;
mod uplink_shares;

use super::connection::Connection;
use super::journal::ServerJournal;
use super::output_batch::{OutputBatch, OutputStep, StepKind};
use super::reactor_inbox::ReactorInbox;
use super::secrets::ClosedServer;
use crate::chat::{Asked, Chat, Deliveries, Now, Peer, SessionId, TransferId};
use crate::clock::{Clock, Reading};
use crate::limits::{
    MAX_FRAME_BYTES, PACED_PACKETS, PACED_SLICE_BYTES, PORTION_BYTES, PORTION_TIME, UNPACED_PACKETS,
};
use crate::protocol::request::{Ask, Operate, Refusal};
use crate::protocol::{Code, Event};
pub(super) use hub_state::HubState;
pub(super) use incoming::{Incoming, ParsedIncoming, needs_no_passphrase};
use jiff::tz::TimeZone;
pub(super) use node::NodeOutput;
pub(super) use node_door::{ASKS_ELSEWHERE, NodeDoor};
#[cfg(feature = "nats")]
pub(super) use node_message::{NodeMessage, SEALED_MESSAGE};
pub(super) use node_seat::NodeSeat;
pub(super) use node_work::NodeWork;
pub(super) use seam::ClaimAnswer;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// Why a client is closed that has not registered in time.
pub(super) const NO_FIRST_PACKET: &str =
    "no first packet came in time; connect again and send one with your name";

#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<HubState>,
    clock: Arc<Clock>,
    /// Whether the clock was doubtful at its last reading.
    is_doubtful: AtomicBool,
    /// Notified when that changes.
    clock_turned: Notify,
    /// How long a session has to register a name.
    registration: Duration,
    /// Size of a batch above which connections wait.
    max_batch: usize,
    /// Maximum to read and parse per connection at a time.
    pub(super) portion: Portion,
    /// Whether users have a pace.
    pub(super) is_paced: bool,
    /// Whether the server has ended.
    closed: watch::Sender<bool>,
    /// Notified when there is a batch, or when none will follow.
    batch_ready: Notify,
    /// Notified when the rules may have a result for the servers' log.
    turn_ready: Notify,
    inbox: Arc<ReactorInbox>,
    /// Notified when something is due sooner than the timers know.
    sooner: Notify,
    /// Its number among the servers of the chat; `None`: it is the only one.
    node: Option<u8>,
    /// `None`: everyone may join.
    pub(super) closed_server: Option<Arc<ClosedServer>>,
}

/// How to go on with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// With the rest of its input, after other connections.
    More,
    /// Once the batch [has space](Hub::is_congested).
    Congested,
    /// After this time, because its user sends too fast.
    Pause(Duration),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    pub(super) bytes: usize,
    pub(super) packets: usize,
}

impl Hub {
    pub(super) fn new(
        (chat, ended, journal): (Chat, mpsc::UnboundedSender<(TransferId, Code)>, Arc<ServerJournal>),
        closed_server: Option<Arc<ClosedServer>>,
        registration: Duration,
        max_batch: usize,
        inbox: Arc<ReactorInbox>,
        clock: Arc<Clock>,
        node: Option<NodeSeat>,
    ) -> Arc<Self> {
        let is_paced = chat.is_paced();
        let portion = match is_paced {
            true => Portion { bytes: PACED_SLICE_BYTES, packets: PACED_PACKETS },
            false => Portion { bytes: MAX_FRAME_BYTES, packets: UNPACED_PACKETS },
        };
        let number = node.as_ref().map(NodeSeat::number);
        let mut state = HubState::new(chat, ended, journal);
        node.into_iter().for_each(|seat| state.take_seat(seat));
        Arc::new(Self {
            node: number,
            state: Mutex::new(state),
            clock,
            is_doubtful: AtomicBool::new(false),
            clock_turned: Notify::new(),
            registration,
            max_batch,
            portion,
            is_paced,
            closed: watch::Sender::new(false),
            batch_ready: Notify::new(),
            turn_ready: Notify::new(),
            inbox,
            sooner: Notify::new(),
            closed_server,
        })
    }

    /// Starts a connection. As after its packets and its end, the reactor sees to the output.
    pub(super) fn connect(&self, connection: &Arc<Connection>, peer: Peer) {
        let now = self.now();
        let mut state = self.lock();
        let before = state.chat.due();
        let (open, deadline) = (StepKind::Open(Arc::clone(connection)), now.uptime + self.registration);
        if let Some(seat) = &mut state.node {
            let id = connection.id();
            seat.connect(id, peer, open);
            state.screen_at_node(id, &peer, &now);
            if state.wait_for(id, deadline) {
                self.sooner.notify_one();
            }
            return;
        }
        if state.connect(connection.id(), peer, open, deadline, &now) {
            self.sooner.notify_one();
        }
        self.wake_timers(&state, before);
    }

    /// Ends a connection whose socket is closed.
    pub(super) fn disconnect(&self, id: SessionId) {
        let now = self.now();
        let mut state = self.lock();
        if let Some(seat) = &mut state.node {
            return seat.disconnect(id, now.uptime);
        }
        let before = state.chat.due();
        state.disconnect(id, &now);
        self.wake_timers(&state, before);
    }

    /// The server's number among those of the chat.
    pub(super) fn node_number(&self) -> u8 {
        self.node.unwrap_or_default()
    }

    /// Asks the reactor for a sign of life.
    pub(super) fn probe(&self) -> oneshot::Receiver<()> {
        self.inbox.probe()
    }

    /// Wakes the output task.
    pub(super) fn wake_output(&self) {
        self.batch_ready.notify_one();
        if self.node.is_some() {
            self.turn_ready.notify_one();
        }
    }

    /// Processes a connection's input in order. Handles one portion, because other connections wait, and leaves
    /// the rest in `incoming`. Frees the lock between two packets to parse the next one.
    pub(super) fn receive(&self, id: SessionId, incoming: &mut VecDeque<Incoming>) -> Next {
        let (now, begun) = (self.now(), Instant::now());
        let mut bytes = 0;
        let mut state = self.lock();
        if self.node.is_some() {
            let rate = state.chat.rate();
            return node::take(&mut state, id, incoming, (rate, &now));
        }
        while !incoming.is_empty() {
            let cost = incoming.front().filter(|_| self.is_paced).map_or(1, Incoming::cost);
            // An answer may fill a batch by itself, and is bigger than its request suggests.
            if state.batch.bytes() > self.max_batch {
                return Next::Congested;
            }
            let is_first = match state.may_send(id, cost, &now) {
                Err(pause) => return Next::Pause(pause),
                Ok(is_first) => is_first,
            };
            let Some(next) = incoming.pop_front() else { break };
            drop(state);
            let parsed = ParsedIncoming::new(next, is_first);
            state = self.lock();
            let (before, bytes_before) = (state.chat.due(), state.batch.bytes());
            state.receive(id, parsed, &now);
            // The output may take the batch between two packets.
            bytes += state.batch.bytes().saturating_sub(bytes_before);
            self.wake_timers(&state, before);
            if state.chat.has_more() {
                drop(state);
                self.proceed(&now);
                state = self.lock();
            }
            if bytes > PORTION_BYTES || begun.elapsed() > PORTION_TIME {
                break;
            }
        }
        if state.batch.bytes() > self.max_batch { Next::Congested } else { Next::More }
    }

    /// Reads something from the rules.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Chat) -> T) -> T {
        read(&self.lock().chat)
    }

    /// Answers a question from the console.
    pub(super) async fn ask(&self, question: &Ask) -> Result<Event, Refusal> {
        if self.node.is_some() {
            return self.consult(question.clone().into()).await;
        }
        match self.act(|chat, now, _| chat.ask(question, now))? {
            Asked::Answer(event) => Ok(event),
            Asked::List(mut listing) => {
                while self.lock().chat.gather(&mut listing) {}
                Ok(listing.into_event())
            }
        }
    }

    /// Carries out an operator's command from the console.
    pub(super) async fn operate(&self, command: &Operate) -> Result<Event, Refusal> {
        if self.node.is_some() {
            return self.consult(command.clone().into()).await;
        }
        self.act(|chat, now, out| chat.operate(command, None, now, out))
    }

    /// Time since the server started.
    pub(super) fn uptime(&self) -> Duration {
        self.clock.started().elapsed()
    }

    /// Tells everyone at this server that it goes away, and ends their connections.
    pub(super) fn shut_down(&self) {
        if self.node.is_some() {
            self.lock().end_node_sessions(self.uptime());
            return self.wake_output();
        }
        self.act(|chat, _, out| chat.shut_down(out));
    }

    /// Lets the output task write the last batch and end.
    pub(super) fn close(&self) {
        self.keep_rest();
        self.closed.send_replace(true);
        self.batch_ready.notify_one();
    }

    /// Has the rules store what they gather for a while.
    fn keep_rest(&self) {
        while self.act(|chat, now, out| chat.keep_rest(now, out)) {}
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    pub(super) async fn closed(&self) {
        // Cannot fail: the sender is in `self`.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Waits until there may be a batch, or the hub is closed.
    pub(super) async fn batch_ready(&self) {
        self.batch_ready.notified().await;
    }

    /// Takes the batch of an only server if it is as wanted; `spare`: see [`HubState::take_batch`].
    pub(super) fn take_batch(
        &self,
        spare: &mut Vec<OutputStep>,
        is_wanted: impl FnOnce(&OutputBatch) -> bool,
    ) -> Option<OutputBatch> {
        let mut state = self.lock();
        if self.node.is_some() {
            // The batch is for all servers, by way of their log.
            return None;
        }
        let batch = is_wanted(state.numbered_batch()).then(|| state.take_batch(spare))?;
        drop(state);
        self.inbox.tell_space();
        Some(batch)
    }

    /// Whether the batch is full. A connection that sends faster than the fan-out writes then waits.
    pub(super) fn is_congested(&self) -> bool {
        let state = self.lock();
        let at_node = state.node.as_ref().map(|seat| seat.is_congested());
        at_node.unwrap_or_else(|| state.batch.bytes() > self.max_batch)
    }

    /// Does what is due, and returns when to call it again; `None`: when [`Self::sooner`] resolves.
    pub(super) fn tick(&self) -> Option<Instant> {
        let due = self.act(|chat, now, out| {
            chat.tick(now, out);
            chat.due()
        });
        let uptime = self.uptime();
        while let Some((id, is_late)) = { self.lock().late(uptime, self.registration) } {
            if is_late {
                self.expel(id, Code::HandshakeTimeout, NO_FIRST_PACKET);
            }
        }
        let handshake = self.lock().deadline();
        [due, handshake].into_iter().flatten().min().map(|due| self.clock.started() + due)
    }

    /// Resolves when something is due sooner than [`Self::tick`] said.
    pub(super) async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// Makes one call of the rules and delivers the results.
    pub(super) fn act<T>(&self, call: impl FnOnce(&mut Chat, &Now, &mut Deliveries) -> T) -> T {
        let now = self.now();
        let mut state = self.lock();
        let before = state.chat.due();
        let result = state.act(|chat, out| call(chat, &now, out));
        self.wake_timers(&state, before);
        let (is_ready, has_more) = (!state.batch.is_empty(), state.chat.has_more());
        drop(state);
        if has_more {
            self.proceed(&now);
        }
        if is_ready {
            self.wake_output();
        }
        result
    }

    /// Finishes what a call left over, in portions.
    fn proceed(&self, now: &Now) {
        while self.lock().chat.has_more() {
            let mut state = self.lock();
            let before = state.chat.due();
            state.act(|chat, out| chat.proceed(now, out));
            self.wake_timers(&state, before);
        }
    }

    /// Wakes the timers if something is due sooner than before a call.
    fn wake_timers(&self, state: &HubState, before: Option<Duration>) {
        if state.chat.due().is_some_and(|due| before.is_none_or(|before| due < before)) {
            self.sooner.notify_one();
        }
    }

    /// Reads the clock. Notifies [`Self::clock_turned`] when it becomes doubtful or right.
    pub(super) fn clock(&self) -> Reading {
        let reading = self.clock.now();
        if self.is_doubtful.swap(reading.is_doubtful, Ordering::Relaxed) != reading.is_doubtful {
            self.clock_turned.notify_one();
        }
        reading
    }

    pub(super) async fn clock_turned(&self) {
        self.clock_turned.notified().await;
    }

    fn now(&self) -> Now {
        Now::of(&self.clock(), TimeZone::system())
    }

    fn lock(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
