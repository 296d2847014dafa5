//! How fast people may send at one of several servers: each session, and all of an address together. The finer paces of
//! a single server need the rules, which run at the server that leads.

use crate::chat::Peer;
use crate::limits::{BURSTS_TOGETHER, MAX_ADDRESSES, PACES_PER_ADDRESS};
use crate::pace::{Bucket, Buckets, Rate};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct NodePaces {
    /// Of a session; `None`: no limit.
    rate: Option<Rate>,
    addresses: Buckets,
}

impl NodePaces {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { rate, addresses: Buckets::new(MAX_ADDRESSES) }
    }

    /// Pays for a session's next packet; an error: how long it must wait.
    pub(super) fn pay(
        &mut self,
        own: &mut Bucket,
        peer: &Peer,
        cost: u64,
        uptime: Duration,
    ) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let shared = rate.times(PACES_PER_ADDRESS, BURSTS_TOGETHER);
        let mut address = (!peer.local).then(|| &mut self.addresses.row(&peer.ip, uptime)[0]);
        let theirs = address.as_ref().map_or(Duration::ZERO, |address| address.wait(shared, uptime));
        let wait = own.wait(rate, uptime).max(theirs);
        if !wait.is_zero() {
            return Err(wait);
        }
        own.spend(cost, rate, uptime);
        if let Some(address) = &mut address {
            address.spend(cost, shared, uptime);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: &str, local: bool) -> Peer {
        Peer { ip: ip.parse().unwrap(), key: None, encrypted: true, local, web: false }
    }

    /// How many of so many sessions may send one packet.
    fn sent(paces: &mut NodePaces, peer: &Peer, sessions: usize) -> usize {
        let now = Duration::from_secs(1);
        (0..sessions).filter(|_| paces.pay(&mut Bucket::default(), peer, 1, now).is_ok()).count()
    }

    #[test]
    fn an_address_with_many_sessions_has_the_pace_of_an_address() {
        let rate = Rate::per_second(5, 20).unwrap();
        let mut paces = NodePaces::new(Some(rate));
        let many = 3 * 20 * BURSTS_TOGETHER as usize;
        let first = sent(&mut paces, &peer("10.0.0.1", false), many);
        assert!((1..=many / 3).contains(&first), "{first}");
        assert_eq!(sent(&mut paces, &peer("10.0.0.2", false), 100), 100, "another address");
        assert_eq!(sent(&mut paces, &peer("10.0.0.1", true), many), many, "the server's own machine");
    }

    #[test]
    fn a_session_has_its_pace() {
        let mut paces = NodePaces::new(Some(Rate::per_second(5, 20).unwrap()));
        let (mut own, peer) = (Bucket::default(), peer("10.0.0.1", false));
        let mut at = |seconds| paces.pay(&mut own, &peer, 1, Duration::from_secs(seconds)).is_ok();
        assert_eq!((0..30).filter(|_| at(1)).count(), 20);
        assert_eq!((0..30).filter(|_| at(2)).count(), 5);
    }
}
