//! The examination: everything starts at once and ends within six seconds, whatever the network does.

use super::findings::{
    Findings, HostLookup, InterfaceReport, Lookup, MulticastFinding, Probe, ProbeOutcome, ProbeSource,
};
use super::machine::{self, Firewall, Machine};
use super::multicast::{test, untested};
use super::probe::{ProbeTarget, detour, probe};
use super::prober::Prober;
use crate::discovery::{
    LookupError, MdnsSearch, Networks, SearchEvent, SearchOptions, Sighting, WELL_KNOWN_HOST, all_interfaces,
    is_called, lookup, neighbours, scan, subnets, unsent,
};
use crate::limits::{
    DEFAULT_PORT, DOCTOR_GUESS, DOCTOR_LISTEN, DOCTOR_QUIET, DOCTOR_SCAN, DOCTOR_SEARCH_ON, DOCTOR_TARGETS,
    DOCTOR_TIME, MAX_KNOWN_TRIED,
};
use crate::text::safe_line;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A running examination.
pub struct Examination<C> {
    prober: C,
    findings: Findings,
    start: Instant,
    end: Instant,
    targets: HashSet<SocketAddr>,
    networks: Networks,
    repeats: Option<u64>,
    work: JoinSet<Done>,
    running: Running,
}

/// How many tasks of each kind are running.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    probes: usize,
    names: usize,
    neighbours: usize,
    /// Tasks whose result the diagnosis always needs.
    needed: usize,
}

enum Done {
    Probe(Probe),
    WellKnown(Lookup),
    Neighbours(BTreeSet<IpAddr>),
    Firewalls(Vec<Firewall>),
    Scan(Vec<SocketAddr>),
    Test(MulticastFinding),
}

impl<C: Prober> Examination<C> {
    /// Starts an examination with this machine's own data. Runs on tokio.
    pub fn start(prober: C, wanted: Option<String>) -> Self {
        let start = Instant::now();
        // Before this program itself joins a multicast group.
        let machine = Machine::look(DEFAULT_PORT);
        let links = all_interfaces().unwrap_or_default().into_iter().filter(|(link, _)| !link.loopback);
        let links = links.map(|(link, is_virtual)| InterfaceReport {
            is_virtual,
            name: link.name,
            addrs: link.addrs,
        });
        let findings = Findings {
            wanted,
            links: links.collect(),
            subnets: subnets().unwrap_or_default(),
            machine,
            ..Findings::default()
        };
        let mut examination = Self {
            prober,
            findings,
            start,
            end: start + DOCTOR_TIME,
            targets: HashSet::new(),
            networks: Networks::now().unwrap_or_default(),
            repeats: machine::failed_repeats(),
            work: JoinSet::new(),
            running: Running { needed: 1, ..Running::default() },
        };
        examination.work.spawn_blocking(|| Done::Firewalls(machine::firewalls()));
        examination
    }

    /// Examines the way to one host. `multicast` allows asking for a `.local` name by mDNS; nothing else here
    /// opens a multicast socket.
    pub async fn of_host(mut self, host: &str, port: u16, multicast: bool) -> Findings {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let lookup = look_up(host, port, multicast, self.end).await;
        if let Lookup::Found(addrs) = &lookup {
            for addr in addrs.clone() {
                self.probe(ProbeTarget { addr, source: ProbeSource::Host, name: None });
            }
        }
        self.findings.host = Some(HostLookup { name: safe_line(host), lookup: lookup.into() });
        while (self.running.probes > 0 && !self.is_answered()) || self.running.needed > 0 {
            if self.step().await.is_none() {
                break;
            }
        }
        self.finish()
    }

