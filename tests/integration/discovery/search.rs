//! What a search sees of announced servers, and when.

use super::station::{Station, announcement, ips};
use crate::support::lan::{Addressing, Host, Lan};
use crate::support::soon::takes_less_than;
use lanchat::discovery::{Announcement, MdnsSearch, SearchEvent, SearchOptions, Sighting};
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const OFFICE: &str = "3f9a1c7700112233";

/// Enough for an answer lost to the pause of a second that mDNS makes between two multicasts.
const DEADLINE: Duration = Duration::from_secs(8);

/// Searches on a host until what is seen of all servers satisfies `enough`.
fn search_until(
    host: &Host,
    options: SearchOptions,
    enough: impl Fn(&[Sighting]) -> bool + Send + Sync,
) -> Vec<Sighting> {
    host.block_on(async || {
        let mut search = MdnsSearch::start(options);
        let mut seen = Vec::new();
        let searching = async {
            while !enough(&seen) {
                search.next().await.expect("something was opened");
                seen = search.sightings().cloned().collect();
            }
        };
        let ended = tokio::time::timeout(DEADLINE, searching).await;
        assert!(ended.is_ok(), "saw no more than {seen:#?}, reach {:?}", search.reach());
        seen
    })
}

fn sees(instance: &str, ip: impl Into<IpAddr>) -> impl Fn(&[Sighting]) -> bool + Send + Sync {
    let (instance, ip) = (instance.to_owned(), ip.into());
    move |seen| seen.iter().any(|s| s.instance == instance && ips(&s.addrs).contains(&ip))
}

const BOTH: SearchOptions = SearchOptions { browse: true, one_shot: true };
const BROWSE: SearchOptions = SearchOptions { browse: true, one_shot: false };
const ONE_SHOT: SearchOptions = SearchOptions { browse: false, one_shot: true };

#[test]
fn a_server_is_seen_with_both_families_and_its_exact_txt() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "The Office");
    for options in [BROWSE, ONE_SHOT, BOTH] {
        let seen = search_until(&client, options, |seen| {
            seen.iter().any(|s| server.addrs().iter().all(|ip| ips(&s.addrs).contains(ip)))
        });
        let [seen] = seen.as_slice() else { panic!("{seen:#?}") };
        assert_eq!((seen.id.as_deref(), seen.name.as_str()), (Some(OFFICE), "The Office"));
        assert_eq!(seen.instance, "the-office-3f9a1c77");
        let txt: Vec<(&str, &str)> = seen.txt.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(txt, [("id", OFFICE), ("n", "The Office"), ("pw", "0"), ("v", "1")]);
        // Nothing but what can be reached, likeliest first; no loopback.
        assert_eq!(ips(&seen.addrs), server.addrs());
        assert!(seen.addrs.iter().all(|addr| addr.port() == station.port));
    }
}

#[test]
fn the_first_answer_takes_milliseconds_also_right_after_the_server_started() {
    takes_less_than(Duration::from_millis(900), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        // The worst case of an ordinary browse, which finds nothing for a second.
        let _station = Station::start(&server, OFFICE, "office");
        let start = Instant::now();
        search_until(&client, BOTH, sees("office-3f9a1c77", server.v4()));
        let took = start.elapsed();
        Some(took)
    });
}

#[test]
fn on_a_link_without_addresses_link_local_ones_are_found_with_their_scope() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host_with(Addressing::LinkLocal), lan.host_with(Addressing::LinkLocal));
    let _station = Station::start(&server, OFFICE, "office");
    for options in [BROWSE, ONE_SHOT] {
        let seen = search_until(&client, options, sees("office-3f9a1c77", server.link_local()));
        let [addr @ SocketAddr::V6(v6)] = seen[0].addrs.as_slice() else { panic!("{seen:?}") };
        assert_ne!(v6.scope_id(), 0);
        client.run(|| TcpStream::connect(addr)).expect("the address with its scope works");
    }
}

#[test]
fn a_server_that_stops_is_gone_within_three_seconds() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    client.block_on(async || {
        let mut search = MdnsSearch::start(BOTH);
        while search.sightings().next().is_none_or(|seen| !seen.heard.browse) {
            tokio::time::timeout(DEADLINE, search.next()).await.expect("seen").expect("open");
        }
        let stopping = std::thread::spawn(move || station.stop());
        let start = Instant::now();
        while !matches!(search.next().await, Some(SearchEvent::Gone(gone)) if gone.instance == "office-3f9a1c77") {
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        stopping.join().unwrap();
    });
}

