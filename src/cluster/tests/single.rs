//! What the storm of [`world`](super::world) meets too seldom.

use super::super::ledger::{Ledger, LogFault, Step};
use super::super::node::{Action, Node};
use super::super::record::{Chain, Lead, LogRecord, NodeId, NodeRun, Turn};
use std::time::Duration;

const NOW: Duration = Duration::from_secs(100);

fn run(node: u8, start: u64) -> NodeRun {
    NodeRun { node: NodeId(node), start }
}

fn lead(by: NodeRun, term: u64, chain: Chain) -> Vec<u8> {
    LogRecord::Lead(Lead { by, term, chain }).to_bytes()
}

fn turn(term: u64, number: u64, chain: Chain, taken: Vec<(NodeRun, u64)>) -> Vec<u8> {
    LogRecord::Turn(Turn { term, number, chain, taken, body: b"hi".to_vec() }).to_bytes()
}

#[test]
fn a_turn_of_a_leader_that_was_replaced_does_not_count() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    let late = turn(1, 1, ledger.chain, Vec::new());
    ledger.read(2, &lead(run(1, 1), 2, ledger.chain)).unwrap();
    let mut expected = ledger.clone();
    expected.position = 3;
    assert_eq!(ledger.read(3, &late), Ok(Step::Void));
    assert_eq!(ledger, expected);
}

#[test]
fn who_leads_already_is_not_replaced_by_one_who_was_late() {
    let mut ledger = Ledger::default();
    let chain = ledger.chain;
    assert_eq!(ledger.read(1, &lead(run(0, 1), 1, chain)), Ok(Step::Leads(run(0, 1))));
    assert_eq!(ledger.read(2, &lead(run(1, 1), 1, chain)), Ok(Step::Void));
    assert_eq!(ledger.leader, Some(run(0, 1)));
}

#[test]
fn another_history_and_a_gap_are_noticed() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    let (before, next) = (ledger.clone(), turn(1, 1, ledger.chain.with(b"other"), Vec::new()));
    assert_eq!(ledger.read(2, &next), Err(LogFault::OtherHistory));
    assert_eq!(ledger.read(3, &next), Err(LogFault::Gap(2)));
    assert_eq!(ledger, before, "nothing of it counts");
    assert!(matches!(ledger.read(2, &[9, 9]), Err(LogFault::Unreadable(_))));
}

#[test]
fn batches_are_counted_for_each_start_of_a_node() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    ledger.read(2, &turn(1, 1, ledger.chain, vec![(run(1, 4), 7)])).unwrap();
    let taken = [3, 4, 5].map(|start| ledger.taken(run(1, start)));
    assert_eq!(taken, [None, Some(7), Some(0)], "an earlier start is over, a later one begins");
}

#[test]
fn a_roll_of_an_earlier_term_is_not_taken() {
    let mut out = Vec::new();
    let mut node = Node::new(run(0, 1), Ledger::default(), Duration::ZERO, NOW);
    node.read(1, &lead(run(0, 1), 1, node.ledger().chain), NOW, &mut out).unwrap();
    node.read(2, &lead(run(1, 1), 2, node.ledger().chain), NOW, &mut out).unwrap();
    node.read(3, &lead(run(0, 1), 3, node.ledger().chain), NOW, &mut out).unwrap();
    out.clear();
    node.roll(run(2, 1), 1, b"old".to_vec(), &mut out);
    assert_eq!(out, []);
    node.roll(run(2, 1), 3, b"new".to_vec(), &mut out);
    assert_eq!(out, [Action::Learn(run(2, 1), b"new".to_vec())]);
}

#[test]
fn a_leader_whose_turn_lost_its_place_appends_it_again_behind() {
    let mut out = Vec::new();
    let mut node = Node::new(run(0, 1), Ledger::default(), Duration::ZERO, NOW);
    node.read(1, &lead(run(0, 1), 1, node.ledger().chain), NOW, &mut out).unwrap();
    out.clear();
    node.propose(b"one".to_vec(), NOW, &mut out);
    node.propose(b"two".to_vec(), NOW, &mut out);
    let appends = |out: &[Action]| -> Vec<u64> {
        out.iter()
            .filter_map(|action| if let Action::Append { after, .. } = action { Some(*after) } else { None })
            .collect()
    };
    assert_eq!(appends(&out), [1, 2]);
    out.clear();
    node.read(2, &turn(0, 1, Chain::default(), Vec::new()), NOW, &mut out).unwrap();
    assert_eq!(appends(&out), [2, 3]);
}
