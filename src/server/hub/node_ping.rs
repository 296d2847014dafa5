//! Answers pings at one of several servers, where they arrive. Idle clients ping several times a minute; by way of the
//! log, thousands of them would fill it.

use super::incoming::Incoming;
use super::node_seat::NodeSeat;
use crate::chat::{Chat, SessionId};
use crate::protocol::Request;
use crate::protocol::request::Connect;

impl NodeSeat {
    /// Answers a ping. `false`: it is none, or answers to what the session has said before are on their way, or the
    /// server is cut off: no answer lets clients look for another server.
    pub(super) fn answer_ping(&mut self, chat: &Chat, id: SessionId, incoming: &Incoming) -> bool {
        let Incoming::Packet(packet) = incoming else { return false };
        if packet.kind.as_deref() != Some("ping")
            || Request::from_packet(packet) != Ok(Connect::Ping.into())
            || self.refusal().is_some()
            || self.is_under_way(id)
            || !self.has_carried_out()
        {
            return false;
        }
        let Some(session) = self.sessions.get(id) else { return false };
        let pong = chat.pong(id, self.present).into_packet(session.name(), packet.id.clone());
        self.tell(id, &pong);
        true
    }
}
