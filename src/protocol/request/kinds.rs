//! Every type of request, by its permitted senders, which decides who handles it.
//!
//! This file describes a request: its variant and its type; `read.rs` reads it. The members of a variant are
//! written in this order, and empty ones are omitted. Skipped members come before the type, as in all packets
//! ([`Request::to_frame`]). A member that is new to requests also needs a field in [`ClientPacket`].

use super::search::SearchRequest;
use super::{Hello, Span, TestToken};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::envelope::is_empty;
use crate::protocol::kinds::kinds;
use crate::protocol::packet::{FileInfo, KeyList};
use crate::protocol::{DeclineReason, Target};
use serde::{Serialize, Serializer};

/// A request, by its permitted senders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Any connection, even without a name.
    Connect(Connect),
    /// A session with a name.
    Act(Act),
    /// A session with a name, or the console.
    Ask(Ask),
    /// An operator, or the console.
    Operate(Operate),
}

/// A request about the connection itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Connect {
    Hello(Hello),
    /// A hello in mode `file`: this connection has no session and carries a file, with no packets after the
    /// server's `go`.
    File {
        #[serde(flatten, serialize_with = "version_and_file_mode")]
        token: String,
    },
    /// The answer to a closed server's [`Pake`](crate::protocol::Event::Pake).
    Pake {
        pake: String,
        /// Its confirmation, in base64url.
        mac: String,
    },
    /// Asks for a sign of life. Allowed before a hello.
    Ping,
    /// Tests multicast between the two machines. Allowed before a hello.
    Multicast {
        /// Marks the packets of this test.
        token: TestToken,
    },
}

/// A user's action, or a query that needs a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Act {
    Chat {
        #[serde(skip)]
        to: Target,
        #[serde(skip)]
        msg: String,
        /// Whether it describes what the sender does (`/me`).
        #[serde(skip_serializing_if = "is_empty")]
        action: bool,
        /// The number of the message that it answers.
        #[serde(skip_serializing_if = "is_empty")]
        reply: Option<u64>,
    },
    /// Replaces the text of a message.
    Edit {
        seq: u64,
        #[serde(skip)]
        msg: String,
    },
    /// Deletes a message.
    Delete {
        seq: u64,
    },
    /// Notes up to where the user has read a conversation: a room, or with a user; without either, the lobby.
    Read {
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        /// Inclusive.
        seq: u64,
    },
    /// Tells others that the user does not read at the moment.
    Away {
        /// Why; may be empty.
        #[serde(skip)]
        msg: String,
    },
    /// Ends that.
    Back,
    /// Offers a file to a user or a room.
    Offer {
        #[serde(skip)]
        to: Target,
        file: Box<FileInfo>,
    },
    /// Takes what was offered.
    Accept {
        /// Its number.
        offer: u64,
    },
    /// Takes it not.
    Decline {
        offer: u64,
        #[serde(skip_serializing_if = "is_empty")]
        reason: Option<DeclineReason>,
    },
    /// Ends an offer of the sender's own, or only its transfer to one user; or the transfer of what the sender
    /// has accepted.
    Cancel {
        offer: u64,
        /// The receiver; `None`: all.
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
    },
    Nick {
        name: String,
    },
    /// Joins a room, creating it if needed.
    Join {
        room: String,
    },
    Part {
        room: String,
    },
    Topic {
        room: String,
        /// The new topic, empty to clear it; `None`: show it.
        #[serde(skip_serializing_if = "is_empty")]
        topic: Option<String>,
    },
    /// Asks for messages in a room or between two users; without either, in the lobby.
    History {
        #[serde(skip_serializing_if = "is_empty")]
        name: Option<String>,
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
        #[serde(flatten)]
        span: Span,
    },
    Search(SearchRequest),
    /// Confirms that all mail up to that number has arrived.
    Received {
        /// Inclusive.
        seq: u64,
    },
    /// Promotes the client's own key, by a secret in the files of the server's user.
    OpByToken {
        token: String,
    },
    /// Asks for help (only in words).
    Help {
        /// One command; `None`: all.
        #[serde(rename = "name", skip_serializing_if = "is_empty")]
        command: Option<String>,
    },
    /// Ends the session in an orderly way.
    Quit,
}

/// A question about the chat, from a session or the console. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Ask {
    /// Lists who is online: one page, in alphabetical order.
    Users {
        /// Starts the page after this name.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
        /// Only users in this room.
        #[serde(skip_serializing_if = "is_empty")]
        room: Option<String>,
    },
    /// Lists the rooms: one page, in alphabetical order.
    Rooms {
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    Time,
    /// Asks for details about a user.
    Whois {
        name: String,
    },
}

