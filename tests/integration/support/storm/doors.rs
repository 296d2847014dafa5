//! To which server of a chat a member goes: its own, and the others in turn when it loses one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a server may say nothing, if there are others, to somebody who has to hear something. The client itself waits
/// so long before it asks whether the server is there.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub struct Doors {
    all: Vec<SocketAddr>,
    home: usize,
    at: usize,
    /// How often all have been called home, and how often this one has gone.
    calls: Arc<AtomicUsize>,
    followed: usize,
}

impl From<SocketAddr> for Doors {
    /// A server without others.
    fn from(address: SocketAddr) -> Self {
        Self { all: vec![address], home: 0, at: 0, calls: Arc::default(), followed: 0 }
    }
}

impl Doors {
    #[allow(dead_code, reason = "the crash bench uses it")]
    pub fn of(all: &[SocketAddr], home: usize, calls: &Arc<AtomicUsize>) -> Self {
        let (calls, followed) = (Arc::clone(calls), calls.load(Ordering::Relaxed));
        Self { all: all.to_vec(), home, at: home, calls, followed }
    }

    /// Where to connect now.
    pub(super) fn address(&mut self) -> SocketAddr {
        if self.is_called_home() {
            self.followed = self.calls.load(Ordering::Relaxed);
            self.at = self.home;
        }
        self.all[self.at]
    }

    /// The connection to that one has broken, or there was none.
    pub(super) fn next(&mut self) {
        self.at = (self.at + 1) % self.all.len();
    }

    pub(super) fn is_called_home(&self) -> bool {
        self.followed != self.calls.load(Ordering::Relaxed)
    }

    /// Whether to give up a server that was last heard then. Who has nothing to wait for does not.
    pub(super) fn is_slow(&self, heard: Instant, is_content: bool) -> bool {
        self.all.len() > 1 && !is_content && heard.elapsed() > PATIENCE
    }
}
