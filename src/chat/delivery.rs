//! What a call of the chat leads to.

use super::user::SessionId;
use crate::protocol::Packet;

/// Who gets a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Every session that follows the lobby, but for one.
    Lobby {
        /// The session that must not get it: its sender's, which has its receipt.
        except: Option<SessionId>,
    },
    /// These sessions.
    Sessions(Vec<SessionId>),
}

/// One step, to be carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A packet goes out.
    Packet {
        /// Who gets it.
        audience: Audience,
        /// What they get.
        packet: Box<Packet>,
    },
    /// From here on the session gets what is for the lobby.
    Follow(SessionId),
    /// The session ends once it has read what came before.
    Close(SessionId),
    /// Somebody used power over others: who, with key and address, did what to whom. For the log.
    Log(String),
}

impl Delivery {
    /// A packet for an audience.
    pub fn to(audience: Audience, packet: Packet) -> Self {
        Self::Packet { audience, packet: Box::new(packet) }
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
