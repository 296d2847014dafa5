//! One connection's session: bytes in, packets to the hub.
//!
//! An idle session holds no buffer: bytes are read into one of the reader's and only an unfinished frame
//! is kept. One client's requests never stop the others: a turn does a portion, and says how to go on.

use super::connection::{Connection, Intake};
use super::desk::Early;
use super::gate::Offence;
use super::guest::Guest;
use super::hub::{Hub, Incoming, Next};
use crate::limits::{MAX_BAD_PACKETS_IN_A_ROW, MAX_FRAME_BYTES};
use crate::protocol::Code;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::request::ClientPacket;
use crate::security::Status;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

/// Bytes taken from a socket at a time, at most: one frame of the longest.
const READ_BYTES: usize = MAX_FRAME_BYTES;

/// Buffers that all sessions of a thread share.
#[derive(Debug)]
pub(super) struct Scratch {
    read: Vec<u8>,
    /// The same, unsealed.
    plain: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { read: vec![0; READ_BYTES], plain: Vec::new() }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Session {
    /// Absent while nothing is unfinished.
    input: Option<Box<Input>>,
    /// Whether the socket may have more.
    pub(super) is_readable: bool,
}

/// How a session goes on after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// When its socket has more.
    Idle,
    /// Once others had their turn.
    Again,
    /// Once there is space in the hub's turn.
    Space,
    /// After that time: its user sends faster than is fair.
    Pause(Duration),
    /// Not at all: the peer has closed, or the connection is broken or was closed from here.
    Over,
}

/// What a session keeps between turns.
#[derive(Debug, Default)]
struct Input {
    decoder: Decoder,
    /// What the hub has not taken yet. Packets take many times their bytes, and may have to wait for their
    /// user's pace, so that only a slice of what came is parsed at a time.
    incoming: VecDeque<Incoming>,
    /// What is not parsed yet.
    later: Vec<u8>,
    bad_in_a_row: u8,
    /// The connection is being ended for what came: the rest is discarded.
    is_over: bool,
    /// The peer has closed its side: what came is dealt with, and nothing more comes.
    has_ended: bool,
    /// On a closed server, until the peer is let in.
    guest: Option<Box<Guest>>,
}

impl Session {
    /// A session that begins with what came with the end of the handshake.
    pub(super) fn new(hub: &Hub, early: Early) -> Self {
        let guest = hub.closed_by().map(|lock| Box::new(Guest::new(lock)));
        let input = Input { guest, has_ended: early.is_all, later: early.plain, ..Input::default() };
        // The socket may have something since before it was polled.
        Self { input: Some(Box::new(input)), is_readable: true }
    }

    /// Does a portion of what there is to do.
    pub(super) fn turn(&mut self, hub: &Hub, connection: &Connection, scratch: &mut Scratch) -> After {
        let input = self.input.get_or_insert_default();
        let after = match connection.intake() {
            Intake::Ended => After::Over,
            intake => {
                if intake == Intake::Discarded {
                    input.end();
                }
                portion(hub, connection, input, &mut self.is_readable, scratch)
            }
        };
        if input.is_empty() {
            self.input = None;
        }
        after
    }
}

/// A slice that was read before, or else the next read.
fn portion(
    hub: &Hub,
    connection: &Connection,
    input: &mut Input,
    is_readable: &mut bool,
    scratch: &mut Scratch,
) -> After {
    if input.incoming.is_empty() {
        if !input.later.is_empty() {
            let rest = input.later.split_off(input.later.len().min(hub.slice_bytes()));
            let slice = std::mem::replace(&mut input.later, rest);
            input.take(&slice);
        } else if input.has_ended {
            return After::Over;
        } else if !*is_readable {
            return After::Idle;
        } else if read(connection, input, is_readable, hub.slice_bytes(), scratch).is_err() {
            return After::Over;
        }
        input.let_in(hub, connection);
    }
    let next = if input.incoming.is_empty() {
        Next::More
    } else {
        hub.receive(connection.id(), &mut input.incoming)
    };
    match next {
        Next::Congested => After::Space,
        Next::Pause(time) => After::Pause(time),
        Next::More if input.is_done() && !*is_readable => After::Idle,
        Next::More => After::Again,
    }
}

