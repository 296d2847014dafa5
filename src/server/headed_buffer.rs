//! A buffer for frames of many receivers, with room in front for the header that browsers get.

use super::websocket::HEADROOM;
use std::ops::Deref;

/// Is its content.
#[derive(Debug, Default)]
pub(super) struct HeadedBuffer {
    /// Empty, or the room and the content.
    bytes: Vec<u8>,
}

impl HeadedBuffer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(HEADROOM + bytes) }
    }

    /// Where to append content. Must not be made shorter.
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        if self.bytes.is_empty() {
            self.bytes.resize(HEADROOM, 0);
        }
        &mut self.bytes
    }

    /// The room and the content, or nothing.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Deref for HeadedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(HEADROOM..).unwrap_or_default()
    }
}
