//! What is announced of a server and where, and whether it is.

use super::interface_kind::InterfaceKind;
use super::interfaces::InterfaceInfo;
use std::net::IpAddr;

/// What is announced of a server.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The server's id, the 64 hexadecimal digits of its key's fingerprint: TXT `fp`, in part TXT
    /// `id`, and 8 of them in the label.
    pub id: String,
    /// The name that people see: TXT `n`, of which 63 bytes are sent.
    pub name: String,
    /// Whether newcomers need a passphrase: TXT `pw`.
    pub closed: bool,
    /// The TCP port on which the server listens already.
    pub port: u16,
    /// Announce these addresses and no others; empty for those of the interfaces, as they change.
    pub advertise: Vec<IpAddr>,
    /// Announce on these interfaces; empty for all but those of container engines and hypervisors.
    pub interfaces: Vec<String>,
}

/// Whether others can find the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// It is announced on a network.
    Announced,
    /// It is announced to nobody but this machine: no network, or none that leads to its addresses.
    NoNetwork,
    /// UDP port 5353 can't be shared, for this reason. It is tried again every few seconds.
    PortTaken(String),
}

/// Whether an interface is one to announce on, going by the names that were chosen, if any. Loopback
/// always is, for clients on a machine that has no network.
pub(super) fn is_meant(announcement: &Announcement, one: &InterfaceInfo) -> bool {
    match announcement.interfaces.as_slice() {
        _ if one.link.loopback => true,
        [] => one.kind != InterfaceKind::Inner,
        names => names.contains(&one.link.name),
    }
}
