//! Names come and go: who owns which, and which goes when there are too many.

use super::*;
use crate::chat::Entry;
use crate::limits::{
    ALIVE_EVERY, CLOCK_FLOOR, NAME_KEPT_TRIED, NAMES_GATHERED, NAMES_PAUSE, NEW_NAMES_AT_ONCE_NEARBY,
    RECORDS_PORTION,
};

fn key(number: u32) -> Fingerprint {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    Fingerprint::new(hash)
}

fn at(second: i64) -> At {
    At { second, uptime: Duration::from_secs(second.unsigned_abs()) }
}

fn record(number: u32, last: i64, used: u32) -> NameRecord {
    NameRecord { name: format!("user{number}"), key: key(number), last: stamp(last), used, in_use: false }
}

/// A table with room for 200 and as many names: the odd ones were used for long.
fn full() -> OwnedNames {
    let records = (0..200).map(|n| record(n, i64::from(n), if n % 2 == 1 { 5000 } else { 5 }));
    let mut names = OwnedNames::new(records.collect());
    names.most = 200;
    names
}

fn begin(names: &mut OwnedNames, name: &Name, number: u32, at: At) -> Deliveries {
    let mut out = Vec::new();
    names.begin((name, &name.likeness()), key(number), [10, 0, 0, 1].into(), at, &mut out);
    out
}

fn has(names: &OwnedNames, number: u32, at: At) -> bool {
    names.owner(&Name::new(&format!("user{number}")).expect("a name"), at).is_some()
}

#[test]
fn when_all_places_are_taken_an_old_one_of_the_only_tried_names_goes() {
    let mut names = full();
    let used = Name::new("user0").expect("a name");
    begin(&mut names, &used, 0, at(300));
    let new = Name::new("newcomer").expect("a name");
    let mut out = begin(&mut names, &new, 999, at(300));
    assert_eq!(names.owner(&new, at(300)), Some(key(999)));
    let gone: Vec<u32> = (0..200).filter(|n| !has(&names, *n, at(300))).collect();
    let [gone] = gone.as_slice() else { panic!("{gone:?}") };
    assert!(gone % 2 == 0 && (1..30).contains(gone), "{gone}: not the one in use, and an old one");
    let dropped = Delivery::record(Record::Name(format!("user{gone}"), None));
    assert_eq!((out.len(), out.remove(0)), (2, dropped), "and goes from the disk");
    names.check(&[(&used, &key(0)), (&new, &key(999))]);
}

#[test]
fn a_name_that_is_not_kept_frees_none_of_those_that_are() {
    let mut names =
        OwnedNames::new((0..3).map(|n| NameRecord { key: key(0), ..record(n, 300, 5000) }).collect());
    for number in 0..NEW_NAMES_AT_ONCE_NEARBY {
        begin(&mut names, &Name::new(&format!("new{number}")).expect("a name"), 10 + number, at(300));
    }
    let out = begin(&mut names, &Name::new("onemore").expect("a name"), 0, at(300));
    assert!(out.is_empty() && (0..3).all(|n| has(&names, n, at(300))), "{out:?}");
}

#[test]
fn of_names_that_were_used_in_one_second_the_one_goes_that_was_used_first_also_after_a_start() {
    let user = |number: u32| Name::new(&format!("user{number}")).expect("a name");
    // In whatever order they have their places.
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut names =
            OwnedNames::new((0..3).map(|n| NameRecord { key: key(0), ..record(n, 9, 5000) }).collect());
        let mut kept = Vec::new();
        for number in order {
            begin(&mut names, &user(number), 0, at(300));
            names.end(&user(number).likeness(), &key(0), at(300));
            kept = names.records(at(300));
        }
        let mut again = OwnedNames::new(kept);
        for names in [&mut names, &mut again] {
            assert_eq!(names.name_of(&key(0)), Some(&user(order[2])));
            begin(names, &Name::new("onemore").expect("a name"), 0, at(300));
            let gone: Vec<u32> = (0..3).filter(|n| !has(names, *n, at(300))).collect();
            assert_eq!(gone, [order[0]], "{order:?}");
        }
    }
}

#[test]
fn what_has_lapsed_goes_before_what_has_not() {
    let mut names = full();
    let now = at(i64::try_from(NAME_KEPT_TRIED.as_secs()).expect("seconds") + 100);
    let new = Name::new("newcomer").expect("a name");
    begin(&mut names, &new, 999, now);
    assert!((0..200).filter(|n| n % 2 == 1).all(|n| has(&names, n, now)));
    assert!(names.owner(&new, now).is_some());
}

