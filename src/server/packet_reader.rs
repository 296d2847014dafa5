//! Reads one connection: bytes in, packets to the hub.
//!
//! An idle reader holds no buffer: it reads into its thread's, and keeps only an unfinished frame. So that no
//! client holds up the others, it handles one portion at a time and says how to go on.

use super::gate::Offence;
use super::hub::{Hub, Incoming, Next, Portion};
use super::memory::Reservation;
use super::passphrase_check::PassphraseCheck;
use super::reactor_inbox::HandshakeLeftover;
use super::readiness::Readiness;
use super::websocket::WebPurpose;
use super::{connection::Connection, connection_end::InputPolicy};
use crate::limits::{EMPTY_SLICE_PAUSE, MAX_BAD_PACKETS_IN_A_ROW, MAX_FRAME_BYTES};
use crate::protocol::Code;
use crate::protocol::codec::Decoder;
use crate::protocol::request::{ClientPacket, Refusal};
use crate::security::Status;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Bytes to read from a socket at a time: one frame of maximum length.
const READ_BYTES: usize = MAX_FRAME_BYTES;

/// Buffers shared by all readers of a thread.
#[derive(Debug)]
pub(super) struct Scratch {
    read: Vec<u8>,
    /// The same, decrypted.
    plain: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { read: vec![0; READ_BYTES], plain: Vec::new() }
    }
}

#[derive(Debug)]
pub(super) struct PacketReader {
    /// `None` while nothing is unfinished.
    input: Option<Box<ReadState>>,
    readiness: Readiness,
}

/// A connection that begins with the token of a transfer.
#[derive(Debug)]
pub(super) struct FileStart {
    pub(super) token: String,
    /// Bytes that came after the packet with the token.
    pub(super) early: Vec<u8>,
    /// Whether the peer has closed its side.
    pub(super) has_ended: bool,
}

/// How to go on after a portion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    /// Wait for the poll.
    Idle,
    /// Continue, after other connections.
    Again,
    /// Continue when the hub's batch has space.
    Space,
    /// Continue after this time, because the user sends too fast.
    Pause(Duration),
    /// The connection carries a file from here on: [`PacketReader::into_file`].
    File,
    /// End: the peer has closed, or the connection is broken, or the server closed it.
    Over,
}

/// State of a reader between portions.
#[derive(Debug, Default)]
struct ReadState {
    decoder: Decoder,
    /// Packets that the hub has not taken. Only a few are parsed at a time, because they take many times their
    /// bytes and may have to wait for their user's pace.
    incoming: VecDeque<Incoming>,
    /// Bytes that are not parsed yet.
    later: Vec<u8>,
    /// Since when it has waited only for the rest of a frame or record.
    unfinished: Option<Instant>,
    /// Memory for all of this.
    reservation: Option<Reservation>,
    bad_in_a_row: u8,
    /// The connection is ending because of its input; the rest is discarded.
    is_over: bool,
    /// The peer has closed its side, and everything that it sent has been read.
    has_ended: bool,
    /// On a closed server, until the peer may join.
    passphrase_check: Option<Box<PassphraseCheck>>,
}

impl PacketReader {
    /// Starts with what arrived at the end of the handshake.
    pub(super) fn new(hub: &Hub, leftover: HandshakeLeftover) -> Self {
        let passphrase_check = PassphraseCheck::of(hub).map(Box::new);
        let input = ReadState {
            passphrase_check,
            has_ended: leftover.is_all,
            later: leftover.plain,
            ..ReadState::default()
        };
        // The socket may have received something before it was polled.
        Self { input: Some(Box::new(input)), readiness: Readiness::begin() }
    }

    /// Records a report of the poll. Returns whether there is something to read, even if only an end.
    pub(super) fn note(&mut self, is_readable: bool, has_end: bool, is_broken: bool) -> bool {
        self.readiness.note(is_readable, has_end, is_broken)
    }

    /// Does one portion of work.
    pub(super) fn read_portion(
        &mut self,
        hub: &Hub,
        connection: &Connection,
        scratch: &mut Scratch,
    ) -> ReadOutcome {
        let input = self.input.get_or_insert_default();
        let after = match connection.input_policy() {
            InputPolicy::Ended => ReadOutcome::Over,
            intake => {
                if intake == InputPolicy::Discarded {
                    input.end();
                }
                portion(hub, connection, input, &mut self.readiness, scratch)
            }
        };
        let is_paused = matches!(after, ReadOutcome::Pause(_));
        if is_paused && self.readiness.is_broken {
            // Does not go on for hours with what a peer that is gone had sent.
            return ReadOutcome::Over;
        }
        if !input.settle(connection, is_paused) {
            self.input = None;
        }
        after
    }

