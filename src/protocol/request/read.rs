//! Reading a client's packet, and the bounds that it can break.

use super::{
    Act, Ask, ClientPacket, Connect, Hello, Mode, Operate, Refusal, Request, SearchRequest, Span, TestToken,
};
use crate::limits::{MAX_ID_BYTES, MAX_TEXT_BYTES, MAX_TOKEN_BYTES, MAX_WORD_BYTES};
use crate::protocol::packet::KeyList;
use crate::protocol::{Code, Since, Target};

impl Request {
    /// Reads a packet's meaning and checks its bounds. A chat to `server` is returned as such:
    /// its words are read by [`command`](crate::protocol::command).
    ///
    /// # Errors
    /// A [`Refusal`] to send back.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        check_bounds(packet)?;
        let msg = || packet.text().to_owned();
        let name = || packet.name.clone().unwrap_or_default();
        Ok(match packet.kind.as_deref().unwrap_or("chat") {
            "hello" => Self::Connect(Connect::Hello(Hello::from_packet(packet)?)),
            "chat" => Self::Act(Act::Chat {
                to: target(packet)?,
                msg: msg(),
                action: packet.action.unwrap_or(false),
            }),
            "users" => Self::Ask(Ask::Users { room: packet.room.clone(), after: packet.after.clone() }),
            "join" => Self::Act(Act::Join { room: room(packet)? }),
            "part" => Self::Act(Act::Part { room: room(packet)? }),
            "rooms" => Self::Ask(Ask::Rooms { after: packet.after.clone() }),
            "topic" => Self::Act(Act::Topic { room: room(packet)?, topic: topic(packet) }),
            "history" => history(packet)?,
            "search" => search(packet)?,
            "received" => Self::Act(Act::Received { seq: received(packet)? }),
            "time" => Self::Ask(Ask::Time),
            "alert" => Self::Operate(Operate::Alert { msg: msg() }),
            "nick" => Self::Act(Act::Nick { name: name() }),
            "whois" => Self::Ask(Ask::Whois { name: name() }),
            "kick" => Self::Operate(Operate::Kick { name: name(), reason: msg() }),
            "mute" => Self::Operate(Operate::Mute { name: name(), duration: packet.duration.clone() }),
            "unmute" => Self::Operate(Operate::Unmute { name: name() }),
            "ban" => Self::Operate(Operate::Ban { name: name(), duration: packet.duration.clone() }),
            "unban" => Self::Operate(Operate::Unban { name: name() }),
            "bans" => Self::Operate(Operate::Bans),
            "admit" => Self::Operate(Operate::Admit { name: name() }),
            "dismiss" => Self::Operate(Operate::Dismiss { name: name() }),
            "release" => Self::Operate(Operate::Release { name: name() }),
            "op" => match (&packet.name, &packet.token) {
                (None, Some(token)) => Self::Act(Act::OpByToken { token: token.clone() }),
                _ => Self::Operate(Operate::Op { name: name() }),
            },
            "deop" => Self::Operate(Operate::Deop { name: name() }),
            "pake" => Self::Connect(Connect::Pake {
                pake: packet.pake.clone().unwrap_or_default(),
                mac: packet.mac.clone().unwrap_or_default(),
            }),
            "ping" => Self::Connect(Connect::Ping),
            "multicast" => Self::Connect(Connect::Multicast { token: test_token(packet)? }),
            "help" => Self::Act(Act::Help { command: packet.name.clone() }),
            "quit" => Self::Act(Act::Quit),
            other => {
                if let Some(list) = KeyList::parse(other) {
                    return Ok(Self::Operate(Operate::Keys { list, after: packet.after.clone() }));
                }
                return Err(Refusal::new(
                    Code::UnknownType,
                    format!(
                        "type {other:?} is unknown; use chat, users, time, nick, whois, join, part, rooms, ping or quit; help tells more"
                    ),
                ));
            }
        })
    }
}

impl Hello {
    /// The hello in any first packet: clients of the replaced system send a chat.
    ///
    /// # Errors
    /// When the mode is unknown, or the version or the time is none.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        if let Some(version) = packet.v {
            // There is but one: whatever is agreed upon is what follows.
            version.agreed().map_err(|error| Refusal::new(Code::BadPacket, error.to_string()))?;
        }
        if let Some(Since::Time(text)) = &packet.since {
            Since::time(text).map_err(|error| Refusal::new(Code::BadPacket, error.to_string()))?;
        }
        let claimed = packet.from.as_ref().and_then(|from| from.name.clone());
        Ok(Self {
            name: claimed.unwrap_or_default(),
            mode: Mode::parse(packet.mode.as_deref())?,
            token: packet.token.clone(),
            since: packet.since.clone(),
            log: packet.log.clone().filter(|log| !log.is_empty()),
            logs: packet.logs.clone(),
        })
    }
}

