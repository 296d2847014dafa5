//! One connection's socket, and what waits to be written to it.
//!
//! The flusher writes by itself, without waking a task of the connection: [`Connection::send`]
//! tries the socket and returns. Only a socket that is full gets a [backlog](Backlog), and with it a
//! task of its own that ends with the backlog.
//!
//! What the socket gets may be sealed: see [`Wire`]. A backlog holds frames unsealed, since receivers
//! share those.
//!
//! Invariants: frames reach the socket in the order of the `send` calls; a frame once begun is
//! finished before anything else; while there is a backlog nothing is written but by its task.

use super::backlog::Backlog;
use super::gate::Pass;
use super::roll::Place;
use super::wire::Wire;
use crate::chat::{Peer, SessionId};
use crate::limits::{BACKLOG_STALL, CLOSE_GRACE};
use crate::protocol::{Code, Event};
use crate::security::{ChannelError, Status};
use bytes::Bytes;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How often a peer that takes nothing is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: SessionId,
    pub(super) peer: Peer,
    pub(super) stream: TcpStream,
    max_backlog: usize,
    writing: Mutex<Writing>,
    tickets: Tickets,
}

/// What a connection holds of the server's room, given back when it is gone.
#[derive(Debug)]
pub(super) struct Tickets {
    pub(super) pass: Pass,
    pub(super) _place: Place,
}

#[derive(Debug)]
struct Writing {
    wire: Wire,
    backlog: Option<Box<Backlog>>,
    /// Since when nothing more is taken: the connection ends when the backlog is empty.
    ending: Option<Instant>,
    /// Whether it was ended at once, both ways.
    aborted: bool,
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

/// What came of writing a backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// All is written; the backlog is gone.
    Done,
    /// Something was written, and the socket is full again.
    Some,
    /// The socket was full.
    None,
    /// The connection is broken.
    Broken,
}

impl Connection {
    pub(super) fn new(
        id: SessionId,
        peer: Peer,
        (stream, wire): (TcpStream, Wire),
        max_backlog: usize,
        tickets: Tickets,
    ) -> Arc<Self> {
        let writing = Mutex::new(Writing { wire, backlog: None, ending: None, aborted: false });
        Arc::new(Self { id, peer, stream, max_backlog, writing, tickets })
    }

    /// What the peer sent, unsealed.
    pub(super) fn unseal(&self, bytes: &[u8], plain: &mut Vec<u8>) -> Result<Status, ChannelError> {
        self.lock().wire.open(&self.stream, bytes, plain)
    }

    /// Its pass through the gate.
    pub(super) fn pass(&self) -> &Pass {
        &self.tickets.pass
    }

    /// Writes whole frames, or keeps them for later. Never waits. A broken connection swallows
    /// them: its reader notices and ends the session.
    pub(super) fn send(self: &Arc<Self>, frames: &Bytes) {
        let mut writing = self.lock();
        if writing.ending.is_some() || frames.is_empty() {
            return;
        }
        if let Some(backlog) = &mut writing.backlog {
            backlog.push(frames.clone());
            if backlog.bytes() > self.max_backlog {
                self.give_up(&mut writing);
            }
            return;
        }
        let Ok(written) = writing.wire.write(&self.stream, frames) else { return };
        if written < frames.len() || writing.wire.waiting() > 0 {
            let backlog = writing.backlog.insert(Box::new(Backlog::after(frames, written)));
            if backlog.bytes() > self.max_backlog {
                self.give_up(&mut writing);
            }
            drop(writing);
            tokio::spawn(Arc::clone(self).drain());
        }
    }

    /// Ends the connection after what was sent. The peer gets [`CLOSE_GRACE`] to read it.
    pub(super) fn finish(self: &Arc<Self>) {
        let mut writing = self.lock();
        if writing.ending.is_none() {
            writing.ending = Some(Instant::now());
            if writing.backlog.is_none() && !self.say_end(&mut writing.wire) {
                writing.backlog = Some(Box::default());
                drop(writing);
                tokio::spawn(Arc::clone(self).drain());
            }
        }
    }

    /// Waits so long; `true`: the connection broke meanwhile, which a reader that waits would not see.
    pub(super) async fn breaks_within(&self, time: Duration) -> bool {
        let broken = timeout(time, self.stream.ready(Interest::ERROR)).await;
        matches!(broken, Ok(Err(_))) || matches!(broken, Ok(Ok(ready)) if ready.is_error())
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

    /// What is to be done with what the peer sends.
    pub(super) fn intake(&self) -> Intake {
        let writing = self.lock();
        match writing.ending {
            _ if writing.aborted => Intake::Ended,
            Some(_) => Intake::Discarded,
            None => Intake::Counts,
        }
    }

    /// The task of a full socket: writes the backlog as the peer reads. Ends when it is written, or
    /// the connection is broken or given up.
    async fn drain(self: Arc<Self>) {
        let mut last_progress = Instant::now();
        loop {
            match timeout(LOOK, self.stream.writable()).await {
                Ok(Err(_)) => return self.lock().backlog = None,
                Ok(Ok(())) => match self.write_backlog() {
                    Progress::Done | Progress::Broken => return,
                    Progress::Some => last_progress = Instant::now(),
                    Progress::None => {}
                },
                Err(_) => {}
            }
            let mut writing = self.lock();
            match writing.ending {
                Some(since) if since.elapsed() > CLOSE_GRACE => return self.abort(&mut writing),
                None if last_progress.elapsed() > BACKLOG_STALL => self.give_up(&mut writing),
                _ => {}
            }
        }
    }

    /// Writes as much of the backlog as the socket takes.
    fn write_backlog(self: &Arc<Self>) -> Progress {
        let mut writing = self.lock();
        let Writing { wire, backlog: Some(backlog), .. } = &mut *writing else { return Progress::Done };
        match write_all(wire, &self.stream, backlog) {
            Ok(Progress::Done) => {}
            Ok(progress) => return progress,
            Err(_) => {
                writing.backlog = None;
                return Progress::Broken;
            }
        }
        if writing.ending.is_some() && !self.say_end(&mut writing.wire) {
            return Progress::Some;
        }
        writing.backlog = None;
        Progress::Done
    }

    /// Ends the connection at once, both ways; the reader notices.
    fn abort(&self, writing: &mut Writing) {
        writing.aborted = true;
        writing.backlog = None;
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Both);
    }

