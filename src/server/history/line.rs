//! Who is read for next: addresses in turn, and people of one address in turn, by the time that reading
//! for them took.
//!
//! Pure: it is called with the instant. A key and a session cost nothing and an address little, so a
//! person with many of the first has no more than one with a single one elsewhere.

use super::shares::Shares;
use crate::chat::{Net, SessionId};
use crate::fingerprint::Fingerprint;
use crate::server::connection::Connection;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    /// As addresses are counted.
    pub(super) address: Net,
    pub(super) person: Person,
    pub(super) session: SessionId,
}

/// Who shares what an address has: a key with all its sessions, or else a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Person {
    Key(Fingerprint),
    Session(SessionId),
}

/// What an address has to keep quiet after it was read for, so that it takes a part of a core at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// For so many times the time that it had.
    pub(super) times: u32,
    /// But for so much of it.
    pub(super) spared: Duration,
}

/// See the module. One is read for at a time.
#[derive(Debug)]
pub(super) struct Line<T> {
    rest: Option<Rest>,
    addresses: Shares<Net, Address<T>>,
    /// Who is read for, and since when.
    current: Option<(Asker, Instant)>,
}

#[derive(Debug)]
struct Address<T> {
    people: Shares<Person, VecDeque<(SessionId, T)>>,
    /// When it has rested from all it had.
    rested: Option<Instant>,
}

impl Asker {
    pub(super) fn of(connection: &Connection) -> Self {
        let session = connection.id();
        let person = connection.peer_key().map_or(Person::Session(session), Person::Key);
        Self { address: address(connection.ip()), person, session }
    }
}

/// What counts as one address: a host gives itself as many IPv6 addresses of its network as it likes.
fn address(ip: IpAddr) -> Net {
    if ip.to_canonical().is_ipv6() { Net::network(ip) } else { Net::counted(ip) }
}

impl<T> Default for Address<T> {
    fn default() -> Self {
        Self { people: Shares::default(), rested: None }
    }
}

impl<T> Line<T> {
    pub(super) fn new(rest: Option<Rest>) -> Self {
        Self { rest, addresses: Shares::default(), current: None }
    }

    /// Something is to be read for somebody, behind what they wait for already.
    pub(super) fn enter(&mut self, asker: Asker, what: T) {
        let address = self.addresses.enter(asker.address);
        address.people.enter(asker.person).push_back((asker.session, what));
    }

    /// What is read now, until [`Self::done`]. `None`: nothing, or nothing yet.
    pub(super) fn next(&mut self, now: Instant) -> Option<T> {
        let rest = self.rest;
        let is_ready = |address: &Address<T>| address.ready_at(rest).is_none_or(|ready| ready <= now);
        let (net, _) = self.addresses.line().find(|(_, address)| is_ready(address))?;
        let address = self.addresses.get_mut(net)?;
        let (person, _) = address.people.line().next()?;
        let (session, what) = address.people.get_mut(person)?.pop_front()?;
        let asker = Asker { address: net, person, session };
        self.tidy(asker);
        self.current = Some((asker, now));
        Some(what)
    }

    /// It is read, and who asked is charged with the time.
    pub(super) fn done(&mut self, now: Instant) {
        let Some((asker, begun)) = self.current.take() else { return };
        let took = now.saturating_duration_since(begun);
        self.addresses.charge(asker.address, took);
        if let Some(address) = self.addresses.get_mut(asker.address) {
            address.people.charge(asker.person, took);
            address.people.forget(|_| false);
            if let Some(rest) = self.rest {
                let from = address.rested.map_or(begun, |rested| rested.max(begun));
                address.rested = Some(from + took * (rest.times + 1));
            }
        }
        self.addresses.forget(|address| address.rested.is_some_and(|rested| rested > now));
    }

    /// When the first of those who rest is ready again, if all who wait do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.addresses.line().filter_map(|(_, address)| address.ready_at(self.rest)).min()
    }

    /// A session is over; returns what it waited for.
    pub(super) fn gone(&mut self, asker: Asker) -> Vec<T> {
        let address = self.addresses.get_mut(asker.address);
        let queue = address.and_then(|address| address.people.get_mut(asker.person));
        let Some(queue) = queue else { return Vec::new() };
        let (gone, stay) = std::mem::take(queue)
            .into_iter()
            .partition::<Vec<_>, _>(|(session, _)| *session == asker.session);
        *queue = stay.into();
        self.tidy(asker);
        // Who leaves before their turn is charged nothing and would be remembered for ever.
        if let Some(address) = self.addresses.get_mut(asker.address) {
            address.people.forget(|_| false);
        }
        gone.into_iter().map(|(_, what)| what).collect()
    }

    /// Has those leave who wait for nothing any more.
    fn tidy(&mut self, asker: Asker) {
        let Some(address) = self.addresses.get_mut(asker.address) else { return };
        if address.people.get_mut(asker.person).is_some_and(|queue| queue.is_empty()) {
            address.people.leave(asker.person);
        }
        if address.people.is_empty() {
            self.addresses.leave(asker.address);
        }
    }
}

