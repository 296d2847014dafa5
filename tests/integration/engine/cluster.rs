//! The log in three NATS servers.

use super::reader::TestNode;
use super::servers::{Setup, nats};
use lanchat::engine::EngineEvent;

fn three() -> Setup {
    Setup { count: 3, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_is_killed_then_all_three_and_nothing_is_lost_or_doubled() {
    let Some(mut nats) = nats(&three()) else { return };
    let mut writer = TestNode::start(nats.config("chat", 0)).await;
    let mut reader = TestNode::start(nats.config("chat", 1)).await;
    let leader = nats.leader("chat").await;
    let mut killed = false;
    writer
        .append_up_to(1, 3000, |number| {
            if number == 500 && !killed {
                nats.server(&leader).kill();
                killed = true;
            }
        })
        .await;
    assert_eq!(reader.read_up_to(3000).await, (1..=3000).collect::<Vec<_>>());
    nats.servers.iter_mut().for_each(super::servers::NatsServer::kill);
    nats.servers.iter_mut().for_each(super::servers::NatsServer::restart);
    writer.append_up_to(3001, 3100, |_| {}).await;
    assert_eq!(reader.read_up_to(3100).await, (3001..=3100).collect::<Vec<_>>());
    let mut late = TestNode::start(nats.config("chat", 2)).await;
    assert_eq!(late.read_up_to(3100).await, (1..=3100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_the_log_is_unreachable_and_takes_nothing() {
    let Some(mut nats) = nats(&three()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    node.append_up_to(1, 10, |_| {}).await;
    let leader = nats.leader("chat").await;
    let others: Vec<String> =
        ["n0", "n1", "n2"].map(str::to_owned).into_iter().filter(|name| *name != leader).collect();
    others.iter().for_each(|name| nats.server(name).kill());
    let told = node.wait_for(|event| matches!(event, EngineEvent::Unreachable(_))).await;
    let EngineEvent::Unreachable(why) = told else { unreachable!() };
    assert!(why.contains("start"), "{why}");
    node.handle.append(node.position, bytes::Bytes::from_static(&[0; 8]));
    let told = node.wait_for(|event| !matches!(event, EngineEvent::Unreachable(_))).await;
    assert_eq!(told, EngineEvent::Unanswered { after: 10 });
    others.iter().for_each(|name| nats.server(name).restart());
    node.wait_for(|event| *event == EngineEvent::Reachable).await;
    node.append_up_to(11, 20, |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_stops_nobody_and_goes_on_later() {
    let Some(mut nats) = nats(&three()) else { return };
    let mut writer = TestNode::start(nats.config("chat", 0)).await;
    let mut reader = TestNode::start(nats.config("chat", 1)).await;
    writer.append_up_to(1, 100, |_| {}).await;
    let leader = nats.leader("chat").await;
    nats.server(&leader).freeze();
    writer.append_up_to(101, 200, |_| {}).await;
    nats.server(&leader).thaw();
    writer.append_up_to(201, 300, |_| {}).await;
    assert_eq!(reader.read_up_to(300).await, (1..=300).collect::<Vec<_>>());
}
