//! The hub under its lock: one call of the rules at a time, and its results.
//!
//! Knows no lock and wakes nobody. Each call takes microseconds, because everyone else waits; `cargo bench
//! --bench hold` measures that.

use super::super::journal::ServerJournal;
use super::super::output_batch::{OutputBatch, OutputStep, StepKind};
use super::ParsedIncoming;
use super::deliver::deliver;
use super::node_seat::NodeSeat;
use crate::chat::{Chat, Deliveries, Delivery, Now, Peer, SessionId, TransferId};
use crate::limits::HANDSHAKES_PORTION;
use crate::protocol::Code;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

#[derive(Debug)]
pub(in crate::server) struct HubState {
    pub(in crate::server) chat: Chat,
    pub(in crate::server) batch: OutputBatch,
    /// Scratch space; empty between calls.
    deliveries: Deliveries,
    /// Connections that have not registered, with their deadlines, in order.
    handshakes: VecDeque<(Duration, SessionId)>,
    /// Transfers that the rules have ended, for those who pass the bytes on.
    pub(super) ended: mpsc::UnboundedSender<(TransferId, Code)>,
    pub(super) journal: Arc<ServerJournal>,
    /// Of a server that shares its chat with others.
    pub(super) node: Option<Box<NodeSeat>>,
}

impl HubState {
    pub(in crate::server) fn new(
        chat: Chat,
        ended: mpsc::UnboundedSender<(TransferId, Code)>,
        journal: Arc<ServerJournal>,
    ) -> Self {
        let (deliveries, handshakes) = (Vec::new(), VecDeque::new());
        Self { chat, batch: OutputBatch::default(), deliveries, handshakes, ended, journal, node: None }
    }

    /// Starts a connection, which must register by `deadline`. Returns whether it is the only one to wait for.
    /// `open` is the step for the flusher.
    pub(in crate::server) fn connect(
        &mut self,
        id: SessionId,
        peer: Peer,
        open: StepKind,
        deadline: Duration,
        now: &Now,
    ) -> bool {
        self.chat.connect(id, peer);
        self.batch.step(id, open);
        self.act(|chat, out| chat.screen(id, now, out));
        self.wait_for(id, deadline)
    }

    /// Notes by when a connection must register. Returns whether it is the only one to wait for.
    pub(super) fn wait_for(&mut self, id: SessionId, deadline: Duration) -> bool {
        // Drops registered connections, so that a storm of logins leaves nothing behind. One stays: the timers
        // know its deadline or an earlier one, so they need not be woken for each login.
        for _ in 0..HANDSHAKES_PORTION {
            let is_in = self.handshakes.front().is_some_and(|(_, first)| !self.is_waited_for(*first));
            if !is_in || self.handshakes.len() < 2 {
                break;
            }
            self.handshakes.pop_front();
        }
        let is_first = self.handshakes.is_empty();
        self.handshakes.push_back((deadline, id));
        is_first
    }

    /// Whether the connection exists and has no name yet.
    fn is_waited_for(&self, id: SessionId) -> bool {
        self.node.as_ref().map_or_else(|| self.chat.is_waited_for(id), |seat| seat.is_waited_for(id))
    }

    pub(in crate::server) fn disconnect(&mut self, id: SessionId, now: &Now) {
        self.act(|chat, out| chat.disconnect(id, now, out));
        self.batch.step(id, StepKind::Gone);
    }

    /// Whether the connection still has no name; an error: how long its next packet, of that cost, must wait.
    pub(in crate::server) fn may_send(
        &mut self,
        id: SessionId,
        cost: u64,
        now: &Now,
    ) -> Result<bool, Duration> {
        self.chat.pause(id, cost, now).map_or_else(|| Ok(!self.chat.is_registered(id)), Err)
    }

    pub(in crate::server) fn receive(&mut self, id: SessionId, parsed: ParsedIncoming, now: &Now) {
        self.act(|chat, out| match parsed {
            ParsedIncoming::Packet(packet) => chat.receive(id, packet, now, out),
            ParsedIncoming::Garbage(garbage) => chat.receive_garbage(id, garbage, now, out),
            ParsedIncoming::Fatal(refusal, echo) => chat.expel(id, echo, refusal, now, out),
        });
    }

    /// Takes the next connection whose deadline has passed, and says whether it is late; `None`: none is left. One whose
    /// packets are on their way to the rules gets `more` time.
    pub(in crate::server) fn late(&mut self, uptime: Duration, more: Duration) -> Option<(SessionId, bool)> {
        let due = self.handshakes.pop_front_if(|(deadline, _)| *deadline <= uptime);
        if self.handshakes.is_empty() {
            // Gives the memory back after a crowd that said nothing.
            self.handshakes.shrink_to_fit();
        }
        let (_, id) = due?;
        let is_late = self.is_waited_for(id);
        let Some(seat) = self.node.as_mut().filter(|seat| is_late && seat.is_under_way(id)) else {
            return Some((id, is_late));
        };
        if !seat.refuses(id, uptime) {
            self.handshakes.push_back((uptime + more, id));
        }
        Some((id, false))
    }

    /// The next deadline for a registration.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.handshakes.front().map(|(deadline, _)| *deadline)
    }

    /// Makes one call of the rules and delivers the results.
    pub(in crate::server) fn act<T>(&mut self, call: impl FnOnce(&mut Chat, &mut Deliveries) -> T) -> T {
        let decides = self.decides();
        let Self { chat, batch, deliveries, ended, journal, node, .. } = self;
        let result = call(chat, deliveries);
        if node.is_some() {
            chat.keep_standing(deliveries);
        }
        if !decides {
            // The rules have no sessions, and nobody is to hear of them.
            deliveries.clear();
            return result;
        }
        for delivery in deliveries.drain(..) {
            match delivery {
                Delivery::EndTransfer { transfer, code, meets } if node.is_some() => {
                    batch.step(meets, StepKind::EndTransfer(transfer, code));
                }
                // The error is that of a server that ends.
                Delivery::EndTransfer { transfer, code, .. } => drop(ended.send((transfer, code))),
                Delivery::Refused(refused) => journal.turned_away(*refused),
                Delivery::Visit(visit) => journal.visit(visit),
                delivery => deliver(batch, delivery),
            }
        }
        result
    }

    /// `spare` is an empty list for the steps of the next batch.
    pub(in crate::server) fn take_batch(&mut self, spare: &mut Vec<OutputStep>) -> OutputBatch {
        self.numbered_batch();
        self.batch.take(spare)
    }

    /// The batch, with the latest message's number.
    pub(in crate::server) fn numbered_batch(&mut self) -> &OutputBatch {
        self.batch.seq = self.chat.latest();
        &self.batch
    }
}
