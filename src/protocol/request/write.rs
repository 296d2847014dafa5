//! Writing a request as a packet.

use super::{Act, Ask, Connect, Operate, Request, SearchRequest, Span};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::{Packet, Since};

impl Request {
    /// The request as a packet, with the sender's own token `id`.
    pub fn to_packet(&self, id: Option<String>) -> Packet {
        let mut packet = Packet { id, to: "server".into(), ..Packet::default() };
        packet.kind = Some(self.kind().into());
        match self {
            Self::Connect(Connect::Hello(hello)) => {
                packet.v = Some(PROTOCOL_VERSION);
                packet.from.name.clone_from(&hello.name);
                packet.mode = Some(hello.mode.as_str().into());
                packet.token.clone_from(&hello.token);
                packet.since.clone_from(&hello.since);
                packet.log.clone_from(&hello.log);
                packet.logs.clone_from(&hello.logs);
            }
            Self::Act(Act::Chat { to, msg, action }) => {
                packet.to = to.to_string();
                packet.msg.clone_from(msg);
                packet.action = action.then_some(true);
            }
            Self::Ask(Ask::Users { room, after }) => {
                packet.room.clone_from(room);
                packet.after.clone_from(after);
            }
            Self::Act(Act::Join { room }) | Self::Act(Act::Part { room }) => packet.room = Some(room.clone()),
            Self::Ask(Ask::Rooms { after }) | Self::Operate(Operate::Keys { after, .. }) => {
                packet.after.clone_from(after)
            }
            Self::Act(Act::Topic { room, topic }) => {
                packet.room = Some(room.clone());
                packet.topic.clone_from(topic);
            }
            Self::Act(Act::History { room, name, span }) => {
                packet.room.clone_from(room);
                packet.name.clone_from(name);
                fill_span(&mut packet, span);
            }
            Self::Act(Act::Search(SearchRequest { words, name, room, since, until, span })) => {
                packet.msg.clone_from(words);
                packet.name.clone_from(name);
                packet.room.clone_from(room);
                packet.since = since.clone().map(Since::Time);
                packet.until.clone_from(until);
                fill_span(&mut packet, span);
            }
            Self::Act(Act::Received { seq }) => packet.seq = Some(*seq),
            Self::Operate(Operate::Alert { msg }) => packet.msg.clone_from(msg),
            Self::Operate(Operate::Kick { name, reason }) => {
                packet.name = Some(name.clone());
                packet.msg.clone_from(reason);
            }
            Self::Operate(Operate::Mute { name, duration })
            | Self::Operate(Operate::Ban { name, duration }) => {
                packet.name = Some(name.clone());
                packet.duration.clone_from(duration);
            }
            Self::Act(Act::Nick { name })
            | Self::Ask(Ask::Whois { name })
            | Self::Operate(Operate::Unmute { name })
            | Self::Operate(Operate::Unban { name })
            | Self::Operate(Operate::Op { name })
            | Self::Operate(Operate::Deop { name })
            | Self::Operate(Operate::Admit { name })
            | Self::Operate(Operate::Dismiss { name })
            | Self::Operate(Operate::Release { name }) => packet.name = Some(name.clone()),
            Self::Connect(Connect::Multicast { token }) => packet.token = Some(token.as_str().into()),
            Self::Act(Act::OpByToken { token }) => packet.token = Some(token.clone()),
            Self::Connect(Connect::Pake { pake, mac }) => {
                packet.pake = Some(pake.clone());
                packet.mac = Some(mac.clone());
            }
            Self::Act(Act::Help { command }) => packet.name.clone_from(command),
            Self::Ask(Ask::Time)
            | Self::Operate(Operate::Bans)
            | Self::Connect(Connect::Ping)
            | Self::Act(Act::Quit) => {}
        }
        packet
    }

    /// The member `type`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Connect(Connect::Hello(_)) => "hello",
            Self::Act(Act::Chat { .. }) => "chat",
            Self::Ask(Ask::Users { .. }) => "users",
            Self::Act(Act::Join { .. }) => "join",
            Self::Act(Act::Part { .. }) => "part",
            Self::Ask(Ask::Rooms { .. }) => "rooms",
            Self::Act(Act::Topic { .. }) => "topic",
            Self::Act(Act::History { .. }) => "history",
            Self::Act(Act::Search(_)) => "search",
            Self::Act(Act::Received { .. }) => "received",
            Self::Ask(Ask::Time) => "time",
            Self::Operate(Operate::Alert { .. }) => "alert",
            Self::Act(Act::Nick { .. }) => "nick",
            Self::Ask(Ask::Whois { .. }) => "whois",
            Self::Operate(Operate::Kick { .. }) => "kick",
            Self::Operate(Operate::Mute { .. }) => "mute",
            Self::Operate(Operate::Unmute { .. }) => "unmute",
            Self::Operate(Operate::Ban { .. }) => "ban",
            Self::Operate(Operate::Unban { .. }) => "unban",
            Self::Operate(Operate::Bans) => "bans",
            Self::Operate(Operate::Keys { list, .. }) => list.as_str(),
            Self::Operate(Operate::Admit { .. }) => "admit",
            Self::Operate(Operate::Dismiss { .. }) => "dismiss",
            Self::Operate(Operate::Release { .. }) => "release",
            Self::Operate(Operate::Op { .. }) | Self::Act(Act::OpByToken { .. }) => "op",
            Self::Operate(Operate::Deop { .. }) => "deop",
            Self::Connect(Connect::Pake { .. }) => "pake",
            Self::Connect(Connect::Ping) => "ping",
            Self::Connect(Connect::Multicast { .. }) => "multicast",
            Self::Act(Act::Help { .. }) => "help",
            Self::Act(Act::Quit) => "quit",
        }
    }
}

fn fill_span(packet: &mut Packet, span: &Span) {
    packet.before = span.before;
    packet.limit = span.limit;
}
