//! Clients that look for the server as the program does, with `discovery::find`: what their further attempts
//! cost the server, next to clients that come when it is there.

use crate::rig::serve::Server;
use anyhow::{Result, ensure};
use lanchat::client::Inspector;
use lanchat::discovery::{FindOptions, FindOutcome, RememberedServer, find};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// How long one may look.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection that a client ends keeps its port for a minute (TIME_WAIT), and an address has 28,000.
const MOST: usize = 10_000;

/// How long they look before the server starts.
const EARLY: Duration = Duration::from_secs(1);

/// Their cost.
pub struct Figures {
    /// From the moment at which the server was there until all have found it.
    pub all: Duration,
    /// Of the server.
    pub cpu: Duration,
    /// Attempts of a client in that time.
    pub attempts: f64,
}

/// Clients that know the server, and ask who is there.
pub struct Seekers {
    runtime: Runtime,
    inspector: Inspector,
    known: RememberedServer,
    count: usize,
    attempts: Arc<AtomicUsize>,
}

/// Searches under way, each of which says whether it found the server.
type Searches = JoinSet<bool>;

impl Seekers {
    /// So many, 10,000 at most, who know the server at this address.
    pub fn new(address: SocketAddr, count: usize, plaintext: bool) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let inspector = Inspector::new(plaintext, &[])?;
        let proof = runtime.block_on(inspector.clone().probe(address))?;
        let known = RememberedServer {
            id: proof.id,
            name: proof.name,
            addrs: vec![address],
            named: Vec::new(),
            last_used: true,
        };
        Ok(Self { runtime, inspector, known, count: count.min(MOST), attempts: Arc::default() })
    }

    /// All look at the same moment, and the server is there.
    pub fn come(&self, server: &Server) -> Result<Figures> {
        let (cpu, started) = (server.process.cpu()?, Instant::now());
        let early = self.attempts.load(Ordering::Relaxed);
        self.end(self.begin(), server, (cpu, started, early))
    }

    /// All look, and the server starts later.
    pub fn wait(&self, start: impl FnOnce() -> Result<Server>) -> Result<Figures> {
        let searches = self.begin();
        self.runtime.block_on(async { tokio::time::sleep(EARLY).await });
        let server = start()?;
        let early = self.attempts.load(Ordering::Relaxed);
        self.end(searches, &server, (Duration::ZERO, Instant::now(), early))
    }

    fn begin(&self) -> Searches {
        let _context = self.runtime.enter();
        let mut searches = JoinSet::new();
        for _ in 0..self.count {
            let options = FindOptions {
                known: vec![self.known.clone()],
                discovery: false,
                timeout: PATIENCE,
                ..FindOptions::default()
            };
            let (inspector, attempts) = (self.inspector.clone(), Arc::clone(&self.attempts));
            let probe = move |addr| {
                attempts.fetch_add(1, Ordering::Relaxed);
                inspector.clone().probe(addr)
            };
            searches.spawn(async { matches!(find(options, probe, || {}).await, FindOutcome::Found(_)) });
        }
        searches
    }

    fn end(
        &self,
        searches: Searches,
        server: &Server,
        (cpu, started, early): (Duration, Instant, usize),
    ) -> Result<Figures> {
        let found = self.runtime.block_on(searches.join_all()).into_iter().filter(|found| *found).count();
        ensure!(found == self.count, "only {found} of {} found the server", self.count);
        let attempts = (self.attempts.load(Ordering::Relaxed) - early) as f64 / self.count as f64;
        Ok(Figures { all: started.elapsed(), cpu: server.process.cpu()? - cpu, attempts })
    }
}
