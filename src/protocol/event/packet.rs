//! An event's packet: on its way to a client, and as the client reads it.

use super::{Crowd, Event, HistoryEnd, Welcome};
use crate::protocol::Since;
use crate::protocol::envelope::Envelope;
use crate::protocol::packet::{BanInfo, KeyInfo, Limits, LogEnd, RoomInfo, Sender, ServerInfo, UserInfo};
use serde::Deserialize;
use std::sync::LazyLock;

static SERVER: LazyLock<Sender> = LazyLock::new(Sender::server);

/// An event on its way to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Whom it is for. What is said goes to whom it was said to.
    pub to: String,
    /// The `id` of the request that it answers, or of what is told again to who said it.
    pub id: Option<String>,
    /// What is told.
    pub event: Event,
}

impl Event {
    /// The event as a packet to `to`, echoing the request's `id`.
    pub fn to_packet(&self, to: &str, id: Option<String>) -> Packet {
        self.clone().into_packet(to, id)
    }

    /// The same, with nothing copied.
    pub fn into_packet(self, to: &str, id: Option<String>) -> Packet {
        Packet { to: to.into(), id, event: self }
    }
}

impl Packet {
    /// Appends the packet as one frame with its line feed.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match &self.event {
            Event::Chat { from, .. } => self.write_as(from, out),
            _ => self.write_as(&SERVER, out),
        }
    }

    /// The same, as if from somebody else.
    pub fn write_as(&self, from: &Sender, out: &mut Vec<u8>) {
        let to = match &self.event {
            Event::Chat { to, .. } => to,
            _ => &self.to,
        };
        let (msg, kind, id) = (&self.event.text(), self.event.kind().as_str(), self.id.as_deref());
        Envelope { from, to, msg, kind, id, members: &self.event }.write_to(out);
    }

    /// The packet as one frame with its line feed.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(128);
        self.write_to(&mut frame);
        frame
    }
}

/// What the client reads of a server's packet. Unknown members may hold anything, and `null` is the same as
/// absent. PROTOCOL.md tells which packet has which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServerPacket {
    /// Who says it.
    pub from: Sender,
    /// Whom it is for.
    pub to: String,
    /// What a person reads.
    pub msg: String,
    /// What the packet is; `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The sender's own token for the packet, echoed in the receipt or error.
    pub id: Option<String>,
    /// Server-wide, strictly increasing number of a message.
    pub seq: Option<u64>,
    /// When the server took it: RFC 3339, UTC, milliseconds.
    pub ts: Option<String>,
    /// Why, for programs: see [`Code`](super::Code).
    pub code: Option<String>,
    /// Version of the wire.
    pub v: Option<u32>,
    /// A name: the one asked for, given, or suggested.
    pub name: Option<String>,
    /// The name that was changed.
    pub old: Option<String>,
    /// The address the server sees.
    pub ip: Option<String>,
    /// The whole fingerprint of one's own key.
    pub key: Option<String>,
    /// Whether this session may use the operators' commands.
    pub operator: Option<bool>,
    /// Whether the server takes only members: keys that once came with the passphrase.
    pub closed: Option<bool>,
    /// Whether the server was started from somebody's prompt, and gives way to others.
    pub interim: Option<bool>,
    /// One side's half of the proof that both know the passphrase (SPAKE2), in base64url.
    pub pake: Option<String>,
    /// That the sender has got the same secret out of it, in base64url.
    pub mac: Option<String>,
    /// Which server this is.
    pub server: Option<ServerInfo>,
    /// What the server takes at most.
    pub limits: Option<Limits>,
    /// Users who are present, after what the packet tells.
    pub total: Option<usize>,
    /// Users whom a `joined` or `left` tells of.
    pub count: Option<usize>,
    /// Their names; absent in big rooms, and then `count` alone tells.
    pub names: Option<Vec<String>>,
    /// A page of users.
    pub users: Option<Vec<UserInfo>>,
    /// The name to ask the next page `after`; absent on the last.
    pub next: Option<String>,
    /// Who is asked about.
    pub user: Option<UserInfo>,
    /// The server's local time: RFC 3339 with its offset.
    pub time: Option<String>,
    /// Seconds the server has been up.
    pub uptime: Option<u64>,
    /// A message that tells what its sender does (`/me`).
    pub action: Option<bool>,
    /// Who raised the alert.
    pub by: Option<String>,
    /// Bans and mutes, the latest first.
    pub bans: Option<Vec<BanInfo>>,
    /// A page of keys.
    pub keys: Option<Vec<KeyInfo>>,
    /// A room's name, with its `#`.
    pub room: Option<String>,
    /// What the room is about.
    pub topic: Option<String>,
    /// Users who are in the room, here or away.
    pub members: Option<usize>,
    /// Those of them who are present.
    pub here: Option<usize>,
    /// Whether the user is in the room.
    pub joined: Option<bool>,
    /// Rooms: those one is in, or a page of all.
    pub rooms: Option<Vec<RoomInfo>>,
    /// What a hello's session has already, and in a welcome how much of that the server has: see [`Since`].
    pub since: Option<Since>,
    /// Which history the server keeps, or the one that a hello's `since` is of.
    pub log: Option<String>,
    /// Earlier parts of the history.
    pub logs: Option<Vec<LogEnd>>,
    /// The client has numbers that this history has not, or not any more.
    pub rewound: Option<bool>,
    /// A message that was said before: missed, or asked for.
    pub history: Option<bool>,
    /// What comes before is not all there.
    pub gap: Option<bool>,
    /// There are more, and older ones.
    pub more: Option<bool>,
    /// `false`: the message was passed on and could not be stored; in a notice, whether what is said is stored
    /// from now on.
    pub stored: Option<bool>,
    /// The message waits for whom it is for.
    pub waits: Option<bool>,
    /// How many messages were removed before they came.
    pub lost: Option<u32>,
    /// Number of the last message of several.
    pub last: Option<u64>,
    /// Older messages were not looked at.
    pub partial: Option<bool>,
    /// Whether the server heard the client's multicast.
    pub heard: Option<bool>,
}

