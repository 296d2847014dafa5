//! What happened since the last flush, in order.
//!
//! Frames for everybody lie one after another in one buffer, so that a receiver to whom nothing
//! else happened is written the whole of it at once. What happened to single sessions is a list
//! of steps, each with its place in that buffer.

use super::connection::Connection;
use crate::chat::SessionId;
use crate::protocol::Packet;
use bytes::Bytes;
use std::sync::Arc;

/// Everything since the last flush.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Frames for all who follow the lobby.
    pub(super) lobby: Vec<u8>,
    /// In the order in which they happened.
    pub(super) steps: Vec<Step>,
    /// Bytes of the frames in `steps`.
    direct_bytes: usize,
}

/// Something that happened to one session.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) session: SessionId,
    /// How much of the lobby came before.
    pub(super) at: usize,
    pub(super) what: What,
}

/// See [`Step`].
#[derive(Debug)]
pub(super) enum What {
    /// The session begins.
    Open(Arc<Connection>),
    /// It follows the lobby from here on.
    Follow,
    /// It does not get the lobby's frame that begins here and ends there.
    Skip(usize),
    /// A frame of its own.
    Frame(Bytes),
    /// It ends once it has read what came before.
    Close,
    /// Its socket is gone.
    Gone,
}

impl Turn {
    pub(super) fn is_empty(&self) -> bool {
        self.lobby.is_empty() && self.steps.is_empty()
    }

    /// Bytes that wait to be written, each counted once.
    pub(super) fn bytes(&self) -> usize {
        self.lobby.len() + self.direct_bytes
    }

    /// A packet for all who follow the lobby, but for one.
    pub(super) fn lobby(&mut self, packet: &Packet, except: Option<SessionId>) {
        let at = self.lobby.len();
        packet.write_to(&mut self.lobby);
        if let Some(session) = except {
            self.steps.push(Step { session, at, what: What::Skip(self.lobby.len()) });
        }
    }

    /// A packet for some sessions, written once for all of them.
    pub(super) fn direct(&mut self, packet: &Packet, sessions: impl IntoIterator<Item = SessionId>) {
        let frame = Bytes::from(packet.to_frame());
        for session in sessions {
            self.direct_bytes += frame.len();
            self.step(session, What::Frame(frame.clone()));
        }
    }

    pub(super) fn step(&mut self, session: SessionId, what: What) {
        self.steps.push(Step { session, at: self.lobby.len(), what });
    }
}
