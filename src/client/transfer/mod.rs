//! Stub until helper B's engine is there.
use std::sync::atomic::{AtomicU64, Ordering};
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) info: crate::protocol::packet::FileInfo,
}
#[derive(Debug)]
pub(crate) struct Landing {
    pub(crate) path: std::path::PathBuf,
}
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
}
impl Progress {
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
    pub(crate) fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|t| *t > 0)
    }
}
impl Parcel {
    pub(crate) fn info(
        &self,
        _: Option<&crate::fingerprint::Fingerprint>,
    ) -> crate::protocol::packet::FileInfo {
        self.info.clone()
    }
    pub(crate) fn skipped(&self) -> Option<String> {
        None
    }
}
impl Landing {
    pub(crate) fn target(&self) -> &std::path::Path {
        &self.path
    }
}
