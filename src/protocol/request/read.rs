//! Reads a request from its packet.

use super::kinds::{Act, Ask, Connect, Kind, Operate, Request};
use super::search::search;
use super::{ClientPacket, Hello, Refusal};
use crate::protocol::Code;

impl Request {
    /// Reads a packet and checks its limits. A chat to `server` stays one:
    /// [`command`](crate::protocol::command) reads its text.
    ///
    /// # Errors
    /// A [`Refusal`] to send back.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        packet.check_bounds()?;
        let msg = || packet.text().to_owned();
        let name = || packet.name.clone().unwrap_or_default();
        Ok(match kind(packet)? {
            Kind::Hello => Self::Connect(hello(packet)?),
            Kind::Chat => Self::Act(Act::Chat {
                to: packet.target()?,
                msg: msg(),
                action: packet.action.unwrap_or(false),
                reply: packet.reply,
            }),
            Kind::Edit => Self::Act(Act::Edit { seq: packet.number()?, msg: msg() }),
            Kind::Delete => Self::Act(Act::Delete { seq: packet.number()? }),
            Kind::Read => Self::Act(read(packet)?),
            Kind::Away => Self::Act(Act::Away { msg: msg() }),
            Kind::Back => Self::Act(Act::Back),
            Kind::Users => Self::Ask(Ask::Users { room: packet.room.clone(), after: packet.after.clone() }),
            Kind::Join => Self::Act(Act::Join { room: packet.room()? }),
            Kind::Part => Self::Act(Act::Part { room: packet.room()? }),
            Kind::Rooms => Self::Ask(Ask::Rooms { after: packet.after.clone() }),
            Kind::Topic => Self::Act(Act::Topic { room: packet.room()?, topic: packet.topic() }),
            Kind::History => Self::Act(history(packet)?),
            Kind::Search => Self::Act(Act::Search(search(packet)?)),
            Kind::Received => Self::Act(Act::Received { seq: packet.received()? }),
            Kind::Time => Self::Ask(Ask::Time),
            Kind::Alert => Self::Operate(Operate::Alert { msg: msg() }),
            Kind::Offer => Self::Act(Act::Offer { to: packet.target()?, file: packet.file()? }),
            Kind::Accept => Self::Act(Act::Accept { offer: packet.offer()? }),
            Kind::Decline => Self::Act(Act::Decline { offer: packet.offer()?, reason: packet.reason() }),
            Kind::Cancel => Self::Act(Act::Cancel { offer: packet.offer()?, name: packet.name.clone() }),
            Kind::Nick => Self::Act(Act::Nick { name: name() }),
            Kind::Whois => Self::Ask(Ask::Whois { name: name() }),
            Kind::Kick => Self::Operate(Operate::Kick { name: name(), reason: msg() }),
            Kind::Mute => Self::Operate(Operate::Mute { name: name(), duration: packet.duration.clone() }),
            Kind::Unmute => Self::Operate(Operate::Unmute { name: name() }),
            Kind::Ban => Self::Operate(Operate::Ban { name: name(), duration: packet.duration.clone() }),
            Kind::Unban => Self::Operate(Operate::Unban { name: name() }),
            Kind::Bans => Self::Operate(Operate::Bans),
            Kind::Status => Self::Operate(Operate::Status),
            Kind::Ticket => Self::Operate(Operate::Ticket),
            Kind::Admit => Self::Operate(Operate::Admit { name: name() }),
            Kind::Dismiss => Self::Operate(Operate::Dismiss { name: name() }),
            Kind::Release => Self::Operate(Operate::Release { name: name() }),
            Kind::Op => match (&packet.name, &packet.token) {
                (None, Some(token)) => Self::Act(Act::OpByToken { token: token.clone() }),
                _ => Self::Operate(Operate::Op { name: name() }),
            },
            Kind::Deop => Self::Operate(Operate::Deop { name: name() }),
            Kind::Pake => Self::Connect(Connect::Pake {
                pake: packet.pake.clone().unwrap_or_default(),
                mac: packet.mac.clone().unwrap_or_default(),
            }),
            Kind::Ping => Self::Connect(Connect::Ping),
            Kind::Multicast => Self::Connect(Connect::Multicast { token: packet.test_token()? }),
            Kind::Help => Self::Act(Act::Help { command: packet.name.clone() }),
            Kind::Quit => Self::Act(Act::Quit),
            Kind::Keys(list) => Self::Operate(Operate::Keys { list, after: packet.after.clone() }),
        })
    }
}

fn hello(packet: &ClientPacket) -> Result<Connect, Refusal> {
    match packet.file_token() {
        Some(token) => Ok(Connect::File { token: token.to_owned() }),
        None => Hello::from_packet(packet).map(Connect::Hello),
    }
}

/// Without a type, a packet is a chat.
fn kind(packet: &ClientPacket) -> Result<Kind, Refusal> {
    let Some(text) = packet.kind.as_deref() else { return Ok(Kind::Chat) };
    Kind::parse(text).ok_or_else(|| {
        let all = Kind::all().map(Kind::as_str).collect::<Vec<_>>().join(", ");
        let msg = format!("type {text:?} is unknown; use one of {all}; help tells more");
        Refusal::new(Code::UnknownType, msg)
    })
}

fn history(packet: &ClientPacket) -> Result<Act, Refusal> {
    let (name, room) = conversation(packet)?;
    Ok(Act::History { name, room, span: packet.span() })
}

fn read(packet: &ClientPacket) -> Result<Act, Refusal> {
    let (name, room) = conversation(packet)?;
    Ok(Act::Read { name, room, seq: packet.received()? })
}

/// A user or a room; neither: the lobby.
fn conversation(packet: &ClientPacket) -> Result<(Option<String>, Option<String>), Refusal> {
    if packet.room.is_some() && packet.name.is_some() {
        let msg = "\"room\" and \"name\" are both given; give one of them, or neither for the lobby";
        return Err(Refusal::new(Code::BadPacket, msg));
    }
    Ok((packet.name.clone(), packet.room.clone()))
}
