//! The log in memory does what the engine promises, and only the faults that a test asks for.

use super::super::{EngineEvent, EngineEvents};
use super::{Faults, MemoryLog};
use bytes::Bytes;
use std::time::Duration;

async fn next(events: &mut EngineEvents) -> EngineEvent {
    let next = tokio::time::timeout(Duration::from_secs(10), events.recv());
    next.await.expect("an event within ten seconds").expect("the engine runs")
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn record(position: u64, text: &str) -> EngineEvent {
    EngineEvent::Record { position, bytes: bytes(text), is_heard: false }
}

fn message(text: &str) -> EngineEvent {
    EngineEvent::Message { bytes: bytes(text) }
}

#[tokio::test]
async fn all_nodes_read_the_records_in_one_order_from_where_they_are() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, mut from_b)) = (log.join(0), log.join(1));
    a.follow(0);
    a.append(0, bytes("one"));
    b.append(1, bytes("two"));
    b.follow(1);
    assert_eq!(next(&mut from_a).await, record(1, "one"));
    assert_eq!(next(&mut from_a).await, record(2, "two"));
    assert_eq!(next(&mut from_b).await, record(2, "two"));
}

#[tokio::test]
async fn an_append_elsewhere_than_at_the_end_is_refused() {
    let log = MemoryLog::new(1);
    let (a, mut events) = log.join(0);
    a.append(1, bytes("early"));
    assert_eq!(next(&mut events).await, EngineEvent::Refused { after: 1 });
    a.append(0, bytes("one"));
    a.append(0, bytes("late"));
    assert_eq!(next(&mut events).await, EngineEvent::Refused { after: 0 });
    assert_eq!(log.records(), (1, vec![bytes("one")]));
}

#[tokio::test]
async fn messages_reach_one_node_or_all_others() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, mut from_b), (_c, mut from_c)) = (log.join(0), log.join(1), log.join(2));
    a.send(0, bytes("to a"));
    a.broadcast(bytes("to others"));
    b.send(2, bytes("to c"));
    assert_eq!(next(&mut from_a).await, message("to a"));
    assert_eq!(next(&mut from_b).await, message("to others"));
    assert_eq!(next(&mut from_c).await, message("to others"));
    assert_eq!(next(&mut from_c).await, message("to c"));
    assert!(from_a.try_recv().is_err(), "not to itself");
}

#[tokio::test]
async fn a_node_that_is_cut_off_gets_nothing_until_it_is_healed() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, _from_b)) = (log.join(0), log.join(1));
    a.follow(0);
    log.cut(0);
    assert!(matches!(next(&mut from_a).await, EngineEvent::Unreachable(_)));
    a.append(0, bytes("lost"));
    assert_eq!(next(&mut from_a).await, EngineEvent::Unanswered { after: 0 });
    b.append(0, bytes("one"));
    b.send(0, bytes("lost"));
    log.heal(0);
    assert_eq!(next(&mut from_a).await, EngineEvent::Reachable);
    assert_eq!(next(&mut from_a).await, record(1, "one"));
}

#[tokio::test]
async fn answers_get_lost_and_records_double_if_the_test_asks_for_it() {
    let log = MemoryLog::new(1);
    let (a, mut events) = log.join(0);
    log.set_faults(0, Faults { lost_answers: 100, doubled: 100, ..Faults::default() });
    a.append(0, bytes("one"));
    assert_eq!(next(&mut events).await, EngineEvent::Unanswered { after: 0 });
    assert_eq!(log.records(), (1, vec![bytes("one"), bytes("one")]));
    log.set_faults(0, Faults { lost_appends: 100, lost_messages: 100, ..Faults::default() });
    a.append(2, bytes("two"));
    a.send(0, bytes("lost"));
    assert_eq!(next(&mut events).await, EngineEvent::Unanswered { after: 2 });
    assert_eq!(log.records().1.len(), 2);
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn a_held_node_gets_everything_later() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, mut from_b)) = (log.join(0), log.join(1));
    a.follow(0);
    b.follow(0);
    log.hold(1);
    a.append(0, bytes("one"));
    a.send(1, bytes("hello"));
    assert_eq!(next(&mut from_a).await, record(1, "one"));
    assert!(from_b.try_recv().is_err());
    log.release(1);
    assert_eq!(next(&mut from_b).await, message("hello"));
    assert_eq!(next(&mut from_b).await, record(1, "one"));
}

#[tokio::test]
async fn a_log_that_was_recreated_or_purged_is_lost_until_the_node_follows_again() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, mut from_b)) = (log.join(0), log.join(1));
    a.follow(0);
    for (after, text) in [(0, "one"), (1, "two")] {
        a.append(after, bytes(text));
        assert_eq!(next(&mut from_a).await, record(after + 1, text));
    }
    log.purge(1);
    b.follow(0);
    assert_eq!(next(&mut from_b).await, EngineEvent::Lost { first: 2, last: 2 });
    b.follow(3);
    assert_eq!(next(&mut from_b).await, EngineEvent::Lost { first: 2, last: 2 });
    log.recreate();
    assert_eq!(next(&mut from_a).await, EngineEvent::Lost { first: 1, last: 0 });
    b.append(0, bytes("other"));
    a.follow(0);
    assert_eq!(next(&mut from_a).await, record(1, "other"));
}

#[tokio::test]
async fn a_slow_reader_loses_no_record() {
    let log = MemoryLog::new(1);
    let ((a, mut from_a), (b, _from_b)) = (log.join(0), log.join(1));
    for after in 0..2000_u64 {
        b.append(after, Bytes::copy_from_slice(&after.to_be_bytes()));
    }
    a.follow(0);
    for position in 1..=2000 {
        let EngineEvent::Record { position: read, .. } = next(&mut from_a).await else { panic!("a record") };
        assert_eq!(read, position);
    }
}

#[tokio::test]
async fn a_node_that_starts_again_replaces_its_earlier_run() {
    let log = MemoryLog::new(1);
    let (old, mut before) = log.join(0);
    let (new, mut events) = log.join(0);
    old.append(0, bytes("old"));
    new.append(0, bytes("new"));
    new.follow(0);
    assert_eq!(next(&mut events).await, record(1, "new"));
    assert_eq!(before.recv().await, None);
}
