//! The packet: one JSON object, with every member the wire knows.
//!
//! [`Request`](super::Request) and [`Event`](super::Event) give a packet its meaning; this file
//! only holds the schema. Members that are absent are not written; members that are not listed
//! here are ignored.

use super::since::Since;
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

macro_rules! packet {
    ($($(#[$doc:meta])* $(($rename:literal))? $member:ident: $type:ty,)+) => {
        /// Every member of a packet, both ways. PROTOCOL.md tells which packet has which.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Packet {
            /// Who says it.
            #[serde(default)]
            pub from: Sender,
            /// Whom it is for.
            #[serde(default)]
            pub to: String,
            /// What a person reads.
            #[serde(default)]
            pub msg: String,
            $($(#[$doc])* $(#[serde(rename = $rename)])?
            #[serde(default, skip_serializing_if = "Option::is_none")] pub $member: Option<$type>,)+
        }
    };
}

packet! {
    /// What the packet is; `chat` when absent.
    ("type") kind: String,
    /// The sender's own token for the packet, echoed in the receipt or error.
    id: String,
    /// Server-wide, strictly increasing number of a message.
    seq: u64,
    /// When the server took it: RFC 3339, UTC, milliseconds.
    ts: String,
    /// Why, for programs: see [`Code`](super::Code).
    code: String,
    /// Version of the wire.
    v: u32,
    /// What a hello's session is for: `chat`, `send` or `tail`.
    mode: String,
    /// What makes several connections the same user: a secret of the client's.
    token: String,
    /// A name: the one asked for, given, or suggested.
    name: String,
    /// The name that was changed.
    old: String,
    /// The address the server sees.
    ip: String,
    /// The whole fingerprint of one's own key.
    key: String,
    /// Whether this session may use the operators' commands.
    operator: bool,
    /// Whether the server takes only members: keys that once came with the passphrase.
    closed: bool,
    /// Whether the server was started from somebody's prompt, and gives way to others.
    interim: bool,
    /// One side's half of the proof that both know the passphrase (SPAKE2), in base64url.
    pake: String,
    /// That the sender has got the same secret out of it, in base64url.
    mac: String,
    /// For how long: `10m`, `2h`, `1d`, `forever`.
    duration: String,
    /// Which server this is.
    server: ServerInfo,
    /// What the server takes at most.
    limits: Limits,
    /// Users who are present, after what the packet tells.
    total: usize,
    /// Users whom a `joined` or `left` tells of.
    count: usize,
    /// Their names; absent in big rooms, and then `count` alone tells.
    names: Vec<String>,
    /// A page of users.
    users: Vec<UserInfo>,
    /// The name to ask the next page `after`; absent on the last.
    next: String,
    /// Where a page of users starts: after this name.
    after: String,
    /// Who is asked about.
    user: UserInfo,
    /// The server's local time: RFC 3339 with its offset.
    time: String,
    /// Seconds the server has been up.
    uptime: u64,
    /// A message that tells what its sender does (`/me`).
    action: bool,
    /// Who raised the alert.
    by: String,
    /// Bans and mutes, the latest first.
    bans: Vec<BanInfo>,
    /// A page of keys.
    keys: Vec<KeyInfo>,
    /// A room's name, with its `#`.
    room: String,
    /// What the room is about.
    topic: String,
    /// Users who are in the room, here or away.
    members: usize,
    /// Those of them who are present.
    here: usize,
    /// Whether the user is in the room.
    joined: bool,
    /// Rooms: those one is in, or a page of all.
    rooms: Vec<RoomInfo>,
    /// What a hello's session has already, and in a welcome how much of that the server has: see [`Since`].
    since: Since,
    /// Which history the server keeps, or the one that a hello's `since` is of.
    log: String,
    /// Earlier parts of the history.
    logs: Vec<LogEnd>,
    /// The client has numbers that this history has not, or not any more.
    rewound: bool,
    /// A message that was said before: missed, or asked for.
    history: bool,
    /// What comes before is not all there.
    gap: bool,
    /// There are more, and older ones.
    more: bool,
    /// `false`: the message was passed on and could not be stored; in a notice, whether what is said is stored
    /// from now on.
    stored: bool,
    /// The message waits for whom it is for.
    waits: bool,
    /// How many messages were removed before they came.
    lost: u32,
    /// Number of the last message of several.
    last: u64,
    /// How many are asked for.
    limit: u64,
    /// Only what has a lower number than this.
    before: u64,
    /// Only what was said before that time.
    until: String,
    /// Older messages were not looked at.
    partial: bool,
    /// Whether the server heard the client's multicast.
    heard: bool,
}

/// A time as the wire has it: RFC 3339, UTC, milliseconds.
pub fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

impl Packet {
    /// Reads one frame.
    ///
    /// # Errors
    /// When it is no JSON object, not UTF-8, or a known member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(frame)
    }

    /// Appends the packet as one frame with its line feed.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if let Err(error) = serde_json::to_writer(&mut *out, self) {
            // Only a Serialize that fails by itself could end here, and these are derived.
            out.truncate(start);
            tracing::error!(%error, "a packet could not be written");
            return;
        }
        out.push(b'\n');
    }

    /// The packet as one frame with its line feed.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(128);
        self.write_to(&mut frame);
        frame
    }
}
