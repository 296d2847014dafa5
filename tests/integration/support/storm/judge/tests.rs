//! The judge sees each kind of fault, and none where there is none.

use super::super::record::{Arrival, Heard, Moment, Record, Said};
use super::{Stored, has_all_arrivals, judge, judge_arrivals};

fn heard(seq: u64, from: &str, to: &str) -> Heard {
    Heard { seq, from: from.into(), to: to.into(), text: format!("text {seq}"), history: false }
}

fn said(seq: u64, to: &str) -> Said {
    Said {
        id: format!("id {seq}"),
        to: to.into(),
        text: format!("text {seq}"),
        times: 1,
        seq: Some(seq),
        waits: false,
        is_done: true,
    }
}

fn stored(seq: u64, from: &str, to: &str) -> Stored {
    Stored { heard: heard(seq, from, to), id: Some(format!("id {seq}")) }
}

/// Ann talks; bob is in the room and cleo is not.
fn world() -> (Vec<Stored>, [Record; 3]) {
    let kept = vec![
        stored(1, "ann", "all"),
        stored(2, "ann", "#room"),
        stored(3, "ann", "cleo"),
        stored(4, "ann", "#room"),
        stored(5, "ann", "all"),
    ];
    let member =
        |name: &str| Record { name: name.into(), lobby_from: Some(0), since: 5, ..Record::default() };
    let mut ann = member("ann");
    ann.said = kept.iter().map(|kept| said(kept.heard.seq, &kept.heard.to)).collect();
    let (mut bob, mut cleo) = (member("bob"), member("cleo"));
    bob.joined = Moment { asked: Some(0), times: 1, is_answered: true, done: Some(1) };
    bob.heard = [0, 1, 3, 4].map(|n: usize| kept[n].heard.clone()).into();
    cleo.heard = [0, 2, 4].map(|n: usize| kept[n].heard.clone()).into();
    (kept, [ann, bob, cleo])
}

fn faults(change: impl FnOnce(&mut Vec<Stored>, &mut [Record; 3])) -> Vec<String> {
    let (mut kept, mut records) = world();
    change(&mut kept, &mut records);
    judge(&kept, &records).faults
}

#[track_caller]
fn finds(what: &str, change: impl FnOnce(&mut Vec<Stored>, &mut [Record; 3])) {
    let faults = faults(change);
    assert!(faults.iter().any(|fault| fault.contains(what)), "{faults:?}");
}

#[test]
fn a_fair_world_has_no_faults_and_is_counted() {
    let (kept, records) = world();
    let verdict = judge(&kept, &records);
    assert_eq!(verdict.faults, [""; 0]);
    assert_eq!((verdict.stored, verdict.receipts, verdict.deliveries), (5, 5, 7));
}

#[test]
fn what_is_missing_is_found() {
    finds("has a receipt and is lost", |kept, _| drop(kept.remove(4)));
    finds("bob: message 4 (\"text 4\" to #room) never came", |_, [_, bob, _]| drop(bob.heard.remove(2)));
    finds("cleo: message 3", |_, [_, _, cleo]| drop(cleo.heard.remove(1)));
    finds("message 5", |_, [_, bob, _]| drop(bob.heard.pop()));
    finds("never learned of its own", |_, [ann, ..]| {
        (ann.said[0].is_done, ann.said[0].seq) = (false, None);
    });
}

#[test]
fn what_is_twice_is_found() {
    finds("is kept twice", |kept, _| {
        let mut again = kept[0].clone();
        again.heard.seq = 6;
        kept.push(again);
    });
    finds("before message 1", |_, [_, bob, _]| bob.heard.insert(1, bob.heard[0].clone()));
}

#[test]
fn what_is_in_the_wrong_place_is_found() {
    finds("message 4 (\"text 4\" to #room) before message 2", |_, [_, bob, _]| bob.heard.swap(1, 2));
    finds("was told Some(7)", |_, [ann, ..]| ann.said[0].seq = Some(7));
    finds("cleo: message 2 (\"text 2\" to #room) is not for it", |_, [_, _, cleo]| {
        cleo.heard.insert(1, heard(2, "ann", "#room"));
    });
    finds("bob: message 3 (\"text 3\" to cleo) is not for it", |_, [_, bob, _]| {
        bob.heard.insert(2, heard(3, "ann", "cleo"));
    });
}

#[test]
fn what_was_not_said_like_that_is_found() {
    finds("nobody said message 6", |kept, _| kept.push(stored(6, "ann", "all")));
    finds("nobody said message 1", |kept, _| kept[0].id = None);
    finds("is kept as", |_, [_, bob, _]| bob.heard[0].text = "another text".into());
    finds("bob: message 9", |_, [_, bob, _]| bob.heard.push(heard(9, "ann", "all")));
    finds("was kept and never sent", |_, [ann, ..]| ann.said[0].times = 0);
}

#[test]
fn an_own_message_comes_back_only_from_a_broken_connection() {
    finds("its own message 1", |_, [ann, ..]| ann.heard.push(heard(1, "ann", "all")));
    let excused = faults(|_, [ann, ..]| {
        ann.heard.push(heard(1, "ann", "all"));
        ann.said[0].times = 2;
    });
    assert_eq!(excused, [""; 0]);
}

#[test]
fn what_has_no_receipt_is_had_by_all_or_by_none() {
    let (kept, mut records) = world();
    let open = |seq: u64| Said { seq: None, is_done: false, ..said(seq, "all") };
    records[0].said[4] = open(5);
    records[0].said.push(open(6));
    records[0].since = 4;
    let verdict = judge(&kept, &records);
    assert_eq!(verdict.faults, [""; 0]);
    assert_eq!((verdict.unsure_kept, verdict.unsure_lost), (1, 1));
    records[1].heard.pop();
    assert_eq!(judge(&kept, &records).faults.len(), 1);
}

#[test]
fn a_stay_in_the_room_has_no_holes_and_ends_where_it_ends() {
    let late = |_: &mut Vec<Stored>, [_, bob, _]: &mut [Record; 3]| {
        bob.joined = Moment { asked: Some(1), times: 1, is_answered: true, done: Some(5) };
        // Between question and answer it is open from where it counts.
        bob.heard.remove(1);
    };
    assert_eq!(faults(late), [""; 0]);
    finds("message 2", |kept, records| {
        late(kept, records);
        records[1].joined.done = Some(1);
    });
    finds("is not for it", |_, [_, bob, _]| {
        bob.parted = Moment { asked: Some(1), times: 1, is_answered: true, done: Some(3) };
    });
    finds("message 4", |_, [_, bob, _]| {
        bob.parted = Moment { asked: Some(4), times: 1, is_answered: true, done: Some(5) };
        bob.heard.remove(2);
    });
}

#[test]
fn authors_know_of_all_mail_that_has_arrived() {
    let (kept, mut records) = world();
    let told = |records: &[Record; 3]| {
        let mut verdict = judge(&kept, records);
        judge_arrivals(records, &mut verdict);
        verdict.faults.len()
    };
    records[0].said[2].waits = true;
    assert!(!has_all_arrivals(&records[0]));
    assert_eq!(told(&records), 1);
    records[0].arrivals.push(Arrival { name: "cleo".into(), count: 1, last: 3, seq: 6 });
    assert!(has_all_arrivals(&records[0]));
    assert_eq!(told(&records), 0);
    records[0].arrivals.push(Arrival { name: "cleo".into(), count: 1, last: 3, seq: 7 });
    assert_eq!(told(&records), 1);
}
