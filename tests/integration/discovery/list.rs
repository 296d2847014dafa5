//! `lanchat discover` and names of hosts, on networks where they matter.

use super::find::block_multicast;
use super::station::Station;
use crate::support::avahi::Avahi;
use crate::support::lan::{Addressing, Host, Lan, Running};
use crate::support::soon::takes_less_than;
use lanchat::discovery::{LookupError, ScanScope, lookup};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

const OFFICE: &str = "3f9a1c7700112233";

/// `lanchat discover` on a host, by a user who knows no server.
fn discover(host: &Host, args: &[&str]) -> (Output, Duration) {
    let home = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command.arg("discover").args(args).env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    (command.output().unwrap(), start.elapsed())
}

/// A real server that is not announced.
fn hidden(host: &Host, home: &std::path::Path, port: &str) -> Running {
    let mut command = host.command(env!("CARGO_BIN_EXE_lanchat"));
    command.args(["serve", "--no-discovery", "--port", port, "--name", "hidden", "--data-dir"]).arg(home);
    command.env("HOME", home).env("XDG_CONFIG_HOME", home).stderr(Stdio::piped());
    let mut running = host.spawn(command.stdin(Stdio::null()));
    let mut log = std::io::BufReader::new(running.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving ") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0, "no server");
    }
    running.0.stderr = Some(log.into_inner());
    running
}

#[test]
fn the_list_ends_when_it_is_quiet() {
    takes_less_than(Duration::from_millis(1600), || {
        let lan = Lan::new()?;
        let (one, two, client) = (lan.host(), lan.host(), lan.host());
        let _stations =
            [Station::start(&one, OFFICE, "office"), Station::start(&two, "a0b1c2d3e4f50617", "lab")];
        let (output, took) = discover(&client, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("office") && text.contains("lab") && output.status.success(), "{text}");
        Some(took)
    });
}

#[test]
fn who_says_goodbye_is_not_listed() {
    let Some(lan) = Lan::new() else { return };
    let (stays, leaves, client) = (lan.host(), lan.host(), lan.host());
    let _stays = Station::start(&stays, OFFICE, "stays");
    let station = Station::start(&leaves, "a0b1c2d3e4f50617", "leaves");
    std::thread::scope(|scope| {
        let listing = scope.spawn(|| discover(&client, &[]));
        // Both were heard by then; the goodbye comes while it still listens.
        scope.spawn(|| {
            super::announce::sees(&client, leaves.v4());
            station.stop();
        });
        let (output, _) = listing.join().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("stays") && !text.contains("leaves"), "{text}");
    });
}

#[test]
fn a_scan_finds_a_server_in_a_large_network_and_one_on_a_known_port() {
    let Some(lan) = Lan::new() else { return };
    let (server, other, client) = (
        lan.host_with(Addressing::LinkLocal),
        lan.host_with(Addressing::LinkLocal),
        lan.host_with(Addressing::LinkLocal),
    );
    server.ip("addr add 10.78.2.201/22 dev lan0");
    other.ip("addr add 10.78.3.9/22 dev lan0");
    client.ip("addr add 10.78.0.5/22 dev lan0");
    block_multicast(&client);
    let (home, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _servers = [hidden(&server, home.path(), "7667"), hidden(&other, second.path(), "7700")];
    let ends = client.run(|| ScanScope::survey().unwrap().to_string());
    assert_eq!(ends, "10.78.0.0/22");
    let (output, took) = discover(&client, &["--scan", "--json"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("10.78.2.201:7667") && !text.contains("7700"), "{text} in {took:?}");
    let found = client.block_on(async || {
        let probe = |addr: SocketAddr| async move {
            tokio::net::TcpStream::connect(addr).await?;
            let (id, name) = (addr.to_string(), String::new());
            Ok::<_, std::io::Error>(lanchat::discovery::Proof { id, name, link: () })
        };
        let mut last = (0, 0);
        let scope = ScanScope::survey().unwrap();
        let found = scope.scan(&[7667, 7700], probe, None, |done, total| last = (done, total)).await;
        assert_eq!(last, (2044, 2044));
        found.into_iter().map(|found| found.id).collect::<Vec<_>>()
    });
    assert!(found.contains(&"10.78.3.9:7700".to_owned()), "{found:?}");
}

#[test]
fn a_local_name_is_resolved_without_the_systems_help_unless_that_is_forbidden() {
    let Some(lan) = Lan::new() else { return };
    let (peer, client) = (lan.host(), lan.host());
    let Some(_avahi) = Avahi::start(&peer) else { return };
    client.block_on(async || {
        let wanted = SocketAddr::from((peer.v4(), 7667));
        // Avahi takes a second to be sure of its name.
        let deadline = Instant::now() + Duration::from_secs(10);
        let found = loop {
            assert!(Instant::now() < deadline, "avahibox.local is never answered");
            if let Ok(found) = lookup("AvahiBox.local", 7667, true).await {
                break found;
            }
        };
        assert_eq!(found[0], wanted, "{found:?}");
        let nobody = lookup("nobody-here.local", 7667, true).await;
        assert!(matches!(nobody, Err(LookupError::NotLocal(_))), "{nobody:?}");
        let forbidden = lookup("avahibox.local", 7667, false).await;
        assert!(matches!(forbidden, Err(LookupError::Forbidden(_))), "{forbidden:?}");
    });
    assert_eq!(
        IpAddr::from(Ipv4Addr::LOCALHOST),
        client.block_on(async || lookup("127.0.0.1", 1, false).await.unwrap()[0].ip())
    );
}
