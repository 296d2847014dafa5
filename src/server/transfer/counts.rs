//! Counts of transfers, for the server's numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Since the server's start.
#[derive(Debug, Default)]
pub struct TransferCounts {
    waiting: AtomicU64,
    running: AtomicU64,
    done: AtomicU64,
    cut: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl TransferCounts {
    /// Connections whose other side is not there yet.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Relaxed)
    }

    /// Transfers that run now.
    pub fn running(&self) -> u64 {
        self.running.load(Relaxed)
    }

    /// Transfers whose receivers have everything, or seem to.
    pub fn done(&self) -> u64 {
        self.done.load(Relaxed)
    }

    /// All others that have ended.
    pub fn cut(&self) -> u64 {
        self.cut.load(Relaxed)
    }

    /// Connections whose token admitted them to no transfer.
    pub fn refused_connections(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Bytes that were passed on.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    pub(super) fn set_waiting(&self, count: usize) {
        self.waiting.store(count as u64, Relaxed);
    }

    pub(super) fn began(&self) {
        self.running.fetch_add(1, Relaxed);
    }

    pub(super) fn ended(&self, is_done: bool) {
        self.running.fetch_sub(1, Relaxed);
        let count = if is_done { &self.done } else { &self.cut };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn passed(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }
}
