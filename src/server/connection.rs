//! One connection's socket and output.
//!
//! [`Connection::send`] tries the socket and returns, without waking any task. Only a full socket gets a
//! [backlog](Backlog), which the reactor writes when there is room. Output passes through a [`Transport`],
//! which encrypts it; a backlog holds plaintext frames, because receivers share those.
//!
//! Four parties write: the flusher, the reactor, catch-ups, and tasks that answer (questions, multicast tests).
//! The mutex puts them in order.
//!
//! Invariants: frames reach the socket in the order of the `send` calls; a frame that has begun is finished
//! before anything else; while there is a backlog, it alone is written; the reactor watches each connection
//! that has a backlog or is ending, and learns of a broken one at once.

use super::backlog::{Backlog, Frames, Framing};
use super::backlog_drain::drain_backlog;
use super::connection_end::{CloseMode, ConnectionEnding, InputPolicy, duplicate};
use super::gate::Pass;
use super::memory::Reservation;
use super::reactor_inbox::{Permits, ReactorInbox};
use super::transport::{Transport, TransportError};
use super::websocket::{CloseCode, WebPurpose};
use crate::chat::SessionId;
use crate::fingerprint::Fingerprint;
use crate::limits::{BACKLOG_STALL, BACKLOG_STEP_BYTES, CLOSE_GRACE};
use crate::protocol::{Code, Event};
use crate::security::Status;
use bytes::Bytes;
use mio::Registry;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::unix::SourceFd;
use std::io::{self, Read};
use std::mem;
use std::net::{IpAddr, Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const TOO_SLOW: &str = "you did not read what was sent to you for too long; connect again";

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    is_encrypted: bool,
    framing: Framing,
    writing: Mutex<Writing>,
    inbox: Arc<ReactorInbox>,
    permits: Permits,
}

#[derive(Debug)]
struct Writing {
    transport: Transport,
    backlog: Option<Box<Backlog>>,
    /// Set when nothing more may be sent: the connection ends once the backlog is written. Boxed: most are not
    /// ending.
    ending: Option<Box<ConnectionEnding>>,
}

impl Connection {
    pub(super) fn new(
        (stream, transport): (TcpStream, Transport),
        inbox: Arc<ReactorInbox>,
        permits: Permits,
    ) -> Arc<Self> {
        let is_encrypted = transport.is_encrypted();
        let framing = if transport.web_purpose().is_some() { Framing::Messages } else { Framing::Lines };
        let writing = Mutex::new(Writing { transport, backlog: None, ending: None });
        Arc::new(Self { stream, is_encrypted, framing, writing, inbox, permits })
    }

    pub(super) fn id(&self) -> SessionId {
        self.permits.id.get()
    }

    pub(super) fn ip(&self) -> IpAddr {
        self.permits.pass.host()
    }

