//! From nothing to an open link: all that may lead to a server is tried at the same time.

use super::WELL_KNOWN_HOST;
use super::contest::{Contest, Verdict};
use super::label::{is_named, is_same_id};
use super::order::in_order;
use super::outcome::{Outcome, Proof};
use super::search::{Change, Search, SearchOptions};
use super::sighting::Sighting;
use crate::limits::{MAX_PROBES, MAX_SERVERS, PROBE_STAGGER, PROBE_TIMEOUT, SEARCH_TIMEOUT, SLOW_SEARCH};
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A server of an earlier time.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id, which it has to prove again.
    pub id: String,
    /// Its name then.
    pub name: String,
    /// Where it was then, newest first.
    pub addrs: Vec<SocketAddr>,
    /// Whether it is the one that was used last: it is joined as soon as it answers.
    pub last_used: bool,
}

/// What to look for, and how.
#[derive(Clone, Debug)]
pub struct FindOptions {
    /// Servers of earlier times, tried at once.
    pub known: Vec<Known>,
    /// The server's name, its label, or the first four or more digits of its id.
    pub wanted: Option<String>,
    /// When to give up.
    pub timeout: Duration,
    /// Whether to use mDNS and DNS; without it no multicast socket is opened.
    pub discovery: bool,
    /// The port to try at the host named `lanchat`.
    pub default_port: u16,
}

impl Default for FindOptions {
    fn default() -> FindOptions {
        FindOptions {
            known: Vec::new(),
            wanted: None,
            timeout: SEARCH_TIMEOUT,
            discovery: true,
            default_port: crate::limits::DEFAULT_PORT,
        }
    }
}

/// News of a search that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is slow: one second has passed and nothing has answered.
    Slow,
}

/// Looks for a server by its last addresses, by mDNS, and by a host named `lanchat`, and gives open
/// links to those that prove themselves with `probe`, which connects to an address and asks who is
/// there. A server's addresses are raced; the first proof counts, never the first connect. The
/// server used last wins at once; otherwise there is a moment's wait for others. Runs on tokio; all
/// that it started ends with it, also when it is cancelled.
pub async fn find<T, E, F>(
    options: FindOptions,
    probe: impl Fn(SocketAddr) -> F,
    mut progress: impl FnMut(Progress),
) -> Outcome<T>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Display + Send + 'static,
{
    let start = Instant::now();
    let deadline = start + options.timeout;
    let mut hunt = Hunt::new(&options, probe);
    let mut search = options.discovery.then(|| Search::start(SearchOptions::default()));
    for known in options.known {
        hunt.offer(Some(known.id), known.last_used, known.addrs);
    }
    let reach = search.as_ref().map(|search| search.reach().clone());
    let mut slow = Some(start + SLOW_SEARCH);
    let mut lookup = JoinSet::new();
    loop {
        let sources_over = search.is_none() && lookup.is_empty() && (slow.is_none() || !options.discovery);
        let until = match hunt.verdict() {
            Verdict::Decided => break,
            // Nothing new can turn up.
            _ if sources_over && hunt.attempts.is_empty() => break,
            Verdict::Settling(until) => until,
            Verdict::Open => deadline,
        };
        tokio::select! {
            change = next(&mut search) => match change {
                Some(Change::Seen(sighting)) => hunt.sight(sighting),
                Some(Change::Gone(_)) => {}
                // Nothing could be opened, so only the resolver is left.
                None => (search, slow) = (None, slow.map(|_| Instant::now())),
            },
            Some(ended) = hunt.attempts.join_next() => hunt.take(ended),
            Some(Ok(addrs)) = lookup.join_next() => hunt.offer(None, false, addrs),
            () = sleep_until(slow.unwrap_or(until)), if slow.is_some() => {
                slow = None;
                if hunt.verdict() == Verdict::Open {
                    progress(Progress::Slow);
                }
                if options.discovery {
                    lookup.spawn(well_known(options.default_port));
                }
            }
            () = sleep_until(until) => break,
        }
    }
    let tried = hunt.contest.tried_mut();
    tried.waited = start.elapsed();
    tried.reach = reach;
    hunt.conclude()
}

async fn next(search: &mut Option<Search>) -> Option<Change> {
    match search {
        Some(search) => search.next().await,
        None => std::future::pending().await,
    }
}

/// The addresses of the host named `lanchat`, if the resolver knows one.
async fn well_known(port: u16) -> Vec<SocketAddr> {
    match tokio::net::lookup_host((WELL_KNOWN_HOST, port)).await {
        Ok(addrs) => addrs.collect(),
        Err(error) => {
            tracing::debug!(%error, "no host named {WELL_KNOWN_HOST}");
            Vec::new()
        }
    }
}

/// One server to be, with the addresses at which it may be.
struct Contender {
    /// The id that it has to prove, if it is known.
    expected: Option<String>,
    /// Whether there is a reason to wait for it: it was seen, or it is the one used last.
    awaited: bool,
    addrs: Vec<SocketAddr>,
    attempts: Vec<AbortHandle>,
    /// How many of the attempts are still under way.
    open: usize,
}

/// What an attempt brought: of which contender, where, and what.
type Attempt<T> = (usize, SocketAddr, Result<Proof<T>, String>);

/// The attempts under way.
struct Hunt<T, P> {
    probe: P,
    contest: Contest<T>,
    contenders: Vec<Contender>,
    /// The names and ids that were heard of, those that are not wanted among them.
    heard: Vec<(String, String)>,
    attempts: JoinSet<Attempt<T>>,
    /// Bounds the connections open at the same time.
    permits: Arc<Semaphore>,
}

