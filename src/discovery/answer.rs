//! Builds mDNS questions and parses the answers, which are hostile input. Pure.

use super::SERVICE;
use super::interfaces::Interface;
use super::order::{is_usable, scoped};
use super::sighting::{self, Sighting};
use crate::limits::{MAX_SERVER_ADDRS, MAX_SERVERS};
use simple_dns::rdata::{RData, SRV, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, ResourceRecord, TYPE};
use std::net::{IpAddr, SocketAddr};

/// The id of each question, which a unicast answer repeats (RFC 6762 6.7). It proves nothing: anyone who
/// hears the question may answer it.
const QUESTION_ID: u16 = 1;

/// The question that every DNS-SD responder answers: which service types it has (RFC 6763 9).
pub(super) const ALL_KINDS: &str = "_services._dns-sd._udp.local";

/// A question for all services of these types, such as `_lanchat._tcp.local PTR IN`.
pub(super) fn question(services: &[&str]) -> simple_dns::Result<Vec<u8>> {
    build(services.iter().map(|service| (*service, TYPE::PTR)))
}

/// A question for all addresses of a host, such as `desk.local A IN` and `desk.local AAAA IN`.
pub(super) fn address_question(host: &str) -> simple_dns::Result<Vec<u8>> {
    build([(host, TYPE::A), (host, TYPE::AAAA)])
}

fn build<'n>(records: impl IntoIterator<Item = (&'n str, TYPE)>) -> simple_dns::Result<Vec<u8>> {
    let mut packet = Packet::new_query(QUESTION_ID);
    for (name, kind) in records {
        let (name, class) = (Name::new(name)?, QCLASS::CLASS(CLASS::IN));
        packet.questions.push(Question::new(name, QTYPE::TYPE(kind), class, false));
    }
    packet.build_bytes_vec()
}

/// Parses a packet that is a response.
fn response(packet: &[u8]) -> Option<Packet<'_>> {
    Packet::parse(packet).ok().filter(|packet| packet.has_flags(PacketFlag::RESPONSE))
}

/// Whether a packet answers [`ALL_KINDS`] with lanchat's service type.
pub(super) fn offers_service(packet: &[u8]) -> bool {
    let (Some(packet), Ok(kinds), Ok(service)) = (response(packet), Name::new(ALL_KINDS), Name::new(SERVICE))
    else {
        return false;
    };
    let says_so = |record: &ResourceRecord| {
        let is_ours = matches!(&record.rdata, RData::PTR(pointer) if pointer.0 == service);
        record.ttl > 0 && record.name == kinds && is_ours
    };
    packet.answers.iter().any(says_so)
}

/// The addresses of a host in a response, with this port. Ignores the case of the name.
pub(super) fn addresses(packet: &[u8], host: &str, port: u16, link: &Interface) -> Vec<SocketAddr> {
    let Some(packet) = response(packet) else { return Vec::new() };
    let records = packet.answers.iter().chain(&packet.additional_records).filter(|record| record.ttl > 0);
    let own = records.filter(|record| record.name.to_string().eq_ignore_ascii_case(host));
    let ips = own.filter_map(|record| as_ip(&record.rdata)).filter(|ip| is_usable(*ip, link.loopback));
    ips.map(|ip| scoped(ip, port, link.index)).take(MAX_SERVER_ADDRS).collect()
}

/// The complete servers in a packet, which may have several. Joins records by name (RFC 6763 12.1). Skips
/// malformed, incomplete and withdrawn (time to live 0) records.
pub(super) fn servers(packet: &[u8], link: &Interface) -> Vec<Sighting> {
    let (Some(packet), Ok(service)) = (response(packet), Name::new(SERVICE)) else { return Vec::new() };
    let records: Vec<&ResourceRecord> =
        packet.answers.iter().chain(&packet.additional_records).filter(|record| record.ttl > 0).collect();
    let instances =
        records.iter().filter(|record| record.name == service).filter_map(|record| match &record.rdata {
            RData::PTR(pointer) => Some(&pointer.0),
            _ => None,
        });
    instances.take(MAX_SERVERS).filter_map(|instance| server(instance, &service, &records, link)).collect()
}

