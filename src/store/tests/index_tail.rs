//! The search index is a moment behind, and nobody notices.

use super::*;
use crate::chat::Search;
use crate::limits::INDEX_STEP_ROWS;
use crate::store::search::{self as searching, Effort};
use crate::store::{index_tail, schema};
use std::time::{Duration, Instant};

/// A search by a user who is only in the lobby.
fn search(reader: u8, words: &str) -> Search {
    Search { words: words.into(), view: view(reader), limit: 20, ..Search::default() }
}

async fn found(store: &Store, search: Search) -> Vec<u64> {
    numbers(&store.search(search, usize::MAX).await.unwrap().messages)
}

#[tokio::test]
async fn a_tail_of_any_length_is_written_to_its_end() {
    let count = 2 * INDEX_STEP_ROWS as u64 + 5;
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=count).map(|seq| said(seq, 1, "x"))).await;
    store.close().await;
    let mut connection = schema::open(&place.path()).unwrap();
    index_tail::finish(&mut connection).unwrap();
    let none = "DELETE FROM pieces WHERE rowid > 0; DELETE FROM hour; UPDATE meta SET value = 0 WHERE key = 'indexed'";
    connection.execute_batch(none).unwrap();
    index_tail::finish(&mut connection).unwrap();
    assert_eq!(index_tail::begin(&connection), Ok(count as i64));
}

#[tokio::test]
async fn a_search_says_so_if_the_index_is_too_far_behind_and_goes_on_with_older_messages() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "apple pie")]).await;
    store.close().await;
    index_tail::finish(&mut schema::open(&place.path()).unwrap()).unwrap();
    let (store, _) = place.open();
    commit(&store, (10_002..=10_009).map(|seq| said(seq, 1, &format!("apple number{seq}")))).await;
    store.close().await;
    let connection = schema::open(&place.path()).unwrap();
    // The writing thread may have indexed more by now.
    let none = "DELETE FROM pieces WHERE rowid > 1; UPDATE meta SET value = 1 WHERE key = 'indexed'";
    connection.execute_batch(none).unwrap();
    let ask = |search: Search, tail| {
        let effort = Effort { tail, ..Effort::default() };
        let listing = searching::search(&connection, &search, usize::MAX, effort).unwrap();
        (numbers(&listing.messages), listing.more, listing.partial)
    };
    assert_eq!(ask(search(1, "number10009"), 3), (vec![10_009], false, true), "the newest are found");
    assert_eq!(ask(search(1, "pie"), 3), (vec![1], false, true), "older ones are found");
    assert_eq!(ask(search(1, "number10005"), 3), (vec![], false, true), "these are not");
    assert_eq!(ask(search(1, "number10005"), 8), (vec![10_005], false, false));
    let before = Search { before: Some(10_006), ..search(1, "number10005") };
    assert_eq!(ask(before, 3), (vec![10_005], false, true), "a further page looks at further messages");
    let recent = Search { since: Some(at(10_007)), ..search(1, "apple") };
    assert_eq!(ask(recent, 3), (vec![10_007, 10_008, 10_009], false, false), "the rest is too old");
    let last = Search { limit: 2, ..search(1, "apple") };
    assert_eq!(ask(last, 3), (vec![10_008, 10_009], true, false), "nothing is missing among the newest");
}

#[tokio::test]
async fn a_crash_before_messages_are_indexed_loses_none_of_their_words() {
    let place = Place::new();
    let (store, _) = place.open();
    let count = INDEX_STEP_ROWS as u64 + 100;
    commit(&store, (1..=count).map(|seq| said(seq, 1, &format!("word{seq}x")))).await;
    let left = place.crash();
    store.close().await;
    for is_indexed in [false, true] {
        if is_indexed {
            index_tail::finish(&mut schema::open(&left.path()).unwrap()).unwrap();
        }
        let (store, _) = left.open();
        for seq in [1, 500, count] {
            assert_eq!(found(&store, search(1, &format!("word{seq}x"))).await, [seq], "{is_indexed}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn the_writer_indexes_while_it_has_nothing_else_to_do() {
    let place = Place::new();
    let (store, _) = place.open();
    let count = 3 * INDEX_STEP_ROWS as u64;
    commit(&store, (1..=count).map(|seq| said(seq, 1, "x"))).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    let indexed = || {
        let connection = rusqlite::Connection::open(place.path()).unwrap();
        index_tail::begin(&connection).unwrap()
    };
    while indexed() < i64::try_from(count).unwrap() {
        assert!(Instant::now() < deadline, "it stops at {}", indexed());
        std::thread::yield_now();
    }
    store.close().await;
}

#[tokio::test]
async fn the_index_follows_while_batches_come_without_a_pause() {
    let place = Place::new();
    let (store, _) = place.open();
    let deadline = Instant::now() + Duration::from_secs(60);
    let reader = rusqlite::Connection::open(place.path()).unwrap();
    for seq in (1..).step_by(20) {
        commit(&store, (seq..seq + 20).map(|seq| said(seq, 1, "x"))).await;
        if index_tail::begin(&reader).unwrap() > 0 {
            break;
        }
        assert!(Instant::now() < deadline, "nothing of {seq} messages is indexed");
    }
    drop(reader);
    store.close().await;
}
