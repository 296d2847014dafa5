//! From nothing to an open link: all that may lead to a server is tried at the same time.

use super::WELL_KNOWN_HOST;
use super::contest::Verdict;
use super::gateway::gateways;
use super::hunt::{Hint, Hunt};
use super::outcome::{Outcome, Proof, Source};
use super::search::{Change, Search, SearchOptions};
use crate::limits::{LOOKUP_AFTER, SEARCH_TIMEOUT, SLOW_SEARCH};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

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

/// Looks for a server by its last addresses, by mDNS, by a host named `lanchat`, and at the default gateway,
/// and gives open links to those that prove themselves with `probe`, which connects to an address and asks who
/// is there. No address is given up before the end: one that refuses is tried again every 200 to 400 ms, one
/// that is silent after 3 s, beside the first attempt, and any at once when it is announced anew. The first
/// proof counts, never the first connect. The server used last wins at once; otherwise there is a moment's wait
/// for others. Ends early if nobody goes by the wanted name. Runs on tokio; all that it started ends with it,
/// also when it is cancelled.
pub async fn find<T, E, F>(
    options: FindOptions,
    probe: impl Fn(SocketAddr) -> F,
    mut progress: impl FnMut(Progress),
) -> Outcome<T>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Error + Send + 'static,
{
    let start = Instant::now();
    let deadline = start + options.timeout;
    let mut hunt = Hunt::new(&options, probe);
    let mut search = options.discovery.then(|| Search::start(SearchOptions::default()));
    let reach = search.as_ref().map(|search| search.reach().clone());
    let mut look_up = options.discovery.then_some(start + LOOKUP_AFTER);
    let mut slow = Some(start + SLOW_SEARCH);
    let mut lookup = JoinSet::new();
    loop {
        let sources_over = search.is_none()
            && lookup.is_empty()
            && look_up.is_none()
            && (slow.is_none() || !options.discovery);
        let until = match hunt.verdict() {
            Verdict::Decided => break,
            // Nothing can turn up.
            _ if sources_over && !hunt.has_places() => break,
            Verdict::Settling(until) => until.min(deadline),
            Verdict::Open => deadline,
        };
        let due = hunt.due();
        tokio::select! {
            change = next(&mut search) => match change {
                Some(Change::Seen(sighting)) => hunt.sight(sighting),
                Some(Change::Gone(_)) => {}
                // Nothing could be opened, so only the resolver and the gateway are left.
                None => {
                    let now = |_| Instant::now();
                    (search, look_up, slow) = (None, look_up.map(now), slow.map(now));
                }
            },
            Some(ended) = hunt.ended() => hunt.take(ended),
            Some(Ok(addrs)) = lookup.join_next() => {
                let name = Some(format!("the host named {WELL_KNOWN_HOST}"));
                hunt.offer(Hint { expected: None, name, source: Source::Named, addrs });
            }
            () = sleep_until(due.unwrap_or(until)), if due.is_some() => hunt.tend(),
            () = sleep_until(look_up.unwrap_or(until)), if look_up.is_some() => {
                look_up = None;
                if hunt.is_open() {
                    lookup.spawn(well_known(options.default_port));
                }
            }
            () = sleep_until(slow.unwrap_or(until)), if slow.is_some() => {
                slow = None;
                if hunt.is_open() {
                    progress(Progress::Slow);
                    let gateways = if options.discovery { gateways() } else { Vec::new() };
                    let addrs = gateways.into_iter().map(|ip| (ip, options.default_port).into()).collect();
                    hunt.offer(Hint { expected: None, name: None, source: Source::Guessed, addrs });
                }
            }
            () = sleep_until(until) => break,
        }
    }
    hunt.conclude(|tried| {
        tried.waited = start.elapsed();
        tried.reach = reach;
    })
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
