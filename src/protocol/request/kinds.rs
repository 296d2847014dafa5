//! Every type of request, by what it takes to ask it: who deals with it follows from that.
//!
//! A request is described here and nowhere else in the protocol: its variant, its type, and how it is read. The
//! members of a variant are written as they stand here, those that say nothing are left out, and those that are
//! skipped stand before the type, where all packets have them ([`Request::to_frame`]). A member that no other
//! request has is one of [`ClientPacket`] besides.

use super::{ClientPacket, Hello, Refusal, Span, TestToken};
use crate::protocol::envelope::is_empty;
use crate::protocol::kinds::kinds;
use crate::protocol::packet::KeyList;
use crate::protocol::{Code, Since, Target};
use serde::Serialize;

/// One thing asked for, by what it takes to ask it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Nothing: it needs no name.
    Connect(Connect),
    /// A session with a name.
    Act(Act),
    /// A session with a name, or the console.
    Ask(Ask),
    /// An operator, or the console.
    Operate(Operate),
}

/// What a connection asks before it has a name, of the connection itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Connect {
    /// Registers the connection.
    Hello(Hello),
    /// The answer to a closed server's [`Pake`](crate::protocol::Event::Pake).
    Pake {
        /// The client's half, in base64url.
        pake: String,
        /// Its confirmation, in base64url.
        mac: String,
    },
    /// Are you there? Also answered before a hello.
    Ping,
    /// A test of multicast between the two machines. Also answered before a hello.
    Multicast {
        /// What marks the packets of this test.
        token: TestToken,
    },
}

/// What a user says and does, and what only a user can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Act {
    /// Text for somebody.
    Chat {
        /// Whom it is for.
        #[serde(skip)]
        to: Target,
        /// The text.
        #[serde(skip)]
        msg: String,
        /// Whether it tells what the sender does (`/me`).
        #[serde(skip_serializing_if = "is_empty")]
        action: bool,
    },
    /// Another name for the user.
    Nick {
        /// The name asked for.
        name: String,
    },
    /// Makes the user a member of a room; there is one from then on.
    Join {
        /// The room.
        room: String,
    },
    /// Leaves a room.
    Part {
        /// The room.
        room: String,
    },
    /// What a room is about.
    Topic {
        /// The room.
        room: String,
        /// What it is to be about, nothing if empty; `None`: only asked.
        #[serde(skip_serializing_if = "is_empty")]
        topic: Option<String>,
    },
    /// What was said in a room or between two users. Without either, in the lobby.
    History {
        /// The other user.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        /// The room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        /// Which of it.
        #[serde(flatten)]
        span: Span,
    },
    /// What was said with these words in it; without words, by that user, there or then.
    Search(SearchRequest),
    /// All mail up to that number has come.
    Received {
        /// The number, inclusive.
        seq: u64,
    },
    /// Makes one's own key an operator's, by a secret that only files of the server's user hold.
    OpByToken {
        /// The secret.
        token: String,
    },
    /// The commands there are (in words only).
    Help {
        /// The command asked about; all when absent.
        #[serde(rename = "name", skip_serializing_if = "is_empty")]
        command: Option<String>,
    },
    /// An orderly end.
    Quit,
}

/// A question about the chat, which changes nothing. The server's console asks these too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Ask {
    /// Who is here: one page, in alphabetical order.
    Users {
        /// The name the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
        /// Only those in this room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
    },
    /// Which rooms there are: one page, in alphabetical order.
    Rooms {
        /// The room the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    /// The server's time.
    Time,
    /// About one user.
    Whois {
        /// The user's name.
        name: String,
    },
}

