//! Newcomers whom a server of the chat turns away.

use crate::support::cluster::Cluster;
use crate::support::home::{Home, LANCHAT};
use crate::support::peer::Peer;
use crate::support::soon;
use serde_json::json;
use std::process::{Command, Output};

fn send(home: &Home, host: &str, text: &str) -> Output {
    let mut command = Command::new(LANCHAT);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LANCHAT_")) {
        command.env_remove(name);
    }
    command.envs(home.env()).args(["send", "--no-discovery", "--name", "alice", "--host", host, text]);
    command.output().expect("the program runs")
}

#[test]
fn who_comes_to_a_server_that_is_cut_off_goes_on_at_another_one_and_reads_why() {
    let (cluster, home) = (Cluster::start(3), Home::new());
    let leader = cluster.leader();
    let [cut, other] = cluster.others(leader);
    let mut bob = Peer::join(cluster.address(leader), "bob");
    let link = cluster.server(other).link_at(cluster.address(other));
    let sent = send(&home, &link, "one");
    assert!(sent.status.success(), "{sent:?}");
    assert_eq!(bob.text(), "one");
    cluster.log.cut(cut);
    let host = cluster.address(cut).to_string();
    let comes = |bob: &mut Peer, text: &str, why: &str| {
        let sent = send(&home, &host, text);
        assert!(sent.status.success(), "{sent:?}");
        assert_eq!(bob.text(), text);
        let said = String::from_utf8_lossy(&sent.stderr).into_owned();
        assert!(said.contains(&format!("the server at {host} {why}")), "{said}");
        assert!(said.contains("; going on at server "), "{said}");
    };
    // It has not noticed for long enough, so it answers a ping, and no hello until then.
    comes(&mut bob, "two", "");
    let refusal = soon::until(|| {
        let answer = Peer::connect(cluster.address(cut)).hello(json!({"from": {"name": "carol"}}));
        (answer["type"] == "error").then_some(answer)
    });
    assert_eq!(refusal["code"], "server_full", "{refusal}");
    comes(&mut bob, "three", "turned you away (this server is cut off from the chat's other servers)");
    // Who knows no other server gets the reason.
    let refused = send(&Home::new(), &host, "four");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(5) && said.contains("use another one"), "{refused:?}");
}
