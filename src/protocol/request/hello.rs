//! The first packet of a session.

use super::{ClientPacket, Refusal};
use crate::limits::PROTOCOL_VERSION;
use crate::protocol::envelope::is_empty;
use crate::protocol::packet::LogEnd;
use crate::protocol::{Code, Since};
use serde::{Deserialize, Serialize, Serializer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Takes part: its user is present, and it receives everything.
    #[default]
    Chat,
    /// Sends and leaves: stays invisible, and receives only answers.
    Send,
    /// Listens: stays invisible, and receives everything.
    Tail,
}

/// The first packet of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hello {
    /// The wanted name, unchecked.
    #[serde(skip)]
    pub name: String,
    #[serde(flatten, serialize_with = "version_and_mode")]
    pub mode: Mode,
    /// Makes several connections one user; `None` for clients that do not know tokens.
    #[serde(skip_serializing_if = "is_empty")]
    pub token: Option<String>,
    /// How much the client already has; `None`: it wants only its waiting mail. A time in here is valid.
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<Since>,
    /// The incarnation that `since` belongs to: [`log`](crate::protocol::event::Welcome::log) in its last
    /// welcome.
    #[serde(skip_serializing_if = "is_empty")]
    pub log: Option<String>,
    /// How much it has of other incarnations of this server's histories, at most
    /// [`MAX_LOGS`](crate::limits::MAX_LOGS). `None` for clients that do not know other incarnations.
    #[serde(skip_serializing_if = "is_empty")]
    pub logs: Option<Vec<LogEnd>>,
    /// Whether the name stays free: the key does not become its owner.
    #[serde(skip_serializing_if = "is_empty")]
    pub guest: bool,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Send => "send",
            Self::Tail => "tail",
        }
    }

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
    /// Reads a hello from any first packet: clients of the replaced system start with a chat.
    ///
    /// # Errors
    /// If the mode, the version or the time is invalid.
    pub fn from_packet(packet: &ClientPacket) -> Result<Self, Refusal> {
        if let Some(version) = packet.v {
            // There is only one version, so the result does not matter.
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
            guest: packet.guest.unwrap_or_default(),
        })
    }
}

/// The mode, preceded by the client's protocol version.
fn version_and_mode<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Members {
        v: u32,
        mode: Mode,
    }
    Members { v: PROTOCOL_VERSION, mode: *mode }.serialize(serializer)
}
