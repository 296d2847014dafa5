//! `lanchat discover`: lists the servers on this network, as a table or as JSON.

mod listing;

pub(crate) use listing::{Listed, json, merge, table, twins};

use super::args::{CommonArgs, DiscoverArgs};
use super::exit::{Exit, ExitError};
use super::logging;
use super::progress::ProgressDisplay;
use super::runtime;
use super::values::LogLevel;
use crate::client::Inspector;
use crate::discovery::{Found, Goodbyes, MdnsSearch, ScanScope, SearchOptions, SearchReport};
use crate::limits::{DEFAULT_PORT, LIST_LEAST, LIST_PAUSE, LIST_QUIET};
use anyhow::Context;
use listing::{by_chat, table_part};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::pin::pin;
use tokio::time::{Instant, interval, sleep_until};

/// Lists the servers on this network on standard output; at a terminal, as they are found. `inspector` asks for
/// the server at an address (for `--scan`), and knows the servers joined before. No server is exit status 3.
pub(crate) fn run(
    common: &CommonArgs,
    discover: &DiscoverArgs,
    inspector: &Inspector,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, std::io::stderr)?;
    let is_live = !discover.json && std::io::stdout().is_terminal();
    let probe = |addr| inspector.clone().probe(addr);
    let progress = ProgressDisplay::new(common, "trying each address");
    let mut output = Output { inspector, progress: &progress, is_live, shown: Vec::new() };
    let terrain = discover.scan.then(ScanScope::survey).transpose();
    let terrain =
        terrain.context("cannot list this machine's networks; run it without --scan")?.unwrap_or_default();
    let (servers, tried) = runtime::finish(runtime::small()?, async {
        let mut search = ServerSearch::start();
        let ports = distinct([DEFAULT_PORT].into_iter().chain(inspector.ports()));
        let tell = |done: u64, total: u64| progress.set(done, total);
        // The scan and the search start together: neither needs the other.
        let mut scanned =
            scan_beside(terrain.scan(&ports, probe, None, tell), &mut search, discover, &mut output).await;
        // If a server announces another port, unannounced servers may use that port too.
        let announced = search.search.sightings().flat_map(|seen| seen.addrs.iter().map(SocketAddr::port));
        let more: Vec<u16> = distinct(announced).into_iter().filter(|port| !ports.contains(port)).collect();
        scanned.extend(terrain.scan(&more, probe, None, tell).await);
        let servers = merge(search.present(), scanned.iter().map(Listed::from).collect());
        (servers, SearchReport { scanned: discover.scan, ..search.tried() })
    });
    output.finish(servers, discover.json)?;
    let shown = output.shown.iter().filter_map(|(name, _, id)| Some((name.as_str(), id.as_deref().ok()?)));
    for note in twins(shown) {
        eprintln!("{note}");
    }
    match output.shown.is_empty() {
        true => Err(ExitError::new(Exit::NoServer, anyhow::anyhow!("{}", nothing_found(&tried, &terrain)))),
        false => Ok(()),
    }
}

/// Scans and listens at the same time. If the scan finds a server, it does not wait for answers by mDNS.
async fn scan_beside<T>(
    scan: impl Future<Output = Vec<Found<T>>>,
    search: &mut ServerSearch,
    discover: &DiscoverArgs,
    output: &mut Output<'_>,
) -> Vec<Found<T>> {
    let least = search.start + LIST_LEAST;
    let scan = async {
        let found = scan.await;
        sleep_until(least).await;
        found
    };
    let (mut scan, mut listening) = (pin!(scan), pin!(search.listen(discover, output)));
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

/// Says why the list is empty, and what else to try.
fn nothing_found(tried: &SearchReport, terrain: &ScanScope) -> String {
    match (tried.scanned, terrain.is_empty()) {
        (false, _) => tried.to_string(),
        (true, true) => format!(
            "{tried}; nor could addresses be scanned, because this machine is not in a private IPv4 network"
        ),
        (true, false) => format!("{tried}; no address of {terrain} answered either"),
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

/// A search for every server.
struct ServerSearch {
    search: MdnsSearch,
    farewells: Goodbyes,
    start: Instant,
}

impl ServerSearch {
    fn start() -> ServerSearch {
        let farewells = Goodbyes::listen();
        ServerSearch { search: MdnsSearch::start(SearchOptions::default()), farewells, start: Instant::now() }
    }

    /// Listens until no further servers turn up, or with `--first` until one does; for the whole time if none
    /// does. Returns whether it heard a server.
    async fn listen(&mut self, discover: &DiscoverArgs, output: &mut Output<'_>) -> bool {
        let deadline = self.start + discover.timeout;
        let mut until = deadline;
        let mut pause = interval(LIST_PAUSE);
        // The servers of the previous tick: those that are unchanged are shown.
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
                _ = pause.tick(), if output.is_live => {
                    let present = self.present();
                    let settled = present.iter().filter(|server| before.contains(*server)).cloned().collect();
                    // If the terminal is closed, nobody needs the lines.
                    let _ = output.show(settled);
                    before = present;
                }
                () = sleep_until(until) => return !self.present().is_empty(),
            }
        }
    }

    /// Lists the servers that are there. The search keeps those that said goodbye for another second; this does
    /// not.
    fn present(&self) -> Vec<Listed> {
        let present = self.search.sightings().filter(|seen| !self.farewells.has(&seen.instance));
        present.map(Listed::from).collect()
    }

    fn tried(&self) -> SearchReport {
        let reach = Some(self.search.reach().clone());
        SearchReport { reach, waited: self.start.elapsed(), ..SearchReport::default() }
    }
}

/// A shown server: its name, its name within its chat, and its id or else its addresses.
type Shown = (String, Option<String>, Result<String, Vec<SocketAddr>>);

/// Standard output, and the servers shown on it.
struct Output<'a> {
    inspector: &'a Inspector,
    progress: &'a ProgressDisplay,
    /// Whether to show servers as they come.
    is_live: bool,
    /// The shown servers.
    shown: Vec<Shown>,
}

impl Output<'_> {
    /// Shows the new servers below the others.
    fn show(&mut self, servers: Vec<Listed>) -> std::io::Result<()> {
        let is_first = self.shown.is_empty();
        let new = self.add_new(servers);
        if new.is_empty() {
            return Ok(());
        }
        self.progress.suspend(|| std::io::stdout().write_all(table_part(&new, is_first).as_bytes()))
    }

    /// Shows all servers; on a live screen, the missing ones.
    fn finish(&mut self, servers: Vec<Listed>, as_json: bool) -> std::io::Result<()> {
        if self.is_live {
            return self.show(servers);
        }
        let servers = self.add_new(servers);
        let text = if as_json { json(&servers) } else { table(&servers) };
        self.progress.suspend(|| std::io::stdout().write_all(text.as_bytes()))
    }

    fn add_new(&mut self, servers: Vec<Listed>) -> Vec<Listed> {
        let mut new = Vec::new();
        for mut server in servers {
            let node = server.nodes.first().map(|one| one.node.clone());
            let named = (server.name.clone(), node, server.id.clone().ok_or_else(|| server.addrs.clone()));
            if !self.shown.contains(&named) {
                self.shown.push(named);
                server.known = server.id.as_deref().is_some_and(|id| self.inspector.knows(id));
                new.push(server);
            }
        }
        by_chat(new)
    }
}
