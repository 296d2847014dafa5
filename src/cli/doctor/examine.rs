//! The examination: everything is begun at once and ends in six seconds, whatever is out there.

use super::contact::Contact;
use super::findings::{By, Findings, Knock, Lookup, Named, Outcome, Seat, Test, Tested};
use super::knock::{Target, detour, knock};
use super::machine::{self, Firewall, Machine};
use crate::discovery::{
    LookupError, MdnsSearch, MulticastTest, Networks, SearchEvent, SearchOptions, Side, Sighting, Subnet,
    WELL_KNOWN_HOST, all_interfaces, is_called, lookup, neighbours, scan, subnets, unsent,
};
use crate::limits::{
    DEFAULT_PORT, DOCTOR_GUESS, DOCTOR_LISTEN, DOCTOR_QUIET, DOCTOR_SCAN, DOCTOR_SEARCH_ON, DOCTOR_TARGETS,
    DOCTOR_TIME, MAX_KNOWN_TRIED,
};
use crate::protocol::request::TestToken;
use crate::text::safe_line;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// An examination that is under way.
pub struct Examination<C> {
    contact: C,
    findings: Findings,
    start: Instant,
    end: Instant,
    targets: HashSet<SocketAddr>,
    networks: Networks,
    repeats: Option<u64>,
    work: JoinSet<Done>,
    /// How much of each kind of work is under way.
    open: Open,
}

#[derive(Clone, Copy, Debug, Default)]
struct Open {
    knocks: usize,
    names: usize,
    neighbours: usize,
    /// What the verdict needs, in any case.
    needed: usize,
}

/// A piece of work that has ended.
enum Done {
    Knock(Knock),
    WellKnown(Lookup),
    Neighbours(BTreeSet<IpAddr>),
    Firewalls(Vec<Firewall>),
    Scan(Vec<SocketAddr>),
    Test(Test),
}

impl<C: Contact> Examination<C> {
    /// Begins: looks at what this machine tells of itself. Runs on tokio.
    pub fn start(contact: C, wanted: Option<String>) -> Self {
        let start = Instant::now();
        // Before this program itself joins a group.
        let machine = Machine::look(DEFAULT_PORT);
        let links = all_interfaces().unwrap_or_default().into_iter().filter(|(link, _)| !link.loopback);
        let links = links.map(|(link, is_virtual)| Seat { is_virtual, name: link.name, addrs: link.addrs });
        let findings = Findings {
            wanted,
            links: links.collect(),
            subnets: subnets().unwrap_or_default(),
            machine,
            ..Findings::default()
        };
        let mut examination = Self {
            contact,
            findings,
            start,
            end: start + DOCTOR_TIME,
            targets: HashSet::new(),
            networks: Networks::now().unwrap_or_default(),
            repeats: machine::failed_repeats(),
            work: JoinSet::new(),
            open: Open { needed: 1, ..Open::default() },
        };
        examination.work.spawn_blocking(|| Done::Firewalls(machine::firewalls()));
        examination
    }

    /// The way to one host. `multicast` says whether a name of mDNS may be asked for; nothing else opens a
    /// multicast socket.
    pub async fn of_host(mut self, host: &str, port: u16, multicast: bool) -> Findings {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let lookup = look_up(host, port, multicast, self.end).await;
        if let Lookup::Found(addrs) = &lookup {
            for addr in addrs.clone() {
                self.knock(Target { addr, by: By::Host, of: None });
            }
        }
        self.findings.host = Some(Named { name: safe_line(host), lookup: lookup.into() });
        while (self.open.knocks > 0 && !self.is_answered()) || self.open.needed > 0 {
            if self.step().await.is_none() {
                break;
            }
        }
        self.finish()
    }

