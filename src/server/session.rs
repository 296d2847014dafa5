//! One connection's reader: bytes in, packets to the hub.
//!
//! An idle connection holds no buffer: bytes are read into one of the thread's and only an
//! unfinished frame is kept.

use super::connection::{Connection, Intake};
use super::door::Early;
use super::gate::Offence;
use super::guest::Guest;
use super::hub::{Hub, Incoming, Next};
use crate::limits::{MAX_BAD_PACKETS_IN_A_ROW, MAX_FRAME_BYTES};
use crate::protocol::Code;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::request::ClientPacket;
use crate::security::Status;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Bytes taken from a socket at a time, at most: one frame of the longest.
const READ_BYTES: usize = MAX_FRAME_BYTES;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
    /// The same, unsealed.
    static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A seat in the hub: taken with the connection, given back however the session ends.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
}

/// What a reader keeps between reads.
#[derive(Debug, Default)]
pub(super) struct Input {
    decoder: Decoder,
    bad_in_a_row: u8,
    /// The connection is being ended for what came: the rest is discarded.
    is_over: bool,
    /// The peer has closed its side: what came is dealt with, and nothing more comes.
    has_ended: bool,
    /// On a closed server, until the peer is let in.
    guest: Option<Box<Guest>>,
}

impl Seat {
    pub(super) fn take(hub: Arc<Hub>, connection: Arc<Connection>) -> Self {
        hub.connect(&connection);
        Self { hub, connection }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.disconnect(self.connection.id);
    }
}

/// What one read gives. Packets take many times their bytes, and may have to wait for their user's pace,
/// so that only a slice of what came is parsed at a time.
struct Portion {
    incoming: Vec<Incoming>,
    later: Vec<u8>,
}

/// Deals with what came with the end of the handshake.
pub(super) async fn begin(seat: &Seat, early: Early) -> Input {
    let Seat { hub, connection } = seat;
    let guest = hub.closed_by().map(|lock| Box::new(Guest::new(lock)));
    let mut input = Input { guest, has_ended: early.is_all, ..Input::default() };
    let portion = input.portion(&early.plain, hub.slice_bytes());
    hand_in(hub, connection, &mut input, portion).await;
    input
}

/// Runs until the peer closes, the connection breaks, or it is closed from here.
pub(super) async fn run(seat: Seat, mut input: Input) {
    let Seat { hub, connection } = &seat;
    // Polled rather than awaited by `readable()`, whose state would make every idle session 96 bytes
    // bigger.
    while !input.has_ended && poll_fn(|context| connection.stream.poll_read_ready(context)).await.is_ok() {
        match connection.intake() {
            Intake::Counts => {}
            Intake::Discarded => input.end(),
            Intake::Ended => return,
        }
        let Ok(portion) = read(connection, &mut input, hub.slice_bytes()) else { return };
        if !portion.incoming.is_empty() || !portion.later.is_empty() {
            // Boxed: its state would make every idle session bigger.
            Box::pin(hand_in(hub, connection, &mut input, portion)).await;
        }
    }
}

async fn hand_in(hub: &Hub, connection: &Connection, input: &mut Input, portion: Portion) {
    let Portion { incoming, later } = portion;
    hand_in_slice(hub, connection, input, incoming).await;
    for slice in later.chunks(hub.slice_bytes()) {
        let incoming = input.take(slice);
        hand_in_slice(hub, connection, input, incoming).await;
    }
}

/// Hands packets to the hub, a portion at a time, and waits while it has enough to write or the user
/// sends faster than is fair: one client's requests never stop the others, and never pile up answers.
async fn hand_in_slice(hub: &Hub, connection: &Connection, input: &mut Input, incoming: Vec<Incoming>) {
    let incoming = input.let_in(hub, connection, incoming);
    let mut incoming = incoming.into_iter().peekable();
    while incoming.peek().is_some() {
        if connection.intake() != Intake::Counts {
            return;
        }
        match hub.receive(connection.id, &mut incoming) {
            Next::Congested => hub.wait_for_space().await,
            // What a peer that is gone still wanted to say is not said for hours.
            Next::Pause(time) if connection.breaks_within(time).await => return input.end(),
            Next::Pause(_) => {}
            Next::More => tokio::task::yield_now().await,
        }
    }
}

