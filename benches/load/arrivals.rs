//! Clients that come when they can: who is refused or cut off tries again later, as the real client
//! does.

use crate::rig::clients::Clients;
use anyhow::{Result, bail};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// The real client's bounds of the pauses between two attempts: each doubles, and is shortened by chance
/// to between half and all of it.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(4);

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// See the module.
pub struct Arrivals {
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    bounds: Vec<Duration>,
    /// Attempts that failed.
    pub failed: u64,
    /// Clients that got a goodbye before their connection ended.
    pub told: Vec<bool>,
}

/// When how many were in, from some moment on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub half: Duration,
    pub most: Duration,
    pub all: Duration,
}

impl Arrivals {
    pub fn new(clients: usize) -> Self {
        Self { due: BinaryHeap::new(), bounds: vec![FIRST; clients], failed: 0, told: vec![false; clients] }
    }

    /// Has a client try now.
    pub fn now(&mut self, n: usize) {
        self.due.push(Reverse((Instant::now(), n)));
    }

    /// Has a client try after its pause.
    pub fn later(&mut self, n: usize) {
        let bound = self.bounds[n];
        self.bounds[n] = (bound * 2).min(LONGEST);
        let mut random = [0];
        // Without randomness they come back together, and that would show.
        let _ = getrandom::fill(&mut random);
        let pause = bound / 2 + bound / 2 * u32::from(random[0]) / 255;
        self.due.push(Reverse((Instant::now() + pause, n)));
    }

    /// Lets those try whose time it is, and looks at who got in, failed or was cut off.
    pub fn turn(&mut self, clients: &mut Clients) -> Result<()> {
        while let Some(Reverse((due, n))) = self.due.peek().copied()
            && due <= Instant::now()
        {
            self.due.pop();
            clients.open(n)?;
        }
        clients.turn(Duration::from_millis(2))?;
        for n in std::mem::take(&mut clients.ended) {
            self.failed += u64::from(!clients.peers[n].told_bye);
            self.told[n] |= clients.peers[n].told_bye;
            self.later(n);
        }
        Ok(())
    }

    /// Goes on until all are in.
    pub fn finish(&mut self, clients: &mut Clients, started: Instant) -> Result<Times> {
        let (all, mut times) = (clients.peers.len(), Times::default());
        while clients.present < all {
            self.turn(clients)?;
            let now = started.elapsed();
            if clients.present * 2 < all {
                times.half = now;
            }
            if clients.present * 100 < all * 99 {
                times.most = now;
            }
            times.all = now;
            if now > PATIENCE {
                bail!(
                    "only {} of {all} are in after {PATIENCE:?}: {:?}",
                    clients.present,
                    clients.tally.complaint
                );
            }
        }
        Ok(times)
    }
}
