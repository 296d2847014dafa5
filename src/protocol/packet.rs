//! The parts of packets that are more than text or a number, in both directions.
//!
//! [`Request`](super::Request) and [`Event`](super::Event) tell which packet has which. Empty members are not
//! written, and unknown members are ignored.

use crate::fingerprint::Fingerprint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The sender of a packet. The server sets it on everything it passes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// A user's name, or `server`.
    #[serde(default)]
    pub name: String,
    /// The address of the user's connection; empty for the server.
    #[serde(default)]
    pub ip: String,
    /// The [tag](Fingerprint::tag) of the user's key; absent: nothing proves who the user is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Sender {
    pub fn server() -> Self {
        Self { name: "server".into(), ip: String::new(), key: None }
    }

    pub fn user(name: &str, ip: IpAddr, key: Option<&Fingerprint>) -> Self {
        Self { name: name.into(), ip: ip.to_string(), key: key.map(Fingerprint::tag) }
    }

    pub fn is_server(&self) -> bool {
        self.name.eq_ignore_ascii_case("server")
    }
}

/// The server that answers, in `welcome` and `pong`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The 64 hexadecimal digits of the fingerprint of its key, the same across restarts and addresses.
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub version: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub frame_bytes: usize,
    pub text_bytes: usize,
    pub name_chars: usize,
}

/// A user in the answer to `users` or `whois`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    pub name: String,
    /// The address of the user's oldest session.
    #[serde(default)]
    pub ip: String,
    /// The key's [tag](Fingerprint::tag) in a list, or its whole fingerprint in `whois`. Absent: nothing
    /// proves who the user is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether others on the network can read the user's connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<bool>,
    /// Whether the user is, perhaps besides other connections, at a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<bool>,
    /// When the user joined (RFC 3339, UTC); only in `whois`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The number of sessions; only in `whois`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// Whether the user is an operator; in a list only if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<bool>,
    /// When the name was last used (RFC 3339, UTC); only in `whois`, and only if its owner is offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Present while the user is away, see `Act::Away`: why; empty in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// The names of the servers at which the user is, in order; empty if the chat has only one server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

/// Up to where a user has read a conversation: a room, or with a user; without either, the lobby.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Inclusive.
    pub seq: u64,
}

/// A room in `welcome` and in the answers to `rooms`, `join`, `part` and `topic`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomInfo {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The number of members, online or offline.
    pub members: usize,
    /// The number of members who are online.
    pub here: usize,
    /// Whether the asking user is a member.
    pub joined: bool,
}

/// A part of a history, in `hello` and `welcome`: see [`Lineage`](crate::chat::Lineage).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogEnd {
    pub log: String,
    /// From a client: it has everything up to this number. From a server: the part ends here.
    #[serde(deserialize_with = "super::whole::number")]
    pub last: u64,
}

/// A ban or a mute, in the answer to `bans`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BanInfo {
    /// `ban` or `mute`.
    pub kind: String,
    /// The argument for `unban` or `unmute`: a user's name, `key:FINGERPRINT` or `ip:ADDRESS`.
    pub who: String,
    /// The user's name at that time, if `who` is a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The operator who imposed it.
    pub by: String,
    /// When it ends (RFC 3339, UTC); absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A list of keys: the `type` of its request and of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyList {
    /// Keys that may use operators' commands.
    Operators,
    /// Keys that may enter a closed server without the passphrase.
    Members,
    Owners,
}

impl KeyList {
    pub const ALL: [Self; 3] = [Self::Operators, Self::Members, Self::Owners];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operators => "operators",
            Self::Members => "members",
            Self::Owners => "owners",
        }
    }

    /// `None` for any other type.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == kind)
    }
}

/// A key, in the answers to `operators`, `members` and `owners`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyInfo {
    pub key: String,
    /// The name it owns. For an operator or a member, the name at that time, which may be empty.
    pub name: String,
    /// The one who promoted the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The address from which a member first came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// When it became an operator's or a member's (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// When the name was last used (RFC 3339, UTC); absent: it is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// The content of an offer: a file, or several as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileInfo {
    /// The name of the file or folder, as the sender has it. Not safe to use as it is.
    pub name: String,
    /// All bytes; absent: the sender does not know (a pipe).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::whole::maybe")]
    pub size: Option<u64>,
    /// The number of files; absent: one, which is not a folder.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "super::whole::maybe")]
    pub count: Option<u64>,
    /// The sender's token for this content. A later offer of the same content has the same one, so the receiver can
    /// resume.
    pub id: String,
}

/// A time on the wire: RFC 3339, UTC, milliseconds.
pub fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
}
