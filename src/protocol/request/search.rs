//! Searches in stored messages.

use super::{ClientPacket, Refusal, Span};
use crate::protocol::envelope::is_empty;
use crate::protocol::{Code, Since};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SearchRequest {
    #[serde(skip)]
    pub words: String,
    /// Only messages by this user.
    #[serde(skip_serializing_if = "is_empty")]
    pub name: Option<String>,
    /// Only messages in this room.
    #[serde(skip_serializing_if = "is_empty")]
    pub room: Option<String>,
    /// The earliest time, as written: see [`Moment`](crate::protocol::Moment).
    #[serde(skip_serializing_if = "is_empty")]
    pub since: Option<String>,
    #[serde(flatten)]
    pub span: Span,
    /// Only messages before this time, as written.
    #[serde(skip_serializing_if = "is_empty")]
    pub until: Option<String>,
}

pub(super) fn search(packet: &ClientPacket) -> Result<SearchRequest, Refusal> {
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
