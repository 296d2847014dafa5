//! What packets hold besides texts and numbers, both ways.
//!
//! [`Request`](super::Request) and [`Event`](super::Event) say which packet has which. Members that say nothing
//! are not written; members that nobody knows are ignored.

use crate::fingerprint::Fingerprint;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Who a packet is from. The server writes it on everything it sends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// A user's name, or `server`.
    #[serde(default)]
    pub name: String,
    /// The address the user is connected from; empty for the server itself.
    #[serde(default)]
    pub ip: String,
    /// The [tag](Fingerprint::tag) of the user's key; absent: nobody has proved to be this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Sender {
    /// The server as a sender.
    pub fn server() -> Self {
        Self { name: "server".into(), ip: String::new(), key: None }
    }

    /// A user at an address, with the key if there is one.
    pub fn user(name: &str, ip: IpAddr, key: Option<&Fingerprint>) -> Self {
        Self { name: name.into(), ip: ip.to_string(), key: key.map(Fingerprint::tag) }
    }

    /// Whether this is the server itself.
    pub fn is_server(&self) -> bool {
        self.name.eq_ignore_ascii_case("server")
    }
}

/// Which server answers: in `welcome` and `pong`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The server's id: the 64 hexadecimal digits of its key's fingerprint, the same over restarts
    /// and addresses.
    #[serde(default)]
    pub id: String,
    /// The server's name, as people write it.
    #[serde(default)]
    pub name: String,
    /// The version of the program.
    #[serde(default)]
    pub version: String,
}

/// What the server takes at most: in `welcome`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Longest frame, in bytes.
    pub frame_bytes: usize,
    /// Longest text, in bytes.
    pub text_bytes: usize,
    /// Longest name, in characters.
    pub name_chars: usize,
}

/// One user in the answer to `users` or `whois`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The user's name.
    pub name: String,
    /// The address of the user's oldest session.
    #[serde(default)]
    pub ip: String,
    /// The key: its [tag](Fingerprint::tag) in a list, its whole fingerprint in `whois`. Absent:
    /// nobody has proved to be this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether anybody on the network can read what this user reads and writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<bool>,
    /// When the user came (RFC 3339, UTC); only in `whois`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How many sessions the user has; only in `whois`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// Whether the user may use the operators' commands; only in `whois`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<bool>,
    /// When the name was last used (RFC 3339, UTC); only in `whois`, and only if its owner is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// One room, in `welcome` and in the answers to `rooms`, `join`, `part` and `topic`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomInfo {
    /// The room's name, with its `#`.
    pub name: String,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Users who are in it, here or away.
    pub members: usize,
    /// Those of them who are present.
    pub here: usize,
    /// Whether the asking user is in it.
    pub joined: bool,
}

/// A part of a history, in `hello` and `welcome`: see [`Lineage`](crate::chat::Lineage).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogEnd {
    /// Which.
    pub log: String,
    /// Of a client: all up to this number has come. Of a server: there is nothing of it above this number.
    #[serde(deserialize_with = "super::whole::number")]
    pub last: u64,
}

/// A ban or a mute, in the answer to `bans`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BanInfo {
    /// `ban` or `mute`.
    pub kind: String,
    /// What `unban` or `unmute` takes: a user's name, `key:FINGERPRINT` or `ip:ADDRESS`.
    pub who: String,
    /// The user's name at that time, where `who` is a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who did it.
    pub by: String,
    /// When it ends (RFC 3339, UTC); absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Which keys are listed: the `type` of the request and of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyList {
    /// Those that may use the operators' commands.
    Operators,
    /// Those that may enter a closed server without the passphrase.
    Members,
    /// Those that own a name.
    Owners,
}

impl KeyList {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operators, Self::Members, Self::Owners];

    /// As the wire has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operators => "operators",
            Self::Members => "members",
            Self::Owners => "owners",
        }
    }

    /// The one of that type.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == kind)
    }
}

/// A key, in the answers to `operators`, `members` and `owners`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyInfo {
    /// The whole fingerprint.
    pub key: String,
    /// The name that it owns; of an operator or a member, the one that it had then, which may be empty.
    pub name: String,
    /// Who made it an operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The address from which a member first came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Since when it is an operator or a member (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// When the name was last used (RFC 3339, UTC); absent: it is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// A time as the wire has it: RFC 3339, UTC, milliseconds.
pub fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
}
