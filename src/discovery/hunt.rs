//! The attempts at all that may be a server: none is given up before the end, and none holds up others.

use super::contest::{Contest, Verdict};
use super::label::{is_called, is_named, is_same_id};
use super::options::FindOptions;
use super::order::{in_order, is_of_any_link, pause};
use super::outcome::{Failed, Outcome, Proof, Source, Tried, server_name};
use super::place::Place;
use super::sighting::Sighting;
use super::targets::Networks;
use super::why::Why;
use crate::limits::{
    ATTEMPT_TIMEOUT, INTERFACE_CHECK, MAX_CONTENDERS, MAX_KNOWN_SERVERS, MAX_PROBES, MAX_SERVERS,
    OTHERS_QUIET, PROBE_STAGGER, PROBE_TURN, RETRY_SHARE,
};
use crate::text::safe_line;
use std::error::Error;
use std::net::SocketAddr;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

/// Who says that a server may be somewhere.
pub(super) struct Hint {
    /// The id that it has to prove, if it is known.
    pub(super) expected: Option<String>,
    /// What it is called, if it has a name.
    pub(super) name: Option<String>,
    pub(super) source: Source,
    pub(super) addrs: Vec<SocketAddr>,
}

/// One server to be, with the addresses at which it may be.
struct Contender {
    number: u64,
    expected: Option<String>,
    name: Option<String>,
    source: Source,
    /// Whether it is the one used last, for which others have to wait.
    is_last_used: bool,
    /// Whether it has proved itself, or turned out to be somebody else.
    is_over: bool,
    places: Vec<Place>,
}

/// What an attempt brought: of which contender, where, and what.
type Attempt<T> = (u64, SocketAddr, Result<Proof<T>, Why>);

/// The attempts under way.
pub(super) struct Hunt<T, P> {
    probe: P,
    contest: Contest<T>,
    contenders: Vec<Contender>,
    numbers: u64,
    /// The names and ids that were heard of, those that are not wanted among them.
    heard: Vec<(String, String)>,
    /// When the last of these was heard of for the first time.
    news: Instant,
    /// Whether the one that is wanted by name is a known one.
    wants_known: bool,
    attempts: JoinSet<Attempt<T>>,
    /// Until when no further attempt can begin.
    full_until: Instant,
    networks: Networks,
    networks_at: Option<Instant>,
    /// What was announced where an announcement may not lead.
    elsewhere: Vec<Failed>,
}