/// An operator's command, by a session or at the server's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operate {
    /// Text that everybody is shown loudly.
    Alert {
        /// The text.
        #[serde(skip)]
        msg: String,
    },
    /// Ends all sessions of a user.
    Kick {
        /// The user's name.
        name: String,
        /// The reason, which the user is told; may be empty.
        #[serde(skip)]
        reason: String,
    },
    /// Refuses a user's messages.
    Mute {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](crate::protocol::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    /// Takes a mute back.
    Unmute {
        /// What was muted.
        name: String,
    },
    /// Ends all sessions of a user and lets none begin.
    Ban {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](crate::protocol::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    /// Takes a ban back.
    Unban {
        /// What was banned.
        name: String,
    },
    /// Who is banned or muted.
    Bans,
    /// Which keys are operators' or members', or own which name: one page.
    Keys {
        /// Which of these: its type.
        #[serde(skip)]
        list: KeyList,
        /// The key, or of owners the name, that the page starts after.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    /// Lets a key enter a closed server without the passphrase.
    Admit {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes that back.
    Dismiss {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes a name from the key that owns it.
    Release {
        /// The name.
        name: String,
    },
    /// Makes a user's key an operator's; with the code that the server's console shows, one's own.
    Op {
        /// A user's name, `key:FINGERPRINT`, or the code.
        name: String,
    },
    /// Takes the operators' commands from a user.
    Deop {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
}

/// What a search looks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SearchRequest {
    /// The words.
    #[serde(skip)]
    pub words: String,
    /// Only by this user.
    #[serde(skip_serializing_if = "is_empty")]
    pub name: Option<String>,
    /// Only in this room.
    #[serde(skip_serializing_if = "is_empty")]
    pub room: Option<String>,
    /// Only then or later, as written: see [`Moment`](crate::protocol::Moment).
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<String>,
    /// Which of it.
    #[serde(flatten)]
    pub span: Span,
    /// Only before then, as written.
    #[serde(skip_serializing_if = "is_empty")]
    pub until: Option<String>,
}

kinds! {
    /// The types of requests.
    Request:
    Keys(list): Self::Operate(Operate::Keys { list, .. }),
    Chat = "chat": Self::Act(Act::Chat { .. }),
    Nick = "nick": Self::Act(Act::Nick { .. }),
    Join = "join": Self::Act(Act::Join { .. }),
    Part = "part": Self::Act(Act::Part { .. }),
    Topic = "topic": Self::Act(Act::Topic { .. }),
    History = "history": Self::Act(Act::History { .. }),
    Search = "search": Self::Act(Act::Search(_)),
    Received = "received": Self::Act(Act::Received { .. }),
    Help = "help": Self::Act(Act::Help { .. }),
    Quit = "quit": Self::Act(Act::Quit),
    Users = "users": Self::Ask(Ask::Users { .. }),
    Rooms = "rooms": Self::Ask(Ask::Rooms { .. }),
    Time = "time": Self::Ask(Ask::Time),
    Whois = "whois": Self::Ask(Ask::Whois { .. }),
    Hello = "hello": Self::Connect(Connect::Hello(_)),
    Pake = "pake": Self::Connect(Connect::Pake { .. }),
    Ping = "ping": Self::Connect(Connect::Ping),
    Multicast = "multicast": Self::Connect(Connect::Multicast { .. }),
    Alert = "alert": Self::Operate(Operate::Alert { .. }),
    Kick = "kick": Self::Operate(Operate::Kick { .. }),
    Mute = "mute": Self::Operate(Operate::Mute { .. }),
    Unmute = "unmute": Self::Operate(Operate::Unmute { .. }),
    Ban = "ban": Self::Operate(Operate::Ban { .. }),
    Unban = "unban": Self::Operate(Operate::Unban { .. }),
    Bans = "bans": Self::Operate(Operate::Bans),
    Admit = "admit": Self::Operate(Operate::Admit { .. }),
    Dismiss = "dismiss": Self::Operate(Operate::Dismiss { .. }),
    Release = "release": Self::Operate(Operate::Release { .. }),
    Op = "op": Self::Operate(Operate::Op { .. }) | Self::Act(Act::OpByToken { .. }),
    Deop = "deop": Self::Operate(Operate::Deop { .. }),
}

impl Request {
    /// Reads a packet's meaning and checks its bounds. A chat to `server` is returned as such:
    /// its words are read by [`command`](crate::protocol::command).
    ///
    /// # Errors
    /// A [`Refusal`] to send back.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        packet.check_bounds()?;
        let msg = || packet.text().to_owned();
        let name = || packet.name.clone().unwrap_or_default();
        Ok(match kind(packet)? {
            Kind::Hello => Self::Connect(Connect::Hello(Hello::from_packet(packet)?)),
            Kind::Chat => Self::Act(Act::Chat {
                to: packet.target()?,
                msg: msg(),
                action: packet.action.unwrap_or(false),
            }),
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
            Kind::Nick => Self::Act(Act::Nick { name: name() }),
            Kind::Whois => Self::Ask(Ask::Whois { name: name() }),
            Kind::Kick => Self::Operate(Operate::Kick { name: name(), reason: msg() }),
            Kind::Mute => Self::Operate(Operate::Mute { name: name(), duration: packet.duration.clone() }),
            Kind::Unmute => Self::Operate(Operate::Unmute { name: name() }),
            Kind::Ban => Self::Operate(Operate::Ban { name: name(), duration: packet.duration.clone() }),
            Kind::Unban => Self::Operate(Operate::Unban { name: name() }),
            Kind::Bans => Self::Operate(Operate::Bans),
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

/// A packet without a type is a chat.
fn kind(packet: &ClientPacket) -> Result<Kind, Refusal> {
    let Some(text) = packet.kind.as_deref() else { return Ok(Kind::Chat) };
    Kind::parse(text).ok_or_else(|| {
        let all = Kind::all().map(Kind::as_str).collect::<Vec<_>>().join(", ");
        let msg = format!("type {text:?} is unknown; use one of {all}; help tells more");
        Refusal::new(Code::UnknownType, msg)
    })
}

fn history(packet: &ClientPacket) -> Result<Act, Refusal> {
    if packet.room.is_some() && packet.name.is_some() {
        let msg = "\"room\" and \"name\" are both given; give one of them, or neither for the lobby";
        return Err(Refusal::new(Code::BadPacket, msg));
    }
    Ok(Act::History { name: packet.name.clone(), room: packet.room.clone(), span: packet.span() })
}

fn search(packet: &ClientPacket) -> Result<SearchRequest, Refusal> {
    let since = match &packet.since {
        Some(Since::Time(text)) => Some(text.clone()),
        None => None,
        Some(Since::Seq(_)) => {
            let msg = "\"since\" of a search is a time, such as \"2026-11-21T12:00:00Z\" or \"7d\"";
            return Err(Refusal::new(Code::BadPacket, msg));
        }
    };
    Ok(SearchRequest {
        words: packet.text().to_owned(),
        name: packet.name.clone(),
        room: packet.room.clone(),
        since,
        span: packet.span(),
        until: packet.until.clone(),
    })
}
