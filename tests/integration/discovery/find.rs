//! Which server a client ends up with, and how soon.

use super::station::{Station, announcement, ask};
use crate::support::lan::{Addressing, Host, Lan};
use crate::support::soon::takes_less_than;
use lanchat::discovery::{
    FindOptions, FindOutcome, Found, RememberedServer, SearchReport, find, hedged, networks, scan,
};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const OFFICE: &str = "3f9a1c7700112233";
const LAB: &str = "a0b1c2d3e4f50617";

fn find_on(host: &Host, options: FindOptions) -> FindOutcome<SocketAddr> {
    host.block_on(async || find(options, ask, || {}).await)
}

fn known(id: &str, addr: SocketAddr) -> RememberedServer {
    RememberedServer {
        id: id.into(),
        name: "remembered".into(),
        addrs: vec![addr],
        named: Vec::new(),
        last_used: true,
    }
}

fn found(outcome: FindOutcome<SocketAddr>) -> Found<SocketAddr> {
    match outcome {
        FindOutcome::Found(found) => found,
        other => panic!("{other:#?}"),
    }
}

fn nothing(outcome: FindOutcome<SocketAddr>) -> SearchReport {
    match outcome {
        FindOutcome::Nothing(tried) => tried,
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
        let both = [(server.v4(), station.port).into(), (server.v6(), station.port).into()];
        assert!(both.contains(&found.addr), "{found:?}");
        assert!(both.iter().all(|addr| found.addrs.contains(addr)), "{found:?}");
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
    let FindOutcome::Several(mut list) = find_on(&client, FindOptions::default()) else {
        panic!("no choice")
    };
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
            RememberedServer { last_used: false, ..known(LAB, (server.v4(), 1).into()) },
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
        let outcome = find(options, ask, || slow += 1).await;
        (outcome, slow)
    });
    let tried = nothing(outcome);
    assert_eq!(slow, 1, "the user is told once that it takes time");
    assert!((1400..3000).contains(&tried.waited.as_millis()), "{:?}", tried.waited);
    let text = tried.to_string();
    assert!(text.contains("nothing listens there (connection refused)"), "{text}");
    assert!(text.contains(&format!("{}:7667", server.v4())) && !text.contains("5353"), "{text}");
}

#[test]
fn a_server_that_starts_after_the_client_is_joined_within_half_a_second() {
    takes_less_than(Duration::from_millis(500), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        // Its port, which has to be known before it listens.
        let port =
            server.run(|| std::net::TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port());
        let options =
            FindOptions { known: vec![known(OFFICE, (server.v4(), port).into())], ..FindOptions::default() };
        let refused = std::sync::Arc::new(tokio::sync::Notify::new());
        let took = client.block_on(async || {
            let probe = |addr| {
                let refused = std::sync::Arc::clone(&refused);
                async move { ask(addr).await.inspect_err(|_| refused.notify_one()) }
            };
            let start = async {
                refused.notified().await;
                // Not announced: only its old address leads there.
                let listener = server.run(|| std::net::TcpListener::bind(("0.0.0.0", port)).unwrap());
                let start = Instant::now();
                let answer = std::thread::spawn(move || {
                    use std::io::Write as _;
                    listener.accept().unwrap().0.write_all(format!("{OFFICE} office").as_bytes()).unwrap();
                });
                (start, answer)
            };
            let (outcome, (start, answer)) = tokio::join!(find(options, probe, || {}), start);
            assert_eq!(found(outcome).id, OFFICE);
            let took = start.elapsed();
            answer.join().unwrap();
            took
        });
        Some(took)
    });
}

#[test]
fn a_lost_packet_costs_a_connection_half_a_second_at_most() {
    takes_less_than(Duration::from_millis(800), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        let office = Station::start(&server, OFFICE, "office");
        // The system itself would send the next one after a second.
        server.nft(
            "table inet filter {
                chain input { type filter hook input priority 0; tcp flags & (syn|ack) == syn limit rate over 1/hour burst 1 packets accept; tcp flags & (syn|ack) == syn drop; }
            }",
        );
        let addr = SocketAddr::from((server.v4(), office.port));
        let start = Instant::now();
        client.block_on(async || hedged(move || tokio::net::TcpStream::connect(addr)).await).unwrap();
        Some(start.elapsed())
    });
}

#[test]
fn a_client_without_an_ipv4_address_finds_a_server_that_announces_nothing_else() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host_with(Addressing::V4), lan.host_with(Addressing::LinkLocal));
    server.ip(&format!("addr add {}/64 dev lan0 nodad", server.link_local()));
    // Nothing tells its port then, so it has the usual one.
    let _office = Station::at(&server, announcement(OFFICE, "office"), OFFICE, 7667);
    let found = found(find_on(&client, FindOptions::default()));
    assert_eq!((found.id.as_str(), found.addr.ip()), (OFFICE, server.link_local().into()));
}

