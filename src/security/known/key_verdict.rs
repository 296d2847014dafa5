//! Decides what a server's key means: whether it is the expected server. Pure.
//!
//! A name proves nothing: many machines share default names, and anyone can take a name. So the same name with
//! another key is a changed key only where the known server is expected: because the user asked for it, or
//! because it was met on this network.

use std::net::{IpAddr, SocketAddr};

use super::{KnownServer, KnownServers};
use crate::fingerprint::Fingerprint;

/// The meaning of a server's key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyVerdict<'a> {
    /// The key of a known server.
    Known(&'a KnownServer),
    /// Another key than that of the expected server.
    Changed(&'a KnownServer),
    /// An unknown server with the name of this known one, which is not expected here.
    Namesake(&'a KnownServer),
    /// The key is not in the system's file, and no others are accepted.
    NotListed,
    /// An unknown server.
    New {
        /// Another server that answered at this address before.
        before: Option<&'a KnownServer>,
    },
}

/// The server that the user asked for, by name or digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedServer {
    /// None by name.
    Anyone,
    /// The known server with this key, by its name or a few digits, which others may share.
    Known(Fingerprint),
    /// Only the known server with this key, by enough digits of the key.
    Only(Fingerprint),
    /// This server, by enough digits of its key.
    This,
}

/// A server that presents a key.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The key, which the server has proved to own.
    pub fp: Fingerprint,
    /// The server's name; empty if unknown.
    pub name: &'a str,
    /// Where it answered.
    pub addr: SocketAddr,
    /// Whether the user asked for that address, so that it matters which server was there before.
    pub asked_for: bool,
    /// The host and port that the user asked for, if by a host name.
    pub host: Option<&'a str>,
    /// The server that the user asked for, if not by a host.
    pub sought: RequestedServer,
}

impl<'a> Presented<'a> {
    /// A server that was found, and that the user did not ask for.
    pub fn found(fp: Fingerprint, name: &'a str, addr: SocketAddr) -> Self {
        Self { fp, name, addr, asked_for: false, host: None, sought: RequestedServer::Anyone }
    }
}

impl KnownServers {
    /// Another server that used to be where the user asked for one.
    pub fn there_before(&self, presented: &Presented<'_>) -> Option<&KnownServer> {
        let others = || self.iter().filter(|known| known.fp != presented.fp);
        let hosted = others().find(|known| known.is_asked_for_by(presented.host));
        hosted.or_else(|| others().find(|known| presented.asked_for && known.addrs.contains(&presented.addr)))
    }

    /// Decides what a server's key means. `is_here` says whether an address is on one of this machine's
    /// networks.
    pub fn verdict(&self, presented: &Presented<'_>, is_here: impl Fn(IpAddr) -> bool) -> KeyVerdict<'_> {
        let find = |key: Fingerprint| self.iter().find(|known| known.fp == key);
        if let RequestedServer::Only(key) = presented.sought
            && key != presented.fp
            && let Some(known) = find(key)
        {
            return KeyVerdict::Changed(known);
        }
        if let Some(known) = find(presented.fp) {
            return KeyVerdict::Known(known);
        }
        let sought = match presented.sought {
            RequestedServer::Known(key) => find(key),
            RequestedServer::Anyone | RequestedServer::Only(_) | RequestedServer::This => None,
        };
        if let Some(known) = sought.or_else(|| self.there_before(presented)) {
            return KeyVerdict::Changed(known);
        }
        let mut named = self.iter().filter(|known| known.is_called(presented.name));
        if self.system.is_some() {
            return named.next().map_or(KeyVerdict::NotListed, KeyVerdict::Changed);
        }
        let new = KeyVerdict::New { before: self.iter().find(|known| known.addrs.contains(&presented.addr)) };
        if presented.sought == RequestedServer::This {
            return new;
        }
        let named: Vec<&KnownServer> = named.collect();
        let was_here = |known: &&&KnownServer| {
            known.addrs.iter().any(|addr| *addr == presented.addr || is_here(addr.ip()))
        };
        match (named.iter().find(was_here), named.first()) {
            (Some(known), _) => KeyVerdict::Changed(known),
            (None, Some(known)) => KeyVerdict::Namesake(known),
            (None, None) => new,
        }
    }
}
