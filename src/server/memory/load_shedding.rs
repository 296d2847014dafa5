//! Chooses the clients to close when the memory budget is exceeded: those that hold most, within the network
//! and address that hold most.
//!
//! By network and address first, because one host may have a thousand connections and addresses that hold
//! little each; by key within an address, because people may share one. Clients that read nothing go before all
//! others: an attacker needs that, and people do not do it.

use crate::chat::{Net, SessionId};
use crate::fingerprint::Fingerprint;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

/// The memory that one connection holds.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Weight {
    pub(in crate::server) session: SessionId,
    pub(in crate::server) host: IpAddr,
    pub(in crate::server) key: Option<Fingerprint>,
    pub(in crate::server) bytes: usize,
    /// Whether its peer reads nothing, or does not finish what it began to send.
    pub(in crate::server) is_stuck: bool,
}

impl Weight {
    fn network(&self) -> Net {
        Net::network(self.host)
    }

    fn owner(&self) -> (IpAddr, Option<Fingerprint>) {
        (self.host, self.key)
    }
}

/// The sessions to close, in order, to free `excess` bytes.
pub(in crate::server) fn to_shed(weights: &[Weight], excess: usize) -> Vec<SessionId> {
    let (stuck, others): (Vec<&Weight>, Vec<&Weight>) =
        weights.iter().filter(|weight| weight.bytes > 0).partition(|weight| weight.is_stuck);
    let (mut gone, freed) = pick(&stuck, excess);
    if freed < excess {
        gone.extend(pick(&others, excess - freed).0);
    }
    gone
}

/// Chooses among these, and returns how much that frees.
fn pick(weights: &[&Weight], excess: usize) -> (Vec<SessionId>, usize) {
    let hosts = sums(weights, |weight| weight.host);
    let owners = sums(weights, Weight::owner);
    let mut networks: HashMap<Net, Vec<&Weight>> = HashMap::new();
    for weight in weights {
        networks.entry(weight.network()).or_default().push(weight);
    }
    let mut heap = BinaryHeap::new();
    let mut lists = Vec::new();
    for (_, mut list) in networks {
        // The last in the list is closed first.
        list.sort_by_key(|weight| (hosts.get(&weight.host), owners.get(&weight.owner()), weight.bytes));
        heap.push((list.iter().map(|weight| weight.bytes).sum::<usize>(), lists.len()));
        lists.push(list);
    }
    let (mut gone, mut freed) = (Vec::new(), 0);
    while freed < excess
        && let Some((bytes, place)) = heap.pop()
    {
        let Some(weight) = lists.get_mut(place).and_then(Vec::pop) else { continue };
        freed += weight.bytes;
        gone.push(weight.session);
        heap.push((bytes.saturating_sub(weight.bytes), place));
    }
    (gone, freed)
}

/// Sums of bytes by a common property.
fn sums<T: Eq + Hash>(weights: &[&Weight], of: impl Fn(&Weight) -> T) -> HashMap<T, usize> {
    let mut sums = HashMap::new();
    for weight in weights {
        *sums.entry(of(weight)).or_default() += weight.bytes;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(session: u64, host: &str, key: Option<u8>, bytes: usize) -> Weight {
        let key = key.map(|key| Fingerprint::new([key; 32]));
        Weight {
            session: SessionId(session),
            host: host.parse().expect("an address"),
            key,
            bytes,
            is_stuck: true,
        }
    }

    fn gone(weights: &[Weight], excess: usize) -> Vec<u64> {
        to_shed(weights, excess).into_iter().map(|session| session.0).collect()
    }

    #[test]
    fn many_small_ones_of_one_address_go_before_a_big_one_of_another() {
        let mut weights: Vec<Weight> = (0..100).map(|n| weight(n, "10.0.0.1", None, 10)).collect();
        weights.push(weight(100, "10.0.0.2", None, 200));
        let gone = gone(&weights, 700);
        assert_eq!(gone.len(), 70);
        assert!(!gone.contains(&100));
    }

    #[test]
    fn a_thousand_addresses_of_one_network_go_before_a_big_one_of_another() {
        let host = |n: u64| format!("fd00:a::{n:x}");
        let mut weights: Vec<Weight> = (0..1000).map(|n| weight(n, &host(n), None, 80)).collect();
        weights.push(weight(5000, "10.0.0.2", None, 200));
        assert!(!gone(&weights, 60_000).contains(&5000));
    }

    #[test]
    fn once_they_are_even_each_network_gives_in_turn() {
        let weights = [
            weight(1, "10.0.0.1", None, 60),
            weight(2, "10.0.0.1", None, 50),
            weight(3, "10.0.1.2", None, 100),
        ];
        assert_eq!(gone(&weights, 100), [1, 3]);
    }

    #[test]
    fn a_client_that_shares_an_attacker_s_address_stays() {
        let mut weights: Vec<Weight> = (0..50).map(|n| weight(n, "10.0.0.1", Some(7), 10)).collect();
        weights.push(weight(99, "10.0.0.1", Some(8), 200));
        assert!(!gone(&weights, 500).contains(&99));
    }

    #[test]
    fn clients_that_read_go_last() {
        let reads = Weight { is_stuck: false, ..weight(1, "10.0.0.1", None, 900) };
        let weights = [reads, weight(2, "10.0.0.1", None, 50), weight(3, "10.0.1.1", None, 60)];
        assert_eq!(gone(&weights, 110), [3, 2]);
        assert_eq!(gone(&weights, 111), [3, 2, 1]);
    }

    #[test]
    fn a_client_that_holds_nothing_is_never_closed() {
        let weights = [weight(1, "10.0.0.1", None, 0), weight(2, "10.0.0.2", None, 5)];
        assert_eq!(gone(&weights, 1000), [2]);
    }
}
