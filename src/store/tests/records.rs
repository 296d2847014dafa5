//! Names, operators, members, bans and mutes in the database, and the files in which they were before.

use super::*;
use crate::chat::{BanRecord, MemberRecord, NameRecord, OperatorRecord, Record, Records, Sanction};
use crate::store::NamesInUse;
use serde_json::Map;
use std::fs;
use std::sync::Arc;

fn fingerprint(number: u8) -> Fingerprint {
    Fingerprint::new([number; 32])
}

fn name(name: &str, number: u8) -> NameRecord {
    NameRecord { name: name.into(), key: fingerprint(number), last: at(1), used: 5, in_use: false }
}

fn operator(number: u8) -> OperatorRecord {
    let rest = [("note".to_owned(), "trusted".into())].into_iter().collect();
    OperatorRecord { key: fingerprint(number), name: "op".into(), by: "test".into(), since: at(2), rest }
}

fn member(number: u8) -> MemberRecord {
    let ip = Some("fe80::1".parse().unwrap());
    MemberRecord { key: fingerprint(number), name: String::new(), ip, since: at(3), rest: Map::new() }
}

fn ban(number: u8) -> BanRecord {
    BanRecord {
        key: (number > 1).then(|| fingerprint(number)),
        ips: ["10.0.0.0/8", "2001:db8::/48"].map(|net| net.parse().unwrap()).into(),
        name: Some("mallory".into()),
        by: String::new(),
        since: at(4),
        until: (number > 1).then_some(Timestamp::MAX),
        rest: Map::new(),
    }
}

/// One row of each kind.
fn all() -> Vec<Record> {
    vec![
        Record::Name("Bob".into(), Some(name("Bob", 1))),
        Record::Operator(fingerprint(1), Some(operator(1))),
        Record::Member(fingerprint(2), Some(member(2))),
        Record::Sanction(Sanction::Ban, 7, Some(ban(1))),
        Record::Sanction(Sanction::Mute, 7, Some(ban(2))),
    ]
}

async fn keep_all(store: &Store, records: Vec<Record>) {
    let entries = records.into_iter().map(|record| Entry::Record(Box::new(record))).collect();
    store.commit(WriteBatch { entries, seq: 0, ..WriteBatch::default() }).await.unwrap();
}

#[tokio::test]
async fn rooms_and_the_owners_of_names_are_listed_while_the_server_runs() {
    let place = Place::new();
    let (store, _) = place.open();
    let late = NameRecord { last: at(9), ..name("Carol", 2) };
    let present = NameRecord { in_use: true, ..name("Dave", 3) };
    let records = [("Bob", name("Bob", 1)), ("Carol", late), ("Dave", present)];
    let records = records.map(|(name, record)| Record::Name(name.into(), Some(record)));
    keep_all(&store, records.into()).await;
    keep(&store, 0, joined("#games", 1, 0)).await;
    keep(&store, 0, joined("#dev", 1, 0)).await;
    let names = NamesInUse::read(&place.path(), 2).unwrap();
    assert_eq!(
        (names.rooms, names.users),
        (vec!["#dev".into(), "#games".into()], vec!["Dave".into(), "Carol".into()])
    );
    assert!(NamesInUse::read(&place.dir.path().join("other.db"), 2).is_err());
}

#[tokio::test]
async fn rows_of_every_kind_are_there_again_until_they_are_taken_back() {
    let place = Place::new();
    let (store, archive) = place.open();
    assert_eq!(archive.records, Records::default());
    keep_all(&store, all()).await;
    let (_store, archive) = place.crash().open();
    let expected = Records {
        operators: vec![operator(1)],
        members: vec![member(2)],
        bans: vec![(7, ban(1))],
        mutes: vec![(7, ban(2))],
        names: vec![name("Bob", 1)],
        reads: Vec::new(),
    };
    assert_eq!(archive.records, expected);
    let gone = vec![
        Record::Name("Bob".into(), None),
        Record::Operator(fingerprint(1), None),
        Record::Member(fingerprint(2), None),
        Record::Sanction(Sanction::Ban, 7, None),
    ];
    keep_all(&store, gone).await;
    let (_store, archive) = place.crash().open();
    assert_eq!(archive.records, Records { mutes: expected.mutes, ..Records::default() });
}

