//! Users who ask for what is not theirs, and who ask without end.

use super::Pair;
use crate::support::file_peer::{FilePeer, accept, offer};
use crate::support::one_node;
use crate::support::peer::Peer;
use crate::support::soon::until;
use crate::support::tls::Key;
use lanchat::limits::{MAX_OFFERS_PER_USER, MAX_TRANSFERS_PER_USER};
use serde_json::{Value, json};

/// The code of the answer to a request; of an answer without one, its type.
fn answer(peer: &mut Peer, mut request: Value) -> String {
    request["id"] = json!("ask");
    peer.send(request);
    let answer = peer.wait_until(|packet| packet["id"] == "ask");
    answer["code"].as_str().or(answer["type"].as_str()).unwrap().to_owned()
}

fn file() -> Value {
    json!({"name": "plan.pdf", "size": 12, "id": "c"})
}

#[test]
fn nobody_acts_on_an_offer_that_is_not_theirs() {
    let mut pair = Pair::new();
    let mut eve = Peer::join_with(pair.server.address, "eve", &Key::new());
    let number = offer(&mut pair.alice, "bob");
    pair.bob.wait_for("offer");
    let ask = |kind: &str, offer: Value| json!({"type": kind, "offer": offer});
    for (what, request, code) in [
        ("what was never offered", ask("accept", json!(number + 1)), "no_such_offer"),
        ("the biggest number", ask("accept", json!(u64::MAX)), "no_such_offer"),
        ("the number of no offer", ask("accept", json!(0)), "no_such_offer"),
        ("a negative number", ask("accept", json!(-1)), "bad_packet"),
        ("no number", json!({"type": "accept"}), "bad_packet"),
        ("another's offer", ask("accept", json!(number)), "no_such_offer"),
        ("another's offer", ask("decline", json!(number)), "no_such_offer"),
        ("another's offer", ask("cancel", json!(number)), "no_such_offer"),
        ("another's transfer", json!({"type": "cancel", "offer": number, "name": "bob"}), "no_such_offer"),
    ] {
        assert_eq!(answer(&mut eve, request), code, "{what}");
    }
    for kind in ["accept", "decline"] {
        assert_eq!(answer(&mut pair.alice, ask(kind, json!(number))), "no_such_offer", "one's own: {kind}");
    }
    assert_eq!(answer(&mut pair.bob, ask("cancel", json!(number))), "no_such_offer");
    // Nobody heard of any of it, and the offer is still bob's.
    assert!(pair.bob.settle().iter().all(|packet| packet["type"] == "joined"));
    accept(&mut pair.alice, &mut pair.bob, number);
    assert_eq!(answer(&mut eve, json!({"type": "cancel", "offer": number, "name": "bob"})), "no_such_offer");
    assert_eq!(answer(&mut pair.bob, ask("accept", json!(number))), "taken");
}

#[test]
fn a_token_ends_with_its_offer() {
    for request in [
        |offer| ("alice", json!({"type": "cancel", "offer": offer})),
        |offer| ("alice", json!({"type": "cancel", "offer": offer, "name": "bob"})),
        |offer| ("bob", json!({"type": "cancel", "offer": offer})),
        |offer| ("bob", json!({"type": "decline", "offer": offer})),
    ] {
        let mut pair = Pair::new();
        let number = offer(&mut pair.alice, "bob");
        let tokens = accept(&mut pair.alice, &mut pair.bob, number);
        let (who, request) = request(number);
        let peer = if who == "alice" { &mut pair.alice } else { &mut pair.bob };
        peer.send(request.clone());
        peer.settle();
        for (key, token) in pair.keys.iter().zip(&tokens) {
            let mut late = FilePeer::open(pair.server.address, Some(key), token);
            assert_eq!(late.line()["code"], "bad_token", "{who}: {request}");
        }
    }
    let mut pair = Pair::new();
    let number = offer(&mut pair.alice, "bob");
    let tokens = accept(&mut pair.alice, &mut pair.bob, number);
    drop(pair.alice);
    pair.bob.wait_until(|packet| packet["code"] == "withdrawn");
    let mut late = FilePeer::open(pair.server.address, Some(&pair.keys[1]), &tokens[1]);
    assert_eq!(late.line()["code"], "bad_token", "the sender has left");
}

