//! Which server a client ends up with, and how soon.

use super::station::{Station, announcement, ask};
use crate::support::lan::{Host, Lan};
use crate::support::soon::takes_less_than;
use lanchat::discovery::{FindOptions, Found, Known, Outcome, Progress, Tried, find, scan};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const OFFICE: &str = "3f9a1c7700112233";
const LAB: &str = "a0b1c2d3e4f50617";

fn find_on(host: &Host, options: FindOptions) -> Outcome<SocketAddr> {
    host.block_on(async || find(options, ask, |_| {}).await)
}

fn known(id: &str, addr: SocketAddr) -> Known {
    Known { id: id.into(), name: "remembered".into(), addrs: vec![addr], last_used: true }
}

fn found(outcome: Outcome<SocketAddr>) -> Found<SocketAddr> {
    match outcome {
        Outcome::Found(found) => found,
        other => panic!("{other:#?}"),
    }
}

fn nothing(outcome: Outcome<SocketAddr>) -> Tried {
    match outcome {
        Outcome::Nothing(tried) => tried,
        other => panic!("{other:#?}"),
    }
}

#[test]
fn the_only_server_is_found_at_once_right_after_it_started() {
    takes_less_than(Duration::from_secs(1), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        let station = Station::start(&server, OFFICE, "office");
        let start = Instant::now();
        let found = found(find_on(&client, FindOptions::default()));
        let took = start.elapsed();
        assert_eq!((found.id.as_str(), found.name.as_str()), (OFFICE, "office"));
        assert_eq!(found.addr, (server.v4(), station.port).into());
        assert!(found.addrs.contains(&(server.v6(), station.port).into()), "{:?}", found.addrs);
        Some(took)
    });
}

#[test]
fn with_several_servers_the_one_used_last_is_joined() {
    let Some(lan) = Lan::new() else { return };
    let (one, two, client) = (lan.host(), lan.host(), lan.host());
    let _office = Station::start(&one, OFFICE, "office");
    let lab = Station::start(&two, LAB, "lab");
    let options =
        FindOptions { known: vec![known(LAB, (two.v4(), lab.port).into())], ..FindOptions::default() };
    assert_eq!(found(find_on(&client, options)).id, LAB);
    // Also if it has moved, so that only mDNS knows where it is.
    let moved = FindOptions { known: vec![known(LAB, (two.v4(), 1).into())], ..FindOptions::default() };
    assert_eq!(found(find_on(&client, moved)).id, LAB);
}

#[test]
fn with_several_servers_and_no_memory_the_user_has_the_choice() {
    let Some(lan) = Lan::new() else { return };
    let (one, two, client) = (lan.host(), lan.host(), lan.host());
    let _stations = [Station::start(&one, OFFICE, "office"), Station::start(&two, LAB, "lab")];
    let Outcome::Several(mut list) = find_on(&client, FindOptions::default()) else { panic!("no choice") };
    list.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(list.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["lab", "office"]);
    for wanted in ["LAB", "a0b1", "lab-a0b1c2d3"] {
        let options = FindOptions { wanted: Some(wanted.into()), ..FindOptions::default() };
        assert_eq!(found(find_on(&client, options)).id, LAB, "{wanted}");
    }
}

#[test]
fn a_liar_that_connects_first_does_not_win() {
    let Some(lan) = Lan::new() else { return };
    let (server, liar, client) = (lan.host(), lan.host(), lan.host());
    // Somebody answers at the remembered address, and somebody else announces the server's id.
    let impostor = Station::announced(&liar, announcement(OFFICE, "office"), LAB);
    let office = Station::start(&server, OFFICE, "office");
    let remembered = vec![known(OFFICE, (liar.v4(), impostor.port).into())];
    let found = found(find_on(&client, FindOptions { known: remembered, ..FindOptions::default() }));
    assert_eq!((found.id.as_str(), found.addr.port()), (OFFICE, office.port));
    assert!(server.addrs().contains(&found.addr.ip()), "{found:?}");
}

#[test]
fn a_liar_alone_is_told_of_and_not_joined() {
    let Some(lan) = Lan::new() else { return };
    let (liar, client) = (lan.host(), lan.host());
    let _impostor = Station::announced(&liar, announcement(OFFICE, "office"), LAB);
    let tried =
        nothing(find_on(&client, FindOptions { timeout: Duration::from_secs(1), ..FindOptions::default() }));
    assert!(tried.to_string().contains("is another server now, office (a0b1c2d3)"), "{tried}");
}

