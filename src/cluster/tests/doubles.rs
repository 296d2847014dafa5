//! Nodes that are there twice, and nodes that are not.

use super::super::ledger::LogFault;
use super::super::node::{BEAT_EVERY, SILENCE};
use super::super::node_action::NodeAction;
use super::super::record::{Chain, NodeId, NodeRun, Taken};
use super::single::{NOW, One, lead, run, turn};
use bytes::Bytes;
use std::time::Duration;

/// A node that follows, of which the rules know a run.
fn follower() -> One {
    let mut one = One::new(1, 5);
    one.read(lead(run(0, 1), 1, Chain::default()));
    one.begins(NOW);
    one
}

impl One {
    /// The rules take the first batch of its run.
    fn begins(&mut self, now: Duration) {
        self.node.submit(Bytes::from_static(b"hi"), now, &mut self.out);
        self.out.clear();
        self.tells(self.node.run(), Taken::Upto(1), now).unwrap();
        assert_eq!(self.ended(), 0);
    }

    fn tells(&mut self, run: NodeRun, taken: Taken, now: Duration) -> Result<(), LogFault> {
        let ledger = self.node.ledger();
        let record = turn(ledger.term, ledger.turns + 1, ledger.chain, vec![(run, taken)]);
        let position = ledger.position + 1;
        self.node.read(position, &record, now, &mut self.out)
    }

    fn ended(&mut self) -> usize {
        self.out.drain(..).filter(|action| *action == NodeAction::Ended).count()
    }

    /// Its run ends for a later one, or for nothing that it can see.
    fn loses_run(&mut self, is_later: bool, now: Duration) -> Result<(), LogFault> {
        let own = self.node.run();
        let (by, taken) = match is_later {
            true => (run(1, own.start + 1), Taken::Upto(1)),
            false => (own, Taken::Ended),
        };
        let read = self.tells(by, taken, now);
        assert_eq!(self.ended(), 1);
        self.node.begin_run(own.start + 2, now);
        read
    }
}

#[test]
fn a_node_that_is_there_twice_finds_out() {
    for laters in [[true, true, true], [true, false, false], [false, false, true]] {
        let mut one = follower();
        let mut now = NOW;
        let reads = laters.map(|is_later| {
            now += BEAT_EVERY;
            let read = one.loses_run(is_later, now);
            if read.is_ok() {
                one.begins(now);
            }
            read
        });
        assert_eq!(reads, [Ok(()), Ok(()), Err(LogFault::Twice)], "{laters:?}");
    }
}

#[test]
fn a_node_that_is_alone_never_thinks_so() {
    // Taken for gone again and again, each time after a silence.
    let mut one = follower();
    for times in 1..20 {
        let now = NOW + SILENCE * times;
        one.loses_run(false, now).unwrap();
        one.begins(now);
    }
    // A machine that slept does not know for how long.
    for _ in 0..20 {
        one.loses_run(false, NOW + SILENCE * 20).unwrap();
        one.begins(NOW + SILENCE * 20);
    }
    // Later runs in the log before it has this one, as after a start from an old backup.
    let mut one = One::new(1, 5);
    one.read(lead(run(0, 1), 1, Chain::default()));
    for _ in 0..20 {
        one.loses_run(true, NOW).unwrap();
    }
    // Runs of its own that end too soon, each still the latest one when the next has begun.
    let mut one = follower();
    for _ in 0..20 {
        one.loses_run(false, NOW).unwrap();
        one.tells(run(2, 1), Taken::Upto(1), NOW).unwrap();
        one.begins(NOW);
    }
    // Late messages of an earlier process, now and then.
    let mut one = follower();
    for times in 1..20 {
        let now = NOW + 10 * SILENCE * times;
        one.loses_run(true, now).unwrap();
        one.begins(now);
    }
}

#[test]
fn a_leader_that_is_there_twice_finds_out() {
    let mut one = One::leading(5);
    let leads = |one: &mut One, by| {
        let ledger = one.node.ledger();
        let (position, record) = (ledger.position + 1, lead(by, ledger.term + 1, ledger.chain));
        one.node.read(position, &record, NOW, &mut one.out)
    };
    for _ in 0..2 {
        assert_eq!(leads(&mut one, run(0, 9)), Ok(()));
        assert_eq!(leads(&mut one, run(0, 5)), Ok(()));
    }
    assert_eq!(leads(&mut one, run(0, 9)), Err(LogFault::Twice));
    // Another server that leads in turn, and an earlier process of this one.
    let mut one = One::leading(5);
    let earlier = [run(0, 3), run(0, 5)].repeat(3);
    for by in [run(1, 9), run(0, 5)].into_iter().chain(earlier).chain([run(1, 9), run(0, 5)]) {
        assert_eq!(leads(&mut one, by), Ok(()));
    }
}

#[test]
fn a_node_that_hears_itself_lead_finds_out_unless_an_earlier_process_has_just_ended() {
    for (apart, is_twice) in [(BEAT_EVERY, true), (BEAT_EVERY / 4, false)] {
        let mut one = One::new(1, 5);
        one.read(lead(run(1, 1), 1, Chain::default()));
        let reads: Vec<_> = (0..3).map(|times| one.node.hear(NodeId(1), 1, NOW + apart * times)).collect();
        assert_eq!(reads[2].is_err(), is_twice, "{reads:?}");
        // It hears its own, or one of a leader before.
        let mut one = One::leading(5);
        assert!((0..9).all(|times| one.node.hear(NodeId(0), 1, NOW + apart * times).is_ok()));
        one.read(lead(run(1, 1), 2, one.node.ledger().chain));
        assert!((0..9).all(|times| one.node.hear(NodeId(0), 1, NOW + apart * times).is_ok()));
    }
}
