//! One-shot queries (RFC 6762 5.1): questions from a port of our own, which responders answer by unicast at
//! once.
//!
//! A usual browse finds nothing for a second after any answer was multicast, and that is exactly the case
//! when someone starts the server and then the client. Some firewalls drop the unicast answers, so the search
//! needs the browse, too.

use super::SERVICE;
use super::answer::{ALL_KINDS, offers_service, question, servers};
use super::datagrams;
use super::interfaces::{HOPS, Interface, interfaces};
use super::order::{is_v6_link_local, scoped};
use super::sighting::{HeardBy, Observation, Sighting};
use crate::limits::{
    DEFAULT_PORT, INTERFACE_CHECK, MAX_MDNS_PACKET_BYTES, MDNS_PORT, ONE_SHOT_EAGER, ONE_SHOT_LONG_PAUSE,
    ONE_SHOT_PAUSE, ONE_SHOT_SCHEDULE,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// The mDNS group of IPv4 (RFC 6762 3).
pub(super) const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// The mDNS group of IPv6, of link-local scope.
pub(super) const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// Asks on all links until it is dropped.
#[derive(Debug)]
pub(super) struct Querier {
    found: mpsc::Sender<Observation>,
    /// Each link, as it was when asking began, with one task per address family.
    asking: Vec<(Interface, JoinSet<()>)>,
}

impl Querier {
    pub(super) fn new(found: mpsc::Sender<Observation>) -> Querier {
        Querier { found, asking: Vec::new() }
    }

    /// Starts to ask on links that are new or have other addresses, and stops on those that are gone. Returns
    /// the links without a working socket.
    pub(super) fn update(&mut self, links: &[Interface]) -> Vec<(String, io::Error)> {
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
                    // Only machines without a network need loopback, and most have no multicast there.
                    Err(_) if link.loopback => {}
                    Err(error) => failures.push((link.name.clone(), error)),
                }
            }
            self.asking.push((link.clone(), tasks));
        }
        failures
    }

    /// Follows the links as they come and go, until the receiver is gone.
    pub(super) async fn keep_up(mut self) {
        loop {
            tokio::select! {
                () = sleep(INTERFACE_CHECK) => {}
                () = self.found.closed() => return,
            }
            for (name, error) in self.update(&interfaces().unwrap_or_default()) {
                tracing::debug!(link = name, %error, "no multicast socket");
            }
        }
    }
}

/// A socket for questions on one link by one address family.
#[derive(Debug)]
pub(super) struct OneShot {
    pub(super) link: Interface,
    pub(super) socket: UdpSocket,
    pub(super) group: SocketAddr,
    /// Whether a server has answered on this link, by either family.
    answered: Arc<AtomicBool>,
}

impl OneShot {
    /// Opens a socket for each address family of the link.
    pub(super) fn open(link: &Interface) -> Vec<io::Result<OneShot>> {
        let answered = Arc::default();
        let v4 = link.v4().map(|address| open_v4(link, address, &answered));
        let v6 = link.v6().filter(|_| !link.loopback).map(|address| open_v6(link, address, &answered));
        v4.into_iter().chain(v6).collect()
    }

