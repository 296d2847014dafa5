//! A backlog's way into its socket, through the transport.

use super::backlog::Backlog;
use super::transport::Transport;
use mio::net::TcpStream;
use std::io;

/// Writes as much of `backlog` as the socket takes; `true`: all of it. Otherwise the socket has reported that
/// it is full, without which some systems never report room.
pub(super) fn drain_backlog(
    transport: &mut Transport,
    stream: &TcpStream,
    backlog: &mut Backlog,
) -> io::Result<bool> {
    let waited = transport.waiting() + backlog.bytes();
    let mut is_written = false;
    while transport.flush(stream)? {
        let Some(chunk) = backlog.next() else {
            is_written = true;
            break;
        };
        match transport.write(stream, chunk)? {
            0 => break,
            written => backlog.take(written),
        }
    }
    backlog.note_progress(waited.saturating_sub(transport.waiting() + backlog.bytes()));
    Ok(is_written)
}
