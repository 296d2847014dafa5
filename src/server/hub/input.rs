//! The inputs that a server sends to the one that leads: packets of its people, and questions of its own tasks.

use super::Incoming;
use crate::chat::{Garbage, Message, MessageChange, Peer, SessionId, TransferEnd, TransferId};
use crate::fingerprint::Fingerprint;
use crate::limits::UP_BATCH_BYTES;
use crate::protocol::request::{ClientPacket, Refusal};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// One input for the rules, of a session of the server that sends it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum RulesInput {
    Connect {
        id: SessionId,
        peer: Peer,
    },
    Packet {
        id: SessionId,
        /// As JSON.
        packet: Bytes,
        /// The size of its frame.
        frame_bytes: usize,
        /// Whether it is of a session without a name that its server has let into a closed chat.
        #[serde(default, skip_serializing_if = "is_false")]
        vouched: bool,
    },
    Garbage {
        id: SessionId,
        garbage: Garbage,
    },
    /// Its input ends it.
    Fatal {
        id: SessionId,
        refusal: Refusal,
        echo: Option<String>,
    },
    /// Its socket is closed.
    Gone {
        id: SessionId,
    },
    AddMember {
        key: Fingerprint,
        ip: IpAddr,
        name: String,
    },
    /// Each server tells it each server that begins to lead: the secrets that make a client an operator.
    OfferOperator {
        server: u8,
        code: String,
        token: String,
        /// How long the code still counts.
        left: Duration,
        /// Whether the server was started as a closed one; `None`: its version does not say.
        #[serde(default)]
        closed: Option<bool>,
    },
    CaughtUp {
        id: SessionId,
    },
    Change {
        id: SessionId,
        echo: Option<String>,
        change: MessageChange,
        found: Option<Box<Message>>,
    },
    /// Asks for the part of the history that the session may read.
    Seam {
        id: SessionId,
        /// Of the question.
        number: u64,
    },
    /// Asks for the transfer that a connection's token admits it to.
    Claim {
        /// The connection.
        id: SessionId,
        number: u64,
        token: String,
        peer: Peer,
    },
    /// Asks whether a ticket lets a browser's key in.
    Ticket {
        /// Of the server that asks.
        node: u8,
        number: u64,
        key: Fingerprint,
        ip: IpAddr,
        ticket: String,
    },
    /// A question or a command from the console of a server.
    Console {
        /// Its server.
        node: u8,
        number: u64,
        /// As a frame.
        request: Bytes,
    },
    TransferEnded {
        /// The server that saw it end.
        node: u8,
        transfer: TransferId,
        end: TransferEnd,
    },
}

impl RulesInput {
    /// `vouched`: whether its server has let it into a closed chat, and it has no name yet.
    pub(super) fn of(id: SessionId, incoming: Incoming, vouched: bool) -> Self {
        match incoming {
            Incoming::Packet(packet) => Self::Packet {
                id,
                // Memory takes everything, and each part of a packet can be serialised.
                packet: serde_json::to_vec(&packet).unwrap_or_default().into(),
                frame_bytes: packet.frame_bytes,
                vouched,
            },
            Incoming::Garbage(garbage) => Self::Garbage { id, garbage },
            Incoming::Fatal(refusal, echo) => Self::Fatal { id, refusal, echo },
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let content = match self {
            Self::Packet { packet, .. } => packet.len(),
            Self::Change { change, found, .. } => {
                change.text.as_ref().map_or(0, String::len)
                    + found.as_ref().map_or(0, |message| message.text.len())
            }
            Self::Claim { token, .. } => token.len(),
            Self::Ticket { ticket, .. } => ticket.len(),
            Self::Console { request, .. } => request.len(),
            _ => 0,
        };
        content + size_of::<Self>()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The packet that an input carries; `None`: its server has another version.
pub(super) fn packet(json: &[u8], frame_bytes: usize) -> Option<Box<ClientPacket>> {
    let packet = ClientPacket::parse(json).ok()?;
    Some(Box::new(ClientPacket { frame_bytes, ..packet }))
}

/// Inputs that wait to be sent, in batches.
#[derive(Debug, Default)]
pub(super) struct InputBatches {
    /// For the next batch, and their size.
    inputs: Vec<RulesInput>,
    bytes: usize,
    /// As bytes.
    full: Vec<Bytes>,
    handed_out: u64,
}

impl InputBatches {
    pub(super) fn push(&mut self, input: RulesInput) {
        self.bytes += input.bytes();
        self.inputs.push(input);
        if self.bytes > UP_BATCH_BYTES {
            self.fill();
        }
    }

    /// The size of all of them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.full.iter().map(Bytes::len).sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.full.is_empty()
    }

    /// Batches that were taken from here.
    pub(super) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// The number of the batch with the latest input, from 1 on.
    pub(super) fn latest(&self) -> u64 {
        self.handed_out + self.full.len() as u64 + u64::from(!self.inputs.is_empty())
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> Vec<Bytes> {
        if !self.inputs.is_empty() {
            self.fill();
        }
        self.handed_out = self.latest();
        std::mem::take(&mut self.full)
    }

    fn fill(&mut self) {
        self.bytes = 0;
        let inputs = std::mem::take(&mut self.inputs);
        // Memory takes everything, and each part can be serialised.
        self.full.push(rmp_serde::to_vec_named(&inputs).unwrap_or_default().into());
    }
}
