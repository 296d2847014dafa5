//! Reads each event from its packet.

use super::{Absent, Event, Kind, ServerPacket, text};
use crate::protocol::{Code, DeclineReason, WebAccess, is_node_name};

impl Event {
    /// Reads a packet. Never fails: an unknown type becomes [`Event::Unknown`].
    pub fn from_packet(packet: ServerPacket) -> Self {
        let code = || packet.code.as_deref().and_then(Code::parse);
        let seq = packet.seq;
        let history = packet.history.unwrap_or_default();
        let ts = packet.ts.clone().unwrap_or_default();
        let kind = packet.kind.as_deref().map_or(Some(Kind::Chat), Kind::parse);
        match kind.unwrap_or(Kind::Unknown) {
            Kind::Welcome => Self::Welcome(Box::new(packet.into_welcome())),
            Kind::Chat => Self::Chat {
                from: packet.from,
                to: packet.to,
                msg: packet.msg,
                action: packet.action.unwrap_or(false),
                seq,
                ts,
                history,
                reply: packet.reply,
                edited: packet.edited.unwrap_or_default(),
            },
            Kind::Edited => Self::Edited {
                msg: match packet.msg.strip_prefix(text::CORRECTED) {
                    Some(text) => text.to_owned(),
                    None => packet.msg,
                },
                from: packet.from,
                to: packet.to,
                of: packet.of.unwrap_or_default(),
                action: packet.action.unwrap_or_default(),
                seq,
                ts,
                history,
            },
            Kind::Deleted => Self::Deleted {
                from: packet.from,
                to: packet.to,
                of: packet.of.unwrap_or_default(),
                name: packet.name,
                seq,
                ts,
                history,
            },
            Kind::Read => {
                Self::Read { name: packet.name, room: packet.room, seq: packet.seq.unwrap_or_default() }
            }
            Kind::Away => Self::Away { why: packet.away },
            Kind::Sent => {
                let name = packet.name.unwrap_or_default();
                Self::Sent {
                    seq,
                    ts,
                    stored: packet.stored.unwrap_or(true),
                    away: packet.away.map(|why| Absent { name: name.clone(), why }),
                    waits: packet.waits.unwrap_or_default().then_some(name),
                }
            }
            Kind::Joined => Self::Joined(packet.into_crowd()),
            Kind::Left => Self::Left(packet.into_crowd()),
            Kind::Renamed => {
                Self::Renamed { old: packet.old.unwrap_or_default(), name: packet.name.unwrap_or_default() }
            }
            Kind::Room => Self::Room(packet.into_room()),
            Kind::Topic => Self::Topic {
                room: packet.room.unwrap_or_default(),
                topic: packet.topic,
                by: packet.by.unwrap_or_default(),
            },
            Kind::Rooms => Self::Rooms {
                rooms: packet.rooms.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            Kind::History => Self::History(packet.into_history_end()),
            Kind::Delivered => Self::Delivered {
                name: packet.name.unwrap_or_default(),
                count: packet.count.and_then(|count| count.try_into().ok()).unwrap_or_default(),
                lost: packet.lost.unwrap_or_default(),
                last: packet.last.unwrap_or_default(),
                seq,
                ts,
                history,
            },
            Kind::Users => Self::Users {
                room: packet.room,
                users: packet.users.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            Kind::Time => Self::Time {
                time: packet.time.unwrap_or_default(),
                ts,
                uptime: packet.uptime.unwrap_or_default(),
            },
            Kind::Alert => {
                Self::Alert { by: packet.by.unwrap_or_default(), msg: packet.msg, seq, ts, history }
            }
            Kind::Whois => Self::Whois(packet.user.unwrap_or_default()),
            Kind::Pong => Self::Pong {
                server: packet.server.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                closed: packet.closed.unwrap_or_default(),
                interim: packet.interim.unwrap_or_default(),
                run: packet.run,
                node: packet.node.filter(|node| is_node_name(node)),
                web: packet.web.as_deref().and_then(WebAccess::parse),
            },
            Kind::Multicast => Self::Multicast {
                sent: packet.count.unwrap_or_default(),
                heard: packet.heard.unwrap_or_default(),
            },
            Kind::Operator => {
                Self::Operator { operator: packet.operator.unwrap_or_default(), msg: packet.msg }
            }
            Kind::Pake => Self::Pake { pake: packet.pake.unwrap_or_default(), msg: packet.msg },
            Kind::PakeOk => Self::PakeOk { mac: packet.mac.unwrap_or_default() },
            Kind::Bans => {
                Self::Bans { bans: packet.bans.unwrap_or_default(), total: packet.total.unwrap_or_default() }
            }
            Kind::Ticket => Self::Ticket { ticket: packet.ticket },
            Kind::Status => Self::Status { status: packet.status.unwrap_or_default() },
            Kind::Notice => match packet.stored {
                Some(works) => Self::Storing { works, msg: packet.msg },
                None => Self::Notice(packet.msg),
            },
            Kind::Offer => Self::Offer {
                from: packet.from,
                to: packet.to,
                key: packet.key.and_then(|key| key.parse().ok()),
                offer: packet.offer.unwrap_or_default(),
                file: packet.file.unwrap_or_default(),
            },
            Kind::Offered => Self::Offered { offer: packet.offer.unwrap_or_default(), waits: packet.name },
            Kind::Accepted => Self::Accepted {
                offer: packet.offer.unwrap_or_default(),
                name: packet.name.unwrap_or_default(),
                token: packet.token.unwrap_or_default(),
                send: packet.send.unwrap_or_default(),
            },
            Kind::Ended => Self::Ended {
                offer: packet.offer.unwrap_or_default(),
                code: code(),
                reason: packet.reason.as_deref().and_then(DeclineReason::parse),
                name: packet.name,
                msg: packet.msg,
            },
            Kind::Go => Self::Go,
            Kind::Error => Self::Error { code: code(), msg: packet.msg, name: packet.name },
            Kind::Bye => Self::Bye { code: code(), msg: packet.msg, server: packet.server },
            Kind::Keys(list) => Self::Keys {
                list,
                keys: packet.keys.unwrap_or_default(),
                total: packet.total.unwrap_or_default(),
                next: packet.next,
            },
            Kind::Unknown => Self::Unknown { from: packet.from, msg: packet.msg },
        }
    }
}
