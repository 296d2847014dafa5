//! How much of the input that waits for the server that leads is whose: nobody fills all the space for it.
//!
//! A person, an address and a network have a share each, counted as for the paces: sessions and keys are free, so having many
//! of them must not multiply the share. Established users wait for nobody but themselves, as long as little of theirs waits.

use crate::chat::{Account, Net, Peer, UserRecord};
use crate::limits::{
    UPLINK_BYTES, UPLINK_OF_ESTABLISHED, UPLINK_OF_SHARES, UPLINK_PER_ADDRESS, UPLINK_PER_NETWORK,
    UPLINK_PER_PERSON, UPLINK_RESERVE,
};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

/// How soon to look again whether there is room, while inputs are taken: a few times as long as that needs.
const SOON: Duration = Duration::from_millis(10);

/// The same while none are taken, as no server leads.
const LATER: Duration = Duration::from_millis(200);

/// How long no input must have been taken for that.
const QUIET: Duration = Duration::from_secs(1);

/// Rows whose memory an empty table keeps, as it soon has others.
const KEPT: usize = 64;

/// See the module. Memory is proportional to the input that waits.
#[derive(Debug, Default)]
pub(super) struct UplinkShares {
    hasher: RandomState,
    people: HashMap<u64, usize>,
    addresses: HashMap<Net, usize>,
    networks: HashMap<Net, usize>,
    all: usize,
    /// In the order of the batches.
    charges: VecDeque<Charge>,
    /// When inputs were taken last, or none waited.
    moved: Duration,
}

/// Those who share a session's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UplinkPayer {
    /// A hash; `None` before registration without a key.
    person: Option<u64>,
    address: Net,
    /// `None`: the server's own machine, a network by itself.
    network: Option<Net>,
}

#[derive(Debug)]
struct Charge {
    batch: u64,
    payer: UplinkPayer,
    bytes: usize,
}

impl UplinkShares {
    pub(super) fn payer(&self, peer: &Peer, user: Option<&UserRecord>) -> UplinkPayer {
        let person = match (user, &peer.key) {
            (Some(UserRecord { account: Some(account), .. }), _) => Some(self.hash_of(account)),
            (Some(user), _) => Some(self.hasher.hash_one(user.number)),
            (None, Some(key)) => Some(self.hash_of(&Account::Key(*key))),
            (None, None) => None,
        };
        let network = (!peer.local).then(|| Net::network(peer.ip));
        UplinkPayer { person, address: Net::counted(peer.ip), network }
    }

    fn hash_of(&self, account: &Account) -> u64 {
        self.hasher.hash_one(account)
    }

    /// Whether more input of this payer may wait.
    pub(super) fn has_room(&self, payer: UplinkPayer, is_established: impl FnOnce() -> bool) -> bool {
        let person = payer.person.map_or(0, |person| waiting(&self.people, &person));
        if person >= UPLINK_PER_PERSON {
            return false;
        }
        let address = waiting(&self.addresses, &payer.address);
        let network = payer.network.map_or(0, |net| waiting(&self.networks, &net));
        let fits = |more| address < UPLINK_PER_ADDRESS + more && network < UPLINK_PER_NETWORK + more;
        let is_free = self.all < UPLINK_BYTES - UPLINK_RESERVE && fits(0);
        is_free || person < UPLINK_OF_ESTABLISHED && fits(UPLINK_OF_SHARES) && is_established()
    }

    /// Input of this payer waits, in the batch with that number or a later one than before.
    pub(super) fn charge(&mut self, payer: UplinkPayer, batch: u64, bytes: usize) {
        if let Some(person) = payer.person {
            *self.people.entry(person).or_default() += bytes;
        }
        *self.addresses.entry(payer.address).or_default() += bytes;
        if let Some(net) = payer.network {
            *self.networks.entry(net).or_default() += bytes;
        }
        self.all += bytes;
        match self.charges.back_mut().filter(|last| last.batch == batch && last.payer == payer) {
            Some(last) => last.bytes += bytes,
            None => self.charges.push_back(Charge { batch, payer, bytes }),
        }
    }

    /// The rules have taken all batches up to that number.
    pub(super) fn taken(&mut self, batch: u64, uptime: Duration) {
        while let Some(Charge { payer, bytes, .. }) = self.charges.pop_front_if(|first| first.batch <= batch)
        {
            self.moved = uptime;
            self.all -= bytes;
            payer.person.iter().for_each(|person| release(&mut self.people, person, bytes));
            release(&mut self.addresses, &payer.address, bytes);
            payer.network.iter().for_each(|net| release(&mut self.networks, net, bytes));
        }
        if self.charges.is_empty() {
            self.moved = uptime;
            if self.charges.capacity() > KEPT {
                self.charges = VecDeque::new();
            }
        }
    }

    /// How soon a session that has found no room is to look again.
    pub(super) fn pause(&self, uptime: Duration) -> Duration {
        if uptime.saturating_sub(self.moved) < QUIET { SOON } else { LATER }
    }
}

fn waiting<K: Eq + Hash>(table: &HashMap<K, usize>, key: &K) -> usize {
    table.get(key).copied().unwrap_or_default()
}

