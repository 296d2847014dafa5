//! Files between people at the servers of one chat.

use crate::support::cluster::Cluster;
use crate::support::file_peer::{FilePeer, accept, offer, offer_sized};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

/// Two people who have keys, at these servers.
struct Pair {
    names: [String; 2],
    keys: [Key; 2],
    peers: [Peer; 2],
    at: [SocketAddr; 2],
}

impl Pair {
    fn join(cluster: &Cluster, at: [u8; 2]) -> Self {
        let (keys, at) = ([Key::new(), Key::new()], at.map(|number| cluster.address(number)));
        // Names stay with their keys.
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let names = ["alice", "bob"].map(|name| format!("{name}-{number}"));
        let mut peers =
            [Peer::join_with(at[0], &names[0], &keys[0]), Peer::join_with(at[1], &names[1], &keys[1])];
        peers[0].sees_join(&names[1]);
        Self { names, keys, peers, at }
    }

    /// Offers a file from the first to the second, who accepts.
    fn accepted(&mut self) -> (u64, [String; 2]) {
        let offer = self.offer();
        let [alice, bob] = &mut self.peers;
        (offer, accept(alice, bob, offer))
    }

    fn offer(&mut self) -> u64 {
        offer(&mut self.peers[0], &self.names[1])
    }

    fn open(&self, side: usize, token: &str) -> FilePeer {
        FilePeer::open(self.at[side], Some(&self.keys[side]), token)
    }

    /// Both sides of an accepted offer, connected.
    fn connected(&mut self) -> (u64, [FilePeer; 2]) {
        let (offer, tokens) = self.accepted();
        let mut sides = [self.open(0, &tokens[0]), self.open(1, &tokens[1])];
        sides.iter_mut().for_each(FilePeer::go);
        (offer, sides)
    }

