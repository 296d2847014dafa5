//! How many questions wait for their answers: of a session, of an address, and of all.

use super::line::Asker;
use crate::chat::{Net, SessionId};
use crate::limits::{ADDRESSES_PER_NETWORK, ASKED_PER_ADDRESS, ASKED_WAITING};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module. No empty entries.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    counts: Arc<Mutex<Counts>>,
    /// Of one session.
    most: usize,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: HashMap<SessionId, usize>,
    addresses: HashMap<Net, usize>,
    all: usize,
}

/// One of them, while it waits.
#[derive(Debug)]
pub(super) struct Waiting {
    asked: Asked,
    asker: Asker,
}

impl Asked {
    pub(super) fn new(most: usize) -> Self {
        Self { counts: Arc::default(), most }
    }

    /// An error says why it is one too many.
    ///
    /// Once half of the places are taken an address has one: so another always finds one.
    pub(super) fn one_more(&self, asker: Asker) -> Result<Waiting, String> {
        let mut counts = self.lock();
        let own = counts.sessions.get(&asker.session).copied().unwrap_or_default();
        if own >= self.most {
            let why = "of your questions wait for their answers; ask again when you have those";
            return Err(format!("{own} {why}"));
        }
        let address = counts.addresses.get(&asker.address).copied().unwrap_or_default();
        // Whoever has none waiting still finds room behind those of their address who have some.
        let many = if own == 0 { ADDRESSES_PER_NETWORK as usize } else { 1 };
        let most = if counts.all < ASKED_WAITING / 2 { many * ASKED_PER_ADDRESS } else { 1 };
        if address >= most || counts.all >= ASKED_WAITING {
            return Err("too many questions wait for their answers; ask again later".into());
        }
        *counts.sessions.entry(asker.session).or_default() += 1;
        *counts.addresses.entry(asker.address).or_default() += 1;
        counts.all += 1;
        drop(counts);
        Ok(Waiting { asked: self.clone(), asker })
    }

    /// Counts stay consistent even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut counts = self.asked.lock();
        one_less(&mut counts.sessions, self.asker.session);
        one_less(&mut counts.addresses, self.asker.address);
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
    use super::super::line::Person;
    use super::*;
    use std::net::IpAddr;

    fn asker(address: u8, session: u64) -> Asker {
        let session = SessionId(session);
        let address = Net::counted(IpAddr::from([192, 168, 1, address]));
        Asker { address, person: Person::Session(session), session }
    }

    #[test]
    fn only_so_many_questions_of_a_session_wait_and_others_are_free_to_ask() {
        let asked = Asked::new(3);
        let mut waiting: Vec<Waiting> =
            (0..3).map(|_| asked.one_more(asker(1, 1)).expect("a place")).collect();
        assert!(asked.one_more(asker(1, 1)).is_err());
        assert!(asked.one_more(asker(1, 2)).is_ok());
        waiting.pop();
        assert!(asked.one_more(asker(1, 1)).is_ok());
        waiting.clear();
        assert!(asked.lock().sessions.is_empty() && asked.lock().addresses.is_empty());
    }

    #[test]
    fn whoever_has_none_waiting_finds_room_behind_those_of_their_address_who_have_many() {
        let asked = Asked::new(16);
        let waiting: Vec<Waiting> = (0..ASKED_PER_ADDRESS as u64)
            .map(|n| asked.one_more(asker(1, n / 16)).expect("a place"))
            .collect();
        assert!(asked.one_more(asker(1, 0)).is_err() && asked.one_more(asker(1, 99)).is_ok());
        drop(waiting);
    }

    #[test]
    fn many_addresses_that_ask_all_they_may_leave_places_for_others() {
        let asked = Asked::new(16);
        let mut waiting = Vec::new();
        for address in 1..=100 {
            let sessions = (0..1000).map(|number| u64::from(address) << 32 | number);
            let more = sessions.map_while(|session| asked.one_more(asker(address, session)).ok());
            waiting.extend(more);
            assert!(asked.one_more(asker(address, u64::MAX)).is_err(), "it has its share");
        }
        assert!(waiting.len() >= ASKED_WAITING / 2);
        assert!(asked.one_more(asker(101, 1)).is_ok());
    }
}
