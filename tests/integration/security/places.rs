//! A server on which somebody takes all places, or tries from whose address have gone wrong: owners of names
//! come in.

use crate::support::lan::Lan;
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon;
use crate::support::tls::Key;
use lanchat::security::Passphrase;
use lanchat::server::JoinPolicy;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

/// Of these, two are kept.
const PLACES: usize = 20;

fn small() -> TestServer {
    TestServer::with(|options| options.max_clients = Some(PLACES))
}

/// Somebody who has been here: the name is theirs.
fn owner(address: SocketAddr, name: &str) -> Key {
    let key = Key::new();
    drop(Peer::join_with(address, name, &key));
    key
}

fn is_empty(server: &TestServer) {
    soon::until(|| (server.handle.connections() == 0).then_some(()));
}

fn greet(address: SocketAddr, name: &str, key: Option<&Key>) -> (Peer, Value) {
    let mut peer = Peer::connect_tls(address, key);
    let answer = peer.hello(json!({"from": {"name": name}}));
    (peer, answer)
}

#[test]
fn when_strangers_have_all_places_owners_come_in_and_strangers_are_told() {
    let server = small();
    let (alice, bob) = (owner(server.address, "alice"), owner(server.address, "bob"));
    is_empty(&server);
    let mut guests: Vec<Peer> =
        (0..PLACES - 2).map(|n| greet(server.address, &format!("guest{n}"), None).0).collect();
    let (_, refused) = greet(server.address, "stranger", Some(&Key::new()));
    assert_eq!(refused["code"], "server_full", "{refused}");
    let in_the_clear = Peer::connect(server.address).hello(json!({"from": {"name": "stranger"}}));
    assert_eq!(in_the_clear["code"], "server_full", "{in_the_clear}");
    let _kept: Vec<Peer> = (0..2).map(|_| Peer::join_with(server.address, "alice", &alice)).collect();
    // Now all are taken: a guest gives way.
    let mut bob = Peer::join_with(server.address, "bob", &bob);
    bob.settle();
    let last = guests.pop().expect("a guest").read_to_end().pop().expect("a word");
    assert_eq!(last["code"], "server_full", "{last}");
    guests.iter_mut().for_each(|guest| drop(guest.settle()));
}

#[test]
fn a_key_that_owns_a_name_does_not_get_all_the_kept_places() {
    let server = TestServer::with(|options| options.max_clients = Some(100));
    let (alice, bob) = (owner(server.address, "alice"), owner(server.address, "bob"));
    is_empty(&server);
    let _guests: Vec<Peer> = (0..90).map(|n| greet(server.address, &format!("guest{n}"), None).0).collect();
    let (_peers, answers): (Vec<Peer>, Vec<Value>) =
        (0..6).map(|_| greet(server.address, "alice", Some(&alice))).unzip();
    assert!(answers[..4].iter().all(|answer| answer["type"] == "welcome"), "{answers:?}");
    assert!(answers[4..].iter().all(|answer| answer["code"] == "server_full"), "{answers:?}");
    Peer::join_with(server.address, "bob", &bob);
}

#[test]
fn who_says_nothing_has_no_place_that_an_owner_wants() {
    let server = small();
    let alice = owner(server.address, "alice");
    is_empty(&server);
    let silent: Vec<TcpStream> =
        (0..PLACES - 2).map(|_| TcpStream::connect(server.address).expect("a connection")).collect();
    let mut mine: Vec<Peer> = (0..3).map(|_| Peer::join_with(server.address, "alice", &alice)).collect();
    mine.iter_mut().for_each(|peer| drop(peer.settle()));
    assert_eq!(server.handle.connections(), 3);
    drop(silent);
}

/// The server's answer to bytes of another protocol; empty: it does not talk to this address.
fn misbehave(address: SocketAddr) -> Vec<u8> {
    let mut said = Vec::new();
    let mut stream = TcpStream::connect(address).expect("a connection");
    let _ = stream.write_all(b"SSH-2.0-x\r\n").and_then(|()| stream.read_to_end(&mut said));
    said
}

#[test]
fn where_somebody_has_misbehaved_owners_come_in_and_strangers_do_not() {
    let Some(lan) = Lan::new() else { return };
    let (host, shared) = (lan.host(), lan.host());
    let server = host.run(|| TestServer::with(|options| options.address = Some(host.v4().into())));
    shared.run(|| {
        let alice = owner(server.address, "alice");
        let told = (0..20).take_while(|_| !misbehave(server.address).is_empty()).count();
        assert_eq!(told, 3, "three offences in a row");
        let (_, stranger) = greet(server.address, "stranger", Some(&Key::new()));
        assert_eq!(stranger["code"], "rate_limited", "{stranger}");
        assert_eq!(Peer::connect(server.address).read_to_end(), Vec::<Value>::new(), "nor in the clear");
        Peer::join_with(server.address, "alice", &alice).settle();
    });
    host.run(|| drop(server));
}

#[test]
fn of_tries_from_many_addresses_of_a_network_newcomers_get_theirs() {
    let Some(lan) = Lan::new() else { return };
    let (host, attacker, newcomer) = (lan.host(), lan.host(), lan.host());
    let server = host.run(|| {
        TestServer::with(|options| {
            options.address = Some(host.v6().into());
            options.access = JoinPolicy::Closed(Passphrase::new("a long enough secret").expect("one"));
        })
    });
    let own: Vec<IpAddr> = (0..14).map(|n| format!("fd77:1::a:{n}").parse().expect("an address")).collect();
    attacker.ip(&own.iter().map(|ip| format!("addr add {ip}/64 dev lan0 nodad\n")).collect::<String>());
    let code = |from: IpAddr| {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(from, 0).into()).expect("its address");
        socket.connect(&server.address.into()).expect("a connection");
        let mut peer = Peer::over_tls(socket.into(), Some(&Key::new()));
        let answer = peer.hello(json!({"from": {"name": "somebody"}}));
        answer["code"].as_str().or(answer["type"].as_str()).expect("an answer").to_owned()
    };
    let asked = attacker.run(|| {
        let codes = own.iter().flat_map(|from| (0..5).map(|_| code(*from)));
        codes.filter(|code| code == "pake").count()
    });
    assert!((5..30).contains(&asked), "{asked} of 70 were asked");
    assert_eq!(newcomer.run(|| code(newcomer.v6().into())), "pake");
    host.run(|| drop(server));
}