impl<T, E, F, P> Hunt<T, P>
where
    P: Fn(SocketAddr) -> F,
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Display + Send + 'static,
{
    fn new(options: &FindOptions, probe: P) -> Hunt<T, P> {
        let last_used = options.known.iter().find(|known| known.last_used).map(|known| known.id.clone());
        Hunt {
            probe,
            contest: Contest::new(options.wanted.clone(), last_used),
            contenders: Vec::new(),
            heard: Vec::new(),
            attempts: JoinSet::new(),
            permits: Arc::new(Semaphore::new(MAX_PROBES)),
        }
    }

    /// Takes in a server that was seen.
    fn sight(&mut self, sighting: Sighting) {
        let heard = sighting.id.clone().map(|id| (sighting.name.clone(), id));
        if let Some(heard) = heard.filter(|heard| !self.heard.contains(heard))
            && self.heard.len() < MAX_SERVERS
        {
            self.heard.push(heard);
        }
        if self.contest.may_be_wanted(&sighting) {
            self.offer(sighting.id, true, sighting.addrs);
        }
    }

    /// Starts attempts at the addresses that are new, one every 25 ms.
    fn offer(&mut self, expected: Option<String>, awaited: bool, addrs: Vec<SocketAddr>) {
        if expected.as_ref().is_some_and(|id| self.contest.has_proven(id)) {
            return;
        }
        let Some(at) = self.contender(expected, &addrs) else { return };
        self.contenders[at].awaited |= awaited;
        let mut pause = Duration::ZERO;
        for addr in in_order(addrs) {
            if self.contenders[at].addrs.contains(&addr) {
                continue;
            }
            let attempt = (self.probe)(addr);
            let permits = self.permits.clone();
            let task = self.attempts.spawn(async move {
                sleep(pause).await;
                let _permit = permits.acquire_owned().await;
                let result = match timeout(PROBE_TIMEOUT, attempt).await {
                    Ok(result) => result.map_err(|error| error.to_string()),
                    Err(_late) => Err(format!("no answer within {} s", PROBE_TIMEOUT.as_secs())),
                };
                (at, addr, result)
            });
            let contender = &mut self.contenders[at];
            contender.addrs.push(addr);
            contender.attempts.push(task);
            contender.open += 1;
            pause += PROBE_STAGGER;
        }
    }

    /// The contender of this id; of those without one, the contender that shares an address. `None`
    /// for one more than a LAN has: somebody invents them.
    fn contender(&mut self, expected: Option<String>, addrs: &[SocketAddr]) -> Option<usize> {
        let same = |contender: &Contender| match &expected {
            Some(id) => contender.expected.as_ref().is_some_and(|expected| is_same_id(expected, id)),
            None => contender.expected.is_none() && contender.addrs.iter().any(|a| addrs.contains(a)),
        };
        let present = self.contenders.iter().position(same);
        if present.is_none() && self.contenders.len() < MAX_SERVERS {
            let (addrs, attempts) = (Vec::new(), Vec::new());
            self.contenders.push(Contender { expected, awaited: false, addrs, attempts, open: 0 });
            return Some(self.contenders.len() - 1);
        }
        present
    }

    /// Takes in what an attempt brought.
    fn take(&mut self, ended: Result<Attempt<T>, JoinError>) {
        let (at, addr, result) = match ended {
            Ok(attempt) => attempt,
            // Those that were dropped for the winner.
            Err(error) if error.is_cancelled() => return,
            Err(error) => return tracing::error!(%error, "an attempt to connect ended badly"),
        };
        let contender = &mut self.contenders[at];
        contender.open = contender.open.saturating_sub(1);
        match result {
            Ok(proof) => {
                let id = proof.id.clone();
                self.contest.proof(contender.expected.as_deref(), addr, proof, Instant::now());
                self.settle(&id, at);
            }
            Err(error) => self.contest.failure(addr, error),
        }
    }

    /// Drops the other attempts at a server that has proved itself.
    fn settle(&mut self, id: &str, at: usize) {
        if !self.contest.has_proven(id) {
            return;
        }
        for (index, contender) in self.contenders.iter_mut().enumerate() {
            let proven = contender.expected.as_ref().is_some_and(|expected| is_same_id(expected, id));
            if proven || (index == at && contender.expected.is_none()) {
                contender.attempts.drain(..).for_each(|task| task.abort());
                contender.open = 0;
            }
        }
    }

    fn verdict(&self) -> Verdict {
        let pending = self.contenders.iter().any(|contender| contender.awaited && contender.open > 0);
        self.contest.verdict(pending)
    }

    /// The end. Winners get the other addresses that are known of them, and their namesakes.
    fn conclude(mut self) -> Outcome<T> {
        let proven: Vec<_> =
            self.contest.proven_mut().iter().map(|found| (found.name.clone(), found.id.clone())).collect();
        for found in self.contest.proven_mut() {
            let own = self.contenders.iter().filter(|contender| match &contender.expected {
                Some(id) => is_same_id(id, &found.id),
                None => contender.addrs.contains(&found.addr),
            });
            for addr in own.flat_map(|contender| &contender.addrs) {
                if !found.addrs.contains(addr) {
                    found.addrs.push(*addr);
                }
            }
            for (name, id) in self.heard.iter().chain(&proven) {
                let is_told = found.namesakes.iter().any(|told| is_same_id(told, id));
                if is_named(name, &found.name) && !is_same_id(id, &found.id) && !is_told {
                    found.namesakes.push(id.clone());
                }
            }
        }
        self.contest.conclude()
    }
}
