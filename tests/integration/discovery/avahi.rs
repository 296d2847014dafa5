//! Understanding, and being understood by, a DNS-SD implementation that nobody here wrote.

use super::station::{Station, ips};
use crate::support::avahi::Avahi;
use crate::support::lan::Lan;
use lanchat::discovery::{MdnsSearch, SearchOptions};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const KIND: &str = "_lanchat._tcp";

#[test]
fn avahi_sees_name_port_addresses_and_txt() {
    let Some(lan) = Lan::new() else { return };
    let (server, peer) = (lan.host(), lan.host());
    let station = Station::start(&server, "3f9a1c7700112233", "The Office");
    let Some(avahi) = Avahi::start(&peer) else { return };
    let deadline = Instant::now() + Duration::from_secs(15);
    let own = server.addrs().map(|ip| ip.to_string());
    let mut rows = Vec::new();
    let mut families = HashSet::new();
    // A browse may miss what another has just been told (RFC 6762 7.3), so they add up. Of each family
    // Avahi tells one address.
    while families.len() < 2 {
        assert!(Instant::now() < deadline, "{rows:#?}");
        rows = avahi.browse(KIND);
        families.extend(rows.iter().map(|row| row[2].clone()));
    }
    assert!(!rows.is_empty());
    for row in rows {
        assert!(own.contains(&row[7]), "{row:?}");
        assert_eq!(row[3], "the-office-3f9a1c77");
        assert_eq!((row[4].as_str(), row[5].as_str()), (KIND, "local"));
        assert_eq!(row[6], "the-office-3f9a1c77.local");
        assert_eq!(row[8], station.port.to_string());
        let mut txt: Vec<&str> = row[9].trim_matches('"').split("\" \"").collect();
        txt.sort_unstable();
        assert_eq!(txt, ["id=3f9a1c7700112233", "n=The Office", "pw=0", "v=1"]);
    }
}

#[test]
fn what_avahi_publishes_is_found_both_ways() {
    let Some(lan) = Lan::new() else { return };
    let (peer, client) = (lan.host(), lan.host());
    let Some(avahi) = Avahi::start(&peer) else { return };
    let _published = avahi.publish("v1.2 Räume", KIND, 7777, &["note=hand-made", "flag"]);
    for (browse, one_shot) in [(true, false), (false, true)] {
        client.block_on(async || {
            // A one-shot search ends its questions after 1.5 s, and avahi needs a second to publish.
            let deadline = Instant::now() + Duration::from_secs(10);
            let seen = loop {
                assert!(Instant::now() < deadline, "not seen by browse={browse} one_shot={one_shot}");
                let mut search = MdnsSearch::start(SearchOptions { browse, one_shot });
                let limit = Duration::from_secs(3);
                if tokio::time::timeout(limit, search.next()).await.is_ok() {
                    break search.sightings().next().cloned().unwrap();
                }
            };
            assert_eq!((seen.id, seen.name.as_str()), (None, "v1.2 Räume"));
            assert_eq!((seen.txt["note"].as_str(), seen.txt["flag"].as_str()), ("hand-made", ""));
            assert!(seen.addrs.iter().all(|addr| addr.port() == 7777));
            assert!(ips(&seen.addrs).iter().all(|ip| peer.addrs().contains(ip)), "{:?}", seen.addrs);
        });
    }
    // And by the program, as a user lists servers.
    let home = tempfile::tempdir().unwrap();
    let mut discover = client.command(env!("CARGO_BIN_EXE_lanchat"));
    discover.args(["discover", "--json"]).env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    let output = discover.output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["txt"]["note"]), (&"v1.2 Räume".into(), &"hand-made".into()));
    assert!(listed[0]["addresses"].to_string().contains(&format!("{}:7777", peer.v4())), "{listed}");
}
