//! The network that the other tests stand on: hosts meet, and are not on the machine's own network.

use crate::support::lan::Lan;
use std::net::{TcpListener, TcpStream};

#[test]
fn hosts_of_a_network_reach_each_other_and_nothing_else() {
    let Some(lan) = Lan::new() else { return };
    let (here, there) = (lan.host(), lan.host());
    let listener = there.run(|| TcpListener::bind((there.v6(), 7667)).unwrap());
    here.run(|| TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let listener = there.run(|| TcpListener::bind((there.v4(), 7667)).unwrap());
    here.run(|| TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    let names =
        here.run(|| if_addrs::get_if_addrs().unwrap().into_iter().map(|i| i.name).collect::<Vec<_>>());
    assert!(names.iter().all(|name| name == "lo" || name == "lan0"), "{names:?}");
}

#[test]
fn commands_run_on_the_host_that_made_them() {
    let Some(lan) = Lan::new() else { return };
    let host = lan.host();
    let output = host.command("ip").args(["-o", "addr"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(&host.v4().to_string()), "{text}");
}
