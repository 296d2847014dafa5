//! The first packet of a session.

use super::{ClientPacket, Refusal};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::envelope::is_empty;
use crate::protocol::packet::LogEnd;
use crate::protocol::{Code, Since};
use serde::{Serialize, Serializer};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Takes part: its user is present and gets everything.
    #[default]
    Chat,
    /// Sends and leaves: announces nothing, gets only answers.
    Send,
    /// Reads along: announces nothing, gets everything.
    Tail,
}

/// The first packet of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hello {
    /// The name asked for, not checked yet.
    #[serde(skip)]
    pub name: String,
    /// What the session is for.
    #[serde(flatten, serialize_with = "version_and_mode")]
    pub mode: Mode,
    /// What makes several connections the same user; `None` for clients that know no tokens.
    #[serde(skip_serializing_if = "is_empty")]
    pub token: Option<String>,
    /// What it has already of what was said; `None`: it wants nothing but the mail that waits. A time
    /// is one: it was checked.
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<Since>,
    /// Of which history that is: the [`log`](crate::protocol::event::Welcome::log) of its last welcome.
    #[serde(skip_serializing_if = "is_empty")]
    pub log: Option<String>,
    /// What it has of other parts of the history, and of other histories of that server: no more than
    /// [`MAX_LOGS`](crate::limits::MAX_LOGS). `None` for clients that know nothing of other parts.
    #[serde(skip_serializing_if = "is_empty")]
    pub logs: Option<Vec<LogEnd>>,
}

impl Mode {
    fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        match text {
            None | Some("chat") => Ok(Self::Chat),
            Some("send") => Ok(Self::Send),
            Some("tail") => Ok(Self::Tail),
            Some(other) => Err(Refusal::new(
                Code::BadPacket,
                format!("mode {other:?} is unknown; use chat, send or tail"),
            )),
        }
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

/// The mode, and before it the version of the wire that the client speaks.
fn version_and_mode<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        v: u32,
        mode: Mode,
    }
    Members { v: PROTOCOL_VERSION, mode: *mode }.serialize(serializer)
}
