//! A relay over plaintext sockets, on a clock that the tests move.

use super::super::connection_ids::ConnectionIds;
use super::super::gate::{Gate, GateLimits};
use super::super::journal::ServerJournal;
use super::super::memory::Budget;
use super::super::reactor_inbox::{Permits, ReactorInbox};
use super::*;
use crate::limits::{TRANSFER_MEMORY_BYTES, TRANSFER_SILENCE, TRANSFER_STEP_BYTES};
use crate::protocol::record::{FileRecord, Have, StopCode, StopRecord, Stored, Totals};
use std::io::{Read, Write};
use std::net::TcpListener;
use tokio::time::Instant;

/// A connection that was handed out, and its peer's end.
fn handed_out(budget: &Arc<Budget>) -> (FileConnection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (stream, address) = listener.accept().expect("a connection");
    stream.set_nonblocking(true).expect("an option");
    let id = Arc::new(ConnectionIds::of(0)).lease();
    let limits = GateLimits { max_per_address: None, max_clients: 1 };
    let (pass, _) = Gate::new(limits, ServerJournal::silent()).enter(address.ip(), false, Duration::ZERO);
    let (inbox, _) = ReactorInbox::open(1 << 20, Arc::clone(budget)).expect("an inbox");
    let stream = mio::net::TcpStream::from_std(stream);
    let connection = Connection::new((stream, Transport::Plain), inbox, Permits { pass, id });
    let (stream, transport) = connection.hand_out().expect("nothing waits");
    let (token, early) = (String::new(), Vec::new());
    (FileConnection { stream, transport, connection, token, early, has_ended: false, is_link: false }, peer)
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
    let report = relay(sides, plan(None), ended).await;
    assert_eq!((report.end, report.bytes), (RelayEnd::By(TransferEnd::Silent), 0));
    assert_eq!(report.as_str(), "silent");
    assert!(begun.elapsed() >= TRANSFER_SILENCE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_rate_is_no_side_s_silence() {
    let budget = Budget::new(Some(1 << 30));
    let ((one, mut sender), (other, mut receiver)) = (handed_out(&budget), handed_out(&budget));
    let sides = [one, other].map(|side| RelaySide::new(side).expect("a socket"));
    let rate = Arc::new(FileRate::new(Some(1000)));
    // Other transfers have read as much as the rate lets pass in an hour.
    rate.spend(3_600_000);
    let (_ends, ended) = oneshot::channel();
    sender.write_all(b"all there is").expect("a socket");
    receiver.write_all(b"thanks").expect("a socket");
    let peers = [sender, receiver];
    let plan = RelayPlan { rate, ..plan(None) };
    let (begun, counts) = (Instant::now(), Arc::clone(&plan.counts));
    // The relay drops bytes that a side sends after the other's end.
    let end = async {
        while counts.bytes() < 18 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        peers.iter().for_each(|peer| peer.shutdown(std::net::Shutdown::Write).expect("a socket"));
    };
    let (report, ()) = tokio::join!(relay(sides, plan, ended), end);
    assert_eq!((report.end, report.bytes), (RelayEnd::By(TransferEnd::Done), 12));
    assert!(begun.elapsed() >= 10 * TRANSFER_SILENCE, "{:?}", begun.elapsed());
    drop(peers);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_in_which_both_sides_send_has_one_share_of_the_rate() {
    const TIME: Duration = Duration::from_secs(60);
    let budget = Budget::new(Some(1 << 30));
    let rate = Arc::new(FileRate::new(Some(1000)));
    // Nothing is left of what may pass at once.
    rate.spend(4 * TRANSFER_STEP_BYTES);
    let begin = |both: bool| {
        let (connections, mut peers): (Vec<_>, Vec<_>) = (0..2).map(|_| handed_out(&budget)).unzip();
        let sides = <[FileConnection; 2]>::try_from(connections).expect("two");
        let sides = sides.map(|side| RelaySide::new(side).expect("a socket"));
        let count = if both { 2 } else { 1 };
        peers.iter_mut().take(count).for_each(|peer| peer.write_all(&[b'x'; 60_000]).expect("a socket"));
        let plan = RelayPlan { rate: Arc::clone(&rate), ..plan(None) };
        let (counts, (ends, ended)) = (Arc::clone(&plan.counts), oneshot::channel());
        (tokio::spawn(relay(sides, plan, ended)), counts, ends, peers)
    };
    let (one, both) = (begin(false), begin(true));
    tokio::time::sleep(TIME).await;
    let bytes = [one.1.bytes(), both.1.bytes()];
    assert!(bytes[0].abs_diff(bytes[1]) <= 2000, "{bytes:?}");
    assert!(bytes.iter().sum::<u64>() >= 1000 * (TIME.as_secs() - 4), "{bytes:?}");
    let reports = [one.2, both.2].map(|ends| ends.send(Code::Cancelled));
    assert_eq!(reports, [Ok(()), Ok(())]);
    let received = both.0.await.expect("a relay").bytes;
    assert!((1..bytes[1]).contains(&received), "both sides have turns: {received} of {bytes:?}");
    one.0.await.expect("a relay");
}

/// Runs a relay in which each side says that; then both close their connections, or the rules end it.
async fn said(
    sender: &[FileRecord<'_>],
    receiver: &[FileRecord<'_>],
    told: Option<Code>,
) -> (RelayReport, u64) {
    let budget = Budget::new(Some(1 << 30));
    let (connections, mut peers): (Vec<_>, Vec<_>) = (0..2).map(|_| handed_out(&budget)).unzip();
    let sides = <[FileConnection; 2]>::try_from(connections).expect("two");
    let sides = sides.map(|side| RelaySide::new(side).expect("a socket"));
    let mut all = 0;
    for (peer, records) in peers.iter_mut().zip([sender, receiver]) {
        let bytes: Vec<u8> = records.iter().flat_map(FileRecord::to_bytes).collect();
        peer.write_all(&bytes).expect("a socket");
        all += bytes.len() as u64;
    }
    let (ends, ended) = oneshot::channel();
    let plan = plan(None);
    let counts = Arc::clone(&plan.counts);
    let end = async {
        while counts.bytes() < all {
            tokio::task::yield_now().await;
        }
        match told {
            Some(code) => ends.send(code).expect("a relay"),
            None => {
                peers.iter().for_each(|peer| peer.shutdown(std::net::Shutdown::Write).expect("a socket"));
                std::mem::forget(ends);
            }
        }
    };
    let (report, ()) = tokio::join!(relay(sides, plan, ended), end);
    assert_eq!((counts.running(), counts.done() + counts.cut()), (0, 1), "each transfer is counted once");
    (report, counts.done())
}

#[tokio::test]
async fn the_log_and_the_counts_tell_how_a_transfer_ended() {
    let have = FileRecord::Have(Have::nothing());
    let stored = FileRecord::Stored(Stored { bytes: 7 });
    let all = FileRecord::Totals(Totals { files: 1, bytes: 7 });
    let stop = |code| FileRecord::Stop(StopRecord { code, msg: "why".into() });
    let done = [have.clone(), stored];
    let (report, counted) = said(std::slice::from_ref(&all), &done, None).await;
    assert_eq!((report.as_str(), counted), ("done", 1));
    // Its sender withdraws the offer when it has heard that.
    let (report, _) = said(std::slice::from_ref(&all), &done, Some(Code::Cancelled)).await;
    assert_eq!((report.as_str(), report.for_rules()), ("done", None));
    let have = std::slice::from_ref(&have);
    let (report, counted) = said(&[stop(StopCode::Changed)], have, None).await;
    assert_eq!((report.as_str(), counted, report.for_rules()), ("changed", 0, Some(TransferEnd::Done)));
    let (report, counted) =
        said(std::slice::from_ref(&all), &[have[0].clone(), stop(StopCode::NoSpace)], None).await;
    assert_eq!((report.as_str(), counted), ("no_space", 0));
    let (report, _) = said(&[], have, Some(Code::Cancelled)).await;
    assert_eq!(report.as_str(), "cancelled");
    let (report, counted) = said(&[all], have, None).await;
    assert!(report.as_str().ends_with("'s connection ended"), "{}", report.as_str());
    assert_eq!(counted, 0);
}

#[tokio::test]
async fn a_sender_that_is_cut_off_after_the_receiver_s_confirmation_is_told_by_the_rules() {
    let budget = Budget::new(Some(1 << 30));
    let ((one, sender), (other, mut receiver)) = (handed_out(&budget), handed_out(&budget));
    let sides = [one, other].map(|side| RelaySide::new(side).expect("a socket"));
    let plan = plan(None);
    let counts = Arc::clone(&plan.counts);
    receiver.write_all(&FileRecord::Stored(Stored { bytes: 7 }).to_bytes()).expect("a socket");
    let (_ends, ended) = oneshot::channel();
    let cut = async {
        while counts.bytes() == 0 {
            tokio::task::yield_now().await;
        }
        // Unread bytes make this a reset.
        drop(sender);
    };
    let (report, ()) = tokio::join!(relay(sides, plan, ended), cut);
    assert_eq!(report.end, RelayEnd::By(TransferEnd::Cut(TransferSide::Sender)));
    assert_eq!((report.for_rules(), report.as_str()), (Some(TransferEnd::Received), "done"));
    assert_eq!((counts.done(), counts.cut()), (1, 0));
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
