//! Finds a server and connects to it, by everything that may lead to one, at the same time.

use super::WELL_KNOWN_HOST;
use super::attempts::{ConnectAttempts, Hint};
use super::gateway::gateways;
use super::mdns_search::{MdnsSearch, SearchEvent, SearchOptions};
use super::options::FindOptions;
use super::outcome::{FindOutcome, Proof, Source};
use super::selection::SelectionState;
use crate::limits::{LOOKUP_AFTER, SLOW_SEARCH};
use std::error::Error;
use std::net::SocketAddr;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Looks for a server at its last addresses, by mDNS, at a host named `lanchat`, and at the default gateway.
/// Returns open links to servers that `probe` verified; `probe` connects to an address and finds out who
/// answers.
///
/// The search gives up no address before it ends. It retries an address that refuses every 150 to 400 ms,
/// starts a second attempt at a silent one after 10 s, and retries any address at once when a server
/// announces it again. The first proof counts, never the first connection. The server used last wins at once;
/// otherwise, the search waits a moment for others. It ends early if no server has the wanted name. It calls
/// `slow_search` if nothing has answered after a second. Runs on tokio; everything that it starts ends with
/// it, even if it is cancelled.
pub async fn find<T, E, F>(
    options: FindOptions,
    probe: impl Fn(SocketAddr) -> F,
    mut slow_search: impl FnMut(),
) -> FindOutcome<T>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Error + Send + 'static,
{
    let start = Instant::now();
    let deadline = start + options.timeout;
    let mut attempts = ConnectAttempts::new(&options, probe);
    let mut search = options.discovery.then(|| MdnsSearch::start(SearchOptions::default()));
    let reach = search.as_ref().map(|search| search.reach().clone());
    let mut look_up = options.discovery.then_some(start + LOOKUP_AFTER);
    let mut slow = Some(start + SLOW_SEARCH);
    let mut lookup = JoinSet::new();
    loop {
        let sources_over = search.is_none()
            && lookup.is_empty()
            && look_up.is_none()
            && (slow.is_none() || !options.discovery);
        let is_over = sources_over && !attempts.has_endpoints();
        let Some(until) = until(attempts.state(), is_over, deadline) else { break };
        let due = attempts.due();
        tokio::select! {
            change = next(&mut search) => match change {
                Some(SearchEvent::Seen(sighting)) => attempts.sight(sighting),
                Some(SearchEvent::Gone(_)) => {}
                // No socket could be opened, so only the resolver and the gateway are left.
                None => {
                    let now = |_| Instant::now();
                    (search, look_up, slow) = (None, look_up.map(now), slow.map(now));
                }
            },
            Some(ended) = attempts.ended() => attempts.take(ended),
            Some(Ok(addrs)) = lookup.join_next() => attempts.offer(named(addrs)),
            () = sleep_until(due.unwrap_or(until)), if due.is_some() => attempts.tend(),
            () = sleep_until(look_up.unwrap_or(until)), if look_up.is_some() => {
                look_up = None;
                if attempts.is_open() {
                    lookup.spawn(well_known(options.default_port));
                }
            }
            () = sleep_until(slow.unwrap_or(until)), if slow.is_some() => {
                slow = None;
                if attempts.is_open() {
                    slow_search();
                    attempts.offer(guessed(&options));
                }
            }
            () = sleep_until(until) => break,
        }
    }
    attempts.conclude(|tried| {
        tried.waited = start.elapsed();
        tried.reach = reach;
    })
}

/// Until when to wait for more servers; `None` to stop now.
fn until(state: SelectionState, is_over: bool, deadline: Instant) -> Option<Instant> {
    match state {
        SelectionState::Decided => None,
        // Nothing is left that could find one.
        _ if is_over => None,
        SelectionState::Settling(until) => Some(until.min(deadline)),
        SelectionState::Open => Some(deadline),
    }
}

fn named(addrs: Vec<SocketAddr>) -> Hint {
    let name = Some(format!("the host named {WELL_KNOWN_HOST}"));
    Hint { expected: None, name, source: Source::Named, addrs, is_once: false }
}

/// The default gateways: in a container, or a Linux in Windows, the server may be on the host.
fn guessed(options: &FindOptions) -> Hint {
    let gateways = if options.discovery { gateways() } else { Vec::new() };
    let addrs = gateways.into_iter().map(|ip| (ip, options.default_port).into()).collect();
    Hint { expected: None, name: None, source: Source::Guessed, addrs, is_once: false }
}

async fn next(search: &mut Option<MdnsSearch>) -> Option<SearchEvent> {
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