#[test]
fn dead_and_container_bridges_and_a_second_network_do_no_harm() {
    let (Some(lan), Some(other)) = (Lan::new(), Lan::numbered(2)) else { return };
    let (server, client, beyond) = (lan.host(), lan.host(), other.host());
    for host in [&server, &client] {
        host.add_dead_bridge();
        host.add_container_bridge();
    }
    let address = other.plug(&server, "lan1", Addressing::Dual);
    let _station = Station::start(&server, OFFICE, "office");
    let seen = search_until(&client, BOTH, sees("office-3f9a1c77", server.v4()));
    // What leads here: a link-local address of another of its links would lead nowhere.
    let foreign = |ip: &IpAddr| !server.addrs().contains(ip);
    assert!(!ips(&seen[0].addrs).iter().any(foreign), "{seen:#?}");
    // The containers' bridge is left alone.
    let joined = |nic: &str| {
        let output = server.command("ip").args(["maddr", "show", "dev", nic]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("224.0.0.251")
    };
    assert!(joined("lan0") && joined("lan1") && !joined("br-4f5e"));
    // From the second network it is seen by its address there.
    search_until(&beyond, BOTH, sees("office-3f9a1c77", address));
}

#[test]
fn a_server_is_announced_on_the_named_interfaces_only() {
    let (Some(lan), Some(other)) = (Lan::new(), Lan::numbered(2)) else { return };
    let (server, client, beyond) = (lan.host(), lan.host(), other.host());
    let address = other.plug(&server, "lan1", Addressing::Dual);
    let asked = Announcement { interfaces: vec!["lan1".into()], ..announcement(OFFICE, "office") };
    let _station = Station::announced(&server, asked, OFFICE);
    search_until(&beyond, BOTH, sees("office-3f9a1c77", address));
    let _second = Station::start(&server, "00000000aaaaaaaa", "witness");
    let seen = search_until(&client, BOTH, sees("witness-00000000", server.v4()));
    assert!(seen.iter().all(|seen| seen.name != "office"), "{seen:#?}");
}

#[test]
fn only_the_advertised_addresses_are_announced() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    server.ip("addr add 10.77.1.200/24 dev lan0");
    let address: IpAddr = "10.77.1.200".parse().unwrap();
    let asked = Announcement { advertise: vec![address], ..announcement(OFFICE, "office") };
    let _station = Station::announced(&server, asked, OFFICE);
    let seen = search_until(&client, BOTH, sees("office-3f9a1c77", address));
    assert_eq!(ips(&seen[0].addrs), [address]);
}

#[test]
fn links_that_come_up_later_are_used_on_either_side() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.unplugged(), lan.unplugged());
    let _station = Station::start(&server, OFFICE, "office");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            search_until(&client, BOTH, sees("office-3f9a1c77", server.v4()));
        });
        lan.plug(&server, "lan0", Addressing::Dual);
        lan.plug(&client, "lan0", Addressing::Dual);
        waiting.join().unwrap();
    });
}

#[test]
fn a_server_whose_address_changes_is_followed() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _station = Station::start(&server, OFFICE, "office");
    let (old, new) = (IpAddr::from(server.v4()), "10.77.1.240".parse::<IpAddr>().unwrap());
    client.block_on(async || {
        let mut search = MdnsSearch::start(BOTH);
        // What was announced within the last second is not taken back (RFC 6762 10.2), so this begins
        // when the second announcement is past.
        search.collect((Instant::now() + DEADLINE).into(), Duration::from_millis(2500)).await;
        let addrs =
            |search: &MdnsSearch| search.sightings().flat_map(|seen| ips(&seen.addrs)).collect::<Vec<_>>();
        assert!(addrs(&search).contains(&old));
        server.ip(&format!("addr del {old}/24 dev lan0\naddr add {new}/24 dev lan0"));
        let following = async {
            while !addrs(&search).contains(&new) || addrs(&search).contains(&old) {
                search.next().await;
            }
        };
        let followed = tokio::time::timeout(DEADLINE, following).await;
        assert!(followed.is_ok(), "still at {:?}", addrs(&search));
    });
}

#[test]
fn on_a_network_that_loses_every_fifth_packet_it_takes_little_longer() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _station = Station::start(&server, OFFICE, "office");
    client.nft(
        "table netdev loss {
            chain input {
                type filter hook ingress device lan0 priority 0;
                numgen random mod 100 < 20 drop;
            }
        }",
    );
    let start = Instant::now();
    search_until(&client, BOTH, sees("office-3f9a1c77", server.v4()));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_server_and_its_client_on_a_machine_without_network_meet() {
    let Some(lan) = Lan::new() else { return };
    let alone = lan.unplugged();
    let _station = Station::start(&alone, OFFICE, "office");
    let address: IpAddr = "127.0.0.1".parse().unwrap();
    search_until(&alone, BROWSE, sees("office-3f9a1c77", address));
}

#[test]
fn two_servers_of_one_name_are_both_seen_and_told_apart() {
    let Some(lan) = Lan::new() else { return };
    let (one, two, client) = (lan.host(), lan.host(), lan.host());
    let _stations =
        [Station::start(&one, OFFICE, "office"), Station::start(&two, "a0b1c2d3e4f50617", "office")];
    let seen = search_until(&client, BOTH, |seen| seen.len() == 2);
    let told: HashSet<_> = seen.iter().map(|s| (s.name.as_str(), s.short_id().unwrap())).collect();
    assert_eq!(told, HashSet::from([("office", "3f9a1c77"), ("office", "a0b1c2d3")]));
    assert!(seen.iter().all(|s| !s.instance.contains('(')), "one was renamed: {seen:#?}");
}

#[test]
fn twenty_servers_are_all_seen() {
    let Some(lan) = Lan::new() else { return };
    let (servers, client) = ([(); 4].map(|()| lan.host()), lan.host());
    let _stations: Vec<Station> = (0..20)
        .map(|n| Station::start(&servers[n % 4], &format!("{n:08x}00000000"), &format!("s{n}")))
        .collect();
    let seen = search_until(&client, BOTH, |seen| seen.len() == 20);
    assert_eq!(seen.iter().map(|s| s.id.clone()).collect::<HashSet<_>>().len(), 20);
}
