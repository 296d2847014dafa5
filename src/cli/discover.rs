//! `lanchat discover`: the servers of this network, as a table or as JSON.

mod listing;

pub use listing::{Listed, json, merge, table};

use super::args::{CommonArgs, DiscoverArgs};
use super::exit::{Exit, Failure};
use super::logging::{self, Level};
use super::progress::Progress;
use super::runtime;
use crate::client::Inspector;
use crate::discovery::{Found, Goodbyes, MdnsSearch, ScanScope, SearchOptions, SearchReport};
use crate::limits::{DEFAULT_PORT, LIST_LEAST, LIST_PAUSE, LIST_QUIET};
use anyhow::Context;
use listing::table_part;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::pin::pin;
use tokio::time::{Instant, interval, sleep_until};

/// Lists the servers of this network on standard output; at a terminal as they are found. `inspector`
/// asks who is at an address, for `--scan`, and says which servers are known.
///
/// # Errors
/// Exit status 3 if there is none.
pub fn run(common: &CommonArgs, discover: &DiscoverArgs, inspector: &Inspector) -> Result<(), Failure> {
    logging::start(common, Level::Error, std::io::stderr)?;
    let is_live = !discover.json && std::io::stdout().is_terminal();
    let probe = |addr| inspector.clone().probe(addr);
    let progress = Progress::new(common, "looking at each address");
    let mut screen = Screen { inspector, progress: &progress, is_live, shown: Vec::new() };
    let terrain = discover.scan.then(ScanScope::survey).transpose();
    let terrain = terrain.context("cannot list the networks of this machine")?.unwrap_or_default();
    let (servers, tried) = runtime::finish(runtime::small()?, async {
        let mut list = List::start();
        let ports = distinct([DEFAULT_PORT].into_iter().chain(inspector.ports()));
        let tell = |done: u64, total: u64| progress.tell(done, total);
        // Both begin at once: a scan has nothing to wait for.
        let mut scanned =
            scan_beside(terrain.scan(&ports, probe, None, tell), &mut list, discover, &mut screen).await;
        // Where some are announced on another port, others may listen there that are not announced.
        let announced = list.search.sightings().flat_map(|seen| seen.addrs.iter().map(SocketAddr::port));
        let more: Vec<u16> = distinct(announced).into_iter().filter(|port| !ports.contains(port)).collect();
        scanned.extend(terrain.scan(&more, probe, None, tell).await);
        let servers = merge(list.present(), scanned.iter().map(Listed::from).collect());
        (servers, SearchReport { scanned: discover.scan, ..list.tried() })
    });
    screen.finish(servers, discover.json)?;
    match screen.shown.is_empty() {
        true => Err(Failure::new(Exit::NoServer, anyhow::anyhow!("{}", vain(&tried, &terrain)))),
        false => Ok(()),
    }
}

/// Scans and listens at the same time. What a scan finds is reason enough not to wait for an answer by
/// mDNS that does not come.
async fn scan_beside<T>(
    scan: impl Future<Output = Vec<Found<T>>>,
    list: &mut List,
    discover: &DiscoverArgs,
    screen: &mut Screen<'_>,
) -> Vec<Found<T>> {
    let least = list.start + LIST_LEAST;
    let scan = async {
        let found = scan.await;
        sleep_until(least).await;
        found
    };
    let (mut scan, mut listening) = (pin!(scan), pin!(list.listen(discover, screen)));
    tokio::select! {
        found = &mut scan => {
            if found.is_empty() {
                listening.await;
            }
            found
        }
        heard = &mut listening => match heard && discover.first {
            true => Vec::new(),
            false => scan.await,
        },
    }
}

/// Why the list is empty, and what else may be tried.
fn vain(tried: &SearchReport, terrain: &ScanScope) -> String {
    match (tried.scanned, terrain.is_empty()) {
        (false, _) => tried.to_string(),
        (true, true) => format!("{tried}; no address was tried: this machine is in no private IPv4 network"),
        (true, false) => format!("{tried}; every address of {terrain} was tried"),
    }
}

