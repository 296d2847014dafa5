//! What some events hold.

use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::envelope::{is_empty, is_true};
use crate::protocol::packet::{Limits, LogEnd, RoomInfo, ServerInfo, UserInfo};
use serde::{Serialize, Serializer};

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Welcome {
    /// Number of the latest message.
    #[serde(flatten, serialize_with = "seq_and_version")]
    pub seq: u64,
    /// The name given.
    pub name: String,
    /// The address the server sees.
    pub ip: String,
    /// The key that the server knows this client by.
    #[serde(skip_serializing_if = "is_empty")]
    pub key: Option<Fingerprint>,
    /// Whether this session may use the operators' commands.
    #[serde(skip_serializing_if = "is_empty")]
    pub operator: bool,
    /// Whether the server takes only members.
    #[serde(skip_serializing_if = "is_empty")]
    pub closed: bool,
    /// Which server this is.
    pub server: ServerInfo,
    /// What the server takes at most.
    pub limits: Limits,
    /// Users who are present.
    pub total: usize,
    /// The rooms that the user is in.
    #[serde(skip_serializing_if = "is_empty")]
    pub rooms: Vec<RoomInfo>,
    /// Up to which number what the client has is what the server has; `None`: it has told no number.
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<u64>,
    /// Which part of its history the server writes; another one after each start. `None`: it keeps none.
    #[serde(skip_serializing_if = "is_empty")]
    pub log: Option<String>,
    /// The parts before, the newest first; only those that the client may not know.
    #[serde(skip_serializing_if = "is_empty")]
    pub logs: Vec<LogEnd>,
    /// Whether the client has numbers that are not of this history, or not any more.
    #[serde(skip_serializing_if = "is_empty")]
    pub rewound: bool,
    /// The server's message of the day; empty when it has none.
    #[serde(skip)]
    pub motd: String,
}

/// Users who came or went within a second.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Crowd {
    /// Users who are present now; of a room, in it.
    pub total: usize,
    /// How many there are.
    pub count: usize,
    /// Their names; empty in big rooms.
    #[serde(skip_serializing_if = "is_empty")]
    pub names: Vec<String>,
    /// The room that they joined or left; `None`: the chat.
    #[serde(skip_serializing_if = "is_empty")]
    pub room: Option<String>,
}

/// The end of what was missed, or of the answer to `history` or `search`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HistoryEnd {
    /// All up to this number has been told; what has a higher one follows as it is said.
    pub seq: u64,
    /// How many messages there were.
    pub count: usize,
    /// Whether some of what was missed is not there any more, or too much to be told.
    #[serde(skip_serializing_if = "is_empty")]
    pub gap: bool,
    /// Whether there are older ones than those asked for, or may be.
    #[serde(skip_serializing_if = "is_empty")]
    pub more: bool,
    /// Whether a search has not looked at older ones: with [`more`](Self::more) since it took too long,
    /// without since they are still being put into the index.
    #[serde(skip_serializing_if = "is_empty")]
    pub partial: bool,
}

/// The number, and after it the version of the wire that the server speaks.
fn seq_and_version<S: Serializer>(seq: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        seq: u64,
        v: u32,
    }
    Members { seq: *seq, v: PROTOCOL_VERSION }.serialize(serializer)
}

/// A room's members as an event has them: `room` is its name.
pub(super) fn room<S: Serializer>(room: &RoomInfo, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members<'a> {
        room: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<&'a str>,
        members: usize,
        here: usize,
        joined: bool,
    }
    let RoomInfo { name, topic, members, here, joined } = room;
    let topic = topic.as_deref();
    Members { room: name, topic, members: *members, here: *here, joined: *joined }.serialize(serializer)
}

/// A receipt's members: `waits` goes with the name of whoever is away.
pub(super) fn sent<S: Serializer>(
    seq: &Option<u64>,
    ts: &str,
    stored: &bool,
    waits: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        ts: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        #[serde(skip_serializing_if = "is_true")]
        stored: bool,
        #[serde(skip_serializing_if = "is_empty")]
        waits: bool,
    }
    let members = Members { seq: *seq, ts, name: waits.as_deref(), stored: *stored, waits: waits.is_some() };
    members.serialize(serializer)
}

/// About one user: all in one member.
pub(super) fn whois<S: Serializer>(user: &UserInfo, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members<'a> {
        user: &'a UserInfo,
    }
    Members { user }.serialize(serializer)
}