    /// How the transfer of that offer ends for that person.
    fn ended(&mut self, side: usize, offer: u64) -> Value {
        self.peers[side].wait_until(|packet| packet["type"] == "ended" && packet["offer"] == offer)
    }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// The places of two people: at the server that leads, and at others.
fn places(cluster: &Cluster) -> [[u8; 2]; 4] {
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    [[leader, leader], [one, one], [leader, one], [one, other]]
}

#[test]
fn bytes_pass_both_ways_wherever_two_people_are() {
    let cluster = Cluster::start(3);
    for [one, other] in places(&cluster) {
        for at in [[one, other], [other, one]] {
            let mut pair = Pair::join(&cluster, at);
            let (_, [mut sender, mut receiver]) = pair.connected();
            // More than all buffers on the way hold.
            let all = bytes(5 << 20);
            let content = all.clone();
            let sends = std::thread::spawn(move || {
                sender.write(&content);
                sender
            });
            assert!(receiver.read(all.len()) == all, "{at:?}: other bytes");
            let mut sender = sends.join().expect("it sends");
            receiver.write(b"\nthanks");
            assert_eq!(sender.read(7), b"\nthanks");
            sender.end();
            assert_eq!(receiver.read_to_end(), (Vec::new(), true));
            receiver.end();
            assert_eq!(sender.read_to_end(), (Vec::new(), true), "{at:?}");
        }
    }
}

#[test]
fn a_side_that_breaks_off_is_named_to_both() {
    let cluster = Cluster::start(3);
    let [_, _, at, _] = places(&cluster);
    for broken in [0, 1] {
        for at in [at, [at[1], at[0]]] {
            let mut pair = Pair::join(&cluster, at);
            let (offer, mut sides) = pair.connected();
            sides[0].write(b"some");
            assert_eq!(sides[1].read(4), b"some");
            let [sender, receiver] = sides;
            let mut rest = if broken == 0 { (receiver, drop(sender)).0 } else { (sender, drop(receiver)).0 };
            for side in [0, 1] {
                let end = pair.ended(side, offer);
                assert_eq!(end["code"], "cut", "{end}");
                assert_eq!(end["msg"], format!("the connection of {} broke", pair.names[broken]), "{at:?}");
            }
            rest.read_to_end();
        }
    }
}

#[test]
fn a_transfer_that_one_side_cancels_ends_for_both() {
    let cluster = Cluster::start(3);
    let [_, _, near, far] = places(&cluster);
    for (at, cancels) in [(near, 0), (near, 1), (far, 0), (far, 1)] {
        let mut pair = Pair::join(&cluster, at);
        let (offer, mut sides) = pair.connected();
        sides[0].write(b"some");
        assert_eq!(sides[1].read(4), b"some");
        pair.peers[cancels].send(json!({"type": "cancel", "offer": offer}));
        let end = pair.ended(1 - cancels, offer);
        assert!(["cancelled", "withdrawn"].contains(&end["code"].as_str().expect("a code")), "{end}");
        sides.iter_mut().for_each(|side| drop(side.read_to_end()));
    }
}

#[test]
fn an_offer_that_is_declined_or_withdrawn_ends_at_the_other_server() {
    let cluster = Cluster::start(2);
    let mut pair = Pair::join(&cluster, [0, 1]);
    let declined = pair.offer();
    let bob = &mut pair.peers[1];
    bob.wait_for("offer");
    bob.send(json!({"type": "decline", "offer": declined}));
    assert_eq!(pair.ended(0, declined)["code"], "declined");
    let withdrawn = pair.offer();
    pair.peers[0].send(json!({"type": "cancel", "offer": withdrawn}));
    assert_eq!(pair.ended(1, withdrawn)["code"], "withdrawn");
}

#[test]
fn a_transfer_of_which_one_side_never_connects_is_refused_to_the_other() {
    let cluster = Cluster::start(2);
    for side in [0, 1] {
        let mut pair = Pair::join(&cluster, [0, 1]);
        let (offer, tokens) = pair.accepted();
        let mut waits = pair.open(side, &tokens[side]);
        pair.peers[1 - side].send(json!({"type": "cancel", "offer": offer}));
        let code = pair.ended(side, offer)["code"].clone();
        let refused = waits.line();
        assert_eq!(refused["type"], "error", "{refused}");
        assert!(
            refused["code"] == code || refused["code"] == "bad_token" || refused["code"] == "cut",
            "{refused}"
        );
        waits.read_to_end();
    }
}

#[test]
fn a_token_admits_its_owner_alone_and_once_at_any_server() {
    let cluster = Cluster::start(3);
    let [_, _, _, at] = places(&cluster);
    let mut pair = Pair::join(&cluster, at);
    let (_, tokens) = pair.accepted();
    let refusal = |mut peer: FilePeer| peer.line()["code"].clone();
    let stranger = Key::new();
    for number in 0..3 {
        let address = cluster.address(number);
        for token in [&tokens[0], &tokens[1], &"0".repeat(32), &String::new()] {
            // The address of all these is that of the holders, whom a key names.
            assert_eq!(refusal(FilePeer::open(address, Some(&stranger), token)), "bad_token");
        }
    }
    let mut sender = pair.open(0, &tokens[0]);
    // That one is at its server, or on its way.
    assert_eq!(refusal(pair.open(0, &tokens[0])), "bad_token");
    let mut receiver = pair.open(1, &tokens[1]);
    sender.go();
    receiver.go();
    assert_eq!(refusal(pair.open(1, &tokens[1])), "bad_token");
    sender.write(b"all");
    assert_eq!(receiver.read(3), b"all");
}

#[test]
fn a_token_works_at_another_server_than_that_of_its_owner_s_session() {
    let cluster = Cluster::start(3);
    let mut pair = Pair::join(&cluster, [0, 1]);
    let (_, tokens) = pair.accepted();
    pair.at = [cluster.address(2), cluster.address(2)];
    let mut sides = [pair.open(0, &tokens[0]), pair.open(1, &tokens[1])];
    sides.iter_mut().for_each(FilePeer::go);
    sides[0].write(b"by the third one");
    assert_eq!(sides[1].read(16), b"by the third one");
}

#[test]
fn the_key_of_the_chat_alone_passes_connections_on_and_only_after_their_owners() {
    let cluster = Cluster::start(2);
    let mut pair = Pair::join(&cluster, [0, 1]);
    let (_, tokens) = pair.accepted();
    let pem = std::fs::read_to_string(cluster.dir_of(0).join(lanchat::server::KEY_FILE)).expect("a key");
    let server = Key::from_pem(&pem);
    let refused = FilePeer::open(cluster.address(1), Some(&server), &tokens[0]).line();
    assert_eq!(refused["code"], "bad_token", "nobody has presented it yet: {refused}");
    let mut sender = pair.open(0, &tokens[0]);
    let refused = FilePeer::open(cluster.address(0), Some(&server), &tokens[0]).line();
    assert_eq!(refused["code"], "bad_token", "the sides do not meet there: {refused}");
    let mut receiver = pair.open(1, &tokens[1]);
    sender.go();
    receiver.go();
}

#[test]
fn more_than_the_servers_pass_on_is_cut() {
    let cluster = Cluster::with(2, |options| {
        if let Some(files) = &mut options.files {
            files.rules.max_bytes = Some(1000);
        }
    });
    let mut pair = Pair::join(&cluster, [0, 1]);
    let (offer, [mut sender, mut receiver]) = pair.connected();
    let sends = std::thread::spawn(move || while sender.try_write(&[b'x'; 65536]).is_ok() {});
    let received = receiver.read_to_end().0.len();
    assert!((1000..4 << 20).contains(&received), "{received}");
    assert_eq!(pair.ended(1, offer)["code"], "file_too_big");
    sends.join().expect("it is cut");
}

#[test]
fn a_transfer_goes_on_when_the_server_that_leads_ends() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    for at in [[one, other]] {
        let mut pair = Pair::join(&cluster, at);
        let waits = offer_sized(&mut pair.peers[0], "all", 7);
        let (running, [mut sender, mut receiver]) = pair.connected();
        let (half, tokens) = pair.accepted();
        sender.write(b"before");
        assert_eq!(receiver.read(6), b"before");
        cluster.stop_server(leader);
        sender.write(b"after");
        assert_eq!(receiver.read(5), b"after");
        for side in [0, 1] {
            let end = pair.ended(side, half);
            assert_eq!(end["code"], "cut", "nobody can use its tokens: {end}");
        }
        assert_eq!(pair.open(0, &tokens[0]).line()["code"], "bad_token");
        // The open offer is as before, and the rules know of the transfer that runs.
        let [alice, bob] = &mut pair.peers;
        let tokens = accept(alice, bob, waits);
        let mut sides = [pair.open(0, &tokens[0]), pair.open(1, &tokens[1])];
        sides.iter_mut().for_each(FilePeer::go);
        pair.peers[0].send(json!({"type": "cancel", "offer": running}));
        assert_eq!(pair.ended(1, running)["code"], "cancelled");
        receiver.read_to_end();
        sides[0].write(b"more");
        assert_eq!(sides[1].read(4), b"more");
        let next = pair.offer();
        assert!(next > half, "no number is used twice: {next}");
    }
}

