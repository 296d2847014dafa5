//! Answers pings at one of several servers, where they arrive. Idle clients ping several times a minute; by way of the
//! log, thousands of them would fill it.

use super::incoming::Incoming;
use super::node_seat::NodeSeat;
use crate::chat::{Chat, SessionId};
use crate::protocol::Request;
use crate::protocol::request::Connect;
use std::collections::VecDeque;

/// Which inputs of the server's people were decided, by their numbers in order.
#[derive(Debug, Default)]
pub(super) struct DecidedInputs {
    /// Inputs so far.
    inputs: u64,
    /// Batches of them so far.
    batches: u64,
    /// For each batch that was not taken: its number, and the number of the last input in it.
    waiting: VecDeque<(u64, u64)>,
    /// All up to this one were taken.
    taken: u64,
}

impl DecidedInputs {
    /// Another input; its number.
    pub(super) fn add(&mut self) -> u64 {
        self.inputs += 1;
        self.inputs
    }

    /// All inputs so far have gone up, in so many batches more.
    pub(super) fn go_up(&mut self, batches: usize) {
        if batches > 0 {
            self.batches += batches as u64;
            self.waiting.push_back((self.batches, self.inputs));
        }
    }

    /// The turns say that batches up to this number were taken. Whether the input is in one of those.
    fn is_taken(&mut self, batches: u64, input: u64) -> bool {
        while let Some((_, last)) = self.waiting.pop_front_if(|(batch, _)| *batch <= batches) {
            self.taken = last;
        }
        input <= self.taken
    }
}

impl NodeSeat {
    /// Answers a ping. `false`: it is none, or answers to what the session has said before are on their way, or the
    /// server is cut off: no answer lets clients look for another server.
    pub(super) fn answer_ping(&mut self, chat: &Chat, id: SessionId, incoming: &Incoming) -> bool {
        let Incoming::Packet(packet) = incoming else { return false };
        if packet.kind.as_deref() != Some("ping")
            || Request::from_packet(packet) != Ok(Connect::Ping.into())
            || self.refusal().is_some()
            || !self.has_carried_out()
        {
            return false;
        }
        let batches = self.node.batches_taken();
        let Some(session) = self.sessions.get(id) else { return false };
        if !self.decided.is_taken(batches, session.said) {
            return false;
        }
        let pong = chat.pong(id, self.present).into_packet(session.name(), packet.id.clone());
        self.tell(id, &pong);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_taken_with_its_batch() {
        let mut decided = DecidedInputs::default();
        assert!(decided.is_taken(0, 0), "of a session that has said nothing");
        let first = decided.add();
        assert!(!decided.is_taken(0, first), "it has not gone up");
        decided.go_up(1);
        decided.go_up(0);
        let second = decided.add();
        decided.go_up(2);
        assert!(!decided.is_taken(0, first));
        assert!(decided.is_taken(1, first) && !decided.is_taken(1, second));
        assert!(!decided.is_taken(2, second), "its batch may be the third");
        assert!(decided.is_taken(3, second));
    }
}
