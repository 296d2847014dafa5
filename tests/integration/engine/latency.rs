//! Figures, on request: `cargo test --test integration -- --ignored engine::latency --nocapture`.

use super::reader::TestNode;
use super::servers::{Setup, nats};
use bytes::Bytes;
use lanchat::engine::EngineEvent;
use std::time::{Duration, Instant};

/// A record of usual size, in bytes.
const RECORD: usize = 300;

async fn one_at_a_time(node: &mut TestNode, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        node.handle.append(node.position, Bytes::from(vec![0; RECORD]));
        node.record().await;
        times.push(start.elapsed());
    }
    times.sort();
    times
}

/// Appends several ahead, and returns records per second.
async fn pipelined(node: &mut TestNode, count: u64, window: u64) -> u64 {
    let (start, first) = (Instant::now(), node.position);
    let mut sent = first;
    while node.position < first + count {
        while sent < (node.position + window).min(first + count) {
            node.handle.append(sent, Bytes::from(vec![0; RECORD]));
            sent += 1;
        }
        let event = node.next_of_log().await;
        assert!(matches!(event, EngineEvent::Record { .. }), "{event:?}");
    }
    (count as f64 / start.elapsed().as_secs_f64()) as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn of_appends_until_they_are_read_back() {
    for count in [1, 3] {
        let Some(nats) = nats(&Setup { count, ..Setup::default() }) else { return };
        let mut node = TestNode::start(nats.config("chat", 0)).await;
        one_at_a_time(&mut node, 100).await;
        let times = one_at_a_time(&mut node, 1000).await;
        let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let rates = [pipelined(&mut node, 2000, 4).await, pipelined(&mut node, 4000, 16).await];
        println!(
            "R{count}: append to record p50 {half:?}, p99 {most:?}; 4 and 16 ahead {rates:?} per second"
        );
    }
}
