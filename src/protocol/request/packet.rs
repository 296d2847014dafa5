//! The packet of a client as the server reads it, before its meaning is known, and its limits.

use super::{Refusal, Span, TestToken, logs};
use crate::limits::{MAX_FILE_NAME_BYTES, MAX_ID_BYTES, MAX_TEXT_BYTES, MAX_TOKEN_BYTES, MAX_WORD_BYTES};
use crate::protocol::packet::{FileInfo, LogEnd};
use crate::protocol::{Code, DeclineReason, Since, Target, Version, whole};
use serde::{Deserialize, Serialize};

/// All members of clients' packets; PROTOCOL.md tells which packet has which. Unknown members, and those that
/// only the server writes, may have any type, and `null` means absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientPacket {
    /// Counts only in a first packet.
    pub from: Option<Claim>,
    pub to: Option<String>,
    pub msg: Option<String>,
    /// `chat` when absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub id: Option<String>,
    /// Counts only in a first packet.
    pub v: Option<Version>,
    pub mode: Option<String>,
    pub token: Option<String>,
    pub name: Option<String>,
    pub after: Option<String>,
    pub action: Option<bool>,
    pub duration: Option<String>,
    pub pake: Option<String>,
    pub mac: Option<String>,
    pub room: Option<String>,
    pub topic: Option<String>,
    pub since: Option<Since>,
    pub log: Option<String>,
    #[serde(deserialize_with = "logs::read")]
    pub logs: Option<Vec<LogEnd>>,
    pub guest: Option<bool>,
    #[serde(deserialize_with = "whole::maybe")]
    pub limit: Option<u64>,
    #[serde(deserialize_with = "whole::maybe")]
    pub before: Option<u64>,
    pub until: Option<String>,
    #[serde(deserialize_with = "whole::maybe")]
    pub seq: Option<u64>,
    #[serde(deserialize_with = "whole::maybe")]
    pub reply: Option<u64>,
    #[serde(deserialize_with = "whole::maybe")]
    pub offer: Option<u64>,
    pub reason: Option<String>,
    /// Boxed: most packets have none.
    pub file: Option<Box<FileInfo>>,
    /// The size of its frame.
    #[serde(skip)]
    pub frame_bytes: usize,
}

/// The member `from` of a client's packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    pub name: Option<String>,
}

impl ClientPacket {
    /// Parses a frame.
    ///
    /// # Errors
    /// If it is not a JSON object in UTF-8, or a member has the wrong type.
    pub fn parse(frame: &[u8]) -> Result<Self, serde_json::Error> {
        let packet: Self = serde_json::from_slice(frame)?;
        Ok(Self { frame_bytes: frame.len(), ..packet })
    }

    /// Looks for the `id` in a frame that is not a valid packet, so that its sender can match the refusal.
    pub fn id_in(frame: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Id {
            id: Option<String>,
        }
        let Id { id } = serde_json::from_slice(frame).ok()?;
        id.filter(|id| id.len() <= MAX_ID_BYTES)
    }

    /// The `id` to echo in answers, unless it is too long.
    pub fn echo(&self) -> Option<String> {
        self.id.clone().filter(|id| id.len() <= MAX_ID_BYTES)
    }

    pub fn text(&self) -> &str {
        self.msg.as_deref().unwrap_or_default()
    }

    /// Checks the [`limits`](crate::limits) of each member.
    pub(super) fn check_bounds(&self) -> Result<(), Refusal> {
        // List all members, so that a new one gets its limit or is named as needing none.
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
            guest: _,
            limit: _,
            before: _,
            until,
            seq: _,
            reply: _,
            offer: _,
            reason,
            file,
            frame_bytes: _,
        } = self;
        let since = if let Some(Since::Time(text)) = since { Some(text) } else { None };
        let claimed = from.as_ref().and_then(|from| from.name.as_ref());
        let longest = logs.iter().flatten().map(|end| &end.log).max_by_key(|log| log.len());
        let (file, content) = (file.as_ref().map(|file| &file.name), file.as_ref().map(|file| &file.id));
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
        within("reason", reason.as_ref(), MAX_WORD_BYTES)?;
        within("until", until.as_ref(), MAX_WORD_BYTES)?;
        within("file.name", file, MAX_FILE_NAME_BYTES)?;
        within("file.id", content, MAX_ID_BYTES)?;
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

    pub(super) fn number(&self) -> Result<u64, Refusal> {
        self.seq.ok_or_else(|| missing("\"seq\" is missing; give the message's number"))
    }

    /// The token, if the packet begins a connection for a file.
    pub fn file_token(&self) -> Option<&str> {
        let is_for_file = self.mode.as_deref() == Some("file") && self.kind.as_deref() == Some("hello");
        is_for_file.then(|| self.token.as_deref().unwrap_or_default())
    }

    pub(super) fn offer(&self) -> Result<u64, Refusal> {
        self.offer.ok_or_else(|| missing("\"offer\" is missing; give the offer's number"))
    }

    pub(super) fn reason(&self) -> Option<DeclineReason> {
        self.reason.as_deref().and_then(DeclineReason::parse)
    }

    pub(super) fn file(&self) -> Result<Box<FileInfo>, Refusal> {
        self.file
            .clone()
            .filter(|file| !file.name.is_empty() && !file.id.is_empty())
            .ok_or_else(|| missing("\"file\" is missing; give an object with at least \"name\" and \"id\""))
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

    /// Some clients send `msg` in every packet, so an empty one does not count.
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
    Refusal::new(Code::TooLong, format!("{which} has {bytes} bytes, but the limit is {most}; {advice}"))
}

/// Refuses a packet that lacks a member.
fn missing(msg: &str) -> Refusal {
    Refusal::new(Code::BadPacket, msg)
}
