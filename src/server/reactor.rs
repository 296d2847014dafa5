//! The only thread that reads: all connections' sockets in one poll.
//!
//! An idle connection costs no task and no timer, only a row in a table. Connections that have sent something
//! take turns; those that must wait, for space in the hub's batch or for their pace, are set aside. The thread
//! also writes backlogs as sockets get room, and closes clients that do not read.
//!
//! Events are edge-triggered: the poll reports a socket once, and the reactor reads until the socket is empty.
//!
//! Invariant: a connection with something to do is in exactly one of `queue`, `paused` and `stalled`.

mod shedding;

use super::connection::Connection;
use super::connection_end::InputPolicy;
use super::hub::Hub;
use super::memory::Trimmer;
use super::output_stage::OutputStage;
use super::packet_reader::{FileStart, PacketReader, ReadOutcome, Scratch};
use super::reactor_inbox::{NewConnection, ReactorInbox, WAKER};
use super::slots::Slots;
use super::transfer::{FileConnection, FileDoor};
use crate::chat::SessionId;
use crate::limits::LAST_WORDS;
use crate::protocol::Code;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Events to take from the poll at a time.
const EVENTS: usize = 1024;

/// Connections to read before the output is written.
const READS_BEFORE_FLUSH: usize = 256;

/// How often to check connections that do not read or are ending.
const LOOK: Duration = Duration::from_millis(500);

/// Why [`Reactor::look`] closes a client.
const UNFINISHED: &str = "a frame that you began was not finished in time; connect again";

/// Why it closes a client that has closed its side, but sent more than its pace lets through in time.
const TOO_MUCH: &str = "you closed the connection, and what you had sent takes too long at your pace; the rest of \
                        it is not read, so send more slowly";

struct Reactor {
    poll: Poll,
    inbox: Arc<ReactorInbox>,
    hub: Arc<Hub>,
    output: Arc<OutputStage>,
    /// Takes connections that carry files.
    files: FileDoor,
    /// How long a frame may take.
    frame: Duration,
    rows: Slots<ConnectionRow>,
    scratch: Scratch,
    /// Connections to read next.
    queue: VecDeque<SessionId>,
    /// Connections whose users send too fast, with the time when each may go on.
    paused: BinaryHeap<Reverse<(Instant, SessionId)>>,
    /// Connections that wait for space in the hub's batch.
    stalled: Vec<SessionId>,
    /// Connections that have a backlog, an unfinished frame or a closed peer, or are ending.
    watched: BTreeSet<SessionId>,
    next_look: Option<Instant>,
    trimmer: Trimmer,
    /// Clients that were closed for memory and not reported yet, and when the next report is due.
    shed: usize,
    next_warning: Option<Instant>,
    /// When connections may be closed for memory again.
    next_shed: Instant,
    /// Whether the hub received something in this round.
    has_told: bool,
}

/// A connection and its reader. The reader may be gone while there is still something to write: a peer that
/// closed its sending half (`... | nc`) reads on.
struct ConnectionRow {
    connection: Arc<Connection>,
    reader: Option<PacketReader>,
    stage: Stage,
}

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing to do.
    Idle,
    /// In `queue` or `stalled`.
    Busy,
    Paused,
}

/// The reactor's thread.
#[derive(Debug)]
pub(super) struct ReactorThread {
    inbox: Arc<ReactorInbox>,
    thread: Option<JoinHandle<()>>,
}

impl ReactorThread {
    /// Starts the thread.
    pub(super) fn start(
        poll: Poll,
        inbox: Arc<ReactorInbox>,
        (hub, output, files): (Arc<Hub>, Arc<OutputStage>, FileDoor),
        frame: Duration,
    ) -> io::Result<Self> {
        let node = hub.node_number();
        let reactor = Reactor {
            poll,
            inbox: Arc::clone(&inbox),
            hub,
            output,
            files,
            frame,
            rows: Slots::of(node),
            scratch: Scratch::default(),
            queue: VecDeque::new(),
            paused: BinaryHeap::new(),
            stalled: Vec::new(),
            watched: BTreeSet::new(),
            next_look: None,
            trimmer: Trimmer::default(),
            shed: 0,
            next_warning: None,
            next_shed: Instant::now(),
            has_told: false,
        };
        let thread = std::thread::Builder::new().name("reactor".into()).spawn(|| reactor.run())?;
        Ok(Self { inbox, thread: Some(thread) })
    }
}

impl Drop for ReactorThread {
    /// Ends the thread. Output that is not written by now is lost.
    fn drop(&mut self) {
        self.inbox.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(event = "task_panicked", "the reactor panicked");
        }
    }
}