/// One read of that many bytes: nothing, or what a whole record held. An error: the connection has
/// ended.
fn read(
    connection: &Connection,
    input: &mut Input,
    is_readable: &mut bool,
    slice: usize,
    scratch: &mut Scratch,
) -> io::Result<()> {
    let buffer = &mut scratch.read[..slice];
    match connection.read(buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => {
            // Less than was asked for: there is no more, and the next byte is told of. Not so on Windows.
            *is_readable = length == slice || cfg!(windows);
            let bytes = &buffer[..length];
            match (input.is_over, connection.is_sealed()) {
                (true, _) => Ok(()),
                (false, true) => unseal(connection, bytes, input, slice, &mut scratch.plain),
                (false, false) => {
                    input.take(bytes);
                    Ok(())
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            *is_readable = false;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    }
}

fn unseal(
    connection: &Connection,
    bytes: &[u8],
    input: &mut Input,
    slice: usize,
    plain: &mut Vec<u8>,
) -> io::Result<()> {
    plain.clear();
    let status = connection.unseal(bytes, plain).map_err(|error| {
        tracing::debug!(peer = %connection.ip(), %error, "a connection's records are broken");
        io::Error::other(error)
    })?;
    input.has_ended = status == Status::Closed;
    let (now, later) = plain.split_at(plain.len().min(slice));
    input.later.extend_from_slice(later);
    input.take(now);
    Ok(())
}

impl Input {
    /// What of what was parsed may come in: everything, but on a closed server.
    fn let_in(&mut self, hub: &Hub, connection: &Connection) {
        let is_fatal = |incoming: &VecDeque<Incoming>| {
            incoming.iter().any(|incoming| matches!(incoming, Incoming::Fatal(..)))
        };
        if is_fatal(&self.incoming) {
            connection.pass().punish(Offence::Garbage, hub.uptime());
        }
        let Some(guest) = &mut self.guest else { return };
        let (passed, is_in) = guest.filter(hub, connection, std::mem::take(&mut self.incoming));
        self.incoming = passed;
        if is_in {
            self.guest = None;
        }
        if is_fatal(&self.incoming) {
            // No further try on this connection.
            self.is_over = true;
            self.forget();
        }
    }

    /// Parses whole frames out of `bytes`, and keeps the beginning of the next.
    fn take(&mut self, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        let Self { decoder, incoming, bad_in_a_row, .. } = self;
        let flow = decoder.decode(bytes, |decoded| {
            let found = found(decoded);
            *bad_in_a_row = if matches!(found, Incoming::Packet(_)) { 0 } else { *bad_in_a_row + 1 };
            let is_fatal = matches!(found, Incoming::Fatal(..));
            incoming.push_back(found);
            if *bad_in_a_row >= MAX_BAD_PACKETS_IN_A_ROW && !is_fatal {
                let why = "too many in a row that are no packets; see PROTOCOL.md and connect again";
                incoming.push_back(Incoming::Fatal(Code::BadPacket, why.into()));
                return ControlFlow::Break(());
            }
            if is_fatal { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if flow.is_break() {
            self.is_over = true;
            self.forget();
        }
    }

    /// Nothing that came counts any more.
    fn end(&mut self) {
        self.is_over = true;
        self.incoming.clear();
        self.forget();
    }

    /// Drops what was not parsed. A guest stays one: what came before the end is still to be judged.
    fn forget(&mut self) {
        self.decoder = Decoder::default();
        self.later = Vec::new();
    }

    /// Whether nothing is left to do of what was read.
    fn is_done(&self) -> bool {
        self.incoming.is_empty() && self.later.is_empty() && !self.has_ended
    }

    /// Whether it is like a new one.
    fn is_empty(&self) -> bool {
        self.is_done()
            && self.decoder.is_empty()
            && self.bad_in_a_row == 0
            && !self.is_over
            && self.guest.is_none()
    }
}

pub(super) fn found(decoded: Decoded<'_>) -> Incoming {
    match decoded {
        Decoded::Frame(frame) => match ClientPacket::parse(frame) {
            Ok(packet) => Incoming::Packet(Box::new(packet)),
            Err(error) => Incoming::Garbage(error.to_string()),
        },
        Decoded::Garbage => Incoming::Garbage("not a JSON object on one line".into()),
        Decoded::TooLong => Incoming::Fatal(
            Code::TooLong,
            format!(
                "the frame has more than {MAX_FRAME_BYTES} bytes; send the text in parts and connect again"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_fatal_finding_nothing_is_taken_or_kept() {
        let mut input = Input::default();
        let endless = vec![b'x'; MAX_FRAME_BYTES];
        input.take(b"{\"a\":\"");
        assert!(input.incoming.is_empty());
        input.take(&endless);
        let found: Vec<Incoming> = input.incoming.drain(..).collect();
        assert!(matches!(found.as_slice(), [Incoming::Fatal(Code::TooLong, _)]), "{found:?}");
        for _ in 0..300 {
            input.take(&endless);
        }
        input.take(b"{\"to\":\"all\",\"msg\":\"hi\"}\n");
        assert!(input.incoming.is_empty() && input.decoder.is_empty());
    }
}
