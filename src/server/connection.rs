//! One connection's socket, and what waits to be written to it.
//!
//! The flusher writes by itself, without waking anybody: [`Connection::send`] tries the socket and
//! returns. Only a socket that is full gets a [backlog](Backlog), which the reader's thread writes as
//! there is room.
//!
//! What the socket gets may be sealed: see [`Wire`]. A backlog holds frames unsealed, since receivers
//! share those.
//!
//! Invariants: frames reach the socket in the order of the `send` calls; a frame once begun is
//! finished before anything else; while there is a backlog nothing is written but of it; whoever has a
//! backlog, or is ending, is watched; who is broken is told to the reader at once.

use super::backlog::{Backlog, Frames};
use super::desk::{Desk, Tickets};
use super::gate::Pass;
use super::memory::Held;
use super::wire::Wire;
use crate::chat::SessionId;
use crate::fingerprint::Fingerprint;
use crate::limits::{BACKLOG_STALL, BACKLOG_STEP_BYTES, CLOSE_GRACE};
use crate::protocol::{Code, Event};
use crate::security::{ChannelError, Status};
use mio::net::TcpStream;
use std::io::{self, Read};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a client is told that does not read, or too little.
const TOO_SLOW: &str = "you did not read what was sent to you for too long; connect again";

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    is_sealed: bool,
    writing: Mutex<Writing>,
    desk: Arc<Desk>,
    tickets: Tickets,
}

#[derive(Debug)]
struct Writing {
    wire: Wire,
    backlog: Option<Box<Backlog>>,
    /// Nothing more is taken: the connection ends when the backlog is empty. Boxed: most are not ending.
    ending: Option<Box<Ending>>,
}

#[derive(Debug)]
struct Ending {
    since: Instant,
    how: How,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The peer may read what was sent.
    Orderly,
    /// Nothing can be written to it. What it sent before may still be read.
    Broken,
    /// At once, both ways.
    Aborted,
}

/// What is still done with what a peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// It counts.
    Counts,
    /// It is read and discarded: closing over unread bytes would take the last packet from the peer.
    Discarded,
    /// It is not read any more.
    Ended,
}

impl Connection {
    pub(super) fn new((stream, wire): (TcpStream, Wire), desk: Arc<Desk>, tickets: Tickets) -> Arc<Self> {
        let is_sealed = wire.is_sealed();
        let writing = Mutex::new(Writing { wire, backlog: None, ending: None });
        Arc::new(Self { stream, is_sealed, writing, desk, tickets })
    }

    /// Its number.
    pub(super) fn id(&self) -> SessionId {
        self.tickets.place.id()
    }

    /// Where it comes from.
    pub(super) fn ip(&self) -> IpAddr {
        self.tickets.pass.host()
    }