#[test]
fn guessing_tokens_takes_no_transfer_and_the_sides_still_meet() {
    // A server with a log writes to its disk at each guess, and the sides have 20 seconds to meet.
    let guesses: u64 = if one_node::has_logs() { 60 } else { 300 };
    let mut pair = Pair::new();
    let number = offer(&mut pair.alice, "bob");
    let tokens = accept(&mut pair.alice, &mut pair.bob, number);
    let eve = Key::new();
    for n in 0..guesses as usize {
        // The right one, but for one digit.
        let mut guess = tokens[n % 2].clone().into_bytes();
        guess[n % 32] = if guess[n % 32] == b'0' { b'1' } else { b'0' };
        let guess = String::from_utf8(guess).unwrap();
        let key = [Some(&eve), Some(&pair.keys[0]), None][n % 3];
        assert_eq!(FilePeer::open(pair.server.address, key, &guess).line()["code"], "bad_token");
    }
    let [mut sender, mut receiver] = FilePeer::pair(pair.server.address, pair.keys(), &tokens);
    sender.write(b"plan");
    assert_eq!(receiver.read(4), b"plan");
    assert_eq!(pair.server.handle.transfers().refused_connections(), guesses);
}

#[test]
fn offers_without_end_meet_a_limit_and_the_chat_goes_on() {
    let mut pair = Pair::new();
    let request = format!("{}\n", json!({"type": "offer", "to": "bob", "id": "o", "file": file()}));
    let mut answers = (0, 0);
    for _ in 0..100 {
        pair.alice.send_raw(request.repeat(100).as_bytes());
        for _ in 0..100 {
            match pair.alice.wait_until(|packet| packet["id"] == "o")["code"].as_str() {
                None => answers.0 += 1,
                code => answers.1 += usize::from(code == Some("too_many_offers")),
            }
        }
    }
    assert_eq!(answers, (MAX_OFFERS_PER_USER, 10_000 - MAX_OFFERS_PER_USER));
    pair.alice.say("bob", "still here");
    assert_eq!(pair.bob.text(), "still here");
    drop(pair.alice);
    let mut left = 0;
    while left < MAX_OFFERS_PER_USER {
        left += usize::from(pair.bob.wait_for("ended")["code"] == "withdrawn");
    }
    assert_eq!(answer(&mut pair.bob, json!({"type": "offer", "to": "all", "file": file()})), "offered");
}

#[test]
fn offers_that_are_taken_back_at_once_leave_nothing() {
    const ROUNDS: u64 = 2000;
    let mut pair = Pair::new();
    for from in (1..=ROUNDS).step_by(20) {
        let packets = (from..from + 20).map(|n| {
            format!(
                "{}\n{}\n",
                json!({"type": "offer", "to": "bob", "file": file()}),
                json!({"type": "cancel", "offer": n, "id": format!("c{n}")})
            )
        });
        pair.alice.send_raw(packets.collect::<String>().as_bytes());
        let last = format!("c{}", from + 19);
        assert_eq!(pair.alice.wait_until(|packet| packet["id"] == *last)["code"], "withdrawn");
    }
    let (mut offers, mut ends) = (0, 0);
    while ends < ROUNDS {
        let packet = pair.bob.wait_until(|packet| packet["type"] == "offer" || packet["type"] == "ended");
        if packet["type"] == "offer" { offers += 1 } else { ends += 1 }
    }
    assert_eq!(offers, ROUNDS);
    // All places are free again.
    for n in 0..MAX_OFFERS_PER_USER {
        assert_eq!(offer(&mut pair.alice, "bob"), ROUNDS + 1 + n as u64);
    }
}

#[test]
fn accepting_and_breaking_off_without_end_leaves_all_places_free() {
    let mut pair = Pair::new();
    let number = offer(&mut pair.alice, "bob");
    for round in 0..100 {
        let tokens = accept(&mut pair.alice, &mut pair.bob, number);
        match round % 4 {
            0 => drop(FilePeer::pair(pair.server.address, pair.keys(), &tokens)),
            // One side alone.
            side @ (1 | 2) => {
                let key = &pair.keys[side - 1];
                let alone = FilePeer::open(pair.server.address, Some(key), &tokens[side - 1]);
                until(|| (pair.server.handle.transfers().waiting() == 1).then_some(()));
                drop(alone);
                pair.bob.send(json!({"type": "cancel", "offer": number}));
            }
            _ => pair.bob.send(json!({"type": "cancel", "offer": number})),
        }
        pair.bob.wait_for("ended");
        pair.alice.wait_for("ended");
    }
    until(|| (pair.server.handle.transfers().running() == 0).then_some(()));
    assert_eq!(pair.server.handle.transfers().waiting(), 0);
    let offers: Vec<u64> = (0..MAX_TRANSFERS_PER_USER).map(|_| offer(&mut pair.alice, "bob")).collect();
    for number in offers {
        accept(&mut pair.alice, &mut pair.bob, number);
    }
    assert_eq!(answer(&mut pair.bob, json!({"type": "accept", "offer": number})), "too_many_transfers");
}
