//! The output that did not fit a socket: chunks of whole frames, shared with other receivers' backlogs.
//!
//! Knows no sockets. The first chunk may begin inside a frame of which the socket took a part; that frame is
//! always finished before anything else. For browsers, a chunk is one message of WebSocket, and is finished as a whole.

use super::memory::{Budget, Reservation};
use super::websocket::{HEADROOM, WebContent, message, put_header};
use crate::limits::{BACKLOG_CHUNK_BYTES, BACKLOG_STEP_BYTES, BACKLOG_STUCK, SEND_BUFFER_BYTES};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Whole frames for one or many receivers. They are charged to the budget once they are in a backlog, and only
/// once however many backlogs they are in.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Bytes,
    /// The same as a message of WebSocket, with its header in front.
    message: OnceLock<Bytes>,
    charge: OnceLock<Arc<Reservation>>,
}

/// The unit of a receiver's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// A line.
    Lines,
    /// A message of WebSocket, with any number of lines.
    Messages,
}

#[derive(Debug)]
pub(super) struct Backlog {
    chunks: VecDeque<Chunk>,
    framing: Framing,
    bytes: usize,
    /// Whether the first chunk begins inside a frame.
    mid_frame: bool,
    /// When the socket last took a [step](BACKLOG_STEP_BYTES).
    progress: Instant,
    /// Bytes taken since.
    taken: usize,
    /// Memory besides the frames themselves.
    reservation: Reservation,
    /// Dropped with the backlog, which wakes those who wait for its end.
    end: Option<watch::Sender<()>>,
}

#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    /// A frame of WebSocket's own.
    is_control: bool,
    /// For all of the frames, of which `bytes` is the rest.
    _charge: Arc<Reservation>,
}

impl From<Bytes> for Frames {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, ..Self::default() }
    }
}

impl From<Vec<u8>> for Frames {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl Deref for Frames {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl Frames {
    /// Frames behind [`HEADROOM`] bytes, into which the header for browsers goes. All receivers share the buffer.
    pub(super) fn with_headroom(mut bytes: Vec<u8>) -> Self {
        let Some((headroom, frames)) = bytes.split_first_chunk_mut() else { return Self::default() };
        let header = put_header(WebContent::Lines, frames.len(), headroom);
        let whole = Bytes::from(bytes);
        let frames = Self::from(whole.slice(HEADROOM..));
        // Nobody else has set it.
        let _ = frames.message.set(whole.slice(HEADROOM - header..));
        frames
    }

    /// The bytes for one kind of receiver.
    pub(super) fn wire(&self, framing: Framing) -> &Bytes {
        match framing {
            Framing::Lines => &self.bytes,
            Framing::Messages => self.message.get_or_init(|| message(WebContent::Lines, &self.bytes).into()),
        }
    }

    fn chunk(&self, framing: Framing, budget: &Arc<Budget>) -> Chunk {
        let charge = self.charge.get_or_init(|| {
            let mut reservation = budget.reserve();
            reservation.set(self.bytes.len());
            Arc::new(reservation)
        });
        Chunk { bytes: self.wire(framing).clone(), is_control: false, _charge: Arc::clone(charge) }
    }
}

impl Backlog {
    pub(super) fn new(framing: Framing, budget: &Arc<Budget>) -> Self {
        Self {
            chunks: VecDeque::new(),
            framing,
            bytes: 0,
            mid_frame: false,
            progress: Instant::now(),
            taken: 0,
            reservation: budget.reserve(),
            end: None,
        }
    }

    /// The rest of `frames` after a socket took `written` bytes.
    pub(super) fn after(frames: &Frames, written: usize, framing: Framing, budget: &Arc<Budget>) -> Self {
        let mut backlog = Self::new(framing, budget);
        backlog.push(frames, budget);
        backlog.take(written);
        backlog
    }

    pub(super) fn push(&mut self, frames: &Frames, budget: &Arc<Budget>) {
        self.add(frames.chunk(self.framing, budget));
    }

