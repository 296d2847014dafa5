//! The core of a chat on several servers, `cluster`, on this engine.

use super::reader::TestNode;
use super::servers::{Setup, nats};
use lanchat::cluster::{Ledger, Node, NodeAction, NodeId};
use lanchat::engine::{EngineEvent, EngineHandle};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Turns to get into the log.
const TURNS: usize = 500;

/// Turns that wait for the log at most.
const WAITING: usize = 32;

fn run(node: u8) -> NodeRun {
    NodeRun { node: NodeId(node), start: 1 }
}

/// Carries out what a lone node does, and returns how many turns count.
fn carry_out(node: &mut Node, engine: &EngineHandle, actions: Vec<Action>) -> usize {
    let (mut turns, mut rolls) = (0, Vec::new());
    for action in actions {
        match action {
            Action::Append { after, bytes } => engine.append(after, bytes.into()),
            Action::CarryOut(_) => turns += 1,
            Action::Roll { term, .. } => node.roll(node.run(), term, Vec::new(), &mut rolls),
            _ => {}
        }
    }
    turns
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_gets_past_records_that_do_not_count() {
    let Some(nats) = nats(&Setup { count: 3, ..Setup::default() }) else { return };
    let mut engine = TestNode::start(nats.config("chat", 0)).await;
    let other = TestNode::start(nats.config("chat", 1)).await;
    let begin = Instant::now();
    let mut node = Node::new(run(0), Ledger::default(), Duration::ZERO, Duration::ZERO);
    let (mut done, mut proposed, mut has_disturbed) = (0, 0, false);
    while done < TURNS {
        let records = engine.position;
        assert!(begin.elapsed() < Duration::from_secs(40), "{done} of {TURNS} turns in {records} records");
        let mut actions = Vec::new();
        let event = timeout(Duration::from_millis(100), engine.next()).await;
        let now = begin.elapsed();
        match event {
            Ok(EngineEvent::Record { position, bytes }) => {
                node.read(position, &bytes, now, &mut actions).unwrap();
            }
            Ok(EngineEvent::Refused { after }) => node.refused(after),
            _ => node.tick(now, &mut actions),
        }
        while node.is_leading() && node.proposed() < WAITING && proposed < TURNS {
            proposed += 1;
            node.propose(b"turn".to_vec(), now, &mut actions);
        }
        done += carry_out(&mut node, &engine.handle, actions);
        if done >= TURNS / 5 && !has_disturbed {
            // Another node tries to lead, too late. One of the attempts takes a turn's place.
            let late = LogRecord::Lead(Lead { by: run(1), term: 1, chain: node.ledger().chain });
            (0..40).for_each(|ahead| other.handle.append(engine.position + ahead, late.to_bytes().into()));
            has_disturbed = true;
        }
    }
    assert!(engine.position < 3 * TURNS as u64, "{} records", engine.position);
}