/// What one read of that many bytes gives: nothing, or what a whole record held. An error: the
/// connection has ended.
fn read(connection: &Connection, input: &mut Input, slice: usize) -> io::Result<Portion> {
    BUFFER.with_borrow_mut(|buffer| match connection.stream.try_read(&mut buffer[..slice]) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(_) if input.is_over => Ok(Portion::empty()),
        Ok(length) if connection.peer.encrypted => unseal(connection, &buffer[..length], input, slice),
        Ok(length) => Ok(input.portion(&buffer[..length], slice)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Portion::empty()),
        Err(error) => Err(error),
    })
}

fn unseal(connection: &Connection, bytes: &[u8], input: &mut Input, slice: usize) -> io::Result<Portion> {
    PLAIN.with_borrow_mut(|plain| {
        plain.clear();
        let status = connection.unseal(bytes, plain).map_err(|error| {
            tracing::debug!(peer = %connection.peer.ip, %error, "a connection's records are broken");
            io::Error::other(error)
        })?;
        input.has_ended = status == Status::Closed;
        Ok(input.portion(plain, slice))
    })
}

impl Portion {
    fn empty() -> Self {
        Self { incoming: Vec::new(), later: Vec::new() }
    }
}

impl Input {
    /// What of it may come in: everything, but on a closed server.
    fn let_in(&mut self, hub: &Hub, connection: &Connection, incoming: Vec<Incoming>) -> Vec<Incoming> {
        if incoming.iter().any(|incoming| matches!(incoming, Incoming::Fatal(..))) {
            connection.pass().punish(Offence::Garbage, hub.uptime());
        }
        let Some(guest) = &mut self.guest else { return incoming };
        let (passed, is_in) = guest.filter(hub, connection, incoming);
        if is_in {
            self.guest = None;
        }
        if passed.iter().any(|passed| matches!(passed, Incoming::Fatal(..))) {
            // No further try on this connection.
            self.end();
        }
        passed
    }

    /// What `bytes` hold, as far as the first slice goes.
    fn portion(&mut self, bytes: &[u8], slice: usize) -> Portion {
        let (now, later) = bytes.split_at(bytes.len().min(slice));
        Portion { incoming: self.take(now), later: later.to_vec() }
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Incoming> {
        let mut incoming = Vec::new();
        if self.is_over {
            return incoming;
        }
        let Self { decoder, bad_in_a_row, .. } = self;
        let flow = decoder.decode(bytes, |decoded| {
            let found = found(decoded);
            *bad_in_a_row = if matches!(found, Incoming::Packet(_)) { 0 } else { *bad_in_a_row + 1 };
            let is_fatal = matches!(found, Incoming::Fatal(..));
            incoming.push(found);
            if *bad_in_a_row >= MAX_BAD_PACKETS_IN_A_ROW && !is_fatal {
                let why = "too many in a row that are no packets; see PROTOCOL.md and connect again";
                incoming.push(Incoming::Fatal(Code::BadPacket, why.into()));
                return ControlFlow::Break(());
            }
            if is_fatal { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if flow.is_break() {
            self.end();
        }
        incoming
    }

    /// Nothing counts any more; what was kept of an unfinished frame goes too. A guest stays one: what
    /// came before the end is still to be judged.
    fn end(&mut self) {
        self.decoder = Decoder::default();
        self.is_over = true;
    }
}

fn found(decoded: Decoded<'_>) -> Incoming {
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
        assert!(input.take(b"{\"a\":\"").is_empty());
        let found = input.take(&endless);
        assert!(matches!(found.as_slice(), [Incoming::Fatal(Code::TooLong, _)]), "{found:?}");
        for _ in 0..300 {
            assert!(input.take(&endless).is_empty());
        }
        assert!(input.take(b"{\"to\":\"all\",\"msg\":\"hi\"}\n").is_empty());
    }
}
