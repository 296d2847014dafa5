//! What the server reads of a client's packet, before it is known what is asked, and its bounds.

use super::{Refusal, Span, TestToken, logs};
use crate::limits::{MAX_ID_BYTES, MAX_TEXT_BYTES, MAX_TOKEN_BYTES, MAX_WORD_BYTES};
use crate::protocol::packet::LogEnd;
use crate::protocol::{Code, Since, Target, Version, whole};
use serde::Deserialize;

/// What the server reads of a client's packet. Members that only the server writes may hold
/// anything, as may unknown ones, and `null` is the same as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ClientPacket {
    /// Who it says it is; counts in a first packet only.
    pub from: Option<Claim>,
    /// Whom it is for.
    pub to: Option<String>,
    /// The text.
    pub msg: Option<String>,
    /// What it is; `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The client's own token for it.
    pub id: Option<String>,
    /// The highest version of the wire that the client knows; counts in a first packet only.
    pub v: Option<Version>,
    /// What the session is for.
    pub mode: Option<String>,
    /// What makes several connections the same user.
    pub token: Option<String>,
    /// A name asked for or about.
    pub name: Option<String>,
    /// Where a page of users starts.
    pub after: Option<String>,
    /// Whether the text tells what the sender does.
    pub action: Option<bool>,
    /// For how long an operator's command holds.
    pub duration: Option<String>,
    /// Half of the proof of a passphrase.
    pub pake: Option<String>,
    /// The confirmation of that proof.
    pub mac: Option<String>,
    /// A room.
    pub room: Option<String>,
    /// What the room is to be about.
    pub topic: Option<String>,
    /// What the client has already.
    pub since: Option<Since>,
    /// Of which history that is.
    pub log: Option<String>,
    /// What the client has of others.
    #[serde(deserialize_with = "logs::read")]
    pub logs: Option<Vec<LogEnd>>,
    /// How many messages are asked for.
    #[serde(deserialize_with = "whole::maybe")]
    pub limit: Option<u64>,
    /// Only those with a lower number.
    #[serde(deserialize_with = "whole::maybe")]
    pub before: Option<u64>,
    /// Only those from before that time.
    pub until: Option<String>,
    /// The number up to which all mail has come.
    #[serde(deserialize_with = "whole::maybe")]
    pub seq: Option<u64>,
    /// Bytes of the frame that it came in.
    #[serde(skip)]
    pub frame_bytes: usize,
}

/// The member `from` of a client's packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// The name asked for.
    pub name: Option<String>,
}

