//! The real server program, as the network sees it.

use super::station::ips;
use crate::support::avahi::Avahi;
use crate::support::lan::{Host, Lan, Running};
use lanchat::discovery::{MdnsSearch, SearchEvent, SearchOptions, Sighting};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(8);

/// Starts `lanchat serve` on a host, on any free port.
fn serve(host: &Host, home: &Path, args: &[&str]) -> Running {
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["serve", "--port", "0", "--name", "The Office", "--data-dir"]).arg(home).args(args);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home);
    host.spawn(command.stdin(Stdio::null()).stderr(Stdio::null()))
}

async fn seen(search: &mut MdnsSearch, wanted: impl Fn(&Sighting) -> bool) -> Sighting {
    let looking = async {
        loop {
            match search.next().await.expect("something was opened") {
                SearchEvent::Seen(sighting) if wanted(&sighting) => return sighting,
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, looking).await.expect("seen in time")
}

#[test]
fn it_is_announced_and_says_goodbye_when_it_is_told_to_stop() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let home = tempfile::tempdir().unwrap();
    let mut running = serve(&server, home.path(), &[]);
    client.block_on(async || {
        let mut search = MdnsSearch::start(SearchOptions::default());
        let server_seen = seen(&mut search, |sighting| sighting.heard.browse).await;
        let id = server_seen.id.clone().expect("its own server has an id");
        assert_eq!((id.len(), server_seen.name.as_str()), (64, "The Office"));
        assert_eq!((server_seen.fp.map(|fp| fp.id()), server_seen.closed), (Some(id.clone()), false));
        assert_eq!(server_seen.instance, format!("the-office-{}", &id[..8]));
        let start = Instant::now();
        Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
        while !matches!(search.next().await, Some(SearchEvent::Gone(_))) {}
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    });
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn killed_and_started_anew_it_is_the_same_server_on_its_new_port() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let home = tempfile::tempdir().unwrap();
    let running = serve(&server, home.path(), &[]);
    client.block_on(async || {
        let mut search = MdnsSearch::start(SearchOptions::default());
        let before = seen(&mut search, |sighting| sighting.heard.browse).await;
        drop(running);
        let _again = serve(&server, home.path(), &[]);
        let port = |sighting: &Sighting| sighting.addrs[0].port();
        let after = seen(&mut search, |sighting| port(sighting) != port(&before)).await;
        assert_eq!((after.id, after.instance), (before.id, before.instance));
    });
}

#[test]
fn avahi_finds_it_where_it_listens() {
    let Some(lan) = Lan::new() else { return };
    let (server, peer) = (lan.host(), lan.host());
    let home = tempfile::tempdir().unwrap();
    let _running = serve(&server, home.path(), &["--host", &server.v4().to_string()]);
    let Some(avahi) = Avahi::start(&peer) else { return };
    let start = Instant::now();
    let row = loop {
        assert!(start.elapsed() < DEADLINE, "avahi does not see it");
        if let Some(row) = avahi.browse("_lanchat._tcp").into_iter().next() {
            break row;
        }
    };
    assert!(row[3].starts_with("the-office-"), "{row:?}");
    assert_eq!(row[7], server.v4().to_string(), "only the address that it listens on");
    let address = format!("{}:{}", row[7], row[8]).parse().unwrap();
    peer.run(|| TcpStream::connect_timeout(&address, DEADLINE)).expect("the port that avahi tells");
    assert!(row[9].contains("\"n=The Office\"") && row[9].contains("\"v=1\""), "{row:?}");
}

#[test]
fn without_discovery_it_is_not_announced() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let (quiet, loud) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hidden = serve(&server, quiet.path(), &["--no-discovery"]);
    // It listens, so that what follows is no matter of who was first.
    let start = Instant::now();
    let listening = |args: &[&str]| {
        let output = server.command("ss").args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).matches(&format!("pid={},", hidden.0.id())).count()
    };
    while listening(&["-Hltnp"]) == 0 {
        assert!(start.elapsed() < DEADLINE, "it does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(listening(&["-Hlunp"]), 0, "it has no UDP socket");
    let _witness = serve(&server, loud.path(), &[]);
    client.block_on(async || {
        let mut search = MdnsSearch::start(SearchOptions::default());
        seen(&mut search, |sighting| ips(&sighting.addrs).contains(&server.v4().into())).await;
        assert_eq!(search.sightings().count(), 1);
    });
}
