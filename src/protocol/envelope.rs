//! Writes packets: the members that all packets have, then those of the type.

use super::packet::Sender;
use serde::Serialize;

/// A packet as it is written, in this order.
#[derive(Serialize)]
pub(super) struct Envelope<'a, M> {
    pub(super) from: &'a Sender,
    pub(super) to: &'a str,
    pub(super) msg: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    /// The members of an event or a request.
    #[serde(flatten)]
    pub(super) members: &'a M,
}

impl<M: Serialize> Envelope<'_, M> {
    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if let Err(error) = serde_json::to_writer(&mut *out, self) {
            // Unreachable: only a hand-written Serialize fails, and these are derived.
            out.truncate(start);
            tracing::error!(event = "packet_not_written", %error, "a packet could not be written");
            return;
        }
        out.push(b'\n');
    }
}

/// Whether to omit a member: `None`, `false`, 0, an empty text or list.
pub(super) fn is_empty<T: Default + PartialEq>(member: &T) -> bool {
    *member == T::default()
}

/// Whether to omit a member that is usually `true`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes all members so")]
pub(super) fn is_true(member: &bool) -> bool {
    *member
}