impl<T, E, F, P> Hunt<T, P>
where
    P: Fn(SocketAddr) -> F,
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Error + Send + 'static,
{
    pub(super) fn new(options: &FindOptions, probe: P) -> Hunt<T, P> {
        let last_used = options.known.iter().find(|known| known.last_used).map(|known| known.id.clone());
        let is_wanted = |wanted: &String| options.known.iter().any(|k| is_called(wanted, &k.name, &k.id));
        let now = Instant::now();
        let mut hunt = Hunt {
            probe,
            contest: Contest::new(options.wanted.clone(), last_used),
            contenders: Vec::new(),
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
            let (expected, name) = (Some(known.id.clone()), Some(known.name.clone()));
            let source = Source::Known { last_used: known.last_used };
            hunt.offer(Hint { expected, name, source, addrs: known.addrs.clone() });
        }
        hunt
    }

    /// Takes in a server that was seen.
    pub(super) fn sight(&mut self, sighting: Sighting) {
        if let Some(id) = sighting.id.clone()
            && !self.heard.iter().any(|(name, heard)| *name == sighting.name && *heard == id)
            && self.heard.len() < MAX_CONTENDERS
        {
            self.heard.push((sighting.name.clone(), id));
            self.news = Instant::now();
        }
        if !self.contest.may_be_wanted(&sighting) {
            return;
        }
        self.contest.hear(Instant::now());
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
            self.elsewhere.push(Failed {
                addr,
                server,
                source: Source::Announced,
                near: false,
                why: Why::Elsewhere,
            });
        }
        self.offer(Hint { expected: id, name: Some(name), source: Source::Announced, addrs: near });
    }

    fn look_at_networks(&mut self) {
        let now = Instant::now();
        if self.networks_at.is_none_or(|at| now >= at + INTERFACE_CHECK) {
            (self.networks, self.networks_at) = (Networks::now().unwrap_or_default(), Some(now));
        }
    }

    /// Has the addresses tried that are new, one every 25 ms, and at once those that were heard of before and
    /// failed. The attempts begin with the next [`Hunt::tend`], so that a flood costs one look at them all, not
    /// one for each packet.
    pub(super) fn offer(&mut self, hint: Hint) {
        let Hint { expected, name, source, addrs } = hint;
        if addrs.is_empty() || expected.as_ref().is_some_and(|id| self.contest.has_proven(id)) {
            return;
        }
        let now = Instant::now();
        let at = self.contender(expected, name, source, &addrs, now);
        let contender = &mut self.contenders[at];
        if source == Source::Announced {
            contender.source = Source::Announced;
        }
        let known = contender.places.iter().map(|place| &place.addr);
        let may_have_wide =
            source == Source::Announced || known.chain(&addrs).any(|addr| !is_of_any_link(addr));
        let mut due = now;
        for addr in in_order(addrs) {
            match contender.places.iter_mut().find(|place| place.addr == addr) {
                Some(place) => place.hurry(now),
                None => {
                    contender.places.push(Place::new(addr, due + pause(&addr, may_have_wide)));
                    due += PROBE_STAGGER;
                }
            }
        }
    }

    /// The contender of this id; of those without one, the contender that shares an address.
    fn contender(
        &mut self,
        expected: Option<String>,
        name: Option<String>,
        source: Source,
        addrs: &[SocketAddr],
        now: Instant,
    ) -> usize {
        let same = |contender: &Contender| match &expected {
            Some(id) => contender.expected.as_ref().is_some_and(|expected| is_same_id(expected, id)),
            None => contender.expected.is_none() && contender.places.iter().any(|p| addrs.contains(&p.addr)),
        };
        if let Some(at) = self.contenders.iter().position(same) {
            return at;
        }
        self.make_room(now);
        self.numbers += 1;
        let is_last_used = source == Source::Known { last_used: true };
        let (number, places) = (self.numbers, Vec::new());
        let contender = Contender { number, expected, name, source, is_last_used, is_over: false, places };
        self.contenders.push(contender);
        self.contenders.len() - 1
    }

    /// Past the bound, whoever was announced and brought nothing for longest is forgotten, or else whoever
    /// was announced first. The remembered ones have a bound of their own.
    fn make_room(&mut self, now: Instant) {
        let announced = |contender: &&Contender| contender.source == Source::Announced;
        if self.contenders.iter().filter(announced).count() < MAX_CONTENDERS {
            return;
        }
        let age = |contender: &Contender| {
            let idle = |place: &Place| place.idle_since(now);
            let oldest = contender.places.iter().filter_map(idle).min();
            (oldest.is_none(), oldest, contender.number)
        };
        let first = self.contenders.iter().filter(announced).min_by_key(|contender| age(contender));
        if let Some(number) = first.map(|contender| contender.number) {
            self.contenders.retain(|contender| contender.number != number);
        }
    }

    /// When [`Hunt::tend`] has something to do again.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.places().filter_map(Place::due).min()?;
        Some(due.max(self.full_until))
    }

    /// Whether there is any address at all.
    pub(super) fn has_places(&self) -> bool {
        self.contenders.iter().any(|contender| !contender.is_over && !contender.places.is_empty())
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.contenders.iter().flat_map(|contender| &contender.places)
    }

    /// Begins the attempts that are due: first at the server used last, then where none was made, and of
    /// these where somebody was heard of last, so that who comes after a flood does not stand in its line.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        for (at, contender) in self.contenders.iter_mut().enumerate() {
            for (index, place) in contender.places.iter_mut().enumerate() {
                place.grow_old(now);
                if let Some(when) = place.due().filter(|due| *due <= now) {
                    let newest = if place.was_tried() { 0 } else { u64::MAX - contender.number };
                    due.push((!contender.is_last_used, place.was_tried(), newest, when, at, index));
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
        let contender = &mut self.contenders[at];
        let place = &mut contender.places[index];
        let (number, addr) = (contender.number, place.addr);
        let attempt = (self.probe)(addr);
        let task = self.attempts.spawn(async move {
            let result = match timeout(ATTEMPT_TIMEOUT, attempt).await {
                Ok(result) => result.map_err(|error| Why::of(&error, now.elapsed())),
                Err(_late) => Err(Why::Silent),
            };
            (number, addr, result)
        });
        place.begin(task, now);
    }

    /// Ends the attempt that has been under way for longest, if it has had its turn. Not one at the server
    /// used last: nobody who announces much is to keep us from that.
    fn give_way(&mut self, now: Instant) -> bool {
        let others = self.contenders.iter_mut().filter(|contender| !contender.is_last_used);
        let places = others.flat_map(|contender| &mut contender.places);
        let oldest =
            places.filter_map(|place| Some((place.oldest()?, place))).min_by_key(|(begun, _)| *begun);
        match oldest {
            Some((begun, place)) if now >= begun + PROBE_TURN => {
                place.yield_oldest(now);
                true
            }
            _ => false,
        }
    }

    /// The next attempt that ended; none at once if there are none under way.
    pub(super) async fn ended(&mut self) -> Option<Result<Attempt<T>, JoinError>> {
        self.attempts.join_next().await
    }

    /// Takes in what an attempt brought.
    pub(super) fn take(&mut self, ended: Result<Attempt<T>, JoinError>) {
        let (number, addr, result) = match ended {
            Ok(attempt) => attempt,
            // Those that were dropped for the winner.
            Err(error) if error.is_cancelled() => return,
            Err(error) => return tracing::error!(%error, "an attempt to connect ended badly"),
        };
        let now = Instant::now();
        let crowd = u32::try_from(self.places().count()).unwrap_or(u32::MAX);
        let Some(contender) = self.contenders.iter_mut().find(|one| one.number == number) else { return };
        let share = if contender.is_last_used { RETRY_SHARE } else { RETRY_SHARE.saturating_mul(crowd) };
        let Some(place) = contender.places.iter_mut().find(|place| place.addr == addr) else { return };
        let proof = match result {
            Ok(proof) => proof,
            Err(why) => return place.fail(why, now, share),
        };
        let expected = contender.expected.as_deref();
        if expected.is_some_and(|expected| !is_same_id(expected, &proof.id)) {
            // The server may come back to where this one answers.
            let words = format!("it is another server now, {}", server_name(&proof.name, &proof.id));
            place.fail(Why::Said(words), now, share);
        } else {
            contender.end();
        }
        let id = proof.id.clone();
        if self.contest.proof(contender.expected.as_deref(), addr, proof, now) {
            self.news = now;
        }
        self.settle(&id);
    }

    /// Ends the other attempts at a server that has proved itself.
    fn settle(&mut self, id: &str) {
        if self.contest.has_proven(id) {
            let same = |contender: &&mut Contender| {
                contender.expected.as_ref().is_some_and(|expected| is_same_id(expected, id))
            };
            self.contenders.iter_mut().filter(same).for_each(Contender::end);
        }
    }

    /// Whether nothing has proved itself yet.
    pub(super) fn is_open(&self) -> bool {
        self.contest.verdict(false) == Verdict::Open
    }

    /// What to wait for.
    pub(super) fn verdict(&self) -> Verdict {
        let is_pending = |contender: &Contender| {
            let awaited = contender.is_last_used || contender.source == Source::Announced;
            awaited && contender.places.iter().any(Place::is_fresh)
        };
        match self.contest.verdict(self.contenders.iter().any(is_pending)) {
            Verdict::Open => self.vain_from().map_or(Verdict::Open, Verdict::Settling),
            verdict => verdict,
        }
    }

    /// When it is clear that nobody goes by the name that is wanted: others were heard of, and for a while
    /// nobody else.
    fn vain_from(&self) -> Option<Instant> {
        let is_sought = self.contest.wanted().is_some() && !self.wants_known;
        let has_others = !self.heard.is_empty() || self.contest.has_others();
        let is_near = |one: &Contender| one.source == Source::Announced && !one.is_over;
        (is_sought && has_others && !self.contenders.iter().any(is_near)).then(|| self.news + OTHERS_QUIET)
    }

    /// The end. Winners get the other addresses that are known of them, and their namesakes.
    pub(super) fn conclude(mut self, complete: impl FnOnce(&mut Tried)) -> Outcome<T> {
        self.look_at_networks();
        let proven: Vec<_> =
            self.contest.proven_mut().iter().map(|found| (found.name.clone(), found.id.clone())).collect();
        for found in self.contest.proven_mut() {
            let own = self.contenders.iter().filter(|contender| match &contender.expected {
                Some(id) => is_same_id(id, &found.id),
                None => contender.places.iter().any(|place| place.addr == found.addr),
            });
            for place in own.flat_map(|contender| &contender.places) {
                if !found.addrs.contains(&place.addr) {
                    found.addrs.push(place.addr);
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
            self.contenders.iter().filter(|one| !one.is_over).flat_map(|one| one.failed(&self.networks));
        let failed = failed.chain(self.elsewhere).collect();
        let others = self.heard.iter().filter(|(name, id)| !self.contest.is_wanted(id, name));
        let others: Vec<String> = others.map(|(name, id)| server_name(name, id)).collect();
        let tried = self.contest.tried_mut();
        tried.failed = failed;
        tried.heard = !self.heard.is_empty();
        tried.others.extend(others);
        complete(tried);
        self.contest.conclude()
    }
}

impl Contender {
    /// Ends its attempts: it is decided who it is.
    fn end(&mut self) {
        self.is_over = true;
        self.places.iter_mut().for_each(Place::end);
    }

    /// Where it was tried in vain.
    fn failed<'a>(&'a self, networks: &'a Networks) -> impl Iterator<Item = Failed> + 'a {
        let name = self.name.as_ref().map(|name| full_name(name, self.expected.as_deref()));
        self.places.iter().filter_map(move |place| {
            let (addr, server, near) = (place.addr, name.clone(), networks.has(place.addr.ip()));
            Some(Failed { addr, server, source: self.source, near, why: place.why()? })
        })
    }
}

/// A server as people tell it from others, safe for a terminal.
fn full_name(name: &str, id: Option<&str>) -> String {
    id.map_or_else(|| safe_line(name), |id| server_name(name, id))
}

#[cfg(test)]
mod tests;
