//! How a packet is written: what all packets have, and the members that its type brings along.

use super::packet::Sender;
use serde::Serialize;

/// A packet as it stands on its line, in this order.
#[derive(Serialize)]
pub(super) struct Envelope<'a, M> {
    pub(super) from: &'a Sender,
    pub(super) to: &'a str,
    pub(super) msg: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    /// An event or a request: its own members.
    #[serde(flatten)]
    pub(super) members: &'a M,
}

impl<M: Serialize> Envelope<'_, M> {
    /// Appends it as one frame with its line feed.
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if let Err(error) = serde_json::to_writer(&mut *out, self) {
            // Only a Serialize that fails by itself could end here, and these are derived.
            out.truncate(start);
            tracing::error!(%error, "a packet could not be written");
            return;
        }
        out.push(b'\n');
    }
}

/// Whether a member says nothing, so that it is left out: `None`, `false`, 0, an empty text or list.
pub(super) fn is_empty<T: Default + PartialEq>(member: &T) -> bool {
    *member == T::default()
}

/// Whether a member is left out where it is `true`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes all members so")]
pub(super) fn is_true(member: &bool) -> bool {
    *member
}
