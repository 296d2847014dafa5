//! Tells everyone that the server goes away, and where to go.

use super::delivery::{Audience, Delivery};
use super::who::SessionId;
use super::{Chat, Deliveries};
use crate::protocol::packet::ServerInfo;
use crate::protocol::{Code, Event};

impl Chat {
    /// Sets the server to which this one gives way, for all later goodbyes.
    pub fn hand_over(&mut self, to: ServerInfo) {
        self.successor = Some(to);
    }

    /// The event that tells sessions so.
    pub fn going_away(&self) -> Event {
        let msg = match &self.successor {
            Some(to) => format!("the server gives way to {}", to.name),
            None => "the server is shutting down".into(),
        };
        Event::Bye { code: Some(Code::ShuttingDown), msg, server: self.successor.clone() }
    }

    /// Tells everyone that the server goes away, and ends all connections.
    pub fn shut_down(&mut self, out: &mut Deliveries) {
        self.is_over = true;
        let sessions: Vec<SessionId> = self.sessions.keys().copied().collect();
        out.push(Delivery::to(
            Audience::Sessions(sessions.clone()),
            self.going_away().into_packet("all", None),
        ));
        out.extend(sessions.into_iter().map(Delivery::Close));
    }
}
