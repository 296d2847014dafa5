//! Standard output that a program may read: JSON lines, and how it ends.

use std::io;

use crate::client::error::Error;
use crate::protocol::Event;
use crate::text::is_suspicious;

/// Explains an error of standard output. A reader that has closed it has all that it wanted.
pub(super) fn output_ended(error: &io::Error) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Error::Local(format!("cannot write to standard output: {error}"))),
    }
}

/// An event's packet as a line of JSON, addressed to `to`.
pub(super) fn json_line(event: &Event, to: &str) -> String {
    escaped(&String::from_utf8_lossy(&event.to_packet(to, None).to_frame()))
}

/// Escapes characters that could control a terminal. Programs read the same JSON.
pub(super) fn escaped(json: &str) -> String {
    let is_safe = |c: char| match c.is_ascii() {
        // JSON itself escapes the other control characters, and the line feed is ours.
        true => c != '\u{7f}',
        false => !is_suspicious(c),
    };
    if json.chars().all(is_safe) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match is_safe(c) {
            true => text.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text += &format!("\\u{unit:04x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_for_programs_and_drives_no_terminal() {
        let msg = "plain, José, 山田 \u{9b}31m \u{202e} \u{10ffff} \u{7f}";
        let json = serde_json::to_string(msg).unwrap();
        let safe = escaped(&json);
        assert!(
            safe.contains("山田") && !safe.contains(['\u{9b}', '\u{202e}', '\u{10ffff}', '\u{7f}']),
            "{safe}"
        );
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), msg);
    }
}
