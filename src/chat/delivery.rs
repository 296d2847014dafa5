//! What a call of the chat leads to.

use super::answer::Answer;
use super::archive::{Entry, Question};
use super::records::Record;
use super::who::SessionId;
use crate::protocol::request::{Refusal, TestToken};
use crate::protocol::{Event, Packet};
use jiff::Timestamp;
use std::sync::Arc;

/// Who gets a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every session that follows the lobby, but for one.
    Lobby {
        /// The session that must not get it: its sender's, which has its receipt.
        except: Option<SessionId>,
    },
    /// The same, but for some.
    Others(Vec<SessionId>),
    /// These sessions.
    Sessions(Vec<SessionId>),
    /// A room's, but for one. Shared, as there may be many.
    Room {
        /// All that listen.
        sessions: Arc<Vec<SessionId>>,
        /// The session that must not get it.
        except: Option<SessionId>,
    },
}

/// One step, to be carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A packet goes out. A session that still catches up gets it too if it is for sessions, and not
    /// if it is for the lobby.
    Packet {
        /// Who gets it.
        audience: Audience,
        /// What they get.
        packet: Box<Packet>,
    },
    /// Something said goes out, or what else is part of the live stream. A session that still catches up
    /// does not get it: what is kept it gets from there.
    Message {
        /// Who gets it.
        audience: Audience,
        /// What they get.
        packet: Box<Packet>,
        /// What is to be kept before anybody gets it, or only to be known again; `None`: nothing is.
        entry: Option<Entry>,
        /// What its author's session gets in the place of it.
        receipt: Option<Box<Receipt>>,
    },
    /// An answer to a session, which gets it like a [`Packet`](Self::Packet).
    Answer(Box<Answer>),
    /// Something to keep, before anybody sees what follows.
    Keep(Entry),
    /// A question about what is kept, of a session: to be answered with these messages and the
    /// `history` event, both with that `id`.
    Ask {
        /// Who asks.
        session: SessionId,
        /// The request's `id`.
        echo: Option<String>,
        /// What.
        question: Question,
    },
    /// A test of multicast with the machine of a session, which is told what came of it.
    Multicast {
        /// Whose.
        session: SessionId,
        /// The request's `id`.
        echo: Option<String>,
        /// What marks its packets.
        token: TestToken,
    },
    /// From here on the session gets all that is for it: there is nothing that it missed.
    Follow(SessionId),
    /// The session gets what it missed, as [`Chat::view`](super::Chat::view) lets it, and then follows.
    CatchUp {
        /// Which.
        session: SessionId,
        /// What it has already.
        since: CatchUp,
        /// The number of the latest message when it came in.
        latest: u64,
    },
    /// The session ends once it has read what came before.
    Close(SessionId),
    /// Somebody used power over others: who, with key and address, did what to whom. For the log.
    Log(String),
}

/// What a session has already of what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// Nothing: it gets the newest of the lobby, and its mail that waits.
    Newest,
    /// All up to that number.
    Seq {
        /// The number.
        after: u64,
        /// Whether it had more, which is not there any more: it is told of a gap.
        gap: bool,
    },
    /// Nobody knows: its point is of no history that is known here. It lacks all above the number, and is
    /// given that and the newest of what was before, its mail that waits among it, and told of a gap.
    Stranger {
        /// The number.
        after: u64,
    },
    /// All before that time.
    Time {
        /// The time.
        at: Timestamp,
        /// Whether something was said since that is stored nowhere: it is told of a gap.
        gap: bool,
    },
    /// It wants only the mail that waits. It is told nothing of where that ends, and does not say that
    /// it has come: [`Chat::caught_up`](super::Chat::caught_up) is for it.
    Mail,
}

/// What an author is told of a message. The server changes it when the message was known already, or
/// could not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose message it was.
    pub session: SessionId,
    /// The author's name.
    pub to: String,
    /// The author's own token for it.
    pub id: String,
    /// Its number; `None`: it is not stored.
    pub seq: Option<u64>,
    /// When the server took it.
    pub ts: String,
    /// Who is away, so that it waits for them.
    pub waits: Option<String>,
    /// `false`: it should have been stored, and could not.
    pub stored: bool,
    /// Why it was refused, unless it was known already.
    pub refusal: Option<Refusal>,
}

impl Receipt {
    /// As the author gets it.
    pub fn to_packet(&self) -> Packet {
        if let Some(Refusal { code, msg }) = &self.refusal {
            return Event::error(*code, msg.clone()).into_packet(&self.to, Some(self.id.clone()));
        }
        let Self { seq, ts, stored, waits, .. } = self;
        let sent = Event::Sent { seq: *seq, ts: ts.clone(), stored: *stored, waits: waits.clone() };
        sent.into_packet(&self.to, Some(self.id.clone()))
    }
}

impl Delivery {
    /// A row of the books to keep.
    pub(super) fn record(record: Record) -> Self {
        Self::Keep(Entry::Record(Box::new(record)))
    }

    /// A packet for an audience.
    pub fn to(audience: Audience, packet: Packet) -> Self {
        Self::Packet { audience, packet: Box::new(packet) }
    }

    /// A packet of the live stream of which nothing is kept, such as who comes and goes.
    pub fn live(audience: Audience, packet: Packet) -> Self {
        Self::Message { audience, packet: Box::new(packet), entry: None, receipt: None }
    }

    /// A packet for one session.
    pub fn one(session: SessionId, packet: Packet) -> Self {
        Self::to(Audience::Sessions(vec![session]), packet)
    }

    /// A packet for everybody.
    pub fn lobby(packet: Packet) -> Self {
        Self::to(Audience::Lobby { except: None }, packet)
    }
}
