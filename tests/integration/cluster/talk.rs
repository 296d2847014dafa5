use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use crate::support::tls::Key;
use serde_json::json;
use std::time::Duration;

#[test]
fn people_at_different_servers_read_each_other_in_one_order() {
    let cluster = Cluster::start(3);
    let mut alice = Peer::join(cluster.address(0), "alice");
    let mut bob = Peer::join(cluster.address(1), "bob");
    let mut carol = Peer::join(cluster.address(2), "carol");
    alice.say("all", "one");
    assert_eq!(bob.text(), "one");
    bob.say("all", "two");
    for peer in [&mut alice, &mut carol] {
        peer.wait_until(|packet| packet["msg"] == "two");
    }
    carol.send(json!({"to": "bob", "msg": "for you alone", "id": "1"}));
    assert_eq!(bob.text(), "for you alone");
    assert_eq!(carol.wait_for("sent")["id"], "1");
    alice.send(json!({"type": "users", "to": "server"}));
    let users = alice.wait_for("users");
    let names: Vec<&str> =
        users["users"].as_array().expect("users").iter().filter_map(|user| user["name"].as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    let nodes: Vec<_> = users["users"].as_array().expect("users").iter().map(|user| &user["nodes"]).collect();
    assert_eq!(nodes, [&json!(["a"]), &json!(["b"]), &json!(["c"])], "{users}");
}

#[test]
fn it_is_known_at_which_servers_somebody_is_whichever_leads() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let key = Key::new();
    let _there = [one, other].map(|number| Peer::join_with(cluster.address(number), "bob", &key));
    let name = |number: u8| char::from(b'a' + number).to_string();
    let mut names = [one, other].map(name);
    names.sort();
    let mut alice = Peer::join(cluster.address(one), "alice");
    for _ in 0..2 {
        alice.send(json!({"type": "whois", "name": "bob"}));
        let whois = alice.wait_for("whois");
        assert_eq!(whois["user"]["nodes"], json!(names), "{whois}");
        let told = format!(", at servers {} and {}, ", names[0], names[1]);
        assert!(whois["msg"].as_str().expect("a text").contains(&told), "{whois}");
        cluster.stop_server(leader);
    }
}

#[test]
fn a_name_is_taken_at_all_servers_and_its_owner_is_known_at_each() {
    let cluster = Cluster::start(2);
    let key = Key::new();
    let _alice = Peer::join_with(cluster.address(0), "alice", &key);
    let refused = Peer::connect(cluster.address(1)).hello(json!({"from": {"name": "alice"}}));
    assert_eq!(refused["code"], "name_taken", "{refused}");
    let _again = Peer::join_with(cluster.address(1), "alice", &key);
}

#[test]
fn what_somebody_missed_comes_from_the_copy_of_their_server() {
    let cluster = Cluster::start(2);
    let key = Key::new();
    let mut bob = Peer::join_with(cluster.address(1), "bob", &key);
    let mut alice = Peer::join(cluster.address(0), "alice");
    alice.send(json!({"to": "all", "msg": "one", "id": "a"}));
    let seq = bob.wait_until(|packet| packet["msg"] == "one")["seq"].as_u64().expect("a number");
    drop(bob);
    for number in 0..300 {
        alice.send(json!({"to": "all", "msg": format!("missed {number}"), "id": format!("m{number}")}));
    }
    alice.wait_until(|packet| packet["type"] == "sent" && packet["id"] == "m299");
    let mut bob = Peer::connect_tls(cluster.address(1), Some(&key));
    bob.hello(json!({"from": {"name": "bob"}, "since": seq}));
    for number in 0..300 {
        assert_eq!(bob.text(), format!("missed {number}"));
    }
    bob.wait_for("history");
    alice.say("all", "live");
    assert_eq!(bob.text(), "live");
}

#[test]
fn the_code_and_the_token_of_any_server_make_an_operator() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    for (number, at) in [(one, other), (leader, one)] {
        let mut alice = Peer::join_with(cluster.address(at), &format!("alice{number}"), &Key::new());
        let code = cluster.server(number).handle.operator_code().to_owned();
        // The server has told the code before anything that its people say.
        let mut bob = Peer::join(cluster.address(number), &format!("bob{number}"));
        bob.send(json!({"type": "users", "to": "server"}));
        bob.wait_for("users");
        alice.send(json!({"type": "op", "name": code}));
        let answer = alice.wait_until(|packet| packet["type"] == "operator" || packet["type"] == "error");
        assert_eq!(answer["operator"], true, "{answer}");
    }
}

