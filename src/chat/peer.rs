//! Where a connection comes from.

use crate::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A connection as the server knows it before its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    pub ip: IpAddr,
    /// The key that it has proven to hold.
    pub key: Option<Fingerprint>,
    pub encrypted: bool,
    /// Whether it comes from the server's own machine: over loopback, or from one of the server's addresses.
    /// Such an address is never banned, and its users may join, rename and write to strangers without a
    /// limit. Never true for a browser: other people's pages also run there.
    pub local: bool,
    /// Whether it is a browser's.
    pub web: bool,
}
