//! One connection's reader: bytes in, packets to the hub.
//!
//! An idle connection holds no buffer: bytes are read into one of the thread's and only an
//! unfinished frame is kept.

use super::connection::{Connection, Intake};
use super::hub::{Hub, Incoming};
use crate::limits::{MAX_BAD_PACKETS_IN_A_ROW, MAX_FRAME_BYTES};
use crate::protocol::Code;
use crate::protocol::codec::{Decoded, Decoder};
use crate::protocol::request::ClientPacket;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Bytes taken from a socket at a time: one frame of the longest.
const READ_BYTES: usize = MAX_FRAME_BYTES;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// A seat in the hub: taken with the connection, given back however the session ends.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    connection: Arc<Connection>,
}

/// What a reader keeps between reads.
#[derive(Debug, Default)]
struct Input {
    decoder: Decoder,
    bad_in_a_row: u8,
    /// The connection is being ended for what came: the rest is discarded.
    is_over: bool,
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

/// Runs until the peer closes, the connection breaks, or it is closed from here.
pub(super) async fn run(seat: Seat) {
    let Seat { hub, connection } = &seat;
    let mut input = Input::default();
    // Polled rather than awaited by `readable()`, whose state would make every idle session 96 bytes
    // bigger.
    while poll_fn(|context| connection.stream.poll_read_ready(context)).await.is_ok() {
        match connection.intake() {
            Intake::Counts => {}
            Intake::Discarded => input.end(),
            Intake::Ended => return,
        }
        let Ok(incoming) = read(connection, &mut input) else { return };
        if !incoming.is_empty() {
            // Boxed: its state would make every idle session bigger.
            Box::pin(hand_in(hub, connection, incoming)).await;
        }
    }
}

/// Hands packets to the hub, a portion at a time, and waits while it has enough to write: one client's
/// requests never stop the others, and never pile up answers.
async fn hand_in(hub: &Hub, connection: &Connection, incoming: Vec<Incoming>) {
    let mut incoming = incoming.into_iter().peekable();
    while incoming.peek().is_some() {
        if connection.intake() != Intake::Counts {
            return;
        }
        let is_congested = hub.receive(connection.id, &mut incoming);
        if is_congested {
            hub.wait_for_space().await;
        } else if incoming.peek().is_some() {
            tokio::task::yield_now().await;
        }
    }
}

/// What one read gives. An error: the connection has ended.
fn read(connection: &Connection, input: &mut Input) -> io::Result<Vec<Incoming>> {
    BUFFER.with_borrow_mut(|buffer| match connection.stream.try_read(buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => Ok(input.take(&buffer[..length])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
        Err(error) => Err(error),
    })
}

impl Input {
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

    /// Nothing counts any more; what was kept of an unfinished frame goes too.
    fn end(&mut self) {
        *self = Self { is_over: true, ..Self::default() };
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
