//! The core of a chat on several servers, `cluster`, on this engine.

use super::reader::TestNode;
use super::servers::{Setup, nats};
use bytes::Bytes;
use lanchat::cluster::Ledger;
use lanchat::cluster::{Lead, LogRecord, NodeId, NodeRun};
use lanchat::cluster::{Node, NodeAction};
use lanchat::engine::{EngineEvent, EngineHandle};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Turns to get into the log.
const TURNS: usize = 500;

/// Turns that wait for the log at most.
const WAITING: usize = 32;

/// Carries out what a lone node does, and returns how many turns count.
fn carry_out(engine: &EngineHandle, actions: Vec<NodeAction>) -> usize {
    let mut turns = 0;
    for action in actions {
        match action {
            NodeAction::Append { after, bytes } => engine.append(after, bytes),
            NodeAction::CarryOut { .. } => turns += 1,
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
    let mut node = Node::new(NodeId(0), 1, Ledger::default(), Duration::ZERO, Duration::ZERO);
    let (mut done, mut proposed, mut has_disturbed) = (0, 0, false);
    while done < TURNS {
        let records = engine.position;
        assert!(begin.elapsed() < Duration::from_secs(40), "{done} of {TURNS} turns in {records} records");
        let mut actions = Vec::new();
        let event = timeout(Duration::from_millis(100), engine.next()).await;
        let now = begin.elapsed();
        match event {
            Ok(EngineEvent::Record { position, bytes, .. }) => {
                node.read(position, &bytes, now, &mut actions).unwrap();
            }
            Ok(EngineEvent::Refused { after }) => node.refused(after),
            Ok(EngineEvent::Unanswered { after }) => node.unanswered(after),
            _ => node.tick(now, &mut actions),
        }
        while node.is_leading() && node.proposed() < WAITING && proposed < TURNS {
            proposed += 1;
            let (term, taken) = node.taken().unwrap();
            node.propose(term, taken, &Bytes::from_static(b"turn"), now, &mut actions);
        }
        done += carry_out(&engine.handle, actions);
        if done >= TURNS / 5 && !has_disturbed {
            // Another node tries to lead, too late. One of the attempts takes a turn's place.
            let by = NodeRun { node: NodeId(1), start: 1 };
            let late = LogRecord::Lead(Lead { by, term: 1, chain: node.ledger().chain });
            (0..40).for_each(|ahead| other.handle.append(engine.position + ahead, late.to_bytes()));
            has_disturbed = true;
        }
    }
    assert!(engine.position < 3 * TURNS as u64, "{} records", engine.position);
}
