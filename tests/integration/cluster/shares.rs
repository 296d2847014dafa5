//! Input that waits for the server that leads: nobody fills all the space for it.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use crate::support::tls::Key;
use socket2::{Domain, Socket, Type};
use std::cell::Cell;
use std::net::SocketAddr;

/// More than the whole space, in messages that fit into the buffers of these sessions' sockets.
const FLOODERS: usize = 25;
const MESSAGES: usize = 25;

fn from(host: [u8; 4], to: SocketAddr) -> Peer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((host, 0)).into()).expect("an address of this machine");
    socket.connect(&to.into()).expect("the server listens");
    Peer::over_tls(socket.into(), Some(&Key::new()))
}

#[test]
fn an_address_with_many_sessions_does_not_keep_another_one_from_being_heard() {
    let mut cluster = Cluster::start(3);
    if cluster.leader() == 0 {
        cluster.stop_server(0);
        cluster.leader();
        cluster.start_server(0);
    }
    let mut bob = Peer::join(cluster.address(cluster.leader()), "bob");
    let join = |host: [u8; 4], name: &str| {
        let mut peer = from(host, cluster.address(0));
        let welcome = peer.hello(serde_json::json!({"from": {"name": name}}));
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        peer
    };
    let mut alice = join([127, 0, 0, 2], "alice");
    let mut flooders: Vec<Peer> =
        (0..FLOODERS).map(|number| join([127, 0, 0, 1], &format!("flood{number}"))).collect();
    cluster.log.cut(0);
    let long = "x".repeat(9000);
    for flooder in &mut flooders {
        (0..MESSAGES).for_each(|_| flooder.say("all", &long));
    }
    // Until it takes no more.
    let mut last = (0, 0);
    soon::until(|| {
        let waiting = cluster.server(0).numbers().uplink_bytes.expect("a node");
        last = if last.0 == waiting { (waiting, last.1 + 1) } else { (waiting, 0) };
        (last.1 > 100 && waiting > 0).then_some(())
    });
    let full = last.0;
    alice.say("all", "help");
    soon::until(|| (cluster.server(0).numbers().uplink_bytes > Some(full)).then_some(()));
    cluster.log.heal(0);
    let before = Cell::new(0);
    bob.wait_until(|packet| {
        before.set(before.get() + usize::from(packet["msg"] == *long));
        packet["msg"] == "help"
    });
    assert!(before.get() < FLOODERS * MESSAGES / 2, "{before:?}");
}