    /// Asks until the receiver is gone.
    async fn ask(self, found: mpsc::Sender<Observation>) {
        let kinds: &[&str] = if has_only_link_local(&self.link) { &[SERVICE, ALL_KINDS] } else { &[SERVICE] };
        let Ok(question) = question(kinds) else { return };
        let start = Instant::now();
        let (mut asked, mut next) = (0, start);
        let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
        loop {
            tokio::select! {
                () = sleep_until(next) => {
                    asked += 1;
                    let is_answered = self.answered.load(Ordering::Relaxed);
                    next = next_question(start, asked, Instant::now(), is_answered);
                    // A link that is down may come back by the next question.
                    if let Err(error) = self.socket.send_to(&question, self.group).await {
                        tracing::debug!(link = self.link.name, %error, "one-shot question not sent");
                    }
                }
                received = datagrams::receive(&self.socket, &mut buffer) => match received {
                    Ok((length, from)) if from.port() == MDNS_PORT => {
                        for sighting in sightings(&buffer[..length], from.ip(), &self.link) {
                            self.answered.store(true, Ordering::Relaxed);
                            // A full queue drops it; the answer to the next question replaces it.
                            let _ = found.try_send(Observation::Seen(sighting));
                        }
                    }
                    // Responders answer from the port of mDNS (RFC 6762 11).
                    Ok(_) => {}
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

/// When to ask again after so many questions.
fn next_question(start: Instant, asked: usize, now: Instant, is_answered: bool) -> Instant {
    match ONE_SHOT_SCHEDULE.get(asked) {
        Some(after) => start + *after,
        None if is_answered || now >= start + ONE_SHOT_EAGER => now + ONE_SHOT_LONG_PAUSE,
        None => now + ONE_SHOT_PAUSE,
    }
}

/// The servers in an answer. On a link with only link-local addresses, adds the answer's source as an
/// address, which may be the only one that works there.
fn sightings(packet: &[u8], from: IpAddr, link: &Interface) -> Vec<Sighting> {
    let mut seen = servers(packet, link);
    if !is_v6_link_local(from) || !has_only_link_local(link) {
        return seen;
    }
    for sighting in &mut seen {
        let port = sighting.addrs.first().map_or(DEFAULT_PORT, SocketAddr::port);
        sighting.add(scoped(from, port, link.index));
    }
    if seen.is_empty() && offers_service(packet) {
        // It has a server, but announces no address for this link.
        let heard = HeardBy { one_shot: true, browse: false };
        seen.push(Sighting::new(&from.to_string(), [], [scoped(from, DEFAULT_PORT, link.index)], heard));
    }
    seen
}

/// Whether a link has only link-local IPv6 addresses, which every interface has.
fn has_only_link_local(link: &Interface) -> bool {
    !link.loopback && link.addrs.iter().all(|ip| is_v6_link_local(*ip))
}

fn open_v4(link: &Interface, address: Ipv4Addr, answered: &Arc<AtomicBool>) -> io::Result<OneShot> {
    ready(link, socket_v4(address)?, (GROUP_V4, MDNS_PORT).into(), answered)
}

/// A socket for questions on the link with this address.
pub(super) fn socket_v4(address: Ipv4Addr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&address)?;
    socket.set_multicast_ttl_v4(HOPS)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    Ok(socket)
}

fn open_v6(link: &Interface, address: Ipv6Addr, answered: &Arc<AtomicBool>) -> io::Result<OneShot> {
    let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_only_v6(true)?;
    socket.set_multicast_if_v6(link.index)?;
    socket.set_multicast_hops_v6(HOPS)?;
    let scope = if address.is_unicast_link_local() { link.index } else { 0 };
    socket.bind(&SocketAddrV6::new(address, 0, 0, scope).into())?;
    ready(link, socket, SocketAddrV6::new(GROUP_V6, MDNS_PORT, 0, link.index).into(), answered)
}

fn ready(
    link: &Interface,
    socket: Socket,
    group: SocketAddr,
    answered: &Arc<AtomicBool>,
) -> io::Result<OneShot> {
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(socket.into())?;
    Ok(OneShot { link: link.clone(), socket, group, answered: Arc::clone(answered) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn questions_go_on_until_the_end_and_are_frequent_until_somebody_answers() {
        let start = Instant::now();
        let asked_in = |secs: u64, is_answered: bool| {
            let (end, mut now, mut asked) = (start + Duration::from_secs(secs), start, 0);
            while now < end {
                asked += 1;
                now = next_question(start, asked, now, is_answered);
            }
            asked
        };
        // Of 26 questions, each of which is lost with 80 %, one gets through in 99.7 % of searches; the
        // browse, and the other family, come on top.
        assert!(asked_in(5, false) >= 26, "{}", asked_in(5, false));
        assert!((8..=9).contains(&asked_in(5, true)), "{}", asked_in(5, true));
        assert!(asked_in(3600, false) > 3600 - 10);
        assert!(asked_in(3600, false) < 3600 + 60);
    }

    #[test]
    fn only_where_nothing_else_leads_the_sender_s_address_counts() {
        let link = |addrs: &[&str]| Interface {
            name: "lan0".into(),
            index: 3,
            loopback: false,
            addrs: addrs.iter().map(|ip| ip.parse().unwrap()).collect(),
        };
        assert!(has_only_link_local(&link(&["fe80::1"])));
        assert!(!has_only_link_local(&link(&["fe80::1", "10.0.0.1"])));
        assert!(!has_only_link_local(&link(&["fe80::1", "fd00::1"])));
    }
}
