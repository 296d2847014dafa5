//! Minutes of kills, freezes and elections, on request:
//! `LANCHAT_STORM_SECONDS=300 cargo test --test integration -- --ignored engine::storm --nocapture`.

use super::reader::TestNode;
use super::servers::{Nats, Setup, nats};
use std::time::{Duration, Instant};

/// How long it lasts if nothing else is asked for.
const SECONDS: u64 = 60;

/// Numbers between two looks at the time.
const PORTION: u64 = 200;

/// A random number below the bound.
fn below(bound: u64) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) % bound
}

/// Does something to one server, and repairs it.
async fn disturb(nats: &mut Nats) -> &'static str {
    let victim = usize::try_from(below(nats.servers.len() as u64)).unwrap();
    let pause = Duration::from_millis(below(6000));
    match below(3) {
        0 => {
            nats.servers[victim].kill();
            tokio::time::sleep(pause).await;
            nats.servers[victim].restart();
            "kill"
        }
        1 => {
            nats.servers[victim].freeze();
            tokio::time::sleep(pause).await;
            nats.servers[victim].thaw();
            "freeze"
        }
        _ => {
            nats.request("$JS.API.STREAM.LEADER.STEPDOWN.lanchat-chat", "").await;
            "another leader"
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes"]
async fn nothing_is_lost_or_doubled_in_a_storm() {
    let Some(mut nats) = nats(&Setup { count: 3, ..Setup::default() }) else { return };
    let seconds = std::env::var("LANCHAT_STORM_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let mut writer = TestNode::start(nats.config("chat", 0)).await;
    let mut reader = TestNode::start(nats.config("chat", 1)).await;
    let (told, mut last) = tokio::sync::watch::channel(u64::MAX);
    let writes = tokio::spawn(async move {
        let (mut next, mut longest) = (1, Duration::ZERO);
        while Instant::now() < end {
            let mut since = Instant::now();
            let at = |_| {
                longest = longest.max(since.elapsed());
                since = Instant::now();
            };
            writer.append_up_to(next, next + PORTION - 1, at).await;
            next += PORTION;
        }
        println!("{} numbers in {} records; longest wait {longest:?}", next - 1, writer.position);
        told.send_replace(next - 1);
    });
    let reads = tokio::spawn(async move {
        let mut expected = 1;
        while expected <= *last.borrow_and_update() {
            tokio::select! {
                read = reader.read_up_to(expected) => {
                    assert_eq!(read, [expected]);
                    expected += 1;
                }
                _ = last.changed() => {}
            }
        }
    });
    while Instant::now() < end {
        let what = disturb(&mut nats).await;
        println!("{what}");
        tokio::time::sleep(Duration::from_millis(below(4000))).await;
    }
    writes.await.unwrap();
    reads.await.unwrap();
    let mut late = TestNode::start(nats.config("chat", 2)).await;
    late.read_up_to(PORTION).await;
}
