//! Asks the Linux kernel about its interfaces (rtnetlink(7)). `/sys/class/net` may show another network
//! namespace: that of the process that mounted it.

use super::interface_kind::Traits;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

const AF_NETLINK: i32 = 16;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
const HEADER_BYTES: usize = 16;
/// The size of `struct ifinfomsg`, which precedes the attributes.
const LINK_BYTES: usize = 16;

const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFF_NOARP: u32 = 0x80;
const IFF_LOOPBACK: u32 = 8;

/// The kernel answers at once; an emulated one may not.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Maximum answers to read; each has dozens of interfaces.
const MAX_ANSWERS: usize = 1024;

/// Maximum bytes of an answer; the kernel's own limit is 32 KiB.
const ANSWER_BYTES: usize = 1 << 16;

/// The interfaces by number, except what depends on their addresses, and whether any is hardware.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub(super) traits: BTreeMap<u32, Traits>,
    pub(super) hardware: bool,
}

pub(super) fn inventory() -> io::Result<Inventory> {
    let socket = Socket::new(Domain::from(AF_NETLINK), Type::RAW, Some(Protocol::from(0)))?;
    socket.set_read_timeout(Some(ANSWER_TIME))?;
    let length = (HEADER_BYTES + LINK_BYTES) as u32;
    let mut request = Vec::from(length.to_ne_bytes());
    request.extend(RTM_GETLINK.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    request.resize(HEADER_BYTES + LINK_BYTES, 0);
    socket.send(&request)?;
    let mut links = Vec::new();
    let mut buffer = vec![0; ANSWER_BYTES];
    for _ in 0..MAX_ANSWERS {
        let length = (&socket).read(&mut buffer)?;
        if !take_in(&buffer[..length], &mut links) {
            return Ok(Inventory::of(links));
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// An interface as the kernel reports it.
#[derive(Debug, Default, PartialEq, Eq)]
struct LinkMessage {
    index: u32,
    flags: u32,
    name: String,
    made_as: String,
    slave_of: String,
    master: Option<u32>,
    elsewhere: bool,
}

impl Inventory {
    fn of(links: Vec<LinkMessage>) -> Inventory {
        let hardware = links.iter().any(|link| link.made_as.is_empty() && link.flags & IFF_LOOPBACK == 0);
        let ports_of = |index: u32| {
            let ports = links.iter().filter(move |link| link.master == Some(index));
            ports.map(|link| (link.name.clone(), link.made_as.clone())).collect::<Vec<_>>()
        };
        let traits = links.iter().map(|link| {
            let traits = Traits {
                name: link.name.clone(),
                made_as: link.made_as.clone(),
                // A part of a virtual router (VRF) keeps its addresses and multicast.
                is_port: link.master.is_some() && link.slave_of != "vrf",
                ends_here: link.made_as == "veth" && !link.elsewhere,
                no_arp: link.flags & IFF_NOARP != 0,
                ports: ports_of(link.index),
                has_network: false,
            };
            (link.index, traits)
        });
        Inventory { traits: traits.collect(), hardware }
    }
}

/// Takes in the messages of an answer; returns false if it is the last one.
fn take_in(mut answer: &[u8], links: &mut Vec<LinkMessage>) -> bool {
    while let Some(length) = number(answer, 0).map(|length| length as usize) {
        let Some(message) = answer.get(HEADER_BYTES..length) else { return false };
        match half(answer, 4) {
            Some(NLMSG_DONE | NLMSG_ERROR) | None => return false,
            Some(RTM_NEWLINK) => links.extend(told(message)),
            Some(_) => {}
        }
        answer = answer.get(padded(length)..).unwrap_or_default();
    }
    true
}

fn told(message: &[u8]) -> Option<LinkMessage> {
    let mut link =
        LinkMessage { index: number(message, 4)?, flags: number(message, 8)?, ..LinkMessage::default() };
    for (kind, value) in attributes(message.get(LINK_BYTES..)?) {
        match kind {
            IFLA_IFNAME => link.name = text(value),
            IFLA_MASTER => link.master = number(value, 0),
            IFLA_LINK_NETNSID => link.elsewhere = true,
            IFLA_LINKINFO => {
                for (kind, value) in attributes(value) {
                    match kind {
                        IFLA_INFO_KIND => link.made_as = text(value),
                        IFLA_INFO_SLAVE_KIND => link.slave_of = text(value),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some(link)
}

/// Parses attributes, up to the first malformed one.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(half(bytes, 0)?);
        // The two highest bits are flags.
        let kind = half(bytes, 2)? & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(padded(length)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Rounds up to a multiple of four, where the next one begins.
fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::from((4 + value.len() as u16).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(padded(bytes.len()), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::from((16 + body.len() as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(16, 0);
        bytes.extend(body);
        bytes
    }

    fn link(index: u32, flags: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![0; 4];
        body.extend(index.to_ne_bytes());
        body.extend(flags.to_ne_bytes());
        body.resize(16, 0);
        body.extend(attributes.concat());
        message(RTM_NEWLINK, &body)
    }

    fn answer() -> Vec<u8> {
        let made = |kind: &[u8]| attribute(IFLA_LINKINFO, &attribute(IFLA_INFO_KIND, kind));
        let name = |name: &[u8]| attribute(IFLA_IFNAME, name);
        [
            link(1, IFF_LOOPBACK, &[name(b"lo\0")]),
            link(2, 0, &[name(b"br-lan\0"), made(b"bridge\0")]),
            link(
                3,
                0,
                &[
                    name(b"lan1\0"),
                    attribute(IFLA_MASTER, &2_u32.to_ne_bytes()),
                    attribute(IFLA_LINK_NETNSID, &0_u32.to_ne_bytes()),
                    made(b"veth"),
                ],
            ),
            link(4, IFF_NOARP, &[name(b"a\0"), made(b"veth")]),
            message(NLMSG_DONE, &[0; 4]),
        ]
        .concat()
    }

    #[test]
    fn an_answer_tells_what_each_interface_is() {
        let mut links = Vec::new();
        assert!(!take_in(&answer(), &mut links), "it is the last");
        let inventory = Inventory::of(links);
        assert!(!inventory.hardware, "the loopback is none");
        let of = |index: u32| &inventory.traits[&index];
        assert_eq!(of(2).ports, [("lan1".to_owned(), "veth".to_owned())]);
        assert_eq!((of(2).made_as.as_str(), of(2).is_port), ("bridge", false));
        assert!(of(3).is_port && !of(3).ends_here);
        assert!(of(4).ends_here && of(4).no_arp && !of(4).is_port);
    }

    #[test]
    fn a_cut_or_mangled_answer_is_read_without_panic() {
        let whole = answer();
        for end in 0..whole.len() {
            take_in(&whole[..end], &mut Vec::new());
            let mut mangled = whole.clone();
            mangled[end] = mangled[end].wrapping_add(0x81);
            take_in(&mangled, &mut Vec::new());
        }
    }

    #[test]
    fn the_kernel_answers() {
        let inventory = inventory().unwrap();
        assert!(inventory.traits.values().any(|traits| traits.name == "lo"), "{inventory:?}");
    }
}
