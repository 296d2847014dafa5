//! Single steps, which the [storm](super::storm) meets too seldom.

use super::super::ledger::{Ledger, LogFault, Meaning};
use super::super::node::{BEAT_EVERY, Node, PATIENCE, SILENCE};
use super::super::node_action::NodeAction;
use super::super::record::{Chain, Lead, LogRecord, NodeId, NodeRun, Taken, Turn};
use bytes::Bytes;
use std::time::Duration;

pub(super) const NOW: Duration = Duration::from_secs(100);

pub(super) fn run(node: u8, start: u64) -> NodeRun {
    NodeRun { node: NodeId(node), start }
}

pub(super) fn lead(by: NodeRun, term: u64, chain: Chain) -> Bytes {
    LogRecord::Lead(Lead { by, term, chain }).to_bytes()
}

pub(super) fn turn(term: u64, number: u64, chain: Chain, taken: Vec<(NodeRun, Taken)>) -> Bytes {
    let body = Bytes::from_static(b"hi");
    LogRecord::Turn(Turn { term, number, chain, more: false, taken, body }).to_bytes()
}

/// A node and its log.
pub(super) struct One {
    pub(super) node: Node,
    log: Vec<Bytes>,
    pub(super) out: Vec<NodeAction>,
}

impl One {
    pub(super) fn new(node: u8, start: u64) -> Self {
        let node = Node::new(NodeId(node), start, Ledger::default(), Duration::ZERO, NOW);
        Self { node, log: Vec::new(), out: Vec::new() }
    }

    /// A node that leads in term 1.
    pub(super) fn leading(start: u64) -> Self {
        let mut one = Self::new(0, start);
        one.read(lead(run(0, start), 1, Chain::default()));
        assert!(one.out.contains(&NodeAction::Lead));
        one.out.clear();
        one
    }

    pub(super) fn read(&mut self, bytes: Bytes) {
        self.log.push(bytes);
        let position = self.log.len() as u64;
        self.node.read(position, &self.log[self.log.len() - 1], NOW, &mut self.out).unwrap();
    }

    fn batch(&mut self, run: NodeRun, number: u64) -> bool {
        self.node.batch(run, number, Bytes::from_static(b"hi"), NOW, &mut self.out);
        let bytes = Bytes::from_static(b"hi");
        self.out.pop() == Some(NodeAction::Process { run, number, bytes })
    }

    fn taken(&self) -> Vec<(NodeRun, Taken)> {
        self.node.taken().unwrap().1
    }

    pub(super) fn propose(&mut self, body: Vec<u8>) {
        let (term, taken) = self.node.taken().unwrap();
        self.node.propose(term, taken, &body.into(), NOW, &mut self.out);
    }

    /// The records that were appended, each with the position before it.
    pub(super) fn appends(&mut self) -> Vec<(u64, Bytes)> {
        let appends = self.out.drain(..).filter_map(|action| match action {
            NodeAction::Append { after, bytes } => Some((after, bytes)),
            _ => None,
        });
        appends.collect()
    }

    fn gone(&mut self) -> Vec<NodeRun> {
        let gone = self.out.drain(..).filter_map(|action| match action {
            NodeAction::NodeGone(run) => Some(run),
            _ => None,
        });
        gone.collect()
    }

    /// Looks at the clock now and then, from [`NOW`] plus one time to that plus another.
    fn wait(&mut self, from: Duration, to: Duration) {
        let mut now = NOW + from;
        while now <= NOW + to {
            self.node.tick(now, &mut self.out);
            now += BEAT_EVERY;
        }
    }
}

#[test]
fn a_turn_of_a_leader_that_was_replaced_does_not_count() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    let late = turn(1, 1, ledger.chain, Vec::new());
    ledger.read(2, &lead(run(1, 1), 2, ledger.chain)).unwrap();
    let mut expected = ledger.clone();
    expected.position = 3;
    assert_eq!(ledger.read(3, &late), Ok(Meaning::Void));
    assert_eq!(ledger, expected);
}