fn target(packet: &ClientPacket) -> Result<Target, Refusal> {
    match packet.to.as_deref().map(str::trim) {
        None | Some("") => {
            Err(Refusal::new(Code::BadPacket, "\"to\" is missing; give a name, all, an IP address or server"))
        }
        Some(to) => Ok(Target::parse(to)),
    }
}

fn room(packet: &ClientPacket) -> Result<String, Refusal> {
    packet.room.clone().ok_or_else(|| {
        Refusal::new(Code::BadPacket, "\"room\" is missing; give a room's name, such as #games")
    })
}

fn received(packet: &ClientPacket) -> Result<u64, Refusal> {
    packet.seq.ok_or_else(|| {
        Refusal::new(Code::BadPacket, "\"seq\" is missing; give the highest number that you have")
    })
}

fn test_token(packet: &ClientPacket) -> Result<TestToken, Refusal> {
    packet.token.as_deref().and_then(TestToken::parse).ok_or_else(|| {
        Refusal::new(Code::BadPacket, "\"token\" is none; give 16 hexadecimal digits, others for each test")
    })
}

/// `msg` is in every packet of some clients, so that an empty one means nothing.
fn topic(packet: &ClientPacket) -> Option<String> {
    packet.topic.clone().or_else(|| packet.msg.clone().filter(|msg| !msg.is_empty()))
}

fn history(packet: &ClientPacket) -> Result<Request, Refusal> {
    if packet.room.is_some() && packet.name.is_some() {
        let msg = "\"room\" and \"name\" are both given; give one of them, or neither for the lobby";
        return Err(Refusal::new(Code::BadPacket, msg));
    }
    Ok(Request::Act(Act::History {
        room: packet.room.clone(),
        name: packet.name.clone(),
        span: span(packet),
    }))
}

fn search(packet: &ClientPacket) -> Result<Request, Refusal> {
    let since = match &packet.since {
        Some(Since::Time(text)) => Some(text.clone()),
        None => None,
        Some(Since::Seq(_)) => {
            let msg = "\"since\" of a search is a time, such as \"2026-11-21T12:00:00Z\" or \"7d\"";
            return Err(Refusal::new(Code::BadPacket, msg));
        }
    };
    Ok(Request::Act(Act::Search(SearchRequest {
        words: packet.text().to_owned(),
        name: packet.name.clone(),
        room: packet.room.clone(),
        since,
        until: packet.until.clone(),
        span: span(packet),
    })))
}

fn span(packet: &ClientPacket) -> Span {
    Span { before: packet.before, limit: packet.limit }
}

/// The bounds of [`limits`](crate::limits) that a packet which parsed can still break.
fn check_bounds(packet: &ClientPacket) -> Result<(), Refusal> {
    let since = match &packet.since {
        Some(Since::Time(text)) => Some(text),
        Some(Since::Seq(_)) | None => None,
    };
    let claimed = packet.from.as_ref().and_then(|from| from.name.as_ref());
    let longest = packet.logs.iter().flatten().map(|end| &end.log).max_by_key(|log| log.len());
    for (member, value, most) in [
        ("msg", packet.msg.as_ref(), MAX_TEXT_BYTES),
        ("id", packet.id.as_ref(), MAX_ID_BYTES),
        ("token", packet.token.as_ref(), MAX_TOKEN_BYTES),
        ("from.name", claimed, MAX_WORD_BYTES),
        ("to", packet.to.as_ref(), MAX_WORD_BYTES),
        ("type", packet.kind.as_ref(), MAX_WORD_BYTES),
        ("mode", packet.mode.as_ref(), MAX_WORD_BYTES),
        ("name", packet.name.as_ref(), MAX_WORD_BYTES),
        ("after", packet.after.as_ref(), MAX_WORD_BYTES),
        ("duration", packet.duration.as_ref(), MAX_WORD_BYTES),
        ("pake", packet.pake.as_ref(), MAX_WORD_BYTES),
        ("mac", packet.mac.as_ref(), MAX_WORD_BYTES),
        ("room", packet.room.as_ref(), MAX_WORD_BYTES),
        ("log", packet.log.as_ref(), MAX_WORD_BYTES),
        ("logs", longest, MAX_WORD_BYTES),
        ("since", since, MAX_WORD_BYTES),
        ("until", packet.until.as_ref(), MAX_WORD_BYTES),
        ("topic", packet.topic.as_ref(), MAX_TEXT_BYTES),
    ] {
        if let Some(value) = value.filter(|value| value.len() > most) {
            let advice = if member == "msg" { "send it in parts" } else { "shorten it" };
            let which = if member == "logs" { "a \"log\" of \"logs\"".into() } else { format!("{member:?}") };
            let msg = format!("{which} has {} bytes; at most {most} are taken, {advice}", value.len());
            return Err(Refusal::new(Code::TooLong, msg));
        }
    }
    Ok(())
}
