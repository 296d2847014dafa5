//! The attempts to connect to all possible servers. The search gives up none before it ends, and none delays
//! another.

use super::connect_failure::ConnectFailure;
use super::endpoint::Endpoint;
use super::label::{is_called, is_named, is_same_id};
use super::networks::Networks;
use super::options::FindOptions;
use super::order::{in_order, is_v6_link_local, pause};
use super::outcome::{FailedAddress, FindOutcome, Proof, SearchReport, Source, full_name, server_name};
use super::selection::{Selection, SelectionState};
use super::sighting::Sighting;
use crate::limits::{
    ATTEMPT_TIMEOUT, INTERFACE_CHECK, MAX_CANDIDATES, MAX_KNOWN_SERVERS, MAX_PROBES, MAX_SERVERS,
    OTHERS_QUIET, PROBE_STAGGER, PROBE_TURN, RETRY_SHARE,
};
use std::error::Error;
use std::net::SocketAddr;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

/// Addresses where a server may be.
pub(super) struct Hint {
    /// The id that the server must prove, if known.
    pub(super) expected: Option<String>,
    pub(super) name: Option<String>,
    pub(super) source: Source,
    pub(super) addrs: Vec<SocketAddr>,
    /// Whether each address gets one attempt only.
    pub(super) is_once: bool,
}

struct ServerCandidate {
    number: u64,
    expected: Option<String>,
    name: Option<String>,
    source: Source,
    /// Whether it was used last, so other servers have to wait for it.
    is_last_used: bool,
    /// Whether it has proved its identity, or turned out to be another server.
    is_over: bool,
    endpoints: Vec<Endpoint>,
}

/// The candidate, the address and the result of an attempt.
type Attempt<T> = (u64, SocketAddr, Result<Proof<T>, ConnectFailure>);

/// All attempts of a search.
pub(super) struct ConnectAttempts<T, P> {
    probe: P,
    selection: Selection<T>,
    candidates: Vec<ServerCandidate>,
    numbers: u64,
    /// Announced names and ids, including unwanted ones.
    heard: Vec<(String, String)>,
    /// When the search last heard of a new server.
    news: Instant,
    /// Whether the wanted server is a remembered one.
    wants_known: bool,
    attempts: JoinSet<Attempt<T>>,
    /// No attempt can begin before this time.
    full_until: Instant,
    networks: Networks,
    networks_at: Option<Instant>,
    /// Announced addresses that an announcement may not lead to.
    elsewhere: Vec<FailedAddress>,
}

