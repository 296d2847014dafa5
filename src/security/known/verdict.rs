//! What a key means that a server presents: whether it is the server that is expected. Pure.
//!
//! A name proves nothing: default names are shared by many machines, and anybody may take one. So a name
//! alone never makes another key a changed one. It is one only where the known server is expected: by what
//! the user asked for, or since this is the network on which it was met.

use std::net::{IpAddr, SocketAddr};

use super::{KnownServer, KnownServers};
use crate::fingerprint::Fingerprint;

/// What a presented key means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict<'a> {
    /// The server is known by this key.
    Known(&'a KnownServer),
    /// This server is expected, and has another key.
    Changed(&'a KnownServer),
    /// A server that was never met goes by the name of this one, which is not expected here.
    Namesake(&'a KnownServer),
    /// Only the system's file counts, and the key is not in it.
    NotListed,
    /// A first contact.
    New {
        /// Another server that answered at this address before.
        before: Option<&'a KnownServer>,
    },
}

/// Whom the user asked for by a name or by digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Nobody by name.
    Anyone,
    /// The known server with this key, by its name or a few digits, which others may have too.
    Known(Fingerprint),
    /// The known server with this key and no other, by enough digits of it.
    Only(Fingerprint),
    /// The very server that presents itself, by enough digits of its key.
    This,
}

/// A server that presents a key.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The key, proven.
    pub fp: Fingerprint,
    /// The name it goes by; empty if it has not said.
    pub name: &'a str,
    /// Where it answered.
    pub addr: SocketAddr,
    /// Whether the user asked for that address: then who was there before counts.
    pub asked_for: bool,
    /// The host and port that the user asked for, if by a name.
    pub host: Option<&'a str>,
    /// Whom the user asked for, if not for a host.
    pub sought: Sought,
}

impl<'a> Presented<'a> {
    /// One that was found, and that nobody asked for.
    pub fn found(fp: Fingerprint, name: &'a str, addr: SocketAddr) -> Self {
        Self { fp, name, addr, asked_for: false, host: None, sought: Sought::Anyone }
    }
}

impl KnownServers {
    /// Another server that was where the user asked for one.
    pub fn there_before(&self, presented: &Presented<'_>) -> Option<&KnownServer> {
        let others = || self.iter().filter(|known| known.fp != presented.fp);
        let hosted = others().find(|known| known.is_asked_for_by(presented.host));
        hosted.or_else(|| others().find(|known| presented.asked_for && known.addrs.contains(&presented.addr)))
    }

    /// What a key means that a server presents. `is_here` says whether an address is on one of the
    /// networks that this machine is connected to.
    pub fn verdict(&self, presented: &Presented<'_>, is_here: impl Fn(IpAddr) -> bool) -> Verdict<'_> {
        let find = |key: Fingerprint| self.iter().find(|known| known.fp == key);
        if let Sought::Only(key) = presented.sought
            && key != presented.fp
            && let Some(known) = find(key)
        {
            return Verdict::Changed(known);
        }
        if let Some(known) = find(presented.fp) {
            return Verdict::Known(known);
        }
        let sought = match presented.sought {
            Sought::Known(key) => find(key),
            Sought::Anyone | Sought::Only(_) | Sought::This => None,
        };
        if let Some(known) = sought.or_else(|| self.there_before(presented)) {
            return Verdict::Changed(known);
        }
        let mut named = self.iter().filter(|known| known.is_called(presented.name));
        if self.system.is_some() {
            return named.next().map_or(Verdict::NotListed, Verdict::Changed);
        }
        let new = Verdict::New { before: self.iter().find(|known| known.addrs.contains(&presented.addr)) };
        if presented.sought == Sought::This {
            return new;
        }
        let named: Vec<&KnownServer> = named.collect();
        let was_here = |known: &&&KnownServer| {
            known.addrs.iter().any(|addr| *addr == presented.addr || is_here(addr.ip()))
        };
        match (named.iter().find(was_here), named.first()) {
            (Some(known), _) => Verdict::Changed(known),
            (None, Some(known)) => Verdict::Namesake(known),
            (None, None) => new,
        }
    }
}
