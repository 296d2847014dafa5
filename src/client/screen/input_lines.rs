//! Lines of standard input, read by a thread.

use std::io;
use std::thread;

use tokio::sync::mpsc;

use crate::client::error::Error;
use crate::encoding::LineReader;

/// Lines to read ahead.
const LINES_AHEAD: usize = 16;

/// Reads lines on a thread that ends with the input, or with the process. An error says why a line cannot be used.
pub(super) fn read_lines(max_bytes: usize) -> Result<mpsc::Receiver<Result<String, String>>, Error> {
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    let read = move || {
        let mut input = LineReader::new(io::stdin().lock(), max_bytes);
        loop {
            let (line, is_last) = match input.next_line() {
                Ok(Some(line)) => (line.map_err(|error| error.to_string()), false),
                Ok(None) => return,
                Err(error) => (Err(format!("cannot read the rest of the input: {error}")), true),
            };
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("stdin".into()).spawn(read);
    thread.map_err(|error| Error::Local(format!("cannot start a thread: {error}")))?;
    Ok(lines)
}
