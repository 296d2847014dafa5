//! Connections that end.

use crate::support::cluster::Cluster;
use crate::support::peer::Peer;
use crate::support::soon::until;
use serde_json::json;

#[test]
fn who_closes_their_sending_half_gets_the_answers_of_the_server_that_leads() {
    let cluster = Cluster::start(3);
    let leader = cluster.leader();
    for number in [leader, cluster.others(leader)[0]] {
        let mut pipe = Peer::connect(cluster.address(number));
        pipe.send(json!({"from": {"name": format!("cron{number}")}, "to": "all", "msg": "done", "id": "a"}));
        pipe.close_sending();
        let answers = pipe.read_to_end();
        assert!(answers.iter().any(|packet| packet["type"] == "sent" && packet["id"] == "a"), "{answers:?}");
    }
}

#[test]
fn a_connection_that_its_peer_has_ended_waits_for_answers_only_for_a_while() {
    let cluster = Cluster::start(3);
    let [one, _] = cluster.others(cluster.leader());
    let mut bob = Peer::join(cluster.address(one), "bob");
    cluster.log.cut(one);
    bob.say("all", "nobody reads this");
    bob.close_sending();
    until(|| (cluster.server(one).handle.connections() == 0).then_some(()));
}