/// A PTR record of the service.
pub(super) struct InstancePointer {
    pub(super) label: String,
    /// False for a goodbye, which has a time to live of 0 (RFC 6762 10.1).
    pub(super) is_there: bool,
}

/// The service's PTR records in a response.
pub(super) fn pointers(packet: &[u8]) -> Vec<InstancePointer> {
    let (Some(packet), Ok(service)) = (response(packet), Name::new(SERVICE)) else { return Vec::new() };
    let own = packet.answers.iter().filter(|record| record.name == service);
    let heard = own.filter_map(|record| match &record.rdata {
        RData::PTR(pointer) => {
            let prefix = pointer.0.without(&service)?;
            let [label] = prefix.get_labels() else { return None };
            let label = String::from_utf8_lossy(label.as_ref()).into_owned();
            Some(InstancePointer { label, is_there: record.ttl > 0 })
        }
        _ => None,
    });
    heard.take(MAX_SERVERS).collect()
}

/// Builds a server from the records of a packet.
fn server(
    instance: &Name,
    service: &Name,
    records: &[&ResourceRecord],
    link: &Interface,
) -> Option<Sighting> {
    let prefix = instance.without(service)?;
    let [label] = prefix.get_labels() else { return None };
    let label = String::from_utf8_lossy(label.as_ref()).into_owned();
    let srv = owned_by(records, instance).find_map(as_srv).filter(|srv| srv.port != 0)?;
    let addrs: Vec<SocketAddr> = owned_by(records, &srv.target)
        .filter_map(as_ip)
        .filter(|ip| is_usable(*ip, link.loopback))
        .map(|ip| scoped(ip, srv.port, link.index))
        .collect();
    if addrs.is_empty() {
        return None;
    }
    let txt = owned_by(records, instance).find_map(as_txt);
    let heard = sighting::HeardBy { one_shot: true, browse: false };
    Some(Sighting::new(&label, txt.map(entries).unwrap_or_default(), addrs, heard))
}

fn owned_by<'a, 'p>(
    records: &'a [&'a ResourceRecord<'p>],
    name: &'a Name<'p>,
) -> impl Iterator<Item = &'a RData<'p>> {
    records.iter().filter(move |record| record.name == *name).map(|record| &record.rdata)
}

fn as_srv<'a, 'p>(data: &'a RData<'p>) -> Option<&'a SRV<'p>> {
    match data {
        RData::SRV(srv) => Some(srv),
        _ => None,
    }
}

fn as_txt<'a, 'p>(data: &'a RData<'p>) -> Option<&'a TXT<'p>> {
    match data {
        RData::TXT(txt) => Some(txt),
        _ => None,
    }
}

fn as_ip(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(IpAddr::V4(a.address.into())),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.address.into())),
        _ => None,
    }
}