#[test]
fn rows_that_contradict_each_other_or_are_no_names_are_left_out() {
    let mut records = vec![record(1, 0, 5000), record(2, 0, 5000)];
    records.push(NameRecord { name: "USER1".into(), ..record(3, 0, 5000) });
    records.push(NameRecord { name: "two words".into(), ..record(4, 0, 5000) });
    records.extend((10..15).map(|n| NameRecord { key: key(5), ..record(n, 0, 5000) }));
    let names = OwnedNames::new(records);
    let kept: Vec<String> = names.records(at(0)).into_iter().map(|row| row.name).collect();
    assert_eq!(kept, ["user1", "user2", "user10", "user11", "user12"]);
    names.check(&[]);
}

#[test]
fn a_row_takes_little() {
    // With most names in it.
    assert!(size_of::<Option<NameRow>>() <= 80);
}

#[test]
fn a_crowds_names_are_written_in_portions_with_pauses() {
    let mut names = full();
    for n in 0..100 {
        begin(&mut names, &Name::new(&format!("user{n}")).expect("a name"), n, at(300));
    }
    let mut uptime = at(300).uptime + NAMES_GATHERED;
    let mut keep = |pause: Duration| {
        uptime += pause;
        let mut out = Vec::new();
        names.keep(At { uptime, ..at(300) }, &mut out);
        let is_name = |record: &Record| matches!(record, Record::Name(..));
        out.iter()
            .filter(|out| matches!(out, Delivery::Keep(Entry::Record(record)) if is_name(record)))
            .count()
    };
    assert_eq!(keep(Duration::ZERO), RECORDS_PORTION);
    assert_eq!(keep(Duration::ZERO), 0, "not before the pause is over");
    assert_eq!(keep(NAMES_PAUSE), RECORDS_PORTION);
}

#[test]
fn at_the_end_it_is_noted_up_to_when_names_were_in_use() {
    let mut names = full();
    let mut out = Vec::new();
    assert!(!names.keep_rest(at(400), &mut out));
    assert!(out.is_empty(), "none is in use: {out:?}");
    let user = Name::new("user1").expect("a name");
    begin(&mut names, &user, 1, at(300));
    while names.keep_rest(at(400), &mut out) {}
    assert_eq!(out.last(), Some(&Delivery::record(Record::Alive(400))));
}

#[test]
fn a_name_in_use_never_goes_for_a_new_one() {
    let mut names = OwnedNames::new((0..3).map(|n| record(n, i64::from(n), 5)).collect());
    names.most = 3;
    let user = |n: u32| Name::new(&format!("user{n}")).expect("a name");
    for n in [0, 1] {
        begin(&mut names, &user(n), n, at(300));
    }
    begin(&mut names, &Name::new("newcomer").expect("a name"), 999, at(300));
    assert_eq!([0, 1, 2].map(|n| has(&names, n, at(300))), [true, true, false]);
    begin(&mut names, &Name::new("another").expect("a name"), 998, at(300));
    assert_eq!([0, 1].map(|n| has(&names, n, at(300))), [true, true]);
}

#[test]
fn while_names_are_in_use_it_is_noted_now_and_then_that_the_server_runs() {
    let mut names = full();
    let user = Name::new("user1").expect("a name");
    let alive = |names: &mut OwnedNames, uptime: Duration| {
        let mut out = Vec::new();
        names.keep(At { uptime, ..at(300) }, &mut out);
        out.contains(&Delivery::record(Record::Alive(300)))
    };
    let begun = at(300).uptime;
    assert!(!alive(&mut names, begun), "none is in use");
    begin(&mut names, &user, 1, at(300));
    assert!(!alive(&mut names, begun + Duration::from_secs(1)));
    assert!(alive(&mut names, begun + ALIVE_EVERY));
    assert!(!alive(&mut names, begun + ALIVE_EVERY + Duration::from_secs(1)));
}

#[test]
fn of_names_that_were_only_tried_one_whose_time_is_over_goes() {
    let kept = i64::try_from(NAME_KEPT_TRIED.as_secs()).expect("seconds");
    let now = CLOCK_FLOOR + kept + 100;
    let mut names = OwnedNames::new(vec![record(0, now - 10, 5), record(1, CLOCK_FLOOR, 5)]);
    names.most = 2;
    begin(&mut names, &Name::new("newcomer").expect("a name"), 999, at(now));
    assert_eq!([0, 1].map(|n| has(&names, n, at(now))), [true, false]);
}
