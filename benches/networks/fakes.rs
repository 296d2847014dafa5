//! Fakes on a network: announcements of servers that do not exist, and programs that hold a port.

use super::lan::Host;
use simple_dns::rdata::{A, PTR, RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, ResourceRecord};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const SERVICE: &str = "_lanchat._tcp.local";
const PORT: u16 = 5353;
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// Services in a packet, so that it fits into a frame of Ethernet.
const TOGETHER: usize = 4;

/// Answers every question for servers with so many that are not there. Ends with this.
pub struct Fakes {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fakes {
    /// They are said to be at `at`, or each at an address of its own of the host's network that nobody has.
    pub fn start(host: &Host, count: usize, at: Option<Ipv4Addr>) -> Self {
        let own = host.v4();
        let socket = host.run(|| responder(own));
        let ends = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ends);
        let packets = packets(count, own, at);
        let thread = std::thread::spawn(move || {
            let all = |to: SocketAddr| packets.iter().for_each(|packet| drop(socket.send_to(packet, to)));
            all((GROUP, PORT).into());
            let mut bytes = [0; 9000];
            while !ended.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
                let is_question = length > 12 && bytes[2] & 0x80 == 0;
                if is_question && from.ip() != own && contains(&bytes[..length], b"_lanchat") {
                    all(if from.port() == PORT { (GROUP, PORT).into() } else { from });
                }
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Fakes {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn responder(own: Ipv4Addr) -> UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
    socket.set_reuse_address(true).expect("an option");
    socket.set_reuse_port(true).expect("an option");
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into()).expect("the port of mDNS");
    socket.join_multicast_v4(&GROUP, &own).expect("the group of mDNS");
    socket.set_multicast_if_v4(&own).expect("an option");
    socket.set_multicast_ttl_v4(255).expect("an option");
    socket.set_read_timeout(Some(Duration::from_millis(50))).expect("an option");
    socket.into()
}

fn packets(count: usize, own: Ipv4Addr, at: Option<Ipv4Addr>) -> Vec<Vec<u8>> {
    let numbers: Vec<usize> = (0..count).collect();
    numbers.chunks(TOGETHER).map(|some| packet(some, own, at)).collect()
}

fn packet(numbers: &[usize], own: Ipv4Addr, at: Option<Ipv4Addr>) -> Vec<u8> {
    let mut packet = Packet::new_reply(0);
    for n in numbers {
        let id = format!("{:016x}", (*n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let label = format!("fake-{n}-{}", &id[..8]);
        let instance = Name::new(&format!("{label}.{SERVICE}")).expect("a name").into_owned();
        let target = Name::new(&format!("{label}.local")).expect("a name").into_owned();
        let srv = SRV { priority: 0, weight: 0, port: 7667, target: target.clone() };
        let mut text = TXT::new();
        for (key, value) in [("v", "1"), ("id", &id), ("n", &format!("fake {n}")), ("pw", "0")] {
            text.add_attribute(key, Some(value.as_bytes())).expect("a text");
        }
        let [a, b, c, _] = own.octets();
        let ip = at.unwrap_or(Ipv4Addr::new(a, b, c, 150 + (n % 100) as u8));
        let service = Name::new(SERVICE).expect("a name");
        packet.answers.push(record(service, RData::PTR(PTR(instance.clone()))));
        packet.additional_records.push(record(instance.clone(), RData::SRV(srv)));
        packet.additional_records.push(record(instance, RData::TXT(text.into_owned())));
        packet.additional_records.push(record(target, RData::A(A { address: u32::from(ip) })));
    }
    packet.build_bytes_vec_compressed().expect("a packet")
}

fn record<'a>(name: Name<'a>, data: RData<'a>) -> ResourceRecord<'a> {
    ResourceRecord::new(name, CLASS::IN, 120, data)
}

/// The port of mDNS, kept as a program does that shares it with nobody.
pub struct Holder {
    _sockets: [UdpSocket; 2],
}

impl Holder {
    pub fn start(host: &Host) -> Self {
        let bind = |domain, any: SocketAddr| {
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
            if domain == Domain::IPV6 {
                socket.set_only_v6(true).expect("an option");
            }
            socket.bind(&any.into()).expect("the port of mDNS");
            socket.into()
        };
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
        host.run(|| Self { _sockets: [bind(Domain::IPV4, v4), bind(Domain::IPV6, v6)] })
    }
}
