//! What `lanchat doctor` says of networks on which something is wrong.

use super::find::block_multicast;
use super::station::{Station, ask};
use crate::support::avahi::Avahi;
use crate::support::lan::{Host, Lan};
use lanchat::cli::doctor::{Check, Doctor, Verdict};
use lanchat::discovery::Proof;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

const OFFICE: &str = "3f9a1c7700112233";
const WAIT: Duration = Duration::from_secs(2);

/// The verdict on the network of a host, and the lines that led to it.
/// The same with a key that nothing is known of.
async fn introduced(addr: SocketAddr) -> std::io::Result<Proof<Result<String, String>>> {
    let Proof { id, name, .. } = ask(addr).await?;
    Ok(Proof { id, name, link: Ok("new".into()) })
}

fn examine(host: &Host) -> (Verdict, String) {
    examine_for(host, None)
}

fn examine_for(host: &Host, wanted: Option<&str>) -> (Verdict, String) {
    let mut lines = String::new();
    let report = |check: &Check| lines += &format!("{check}\n");
    let verdict =
        host.block_on(async || Doctor { probe: introduced, report }.examine_network(WAIT, wanted).await);
    (verdict, lines)
}

/// The verdict on a server's address.
fn examine_host(host: &Host, target: &str, port: u16) -> Verdict {
    host.block_on(async || {
        Doctor { probe: introduced, report: |_: &Check| {} }.examine_host(target, port).await
    })
}

#[test]
fn a_server_that_answers_is_all_well() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    let (verdict, lines) = examine(&client);
    assert!(verdict.is_good(), "{verdict}\n{lines}");
    for line in ["network interfaces: lan0", "multicast sockets", "UDP port 5353", "office (3f9a1c77)"] {
        assert!(lines.lines().any(|told| told.starts_with("ok") && told.contains(line)), "{line}:\n{lines}");
    }
    assert!(examine_for(&client, Some("OFFICE")).0.is_good());
    let (verdict, _) = examine_for(&client, Some("lab"));
    assert!(verdict.to_string().contains("there are, office (3f9a1c77)"), "{verdict}");
    assert!(examine_host(&client, &server.v6().to_string(), station.port).is_good());
    assert!(examine_host(&client, &format!("[{}]", server.v6()), station.port).is_good());
}

#[test]
fn a_machine_without_network_is_told_to_connect() {
    let Some(lan) = Lan::new() else { return };
    let (verdict, lines) = examine(&lan.unplugged());
    assert_eq!(verdict, Verdict::NoNetwork, "{lines}");
    assert!(verdict.is_no_server());
}

#[test]
fn blocked_multicast_is_named() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    block_multicast(&client);
    let _station = Station::start(&server, OFFICE, "office");
    let (verdict, lines) = examine(&client);
    assert_eq!(verdict, Verdict::Nobody, "{lines}");
    assert!(verdict.to_string().contains("5353/udp"), "{verdict}");
}

#[test]
fn a_guest_network_looks_like_an_empty_one() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    lan.isolate();
    let _station = Station::start(&server, OFFICE, "office");
    assert_eq!(examine(&client).0, Verdict::Nobody);
}

#[test]
fn where_others_are_heard_there_is_just_no_server() {
    let Some(lan) = Lan::new() else { return };
    let (peer, client) = (lan.host(), lan.host());
    let Some(_avahi) = Avahi::start(&peer) else { return };
    let (verdict, lines) = examine(&client);
    assert!(matches!(verdict, Verdict::NoServer { others: 1.. }), "{verdict}\n{lines}");
    assert!(verdict.to_string().contains("lanchat serve"), "{verdict}");
}

#[test]
fn a_program_that_keeps_the_port_is_told_of() {
    let Some(lan) = Lan::new() else { return };
    let client = lan.host();
    let _selfish = client.run(|| UdpSocket::bind("0.0.0.0:5353").unwrap());
    let (verdict, lines) = examine(&client);
    assert!(matches!(verdict, Verdict::PortTaken { .. }), "{verdict}\n{lines}");
}

#[test]
fn a_server_whose_firewall_drops_the_port_is_told_what_to_allow() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let station = Station::start(&server, OFFICE, "office");
    server.nft(
        "table inet filter {
            chain input { type filter hook input priority 0; meta l4proto tcp drop; }
        }",
    );
    let (verdict, lines) = examine(&client);
    assert!(matches!(verdict, Verdict::Silent { .. }), "{verdict}\n{lines}");
    assert!(verdict.to_string().contains(&format!("ufw allow {}/tcp", station.port)), "{verdict}");
}

#[test]
fn a_host_is_told_apart_from_its_port_and_from_other_programs() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let addr = SocketAddr::from((server.v4(), 7667));
    let text = server.v4().to_string();
    assert_eq!(examine_host(&client, &text, 7667), Verdict::Refused { addr });
    let listener = server.run(|| TcpListener::bind(addr).unwrap());
    // Something that takes connections and ends them.
    let hanging_up = std::thread::spawn(move || listener.incoming().take(2).for_each(drop));
    assert_eq!(examine_host(&client, &text, 7667), Verdict::NotLanchat { addr });
    hanging_up.join().unwrap();
    let host = "no-such-host.invalid".to_owned();
    assert_eq!(examine_host(&client, &host, 7667), Verdict::UnknownHost { host });
}
