//! Standard output that a program may read: JSON lines, and how it ends.

use std::io;

use crate::client::error::Error;
use crate::protocol::Event;
use crate::text::escape_json;

/// Explains an error of standard output. A reader that has closed it has all that it wanted.
pub(super) fn output_ended(error: &io::Error) -> Result<(), Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(output_error(error)),
    }
}

pub(super) fn output_error(error: &io::Error) -> Error {
    Error::Local(format!("cannot write to standard output: {error}"))
}

/// An event's packet as a line of JSON, addressed to `to`.
pub(super) fn json_line(event: &Event, to: &str) -> String {
    escape_json(&String::from_utf8_lossy(&event.to_packet(to, None).to_frame()))
}
