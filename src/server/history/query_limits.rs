//! Limits how many questions may wait: per session, per address and in total.

use super::fair_queue::Requester;
use crate::chat::{Net, SessionId};
use crate::limits::{ADDRESSES_PER_NETWORK, ASKED_PER_ADDRESS, ASKED_WAITING};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tables without empty entries.
#[derive(Debug, Clone)]
pub(super) struct QueryLimits {
    counts: Arc<Mutex<Counts>>,
    /// Per session.
    most: usize,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: HashMap<SessionId, usize>,
    addresses: HashMap<Net, usize>,
    all: usize,
}

/// Counts one question while it waits.
#[derive(Debug)]
pub(super) struct QueryPermit {
    asked: QueryLimits,
    requester: Requester,
}

impl QueryLimits {
    pub(super) fn new(most: usize) -> Self {
        Self { counts: Arc::default(), most }
    }

    /// Admits a question; an error says why not.
    ///
    /// Once half of the places are taken, each address gets one, so there is always room for another address.
    pub(super) fn admit(&self, requester: Requester) -> Result<QueryPermit, String> {
        let mut counts = self.lock();
        let own = counts.sessions.get(&requester.session).copied().unwrap_or_default();
        if own >= self.most {
            let why = "of your questions are still waiting; ask again when you have the answers";
            return Err(format!("{own} {why}"));
        }
        let address = counts.addresses.get(&requester.address).copied().unwrap_or_default();
        // A client without a waiting question finds room even behind others from its address that have some.
        let many = if own == 0 { ADDRESSES_PER_NETWORK as usize } else { 1 };
        let most = if counts.all < ASKED_WAITING / 2 { many * ASKED_PER_ADDRESS } else { 1 };
        if address >= most || counts.all >= ASKED_WAITING {
            return Err("too many questions are waiting; ask again later".into());
        }
        *counts.sessions.entry(requester.session).or_default() += 1;
        *counts.addresses.entry(requester.address).or_default() += 1;
        counts.all += 1;
        drop(counts);
        Ok(QueryPermit { asked: self.clone(), requester })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for QueryPermit {
    fn drop(&mut self) {
        let mut counts = self.asked.lock();
        one_less(&mut counts.sessions, self.requester.session);
        one_less(&mut counts.addresses, self.requester.address);
        counts.all -= 1;
    }
}

fn one_less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fair_queue::Person;
    use super::*;
    use std::net::IpAddr;

    fn requester(address: u8, session: u64) -> Requester {
        let session = SessionId(session);
        let address = Net::counted(IpAddr::from([192, 168, 1, address]));
        Requester { address, person: Person::Session(session), session }
    }

    #[test]
    fn only_so_many_questions_of_a_session_wait_and_others_are_free_to_ask() {
        let asked = QueryLimits::new(3);
        let mut waiting: Vec<QueryPermit> =
            (0..3).map(|_| asked.admit(requester(1, 1)).expect("a place")).collect();
        assert!(asked.admit(requester(1, 1)).is_err());
        assert!(asked.admit(requester(1, 2)).is_ok());
        waiting.pop();
        assert!(asked.admit(requester(1, 1)).is_ok());
        waiting.clear();
        assert!(asked.lock().sessions.is_empty() && asked.lock().addresses.is_empty());
    }

    #[test]
    fn a_session_without_waiting_questions_finds_room_behind_its_busy_address() {
        let asked = QueryLimits::new(16);
        let waiting: Vec<QueryPermit> = (0..ASKED_PER_ADDRESS as u64)
            .map(|n| asked.admit(requester(1, n / 16)).expect("a place"))
            .collect();
        assert!(asked.admit(requester(1, 0)).is_err() && asked.admit(requester(1, 99)).is_ok());
        drop(waiting);
    }

    #[test]
    fn many_addresses_that_ask_all_they_may_leave_places_for_others() {
        let asked = QueryLimits::new(16);
        let mut waiting = Vec::new();
        for address in 1..=100 {
            let sessions = (0..1000).map(|number| u64::from(address) << 32 | number);
            let more = sessions.map_while(|session| asked.admit(requester(address, session)).ok());
            waiting.extend(more);
            assert!(asked.admit(requester(address, u64::MAX)).is_err(), "it has its share");
        }
        assert!(waiting.len() >= ASKED_WAITING / 2);
        assert!(asked.admit(requester(101, 1)).is_ok());
    }
}
