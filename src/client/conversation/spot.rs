//! A room or a direct conversation: the unit in which messages are read.

use crate::name::RoomName;
use crate::protocol::Target;
use crate::text::safe_line;

/// A room, among them the lobby, or the conversation with one user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    Room(RoomName),
    /// The user's name in lower case.
    User(String),
}

impl Spot {
    /// The spot that a target stands for; none for an address, the server or an invalid room.
    pub(super) fn of(target: &Target) -> Option<Self> {
        match target {
            Target::All => Some(Self::Room(RoomName::lobby())),
            Target::Room(room) => RoomName::new(room).ok().map(Self::Room),
            Target::User(name) => Some(Self::User(name.to_lowercase())),
            Target::Address(_) | Target::Server => None,
        }
    }

    /// The spot of a conversation in a packet: with a user, in a room, or, without either, the lobby.
    pub(super) fn of_conversation(name: Option<&str>, room: Option<&str>) -> Option<Self> {
        match (name, room) {
            (Some(name), _) => Some(Self::User(name.to_lowercase())),
            (None, Some(room)) => RoomName::new(room).ok().map(Self::Room),
            (None, None) => Some(Self::Room(RoomName::lobby())),
        }
    }

    /// The spot of a message: a direct one belongs to the conversation with the other user.
    pub(super) fn of_message(from: &str, to: &str, me: &str) -> Option<Self> {
        match Target::parse(to) {
            target @ (Target::All | Target::Room(_)) => Self::of(&target),
            Target::Server => None,
            Target::User(name) if from == me => Some(Self::User(name.to_lowercase())),
            Target::User(_) | Target::Address(_) => Some(Self::User(from.to_lowercase())),
        }
    }

    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::User(_))
    }

    /// Its name in a list, with a user's name as written: `#dev`, `@carol`.
    pub(super) fn label(&self, name: &str) -> String {
        match self {
            Self::Room(room) => room.to_string(),
            Self::User(_) => format!("@{}", safe_line(name)),
        }
    }
}