#[tokio::test]
async fn a_name_in_use_counts_as_used_until_the_server_was_last_known_to_run() {
    let place = Place::new();
    let (store, _) = place.open();
    let begun = at(1);
    let in_use = NameRecord { in_use: true, ..name("bob", 1) };
    let idle = name("alice", 2);
    let names = [in_use, idle.clone()].map(|row| Record::Name(row.name.clone(), Some(row)));
    keep_all(&store, names.into()).await;
    keep_all(&store, vec![Record::Alive(begun.as_second() + 3600)]).await;
    let left = place.crash();
    for _ in 0..2 {
        // A second start changes nothing: it is not in use any more.
        let (store, archive) = left.open();
        let [bob, alice] = archive.records.names.as_slice() else { panic!("{archive:?}") };
        assert_eq!(bob.last.as_second(), begun.as_second() + 3600);
        assert_eq!((bob.used, bob.in_use), (5 + 3600, false));
        assert_eq!(*alice, idle);
        keep_all(&store, vec![Record::Alive(begun.as_second() + 7200)]).await;
        store.close().await;
    }
}

#[tokio::test]
async fn without_messages_the_records_are_kept_and_a_history_that_is_there_stays() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "hello")]).await;
    keep_all(&store, all()).await;
    store.close().await;
    let (store, archive) = Store::open_records(&place.path(), Arc::default()).unwrap();
    assert!(archive.lineage.is_none());
    assert_eq!((archive.seq, archive.records.names.len()), (0, 1));
    keep_all(&store, vec![Record::Name("carol".into(), Some(name("carol", 3)))]).await;
    store.close().await;
    let (_store, archive) = place.open();
    assert_eq!(
        (archive.seq, archive.records.names.len()),
        (1, 2),
        "no number was lost, and none was assigned"
    );
}

/// Old files beside a database that has not imported them.
fn with_files() -> Place {
    let place = Place::new();
    let row = |record: &NameRecord| serde_json::to_string(record).unwrap();
    let lines =
        [row(&name("Bob", 1)), "{oops".into(), String::new(), row(&name("Bob", 2)), row(&name("eve", 3))];
    fs::write(place.dir.path().join("names"), lines.join("\n")).unwrap();
    fs::write(place.dir.path().join("bans"), serde_json::to_string(&ban(1)).unwrap()).unwrap();
    place
}

fn files(place: &Place) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("history."))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_of_the_form_before_are_taken_over_once_and_put_away() {
    let place = with_files();
    let (_store, archive) = place.open();
    assert_eq!(archive.records.names, [name("Bob", 1), name("eve", 3)], "of two rows the first counts");
    assert_eq!(archive.records.bans, [(0, ban(1))]);
    assert_eq!(files(&place), ["bans.taken-over", "names.taken-over"]);
    // A user edits by habit.
    fs::write(place.dir.path().join("bans"), serde_json::to_string(&ban(2)).unwrap()).unwrap();
    let (_store, archive) = place.open();
    assert_eq!(archive.records.bans, [(0, ban(1))]);
    assert_eq!(files(&place), ["bans", "bans.taken-over", "names.taken-over"]);
}

#[tokio::test]
async fn a_crash_between_taking_over_and_putting_away_takes_nothing_twice() {
    let place = with_files();
    // In the place of the new name, so that the file stays where it is.
    fs::create_dir_all(place.dir.path().join("names.taken-over/in-the-way")).unwrap();
    assert!(Store::open(&place.path(), Retention::default()).is_err());
    fs::remove_dir_all(place.dir.path().join("names.taken-over")).unwrap();
    // From here on, only the database counts.
    fs::write(place.dir.path().join("names"), "{oops").unwrap();
    let (_store, archive) = place.open();
    assert_eq!(archive.records.names, [name("Bob", 1), name("eve", 3)]);
    assert_eq!(files(&place), ["bans.taken-over", "names.taken-over"]);
}