    /// Examines the way to any server, or to the wanted one; listens for `wait` at most.
    pub async fn of_network(mut self, wait: Duration) -> Findings {
        self.findings.unsent = unsent().into_iter().map(|(link, error)| (link, error.to_string())).collect();
        let mut search = MdnsSearch::start(SearchOptions::default());
        self.findings.port.clone_from(&search.reach().port);
        self.findings.failures.clone_from(&search.reach().failures);
        self.probe_known_addresses();
        let last = self.start + wait.min(DOCTOR_LISTEN);
        self.work.spawn(async move {
            let left = last.saturating_duration_since(Instant::now());
            Done::Neighbours(neighbours(left).await)
        });
        let end = self.end;
        self.work.spawn(async move {
            Done::WellKnown(look_up(WELL_KNOWN_HOST, DEFAULT_PORT, false, end).await.into())
        });
        (self.running.names, self.running.neighbours) = (1, 1);
        let (mut quiet, mut goes_on) = (last, Some((self.start + DOCTOR_SEARCH_ON).min(last)));
        loop {
            let listens = Instant::now() < quiet;
            if !listens && goes_on.is_none() && self.is_enough() {
                break;
            }
            let until =
                [Some(quiet).filter(|_| listens), goes_on].into_iter().flatten().min().unwrap_or(self.end);
            tokio::select! {
                change = search.next(), if listens => match change {
                    Some(SearchEvent::Seen(sighting)) => {
                        self.note_server(&sighting);
                        quiet = last.min(Instant::now() + DOCTOR_QUIET);
                    }
                    Some(SearchEvent::Gone(_)) => {}
                    None => quiet = Instant::now(),
                },
                step = self.step() => if step.is_none() && Instant::now() >= self.end {
                    break;
                },
                () = sleep_until(until) => {}
            }
            if goes_on.is_some_and(|at| at <= Instant::now()) {
                goes_on = None;
                self.scan_if_need_be();
            }
            if goes_on.is_none() {
                self.test_if_need_be();
            }
        }
        self.finish()
    }

