//! An event's packet, as it is written and as the client reads it.

use super::{Crowd, Event, HistoryEnd, Welcome};
use crate::protocol::envelope::Envelope;
use crate::protocol::packet::{
    BanInfo, FileInfo, KeyInfo, Limits, LogEnd, ReadPosition, RoomInfo, Sender, ServerInfo, UserInfo,
};
use crate::protocol::{Nodes, ServerNumbers, Since, WebAccess};
use serde::Deserialize;
use std::sync::LazyLock;

static SERVER: LazyLock<Sender> = LazyLock::new(Sender::server);

/// An event on its way to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The recipient. A chat, and a change to one, keep their own `to`.
    pub to: String,
    /// The `id` of the request that it answers, or of the client's own old message.
    pub id: Option<String>,
    pub event: Event,
}

impl Event {
    /// When the server accepted the message.
    pub fn ts(&self) -> Option<&str> {
        match self {
            Self::Chat { ts, .. }
            | Self::Edited { ts, .. }
            | Self::Deleted { ts, .. }
            | Self::Alert { ts, .. }
            | Self::Delivered { ts, .. } => Some(ts),
            _ => None,
        }
    }

    /// Addresses a copy of the event to `to`, echoing the request's `id`.
    pub fn to_packet(&self, to: &str, id: Option<String>) -> Packet {
        self.clone().into_packet(to, id)
    }

    /// The same without a copy.
    pub fn into_packet(self, to: &str, id: Option<String>) -> Packet {
        Packet { to: to.into(), id, event: self }
    }
}

impl Packet {
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match &self.event {
            Event::Chat { from, .. }
            | Event::Edited { from, .. }
            | Event::Deleted { from, .. }
            | Event::Offer { from, .. } => self.write_as(from, out),
            _ => self.write_as(&SERVER, out),
        }
    }

    /// The same, as if from another sender.
    pub fn write_as(&self, from: &Sender, out: &mut Vec<u8>) {
        let to = match &self.event {
            Event::Chat { to, .. }
            | Event::Edited { to, .. }
            | Event::Deleted { to, .. }
            | Event::Offer { to, .. } => to,
            _ => &self.to,
        };
        let (msg, kind, id) = (&self.event.text(), self.event.kind().as_str(), self.id.as_deref());
        Envelope { from, to, msg, kind, id, members: &self.event }.write_to(out);
    }

    pub fn to_frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(128);
        self.write_to(&mut frame);
        frame
    }
}

/// All members of the server's packets; PROTOCOL.md tells which packet has which. Unknown members may have
/// any type, and `null` means absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServerPacket {
    pub from: Sender,
    pub to: String,
    pub msg: String,
    /// `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub id: Option<String>,
    pub seq: Option<u64>,
    pub ts: Option<String>,
    pub code: Option<String>,
    pub v: Option<u32>,
    pub name: Option<String>,
    pub old: Option<String>,
    pub ip: Option<String>,
    pub key: Option<String>,
    pub operator: Option<bool>,
    pub closed: Option<bool>,
    pub interim: Option<bool>,
    pub pake: Option<String>,
    pub mac: Option<String>,
    pub server: Option<ServerInfo>,
    pub node: Option<String>,
    /// Each is read on its own, so that one that is not valid takes none of the others along.
    pub servers: Option<Vec<serde_json::Value>>,
    pub limits: Option<Limits>,
    pub total: Option<usize>,
    pub run: Option<String>,
    pub web: Option<String>,
    pub count: Option<usize>,
    pub names: Option<Vec<String>>,
    pub users: Option<Vec<UserInfo>>,
    pub next: Option<String>,
    pub user: Option<UserInfo>,
    pub time: Option<String>,
    pub uptime: Option<u64>,
    pub action: Option<bool>,
    pub by: Option<String>,
    pub bans: Option<Vec<BanInfo>>,
    pub status: Option<Box<ServerNumbers>>,
    pub ticket: Option<String>,
    pub keys: Option<Vec<KeyInfo>>,
    pub room: Option<String>,
    pub topic: Option<String>,
    pub members: Option<usize>,
    pub here: Option<usize>,
    pub joined: Option<bool>,
    pub rooms: Option<Vec<RoomInfo>>,
    pub since: Option<Since>,
    pub log: Option<String>,
    pub logs: Option<Vec<LogEnd>>,
    pub rewound: Option<bool>,
    pub history: Option<bool>,
    pub gap: Option<bool>,
    pub more: Option<bool>,
    pub stored: Option<bool>,
    pub waits: Option<bool>,
    pub lost: Option<u32>,
    pub last: Option<u64>,
    pub partial: Option<bool>,
    pub heard: Option<bool>,
    pub of: Option<u64>,
    pub reply: Option<u64>,
    pub edited: Option<bool>,
    pub away: Option<String>,
    pub read: Option<Vec<ReadPosition>>,
    pub offer: Option<u64>,
    pub file: Option<Box<FileInfo>>,
    pub token: Option<String>,
    pub send: Option<bool>,
    pub reason: Option<String>,
}

impl ServerPacket {
    /// Parses a frame.
    ///
    /// # Errors
    /// If it is not a JSON object in UTF-8, or a known member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(frame)
    }

    pub(super) fn into_welcome(self) -> Welcome {
        // The first line is the server's own text; the message of the day follows.
        let motd = self.msg.split_once('\n').map(|(_, motd)| motd.to_owned()).unwrap_or_default();
        Welcome {
            server: self.server.unwrap_or_default(),
            nodes: Nodes::told(self.node, self.servers),
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
            read: self.read.unwrap_or_default(),
            away: self.away,
            rooms: self.rooms.unwrap_or_default(),
            key: self.key.and_then(|key| key.parse().ok()),
            operator: self.operator.unwrap_or_default(),
            closed: self.closed.unwrap_or_default(),
            web: self.web.as_deref().and_then(WebAccess::parse),
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
