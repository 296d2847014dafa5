//! One connection's session: bytes in, packets to the hub.
//!
//! An idle session holds no buffer: bytes are read into one of the reader's and only an unfinished frame
//! is kept. One client's requests never stop the others: a turn does a portion, and says how to go on.

use super::connection::{Connection, Intake};
use super::desk::Early;
use super::gate::Offence;
use super::guest::Guest;
use super::hub::{Hub, Incoming, Next, Portion};
use super::memory::Held;
use crate::chat::Garbage;
use crate::limits::{MAX_BAD_PACKETS_IN_A_ROW, MAX_FRAME_BYTES};
use crate::protocol::Code;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::request::{ClientPacket, Refusal};
use crate::security::Status;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

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
    readiness: Readiness,
}

/// What the poll has told of the socket. It tells each thing once, and an end together with the last
/// bytes before it.
#[derive(Debug, Default)]
struct Readiness {
    /// It may have more.
    is_readable: bool,
    /// The peer sends nothing more, so that reading comes to an end of which nothing more is told.
    /// Since when, if so.
    ended: Option<Instant>,
    /// The peer is gone altogether.
    is_broken: bool,
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
    /// user's pace, so that only a few are parsed at a time.
    incoming: VecDeque<Incoming>,
    /// What is not parsed yet.
    later: Vec<u8>,
    /// Since when the frame or record that is unfinished is all there is to wait for.
    unfinished: Option<Instant>,
    /// What all of this takes.
    held: Option<Held>,
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
        Self {
            input: Some(Box::new(input)),
            readiness: Readiness { is_readable: true, ..Readiness::default() },
        }
    }

    /// The poll has told of these: returns whether there is something to read, if only an end.
    pub(super) fn note(&mut self, is_readable: bool, has_end: bool, is_broken: bool) -> bool {
        let readiness = &mut self.readiness;
        if has_end || is_broken {
            readiness.ended.get_or_insert_with(Instant::now);
        }
        readiness.is_broken |= is_broken;
        readiness.is_readable |= is_readable || readiness.ended.is_some();
        readiness.is_readable
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
                portion(hub, connection, input, &mut self.readiness, scratch)
            }
        };
        let is_paused = matches!(after, After::Pause(_));
        if is_paused && self.readiness.is_broken {
            // What a peer that is gone still wanted to say is not said for hours.
            return After::Over;
        }
        if !input.settle(connection, is_paused) {
            self.input = None;
        }
        after
    }

    /// What is kept of what its peer sent, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.input.as_ref().and_then(|input| input.held.as_ref()).map_or(0, Held::bytes)
    }

    /// How long it has waited for the rest of a frame; `None`: it waits for none.
    pub(super) fn unfinished_for(&self) -> Option<Duration> {
        Some(self.input.as_ref()?.unfinished?.elapsed())
    }

    /// How long ago its peer has closed, of one that is still not through with what came before.
    pub(super) fn ended_for(&self) -> Option<Duration> {
        self.readiness.ended.map(|ended| ended.elapsed())
    }

    /// Forgets what its peer has sent, and takes nothing more of it.
    pub(super) fn forget(&mut self) {
        let input = self.input.get_or_insert_default();
        input.end();
        input.held = None;
    }
}

