//! The one-shot query (RFC 6762 5.1): a question from a port of our own, answered by unicast at once.
//!
//! An ordinary browse finds nothing for a second after anybody's answer was multicast, which is just
//! the case of "start the server, then the client". Some firewalls drop these unicast answers, so the
//! browse is needed beside it. Knows nothing of what its answers are used for.

use super::SERVICE;
use super::answer::{question, servers};
use super::event::Event;
use super::interfaces::{Link, MDNS_PORT, links};
use crate::limits::{INTERFACE_CHECK, MAX_MDNS_PACKET_BYTES, ONE_SHOT_SCHEDULE};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// The group of mDNS in IPv4 (RFC 6762 3).
pub(super) const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// The group of mDNS in IPv6, of link-local scope.
pub(super) const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// Hops of a multicast question (RFC 6762 11): it proves that the answer stays on the link.
pub(super) const HOPS: u32 = 255;

/// The questions on all links; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Asker {
    found: mpsc::Sender<Event>,
    /// Each link as it was when it was asked on, with the tasks that do so, one a family.
    asking: Vec<(Link, JoinSet<()>)>,
}

impl Asker {
    pub(super) fn new(found: mpsc::Sender<Event>) -> Asker {
        Asker { found, asking: Vec::new() }
    }

    /// Asks on the links that are new or have other addresses than before, and no longer on those
    /// that are gone. The result is what could not be opened, by the link's name.
    pub(super) fn update(&mut self, links: &[Link]) -> Vec<(String, io::Error)> {
        let mut failures = Vec::new();
        self.asking.retain(|(link, _)| links.contains(link));
        for link in links {
            if self.asking.iter().any(|(asked, _)| asked == link) {
                continue;
            }
            let mut tasks = JoinSet::new();
            for opened in OneShot::open(link) {
                match opened {
                    Ok(question) => drop(tasks.spawn(question.ask(self.found.clone()))),
                    // Loopback matters only to machines without a network; most have no multicast on it.
                    Err(_) if link.loopback => {}
                    Err(error) => failures.push((link.name.clone(), error)),
                }
            }
            self.asking.push((link.clone(), tasks));
        }
        failures
    }

    /// Follows the links as they come and go, for as long as somebody takes what is found.
    pub(super) async fn keep_up(mut self) {
        loop {
            tokio::select! {
                () = sleep(INTERFACE_CHECK) => {}
                () = self.found.closed() => return,
            }
            for (name, error) in self.update(&links().unwrap_or_default()) {
                tracing::debug!(link = name, %error, "no multicast socket");
            }
        }
    }
}

/// A question on one link by one family, ready to be asked.
#[derive(Debug)]
pub(super) struct OneShot {
    pub(super) link: Link,
    pub(super) socket: UdpSocket,
    pub(super) group: SocketAddr,
}

impl OneShot {
    /// Opens the link's sockets, one a family that it has an address of.
    pub(super) fn open(link: &Link) -> Vec<io::Result<OneShot>> {
        let v4 = link.v4().map(|address| open_v4(link, address));
        let v6 = link.v6().filter(|_| !link.loopback).map(|address| open_v6(link, address));
        v4.into_iter().chain(v6).collect()
    }

    /// Asks on schedule, and passes on what is answered for as long as somebody takes it.
    async fn ask(self, found: mpsc::Sender<Event>) {
        let Ok(question) = question(SERVICE) else { return };
        let start = Instant::now();
        let mut schedule = ONE_SHOT_SCHEDULE.into_iter().map(|after| start + after).peekable();
        let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
        loop {
            let next = schedule.peek().copied();
            tokio::select! {
                () = sleep_until(next.unwrap_or(start)), if next.is_some() => {
                    schedule.next();
                    // A link that went down comes back or does not: the next time will tell.
                    if let Err(error) = self.socket.send_to(&question, self.group).await {
                        tracing::debug!(link = self.link.name, %error, "one-shot question not sent");
                    }
                }
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) if from.port() == MDNS_PORT => {
                        for sighting in servers(&buffer[..length], &self.link) {
                            // A full queue drops it: the question is asked again.
                            let _ = found.try_send(Event::Seen(sighting));
                        }
                    }
                    // Responders answer from the port of mDNS (RFC 6762 11).
                    Ok(_) => {}
                    // Windows tells in this way that nobody listened where an earlier packet went.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                    Err(error) => {
                        tracing::debug!(link = self.link.name, %error, "one-shot answers end");
                        return;
                    }
                },
                () = found.closed() => return,
            }
        }
    }
}

fn open_v4(link: &Link, address: Ipv4Addr) -> io::Result<OneShot> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_ttl_v4(HOPS)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    ready(link, socket, (GROUP_V4, MDNS_PORT).into())
}

fn open_v6(link: &Link, address: Ipv6Addr) -> io::Result<OneShot> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(true)?;
    socket.set_multicast_if_v6(link.index)?;
    socket.set_multicast_hops_v6(HOPS)?;
    let scope = if address.is_unicast_link_local() { link.index } else { 0 };
    socket.bind(&SocketAddrV6::new(address, 0, 0, scope).into())?;
    ready(link, socket, SocketAddrV6::new(GROUP_V6, MDNS_PORT, 0, link.index).into())
}

fn ready(link: &Link, socket: Socket, group: SocketAddr) -> io::Result<OneShot> {
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket.into())?;
    Ok(OneShot { link: link.clone(), socket, group })
}
