//! The log in one NATS server.

use super::reader::{TestNode, bytes, number};
use super::servers::{Setup, nats};
use lanchat::engine::EngineEvent;
use lanchat::engine::nats::EngineConfig;

#[tokio::test]
async fn records_come_back_in_order_and_stale_expectations_are_refused() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    let mut other = TestNode::start(nats.config("chat", 1)).await;
    node.append_up_to(1, 200, |_| {}).await;
    assert_eq!(node.position, 200, "nothing twice");
    node.handle.append(199, bytes("late"));
    node.handle.append(201, bytes("early"));
    for after in [199, 201] {
        let refused = node.wait_for(|event| matches!(event, EngineEvent::Refused { .. })).await;
        assert_eq!(refused, EngineEvent::Refused { after });
    }
    assert_eq!(other.read_up_to(200).await, (1..=200).collect::<Vec<_>>());
    let mut late = TestNode::start_without_following(nats.config("chat", 2)).await;
    late.position = 150;
    late.handle.follow(150);
    assert_eq!(late.read_up_to(200).await, (151..=200).collect::<Vec<_>>());
}

#[tokio::test]
async fn of_two_that_append_at_one_position_one_wins() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let a = TestNode::start(nats.config("chat", 0)).await;
    let mut nodes = [(a, bytes("a")), (TestNode::start(nats.config("chat", 1)).await, bytes("b"))];
    for after in 0..50 {
        nodes.iter().for_each(|(node, own)| node.handle.append(after, own.clone()));
        let mut winners = Vec::new();
        for (node, own) in &mut nodes {
            let (mut read, mut is_refused) = (None, false);
            // The loser is refused before or after it reads the winner's record.
            while read.is_none() || (read.as_ref() != Some(own) && !is_refused) {
                match node.next_of_log().await {
                    EngineEvent::Record { bytes, .. } => read = Some(bytes),
                    event => {
                        assert_eq!(event, EngineEvent::Refused { after });
                        is_refused = true;
                    }
                }
            }
            assert!(read.as_ref() != Some(own) || !is_refused, "the winner is not refused");
            winners.extend(read);
        }
        assert_eq!(winners[0], winners[1], "both read the same");
    }
}

#[tokio::test]
async fn messages_reach_a_node_or_all_others() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut a = TestNode::start(nats.config("chat", 0)).await;
    let mut b = TestNode::start(nats.config("chat", 1)).await;
    let mut stranger = TestNode::start(nats.config("other", 1)).await;
    for number in 0..100_u64 {
        a.handle.send(1, bytes::Bytes::copy_from_slice(&number.to_be_bytes()));
    }
    for wanted in 0..100 {
        let EngineEvent::Message { bytes } = b.next_of_log().await else { panic!("a message") };
        assert_eq!(number(&bytes), wanted, "in order");
    }
    a.handle.broadcast(bytes("to others"));
    a.handle.send(0, bytes("to itself"));
    b.handle.send(0, bytes("to a"));
    assert_eq!(b.next_of_log().await, EngineEvent::Message { bytes: bytes("to others") });
    let mut got = [a.next_of_log().await, a.next_of_log().await];
    got.sort_by_key(|event| format!("{event:?}"));
    let message = |text: &str| EngineEvent::Message { bytes: bytes(text) };
    assert_eq!(got, [message("to a"), message("to itself")]);
    stranger.handle.send(1, bytes("own"));
    assert_eq!(stranger.next_of_log().await, message("own"), "chats are apart");
}

