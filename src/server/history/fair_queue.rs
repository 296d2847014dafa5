//! A fair queue for reads: addresses take turns, and within an address its clients, by the time that their
//! reads took.
//!
//! Pure: callers pass in the time. An address's sessions and keys share its time, because keys and sessions
//! cost nothing.

use super::virtual_time::VirtualTimeQueue;
use crate::chat::{Net, SessionId};
use crate::fingerprint::Fingerprint;
use crate::server::connection::Connection;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Requester {
    /// The address, or the IPv6 network, that is charged.
    pub(super) address: Net,
    pub(super) person: Person,
    pub(super) session: SessionId,
}

/// Shares an address's time: a key with all its sessions, or a session without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Person {
    Key(Fingerprint),
    Session(SessionId),
}

/// How long an address pauses after a read, which limits its share of a core.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cooldown {
    /// Multiple of the read's time.
    pub(super) factor: u32,
    /// Read time that needs no pause.
    pub(super) allowance: Duration,
}

/// Hands out one read at a time.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    cooldown: Option<Cooldown>,
    addresses: VirtualTimeQueue<Net, Address<T>>,
    /// The current requester, and when its read began.
    current: Option<(Requester, Instant)>,
}

#[derive(Debug)]
struct Address<T> {
    people: VirtualTimeQueue<Person, VecDeque<(SessionId, T)>>,
    /// When it has cooled down.
    rested: Option<Instant>,
}

impl Requester {
    pub(super) fn of(connection: &Connection) -> Self {
        let session = connection.id();
        let person = connection.peer_key().map_or(Person::Session(session), Person::Key);
        Self { address: address(connection.ip()), person, session }
    }
}

/// Counts a whole IPv6 network as one address, because a host can take any number of its addresses.
fn address(ip: IpAddr) -> Net {
    if ip.to_canonical().is_ipv6() { Net::network(ip) } else { Net::counted(ip) }
}

impl<T> Default for Address<T> {
    fn default() -> Self {
        Self { people: VirtualTimeQueue::default(), rested: None }
    }
}

impl<T> FairQueue<T> {
    pub(super) fn new(cooldown: Option<Cooldown>) -> Self {
        Self { cooldown, addresses: VirtualTimeQueue::default(), current: None }
    }

    /// Queues a read behind the requester's others.
    pub(super) fn enter(&mut self, requester: Requester, what: T) {
        let address = self.addresses.enter(requester.address);
        address.people.enter(requester.person).push_back((requester.session, what));
    }

    /// The next read, which lasts until [`Self::done`]; `None`: the queue is empty, or all addresses must
    /// pause.
    pub(super) fn next(&mut self, now: Instant) -> Option<T> {
        let cooldown = self.cooldown;
        let is_ready = |address: &Address<T>| address.ready_at(cooldown).is_none_or(|ready| ready <= now);
        let (net, _) = self.addresses.line().find(|(_, address)| is_ready(address))?;
        let address = self.addresses.get_mut(net)?;
        let (person, _) = address.people.line().next()?;
        let (session, what) = address.people.get_mut(person)?.pop_front()?;
        let requester = Requester { address: net, person, session };
        self.tidy(requester);
        self.current = Some((requester, now));
        Some(what)
    }

    /// Ends the current read, and charges its requester.
    pub(super) fn done(&mut self, now: Instant) {
        let Some((requester, begun)) = self.current.take() else { return };
        let took = now.saturating_duration_since(begun);
        self.addresses.charge(requester.address, took);
        if let Some(address) = self.addresses.get_mut(requester.address) {
            address.people.charge(requester.person, took);
            address.people.forget(|_| false);
            if let Some(cooldown) = self.cooldown {
                let from = address.rested.map_or(begun, |rested| rested.max(begun));
                address.rested = Some(from + took * (cooldown.factor + 1));
            }
        }
        self.addresses.forget(|address| address.rested.is_some_and(|rested| rested > now));
    }

    /// When the first address has cooled down, if all must pause.
    pub(super) fn due(&self) -> Option<Instant> {
        self.addresses.line().filter_map(|(_, address)| address.ready_at(self.cooldown)).min()
    }

    /// Removes a session, and returns its reads.
    pub(super) fn gone(&mut self, requester: Requester) -> Vec<T> {
        let address = self.addresses.get_mut(requester.address);
        let queue = address.and_then(|address| address.people.get_mut(requester.person));
        let Some(queue) = queue else { return Vec::new() };
        let (gone, stay) = std::mem::take(queue)
            .into_iter()
            .partition::<Vec<_>, _>(|(session, _)| *session == requester.session);
        *queue = stay.into();
        self.tidy(requester);
        // A requester that leaves before its turn is never charged, so nothing else would forget it.
        if let Some(address) = self.addresses.get_mut(requester.address) {
            address.people.forget(|_| false);
        }
        gone.into_iter().map(|(_, what)| what).collect()
    }