#[test]
fn a_client_without_a_unique_local_address_finds_a_server_where_its_packets_come_from() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host_with(Addressing::LinkLocal));
    let office = Station::start(&server, OFFICE, "office");
    let found = found(find_on(&client, FindOptions::default()));
    assert_eq!((found.addr.ip(), found.addr.port()), (server.link_local().into(), office.port));
}

#[test]
fn a_server_on_the_host_of_a_container_is_found_at_the_gateway() {
    let Some(lan) = Lan::new() else { return };
    let (host, container) = (lan.host_with(Addressing::V4), lan.host_with(Addressing::V4));
    block_multicast(&container);
    let _office = Station::at(&host, announcement(OFFICE, "office"), OFFICE, 7667);
    container.ip(&format!("route add default via {}", host.v4()));
    let found = found(find_on(&container, FindOptions::default()));
    assert_eq!((found.id.as_str(), found.addr), (OFFICE, (host.v4(), 7667).into()));
}

#[test]
fn four_of_five_multicast_packets_may_be_lost() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _office = Station::start(&server, OFFICE, "office");
    // In turn and not at random, so that the test fails always or never: the first 8 questions are lost.
    for (group, family) in [("224.0.0.251", "ip"), ("ff02::fb", "ip6")] {
        server.nft(&format!(
            "table {family} lossy {{
                chain input {{ type filter hook input priority -300; {family} daddr {group} numgen inc mod 10 < 8 drop; }}
            }}"
        ));
    }
    block_multicast_answers(&client);
    assert_eq!(found(find_on(&client, FindOptions::default())).id, OFFICE);
}

#[test]
fn a_mistyped_name_is_told_before_two_seconds_have_passed() {
    takes_less_than(Duration::from_secs(2), || {
        let lan = Lan::new()?;
        let (server, client) = (lan.host(), lan.host());
        let _office = Station::start(&server, OFFICE, "office");
        let options = FindOptions { wanted: Some("offcie".into()), ..FindOptions::default() };
        let start = Instant::now();
        let tried = nothing(find_on(&client, options));
        let took = start.elapsed();
        assert_eq!(
            tried.to_string(),
            "no server offcie answered on lan0 within 1.2 s; there are: office (3f9a1c77)"
                .replace("1.2", &format!("{:.1}", tried.waited.as_secs_f32()))
        );
        Some(took)
    });
}

#[test]
fn a_server_whose_port_a_firewall_closes_is_named_with_the_remedy() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host_with(Addressing::V4), lan.host_with(Addressing::V4));
    let office = Station::start(&server, OFFICE, "office");
    let port = office.port;
    for (verdict, words) in [
        ("drop", format!("`sudo ufw allow {port}/tcp`")),
        ("reject with icmpx admin-prohibited", format!("a firewall rejects TCP port {port}")),
        ("reject with tcp reset", "connection is refused".into()),
    ] {
        server.nft(&format!(
            "table inet filter {{
                chain input {{ type filter hook input priority 0; tcp dport {port} {verdict}; }}
            }}"
        ));
        let options = FindOptions { timeout: Duration::from_millis(1500), ..FindOptions::default() };
        let tried = nothing(find_on(&client, options));
        let text = tried.to_string();
        let beginning =
            format!("cannot connect: office (3f9a1c77) is announced at {}:{port}, but", server.v4());
        assert!(tried.is_here() && text.starts_with(&beginning) && text.contains(&words), "{text}");
        server.nft("flush ruleset");
    }
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
            timeout: Duration::from_millis(500),
            ..FindOptions::default()
        };
        let start = Instant::now();
        let tried = nothing(find_on(&client, options));
        let took = start.elapsed();
        assert!(tried.reach.is_none() && tried.failed.len() == 1, "{tried:?}");
        Some(took)
    });
}

#[test]
fn a_machine_without_any_network_is_told_so() {
    let Some(lan) = Lan::new() else { return };
    let alone = lan.unplugged();
    let options = FindOptions { timeout: Duration::from_millis(300), ..FindOptions::default() };
    let text = nothing(find_on(&alone, options)).to_string();
    assert!(text.contains("check that this machine is connected to a network"), "{text}");
}

#[test]
fn a_scan_finds_what_multicast_cannot() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    block_multicast(&client);
    let office = Station::start(&server, OFFICE, "office");
    let found = client.block_on(async || scan(office.port, ask, None).await.unwrap());
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

/// Nothing of mDNS gets in but what is sent to this host alone.
fn block_multicast_answers(host: &Host) {
    host.nft(
        "table inet filter {
            chain input { type filter hook input priority 0; udp dport 5353 drop; }
        }",
    );
}

#[test]
fn the_address_of_a_link_that_is_down_does_not_say_where_one_is() {
    let Some(lan) = Lan::new() else { return };
    let host = lan.host();
    let is_here = || host.run(|| networks().iter().any(|net| net.contains(&IpAddr::from(host.v4()))));
    assert!(is_here());
    host.link_down("lan0");
    assert!(!is_here());
}