#[tokio::test]
async fn a_server_killed_and_started_again_loses_nothing_and_the_reader_goes_on() {
    let Some(mut nats) = nats(&Setup::default()) else { return };
    let mut writer = TestNode::start(nats.config("chat", 0)).await;
    let mut reader = TestNode::start(nats.config("chat", 1)).await;
    writer.append_up_to(1, 100, |_| {}).await;
    nats.servers[0].kill();
    let unreachable = reader.wait_for(|event| matches!(event, EngineEvent::Unreachable(_))).await;
    let EngineEvent::Unreachable(why) = unreachable else { unreachable!() };
    assert!(why.contains("cannot reach the engine at nats://127.0.0.1:"), "{why}");
    writer.handle.append(writer.position, bytes("gone"));
    let unanswered = writer.wait_for(|event| matches!(event, EngineEvent::Unanswered { .. })).await;
    assert_eq!(unanswered, EngineEvent::Unanswered { after: writer.position });
    nats.servers[0].restart();
    writer.wait_for(|event| *event == EngineEvent::Reachable).await;
    writer.append_up_to(101, 200, |_| {}).await;
    // It has read some of the first hundred while it waited for the news.
    let read = reader.read_up_to(200).await;
    assert!(read.ends_with(&(101..=200).collect::<Vec<_>>()), "{read:?}");
}

#[tokio::test]
async fn a_stream_deleted_and_created_again_is_lost_and_not_merged() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    node.append_up_to(1, 5, |_| {}).await;
    nats.request("$JS.API.STREAM.DELETE.lanchat-chat", "").await;
    let mut other = TestNode::start(nats.config("chat", 1)).await;
    other.append_up_to(11, 20, |_| {}).await;
    let lost =
        node.wait_for(|event| !matches!(event, EngineEvent::Reachable | EngineEvent::Unreachable(_))).await;
    assert!(matches!(lost, EngineEvent::Lost { first: 1, .. }), "{lost:?}");
    // A node that starts later has its position only.
    let late = TestNode::start_without_following(nats.config("chat", 2)).await;
    let mut late = late;
    late.handle.follow(50);
    assert_eq!(late.next_of_log().await, EngineEvent::Lost { first: 1, last: 10 });
    node.position = 0;
    node.handle.follow(0);
    assert_eq!(node.read_up_to(20).await, (11..=20).collect::<Vec<_>>(), "once it asks for it");
}

#[tokio::test]
async fn a_stream_deleted_is_lost_and_nobody_who_has_read_creates_it() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    node.append_up_to(1, 5, |_| {}).await;
    nats.request("$JS.API.STREAM.DELETE.lanchat-chat", "").await;
    assert_eq!(node.next_of_log().await, EngineEvent::Lost { first: 1, last: 0 });
    let names = nats.request("$JS.API.STREAM.NAMES", "").await;
    assert_eq!(names["total"], 0, "{names}");
}

#[tokio::test]
async fn records_that_the_log_no_longer_has_are_lost() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let config = EngineConfig { max_bytes: 4000, ..nats.config("chat", 0) };
    let mut node = TestNode::start(config.clone()).await;
    node.append_up_to(1, 100, |_| {}).await;
    let mut late = TestNode::start(EngineConfig { node: 1, ..config }).await;
    let EngineEvent::Lost { first, last: 100 } = late.next_of_log().await else { panic!("lost") };
    assert!(first > 1);
    late.position = first - 1;
    late.handle.follow(first - 1);
    assert_eq!(late.read_up_to(100).await, (first..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn reading_needs_no_consumer() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut node = TestNode::start(nats.config("chat", 0)).await;
    let mut other = TestNode::start(nats.config("chat", 1)).await;
    node.append_up_to(1, 100, |_| {}).await;
    assert_eq!(other.read_up_to(100).await, (1..=100).collect::<Vec<_>>());
    let names = nats.request("$JS.API.CONSUMER.NAMES.lanchat-chat", "").await;
    assert_eq!(names["total"], 0, "{names}");
}

#[tokio::test]
async fn a_slow_reader_loses_no_record() {
    let Some(nats) = nats(&Setup::default()) else { return };
    let mut writer = TestNode::start(nats.config("chat", 0)).await;
    let mut slow = TestNode::start(nats.config("chat", 1)).await;
    // More than wait for it, while it reads nothing.
    writer.append_up_to(1, 2000, |_| {}).await;
    assert_eq!(slow.read_up_to(2000).await, (1..=2000).collect::<Vec<_>>());
}