#[test]
fn who_leads_already_is_not_replaced_by_one_who_was_late() {
    let mut ledger = Ledger::default();
    let chain = ledger.chain;
    assert_eq!(ledger.read(1, &lead(run(0, 1), 1, chain)), Ok(Meaning::Leads(run(0, 1))));
    assert_eq!(ledger.read(2, &lead(run(1, 1), 1, chain)), Ok(Meaning::Void));
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
fn batches_are_counted_for_each_run_of_a_node() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    ledger.read(2, &turn(1, 1, ledger.chain, vec![(run(1, 4), Taken::Upto(7))])).unwrap();
    let taken = |ledger: &Ledger| [3, 4, 5].map(|start| ledger.taken(run(1, start)));
    assert_eq!(taken(&ledger), [None, Some(7), Some(0)], "an earlier one is over, a later one begins");
    ledger.read(3, &turn(1, 2, ledger.chain, vec![(run(1, 4), Taken::Ended)])).unwrap();
    assert_eq!(taken(&ledger), [None, None, Some(0)]);
    assert_eq!(ledger.next_start(NodeId(1), 9), 9);
    assert!(ledger.next_start(NodeId(1), 2) > 4 && ledger.next_start(NodeId(1), 4) > 4);
}

#[test]
fn a_leader_takes_the_next_batch_of_a_run_or_the_first_of_a_later_one() {
    let mut one = One::leading(1);
    assert!(!one.batch(run(1, 5), 2), "the first one is missing");
    assert!(one.batch(run(1, 5), 1) && one.batch(run(1, 5), 2));
    assert!(!one.batch(run(1, 5), 2) && !one.batch(run(1, 5), 4));
    assert!(!one.batch(run(1, 6), 2) && !one.batch(run(1, 4), 1));
    assert!(one.batch(run(1, 6), 1));
    assert!(!one.batch(run(1, 5), 3), "it was replaced for good");
    assert_eq!(one.taken(), [(run(1, 6), Taken::Upto(1))]);
}

#[test]
fn a_new_leader_goes_on_with_the_batches_where_the_log_is() {
    let mut one = One::new(0, 1);
    one.read(lead(run(1, 1), 1, Chain::default()));
    let taken = vec![(run(1, 5), Taken::Upto(7)), (run(2, 5), Taken::Ended)];
    one.read(turn(1, 1, one.node.ledger().chain, taken.clone()));
    one.read(lead(run(0, 1), 2, one.node.ledger().chain));
    assert_eq!(one.taken(), taken);
    assert!(!one.batch(run(1, 5), 7) && one.batch(run(1, 5), 8));
    assert!(!one.batch(run(2, 5), 8) && !one.batch(run(2, 5), 1) && one.batch(run(2, 6), 1));
}

#[test]
fn a_silent_run_is_gone_after_its_time_and_one_that_speaks_is_not() {
    let mut one = One::leading(1);
    assert!(one.batch(run(1, 5), 1) && one.batch(run(2, 5), 1));
    one.wait(Duration::ZERO, SILENCE / 2);
    one.node.alive(run(2, 5), NOW + SILENCE / 2, &mut one.out);
    one.wait(SILENCE / 2, SILENCE - BEAT_EVERY);
    assert_eq!(one.gone(), []);
    one.wait(SILENCE - BEAT_EVERY, SILENCE + BEAT_EVERY);
    assert_eq!(one.gone(), [run(1, 5)], "once");
    assert_eq!(one.taken(), [(run(1, 5), Taken::Ended), (run(2, 5), Taken::Upto(1))]);
    assert!(!one.batch(run(1, 5), 2));
}

#[test]
fn a_run_is_gone_as_soon_as_a_later_one_of_its_node_speaks() {
    let mut one = One::leading(1);
    assert!(one.batch(run(1, 5), 1));
    one.node.alive(run(1, 4), NOW, &mut one.out);
    assert_eq!(one.gone(), []);
    one.node.alive(run(1, 6), NOW, &mut one.out);
    one.node.alive(run(1, 6), NOW, &mut one.out);
    assert_eq!(one.gone(), [run(1, 5)], "once");
}

#[test]
fn a_leader_that_started_again_ends_its_own_run_before_that_and_never_its_own() {
    let mut one = One::new(0, 2);
    one.read(lead(run(0, 1), 1, Chain::default()));
    one.read(turn(1, 1, one.node.ledger().chain, vec![(run(0, 1), Taken::Upto(3))]));
    one.read(lead(run(0, 2), 2, one.node.ledger().chain));
    assert!(one.batch(run(0, 2), 1), "which replaces it");
    one.wait(Duration::ZERO, SILENCE * 2);
    assert_eq!(one.gone(), []);
    let mut one = One::leading(2);
    assert!(one.batch(run(0, 1), 1), "a late one, from before it started");
    one.wait(Duration::ZERO, BEAT_EVERY);
    assert_eq!(one.gone(), [run(0, 1)]);
}

