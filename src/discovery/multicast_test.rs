//! Tests multicast between two machines with a connection: each sends a few marked packets to the mDNS group
//! and listens for the other's. This shows whether packets are lost in one direction or in both.

use super::answer::question;
use super::datagrams;
use super::interfaces::shared_socket;
use super::networks::Subnet;
use super::oneshot::{GROUP_V4, GROUP_V6};
use crate::limits::{MAX_MDNS_PACKET_BYTES, MDNS_PORT, MULTICAST_TEST_SCHEDULE, MULTICAST_TEST_TIME};
use simple_dns::Packet;
use socket2::Domain;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

/// The sender of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that asked for the test.
    Client,
    /// The other side.
    Server,
}

/// The result of a test on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MulticastResult {
    /// Packets that the system accepted for sending.
    pub sent: usize,
    /// Whether a packet of the other side arrived.
    pub heard: bool,
    /// Why the system last refused a packet.
    pub failure: Option<(io::ErrorKind, String)>,
}

/// A test whose socket listens already.
#[derive(Debug)]
pub struct MulticastTest {
    socket: UdpSocket,
    group: SocketAddr,
    packet: Vec<u8>,
    /// The name that the other side asks for.
    expected: String,
}

impl Side {
    /// The name that a packet asks for. No machine has it, so none answers.
    fn name(self, token: &str) -> String {
        let side = match self {
            Side::Client => "c",
            Side::Server => "s",
        };
        format!("{side}{token}._lanchat-test._udp.local")
    }

    fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl MulticastTest {
    /// Opens a socket on the mDNS port and joins the group on this link. Runs on tokio.
    pub fn open(subnet: &Subnet, side: Side, token: &str) -> io::Result<MulticastTest> {
        let packet = question(&[&side.name(token)]).map_err(io::Error::other)?;
        let (socket, group) = match subnet.address {
            IpAddr::V4(address) => {
                let socket = shared_socket(Domain::IPV4)?;
                socket.set_multicast_if_v4(&address)?;
                socket.join_multicast_v4(&GROUP_V4, &address)?;
                (socket, SocketAddr::from((GROUP_V4, MDNS_PORT)))
            }
            IpAddr::V6(_) => {
                let socket = shared_socket(Domain::IPV6)?;
                socket.set_multicast_if_v6(subnet.index)?;
                socket.join_multicast_v6(&GROUP_V6, subnet.index)?;
                (socket, SocketAddrV6::new(GROUP_V6, MDNS_PORT, 0, subnet.index).into())
            }
        };
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(MulticastTest { socket, group, packet, expected: side.other().name(token) })
    }

    /// Sends and listens until it has sent all packets and heard the other side, for up to 1.2 s.
    pub async fn run(self) -> MulticastResult {
        let start = Instant::now();
        let mut schedule = MULTICAST_TEST_SCHEDULE.into_iter().map(|after| start + after).peekable();
        let mut buffer = vec![0; MAX_MDNS_PACKET_BYTES];
        let mut result = MulticastResult::default();
        while !result.heard || schedule.peek().is_some() {
            let next = schedule.peek().copied();
            tokio::select! {
                () = sleep_until(next.unwrap_or(start)), if next.is_some() => {
                    schedule.next();
                    match self.socket.send_to(&self.packet, self.group).await {
                        Ok(_) => result.sent += 1,
                        Err(error) => result.failure = Some((error.kind(), error.to_string())),
                    }
                }
                received = datagrams::receive(&self.socket, &mut buffer) => match received {
                    Ok((length, _)) => result.heard |= asks_for(&buffer[..length], &self.expected),
                    Err(_) => break,
                },
                () = sleep_until(start + MULTICAST_TEST_TIME) => break,
            }
        }
        result
    }
}

/// Whether a packet asks for this name; anyone may have sent it.
pub(super) fn asks_for(packet: &[u8], name: &str) -> bool {
    let Ok(packet) = Packet::parse(packet) else { return false };
    packet.questions.iter().any(|question| question.qname.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_other_sides_packets_of_the_same_test_count() {
        let packet = question(&[&Side::Client.name("0123456789abcdef")]).unwrap();
        assert!(asks_for(&packet, &Side::Server.other().name("0123456789abcdef")));
        for name in [Side::Server.name("0123456789abcdef"), Side::Client.name("0123456789abcdee")] {
            assert!(!asks_for(&packet, &name), "{name}");
        }
        assert!(!asks_for(b"", "x") && !asks_for(&[0xff; 40], "x") && !asks_for(&packet[..20], "x"));
    }

    /// So that nobody gains by asking for it: see `server/multicast.rs`.
    #[test]
    fn a_packet_has_60_bytes() {
        assert_eq!(question(&[&Side::Server.name("0123456789abcdef")]).unwrap().len(), 60);
    }
}
