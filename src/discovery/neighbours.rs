//! Finds other machines that speak mDNS, for `lanchat doctor`. If these answer but no server does, no server
//! is running; if nothing answers, something may block mDNS.

use super::answer::{ALL_KINDS, question};
use super::interfaces::{Interface, interfaces, shared_socket};
use super::oneshot::{GROUP_V4, GROUP_V6};
use crate::limits::{LINKS_OF_A_SOCKET, MAX_MDNS_PACKET_BYTES, MDNS_PORT};
use socket2::{Domain, SockRef};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};

/// The pause between questions; a responder may omit an answer that it multicast within the last second.
const REPEAT: Duration = Duration::from_millis(1100);

/// Asks for this long, and returns the addresses of other machines that sent mDNS packets. Runs on tokio.
/// Skips interfaces and address families without a working socket.
pub async fn neighbours(wait: Duration) -> BTreeSet<IpAddr> {
    let links: Vec<Interface> =
        interfaces().unwrap_or_default().into_iter().filter(|link| !link.loopback).collect();
    let own: Arc<[IpAddr]> = links.iter().flat_map(|link| link.addrs.iter().copied()).collect();
    let deadline = Instant::now() + wait;
    let mut listening = JoinSet::new();
    for links in links.chunks(LINKS_OF_A_SOCKET) {
        for socket in open(links) {
            let (links, own) = (links.to_vec(), own.clone());
            listening.spawn(async move { listen(socket, &links, &own, deadline).await });
        }
    }
    listening.join_all().await.into_iter().flatten().collect()
}

/// Opens sockets on the mDNS port that are in its groups on these links: one per address family and 15 links.
/// Runs on tokio. Skips sockets that cannot be opened.
pub(super) fn open(links: &[Interface]) -> Vec<UdpSocket> {
    let each = links.chunks(LINKS_OF_A_SOCKET).flat_map(|links| [open_v4(links), open_v6(links)]);
    each.filter_map(|opened| opened.inspect_err(|error| tracing::debug!(%error, "no multicast socket")).ok())
        .collect()
}

fn open_v4(links: &[Interface]) -> io::Result<UdpSocket> {
    let socket = shared_socket(Domain::IPV4)?;
    for address in links.iter().filter_map(Interface::v4) {
        joined("IPv4", socket.join_multicast_v4(&GROUP_V4, &address));
    }
    UdpSocket::from_std(socket.into())
}

fn open_v6(links: &[Interface]) -> io::Result<UdpSocket> {
    let socket = shared_socket(Domain::IPV6)?;
    for link in links.iter().filter(|link| link.v6().is_some()) {
        joined("IPv6", socket.join_multicast_v6(&GROUP_V6, link.index));
    }
    UdpSocket::from_std(socket.into())
}

/// Ignores an interface that cannot join, to hear the others.
fn joined(family: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "not in the {family} group of mDNS on an interface");
    }
}

async fn listen(
    socket: UdpSocket,
    links: &[Interface],
    own: &[IpAddr],
    deadline: Instant,
) -> BTreeSet<IpAddr> {
    let mut heard = BTreeSet::new();
    let Ok(question) = question(&[ALL_KINDS]) else { return heard };
    let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
    let mut repeat = interval(REPEAT);
    let listening = async {
        loop {
            tokio::select! {
                _ = repeat.tick() => ask(&socket, links, &question).await,
                Ok((_, from)) = socket.recv_from(&mut buffer) => {
                    if !own.contains(&from.ip()) && !from.ip().is_loopback() {
                        heard.insert(from.ip());
                    }
                }
            }
        }
    };
    // Always ends by the timeout.
    let _: Result<(), _> = timeout_at(deadline, listening).await;
    heard
}

/// Sends the question on each link. A link where that fails will not be heard, so the result shows it.
async fn ask(socket: &UdpSocket, links: &[Interface], question: &[u8]) {
    let is_v4 = socket.local_addr().is_ok_and(|addr| addr.is_ipv4());
    for link in links {
        let (chosen, group) = if is_v4 {
            let Some(address) = link.v4() else { continue };
            let chosen = SockRef::from(socket).set_multicast_if_v4(&address);
            (chosen, SocketAddr::from((GROUP_V4, MDNS_PORT)))
        } else {
            let chosen = SockRef::from(socket).set_multicast_if_v6(link.index);
            (chosen, SocketAddrV6::new(GROUP_V6, MDNS_PORT, 0, link.index).into())
        };
        let sent = match chosen {
            Ok(()) => socket.send_to(question, group).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::debug!(link = link.name, %error, "question to all responders not sent");
        }
    }
}
