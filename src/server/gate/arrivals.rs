//! Connections that have not come in yet: each may be cut, to make room for another.

use super::heaviest::{Hasher, most};
use crate::chat::Net;
use crate::limits::MAX_KNOCKING;
use crate::pace::Bucket;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::sync::oneshot;

/// Ends when the connection is to be cut; its sender being gone means nothing.
pub(in crate::server) type Cut = oneshot::Receiver<()>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    last: u32,
    /// Those that have a place, by number.
    placed: HashMap<u32, Arrival>,
    /// Those that have none, and come in only with a known key; oldest first.
    knocking: Vec<Knocking>,
}

#[derive(Debug)]
struct Arrival {
    host: IpAddr,
    cut: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Knocking {
    number: u32,
    /// How much its address had knocked.
    knocks: Bucket,
    arrival: Arrival,
}

impl Arrivals {
    /// One with a place.
    pub(super) fn place(&mut self, host: IpAddr) -> (u32, Cut) {
        let (arrival, cut) = Arrival::new(host);
        let number = self.number();
        self.placed.insert(number, arrival);
        (number, cut)
    }

    /// One without, of an address that has knocked so much. If there are too many of these, one goes.
    pub(super) fn knock(&mut self, host: IpAddr, knocks: Bucket) -> (u32, Cut) {
        let (arrival, cut) = Arrival::new(host);
        let number = self.number();
        self.knocking.push(Knocking { number, knocks, arrival });
        if self.knocking.len() > MAX_KNOCKING
            && let Some(at) = self.heaviest_knocking()
        {
            self.knocking.remove(at).arrival.cut();
        }
        (number, cut)
    }

    /// Of the network that has the most: of its address that has the most, or else has knocked most.
    fn heaviest_knocking(&self) -> Option<usize> {
        let hosts = self.knocking.iter().map(|knocking| knocking.arrival.host);
        let (network, _) = most(hosts.clone().map(Net::network))?;
        let mut counts: HashMap<IpAddr, usize, Hasher> = HashMap::default();
        hosts.for_each(|host| *counts.entry(host).or_insert(0) += 1);
        let theirs = self.knocking.iter().enumerate();
        let theirs = theirs.filter(|(_, knocking)| Net::network(knocking.arrival.host) == network);
        let weight = |(at, Knocking { knocks, arrival, .. }): &(usize, &Knocking)| {
            (counts.get(&arrival.host).copied(), *knocks, Reverse(*at))
        };
        theirs.max_by_key(weight).map(|(at, _)| at)
    }

    /// One with a place is no arrival any more; `false`: it was cut.
    pub(super) fn come_in(&mut self, number: u32) -> bool {
        let was_here = self.placed.remove(&number).is_some();
        if self.placed.is_empty() {
            // A storm of logins leaves no memory behind.
            self.placed = HashMap::new();
        }
        was_here
    }

    /// One without a place will not be cut any more; `false`: it was.
    pub(super) fn prove(&mut self, number: u32) -> bool {
        let at = self.knocking.iter().position(|knocking| knocking.number == number);
        at.is_some_and(|at| {
            self.knocking.remove(at);
            true
        })
    }

    /// Those with a place, and where they come from.
    pub(super) fn placed(&self) -> impl Iterator<Item = (u32, IpAddr)> {
        self.placed.iter().map(|(number, arrival)| (*number, arrival.host))
    }

    /// Cuts one that has a place.
    pub(super) fn cut(&mut self, number: u32) {
        if let Some(arrival) = self.placed.remove(&number) {
            arrival.cut();
        }
    }

    /// The next number; more than 2^32 connections at a time there are not.
    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    #[cfg(test)]
    pub(super) fn knocking(&self) -> usize {
        self.knocking.len()
    }
}

impl Arrival {
    fn new(host: IpAddr) -> (Self, Cut) {
        let (cut, receiver) = oneshot::channel();
        (Self { host, cut }, receiver)
    }

    fn cut(self) {
        // An error means that it has ended by itself.
        let _ = self.cut.send(());
    }
}
