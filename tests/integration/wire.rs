//! Requests and their answers over a raw socket; bad input gets its error and harms no one else.

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::tls::Key;
use serde_json::{Value, json};
use std::time::Duration;

fn code(packet: &Value) -> &str {
    packet["code"].as_str().unwrap_or("")
}

#[test]
fn a_hello_is_welcomed_with_what_a_client_needs() {
    let server = TestServer::with(|options| options.motd = "be kind".into());
    let mut peer = Peer::connect(server.address);
    let welcome = peer.hello(json!({"from": {"name": "alice"}, "id": "h1"}));
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["id"], "h1");
    assert_eq!(welcome["name"], "alice");
    assert_eq!(welcome["ip"], "127.0.0.1");
    assert_eq!(welcome["server"]["id"], server.id.as_str());
    assert_eq!(welcome["server"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(welcome["limits"]["frame_bytes"], 65536);
    assert_eq!(welcome["total"], 1);
    assert!(welcome["msg"].as_str().unwrap().contains("be kind"));
}

#[test]
fn a_chat_reaches_all_but_its_sender_who_gets_a_receipt() {
    let server = TestServer::start();
    let (mut alice, mut bob) = (Peer::join(server.address, "alice"), Peer::join(server.address, "bob"));
    alice.send(json!({"type": "chat", "to": "all", "msg": "hi", "id": "7"}));
    let chat = bob.wait_for("chat");
    assert_eq!(chat["from"], json!({"name": "alice", "ip": "127.0.0.1"}));
    assert_eq!((&chat["to"], &chat["msg"]), (&json!("all"), &json!("hi")));
    let sent = alice.wait_for("sent");
    assert_eq!((&sent["id"], &sent["seq"], &sent["ts"]), (&json!("7"), &chat["seq"], &chat["ts"]));
    assert!(alice.settle().iter().all(|packet| packet["type"] != "chat"));
}

#[test]
fn the_server_writes_the_sender_itself() {
    let server = TestServer::start();
    let (mut mallory, mut bob) = (Peer::join(server.address, "mallory"), Peer::join(server.address, "bob"));
    mallory.send(json!({"from": {"name": "alice", "ip": "10.9.9.9"}, "to": "bob", "msg": "trust me"}));
    assert_eq!(bob.wait_for("chat")["from"], json!({"name": "mallory", "ip": "127.0.0.1"}));
}

#[test]
fn a_direct_message_goes_to_its_user_alone() {
    let server = TestServer::start();
    let mut peers: Vec<Peer> = ["alice", "bob", "eve"].map(|name| Peer::join(server.address, name)).into();
    peers[0].say("BOB", "psst");
    let chat = peers[1].wait_for("chat");
    assert_eq!((&chat["to"], &chat["msg"]), (&json!("bob"), &json!("psst")));
    assert!(peers[2].settle().iter().all(|packet| packet["type"] != "chat"));
}

#[test]
fn an_address_reaches_everybody_connected_from_it() {
    let server = TestServer::start();
    let mut peers: Vec<Peer> = ["alice", "bob", "eve"].map(|name| Peer::join(server.address, name)).into();
    peers[0].say("127.0.0.1", "to the room");
    assert_eq!(peers[1].text(), "to the room");
    assert_eq!(peers[2].wait_for("chat")["to"], "127.0.0.1");
    peers[0].say("10.1.2.3", "nobody");
    assert_eq!(code(&peers[0].wait_for("error")), "no_such_user");
}

#[test]
fn users_time_and_whois_are_answered_typed_and_in_words() {
    let server = TestServer::start();
    let (mut alice, _bob) = (Peer::join(server.address, "alice"), Peer::join(server.address, "Bob"));
    for request in [json!({"type": "users", "id": "u"}), json!({"to": "server", "msg": "/who", "id": "u"})] {
        alice.send(request);
        let users = alice.wait_for("users");
        let names: Vec<_> = users["users"].as_array().unwrap().iter().map(|user| &user["name"]).collect();
        assert_eq!(names, ["alice", "Bob"]);
        assert_eq!((&users["total"], &users["id"]), (&json!(2), &json!("u")));
        assert_eq!(users["msg"], "2 users: alice, Bob");
    }
    for request in [json!({"type": "time"}), json!({"to": "server", "msg": "/time"})] {
        alice.send(request);
        let time = alice.wait_for("time");
        assert!(time["ts"].as_str().unwrap().ends_with('Z'), "{time}");
        assert!(time["time"].as_str().unwrap().len() >= 25, "{time}");
    }
    for request in [json!({"type": "whois", "name": "bob"}), json!({"to": "server", "msg": "/whois BOB"})] {
        alice.send(request);
        let user = alice.wait_for("whois")["user"].clone();
        assert_eq!(
            (&user["name"], &user["ip"], &user["sessions"]),
            (&json!("Bob"), &json!("127.0.0.1"), &json!(1))
        );
    }
}

#[test]
fn a_name_change_is_told_to_all_and_the_old_name_is_free() {
    let server = TestServer::start();
    let (mut alice, mut bob) = (Peer::join(server.address, "alice"), Peer::join(server.address, "bob"));
    alice.send(json!({"type": "nick", "name": "alicia", "id": "n"}));
    assert_eq!(alice.wait_for("renamed")["id"], "n");
    let renamed = bob.wait_for("renamed");
    assert_eq!((&renamed["old"], &renamed["name"]), (&json!("alice"), &json!("alicia")));
    let _other = Peer::join(server.address, "alice");
    bob.send(json!({"type": "nick", "name": "ALICIA", "id": "x"}));
    let error = bob.wait_for("error");
    assert_eq!((code(&error), &error["id"], &error["name"]), ("name_taken", &json!("x"), &json!("ALICIA-2")));
}

#[test]
fn an_alert_reaches_everybody_and_only_operators_raise_it() {
    let server = TestServer::start();
    let mut alice = Peer::join_with(server.address, "alice", &Key::new());
    let mut bob = Peer::join(server.address, "bob");
    for peer in [&mut alice, &mut bob] {
        peer.send(json!({"to": "server", "msg": "/alert not yet"}));
        assert_eq!(code(&peer.wait_for("error")), "not_allowed");
    }
    server.op("alice");
    alice.send(json!({"to": "server", "msg": "/alert the printer burns"}));
    for peer in [&mut alice, &mut bob] {
        let alert = peer.wait_for("alert");
        assert_eq!((&alert["from"]["name"], &alert["by"]), (&json!("server"), &json!("alice")));
        assert_eq!(alert["msg"], "the printer burns");
    }
}

#[test]
fn a_kick_ends_all_connections_of_a_user_and_says_why() {
    let server = TestServer::start();
    let mut alice = Peer::join_with(server.address, "alice", &Key::new());
    server.op("alice");
    let mut bob = Peer::join(server.address, "bob");
    alice.sees_join("bob");
    alice.send(json!({"to": "server", "msg": "/kick bob too loud"}));
    assert_eq!(alice.wait_for("notice")["msg"], "bob was disconnected: too loud");
    let last = bob.read_to_end().pop().unwrap();
    assert_eq!((&last["type"], code(&last)), (&json!("bye"), "kicked"));
    assert_eq!(last["msg"], "you were disconnected by alice: too loud");
    assert_eq!(alice.wait_for("left")["names"], json!(["bob"]));
}

#[test]
fn a_ping_is_answered_before_a_hello_and_registers_nobody() {
    let server = TestServer::start();
    let mut peer = Peer::connect(server.address);
    peer.send(json!({"type": "ping", "id": "p"}));
    let pong = peer.next();
    assert_eq!((&pong["type"], &pong["id"], &pong["total"]), (&json!("pong"), &json!("p"), &json!(0)));
    assert_eq!(pong["server"]["id"], server.id.as_str());
    assert_eq!(peer.hello(json!({"from": {"name": "alice"}}))["type"], "welcome");
}

#[test]
fn a_server_without_multicast_says_so_before_a_hello_and_after_it() {
    let server = TestServer::start();
    let mut peer = Peer::connect(server.address);
    let test = |token: &str| json!({"type": "multicast", "token": token, "id": "m"});
    peer.send(test("0123456789abcdef"));
    let answer = peer.next();
    assert_eq!((code(&answer), &answer["id"]), ("no_multicast", &json!("m")));
    assert_eq!(peer.hello(json!({"from": {"name": "alice"}}))["type"], "welcome");
    peer.send(test("0123456789abcdef"));
    assert_eq!(code(&peer.wait_for("error")), "no_multicast");
    for token in ["", "0123456789ABCDEF", "224.0.0.251:5353", "0123456789abcdef0"] {
        peer.send(test(token));
        assert_eq!(code(&peer.wait_for("error")), "bad_packet", "{token}");
    }
}

#[test]
fn a_direct_message_and_an_alert_come_after_their_senders_joined_too() {
    let server = TestServer::start();
    let key = Key::new();
    let mut alice = Peer::join(server.address, "alice");
    let operator = Peer::join_with(server.address, "eve", &key);
    server.op("eve");
    alice.sees_join("eve");
    drop(operator);
    alice.wait_for("left");
    for (name, packet) in [
        ("bob", json!({"from": {"name": "bob"}, "to": "alice", "msg": "psst"})),
        ("eve", json!({"from": {"name": "eve"}, "type": "alert", "msg": "fire"})),
    ] {
        let mut peer = Peer::connect_tls(server.address, Some(&key));
        peer.send(packet);
        peer.wait_for("welcome");
        alice.sees_join(name);
        let kind = alice.next()["type"].clone();
        assert!(kind == "chat" || kind == "alert", "{kind}");
        drop(peer);
    }
}

#[test]
fn members_that_only_the_server_writes_do_no_harm() {
    let server = TestServer::start();
    let mut peer = Peer::connect(server.address);
    peer.send(
        json!({"from": {"name": "odd", "ip": null}, "to": "all", "msg": "hi", "time": 17, "users": "x"}),
    );
    assert_eq!(peer.next()["type"], "welcome");
}

#[test]
fn joins_and_leaves_are_gathered_and_a_voice_is_never_heard_before_its_owner_came() {
    let server = TestServer::start();
    let mut alice = Peer::join(server.address, "alice");
    let mut bob = Peer::join(server.address, "bob");
    bob.say("all", "here I am");
    let first =
        alice.wait_until(|packet| packet["type"] == "joined" && packet["names"].to_string().contains("bob"));
    assert_eq!(first["total"], 2);
    assert_eq!(alice.text(), "here I am");
    drop(bob);
    let left = alice.wait_for("left");
    assert_eq!((&left["names"], &left["count"], &left["total"]), (&json!(["bob"]), &json!(1), &json!(1)));
}

#[test]
fn every_refusal_has_the_id_of_what_it_refuses() {
    let server = TestServer::start();
    let long = "x".repeat(300);
    let hello = |members: Value| {
        let mut hello = json!({"type": "hello", "from": {"name": "dora"}, "id": "w"});
        hello.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        hello
    };
    let hellos = [
        json!({"logs": 7}),
        json!({"logs": [{"log": "a", "last": "7"}]}),
        json!({"logs": [{"log": long, "last": 7}]}),
        json!({"since": [1]}),
        json!({"since": 1.5}),
        json!({"since": "yesterday"}),
        json!({"log": {}}),
        json!({"v": "1"}),
        json!({"mode": "loud"}),
        json!({"token": 5}),
        json!({"from": "dora"}),
        json!({"from": {"name": ["dora"]}}),
        json!({"from": {"name": "two words"}}),
        json!({"type": "dance"}),
    ];
    for members in hellos {
        let mut peer = Peer::connect(server.address);
        let refusal = peer.hello(hello(members.clone()));
        assert_eq!(
            (&refusal["type"], &refusal["id"]),
            (&json!("error"), &json!("w")),
            "{members}: {refusal}"
        );
    }
    let mut alice = Peer::join(server.address, "alice");
    let packets = [
        json!({"to": 7, "msg": "hi"}),
        json!({"to": "all", "msg": {"a": 1}}),
        json!({"to": "all", "msg": "hi", "action": "yes"}),
        json!({"type": ["chat"]}),
        json!({"type": "history", "limit": "many"}),
        json!({"type": "history", "before": -1}),
        json!({"type": "received", "seq": 1.5}),
        json!({"type": "search", "msg": "tea", "until": 7}),
        json!({"type": "join", "room": true}),
        json!({"type": "topic", "room": "#a", "topic": 1}),
        json!({"type": "mute", "name": {}, "duration": 1}),
        json!({"to": "nobody", "msg": "hi"}),
        json!({"to": "all", "msg": ""}),
    ];
    for (n, mut packet) in packets.into_iter().enumerate() {
        packet["id"] = json!(format!("p{n}"));
        alice.send(packet.clone());
        let refusal = alice.wait_for("error");
        assert_eq!(refusal["id"], packet["id"], "{packet}: {refusal}");
        // So that there are never five in a row that are no packets.
        alice.send(json!({"type": "ping"}));
        alice.wait_for("pong");
    }
    alice.send(json!({"type": "history", "limit": 5.0, "before": 7.0, "id": "whole"}));
    assert_ne!(alice.wait_until(|packet| packet["id"] == "whole")["code"], "bad_packet");
    let mut peer = Peer::connect(server.address);
    let refusal = peer.hello(hello(json!({"logs": [{"log": long, "last": 7}]})));
    let msg = refusal["msg"].as_str().unwrap();
    assert!(msg.starts_with("a \"log\" of \"logs\" has 300 bytes, but the limit is 256"), "{msg}");
}

#[test]
fn bad_input_of_every_kind_gets_its_error_and_harms_no_one() {
    let server = TestServer::start();
    let mut bystander = Peer::join(server.address, "bystander");
    let mut peer = Peer::join(server.address, "mallory");
    let long = "x".repeat(10_001);
    for (sent, expected) in [
        ("hello?", "bad_packet"),
        ("{\"to\":\"all\",\"msg\":", "bad_packet"),
        ("{\"to\":\"all\",\"msg\":5}", "bad_packet"),
        ("{\"to\":\"all\" \"msg\":\"x\"}", "bad_packet"),
        ("[1,2]", "bad_packet"),
        ("{\"msg\":\"to nobody\"}", "bad_packet"),
        ("{\"to\":\"all\",\"msg\":\"  \"}", "bad_packet"),
        ("{\"type\":\"dance\"}", "unknown_type"),
        ("{\"type\":\"hello\",\"from\":{\"name\":\"again\"}}", "bad_packet"),
        ("{\"to\":\"server\",\"msg\":\"hello\"}", "bad_command"),
        ("{\"to\":\"server\",\"msg\":\"/frobnicate\"}", "bad_command"),
        ("{\"to\":\"server\",\"msg\":\"/msg bob\"}", "bad_command"),
        ("{\"to\":\"nobody\",\"msg\":\"x\"}", "no_such_user"),
        ("{\"to\":\"#games\",\"msg\":\"x\"}", "no_such_room"),
        ("{\"type\":\"nick\",\"name\":\"two words\"}", "bad_name"),
        ("{\"type\":\"nick\",\"name\":\"bystander\"}", "name_taken"),
        ("{\"type\":\"whois\",\"name\":\"\\u001b[2J\"}", "no_such_user"),
    ] {
        peer.send_raw(format!("{sent}\n").as_bytes());
        let error = peer.wait_for("error");
        assert_eq!(code(&error), expected, "{sent} -> {error}");
        assert!(error["msg"].as_str().unwrap().len() > 10, "{error}");
        // A packet in between: five slips in a row would end the connection.
        peer.settle();
    }
    let longest_word = "\u{1}".repeat(256);
    for (sent, expected) in [
        (json!({"to": "all", "msg": long}), "too_long"),
        (json!({"type": "ping", "id": "x".repeat(65)}), "too_long"),
        (json!({"to": "x".repeat(60_000), "msg": "x"}), "too_long"),
        (json!({"type": "whois", "name": "x".repeat(60_000)}), "too_long"),
        (json!({"to": longest_word, "msg": "x"}), "no_such_user"),
        (json!({"type": longest_word}), "unknown_type"),
        (json!({"to": "all", "msg": {"\u{1}": "\u{1}".repeat(9000)}}), "bad_packet"),
    ] {
        peer.send(sent);
        assert_eq!(code(&peer.wait_for("error")), expected);
    }
    peer.send_raw(b"{\"to\":\"all\",\"msg\":\"\xff\xfe\"}\n");
    assert_eq!(code(&peer.wait_for("error")), "bad_packet");
    peer.say("all", "still here");
    assert_eq!(bystander.text(), "still here");
}

#[test]
fn five_lines_in_a_row_that_are_no_packets_end_the_connection() {
    let server = TestServer::start();
    let mut peer = Peer::connect(server.address);
    peer.send_raw(b"{oops\r\nHost: x\r\nAccept: */*\r\nA: b\r\nC: d\r\n\r\n");
    let packets = peer.read_to_end();
    assert_eq!(packets.len(), 6, "{packets:?}");
    assert!(packets.iter().all(|packet| code(packet) == "bad_packet"));
}

#[test]
fn a_frame_over_the_bound_ends_the_connection_with_its_error() {
    let server = TestServer::start();
    let mut peer = Peer::join(server.address, "mallory");
    peer.send_raw(format!("{{\"to\":\"all\",\"msg\":\"{}\"}}\n", "x".repeat(70_000)).as_bytes());
    let last = peer.read_to_end().pop().unwrap();
    assert_eq!(code(&last), "too_long");
}

#[test]
fn who_sends_no_first_packet_in_time_is_told_and_closed_and_others_stay() {
    let server = TestServer::with(|options| options.registration = Duration::from_millis(300));
    let mut member = Peer::join(server.address, "member");
    let mut silent = Peer::connect(server.address);
    let mut half = Peer::connect(server.address);
    half.send_raw(b"{\"from\":{\"name\":");
    assert_eq!(code(&silent.read_to_end().pop().unwrap()), "handshake_timeout");
    assert_eq!(code(&half.read_to_end().pop().unwrap()), "handshake_timeout");
    member.settle();
    assert_eq!(server.handle.connections(), 1);
}

#[test]
fn a_full_server_says_so_and_takes_the_next_when_there_is_room() {
    let server = TestServer::with(|options| options.max_clients = Some(2));
    let first = Peer::join(server.address, "one");
    let mut second = Peer::join(server.address, "two");
    let mut third = Peer::connect(server.address);
    assert_eq!(code(&third.hello(json!({"from": {"name": "three"}}))), "server_full");
    assert_eq!(code(&Peer::connect(server.address).read_to_end().pop().unwrap()), "server_full");
    second.sees_join("one");
    drop(first);
    second.wait_for("left");
    Peer::join(server.address, "three");
}

#[test]
fn a_shutdown_says_bye_to_all_and_ends_at_once() {
    let mut server = TestServer::start();
    let mut peers: Vec<Peer> = (0..20).map(|n| Peer::join(server.address, &format!("p{n}"))).collect();
    let readers: Vec<_> = peers
        .drain(..)
        .map(|mut peer| std::thread::spawn(move || peer.read_to_end().pop().expect("a last packet")))
        .collect();
    server.stop();
    for reader in readers {
        let last = reader.join().unwrap();
        assert_eq!((&last["type"], code(&last)), (&json!("bye"), "shutting_down"));
    }
}

#[test]
fn a_pipe_that_closes_its_sending_half_still_gets_its_answers() {
    let server = TestServer::start();
    let mut peer = Peer::connect(server.address);
    peer.send_raw(b"{\"from\":{\"name\":\"cron\"},\"to\":\"server\",\"msg\":\"/time\"}\n");
    peer.close_sending();
    let kinds: Vec<Value> = peer.read_to_end().into_iter().map(|packet| packet["type"].clone()).collect();
    assert_eq!(kinds, ["welcome", "time"]);
}

#[test]
fn a_long_list_of_users_comes_in_pages_that_leave_nobody_out() {
    let server = TestServer::start();
    // JSON doubles each backslash, and a name stands twice in a page.
    let name = |n: usize| format!("{}{n:03}", "\\".repeat(29));
    let mut peers: Vec<Peer> = (0..520).map(|_| Peer::connect(server.address)).collect();
    for (n, peer) in peers.iter_mut().enumerate() {
        peer.send(json!({"type": "hello", "from": {"name": name(n)}, "to": "server"}));
    }
    for peer in &mut peers {
        peer.wait_for("welcome");
    }
    let mut names: Vec<String> = Vec::new();
    let mut after = Value::Null;
    loop {
        peers[0].send(json!({"type": "users", "after": after}));
        let page = peers[0].wait_for("users");
        assert_eq!(page["total"], 520);
        names.extend(
            page["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().into()),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(names, (0..520).map(name).collect::<Vec<_>>());
}