fn release<K: Eq + Hash>(table: &mut HashMap<K, usize>, key: &K, bytes: usize) {
    let Some(count) = table.get_mut(key) else { return };
    *count -= bytes;
    if *count == 0 {
        table.remove(key);
        if table.is_empty() && table.capacity() > KEPT {
            *table = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use std::num::NonZeroU64;

    const INPUT: usize = 9000;

    fn peer(ip: &str, key: Option<u8>) -> Peer {
        let key = key.map(|byte| Fingerprint::new([byte; 32]));
        let ip: std::net::IpAddr = ip.parse().unwrap();
        Peer { ip, key, encrypted: true, local: ip.is_loopback(), web: false }
    }

    /// Bytes that a session gets in before it has to wait.
    fn fill(shares: &mut UplinkShares, peer: &Peer, batch: u64, is_established: bool) -> usize {
        let payer = shares.payer(peer, None);
        let mut bytes = 0;
        while shares.has_room(payer, || is_established) {
            shares.charge(payer, batch, INPUT);
            bytes += INPUT;
        }
        bytes
    }

    fn about(bytes: usize, share: usize) -> bool {
        (share..share + INPUT).contains(&bytes)
    }

    #[test]
    fn a_person_has_one_share_at_all_addresses_and_sessions() {
        let mut shares = UplinkShares::default();
        assert!(about(fill(&mut shares, &peer("10.0.0.1", Some(1)), 1, false), UPLINK_PER_PERSON));
        assert_eq!(fill(&mut shares, &peer("10.9.0.1", Some(1)), 1, true), 0);
        assert!(fill(&mut shares, &peer("10.0.0.1", Some(2)), 1, false) > 0);
    }

    #[test]
    fn an_address_and_a_network_have_a_share_however_many_keys_there_are() {
        for host in ["10.0.0.1", "127.0.0.1"] {
            let mut shares = UplinkShares::default();
            let flood: usize = (0..40).map(|key| fill(&mut shares, &peer(host, Some(key)), 1, false)).sum();
            assert!(about(flood, UPLINK_PER_ADDRESS), "{flood}");
            assert_eq!(fill(&mut shares, &peer(host, None), 1, false), 0);
            let other = host.replace(".1", ".2");
            assert!(fill(&mut shares, &peer(&other, Some(99)), 1, false) > 0);
        }
        let mut shares = UplinkShares::default();
        let address = |host: u8| peer(&format!("10.0.0.{host}"), None);
        let flood: usize = (1..90).map(|host| fill(&mut shares, &address(host), 1, false)).sum();
        assert!(about(flood, UPLINK_PER_NETWORK), "{flood}");
        assert!(fill(&mut shares, &peer("10.0.1.1", Some(99)), 1, false) > 0);
    }

    #[test]
    fn some_room_is_left_for_established_users_whatever_others_send() {
        let mut shares = UplinkShares::default();
        for net in 0..9 {
            (1..90)
                .for_each(|host| _ = fill(&mut shares, &peer(&format!("10.0.{net}.{host}"), None), 1, false));
        }
        assert!(about(shares.all, UPLINK_BYTES - UPLINK_RESERVE));
        let bob = peer("10.0.0.1", Some(9));
        assert_eq!(fill(&mut shares, &bob, 1, false), 0);
        assert!(about(fill(&mut shares, &bob, 1, true), UPLINK_OF_ESTABLISHED));
    }

    #[test]
    fn many_established_users_at_one_address_do_not_fill_all_the_space() {
        let mut shares = UplinkShares::default();
        let flood = |shares: &mut UplinkShares, key| fill(shares, &peer("10.0.0.1", Some(key)), 1, true);
        let all: usize = (0..200).map(|key| flood(&mut shares, key)).sum();
        assert!(about(all, UPLINK_PER_ADDRESS + UPLINK_OF_SHARES), "{all}");
        for (other, key) in [("10.0.0.2", 201), ("10.0.1.1", 202)] {
            assert!(fill(&mut shares, &peer(other, Some(key)), 1, false) > 0);
        }
    }

    #[test]
    fn room_comes_back_with_the_batches_that_are_taken() {
        let mut shares = UplinkShares::default();
        let alice = peer("10.0.0.1", Some(1));
        let payer = shares.payer(&alice, None);
        (1..=3).for_each(|batch| shares.charge(payer, batch, UPLINK_PER_PERSON / 3));
        shares.charge(payer, 3, INPUT);
        assert!(!shares.has_room(payer, || true));
        let at = Duration::from_secs;
        shares.taken(0, at(4));
        assert_eq!(shares.pause(at(5)), LATER);
        shares.taken(1, at(5));
        assert!(shares.has_room(payer, || false));
        assert_eq!((shares.pause(at(5)), shares.pause(at(7))), (SOON, LATER));
        shares.taken(3, at(6));
        shares.taken(3, at(9));
        assert_eq!(shares.pause(at(9)), SOON);
        let left = (shares.all, shares.people.len(), shares.addresses.len(), shares.networks.len());
        assert_eq!(left, (0, 0, 0, 0));
    }

    #[test]
    fn a_user_without_account_is_known_by_its_number() {
        let shares = UplinkShares::default();
        let peer = peer("10.0.0.1", None);
        let user = |number| {
            let number = NonZeroU64::new(number).unwrap();
            let (name, rooms) = ("bob".into(), Vec::new());
            let user = UserRecord { number, name, account: None, since: 0, away: None, rooms };
            shares.payer(&peer, Some(&user))
        };
        assert_eq!(user(1), user(1));
        assert_ne!(user(1), user(2));
    }
}
