//! Where other threads leave word for the one that reads (see [`reactor`](super::reactor)).

use super::gate::Pass;
use super::memory::Budget;
use super::roll::Place;
use super::wire::Wire;
use crate::chat::{Peer, SessionId};
use mio::{Poll, Token, Waker};
use std::io;
use std::mem;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the reader's poll calls the bell. Connections are called by their place, which never is 0.
pub(super) const BELL: Token = Token(0);

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    /// Bytes that may wait for a connection that does not read.
    pub(super) max_backlog: usize,
    /// What is kept for all connections.
    pub(super) budget: Arc<Budget>,
    waker: Waker,
    /// Whether the reader has been woken and has not looked yet: a crowd wakes it once.
    is_rung: AtomicBool,
    /// Whether the reader waits for the turn to be taken.
    wants_space: AtomicBool,
    mail: Mutex<Mail>,
}

/// What was left.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) newcomers: Vec<Newcomer>,
    /// Connections that have a backlog, or are ending.
    pub(super) watched: Vec<SessionId>,
    /// The server is over.
    pub(super) is_over: bool,
}

/// A connection that has said what it speaks.
#[derive(Debug)]
pub(super) struct Newcomer {
    /// Does not block.
    pub(super) stream: TcpStream,
    pub(super) wire: Wire,
    pub(super) peer: Peer,
    pub(super) early: Early,
    pub(super) tickets: Tickets,
}

/// What came with the end of the handshake.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) plain: Vec<u8>,
    /// Whether the peer sends nothing more.
    pub(super) is_all: bool,
}

/// What a connection holds of the server's room, given back when it is gone.
#[derive(Debug)]
pub(super) struct Tickets {
    pub(super) pass: Pass,
    pub(super) place: Place,
}

impl Desk {
    /// A desk, and the poll that its bell wakes.
    ///
    /// # Errors
    /// The system's, when it has no more descriptors.
    pub(super) fn open(max_backlog: usize, budget: Arc<Budget>) -> io::Result<(Arc<Self>, Poll)> {
        let poll = Poll::new()?;
        let desk = Self {
            max_backlog,
            budget,
            waker: Waker::new(poll.registry(), BELL)?,
            is_rung: AtomicBool::new(false),
            wants_space: AtomicBool::new(false),
            mail: Mutex::default(),
        };
        Ok((Arc::new(desk), poll))
    }

    /// A connection begins.
    pub(super) fn adopt(&self, newcomer: Newcomer) {
        self.leave(|mail| mail.newcomers.push(newcomer));
    }

    /// The connection has to be looked at from time to time, or at once if it is broken.
    pub(super) fn watch(&self, id: SessionId) {
        self.leave(|mail| mail.watched.push(id));
    }

    /// The server is over.
    pub(super) fn close(&self) {
        self.leave(|mail| mail.is_over = true);
    }

    /// More may be kept than the budget has: the reader looks after each time that it is woken.
    pub(super) fn tell_of_memory(&self) {
        if self.budget.is_over() {
            self.ring();
        }
    }

    /// The turn has been taken, so that there is space for more.
    pub(super) fn tell_space(&self) {
        if self.wants_space.swap(false, Ordering::SeqCst) {
            self.ring();
        }
    }

    /// The reader wants to be told when there is space. It looks itself after saying so.
    pub(super) fn want_space(&self) {
        self.wants_space.store(true, Ordering::SeqCst);
    }

    /// All there is. Whatever is left from here on rings anew.
    pub(super) fn take(&self) -> Mail {
        self.is_rung.store(false, Ordering::SeqCst);
        let mut mail = self.lock();
        let is_over = mail.is_over;
        mem::replace(&mut mail, Mail { is_over, ..Mail::default() })
    }

    fn leave(&self, put: impl FnOnce(&mut Mail)) {
        put(&mut self.lock());
        self.ring();
    }

    fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(%error, "the reader can't be woken");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