/// Something that was read before, or else the next read.
fn portion(
    hub: &Hub,
    connection: &Connection,
    input: &mut Input,
    readiness: &mut Readiness,
    scratch: &mut Scratch,
) -> After {
    if input.incoming.is_empty() {
        let portion = hub.portion();
        if !input.later.is_empty() {
            let later = std::mem::take(&mut input.later);
            let taken = input.take(&later, portion.packets);
            input.keep(later, taken);
        } else if input.has_ended {
            return After::Over;
        } else if !readiness.is_readable {
            return After::Idle;
        } else if read(connection, input, readiness, portion, scratch).is_err() {
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
        Next::More if input.is_done() && !readiness.is_readable => After::Idle,
        Next::More => After::Again,
    }
}

/// One read of a portion's bytes: nothing, or what a whole record held. An error: the connection has
/// ended.
fn read(
    connection: &Connection,
    input: &mut Input,
    readiness: &mut Readiness,
    portion: Portion,
    scratch: &mut Scratch,
) -> io::Result<()> {
    let buffer = &mut scratch.read[..portion.bytes];
    match connection.read(buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => {
            // Less than was asked for: there is no more, and the next byte is told of. An end that was
            // told of already is not told again, and on Windows not even bytes are.
            readiness.is_readable = length == buffer.len() || readiness.ended.is_some() || cfg!(windows);
            let bytes = &buffer[..length];
            match (input.is_over, connection.is_sealed()) {
                (true, _) => Ok(()),
                (false, true) => unseal(connection, bytes, input, portion, &mut scratch.plain),
                (false, false) => {
                    let taken = input.take(bytes, portion.packets);
                    input.later.extend_from_slice(&bytes[taken..]);
                    Ok(())
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            readiness.is_readable = false;
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
    portion: Portion,
    plain: &mut Vec<u8>,
) -> io::Result<()> {
    plain.clear();
    let status = connection.unseal(bytes, plain).map_err(|error| {
        tracing::debug!(peer = %connection.ip(), %error, "a connection's records are broken");
        io::Error::other(error)
    })?;
    input.has_ended = status == Status::Closed;
    let taken = input.take(plain, portion.packets);
    input.later.extend_from_slice(&plain[taken..]);
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

    /// Parses up to so many packets out of `bytes`, and keeps the beginning of a frame that is not whole.
    /// Returns how many bytes that took.
    fn take(&mut self, bytes: &[u8], most: usize) -> usize {
        if self.is_over {
            return bytes.len();
        }
        let Self { decoder, incoming, bad_in_a_row, .. } = self;
        let mut is_over = false;
        let flow = decoder.decode(bytes, |decoded| {
            let found = found(decoded);
            *bad_in_a_row = if matches!(found, Incoming::Packet(_)) { 0 } else { *bad_in_a_row + 1 };
            is_over = matches!(found, Incoming::Fatal(..));
            incoming.push_back(found);
            if *bad_in_a_row >= MAX_BAD_PACKETS_IN_A_ROW && !is_over {
                let why = "too many in a row that are no packets; see PROTOCOL.md and connect again";
                incoming.push_back(Incoming::Fatal(Refusal::new(Code::BadPacket, why), None));
                is_over = true;
            }
            if is_over || incoming.len() >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if is_over {
            self.is_over = true;
            self.forget();
            return bytes.len();
        }
        if !self.incoming.is_empty() {
            // Another one is begun now, if any.
            self.unfinished = None;
        }
        flow.break_value().unwrap_or(bytes.len())
    }

    /// Keeps what is left after that many bytes.
    fn keep(&mut self, mut bytes: Vec<u8>, taken: usize) {
        if taken < bytes.len() {
            bytes.drain(..taken);
            self.later = bytes;
        }
    }

    /// Counts what is kept until the next turn; `false`: nothing is.
    fn settle(&mut self, connection: &Connection, is_paused: bool) -> bool {
        let record = connection.unfinished();
        let waits = self.is_done() && (record > 0 || !self.decoder.is_empty());
        self.unfinished = waits.then(|| self.unfinished.unwrap_or_else(Instant::now));
        // A peer that has to wait may go on sending.
        let unread = if is_paused { connection.unread() } else { 0 };
        let packets = self.incoming.len() * (size_of::<Incoming>() + size_of::<ClientPacket>());
        let bytes = self.decoder.held() + self.later.capacity() + packets + record + unread;
        if bytes > 0 {
            self.held.get_or_insert_with(|| connection.hold()).set(bytes);
        } else {
            self.held = None;
        }
        bytes > 0 || !self.is_empty()
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
            Err(error) => Incoming::Garbage(Garbage::of(frame, &error)),
        },
        Decoded::Garbage => Incoming::Garbage(Garbage::unframed()),
        Decoded::TooLong => {
            let why = format!(
                "the frame has more than {MAX_FRAME_BYTES} bytes; send the text in parts and connect again"
            );
            Incoming::Fatal(Refusal::new(Code::TooLong, why), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_fatal_finding_nothing_is_taken_or_kept() {
        let mut input = Input::default();
        let endless = vec![b'x'; MAX_FRAME_BYTES];
        input.take(b"{\"a\":\"", 4);
        assert!(input.incoming.is_empty());
        input.take(&endless, 4);
        let found: Vec<Incoming> = input.incoming.drain(..).collect();
        assert!(
            matches!(found.as_slice(), [Incoming::Fatal(Refusal { code: Code::TooLong, .. }, None)]),
            "{found:?}"
        );
        for _ in 0..300 {
            input.take(&endless, 4);
        }
        input.take(b"{\"to\":\"all\",\"msg\":\"hi\"}\n", 4);
        assert!(input.incoming.is_empty() && input.decoder.is_empty());
    }
}
