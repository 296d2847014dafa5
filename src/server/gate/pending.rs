//! Connections that are not admitted yet. Each may be cut to make room for another.

use super::heaviest::{Hasher, most};
use crate::chat::Net;
use crate::limits::MAX_RESTRICTED;
use crate::pace::Bucket;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::sync::oneshot;

/// Resolves when the connection is cut. An error means nothing.
pub(in crate::server) type CutSignal = oneshot::Receiver<()>;

#[derive(Debug, Default)]
pub(super) struct PendingConnections {
    last: u32,
    /// Those with a place, by number.
    placed: HashMap<u32, PendingConnection>,
    /// Those that need a known key, the oldest first.
    restricted: Vec<RestrictedConnection>,
}

#[derive(Debug)]
struct PendingConnection {
    host: IpAddr,
    cut: oneshot::Sender<()>,
}

#[derive(Debug)]
struct RestrictedConnection {
    number: u32,
    /// The rate at which its address opened such connections.
    restrictions: Bucket,
    connection: PendingConnection,
}

impl PendingConnections {
    /// Adds one with a place.
    pub(super) fn place(&mut self, host: IpAddr) -> (u32, CutSignal) {
        let (connection, cut) = PendingConnection::new(host);
        let number = self.number();
        self.placed.insert(number, connection);
        (number, cut)
    }

    /// Adds one that needs a known key; `restrictions` is its address's rate. Cuts one if there are too many.
    pub(super) fn restrict(&mut self, host: IpAddr, restrictions: Bucket) -> (u32, CutSignal) {
        let (connection, cut) = PendingConnection::new(host);
        let number = self.number();
        self.restricted.push(RestrictedConnection { number, restrictions, connection });
        if self.restricted.len() > MAX_RESTRICTED
            && let Some(at) = self.heaviest_restricted()
        {
            self.restricted.remove(at).connection.cut();
        }
        (number, cut)
    }

    /// The one to cut: from the network with most; of that, from the address with most, or else with the
    /// highest rate.
    fn heaviest_restricted(&self) -> Option<usize> {
        let hosts = self.restricted.iter().map(|restricted| restricted.connection.host);
        let (network, _) = most(hosts.clone().map(Net::network))?;
        let mut counts: HashMap<IpAddr, usize, Hasher> = HashMap::default();
        hosts.for_each(|host| *counts.entry(host).or_insert(0) += 1);
        let theirs = self.restricted.iter().enumerate();
        let theirs = theirs.filter(|(_, restricted)| Net::network(restricted.connection.host) == network);
        let weight =
            |(at, RestrictedConnection { restrictions, connection, .. }): &(usize, &RestrictedConnection)| {
                (counts.get(&connection.host).copied(), *restrictions, Reverse(*at))
            };
        theirs.max_by_key(weight).map(|(at, _)| at)
    }

    pub(super) fn count(&self) -> usize {
        self.placed.len() + self.restricted.len()
    }

    /// Removes one with a place; `false`: it was cut.
    pub(super) fn admit(&mut self, number: u32) -> bool {
        let was_here = self.placed.remove(&number).is_some();
        if self.placed.is_empty() {
            // Gives the memory back after a storm of logins.
            self.placed = HashMap::new();
        }
        was_here
    }

    /// Removes one that needed a known key; `false`: it was cut.
    pub(super) fn prove(&mut self, number: u32) -> bool {
        let at = self.restricted.iter().position(|restricted| restricted.number == number);
        at.is_some_and(|at| {
            self.restricted.remove(at);
            true
        })
    }

    /// Those with a place, by number, with their addresses.
    pub(super) fn placed(&self) -> impl Iterator<Item = (u32, IpAddr)> {
        self.placed.iter().map(|(number, connection)| (*number, connection.host))
    }

    pub(super) fn cut(&mut self, number: u32) {
        if let Some(connection) = self.placed.remove(&number) {
            connection.cut();
        }
    }

    /// The next number; there are never 2^32 at a time.
    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    #[cfg(test)]
    pub(super) fn restricted(&self) -> usize {
        self.restricted.len()
    }
}

impl PendingConnection {
    fn new(host: IpAddr) -> (Self, CutSignal) {
        let (cut, receiver) = oneshot::channel();
        (Self { host, cut }, receiver)
    }

    fn cut(self) {
        // The connection may have ended by itself.
        let _ = self.cut.send(());
    }
}
