//! The rules of a chat that several servers carry on, at the one that leads: what the others' people say.

use super::hub_state::HubState;
use super::incoming::needs_no_passphrase;
use super::input::{RulesInput, packet};
use super::node_door::ASKS_ELSEWHERE;
use crate::chat::{Now, Parsed, Peer, SessionId, TokenWay, TransferEnd, TransferId};
use crate::cluster::NodeRun;
use crate::protocol::Code;
use crate::protocol::request::Refusal;
use crate::server::output_batch::{RulesAnswer, Seam, StepKind};

impl HubState {
    pub(super) fn process(&mut self, run: NodeRun, number: u64, bytes: &[u8], now: &Now) {
        if number == 1 {
            self.end_sessions_of(run, now);
        }
        // An unreadable batch is taken like others: to send it again would not help.
        let Ok(inputs) = rmp_serde::from_slice::<Vec<RulesInput>>(bytes) else {
            tracing::error!(
                event = "inputs_unreadable",
                server = self.node.as_ref().map(|seat| seat.news.name(run.node.0)),
                "a server of this chat has another version, and this one cannot read what its people say; update \
                 lanchat on all of them"
            );
            return;
        };
        for input in inputs {
            self.apply(input, now);
            while self.chat.has_more() {
                self.act(|chat, out| chat.proceed(now, out));
            }
        }
    }

    fn apply(&mut self, input: RulesInput, now: &Now) {
        match input {
            RulesInput::Connect { id, peer } => self.act(|chat, out| {
                chat.connect(id, peer);
                chat.screen(id, now, out);
            }),
            RulesInput::Packet { id, packet: json, frame_bytes, vouched } => {
                let Some(packet) = packet(&json, frame_bytes) else { return };
                if !vouched && !needs_no_passphrase(&packet) && self.chat.is_kept_out(id) {
                    let refusal = Refusal::new(Code::ServerFull, ASKS_ELSEWHERE);
                    return self.act(|chat, out| chat.expel(id, packet.echo(), refusal, now, out));
                }
                let parsed = Parsed::new(packet, !self.chat.is_registered(id));
                self.act(|chat, out| chat.receive(id, parsed, now, out));
            }
            RulesInput::Garbage { id, garbage } => {
                self.act(|chat, out| chat.receive_garbage(id, garbage, now, out));
            }
            RulesInput::Fatal { id, refusal, echo } => {
                self.act(|chat, out| chat.expel(id, echo, refusal, now, out));
            }
            RulesInput::Gone { id } => self.disconnect(id, now),
            RulesInput::AddMember { key, ip, name } => {
                self.act(|chat, out| chat.add_member(key, ip, &name, now, out));
            }
            RulesInput::OfferOperator { server, code, token, left, closed } => {
                self.act(|chat, _| chat.offer_operator(server, &code, &token, now.uptime + left));
                if let Some(is_closed) = closed {
                    self.keep_closed(server, is_closed);
                }
            }
            RulesInput::CaughtUp { id } => self.act(|chat, out| chat.caught_up(id, now, out)),
            RulesInput::Change { id, echo, change, found } => {
                let found = (change, found.map(|message| *message));
                self.act(|chat, out| chat.change(id, echo, found, now, out));
            }
            RulesInput::Seam { id, number } => {
                let seam = Seam::of(&self.chat, id).map(|seam| RulesAnswer::Seam(Box::new(seam)));
                self.batch.step(id, StepKind::Told(number, seam));
            }
            RulesInput::Claim { id, number, token, peer } => self.claim((id, number), &token, &peer, now),
            RulesInput::Ticket { node, number, key, ip, ticket } => {
                let is_in = self.act(|chat, out| chat.admit_by_ticket((key, ip), &ticket, now, out));
                let answer = StepKind::Told(number, Some(RulesAnswer::Ticket(is_in)));
                self.batch.step(SessionId::new(node, 0), answer);
            }
            RulesInput::Console { node, number, request } => {
                self.answer_console((node, number), &request, now);
            }
            RulesInput::TransferEnded { node, transfer, end } => self.end_transfer(node, transfer, end),
        }
    }

    fn claim(&mut self, (id, number): (SessionId, u64), token: &str, peer: &Peer, now: &Now) {
        let own = self.node.as_ref().map(|seat| seat.chat_key());
        let is_passed_on = own.is_some() && peer.key == own;
        let way = TokenWay { is_passed_on, at: id.node(), server_of: SessionId::node };
        let claimed = self.act(|chat, _| chat.claim_transfer_at(token, peer, way, now));
        self.batch.step(id, StepKind::Told(number, Some(RulesAnswer::Claim(Box::new(claimed)))));
    }

    /// `node`: the server that saw it end. If the sides meet at another one, that one learns of it.
    fn end_transfer(&mut self, node: u8, transfer: TransferId, end: TransferEnd) {
        let meets = self.chat.meeting_place(transfer).filter(|meets| meets.node() != node);
        self.act(|chat, out| chat.transfer_ended(transfer, end, out));
        if let Some(meets) = meets {
            self.batch.step(meets, StepKind::EndTransfer(transfer, Code::Cut));
        }
    }

    /// Ends all sessions of a server whose run is over.
    pub(super) fn end_sessions_of(&mut self, run: NodeRun, now: &Now) {
        for id in self.chat.sessions_where(|id| id.node() == run.node.0) {
            self.act(|chat, out| chat.disconnect(id, now, out));
        }
    }
}
