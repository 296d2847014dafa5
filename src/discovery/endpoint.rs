//! One address where a server may be, and when to try it next. Pure: callers pass in the time.

use super::connect_failure::{ConnectFailure, SWIFT};
use crate::limits::{
    ANSWERED_LONGEST, ANSWERED_PAUSE, BESIDE_PAUSE, MAX_BESIDE, PROBE_TIMEOUT, PROBE_TURN, RETRY_GROWTH,
    RETRY_LEAST, RETRY_LONGEST, RETRY_PAUSE,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// An address and its attempts so far.
pub(super) struct Endpoint {
    pub(super) addr: SocketAddr,
    /// When the next attempt begins; `None` while the maximum is running.
    pub(super) due: Option<Instant>,
    /// The running attempts and when each began.
    under_way: Vec<(Instant, AbortHandle)>,
    /// When the first and the last attempt began.
    first: Option<Instant>,
    begun: Option<Instant>,
    /// The pause after the next answer that proves nothing.
    answered_pause: Duration,
    /// Why the last attempt failed.
    failed: Option<ConnectFailure>,
    /// Whether its first attempt may still succeed soon; the search does not wait for further ones.
    pub(super) is_fresh: bool,
    /// Whether only one attempt is allowed, until a server is announced here.
    is_once: bool,
}

impl Endpoint {
    /// `is_once`: it gets one attempt, unless a server is announced there.
    pub(super) fn new(addr: SocketAddr, due: Instant, is_once: bool) -> Endpoint {
        let (under_way, answered_pause) = (Vec::new(), ANSWERED_PAUSE);
        Endpoint {
            addr,
            due: Some(due),
            under_way,
            first: None,
            begun: None,
            answered_pause,
            failed: None,
            is_fresh: true,
            is_once,
        }
    }

    pub(super) fn was_tried(&self) -> bool {
        self.begun.is_some()
    }

    /// Why no server proved its identity here.
    pub(super) fn why(&self) -> Option<ConnectFailure> {
        self.failed.clone().or_else(|| self.begun.map(|_| ConnectFailure::Silent))
    }

    /// Since when it has been without success, if it has had its turn.
    pub(super) fn idle_since(&self, now: Instant) -> Option<Instant> {
        let begun = self.begun?;
        (self.failed.is_some() || now >= begun + PROBE_TURN).then_some(begun)
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        self.under_way.first().map(|(begun, _)| *begun)
    }

    /// Notes that an attempt begins. If it stays silent, another one starts beside it.
    pub(super) fn begin(&mut self, task: AbortHandle, now: Instant) {
        self.under_way.push((now, task));
        self.first.get_or_insert(now);
        self.begun = Some(now);
        self.due = (self.under_way.len() < MAX_BESIDE && !self.is_once).then_some(now + BESIDE_PAUSE);
    }

    /// Stops waiting for a first attempt that has been silent for too long.
    pub(super) fn grow_old(&mut self, now: Instant) {
        self.is_fresh &= self.begun.is_none_or(|begun| now < begun + PROBE_TIMEOUT);
    }

    /// Notes why an attempt failed, and plans the next one; one of many addresses gets fewer attempts.
    pub(super) fn fail(&mut self, why: ConnectFailure, now: Instant, share: Duration) {
        self.under_way.retain(|(_, task)| !task.is_finished());
        self.is_fresh = false;
        // A firewall answers the first attempt at once; a later one may begin just before the system gives
        // up.
        let was_silent = self.first.is_some_and(|first| now >= first + SWIFT);
        let why = match (why, &self.failed) {
            (ConnectFailure::Rejected, Some(ConnectFailure::Nobody)) => ConnectFailure::Nobody,
            (ConnectFailure::Rejected, None) if was_silent => ConnectFailure::Nobody,
            (why, _) => why,
        };
        let pause = match why.is_answer() {
            true => {
                let pause = self.answered_pause;
                self.answered_pause = (pause * 2).min(ANSWERED_LONGEST);
                pause
            }
            // By the time, not by the number of pauses, which random shortening changes.
            false => {
                let tried_for = now - self.first.unwrap_or(now);
                (RETRY_PAUSE + tried_for / RETRY_GROWTH).min(RETRY_LONGEST)
            }
        };
        self.failed = Some(why);
        if self.under_way.is_empty() && !self.is_once {
            self.due = Some(now + shortened(pause.max(share)));
        }
    }

    /// Aborts the oldest attempt, so that another address can be tried.
    pub(super) fn yield_oldest(&mut self, now: Instant) {
        if !self.under_way.is_empty() {
            self.under_way.remove(0).1.abort();
            self.is_fresh = false;
            self.due = self.due.or(Some(now + RETRY_LONGEST));
        }
    }

    /// Retries at once, because a server was announced here again.
    pub(super) fn hurry(&mut self, now: Instant) {
        let least = match (&self.failed, self.under_way.is_empty()) {
            (_, false) => ANSWERED_PAUSE,
            (Some(why), true) if why.is_answer() => ANSWERED_PAUSE,
            (_, true) => RETRY_LEAST,
        };
        let due = self.due.or(std::mem::take(&mut self.is_once).then_some(now + least));
        if let (Some(due), Some(begun)) = (due, self.begun) {
            self.due = Some(due.min((begun + least).max(now)));
        }
    }

    pub(super) fn end(&mut self) {
        self.under_way.drain(..).for_each(|(_, task)| task.abort());
        (self.due, self.is_fresh) = (None, false);
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.end();
    }
}

/// Shortens a pause by up to a quarter, so that clients do not connect at the same moment.
fn shortened(pause: Duration) -> Duration {
    let mut random = [0; 1];
    // Without random numbers, they only connect at the same moment.
    let _ = getrandom::fill(&mut random);
    pause - pause / 4 * u32::from(random[0]) / 255
}