    /// Adds a frame of WebSocket's own. It replaces one that waits right before it: a peer that sends pings and does not
    /// read gets the answer to its last one (RFC 6455 5.5.3).
    pub(super) fn push_control(&mut self, frame: Vec<u8>, budget: &Arc<Budget>) {
        let has_begun = self.mid_frame && self.chunks.len() == 1;
        if let Some(last) = self.chunks.pop_back_if(|last| last.is_control && !has_begun) {
            self.bytes -= last.bytes.len();
        }
        self.add(Chunk { is_control: true, ..Frames::from(frame).chunk(Framing::Lines, budget) });
    }

    fn add(&mut self, chunk: Chunk) {
        self.bytes += chunk.bytes.len();
        self.chunks.push_back(chunk);
    }

    /// The next bytes to write.
    pub(super) fn next(&self) -> Option<&Bytes> {
        self.chunks.front().map(|chunk| &chunk.bytes)
    }

    /// Removes the bytes of [`Self::next`] that the socket took.
    pub(super) fn take(&mut self, written: usize) {
        let Some(chunk) = self.chunks.front_mut().filter(|_| written > 0) else { return };
        self.mid_frame = match self.framing {
            Framing::Lines => chunk.bytes[written - 1] != b'\n',
            Framing::Messages => written < chunk.bytes.len(),
        };
        self.bytes -= written;
        chunk.bytes.advance(written);
        if chunk.bytes.is_empty() {
            self.chunks.pop_front();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Charges the memory besides the frames: the chunks, and `encrypted` bytes that wait for the socket. The
    /// kernel's buffer for a full socket counts only once the peer is stuck: in a busy second, all sockets are
    /// full.
    pub(super) fn charge(&mut self, encrypted: usize) {
        let kernel = if self.is_stuck() { 2 * SEND_BUFFER_BYTES } else { 0 };
        self.reservation.set(self.chunks.len() * BACKLOG_CHUNK_BYTES + encrypted + kernel);
    }

    /// Whether the peer has read nothing, or almost nothing, for a while.
    pub(super) fn is_stuck(&self) -> bool {
        self.stalled_for() > BACKLOG_STUCK
    }

    /// Memory that would be free without it, if nobody shared its frames.
    pub(super) fn weight(&self) -> usize {
        self.bytes + self.reservation.bytes()
    }

    /// Counts bytes that the socket took, including those encrypted earlier.
    pub(super) fn note_progress(&mut self, taken: usize) {
        self.taken += taken;
        if self.taken >= BACKLOG_STEP_BYTES {
            (self.taken, self.progress) = (0, Instant::now());
        }
    }

    /// Time since the socket last took a step.
    pub(super) fn stalled_for(&self) -> Duration {
        self.progress.elapsed()
    }

    /// Resolves when the backlog is gone.
    pub(super) fn end(&mut self) -> watch::Receiver<()> {
        self.end.get_or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Drops everything but the rest of a frame that has begun.
    pub(super) fn cut(&mut self, budget: &Arc<Budget>) {
        let rest = self.chunks.pop_front().filter(|_| self.mid_frame);
        self.chunks = VecDeque::new();
        self.bytes = 0;
        if let Some(Chunk { bytes, .. }) = rest {
            let end = match self.framing {
                Framing::Lines => bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1),
                Framing::Messages => None,
            };
            // Copied, so that the memory of the whole chunk is freed.
            let rest = Frames::from(bytes[..end.unwrap_or(bytes.len())].to_vec());
            self.add(rest.chunk(Framing::Lines, budget));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<Budget> {
        Budget::new(Some(1 << 30))
    }

    fn frames(text: &'static str) -> Frames {
        Bytes::from_static(text.as_bytes()).into()
    }

    fn text(backlog: &mut Backlog) -> String {
        let mut text = String::new();
        while let Some(chunk) = backlog.next().cloned() {
            text += std::str::from_utf8(&chunk).expect("text");
            backlog.take(chunk.len());
        }
        text
    }

    #[test]
    fn a_cut_keeps_the_rest_of_a_frame_that_is_begun() {
        let budget = budget();
        let mut backlog = Backlog::after(&frames("one\ntwo\nthree\n"), 6, Framing::Lines, &budget);
        backlog.push(&frames("four\n"), &budget);
        assert_eq!(backlog.bytes(), 13);
        backlog.cut(&budget);
        assert_eq!((backlog.bytes(), budget.reserved(), text(&mut backlog)), (2, 2, "o\n".into()));
    }

    #[test]
    fn a_cut_between_frames_keeps_nothing() {
        for written in [0, 4] {
            let budget = budget();
            let mut backlog = Backlog::after(&frames("one\ntwo\n"), written, Framing::Lines, &budget);
            backlog.cut(&budget);
            assert_eq!((backlog.bytes(), budget.reserved(), text(&mut backlog)), (0, 0, String::new()));
        }
    }

    #[test]
    fn a_socket_s_part_and_the_rest_are_the_whole() {
        let whole = "one\ntwo\nthree\n";
        for written in 0..whole.len() {
            let mut backlog = Backlog::after(&frames(whole), written, Framing::Lines, &budget());
            assert_eq!(text(&mut backlog), whole[written..]);
            assert_eq!(backlog.bytes(), 0);
        }
    }

    #[test]
    fn frames_that_lie_in_many_backlogs_are_charged_once_and_until_the_last_has_written_them() {
        let (budget, frames) = (budget(), frames("to all\n"));
        let mut backlogs: Vec<Backlog> =
            (0..9).map(|written| Backlog::after(&frames, written % 3, Framing::Lines, &budget)).collect();
        drop(frames);
        assert_eq!(budget.reserved(), 7);
        backlogs.iter_mut().skip(1).for_each(|backlog| drop(text(backlog)));
        assert_eq!(budget.reserved(), 7);
        backlogs.iter_mut().for_each(|backlog| backlog.charge(100));
        assert_eq!(budget.reserved(), 7 + BACKLOG_CHUNK_BYTES + 900);
        drop(backlogs);
        assert_eq!(budget.reserved(), 0);
    }

    #[test]
    fn answers_to_pings_that_nobody_reads_do_not_add_up() {
        let budget = budget();
        let mut backlog = Backlog::new(Framing::Messages, &budget);
        for _ in 0..1000 {
            backlog.push_control(b"an old pong".to_vec(), &budget);
        }
        // A frame that has begun goes on.
        backlog.take(3);
        for n in 0..1000 {
            backlog.push_control(format!("pong {n:03}").into_bytes(), &budget);
        }
        backlog.push(&frames("a message"), &budget);
        backlog.push_control(b"the last".to_vec(), &budget);
        assert_eq!((backlog.chunks.len(), backlog.bytes()), (4, 8 + 8 + 9 + 2 + 8));
        backlog.charge(0);
        assert!(budget.reserved() < 1000, "{}", budget.reserved());
    }

    #[test]
    fn a_byte_now_and_then_is_no_progress() {
        let mut backlog = Backlog::new(Framing::Lines, &budget());
        let begun = backlog.progress;
        (1..BACKLOG_STEP_BYTES).for_each(|_| backlog.note_progress(1));
        assert_eq!(backlog.progress, begun);
        backlog.note_progress(1);
        assert!(backlog.progress > begun);
    }

    #[test]
    fn what_the_kernel_holds_counts_once_the_peer_is_stuck() {
        let budget = budget();
        let mut backlog = Backlog::after(&frames("one\ntwo\n"), 4, Framing::Lines, &budget);
        backlog.charge(100);
        assert_eq!(backlog.weight(), 4 + BACKLOG_CHUNK_BYTES + 100);
        backlog.progress -= BACKLOG_STUCK + Duration::from_millis(1);
        assert!(backlog.is_stuck());
        backlog.charge(100);
        assert_eq!(backlog.weight(), 4 + BACKLOG_CHUNK_BYTES + 100 + 2 * SEND_BUFFER_BYTES);
    }
}