#[test]
fn the_silence_of_others_does_not_count_while_a_leader_sleeps_or_reaches_nobody() {
    let mut one = One::leading(1);
    assert!(one.batch(run(1, 5), 1));
    one.wait(Duration::ZERO, BEAT_EVERY);
    one.wait(SILENCE * 2, SILENCE * 2 + PATIENCE);
    assert_eq!(one.gone(), [], "it slept");
    one.node.reaching(false);
    one.wait(SILENCE * 2 + PATIENCE, SILENCE * 4);
    one.node.reaching(true);
    one.wait(SILENCE * 4, SILENCE * 5 - BEAT_EVERY);
    assert_eq!(one.gone(), []);
    one.wait(SILENCE * 5, SILENCE * 5 + BEAT_EVERY);
    assert_eq!(one.gone(), [run(1, 5)]);
}

#[test]
fn a_node_tells_the_leader_each_second_that_it_is_there() {
    let mut one = One::new(1, 5);
    one.read(lead(run(0, 1), 1, Chain::default()));
    one.node.tick(NOW, &mut one.out);
    one.node.tick(NOW + BEAT_EVERY / 2, &mut one.out);
    one.node.tick(NOW + BEAT_EVERY, &mut one.out);
    let alive = NodeAction::Alive { to: NodeId(0), run: run(1, 5) };
    assert_eq!(one.out, [alive.clone(), alive]);
}

#[test]
fn what_the_leader_before_has_not_taken_goes_to_the_next_at_once() {
    let mut one = One::leading(5);
    let bytes = Bytes::from_static(b"hi");
    one.node.submit(bytes.clone(), NOW, &mut one.out);
    one.read(lead(run(1, 1), 2, one.node.ledger().chain));
    let batch = |to| NodeAction::Batch { to: NodeId(to), run: run(0, 5), number: 1, bytes: bytes.clone() };
    assert_eq!(one.out, [batch(0), NodeAction::Follow, batch(1)]);
}

#[test]
fn a_node_tries_to_lead_when_it_hears_nothing_of_the_leader_or_only_of_the_one_before() {
    let heard = [(NodeId(1), 2, false), (NodeId(0), 3, false), (NodeId(0), 1, true), (NodeId(0), 2, true)];
    for (from, term, does_try) in heard {
        let mut one = One::new(2, 5);
        one.read(lead(run(0, 1), 1, Chain::default()));
        one.read(lead(run(1, 1), 2, one.node.ledger().chain));
        one.node.tick(NOW + PATIENCE / 2, &mut one.out);
        one.node.hear(from, term, NOW + PATIENCE / 2).unwrap();
        one.node.tick(NOW + PATIENCE, &mut one.out);
        assert_eq!(!one.appends().is_empty(), does_try, "{from:?} in term {term}");
    }
}

#[test]
fn a_node_whose_run_is_over_says_so_once_and_begins_another() {
    let over: [&[(NodeRun, Taken)]; 3] =
        [&[(run(1, 5), Taken::Ended)], &[(run(1, 6), Taken::Upto(1))], &[(run(1, 5), Taken::Upto(3))]];
    for taken in over {
        let mut one = One::new(1, 5);
        one.read(lead(run(0, 1), 1, Chain::default()));
        one.node.submit(Bytes::from_static(b"hi"), NOW, &mut one.out);
        assert_eq!(one.node.uplink_bytes(), 2);
        one.out.clear();
        for number in 1..3 {
            one.read(turn(1, number, one.node.ledger().chain, taken.to_vec()));
        }
        let ended = one.out.iter().filter(|action| **action == NodeAction::Ended).count();
        assert_eq!((ended, one.node.uplink_bytes()), (1, 0), "{taken:?}");
        one.out.clear();
        one.node.submit(Bytes::from_static(b"hi"), NOW, &mut one.out);
        one.node.tick(NOW + PATIENCE * 2, &mut one.out);
        assert_eq!(one.out, [], "nothing comes from a run that is over");
        one.node.begin_run(3, NOW);
        let next = one.node.run();
        assert!(next.start > taken[0].0.start, "{next:?}");
        one.node.submit(Bytes::from_static(b"hi"), NOW, &mut one.out);
        let bytes = Bytes::from_static(b"hi");
        assert_eq!(one.out, [NodeAction::Batch { to: NodeId(0), run: next, number: 1, bytes }]);
    }
}

