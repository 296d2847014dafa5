//! Serialises stored messages as frames.

use crate::chat::Message;

/// Appends the messages as frames. `echo` is their `id`; without it, each keeps its author's.
pub(super) fn write(messages: &[Message], echo: Option<&str>, out: &mut Vec<u8>) {
    for message in messages {
        // The store returns an author's id to that author only.
        let mut packet = message.to_packet(message.author.as_ref());
        if let Some(echo) = echo {
            packet.id = Some(echo.to_owned());
        }
        packet.write_to(out);
    }
}
