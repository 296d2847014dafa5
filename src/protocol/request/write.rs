//! Writing a request as a packet.

use super::{Request, Span};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::{Packet, Since};

impl Request {
    /// The request as a packet, with the sender's own token `id`.
    pub fn to_packet(&self, id: Option<String>) -> Packet {
        let mut packet = Packet { id, to: "server".into(), ..Packet::default() };
        packet.kind = Some(self.kind().into());
        match self {
            Self::Hello(hello) => {
                packet.v = Some(PROTOCOL_VERSION);
                packet.from.name.clone_from(&hello.name);
                packet.mode = Some(hello.mode.as_str().into());
                packet.token.clone_from(&hello.token);
                packet.since.clone_from(&hello.since);
                packet.log.clone_from(&hello.log);
                packet.logs.clone_from(&hello.logs);
            }
            Self::Chat { to, msg, action } => {
                packet.to = to.to_string();
                packet.msg.clone_from(msg);
                packet.action = action.then_some(true);
            }
            Self::Users { room, after } => {
                packet.room.clone_from(room);
                packet.after.clone_from(after);
            }
            Self::Join { room } | Self::Part { room } => packet.room = Some(room.clone()),
            Self::Rooms { after } | Self::Keys { after, .. } => packet.after.clone_from(after),
            Self::Topic { room, topic } => {
                packet.room = Some(room.clone());
                packet.topic.clone_from(topic);
            }
            Self::History { room, name, span } => {
                packet.room.clone_from(room);
                packet.name.clone_from(name);
                fill_span(&mut packet, span);
            }
            Self::Search { words, name, room, since, until, span } => {
                packet.msg.clone_from(words);
                packet.name.clone_from(name);
                packet.room.clone_from(room);
                packet.since = since.clone().map(Since::Time);
                packet.until.clone_from(until);
                fill_span(&mut packet, span);
            }
            Self::Received { seq } => packet.seq = Some(*seq),
            Self::Alert { msg } => packet.msg.clone_from(msg),
            Self::Kick { name, reason } => {
                packet.name = Some(name.clone());
                packet.msg.clone_from(reason);
            }
            Self::Mute { name, duration } | Self::Ban { name, duration } => {
                packet.name = Some(name.clone());
                packet.duration.clone_from(duration);
            }
            Self::Nick { name }
            | Self::Whois { name }
            | Self::Unmute { name }
            | Self::Unban { name }
            | Self::Op { name }
            | Self::Deop { name }
            | Self::Admit { name }
            | Self::Dismiss { name }
            | Self::Release { name } => packet.name = Some(name.clone()),
            Self::Multicast { token } => packet.token = Some(token.as_str().into()),
            Self::OpByToken { token } => packet.token = Some(token.clone()),
            Self::Pake { pake, mac } => {
                packet.pake = Some(pake.clone());
                packet.mac = Some(mac.clone());
            }
            Self::Help { command } => packet.name.clone_from(command),
            Self::Time | Self::Bans | Self::Ping | Self::Quit => {}
        }
        packet
    }

    /// The member `type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Chat { .. } => "chat",
            Self::Users { .. } => "users",
            Self::Join { .. } => "join",
            Self::Part { .. } => "part",
            Self::Rooms { .. } => "rooms",
            Self::Topic { .. } => "topic",
            Self::History { .. } => "history",
            Self::Search { .. } => "search",
            Self::Received { .. } => "received",
            Self::Time => "time",
            Self::Alert { .. } => "alert",
            Self::Nick { .. } => "nick",
            Self::Whois { .. } => "whois",
            Self::Kick { .. } => "kick",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Bans => "bans",
            Self::Keys { list, .. } => list.as_str(),
            Self::Admit { .. } => "admit",
            Self::Dismiss { .. } => "dismiss",
            Self::Release { .. } => "release",
            Self::Op { .. } | Self::OpByToken { .. } => "op",
            Self::Deop { .. } => "deop",
            Self::Pake { .. } => "pake",
            Self::Ping => "ping",
            Self::Multicast { .. } => "multicast",
            Self::Help { .. } => "help",
            Self::Quit => "quit",
        }
    }
}

fn fill_span(packet: &mut Packet, span: &Span) {
    packet.before = span.before;
    packet.limit = span.limit;
}