/// An operator's command, from a session or the server's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Operate {
    /// Shows a text to everyone, prominently.
    Alert {
        #[serde(skip)]
        msg: String,
    },
    Kick {
        name: String,
        /// Shown to the user; may be empty.
        #[serde(skip)]
        reason: String,
    },
    Mute {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// As written: see [`Term`](crate::protocol::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    Unmute {
        /// The same as for [`Mute`](Self::Mute).
        name: String,
    },
    /// Ends all sessions of a user and keeps them out.
    Ban {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// As written: see [`Term`](crate::protocol::Term).
        #[serde(skip_serializing_if = "is_empty")]
        duration: Option<String>,
    },
    Unban {
        /// The same as for [`Ban`](Self::Ban).
        name: String,
    },
    Bans,
    /// Asks for the server's own numbers.
    Status,
    /// Asks for a ticket that lets a browser's key into a closed server.
    Ticket,
    /// Lists operators, members or owners of names: one page.
    Keys {
        #[serde(skip)]
        list: KeyList,
        /// Starts the page after this key; for owners, after this name.
        #[serde(skip_serializing_if = "is_empty")]
        after: Option<String>,
    },
    /// Lets a key enter a closed server without the passphrase.
    Admit {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes that right from a key.
    Dismiss {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
    /// Takes a name from the key that owns it.
    Release {
        name: String,
    },
    /// Promotes a user; with the code from the server's console, the sender.
    Op {
        /// A user's name, `key:FINGERPRINT`, or the code.
        name: String,
    },
    Deop {
        /// A user's name, or `key:FINGERPRINT`.
        name: String,
    },
}

kinds! {
    Request:
    Keys(list): Self::Operate(Operate::Keys { list, .. }),
    Chat = "chat": Self::Act(Act::Chat { .. }),
    Edit = "edit": Self::Act(Act::Edit { .. }),
    Delete = "delete": Self::Act(Act::Delete { .. }),
    Read = "read": Self::Act(Act::Read { .. }),
    Away = "away": Self::Act(Act::Away { .. }),
    Back = "back": Self::Act(Act::Back),
    Offer = "offer": Self::Act(Act::Offer { .. }),
    Accept = "accept": Self::Act(Act::Accept { .. }),
    Decline = "decline": Self::Act(Act::Decline { .. }),
    Cancel = "cancel": Self::Act(Act::Cancel { .. }),
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
    Hello = "hello": Self::Connect(Connect::Hello(_) | Connect::File { .. }),
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
    Status = "status": Self::Operate(Operate::Status),
    Ticket = "ticket": Self::Operate(Operate::Ticket),
    Admit = "admit": Self::Operate(Operate::Admit { .. }),
    Dismiss = "dismiss": Self::Operate(Operate::Dismiss { .. }),
    Release = "release": Self::Operate(Operate::Release { .. }),
    Op = "op": Self::Operate(Operate::Op { .. }) | Self::Act(Act::OpByToken { .. }),
    Deop = "deop": Self::Operate(Operate::Deop { .. }),
}

/// The token, preceded by the client's protocol version and the mode.
fn version_and_file_mode<S: Serializer>(token: &str, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members<'a> {
        v: u32,
        mode: &'static str,
        token: &'a str,
    }
    Members { v: PROTOCOL_VERSION, mode: "file", token }.serialize(serializer)
}

impl Request {
    /// The user and the room that it mentions, as written. Their keys are slow to compute, so the server does
    /// that before taking its lock.
    pub fn mentions(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Connect(_) => (None, None),
            Self::Act(act) => act.mentions(),
            Self::Ask(question) => match question {
                Ask::Users { after, room } => (after.as_deref(), room.as_deref()),
                Ask::Rooms { after } => (after.as_deref(), None),
                Ask::Whois { name } => (Some(name), None),
                Ask::Time => (None, None),
            },
            Self::Operate(command) => match command {
                Operate::Kick { name, .. }
                | Operate::Mute { name, .. }
                | Operate::Unmute { name }
                | Operate::Ban { name, .. }
                | Operate::Unban { name }
                | Operate::Admit { name }
                | Operate::Dismiss { name }
                | Operate::Release { name }
                | Operate::Op { name }
                | Operate::Deop { name } => (Some(name), None),
                Operate::Keys { after, .. } => (after.as_deref(), None),
                Operate::Alert { .. } | Operate::Bans | Operate::Status | Operate::Ticket => (None, None),
            },
        }
    }
}

impl Act {
    fn mentions(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Chat { to, .. } | Self::Offer { to, .. } => to.mentions(),
            Self::Nick { name } | Self::Cancel { name: Some(name), .. } => (Some(name), None),
            Self::Join { room } | Self::Part { room } | Self::Topic { room, .. } => (None, Some(room)),
            Self::History { name, room, .. } | Self::Read { name, room, .. } => {
                (name.as_deref(), room.as_deref())
            }
            Self::Search(SearchRequest { room, .. }) => (None, room.as_deref()),
            Self::Edit { .. }
            | Self::Delete { .. }
            | Self::Accept { .. }
            | Self::Decline { .. }
            | Self::Cancel { name: None, .. }
            | Self::Away { .. }
            | Self::Back
            | Self::Received { .. }
            | Self::OpByToken { .. }
            | Self::Help { .. }
            | Self::Quit => (None, None),
        }
    }
}