    /// Its two ends, this machine's first.
    pub(super) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.stream.local_addr()?, self.stream.peer_addr()?))
    }

    /// Whether nobody can read along.
    pub(super) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// The key that the peer has proved to hold.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        self.lock().wire.peer_key()
    }

    /// What the socket has, as far as the buffer goes.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    /// What the peer sent, unsealed.
    pub(super) fn unseal(&self, bytes: &[u8], plain: &mut Vec<u8>) -> Result<Status, ChannelError> {
        self.lock().wire.open(&self.stream, bytes, plain)
    }

    /// A place in the books of what is kept for it.
    pub(super) fn hold(&self) -> Held {
        self.desk.budget.hold()
    }

    /// Its pass through the gate.
    pub(super) fn pass(&self) -> &Pass {
        &self.tickets.pass
    }

    /// Writes whole frames, or keeps them for later. Never waits. A broken connection swallows
    /// them: its reader is told and ends the session.
    pub(super) fn send(&self, frames: &Frames) {
        let mut writing = self.lock();
        if writing.ending.is_some() || frames.is_empty() {
            return;
        }
        let budget = &self.desk.budget;
        if let Some(backlog) = &mut writing.backlog {
            backlog.push(frames, budget);
            return self.check_bound(&mut writing);
        }
        let Ok(written) = writing.wire.write(&self.stream, frames) else {
            return self.fail(&mut writing);
        };
        if written < frames.len() || writing.wire.waiting() > 0 {
            writing.backlog = Some(Box::new(Backlog::after(frames, written, budget)));
            self.write_on(&mut writing);
            self.check_bound(&mut writing);
            drop(writing);
            self.desk.watch(self.id());
        }
    }

    /// Ends the connection after what was sent. The peer gets [`CLOSE_GRACE`] to read it.
    pub(super) fn finish(&self) {
        let mut writing = self.lock();
        if writing.ending.is_none() {
            writing.ending = Some(Ending::now(How::Orderly));
            if writing.backlog.is_none() && !self.say_end(&mut writing.wire) {
                writing.backlog = Some(Box::new(Backlog::new(&self.desk.budget)));
                self.write_on(&mut writing);
            }
            drop(writing);
            self.desk.watch(self.id());
        }
    }

    /// Waits until all that was sent is written; `false`: it never will be, or nothing more is taken.
    pub(super) async fn drained(&self) -> bool {
        loop {
            let mut end = {
                let mut writing = self.lock();
                if writing.ending.is_some() {
                    return false;
                }
                match &mut writing.backlog {
                    None => return true,
                    Some(backlog) => backlog.end(),
                }
            };
            // An error is what it waits for: the backlog is gone.
            let _ = end.changed().await;
        }
    }

    /// Whether something waits for the peer to read.
    pub(super) fn is_behind(&self) -> bool {
        self.lock().backlog.is_some()
    }

    /// Bytes that may wait for it.
    pub(super) fn max_backlog(&self) -> usize {
        self.desk.max_backlog
    }

    /// What is to be done with what the peer sends.
    pub(super) fn intake(&self) -> Intake {
        let writing = self.lock();
        match writing.ending.as_ref().map(|ending| ending.how) {
            Some(How::Aborted) => Intake::Ended,
            Some(How::Orderly) => Intake::Discarded,
            Some(How::Broken) | None => Intake::Counts,
        }
    }

    /// Whether nothing can be written to it any more.
    pub(super) fn is_broken(&self) -> bool {
        self.lock().ending.as_ref().is_some_and(|ending| ending.how != How::Orderly)
    }

    /// What is kept for it, in bytes, and whether its peer reads nothing of that. Nothing, once it is ending.
    pub(super) fn weight(&self) -> (usize, bool) {
        let writing = self.lock();
        let backlog = writing.backlog.as_ref().filter(|_| writing.ending.is_none());
        backlog.map_or((0, false), |backlog| (backlog.weight(), backlog.is_stuck()))
    }

    /// Memory that is kept for a record whose end has not come yet, in bytes.
    pub(super) fn unfinished(&self) -> usize {
        if self.is_sealed { self.lock().wire.held() } else { 0 }
    }

    /// What the peer has sent and nobody has read yet, in bytes, as far as the system tells.
    pub(super) fn unread(&self) -> usize {
        #[cfg(unix)]
        let unread = rustix::io::ioctl_fionread(&self.stream).ok();
        #[cfg(not(unix))]
        let unread = None::<u64>;
        unread.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0)
    }

    /// Whether it has ended and all is written.
    pub(super) fn is_done(&self) -> bool {
        let writing = self.lock();
        writing.ending.is_some() && writing.backlog.is_none()
    }

    /// The socket has room, or is broken: writes as much of the backlog as it takes.
    pub(super) fn write_backlog(&self) {
        self.write_on(&mut self.lock());
    }

    fn write_on(&self, writing: &mut Writing) {
        let Writing { wire, backlog: Some(backlog), .. } = writing else { return };
        match write_all(wire, &self.stream, backlog) {
            Ok(false) => backlog.charge(wire.waiting()),
            Ok(true) if writing.ending.is_none() || self.say_end(&mut writing.wire) => writing.backlog = None,
            Ok(true) => {}
            Err(_) => self.fail(writing),
        }
    }

    /// Looks whether the peer takes too long, and does what follows; `false`: there is nothing to look at
    /// any more.
    pub(super) fn look(&self) -> bool {
        let mut writing = self.lock();
        let Writing { wire, backlog, ending } = &mut *writing;
        match (ending, backlog) {
            (Some(ending), _) if ending.how != How::Orderly => return false,
            (Some(ending), _) if ending.since.elapsed() > CLOSE_GRACE => self.end(&mut writing, How::Aborted),
            (None, None) => return false,
            (None, Some(backlog)) if backlog.stalled_for() > BACKLOG_STALL => {
                self.give_up(&mut writing, TOO_SLOW);
            }
            (_, Some(backlog)) => backlog.charge(wire.waiting()),
            _ => {}
        }
        true
    }

    /// Nothing can be written: the reader is told, as the poll may have nothing more to tell.
    fn fail(&self, writing: &mut Writing) {
        self.end(writing, How::Broken);
        self.desk.watch(self.id());
    }

    /// Ends the connection both ways; the reader notices.
    fn end(&self, writing: &mut Writing, how: How) {
        writing.backlog = None;
        writing.ending = Some(Ending::now(how));
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Ends the connection, as the server has no memory for what waits for it; `false`: nothing does.
    pub(super) fn shed(&self) -> bool {
        let mut writing = self.lock();
        let is_behind = writing.backlog.is_some();
        if is_behind {
            self.give_up(
                &mut writing,
                "the server ran short of memory, and most was waiting for you; connect again",
            );
        }
        is_behind
    }

    /// Ends a connection whose peer does not read: it may finish the frame it is in, and is told why.
    fn give_up(&self, writing: &mut Writing, why: &str) {
        let Some(backlog) = writing.backlog.as_mut().filter(|_| writing.ending.is_none()) else { return };
        tracing::info!(peer = %self.ip(), waiting = backlog.bytes(), "closing a client that does not read");
        backlog.cut(&self.desk.budget);
        let error = Event::error(Code::SlowConsumer, why).into_packet("", None);
        backlog.push(&error.to_frame().into(), &self.desk.budget);
        // It has begun anew, and is gone soon.
        backlog.note_progress(BACKLOG_STEP_BYTES);
        backlog.charge(writing.wire.waiting());
        writing.ending = Some(Ending::now(How::Orderly));
    }

    fn check_bound(&self, writing: &mut Writing) {
        let Some(backlog) = &mut writing.backlog else { return };
        backlog.charge(writing.wire.waiting());
        if backlog.bytes() > self.desk.max_backlog {
            self.give_up(writing, TOO_SLOW);
        }
        self.desk.tell_of_memory();
    }

    /// Tells the peer that nothing more comes. A peer that keeps its side open is cut off after the
    /// grace. Closing at once instead would discard what the peer has not read yet (RFC 1122 4.2.2.13).
    ///
    /// `false`: the socket is full, so that it must be done again.
    fn say_end(&self, wire: &mut Wire) -> bool {
        let is_said = wire.end(&self.stream);
        if is_said {
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        is_said
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ending {
    fn now(how: How) -> Box<Self> {
        Box::new(Self { since: Instant::now(), how })
    }
}

/// One is held for each connection there is; 16 bytes more in a debug build, for mio's own checks. Other
/// systems' locks and sockets are bigger.
#[cfg(target_os = "linux")]
const _: () = assert!(size_of::<Connection>() <= 96 + if cfg!(debug_assertions) { 16 } else { 0 });

/// Writes as much of `backlog` as the socket takes; `true`: all of it. Otherwise the socket has said that
/// it is full, which on some systems it must have before it tells of room.
fn write_all(wire: &mut Wire, stream: &TcpStream, backlog: &mut Backlog) -> io::Result<bool> {
    let waited = wire.waiting() + backlog.bytes();
    let mut is_written = false;
    while wire.flush(stream)? {
        let Some(chunk) = backlog.next() else {
            is_written = true;
            break;
        };
        match wire.write(stream, chunk)? {
            0 => break,
            written => backlog.take(written),
        }
    }
    backlog.note_progress(waited.saturating_sub(wire.waiting() + backlog.bytes()));
    Ok(is_written)
}

#[cfg(test)]
mod tests {
    use super::super::gate::Gate;
    use super::super::memory::Budget;
    use super::super::roll::Roll;
    use super::*;
    use mio::{Events, Interest, Poll, Token};
    use socket2::SockRef;
    use std::net::{TcpListener, TcpStream as StdStream};
    use std::time::Duration;

    const FRAME: &[u8] = b"{\"msg\":\"a frame of some length, so that sockets fill up soon\"}\n";

    /// A connection whose socket takes little, and its peer's end. Its backlog is written until it is
    /// done.
    fn narrow(max_backlog: usize) -> (Arc<Connection>, StdStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = StdStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (stream, address) = listener.accept().expect("a connection");
        SockRef::from(&stream).set_send_buffer_size(4096).expect("an option");
        stream.set_nonblocking(true).expect("an option");
        let place = Arc::new(Roll::default()).enter();
        let (pass, _) = Gate::new(None, 1).enter(address.ip(), false, Duration::ZERO);
        let (desk, mut poll) = Desk::open(max_backlog, Budget::new(Some(1 << 30))).expect("a desk");
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(1), Interest::WRITABLE).expect("a poll");
        let connection = Connection::new((stream, Wire::Plain), desk, Tickets { pass, place });
        let written = Arc::clone(&connection);
        std::thread::spawn(move || write_until_done(&mut poll, &written));
        (connection, peer)
    }

    fn write_until_done(poll: &mut Poll, connection: &Connection) {
        let mut events = Events::with_capacity(8);
        while !connection.is_done() {
            poll.poll(&mut events, None).expect("events");
            connection.write_backlog();
        }
    }

    fn read_frames(mut peer: StdStream) -> Vec<String> {
        let mut text = String::new();
        peer.set_read_timeout(Some(Duration::from_secs(10))).expect("an option");
        peer.read_to_string(&mut text).expect("whole frames, and an end in time");
        assert!(text.ends_with('\n'), "ends inside a frame");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_backlog_over_its_bound_ends_with_whole_frames_and_the_reason() {
        let (connection, peer) = narrow(64 * 1024);
        let frames = Frames::from(FRAME.repeat(100));
        let mut sends = 0;
        while connection.lock().ending.is_none() {
            connection.send(&frames);
            sends += 1;
            assert!(sends < 10_000, "the bound does not hold");
        }
        connection.send(&frames);
        let read = read_frames(peer);
        let (last, rest) = read.split_last().expect("frames");
        assert!(last.contains("\"slow_consumer\""), "{last}");
        assert!(rest.iter().all(|line| line.as_bytes() == &FRAME[..FRAME.len() - 1]));
        assert!(rest.len() < sends * 100, "what was over the bound is dropped");
    }

    #[test]
    fn an_orderly_end_comes_after_the_whole_backlog() {
        let (connection, peer) = narrow(64 * 1024 * 1024);
        for _ in 0..200 {
            connection.send(&Frames::from(FRAME.repeat(100)));
        }
        connection.finish();
        assert_eq!(read_frames(peer).len(), 20_000);
    }

    #[test]
    fn a_failed_write_is_told_to_the_reader_at_once() {
        let (connection, peer) = narrow(64 * 1024);
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).expect("an option");
        drop(peer);
        // Nobody reads or polls here: that the peer is gone shows in the write alone.
        while !connection.is_broken() {
            connection.send(&Frames::from(FRAME.to_vec()));
        }
        assert!(connection.desk.take().watched.contains(&connection.id()));
        assert!(connection.is_done() && connection.intake() == Intake::Counts, "what came before counts");
        assert_eq!(connection.weight().0, 0);
    }

    #[test]
    fn whoever_is_behind_or_ending_is_watched() {
        let (connection, peer) = narrow(64 * 1024 * 1024);
        let mut watched = Vec::new();
        while watched.is_empty() {
            connection.send(&Frames::from(FRAME.repeat(100)));
            watched = connection.desk.take().watched;
        }
        connection.finish();
        watched.extend(connection.desk.take().watched);
        assert_eq!(watched, [connection.id(); 2]);
        drop(peer);
    }
}
