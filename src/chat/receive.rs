//! Input from a connection: packets, garbage, and its end.

use super::call::Call;
use super::delivery::Delivery;
use super::intake::{Garbage, Parsed};
use super::who::SessionId;
use super::{Chat, Deliveries, Now, rates};
use crate::protocol::Code;
use crate::protocol::request::Refusal;

impl Chat {
    /// Closes a new connection at once if the server is shutting down or has banned the peer.
    pub fn screen(&mut self, id: SessionId, now: &Now, out: &mut Deliveries) {
        let Some(peer) = self.sessions.get(&id).map(|session| session.peer()) else { return };
        if self.is_over {
            out.push(Delivery::one(id, self.going_away().into_packet("all", None)));
            self.close(id, now, out);
        } else if let Some(why) = self.ban_text(&peer, now) {
            self.call(id, None, now, out).turn_away(Refusal::new(Code::Banned, why));
        }
    }

    pub fn receive(&mut self, id: SessionId, parsed: Parsed, now: &Now, out: &mut Deliveries) {
        if !self.sessions.contains_key(&id) || self.leaves(id, now, out) {
            // The chat has closed it already.
            return;
        }
        let Parsed { packet, request, prepared, cost } = parsed;
        self.prepared = prepared;
        self.charge(id, cost, now, out);
        let is_registered = self.is_registered(id);
        let mut call = self.call(id, packet.echo(), now, out);
        let done = match request {
            Err(refusal) if !is_registered => return call.turn_away(refusal),
            Err(refusal) => Err(refusal),
            Ok(request) if is_registered || request.needs_no_name() => call.request(request),
            Ok(request) => return call.register(&packet, request),
        };
        if let Err(refusal) = done {
            call.refuse(refusal);
        }
    }

    /// Answers input that is not a packet.
    pub fn receive_garbage(&mut self, id: SessionId, garbage: Garbage, now: &Now, out: &mut Deliveries) {
        let Garbage { why, echo, bytes } = garbage;
        self.charge(id, rates::garbage_cost(bytes), now, out);
        let msg = format!(
            "not a packet ({why}); send one JSON object per line, such as \
             {{\"from\":{{\"name\":\"alice\"}},\"to\":\"all\",\"msg\":\"hello\"}}"
        );
        self.call(id, echo, now, out).refuse(Refusal::new(Code::BadPacket, msg));
    }

    /// Tells a connection why it ends, and closes it.
    pub fn expel(
        &mut self,
        id: SessionId,
        echo: Option<String>,
        refusal: Refusal,
        now: &Now,
        out: &mut Deliveries,
    ) {
        if self.sessions.contains_key(&id) {
            self.call(id, echo, now, out).turn_away(refusal);
        }
    }

    pub(super) fn call<'a>(
        &'a mut self,
        session: SessionId,
        echo: Option<String>,
        now: &'a Now,
        out: &'a mut Deliveries,
    ) -> Call<'a> {
        Call { chat: self, session, echo, now, out }
    }
}
