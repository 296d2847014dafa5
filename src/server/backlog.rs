//! What a full socket left over: chunks of whole frames, shared with all other receivers' backlogs.
//!
//! Knows no sockets. The first chunk may begin inside a frame of which the socket took a part; that
//! frame is finished before anything else, whatever happens.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// See the module.
#[derive(Debug)]
pub(super) struct Backlog {
    chunks: VecDeque<Bytes>,
    bytes: usize,
    /// Whether the first chunk begins inside a frame.
    mid_frame: bool,
    /// When the socket last took something.
    progress: Instant,
    /// Whoever waits for the end of it notices when this is gone.
    end: Option<watch::Sender<()>>,
}

impl Default for Backlog {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, mid_frame: false, progress: Instant::now(), end: None }
    }
}

impl Backlog {
    /// What is left of `frames`, whole frames, after a socket took `written` bytes of them.
    pub(super) fn after(frames: &Bytes, written: usize) -> Self {
        let mut backlog = Self::default();
        backlog.push(frames.clone());
        backlog.take(written);
        backlog
    }

    /// More whole frames.
    pub(super) fn push(&mut self, frames: Bytes) {
        self.bytes += frames.len();
        self.chunks.push_back(frames);
    }

    /// What is to be written next; `None` when all is written.
    pub(super) fn next(&self) -> Option<&Bytes> {
        self.chunks.front()
    }

    /// The socket took that many bytes of [`Self::next`].
    pub(super) fn take(&mut self, written: usize) {
        let Some(chunk) = self.chunks.front_mut().filter(|_| written > 0) else { return };
        self.mid_frame = chunk[written - 1] != b'\n';
        self.bytes -= written;
        chunk.advance(written);
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The socket has taken something, if only of what was sealed before.
    pub(super) fn note_progress(&mut self) {
        self.progress = Instant::now();
    }

    /// Since the socket last took something.
    pub(super) fn stalled_for(&self) -> Duration {
        self.progress.elapsed()
    }

    /// Ends with the backlog.
    pub(super) fn end(&mut self) -> watch::Receiver<()> {
        self.end.get_or_insert_with(|| watch::Sender::new(())).subscribe()
    }

    /// Drops all but the rest of a frame that is begun.
    pub(super) fn cut(&mut self) {
        let rest = self.chunks.pop_front().filter(|_| self.mid_frame);
        self.chunks.clear();
        self.bytes = 0;
        if let Some(mut rest) = rest {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            rest.truncate(end);
            self.push(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut backlog = Backlog::after(&Bytes::from_static(b"one\ntwo\nthree\n"), 6);
        backlog.push(Bytes::from_static(b"four\n"));
        assert_eq!(backlog.bytes(), 13);
        backlog.cut();
        assert_eq!((backlog.bytes(), text(&mut backlog)), (2, "o\n".into()));
    }

    #[test]
    fn a_cut_between_frames_keeps_nothing() {
        for written in [0, 4] {
            let mut backlog = Backlog::after(&Bytes::from_static(b"one\ntwo\n"), written);
            backlog.cut();
            assert_eq!((backlog.bytes(), text(&mut backlog)), (0, String::new()));
        }
    }

    #[test]
    fn what_is_taken_and_what_is_left_are_the_whole() {
        let frames = Bytes::from_static(b"one\ntwo\nthree\n");
        for written in 0..frames.len() {
            let mut backlog = Backlog::after(&frames, written);
            assert_eq!(text(&mut backlog).as_bytes(), &frames[written..]);
            assert_eq!(backlog.bytes(), 0);
        }
    }
}