impl<T, E, F, P> ConnectAttempts<T, P>
where
    P: Fn(SocketAddr) -> F,
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Error + Send + 'static,
{
    pub(super) fn new(options: &FindOptions, probe: P) -> ConnectAttempts<T, P> {
        let last_used = options.known.iter().find(|known| known.last_used).map(|known| known.id.clone());
        let is_wanted = |wanted: &String| options.known.iter().any(|k| is_called(wanted, &k.name, &k.id));
        let now = Instant::now();
        let mut attempts = ConnectAttempts {
            probe,
            selection: Selection::new(options.wanted.clone(), last_used),
            candidates: Vec::new(),
            numbers: 0,
            heard: Vec::new(),
            news: now,
            wants_known: options.wanted.as_ref().is_some_and(is_wanted),
            attempts: JoinSet::new(),
            full_until: now,
            networks: Networks::default(),
            networks_at: None,
            elsewhere: Vec::new(),
        };
        for known in options.known.iter().take(MAX_KNOWN_SERVERS) {
            let source = Source::Known { last_used: known.last_used };
            for (addrs, is_once) in [(&known.addrs, false), (&known.named, true)] {
                let (expected, name) = (Some(known.id.clone()), Some(known.name.clone()));
                attempts.offer(Hint { expected, name, source, addrs: addrs.clone(), is_once });
            }
        }
        attempts
    }

    pub(super) fn sight(&mut self, sighting: Sighting) {
        if let Some(id) = sighting.id.clone()
            && !self.heard.iter().any(|(name, heard)| *name == sighting.name && *heard == id)
            && self.heard.len() < MAX_CANDIDATES
        {
            self.heard.push((sighting.name.clone(), id));
            self.news = Instant::now();
        }
        if !self.selection.may_be_wanted(&sighting) {
            return;
        }
        self.selection.hear(Instant::now());
        let Sighting { id, name, addrs, .. } = sighting;
        if !addrs.iter().all(|addr| self.networks.may_be_at(*addr)) {
            self.look_at_networks();
        }
        let (near, far): (Vec<_>, Vec<_>) =
            addrs.into_iter().partition(|addr| self.networks.may_be_at(*addr));
        if let (true, Some(addr)) = (near.is_empty(), far.first().copied())
            && self.elsewhere.len() < MAX_SERVERS
            && !self.elsewhere.iter().any(|failed| failed.addr == addr)
        {
            let server = Some(full_name(&name, id.as_deref()));
            self.elsewhere.push(FailedAddress {
                addr,
                server,
                source: Source::Announced,
                near: false,
                why: ConnectFailure::Elsewhere,
            });
        }
        let (name, source) = (Some(name), Source::Announced);
        self.offer(Hint { expected: id, name, source, addrs: near, is_once: false });
    }

    fn look_at_networks(&mut self) {
        let now = Instant::now();
        if self.networks_at.is_none_or(|at| now >= at + INTERFACE_CHECK) {
            (self.networks, self.networks_at) = (Networks::now().unwrap_or_default(), Some(now));
        }
    }

    /// Adds addresses: tries new ones, one every 25 ms, and retries known ones that failed, at once. The
    /// attempts begin with the next [`ConnectAttempts::tend`], so that a flood costs one pass over all
    /// addresses, not one per packet.
    pub(super) fn offer(&mut self, hint: Hint) {
        let Hint { expected, name, source, addrs, is_once } = hint;
        if addrs.is_empty() || expected.as_ref().is_some_and(|id| self.selection.has_proven(id)) {
            return;
        }
        let now = Instant::now();
        let at = self.candidate(expected, name, source, &addrs, now);
        let candidate = &mut self.candidates[at];
        if source == Source::Announced {
            candidate.source = Source::Announced;
        }
        let known = candidate.endpoints.iter().map(|endpoint| &endpoint.addr);
        let may_have_wide =
            source == Source::Announced || known.chain(&addrs).any(|addr| !is_v6_link_local(addr.ip()));
        let mut due = now;
        for addr in in_order(addrs) {
            match candidate.endpoints.iter_mut().find(|endpoint| endpoint.addr == addr) {
                Some(endpoint) if !is_once => endpoint.hurry(now),
                Some(_) => {}
                None => {
                    candidate.endpoints.push(Endpoint::new(addr, due + pause(&addr, may_have_wide), is_once));
                    due += PROBE_STAGGER;
                }
            }
        }
    }

    /// The candidate with this id; without an id, the candidate that shares an address.
    fn candidate(
        &mut self,
        expected: Option<String>,
        name: Option<String>,
        source: Source,
        addrs: &[SocketAddr],
        now: Instant,
    ) -> usize {
        let same = |candidate: &ServerCandidate| match &expected {
            Some(id) => candidate.expected.as_ref().is_some_and(|expected| is_same_id(expected, id)),
            None => {
                candidate.expected.is_none() && candidate.endpoints.iter().any(|p| addrs.contains(&p.addr))
            }
        };
        if let Some(at) = self.candidates.iter().position(same) {
            return at;
        }
        self.make_room(now);
        self.numbers += 1;
        let is_last_used = source == Source::Known { last_used: true };
        let (number, endpoints) = (self.numbers, Vec::new());
        let candidate =
            ServerCandidate { number, expected, name, source, is_last_used, is_over: false, endpoints };
        self.candidates.push(candidate);
        self.candidates.len() - 1
    }

    /// Past the bound, drops the announced candidate that failed for longest, or else the one announced
    /// first. Remembered servers have their own bound.
    fn make_room(&mut self, now: Instant) {
        let announced = |candidate: &&ServerCandidate| candidate.source == Source::Announced;
        if self.candidates.iter().filter(announced).count() < MAX_CANDIDATES {
            return;
        }
        let age = |candidate: &ServerCandidate| {
            let idle = |endpoint: &Endpoint| endpoint.idle_since(now);
            let oldest = candidate.endpoints.iter().filter_map(idle).min();
            (oldest.is_none(), oldest, candidate.number)
        };
        let first = self.candidates.iter().filter(announced).min_by_key(|candidate| age(candidate));
        if let Some(number) = first.map(|candidate| candidate.number) {
            self.candidates.retain(|candidate| candidate.number != number);
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.endpoints().filter_map(|endpoint| endpoint.due).min()?;
        Some(due.max(self.full_until))
    }

    pub(super) fn has_endpoints(&self) -> bool {
        self.candidates.iter().any(|candidate| !candidate.is_over && !candidate.endpoints.is_empty())
    }

    fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.candidates.iter().flat_map(|candidate| &candidate.endpoints)
    }

    /// Begins the attempts that are due: first at the server used last, then at untried addresses, the newest
    /// first, so that a server that is announced after a flood does not wait for the flood.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        for (at, candidate) in self.candidates.iter_mut().enumerate() {
            for (index, endpoint) in candidate.endpoints.iter_mut().enumerate() {
                endpoint.grow_old(now);
                if let Some(when) = endpoint.due.filter(|due| *due <= now) {
                    let newest = if endpoint.was_tried() { 0 } else { u64::MAX - candidate.number };
                    due.push((!candidate.is_last_used, endpoint.was_tried(), newest, when, at, index));
                }
            }
        }
        due.sort_unstable();
        for (.., at, index) in due {
            if self.attempts.len() >= MAX_PROBES && !self.give_way(now) {
                self.full_until = now + PROBE_TURN / 10;
                return;
            }
            self.begin(at, index, now);
        }
    }

    fn begin(&mut self, at: usize, index: usize, now: Instant) {
        let candidate = &mut self.candidates[at];
        let endpoint = &mut candidate.endpoints[index];
        let (number, addr) = (candidate.number, endpoint.addr);
        let attempt = (self.probe)(addr);
        let task = self.attempts.spawn(async move {
            let result = match timeout(ATTEMPT_TIMEOUT, attempt).await {
                Ok(result) => result.map_err(|error| ConnectFailure::of(&error, now.elapsed())),
                Err(_late) => Err(ConnectFailure::Silent),
            };
            (number, addr, result)
        });
        endpoint.begin(task, now);
    }

    /// Aborts the oldest attempt that has had its turn, except at the server used last, so that a flood of
    /// announcements cannot keep the client from that server.
    fn give_way(&mut self, now: Instant) -> bool {
        let others = self.candidates.iter_mut().filter(|candidate| !candidate.is_last_used);
        let endpoints = others.flat_map(|candidate| &mut candidate.endpoints);
        let oldest = endpoints
            .filter_map(|endpoint| Some((endpoint.oldest()?, endpoint)))
            .min_by_key(|(begun, _)| *begun);
        match oldest {
            Some((begun, endpoint)) if now >= begun + PROBE_TURN => {
                endpoint.yield_oldest(now);
                true
            }
            _ => false,
        }
    }

    /// Waits for an attempt to end; returns `None` at once if none is running.
    pub(super) async fn ended(&mut self) -> Option<Result<Attempt<T>, JoinError>> {
        self.attempts.join_next().await
    }

    /// Takes in the result of an attempt.
    pub(super) fn take(&mut self, ended: Result<Attempt<T>, JoinError>) {
        let (number, addr, result) = match ended {
            Ok(attempt) => attempt,
            // Aborted because another one won.
            Err(error) if error.is_cancelled() => return,
            Err(error) => return tracing::error!(%error, "an attempt to connect panicked"),
        };
        let now = Instant::now();
        let crowd = u32::try_from(self.endpoints().count()).unwrap_or(u32::MAX);
        let Some(candidate) = self.candidates.iter_mut().find(|one| one.number == number) else { return };
        let share = if candidate.is_last_used { RETRY_SHARE } else { RETRY_SHARE.saturating_mul(crowd) };
        let Some(endpoint) = candidate.endpoints.iter_mut().find(|endpoint| endpoint.addr == addr) else {
            return;
        };
        let proof = match result {
            Ok(proof) => proof,
            Err(why) => return endpoint.fail(why, now, share),
        };
        let expected = candidate.expected.as_deref();
        if expected.is_some_and(|expected| !is_same_id(expected, &proof.id)) {
            // The expected server may come back to this address.
            let words = format!("it is another server now, {}", server_name(&proof.name, &proof.id));
            endpoint.fail(ConnectFailure::Said(words), now, share);
        } else {
            candidate.end();
        }
        let id = proof.id.clone();
        if self.selection.proof(candidate.expected.as_deref(), addr, proof, now) {
            self.news = now;
        }
        self.settle(&id);
    }

    /// Ends the other attempts at a server that has proved its identity.
    fn settle(&mut self, id: &str) {
        if self.selection.has_proven(id) {
            let same = |candidate: &&mut ServerCandidate| {
                candidate.expected.as_ref().is_some_and(|expected| is_same_id(expected, id))
            };
            self.candidates.iter_mut().filter(same).for_each(ServerCandidate::end);
        }
    }

    /// Whether no server has proved its identity yet.
    pub(super) fn is_open(&self) -> bool {
        self.selection.state(false) == SelectionState::Open
    }

    pub(super) fn state(&self) -> SelectionState {
        let is_pending = |candidate: &ServerCandidate| {
            let awaited = candidate.is_last_used || candidate.source == Source::Announced;
            awaited && candidate.endpoints.iter().any(|endpoint| endpoint.is_fresh)
        };
        match self.selection.state(self.candidates.iter().any(is_pending)) {
            SelectionState::Open => {
                self.unknown_from().map_or(SelectionState::Open, SelectionState::Settling)
            }
            state => state,
        }
    }

    /// When the wanted name can be considered unknown: the search has heard of other servers, and of no new
    /// one for a while.
    fn unknown_from(&self) -> Option<Instant> {
        let is_sought = self.selection.wanted.is_some() && !self.wants_known;
        let has_others = !self.heard.is_empty() || !self.selection.tried.others.is_empty();
        let is_near = |one: &ServerCandidate| one.source == Source::Announced && !one.is_over;
        (is_sought && has_others && !self.candidates.iter().any(is_near)).then(|| self.news + OTHERS_QUIET)
    }

    /// Ends the search, and adds the other known addresses and the namesakes to each winner.
    pub(super) fn conclude(mut self, complete: impl FnOnce(&mut SearchReport)) -> FindOutcome<T> {
        self.look_at_networks();
        let proven: Vec<_> =
            self.selection.proven.iter().map(|found| (found.name.clone(), found.id.clone())).collect();
        for found in &mut self.selection.proven {
            let own = self.candidates.iter().filter(|candidate| match &candidate.expected {
                Some(id) => is_same_id(id, &found.id),
                None => candidate.endpoints.iter().any(|endpoint| endpoint.addr == found.addr),
            });
            for endpoint in own.flat_map(|candidate| &candidate.endpoints) {
                if !found.addrs.contains(&endpoint.addr) {
                    found.addrs.push(endpoint.addr);
                }
            }
            for (name, id) in self.heard.iter().chain(&proven) {
                let is_told = found.namesakes.iter().any(|told| is_same_id(told, id));
                if is_named(name, &found.name) && !is_same_id(id, &found.id) && !is_told {
                    found.namesakes.push(id.clone());
                }
            }
        }
        let failed =
            self.candidates.iter().filter(|one| !one.is_over).flat_map(|one| one.failed(&self.networks));
        let failed = failed.chain(self.elsewhere).collect();
        let others = self.heard.iter().filter(|(name, id)| !self.selection.is_wanted(id, name));
        let others: Vec<String> = others.map(|(name, id)| server_name(name, id)).collect();
        let tried = &mut self.selection.tried;
        tried.failed = failed;
        tried.heard = !self.heard.is_empty();
        tried.others.extend(others);
        complete(tried);
        self.selection.conclude()
    }
}

impl ServerCandidate {
    fn end(&mut self) {
        self.is_over = true;
        self.endpoints.iter_mut().for_each(Endpoint::end);
    }

    fn failed<'a>(&'a self, networks: &'a Networks) -> impl Iterator<Item = FailedAddress> + 'a {
        let name = self.name.as_ref().map(|name| full_name(name, self.expected.as_deref()));
        self.endpoints.iter().filter_map(move |endpoint| {
            let (addr, server, near) = (endpoint.addr, name.clone(), networks.has(endpoint.addr.ip()));
            Some(FailedAddress { addr, server, source: self.source, near, why: endpoint.why()? })
        })
    }
}

#[cfg(test)]
mod tests;
