//! The one thread that reads: all connections' sockets in one poll.
//!
//! An idle connection costs no task and no timer, only its entry in a table. Whoever has sent something
//! gets a portion of work in turn with the others; who must wait, for space in the hub's turn or for
//! their own pace, is set aside. The thread also writes backlogs, as their sockets get room, and looks
//! at those who do not read.
//!
//! Events are edge-triggered: a socket is told of once, and asked until it has no more.
//!
//! Invariant: a session with something to do is in exactly one of the queue, the paused and the stalled.

use super::connection::Connection;
use super::desk::{BELL, Desk, Newcomer};
use super::hub::Hub;
use super::memory::{Tide, Weight, heaviest};
use super::session::{After, Scratch, Session};
use super::slots::Slots;
use crate::chat::SessionId;
use crate::limits::{BACKLOG_STUCK, LAST_WORDS};
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

/// Events taken at a time.
const EVENTS: usize = 1024;

/// Sessions that have their turn before the flusher is told of what they did.
const TURNS: usize = 256;

/// How often connections that do not read, or are ending, are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What a connection is taken to need that holds nothing, in bytes: between plaintext and TLS.
const IDLE_BYTES: usize = 4 * 1024;

/// The least time between two walks through all connections for those for whom most is kept.
const SHED_PAUSE: Duration = Duration::from_millis(20);

/// How often the log tells of clients that were closed for want of memory.
const WARNING_PAUSE: Duration = Duration::from_secs(5);

/// Why who is closed in [`Reactor::look`] is.
const UNFINISHED: &str = "a frame that you began was not finished in time; connect again";

/// The same of those who have closed and sent more before than their pace lets through in time.
const TOO_MUCH: &str = "you closed the connection, and what you had sent takes too long at your pace; the rest of \
                        it is not read, so send more slowly";

/// Why who is closed in [`Reactor::shed`] is, unless more was waiting to be read.
const SHORT_OF_MEMORY: &str = "the server ran short of memory, and you had sent most; connect again";

/// See the module.
struct Reactor {
    poll: Poll,
    desk: Arc<Desk>,
    hub: Arc<Hub>,
    /// How long a frame may take.
    frame: Duration,
    entries: Slots<Entry>,
    scratch: Scratch,
    /// Those whose turn is next.
    queue: VecDeque<SessionId>,
    /// Those whose users send faster than is fair, by when they may go on.
    paused: BinaryHeap<Reverse<(Instant, SessionId)>>,
    /// Those who wait for space in the hub's turn.
    stalled: Vec<SessionId>,
    /// Those who have a backlog, or are ending.
    watched: BTreeSet<SessionId>,
    next_look: Option<Instant>,
    tide: Tide,
    /// Clients that were closed for want of memory and not told of in the log, and when they may be.
    shed: usize,
    next_warning: Option<Instant>,
    /// When connections may be closed for want of memory again.
    next_shed: Instant,
    /// Whether the hub was told something.
    has_told: bool,
}

/// A connection, and what its session is at. A session may be over while its connection still has
/// something to write: a peer that closed its sending half (`... | nc`) reads on.
struct Entry {
    connection: Arc<Connection>,
    session: Option<Session>,
    stage: Stage,
}

/// Where a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has nothing to do.
    Idle,
    /// In the queue, or stalled.
    Busy,
    Paused,
}

/// The thread, while it runs.
#[derive(Debug)]
pub(super) struct Reader {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Starts reading.
    ///
    /// # Errors
    /// The system's, when it starts no more threads.
    pub(super) fn start(poll: Poll, desk: Arc<Desk>, hub: Arc<Hub>, frame: Duration) -> io::Result<Self> {
        let reactor = Reactor {
            poll,
            desk: Arc::clone(&desk),
            hub,
            frame,
            entries: Slots::default(),
            scratch: Scratch::default(),
            queue: VecDeque::new(),
            paused: BinaryHeap::new(),
            stalled: Vec::new(),
            watched: BTreeSet::new(),
            next_look: None,
            tide: Tide::default(),
            shed: 0,
            next_warning: None,
            next_shed: Instant::now(),
            has_told: false,
        };
        let thread = std::thread::Builder::new().name("reader".into()).spawn(|| reactor.run())?;
        Ok(Self { desk, thread: Some(thread) })
    }
}