    /// The way to whatever server there is, or to the one that is wanted; listens for `wait` at most.
    pub async fn of_network(mut self, wait: Duration) -> Findings {
        self.findings.unsent = unsent().into_iter().map(|(link, error)| (link, error.to_string())).collect();
        let mut search = MdnsSearch::start(SearchOptions::default());
        self.findings.port.clone_from(&search.reach().port);
        self.findings.failures.clone_from(&search.reach().failures);
        self.knock_at_what_is_known();
        let last = self.start + wait.min(DOCTOR_LISTEN);
        self.work.spawn(async move {
            let left = last.saturating_duration_since(Instant::now());
            Done::Neighbours(neighbours(left).await)
        });
        let end = self.end;
        self.work.spawn(async move {
            Done::WellKnown(look_up(WELL_KNOWN_HOST, DEFAULT_PORT, false, end).await.into())
        });
        (self.open.names, self.open.neighbours) = (1, 1);
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
                self.go_on();
            }
            if goes_on.is_none() {
                self.test_if_need_be();
            }
        }
        self.finish()
    }

    /// What `lanchat` would try, and what else is likely.
    fn knock_at_what_is_known(&mut self) {
        for (name, addrs) in self.contact.remembered().into_iter().take(MAX_KNOWN_TRIED) {
            for addr in addrs {
                self.knock(Target { addr, by: By::Remembered, of: Some(safe_line(&name)) });
            }
        }
        for addr in self.findings.machine.listeners.clone() {
            let ip = match addr.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                // A server listens on both.
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                ip => ip,
            };
            self.knock(Target { addr: SocketAddr::new(ip, addr.port()), by: By::Own, of: None });
        }
        if let Some(router) = self.findings.machine.gateway {
            let addr = SocketAddr::from((router, DEFAULT_PORT));
            self.knock(Target { addr, by: By::Gateway, of: None });
        }
    }

    fn knock(&mut self, target: Target) {
        if self.targets.len() >= DOCTOR_TARGETS || !self.targets.insert(target.addr) {
            return;
        }
        let end = match target.by {
            // A mere guess is not waited for.
            By::Neighbour | By::Gateway => self.end.min(Instant::now() + DOCTOR_GUESS),
            _ => self.end,
        };
        let (contact, wanted) = (self.contact.clone(), self.findings.wanted.clone());
        let is_meant =
            move |name: &str, id: &str| wanted.as_deref().is_none_or(|wanted| is_called(wanted, name, id));
        self.work.spawn(async move { Done::Knock(knock(contact, target, end, is_meant).await) });
        self.open.knocks += 1;
    }

    fn note_server(&mut self, seen: &Sighting) {
        for addr in self.findings.hear(seen, |addr| self.networks.may_be_at(addr)) {
            self.knock(Target { addr, by: By::Announced, of: None });
        }
    }

    /// Waits for the next piece of work; `None`: nothing is under way, or the time is up.
    async fn step(&mut self) -> Option<()> {
        let done = match timeout_at(self.end, self.work.join_next()).await {
            Ok(Some(Ok(done))) => done,
            Ok(Some(Err(error))) => {
                tracing::error!(%error, "a part of the examination ended badly");
                return Some(());
            }
            Ok(None) | Err(_) => {
                // Nothing is left but to listen.
                sleep_until(self.end).await;
                return None;
            }
        };
        match done {
            Done::Knock(knock) => {
                self.open.knocks = self.open.knocks.saturating_sub(1);
                self.note_knock(knock);
            }
            Done::WellKnown(lookup) => {
                self.open.names = 0;
                if let Lookup::Found(addrs) = &lookup {
                    for ip in addrs.clone() {
                        let addr = SocketAddr::new(ip, DEFAULT_PORT);
                        self.knock(Target { addr, by: By::WellKnown, of: None });
                    }
                }
                self.findings.well_known = Some(lookup);
            }
            Done::Neighbours(heard) => {
                self.open.neighbours = 0;
                self.note_neighbours(&heard);
            }
            Done::Firewalls(walls) => {
                self.open.needed -= 1;
                self.findings.machine.firewalls = walls;
            }
            Done::Scan(found) => {
                self.open.needed -= 1;
                (self.findings.scanned, self.findings.scan_found) = (true, found.len());
                let machines = machine::neighbours_there(self.findings.machine.gateway);
                self.findings.machines = Some(machines.len());
                // One that is too slow for a scan, or hangs.
                let slow = machines.into_iter().take(MAX_KNOWN_TRIED).filter(|_| found.is_empty());
                for ip in slow {
                    let addr = SocketAddr::from((ip, DEFAULT_PORT));
                    self.knock(Target { addr, by: By::Neighbour, of: None });
                }
                for addr in found {
                    self.knock(Target { addr, by: By::Scan, of: None });
                }
            }
            Done::Test(test) => {
                self.open.needed -= 1;
                self.findings.test = Some(test);
            }
        }
        Some(())
    }

    fn note_knock(&mut self, mut knock: Knock) {
        knock.detour = detour(knock.addr, &self.findings.subnets);
        if let IpAddr::V4(ip) = knock.addr.ip().to_canonical() {
            knock.is_there = machine::is_there(ip);
            // The table of neighbours is surer than the time that the answer took.
            match (&knock.outcome, knock.is_there) {
                (Outcome::Rejected, Some(false)) => knock.outcome = Outcome::Unreachable,
                (Outcome::Unreachable, Some(true)) => knock.outcome = Outcome::Rejected,
                _ => {}
            }
        }
        self.findings.knocks.push(knock);
    }

    fn note_neighbours(&mut self, heard: &BTreeSet<IpAddr>) {
        self.findings.others = heard.len();
        let real: Vec<&Seat> = self.findings.links.iter().filter(|link| !link.is_virtual).collect();
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
            self.knock(Target { addr, by: By::Neighbour, of: None });
        }
    }

    /// Nobody has answered so far, or nobody who was heard: what else can be tried.
    fn go_on(&mut self) {
        if self.is_answered() || self.findings.servers.iter().any(|server| server.is_meant) {
            return;
        }
        let contact = self.contact.clone();
        self.open.needed += 1;
        self.work.spawn(async move {
            let found = scan(DEFAULT_PORT, move |addr| contact.clone().ask(addr), Some(DOCTOR_SCAN)).await;
            Done::Scan(found.unwrap_or_default().into_iter().map(|server| server.addr).collect())
        });
    }

    fn test_if_need_be(&mut self) {
        if self.findings.test.is_some() || self.open.needed > 1 {
            return;
        }
        let reached = self
            .findings
            .knocks
            .iter()
            .filter(|knock| is_good(knock) && !self.findings.is_own(knock.addr.ip()));
        let mut reached: Vec<SocketAddr> = reached.map(|knock| knock.addr).collect();
        // Who was heard in both ways is found; in one, that may be by chance.
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
        // So that there is one only.
        self.findings.test =
            Some(Test { addr, result: Tested::Impossible("it was not over in time".into()) });
        self.open.needed += 1;
        let (contact, end) = (self.contact.clone(), self.end);
        self.work.spawn(async move { Done::Test(test(contact, addr, &subnet, end).await) });
    }

    /// Whether a server that is meant has answered on another machine.
    fn is_answered(&self) -> bool {
        self.findings.knocks.iter().any(|knock| is_good(knock) && !self.findings.is_own(knock.addr.ip()))
    }

    /// Whether waiting for the rest would change nothing.
    fn is_enough(&self) -> bool {
        // A name server that is silent is not waited for where a server is heard.
        let is_heard = self.findings.servers.iter().any(|server| server.is_meant);
        let has_asked_all = self.open.names == 0 && self.open.neighbours == 0;
        let is_rest_needless = self.is_answered() || (self.open.knocks == 0 && (is_heard || has_asked_all));
        self.open.needed == 0 && is_rest_needless
    }

    fn finish(mut self) -> Findings {
        let repeats = self.repeats.zip(machine::failed_repeats());
        if repeats.is_some_and(|(before, after)| after > before) {
            for knock in &mut self.findings.knocks {
                knock.is_swallowed = knock.outcome == Outcome::Silent && knock.is_there != Some(false);
            }
        }
        // However it was known before: a server says that it is there now.
        let is_announced =
            |addr: &SocketAddr| self.findings.servers.iter().any(|server| server.addrs.contains(addr));
        let announced: HashSet<SocketAddr> =
            self.findings.knocks.iter().map(|knock| knock.addr).filter(is_announced).collect();
        for knock in &mut self.findings.knocks {
            if announced.contains(&knock.addr) {
                knock.by = By::Announced;
            }
        }
        self.findings.knocks.sort_by_key(|knock| (knock.by, knock.addr.is_ipv6(), knock.addr));
        self.findings
    }
}