impl<T> Address<T> {
    /// When it may be read for; `None`: at any time.
    fn ready_at(&self, rest: Option<Rest>) -> Option<Instant> {
        self.rested?.checked_sub(rest?.spared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The session of that number at the address that ends so; each has a key of its own.
    fn asker(address: u8, session: u64) -> Asker {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&session.to_be_bytes());
        Asker {
            address: Net::counted(IpAddr::from([192, 168, 1, address])),
            person: Person::Key(Fingerprint::new(key)),
            session: SessionId(session),
        }
    }

    /// The clock goes on by what each question takes.
    struct Reading {
        line: Line<&'static str>,
        now: Instant,
    }

    impl Reading {
        fn new(rest: Option<Rest>) -> Self {
            Self { line: Line::new(rest), now: Instant::now() }
        }

        fn ask(&mut self, asker: Asker, what: &'static str, times: usize) {
            (0..times).for_each(|_| self.line.enter(asker, what));
        }

        /// What is answered, in order, if each answer takes a second.
        fn answers(&mut self, count: usize) -> Vec<&'static str> {
            (0..count).map_while(|_| self.answer(SECOND)).collect()
        }

        fn answer(&mut self, takes: Duration) -> Option<&'static str> {
            let what = self.line.next(self.now)?;
            self.now += takes;
            self.line.done(self.now);
            Some(what)
        }
    }

    #[test]
    fn who_asks_once_waits_for_the_question_that_runs_and_not_for_those_of_who_asks_all_the_time() {
        let mut reading = Reading::new(None);
        reading.ask(asker(1, 1), "greedy", 16);
        reading.answers(4);
        assert_eq!(reading.line.next(reading.now), Some("greedy"));
        reading.ask(asker(2, 2), "modest", 1);
        reading.line.done(reading.now + SECOND);
        assert_eq!(reading.answers(2), ["modest", "greedy"]);
    }

    #[test]
    fn many_keys_of_one_address_have_no_more_than_one_of_another() {
        let mut reading = Reading::new(None);
        (1..=100).for_each(|key| reading.ask(asker(1, key), "many", 2));
        reading.ask(asker(2, 200), "one", 5);
        let answers = reading.answers(10);
        assert_eq!(answers.iter().filter(|answer| **answer == "one").count(), 5, "{answers:?}");
    }

    #[test]
    fn people_of_one_address_share_what_it_has() {
        let mut reading = Reading::new(None);
        reading.ask(asker(1, 1), "greedy", 16);
        reading.ask(asker(1, 2), "modest", 2);
        assert_eq!(reading.answers(4), ["greedy", "modest", "greedy", "modest"]);
    }

    #[test]
    fn the_sessions_of_one_key_are_one_person() {
        let mut reading = Reading::new(None);
        for session in 1..=20 {
            let asker = Asker { session: SessionId(session), ..asker(1, 1) };
            reading.ask(asker, "many", 1);
        }
        reading.ask(asker(1, 2), "one", 2);
        assert_eq!(reading.answers(4), ["many", "one", "many", "one"]);
    }

    #[test]
    fn an_address_that_was_read_for_rests_and_others_do_not() {
        let rest = Rest { times: 3, spared: SECOND };
        let mut reading = Reading::new(Some(rest));
        let began = reading.now;
        reading.ask(asker(1, 1), "greedy", 16);
        // One second is spared, which the first answer is over by two.
        assert_eq!(reading.answers(16), ["greedy"]);
        assert_eq!(reading.line.due(), Some(began + SECOND * 3));
        reading.ask(asker(2, 2), "modest", 1);
        assert_eq!(reading.answers(16), ["modest"]);
        reading.now = began + SECOND * 3;
        assert_eq!(reading.answers(16), ["greedy"]);
    }

    #[test]
    fn short_questions_need_no_rest() {
        let mut reading = Reading::new(Some(Rest { times: 3, spared: SECOND }));
        reading.ask(asker(1, 1), "short", 50);
        let answered = (0..50).map_while(|_| reading.answer(Duration::from_millis(5))).count();
        assert_eq!(answered, 50);
    }

    #[test]
    fn who_leaves_takes_their_questions_along_and_leaves_those_of_the_same_key() {
        let mut reading = Reading::new(None);
        let (one, other) = (asker(1, 1), Asker { session: SessionId(2), ..asker(1, 1) });
        reading.ask(one, "gone", 3);
        reading.ask(other, "stays", 1);
        assert_eq!(reading.line.gone(one), ["gone"; 3]);
        assert_eq!(reading.answers(4), ["stays"]);
    }

    #[test]
    fn who_leaves_while_their_question_runs_is_charged_for_it() {
        let mut reading = Reading::new(None);
        reading.ask(asker(1, 1), "long", 1);
        assert_eq!(reading.line.next(reading.now), Some("long"));
        reading.line.gone(asker(1, 1));
        reading.ask(asker(2, 2), "other", 1);
        reading.ask(asker(1, 1), "again", 1);
        reading.line.done(reading.now + SECOND);
        assert_eq!(reading.answers(2), ["other", "again"]);
    }
}
