//! Every type of request, by what it takes to ask it: who deals with it follows from that.

use super::{Hello, Span, TestToken};
use crate::protocol::Target;
use crate::protocol::packet::KeyList;

/// One thing asked for, by what it takes to ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Text for somebody.
    Chat {
        /// Whom it is for.
        to: Target,
        /// The text.
        msg: String,
        /// Whether it tells what the sender does (`/me`).
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
    /// Makes them one no more.
    Part {
        /// The room.
        room: String,
    },
    /// What a room is about.
    Topic {
        /// The room.
        room: String,
        /// What it is to be about, nothing if empty; `None`: only asked.
        topic: Option<String>,
    },
    /// What was said in a room or between two users. Without either, in the lobby.
    History {
        /// The room.
        room: Option<String>,
        /// The other user.
        name: Option<String>,
        /// Which of it.
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
        command: Option<String>,
    },
    /// An orderly end.
    Quit,
}

/// A question about the chat, which changes nothing. The server's console asks these too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who is here: one page, in alphabetical order.
    Users {
        /// Only those in this room.
        room: Option<String>,
        /// The name the page starts after.
        after: Option<String>,
    },
    /// Which rooms there are: one page, in alphabetical order.
    Rooms {
        /// The room the page starts after.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operate {
    /// Text that everybody is shown loudly.
    Alert {
        /// The text.
        msg: String,
    },
    /// Ends all sessions of a user.
    Kick {
        /// The user's name.
        name: String,
        /// The reason, which the user is told; may be empty.
        reason: String,
    },
    /// Refuses a user's messages.
    Mute {
        /// A user's name, `key:FINGERPRINT` or `ip:CIDR`.
        name: String,
        /// For how long, as written: see [`Term`](crate::protocol::Term).
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
        /// Which of these.
        list: KeyList,
        /// The key, or of owners the name, that the page starts after.
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

impl Operate {
    /// The name, or what else stands for somebody, that it is about.
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::Kick { name, .. }
            | Self::Mute { name, .. }
            | Self::Unmute { name }
            | Self::Ban { name, .. }
            | Self::Unban { name }
            | Self::Admit { name }
            | Self::Dismiss { name }
            | Self::Release { name }
            | Self::Op { name }
            | Self::Deop { name } => Some(name),
            Self::Keys { after, .. } => after.as_deref(),
            Self::Alert { .. } | Self::Bans => None,
        }
    }
}

impl From<Connect> for Request {
    fn from(request: Connect) -> Self {
        Self::Connect(request)
    }
}

impl From<Act> for Request {
    fn from(request: Act) -> Self {
        Self::Act(request)
    }
}

impl From<Ask> for Request {
    fn from(request: Ask) -> Self {
        Self::Ask(request)
    }
}

impl From<Operate> for Request {
    fn from(request: Operate) -> Self {
        Self::Operate(request)
    }
}

/// What a search looks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest {
    /// The words.
    pub words: String,
    /// Only by this user.
    pub name: Option<String>,
    /// Only in this room.
    pub room: Option<String>,
    /// Only then or later, as written: see [`Moment`](crate::protocol::Moment).
    pub since: Option<String>,
    /// Only before then, as written.
    pub until: Option<String>,
    /// Which of it.
    pub span: Span,
}