    /// Removes a requester without reads from the order.
    fn tidy(&mut self, requester: Requester) {
        let Some(address) = self.addresses.get_mut(requester.address) else { return };
        if address.people.get_mut(requester.person).is_some_and(|queue| queue.is_empty()) {
            address.people.leave(requester.person);
        }
        if address.people.is_empty() {
            self.addresses.leave(requester.address);
        }
    }
}

impl<T> Address<T> {
    /// When its next read may start; `None`: at any time.
    fn ready_at(&self, cooldown: Option<Cooldown>) -> Option<Instant> {
        self.rested?.checked_sub(cooldown?.allowance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The session of that number at the address that ends so; each has a key of its own.
    fn requester(address: u8, session: u64) -> Requester {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&session.to_be_bytes());
        Requester {
            address: Net::counted(IpAddr::from([192, 168, 1, address])),
            person: Person::Key(Fingerprint::new(key)),
            session: SessionId(session),
        }
    }

    /// The clock goes on by what each question takes.
    struct Reading {
        line: FairQueue<&'static str>,
        now: Instant,
    }

    impl Reading {
        fn new(cooldown: Option<Cooldown>) -> Self {
            Self { line: FairQueue::new(cooldown), now: Instant::now() }
        }

        fn ask(&mut self, requester: Requester, what: &'static str, times: usize) {
            (0..times).for_each(|_| self.line.enter(requester, what));
        }

        /// The answers, in order, if each takes a second.
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
    fn a_single_question_waits_only_for_the_one_that_runs() {
        let mut reading = Reading::new(None);
        reading.ask(requester(1, 1), "greedy", 16);
        reading.answers(4);
        assert_eq!(reading.line.next(reading.now), Some("greedy"));
        reading.ask(requester(2, 2), "modest", 1);
        reading.line.done(reading.now + SECOND);
        assert_eq!(reading.answers(2), ["modest", "greedy"]);
    }

    #[test]
    fn many_keys_of_one_address_have_no_more_than_one_of_another() {
        let mut reading = Reading::new(None);
        (1..=100).for_each(|key| reading.ask(requester(1, key), "many", 2));
        reading.ask(requester(2, 200), "one", 5);
        let answers = reading.answers(10);
        assert_eq!(answers.iter().filter(|answer| **answer == "one").count(), 5, "{answers:?}");
    }

    #[test]
    fn people_of_one_address_share_what_it_has() {
        let mut reading = Reading::new(None);
        reading.ask(requester(1, 1), "greedy", 16);
        reading.ask(requester(1, 2), "modest", 2);
        assert_eq!(reading.answers(4), ["greedy", "modest", "greedy", "modest"]);
    }

    #[test]
    fn the_sessions_of_one_key_are_one_person() {
        let mut reading = Reading::new(None);
        for session in 1..=20 {
            let requester = Requester { session: SessionId(session), ..requester(1, 1) };
            reading.ask(requester, "many", 1);
        }
        reading.ask(requester(1, 2), "one", 2);
        assert_eq!(reading.answers(4), ["many", "one", "many", "one"]);
    }

    #[test]
    fn an_address_that_was_read_for_rests_and_others_do_not() {
        let cooldown = Cooldown { factor: 3, allowance: SECOND };
        let mut reading = Reading::new(Some(cooldown));
        let began = reading.now;
        reading.ask(requester(1, 1), "greedy", 16);
        // One second is allowance, which the first answer is over by two.
        assert_eq!(reading.answers(16), ["greedy"]);
        assert_eq!(reading.line.due(), Some(began + SECOND * 3));
        reading.ask(requester(2, 2), "modest", 1);
        assert_eq!(reading.answers(16), ["modest"]);
        reading.now = began + SECOND * 3;
        assert_eq!(reading.answers(16), ["greedy"]);
    }

    #[test]
    fn short_questions_need_no_rest() {
        let mut reading = Reading::new(Some(Cooldown { factor: 3, allowance: SECOND }));
        reading.ask(requester(1, 1), "short", 50);
        let answered = (0..50).map_while(|_| reading.answer(Duration::from_millis(5))).count();
        assert_eq!(answered, 50);
    }

    #[test]
    fn a_session_that_leaves_takes_only_its_own_questions_along() {
        let mut reading = Reading::new(None);
        let (one, other) = (requester(1, 1), Requester { session: SessionId(2), ..requester(1, 1) });
        reading.ask(one, "gone", 3);
        reading.ask(other, "stays", 1);
        assert_eq!(reading.line.gone(one), ["gone"; 3]);
        assert_eq!(reading.answers(4), ["stays"]);
    }

    #[test]
    fn a_session_that_leaves_is_charged_for_its_running_question() {
        let mut reading = Reading::new(None);
        reading.ask(requester(1, 1), "long", 1);
        assert_eq!(reading.line.next(reading.now), Some("long"));
        reading.line.gone(requester(1, 1));
        reading.ask(requester(2, 2), "other", 1);
        reading.ask(requester(1, 1), "again", 1);
        reading.line.done(reading.now + SECOND);
        assert_eq!(reading.answers(2), ["other", "again"]);
    }
}
