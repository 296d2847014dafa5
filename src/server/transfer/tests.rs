//! A relay over plaintext sockets, on a clock that the tests move.

use super::super::connection_ids::ConnectionIds;
use super::super::gate::Gate;
use super::super::journal::ServerJournal;
use super::super::memory::Budget;
use super::super::reactor_inbox::{Permits, ReactorInbox};
use super::*;
use crate::limits::{TRANSFER_MEMORY_BYTES, TRANSFER_SILENCE};
use std::io::{Read, Write};
use std::net::TcpListener;
use tokio::time::Instant;

/// A connection that was handed out, and its peer's end.
fn handed_out(budget: &Arc<Budget>) -> (FileConnection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (stream, address) = listener.accept().expect("a connection");
    stream.set_nonblocking(true).expect("an option");
    let id = Arc::new(ConnectionIds::default()).lease();
    let (pass, _) = Gate::new(None, 1, ServerJournal::silent()).enter(address.ip(), false, Duration::ZERO);
    let (inbox, _) = ReactorInbox::open(1 << 20, Arc::clone(budget)).expect("an inbox");
    let stream = mio::net::TcpStream::from_std(stream);
    let connection = Connection::new((stream, Transport::Plain), inbox, Permits { pass, id });
    let (stream, transport) = connection.hand_out().expect("nothing waits");
    let (token, early) = (String::new(), Vec::new());
    (FileConnection { stream, transport, connection, token, early, has_ended: false }, peer)
}

fn plan(max_bytes: Option<u64>) -> RelayPlan {
    RelayPlan { max_bytes, rate: Arc::new(FileRate::new(None)), counts: Arc::default() }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_in_which_nothing_passes_ends() {
    let budget = Budget::new(Some(1 << 30));
    let ((one, _a), (other, _b)) = (handed_out(&budget), handed_out(&budget));
    let sides = [one, other].map(|side| RelaySide::new(side).expect("a socket"));
    assert_eq!(budget.reserved(), TRANSFER_MEMORY_BYTES);
    let (_ends, ended) = oneshot::channel();
    let begun = Instant::now();
    let (end, bytes) = relay(sides, plan(None), ended).await;
    assert_eq!((end, bytes), (RelayEnd::By(TransferEnd::Silent), 0));
    assert!(begun.elapsed() >= TRANSFER_SILENCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_that_was_handed_out_is_neither_written_to_nor_shut_down_by_its_old_owner() {
    let budget = Budget::new(Some(1 << 30));
    let (given, mut peer) = handed_out(&budget);
    given.connection.send(&b"not here".to_vec().into());
    given.connection.finish();
    let connection = Arc::clone(&given.connection);
    let mut side = RelaySide::new(given).expect("a socket");
    assert!(connection.hand_out().is_none(), "only once");
    drop(connection);
    while side.write(b"a file").is_err() || side.is_blocked() {
        side.ready(false).await.expect("a socket");
        side.flush().expect("a socket");
    }
    let mut got = [0; 6];
    tokio::task::spawn_blocking(move || {
        peer.read_exact(&mut got).expect("bytes");
        peer.write_all(b"!").expect("a socket that is open");
        assert_eq!(&got, b"a file");
    })
    .await
    .expect("a reader");
    drop(side);
    assert_eq!(budget.reserved(), 0);
}

#[test]
fn what_may_pass_has_room_for_names_and_hashes_but_not_for_another_file() {
    assert!(relay::allowed(1 << 30, 1) < (1 << 30) + (8 << 20));
    assert!(relay::allowed(0, 1000) >= 1000 * (100 + 42));
    assert!(relay::allowed(0, u64::MAX) < 40 << 20, "the number of files is the sender's word");
    assert_eq!(relay::allowed(u64::MAX, 1), u64::MAX);
}
