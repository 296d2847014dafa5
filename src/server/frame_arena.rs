//! Memory for the frames of a batch's steps: many in one piece, so that a frame costs no allocation.
//!
//! A frame keeps its whole piece, so nothing that waits for a slow client may hold one.

use crate::protocol::Packet;
use bytes::{Bytes, BytesMut};

/// Size of a piece, in bytes.
const PIECE_BYTES: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct FrameArena {
    /// Scratch space; empty between calls.
    frame: Vec<u8>,
    piece: BytesMut,
}

impl FrameArena {
    /// Serialises a packet.
    pub(super) fn frame(&mut self, packet: &Packet) -> Bytes {
        packet.write_to(&mut self.frame);
        if self.piece.capacity() < self.frame.len() {
            // Takes the old piece again if no batch has a frame in it any more.
            self.piece.reserve(PIECE_BYTES.max(self.frame.len()));
        }
        self.piece.extend_from_slice(&self.frame);
        self.frame.clear();
        self.frame.shrink_to(PIECE_BYTES);
        self.piece.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Event;

    #[test]
    fn a_frame_is_that_of_its_packet_whatever_came_before() {
        let mut arena = FrameArena::default();
        let packets = [3, 2 * PIECE_BYTES, 5, 9 * PIECE_BYTES, 4]
            .map(|length| Event::Notice("x".repeat(length)).to_packet("", None));
        for _ in 0..PIECE_BYTES / 64 {
            let frames = packets.each_ref().map(|packet| arena.frame(packet));
            assert!(packets.iter().zip(frames).all(|(packet, frame)| packet.to_frame() == frame));
        }
    }
}
