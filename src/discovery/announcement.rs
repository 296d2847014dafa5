//! The data of an announcement, and its state.

use super::interface_kind::InterfaceKind;
use super::interfaces::InterfaceInfo;
use std::net::IpAddr;

/// The data that a server announces, and where.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The server's id, the 64 hexadecimal digits of its key's fingerprint: all in TXT `fp`, some in TXT
    /// `id`, and 8 in the label.
    pub id: String,
    /// The name that people see, in TXT `n`; at most 63 bytes are sent.
    pub name: String,
    /// Its name within its chat, in TXT `node` and in the label; `None`: the chat has no other server.
    pub node: Option<String>,
    /// Whether newcomers need a passphrase: TXT `pw`.
    pub closed: bool,
    /// Whether it serves browsers: TXT `web`, and a service of its own for programs that list web pages.
    pub web: bool,
    /// The server's TCP port.
    pub port: u16,
    /// Announce only these addresses; if empty, those of the interfaces, as they change.
    pub advertise: Vec<IpAddr>,
    /// Announce only on these interfaces; if empty, on all except those of container engines and hypervisors.
    pub interfaces: Vec<String>,
}

/// Whether others can find the server now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Yes, on a network.
    Announced,
    /// Only programs on this machine: there is no network, or none with the announced addresses.
    NoNetwork,
    /// No: UDP port 5353 cannot be shared, for this reason. The server retries every few seconds.
    PortTaken(String),
}

/// Whether to announce on an interface. Always includes loopback, for clients on a machine without a network.
pub(super) fn is_meant(announcement: &Announcement, one: &InterfaceInfo) -> bool {
    match announcement.interfaces.as_slice() {
        _ if one.link.loopback => true,
        [] => one.kind != InterfaceKind::Inner,
        names => names.contains(&one.link.name),
    }
}
