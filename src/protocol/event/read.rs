//! Reading an event from its packet.

use super::{Crowd, Event, HistoryEnd, Welcome};
use crate::protocol::packet::{KeyList, Packet, RoomInfo};
use crate::protocol::{Code, Since};

impl Event {
    /// Reads a packet's meaning. Never fails: what is unknown is [`Event::Unknown`].
    pub fn from_packet(packet: Packet) -> Self {
        let code = || packet.code.as_deref().and_then(Code::parse);
        let crowd = |packet: &Packet| Crowd {
            room: packet.room.clone(),
            names: packet.names.clone().unwrap_or_default(),
            count: packet.count.unwrap_or_default(),
            total: packet.total.unwrap_or_default(),
        };
        let seq = packet.seq;
        let history = packet.history.unwrap_or_default();
        let ts = packet.ts.clone().unwrap_or_default();
        match packet.kind.as_deref().unwrap_or("chat") {
            "welcome" => Self::Welcome(Box::new(read_welcome(packet))),
            "chat" => Self::Chat {
                from: packet.from,
                to: packet.to,
                msg: packet.msg,
                action: packet.action.unwrap_or(false),
                seq,
                ts,
                history,
            },
            "sent" => Self::Sent {
                seq,
                ts,
                stored: packet.stored.unwrap_or(true),
                waits: packet.waits.unwrap_or_default().then(|| packet.name.unwrap_or_default()),
            },
            "joined" => Self::Joined(crowd(&packet)),
            "left" => Self::Left(crowd(&packet)),
            "renamed" => {
                Self::Renamed { old: packet.old.unwrap_or_default(), name: packet.name.unwrap_or_default() }
            }
            "room" => Self::Room(read_room(packet)),
            "topic" => Self::Topic {
                room: packet.room.unwrap_or_default(),
                topic: packet.topic,
                by: packet.by.unwrap_or_default(),
            },
            "rooms" => Self::Rooms {
                rooms: packet.rooms.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            "history" => Self::History(HistoryEnd {
                count: packet.count.unwrap_or_default(),
                seq: seq.unwrap_or_default(),
                gap: packet.gap.unwrap_or_default(),
                more: packet.more.unwrap_or_default(),
                partial: packet.partial.unwrap_or_default(),
            }),
            "delivered" => Self::Delivered {
                name: packet.name.unwrap_or_default(),
                count: packet.count.and_then(|count| count.try_into().ok()).unwrap_or_default(),
                lost: packet.lost.unwrap_or_default(),
                last: packet.last.unwrap_or_default(),
                seq,
                ts,
                history,
            },
            "users" => Self::Users {
                room: packet.room,
                users: packet.users.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            "time" => Self::Time {
                time: packet.time.unwrap_or_default(),
                ts,
                uptime: packet.uptime.unwrap_or_default(),
            },
            "alert" => Self::Alert { by: packet.by.unwrap_or_default(), msg: packet.msg, seq, ts, history },
            "whois" => Self::Whois(packet.user.unwrap_or_default()),
            "pong" => Self::Pong {
                server: packet.server.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                closed: packet.closed.unwrap_or_default(),
                interim: packet.interim.unwrap_or_default(),
            },
            "multicast" => Self::Multicast {
                sent: packet.count.unwrap_or_default(),
                heard: packet.heard.unwrap_or_default(),
            },
            "operator" => Self::Operator { operator: packet.operator.unwrap_or_default(), msg: packet.msg },
            "pake" => Self::Pake { pake: packet.pake.unwrap_or_default(), msg: packet.msg },
            "pake_ok" => Self::PakeOk { mac: packet.mac.unwrap_or_default() },
            "bans" => {
                Self::Bans { bans: packet.bans.unwrap_or_default(), total: packet.total.unwrap_or_default() }
            }
            "notice" => match packet.stored {
                Some(works) => Self::Storing { works, msg: packet.msg },
                None => Self::Notice(packet.msg),
            },
            "error" => Self::Error { code: code(), msg: packet.msg, name: packet.name },
            "bye" => Self::Bye { code: code(), msg: packet.msg, server: packet.server },
            other => match KeyList::parse(other) {
                Some(list) => Self::Keys {
                    list,
                    keys: packet.keys.unwrap_or_default(),
                    total: packet.total.unwrap_or_default(),
                    next: packet.next,
                },
                None => Self::Unknown { from: packet.from, msg: packet.msg },
            },
        }
    }
}

fn read_welcome(packet: Packet) -> Welcome {
    // The first line is ours; the message of the day follows it.
    let motd = packet.msg.split_once('\n').map(|(_, motd)| motd.to_owned()).unwrap_or_default();
    Welcome {
        server: packet.server.unwrap_or_default(),
        name: packet.name.unwrap_or_default(),
        ip: packet.ip.unwrap_or_default(),
        total: packet.total.unwrap_or_default(),
        limits: packet.limits.unwrap_or_default(),
        seq: packet.seq.unwrap_or_default(),
        log: packet.log,
        logs: packet.logs.unwrap_or_default(),
        since: match packet.since {
            Some(Since::Seq(seq)) => Some(seq),
            Some(Since::Time(_)) | None => None,
        },
        rewound: packet.rewound.unwrap_or_default(),
        rooms: packet.rooms.unwrap_or_default(),
        key: packet.key.and_then(|key| key.parse().ok()),
        operator: packet.operator.unwrap_or_default(),
        closed: packet.closed.unwrap_or_default(),
        motd,
    }
}

fn read_room(packet: Packet) -> RoomInfo {
    RoomInfo {
        name: packet.room.unwrap_or_default(),
        topic: packet.topic,
        members: packet.members.unwrap_or_default(),
        here: packet.here.unwrap_or_default(),
        joined: packet.joined.unwrap_or_default(),
    }
}
