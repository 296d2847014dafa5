//! The console of each server of a chat.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon;
use crate::support::tls::Key;
use lanchat::protocol::Event;
use lanchat::protocol::packet::KeyList;
use lanchat::protocol::request::{Ask, Operate, Refusal};
use serde_json::json;

fn names(answer: Result<Event, Refusal>) -> Vec<String> {
    let Ok(Event::Users { users, .. }) = answer else { panic!("{answer:?}") };
    users.into_iter().map(|user| user.name).collect()
}

#[test]
fn the_console_of_each_server_answers_about_the_whole_chat() {
    let cluster = Cluster::start(3);
    let mut alice = Peer::join(cluster.address(0), "alice");
    let bob = Peer::join(cluster.address(1), "bob");
    alice.sees_join("bob");
    for number in 0..3 {
        let users = cluster.server(number).ask(&Ask::Users { room: None, after: None });
        assert_eq!(names(users), ["alice", "bob"]);
        let whois = cluster.server(number).ask(&Ask::Whois { name: "bob".into() });
        assert!(matches!(&whois, Ok(Event::Whois(user)) if user.name == "bob"), "{whois:?}");
        let refused = cluster.server(number).ask(&Ask::Whois { name: "carol".into() }).expect_err("nobody");
        assert!(refused.msg.contains("carol"), "{refused:?}");
        let keys = cluster.server(number).operate(&Operate::Keys { list: KeyList::Owners, after: None });
        assert!(matches!(keys, Ok(Event::Keys { .. })), "{keys:?}");
    }
    drop(bob);
}

#[test]
fn commands_at_the_console_of_each_server_reach_people_everywhere() {
    let cluster = Cluster::start(3);
    let key = Key::new();
    for number in 0..3 {
        let mut bob = Peer::join_with(cluster.address((number + 1) % 3), "bob", &key);
        let server = cluster.server(number);
        server.operate(&Operate::Alert { msg: "fire drill".into() }).expect("the console may");
        assert_eq!(bob.wait_for("alert")["by"], "server");
        // Console power is above that of operators.
        server.op("bob");
        let kick = Operate::Kick { name: "bob".into(), reason: "enough".into() };
        let Ok(Event::Notice(done)) = server.operate(&kick) else { panic!("not done") };
        assert_eq!(done, "bob was disconnected: enough");
        let end = bob.read_to_end();
        assert!(end.iter().any(|packet| packet["code"] == "kicked"), "{end:?}");
    }
}

#[test]
fn a_server_that_cannot_use_the_engine_says_so_at_its_console_and_what_to_do() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    for number in [leader, cluster.others(leader)[0]] {
        cluster.log.cut(number);
        let server = cluster.server(number);
        soon::until(|| server.numbers().engine_trouble);
        let refused = server.ask(&Ask::Time).expect_err("nobody can answer");
        assert!(refused.msg.contains("cannot use the engine"), "{refused:?}");
        assert!(refused.msg.contains("lanchat cluster status"), "{refused:?}");
        cluster.log.heal(number);
    }
}

#[test]
fn the_console_s_command_waits_for_the_next_server_that_leads() {
    let mut cluster = Cluster::start(3);
    let leader = cluster.leader();
    let [one, other] = cluster.others(leader);
    let mut bob = Peer::join(cluster.address(other), "bob");
    bob.sees_join("bob");
    cluster.stop_server(leader);
    cluster.server(one).operate(&Operate::Alert { msg: "still here".into() }).expect("the console may");
    assert_eq!(bob.wait_for("alert")["msg"], "still here");
}

#[test]
fn an_idle_server_has_no_records_to_carry_out_when_an_operator_asks_for_its_status() {
    let cluster = Cluster::start(3);
    for number in 0..3 {
        let mut alice = Peer::join_with(cluster.address(number), "alice", &Key::new());
        cluster.server(number).op("alice");
        let mut lags = (0..20).map(|_| {
            alice.send(json!({"type": "status", "to": "server"}));
            alice.wait_for("status")["status"]["log_lag"].clone()
        });
        // A turn of another cause may come between.
        assert!(lags.by_ref().filter(|lag| *lag == 0).count() > 15, "server {number}");
        drop(lags);
        cluster.server(number).operate(&Operate::Release { name: "alice".into() }).expect("the console may");
    }
}