#[test]
fn remembered_addresses_suffice_where_multicast_is_blocked() {
    takes_less_than(Duration::from_secs(1), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        block_multicast(&client);
        let office = Station::start(&server, OFFICE, "office");
        let remembered = vec![
            Known { last_used: false, ..known(LAB, (server.v4(), 1).into()) },
            known(OFFICE, (server.v4(), office.port).into()),
        ];
        let start = Instant::now();
        let options = FindOptions { known: remembered, ..FindOptions::default() };
        assert_eq!(found(find_on(&client, options)).id, OFFICE);
        let took = start.elapsed();
        Some(took)
    });
}

#[test]
fn an_address_that_swallows_packets_does_not_hold_up_the_others() {
    takes_less_than(Duration::from_secs(1), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        let office = Station::start(&server, OFFICE, "office");
        // Nobody has this address, so connecting takes seconds to fail.
        let dead = SocketAddr::from(([10, 77, 1, 250], office.port));
        let options = FindOptions { known: vec![known(OFFICE, dead)], ..FindOptions::default() };
        let start = Instant::now();
        assert_eq!(found(find_on(&client, options)).id, OFFICE);
        let took = start.elapsed();
        Some(took)
    });
}

#[test]
fn a_vain_search_ends_in_time_and_says_what_was_tried() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let options = FindOptions {
        known: vec![known(OFFICE, (server.v4(), 7667).into())],
        timeout: Duration::from_millis(1500),
        ..FindOptions::default()
    };
    let (outcome, slow) = client.block_on(async || {
        let mut slow = 0;
        let outcome = find(options, ask, |Progress::Slow| slow += 1).await;
        (outcome, slow)
    });
    let tried = nothing(outcome);
    assert_eq!(slow, 1, "the user is told once that it takes time");
    assert!((1400..3000).contains(&tried.waited.as_millis()), "{:?}", tried.waited);
    let text = tried.to_string();
    assert!(text.contains("on lan0") && text.contains("refused") && text.contains("--host"), "{text}");
}

#[test]
fn a_server_that_vanished_is_not_waited_for() {
    takes_less_than(Duration::from_secs(1), || {
        let lan = Lan::new()?;
        let (gone, server, client) = (lan.host(), lan.host(), lan.host());
        let _vanishing = Station::start(&gone, LAB, "lab");
        let _office = Station::start(&server, OFFICE, "office");
        // As if its cable were pulled: no goodbye, and nothing answers at its address.
        gone.link_down("lan0");
        let options =
            FindOptions { known: vec![known(LAB, (gone.v4(), 7667).into())], ..FindOptions::default() };
        let start = Instant::now();
        assert_eq!(found(find_on(&client, options)).id, OFFICE);
        let took = start.elapsed();
        Some(took)
    });
}

#[test]
fn without_discovery_only_the_given_addresses_are_tried() {
    takes_less_than(Duration::from_secs(1), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        let _office = Station::start(&server, OFFICE, "office");
        let options = FindOptions {
            known: vec![known(LAB, (server.v4(), 1).into())],
            discovery: false,
            ..FindOptions::default()
        };
        let start = Instant::now();
        let tried = nothing(find_on(&client, options));
        let took = start.elapsed();
        assert!(tried.reach.is_none(), "{tried:?}");
        Some(took)
    });
}

#[test]
fn a_machine_without_any_network_is_told_so() {
    let Some(lan) = Lan::new() else { return };
    let alone = lan.unplugged();
    let options = FindOptions { timeout: Duration::from_millis(300), ..FindOptions::default() };
    let text = nothing(find_on(&alone, options)).to_string();
    assert!(text.contains("is this machine connected to the network?"), "{text}");
}

#[test]
fn a_scan_finds_what_multicast_cannot() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    block_multicast(&client);
    let office = Station::start(&server, OFFICE, "office");
    let found = client.block_on(async || scan(office.port, ask).await.unwrap());
    let found: Vec<_> = found.into_iter().map(|found| (found.id, found.addr)).collect();
    assert_eq!(found, [(OFFICE.to_owned(), (server.v4(), office.port).into())]);
}

/// Like a network whose access points drop multicast: nothing of mDNS gets in.
pub(super) fn block_multicast(host: &Host) {
    host.nft(
        "table inet filter {
            chain input { type filter hook input priority 0; udp dport 5353 drop; udp sport 5353 drop; }
        }",
    );
}
