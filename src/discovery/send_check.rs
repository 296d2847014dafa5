//! Checks whether this machine can send questions, for `lanchat doctor`.

use super::SERVICE;
use super::answer::question;
use super::interfaces::{HOPS, Interface, interfaces};
use super::oneshot::{GROUP_V4, GROUP_V6, socket_v4};
use crate::limits::MDNS_PORT;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, SocketAddrV6};

/// Sends a question for servers on each link except loopback. Returns the links where the system refused it,
/// and why: for example, because a firewall or VPN on this machine blocks it.
pub fn unsent() -> Vec<(String, io::Error)> {
    let Ok(question) = question(&[SERVICE]) else { return Vec::new() };
    let mut unsent = Vec::new();
    for link in interfaces().unwrap_or_default().into_iter().filter(|link| !link.loopback) {
        let sent = match send_v4(&link, &question) {
            // Uses IPv6 only on a link without an IPv4 address.
            Ok(true) => Ok(()),
            Ok(false) => send_v6(&link, &question),
            Err(error) => Err(error),
        };
        // An IPv6 address that is still checked for duplicates (RFC 4862 5.4) cannot send yet.
        if let Err(error) = sent.or_else(|error| match error.kind() {
            io::ErrorKind::AddrNotAvailable => Ok(()),
            _ => Err(error),
        }) {
            unsent.push((link.name, error));
        }
    }
    unsent
}

/// Returns `false` if the link has no IPv4 address.
fn send_v4(link: &Interface, question: &[u8]) -> io::Result<bool> {
    let Some(address) = link.v4() else { return Ok(false) };
    socket_v4(address)?.send_to(question, &SocketAddr::from((GROUP_V4, MDNS_PORT)).into()).map(|_| true)
}

fn send_v6(link: &Interface, question: &[u8]) -> io::Result<()> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v6(link.index)?;
    socket.set_multicast_hops_v6(HOPS)?;
    let group = SocketAddrV6::new(GROUP_V6, MDNS_PORT, 0, link.index);
    socket.send_to(question, &SocketAddr::from(group).into()).map(drop)
}
