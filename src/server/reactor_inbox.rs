//! The reactor's inbox: other threads leave it new connections and connections to look after (see
//! [`reactor`](super::reactor)). Bounded by the number of connections.

use super::connection_ids::IdLease;
use super::gate::Pass;
use super::memory::Budget;
use super::transport::Transport;
use crate::chat::{Peer, SessionId};
use mio::{Poll, Token, Waker};
use std::io;
use std::mem;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The waker's token in the reactor's poll. Connections have their slot as token, which is never 0.
pub(super) const WAKER: Token = Token(0);

#[derive(Debug)]
pub(super) struct ReactorInbox {
    /// Bytes that may wait for a connection that does not read.
    pub(super) max_backlog: usize,
    /// Shared by all connections.
    pub(super) budget: Arc<Budget>,
    waker: Waker,
    /// Whether the waker was used and the reactor has not looked yet, so that a crowd wakes it once.
    is_rung: AtomicBool,
    /// Whether the reactor waits for the batch to be taken.
    wants_space: AtomicBool,
    contents: Mutex<InboxContents>,
}

#[derive(Debug, Default)]
pub(super) struct InboxContents {
    pub(super) new: Vec<NewConnection>,
    /// Connections that have a backlog or are ending.
    pub(super) watched: Vec<SessionId>,
    /// Tasks that wait for a sign of life.
    pub(super) probes: Vec<oneshot::Sender<()>>,
    pub(super) is_over: bool,
}

/// A connection after its handshake.
#[derive(Debug)]
pub(super) struct NewConnection {
    /// Non-blocking.
    pub(super) stream: TcpStream,
    pub(super) transport: Transport,
    pub(super) peer: Peer,
    pub(super) leftover: HandshakeLeftover,
    pub(super) permits: Permits,
}

/// Text that arrived with the end of the handshake.
#[derive(Debug, Default)]
pub(super) struct HandshakeLeftover {
    pub(super) plain: Vec<u8>,
    /// Whether the peer has closed its side.
    pub(super) is_all: bool,
}

/// A connection's share of the server's room, returned when dropped.
#[derive(Debug)]
pub(super) struct Permits {
    pub(super) pass: Pass,
    pub(super) id: IdLease,
}

impl ReactorInbox {
    /// Also returns the poll that the inbox wakes.
    pub(super) fn open(max_backlog: usize, budget: Arc<Budget>) -> io::Result<(Arc<Self>, Poll)> {
        let poll = Poll::new()?;
        let inbox = Self {
            max_backlog,
            budget,
            waker: Waker::new(poll.registry(), WAKER)?,
            is_rung: AtomicBool::new(false),
            wants_space: AtomicBool::new(false),
            contents: Mutex::default(),
        };
        Ok((Arc::new(inbox), poll))
    }

    pub(super) fn adopt(&self, new: NewConnection) {
        self.leave(|contents| contents.new.push(new));
    }

    /// Asks the reactor to look after a connection: at once if it is broken, otherwise from time to time.
    pub(super) fn watch(&self, id: SessionId) {
        self.leave(|contents| contents.watched.push(id));
    }

    /// Asks the reactor for a sign of life.
    pub(super) fn probe(&self) -> oneshot::Receiver<()> {
        let (probe, answer) = oneshot::channel();
        self.leave(|contents| {
            // A task that has given up waits no longer.
            contents.probes.retain(|probe| !probe.is_closed());
            contents.probes.push(probe);
        });
        answer
    }

    /// Asks the reactor to end.
    pub(super) fn close(&self) {
        self.leave(|contents| contents.is_over = true);
    }

    /// Wakes the reactor if the memory budget is exceeded: it then closes connections.
    pub(super) fn tell_of_memory(&self) {
        if self.budget.is_over() {
            self.ring();
        }
    }

    /// Says that the output has taken the batch, so that there is space again.
    pub(super) fn tell_space(&self) {
        if self.wants_space.swap(false, Ordering::SeqCst) {
            self.ring();
        }
    }

    /// Asks for [`Self::tell_space`]. To miss nothing, the caller checks once more after asking.
    pub(super) fn want_space(&self) {
        self.wants_space.store(true, Ordering::SeqCst);
    }

    /// Takes all contents. New ones wake the reactor again.
    pub(super) fn take(&self) -> InboxContents {
        self.is_rung.store(false, Ordering::SeqCst);
        let mut contents = self.lock();
        let is_over = contents.is_over;
        mem::replace(&mut contents, InboxContents { is_over, ..InboxContents::default() })
    }

    fn leave(&self, put: impl FnOnce(&mut InboxContents)) {
        put(&mut self.lock());
        self.ring();
    }

    fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(event = "poll_failed", %error, "cannot wake the reactor");
        }
    }

    fn lock(&self) -> MutexGuard<'_, InboxContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