    /// The content of a connection after [`ReadOutcome::File`].
    pub(super) fn into_file(self) -> Option<FileStart> {
        let mut input = self.input?;
        let Some(Incoming::Packet(packet)) = input.incoming.pop_front() else { return None };
        let token = packet.file_token()?.to_owned();
        Some(FileStart { token, early: input.later, has_ended: input.has_ended })
    }

    /// Memory for the input, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.input.as_ref().and_then(|input| input.reservation.as_ref()).map_or(0, Reservation::bytes)
    }

    /// How long it has waited for the rest of a frame, if it does.
    pub(super) fn unfinished_for(&self) -> Option<Duration> {
        Some(self.input.as_ref()?.unfinished?.elapsed())
    }

    /// How long ago the peer closed, if it did.
    pub(super) fn ended_for(&self) -> Option<Duration> {
        self.readiness.ended.map(|ended| ended.elapsed())
    }

    /// Discards the input, also that to come.
    pub(super) fn forget(&mut self) {
        let input = self.input.get_or_insert_default();
        input.end();
        input.reservation = None;
    }
}

/// Handles input that was read before, or reads once.
fn portion(
    hub: &Hub,
    connection: &Connection,
    input: &mut ReadState,
    readiness: &mut Readiness,
    scratch: &mut Scratch,
) -> ReadOutcome {
    if input.incoming.is_empty() {
        let mut portion = hub.portion;
        if readiness.is_new {
            // The bytes after the first packet may belong to a file.
            portion.packets = 1;
        }
        if !input.later.is_empty() {
            let later = std::mem::take(&mut input.later);
            let taken = input.take(&later, portion.packets);
            input.keep(later, taken);
        } else if input.has_ended {
            return ReadOutcome::Over;
        } else if !readiness.is_readable {
            return ReadOutcome::Idle;
        } else {
            match read(connection, input, readiness, portion, scratch) {
                Ok(length) => {
                    let has_packet = input.is_over || !input.incoming.is_empty();
                    let is_empty = length > 0 && readiness.count_slice(has_packet);
                    if is_empty && hub.is_paced {
                        return ReadOutcome::Pause(EMPTY_SLICE_PAUSE);
                    }
                }
                Err(_) => return ReadOutcome::Over,
            }
        }
        input.let_in(hub, connection);
        if readiness.is_new && !input.incoming.is_empty() {
            readiness.is_new = false;
            if input.is_for_file(connection.web_purpose()) {
                return ReadOutcome::File;
            }
        }
    }
    let next = if input.incoming.is_empty() {
        Next::More
    } else {
        hub.receive(connection.id(), &mut input.incoming)
    };
    match next {
        Next::Congested => ReadOutcome::Space,
        Next::Pause(time) => ReadOutcome::Pause(time),
        Next::More if input.is_done() && !readiness.is_readable => ReadOutcome::Idle,
        Next::More => ReadOutcome::Again,
    }
}