fn is_good(knock: &Knock) -> bool {
    matches!(knock.outcome, Outcome::Answered { standing: Ok(_), is_meant: true, .. })
}

async fn look_up(host: &str, port: u16, multicast: bool, end: Instant) -> Lookup<SocketAddr> {
    match timeout_at(end, lookup(host, port, multicast)).await {
        Ok(Ok(addrs)) => Lookup::Found(addrs),
        Ok(Err(error)) => match error {
            LookupError::NoDns { error, .. } => Lookup::Unanswered(safe_line(&error)),
            LookupError::Unknown { error, .. } => Lookup::Unknown(safe_line(&error)),
            LookupError::NotLocal(_) => Lookup::Unknown("no machine answers to it by mDNS".into()),
            LookupError::Forbidden(_) => {
                Lookup::Unknown("--no-discovery forbids asking for it by mDNS".into())
            }
        },
        Err(_late) => Lookup::Unanswered("no answer in time".into()),
    }
}

async fn test<C: Contact>(contact: C, addr: SocketAddr, subnet: &Subnet, end: Instant) -> Test {
    let impossible = |why: String| Test { addr, result: Tested::Impossible(why) };
    let mut number = [0; 8];
    if let Err(error) = getrandom::fill(&mut number) {
        return impossible(error.to_string());
    }
    let token = TestToken::new(u64::from_ne_bytes(number));
    let trial = match MulticastTest::open(subnet, Side::Client, token.as_str()) {
        Ok(trial) => trial,
        Err(error) => return impossible(error.to_string()),
    };
    let both = async { tokio::join!(trial.run(), contact.test(addr, token)) };
    let result = match timeout_at(end, both).await {
        Ok((came, Ok(out))) => Tested::Ways { out, back: came.heard },
        Ok((_, Err(why))) => why,
        Err(_late) => return impossible("it was not over in time".into()),
    };
    Test { addr, result }
}
