//! The results of a call to the chat.

use super::answer::Answer;
use super::archive::{Entry, Question};
use super::offers::TransferId;
use super::records::Record;
use super::who::SessionId;
use crate::fingerprint::Fingerprint;
use crate::protocol::event::Absent;
use crate::protocol::request::{Mode, Refusal, TestToken};
use crate::protocol::{Code, Event, Packet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::mem;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every session that follows the lobby, except one.
    Lobby {
        /// The sender's session, which gets the receipt instead.
        except: Option<SessionId>,
    },
    /// Every session that follows the lobby, except some.
    Others(Vec<SessionId>),
    Sessions(Vec<SessionId>),
    /// A room's sessions, except one. Shared, as there may be many.
    Room {
        /// All sessions that listen.
        sessions: Arc<Vec<SessionId>>,
        /// The sender's session, which gets the receipt instead.
        except: Option<SessionId>,
    },
}

/// One step of the results. The server carries them out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A packet. A session that still catches up gets it if it goes to named sessions, but not if it goes to
    /// the lobby.
    Packet { audience: Audience, packet: Box<Packet> },
    /// A message, or another part of the live stream. A session that still catches up does not get it: the
    /// catch-up has all that is stored.
    Message {
        audience: Audience,
        packet: Box<Packet>,
        /// To store, or only to recognise repeats, before anyone gets the packet.
        entry: Option<Entry>,
        /// Replaces the packet for the author's session.
        receipt: Option<Box<Receipt>>,
    },
    /// An answer to a session. It reaches the session like a [`Packet`](Self::Packet).
    Answer(Box<Answer>),
    /// An entry to store before anyone sees what follows.
    Keep(Entry),
    /// A session's query over stored messages. The answer is these messages and the `history` event, both
    /// with that `id`.
    Ask { session: SessionId, echo: Option<String>, question: Question },
    /// A multicast test with the session's machine. The server reports the result to the session.
    Multicast {
        session: SessionId,
        echo: Option<String>,
        /// Marks the packets of this test.
        token: TestToken,
    },
    /// The session has missed nothing and receives the live stream from here on.
    Follow(SessionId),
    /// The session receives what it missed, within [`Chat::view`](super::Chat::view), and then follows.
    CatchUp {
        session: SessionId,
        /// How much it already has.
        since: CatchUp,
        /// The latest message number when it connected.
        latest: u64,
    },
    /// The session ends once it has read everything before this.
    Close(SessionId),
    /// Close the connections of a transfer, for this reason. They are at the server of the session `meets`.
    EndTransfer { transfer: TransferId, code: Code, meets: SessionId },
    /// With several servers: the session's latest packet costs so many messages more, which its server charges.
    Charge { session: SessionId, cost: u64 },
    /// An operator's question for the server's own numbers, which the server knows.
    Status { session: SessionId, echo: Option<String> },
    /// A log line about a privileged command: who, with key and address, did what to whom.
    Log(String),
    /// A log line about a key that is in use under several names.
    LogSharedKey(String),
    /// The chat did not let a connection in, for the log.
    Refused(Box<TurnedAway>),
    /// A session has begun or ended, for the log. Only with [`Rules::log_visits`](super::Rules::log_visits).
    Visit(Box<Visit>),
}

/// A connection that the chat did not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnedAway {
    pub ip: IpAddr,
    /// The name that it asked for.
    pub name: Option<String>,
    pub code: Code,
}

/// A session's begin or end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub name: String,
    pub key: Option<Fingerprint>,
    pub ip: IpAddr,
    pub mode: Mode,
    /// Whether it begins.
    pub comes: bool,
}

/// How much of the stored messages a session already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CatchUp {
    /// Nothing: it gets the newest messages of the lobby, and its waiting mail.
    Newest,
    /// All messages up to that number.
    Seq {
        after: u64,
        /// Whether it had later ones that no longer exist; the server then reports a gap.
        gap: bool,
    },
    /// Unknown: its resume point belongs to a history that this server does not know. It gets everything
    /// above the number, the newest messages before it, its waiting mail, and a notice of a gap.
    Stranger { after: u64 },
    /// All messages before that time.
    Time {
        at: Timestamp,
        /// Whether later messages were never stored; the server then reports a gap.
        gap: bool,
    },
    /// It wants only its waiting mail. The server does not tell it where that ends, and it sends no
    /// confirmation, so [`Chat::caught_up`](super::Chat::caught_up) confirms for it.
    Mail,
}

/// The author's receipt for a message. The server changes it if the message is a repeat or could not be
/// stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub session: SessionId,
    pub to: String,
    /// The author's own token for it.
    pub id: String,
    /// `None` if the message is not stored.
    pub seq: Option<u64>,
    /// When the server accepted it.
    pub ts: String,
    /// The recipient who is offline, so the message waits.
    pub waits: Option<String>,
    /// The recipient, who is here but does not read at the moment.
    pub away: Option<Absent>,
    /// `false` if storing it failed.
    pub stored: bool,
    /// Why the server refused it, unless it is a repeat.
    pub refusal: Option<Refusal>,
}

impl Receipt {
    pub fn to_packet(&self) -> Packet {
        self.clone().take_packet()
    }

    /// The packet, for which it gives its texts away.
    pub fn take_packet(&mut self) -> Packet {
        let id = Some(mem::take(&mut self.id));
        if let Some(Refusal { code, msg }) = self.refusal.take() {
            return Event::error(code, msg).into_packet(&self.to, id);
        }
        let (ts, waits, away) = (mem::take(&mut self.ts), self.waits.take(), self.away.take());
        Event::Sent { seq: self.seq, ts, stored: self.stored, waits, away }.into_packet(&self.to, id)
    }
}

impl Delivery {
    pub(super) fn record(record: Record) -> Self {
        Self::Keep(Entry::Record(Box::new(record)))
    }

    pub fn to(audience: Audience, packet: Packet) -> Self {
        Self::Packet { audience, packet: Box::new(packet) }
    }

    /// A packet of the live stream that is not stored, such as joins and leaves.
    pub fn live(audience: Audience, packet: Packet) -> Self {
        Self::Message { audience, packet: Box::new(packet), entry: None, receipt: None }
    }

    pub fn one(session: SessionId, packet: Packet) -> Self {
        Self::to(Audience::Sessions(vec![session]), packet)
    }

    pub fn lobby(packet: Packet) -> Self {
        Self::to(Audience::Lobby { except: None }, packet)
    }
}