#[test]
fn the_end_of_the_server_of_one_side_is_the_end_of_the_transfer() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    for (at, ends) in [([one, other], one), ([one, other], other)] {
        let mut pair = Pair::join(&cluster, at);
        let (offer, mut sides) = pair.connected();
        cluster.stop_server(ends);
        let left = usize::from(ends == one);
        let end = pair.ended(left, offer);
        assert!(end["code"] == "cut" || end["code"] == "withdrawn", "{end}");
        sides[left].read_to_end();
        cluster.start_server(ends);
    }
}

#[test]
fn a_server_with_another_key_gets_no_token_and_both_sides_learn_that_the_transfer_ends() {
    let mut cluster = Cluster::start(2);
    let stranger = TestServer::start();
    cluster.addresses[1].port = stranger.address.port();
    cluster.stop_server(0);
    cluster.start_server(0);
    let mut pair = Pair::join(&cluster, [0, 1]);
    let (offer, tokens) = pair.accepted();
    let mut receiver = pair.open(1, &tokens[1]);
    let mut sender = pair.open(0, &tokens[0]);
    let refused = sender.line();
    assert_eq!(refused["code"], "cut", "{refused}");
    assert!(refused["msg"].as_str().is_some_and(|msg| msg.contains("cannot be reached")), "{refused}");
    for side in [0, 1] {
        assert_eq!(pair.ended(side, offer)["code"], "cut");
    }
    assert_eq!(receiver.line()["code"], "cut");
    assert_eq!(stranger.numbers().transfers_refused, 0);
}

#[test]
fn transfers_at_all_servers_count_together_whichever_leads() {
    let mut cluster = Cluster::with(3, |options| {
        if let Some(files) = &mut options.files {
            files.rules.max_transfers = 1;
        }
    });
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let mut pairs = [[one, one], [other, other]].map(|at| Pair::join(&cluster, at));
    let (_, mut sides) = pairs[0].connected();
    let is_refused = |pair: &mut Pair| {
        let offer = pair.offer();
        pair.peers[1].send(json!({"type": "accept", "offer": offer, "id": "a"}));
        let answer = pair.peers[1].wait_until(|packet| packet["id"] == "a");
        assert_eq!(answer["code"], "too_many_transfers", "{answer}");
    };
    is_refused(&mut pairs[1]);
    cluster.stop_server(leader);
    assert_ne!(cluster.leader(), leader);
    is_refused(&mut pairs[1]);
    sides[0].write(b"some");
    assert_eq!(sides[1].read(4), b"some");
}
