//! A history or a log that is cut so that SQLite takes it for a new one, and things that are not files.

use super::*;
use crate::store::{StoreError, check_whole, repair};
use std::fs::OpenOptions;
use std::path::Path;

async fn history() -> Place {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=10).map(|seq| said(seq, 1, "at rest"))).await;
    store.close().await;
    place
}

fn cut(path: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

fn start(place: &Place) -> StoreError {
    Store::open(&place.path(), Retention::default()).map(drop).unwrap_err()
}

async fn numbers_of(place: &Place) -> Vec<u64> {
    let (store, _) = place.open();
    let page = store.page(span(view(1), 0, 999), 999, usize::MAX).await.unwrap();
    store.close().await;
    numbers(&page.messages)
}

#[tokio::test]
async fn a_log_that_is_cut_under_the_store_is_noticed_before_the_next_promise() {
    for share in [0, 50] {
        let place = history().await;
        let (store, _) = place.open();
        for seq in 11..=30 {
            commit(&store, [said(seq, 1, "in the log")]).await;
        }
        let log = place.dir.path().join("history.db-wal");
        cut(&log, log.metadata().unwrap().len() * share / 100);
        let error = store.commit(batch([said(31, 1, "lost")])).await.unwrap_err();
        assert!(matches!(error, StoreError::Overwritten(_)), "{share} %: {error:?}");
        assert!(store.mend().await.is_err());
        store.close().await;
    }
}

#[tokio::test]
async fn a_log_of_which_all_is_in_the_database_may_be_cut() {
    let place = history().await;
    let (store, _) = place.open();
    commit(&store, [said(11, 1, "in the database")]).await;
    let other = rusqlite::Connection::open(place.path()).unwrap();
    for seq in 12..=13 {
        other.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert_eq!(place.dir.path().join("history.db-wal").metadata().unwrap().len(), 0);
        commit(&store, [said(seq, 1, "kept")]).await;
    }
    drop(other);
    store.close().await;
    assert!(numbers_of(&place).await.ends_with(&[11, 12, 13]));
}

#[tokio::test]
async fn nothing_new_is_begun_in_what_is_left_of_a_history() {
    for bytes in [0, 1, 15, 50, 2048] {
        let place = Place::new();
        let (store, _) = place.open();
        commit(&store, (1..=50).map(|seq| said(seq, 1, &format!("word{seq}")))).await;
        cut(&place.path(), bytes);
        assert!(store.commit(batch([said(51, 1, "lost")])).await.is_err(), "{bytes}");
        assert!(store.mend().await.is_err(), "{bytes}");
        store.close().await;
        let error = start(&place);
        assert!(error.to_string().contains("`lanchat repair`"), "{bytes}: {error}");
        let to = place.dir.path().join("saved.db");
        let saved = repair(&place.path(), &to, |_, _| {}).unwrap_or_else(|error| panic!("{bytes}: {error}"));
        assert_eq!(saved.messages, 50, "{bytes}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_refused_at_once() {
    let place = Place::new();
    let made = std::process::Command::new("mkfifo").arg(place.path()).status().unwrap();
    assert!(made.success());
    assert_eq!(start(&place), StoreError::NotADatabase(place.path()));
    assert_eq!(check_whole(&place.path()), Err(StoreError::NotADatabase(place.path())));
    let saved = repair(&place.path(), &place.dir.path().join("saved.db"), |_, _| {});
    assert_eq!(saved.err(), Some(StoreError::NotADatabase(place.path())));
}
