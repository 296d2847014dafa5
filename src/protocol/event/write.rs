//! Writing an event as a packet.

use super::{Event, Welcome};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::Since;
use crate::protocol::packet::{Packet, RoomInfo, Sender};

impl Event {
    /// The event as a packet to `to`, echoing the request's `id`.
    pub fn to_packet(&self, to: &str, id: Option<String>) -> Packet {
        self.clone().into_packet(to, id)
    }

    /// The same, with nothing copied.
    pub fn into_packet(self, to: &str, id: Option<String>) -> Packet {
        let mut packet = Packet { from: Sender::server(), id, ..Packet::default() };
        packet.kind = Some(self.kind().into());
        // What is said goes to whom it was said to.
        if !matches!(self, Self::Chat { .. }) {
            packet.to = to.into();
            packet.msg = self.text();
        }
        match self {
            Self::Welcome(welcome) => fill_welcome(&mut packet, *welcome),
            Self::Chat { from, to, msg, action, seq, ts, history } => {
                (packet.from, packet.to, packet.msg) = (from, to, msg);
                packet.action = action.then_some(true);
                fill_stamp(&mut packet, seq, ts, history);
            }
            Self::Sent { seq, ts, stored, waits } => {
                fill_stamp(&mut packet, seq, ts, false);
                packet.stored = (!stored).then_some(false);
                packet.waits = waits.is_some().then_some(true);
                packet.name = waits;
            }
            Self::Room(room) => fill_room(&mut packet, room),
            Self::Topic { room, topic, by } => {
                packet.room = Some(room);
                packet.topic = topic;
                packet.by = Some(by);
            }
            Self::Rooms { rooms, total, next } => {
                packet.rooms = Some(rooms);
                packet.total = Some(total);
                packet.next = next;
            }
            Self::History(end) => {
                packet.count = Some(end.count);
                packet.seq = Some(end.seq);
                packet.gap = end.gap.then_some(true);
                packet.more = end.more.then_some(true);
                packet.partial = end.partial.then_some(true);
            }
            Self::Delivered { name, count, lost, last, seq, ts, history } => {
                packet.name = Some(name);
                packet.count = usize::try_from(count).ok();
                packet.lost = Some(lost).filter(|lost| *lost > 0);
                packet.last = Some(last);
                fill_stamp(&mut packet, seq, ts, history);
            }
            Self::Joined(crowd) | Self::Left(crowd) => {
                packet.room = crowd.room;
                packet.names = (!crowd.names.is_empty()).then_some(crowd.names);
                packet.count = Some(crowd.count);
                packet.total = Some(crowd.total);
            }
            Self::Renamed { old, name } => {
                packet.old = Some(old);
                packet.name = Some(name);
            }
            Self::Users { room, users, total, next } => {
                packet.room = room;
                packet.users = Some(users);
                packet.total = Some(total);
                packet.next = next;
            }
            Self::Time { time, ts, uptime } => {
                packet.time = Some(time);
                packet.ts = Some(ts);
                packet.uptime = Some(uptime);
            }
            Self::Alert { by, seq, ts, history, .. } => {
                packet.by = Some(by);
                fill_stamp(&mut packet, seq, ts, history);
            }
            Self::Whois(user) => packet.user = Some(user),
            Self::Pong { server, total, closed, interim } => {
                packet.server = Some(server);
                packet.total = Some(total);
                packet.closed = closed.then_some(true);
                packet.interim = interim.then_some(true);
            }
            Self::Multicast { sent, heard } => {
                packet.count = Some(sent);
                packet.heard = Some(heard);
            }
            Self::Operator { operator, .. } => packet.operator = Some(operator),
            Self::Storing { works, .. } => packet.stored = Some(works),
            Self::Pake { pake, .. } => packet.pake = Some(pake),
            Self::PakeOk { mac } => packet.mac = Some(mac),
            Self::Bans { bans, total } => {
                packet.bans = Some(bans);
                packet.total = Some(total);
            }
            Self::Keys { keys, total, next, .. } => {
                packet.keys = Some(keys);
                packet.total = Some(total);
                packet.next = next;
            }
            Self::Error { code, name, .. } => {
                packet.code = code.map(|code| code.to_string());
                packet.name = name;
            }
            Self::Bye { code, server, .. } => {
                packet.code = code.map(|code| code.to_string());
                packet.server = server;
            }
            Self::Notice(_) | Self::Unknown { .. } => {}
        }
        packet
    }

    /// The member `type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Welcome(_) => "welcome",
            Self::Chat { .. } => "chat",
            Self::Sent { .. } => "sent",
            Self::Joined(_) => "joined",
            Self::Left(_) => "left",
            Self::Renamed { .. } => "renamed",
            Self::Room(_) => "room",
            Self::Topic { .. } => "topic",
            Self::Rooms { .. } => "rooms",
            Self::History(_) => "history",
            Self::Delivered { .. } => "delivered",
            Self::Users { .. } => "users",
            Self::Time { .. } => "time",
            Self::Alert { .. } => "alert",
            Self::Whois(_) => "whois",
            Self::Pong { .. } => "pong",
            Self::Pake { .. } => "pake",
            Self::PakeOk { .. } => "pake_ok",
            Self::Bans { .. } => "bans",
            Self::Keys { list, .. } => list.as_str(),
            Self::Multicast { .. } => "multicast",
            Self::Operator { .. } => "operator",
            Self::Notice(_) | Self::Storing { .. } => "notice",
            Self::Error { .. } => "error",
            Self::Bye { .. } => "bye",
            Self::Unknown { .. } => "unknown",
        }
    }
}

fn fill_stamp(packet: &mut Packet, seq: Option<u64>, ts: String, history: bool) {
    packet.seq = seq;
    packet.ts = Some(ts);
    packet.history = history.then_some(true);
}

fn fill_room(packet: &mut Packet, room: RoomInfo) {
    packet.room = Some(room.name);
    packet.topic = room.topic;
    packet.members = Some(room.members);
    packet.here = Some(room.here);
    packet.joined = Some(room.joined);
}

fn fill_welcome(packet: &mut Packet, welcome: Welcome) {
    packet.v = Some(PROTOCOL_VERSION);
    packet.server = Some(welcome.server);
    packet.name = Some(welcome.name);
    packet.ip = Some(welcome.ip);
    packet.total = Some(welcome.total);
    packet.limits = Some(welcome.limits);
    packet.seq = Some(welcome.seq);
    packet.log = welcome.log;
    packet.logs = (!welcome.logs.is_empty()).then_some(welcome.logs);
    packet.since = welcome.since.map(Since::Seq);
    packet.rewound = welcome.rewound.then_some(true);
    packet.rooms = (!welcome.rooms.is_empty()).then_some(welcome.rooms);
    packet.key = welcome.key.map(|key| key.to_string());
    packet.operator = welcome.operator.then_some(true);
    packet.closed = welcome.closed.then_some(true);
}
