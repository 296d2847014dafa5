//! Bans at the door of each server.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon;
use crate::support::tls::Key;
use lanchat::protocol::request::Operate;
use serde_json::Value;
use std::net::SocketAddr;

fn ban(server: &TestServer) {
    let ban = Operate::Ban { name: "mallory".into(), duration: None };
    server.operate(&ban).expect("the console may");
}

/// What a banned client hears that says nothing.
fn turned_away(address: SocketAddr, key: &Key) -> Vec<Value> {
    Peer::connect_tls(address, Some(key)).read_to_end()
}

#[test]
fn a_banned_client_hears_at_each_server_what_an_only_server_says() {
    let key = Key::new();
    let only = TestServer::start();
    let _mallory = Peer::join_with(only.address, "mallory", &key);
    ban(&only);
    let said = turned_away(only.address, &key);
    assert_eq!(said[0]["code"], "banned");

    let mut cluster = Cluster::start(3);
    cluster.leader();
    let mut mallory = Peer::join_with(cluster.address(1), "mallory", &key);
    ban(cluster.server(2));
    mallory.read_to_end();
    for number in 0..3 {
        assert_eq!(turned_away(cluster.address(number), &key), said);
    }
    let refused = |cluster: &Cluster, number| cluster.server(number).numbers().refused["banned"];
    assert!((0..3).all(|number| refused(&cluster, number) == 1));
    // From the database.
    cluster.stop_server(0);
    cluster.start_server(0);
    assert_eq!(turned_away(cluster.address(0), &key), said);
    let unban = Operate::Unban { name: "mallory".into() };
    cluster.server(2).operate(&unban).expect("the console may");
    soon::until(|| (0..3).all(|number| is_let_in(&cluster, number, &key)).then_some(()));
}

fn is_let_in(cluster: &Cluster, number: u8, key: &Key) -> bool {
    let mut peer = Peer::connect_tls(cluster.address(number), Some(key));
    peer.send(serde_json::json!({"type": "ping", "to": "server"}));
    peer.next()["type"] == "pong"
}