    /// The addresses of both ends, this machine's first.
    pub(super) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.stream.local_addr()?, self.stream.peer_addr()?))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The key that the peer has proved to own.
    pub(super) fn peer_key(&self) -> Option<Fingerprint> {
        self.lock().transport.peer_key()
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.stream).read(buffer)
    }

    /// The purpose of a browser's connection; `None`: it is not a browser's.
    pub(super) fn web_purpose(&self) -> Option<WebPurpose> {
        self.lock().transport.web_purpose()
    }

    /// Decrypts what the peer sent, and takes it out of its frames.
    pub(super) fn open(&self, bytes: &[u8], plain: &mut Vec<u8>) -> Result<Status, TransportError> {
        let mut writing = self.lock();
        let opened = writing.transport.open(&self.stream, bytes, plain);
        if let Some(pong) = writing.transport.take_pong() {
            self.answer_ping(&mut writing, pong);
        }
        opened
    }

    /// Sends it between two messages.
    fn answer_ping(&self, writing: &mut Writing, pong: Vec<u8>) {
        if writing.ending.is_some() {
            return;
        }
        let budget = &self.inbox.budget;
        let is_first = writing.backlog.is_none();
        let backlog = writing.backlog.get_or_insert_with(|| Box::new(Backlog::new(self.framing, budget)));
        backlog.push_control(pong, budget);
        if is_first {
            self.write_on(writing);
        }
        if writing.backlog.is_some() {
            self.check_bound(writing);
            // The inbox's lock may follow the connection's.
            self.inbox.watch(self.id());
        }
    }

    /// Reserves memory for the connection's input; nothing yet.
    pub(super) fn reserve(&self) -> Reservation {
        self.inbox.budget.reserve()
    }

    pub(super) fn pass(&self) -> &Pass {
        &self.permits.pass
    }

    /// Writes whole frames or queues them; never waits. A broken connection drops them; the reactor then ends
    /// the session.
    pub(super) fn send(&self, frames: &Frames) {
        if !frames.is_empty() {
            self.write_or_queue(frames.wire(self.framing), |queue| queue(frames));
        }
    }

    /// As [`Self::send`], for lines that nobody shares: copies them only if they must wait, or need a header.
    pub(super) fn send_own(&self, lines: &[u8]) {
        let frames = || Bytes::copy_from_slice(lines).into();
        match self.framing {
            _ if lines.is_empty() => {}
            Framing::Lines => self.write_or_queue(lines, |queue| queue(&frames())),
            Framing::Messages => self.send(&frames()),
        }
    }

    /// `share` passes the frames on in the form that a backlog keeps.
    fn write_or_queue(&self, bytes: &[u8], share: impl FnOnce(&mut dyn FnMut(&Frames))) {
        let mut writing = self.lock();
        if writing.ending.is_some() {
            return;
        }
        let budget = &self.inbox.budget;
        if let Some(backlog) = &mut writing.backlog {
            share(&mut |frames| backlog.push(frames, budget));
            return self.check_bound(&mut writing);
        }
        let Ok(written) = writing.transport.write(&self.stream, bytes) else {
            return self.fail(&mut writing);
        };
        if written < bytes.len() || writing.transport.waiting() > 0 {
            share(&mut |frames| {
                writing.backlog = Some(Box::new(Backlog::after(frames, written, self.framing, budget)));
            });
            self.write_on(&mut writing);
            self.check_bound(&mut writing);
            drop(writing);
            self.inbox.watch(self.id());
        }
    }

    /// Ends the connection after what was sent, of which these are the last lines. The peer has [`CLOSE_GRACE`] to
    /// read it.
    pub(super) fn finish_after(&self, lines: &[u8]) {
        if self.framing == Framing::Messages && !lines.is_empty() {
            self.lock().transport.set_close(CloseCode::after(lines));
        }
        self.finish();
    }

    /// Ends the connection after what was sent. The peer has [`CLOSE_GRACE`] to read it.
    pub(super) fn finish(&self) {
        let mut writing = self.lock();
        if writing.ending.is_none() {
            writing.ending = Some(ConnectionEnding::now(CloseMode::Orderly));
            if writing.backlog.is_none() && !self.say_end(&mut writing.transport) {
                writing.backlog = Some(Box::new(Backlog::new(self.framing, &self.inbox.budget)));
                self.write_on(&mut writing);
            }
            drop(writing);
            self.inbox.watch(self.id());
        }
    }

    /// Waits until everything is written; `false`: it never will be, or nothing more may be sent.
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
            // The error is what it waits for: the backlog is gone.
            let _ = end.changed().await;
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.lock().backlog.is_some()
    }

    pub(super) fn max_backlog(&self) -> usize {
        self.inbox.max_backlog
    }

    pub(super) fn input_policy(&self) -> InputPolicy {
        let writing = self.lock();
        match writing.ending.as_ref().map(|ending| ending.mode) {
            Some(CloseMode::Aborted | CloseMode::HandedOut) => InputPolicy::Ended,
            Some(CloseMode::Orderly) => InputPolicy::Discarded,
            Some(CloseMode::Broken) | None => InputPolicy::Counts,
        }
    }

    /// Hands out the socket and its transport. The connection then keeps only its place: it writes nothing and
    /// shuts nothing down. `None`: it is ending, or something still waits to be written.
    pub(super) fn hand_out(&self) -> Option<(std::net::TcpStream, Transport)> {
        let mut writing = self.lock();
        if writing.ending.is_some() || writing.backlog.is_some() {
            return None;
        }
        let stream = match duplicate(&self.stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(event = "connection_lost", %error, "cannot hand out a connection");
                return None;
            }
        };
        writing.ending = Some(ConnectionEnding::now(CloseMode::HandedOut));
        Some((stream, mem::replace(&mut writing.transport, Transport::Plain)))
    }

    /// Takes the socket out of the reactor's poll.
    #[cfg(unix)]
    pub(super) fn leave_poll(&self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut SourceFd(&self.stream.as_raw_fd()))
    }

    /// On Windows, the poll reports nothing until the socket is used through it again.
    #[cfg(windows)]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn leave_poll(&self, _: &Registry) -> io::Result<()> {
        Ok(())
    }

    /// Whether nothing more can be written.
    pub(super) fn is_broken(&self) -> bool {
        self.lock().ending.as_ref().is_some_and(|ending| ending.mode != CloseMode::Orderly)
    }

    /// Bytes that wait for the peer, and whether it reads none of them. Nothing once the connection is ending.
    pub(super) fn weight(&self) -> (usize, bool) {
        let writing = self.lock();
        let backlog = writing.backlog.as_ref().filter(|_| writing.ending.is_none());
        backlog.map_or((0, false), |backlog| (backlog.weight(), backlog.is_stuck()))
    }

    /// Whether what the peer sends has to be [opened](Self::open).
    pub(super) fn must_open(&self) -> bool {
        self.is_encrypted || self.framing == Framing::Messages
    }

    /// Memory for an unfinished record, in bytes; also not 0 while a message of WebSocket is unfinished.
    pub(super) fn unfinished(&self) -> usize {
        if self.must_open() { self.lock().transport.held() } else { 0 }
    }

    /// Bytes that the peer has sent and nobody has read yet, if the system tells.
    pub(super) fn unread(&self) -> usize {
        #[cfg(unix)]
        let unread = rustix::io::ioctl_fionread(&self.stream).ok();
        #[cfg(not(unix))]
        let unread = None::<u64>;
        unread.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0)
    }

    /// Whether it has ended and everything is written.
    pub(super) fn is_done(&self) -> bool {
        let writing = self.lock();
        writing.ending.is_some() && writing.backlog.is_none()
    }

    /// Writes as much of the backlog as the socket takes.
    pub(super) fn write_backlog(&self) {
        self.write_on(&mut self.lock());
    }

    fn write_on(&self, writing: &mut Writing) {
        let Writing { transport, backlog: Some(backlog), .. } = writing else { return };
        match drain_backlog(transport, &self.stream, backlog) {
            Ok(false) => backlog.charge(transport.waiting()),
            Ok(true) if writing.ending.is_none() || self.say_end(&mut writing.transport) => {
                writing.backlog = None
            }
            Ok(true) => {}
            Err(_) => self.fail(writing),
        }
    }

    /// Closes the connection if the peer is too slow; `false`: there is nothing left to look after.
    pub(super) fn look(&self) -> bool {
        let mut writing = self.lock();
        let Writing { transport, backlog, ending } = &mut *writing;
        match (ending, backlog) {
            (Some(ending), _) if ending.mode != CloseMode::Orderly => return false,
            (Some(ending), _) if ending.since.elapsed() > CLOSE_GRACE => {
                self.end(&mut writing, CloseMode::Aborted)
            }
            (None, None) => return false,
            (None, Some(backlog)) if backlog.stalled_for() > BACKLOG_STALL => {
                self.inbox.budget.count_slow_reader();
                self.give_up(&mut writing, TOO_SLOW);
            }
            (_, Some(backlog)) => backlog.charge(transport.waiting()),
            _ => {}
        }
        true
    }

    /// Records that nothing can be written, and tells the reactor, as the poll may report nothing more.
    fn fail(&self, writing: &mut Writing) {
        self.end(writing, CloseMode::Broken);
        self.inbox.watch(self.id());
    }

    /// Closes both directions. The reactor notices at the latest when it looks after the connection.
    fn end(&self, writing: &mut Writing, mode: CloseMode) {
        writing.backlog = None;
        writing.ending = Some(ConnectionEnding::now(mode));
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Ends the connection to free the memory that waits for it; `false`: nothing waits.
    pub(super) fn shed(&self) -> bool {
        let mut writing = self.lock();
        let is_behind = writing.backlog.is_some();
        if is_behind {
            self.give_up(
                &mut writing,
                "the server is short of memory, and more was waiting for you than for others; connect again",
            );
        }
        is_behind
    }

    /// Ends a connection whose peer does not read: it may finish its current frame, and learns why.
    fn give_up(&self, writing: &mut Writing, why: &str) {
        let Some(backlog) = writing.backlog.as_mut().filter(|_| writing.ending.is_none()) else { return };
        let (peer, waiting) = (self.ip(), backlog.bytes());
        tracing::info!(event = "slow_reader_closed", %peer, waiting, "closing a client that does not read");
        backlog.cut(&self.inbox.budget);
        let error = Event::error(Code::SlowConsumer, why).into_packet("", None);
        backlog.push(&error.to_frame().into(), &self.inbox.budget);
        // A fresh start: it will be gone soon.
        backlog.note_progress(BACKLOG_STEP_BYTES);
        backlog.charge(writing.transport.waiting());
        writing.transport.set_close(CloseCode::REFUSED);
        writing.ending = Some(ConnectionEnding::now(CloseMode::Orderly));
    }

    fn check_bound(&self, writing: &mut Writing) {
        let Some(backlog) = &mut writing.backlog else { return };
        backlog.charge(writing.transport.waiting());
        if backlog.bytes() > self.inbox.max_backlog && writing.ending.is_none() {
            self.inbox.budget.count_slow_reader();
            self.give_up(writing, TOO_SLOW);
        }
        self.inbox.tell_of_memory();
    }

    /// Tells the peer that nothing more follows. A peer that keeps its side open is cut off after the grace
    /// period. Closing at once would discard what the peer has not read yet (RFC 1122 4.2.2.13).
    ///
    /// `false`: the socket is full; try again.
    fn say_end(&self, transport: &mut Transport) -> bool {
        let is_said = transport.end(&self.stream);
        if is_said {
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        is_said
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One per connection; 16 bytes more in a debug build, for mio's own checks. Locks and sockets of other systems
/// are bigger.
#[cfg(target_os = "linux")]
const _: () = assert!(size_of::<Connection>() <= 96 + if cfg!(debug_assertions) { 16 } else { 0 });

#[cfg(test)]
mod tests {
    use super::super::connection_ids::ConnectionIds;
    use super::super::gate::{Gate, GateLimits};
    use super::super::journal::ServerJournal;
    use super::super::memory::Budget;
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
        let id = Arc::new(ConnectionIds::of(0)).lease();
        let limits = GateLimits { max_per_address: None, max_clients: 1 };
        let (pass, _) = Gate::new(limits, ServerJournal::silent()).enter(address.ip(), false, Duration::ZERO);
        let (inbox, mut poll) = ReactorInbox::open(max_backlog, Budget::new(Some(1 << 30))).expect("a inbox");
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(1), Interest::WRITABLE).expect("a poll");
        let connection = Connection::new((stream, Transport::Plain), inbox, Permits { pass, id });
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
        assert!(rest.len() < sends * 100, "output over the bound is dropped");
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
        assert!(connection.inbox.take().watched.contains(&connection.id()));
        assert!(
            connection.is_done() && connection.input_policy() == InputPolicy::Counts,
            "earlier input counts"
        );
        assert_eq!(connection.weight().0, 0);
    }

    #[test]
    fn a_connection_that_is_behind_or_ending_is_watched() {
        let (connection, peer) = narrow(64 * 1024 * 1024);
        let mut watched = Vec::new();
        while watched.is_empty() {
            connection.send(&Frames::from(FRAME.repeat(100)));
            watched = connection.inbox.take().watched;
        }
        connection.finish();
        watched.extend(connection.inbox.take().watched);
        assert_eq!(watched, [connection.id(); 2]);
        drop(peer);
    }
}
