//! The replaced system's stress test: 50 clients chat at random while others join and leave.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

const CLIENTS: usize = 50;
const MESSAGES: usize = 40;

/// What a client heard: own messages by their receipts, others' as they came.
fn chat_along(server: &TestServer, n: usize, start: &Arc<Barrier>) -> thread::JoinHandle<Vec<(u64, String)>> {
    let mut peer = Peer::join(server.address, &format!("client{n:02}"));
    let start = Arc::clone(start);
    thread::spawn(move || {
        start.wait();
        let mut heard = Vec::new();
        let mut sent = 0;
        // A cheap generator of its own for each client, so that a failure can be repeated.
        let mut dice = n as u64 * 2_654_435_761 + 1;
        while heard.len() < CLIENTS * MESSAGES {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if sent < MESSAGES && dice >> 62 == 0 {
                peer.send(json!({"to": "all", "msg": format!("{n}:{sent}"), "id": format!("{n}:{sent}")}));
                sent += 1;
            } else if sent < MESSAGES && heard.is_empty() && dice >> 61 == 1 {
                peer.send(json!({"type": "users"}));
            } else if sent == MESSAGES || dice >> 63 == 1 {
                let packet = peer.next();
                let text = match packet["type"].as_str() {
                    Some("chat") => &packet["msg"],
                    Some("sent") => &packet["id"],
                    _ => continue,
                };
                heard
                    .push((packet["seq"].as_u64().expect("a number"), text.as_str().expect("a text").into()));
            }
        }
        heard
    })
}

#[test]
fn every_message_of_fifty_clients_reaches_all_exactly_once_in_one_order() {
    let server = TestServer::start();
    let start = Arc::new(Barrier::new(CLIENTS));
    let clients: Vec<_> = (0..CLIENTS).map(|n| chat_along(&server, n, &start)).collect();
    let done = Arc::new(AtomicBool::new(false));
    let comers: Vec<_> = (0..4)
        .map(|n| {
            let (done, address) = (Arc::clone(&done), server.address);
            thread::spawn(move || {
                let mut rounds = 0;
                while !done.load(Ordering::Relaxed) {
                    let mut peer = Peer::join(address, &format!("comer{n}-{rounds}"));
                    peer.settle();
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    let heard: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
    done.store(true, Ordering::Relaxed);
    let rounds: usize = comers.into_iter().map(|comer| comer.join().expect("a comer")).sum();
    assert!(rounds > 3, "joins and leaves went on meanwhile: {rounds}");

    let mut expected: Vec<String> =
        (0..CLIENTS).flat_map(|n| (0..MESSAGES).map(move |m| format!("{n}:{m}"))).collect();
    expected.sort_unstable();
    let mut texts: Vec<String> = heard[0].iter().map(|(_, text)| text.clone()).collect();
    texts.sort_unstable();
    assert_eq!(texts, expected, "each message exactly once");
    assert!(heard[0].is_sorted_by(|one, other| one.0 < other.0), "in the order of the numbers");
    for others in &heard[1..] {
        assert_eq!(others, &heard[0], "the same order for all");
    }
}

/// Where the n-th message of a sender goes.
const PLACES: [&str; 3] = ["all", "#one", "#two"];

/// Joins rooms, says so much, and returns what it heard: own messages by their receipts.
fn listen(server: &TestServer, name: &str, rooms: &[&str], says: usize, start: &Arc<Barrier>) -> Hearing {
    let mut peer = Peer::join(server.address, name);
    for room in rooms {
        peer.send(json!({"type": "join", "room": room}));
        peer.settle();
    }
    let (name, start) = (name.to_owned(), Arc::clone(start));
    let hears = |place: &str| place == "all" || rooms.contains(&place);
    let expected = SAYING * (0..MESSAGES).filter(|n| hears(PLACES[n % PLACES.len()])).count();
    thread::spawn(move || {
        start.wait();
        for n in 0..says {
            let text = format!("{name}:{n}");
            peer.send(json!({"to": PLACES[n % PLACES.len()], "msg": text, "id": text}));
        }
        let mut heard = Vec::new();
        while heard.len() < expected {
            let packet = peer.next();
            let text = match packet["type"].as_str() {
                Some("chat") => &packet["msg"],
                Some("sent") => &packet["id"],
                _ => continue,
            };
            heard.push((packet["seq"].as_u64().expect("a number"), text.as_str().expect("a text").into()));
        }
        heard
    })
}

type Hearing = thread::JoinHandle<Vec<(u64, String)>>;

/// Clients that write to all places.
const SAYING: usize = 4;

#[test]
fn lobby_and_rooms_with_common_members_have_one_order_for_everyone() {
    let server = TestServer::start();
    let rooms = [&[][..], &["#one"], &["#two"], &["#one", "#two"]];
    let start = Arc::new(Barrier::new(SAYING + 5 * rooms.len()));
    let saying = (0..SAYING).map(|n| listen(&server, &format!("say{n}"), rooms[3], MESSAGES, &start));
    let mut clients: Vec<_> = saying.collect();
    for n in 0..5 * rooms.len() {
        clients.push(listen(&server, &format!("hear{n}"), rooms[n % rooms.len()], 0, &start));
    }
    let heard: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
    assert_eq!(heard[0].len(), SAYING * MESSAGES);
    for (n, heard_by_one) in heard.iter().enumerate() {
        assert!(
            heard_by_one.is_sorted_by(|one, next| one.0 < next.0),
            "client {n} heard them in order, once"
        );
        assert!(heard_by_one.iter().all(|message| heard[0].contains(message)), "client {n} heard the same");
    }
}