#[test]
fn a_leader_whose_turn_lost_its_place_appends_it_again_behind() {
    let mut one = One::leading(1);
    one.propose(b"one".to_vec());
    one.propose(b"two".to_vec());
    let places = |appends: Vec<(u64, Bytes)>| appends.into_iter().map(|(after, _)| after).collect::<Vec<_>>();
    let first = one.appends();
    one.read(turn(0, 1, Chain::default(), Vec::new()));
    assert_eq!(places(one.appends()), [2], "the first alone: the second is on its way to that place, too");
    one.read(first[0].1.clone());
    assert_eq!((places(first), places(one.appends())), (vec![1, 2], vec![3]));
}

#[test]
fn an_append_without_an_answer_goes_again_sooner() {
    let mut one = One::leading(1);
    one.propose(b"one".to_vec());
    assert_eq!(one.appends().len(), 1);
    let soon = NOW + Duration::from_millis(500);
    one.node.tick(soon, &mut one.out);
    assert_eq!(one.appends(), []);
    one.node.unanswered(1);
    one.node.tick(soon, &mut one.out);
    assert_eq!(one.appends().len(), 1);
    one.node.tick(soon + Duration::from_millis(500), &mut one.out);
    assert_eq!(one.appends(), []);
}

#[test]
fn a_result_of_a_term_that_is_over_is_dropped() {
    let mut one = One::leading(1);
    let (term, taken) = one.node.taken().unwrap();
    one.read(lead(run(1, 1), 2, one.node.ledger().chain));
    assert_eq!(one.node.taken(), None);
    one.read(lead(run(0, 1), 3, one.node.ledger().chain));
    one.out.clear();
    one.node.propose(term, taken, &Bytes::from_static(b"late"), NOW, &mut one.out);
    assert_eq!((one.node.proposed(), &one.out[..]), (0, &[][..]));
}

#[test]
fn a_leader_that_wants_to_be_replaced_is_although_its_turns_still_come() {
    for retires in [false, true] {
        let mut one = One::new(0, 1);
        one.node = Node::new(NodeId(0), 1, Ledger::default(), BEAT_EVERY, NOW);
        one.read(lead(run(1, 1), 1, Chain::default()));
        if retires {
            one.node.retires(NodeId(1), 1, NOW);
        }
        // It is heard each time, within the delay of this node.
        for tenth in 1..=15 {
            let now = NOW + BEAT_EVERY * tenth / 10;
            one.node.hear(NodeId(1), 1, now).unwrap();
            one.node.tick(now, &mut one.out);
        }
        let appends = one.out.iter().filter(|action| matches!(action, NodeAction::Append { after: 1, .. }));
        assert_eq!(appends.count(), usize::from(retires));
    }
}

#[test]
fn a_window_fills_and_opens() {
    let mut one = One::leading(1);
    while one.node.has_window() {
        one.propose(b"x".to_vec());
    }
    let appends = one.appends();
    assert_eq!(appends.len(), one.node.proposed());
    one.read(appends[0].1.clone());
    assert!(one.node.has_window());
    one.read(lead(run(1, 1), 2, one.node.ledger().chain));
    assert!(!one.node.has_window(), "it no longer leads");
}

#[test]
fn a_large_turn_goes_in_parts_and_is_carried_out_whole() {
    let mut one = One::leading(1);
    assert!(one.batch(run(1, 5), 1));
    let body: Vec<u8> = (0..600_000_u32).map(|at| at.to_le_bytes()[at as usize % 3]).collect();
    one.propose(body.clone());
    let parts = one.appends();
    assert_eq!(parts.iter().map(|(after, _)| *after).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(parts.iter().all(|(_, bytes)| bytes.len() < 257 * 1024));
    let before = one.node.ledger().clone();
    for (_, bytes) in &parts[..2] {
        one.read(bytes.clone());
        assert_eq!(one.out, []);
        assert_eq!(one.node.ledger().taken(run(1, 5)), before.taken(run(1, 5)));
    }
    one.read(parts[2].1.clone());
    let ledger = one.node.ledger().clone();
    assert_eq!(ledger.taken(run(1, 5)), Some(1));
    assert_eq!(one.out, [NodeAction::CarryOut { body: body.into(), ledger }]);
}

#[test]
fn the_parts_of_a_leader_that_is_replaced_are_dropped() {
    let mut one = One::leading(1);
    one.propose(vec![1; 600_000]);
    let parts = one.appends();
    one.read(parts[0].1.clone());
    one.read(lead(run(1, 1), 2, one.node.ledger().chain));
    one.read(parts[1].1.clone());
    one.out.clear();
    one.read(turn(2, 1, one.node.ledger().chain, Vec::new()));
    let ledger = one.node.ledger().clone();
    assert_eq!(one.out, [NodeAction::CarryOut { body: Bytes::from_static(b"hi"), ledger }]);
}