impl ServerPacket {
    /// Reads one frame.
    ///
    /// # Errors
    /// When it is no JSON object, not UTF-8, or a known member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(frame)
    }

    pub(super) fn into_welcome(self) -> Welcome {
        // The first line is ours; the message of the day follows it.
        let motd = self.msg.split_once('\n').map(|(_, motd)| motd.to_owned()).unwrap_or_default();
        Welcome {
            server: self.server.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            ip: self.ip.unwrap_or_default(),
            total: self.total.unwrap_or_default(),
            limits: self.limits.unwrap_or_default(),
            seq: self.seq.unwrap_or_default(),
            log: self.log,
            logs: self.logs.unwrap_or_default(),
            since: match self.since {
                Some(Since::Seq(seq)) => Some(seq),
                Some(Since::Time(_)) | None => None,
            },
            rewound: self.rewound.unwrap_or_default(),
            rooms: self.rooms.unwrap_or_default(),
            key: self.key.and_then(|key| key.parse().ok()),
            operator: self.operator.unwrap_or_default(),
            closed: self.closed.unwrap_or_default(),
            motd,
        }
    }

    pub(super) fn into_crowd(self) -> Crowd {
        Crowd {
            room: self.room,
            names: self.names.unwrap_or_default(),
            count: self.count.unwrap_or_default(),
            total: self.total.unwrap_or_default(),
        }
    }

    pub(super) fn into_history_end(self) -> HistoryEnd {
        HistoryEnd {
            count: self.count.unwrap_or_default(),
            seq: self.seq.unwrap_or_default(),
            gap: self.gap.unwrap_or_default(),
            more: self.more.unwrap_or_default(),
            partial: self.partial.unwrap_or_default(),
        }
    }

    pub(super) fn into_room(self) -> RoomInfo {
        RoomInfo {
            name: self.room.unwrap_or_default(),
            topic: self.topic,
            members: self.members.unwrap_or_default(),
            here: self.here.unwrap_or_default(),
            joined: self.joined.unwrap_or_default(),
        }
    }
}
