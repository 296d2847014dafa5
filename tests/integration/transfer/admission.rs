//! Who gets a connection for a file, and who does not.

use super::Pair;
use crate::support::file_peer::{FilePeer, accept, offer, offer_sized};
use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::soon::until;
use crate::support::tls::Key;
use lanchat::chat::FileRules;
use lanchat::server::FileOptions;
use serde_json::json;

/// The server's reason for closing a connection.
fn refusal(peer: &mut FilePeer) -> String {
    let line = peer.line();
    assert_eq!(line["type"], "error", "{line}");
    assert!(peer.read_to_end().0.is_empty());
    line["code"].as_str().expect("a code").to_owned()
}

#[test]
fn a_token_admits_its_key_once_and_nobody_else() {
    let mut pair = Pair::new();
    let address = pair.server.address;
    let number = offer(&mut pair.alice, "bob");
    let tokens = accept(&mut pair.alice, &mut pair.bob, number);
    let made_up = "0123456789abcdef0123456789abcdef";
    for token in ["", "x", made_up, &format!("{}0", tokens[0])] {
        assert_eq!(refusal(&mut FilePeer::open(address, Some(&pair.keys[0]), token)), "bad_token");
    }
    // Another's token, another's key, and no key at all.
    assert_eq!(refusal(&mut FilePeer::open(address, Some(&pair.keys[0]), &tokens[1])), "bad_token");
    assert_eq!(refusal(&mut FilePeer::open(address, Some(&Key::new()), &tokens[0])), "bad_token");
    assert_eq!(refusal(&mut FilePeer::open(address, None, &tokens[0])), "bad_token");
    let [mut sender, mut receiver] = FilePeer::pair(address, pair.keys(), &tokens);
    assert_eq!(refusal(&mut FilePeer::open(address, Some(&pair.keys[0]), &tokens[0])), "bad_token");
    sender.write(b"x");
    assert_eq!(receiver.read(1), b"x");
    assert_eq!(pair.server.handle.transfers().refused_connections(), 8);
}

#[test]
fn the_first_packet_alone_may_ask_for_a_file() {
    let mut pair = Pair::new();
    pair.alice.send(json!({"type": "hello", "mode": "file", "token": "x", "to": "server", "msg": ""}));
    assert_eq!(pair.alice.wait_for("error")["code"], "bad_packet");
    // The same on a connection without a name.
    let mut peer = Peer::connect_tls(pair.server.address, None);
    peer.send(json!({"type": "ping", "to": "server"}));
    peer.wait_for("pong");
    peer.send(json!({"type": "hello", "mode": "file", "token": "x", "to": "server", "msg": ""}));
    assert_eq!(peer.wait_for("error")["code"], "bad_packet");
}

#[test]
fn nobody_hears_of_a_connection_for_a_file() {
    let mut pair = Pair::new();
    let mut carol = Peer::join(pair.server.address, "carol");
    let number = offer(&mut pair.alice, "bob");
    let tokens = accept(&mut pair.alice, &mut pair.bob, number);
    let sides = FilePeer::pair(pair.server.address, pair.keys(), &tokens);
    assert_eq!(pair.server.handle.users(), 3);
    drop(sides);
    let ended = pair.bob.wait_for("ended");
    assert_eq!(ended["code"], "cut", "{ended}");
    let heard = carol.settle();
    assert!(heard.iter().all(|packet| packet["type"] == "joined"), "{heard:?}");
}

#[test]
fn a_transfer_that_the_rules_end_takes_the_side_that_waits_along() {
    let mut pair = Pair::new();
    let number = offer(&mut pair.alice, "bob");
    let [sends, receives] = accept(&mut pair.alice, &mut pair.bob, number);
    let mut sender = FilePeer::open(pair.server.address, Some(&pair.keys[0]), &sends);
    until(|| (pair.server.handle.transfers().waiting() == 1).then_some(()));
    pair.alice.send(json!({"type": "cancel", "offer": number}));
    assert_eq!(refusal(&mut sender), "cancelled");
    assert_eq!(
        refusal(&mut FilePeer::open(pair.server.address, Some(&pair.keys[1]), &receives)),
        "bad_token"
    );
}

