//! The members of some events.

use crate::fingerprint::Fingerprint;
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::envelope::{is_empty, is_true};
use crate::protocol::packet::{Limits, LogEnd, ReadPosition, RoomInfo, ServerInfo, UserInfo};
use crate::protocol::{Nodes, WebAccess};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Welcome {
    #[serde(flatten, serialize_with = "seq_and_version")]
    pub seq: u64,
    pub name: String,
    /// The client's address as the server sees it.
    pub ip: String,
    /// The client's key.
    #[serde(skip_serializing_if = "is_empty")]
    pub key: Option<Fingerprint>,
    /// Whether this session may use operators' commands.
    #[serde(skip_serializing_if = "is_empty")]
    pub operator: bool,
    /// Whether only members may enter the server.
    #[serde(skip_serializing_if = "is_empty")]
    pub closed: bool,
    /// How browsers join; `None`: the server does not serve them.
    #[serde(skip_serializing_if = "is_empty")]
    pub web: Option<WebAccess>,
    pub server: ServerInfo,
    /// The chat's servers; `None`: it has this one only.
    #[serde(flatten)]
    pub nodes: Option<Nodes>,
    pub limits: Limits,
    pub total: usize,
    /// The rooms that the user is in.
    #[serde(skip_serializing_if = "is_empty")]
    pub rooms: Vec<RoomInfo>,
    /// The number up to which client and server have the same; `None`: the client gave no number.
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<u64>,
    /// The current incarnation of the history, new at each start. `None`: the server has no history.
    #[serde(skip_serializing_if = "is_empty")]
    pub log: Option<String>,
    /// Earlier incarnations that the client may not know, the newest first.
    #[serde(skip_serializing_if = "is_empty")]
    pub logs: Vec<LogEnd>,
    /// Whether the client has numbers that are not, or no longer, in this history.
    #[serde(skip_serializing_if = "is_empty")]
    pub rewound: bool,
    /// Up to where the user has read each conversation.
    #[serde(skip_serializing_if = "is_empty")]
    pub read: Vec<ReadPosition>,
    /// Present if the user is away: why.
    #[serde(skip_serializing_if = "is_empty")]
    pub away: Option<String>,
    /// The message of the day, or empty.
    #[serde(skip)]
    pub motd: String,
}

/// Users who joined or left within a second.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Crowd {
    /// The number of users now present; with `room`, in that room.
    pub total: usize,
    pub count: usize,
    /// Empty in big rooms.
    #[serde(skip_serializing_if = "is_empty")]
    pub names: Vec<String>,
    /// The room that they joined or left; `None`: the chat.
    #[serde(skip_serializing_if = "is_empty")]
    pub room: Option<String>,
}

/// The end of missed messages, or of the answer to `history` or `search`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HistoryEnd {
    /// All messages up to this number have been sent; later ones follow live.
    pub seq: u64,
    pub count: usize,
    /// Whether some missed messages no longer exist, or are too many to send.
    #[serde(skip_serializing_if = "is_empty")]
    pub gap: bool,
    /// Whether there are older messages, or may be.
    #[serde(skip_serializing_if = "is_empty")]
    pub more: bool,
    /// Whether a search skipped older messages: with [`more`](Self::more) because it took too long, otherwise
    /// because the server is still indexing them.
    #[serde(skip_serializing_if = "is_empty")]
    pub partial: bool,
}

/// A recipient who gets a message but does not read at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Absent {
    pub name: String,
    /// Why; may be empty.
    pub why: String,
}

/// `bob is away: lunch`.
impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, why } = self;
        if why.is_empty() { write!(f, "{name} is away") } else { write!(f, "{name} is away: {why}") }
    }
}

/// The number, followed by the server's protocol version.
fn seq_and_version<S: Serializer>(seq: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        seq: u64,
        v: u32,
    }
    Members { seq: *seq, v: PROTOCOL_VERSION }.serialize(serializer)
}

/// A room's members as this event has them: `room` is its name.
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

/// A receipt's members: with `waits` and `away` comes the recipient's name.
pub(super) fn sent<S: Serializer>(
    seq: &Option<u64>,
    ts: &str,
    stored: &bool,
    waits: &Option<String>,
    away: &Option<Absent>,
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
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<&'a str>,
    }
    let name = waits.as_deref().or(away.as_ref().map(|absent| absent.name.as_str()));
    let away = away.as_ref().map(|absent| absent.why.as_str());
    Members { seq: *seq, ts, name, stored: *stored, waits: waits.is_some(), away }.serialize(serializer)
}

/// All details are in one member.
pub(super) fn whois<S: Serializer>(user: &UserInfo, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members<'a> {
        user: &'a UserInfo,
    }
    Members { user }.serialize(serializer)
}