#[test]
fn each_server_tells_its_own_name_and_all_addresses_whichever_leads() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let looks = |cluster: &Cluster, number: u8| {
        let own = char::from(b'a' + number).to_string();
        let mut peer = Peer::connect(cluster.address(number));
        peer.send(json!({"type": "ping", "to": "server"}));
        assert_eq!(peer.wait_for("pong")["node"], own);
        let welcome = peer.hello(json!({"from": {"name": format!("at-{own}")}}));
        assert_eq!(welcome["node"], own, "{welcome}");
        let port = &welcome["servers"][usize::from(number)]["port"];
        assert_eq!(*port, cluster.address(number).port(), "{welcome}");
    };
    (0..3).for_each(|number| looks(&cluster, number));
    cluster.stop_server(leader);
    let others = cluster.others(leader);
    for number in others {
        looks(&cluster, number);
    }
}

#[test]
fn pings_of_idle_people_leave_nothing_in_the_log() {
    let cluster = Cluster::start(2);
    let mut people = [0, 1].map(|number| {
        let mut peer = Peer::join(cluster.address(number), &format!("person{number}"));
        peer.send(json!({"to": "all", "msg": "here", "id": "m"}));
        peer.wait_for("sent");
        peer
    });
    let before = cluster.log.records().1.len();
    for number in 0..100 {
        for (peer, node) in people.iter_mut().zip(["a", "b"]) {
            peer.send(json!({"type": "ping", "to": "server", "id": format!("p{number}")}));
            let pong = peer.wait_for("pong");
            assert_eq!((&pong["id"], &pong["node"]), (&json!(format!("p{number}")), &json!(node)), "{pong}");
        }
    }
    let more = cluster.log.records().1.len() - before;
    assert!(more < 20, "{more} records for 200 pings");
}

#[test]
fn a_ping_is_answered_after_what_was_said_before_it() {
    let cluster = Cluster::start(2);
    let mut peer = Peer::join(cluster.address(1), "alice");
    for number in 0..50 {
        peer.send(json!({"to": "all", "msg": format!("{number}"), "id": format!("m{number}")}));
        peer.send(json!({"type": "ping", "to": "server", "id": format!("p{number}")}));
        let first = peer.wait_until(|packet| packet["id"].is_string());
        assert_eq!(first["id"], format!("m{number}"), "{first}");
        assert_eq!(peer.wait_for("pong")["to"], "alice");
    }
}

#[test]
fn a_connection_that_says_nothing_ends_at_each_server_and_one_that_has_registered_stays() {
    let cluster = Cluster::with(2, |options| options.registration = Duration::from_secs(2));
    // Before one leads, nobody can register.
    cluster.leader();
    let mut peers = [0, 1].map(|number| Peer::join(cluster.address(number), &format!("at-{number}")));
    for number in 0..2 {
        let end = Peer::connect(cluster.address(number)).read_to_end();
        assert_eq!(end.last().expect("a reason")["code"], "handshake_timeout");
    }
    peers[0].say("all", "still here");
    assert_eq!(peers[1].text(), "still here");
}

#[test]
fn on_a_full_server_a_guest_of_its_own_gives_way_to_an_owner_of_a_name() {
    const PLACES: usize = 20;
    let cluster = Cluster::with(2, |options| options.max_clients = Some(PLACES));
    for number in [cluster.leader(), 1 - cluster.leader()] {
        let at = |name: &str| format!("{name}-{number}");
        let [alice, bob] = [Key::new(), Key::new()];
        for (key, name) in [(&alice, "alice"), (&bob, "bob")] {
            drop(Peer::join_with(cluster.address(number), &at(name), key));
        }
        soon::until(|| (cluster.server(number).handle.connections() == 0).then_some(()));
        // Others elsewhere have no places here.
        let elsewhere: Vec<Peer> =
            (0..5).map(|n| Peer::join(cluster.address(1 - number), &at(&format!("other{n}")))).collect();
        let mut guests: Vec<Peer> =
            (0..PLACES - 2).map(|n| Peer::join(cluster.address(number), &at(&format!("guest{n}")))).collect();
        let _kept: Vec<Peer> =
            (0..2).map(|_| Peer::join_with(cluster.address(number), &at("alice"), &alice)).collect();
        let mut bob = Peer::join_with(cluster.address(number), &at("bob"), &bob);
        bob.settle();
        let last = guests.pop().expect("a guest").read_to_end().pop().expect("a word");
        assert_eq!(last["code"], "server_full", "{last}");
        elsewhere.into_iter().for_each(|mut other| drop(other.settle()));
    }
}