    /// Probes the addresses that `lanchat` would try, and other likely ones.
    fn probe_known_addresses(&mut self) {
        for (name, addrs) in self.prober.remembered().into_iter().take(MAX_KNOWN_TRIED) {
            for addr in addrs {
                self.probe(ProbeTarget {
                    addr,
                    source: ProbeSource::Remembered,
                    name: Some(safe_line(&name)),
                });
            }
        }
        for addr in self.findings.machine.listeners.clone() {
            let ip = match addr.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                // A server listens on IPv4 and IPv6.
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                ip => ip,
            };
            self.probe(ProbeTarget {
                addr: SocketAddr::new(ip, addr.port()),
                source: ProbeSource::Own,
                name: None,
            });
        }
        if let Some(router) = self.findings.machine.gateway {
            let addr = SocketAddr::from((router, DEFAULT_PORT));
            self.probe(ProbeTarget { addr, source: ProbeSource::Gateway, name: None });
        }
    }

    fn probe(&mut self, target: ProbeTarget) {
        if self.targets.len() >= DOCTOR_TARGETS || !self.targets.insert(target.addr) {
            return;
        }
        let end = match target.source {
            // A guess is not worth a long wait.
            ProbeSource::Neighbour | ProbeSource::Gateway => self.end.min(Instant::now() + DOCTOR_GUESS),
            _ => self.end,
        };
        let (prober, wanted) = (self.prober.clone(), self.findings.wanted.clone());
        let is_meant =
            move |name: &str, id: &str| wanted.as_deref().is_none_or(|wanted| is_called(wanted, name, id));
        self.work.spawn(async move { Done::Probe(probe(prober, target, end, is_meant).await) });
        self.running.probes += 1;
    }

    fn note_server(&mut self, seen: &Sighting) {
        for addr in self.findings.hear(seen, |addr| self.networks.may_be_at(addr)) {
            self.probe(ProbeTarget { addr, source: ProbeSource::Announced, name: None });
        }
    }

    /// Takes in the next result; `None` if no task is running or the time is up.
    async fn step(&mut self) -> Option<()> {
        let done = match timeout_at(self.end, self.work.join_next()).await {
            Ok(Some(Ok(done))) => done,
            Ok(Some(Err(error))) => {
                tracing::error!(%error, "a part of the examination failed");
                return Some(());
            }
            Ok(None) | Err(_) => {
                // All that remains is to listen.
                sleep_until(self.end).await;
                return None;
            }
        };
        match done {
            Done::Probe(probe) => {
                self.running.probes = self.running.probes.saturating_sub(1);
                self.note_probe(probe);
            }
            Done::WellKnown(lookup) => {
                self.running.names = 0;
                if let Lookup::Found(addrs) = &lookup {
                    for ip in addrs.clone() {
                        let addr = SocketAddr::new(ip, DEFAULT_PORT);
                        self.probe(ProbeTarget { addr, source: ProbeSource::WellKnown, name: None });
                    }
                }
                self.findings.well_known = Some(lookup);
            }
            Done::Neighbours(heard) => {
                self.running.neighbours = 0;
                self.note_neighbours(&heard);
            }
            Done::Firewalls(walls) => {
                self.running.needed -= 1;
                self.findings.machine.firewalls = walls;
            }
            Done::Scan(found) => {
                self.running.needed -= 1;
                (self.findings.scanned, self.findings.scan_found) = (true, found.len());
                let machines = machine::neighbours_there(self.findings.machine.gateway);
                self.findings.machines = Some(machines.len());
                // A server may be too slow for a scan, or hang.
                let slow = machines.into_iter().take(MAX_KNOWN_TRIED).filter(|_| found.is_empty());
                for ip in slow {
                    let addr = SocketAddr::from((ip, DEFAULT_PORT));
                    self.probe(ProbeTarget { addr, source: ProbeSource::Neighbour, name: None });
                }
                for addr in found {
                    self.probe(ProbeTarget { addr, source: ProbeSource::Scan, name: None });
                }
            }
            Done::Test(test) => {
                self.running.needed -= 1;
                self.findings.test = Some(test);
            }
        }
        Some(())
    }

    fn note_probe(&mut self, mut probe: Probe) {
        probe.detour = detour(probe.addr, &self.findings.subnets);
        if let IpAddr::V4(ip) = probe.addr.ip().to_canonical() {
            probe.is_there = machine::is_there(ip);
            // The neighbour table is more reliable than the time that the answer took.
            match (&probe.outcome, probe.is_there) {
                (ProbeOutcome::Rejected, Some(false)) => probe.outcome = ProbeOutcome::Unreachable,
                (ProbeOutcome::Unreachable, Some(true)) => probe.outcome = ProbeOutcome::Rejected,
                _ => {}
            }
        }
        self.findings.probes.push(probe);
    }

    fn note_neighbours(&mut self, heard: &BTreeSet<IpAddr>) {
        self.findings.others = heard.len();
        let real: Vec<&InterfaceReport> =
            self.findings.links.iter().filter(|link| !link.is_virtual).collect();
        let scope = match real.as_slice() {
            [one] => {
                self.findings.subnets.iter().find(|subnet| subnet.link == one.name).map(|subnet| subnet.index)
            }
            _ => None,
        };
        let addr = |ip: &IpAddr| match (ip, scope) {
            (IpAddr::V6(ip), Some(scope)) if ip.is_unicast_link_local() => {
                Some(SocketAddrV6::new(*ip, DEFAULT_PORT, 0, scope).into())
            }
            (IpAddr::V6(ip), None) if ip.is_unicast_link_local() => None,
            _ => Some(SocketAddr::new(*ip, DEFAULT_PORT)),
        };
        for addr in heard.iter().filter_map(addr).take(MAX_KNOWN_TRIED) {
            self.probe(ProbeTarget { addr, source: ProbeSource::Neighbour, name: None });
        }
    }

    /// Scans the network if no server was found so far.
    fn scan_if_need_be(&mut self) {
        if self.is_answered() || self.findings.servers.iter().any(|server| server.is_meant) {
            return;
        }
        let prober = self.prober.clone();
        self.running.needed += 1;
        self.work.spawn(async move {
            let found = scan(DEFAULT_PORT, move |addr| prober.clone().ask(addr), Some(DOCTOR_SCAN)).await;
            Done::Scan(found.unwrap_or_default().into_iter().map(|server| server.addr).collect())
        });
    }

    fn test_if_need_be(&mut self) {
        if self.findings.test.is_some() || self.running.needed > 1 {
            return;
        }
        let reached = self
            .findings
            .probes
            .iter()
            .filter(|probe| is_good(probe) && !self.findings.is_own(probe.addr.ip()));
        let mut reached: Vec<SocketAddr> = reached.map(|probe| probe.addr).collect();
        // A server that answers one-shot queries is found reliably; an announcement may be heard by chance.
        let is_found = |addr: &SocketAddr| {
            let of = self.findings.servers.iter().filter(|server| server.addrs.contains(addr));
            of.into_iter().any(|server| server.heard.one_shot)
        };
        if reached.iter().any(is_found) {
            return;
        }
        reached.sort_by_key(SocketAddr::is_ipv6);
        let on_link = |addr: &SocketAddr| Some((*addr, self.findings.subnet_of(addr.ip())?.clone()));
        let Some((addr, subnet)) = reached.iter().find_map(on_link) else { return };
        // Stands until the result arrives, and keeps a second test from starting.
        self.findings.test = Some(untested(addr, "it did not finish in time"));
        self.running.needed += 1;
        let (prober, end) = (self.prober.clone(), self.end);
        self.work.spawn(async move { Done::Test(test(prober, addr, &subnet, end).await) });
    }

    /// Whether a wanted server has answered on another machine.
    fn is_answered(&self) -> bool {
        self.findings.probes.iter().any(|probe| is_good(probe) && !self.findings.is_own(probe.addr.ip()))
    }

    /// Whether the remaining tasks cannot change the diagnosis.
    fn is_enough(&self) -> bool {
        // If a server is heard, a silent name server does not matter.
        let is_heard = self.findings.servers.iter().any(|server| server.is_meant);
        let has_asked_all = self.running.names == 0 && self.running.neighbours == 0;
        let is_rest_needless =
            self.is_answered() || (self.running.probes == 0 && (is_heard || has_asked_all));
        self.running.needed == 0 && is_rest_needless
    }

    fn finish(mut self) -> Findings {
        let repeats = self.repeats.zip(machine::failed_repeats());
        if repeats.is_some_and(|(before, after)| after > before) {
            for probe in &mut self.findings.probes {
                probe.is_swallowed = probe.outcome == ProbeOutcome::Silent && probe.is_there != Some(false);
            }
        }
        // However it was known before: a server says that it is there now.
        let is_announced =
            |addr: &SocketAddr| self.findings.servers.iter().any(|server| server.addrs.contains(addr));
        let announced: HashSet<SocketAddr> =
            self.findings.probes.iter().map(|probe| probe.addr).filter(is_announced).collect();
        for probe in &mut self.findings.probes {
            if announced.contains(&probe.addr) {
                probe.source = ProbeSource::Announced;
            }
        }
        self.findings.probes.sort_by_key(|probe| (probe.source, probe.addr.is_ipv6(), probe.addr));
        self.findings
    }
}

fn is_good(probe: &Probe) -> bool {
    matches!(probe.outcome, ProbeOutcome::Answered { key: Ok(_), is_meant: true, .. })
}

async fn look_up(host: &str, port: u16, multicast: bool, end: Instant) -> Lookup<SocketAddr> {
    match timeout_at(end, lookup(host, port, multicast)).await {
        Ok(Ok(addrs)) => Lookup::Found(addrs),
        Ok(Err(error)) => match error {
            LookupError::NoDns { error, .. } => Lookup::Unanswered(safe_line(&error)),
            LookupError::Unknown { error, .. } => Lookup::Unknown(safe_line(&error)),
            LookupError::NotLocal(_) => {
                Lookup::Unknown("no machine on this network answers to that name".into())
            }
            LookupError::Forbidden(_) => {
                Lookup::Unknown("--no-discovery forbids asking for it by mDNS".into())
            }
        },
        Err(_late) => Lookup::Unanswered("no answer in time".into()),
    }
}
