//! Messages that are kept, as frames.

use crate::chat::Message;

/// Appends them as frames, each with `echo` as its `id` if there is one: else its author's own.
pub(super) fn write(messages: &[Message], echo: Option<&str>, out: &mut Vec<u8>) {
    for message in messages {
        // The store gives an author's id to its author alone.
        let mut packet = message.to_packet(message.author.as_ref());
        if let Some(echo) = echo {
            packet.id = Some(echo.to_owned());
        }
        packet.write_to(out);
    }
}
