//! Questions and reports of the server's own tasks to the rules, about a session or a key.

use super::super::cutover::{CatchUpSummary, Remainder};
use super::super::output_batch::Seam;
use super::Hub;
use super::input::RulesInput;
use super::node_question::NodeQuestion;
use crate::chat::{
    Delivery, FileTicket, Holder, Message, MessageChange, Peer, SessionId, TransferEnd, TransferId,
};
use crate::fingerprint::Fingerprint;
use crate::limits::WEB_TIMEOUT;
use crate::protocol::request::Refusal;
use crate::protocol::{Code, Packet};
use std::net::IpAddr;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The transfer that a token admits to.
#[derive(Debug)]
pub(in crate::server) enum ClaimAnswer {
    Now(Result<FileTicket, Refusal>),
    /// From the server that leads.
    Later(oneshot::Receiver<Result<FileTicket, Refusal>>),
}

impl Hub {
    /// Ends a session and tells it why.
    pub(in crate::server) fn expel(&self, id: SessionId, code: Code, why: &str) {
        if !self.expel_at_node(id, code, why) {
            self.act(|chat, now, out| chat.expel(id, None, Refusal::new(code, why), now, out));
        }
    }

    /// Sends a packet to one session, for the server's own tasks.
    pub(in crate::server) fn tell(&self, id: SessionId, packet: Packet) {
        if let Some(seat) = &mut self.lock().node {
            return seat.tell(id, &packet);
        }
        self.act(|_, _, out| out.push(Delivery::one(id, packet)));
    }

    /// The part of the history that the session may read at present; `None`: it is gone.
    pub(in crate::server) async fn seam(&self, id: SessionId) -> Option<Seam> {
        let (sender, seam) = oneshot::channel();
        if self.ask_up(NodeQuestion::Seam(sender), |number| RulesInput::Seam { id, number }) {
            return seam.await.ok();
        }
        self.read(|chat| Seam::of(chat, id))
    }

    /// Schedules a session's cutover: it gets the messages after this number, except changes of messages above
    /// the second one, then follows the lobby. The
    /// receiver resolves when that is written, with the remainder if there is one. `None`: the session or the
    /// server is gone.
    pub(in crate::server) fn cutover(
        &self,
        id: SessionId,
        (after, known): (u64, u64),
        summary: Option<CatchUpSummary>,
    ) -> Option<oneshot::Receiver<Option<Remainder>>> {
        if self.is_closed() {
            return None;
        }
        let (sender, written) = oneshot::channel();
        if self.node.is_some() {
            let question = NodeQuestion::Cutover { after, known, summary, written: sender };
            self.ask_up(question, |number| RulesInput::Seam { id, number });
            return Some(written);
        }
        let mut state = self.lock();
        let cutover = Seam::of(&state.chat, id)?.into_cutover((after, known), summary, sender);
        state.batch.step(id, cutover);
        drop(state);
        self.batch_ready.notify_one();
        Some(written)
    }

    /// All waiting mail has reached a session that never confirms.
    pub(in crate::server) fn caught_up(&self, id: SessionId) {
        if !self.tell_up(RulesInput::CaughtUp { id }) {
            self.act(|chat, now, out| chat.caught_up(id, now, out));
        }
    }

    /// Decides on a change of a message, which was looked up for that.
    pub(in crate::server) fn change(
        &self,
        id: SessionId,
        echo: Option<String>,
        found: (MessageChange, Option<Message>),
    ) {
        if self.node.is_some() {
            let (change, found) = (found.0, found.1.map(Box::new));
            self.tell_up(RulesInput::Change { id, echo, change, found });
            return;
        }
        self.act(|chat, now, out| chat.change(id, echo, found, now, out));
    }

    /// Whether the key may enter a closed server without the passphrase.
    pub(in crate::server) fn is_member(&self, key: &Fingerprint) -> bool {
        let state = self.lock();
        state.node.as_ref().map_or_else(|| state.chat.is_member(key), |seat| seat.keys.is_member(key))
    }

    /// Whether the key may send files at a closed server.
    pub(in crate::server) fn may_send_files(&self, key: &Fingerprint) -> bool {
        let state = self.lock();
        state.node.as_ref().map_or_else(|| state.chat.is_member(key), |seat| seat.keys.may_send_files(key))
    }

    /// Makes a key a member once it has proven the passphrase. `name` is the name it asks for.
    pub(in crate::server) fn add_member(&self, key: Fingerprint, ip: IpAddr, name: &str) {
        if !self.tell_up(RulesInput::AddMember { key, ip, name: name.to_owned() }) {
            self.act(|chat, now, out| chat.add_member(key, ip, name, now, out));
        }
    }

    /// Whether a browser's link lets its key in for good. It does so once.
    pub(in crate::server) async fn admit_by_ticket(&self, whom: (Fingerprint, IpAddr), ticket: &str) -> bool {
        let (sender, answer) = oneshot::channel();
        let asks = |number| {
            let ((key, ip), ticket, node) = (whom, ticket.to_owned(), self.node_number());
            RulesInput::Ticket { node, number, key, ip, ticket }
        };
        if self.ask_up(NodeQuestion::Ticket(sender), asks) {
            return timeout(WEB_TIMEOUT, answer).await.is_ok_and(|is_in| is_in.unwrap_or_default());
        }
        self.act(|chat, now, out| chat.admit_by_ticket(whom, ticket, now, out))
    }

    /// Whether the key is a member's or owns a name.
    pub(in crate::server) fn is_known(&self, key: &Fingerprint) -> bool {
        if self.node.is_some() {
            let second = self.now().unix_second();
            return self.lock().node.as_ref().is_some_and(|seat| seat.keys.is_known(key, second));
        }
        self.act(|chat, now, _| chat.is_known(key, now))
    }

    /// See [`Chat::more_holders`]. One of several servers has places for its own sessions.
    pub(in crate::server) fn more_holders(
        &self,
        from: usize,
        count: usize,
        rows: &mut Vec<Holder>,
    ) -> Option<usize> {
        if self.node.is_some() {
            let second = self.now().unix_second();
            return self.lock().node.as_ref()?.more_holders(from, count, second, rows);
        }
        self.act(|chat, now, _| chat.more_holders(from, count, now, rows))
    }

    /// The transfer that the token admits the peer to. `id`: the connection.
    pub(in crate::server) fn claim_transfer(&self, id: SessionId, token: &str, peer: &Peer) -> ClaimAnswer {
        let (sender, answer) = oneshot::channel();
        let asks = |number| RulesInput::Claim { id, number, token: token.to_owned(), peer: *peer };
        if self.ask_up(NodeQuestion::Claim(sender), asks) {
            return ClaimAnswer::Later(answer);
        }
        ClaimAnswer::Now(self.act(|chat, now, _| chat.claim_transfer(token, peer, now)))
    }

    pub(in crate::server) fn transfer_ended(&self, transfer: TransferId, end: TransferEnd) {
        if !self.tell_up(RulesInput::TransferEnded { node: self.node_number(), transfer, end }) {
            self.act(|chat, _, out| chat.transfer_ended(transfer, end, out));
        }
    }

    /// Waits for the lock, which shows that nobody keeps it.
    pub(in crate::server) fn touch(&self) {
        drop(self.lock());
    }
}