/// Reads once, and returns how many bytes. Gets nothing, or the content of whole records. An error ends the connection.
fn read(
    connection: &Connection,
    input: &mut ReadState,
    readiness: &mut Readiness,
    portion: Portion,
    scratch: &mut Scratch,
) -> io::Result<usize> {
    let buffer = &mut scratch.read[..portion.bytes];
    match connection.read(buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => {
            // A short read: the socket is empty, and the poll will report the next byte. It reports an end only
            // once, and on Windows not even every byte.
            readiness.is_readable = length == buffer.len() || readiness.ended.is_some() || cfg!(windows);
            let bytes = &buffer[..length];
            match (input.is_over, connection.must_open()) {
                (true, _) => {}
                (false, true) => open(connection, bytes, input, portion, &mut scratch.plain)?,
                (false, false) => {
                    let taken = input.take(bytes, portion.packets);
                    input.later.extend_from_slice(&bytes[taken..]);
                }
            }
            Ok(length)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            readiness.is_readable = false;
            Ok(0)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        Err(error) => Err(error),
    }
}

fn open(
    connection: &Connection,
    bytes: &[u8],
    input: &mut ReadState,
    portion: Portion,
    plain: &mut Vec<u8>,
) -> io::Result<()> {
    plain.clear();
    let status = connection.open(bytes, plain).map_err(|error| {
        tracing::debug!(event = "decryption_failed", peer = %connection.ip(), %error, "cannot decrypt records");
        io::Error::other(error)
    })?;
    input.has_ended = status == Status::Closed;
    let taken = input.take(plain, portion.packets);
    input.later.extend_from_slice(&plain[taken..]);
    Ok(())
}

impl ReadState {
    /// On a closed server, lets only those packets through that may pass.
    fn let_in(&mut self, hub: &Hub, connection: &Connection) {
        let is_fatal = |incoming: &VecDeque<Incoming>| {
            incoming.iter().any(|incoming| matches!(incoming, Incoming::Fatal(..)))
        };
        if is_fatal(&self.incoming) {
            connection.pass().punish(Offence::Garbage, hub.uptime());
        }
        let Some(check) = &mut self.passphrase_check else { return };
        let (passed, is_in) = check.filter(hub, connection, std::mem::take(&mut self.incoming));
        self.incoming = passed;
        if is_in {
            self.passphrase_check = None;
        }
        if is_fatal(&self.incoming) {
            // No further attempt on this connection.
            self.is_over = true;
            self.forget();
        }
    }

    /// Parses up to `most` packets out of `bytes`, and keeps the beginning of an unfinished frame. Returns how
    /// many bytes it used.
    fn take(&mut self, bytes: &[u8], most: usize) -> usize {
        if self.is_over {
            return bytes.len();
        }
        let Self { decoder, incoming, bad_in_a_row, .. } = self;
        let mut is_over = false;
        let flow = decoder.decode(bytes, |decoded| {
            let found = Incoming::of(decoded);
            *bad_in_a_row = if matches!(found, Incoming::Packet(_)) { 0 } else { *bad_in_a_row + 1 };
            is_over = matches!(found, Incoming::Fatal(..));
            incoming.push_back(found);
            if *bad_in_a_row >= MAX_BAD_PACKETS_IN_A_ROW && !is_over {
                let why =
                    "too many lines in a row that are not valid packets; see PROTOCOL.md and connect again";
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
            // The frame that is unfinished now has only begun.
            self.unfinished = None;
        }
        flow.break_value().unwrap_or(bytes.len())
    }

    /// Keeps the bytes that were not used.
    fn keep(&mut self, mut bytes: Vec<u8>, taken: usize) {
        if taken < bytes.len() {
            bytes.drain(..taken);
            self.later = bytes;
        }
    }

    /// Counts the memory until the next portion; `false`: there is nothing to keep.
    fn settle(&mut self, connection: &Connection, is_paused: bool) -> bool {
        let record = connection.unfinished();
        let waits = self.is_done() && (record > 0 || !self.decoder.is_empty());
        self.unfinished = waits.then(|| self.unfinished.unwrap_or_else(Instant::now));
        // A peer that has to wait may go on sending.
        let unread = if is_paused { connection.unread() } else { 0 };
        let packets = self.incoming.len() * (size_of::<Incoming>() + size_of::<ClientPacket>());
        let bytes = self.decoder.held() + self.later.capacity() + packets + record + unread;
        if bytes > 0 {
            self.reservation.get_or_insert_with(|| connection.reserve()).set(bytes);
        } else {
            self.reservation = None;
        }
        bytes > 0 || !self.is_empty()
    }

    /// Whether the first packet makes this a file's connection. Refuses one that is at the wrong path.
    fn is_for_file(&mut self, path: Option<WebPurpose>) -> bool {
        let is_for_file = self.incoming.front().is_some_and(Incoming::is_for_file);
        match (is_for_file, path) {
            (true, Some(WebPurpose::Chat)) => {
                self.refuse("this path is for the chat; a file's is /file");
                return false;
            }
            (false, Some(WebPurpose::File)) => {
                self.refuse("this path is for a file, whose hello has \"mode\":\"file\"; the chat's is /chat")
            }
            _ => {}
        }
        is_for_file
    }

    /// Answers what came with the end of the connection.
    fn refuse(&mut self, why: &'static str) {
        self.end();
        self.incoming.push_back(Incoming::Fatal(Refusal::new(Code::BadPacket, why), None));
    }

    /// Discards everything.
    fn end(&mut self) {
        self.is_over = true;
        self.incoming.clear();
        self.forget();
    }

    /// Discards what was not parsed. The passphrase check stays: it must still judge what came before.
    fn forget(&mut self) {
        self.decoder = Decoder::default();
        self.later = Vec::new();
    }

    /// Whether everything that was read is processed.
    fn is_done(&self) -> bool {
        self.incoming.is_empty() && self.later.is_empty() && !self.has_ended
    }

    /// Whether it is in its initial state.
    fn is_empty(&self) -> bool {
        self.is_done()
            && self.decoder.is_empty()
            && self.bad_in_a_row == 0
            && !self.is_over
            && self.passphrase_check.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_fatal_finding_nothing_is_taken_or_kept() {
        let mut input = ReadState::default();
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