impl Reactor {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            if let Err(error) = self.poll.poll(&mut events, self.patience())
                && error.kind() != io::ErrorKind::Interrupted
            {
                // Never seen; avoids a busy loop.
                tracing::error!(event = "poll_failed", %error, "cannot wait for sockets");
                std::thread::sleep(LOOK);
            }
            for event in &events {
                match event.token() {
                    WAKER => {
                        if self.take_inbox().is_break() {
                            return;
                        }
                    }
                    Token(place) => self.notice(place, event),
                }
            }
            self.resume();
            for _ in 0..self.queue.len().min(READS_BEFORE_FLUSH) {
                let Some(id) = self.queue.pop_front() else { break };
                self.serve(id);
            }
            if self.has_told {
                self.has_told = false;
                self.output.flush();
            }
            self.look();
            self.shed();
        }
    }

    /// How long to wait in the poll.
    fn patience(&self) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let paused = self.paused.peek().map(|Reverse((until, _))| *until);
        let next = [paused, self.next_look].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    fn take_inbox(&mut self) -> ControlFlow<()> {
        let contents = self.inbox.take();
        if contents.is_over {
            return ControlFlow::Break(());
        }
        for connection in contents.new {
            self.adopt(connection);
        }
        for id in contents.watched {
            self.watch(id);
        }
        if !contents.probes.is_empty() {
            // A sign of life is also that nobody keeps this lock.
            self.hub.touch();
            for probe in contents.probes {
                // The task may have given up.
                let _ = probe.send(());
            }
        }
        ControlFlow::Continue(())
    }

    fn adopt(&mut self, new: NewConnection) {
        let NewConnection { stream, transport, peer, leftover, permits } = new;
        let id = permits.id.get();
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, Token(id.slot()), interest) {
            tracing::warn!(event = "poll_failed", %error, "cannot poll a connection");
            return;
        }
        let connection = Connection::new((stream, transport), Arc::clone(&self.inbox), permits);
        self.hub.connect(&connection, peer);
        self.has_told = true;
        let reader = Some(PacketReader::new(&self.hub, leftover));
        self.rows.insert(id, ConnectionRow { connection, reader, stage: Stage::Busy });
        self.queue.push_back(id);
    }

    /// Handles an event. It may be about an earlier connection in that slot: then there is nothing to read or
    /// write.
    fn notice(&mut self, place: usize, event: &Event) {
        let Some(id) = self.rows.at(place) else { return };
        let Some(row) = self.rows.get_mut(id) else { return };
        if event.is_writable() {
            row.connection.write_backlog();
        }
        let is_broken = event.is_error() || event.is_write_closed();
        self.tell(id, event.is_readable(), event.is_read_closed(), is_broken);
    }

    /// Tells a reader what happened to its socket.
    fn tell(&mut self, id: SessionId, is_readable: bool, has_end: bool, is_broken: bool) {
        let Some(ConnectionRow { reader: Some(reader), stage, .. }) = self.rows.get_mut(id) else {
            return self.release(id);
        };
        let is_ready = reader.note(is_readable, has_end, is_broken);
        match stage {
            // Does not go on for hours with what a peer that is gone had sent.
            Stage::Paused if is_broken => self.end(id),
            Stage::Idle if is_ready => {
                *stage = Stage::Busy;
                self.queue.push_back(id);
            }
            _ => {}
        }
    }

    /// Resumes the connections that no longer need to wait.
    fn resume(&mut self) {
        if !self.stalled.is_empty() {
            // Set again each time, because others may have filled the batch.
            self.inbox.want_space();
            if !self.hub.is_congested() {
                self.queue.extend(self.stalled.drain(..));
            }
        }
        let now = Instant::now();
        while self.paused.peek().is_some_and(|Reverse((until, _))| *until <= now) {
            let Some(Reverse((_, id))) = self.paused.pop() else { break };
            if let Some(row) = self.rows.get_mut(id) {
                row.stage = Stage::Busy;
                self.queue.push_back(id);
            }
        }
    }

    /// Lets one connection do a portion of work.
    fn serve(&mut self, id: SessionId) {
        let Some(ConnectionRow { connection, reader: Some(reader), stage }) = self.rows.get_mut(id) else {
            return;
        };
        self.has_told = true;
        // A fault in one session must not end all others.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| reader.read_portion(&self.hub, connection, &mut self.scratch)));
        *stage = match outcome {
            Ok(ReadOutcome::Idle) => Stage::Idle,
            Ok(ReadOutcome::Pause(_)) => Stage::Paused,
            _ => Stage::Busy,
        };
        if reader.unfinished_for().is_some() || reader.ended_for().is_some() {
            self.watched.insert(id);
            self.next_look.get_or_insert_with(|| Instant::now() + LOOK);
        }
        match outcome {
            Ok(ReadOutcome::Idle) => {}
            Ok(ReadOutcome::Again) => self.queue.push_back(id),
            Ok(ReadOutcome::Pause(time)) => self.paused.push(Reverse((Instant::now() + time, id))),
            Ok(ReadOutcome::Space) => {
                self.stalled.push(id);
                self.inbox.want_space();
                // There may be space by now.
                self.resume();
            }
            Ok(ReadOutcome::File) => self.hand_out(id),
            Ok(ReadOutcome::Over) | Err(_) => self.end(id),
        }
    }

    fn end(&mut self, id: SessionId) {
        if let Some(row) = self.rows.get_mut(id) {
            row.reader = None;
            self.hub.disconnect(id);
            self.has_told = true;
            self.release(id);
        }
    }

    /// Gives a connection away that carries a file. The chat knows it no longer, and nobody was told of it.
    fn hand_out(&mut self, id: SessionId) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let start = row.reader.take().and_then(PacketReader::into_file);
        let connection = Arc::clone(&row.connection);
        // Before the chat forgets it: the flusher closes a connection that the chat has forgotten.
        let handed_out = start.and_then(|start| Some((start, connection.hand_out()?)));
        if handed_out.is_some()
            && let Err(error) = connection.leave_poll(self.poll.registry())
        {
            tracing::warn!(event = "poll_failed", %error, "cannot take a connection out of the poll");
        }
        self.end(id);
        let Some((start, (stream, transport))) = handed_out else { return connection.finish() };
        let FileStart { token, early, has_ended } = start;
        // The error is that of a server that ends.
        let _ = self.files.send(FileConnection {
            stream,
            transport,
            connection,
            token,
            early,
            has_ended,
            is_link: false,
        });
    }

    /// Drops a connection that has nothing left to do.
    fn release(&mut self, id: SessionId) {
        let is_over = |row: &ConnectionRow| row.reader.is_none() && row.connection.is_done();
        if self.rows.get(id).is_some_and(is_over) {
            self.rows.remove(id);
            self.watched.remove(&id);
        }
    }

    /// Ends a connection that the server has cut off. Unix's poll reports that as well, that of Windows does not.
    fn release_ended(&mut self, id: SessionId) {
        if self.rows.get(id).is_some_and(|row| row.connection.is_broken()) {
            self.tell(id, false, true, true);
        }
        self.release(id);
    }

    fn watch(&mut self, id: SessionId) {
        let Some(row) = self.rows.get(id) else { return };
        if row.connection.is_broken() {
            return self.tell(id, false, true, true);
        }
        self.watched.insert(id);
        self.next_look.get_or_insert_with(|| Instant::now() + LOOK);
        self.release(id);
    }

    /// Closes clients that do not read, do not finish a frame, or take too long to end, if a check is due.
    fn look(&mut self) {
        if self.next_look.is_none_or(|next| next > Instant::now()) {
            return;
        }
        for id in self.watched.clone() {
            let Some(row) = self.rows.get_mut(id) else { continue };
            // A connection that is being closed already has a time of its own.
            let is_closing = row.connection.input_policy() == InputPolicy::Discarded;
            let reader = row.reader.as_ref().filter(|_| !is_closing);
            let unfinished = reader.and_then(PacketReader::unfinished_for);
            let ended = reader.and_then(PacketReader::ended_for);
            if unfinished.is_some_and(|time| time >= self.frame) {
                self.expel(id, Code::FrameTimeout, UNFINISHED);
            } else if ended.is_some_and(|time| time >= LAST_WORDS) {
                self.expel(id, Code::RateLimited, TOO_MUCH);
            } else if !row.connection.look() && unfinished.is_none() && ended.is_none() {
                self.watched.remove(&id);
            }
            self.release_ended(id);
        }
        self.next_look = (!self.watched.is_empty()).then(|| Instant::now() + LOOK);
    }

    /// Ends a session, and discards its input.
    fn expel(&mut self, id: SessionId, code: Code, why: &str) {
        if let Some(reader) = self.rows.get_mut(id).and_then(|row| row.reader.as_mut()) {
            reader.forget();
            self.hub.expel(id, code, why);
        }
    }
}