#[test]
fn a_server_without_files_says_so() {
    let mut pair = Pair::with(|options| options.files = None);
    pair.alice.send(json!({"type": "offer", "to": "bob", "file": {"name": "x", "id": "1"}, "id": "o"}));
    let error = pair.alice.wait_for("error");
    assert_eq!((error["code"].as_str(), error["id"].as_str()), (Some("no_files"), Some("o")), "{error}");
    let token = "0123456789abcdef0123456789abcdef";
    assert_eq!(refusal(&mut FilePeer::open(pair.server.address, Some(&pair.keys[0]), token)), "no_files");
}

#[test]
fn more_than_the_server_passes_on_is_refused_when_offered_and_ends_when_sent() {
    let rules = FileRules { max_transfers: 1, max_bytes: Some(1_000_000) };
    let mut pair = Pair::with(|options| options.files = Some(FileOptions { rules, rate: None }));
    let file = json!({"name": "x", "size": 1_000_001, "id": "1"});
    pair.alice.send(json!({"type": "offer", "to": "bob", "file": file}));
    let error = pair.alice.wait_for("error");
    assert_eq!(error["code"], "file_too_big", "{error}");
    let number = offer_sized(&mut pair.alice, "bob", 1_000_000);
    let tokens = accept(&mut pair.alice, &mut pair.bob, number);
    let [mut sender, mut receiver] = FilePeer::pair(pair.server.address, pair.keys(), &tokens);
    let reading = std::thread::spawn(move || receiver.read_to_end().0.len());
    sender.write(&[1; 1_000_000]);
    while sender.try_write(&[1; 65536]).is_ok() {}
    assert!((1_000_000..2_000_000).contains(&reading.join().expect("the reader")));
    for peer in [&mut pair.alice, &mut pair.bob] {
        assert_eq!(peer.wait_for("ended")["code"], "file_too_big");
    }
}

#[test]
fn a_full_server_refuses_further_transfers() {
    let rules = FileRules { max_transfers: 1, max_bytes: None };
    let mut pair = Pair::with(|options| options.files = Some(FileOptions { rules, rate: None }));
    let (first, second) = (offer(&mut pair.alice, "bob"), offer(&mut pair.alice, "bob"));
    accept(&mut pair.alice, &mut pair.bob, first);
    pair.bob.send(json!({"type": "accept", "offer": second}));
    let error = pair.bob.wait_for("error");
    assert_eq!(error["code"], "too_many_transfers", "{error}");
    pair.bob.send(json!({"type": "cancel", "offer": first}));
    pair.bob.wait_for("ended");
    accept(&mut pair.alice, &mut pair.bob, second);
}

#[test]
fn a_rate_holds_for_all_transfers_together() {
    let files = FileOptions { rate: Some(2 << 20), ..FileOptions::default() };
    let mut pair = Pair::with(|options| options.files = Some(files));
    let begun = std::time::Instant::now();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let number = offer(&mut pair.alice, "bob");
            let tokens = accept(&mut pair.alice, &mut pair.bob, number);
            let [mut sender, mut receiver] = FilePeer::pair(pair.server.address, pair.keys(), &tokens);
            std::thread::spawn(move || {
                let reading = std::thread::spawn(move || receiver.read(1 << 20));
                sender.write(&vec![1; 1 << 20]);
                reading.join().expect("the reader");
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a transfer"));
    // 2 MiB, less the burst.
    assert!(begun.elapsed().as_secs_f32() > 0.6, "{:?}", begun.elapsed());
}

#[test]
fn on_a_closed_server_only_a_members_key_gets_in() {
    let server = TestServer::with(|options| {
        let passphrase = lanchat::security::Passphrase::new("a long enough secret").expect("a passphrase");
        options.access = lanchat::server::JoinPolicy::Closed(passphrase);
    });
    let token = "0123456789abcdef0123456789abcdef";
    let mut stranger = FilePeer::open(server.address, Some(&Key::new()), token);
    assert_eq!(refusal(&mut stranger), "bad_token");
    let mut plain = FilePeer::open(server.address, None, token);
    assert_eq!(refusal(&mut plain), "key_required");
}
