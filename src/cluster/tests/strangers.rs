//! Records that are not of a node, and nodes that get something else than the log has.

use super::super::ledger::{Ledger, LogFault, Meaning};
use super::super::node::{BEAT_EVERY, PATIENCE};
use super::super::node_action::NodeAction;
use super::super::proposals::WINDOW;
use super::super::record::Chain;
use super::EVENTS;
use super::dice::Dice;
use super::single::{NOW, One, lead, run, turn};
use super::world::World;
use bytes::Bytes;
use proptest::prelude::*;

#[test]
fn a_record_of_an_outsider_takes_its_place_and_counts_for_nothing() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    let mut expected = ledger.clone();
    expected.position = 2;
    ledger.pass(2).unwrap();
    assert_eq!(ledger, expected);
    assert_eq!(ledger.pass(4), Err(LogFault::Gap(3)));
    assert!(matches!(ledger.read(3, &turn(1, 1, ledger.chain, Vec::new())), Ok(Meaning::Turn(_))));
}

#[test]
fn who_cannot_open_the_first_record_has_another_key() {
    let mut one = One::new(1, 5);
    assert_eq!(one.node.pass(1, NOW, &mut one.out), Err(LogFault::OtherKey));
    assert_eq!((one.node.ledger(), &one.out[..]), (&Ledger::default(), &[][..]));
    // The record of a leader long before, and of nobody else, opens.
    one.read(turn(0, 1, Chain::default(), Vec::new()));
    assert_eq!(one.node.pass(2, NOW, &mut one.out), Ok(()));
}

#[test]
fn a_leader_appends_its_turns_again_behind_a_record_of_an_outsider() {
    let mut one = One::leading(1);
    one.propose(b"one".to_vec());
    one.propose(b"two".to_vec());
    let first = one.appends();
    one.node.pass(2, NOW, &mut one.out).unwrap();
    let again = one.appends();
    assert_eq!(again, [(2, first[0].1.clone())], "the first alone");
    one.node.read(3, &again[0].1, NOW, &mut one.out).unwrap();
    assert_eq!(one.appends(), [(3, first[1].1.clone())]);
    one.propose(b"three".to_vec());
    assert_eq!(one.appends().len(), 1, "at once, as the front is in the log");
}

#[test]
fn records_of_outsiders_keep_no_silent_leader() {
    let mut one = One::new(1, 5);
    one.read(lead(run(0, 1), 1, Chain::default()));
    for second in 1..=PATIENCE.as_secs() {
        let now = NOW + BEAT_EVERY * u32::try_from(second).unwrap();
        one.node.pass(1 + second, now, &mut one.out).unwrap();
        one.node.tick(now, &mut one.out);
    }
    assert_eq!(one.appends().len(), 1);
}

#[test]
fn a_node_that_waits_to_lead_tries_behind_a_record_of_an_outsider() {
    let mut one = One::new(0, 1);
    one.read(lead(run(0, 0), 1, Chain::default()));
    one.node.tick(NOW, &mut one.out);
    assert_eq!(one.appends().len(), 1);
    one.node.pass(2, NOW, &mut one.out).unwrap();
    one.node.refused(1);
    one.node.tick(NOW, &mut one.out);
    let after: Vec<u64> = one.appends().into_iter().map(|(after, _)| after).collect();
    assert_eq!(after, [2]);
}

#[test]
fn a_part_of_a_turn_and_a_record_of_an_outsider_behind_it_stay_apart() {
    let mut one = One::leading(1);
    one.propose(vec![1; 300_000]);
    let parts = one.appends();
    one.node.read(2, &parts[0].1, NOW, &mut one.out).unwrap();
    one.node.pass(3, NOW, &mut one.out).unwrap();
    one.node.read(4, &parts[1].1, NOW, &mut one.out).unwrap();
    let ledger = one.node.ledger().clone();
    let body = Bytes::from(vec![1; 300_000]);
    assert!(one.out.contains(&NodeAction::CarryOut { body, ledger }), "{:?}", one.out);
}

#[test]
fn who_has_missed_a_record_that_counts_sees_it_by_those_behind_it() {
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    let next = |term, number| turn(term, number, Chain::default(), Vec::new());
    let far = WINDOW as u64;
    assert_eq!(ledger.clone().read(2, &next(1, far)), Ok(Meaning::Void), "it may have come too early");
    assert_eq!(ledger.clone().read(2, &next(1, far + 1)), Err(LogFault::OtherHistory));
    assert_eq!(ledger.clone().read(2, &next(2, 1)), Err(LogFault::OtherHistory), "its leader");
    assert_eq!(ledger.clone().read(2, &lead(run(1, 1), 3, Chain::default())), Err(LogFault::OtherHistory));
    assert_eq!(ledger.read(2, &lead(run(1, 1), 2, Chain::default())), Err(LogFault::OtherHistory));
}

/// The records of the log that count, or those that a node takes if it gets something else in the place of one, and
/// its fault.
fn deceived(log: &[Option<Bytes>], place: usize) -> (Vec<Meaning>, Option<LogFault>) {
    let (mut ledger, mut taken) = (Ledger::default(), Vec::new());
    for (at, record) in log.iter().enumerate() {
        let position = at as u64 + 1;
        let read = match record.as_ref().filter(|_| at != place) {
            Some(bytes) => ledger.read(position, bytes),
            None => ledger.pass(position).map(|()| Meaning::Void),
        };
        match read {
            Ok(Meaning::Void) => {}
            Ok(meaning) => taken.push(meaning),
            Err(fault) => return (taken, Some(fault)),
        }
    }
    (taken, None)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(super::cases()) })]

    #[test]
    fn a_node_that_gets_something_else_skips_nothing_in_silence(seed in any::<u64>()) {
        let mut world = World::new(seed);
        world.go_wrong(EVENTS);
        let (all, none) = deceived(&world.log, usize::MAX);
        prop_assert_eq!(none, None);
        let mut dice = Dice(seed);
        for _ in 0..20 {
            let place = usize::try_from(dice.roll(world.log.len() as u64)).unwrap();
            let (taken, fault) = deceived(&world.log, place);
            prop_assert!(all.starts_with(&taken), "it skips something at {}", place);
            let missing = all.len() - taken.len();
            prop_assert!(fault.is_some() || missing <= WINDOW + 1, "{} after {}", missing, place);
        }
    }
}
