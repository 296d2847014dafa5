//! The hub's work under its lock, without the lock: for the bench that measures it. Not part of the library's
//! interface.

use super::hub::{HubState, Incoming, ParsedIncoming};
use super::journal::ServerJournal;
use super::output_batch::{OutputBatch, OutputStep, StepKind};
use crate::chat::{Asked, Chat, Listing, Now, Peer, SessionId};
use crate::limits::REGISTRATION_TIMEOUT;
use crate::protocol::Event;
use crate::protocol::codec::Decoded;
use crate::protocol::request::{Ask, Refusal};
use std::time::Duration;
use tokio::sync::mpsc;

/// The hub without its lock.
#[derive(Debug)]
pub struct Hold(HubState);

/// A frame, as it is when the lock is taken.
#[derive(Debug)]
pub struct Frame(ParsedIncoming);

/// A batch for the flusher.
#[derive(Debug)]
pub struct TakenBatch(OutputBatch);

impl Frame {
    /// Parses a frame. `is_first`: its connection has no name yet.
    pub fn read(frame: &[u8], is_first: bool) -> Self {
        Self(ParsedIncoming::new(Incoming::of(Decoded::Frame(frame)), is_first))
    }
}

impl TakenBatch {
    /// The types of packets for single sessions, to check what was measured.
    pub fn answers(mut self) -> Vec<String> {
        let answer = |step: OutputStep| match step.kind {
            StepKind::Answer(Some(answer)) => Some(match answer.into_packet().event {
                Event::Error { code: Some(code), .. } | Event::Bye { code: Some(code), .. } => {
                    code.to_string()
                }
                event => event.kind().as_str().to_owned(),
            }),
            StepKind::Receipt(..) => Some("sent".into()),
            _ => None,
        };
        self.0.take_steps().into_iter().filter_map(answer).collect()
    }
}

#[allow(missing_docs, reason = "each is the hub's method of that name")]
impl Hold {
    pub fn new(chat: Chat) -> Self {
        Self(HubState::new(chat, mpsc::unbounded_channel().0, ServerJournal::silent()))
    }

    pub fn connect(&mut self, id: SessionId, peer: Peer, now: &Now) {
        // There is no socket; the kind of step makes no difference.
        self.0.connect(id, peer, StepKind::Follow, now.uptime + REGISTRATION_TIMEOUT, now);
    }

    pub fn disconnect(&mut self, id: SessionId, now: &Now) {
        self.0.disconnect(id, now);
    }

    pub fn may_send(&mut self, id: SessionId, now: &Now) -> Result<bool, Duration> {
        self.0.may_send(id, 1, now)
    }

    pub fn receive(&mut self, id: SessionId, frame: Frame, now: &Now) {
        self.0.receive(id, frame.0, now);
    }

    pub fn late(&mut self, now: &Now) -> Option<(SessionId, bool)> {
        self.0.late(now.uptime, Duration::ZERO)
    }

    pub fn tick(&mut self, now: &Now) {
        self.0.act(|chat, out| chat.tick(now, out));
    }

    pub fn ask(&self, question: &Ask, now: &Now) -> Result<Asked, Refusal> {
        self.0.chat.ask(question, now)
    }

    pub fn gather(&self, listing: &mut Listing) -> bool {
        self.0.chat.gather(listing)
    }

    pub fn view(&self, id: SessionId) -> usize {
        self.0.chat.view(id).map_or(0, |(view, _)| view.rooms.len())
    }

    pub fn proceed(&mut self, now: &Now) -> bool {
        self.0.act(|chat, out| chat.proceed(now, out))
    }

    pub fn has_more(&self) -> bool {
        self.0.chat.has_more()
    }

    pub fn take_batch(&mut self) -> TakenBatch {
        TakenBatch(self.0.take_batch(&mut Vec::new()))
    }

    pub fn chat(&mut self) -> &mut Chat {
        &mut self.0.chat
    }
}