impl Drop for Reader {
    /// Ends the thread; what is not written by now never is.
    fn drop(&mut self) {
        self.desk.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the reader ended badly");
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
                // Never seen; not to be answered with a busy loop.
                tracing::error!(%error, "sockets can't be waited for");
                std::thread::sleep(LOOK);
            }
            for event in &events {
                match event.token() {
                    BELL => {
                        if self.take_mail().is_break() {
                            return;
                        }
                    }
                    Token(place) => self.notice(place, event),
                }
            }
            self.resume();
            for _ in 0..self.queue.len().min(TURNS) {
                let Some(id) = self.queue.pop_front() else { break };
                self.serve(id);
            }
            if self.has_told {
                self.has_told = false;
                self.hub.wake_flusher();
            }
            self.look();
            self.shed();
        }
    }

    /// How long nothing has to be done of itself.
    fn patience(&self) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let paused = self.paused.peek().map(|Reverse((until, _))| *until);
        let next = [paused, self.next_look].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    fn take_mail(&mut self) -> ControlFlow<()> {
        let mail = self.desk.take();
        if mail.is_over {
            return ControlFlow::Break(());
        }
        for newcomer in mail.newcomers {
            self.adopt(newcomer);
        }
        for id in mail.watched {
            self.watch(id);
        }
        ControlFlow::Continue(())
    }

    fn adopt(&mut self, newcomer: Newcomer) {
        let Newcomer { stream, wire, peer, early, tickets } = newcomer;
        let id = tickets.place.id();
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.poll.registry().register(&mut stream, Token(id.place()), interest) {
            tracing::warn!(%error, "a connection can't be read");
            return;
        }
        let connection = Connection::new((stream, wire), Arc::clone(&self.desk), tickets);
        self.hub.connect(&connection, peer);
        self.has_told = true;
        let session = Some(Session::new(&self.hub, early));
        self.entries.insert(id, Entry { connection, session, stage: Stage::Busy });
        self.queue.push_back(id);
    }

    /// The poll has found something. It may be about an earlier connection of that place: then there is
    /// nothing to read or write.
    fn notice(&mut self, place: usize, event: &Event) {
        let Some(id) = self.entries.at(place) else { return };
        let Some(entry) = self.entries.get_mut(id) else { return };
        if event.is_writable() {
            entry.connection.write_backlog();
        }
        let is_broken = event.is_error() || event.is_write_closed();
        self.tell(id, event.is_readable(), event.is_read_closed(), is_broken);
    }

    /// Tells the session what has become of its socket.
    fn tell(&mut self, id: SessionId, is_readable: bool, has_end: bool, is_broken: bool) {
        let Some(Entry { session: Some(session), stage, .. }) = self.entries.get_mut(id) else {
            return self.release(id);
        };
        let is_ready = session.note(is_readable, has_end, is_broken);
        match stage {
            // What a peer that is gone still wanted to say is not said for hours.
            Stage::Paused if is_broken => self.end(id),
            Stage::Idle if is_ready => {
                *stage = Stage::Busy;
                self.queue.push_back(id);
            }
            _ => {}
        }
    }

    /// Those who waited go on, if there is no reason to wait any more.
    fn resume(&mut self) {
        if !self.stalled.is_empty() {
            // Whoever else filled the turn meanwhile did not ask to be told.
            self.desk.want_space();
            if !self.hub.is_congested() {
                self.queue.extend(self.stalled.drain(..));
            }
        }
        let now = Instant::now();
        while self.paused.peek().is_some_and(|Reverse((until, _))| *until <= now) {
            let Some(Reverse((_, id))) = self.paused.pop() else { break };
            if let Some(entry) = self.entries.get_mut(id) {
                entry.stage = Stage::Busy;
                self.queue.push_back(id);
            }
        }
    }

    /// A session gets its turn.
    fn serve(&mut self, id: SessionId) {
        let Some(Entry { connection, session: Some(session), stage }) = self.entries.get_mut(id) else {
            return;
        };
        self.has_told = true;
        // A fault in one session must not end all others.
        let turn = catch_unwind(AssertUnwindSafe(|| session.turn(&self.hub, connection, &mut self.scratch)));
        *stage = match turn {
            Ok(After::Idle) => Stage::Idle,
            Ok(After::Pause(_)) => Stage::Paused,
            _ => Stage::Busy,
        };
        if session.unfinished_for().is_some() || session.ended_for().is_some() {
            self.watched.insert(id);
            self.next_look.get_or_insert_with(|| Instant::now() + LOOK);
        }
        match turn {
            Ok(After::Idle) => {}
            Ok(After::Again) => self.queue.push_back(id),
            Ok(After::Pause(time)) => self.paused.push(Reverse((Instant::now() + time, id))),
            Ok(After::Space) => {
                self.stalled.push(id);
                self.desk.want_space();
                // It may have come meanwhile.
                self.resume();
            }
            Ok(After::Over) | Err(_) => self.end(id),
        }
    }

    /// A session is over.
    fn end(&mut self, id: SessionId) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.session = None;
            self.hub.disconnect(id);
            self.has_told = true;
            self.release(id);
        }
    }

    /// Lets go of a connection of which nothing is left to do.
    fn release(&mut self, id: SessionId) {
        let is_over = |entry: &Entry| entry.session.is_none() && entry.connection.is_done();
        if self.entries.get(id).is_some_and(is_over) {
            self.entries.remove(id);
            self.watched.remove(&id);
        }
    }

    fn watch(&mut self, id: SessionId) {
        let Some(entry) = self.entries.get(id) else { return };
        if entry.connection.is_broken() {
            return self.tell(id, false, true, true);
        }
        self.watched.insert(id);
        self.next_look.get_or_insert_with(|| Instant::now() + LOOK);
        self.release(id);
    }

    /// Looks at those who do not read, do not finish a frame, or are ending, if it is time.
    fn look(&mut self) {
        if self.next_look.is_none_or(|next| next > Instant::now()) {
            return;
        }
        for id in self.watched.clone() {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            let unfinished = entry.session.as_ref().and_then(Session::unfinished_for);
            let ended = entry.session.as_ref().and_then(Session::ended_for);
            if unfinished.is_some_and(|time| time >= self.frame) {
                self.expel(id, Code::FrameTimeout, UNFINISHED);
            } else if ended.is_some_and(|time| time >= LAST_WORDS) {
                self.expel(id, Code::RateLimited, TOO_MUCH);
            } else if !entry.connection.look() && unfinished.is_none() && ended.is_none() {
                self.watched.remove(&id);
            }
            self.release(id);
        }
        self.next_look = (!self.watched.is_empty()).then(|| Instant::now() + LOOK);
    }

    /// Ends a session, and forgets what it has sent.
    fn expel(&mut self, id: SessionId, code: Code, why: &str) {
        if let Some(session) = self.entries.get_mut(id).and_then(|entry| entry.session.as_mut()) {
            session.forget();
            self.hub.expel(id, code, why);
        }
    }

    /// Says once in a while how many clients were closed for want of memory.
    fn warn_of_memory(&mut self, clients: usize) {
        self.shed += clients;
        if self.shed > 0 && self.next_warning.is_none_or(|next| next <= Instant::now()) {
            let clients = std::mem::take(&mut self.shed);
            tracing::warn!(clients, "closing those for whom most is kept, as too much is (--memory)");
            self.next_warning = Some(Instant::now() + WARNING_PAUSE);
        }
    }

    /// Closes those for whom most is kept, if too much is.
    fn shed(&mut self) {
        let budget = Arc::clone(&self.desk.budget);
        self.tide.note(budget.held() + self.entries.len() * IDLE_BYTES);
        // Those who were closed a moment ago are still on their way out.
        if !budget.is_over() || self.next_shed > Instant::now() {
            return;
        }
        self.next_shed = Instant::now() + SHED_PAUSE;
        let weights = self.entries.iter().map(|(session, Entry { connection, session: own, .. })| {
            let (backlog, is_stuck) = connection.weight();
            let input = own.as_ref().map_or(0, Session::weight);
            let unfinished = own.as_ref().and_then(Session::unfinished_for);
            let is_stuck = is_stuck || unfinished.is_some_and(|time| time > BACKLOG_STUCK);
            let key = connection.peer_key();
            Weight { session, host: connection.ip(), key, bytes: backlog + input, is_stuck }
        });
        let gone = heaviest(&weights.collect::<Vec<_>>(), budget.excess());
        self.warn_of_memory(gone.len());
        budget.count_closed(gone.len());
        for id in gone {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            let is_told = entry.connection.shed();
            if let Some(session) = entry.session.as_mut().filter(|_| is_told) {
                session.forget();
            }
            if !is_told {
                self.expel(id, Code::ServerFull, SHORT_OF_MEMORY);
            }
        }
    }
}