fn entries(txt: &TXT) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    txt.iter_raw().map(|(key, value)| (text(key), text(value.unwrap_or_default()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::rdata::{A, AAAA, PTR};

    fn lan(loopback: bool) -> Interface {
        Interface { name: "lan0".into(), index: 2, loopback, addrs: Vec::new() }
    }

    /// A responder's answer in its simplest form: these servers, each with one IPv4 address and its
    /// link-local one.
    fn answer(servers: &[(&'static str, &'static str, u16, u32)], ttl: u32) -> Vec<u8> {
        let mut packet = Packet::new_reply(QUESTION_ID);
        let record = |name: Name<'static>, data| ResourceRecord::new(name, CLASS::IN, ttl, data);
        for (label, host, port, address) in servers {
            let host = Name::new(host).unwrap();
            let service = Name::new(SERVICE).unwrap();
            let mut labels = Name::new(label).unwrap().get_labels().to_vec();
            labels.extend_from_slice(service.get_labels());
            let instance = Name::new_with_labels(&labels).into_owned();
            packet.answers.push(record(service, RData::PTR(PTR(instance.clone()))));
            let srv = SRV { priority: 0, weight: 0, port: *port, target: host.clone() };
            packet.additional_records.push(record(instance.clone(), RData::SRV(srv)));
            let txt = TXT::new().with_string("v=1").unwrap().with_string("n=A Name").unwrap();
            packet.additional_records.push(record(instance, RData::TXT(txt)));
            packet.additional_records.push(record(host.clone(), RData::A(A { address: *address })));
            let address = std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).into();
            packet.additional_records.push(record(host, RData::AAAA(AAAA { address })));
        }
        packet.build_bytes_vec_compressed().unwrap()
    }

    #[test]
    fn the_addresses_of_a_host_are_taken_and_no_others() {
        let bytes =
            answer(&[("a", "one.local", 7667, 0x0a00_0001), ("b", "two.local", 7668, 0x0a00_0002)], 120);
        let of = |host: &str| {
            addresses(&bytes, host, 7, &lan(false)).iter().map(|a| a.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of("One.Local"), ["10.0.0.1:7", "[fe80::1%2]:7"]);
        assert!(of("three.local").is_empty() && addresses(b"", "one.local", 7, &lan(false)).is_empty());
    }

    #[test]
    fn a_goodbye_is_told_from_an_announcement() {
        for (ttl, there) in [(120, true), (0, false)] {
            let bytes = answer(&[("a", "one.local", 7667, 1), ("b", "two.local", 7668, 2)], ttl);
            let heard: Vec<_> = pointers(&bytes).into_iter().map(|one| (one.label, one.is_there)).collect();
            assert_eq!(heard, [("a".to_owned(), there), ("b".to_owned(), there)]);
        }
        assert!(pointers(b"no packet").is_empty());
    }

    #[test]
    fn two_servers_in_one_packet_are_told_apart() {
        let bytes =
            answer(&[("a", "one.local", 7667, 0x0a00_0001), ("b", "two.local", 7668, 0x0a00_0002)], 120);
        let found = servers(&bytes, &lan(false));
        let addrs = |at: usize| found[at].addrs.iter().map(|a| a.to_string()).collect::<Vec<_>>();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].instance.as_str(), found[0].name.as_str()), ("a", "A Name"));
        assert_eq!(addrs(0), ["10.0.0.1:7667", "[fe80::1%2]:7667"]);
        assert_eq!(addrs(1), ["10.0.0.2:7668", "[fe80::1%2]:7668"]);
    }

    #[test]
    fn a_label_may_hold_dots() {
        let bytes = answer(&[(r"v1\.2", "one.local", 7667, 0x0a00_0001)], 120);
        assert_eq!(servers(&bytes, &lan(false))[0].instance, "v1.2");
    }

    #[test]
    fn goodbyes_questions_and_portless_servers_are_passed_over() {
        assert!(servers(&answer(&[("a", "one.local", 7667, 0x0a00_0001)], 0), &lan(false)).is_empty());
        assert!(servers(&answer(&[("a", "one.local", 0, 0x0a00_0001)], 120), &lan(false)).is_empty());
        assert!(servers(&question(&[SERVICE]).unwrap(), &lan(false)).is_empty());
    }

    #[test]
    fn loopback_addresses_count_on_loopback_only() {
        let bytes = answer(&[("a", "one.local", 7667, 0x7f00_0001)], 120);
        assert_eq!(servers(&bytes, &lan(true))[0].addrs.len(), 2);
        assert_eq!(servers(&bytes, &lan(false))[0].addrs.len(), 1);
    }

    #[test]
    fn the_question_is_the_one_that_rfc_6763_asks() {
        let bytes = question(&[SERVICE]).unwrap();
        assert_eq!(&bytes[12..], b"\x08_lanchat\x04_tcp\x05local\0\0\x0c\0\x01");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0u8.., 0..1500)) {
            servers(&bytes, &lan(false));
        }

        #[test]
        fn no_damage_to_an_answer_makes_it_panic(
            damage in proptest::collection::vec((0usize..200, 0u8..), 1..8),
        ) {
            let mut bytes = answer(&[("a", "one.local", 7667, 0x0a00_0001)], 120);
            for (at, value) in damage {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            for found in servers(&bytes, &lan(false)) {
                assert!(found.name.len() <= 63 && found.addrs.len() <= 16);
            }
        }
    }
}