impl ClientPacket {
    /// Reads one frame.
    ///
    /// # Errors
    /// When it is no JSON object, not UTF-8, or a member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        let packet: Self = serde_json::from_slice(frame)?;
        Ok(Self { frame_bytes: frame.len(), ..packet })
    }

    /// The `id` of a frame that is no packet, so that whoever waits for the answer to it knows its refusal;
    /// `None`: it has none, or none that can be read.
    pub fn id_in(frame: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Id {
            id: Option<String>,
        }
        let Id { id } = serde_json::from_slice(frame).ok()?;
        id.filter(|id| id.len() <= MAX_ID_BYTES)
    }

    /// The `id` that answers echo. One over its bound is refused, and echoed to nobody.
    pub fn echo(&self) -> Option<String> {
        self.id.clone().filter(|id| id.len() <= MAX_ID_BYTES)
    }

    /// The text; empty when absent.
    pub fn text(&self) -> &str {
        self.msg.as_deref().unwrap_or_default()
    }

    /// The bounds of [`limits`](crate::limits) that a packet which parsed can still break.
    pub(super) fn check_bounds(&self) -> Result<(), Refusal> {
        // All of them: a member that is new is bounded here or named as one that needs no bound.
        let ClientPacket {
            from,
            to,
            msg,
            kind,
            id,
            v: _,
            mode,
            token,
            name,
            after,
            action: _,
            duration,
            pake,
            mac,
            room,
            topic,
            since,
            log,
            logs,
            limit: _,
            before: _,
            until,
            seq: _,
            frame_bytes: _,
        } = self;
        let since = match since {
            Some(Since::Time(text)) => Some(text),
            Some(Since::Seq(_)) | None => None,
        };
        let claimed = from.as_ref().and_then(|from| from.name.as_ref());
        let longest = logs.iter().flatten().map(|end| &end.log).max_by_key(|log| log.len());
        within("msg", msg.as_ref(), MAX_TEXT_BYTES)?;
        within("id", id.as_ref(), MAX_ID_BYTES)?;
        within("token", token.as_ref(), MAX_TOKEN_BYTES)?;
        within("from.name", claimed, MAX_WORD_BYTES)?;
        within("to", to.as_ref(), MAX_WORD_BYTES)?;
        within("type", kind.as_ref(), MAX_WORD_BYTES)?;
        within("mode", mode.as_ref(), MAX_WORD_BYTES)?;
        within("name", name.as_ref(), MAX_WORD_BYTES)?;
        within("after", after.as_ref(), MAX_WORD_BYTES)?;
        within("duration", duration.as_ref(), MAX_WORD_BYTES)?;
        within("pake", pake.as_ref(), MAX_WORD_BYTES)?;
        within("mac", mac.as_ref(), MAX_WORD_BYTES)?;
        within("room", room.as_ref(), MAX_WORD_BYTES)?;
        within("log", log.as_ref(), MAX_WORD_BYTES)?;
        within("logs", longest, MAX_WORD_BYTES)?;
        within("since", since, MAX_WORD_BYTES)?;
        within("until", until.as_ref(), MAX_WORD_BYTES)?;
        within("topic", topic.as_ref(), MAX_TEXT_BYTES)
    }

    pub(super) fn target(&self) -> Result<Target, Refusal> {
        match self.to.as_deref().map(str::trim) {
            None | Some("") => Err(missing("\"to\" is missing; give a name, all, an IP address or server")),
            Some(to) => Ok(Target::parse(to)),
        }
    }

    pub(super) fn room(&self) -> Result<String, Refusal> {
        self.room.clone().ok_or_else(|| missing("\"room\" is missing; give a room's name, such as #games"))
    }

    pub(super) fn received(&self) -> Result<u64, Refusal> {
        self.seq.ok_or_else(|| missing("\"seq\" is missing; give the highest number that you have"))
    }

    pub(super) fn test_token(&self) -> Result<TestToken, Refusal> {
        self.token
            .as_deref()
            .and_then(TestToken::parse)
            .ok_or_else(|| missing("\"token\" is missing or invalid; give 16 lowercase hexadecimal digits, different ones for each test"))
    }

    /// `msg` is in every packet of some clients, so that an empty one means nothing.
    pub(super) fn topic(&self) -> Option<String> {
        self.topic.clone().or_else(|| self.msg.clone().filter(|msg| !msg.is_empty()))
    }

    pub(super) fn span(&self) -> Span {
        Span { limit: self.limit, before: self.before }
    }
}

#[inline]
fn within(member: &str, value: Option<&String>, most: usize) -> Result<(), Refusal> {
    match value {
        Some(value) if value.len() > most => Err(too_long(member, value.len(), most)),
        Some(_) | None => Ok(()),
    }
}

#[cold]
fn too_long(member: &str, bytes: usize, most: usize) -> Refusal {
    let advice = if member == "msg" { "send it in parts" } else { "shorten it" };
    let which = if member == "logs" { "a \"log\" of \"logs\"".into() } else { format!("{member:?}") };
    Refusal::new(Code::TooLong, format!("{which} has {bytes} bytes; at most {most} are taken, {advice}"))
}

/// What a packet lacks, and what to give.
fn missing(msg: &str) -> Refusal {
    Refusal::new(Code::BadPacket, msg)
}
