//! Who goes when too much is kept: those for whom most is, of the address for which most is.
//!
//! By address first, as one host may have a thousand connections with little each; by key within that,
//! as people may share an address. What a person has open weighs less than what an attacker needs.

use crate::chat::{Net, SessionId};
use crate::fingerprint::Fingerprint;
use std::collections::{BinaryHeap, HashMap};

/// What is kept for one connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Weight {
    pub(in crate::server) session: SessionId,
    pub(in crate::server) net: Net,
    pub(in crate::server) key: Option<Fingerprint>,
    pub(in crate::server) bytes: usize,
}

/// Those that are to go so that `excess` bytes are free, in that order.
pub(in crate::server) fn heaviest(weights: &[Weight], excess: usize) -> Vec<SessionId> {
    let mut owners: HashMap<(Net, Option<Fingerprint>), usize> = HashMap::new();
    let mut nets: HashMap<Net, Vec<Weight>> = HashMap::new();
    for weight in weights.iter().filter(|weight| weight.bytes > 0) {
        *owners.entry((weight.net, weight.key)).or_default() += weight.bytes;
        nets.entry(weight.net).or_default().push(*weight);
    }
    let mut heap = BinaryHeap::new();
    let mut lists = Vec::new();
    for (_, mut list) in nets {
        // The last is the first to go.
        list.sort_by_key(|weight| (owners.get(&(weight.net, weight.key)).copied(), weight.bytes));
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
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(session: u64, host: u8, key: Option<u8>, bytes: usize) -> Weight {
        let net = Net::host([10, 0, 0, host].into());
        Weight { session: SessionId(session), net, key: key.map(|key| Fingerprint::new([key; 32])), bytes }
    }

    fn gone(weights: &[Weight], excess: usize) -> Vec<u64> {
        heaviest(weights, excess).into_iter().map(|session| session.0).collect()
    }

    #[test]
    fn many_small_ones_of_one_address_go_before_a_big_one_of_another() {
        let mut weights: Vec<Weight> = (0..100).map(|n| weight(n, 1, None, 10)).collect();
        weights.push(weight(100, 2, None, 200));
        let gone = gone(&weights, 700);
        assert_eq!(gone.len(), 70);
        assert!(!gone.contains(&100));
    }

    #[test]
    fn once_they_are_even_each_address_gives_in_turn() {
        let weights = [weight(1, 1, None, 60), weight(2, 1, None, 50), weight(3, 2, None, 100)];
        assert_eq!(gone(&weights, 100), [1, 3]);
    }

    #[test]
    fn who_shares_an_address_with_an_attacker_stays() {
        let mut weights: Vec<Weight> = (0..50).map(|n| weight(n, 1, Some(7), 10)).collect();
        weights.push(weight(99, 1, Some(8), 200));
        assert!(!gone(&weights, 500).contains(&99));
    }

    #[test]
    fn who_has_nothing_is_never_among_them() {
        let weights = [weight(1, 1, None, 0), weight(2, 2, None, 5)];
        assert_eq!(gone(&weights, 1000), [2]);
    }
}