    /// Ends a connection whose peer does not read: it may finish the frame it is in, and is told.
    fn give_up(&self, writing: &mut Writing) {
        let Some(backlog) = writing.backlog.as_mut().filter(|_| writing.ending.is_none()) else { return };
        tracing::info!(peer = %self.peer.ip, waiting = backlog.bytes(), "closing a client that does not read");
        backlog.cut();
        let text = "you did not read what was sent to you for too long; connect again";
        let error = Event::error(Code::SlowConsumer, text).to_packet("", None);
        backlog.push(error.to_frame().into());
        writing.ending = Some(Instant::now());
    }

    /// Tells the peer that nothing more comes, and makes sure that it ends: a peer that keeps its
    /// side open is cut off after the grace. Closing at once instead would discard what the peer
    /// has not read yet (RFC 1122 4.2.2.13).
    ///
    /// `false`: the socket is full, so that it must be done again.
    fn say_end(self: &Arc<Self>, wire: &mut Wire) -> bool {
        if !wire.end(&self.stream) {
            return false;
        }
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
        let connection = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(CLOSE_GRACE).await;
            if let Some(connection) = connection.upgrade() {
                connection.abort(&mut connection.lock());
            }
        });
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes as much of `backlog` as the socket takes.
fn write_all(wire: &mut Wire, stream: &TcpStream, backlog: &mut Backlog) -> io::Result<Progress> {
    let waited = wire.waiting() + backlog.bytes();
    let progress = |wire: &Wire, backlog: &Backlog| match wire.waiting() + backlog.bytes() {
        left if left < waited => Progress::Some,
        _ => Progress::None,
    };
    while wire.flush(stream)? {
        let Some(chunk) = backlog.next() else { return Ok(Progress::Done) };
        let (written, wanted) = (wire.write(stream, chunk)?, chunk.len());
        backlog.take(written);
        if written < wanted {
            break;
        }
    }
    Ok(progress(wire, backlog))
}

#[cfg(test)]
mod tests {
    use super::super::gate::Gate;
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    const FRAME: &[u8] = b"{\"msg\":\"a frame of some length, so that sockets fill up soon\"}\n";

    /// A connection whose socket takes little, and its peer's end.
    async fn narrow(max_backlog: usize) -> (Arc<Connection>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let peer =
            TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (stream, address) = listener.accept().await.expect("a connection");
        SockRef::from(&stream).set_send_buffer_size(4096).expect("an option");
        let identity = Peer { ip: address.ip(), key: None, encrypted: false, local: true };
        let place = Arc::new(super::super::roll::Roll::default()).enter(1).expect("a place");
        let pass = Gate::new(None, 1).enter(identity.ip, 0, Duration::ZERO).expect("a pass");
        let tickets = Tickets { pass, _place: place };
        (Connection::new(SessionId(1), identity, (stream, Wire::Plain), max_backlog, tickets), peer)
    }

    async fn read_frames(mut peer: TcpStream) -> Vec<String> {
        let mut text = String::new();
        let read = tokio::time::timeout(CLOSE_GRACE, peer.read_to_string(&mut text)).await;
        read.expect("an end in time").expect("whole frames");
        assert!(text.ends_with('\n'), "ends inside a frame");
        text.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_backlog_over_its_bound_ends_with_whole_frames_and_the_reason() {
        let (connection, peer) = narrow(64 * 1024).await;
        let frames = Bytes::from(FRAME.repeat(100));
        let mut sends = 0;
        while connection.lock().ending.is_none() {
            connection.send(&frames);
            sends += 1;
            assert!(sends < 10_000, "the bound does not hold");
        }
        connection.send(&frames);
        let read = read_frames(peer).await;
        let (last, rest) = read.split_last().expect("frames");
        assert!(last.contains("\"slow_consumer\""), "{last}");
        assert!(rest.iter().all(|line| line.as_bytes() == &FRAME[..FRAME.len() - 1]));
        assert!(rest.len() < sends * 100, "what was over the bound is dropped");
    }

    #[tokio::test]
    async fn an_orderly_end_comes_after_the_whole_backlog() {
        let (connection, peer) = narrow(64 * 1024 * 1024).await;
        for _ in 0..200 {
            connection.send(&Bytes::from(FRAME.repeat(100)));
        }
        connection.finish();
        assert_eq!(read_frames(peer).await.len(), 20_000);
    }
}
