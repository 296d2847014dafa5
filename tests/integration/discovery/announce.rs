//! Where a server is announced, and when: on all that are LANs, and as soon as it can be.

use super::station::{Station, announcement, ask, ips};
use crate::support::lan::{Addressing, Host, Lan};
use lanchat::discovery::{
    Announcement, Announcer, FindOptions, FindOutcome, MdnsSearch, SearchOptions, Visibility, find,
    own_addresses,
};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::Duration;
use tokio::time::timeout;

const OFFICE: &str = "3f9a1c7700112233";

/// Enough for an answer lost to the pause of a second that mDNS makes between two multicasts.
const DEADLINE: Duration = Duration::from_secs(10);

/// Waits until the server is seen on a host by this address.
pub(super) fn sees(host: &Host, address: impl Into<IpAddr>) {
    let address = address.into();
    host.block_on(async || {
        let mut search = MdnsSearch::start(SearchOptions::default());
        let seeing = async {
            while !search.sightings().any(|seen| ips(&seen.addrs).contains(&address)) {
                search.next().await.expect("something was opened");
            }
        };
        assert!(timeout(DEADLINE, seeing).await.is_ok(), "{address} is not seen, {:?}", search.reach());
    });
}

#[test]
fn a_bridge_is_a_lan_whatever_its_name() {
    let (Some(lan), Some(wan)) = (Lan::new(), Lan::numbered(2)) else { return };
    let (router, inside, outside) = (lan.unplugged(), lan.host(), wan.host());
    lan.plug(&router, "lan1", Addressing::None);
    router.ip("link add br-lan type bridge mcast_snooping 0 forward_delay 0\n\
               link set lan1 master br-lan\n\
               addr add 10.77.1.200/24 dev br-lan");
    router.link_up("br-lan");
    let far = wan.plug(&router, "wan0", Addressing::V4);
    router.add_container_bridge();
    let _station = Station::start(&router, OFFICE, "Router");
    sees(&inside, "10.77.1.200".parse::<IpAddr>().unwrap());
    sees(&outside, far);
    let own = router.run(|| own_addresses().unwrap());
    assert_eq!(own, ["10.77.1.200".parse::<IpAddr>().unwrap(), far.into()], "and no container's");
}

#[test]
fn a_server_with_thirty_interfaces_is_seen_on_each() {
    let Some(lan) = Lan::new() else { return };
    let server = lan.unplugged();
    let lans: Vec<(Lan, Host, Ipv4Addr)> = (1..=30)
        .map(|number| {
            let lan = Lan::numbered(100 + number).expect("a network more");
            let client = lan.host_with(Addressing::V4);
            let address = lan.plug(&server, &format!("vlan{number}"), Addressing::V4);
            (lan, client, address)
        })
        .collect();
    let _station = Station::start(&server, OFFICE, "office");
    for (_lan, client, address) in &lans {
        sees(client, *address);
    }
}

#[test]
fn a_client_with_nothing_but_a_link_local_address_joins_a_server_that_has_others() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host_with(Addressing::LinkLocal));
    let station = Station::start(&server, OFFICE, "office");
    let outcome = client.block_on(async || find(FindOptions::default(), ask, || {}).await);
    let FindOutcome::Found(found) = outcome else { panic!("{outcome:?}") };
    assert_eq!((found.addr.ip(), found.addr.port()), (server.link_local().into(), station.port));
}

#[test]
fn a_server_is_announced_as_soon_as_the_port_is_free_and_says_so_only_then() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let selfish = server.run(|| UdpSocket::bind("0.0.0.0:5353").unwrap());
    server.block_on(async || {
        let announcer =
            Announcer::start(&Announcement { port: 7667, ..announcement(OFFICE, "office") }).unwrap();
        let mut visibility = announcer.visibility();
        assert!(matches!(*visibility.borrow(), Visibility::PortTaken(_)));
        drop(selfish);
        let free = timeout(DEADLINE, visibility.wait_for(|now| *now == Visibility::Announced)).await;
        assert!(free.is_ok(), "never tried again");
        std::thread::scope(|scope| {
            scope.spawn(|| sees(&client, server.v4()));
        });
        announcer.shutdown().await;
    });
}

#[test]
fn without_a_network_nothing_is_said_to_be_announced_until_there_is_one() {
    let Some(lan) = Lan::new() else { return };
    let server = lan.unplugged();
    server.block_on(async || {
        let announcer =
            Announcer::start(&Announcement { port: 7667, ..announcement(OFFICE, "office") }).unwrap();
        let mut visibility = announcer.visibility();
        assert_eq!(*visibility.borrow(), Visibility::NoNetwork);
        std::thread::scope(|scope| {
            scope.spawn(|| lan.plug(&server, "lan0", Addressing::Dual));
        });
        assert!(timeout(DEADLINE, visibility.wait_for(|now| *now == Visibility::Announced)).await.is_ok());
    });
    let asked =
        Announcement { advertise: vec!["192.0.2.1".parse().unwrap()], ..announcement(OFFICE, "office") };
    server.block_on(async || {
        let announcer = Announcer::start(&asked).unwrap();
        assert_eq!(*announcer.visibility().borrow(), Visibility::NoNetwork, "no link has that address");
    });
}
