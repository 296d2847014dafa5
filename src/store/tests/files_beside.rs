//! Files beside a database, links to it, and the facts that its files record.

use super::*;
use crate::store::image::Log;
use crate::store::{StoreError, repair};
use std::fs;

async fn at_rest(count: u64) -> Place {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, (1..=count).map(|seq| said(seq, 1, &format!("word{seq}")))).await;
    store.close().await;
    place
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_moved_without_its_log_is_refused_where_a_link_leads_to_it() {
    let (place, other) = (at_rest(3).await, Place::new());
    std::os::unix::fs::symlink(place.path(), other.path()).unwrap();
    let log = other.dir.path().join("history.db-wal");
    for (content, is_left) in [("", false), ("rows", true)] {
        fs::write(&log, content).unwrap();
        let opened = Store::open(&other.path(), Retention::default()).map(drop);
        let expected = Err(StoreError::LeftBehind(log.clone(), place.path().canonicalize().unwrap()));
        assert_eq!(opened, if is_left { expected } else { Ok(()) }, "{content:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_name_that_a_server_gave_while_it_made_the_file_goes_and_other_names_are_refused() {
    let place = at_rest(3).await;
    let begun = place.dir.path().join("history.db.123.new");
    fs::hard_link(place.path(), &begun).unwrap();
    let (store, _) = place.open();
    store.close().await;
    assert!(!begun.exists());
    let other = place.dir.path().join("other.db");
    fs::hard_link(place.path(), &other).unwrap();
    let opened = Store::open(&place.path(), Retention::default()).map(drop);
    assert_eq!(opened, Err(StoreError::Linked(place.path())));
    assert!(other.exists());
}

#[tokio::test]
async fn a_log_says_how_many_pages_there_are_and_one_without_commits_says_nothing() {
    let place = Place::new();
    let (store, _) = place.open();
    commit(&store, [said(1, 1, "in the log")]).await;
    let left = place.crash();
    store.close().await;
    let pages = |log: &str| Log::read(&left.dir.path().join(log), 4096).unwrap().pages();
    let said = pages("history.db-wal").expect("a commit");
    assert!((10..1000).contains(&said), "{said} pages");
    assert_eq!(pages("nothing-wal"), None);
}

#[tokio::test]
async fn a_file_that_lacks_its_last_page_is_refused() {
    let place = at_rest(2000).await;
    let file = fs::OpenOptions::new().write(true).open(place.path()).unwrap();
    file.set_len(file.metadata().unwrap().len() - 4096).unwrap();
    let opened = Store::open(&place.path(), Retention::default()).map(drop);
    assert!(matches!(opened, Err(StoreError::Corrupt(..))), "{opened:?}");
}

#[tokio::test]
async fn a_repair_says_whose_file_it_cannot_read() {
    for (application, version, is_newer) in [(None, 99, true), (Some(7), 99, false), (None, 0, false)] {
        let place = at_rest(3).await;
        let connection = rusqlite::Connection::open(place.path()).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        if let Some(application) = application {
            connection.pragma_update(None, "application_id", application).unwrap();
        }
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        connection.close().unwrap();
        let error = repair(&place.path(), &place.dir.path().join("saved.db"), |_, _| {}).unwrap_err();
        let found = matches!(error, StoreError::Newer { .. });
        assert_eq!(found, is_newer, "{application:?} {version}: {error:?}");
        assert!(is_newer || error == StoreError::Hopeless(place.path()), "{error:?}");
    }
}

#[tokio::test]
async fn the_progress_of_a_repair_rises_to_the_end() {
    let place = at_rest(2000).await;
    let mut told = vec![(0, 1)];
    repair(&place.path(), &place.dir.path().join("saved.db"), |done, all| told.push((done, all))).unwrap();
    let parts: Vec<f64> = told.iter().map(|(done, all)| *done as f64 / *all as f64).collect();
    assert!(parts.is_sorted() && parts.last() == Some(&1.0), "{told:?}");
}
