//! Notices that another process takes part as the same node, with a copy of its files.
//!
//! Both begin runs, and each one's ends that of the other: people would connect again without end. A single sign is
//! none: a message of an earlier process may come late, and a machine that slept does not know for how long.

use std::time::Duration;

/// Runs that ended too soon, or leads of another process.
const SIGNS: u32 = 3;

/// Signs further apart have nothing to do with each other.
const APART: Duration = Duration::from_secs(120);

/// Signs that are less apart may be the late ones of a process that has ended.
const HEARD_APART: Duration = Duration::from_millis(800);

#[derive(Debug)]
pub(super) struct Doubles {
    /// The start of this process's first run.
    first: u64,
    /// Of its latest run that the rules knew.
    known: u64,
    /// When its present run began.
    begun: Duration,
    signs: u32,
    /// Whether the rules knew a run that a process has begun after this one.
    has_foreign: bool,
    last: Duration,
}

impl Doubles {
    pub(super) fn new(first: u64, now: Duration) -> Self {
        Self { first, known: 0, begun: now, signs: 0, has_foreign: false, last: now }
    }

    /// This process begins another run.
    pub(super) fn begin(&mut self, now: Duration) {
        self.begun = now;
    }

    /// The latest run of the node that the rules know, and the present one of this process.
    pub(super) fn see(&mut self, latest: u64, own: u64) {
        if latest == own {
            self.known = own;
        } else if latest > self.first && latest != self.known {
            self.has_foreign = true;
        }
    }

    /// The present run is over. Runs end by `silence`, if no later one has followed: `is_later`.
    pub(super) fn end(&mut self, own: u64, is_later: bool, silence: Duration, now: Duration) {
        if self.known == own && (is_later || now < self.begun + silence) {
            self.note(now);
        }
    }

    /// Another process leads as this node, which led.
    pub(super) fn replaced(&mut self, now: Duration) {
        self.note(now);
        self.has_foreign = true;
    }

    /// The present leader is another process as this node, and says that it is there. An earlier process is not there for
    /// as long as three signs take.
    pub(super) fn hear(&mut self, now: Duration) {
        if self.signs == 0 || now >= self.last + HEARD_APART {
            self.replaced(now);
        }
    }

    fn note(&mut self, now: Duration) {
        if now > self.last + APART {
            self.signs = 0;
        }
        self.signs += 1;
        self.last = now;
    }

    pub(super) fn are_certain(&self) -> bool {
        self.has_foreign && self.signs >= SIGNS
    }
}