fn distinct(ports: impl IntoIterator<Item = u16>) -> Vec<u16> {
    let mut distinct = Vec::new();
    for port in ports {
        if !distinct.contains(&port) {
            distinct.push(port);
        }
    }
    distinct
}

/// A search for all that there are.
struct List {
    search: MdnsSearch,
    farewells: Goodbyes,
    start: Instant,
}

impl List {
    fn start() -> List {
        let farewells = Goodbyes::listen();
        List { search: MdnsSearch::start(SearchOptions::default()), farewells, start: Instant::now() }
    }

    /// Listens until it is quiet, or until there is one if that is enough; where nothing is heard, for
    /// all of the time. Whether there is one.
    async fn listen(&mut self, discover: &DiscoverArgs, screen: &mut Screen<'_>) -> bool {
        let deadline = self.start + discover.timeout.0;
        let mut until = deadline;
        let mut pause = interval(LIST_PAUSE);
        // As they were a pause ago: what has stayed so since is shown.
        let mut before = Vec::new();
        loop {
            tokio::select! {
                Some(_) = self.search.next() => {
                    let quiet = match discover.first {
                        true => Instant::now() + LIST_PAUSE,
                        false => (Instant::now() + LIST_QUIET).max(self.start + LIST_LEAST),
                    };
                    until = if self.present().is_empty() { deadline } else { quiet.min(deadline) };
                }
                _ = pause.tick(), if screen.is_live => {
                    let present = self.present();
                    let settled = present.iter().filter(|server| before.contains(*server)).cloned().collect();
                    // Whoever closes the terminal has seen enough.
                    let _ = screen.show(settled);
                    before = present;
                }
                () = sleep_until(until) => return !self.present().is_empty(),
            }
        }
    }

    /// Those that are there: who said goodbye counts as seen for a second more by the search.
    fn present(&self) -> Vec<Listed> {
        let present = self.search.sightings().filter(|seen| !self.farewells.has(&seen.instance));
        present.map(Listed::from).collect()
    }

    fn tried(&self) -> SearchReport {
        let reach = Some(self.search.reach().clone());
        SearchReport { reach, waited: self.start.elapsed(), ..SearchReport::default() }
    }
}

/// Standard output, with what is on it.
struct Screen<'a> {
    inspector: &'a Inspector,
    progress: &'a Progress,
    /// Whether servers are shown as they come.
    is_live: bool,
    /// Those that are shown, by name and id, or else address.
    shown: Vec<(String, Result<String, Vec<SocketAddr>>)>,
}

impl Screen<'_> {
    /// Shows those that are not shown yet, below the others.
    fn show(&mut self, servers: Vec<Listed>) -> std::io::Result<()> {
        let is_first = self.shown.is_empty();
        let fresh = self.take_in(servers);
        if fresh.is_empty() {
            return Ok(());
        }
        self.progress.aside(|| std::io::stdout().write_all(table_part(&fresh, is_first).as_bytes()))
    }

    /// Shows all, or what is missing.
    fn finish(&mut self, servers: Vec<Listed>, as_json: bool) -> std::io::Result<()> {
        if self.is_live {
            return self.show(servers);
        }
        let servers = self.take_in(servers);
        let text = if as_json { json(&servers) } else { table(&servers) };
        self.progress.aside(|| std::io::stdout().write_all(text.as_bytes()))
    }

    fn take_in(&mut self, servers: Vec<Listed>) -> Vec<Listed> {
        let mut fresh = Vec::new();
        for mut server in servers {
            let named = (server.name.clone(), server.id.clone().ok_or_else(|| server.addrs.clone()));
            if !self.shown.contains(&named) {
                self.shown.push(named);
                server.known = server.id.as_deref().is_some_and(|id| self.inspector.knows(id));
                fresh.push(server);
            }
        }
        fresh
    }
}
